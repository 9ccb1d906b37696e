"""Matrix times vector: nothing is packed, every element of the matrix is read once."""

from __future__ import annotations

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes, runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import Problem
from mindspore.kernels.gemm_tile import Tiling

CHUNK = 1 << 17
"""Elements of the matrix for each chunk of threads."""
TILE = 1024
"""Outputs that are added to side by side; they stay in the first-level cache."""
STEPS = 8
"""Rows of the matrix added in one pass over the outputs."""


def suits(f: Function, p: Problem) -> Value:
    """One operand is a vector."""
    contiguous = (p.n.eq(1) & (p.a_col.eq(1) | p.a_row.eq(1)) & p.c_row.eq(1)) | (
        p.m.eq(1) & (p.b_col.eq(1) | p.b_row.eq(1))
    )
    return contiguous & (p.k > 0)


def product(f: Function, t: Tiling, source: DType, p: Problem) -> None:
    """Both cases as one: outputs x k matrix of type `source` times a vector of k of the tiling's type."""
    column = p.n.eq(1) & p.m.ne(1)
    pick = f.select
    outputs = pick(column, p.m, p.n)
    matrix, vector = pick(column, p.a, p.b), pick(column, p.b, p.a)
    along = pick(column, p.a_row, p.b_col)
    deep = pick(column, p.a_col, p.b_row)
    step = pick(column, p.b_row, p.a_col)
    captured = [
        p.c,
        matrix,
        vector,
        along,
        deep,
        step,
        p.k,
        p.add,
        p.epilogue,
        p.context,
        p.row,
        f.select(column, f.index(1), f.index(0)),
    ]
    work = f.maximum(p.k, f.index(1))
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), work), f.index(1))
    spread = f.select(f["shared"].eq(0), outputs, grain)
    context = runtime.pack(f, captured)

    def rows() -> list[Value]:
        runtime.parallel_for(f, f["runtime"], outputs, spread, _rows(f.module, t, source), context)
        return []

    def columns() -> list[Value]:
        wide = f.maximum(spread, f.index(TILE))
        runtime.parallel_for(f, f["runtime"], outputs, wide, _columns(f.module, t, source), context)
        return []

    f.choose(deep.eq(1) & along.ne(1), rows, columns)


_CAPTURED = ("ptr", "ptr", "ptr", "i64", "i64", "i64", "i64", "i64", "ptr", "ptr", "i64", "i64")


def _finish(f: Function, c: Value, captured: list[Value], outputs: tuple[Value, Value]) -> None:
    """Run the epilogue on (first, count) outputs, which lie along a column of C or along a row."""
    epilogue, context, row, column = captured[-4:]
    first, count = outputs
    across = column.ne(0)
    with f.when(runtime.exists(f, epilogue)):
        place = f.select(across, row + first, row), f.select(across, f.index(0), first)
        size = f.select(across, count, f.index(1)), f.select(across, f.index(1), count)
        f.call("void", epilogue, context, c, f.select(across, f.index(1), count), *place, *size)


def _rows(module: Module, t: Tiling, source: DType) -> str:
    """Worker over outputs whose matrix rows are contiguous: one dot product each."""
    name = f"gemv_rows_{source.short}"
    if module.has(name):
        return name
    dot = _dot(module, t, source)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    captured = runtime.unpack(f, _CAPTURED)
    c, matrix, vector, along, _, step, k, add, *_ = captured
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR, NO_UNROLL]) as i:
        total = f.call(t.type, dot, lanes.address(f, matrix, i.index * along, source), vector, step, k)
        slot = c.at(t.type, i.index)
        f.store(f.choose(add.ne(0), lambda: [f.load(t.type, slot) + total], lambda: [total])[0], slot)
    _finish(f, c.at(t.type, f["begin"]), captured, (f["begin"], f["end"] - f["begin"]))
    f.ret()
    return name


def _dot(module: Module, t: Tiling, source: DType) -> str:
    """``T dot(a, b, b_step, count)``; the order of additions is the vector code's, the same every time."""
    name = f"dot_{source.short}"
    parameters = [("ptr noalias readonly", "a"), ("ptr noalias readonly", "b"), ("i64", "step"), ("i64", "count")]
    f = module.function(name, t.type, parameters, internal=True, inline="noinline")
    a, b, step, count = f.arguments
    f.flags = "contract reassoc nsz"
    memory = lanes.memory_type(source)

    def fold(stride: Value | int) -> list[Value]:
        with f.loop(0, count, carried=[f.value(0.0, t.type)]) as loop:
            left = lanes.from_memory(f, f.load(memory, a.at(memory, loop.index)), source)
            right = f.load(t.type, b.at(t.type, loop.index * stride))
            loop.next(loop.carried[0] + left * right)
        return loop.results

    f.ret(f.choose(step.eq(1), lambda: fold(1), lambda: fold(step))[0])
    return name


def _columns(module: Module, t: Tiling, source: DType) -> str:
    """Worker over outputs whose matrix columns are contiguous: rows of the matrix are added, several in one pass."""
    name = f"gemv_columns_{source.short}"
    if module.has(name):
        return name
    many, single = _accumulate(module, t, source, STEPS), _accumulate(module, t, source, 1)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    captured = runtime.unpack(f, _CAPTURED)
    c, matrix, vector, _, deep, step, k, add, *_ = captured
    with f.loop(f["begin"], f["end"], TILE, hints=[NO_VECTOR, NO_UNROLL]) as tile:
        width = f.minimum(f["end"] - tile.index, f.index(TILE))
        to = c.at(t.type, tile.index)
        with f.when(add.eq(0)), f.loop(0, width) as j:
            f.store(f.value(0.0, t.type), to.at(t.type, j.index))
        whole = k - (k % STEPS)
        for start, stop, count, function in ((f.index(0), whole, STEPS, many), (whole, k, 1, single)):
            with f.loop(start, stop, count, hints=[NO_VECTOR, NO_UNROLL]) as row:
                origin = lanes.address(f, matrix, row.index * deep + tile.index, source)
                f.call("void", function, to, origin, deep, vector.at(t.type, row.index * step), step, width)
        _finish(f, to, captured, (tile.index, width))
    f.ret()
    return name


def _accumulate(module: Module, t: Tiling, source: DType, steps: int) -> str:
    """``void add(to, rows, row_stride, factors, factor_stride, width)``: to[j] += sum of factor * row[j] over `steps` rows."""
    name = f"gemv_add_{source.short}_{steps}"
    pointers = [
        ("ptr noalias", "to"),
        ("ptr noalias readonly", "rows"),
        ("i64", "stride"),
        ("ptr noalias readonly", "factors"),
    ]
    f = module.function(name, "void", [*pointers, ("i64", "step"), ("i64", "width")], internal=True, inline="noinline")
    to, rows, stride, factors, step, width = f.arguments
    scale = [f.load(t.type, factors.at(t.type, step * u)) for u in range(steps)]
    with f.loop(0, width) as j:
        slot = to.at(t.type, j.index)
        total = f.load(t.type, slot)
        for u in range(steps):
            element = lanes.load(f, lanes.address(f, rows, stride * u + j.index, source), source)
            assert isinstance(element, Value)
            total = total + scale[u] * element
        f.store(total, slot)
    f.ret()
    return name
