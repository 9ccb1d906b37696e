"""bfloat16 products by AVX512-BF16: two steps of K at a time lie side by side in 32 bits, and sums are float32."""

from __future__ import annotations

from dataclasses import replace

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import gemm_ways, runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, vector
from mindspore.kernels.gemm_block import STRIDED, Problem, Span, Way
from mindspore.kernels.gemm_pack import pack, pieces, shuffle
from mindspore.kernels.gemm_tile import Tiling


def suits(f: Function, p: Problem) -> Value:
    """The processor has the instruction, K is even, and both operands can be read in pairs."""

    def readable(row: Value, column: Value) -> Value:
        return row.eq(1) | (column.eq(1) & (row % 2).eq(0))

    fits = (p.k % 2).eq(0) & readable(p.a_row, p.a_col) & readable(p.b_col, p.b_row)
    return fits & (runtime.features(f, f["runtime"]) & runtime.BFLOAT16_PAIRS).ne(0)


def product(f: Function, t: Tiling, source: DType, p: Problem) -> None:
    """One product; its steps of K are pairs from here on."""
    halved = replace(p, k=f.op("sdiv", p.k, 2))
    gemm_ways.tiles(f, replace(t, pairs=True), source, halved, PAIRS)


def _pack(
    f: Function, t: Tiling, panel: int, matrix: Value, strides: tuple[Value, Value], rows: Span, steps: Span, to: Value
) -> None:
    """Panels of `rows`, whose elements are `strides` (rows, steps of one) apart."""
    row, step = strides
    origin = matrix.at("i16", rows[0] * row + steps[0] * 2 * step)

    def across() -> list[Value]:
        # pairs are moved as if they were float32: nothing computes with them
        f.call(
            "void", pack(f.module, dt.float32, t.type, panel), rows[1], steps[1], origin, f.op("sdiv", row, 2), 1, to
        )
        return []

    def along() -> list[Value]:
        f.call("void", _along(f.module, t, panel), rows[1], steps[1], origin, step, to)
        return []

    f.choose(step.eq(1), across, along)


def _along(module: Module, t: Tiling, panel: int) -> str:
    """Name of ``void pack(rows, steps, from, k_stride, to)``: neighbouring rows are neighbours in memory, and two steps are interleaved."""
    name = f"gemm_pack_pairs_{panel}"
    if module.has(name):
        return name
    listed = [
        ("i64", "rows"),
        ("i64", "steps"),
        ("ptr noalias readonly", "from"),
        ("i64", "k_stride"),
        ("ptr noalias", "to"),
    ]
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    rows, steps, origin, k_stride, to = f.arguments
    full = rows - (rows % panel)
    hints = [NO_UNROLL, NO_VECTOR]

    def lines(step: Value) -> tuple[Value, Value]:
        first = origin.at("i16", step * 2 * k_stride)
        return first, first.at("i16", k_stride)

    with f.loop(0, full, panel, hints=hints) as first, f.loop(0, steps, hints=hints) as step:
        slot = to.at(t.type, first.index * steps + step.index * panel)
        for start, length in pieces(f, t.type, panel):
            kind = vector(length, "i16")
            one, two = (f.load(kind, line.at("i16", first.index + start)) for line in lines(step.index))
            f.store(shuffle(f, one, two, [i // 2 + i % 2 * length for i in range(2 * length)]), slot.at(t.type, start))
    with f.when(full < rows):
        edge = to.at(t.type, full * steps)
        with f.loop(0, steps * panel) as i:
            f.store(f.value(0, "i32"), edge.at("i32", i.index))
        with f.loop(0, steps, hints=hints) as step, f.loop(full, rows, hints=hints) as row:
            for half, line in enumerate(lines(step.index)):
                place = (step.index * panel + (row.index - full)) * 2 + half
                f.store(f.load("i16", line.at("i16", row.index)), edge.at("i16", place))
    f.ret()
    return name


def _rows(f: Function, t: Tiling, source: DType, p: Problem, rows: Span, steps: Span, to: Value) -> None:
    _pack(f, t, t.rows, p.a, (p.a_row, p.a_col), rows, steps, to)


def _columns(f: Function, t: Tiling, source: DType, p: Problem, columns: Span, steps: Span, to: Value) -> None:
    _pack(f, t, t.columns, p.b, (p.b_col, p.b_row), columns, steps, to)


PAIRS = Way("_pairs", _rows, _columns, STRIDED.block)
