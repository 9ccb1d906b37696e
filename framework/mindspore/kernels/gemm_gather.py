"""Products of operands whose columns and steps of K lie at offsets from tables: convolutions, whose windows are seen and never copied."""

from __future__ import annotations

from mindspore.base.dtypes import DType
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import Problem, Span, Way, continued
from mindspore.kernels.gemm_gather_pack import entry, gather_pack, table
from mindspore.kernels.gemm_tile import Tiling, micro_kernel

_HINTS = [NO_UNROLL, NO_VECTOR]


def _columns(f: Function, t: Tiling, source: DType, p: Problem, columns: Span, steps: Span, to: Value) -> None:
    inner = table(p.b_row).at("i64", steps[0])
    f.call(
        "void", gather_pack(f.module, t.type, t.columns, True), *columns, steps[1], p.b, p.b_col, p.n, inner, inner.at("i64", p.k), to
    )  # fmt: skip


def _rows(f: Function, t: Tiling, source: DType, p: Problem, rows: Span, steps: Span, to: Value) -> None:
    inner = table(p.a_col).at("i64", steps[0])
    f.call(
        "void", gather_pack(f.module, t.type, t.rows, False), *rows, steps[1], p.a, p.a_row, p.m, inner, inner.at("i64", p.k), to
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
    half = t.rows // 2
    low = micro_kernel(module, t, t.vectors, half)
    with f.loop(0, columns, t.columns, hints=_HINTS) as j, f.loop(0, rows, t.rows, hints=_HINTS) as i:
        height, width = f.minimum(rows - i.index, f.index(t.rows)), f.minimum(columns - j.index, f.index(t.columns))
        left, right = a.at(t.type, i.index * k), b.at(t.type, j.index * k)
        target, here = c.at(t.type, i.index * ldc), places.at("i64", j.index)
        straight = width.eq(t.columns) & (entry(f, runs, j.index) >= t.columns)

        def inner(which: str) -> list[Value]:
            f.call("void", which, k, left, right, target.at(t.type, f.load("i64", here)), ldc, add)
            return []

        def others() -> list[Value]:
            f.choose(straight & height.eq(half), lambda: inner(low), border)
            return []

        def border() -> list[Value]:
            # a tile beside C costs what its rows cost: few of them are half as many
            f.choose(height <= half, lambda: beside_by(low), lambda: beside_by(tile))
            return []

        def beside_by(which: str) -> list[Value]:
            f.call("void", which, k, left, right, beside, t.columns, 0)
            f.choose(add.ne(0), lambda: spread(True), lambda: spread(False))
            return []

        def spread(accumulate: bool) -> list[Value]:
            with f.loop(0, height, hints=_HINTS) as row, f.loop(0, width, hints=[NO_VECTOR]) as column:
                slot = target.at(t.type, entry(f, here, column.index) + row.index * ldc)
                value = f.load(t.type, beside.at(t.type, row.index * t.columns + column.index))
                f.store(f.load(t.type, slot) + value if accumulate else value, slot)
            return []

        f.choose(straight & height.eq(t.rows), lambda: inner(tile), others)
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
    # outer dimensions that the last one continues into become part of it
    last, stride, continues = sizes[3], strides[3], f.index(0).eq(0)
    for i in (2, 1, 0):
        continues = continues & (strides[i].eq(last * stride) | sizes[i].eq(1) | last.eq(1))
        stride = f.select(continues & last.eq(1), strides[i], stride)
        last = f.select(continues, last * sizes[i], last)
        sizes[i] = f.select(continues, f.index(1), sizes[i])
    dense = stride.eq(1)
    with (
        f.loop(0, sizes[0], hints=_HINTS) as a, f.loop(0, sizes[1], hints=_HINTS) as b, f.loop(0, sizes[2], hints=_HINTS) as c,
        f.loop(0, last, hints=_HINTS) as d,
    ):  # fmt: skip
        place = ((a.index * sizes[1] + b.index) * sizes[2] + c.index) * last + d.index
        offset = a.index * strides[0] + b.index * strides[1] + c.index * strides[2] + d.index * stride
        f.store(offset, f["to"].at("i64", place))
        f.store(f.select(dense, last - d.index, f.index(1)), f["to"].at("i64", f["count"] + place))
    f.ret()
    return name
