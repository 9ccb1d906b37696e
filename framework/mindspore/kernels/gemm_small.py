"""Small products, those with few rows, few columns or few steps: A, and B where its rows are contiguous, are read where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes, runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, mangled, vector
from mindspore.kernels.gemm_block import TYPES, Problem, problem
from mindspore.kernels.gemm_pack import pack
from mindspore.kernels.gemm_tile import Tiling, ask, multiply_add, splat

WORK = 1 << 18
"""Multiplications up to which packing A costs more than it saves: measured, 64 x 64 x 64."""
ROWS = 6
"""Rows of a tile; each needs a general register for its address."""
FEW_STEPS = 16
"""Steps of K up to which nothing that is packed is used often enough."""
FEW_ROWS = 16
"""Rows of C up to which B is used too seldom to be packed."""
SLAB = 8
"""Steps of K between two passes over few rows of C: as many rows of B are read side by side, and caches hold one line of each."""
AHEAD = 2 * SLAB
"""Rows of B that are asked for before they are needed: each strip of a row is too short for the processor to see where it leads."""
WIDE = 512
"""Columns of one block of sums; with `FEW_ROWS` rows it stays in the first-level cache."""
_LINE = WIDE + 16
"""Elements from one row of the block to the next: not a power of two."""
CHUNK = 1 << 19
"""Multiplications for each chunk of threads."""


def across(t: Tiling) -> int:
    """Columns of a tile here, two vectors: not those of the packed kernel's tile, which has more where there are registers for them."""
    return 2 * t.lanes


def in_place(f: Function, t: Tiling, source: DType, p: Problem) -> Value:
    """Whether B is read where it is: its rows are contiguous and of the type that is computed with."""
    return p.b_col.eq(1) if source is t.dtype else f.value(0, "i1")


def suits(f: Function, t: Tiling, source: DType, p: Problem) -> Value:
    """The product is small, or narrow, or flat."""
    flat = (p.n <= t.lanes) | (p.k <= FEW_STEPS)
    return (p.m * p.n * p.k <= WORK) | (in_place(f, t, source, p) & flat)


def few_rows(p: Problem) -> Value:
    """C has few rows and B's are contiguous: B streams through once."""
    return (p.m <= FEW_ROWS) & p.b_col.eq(1)


def product(f: Function, t: Tiling, source: DType, p: Problem) -> None:
    """One product; rows are shared among threads where there are many. B is packed first where it cannot be read in place."""
    work = f.maximum(p.n * p.k * ROWS, f.index(1))
    tiles = f.op("sdiv", p.m + (ROWS - 1), ROWS)
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), work), f.index(1))
    spread = f.select(f["shared"].eq(0), tiles, grain)

    def run(p: Problem) -> list[Value]:
        runtime.parallel_for(f, f["runtime"], tiles, spread, _tall_worker(f.module, t), runtime.pack(f, p.values()))
        return []

    def packed() -> list[Value]:
        padded = f.op("sdiv", p.n + (across(t) - 1), across(t)) * across(t)
        memory = runtime.scratch(f, f["runtime"], padded * p.k * t.itemsize)
        with f.when(runtime.exists(f, memory)):
            f.call("void", pack(f.module, source, t.type, across(t)), p.n, p.k, p.b, p.b_col, p.b_row, memory)
            run(replace(p, b=memory, b_row=f.index(across(t)), b_col=p.k))
        return []

    f.choose(in_place(f, t, source, p), lambda: run(p), packed)


def product_of_few_rows(f: Function, t: Tiling, source: DType, p: Problem) -> None:
    """One product; columns are shared among threads."""
    strips = f.op("sdiv", p.n + (across(t) - 1), across(t))
    work = f.maximum(p.m * p.k * across(t), f.index(1))
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), work), f.index(4))
    spread = f.select(f["shared"].eq(0), strips, grain)
    runtime.parallel_for(
        f, f["runtime"], strips, spread, _flat_worker(f.module, t, source), runtime.pack(f, p.values())
    )


def _tall_worker(module: Module, t: Tiling) -> str:
    """Worker over tiles of rows: all columns of each. `b_col` is how far apart B's columns are in units of whole panels."""
    name = f"gemm_small_{t.type}"
    if module.has(name):
        return name
    source = t.dtype
    wide, narrow = tile(module, t, source, ROWS, 2), tile(module, t, source, ROWS, 1)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    p = problem(runtime.unpack(f, TYPES))
    whole = p.n - (p.n % across(t))
    with f.loop(f["begin"], f["end"], hints=[NO_UNROLL, NO_VECTOR]) as number:
        row = number.index * ROWS
        height = f.minimum(p.m - row, f.index(ROWS))
        a, c = p.a.at(t.type, row * p.a_row), p.c.at(t.type, row * p.c_row)
        for start, stop, step, function in ((f.index(0), whole, across(t), wide), (whole, p.n, t.lanes, narrow)):
            with f.loop(start, stop, step, hints=[NO_UNROLL, NO_VECTOR]) as j:
                width = f.minimum(p.n - j.index, f.index(step))
                panel = f.minimum(j.index, whole)
                right = p.b.at(t.type, panel * p.b_col + (j.index - panel))
                target = c.at(t.type, j.index)
                f.call(
                    "void", function, p.k, a, p.a_row, p.a_col, right, p.b_row, target, p.c_row, p.add, height, width
                )
        finish(f, p, c, (row, height), (f.index(0), p.n))
    f.ret()
    return name


