"""The gradient of a loop of run-time length is a loop that goes back over what each turn left.

``s = While(c, f, s)`` becomes ``s, r = While(c, f', s)``, whose body also leaves its residuals in the stash ``r``, and
``s̄ = Scan(f̄, s̄, r)`` from the last element to the first. Its state is the cotangent of the loop's state, so that what the turns add to
the cotangent of a value that does not change is summed there. The gradient of a Scan is made in the same way: it reads the stashes of
the Scan in the other direction, and makes those of their cotangents.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from mindspore.autodiff.activity import active_nodes, carries, elements, reached
from mindspore.autodiff.cotangents import zeros
from mindspore.autodiff.residuals import Body, Pullback, differentiated, residuals
from mindspore.base import dtypes as dt
from mindspore.base.errors import Location
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Graph, Node, Parameter, toposort
from mindspore.ir.loops import FORWARD, Loop, loop_of, steady
from mindspore.ir.rewrite import substitute
from mindspore.ir.types import TensorType

Differentiated = tuple[Apply, Sequence[Node | None]]


@dataclass(slots=True)
class _Needed:
    """Positions with a cotangent: of the state, of the stashes that the loop reads, and of those that it makes."""

    state: list[int]
    reads: list[int]
    writes: list[int]


def loop_gradients(node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback) -> Differentiated:
    """What takes the place of `node`, a While or Scan, and the cotangents of its inputs; `adjoint`: those of its results by position."""
    loop = loop_of(node)
    given: list[Node | None] = [None] * len(node.inputs)
    needed = _needed(loop, adjoint, active)
    count = len(loop.state)
    wrt = [*needed.state, *(count + j for j in needed.reads)]
    if not wrt:
        return node, given
    body = differentiated(loop.body, [*needed.state, *(count + k for k in needed.writes)], wrt, pullback)
    reverse = _Reverse(loop, body, node.location)
    found = reverse.run(needed, adjoint)
    first = len(node.inputs) - count - len(loop.stashes)
    for position, cotangent in zip(wrt, found, strict=True):
        given[first + position] = cotangent
    return reverse.forward, given


def _needed(loop: Loop, adjoint: Mapping[int, Node], active: set[int]) -> _Needed:
    """The least sets that hold what has a cotangent after the loop and what a turn hands cotangents to."""
    count = len(loop.state)
    parameters, outputs = loop.body.parameters, elements(loop.body.result)
    order = toposort(*parameters, *outputs)
    moving = [id(i) in active and carries(i) for i in [*loop.state, *loop.stashes]]
    known = -1
    while known < sum(moving):
        known = sum(moving)
        depends = active_nodes(order, [p for p, moves in zip(parameters, moving, strict=True) if moves])
        for i in range(count):
            moving[i] |= carries(outputs[i]) and id(outputs[i]) in depends
    writes = [p - count for p in adjoint if p >= count and id(outputs[p]) in depends]
    state = {p for p in adjoint if p < count and moving[p]}
    known = -1
    while known < len(state):
        known = len(state)
        read = reached([outputs[p] for p in (*sorted(state), *(count + k for k in writes))], depends)
        state |= {i for i in range(count) if moving[i] and id(parameters[i]) in read}
    reads = [j for j, p in enumerate(parameters[count:]) if moving[count + j] and id(p) in read]
    return _Needed(sorted(state), reads, writes)


class _Reverse:
    """The backward loop while its inputs are collected. ``forward`` takes the place of the loop once it has run."""

    forward: Apply

    def __init__(self, loop: Loop, body: Body, location: Location | None) -> None:
        self.loop, self.body, self.location = loop, body, location
        self.b = GraphBuilder(location)
        self.count = len(loop.state)
        self.steady = steady(body.parameters[: self.count], body.outputs)
        self.kept: list[Node] = []
        self.known: dict[int, Node] = {}
        self.fixed: list[tuple[Parameter, Node]] = []
        self.read: list[tuple[Parameter, Node | int, int]] = []

    def run(self, needed: _Needed, adjoint: Mapping[int, Node]) -> list[Node]:
        """Cotangents of the state and of the stashes that have one."""
        gradients = self.gradients([*needed.state, *(self.count + j for j in needed.reads)])
        split = len(needed.state)
        seeds, elements_of_made = self.body.seeds[:split], self.body.seeds[split:]
        for k, seed in zip(needed.writes, elements_of_made, strict=True):
            self.read.append((seed, adjoint[self.count + k], -self.loop.writes[k]))
        if not self.read:
            self.keep_length()
        self.forward = self.with_residuals()
        fixed = [p for p, _ in self.fixed]
        parameters = [*seeds, *fixed, *(p for p, _, _ in self.read)]
        outputs = self.b.tuple([*gradients[:split], *fixed, *gradients[split:]])
        graph = Graph(f"{self.loop.body.name}_backward", parameters, outputs, self.location)
        start = [adjoint[p] if p in adjoint else zeros(self.loop.state[p]) for p in needed.state]
        backward = Loop(
            None,
            graph,
            [*start, *(value for _, value in self.fixed)],
            [self.b.get(self.forward, s) if isinstance(s, int) else s for _, s, _ in self.read],
            reads=tuple(direction for _, _, direction in self.read),
            writes=tuple(-self.loop.reads[j] for j in needed.reads),
        )
        results = elements(backward.node(self.location))
        return [*results[:split], *results[split + len(fixed) :]]

    def gradients(self, wrt: Sequence[int]) -> list[Node]:
        """The body's gradients over the parameters of the backward body."""
        body = self.body
        found = [zeros(body.parameters[p]) if g is None else g for p, g in zip(wrt, body.gradients, strict=True)]
        for residual in residuals(body.parameters, body.outputs, found):
            self.keep(residual)
        mapped = substitute(found, self.known)
        return [mapped[id(g)] for g in found]

    def keep(self, residual: Node) -> None:
        """Finds how the backward body gets at `residual`: as it is outside, from a stash that is there, or from one more."""
        loop, body = self.loop, self.body
        place = next((i for i, p in enumerate(body.parameters) if p is residual), -1)
        made = next((k for k, o in enumerate(body.outputs[self.count :]) if o is residual), -1)
        if id(residual) in self.steady and (place >= 0 or isinstance(residual.type, TensorType)):
            self.fix(residual)
        elif place >= self.count:
            self.go_back(residual, loop.stashes[place - self.count], loop.reads[place - self.count])
        elif made >= 0:
            self.go_back(residual, self.count + made, loop.writes[made])
        else:
            self.stash(residual)

    def fix(self, residual: Node) -> None:
        """What no turn changes is computed before the backward loop; what reads nothing, inside it."""
        outer: dict[int, Node] = {
            id(p): value
            for p, value in zip(self.body.parameters, self.loop.state, strict=False)
            if id(p) in self.steady
        }
        value = substitute([residual], outer)[id(residual)]
        if value is not residual:
            parameter = Parameter(f"w{len(self.fixed)}", residual.type, residual.location)
            self.fixed.append((parameter, value))
            self.known[id(residual)] = parameter

    def go_back(self, residual: Node, source: Node | int, direction: int) -> None:
        """Reads a stash, or that among the forward loop's results, against the direction of the forward loop."""
        parameter = Parameter(f"r{len(self.read)}", residual.type, residual.location)
        self.read.append((parameter, source, -direction))
        self.known[id(residual)] = parameter

    def stash(self, residual: Node) -> None:
        position = len(self.body.outputs) + len(self.kept)
        self.kept.append(residual)
        self.go_back(residual, position, FORWARD)

    def keep_length(self) -> None:
        """A backward loop that reads nothing else reads a stash for its length alone."""
        nothing = self.b.full(shape=(0,), value=0, dtype=dt.bool_)
        if self.loop.stashes:
            element = self.body.parameters[self.count]
            self.go_back(element, self.loop.stashes[0], self.loop.reads[0])
        elif self.loop.writes:
            self.go_back(self.body.outputs[self.count], self.count, self.loop.writes[0])
        else:
            self.stash(nothing)

    def with_residuals(self) -> Apply:
        """The forward loop that leaves the residuals as well."""
        outputs = self.b.tuple([*self.body.outputs, *self.kept])
        name = f"{self.loop.body.name}_forward" if self.kept else self.loop.body.name
        graph = Graph(name, self.body.parameters, outputs, self.location)
        writes = (*self.loop.writes, *(FORWARD for _ in self.kept))
        return replace(self.loop, body=graph, writes=writes).node(self.location)
