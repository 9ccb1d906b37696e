"""Boxes: one block of memory that the call owns, with what it holds behind each other."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.kernels import runtime
from mindspore.kernels.arena import rounded_up
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.program import Pack, Unpack, Value
from mindspore.kernels.scope import Scope
from mindspore.kernels.tasks import copy_nest


def emit(scope: Scope, step: Pack | Unpack) -> None:
    if isinstance(step, Pack):
        _pack(scope, step)
    else:
        _unpack(scope, step)


def _places(values: Sequence[Value]) -> list[int]:
    """Where each of `values` begins, and the bytes of all."""
    places = [0]
    for value in values:
        places.append(places[-1] + rounded_up(value.nbytes))
    return places


def _pack(scope: Scope, step: Pack) -> None:
    f, held = scope.f, [r.value for r in step.reads if r.value is not None]
    *places, total = _places(held)
    memory = runtime.grow(f, f["runtime"], runtime.null(f), 0, f.index(total))
    exists = runtime.exists(f, memory)
    scope.check(f.select(exists, f.value(0, "i32"), f.value(runtime.NO_MEMORY, "i32")))
    for value, place in zip(held, places, strict=True):
        scope.copy(value, memory.at("i8", place))
    f.store(memory, scope.pointer(step.outputs[0]))


def _unpack(scope: Scope, step: Unpack) -> None:
    f, box = scope.f, step.reads[0].value
    assert box is not None
    memory: Lane = f.load("ptr", scope.pointer(box))
    for value, place in zip(step.outputs, _places(step.outputs), strict=False):
        nest = copy_nest(Value(value.dtype, value.size))
        if nest is not None:
            scope.run_nest(nest, [memory.at("i8", place), scope.pointer(value)])
