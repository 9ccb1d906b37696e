"""Products of few rows with a matrix whose columns are contiguous: sums along K, several rows of A and columns of B at a time."""

from __future__ import annotations

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes, runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, mangled, vector
from mindspore.kernels.gemm_block import TYPES, Problem, problem
from mindspore.kernels.gemm_small import CHUNK, FEW_ROWS, Masked, finish
from mindspore.kernels.gemm_tile import Tiling, multiply_add

COLUMNS = 4
"""Columns of B read side by side."""
DEEP = 4
"""Vectors of K from which adding up their lanes at the end costs little."""


def suits(f: Function, t: Tiling, p: Problem) -> Value:
    """C has few rows, and both operands run along K."""
    return (p.m <= FEW_ROWS) & p.b_row.eq(1) & p.a_col.eq(1) & (p.k >= DEEP * t.lanes)


def product(f: Function, t: Tiling, source: DType, p: Problem) -> None:
    """One product; columns are shared among threads."""
    strips = f.op("sdiv", p.n + (COLUMNS - 1), COLUMNS)
    work = f.maximum(p.m * p.k * COLUMNS, f.index(1))
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), work), f.index(1))
    spread = f.select(f["shared"].eq(0), strips, grain)
    runtime.parallel_for(f, f["runtime"], strips, spread, _worker(f.module, t, source), runtime.pack(f, p.values()))


def _worker(module: Module, t: Tiling, source: DType) -> str:
    """Worker over strips of `COLUMNS` columns."""
    name = f"gemm_dots_{source.short}"
    if module.has(name):
        return name
    tall = 4 if t.rows >= 8 else 2
    few, many = (_tile(module, t, source, rows) for rows in (tall // 2, tall))
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    p = problem(runtime.unpack(f, TYPES))
    first, end = f["begin"] * COLUMNS, f.minimum(f["end"] * COLUMNS, p.n)
    hints = [NO_UNROLL, NO_VECTOR]
    with f.loop(first, end, COLUMNS, hints=hints) as j, f.loop(0, p.m, tall, hints=hints) as row:
        height, width = f.minimum(p.m - row.index, f.index(tall)), f.minimum(end - j.index, f.index(COLUMNS))
        a = p.a.at(t.type, row.index * p.a_row)
        b = p.b.at(lanes.memory_type(source), j.index * p.b_col)
        target = p.c.at(t.type, row.index * p.c_row + j.index)

        def run(
            function: str,
            a: Value = a,
            b: Value = b,
            target: Value = target,
            size: tuple[Value, Value] = (height, width),
        ) -> list[Value]:
            f.call("void", function, p.k, a, p.a_row, b, p.b_col, target, p.c_row, p.add, *size)
            return []

        f.choose(height <= tall // 2, lambda: run(few), lambda: run(many))
    finish(f, p, p.c.at(t.type, first), (f.index(0), p.m), (first, end - first))
    f.ret()
    return name


def _tile(module: Module, t: Tiling, source: DType, rows: int) -> str:
    """``void tile(k, a, a_row, b, b_col, c, c_row, add, height, width)``: at most `rows` x `COLUMNS` sums."""
    name = f"gemm_dots_{source.short}_{rows}"
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("i64", "a_row"), ("ptr noalias readonly", "b"), ("i64", "b_col"),
        ("ptr noalias", "c"), ("i64", "c_row"), ("i64", "add"), ("i64", "height"), ("i64", "width"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, a_row, b, b_col, c, c_row, add, height, width = f.arguments
    memory = lanes.memory_type(source)
    # what does not exist computes what the first row or column does and is not stored
    lefts = [a.at(t.type, f.select(height > r, a_row * r, f.index(0))) for r in range(rows)]
    rights = [b.at(memory, f.select(width > q, b_col * q, f.index(0))) for q in range(COLUMNS)]

    def step(at: Value, sums: list[Value], masked: Masked | None) -> list[Value]:
        def load(pointer: Value, type: str) -> Value:
            place = pointer.at(type, at)
            return masked.load(place, type) if masked else f.load(vector(t.lanes, type), place)

        column = [lanes.from_memory(f, load(pointer, memory), source) for pointer in rights]
        result = []
        for r, pointer in enumerate(lefts):
            left = load(pointer, t.type)
            result += [multiply_add(f, left, right, sums[r * COLUMNS + q]) for q, right in enumerate(column)]
        return result

    zero = f.value(0.0, t.vector)
    whole = k - (k % t.lanes)
    with f.loop(0, whole, t.lanes, carried=[zero] * (rows * COLUMNS), hints=[NO_VECTOR, NO_UNROLL]) as loop:
        loop.next(*step(loop.index, list(loop.carried), None))
    sums = f.choose(whole < k, lambda: step(whole, loop.results, Masked(f, t.lanes, k - whole)), lambda: loop.results)
    f.flags = "contract reassoc nsz"
    for r in range(rows):
        for q in range(COLUMNS):
            with f.when((height > r) & (width > q)):
                slot = c.at(t.type, c_row * r + q)
                start = f.choose(add.ne(0), lambda slot=slot: [f.load(t.type, slot)], lambda: [f.value(0.0, t.type)])  # type: ignore[misc]
                f.store(_folded(f, start[0], sums[r * COLUMNS + q]), slot)
    f.ret()
    return name


def _folded(f: Function, start: Value, lanes_: Value) -> Value:
    """`start` and all lanes added up."""
    name = f"llvm.vector.reduce.fadd.{mangled(lanes_.type)}"
    f.module.declare(name, f"declare {start.type} @{name}({start.type}, {lanes_.type})")
    return f.emit(start.type, f"call reassoc contract nsz {start.type} @{name}({start}, {lanes_})")
