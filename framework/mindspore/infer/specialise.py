"""Inference's one entry: a callable and its arguments to one typed graph."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mindspore.base.promotion import scalar_dtype
from mindspore.base.protocols import MUTABLE, record_fields
from mindspore.base.shapes import Shape
from mindspore.infer import (
    batching,
    builtins,
    calls,
    copies,
    effects,
    exceptions,
    generators,
    loops,
    mathematics,
    methods,
    operations,
    patterns,
    records,
    sets,
    transforms,
)
from mindspore.infer.errors import hide_internals, located
from mindspore.infer.fields import assignments, result_with
from mindspore.infer.guards import Guard
from mindspore.infer.machine import MAX_DEPTH, Expanders, Machine, Parse, tensor_type
from mindspore.infer.objects import ARGUMENT
from mindspore.infer.output import AsTensor, Field
from mindspore.infer.result import described
from mindspore.infer.structure import make_dict, make_list, make_tuple
from mindspore.infer.values import EFFECTS, NEVER, NONE, Abstract, Instance, Known, Slot
from mindspore.ir.effects import Output
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.types import TensorType

RULES = (
    batching, builtins, calls, copies, effects, exceptions, generators, loops, mathematics, methods, operations, patterns, records, sets,
    transforms,
)  # fmt: skip
"""Modules whose import registers what nodes and callables mean."""
_FRAMES_PER_CALL = 30
_MOST_FRAMES = 10_000_000

__all__ = ["AsTensor", "Field", "Output", "Specialised", "specialise"]


@dataclass(frozen=True, slots=True)
class Specialised:
    """One typed graph for a call.

    Attributes:
        graph: closed and typed. Parameters: the tensor arguments, then `bound`. Outputs: the result's tensors, then written Parameters,
            then the effect token, if the graph has effects.
        arguments: where each tensor argument is in ``(args, kwargs)``: ``(0, 2)`` is ``args[2]``, ``(0, 2, Field("x"))`` ``args[2].x``.
        bound: Parameters and other tensor objects that the function reads from outside.
        updates: output index -> index of the graph parameter that it is written back to.
        result: the returned value, with `Output` in the place of tensors.
        guards: ``(kind, container, key, expected)``: what must still hold for the graph to be valid.
        opaque: objects that were read, and that no guard watches.
        ran: functions of the program that Python ran while compiling.
    """

    graph: Graph
    arguments: list[tuple[Any, ...]]
    bound: list[Any]
    updates: dict[int, int]
    result: Any
    guards: list[Guard]
    opaque: Sequence[Any] = ()
    ran: Sequence[Any] = ()


def specialise(
    function: Any,
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    *,
    parse: Parse,
    expanders: Expanders,
    max_depth: int = MAX_DEPTH,
    shapes: Sequence[Shape] | None = None,
    differentiated: bool = False,
) -> Specialised:
    """The typed graph of ``function(*args, **kwargs)`` for the types of its tensor arguments and the values of the others.

    Args:
        max_depth: how many calls may be active at once while compiling.
        shapes: those of the inputs in the order of the arguments, with symbolic sizes, in the place of their own.
        differentiated: whether gradients of the whole graph are taken later.

    Raises:
        RecursionError: calls have no end.
        SyntaxError: the function's source is not found or uses syntax that graphs do not have.
        Exception: what the program raises while it is interpreted, with the user's source position in front; types and shapes
            that do not fit are TypeError and ValueError.
    """
    machine = Machine(parse, expanders, max_depth)
    machine.gradients = int(differentiated)
    arguments = _Arguments(machine, shapes)
    try:
        with _deep_recursion(max_depth):
            given = tuple(arguments.value(a, (0, i)) for i, a in enumerate(args))
            named = {k: arguments.value(v, (1, k)) for k, v in kwargs.items()}
            result = machine.attempted(lambda: machine.call(Known(function), given, named))
            return _finished(machine, arguments, NONE if result is NEVER else result)
    except Exception as error:
        if not hide_internals():
            raise located(error, machine.stack) from error
        raise located(error, machine.stack) from None
    finally:
        for activation in machine.activations:
            activation.abandon()


@contextmanager
def _deep_recursion(calls: int) -> Iterator[None]:
    """The interpreter recurses with the program's calls: lets it reach its own limit before Python's."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(min(max(before, _FRAMES_PER_CALL * calls), _MOST_FRAMES))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


