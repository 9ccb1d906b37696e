"""A call as a closed typed graph of its own, for transformations: fresh parameters, then what the call reads from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any

from mindspore.infer.control import scoped
from mindspore.infer.heap import Layer
from mindspore.infer.machine import Machine
from mindspore.infer.result import Rebuild, taken_apart
from mindspore.infer.structure import describe, elements, is_sequence
from mindspore.infer.values import Abstract
from mindspore.infer.whiles import packed, unpacked
from mindspore.ir.graph import Constant, Graph, Node, Parameter, nodes
from mindspore.ir.types import TensorType


@dataclass(slots=True, eq=False)
class Closed:
    """The call as a graph; its outputs are the tensors of the value, then those of the state that it wrote.

    Attributes:
        named: the nodes that the graph's parameters stand for: first the fresh ones.
        arguments: what to give to the parameters where the graph is placed.
        value: the parts of the value, each made from all outputs.
        leaves: the tensors of the value.
        head: how many leaves belong to the first part.
        written: keys of the heap and what the call left there.
    """

    graph: Graph
    named: list[Node]
    arguments: list[Node]
    value: list[Rebuild]
    leaves: list[Node]
    head: int
    written: list[tuple[Any, Rebuild]]

    @property
    def results(self) -> tuple[TensorType, ...]:
        """Types of the tensors in the first part."""
        return tuple(map(tensor_kind, self.leaves[: self.head]))

    @property
    def floating(self) -> list[int]:
        """Positions of the floating tensors in the first part: what gradients are of."""
        return floating(self.results)

    def parts(self, outputs: Items[Node]) -> list[Abstract]:
        """The parts of the value over the graph's `outputs`: what is differentiated, then auxiliary ones."""
        return [r(outputs) for r in self.value]

    def write_back(self, machine: Machine, outputs: Items[Node]) -> None:
        """Makes what the call wrote the newest state."""
        for key, rebuild in self.written:
            machine.heap.set(key, unpacked(key, rebuild(outputs), machine.heap.get(key)))


def floating(types: Items[TensorType]) -> list[int]:
    """Positions of floating tensors."""
    return [i for i, kind in enumerate(types) if kind.dtype.kind in "fc"]


def tensor_kind(node: Node) -> TensorType:
    assert isinstance(node.type, TensorType)
    return node.type


def closed_call(
    machine: Machine,
    call: Callable[[], Abstract],
    fresh: Mapping[Parameter, Node],
    has_aux: bool = False,
    name: str = "differentiated",
) -> Closed:
    """Runs `call`, which reads the parameters `fresh`, and closes what it made; `fresh` gives the argument of each.

    Raises:
        TypeError: it returns something that cannot leave a graph; with `has_aux`, no tuple.
    """
    calls = machine.recursive_calls
    result, layer, owned = scoped(machine, call, conditional=False)
    machine.heap.push(layer)
    machine.emitter.scopes.append(owned)
    parts = _parts(machine, result, has_aux)
    leaves: list[Node] = []
    value = [taken_apart(machine, parts[0], leaves)]
    head = len(leaves)
    value += [taken_apart(machine, p, leaves) for p in parts[1:]]
    outputs = list(leaves)
    written = _written(machine, layer, outputs)
    machine.emitter.close()
    machine.heap.pop()
    named: list[Node] = [*fresh, *[n for n in machine.emitter.free(outputs, owned) if n not in fresh]]
    graph = machine.emitter.closed(name, outputs, owned, named)
    if machine.recursive_calls > calls and _unfinished(graph):
        raise TypeError(
            "a function that calls itself inside its own gradient or gradient rule is not supported in a graph."
        )
    arguments = [*fresh.values(), *named[len(fresh) :]]
    return Closed(graph, named, arguments, value, leaves, head, written)


def _unfinished(graph: Graph) -> bool:
    """Whether a graph inside `graph` is still being made."""
    seen, queue = {graph}, [graph]
    for current in queue:
        if current.output is None:
            return True
        inside = [n.value for n in nodes(current) if isinstance(n, Constant) and isinstance(n.value, Graph)]
        fresh = [g for g in dict.fromkeys(inside) if g not in seen]
        seen.update(fresh)
        queue += fresh
    return False


def _parts(machine: Machine, result: Abstract, has_aux: bool) -> tuple[Abstract, ...]:
    if not has_aux:
        return (result,)
    if not is_sequence(result):
        raise TypeError(
            f"has_aux=True needs a function that returns a tuple of a value and more, got {describe(result)}."
        )
    return elements(machine, result)


def _written(machine: Machine, layer: Layer, outputs: list[Node]) -> list[tuple[Any, Rebuild]]:
    """State from outside that the call wrote; its tensors become outputs."""
    below = machine.heap.layers[:-1]
    keys = [k for k in layer if any(k in each for each in below)]
    return [(k, taken_apart(machine, packed(k, layer[k]), outputs)) for k in keys]
