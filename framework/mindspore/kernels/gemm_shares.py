"""How a gathered product is divided among threads where C is narrow or small.

By columns: each thread packs what it multiplies, so that nothing is waited for in between. By steps of K: each part of K has a C of
its own, and these are added in order; how many parts there are depends on the sizes alone.
"""

from __future__ import annotations

from dataclasses import replace

from mindspore.base.dtypes import DType
from mindspore.kernels import runtime
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import TYPES, Problem, Way, blocks, parameters, problem, serial_bytes
from mindspore.kernels.gemm_gather_pack import entry, table
from mindspore.kernels.gemm_tile import Tiling

LOW = 96
"""Rows of C up to which columns are divided: packing A again for each share costs little."""
SHARE = 768
"""Columns of one share: with a block's depth they stay in the second-level cache."""
DEEP = 1 << 12
"""Steps of K from which they may be divided, and a quarter of it how many a part has at least."""
PARTS = 16
SMALL_C = 40 << 10
"""Elements of C up to which K is divided."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def suits_columns(f: Function, t: Tiling, p: Problem, threads: Value) -> Value:
    """Whether columns are divided: C has few rows and many columns."""
    return (p.m <= LOW) & (p.n >= threads * (8 * t.columns))


def suits_steps(f: Function, t: Tiling, p: Problem) -> Value:
    """Whether K is divided: it is long, and C is small and contiguous."""
    run = entry(f, table(p.c_col), p.n)
    return (p.k >= DEEP) & (p.m * p.n <= SMALL_C) & (p.n <= t.width) & p.c_row.eq(p.n) & (run >= p.n)


def _span(module: Module, t: Tiling, source: DType, way: Way) -> str:
    """Name of ``void span(problem..., first, columns, step, steps, memory)``: some columns over some steps; `memory` as for `serial`."""
    name = f"gemm_span_{source.short}{way.name}"
    if module.has(name):
        return name
    numbers = [("i64", n) for n in ("first", "columns", "step", "steps")]
    f = module.function(
        name, "void", [*parameters(), *numbers, ("ptr noalias", "memory")], internal=True, inline="noinline"
    )
    p, memory = problem(f.arguments[: len(TYPES)]), f["memory"]
    a_panels, b_panels = memory, memory.at(t.type, t.height * t.depth)
    _, depth = blocks(f, f["steps"], t.depth, 8)
    _, height = blocks(f, p.m, t.height, t.rows)
    columns = (f["first"], f["columns"])
    with f.loop(0, f.maximum(f["steps"], f.index(1)), depth, hints=_HINTS) as depths:
        steps = (f["step"] + depths.index, f.minimum(f["steps"] - depths.index, depth))
        way.columns(f, t, source, p, columns, steps, b_panels)
        with f.loop(0, p.m, height, hints=_HINTS) as i:
            rows = (i.index, f.minimum(p.m - i.index, height))
            way.rows(f, t, source, p, rows, steps, a_panels)
            way.block(f, t, p, rows, columns, steps, (a_panels, b_panels))
    f.ret()
    return name


def by_columns(module: Module, t: Tiling, source: DType, way: Way) -> str:
    """Name of ``void columns(runtime, problem...)``."""
    name = f"gemm_columns_{source.short}{way.name}"
    if module.has(name):
        return name
    worker = _columns_worker(module, t, source, way)
    f = module.function(name, "void", [("ptr", "runtime"), *parameters()], internal=True, inline="noinline")
    p = problem(f.arguments[1:])
    panels = f.op("sdiv", p.n + (t.columns - 1), t.columns)
    share = f.op("sdiv", panels, runtime.threads(f, f["runtime"]) * 4)
    columns = f.minimum(f.maximum(share, f.index(1)), f.index(SHARE // t.columns)) * t.columns
    tasks = f.op("sdiv", p.n + (columns - 1), columns)
    runtime.parallel_for(f, f["runtime"], tasks, 1, worker, runtime.pack(f, [*p.values(), columns]))
    f.ret()
    return name


def _columns_worker(module: Module, t: Tiling, source: DType, way: Way) -> str:
    name = f"gemm_columns_worker_{source.short}{way.name}"
    span = _span(module, t, source, way)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    *values, share = runtime.unpack(f, [*TYPES, "i64"])
    p = problem(values)
    memory = runtime.scratch(f, f["runtime"], serial_bytes(t))
    end = f.select(runtime.exists(f, memory), f["end"], f["begin"])
    with f.loop(f["begin"], end, hints=_HINTS) as item:
        first = item.index * share
        f.call("void", span, *values, first, f.minimum(p.n - first, share), 0, p.k, memory)
    f.ret()
    return name


def by_steps(module: Module, t: Tiling, source: DType, way: Way) -> str:
    """Name of ``void steps(runtime, problem...)``."""
    name = f"gemm_steps_{source.short}{way.name}"
    if module.has(name):
        return name
    worker = _steps_worker(module, t, source, way)
    f = module.function(name, "void", [("ptr", "runtime"), *parameters()], internal=True, inline="noinline")
    p = problem(f.arguments[1:])
    wanted = f.minimum(f.op("sdiv", p.k, DEEP // 4), f.index(PARTS))
    steps = f.op("sdiv", f.op("sdiv", p.k + (wanted - 1), wanted) + 7, 8) * 8
    parts = f.op("sdiv", p.k + (steps - 1), steps)
    size = p.m * p.n
    sums = runtime.allocate(f, f["runtime"], parts * size * t.itemsize)
    with f.when(runtime.exists(f, sums)):
        runtime.parallel_for(f, f["runtime"], parts, 1, worker, runtime.pack(f, [*p.values(), sums, steps]))
        whole = size - (size % t.lanes)
        for start, stop, step, kind in ((f.index(0), whole, t.lanes, t.vector), (whole, size, 1, t.type)):
            with f.loop(start, stop, step, hints=_HINTS) as i:
                origin = sums.at(t.type, i.index)
                first = f.load(kind, origin)
                with f.loop(1, parts, carried=[first], hints=_HINTS) as part:
                    part.next(part.carried[0] + f.load(kind, origin.at(t.type, part.index * size)))
                f.store(part.results[0], p.c.at(t.type, i.index))
        runtime.release(f, f["runtime"], sums)
    f.ret()
    return name


def _steps_worker(module: Module, t: Tiling, source: DType, way: Way) -> str:
    name = f"gemm_steps_worker_{source.short}{way.name}"
    span = _span(module, t, source, way)
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    *values, sums, steps = runtime.unpack(f, [*TYPES, "ptr", "i64"])
    p = problem(values)
    memory = runtime.scratch(f, f["runtime"], serial_bytes(t))
    end = f.select(runtime.exists(f, memory), f["end"], f["begin"])
    size = p.m * p.n
    with f.loop(f["begin"], end, hints=_HINTS) as item:
        target, first = sums.at(t.type, item.index * size), item.index * steps
        # blocks after the first step of K are added to what is there
        with f.loop(0, size, hints=_HINTS) as i:
            f.store(f.value(0.0, t.type), target.at(t.type, i.index))
        own = replace(p, c=target)
        f.call("void", span, *own.values(), 0, p.n, first, f.minimum(p.k - first, steps), memory)
    f.ret()
    return name
