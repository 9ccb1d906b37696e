"""Small products, and those with few columns: A and B are read where they are, nothing is packed."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.kernels import runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, mangled, vector
from mindspore.kernels.gemm_block import TYPES, Problem, problem
from mindspore.kernels.gemm_tile import Tiling, multiply_add, splat

WORK = 1 << 17
"""Multiplications up to which packing costs more than it saves: measured, 50 x 50 x 50."""
ROWS = 6
"""Rows of a tile; each needs a general register for its address."""
CHUNK = 1 << 19
"""Multiplications for each chunk of threads."""


def suits(f: Function, t: Tiling, p: Problem) -> Value:
    """Rows of B are contiguous, there is no epilogue, and the product is small or narrow."""
    little = (p.m * p.n * p.k <= WORK) | (p.n <= t.lanes)
    return p.b_col.eq(1) & ~runtime.exists(f, p.epilogue) & little


def product(f: Function, t: Tiling, p: Problem) -> None:
    """One product; rows are shared among threads where there are many."""
    work = f.maximum(p.n * p.k * ROWS, f.index(1))
    tiles = f.op("sdiv", p.m + (ROWS - 1), ROWS)
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), work), f.index(1))
    spread = f.select(f["shared"].eq(0), tiles, grain)
    runtime.parallel_for(f, f["runtime"], tiles, spread, _worker(f.module, t), runtime.pack(f, p.values()))


def _worker(module: Module, t: Tiling) -> str:
    """Worker over tiles of rows: all columns of each."""
    name = f"gemm_small_{t.type}"
    if module.has(name):
        return name
    wide, narrow = _tile(module, t, 2), _tile(module, t, 1)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    p = problem(runtime.unpack(f, TYPES))
    whole = p.n - (p.n % (2 * t.lanes))
    with f.loop(f["begin"], f["end"], hints=[NO_UNROLL, NO_VECTOR]) as tile:
        row = tile.index * ROWS
        height = f.minimum(p.m - row, f.index(ROWS))
        a, c = p.a.at(t.type, row * p.a_row), p.c.at(t.type, row * p.c_row)
        for start, stop, step, function in ((f.index(0), whole, 2 * t.lanes, wide), (whole, p.n, t.lanes, narrow)):
            with f.loop(start, stop, step, hints=[NO_UNROLL, NO_VECTOR]) as j:
                width = f.minimum(p.n - j.index, f.index(step))
                target, right = c.at(t.type, j.index), p.b.at(t.type, j.index)
                f.call(
                    "void", function, p.k, a, p.a_row, p.a_col, right, p.b_row, target, p.c_row, p.add, height, width
                )
    f.ret()
    return name


class _Masked:
    """Loads and stores of the first lanes of a vector."""

    def __init__(self, f: Function, t: Tiling, width: Value) -> None:
        self._f, self._type = f, t.vector
        lanes = vector(t.lanes, "i32")
        numbers = ", ".join(f"i32 {i}" for i in range(t.lanes))
        count = splat(f, width.to("trunc", "i32"), t.lanes)
        self._mask = f.emit(vector(t.lanes, "i1"), f"icmp slt {lanes} <{numbers}>, {count.name}")

    def load(self, pointer: Value) -> Value:
        zero = self._f.value(0.0, self._type)
        name = f"{mangled(self._type)}.p0"
        return self._f.intrinsic("masked.load", self._type, pointer, self._mask, zero, suffix=name)

    def store(self, value: Value, pointer: Value) -> None:
        f, full = self._f, f"llvm.masked.store.{mangled(self._type)}.p0"
        f.module.declare(full, f"declare void @{full}({self._type}, ptr, {self._mask.type})")
        f.call("void", full, value, pointer, self._mask)


def _tile(module: Module, t: Tiling, vectors: int) -> str:
    """``void tile(k, a, a_row, a_col, b, b_row, c, c_row, add, height, width)``; one vector may be cut short by `width`."""
    name = f"gemm_small_{t.type}_{vectors}"
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("i64", "a_row"), ("i64", "a_col"), ("ptr noalias readonly", "b"),
        ("i64", "b_row"), ("ptr noalias", "c"), ("i64", "c_row"), ("i64", "add"), ("i64", "height"), ("i64", "width"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, a_row, a_col, b, b_row, c, c_row, add, height, width = f.arguments
    masked = _Masked(f, t, width) if vectors == 1 else None

    def load(pointer: Value) -> Value:
        return masked.load(pointer) if masked else f.load(t.vector, pointer)

    # rows that do not exist compute what the first one does and are not stored
    lines = [a.at(t.type, f.select(height > r, a_row * r, f.index(0))) for r in range(ROWS)]
    sums: Sequence[Value] = [f.value(0.0, t.vector)] * (ROWS * vectors)
    with f.loop(0, k, carried=sums, hints=[NO_VECTOR, NO_UNROLL]) as loop:
        base = b.at(t.type, loop.index * b_row)
        right = [load(base.at(t.type, v * t.lanes)) for v in range(vectors)]
        values = []
        for r, line in enumerate(lines):
            left = splat(f, f.load(t.type, line.at(t.type, loop.index * a_col)), t.lanes)
            values += [multiply_add(f, left, x, loop.carried[r * vectors + v]) for v, x in enumerate(right)]
        loop.next(*values)
    for r in range(ROWS):
        with f.when(height > r):
            for v in range(vectors):
                slot = c.at(t.type, c_row * r + v * t.lanes)
                value = loop.results[r * vectors + v]
                total = f.choose(add.ne(0), lambda s=slot, x=value: [load(s) + x], lambda x=value: [x])[0]  # type: ignore[misc]
                if masked:
                    masked.store(total, slot)
                else:
                    f.store(total, slot)
    f.ret()
    return name
