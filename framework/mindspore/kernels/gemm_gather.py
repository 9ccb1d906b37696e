"""Products of operands whose columns and steps of K lie at offsets from tables: convolutions, whose windows are seen and never copied.

A table of `count` places is `count` offsets, then for each place how many of them, from it on, are neighbours in memory.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.base.dtypes import DType
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, vector
from mindspore.kernels.gemm_block import Problem, Span, Way, continued
from mindspore.kernels.gemm_pack import pieces, shuffle, transposed
from mindspore.kernels.gemm_tile import Tiling, micro_kernel

_GROUP = 4
"""Side of the blocks that are transposed in registers."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def table(address: Value) -> Value:
    return address.to("inttoptr", "ptr")


def entry(f: Function, of: Value, position: Value) -> Value:
    """Number `position` of a table."""
    return f.load("i64", of.at("i64", position))


class _Packing:
    """Writes panels of `panel` places, step of K by step of K. Places past the end repeat the last one: their results are not stored."""

    def __init__(self, f: Function, type: str, panel: int, places: bool) -> None:
        self.f, self.type, self.panel, self.places = f, type, panel, places
        self.first, self.count, self.steps, self.origin, self.where, self.total, self.inner, self.runs, self.to = (
            f.arguments
        )

    def run(self) -> None:
        f = self.f
        with f.loop(0, self.count, self.panel, hints=_HINTS) as loop:
            target = self.to.at(self.type, loop.index * self.steps)
            for start, length in pieces(f, self.type, self.panel):
                places = [f.minimum(loop.index + (start + i), self.count - 1) + self.first for i in range(length)]
                rows = [self.origin.at(self.type, self.offset(p)) for p in places]
                self.piece(loop.index + start, places[0], rows, target.at(self.type, start))

    def offset(self, place: Value) -> Value:
        return entry(self.f, table(self.where), place) if self.places else place * self.where

    def piece(self, index: Value, place: Value, rows: list[Value], target: Value) -> None:
        f = self.f
        if not self.places:
            self.mixed(rows, target)
            return
        neighbours = entry(f, table(self.where), place + self.total) >= len(rows)
        f.choose(
            neighbours & (index + len(rows) <= self.count),
            lambda: self.along(rows, target),
            lambda: self.mixed(rows, target),
        )

    def along(self, rows: list[Value], target: Value) -> Sequence[Value]:
        """Neighbouring places are neighbours in memory: copy."""
        f, kind = self.f, vector(len(rows), self.type) if len(rows) > 1 else self.type
        with f.loop(0, self.steps, hints=[NO_VECTOR]) as step:
            value = f.load(kind, rows[0].at(self.type, entry(f, self.inner, step.index)))
            f.store(value, target.at(self.type, step.index * self.panel))
        return []

    def mixed(self, rows: list[Value], target: Value) -> Sequence[Value]:
        """Four steps of K at once where they are neighbours."""
        f = self.f
        whole = self.steps - (self.steps % _GROUP)
        with f.loop(0, whole, _GROUP, hints=_HINTS) as step:
            here = target.at(self.type, step.index * self.panel)

            def block() -> list[Value]:
                inner = entry(f, self.inner, step.index)
                for start in range(0, len(rows), _GROUP):
                    self.block(
                        [r.at(self.type, inner) for r in rows[start : start + _GROUP]], here.at(self.type, start)
                    )
                return []

            def single() -> list[Value]:
                for i in range(_GROUP):
                    self.single(rows, step.index + i, here.at(self.type, i * self.panel))
                return []

            f.choose(entry(f, self.runs, step.index) >= _GROUP, block, single)
        with f.loop(whole, self.steps, hints=_HINTS) as step:
            self.single(rows, step.index, target.at(self.type, step.index * self.panel))
        return []

    def single(self, rows: list[Value], step: Value, target: Value) -> None:
        inner = entry(self.f, self.inner, step)
        for i, row in enumerate(rows):
            self.f.store(self.f.load(self.type, row.at(self.type, inner)), target.at(self.type, i))

    def block(self, rows: list[Value], target: Value) -> None:
        f, count = self.f, len(rows)
        loaded = [f.load(vector(_GROUP, self.type), r) for r in rows]
        loaded += [f.value(0.0, loaded[0].type)] * (_GROUP - count)
        for i, column in enumerate(transposed(f, loaded)):
            part = column if count == _GROUP else shuffle(f, column, column, list(range(count)))
            f.store(part, target.at(self.type, i * self.panel))


