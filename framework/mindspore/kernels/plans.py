"""Eager plans: which kernels, with which parameters, compute an operator or a typed graph without fusing anything.

Composite operators are expanded; operators whose kernel the ahead-of-time table lacks still get a plan, and their kernel is compiled by
`jit` when its name is first resolved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mindspore.base.shapes import size
from mindspore.ir.builder import GraphBuilder, complete_attrs
from mindspore.ir.graph import MAKE_TUPLE, TUPLE_GET, Apply, Constant, Graph, Node, Parameter, toposort
from mindspore.ir.operator import Operator
from mindspore.ir.types import TensorType, TupleType
from mindspore.kernels import catalog
from mindspore.kernels.calls import Call, calls, copy_call
from mindspore.primitives.compute import Alias

MOST_WASTE = 8
"""A temporary takes no free buffer of more than as many times its size,"""
SMALL_BUFFER = 1 << 16
"""if that has more than these bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """One kernel call. Buffers are numbered: operands, outputs, temporaries, constants."""

    kernel: str
    buffers: tuple[int, ...]
    params: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlanSpec:
    """A flat list of kernel calls.

    Attributes:
        operands: how many there are.
        outputs: their types.
        temporaries: bytes of each.
        constants: arrays the steps read.
        steps: in order.
        aliases: (output, buffer) where an output shares the memory of that buffer; no step writes it.
    """

    operands: int
    outputs: tuple[TensorType, ...]
    temporaries: tuple[int, ...]
    constants: tuple[np.ndarray, ...]
    steps: tuple[Step, ...]
    aliases: tuple[tuple[int, int], ...]


class Expander(GraphBuilder):
    """Builds typed nodes of operators that have `compute` only: composites become what they stand for."""

    def apply(self, op: Operator, inputs: Sequence[Node], attrs: Mapping[str, Any]) -> Node:
        if op.expand is None:
            return super().apply(op, inputs, attrs)
        result: Node = op.expand(self, *inputs, **attrs)
        return result


def plan(op: Operator, operand_types: Sequence[TensorType], attrs: Mapping[str, Any]) -> PlanSpec:
    """The plan of one operator on operands of these types; TypeError and ValueError of its inference for types that do not fit."""
    builder = Expander()
    parameters = [Parameter(f"x{i}", t) for i, t in enumerate(operand_types)]
    promoted = builder.promoted(op, parameters)
    full = complete_attrs(op, attrs)
    op.infer(*[p.type for p in promoted], **full)
    return _planned(parameters, builder.apply(op, promoted, full))


def plan_graph(graph: Graph) -> PlanSpec:
    """The plan of a closed typed graph without If, While and Call."""
    builder = Expander()
    made: dict[int, Node] = {}
    for node in toposort(*graph.parameters, graph.result):
        made[id(node)] = _copied(builder, node, [made[id(i)] for i in node.inputs])
    return _planned(list(graph.parameters), made[id(graph.result)])


def _copied(builder: Expander, node: Node, inputs: list[Node]) -> Node:
    if not isinstance(node, Apply):
        return node
    if node.op is MAKE_TUPLE:
        return builder.tuple(inputs)
    if node.op is TUPLE_GET:
        return builder.get(inputs[0], node.attrs["index"])
    if not isinstance(node.op, Operator):
        raise TypeError(f"a plan runs operators only, got {node.op}; compile the graph instead")
    if node.op.expand is not None:
        return builder.apply(node.op, inputs, node.attrs)
    return Apply(node.op, inputs, node.attrs, node.type, node.location)


Place = tuple[int, int]
"""A tensor: id of the node that computes it, and which of its results."""


@dataclass(slots=True)
class _Assignment:
    """Which buffer each tensor lies in. Keys are (kind, position) until the numbers of temporaries are known."""

    places: dict[Place, tuple[str, int]] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)
    free: list[int] = field(default_factory=list)
    constants: list[np.ndarray] = field(default_factory=list)

    def temporary(self, place: Place, nbytes: int) -> None:
        """A free buffer that is large enough and not far too large, which small results would keep from others; else a new one."""
        most = max(MOST_WASTE * nbytes, SMALL_BUFFER)
        fitting = [i for i in self.free if nbytes <= self.sizes[i] <= most]
        chosen = min(fitting, key=self.sizes.__getitem__, default=-1)
        if chosen >= 0:
            self.free.remove(chosen)
        else:
            chosen = len(self.sizes)
            self.sizes.append(nbytes)
        self.places[place] = ("temporary", chosen)


def _tensors(node: Node) -> list[TensorType]:
    kind = node.type
    elements = kind.elements if isinstance(kind, TupleType) else (kind,)
    if not all(isinstance(e, TensorType) for e in elements):
        raise TypeError(f"a plan computes tensors only, got {kind}")
    return [e for e in elements if isinstance(e, TensorType)]


