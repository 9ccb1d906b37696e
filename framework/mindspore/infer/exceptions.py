"""``try``: exceptions that are raised while compiling, because their condition is known then, are caught as Python catches them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from mindspore.infer import language as lang
from mindspore.infer.control import proceed
from mindspore.infer.errors import places_of
from mindspore.infer.machine import Checkpoint, Machine, evaluates
from mindspore.infer.values import Abstract, Completion, Frame, Known
from mindspore.ir.graph import Apply, Constant, Graph, Node

T = TypeVar("T")
_OF_PROGRAMS = (LookupError, ArithmeticError, AttributeError, NameError, AssertionError, ImportError, StopIteration)
"""What the compiler itself never raises to say that it does not take something."""


@evaluates(lang.TRY)
def try_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    body, handler, after = map(_graph, node.inputs)

    def finished(completion: Completion) -> Completion:
        frame.node = node
        following = _completion(machine.run(after, frame))
        return proceed(machine, following, lang.NEXT, lambda values: completion)

    completion, error = attempted(machine, lambda: _completion(machine.run(body, frame)))
    if error is not None:
        return _handled(machine, frame, handler, error)
    assert completion is not None
    if node.attrs["always"]:
        return finished(completion)
    return proceed(machine, completion, lang.NEXT, lambda values: machine.run(after, frame))


def _graph(node: Node) -> Graph:
    assert isinstance(node, Constant)
    assert isinstance(node.value, Graph)
    return node.value


def _completion(value: Abstract) -> Completion:
    assert isinstance(value, Completion)
    return value


def attempted(machine: Machine, run: Callable[[], T]) -> tuple[T | None, Exception | None]:
    """What `run` gives, or the exception of the program that ended it; then the machine is where it was before."""
    before = machine.checkpoint()
    machine.tries.append(machine.branches)
    try:
        return run(), None
    except Exception as error:
        if machine.branches != before.branches or not _catchable(error):
            raise
        if not hasattr(error, "raised_at"):
            error.raised_at = places_of(machine.stack)  # type: ignore[attr-defined]
        _leave(machine, before)
        return None, error
    finally:
        del machine.tries[before.tries :]


def _leave(machine: Machine, before: Checkpoint) -> None:
    """Back to where the ``try`` is; what was written until the exception stays."""
    del machine.heap.layers[before.heap[0] :]
    machine.restore(replace(before, heap=machine.heap.moment()))


def _catchable(error: Exception) -> bool:
    """Whether the program raised `error`: TypeError and ValueError may also be the compiler's own refusals."""
    return (
        getattr(error, "raised_by_program", False)
        or isinstance(error, _OF_PROGRAMS)
        or type(error).__module__.partition(".")[0] not in ("builtins", "mindspore")
    )


def _handled(machine: Machine, frame: Frame, handler: Graph, error: Exception) -> Completion:
    machine.handled.append(error)
    try:
        return _completion(machine.run(handler, frame, (Known(error),)))
    finally:
        machine.handled.pop()
