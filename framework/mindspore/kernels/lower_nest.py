"""A nest as one function of its pointers, run here or by all threads."""

from __future__ import annotations

from mindspore.kernels import lower_stream, runtime
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.lower_beside import Beside
from mindspore.kernels.lower_beside import suits as side_by_side
from mindspore.kernels.lower_columns import Columns
from mindspore.kernels.lower_rows import Rows
from mindspore.kernels.lower_tiles import Tiles, crossing
from mindspore.kernels.lower_turned import Turned
from mindspore.kernels.lower_turned import suits as turns
from mindspore.kernels.nest import Nest

PARALLEL_FOR = 2
"""Position in ``struct Runtime``."""
PARALLEL_FROM = 1 << 18
"""Instructions from which a nest is worth waking threads for."""
GRAIN = 1 << 16
"""Instructions of one chunk."""


def way(nest: Nest) -> type[Columns | Rows | Tiles]:
    """The class that writes the nest."""
    if nest.inner:
        return Columns
    if side_by_side(nest):
        return Beside
    if turns(nest):
        return Turned
    return Rows if crossing(nest) is None else Tiles


def units(nest: Nest) -> int:
    """Pieces of work that may run in any order."""
    return way(nest).units(nest)


def grain(nest: Nest) -> int:
    """Units per chunk; all of them when the nest is too small to share. Depends on the nest alone."""
    count = units(nest)
    if nest.cost < PARALLEL_FROM:
        return count
    return max(1, count * GRAIN // nest.cost)


def emit_units(module: Module, name: str, nest: Nest) -> Function:
    """``void name(pointers..., begin, end, sizes...)``: the units of a range.

    Pointers do not overlap, so loops vectorise without checks.
    """
    parameters = [("ptr noalias", f"p{k}") for k in range(len(nest.pointers))]
    f = module.function(name, "void", [*parameters, ("i64", "begin"), ("i64", "end")], internal=True, inline="noinline")
    pointers = f.arguments[:-2]
    body = way(nest)(nest, f, pointers)
    if units(nest) == 1:
        body.unit(0)
    else:
        with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as loop:
            body.unit(loop.index)
    if isinstance(body, Rows) and body.stages:
        lower_stream.finish(f)
    f.ret()
    return f


def emit_chunk(module: Module, name: str, callee: str, pointers: int, sizes: int = 0) -> None:
    """The function that the thread pool calls for each chunk of ``callee(pointers..., begin, end, sizes...)``."""
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    given = runtime.unpack(f, [*["ptr"] * pointers, *["i64"] * sizes])
    f.call("void", callee, *given[:pointers], f["begin"], f["end"], *given[pointers:])
    f.ret()


def in_parallel(f: Function, worker: str, context: Value, count: int, grain: int) -> Value:
    """Let the thread pool run `worker` over [0, count) in chunks; gives the code to check."""
    parallel_for = f.load("ptr", f["runtime"].at("i64", PARALLEL_FOR))
    return f.call("i32", parallel_for, f["runtime"], count, grain, Value(f, "ptr", f"@{worker}"), context)
