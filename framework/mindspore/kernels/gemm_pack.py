"""Packing of matrix operands: panels of R rows (of A, or columns of B) laid out step of K by step of K, zero where the matrix ends."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import lanes
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, element, vector

_GROUP = 4
"""Side of the blocks that are transposed in registers."""


def pack(module: Module, source: DType, type: str, panel: int) -> str:
    """Name of ``void pack(rows, k, from, row_stride, k_stride, to)``: elements of `source` become `type`, in panels of `panel` rows."""
    name = f"gemm_pack_{source.short}_{panel}"
    if module.has(name):
        return name
    parameters = [
        ("i64", "rows"), ("i64", "k"), ("ptr noalias readonly", "from"), ("i64", "row_stride"), ("i64", "k_stride"),
        ("ptr noalias", "to"),
    ]  # fmt: skip
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    rows, k, origin, row_stride, k_stride, to = f.arguments
    full = rows - (rows % panel)
    p = _Packing(f, source, type, panel, k, origin, row_stride, k_stride, to)
    with f.loop(0, full, panel, hints=[NO_UNROLL, NO_VECTOR]) as loop:
        f.choose(row_stride.eq(1), lambda: p.along(loop.index), lambda: p.across(loop.index))
    with f.when(full < rows):
        p.edge(full, rows)
    f.ret()
    return name


def pieces(f: Function, type: str, panel: int) -> list[tuple[int, int]]:
    """(start, length) of the vectors that make up one step of a panel."""
    widest = f.module.isa.lanes(4 if type == "float" else 8)
    found, start = [], 0
    while start < panel:
        length = widest
        while length > panel - start:
            length //= 2
        found.append((start, length))
        start += length
    return found


class _Packing:
    def __init__(
        self, f: Function, source: DType, type: str, panel: int, k: Value, origin: Value, row_stride: Value,
        k_stride: Value, to: Value,
    ) -> None:  # fmt: skip
        self.f, self.source, self.type, self.panel = f, source, type, panel
        self.k, self.origin, self.row_stride, self.k_stride, self.to = k, origin, row_stride, k_stride, to
        self.memory = lanes.memory_type(source)

    def _load(self, pointer: Value, count: int) -> Value:
        """`count` neighbouring elements as registers of the packed type."""
        kind = vector(count, self.memory) if count > 1 else self.memory
        return lanes.from_memory(self.f, self.f.load(kind, pointer), self.source)

    def _at(self, row: Value, k: Value) -> Value:
        return self.origin.at(self.memory, row * self.row_stride + k * self.k_stride)

    def _slot(self, first: Value, k: Value, row: int = 0) -> Value:
        """Place of step `k` of the panel that starts at row `first`."""
        return self.to.at(self.type, first * self.k + k * self.panel + row)

    def along(self, first: Value) -> Sequence[Value]:
        """Neighbouring rows are neighbours in memory: copy."""
        with self.f.loop(0, self.k, hints=[NO_VECTOR]) as loop:
            origin = self._at(first, loop.index)
            for start, length in pieces(self.f, self.type, self.panel):
                value = self._load(origin.at(self.memory, start), length)
                self.f.store(value, self._slot(first, loop.index, start))
        return []

    def across(self, first: Value) -> Sequence[Value]:
        """Steps of K are neighbours in memory (or nothing is): transpose."""
        f = self.f
        whole = f.select(self.k_stride.eq(1), self.k - (self.k % _GROUP), f.index(0))
        with f.loop(0, whole, _GROUP, hints=[NO_UNROLL, NO_VECTOR]) as loop:
            for start in range(0, self.panel, _GROUP):
                count = min(_GROUP, self.panel - start)
                self._block(first, loop.index, start, count)
        with f.loop(whole, self.k, hints=[NO_UNROLL, NO_VECTOR]) as loop:
            for row in range(self.panel):
                f.store(self._load(self._at(first + row, loop.index), 1), self._slot(first, loop.index, row))
        return []

    def _block(self, first: Value, k: Value, start: int, count: int) -> None:
        f = self.f
        rows = [self._load(self._at(first + (start + r), k), _GROUP) for r in range(count)]
        rows += [f.value(0.0, rows[0].type)] * (_GROUP - count)
        for step, column in enumerate(transposed(f, rows)):
            part = column if count == _GROUP else shuffle(f, column, column, list(range(count)))
            f.store(part, self._slot(first, k + step, start))

    def edge(self, first: Value, rows: Value) -> None:
        """The last panel: rows that do not exist are zero."""
        f = self.f
        with f.loop(0, self.k, hints=[NO_VECTOR]) as loop:
            for start, length in pieces(self.f, self.type, self.panel):
                zero = f.value(0.0, vector(length, self.type) if length > 1 else self.type)
                f.store(zero, self._slot(first, loop.index, start))
        with f.loop(first, rows, hints=[NO_UNROLL, NO_VECTOR]) as row, f.loop(0, self.k, hints=[NO_VECTOR]) as loop:
            value = self._load(self._at(row.index, loop.index), 1)
            f.store(value, self._slot(first, loop.index).at(self.type, row.index - first))


def shuffle(f: Function, a: Value, b: Value, lanes: Sequence[int]) -> Value:
    """Lanes of `a` and `b` side by side, chosen by number."""
    mask = ", ".join(f"i32 {i}" for i in lanes)
    kind = vector(len(lanes), element(a.type))
    return f.emit(kind, f"shufflevector {a}, {b}, <{len(lanes)} x i32> <{mask}>")


def transposed(f: Function, rows: Sequence[Value]) -> list[Value]:
    """The columns of a square block: at each step, blocks off the diagonal change places."""
    result, size = list(rows), len(rows)
    step = 1
    while step < size:
        for i in range(size):
            if i & step:
                continue
            a, b = result[i], result[i + step]
            low = [j if not j & step else size + j - step for j in range(size)]
            high = [j + step if not j & step else size + j for j in range(size)]
            result[i], result[i + step] = shuffle(f, a, b, low), shuffle(f, a, b, high)
        step *= 2
    return result


def accumulator(source: DType) -> str:
    """The type products of `source` are added in."""
    return "double" if source is dt.float64 else "float"
