"""Bodies of shared graphs in the flat form: they take the places of the calls, but what one computed already is not computed again.

One node with the same inputs is one value, in whichever calls it occurs: so calls with equal arguments meet, and the results of a graph and
its gradients share what both need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from mindspore.ir.graph import TUPLE_GET, Apply, Graph, Node, is_shared, nodes, toposort
from mindspore.ir.types import TupleType
from mindspore.kernels.program import Read

Leaves = tuple[Read, ...]


class Bodies:
    """What is known about the shared graphs of a function."""

    def __init__(self) -> None:
        self.known: dict[tuple[int, ...], tuple[Leaves, Sequence[Leaves]]] = {}
        self.orders: dict[tuple[Graph, tuple[int, ...]], list[Node]] = {}
        self.read: dict[Node, tuple[int, ...]] = {}
        self.seen: set[Graph] = set()

    def enter(self, graph: Graph) -> None:
        """Finds the results that `graph` reads of each shared call in it."""
        if graph in self.seen:
            return
        self.seen.add(graph)
        found: dict[Node, set[int]] = {}
        for node in nodes(graph):
            for source in node.inputs:
                if is_shared(source):
                    assert isinstance(source.type, TupleType)
                    taken = isinstance(node, Apply) and node.op is TUPLE_GET
                    places = [node.attrs["index"]] if taken else range(len(source.type.elements))  # type: ignore[attr-defined]
                    found.setdefault(source, set()).update(places)
        self.read.update((node, tuple(sorted(places))) for node, places in found.items())

    def order(self, graph: Graph, results: tuple[int, ...]) -> list[Node]:
        """The nodes that these results need."""
        if (graph, results) not in self.orders:
            outputs = graph.outputs()
            self.orders[graph, results] = toposort(*(outputs[i] for i in results))
        return self.orders[graph, results]

    def once(self, node: Node, leaves: Mapping[Node, Leaves], visit: Callable[[Node], Leaves]) -> Leaves:
        """What `node` gives for the leaves of its inputs, which are told apart by identity and kept."""
        given = [leaves[i] for i in node.inputs]
        key = (id(node), *map(id, given))
        if key not in self.known:
            self.known[key] = (visit(node), given)
        return self.known[key][0]
