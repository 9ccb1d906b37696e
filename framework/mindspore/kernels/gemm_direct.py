"""Gathered products of one row, read where they lie: depthwise convolutions, whose operands are used too seldom to be packed.

Vectors run along the last dimension that is dense in memory, cut short by a mask at its end.
"""

from __future__ import annotations

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, mangled
from mindspore.kernels.gemm_block import Problem, parameters, problem
from mindspore.kernels.gemm_gather_pack import entry, table
from mindspore.kernels.gemm_small import Masked
from mindspore.kernels.gemm_tile import Tiling, multiply_add, splat

LINES = 4
"""Lines of columns that are computed side by side."""
PLACES = 5
"""Columns that are summed side by side."""
MOST_PLACES = 64
"""Columns up to which each is a sum along K."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def possible(t: Tiling) -> bool:
    """Whether the level has masked loads and stores."""
    return t.lanes * t.itemsize >= 32


def _dense(f: Function, first: Value, second: Value, count: Value, other: Value) -> Value:
    """Length of the lines that are dense through both tables; their lengths divide each other."""
    return f.minimum(entry(f, table(first), count), entry(f, table(second), other))


def suits_lines(f: Function, t: Tiling, p: Problem) -> Value:
    """Whether columns lie in dense lines and K is one block: the sums are then those of the packed way."""
    return p.m.eq(1) & (p.k > 0) & (p.k <= t.depth) & (_dense(f, p.b_col, p.c_col, p.n, p.n) >= t.lanes // 4)


def suits_sums(f: Function, t: Tiling, p: Problem) -> Value:
    """Whether K lies in dense lines, and columns are few."""
    line = _dense(f, p.a_col, p.b_row, p.k, p.k)
    return p.m.eq(1) & (p.n <= MOST_PLACES) & (p.k >= MOST_PLACES) & (line >= t.lanes // 4)


def _first(f: Function, t: Tiling, width: Value) -> Masked:
    """The first `width` lanes, at most all."""
    return Masked(f, t.lanes, f.minimum(width, f.index(t.lanes)))


def lines(module: Module, t: Tiling) -> str:
    """Name of ``void lines(problem...)``: each vector of columns is summed along K."""
    name = f"gemm_lines_{t.type}"
    if module.has(name):
        return name
    f = module.function(name, "void", parameters(), internal=True, inline="noinline")
    p = problem(f.arguments)
    length = _dense(f, p.b_col, p.c_col, p.n, p.n)
    count = f.op("sdiv", p.n, length)
    with f.loop(0, count, LINES, hints=_HINTS) as line:
        # lines past the end are the last one again
        starts = [f.minimum(line.index + q, count - 1) * length for q in range(LINES)]
        sources = [p.b.at(t.type, entry(f, table(p.b_col), s)) for s in starts]
        targets = [p.c.at(t.type, entry(f, table(p.c_col), s)) for s in starts]
        with f.loop(0, length, t.lanes, hints=_HINTS) as i:
            masked = _first(f, t, length - i.index)
            zeros = [f.value(0.0, t.vector)] * LINES
            with f.loop(0, p.k, carried=zeros, hints=_HINTS) as k:
                left = splat(f, f.load(t.type, p.a.at(t.type, entry(f, table(p.a_col), k.index))), t.lanes)
                at = entry(f, table(p.b_row), k.index) + i.index
                right = [masked.load(s.at(t.type, at), t.type) for s in sources]
                k.next(*(multiply_add(f, left, x, so_far) for x, so_far in zip(right, k.carried, strict=True)))
            for target, total in zip(targets, k.results, strict=True):
                masked.store(total, target.at(t.type, i.index))
    f.ret()
    return name


def sums(module: Module, t: Tiling) -> str:
    """Name of ``void sums(problem...)``: each column is the sum of the lanes of vectors along K."""
    name = f"gemm_sums_{t.type}"
    if module.has(name):
        return name
    f = module.function(name, "void", parameters(), internal=True, inline="noinline")
    p = problem(f.arguments)
    length = _dense(f, p.a_col, p.b_row, p.k, p.k)
    count = f.op("sdiv", p.k, length)
    zeros = [f.value(0.0, t.vector)] * PLACES
    with f.loop(0, p.n, PLACES, hints=_HINTS) as block:
        # columns past the end are the last one again
        places = [f.minimum(block.index + q, p.n - 1) for q in range(PLACES)]
        offsets = [entry(f, table(p.b_col), place) for place in places]
        with f.loop(0, count, carried=zeros, hints=_HINTS) as line:
            left = p.a.at(t.type, entry(f, table(p.a_col), line.index * length))
            right = p.b.at(t.type, entry(f, table(p.b_row), line.index * length))
            rows = [right.at(t.type, offset) for offset in offsets]
            with f.loop(0, length, t.lanes, carried=line.carried, hints=_HINTS) as i:
                masked = _first(f, t, length - i.index)
                x = masked.load(left.at(t.type, i.index), t.type)
                ys = [masked.load(row.at(t.type, i.index), t.type) for row in rows]
                i.next(*(multiply_add(f, x, y, so_far) for y, so_far in zip(ys, i.carried, strict=True)))
            line.next(*i.results)
        for place, total in zip(places, line.results, strict=True):
            f.store(_across(f, t, total), p.c.at(t.type, entry(f, table(p.c_col), place)))
    f.ret()
    return name


def _across(f: Function, t: Tiling, value: Value) -> Value:
    """The sum of all lanes, halves first."""
    kept, f.flags = f.flags, "reassoc"
    start = f.value(0.0, t.type)
    total = f.intrinsic("vector.reduce.fadd", t.type, start, value, suffix=mangled(t.vector))
    f.flags = kept
    return total
