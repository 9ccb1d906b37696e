"""Gathered products whose vectors hold rows of A: elements of B are read in place, one by one, and spread over a vector.

Windows of a convolution are then never packed, whatever their strides, and no lane is lost where a line of windows is short. Rows of A
are packed in panels of a few vectors. A register tile is a few columns of one line by a panel; tiles of a strip of columns are
added up in a block of memory, column by column, which is transposed into C when it is complete.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.kernels import runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import TYPES, Problem, Span, blocks, parameters, problem
from mindspore.kernels.gemm_gather_pack import entry, gather_pack, table
from mindspore.kernels.gemm_lines import Store, stores
from mindspore.kernels.gemm_pack import transposed
from mindspore.kernels.gemm_tile import Tiling, multiply_add, splat

DEPTH = 640
"""Steps of K between two visits to the sums: a panel of them stays in the second-level cache."""
STRIP = 56
"""Tiles of one strip: its sums stay in the second-level cache too."""
SHARES = 4
"""Tasks for each thread at least."""
LEAST = 4
"""Columns of a line from which tiles have enough sums to hide how long an addition takes."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def _shape(t: Tiling) -> tuple[int, int]:
    """(columns, vectors of a panel) of the register tile: sums and a panel's vectors fill the registers."""
    return (6, 4) if t.rows * t.vectors > 12 else (t.rows, t.vectors)


def suits(f: Function, t: Tiling, p: Problem, length: Value) -> Value:
    """Whether vectors of rows are full enough and lines of `length` columns long enough."""
    return (p.m >= t.lanes) & (length >= LEAST) & (p.k > 0)


def _tile(module: Module, t: Tiling, height: int, vectors: int) -> str:
    """Name of ``void tile(k, a, b, inner, step, c, add, ahead)``: `height` columns of B, `step` apart, times a panel.

    Sums lie column by column. What lies at `ahead` in the place of B is needed later, and far from all that was read before.
    """
    name = f"gemm_spread_tile_{t.type}_{height}_{vectors}"
    if module.has(name):
        return name
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("ptr noalias readonly", "b"), ("ptr noalias readonly", "inner"), ("i64", "step"),
        ("ptr noalias", "c"), ("i64", "add"), ("ptr", "ahead")
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, b, inner, step, c, add, ahead = f.arguments
    panel = vectors * t.lanes
    places = [c.at(t.type, p * panel + v * t.lanes) for p in range(height) for v in range(vectors)]
    sums = f.choose(
        add.ne(0),
        lambda: [f.load(t.vector, place) for place in places],
        lambda: [f.value(0.0, t.vector) for _ in places],
    )
    with f.loop(0, k, carried=sums, hints=_HINTS) as loop:
        base, left = b.at(t.type, entry(f, inner, loop.index)), a.at(t.type, loop.index * panel)
        row = [f.load(t.vector, left.at(t.type, v * t.lanes), t.lanes * t.itemsize) for v in range(vectors)]
        values = []
        f.prefetch(ahead.at(t.type, entry(f, inner, loop.index)))
        for p in range(height):
            right = splat(f, f.load(t.type, base.at(t.type, step * p)), t.lanes)
            values += [multiply_add(f, x, right, loop.carried[p * vectors + v]) for v, x in enumerate(row)]
        loop.next(*values)
    for place, value in zip(places, loop.results, strict=True):
        f.store(value, place)
    f.ret()
    return name