def root(node: Node) -> Place:
    """Where the tensor of `node` is computed, looking through tuples and aliases."""
    index = 0
    while isinstance(node, Apply):
        if node.op is TUPLE_GET:
            index, node = node.attrs["index"], node.inputs[0]
        elif node.op is MAKE_TUPLE:
            node, index = node.inputs[index], 0
        elif isinstance(node.op, Operator) and isinstance(node.op.compute, Alias):
            node, index = node.inputs[0], 0
        else:
            break
    return id(node), index


def _results(result: Node) -> list[Node]:
    """The tensors of the result, tuples opened."""
    if isinstance(result, Apply) and result.op is MAKE_TUPLE:
        return list(result.inputs)
    if isinstance(result.type, TupleType):
        builder = GraphBuilder()
        return [builder.get(result, i) for i in range(len(result.type.elements))]
    return [result]


def _planned(parameters: Sequence[Parameter], result: Node) -> PlanSpec:
    results = _results(result)
    order = [n for n in toposort(*results) if _computes(n)]
    state = _Assignment()
    for i, parameter in enumerate(parameters):
        state.places[id(parameter), 0] = ("operand", i)
    aliases, copies = _place_outputs(state, results)
    steps: list[tuple[Call, list[tuple[str, int]]]] = []
    last_use = _last_uses(order)
    for position, node in enumerate(order):
        steps += _node_steps(state, node)
        _release(state, order, position, last_use)
    steps += _copy_steps(state, results, copies)
    return _numbered(state, len(parameters), results, steps, aliases)


def _computes(node: Node) -> bool:
    if isinstance(node, Constant):
        return True
    return isinstance(node, Apply) and isinstance(node.op, Operator) and not isinstance(node.op.compute, Alias)


def _place_outputs(state: _Assignment, results: Sequence[Node]) -> tuple[list[tuple[int, tuple[str, int]]], list[int]]:
    """Results are computed into their outputs. Gives the outputs that share memory, and those that copy a constant."""
    constants = {id(n) for n in toposort(*results) if isinstance(n, Constant)}
    aliases, copies = [], []
    for i, result in enumerate(results):
        place = root(result)
        if place in state.places:
            aliases.append((i, state.places[place]))
        elif place[0] in constants:
            copies.append(i)
        else:
            state.places[place] = ("output", i)
    return aliases, copies


def _last_uses(order: Sequence[Node]) -> dict[Place, int]:
    uses: dict[Place, int] = {}
    for position, node in enumerate(order):
        for used in node.inputs:
            uses[root(used)] = position
    return uses


def _node_steps(state: _Assignment, node: Node) -> list[tuple[Call, list[tuple[str, int]]]]:
    if isinstance(node, Constant):
        state.places[id(node), 0] = ("constant", len(state.constants))
        state.constants.append(np.ascontiguousarray(node.value).reshape(np.shape(node.value)))
        return []
    assert isinstance(node, Apply)
    for i, kind in enumerate(_tensors(node)):
        if (id(node), i) not in state.places:
            state.temporary((id(node), i), size(kind.shape) * kind.dtype.itemsize)
    buffers = [state.places[root(i)] for i in node.inputs]
    buffers += [state.places[id(node), i] for i in range(len(_tensors(node)))]
    inputs = [t for i in node.inputs for t in _tensors(i)]
    return [(call, [buffers[b] for b in call.buffers]) for call in calls(node.op, inputs, _tensors(node), node.attrs)]


def _release(state: _Assignment, order: Sequence[Node], position: int, last_use: Mapping[Place, int]) -> None:
    """Temporaries that nothing needs after this node are free for the next."""
    node = order[position]
    places = {root(i) for i in node.inputs} | {(id(node), i) for i in range(len(_tensors(node)))}
    for place in sorted(places, key=lambda p: state.places.get(p, ("", 0))):
        kind, number = state.places.get(place, ("", 0))
        if kind == "temporary" and last_use.get(place, -1) <= position and number not in state.free:
            state.free.append(number)


def _copy_steps(
    state: _Assignment, results: Sequence[Node], copies: Sequence[int]
) -> list[tuple[Call, list[tuple[str, int]]]]:
    """An output must not share the memory of a constant: the caller may write to it."""
    steps = []
    for i in copies:
        kind = _tensors(results[i])[0]
        steps += [(c, [state.places[root(results[i])], ("output", i)]) for c in copy_call(kind)]
    return steps


def _numbered(
    state: _Assignment, operands: int, results: Sequence[Node], steps: Sequence[tuple[Call, list[tuple[str, int]]]],
    aliases: Sequence[tuple[int, tuple[str, int]]],
) -> PlanSpec:  # fmt: skip
    start = {"operand": 0, "output": operands, "temporary": operands + len(results)}
    start["constant"] = start["temporary"] + len(state.sizes)

    def number(place: tuple[str, int]) -> int:
        return start[place[0]] + place[1]

    return PlanSpec(
        operands,
        tuple(_tensors(r)[0] for r in results),
        tuple(state.sizes),
        tuple(state.constants),
        tuple(Step(catalog.define(c.spec), tuple(number(b) for b in buffers), c.params) for c, buffers in steps),
        tuple((i, number(place)) for i, place in aliases),
    )
