"""What a running graph does besides computing: print, assert and raise. One token on the heap orders all of it."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from typing import Any

from mindspore.base.errors import Location
from mindspore.infer import language as lang
from mindspore.infer.compile_time import raised_by_program
from mindspore.infer.deferred import snapshot
from mindspore.infer.errors import carried_by, lines_of, places_of
from mindspore.infer.machine import Ended, Machine, ThrownError, builtin_calls, evaluates
from mindspore.infer.result import described
from mindspore.infer.structure import is_constant, to_python
from mindspore.infer.values import EFFECTS, NONE, Abstract, Frame, Known
from mindspore.ir.effects import Effect, Made
from mindspore.ir.graph import Apply, Node


def emit(
    machine: Machine,
    function: Callable[..., Any],
    args: tuple[Abstract, ...],
    kwargs: Mapping[str, Abstract],
    raises: bool = False,
) -> None:
    """Calls `function` at run time, after all effects so far; one that `raises` leaves Parameters as they are written now."""
    nodes: dict[Node, int] = {}

    def tree(value: Abstract) -> Any:
        return described(machine, snapshot(machine, value), lambda node: nodes.setdefault(node, len(nodes)))

    action = Made(function, tuple(tree(a) for a in args), {k: tree(v) for k, v in kwargs.items()})
    written = _written(machine) if raises else {}
    token = machine.heap.get(EFFECTS)
    made = machine.emitter.effect(token, [*nodes, *written.values()], Effect(action, (*written,)))
    machine.heap.set(EFFECTS, made)


def _written(machine: Machine) -> dict[int, Node]:
    """The present versions of the Parameters that were written, by their position among the outside tensors."""
    versions = ((i, s, machine.heap.get(s)) for i, s in enumerate(machine.slots.values()))
    return {i: version for i, slot, version in versions if version is not slot.node}


def print_(machine: Machine, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
    """``print(...)``, each time the graph comes by."""
    unknown = [k for k in kwargs if k not in ("sep", "end", "file", "flush")]
    if unknown:
        raise TypeError(f"print() got an unexpected keyword argument {unknown[0]!r}")
    emit(machine, print, args, kwargs)
    return NONE


builtin_calls[builtins.print] = print_


@evaluates(lang.RAISE)
def raise_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    """Raises while compiling what every call would raise at once, and what a ``try`` may catch; else when the graph comes by."""
    if not node.inputs and not machine.handled:
        raise RuntimeError("No active exception to reraise")
    error = machine.value(frame, node.inputs[0]) if node.inputs else machine.handled[-1][0]
    if not (machine.tries or machine.branches or _begun(machine) or not is_constant(machine, error)):
        raise raised_by_program(_exception(to_python(machine, error)))
    return raise_later(machine, error)


def raise_later(machine: Machine, error: Abstract) -> Abstract:
    """Raises `error` when the graph comes by, or hands it to the ``try`` around it; nothing follows."""
    if machine.tries:
        raise _thrown(machine, error)
    emit(machine, _raise, (error, Known(tuple(lines_of(_places(machine, error))))), {}, raises=True)
    raise Ended


def _thrown(machine: Machine, error: Abstract) -> Exception:
    """`error` as an exception that ends the evaluation of the body of a ``try``."""
    made = _exception(to_python(machine, error)) if is_constant(machine, error) else ThrownError(error)
    made.thrown, made.raised_at = True, _places(machine, error)  # type: ignore[attr-defined]
    return raised_by_program(made)


def _places(machine: Machine, error: Abstract) -> list[tuple[Location, str]]:
    """Where `error` was raised first."""
    for value, caught in reversed(machine.handled):
        if value is error or (isinstance(value, Known) and isinstance(error, Known) and value.value is error.value):
            return getattr(caught, "raised_at", None) or places_of(machine.stack)
    return places_of(machine.stack)


def _begun(machine: Machine) -> bool:
    """Whether the program did something before that can be seen from outside."""
    return machine.heap.get(EFFECTS) is not machine.token or bool(_written(machine))


def _exception(error: Any) -> Exception:
    if isinstance(error, type) and issubclass(error, Exception):
        error = error()
    if not isinstance(error, Exception):
        raise TypeError(f"exceptions must derive from Exception, got {error!r}")
    return error


def _raise(error: Any, lines: tuple[str, ...]) -> None:
    raise carried_by(_exception(error), lines) from None
