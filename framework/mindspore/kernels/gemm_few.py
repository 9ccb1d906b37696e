"""Gathered products of a few rows, read where they lie: gradients in the input of a convolution of an image with its few channels.

A tile is all rows by some vectors of columns, each from a dense line of B. Nothing is packed: elements of B are used too seldom.
"""

from __future__ import annotations

from functools import partial

from mindspore.kernels import runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import TYPES, Problem, parameters, problem
from mindspore.kernels.gemm_gather_pack import entry, table
from mindspore.kernels.gemm_lines import Store, stores
from mindspore.kernels.gemm_small import Masked
from mindspore.kernels.gemm_tile import Tiling, multiply_add, splat

ROWS = 4
"""Rows of C at most."""
DEPTH = 64
"""Steps of K between two visits to the sums: a few planes of B, whose lines are then read one after the other."""
REGION = 128
"""Blocks whose sums stay in the second-level cache."""
SHARES = 4
"""Chunks for each thread at least."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def suits(f: Function, t: Tiling, p: Problem, length: Value, step: Value) -> Value:
    """Whether rows are few and lines of `length` columns, `step` apart in B, dense and long enough."""
    return (p.m <= ROWS) & (p.k > 0) & step.eq(1) & (length >= t.lanes // 2)


def _vectors(f: Function, rows: int) -> int:
    """Vectors side by side: their sums fill most registers, and each needs a general register for its address."""
    return min(6, f.module.isa.registers * 3 // 4 // rows)


def product(module: Module, t: Tiling) -> str:
    """Name of ``void product(runtime, problem..., length, step)``: one product on all threads; lines in both, `step` apart in C."""
    name = f"gemm_few_{t.type}"
    workers = [_worker(module, t, rows) for rows in range(1, ROWS + 1)]
    listed = [("ptr", "runtime"), *parameters(), ("i64", "length"), ("i64", "step")]
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    p, length = problem(f.arguments[1:-2]), f["length"]
    across = f.op("sdiv", length + (t.lanes - 1), t.lanes)
    total = f.op("sdiv", p.n, length) * across
    context = runtime.pack(f, [*p.values(), length, f["step"], across, total])

    def by(rows: int) -> list[Value]:
        def run() -> list[Value]:
            side = _vectors(f, rows)
            blocks = f.op("sdiv", total + (side - 1), side)
            share = f.op("sdiv", blocks, runtime.threads(f, f["runtime"]) * SHARES)
            grain = f.minimum(f.maximum(share, f.index(1)), f.index(REGION))
            runtime.parallel_for(f, f["runtime"], blocks, grain, workers[rows - 1], context)
            return []

        return run() if rows == 1 else f.choose(p.m.eq(rows), run, lambda: by(rows - 1))

    by(ROWS)
    f.ret()
    return name


def _worker(module: Module, t: Tiling, rows: int) -> str:
    """Worker over blocks of vectors: all blocks of a region for some steps of K, then for the next ones."""
    name = f"gemm_few_{t.type}_{rows}"
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    *values, length, step, across, total = runtime.unpack(f, (*TYPES, *["i64"] * 4))
    p, side = problem(values), _vectors(f, rows)
    size = side * rows * t.lanes
    memory = runtime.scratch(f, f["runtime"], REGION * size * t.itemsize)
    end = f.select(runtime.exists(f, memory), f["end"], f["begin"])
    with f.loop(f["begin"], end, REGION, hints=_HINTS) as region:
        stop = f.minimum(region.index + REGION, end)
        with f.loop(0, p.k, DEPTH, hints=_HINTS) as steps, f.loop(region.index, stop, hints=_HINTS) as block:
            tile = _Tile(f, t, p, rows, block.index * side, (length, across, total))
            place = memory.at(t.type, (block.index - region.index) * size)
            after = f.minimum(steps.index + DEPTH, p.k)
            tile.add(steps.index, after, place)
            f.choose(after.eq(p.k), partial(tile.store, step), partial(tile.keep, place))
    f.ret()
    return name


class _Tile:
    """All rows of some vectors of columns, from number `first` on. Those past the end are the last one again."""

    def __init__(
        self, f: Function, t: Tiling, p: Problem, rows: int, first: Value, lines: tuple[Value, Value, Value]
    ) -> None:
        self.f, self.t, self.p, self.rows = f, t, p, rows
        length, across, total = lines
        self.columns, self.widths, self.sums = [], [], list[Value]()
        for q in range(_vectors(f, rows)):
            number = f.minimum(first + q, total - 1)
            inside = f.op("srem", number, across) * t.lanes
            self.columns.append(f.op("sdiv", number, across) * length + inside)
            self.widths.append(f.minimum(length - inside, f.index(t.lanes)))

    def add(self, begin: Value, end: Value, place: Value) -> None:
        """Steps `begin` to `end` of K, to what was kept at `place`."""
        f, t, p, rows = self.f, self.t, self.p, self.rows
        sources = [p.b.at(t.type, entry(f, table(p.b_col), column)) for column in self.columns]
        lefts = [p.a.at(t.type, p.a_row * r) for r in range(rows)]
        masked = [Masked(f, t.lanes, width) for width in self.widths]
        kept = [place.at(t.type, i * t.lanes) for i in range(rows * len(sources))]
        start = f.choose(
            begin > 0, lambda: [f.load(t.vector, k) for k in kept], lambda: [f.value(0.0, t.vector) for _ in kept]
        )
        with f.loop(begin, end, carried=start, hints=_HINTS) as k:
            inner, outer = entry(f, table(p.b_row), k.index), entry(f, table(p.a_col), k.index)
            weights = [splat(f, f.load(t.type, left.at(t.type, outer)), t.lanes) for left in lefts]
            following = []
            for q, (source, mask) in enumerate(zip(sources, masked, strict=True)):
                x = mask.load(source.at(t.type, inner), t.type)
                following += [multiply_add(f, w, x, k.carried[q * rows + r]) for r, w in enumerate(weights)]
            k.next(*following)
        self.sums = k.results

    def keep(self, place: Value) -> list[Value]:
        for i, value in enumerate(self.sums):
            self.f.store(value, place.at(self.t.type, i * self.t.lanes))
        return []

    def store(self, step: Value) -> list[Value]:
        """Into C, whose columns lie `step` apart."""
        f, t, p = self.f, self.t, self.p
        for q, (column, width) in enumerate(zip(self.columns, self.widths, strict=True)):
            target = p.c.at(t.type, entry(f, table(p.c_col), column))

            def store(way: Store | None, q: int = q, target: Value = target, width: Value = width) -> None:
                for r in range(self.rows):
                    value, place = self.sums[q * self.rows + r], target.at(t.type, p.c_row * r)
                    if way is not None:
                        way(value, place)
                    else:
                        _one_by_one(f, t, value, place, width, step)

            stores(f, t, width, step, store)
        return []


def _one_by_one(f: Function, t: Tiling, value: Value, place: Value, width: Value, step: Value) -> None:
    beside = f.alloca(t.type, t.lanes)
    f.store(value, beside)
    with f.loop(0, width, hints=_HINTS) as i:
        f.store(f.load(t.type, beside.at(t.type, i.index)), place.at(t.type, i.index * step))