def _flat_worker(module: Module, t: Tiling, source: DType) -> str:
    """Worker over strips of columns: a few steps of K for many of them, then the next few.

    Sums grow in a block of their own: rows of C that lie a power of two apart would push each other out of the cache.
    """
    name = f"gemm_flat_{source.short}"
    if module.has(name):
        return name
    heights = (2, ROWS) if t.rows < 8 else (2, 4, 8)
    strips = [_strip(module, t, source, rows) for rows in heights]
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    p = problem(runtime.unpack(f, TYPES))
    beside = f.alloca(t.type, (FEW_ROWS + ROWS) * _LINE)
    end = f.minimum(f["end"] * across(t), p.n)
    hints = [NO_UNROLL, NO_VECTOR]
    with f.loop(f["begin"] * across(t), end, WIDE, hints=hints) as block:
        width = f.minimum(end - block.index, f.index(WIDE))
        with f.loop(0, f.maximum(p.k, f.index(1)), SLAB, hints=hints) as slab:
            steps = f.minimum(p.k - slab.index, f.index(SLAB))
            a = p.a.at(t.type, slab.index * p.a_col)
            b = lanes.address(f, p.b, slab.index * p.b_row + block.index, source)
            add = (slab.index > 0).to("zext", "i64")
            with f.loop(0, p.m, heights[-1], hints=hints) as row:
                left, sums = a.at(t.type, row.index * p.a_row), beside.at(t.type, row.index * _LINE)
                values = [steps, left, p.a_row, p.a_col, b, p.b_row, sums, add, p.m - row.index, width]

                def rows_by(position: int, values: list[Value] = values) -> list[Value]:
                    """By the function for the least rows that are enough."""

                    def run() -> list[Value]:
                        f.call("void", strips[position], *values)
                        return []

                    if position == len(heights) - 1:
                        return run()
                    return f.choose(values[-2] <= heights[position], run, lambda: rows_by(position + 1, values))

                rows_by(0)
        target = p.c.at(t.type, block.index)

        def write(add: bool, target: Value = target, width: Value = width) -> list[Value]:
            with f.loop(0, p.m, hints=hints) as row, f.loop(0, width) as j:
                value = f.load(t.type, beside.at(t.type, row.index * _LINE + j.index))
                slot = target.at(t.type, row.index * p.c_row + j.index)
                f.store(f.load(t.type, slot) + value if add else value, slot)
            return []

        f.choose(p.add.ne(0), lambda: write(True), lambda: write(False))
        finish(f, p, target, (f.index(0), p.m), (block.index, width))
    f.ret()
    return name


