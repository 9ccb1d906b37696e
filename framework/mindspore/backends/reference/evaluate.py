"""The meaning of a typed graph: every node evaluated with numpy, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mindspore.backends.reference.numpy_builder import NumpyBuilder
from mindspore.base.errors import InternalError
from mindspore.infer.errors import located_at
from mindspore.ir.builder import Builder
from mindspore.ir.effects import Effect
from mindspore.ir.graph import (
    AFTER,
    CALL,
    CUSTOM,
    EMIT,
    EMPTY_BOX,
    EMPTY_STASH,
    IF,
    IS_EMPTY,
    MAKE_BOX,
    MAKE_TUPLE,
    SCAN,
    TOKEN,
    TUPLE_GET,
    UNBOX,
    WHILE,
    Apply,
    Constant,
    Graph,
    Node,
    Parameter,
    schedule,
)
from mindspore.ir.loops import loop_of
from mindspore.ir.operator import Operator

Frame = Generator[tuple[Graph, Sequence[Any]], Any, Any]


CarryOut = Callable[[Effect, Sequence[Any]], None]


def evaluate(
    graph: Graph,
    arguments: Sequence[Any],
    builder: Builder | None = None,
    max_call_depth: int | None = None,
    carry_out: CarryOut | None = None,
) -> Any:
    """The result of a closed typed graph for numpy arrays; tuples are Python tuples, stashes are lists, tokens None.

    `carry_out` gets each effect with its arrays.

    Calls, branches and loops push a frame on a list of their own, so neither depth nor length is limited by Python's stack.

    Raises:
        RecursionError: more than `max_call_depth` calls of one graph are active.
    """
    machine = _Machine(builder or NumpyBuilder(), carry_out)
    frames = [(graph, machine.run(graph, arguments))]
    active: Counter[Graph] = Counter()
    result: Any = None
    while frames:
        try:
            inner, values = frames[-1][1].send(result)
        except StopIteration as done:
            active[frames.pop()[0]] -= 1
            result = done.value
        except _StoppedError as stopped:
            raise stopped.error from None
        else:
            active[inner] += 1
            if max_call_depth is not None and active[inner] > max_call_depth:
                raise RecursionError(_too_deep(inner, max_call_depth))
            frames.append((inner, machine.run(inner, values)))
            result = None
    return result


def _too_deep(graph: Graph, limit: int) -> str:
    place = f"{graph.location}, in {graph.name}\n" if graph.location else ""
    return (
        f"{place}{graph.name} calls itself more than {limit} calls deep. Let it end earlier, raise the limit with "
        f"set_context(max_call_depth=...), or write a loop."
    )


class _StoppedError(Exception):
    """Carries the program's own StopIteration out of the generators here, which would take it for theirs."""

    def __init__(self, error: StopIteration) -> None:
        super().__init__()
        self.error = error


@dataclass(frozen=True, slots=True)
class _Machine:
    builder: Builder
    carry_out: CarryOut | None

    def run(self, graph: Graph, arguments: Sequence[Any]) -> Frame:
        """Evaluates one graph; yields (graph, arguments) where it needs the result of another."""
        if len(arguments) != len(graph.parameters):
            raise InternalError(f"graph {graph.name} takes {len(graph.parameters)} arguments, got {len(arguments)}")
        values: dict[int, Any] = dict(zip(map(id, graph.parameters), arguments, strict=True))
        for node in schedule(graph):
            if isinstance(node, Constant):
                values[id(node)] = node.value if isinstance(node.value, Graph) else self.builder.literal(node.value)
            elif isinstance(node, Apply):
                inputs = [values[id(i)] for i in node.inputs]
                inside = _has_graphs(node)
                values[id(node)] = (
                    (yield from _structured(node, inputs, self.builder)) if inside else self.simple(node, inputs)
                )
            elif isinstance(node, Parameter) and id(node) not in values:
                raise InternalError(f"graph {graph.name} is not closed: it reads {node.name} of another graph")
        return values[id(graph.result)]

    def simple(self, node: Apply, inputs: list[Any]) -> Any:
        if node.op is EMIT:
            if self.carry_out is None:
                raise InternalError(f"{_place(node)}nothing carries out the effects of the graph")
            try:
                return self.carry_out(node.attrs["effect"], inputs[1:])
            except StopIteration as error:
                raise _StoppedError(error) from None
        try:
            return _simple(node, inputs, self.builder)
        except IndexError as error:
            if node.location is None:
                raise
            raise located_at(error, node.location) from None


def _has_graphs(node: Apply) -> bool:
    return node.op in (CALL, CUSTOM, IF, WHILE, SCAN)


def _structured(node: Apply, inputs: list[Any], b: Builder) -> Frame:
    if node.op is CALL:
        return (yield inputs[0], inputs[1:])
    if node.op is CUSTOM:
        forward, backward, *arguments = inputs
        made = b.custom(forward, backward, arguments, node.attrs["wrt"])
        return (yield forward, arguments) if made is NotImplemented else made
    if node.op is IF:
        condition, then, otherwise, *arguments = inputs
        return (yield (then if bool(condition) else otherwise), arguments)
    return (yield from _loop(node, inputs[2 if node.op is WHILE else 1 :]))


def _loop(node: Apply, inputs: list[Any]) -> Frame:
    loop = loop_of(node)
    count = len(loop.state)
    state, rows = inputs[:count], list(zip(*map(_directed, inputs[count:], loop.reads), strict=True))
    made: list[list[Any]] = [[] for _ in loop.writes]
    turn = 0
    while (turn < len(rows)) if loop.condition is None else bool((yield loop.condition, state)):
        moved = yield loop.body, [*state, *(rows[turn] if rows else ())]
        results = list(moved) if isinstance(moved, tuple) else [moved]
        state = results[:count]
        for stash, element in zip(made, results[count:], strict=True):
            stash.append(element)
        turn += 1
    return (*state, *map(_directed, made, loop.writes))


def _directed(stash: list[Any], direction: int) -> list[Any]:
    return stash[::direction]


def _simple(node: Apply, inputs: list[Any], b: Builder) -> Any:
    if node.op is MAKE_TUPLE:
        return tuple(inputs)
    if node.op is TUPLE_GET:
        return inputs[0][node.attrs["index"]]
    if node.op is EMPTY_STASH:
        return []
    if node.op in _BOXES:
        return _BOXES[node.op](inputs)
    if node.op is TOKEN:
        return None
    if node.op is AFTER:
        return inputs[0]
    if not isinstance(node.op, Operator):
        raise InternalError(f"{_place(node)}a typed graph cannot hold the operation {node.op!r}")
    return b.apply(node.op, inputs, node.attrs)


_BOXES: Mapping[object, Callable[[list[Any]], Any]] = {
    MAKE_BOX: tuple,
    UNBOX: lambda inputs: inputs[0],
    EMPTY_BOX: lambda inputs: None,
    IS_EMPTY: lambda inputs: np.asarray(inputs[0] is None),
}
"""A box is a tuple, an empty one None."""


def _place(node: Node) -> str:
    return f"{node.location}: " if node.location is not None else ""
