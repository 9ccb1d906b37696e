"""Products whose K is short: rows of A are read in place, and each thread packs a panel of B while it multiplies the first rows by it.

One parallel loop does everything: nobody waits for the packing of others, and no element is moved that is not computed with.
"""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.base.dtypes import DType
from mindspore.kernels import runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import TYPES, Problem, ceiling, parameters, problem
from mindspore.kernels.gemm_pack import pack
from mindspore.kernels.gemm_small import CHUNK, Masked, finish, in_place
from mindspore.kernels.gemm_tile import Tiling, ask, multiply_add, splat

DEEP = 512
"""Steps of K up to which this way is the best for any other size."""
LOW, LONG = 128, 4096
"""Rows up to which, and steps of K as far as, B is used too seldom to be packed beforehand."""
WIDE = 8
"""Panels that there must be then, to be shared."""
BLOCK = 1 << 17
"""Elements of A that one block of rows has at most: half of the second-level cache."""
TALL = 6
"""Tiles of rows that a block has at least: a panel is packed once for each block."""
CHUNKS = 8
"""For each thread, where blocks are high enough: who wakes up late has fewer of them."""
AHEAD = 32
"""Rows of B that are asked for before they are needed."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def suits(f: Function, t: Tiling, source: DType, p: Problem) -> Value:
    """K is short, or C is low; and no element is converted."""
    if source is not t.dtype:
        return f.value(0, "i1")
    low = (p.m <= LOW) & (p.k <= LONG) & (p.n >= WIDE * t.columns)
    return (low | (p.k <= DEEP)) & (p.a_row.eq(1) | p.a_col.eq(1))


def short(t: Tiling) -> int:
    """Rows of the lower tile: one computes few rows that are left over, two compute very few and the tile before them."""
    return t.rows * 2 // 3


def product(f: Function, t: Tiling, source: DType, p: Problem) -> None:
    """One product; panels of columns, and blocks of rows where there are many, are shared among threads."""
    threads = f.select(f["shared"].eq(0), f.index(1), runtime.threads(f, f["runtime"]))
    panels, least = ceiling(f, p.n, t.columns), TALL * t.rows
    most = f.maximum(f.op("sdiv", f.index(BLOCK), f.maximum(p.k, f.index(1))), f.index(least))
    wanted = f.select(threads.eq(1), f.index(1), ceiling(f, threads * CHUNKS, panels))
    possible = f.maximum(f.op("sdiv", p.m, f.index(least)), f.index(1))
    row_blocks = f.maximum(ceiling(f, p.m, most), f.minimum(wanted, possible))
    count = row_blocks * panels
    work = f.maximum(f.op("sdiv", p.m * p.k * t.columns, row_blocks), f.index(1))
    grain = f.select(threads.eq(1), count, f.maximum(f.op("sdiv", f.index(CHUNK), work), f.index(1)))
    context = runtime.pack(f, [*p.values(), row_blocks, panels])
    runtime.parallel_for(f, f["runtime"], count, grain, _worker(f.module, t, source), context)


def _worker(module: Module, t: Tiling, source: DType) -> str:
    """Worker over blocks of rows and, inside them, panels."""
    name = f"gemm_panels_{t.type}"
    if module.has(name):
        return name
    panel = _panel(module, t, source)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    *values, row_blocks, panels = runtime.unpack(f, [*TYPES, "i64", "i64"])
    p = problem(values)
    memory = runtime.scratch(f, f["runtime"], p.k * (t.columns * t.itemsize))
    units = ceiling(f, p.m, t.rows)
    end = f.select(runtime.exists(f, memory), f["end"], f["begin"])
    with f.loop(f["begin"], end, hints=_HINTS) as item:
        block, number = f.op("sdiv", item.index, panels), f.op("srem", item.index, panels)
        first, stop = (f.op("sdiv", units * at, row_blocks) * t.rows for at in (block, block + 1))
        f.call("void", panel, *values, first, f.minimum(stop, p.m) - first, number * t.columns, memory)
    f.ret()
    return name


def _panel(module: Module, t: Tiling, source: DType) -> str:
    """Name of ``void panel(problem..., first, rows, column, memory)``: a block of rows times one panel of columns."""
    name = f"gemm_panel_{t.type}"
    numbers = [("i64", n) for n in ("first", "rows", "column")]
    listed = [*parameters(), *numbers, ("ptr", "memory")]
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    p = problem(f.arguments[: len(TYPES)])
    first, rows, column, memory = f.arguments[len(TYPES) :]
    width = f.minimum(p.n - column, f.index(t.columns))
    whole = width.eq(t.columns)
    right = p.b.at(t.type, column * p.b_col)

    def run(function: str, row: Value, most: int, *more: Value) -> None:
        at = first + row
        target = p.c.at(t.type, at * p.c_row + column)
        height = f.minimum(rows - row, f.index(most))
        f.call(
            "void",
            function,
            p.k,
            p.a.at(t.type, at * p.a_row),
            p.a_row,
            p.a_col,
            memory,
            target,
            p.c_row,
            p.add,
            height,
            *more,
        )
        finish(f, p, target, (at, height), (column, width))

    def packing() -> list[Value]:
        run(tile(module, t, t.rows, t.vectors, "packing"), f.index(0), t.rows, right, p.b_row)
        return [f.minimum(rows, f.index(t.rows))]

    def packed() -> list[Value]:
        f.call("void", pack(module, source, t.type, t.columns), width, p.k, right, p.b_col, p.b_row, memory)
        return [f.index(0)]

    def cut() -> list[Value]:
        f.call("void", _pack_edge(module, t), p.k, right, p.b_row, memory, width)
        return [f.index(0)]

    inside = in_place(f, t, source, p)
    start = f.choose(inside, lambda: f.choose(whole, packing, cut), packed)[0]
    low = short(t)

    def tiles() -> list[Value]:
        over = f.op("srem", rows, f.index(t.rows))
        none, one = over.eq(0) | (over > low), over > 2 * low - t.rows
        behind = f.select(none, f.index(0), f.select(one, over, over + t.rows))
        bulk = f.maximum(rows - behind, start)
        with f.loop(start, bulk, t.rows, hints=_HINTS) as i:
            run(tile(module, t, t.rows, t.vectors, ""), i.index, t.rows)
        with f.loop(bulk, rows, low, hints=_HINTS) as i:
            run(tile(module, t, low, t.vectors, ""), i.index, low)
        return []

    def edges(vectors: int) -> list[Value]:
        with f.loop(start, rows, t.rows, hints=_HINTS) as i:
            run(tile(module, t, t.rows, vectors, "edge"), i.index, t.rows, width)
        return []

    f.choose(whole, tiles, lambda: f.choose(width <= t.lanes, lambda: edges(1), lambda: edges(t.vectors)))
    f.ret()
    return name


def _pack_edge(module: Module, t: Tiling) -> str:
    """Name of ``void pack(k, b, b_row, to, width)``: a panel of fewer columns than others, zero where there are none."""
    name = f"gemm_pack_edge_{t.type}"
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "b"), ("i64", "b_row"), ("ptr noalias", "to"), ("i64", "width"),
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, b, b_row, to, width = f.arguments
    masks = [Masked(f, t.lanes, width - v * t.lanes) for v in range(t.vectors)]
    with f.loop(0, k, hints=_HINTS) as loop:
        line, slot = b.at(t.type, loop.index * b_row), to.at(t.type, loop.index * t.columns)
        for v, masked in enumerate(masks):
            f.store(masked.load(line.at(t.type, v * t.lanes), t.type), slot.at(t.type, v * t.lanes))
    f.ret()
    return name


def tile(module: Module, t: Tiling, rows: int, vectors: int, kind: str) -> str:
    """Name of ``void tile(k, a, a_row, a_col, panel, c, c_row, add, height, ...)``: at most `rows` rows times one panel.

    `kind` is "packing" (more arguments: B and how far apart its rows are; the panel is written), "edge" (the number of columns) or "".
    """
    name = f"gemm_panel_{kind}_{t.type}_{rows}_{vectors}"
    if module.has(name):
        return name
    more = {"packing": [("ptr noalias readonly", "b"), ("i64", "b_row")], "edge": [("i64", "width")], "": []}[kind]
    listed = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("i64", "a_row"), ("i64", "a_col"), ("ptr noalias", "panel"),
        ("ptr noalias", "c"), ("i64", "c_row"), ("i64", "add"), ("i64", "height"), *more,
    ]  # fmt: skip
    f = module.function(name, "void", listed, internal=True, inline="noinline")
    k, a, a_row, a_col, panel, c, c_row, add, height = f.arguments[:9]
    # rows that do not exist compute what the first one does and are not stored
    lines = [a.at(t.type, f.select(height > r, a_row * r, f.index(0))) for r in range(rows)]
    slots = [[c.at(t.type, c_row * r + v * t.lanes) for v in range(vectors)] for r in range(rows)]
    for r in range(rows):
        f.prefetch(c.at(t.type, f.select(height > r, c_row * r, f.index(0))), write=True)
    sums: Sequence[Value] = [f.value(0.0, t.vector)] * (rows * vectors)
    with f.loop(0, k, carried=sums, hints=_HINTS) as loop:
        packed = panel.at(t.type, loop.index * t.columns)
        origin = f["b"].at(t.type, loop.index * f["b_row"]) if kind == "packing" else packed
        right = [f.load(t.vector, origin.at(t.type, v * t.lanes)) for v in range(vectors)]
        if kind == "packing":
            ask(f, origin, t.type, f["b_row"] * AHEAD, vectors * t.lanes)
            for v, value in enumerate(right):
                f.store(value, packed.at(t.type, v * t.lanes))
        values = []
        for r, line in enumerate(lines):
            left = splat(f, f.load(t.type, line.at(t.type, loop.index * a_col)), t.lanes)
            values += [multiply_add(f, left, x, loop.carried[r * vectors + v]) for v, x in enumerate(right)]
        loop.next(*values)
    masks = [Masked(f, t.lanes, f["width"] - v * t.lanes) for v in range(vectors)] if kind == "edge" else []

    def write(accumulate: bool) -> list[Value]:
        for r in range(rows):
            with f.when(height > r):
                for v in range(vectors):
                    slot, value = slots[r][v], loop.results[r * vectors + v]
                    if masks:
                        masks[v].store(masks[v].load(slot, t.type) + value if accumulate else value, slot)
                    else:
                        f.store(f.load(t.vector, slot) + value if accumulate else value, slot)
        return []

    f.choose(add.ne(0), lambda: write(True), lambda: write(False))
    f.ret()
    return name