class _Arguments:
    """Turns the call's Python arguments into abstract values; tensors become graph parameters."""

    def __init__(self, machine: Machine, shapes: Sequence[Shape] | None = None) -> None:
        self.machine = machine
        self.shapes = shapes
        self.parameters: list[Parameter] = []
        self.paths: list[tuple[Any, ...]] = []

    def value(self, given: Any, path: tuple[Any, ...], mutable: bool = False) -> Abstract:
        """`given` in the graph; numbers are inputs where it, or what holds it, is marked as mutable."""
        mutable = mutable or hasattr(type(given), MUTABLE)
        kind = tensor_type(Known(given))
        if kind is not None:
            return self.parameter(path, kind)
        if mutable and isinstance(given, bool | int | float | complex):
            kind = TensorType(scalar_dtype(_plain(given), None), ())
            number = self.parameter((*path, AsTensor(kind.dtype)), kind)
            self.machine.numbers.add(number)
            return number
        made = self.container(given, path, mutable)
        if mutable:
            self.machine.marked.add(made)
        return made

    def container(self, given: Any, path: tuple[Any, ...], mutable: bool) -> Abstract:
        if (names := record_fields(given)) is not None:
            return self.record(given, names, path, mutable)
        if isinstance(given, tuple):
            cls = getattr(type(given), MUTABLE, type(given))
            return make_tuple([self.value(v, (*path, i), mutable) for i, v in enumerate(given)], cls)
        if isinstance(given, list) and (mutable or type(given) is list):
            return make_list(self.machine, [self.value(v, (*path, i), mutable) for i, v in enumerate(given)])
        if isinstance(given, dict) and (mutable or type(given) is dict):
            return make_dict(self.machine, {k: self.value(v, (*path, k), mutable) for k, v in given.items()})
        return Known(given)

    def parameter(self, path: tuple[Any, ...], kind: TensorType) -> Parameter:
        if self.shapes is not None:
            kind = TensorType(kind.dtype, self.shapes[len(self.parameters)])
        names = [str(step) for step in path[1:] if not isinstance(step, AsTensor)]
        made = Parameter("_".join(("arg", *names)), kind)
        self.parameters.append(made)
        self.paths.append(path)
        return made

    def record(self, given: Any, names: Sequence[str], path: tuple[Any, ...], mutable: bool) -> Instance:
        """A dataclass: its fields are arguments of their own."""
        made = Instance(type(given), ARGUMENT)
        self.machine.heap.set(made, {n: self.value(getattr(given, n), (*path, Field(n)), mutable) for n in names})
        return made


def _plain(number: Any) -> Any:
    """A number without the mark of `mutable`."""
    return getattr(type(number), MUTABLE, type(number))(number)


def _finished(machine: Machine, arguments: _Arguments, value: Abstract) -> Specialised:
    outputs: dict[Node, int] = {}

    def tree(held: Abstract) -> Any:
        return described(machine, held, lambda node: outputs.setdefault(node, len(outputs)))

    result = result_with(tree(value), list(assignments(machine, tree)))
    results = list(outputs)
    slots = list(machine.slots.values())
    first = len(arguments.parameters)
    updates: dict[int, int] = {}
    for position, slot in enumerate(slots):
        version: Node = machine.heap.get(slot)
        if version is not slot.node:
            updates[len(results)] = first + position
            results.append(version)
    token: Node = machine.heap.get(EFFECTS)
    if token is not machine.token:
        results.append(token)
    parameters = [*arguments.parameters, *[_parameter(s) for s in slots]]
    name = machine.root or "graph"
    graph = Graph(name, parameters, machine.emitter.tuple(results), parameters[0].location if parameters else None)
    bound = [s.object for s in slots]
    watched = machine.guards
    return Specialised(graph, arguments.paths, bound, updates, result, watched.entries(), watched.opaque, watched.ran)


def _parameter(slot: Slot) -> Parameter:
    assert isinstance(slot.node, Parameter)
    return slot.node