def _strip(module: Module, t: Tiling, source: DType, rows: int) -> str:
    """Name of ``void strip(k, a, a_row, a_col, b, b_row, sums, add, height, width)``: some steps of K for all columns of a block.

    Sums of rows and columns that do not exist are computed, from what does, into the block's spare room.
    """
    name = f"gemm_strip_{source.short}_{rows}"
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("i64", "a_row"), ("i64", "a_col"), ("ptr noalias readonly", "b"),
        ("i64", "b_row"), ("ptr noalias", "sums"), ("i64", "add"), ("i64", "height"), ("i64", "width"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, a_row, a_col, b, b_row, sums, add, height, width = f.arguments
    lines = [a.at(t.type, f.select(height > r, a_row * r, f.index(0))) for r in range(rows)]
    memory = lanes.memory_type(source)
    hints = [NO_VECTOR, NO_UNROLL]

    def part(first: Value, vectors: int, masked: Masked | None) -> None:
        slots = [sums.at(t.type, first + (r * _LINE + v * t.lanes)) for r in range(rows) for v in range(vectors)]
        zeros = [f.value(0.0, t.vector)] * len(slots)
        start = f.choose(add.ne(0), lambda: [f.load(t.vector, slot) for slot in slots], lambda: zeros)
        with f.loop(0, k, carried=start, hints=hints) as loop:
            base = lanes.address(f, b, loop.index * b_row + first, source)
            places = [base.at(memory, v * t.lanes) for v in range(vectors)]
            ask(f, base, memory, b_row * AHEAD, vectors * t.lanes)
            loaded = [masked.load(x, memory) if masked else f.load(vector(t.lanes, memory), x) for x in places]
            right = [lanes.from_memory(f, x, source) for x in loaded]
            values = []
            for r, line in enumerate(lines):
                left = splat(f, f.load(t.type, line.at(t.type, loop.index * a_col)), t.lanes)
                values += [multiply_add(f, left, x, loop.carried[r * vectors + v]) for v, x in enumerate(right)]
            loop.next(*values)
        for slot, value in zip(slots, loop.results, strict=True):
            f.store(value, slot)

    whole = width - (width % across(t))
    with f.loop(0, whole, across(t), hints=hints) as j:
        part(j.index, 2, None)
    with f.loop(whole, width, t.lanes, hints=hints) as j:
        part(j.index, 1, Masked(f, t.lanes, width - j.index))
    f.ret()
    return name


def finish(f: Function, p: Problem, c: Value, rows: tuple[Value, Value], columns: tuple[Value, Value]) -> None:
    """Run the epilogue, if there is one, on (first, count) rows and columns of C, of which the first element is at `c`."""
    with f.when(runtime.exists(f, p.epilogue)):
        f.call("void", p.epilogue, p.context, c, p.c_row, p.row + rows[0], columns[0], rows[1], columns[1])


class Masked:
    """Loads and stores of the lanes of a vector whose `numbers` lie below `width`; without numbers, of the first lanes."""

    def __init__(self, f: Function, lanes_: int, width: Value, numbers: Sequence[int] = ()) -> None:
        self._f, self._lanes = f, lanes_
        kind = vector(lanes_, "i32")
        listed = ", ".join(f"i32 {i}" for i in numbers or range(lanes_))
        count = splat(f, width.to("trunc", "i32"), lanes_)
        self._mask = f.emit(vector(lanes_, "i1"), f"icmp slt {kind} <{listed}>, {count.name}")

    def load(self, pointer: Value, type: str) -> Value:
        """Elements of `type`, 0 in the other lanes."""
        kind = vector(self._lanes, type)
        zero = self._f.value(0.0 if type in ("float", "double") else 0, kind)
        return self._f.intrinsic("masked.load", kind, pointer, self._mask, zero, suffix=f"{mangled(kind)}.p0")

    def store(self, value: Value, pointer: Value) -> None:
        f, full = self._f, f"llvm.masked.store.{mangled(value.type)}.p0"
        f.module.declare(full, f"declare void @{full}({value.type}, ptr, {self._mask.type})")
        f.call("void", full, value, pointer, self._mask)


def tile(module: Module, t: Tiling, source: DType, rows: int, vectors: int) -> str:
    """Name of ``void tile(k, a, a_row, a_col, b, b_row, c, c_row, add, height, width)``: at most `rows` rows.

    B is of type `source`, A and C of the tiling's. One vector may be cut short by `width`.
    """
    name = f"gemm_small_{source.short}_{rows}_{vectors}"
    if module.has(name):
        return name
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("i64", "a_row"), ("i64", "a_col"), ("ptr noalias readonly", "b"),
        ("i64", "b_row"), ("ptr noalias", "c"), ("i64", "c_row"), ("i64", "add"), ("i64", "height"), ("i64", "width"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, a_row, a_col, b, b_row, c, c_row, add, height, width = f.arguments
    masked = Masked(f, t.lanes, width) if vectors == 1 else None
    memory = lanes.memory_type(source)

    def load(pointer: Value, type: str) -> Value:
        return masked.load(pointer, type) if masked else f.load(vector(t.lanes, type), pointer)

    # rows that do not exist compute what the first one does and are not stored
    lines = [a.at(t.type, f.select(height > r, a_row * r, f.index(0))) for r in range(rows)]
    sums: Sequence[Value] = [f.value(0.0, t.vector)] * (rows * vectors)
    with f.loop(0, k, carried=sums, hints=[NO_VECTOR, NO_UNROLL]) as loop:
        base = b.at(memory, loop.index * b_row)
        right = [lanes.from_memory(f, load(base.at(memory, v * t.lanes), memory), source) for v in range(vectors)]
        values = []
        for r, line in enumerate(lines):
            left = splat(f, f.load(t.type, line.at(t.type, loop.index * a_col)), t.lanes)
            values += [multiply_add(f, left, x, loop.carried[r * vectors + v]) for v, x in enumerate(right)]
        loop.next(*values)
    for r in range(rows):
        with f.when(height > r):
            for v in range(vectors):
                slot = c.at(t.type, c_row * r + v * t.lanes)
                value = loop.results[r * vectors + v]

                def added(slot: Value = slot, value: Value = value) -> list[Value]:
                    return [load(slot, t.type) + value]

                total = f.choose(add.ne(0), added, lambda value=value: [value])[0]  # type: ignore[misc]
                if masked:
                    masked.store(total, slot)
                else:
                    f.store(total, slot)
    f.ret()
    return name
