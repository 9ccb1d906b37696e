"""What a turn of a run-time loop raises for a ``try`` around the loop: it ends the loop, and is raised again behind it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

from mindspore.infer.control import run_time_branch
from mindspore.infer.exceptions import Decisions, every_way
from mindspore.infer.functions import opened
from mindspore.infer.machine import Machine, ThrownError
from mindspore.infer.truth import truth_node
from mindspore.infer.values import MISSING, NONE, Abstract, Box, Completion, Known, Sequence
from mindspore.ir.graph import Node


@dataclass(slots=True, eq=False)
class _Throw:
    """One way through a turn that raises `error`; the boxes are state of the loop."""

    error: Exception
    kind: Hashable
    raised: Box = field(default_factory=Box)
    value: Box = field(default_factory=Box)


class Throws:
    """Of one loop."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.known: dict[Hashable, _Throw] = {}
        self.fresh: list[_Throw] = []

    def caught(self, run: Callable[[], Completion], ended: Completion) -> Completion:
        """A turn; the ways that raise leave the loop as `ended` does."""
        machine = self.machine
        if not machine.tries:
            return run()
        for throw in self.known.values():
            if throw not in self.fresh:
                machine.heap.set(throw.value, MISSING)  # of a turn that does not raise: the state stays as it is

        def end(completion: Completion | None, error: Exception | None, decisions: Decisions) -> Completion:
            if completion is not None:
                return completion
            assert error is not None
            self._note(frozenset(decisions.items()), error)
            return ended

        return every_way(machine, run, end)

    def _note(self, way: Hashable, error: Exception) -> None:
        kind = _kind(error.value) if isinstance(error, ThrownError) else (type(error), repr(error.args))
        throw = self.known.get(way)
        if throw is None or throw.kind != kind:  # a number of its text may have become a value of the state meanwhile
            throw = self.known[way] = _Throw(error, kind)
            self.fresh.append(throw)
        if throw in self.fresh:
            return
        self.machine.heap.set(throw.raised, Known(True))
        if isinstance(error, ThrownError):
            self.machine.heap.set(throw.value, error.value)

    def is_state(self, key: Any) -> bool:
        """Whether `key` is a box that tells what was raised."""
        return any(key is throw.raised or key is throw.value for throw in self.known.values())

    def begin(self) -> bool:
        """Makes what the last turn raised for the first time part of the state in front of the loop; whether there was something."""
        for throw in self.fresh:
            self.machine.heap.set(throw.raised, Known(False))
            self.machine.heap.set(throw.value, MISSING)
        found = bool(self.fresh)
        self.fresh.clear()
        return found

    def raise_again(self) -> None:
        """Behind the loop: raises what ended it."""
        for throw in self.known.values():
            raised = self.machine.heap.get(throw.raised)
            if isinstance(raised, Node):
                self._branch(throw, truth_node(self.machine, raised))

    def _branch(self, throw: _Throw, raised: Node) -> None:
        def again() -> Abstract:
            error = throw.error
            if isinstance(error, ThrownError):
                error.value = self.machine.heap.get(throw.value)
            raise error

        run_time_branch(self.machine, raised, again, lambda: NONE)


def _kind(value: Abstract) -> Hashable:
    """What two turns that raise the same way have in common: all but the values of tensors."""
    if isinstance(value, Node):
        return value.type
    if isinstance(value, Sequence):
        return (value.cls, *map(_kind, value.elements))
    if (how := opened(value)) is not None:
        return (how.key, *map(_kind, how.parts))
    if isinstance(value, Known):
        return (type(value.value), repr(value.value))
    return type(value).__qualname__