def _strip(module: Module, t: Tiling, vectors: int) -> str:
    """Name of ``void strip(k, panel, b, places, inner, step, length, across, begin, end, sums)``.

    Tiles `begin` to `end`, `across` of them to a line of `length` columns.
    """
    name = f"gemm_spread_strip_{t.type}_{vectors}"
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("ptr noalias readonly", "b"), ("ptr noalias readonly", "places"),
        ("ptr noalias readonly", "inner"), *(("i64", n) for n in ("step", "length", "across", "begin", "end")),
        ("ptr noalias", "sums"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, b, places, inner, step, length, across, begin, end, sums = f.arguments
    panel, (most, _) = vectors * t.lanes, _shape(t)
    start = column(f, begin, length, across)
    _, depth = blocks(f, k, DEPTH, 8)
    with f.loop(0, k, depth, hints=_HINTS) as steps, f.loop(begin, end, hints=_HINTS) as number:
        first, after = column(f, number.index, length, across), column(f, number.index + 1, length, across)
        values = (
            f.minimum(k - steps.index, depth), a.at(t.type, steps.index * panel), b.at(t.type, entry(f, places, first)),
            inner.at("i64", steps.index), step, sums.at(t.type, (first - start) * panel), (steps.index > 0).to("zext", "i64"),
            b.at(t.type, entry(f, places, f.select(number.index + across < end, first + length, first))),
        )  # fmt: skip

        def by(height: int, values: Sequence[Value] = values, count: Value = after - first) -> list[Value]:
            def run() -> list[Value]:
                f.call("void", _tile(module, t, height, vectors), *values)
                return []

            return run() if height == 1 else f.choose(count.eq(height), run, lambda: by(height - 1))

        by(most)
    f.ret()
    return name


def column(f: Function, tile: Value, length: Value, across: Value) -> Value:
    """The first column of a tile: those of a line are about equally wide."""
    number = f.op("sdiv", tile, across)
    return number * length + f.op("sdiv", (tile - number * across) * length, across)


def _finish(module: Module, t: Tiling) -> str:
    """Name of ``void finish(rows, begin, end, sums, panel, c, c_row, places, length, step)``: sums of some columns, transposed into C.

    C's lines have `length` columns, `step` apart.
    """
    name = f"gemm_spread_finish_{t.type}"
    listed = [
        *(("i64", n) for n in ("rows", "begin", "end")), ("ptr noalias readonly", "sums"), ("i64", "panel"), ("ptr noalias", "c"),
        ("i64", "c_row"), ("ptr noalias readonly", "places"), ("i64", "length"), ("i64", "step"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    rows, begin, end, sums, panel, c, c_row, places, length, step = f.arguments
    first, after = f.op("sdiv", begin, length), f.op("sdiv", end + (length - 1), length)
    with f.loop(0, rows, t.lanes, hints=_HINTS) as i, f.loop(first, after, hints=_HINTS) as number:
        start = f.maximum(number.index * length, begin)
        stop = f.minimum((number.index + 1) * length, end)
        here, height = c.at(t.type, i.index * c_row), f.minimum(rows - i.index, f.index(t.lanes))
        # vectors begin where lines of the cache do, as far as C itself does
        with f.loop(start - (entry(f, places, start) & (t.lanes - 1)), stop, t.lanes, hints=_HINTS) as piece:
            j = f.maximum(piece.index, start)
            size = height, f.minimum(piece.index + t.lanes, stop) - j
            origin, target = sums.at(t.type, (j - begin) * panel + i.index), here.at(t.type, entry(f, places, j))

            def store(way: Store | None, size: Span = size, origin: Value = origin, target: Value = target) -> None:
                if way is None:
                    _one_by_one(f, t, size, origin, panel, target, (c_row, step))
                else:
                    _transposed(f, t, size, origin, panel, target, c_row, way)

            stores(f, t, size[1], step, store)
    f.ret()
    return name


def _transposed(
    f: Function, t: Tiling, size: Span, origin: Value, panel: Value, target: Value, c_row: Value, store: Store
) -> None:
    height, width = size
    # columns past the end are the last one again
    taken = [f.minimum(f.index(q), width - 1) for q in range(t.lanes)]
    block = [f.load(t.vector, origin.at(t.type, q * panel)) for q in taken]
    for r, value in enumerate(transposed(f, block)):
        with f.when(height > r):
            store(value, target.at(t.type, c_row * r))


def _one_by_one(
    f: Function, t: Tiling, size: Span, origin: Value, panel: Value, target: Value, strides: tuple[Value, Value]
) -> None:  # fmt: skip
    with f.loop(0, size[0], hints=_HINTS) as i, f.loop(0, size[1], hints=_HINTS) as q:
        value = f.load(t.type, origin.at(t.type, q.index * panel + i.index))
        f.store(value, target.at(t.type, i.index * strides[0] + q.index * strides[1]))


_SHARED = (*TYPES, "ptr", *["i64"] * 9)


def product(module: Module, t: Tiling) -> str:
    """Name of ``void product(runtime, problem..., length, step, c_length, c_step)``: one product on all threads.

    B's lines have `length` columns, `step` apart, and C's have `c_length`, `c_step` apart.
    """
    name = f"gemm_spread_{t.type}"
    pack, work = _pack_worker(module, t), _worker(module, t)
    most, vectors = _shape(t)
    listed = [("ptr", "runtime"), *parameters(), *(("i64", n) for n in ("length", "step", "c_length", "c_step"))]
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    p, length = problem(f.arguments[1:-4]), f["length"]
    wanted = _ceiling(f, p.m, t.lanes)
    panels = _ceiling(f, wanted, vectors)
    each = _ceiling(f, wanted, panels) * t.lanes
    across = _ceiling(f, length, most)
    tiles = f.op("sdiv", p.n, length) * across
    strips = f.maximum(_ceiling(f, tiles, STRIP), _ceiling(f, runtime.threads(f, f["runtime"]) * SHARES, panels))
    strips = f.minimum(strips, tiles)
    memory = runtime.allocate(f, f["runtime"], panels * each * p.k * t.itemsize)
    with f.when(runtime.exists(f, memory)):
        lines = (length, f["step"], f["c_length"], f["c_step"])
        context = runtime.pack(f, [*p.values(), memory, *lines, panels, each, across, tiles, strips])
        runtime.parallel_for(f, f["runtime"], panels, 1, pack, context)
        runtime.parallel_for(f, f["runtime"], panels * strips, 1, work, context)
        runtime.release(f, f["runtime"], memory)
    f.ret()
    return name


def _ceiling(f: Function, total: Value, unit: Value | int) -> Value:
    return f.op("sdiv", total + (unit - 1), unit)


def _by_vectors(f: Function, t: Tiling, each: Value, body: dict[int, str], *values: Value) -> None:
    """Call the function for panels of `each` rows."""

    def by(vectors: int) -> list[Value]:
        def run() -> list[Value]:
            f.call("void", body[vectors], *values)
            return []

        return run() if vectors == 1 else f.choose(each.eq(vectors * t.lanes), run, lambda: by(vectors - 1))

    by(max(body))


def _pack_worker(module: Module, t: Tiling) -> str:
    name = f"gemm_spread_pack_{t.type}"
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    *values, memory, _, _, _, _, _, each, _, _, _ = runtime.unpack(f, _SHARED)
    p = problem(values)
    inner = table(p.a_col)
    packs = {v: gather_pack(module, t.type, v * t.lanes, False) for v in range(1, _shape(t)[1] + 1)}
    with f.loop(f["begin"], f["end"], hints=_HINTS) as panel:
        first = panel.index * each
        count, to = f.minimum(p.m - first, each), memory.at(t.type, first * p.k)
        _by_vectors(f, t, each, packs, first, count, p.k, p.a, p.a_row, p.m, inner, inner.at("i64", p.k), to)
    f.ret()
    return name


def _worker(module: Module, t: Tiling) -> str:
    """Worker over strips, all panels of one after the other."""
    name = f"gemm_spread_worker_{t.type}"
    columns, vectors = _shape(t)
    strip, finish = {v: _strip(module, t, v) for v in range(1, vectors + 1)}, _finish(module, t)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    *values, memory, length, step, c_length, c_step, panels, each, across, tiles, strips = runtime.unpack(f, _SHARED)
    p = problem(values)
    sums = runtime.scratch(f, f["runtime"], STRIP * columns * vectors * t.lanes * t.itemsize)
    end = f.select(runtime.exists(f, sums), f["end"], f["begin"])
    with f.loop(f["begin"], end, hints=_HINTS) as item:
        number = f.op("sdiv", item.index, panels)
        first = (item.index - number * panels) * each
        begin, stop = (f.op("sdiv", tiles * at, strips) for at in (number, number + 1))
        start, after = column(f, begin, length, across), column(f, stop, length, across)
        _by_vectors(
            f, t, each, strip, p.k, memory.at(t.type, first * p.k), p.b, table(p.b_col), table(p.b_row), step, length, across, begin,
            stop, sums,
        )  # fmt: skip
        f.call(
            "void", finish, f.minimum(p.m - first, each), start, after, sums, each, p.c.at(t.type, first * p.c_row), p.c_row,
            table(p.c_col), c_length, c_step,
        )  # fmt: skip
    f.ret()
    return name