def _pack(module: Module, type: str, panel: int, places: bool) -> str:
    """Name of ``void pack(first, count, steps, from, where, total, inner, runs, to)``.

    ``where`` is the address of the table of all ``total`` places, or without `places` the distance between them; ``inner`` and ``runs``
    are the table of K at the first step.
    """
    name = f"gemm_gather_{type}_{panel}_{int(places)}"
    if module.has(name):
        return name
    listed = [
        ("i64", "first"), ("i64", "count"), ("i64", "steps"), ("ptr noalias readonly", "from"), ("i64", "where"), ("i64", "total"),
        ("ptr noalias readonly", "inner"), ("ptr noalias readonly", "runs"), ("ptr noalias", "to"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    _Packing(f, type, panel, places).run()
    f.ret()
    return name


def _columns(f: Function, t: Tiling, source: DType, p: Problem, columns: Span, steps: Span, to: Value) -> None:
    inner = table(p.b_row).at("i64", steps[0])
    f.call(
        "void", _pack(f.module, t.type, t.columns, True), *columns, steps[1], p.b, p.b_col, p.n, inner, inner.at("i64", p.k), to
    )  # fmt: skip


def _rows(f: Function, t: Tiling, source: DType, p: Problem, rows: Span, steps: Span, to: Value) -> None:
    inner = table(p.a_col).at("i64", steps[0])
    f.call(
        "void", _pack(f.module, t.type, t.rows, False), *rows, steps[1], p.a, p.a_row, p.m, inner, inner.at("i64", p.k), to
    )  # fmt: skip


def _block(
    f: Function, t: Tiling, p: Problem, rows: Span, columns: Span, steps: Span, panels: tuple[Value, Value]
) -> None:
    target = p.c.at(t.type, rows[0] * p.c_row)
    places = table(p.c_col).at("i64", columns[0])
    f.call(
        "void", _tiles(f.module, t), rows[1], columns[1], steps[1], *panels, target, p.c_row, places, places.at("i64", p.n),
        continued(f, p, steps),
    )  # fmt: skip


GATHERED = Way("_gathered", _rows, _columns, _block)
"""``a_col``, ``b_row``, ``b_col`` and ``c_col`` are tables; there is no epilogue."""


def _tiles(module: Module, t: Tiling) -> str:
    """Name of ``void tiles(rows, columns, k, a panels, b panels, c, ldc, places, runs, add)``."""
    name = f"gemm_gathered_block_{t.type}"
    if module.has(name):
        return name
    listed = [
        ("i64", "rows"), ("i64", "columns"), ("i64", "k"), ("ptr noalias readonly", "a"), ("ptr noalias readonly", "b"),
        ("ptr noalias", "c"), ("i64", "ldc"), ("ptr noalias readonly", "places"), ("ptr noalias readonly", "runs"), ("i64", "add"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    rows, columns, k, a, b, c, ldc, places, runs, add = f.arguments
    tile, beside = micro_kernel(module, t, t.vectors), f.alloca(t.type, t.rows * t.columns)
    with f.loop(0, columns, t.columns, hints=_HINTS) as j, f.loop(0, rows, t.rows, hints=_HINTS) as i:
        height, width = f.minimum(rows - i.index, f.index(t.rows)), f.minimum(columns - j.index, f.index(t.columns))
        left, right = a.at(t.type, i.index * k), b.at(t.type, j.index * k)
        target, here = c.at(t.type, i.index * ldc), places.at("i64", j.index)
        straight = height.eq(t.rows) & width.eq(t.columns) & (entry(f, runs, j.index) >= t.columns)

        def inner() -> list[Value]:
            f.call("void", tile, k, left, right, target.at(t.type, f.load("i64", here)), ldc, add)
            return []

        def border() -> list[Value]:
            f.call("void", tile, k, left, right, beside, t.columns, 0)
            f.choose(add.ne(0), lambda: spread(True), lambda: spread(False))
            return []

        def spread(accumulate: bool) -> list[Value]:
            with f.loop(0, height, hints=_HINTS) as row, f.loop(0, width, hints=[NO_VECTOR]) as column:
                slot = target.at(t.type, entry(f, here, column.index) + row.index * ldc)
                value = f.load(t.type, beside.at(t.type, row.index * t.columns + column.index))
                f.store(f.load(t.type, slot) + value if accumulate else value, slot)
            return []

        f.choose(straight, inner, border)
    f.ret()
    return name


def fill_table(module: Module) -> str:
    """Name of ``void table(sizes, strides, count, to)``: the offsets over four dimensions, and how long their runs are."""
    name = "gemm_table"
    if module.has(name):
        return name
    listed = [("ptr", "sizes"), ("ptr", "strides"), ("i64", "count"), ("ptr noalias", "to")]
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    sizes, strides = ([f.load("i64", f[n].at("i64", i)) for i in range(4)] for n in ("sizes", "strides"))
    with (
        f.loop(0, sizes[0], hints=_HINTS) as a, f.loop(0, sizes[1], hints=_HINTS) as b, f.loop(0, sizes[2], hints=_HINTS) as c,
        f.loop(0, sizes[3], hints=[NO_UNROLL]) as d,
    ):  # fmt: skip
        row = (a.index * sizes[1] + b.index) * sizes[2] + c.index
        offset = a.index * strides[0] + b.index * strides[1] + c.index * strides[2] + d.index * strides[3]
        f.store(offset, f["to"].at("i64", row * sizes[3] + d.index))
    nothing = [f.value(-(1 << 62), "i64"), f.index(0)]
    with f.loop(0, f["count"], carried=nothing, hints=_HINTS) as loop:
        place = f["count"] - 1 - loop.index
        offset, (following, run) = entry(f, f["to"], place), loop.carried
        run = f.select(following.eq(offset + 1), run + 1, f.index(1))
        f.store(run, f["to"].at("i64", f["count"] + place))
        loop.next(offset, run)
    f.ret()
    return name
