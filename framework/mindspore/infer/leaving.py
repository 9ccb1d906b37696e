"""Values that leave a scope: their tensors become its results, and what it made on the heap is made anew outside."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any

from mindspore.infer.functions import opened
from mindspore.infer.heap import Layer
from mindspore.infer.machine import Machine
from mindspore.infer.structure import make_tuple
from mindspore.infer.values import Abstract, Box, Dict, Instance, Iterator, List, Sequence, View
from mindspore.ir.graph import Node

Kept = List | Dict | Instance | Iterator | Box
Rebuild = Callable[[Items[Node]], Abstract]


@dataclass(slots=True)
class Leaving:
    """One arm of a branch that has been interpreted: its writes in `layer`, its nodes in `owned`.

    `leaf` makes a node a result of the branch. Each value that is taken must be rebuilt from one list of results, so that variables that
    two closures share are shared afterwards too.
    """

    machine: Machine
    layer: Layer
    owned: set[Node]
    leaf: Callable[[Node], Rebuild]
    shared: set[Abstract] = field(default_factory=set)
    """Variables and containers from before the branch that values of the arm hold."""
    _taken: dict[Any, Rebuild] = field(default_factory=dict)

    def take(self, value: Abstract) -> Rebuild:
        """How to make `value` again outside the arm."""
        if isinstance(value, Node):
            return self._result(value) if value in self.owned else lambda nodes: value
        if isinstance(value, Sequence):
            parts, cls = [self.take(e) for e in value.elements], value.cls
            return lambda nodes: make_tuple([p(nodes) for p in parts], cls)
        if isinstance(value, Kept) and not isinstance(value, View):
            if value not in self.machine.heap:
                return self._taken.get(value) or self._moved(value)
            self.shared.add(value)
        if (how := opened(value)) is not None:
            inner = [self.take(p) for p in how.parts]
            return lambda nodes: how.close([p(nodes) for p in inner])
        return lambda nodes: value

    def moves(self, value: Abstract) -> bool:
        """Whether `value` is made again outside the arm."""
        return value in self._taken

    def _result(self, node: Node) -> Rebuild:
        if node not in self._taken:
            self._taken[node] = self.leaf(node)
        return self._taken[node]

    def _moved(self, value: Kept) -> Rebuild:
        """A list, dict or variable that the arm made. It may hold itself: a function that calls itself is held by its own name."""
        made: list[Kept] = []

        def rebuild(nodes: Items[Node]) -> Abstract:
            if not made:
                made.append(Instance(value.cls) if isinstance(value, Instance) else type(value)())
                self.machine.heap.set(made[0], content(nodes))
            return made[0]

        self._taken[value] = rebuild
        content = self._content(self.layer[value])
        return rebuild

    def _content(self, held: Any) -> Callable[[Items[Node]], Any]:
        if isinstance(held, dict):
            items = {k: self.take(v) for k, v in held.items()}
            return lambda nodes: {k: p(nodes) for k, p in items.items()}
        if isinstance(held, tuple):
            parts = [self.take(v) for v in held]
            return lambda nodes: tuple(p(nodes) for p in parts)
        return self.take(held)
