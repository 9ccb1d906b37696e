"""A call as a closed typed graph of its own, for transformations: fresh parameters, then what the call reads from outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any

from mindspore.infer.control import scoped
from mindspore.infer.heap import Layer
from mindspore.infer.machine import Ended, HookScope, Machine
from mindspore.infer.result import Rebuild, taken_apart
from mindspore.infer.structure import describe, elements, is_sequence
from mindspore.infer.values import NEVER, Abstract
from mindspore.infer.whiles import packed, unpacked
from mindspore.ir.graph import Apply, Graph, Node, Parameter, complete, toposort
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

    def moved_by(self, wrt: Items[int]) -> list[int]:
        """Positions in the first part of what gradients for the inputs `wrt` are of: integers too where one of these is an integer."""
        whole = any(tensor_kind(self.graph.parameters[i]).dtype.is_integer for i in wrt)
        return [
            i for i, kind in enumerate(self.results) if kind.dtype.kind in "fc" or (whole and kind.dtype.is_integer)
        ]

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
    differentiated: bool = False,
) -> Closed:
    """Runs `call`, which reads the parameters `fresh`, and closes what it made; `fresh` gives the argument of each.

    `differentiated`: gradients of it are taken, so that hooks may be registered on its tensors.

    Raises:
        Ended: it always raises.
        TypeError: it returns something that cannot leave a graph; with `has_aux`, no tuple.
    """
    hooks = HookScope(len(machine.emitter.scopes) + 1)
    calls = machine.recursive_calls
    if differentiated:
        machine.gradients += 1
        machine.hooks.append(hooks)
    made = scoped(machine, call, conditional=False)
    if differentiated:
        machine.gradients -= 1
        machine.hooks.pop()
    layer, owned = made.layer, made.nodes
    machine.heap.push(layer)
    machine.emitter.scopes.append(owned)
    parts = () if made.result is NEVER else _parts(machine, made.result, has_aux)
    leaves: list[Node] = []
    value = [taken_apart(machine, p, leaves) for p in parts[:1]]
    head = len(leaves)
    value += [taken_apart(machine, p, leaves) for p in parts[1:]]
    outputs = list(leaves)
    written = _written(machine, layer, outputs)
    machine.emitter.close()
    machine.heap.pop()
    outputs = _rewired(hooks, owned, outputs)
    named: list[Node] = [*fresh, *[n for n in machine.emitter.free(outputs, owned) if n not in fresh]]
    graph = machine.emitter.closed(name, outputs, owned, named)
    if machine.recursive_calls > calls and not complete(graph):
        raise TypeError(
            "a function that calls itself inside its own gradient or gradient rule is not supported in a graph."
        )
    arguments = [*fresh.values(), *named[len(fresh) :]]
    found = Closed(graph, named, arguments, value, leaves, head, written)
    if made.result is NEVER:
        found.write_back(machine, machine.emitter.inlined(graph, arguments))
        raise Ended
    return found


def _rewired(hooks: HookScope, owned: set[Node], outputs: list[Node]) -> list[Node]:
    """`outputs` after all nodes in `owned`, which belong to this call and are changed in place, read tensors through their hooks."""
    for source, (nodes, through) in hooks.entries.items():
        read = [i for n in nodes for i in n.inputs[3:]]
        if any(source in n.inputs for n in toposort(*read)):
            raise TypeError("a hook must not read what is computed from the tensor on which it is registered.")
        for each in owned:
            if each not in nodes and isinstance(each, Apply) and source in each.inputs:
                each.inputs = tuple(through if i is source else i for i in each.inputs)
        outputs = [through if o is source else o for o in outputs]
    return outputs


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
