"""Recursion that only run time ends: one shared graph for all calls that differ in their tensors alone.

A call is followed into as long as its end may be known while compiling. When it comes back to a function that is active, under a condition
known only at run time and with arguments of the same skeleton, the first of the two activations starts again as a graph of its own, which
the second one calls. What the graph reads from outside becomes more parameters, state that it writes more results. Its result is a
fixed point: at first only those ways count that end without calling again; what they give is taken for the result of the inner
calls, until nothing changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from mindspore.infer import language as lang
from mindspore.infer.control import scoped
from mindspore.infer.heap import Layer
from mindspore.infer.join import DisagreementError
from mindspore.infer.machine import Machine, PendingError, UnwindingError
from mindspore.infer.skeletons import Held, Skeleton, containers, filled, fillings, fits, holes, joined, skeleton
from mindspore.infer.structure import elements
from mindspore.infer.values import (
    NEVER,
    NONE,
    Abstract,
    Completion,
    Dict,
    Frame,
    Instance,
    List,
    Method,
    Partial,
    Sequence,
)
from mindspore.infer.whiles import packed, unpacked
from mindspore.ir.graph import CALL, NO_ATTRS, Apply, Constant, Graph, Node, Parameter
from mindspore.ir.types import FunctionType, TupleType, Type

MAX_ATTEMPTS = 50
MAX_CALLS = 1_000_000
MAX_OPERATIONS = 2_000_000


_HOLDERS = (Sequence, List, Dict, Instance, Method, Partial)
"""Arguments that may hold lists, whose skeleton is that of their content at the time of the call."""


class RestartError(UnwindingError):
    """The activation `frame` is to start again as a shared graph whose arguments have the skeleton `arguments`."""

    def __init__(self, frame: Frame, arguments: Skeleton) -> None:
        super().__init__(frame.name)
        self.frame = frame
        self.arguments = arguments


class AgainError(UnwindingError):
    """What `recursion` assumes has just changed."""

    def __init__(self, recursion: Recursion) -> None:
        super().__init__()
        self.recursion = recursion


def entered(machine: Machine, graph: Graph, frame: Frame, bound: tuple[Abstract, ...]) -> Abstract:
    """The result of a call of `graph` in the new activation `frame`.

    Raises:
        RecursionError: the calls have no end.
    """
    frame.graph, frame.branches = graph, machine.branches
    frame.arguments = bound
    if any(isinstance(b, _HOLDERS) for b in bound):
        _skeleton(machine, frame)
    active = [
        f for f in machine.stack if f.graph is graph and f.parent is frame.parent and f.function is frame.function
    ]
    for each in reversed(active):
        if isinstance(each.recursion, Recursion):
            if fits(each.recursion.arguments, _skeleton(machine, frame)):
                return each.recursion.call(bound)
        elif machine.branches > each.branches and _skeleton(machine, each) == _skeleton(machine, frame):
            raise RestartError(each, _skeleton(machine, each))
    if len(machine.stack) >= machine.max_depth:
        _widen(machine, frame, active)
    before = machine.checkpoint()
    try:
        return activated(machine, frame, bound)
    except RestartError as again:
        if again.frame is not frame:
            raise
        arguments = again.arguments
    machine.restore(before)
    return Recursion(machine, frame, arguments).run()


def _skeleton(machine: Machine, frame: Frame) -> Skeleton:
    """The skeleton of the arguments of an activation, made when it is first asked for."""
    if frame.skeleton is None:
        frame.skeleton = skeleton(machine, Sequence(frame.arguments))
    found: Skeleton = frame.skeleton
    return found


def activated(machine: Machine, frame: Frame, arguments: tuple[Abstract, ...]) -> Abstract:
    """Follows into a call."""
    assert frame.graph is not None
    graph = frame.graph
    machine.stack.append(frame)
    machine.calls += 1
    if machine.calls > MAX_CALLS or machine.emitter.made > MAX_OPERATIONS:
        raise ValueError(
            f"the graph becomes too large: {machine.emitter.made} operations after {machine.calls} calls of functions. Calls whose "
            f"arguments are known while compiling are followed one by one: keep intermediate results, or make the arguments tensors."
        )
    machine.root = machine.root or frame.name
    location = machine.emitter.location
    completion = machine.folding(None, lambda: machine.run(graph, frame, arguments))
    machine.emitter.location = location
    machine.stack.pop()
    assert isinstance(completion, Completion)
    return completion.cases[lang.RETURN].values[0]


def _widen(machine: Machine, frame: Frame, active: list[Frame]) -> None:
    """At the greatest depth: numbers that change from call to call under run-time conditions are made tensors; always raises."""
    if active and machine.branches > active[-1].branches:
        try:
            wanted = joined(_skeleton(machine, active[-1]), _skeleton(machine, frame))
        except DisagreementError as error:
            raise _endless(machine, frame, f" Its arguments change from call to call: {error}.") from None
        for each in active:
            if each.recursion is None and fits(wanted, _skeleton(machine, each)):
                raise RestartError(each, wanted)
    raise _endless(machine, frame)


def _endless(machine: Machine, frame: Frame, why: str = "") -> RecursionError:
    return RecursionError(
        f"{frame.name} is called {machine.max_depth} calls deep: no condition ends the recursion while compiling.{why} Raise the limit "
        f"with set_context(max_call_depth=...), or let a condition on a tensor end it at run time, for calls whose arguments differ in "
        f"tensors and numbers alone."
    )


class Recursion:
    """The shared graph of a recursive function while it is found out.

    Attributes:
        arguments: skeleton of the arguments.
        state: skeleton of each heap key that a call writes; it is handed in and comes back.
        captured: nodes outside that the function reads.
        given: the lists and dicts among the arguments of the newest evaluation, with what they held at first.
        changing: skeletons of what those hold at the end that the function changes, by position.
        result: skeleton of the value; None as long as no way to end is known.
    """

    def __init__(self, machine: Machine, frame: Frame, arguments: Skeleton) -> None:
        self.machine, self.frame, self.arguments = machine, frame, arguments
        self.depth = len(machine.stack)
        self.graph = Graph(frame.name)
        self.state: dict[Any, Skeleton] = {}
        self.captured: list[Node] = []
        self.given: list[tuple[Held, Any]] = []
        self.changing: dict[int, Skeleton] = {}
        self.result: Skeleton | None = None

    def run(self) -> Abstract:
        """Finds the graph and calls it."""
        for _ in range(MAX_ATTEMPTS):
            before = self.machine.checkpoint()
            try:
                if self._attempt():
                    return self.call(self.frame.arguments)
            except AgainError as again:
                if again.recursion is not self:
                    raise
                self.machine.restore(before)
        raise TypeError(f"the types that {self.frame.name} returns do not settle. Convert its results to one type.")

    def _attempt(self) -> bool:
        """Evaluates the function once; whether everything was as assumed, so that the graph is complete."""
        machine = self.machine
        known = self._known()
        parameters = [
            Parameter(f"p{i}", kind, machine.emitter.location)
            for i, kind in enumerate(chain(holes(self.arguments), *map(holes, self.state.values())))
        ]
        before = machine.checkpoint()
        try:
            run, conditional = (lambda: self._body(iter(parameters))), self.result is None
            made = scoped(machine, run, conditional)
        except PendingError as pending:
            if pending.recursion is not self:
                raise
            machine.restore(before)
            raise self._without_end(pending) from None
        value, layer, owned = NONE if made.result is NEVER else made.result, made.layer, made.nodes
        machine.heap.push(layer)
        machine.emitter.scopes.append(owned)
        self._learn(value, layer)
        outputs = list(self._tensors(value)) if self._known() == known else []
        machine.emitter.close()
        machine.heap.pop()
        if self._known() == known:
            inside = set(parameters)
            self.captured += [
                n for n in machine.emitter.free(outputs, owned) if n not in inside and n not in self.captured
            ]
        if self._known() != known:
            return False
        closed = machine.emitter.closed(self.frame.name, outputs, owned, [*parameters, *self.captured])
        self.graph.parameters, self.graph.output = closed.parameters, closed.output
        return True

    def _known(self) -> object:
        return self.result, dict(self.state), tuple(self.captured), dict(self.changing)

    def _body(self, parameters: Iterator[Parameter]) -> Abstract:
        machine, frame = self.machine, self.frame
        arguments = elements(machine, filled(machine, self.arguments, parameters))
        self.given = [(c, machine.heap.get(c)) for c in containers(machine, Sequence(arguments))]
        for key, wanted in self.state.items():
            self._set(key, filled(machine, wanted, parameters))
        fresh = Frame(frame.function, frame.name, frame.parent)
        fresh.graph, fresh.branches, fresh.arguments, fresh.recursion = frame.graph, machine.branches, arguments, self
        return activated(machine, fresh, arguments)

    def _learn(self, value: Abstract, layer: Layer) -> None:
        """Takes over what an evaluation shows, as far as it is not assumed yet."""
        machine = self.machine
        below = machine.heap.layers[:-1]
        for i, (container, content) in enumerate(self.given):
            if i in self.changing or layer[container] is not content:
                self._widen(
                    self.changing, i, packed(container, layer[container]), "a list, dict or object that it is given"
                )
        for key in [k for k in layer if any(k in each for each in below)]:
            self._assume(key, next(each[key] for each in reversed(below) if key in each))
            self._assume(key, layer[key])
        results = {} if self.result is None else {0: self.result}
        self._widen(results, 0, value, "the value that it returns")
        self.result = results[0]

    def _assume(self, key: Any, content: Any) -> None:
        """Widens what is assumed about the state so that `content` fits."""
        name = getattr(getattr(key, "object", None), "name", None) or f"a {type(key).__name__.lower()} outside"
        self._widen(self.state, key, packed(key, content), name)

    def _widen(self, table: dict[Any, Skeleton], key: Any, value: Abstract, name: str) -> None:
        found = skeleton(self.machine, value, outside=True)
        try:
            table[key] = joined(table.get(key, found), found)
        except DisagreementError as error:
            raise TypeError(
                f"{self.frame.name} calls itself under a condition that is known only at run time, and {name} has different types: "
                f"{error}. It must keep its structure, element type and shape."
            ) from None

    def _tensors(self, value: Abstract) -> Iterator[Node]:
        """The results of the graph: value, changed containers, state."""
        assert self.result is not None
        yield from fillings(self.machine, self.result, value)
        for i, wanted in self.changing.items():
            container = self.given[i][0]
            yield from fillings(self.machine, wanted, packed(container, self.machine.heap.get(container)))
        yield from self._state()

    def _state(self) -> Iterator[Node]:
        for key, wanted in self.state.items():
            yield from fillings(self.machine, wanted, packed(key, self.machine.heap.get(key)))

    def call(self, arguments: tuple[Abstract, ...]) -> Abstract:
        """A call of the graph with other tensors."""
        machine = self.machine
        self.graph.location = self.graph.location or machine.emitter.location
        if self.result is None:
            raise PendingError(machine, self, self.depth)
        given, assumed = Sequence(arguments), dict(self.state)
        for key in assumed:
            self._assume(key, machine.heap.get(key))
        if self.state != assumed:
            raise AgainError(self)
        inputs = [*fillings(machine, self.arguments, given), *self._state(), *self.captured]
        results = iter(self._emitted(inputs))
        value = filled(machine, self.result, results)
        held = list(containers(machine, given))
        for i, wanted in self.changing.items():
            self._set(held[i], filled(machine, wanted, results))
        for key, wanted in self.state.items():
            self._set(key, filled(machine, wanted, results))
        return value

    def _set(self, key: Any, value: Abstract) -> None:
        heap = self.machine.heap
        heap.set(key, unpacked(key, value, heap.get(key)))

    def _emitted(self, inputs: list[Node]) -> list[Node]:
        assert self.result is not None
        machine = self.machine
        machine.recursive_calls += 1
        results = (self.result, *self.changing.values(), *self.state.values())
        kinds: tuple[Type, ...] = tuple(chain.from_iterable(map(holes, results)))
        signature = FunctionType(tuple(n.type for n in inputs if n.type is not None), TupleType(kinds))
        location = machine.emitter.location
        function = Constant(self.graph, signature, location)
        made = machine.emitter.own(Apply(CALL, (function, *inputs), NO_ATTRS, signature.result, location))
        return [machine.emitter.get(made, i) for i in range(len(kinds))]

    def _without_end(self, pending: PendingError) -> RecursionError:
        pending.show(self.machine)
        return RecursionError(
            f"recursion without end: {self.frame.name} calls itself on every way through it. One way must return without calling it, "
            f"under a condition on its arguments."
        )
