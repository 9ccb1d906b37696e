"""Blocks of the matrix product: packed panels against packed panels, edges through a tile on the stack, and the loops around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes, runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_pack import pack
from mindspore.kernels.gemm_tile import Tiling, micro_kernel

PROBLEM = (
    "m",
    "n",
    "k",
    "a",
    "b",
    "c",
    "a_row",
    "a_col",
    "b_row",
    "b_col",
    "c_row",
    "c_col",
    "add",
    "epilogue",
    "context",
    "row",
)
"""What describes one product. ``row`` is the number of the first row for the epilogue (batches are stacked). What is not a regular
stride (``a_col``, ``b_row``, ``b_col``, ``c_col`` of a `Way` other than `STRIDED`) is the address of a table of offsets."""
_POINTERS = ("a", "b", "c", "epilogue", "context")
TYPES = tuple("ptr" if name in _POINTERS else "i64" for name in PROBLEM)


@dataclass(frozen=True, slots=True)
class Problem:
    """The values of `PROBLEM` inside one function."""

    m: Value
    n: Value
    k: Value
    a: Value
    b: Value
    c: Value
    a_row: Value
    a_col: Value
    b_row: Value
    b_col: Value
    c_row: Value
    c_col: Value
    add: Value
    epilogue: Value
    context: Value
    row: Value

    def values(self) -> list[Value]:
        return [getattr(self, name) for name in PROBLEM]


Span = tuple[Value, Value]
"""(first, count)."""


@dataclass(frozen=True, slots=True)
class Way:
    """How the operands of a product lie in memory.

    Attributes:
        name: part of the names of functions.
        rows, columns: ``(f, tiling, source, problem, rows or columns, steps, to)`` pack A[rows, steps] or B[steps, columns].
        block: ``(f, tiling, problem, rows, columns, steps, panels of A and B)`` multiplies what is packed and adds it to C.
    """

    name: str
    rows: Callable[[Function, Tiling, DType, Problem, Span, Span, Value], None]
    columns: Callable[[Function, Tiling, DType, Problem, Span, Span, Value], None]
    block: Callable[[Function, Tiling, Problem, Span, Span, Span, tuple[Value, Value]], None]


def problem(values: Sequence[Value]) -> Problem:
    return Problem(*values)


def parameters() -> list[tuple[str, str]]:
    """Function parameters that carry a problem."""
    return [(kind, name) for kind, name in zip(TYPES, PROBLEM, strict=True)]


def blocks(f: Function, total: Value, most: int, unit: int) -> tuple[Value, Value]:
    """(count, size): `total` in blocks of at most `most`, all about equal and multiples of `unit`; at least one block."""
    count = f.maximum(ceiling(f, total, most), f.index(1))
    size = ceiling(f, ceiling(f, total, count), unit) * unit
    return count, f.maximum(size, f.index(unit))


def macro_kernel(module: Module, t: Tiling) -> str:
    """Name of ``void block(rows, columns, k, a panels, b panels, c, ldc, add, last, epilogue, context, row, column)``."""
    name = f"gemm_block_{t.kernels}"
    if module.has(name):
        return name
    listed = [
        ("i64", "rows"), ("i64", "columns"), ("i64", "k"), ("ptr noalias readonly", "a"), ("ptr noalias readonly", "b"),
        ("ptr noalias", "c"), ("i64", "ldc"), ("i64", "add"), ("i64", "last"), ("ptr", "epilogue"), ("ptr", "context"),
        ("i64", "row"), ("i64", "column"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    rows, columns, k, a, b, c, ldc, add, last, epilogue, context, row, column = f.arguments
    tile = micro_kernel(module, t, t.vectors)
    edge = _edge_tile(module, t)
    finished = last.ne(0) & runtime.exists(f, epilogue)
    with (
        f.loop(0, columns, t.columns, hints=[NO_UNROLL, NO_VECTOR]) as j,
        f.loop(0, rows, t.rows, hints=[NO_UNROLL, NO_VECTOR]) as i,
    ):
        height, width = f.minimum(rows - i.index, f.index(t.rows)), f.minimum(columns - j.index, f.index(t.columns))
        left, right = a.at(t.type, i.index * k), b.at(t.type, j.index * k)
        target = c.at(t.type, i.index * ldc + j.index)
        whole = height.eq(t.rows) & width.eq(t.columns)

        def inner() -> list[Value]:
            f.call("void", tile, k, left, right, target, ldc, add)
            return []

        def border() -> list[Value]:
            f.call("void", edge, k, left, right, target, ldc, add, height, width)
            return []

        f.choose(whole, inner, border)
        with f.when(finished):
            f.call("void", epilogue, context, target, ldc, row + i.index, column + j.index, height, width)
    f.ret()
    return name


def _edge_tile(module: Module, t: Tiling) -> str:
    """``void edge(k, a, b, c, ldc, add, height, width)``: a tile that sticks out of C is computed beside it."""
    name = f"gemm_edge_{t.kernels}"
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("ptr noalias readonly", "b"), ("ptr noalias", "c"), ("i64", "ldc"),
        ("i64", "add"), ("i64", "height"), ("i64", "width"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, b, c, ldc, add, height, width = f.arguments
    beside = f.alloca(t.type, t.rows * t.columns)

    def computed(vectors: int, rows: int) -> list[Value]:
        f.call("void", micro_kernel(module, t, vectors, rows), k, a, b, beside, t.columns, 0)
        return []

    def wide_enough(rows: int) -> list[Value]:
        return f.choose(width <= t.lanes, lambda: computed(1, rows), lambda: computed(t.vectors, rows))

    f.choose(height <= t.rows // 2, lambda: wide_enough(t.rows // 2), lambda: wide_enough(t.rows))

    def copy(accumulate: bool) -> list[Value]:
        with f.loop(0, height, hints=[NO_UNROLL, NO_VECTOR]) as i, f.loop(0, width, hints=[NO_UNROLL]) as j:
            value = f.load(t.type, beside.at(t.type, i.index * t.columns + j.index))
            slot = c.at(t.type, i.index * ldc + j.index)
            f.store(f.load(t.type, slot) + value if accumulate else value, slot)
        return []

    f.choose(add.ne(0), lambda: copy(True), lambda: copy(False))
    f.ret()
    return name


def serial(module: Module, t: Tiling, source: DType, way: Way) -> str:
    """Name of ``void serial(problem..., memory)``: a whole product on one thread; `memory` holds `serial_bytes`."""
    name = f"gemm_serial_{source.short}{way.name}"
    if module.has(name):
        return name
    f = module.function(name, "void", [*parameters(), ("ptr noalias", "memory")], internal=True, inline="noinline")
    p, memory = problem(f.arguments[:-1]), f.arguments[-1]
    a_panels, b_panels = memory, memory.at(t.type, t.height * t.depth)
    _, width = blocks(f, p.n, t.width, t.columns)
    _, depth = blocks(f, p.k, t.depth, 8)
    _, height = blocks(f, p.m, t.height, t.rows)
    hints = [NO_UNROLL, NO_VECTOR]
    turns = f.maximum(p.k, f.index(1))
    with f.loop(0, p.n, width, hints=hints) as j, f.loop(0, turns, depth, hints=hints) as depths:
        columns, steps = f.minimum(p.n - j.index, width), f.minimum(p.k - depths.index, depth)
        way.columns(f, t, source, p, (j.index, columns), (depths.index, steps), b_panels)
        with f.loop(0, p.m, height, hints=hints) as i:
            rows = f.minimum(p.m - i.index, height)
            way.rows(f, t, source, p, (i.index, rows), (depths.index, steps), a_panels)
            way.block(f, t, p, (i.index, rows), (j.index, columns), (depths.index, steps), (a_panels, b_panels))
    f.ret()
    return name


def serial_bytes(t: Tiling) -> int:
    """Memory for one block of A and one of B."""
    return (t.height * t.depth + t.depth * (t.width + t.columns)) * t.itemsize


def _pack_columns(f: Function, t: Tiling, source: DType, p: Problem, columns: Span, steps: Span, to: Value) -> None:
    origin = lanes.address(f, p.b, steps[0] * p.b_row + columns[0] * p.b_col, source)
    f.call("void", pack(f.module, source, t.type, t.columns), columns[1], steps[1], origin, p.b_col, p.b_row, to)


def _pack_rows(f: Function, t: Tiling, source: DType, p: Problem, rows: Span, steps: Span, to: Value) -> None:
    origin = lanes.address(f, p.a, rows[0] * p.a_row + steps[0] * p.a_col, source)
    f.call("void", pack(f.module, source, t.type, t.rows), rows[1], steps[1], origin, p.a_row, p.a_col, to)


def continued(f: Function, p: Problem, steps: Span) -> Value:
    """Whether these steps of K are added to C, as i64: always if the problem says so, else all but the first."""
    return f.op("or", p.add, (steps[0] > 0).to("zext", "i64"))


def _multiply(
    f: Function, t: Tiling, p: Problem, rows: Span, columns: Span, steps: Span, panels: tuple[Value, Value]
) -> None:
    last = (steps[0] + steps[1] >= p.k).to("zext", "i64")
    target = p.c.at(t.type, rows[0] * p.c_row + columns[0])
    f.call(
        "void", macro_kernel(f.module, t), rows[1], columns[1], steps[1], *panels, target, p.c_row, continued(f, p, steps), last,
        p.epilogue, p.context, p.row + rows[0], columns[0],
    )  # fmt: skip


STRIDED = Way("", _pack_rows, _pack_columns, _multiply)
"""Rows and columns at regular distances; the columns of C are neighbours."""


def parallel(module: Module, t: Tiling, source: DType, way: Way) -> str:
    """Name of ``void parallel(runtime, problem...)``: one product on all threads.

    For each slab of K and N, B is packed once by all threads; then blocks of C are handed out. Every element of C is added up in the
    order of K by one thread at a time, so the result does not depend on who computes it.
    """
    name = f"gemm_parallel_{source.short}{way.name}"
    if module.has(name):
        return name
    f = module.function(name, "void", [("ptr", "runtime"), *parameters()], internal=True, inline="noinline")
    p = problem(f.arguments[1:])
    threads = runtime.threads(f, f["runtime"])
    _, width = blocks(f, p.n, t.width, t.columns)
    _, depth = blocks(f, p.k, t.depth, 8)
    slab = runtime.allocate(f, f["runtime"], width * depth * t.itemsize)
    with f.when(runtime.exists(f, slab)):
        _slabs(f, t, source, way, p, threads, (width, depth, slab))
        runtime.release(f, f["runtime"], slab)
    f.ret()
    return name


def _slabs(
    f: Function, t: Tiling, source: DType, way: Way, p: Problem, threads: Value, slab: tuple[Value, Value, Value]
) -> None:
    """The loops over slabs of `width` columns and `depth` steps of K."""
    width, depth, memory = slab
    # two blocks for each thread at least and as many for all, so that nobody is waited for long
    tiles = ceiling(f, p.m, t.rows)
    least = f.maximum(ceiling(f, tiles, t.height // t.rows), threads * 2)
    row_blocks = f.minimum(ceiling(f, least, threads) * threads, tiles)
    wanted = ceiling(f, threads * 2, row_blocks)
    hints = [NO_UNROLL, NO_VECTOR]
    with f.loop(0, p.n, width, hints=hints) as j, f.loop(0, f.maximum(p.k, f.index(1)), depth, hints=hints) as depths:
        columns, steps = f.minimum(p.n - j.index, width), f.minimum(p.k - depths.index, depth)
        panels = ceiling(f, columns, t.columns)
        shares = f.minimum(wanted, panels)
        grain = f.maximum(f.op("sdiv", panels, threads * 4), f.index(1))
        context = runtime.pack(f, [*p.values(), memory, j.index, columns, depths.index, steps, row_blocks, shares])
        runtime.parallel_for(f, f["runtime"], panels, grain, _pack_worker(f.module, t, source, way), context)
        runtime.parallel_for(f, f["runtime"], row_blocks * shares, 1, _block_worker(f.module, t, source, way), context)


def ceiling(f: Function, total: Value, unit: Value | int) -> Value:
    return f.op("sdiv", total + (unit - 1), unit)


def _part(f: Function, total: Value, parts: Value, position: Value, unit: int) -> Span:
    """Part `position` when `total` is divided into so many parts, multiples of `unit` that differ by one unit at most."""
    units = ceiling(f, total, unit)
    first, end = (f.op("sdiv", units * at, parts) * unit for at in (position, position + 1))
    return first, f.minimum(end, total) - first


_SHARED = (*TYPES, "ptr", "i64", "i64", "i64", "i64", "i64", "i64")


def _pack_worker(module: Module, t: Tiling, source: DType, way: Way) -> str:
    """Worker over panels of the slab."""
    name = f"gemm_pack_worker_{source.short}{way.name}"
    if module.has(name):
        return name
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    values = runtime.unpack(f, _SHARED)
    p = problem(values[: len(TYPES)])
    slab, first, columns, step, steps, *_ = values[len(TYPES) :]
    start = f["begin"] * t.columns
    count = f.minimum(f["end"] * t.columns, columns) - start
    way.columns(f, t, source, p, (first + start, count), (step, steps), slab.at(t.type, start * steps))
    f.ret()
    return name


def _block_worker(module: Module, t: Tiling, source: DType, way: Way) -> str:
    """Worker over blocks of C: rows in the outer position, so that a thread keeps its packed rows' neighbours."""
    name = f"gemm_block_worker_{source.short}{way.name}"
    if module.has(name):
        return name
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    values = runtime.unpack(f, _SHARED)
    p = problem(values[: len(TYPES)])
    slab, first, columns, step, steps, row_blocks, shares = values[len(TYPES) :]
    memory = runtime.scratch(f, f["runtime"], t.height * t.depth * t.itemsize)
    some = f.select(runtime.exists(f, memory), f["end"], f["begin"])
    with f.loop(f["begin"], some, hints=[NO_UNROLL, NO_VECTOR]) as item:
        rows = _part(f, p.m, row_blocks, f.op("srem", item.index, row_blocks), t.rows)
        start, count = _part(f, columns, shares, f.op("sdiv", item.index, row_blocks), t.columns)
        panels = (memory, slab.at(t.type, start * steps))
        way.rows(f, t, source, p, rows, (step, steps), memory)
        way.block(f, t, p, rows, (first + start, count), (step, steps), panels)
    f.ret()
    return name
