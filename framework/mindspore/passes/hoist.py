"""``while c(s, w): s = f(s, g(w))`` computes ``g(w)`` once, before the loop, when no turn changes ``w``.

Only operators with floating results move, and none that may fail: a loop without turns does not fail. Views and constants
stay, since kernels read through them for free.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import SCAN, TUPLE_GET, WHILE, Apply, Graph, Node, Parameter, toposort
from mindspore.ir.loops import Loop, loop_of, steady
from mindspore.ir.operator import Operator
from mindspore.ir.rewrite import rewrite, substitute
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Alias, Move


def hoist_invariants(graph: Graph) -> bool:
    """Moves what every turn of a loop would compute again to before the loop."""
    return rewrite(graph, _hoisted)


def _hoisted(node: Apply) -> Node | None:
    if node.op not in (WHILE, SCAN):
        return None
    loop = loop_of(node)
    outputs, count = loop.body.outputs(), len(loop.state)
    if len(outputs) != count + len(loop.writes):
        return None
    moved = _movable(loop.body.parameters[:count], outputs)
    if not moved:
        return None
    outer: dict[int, Node] = {id(p): s for p, s in zip(loop.body.parameters, loop.state, strict=False)}
    values = substitute(moved, outer)
    made = _with_state(loop, moved, [values[id(m)] for m in moved]).node(node.location)
    b = GraphBuilder(node.location)
    places = [*range(count), *range(count + len(moved), len(outputs) + len(moved))]
    return b.tuple([b.get(made, i) for i in places])


def _movable(state: Sequence[Node], outputs: Sequence[Node]) -> list[Node]:
    """The last operators of those that read only what no turn changes."""
    fixed = steady(state, outputs)
    reading: set[int] = {id(p) for p in state if id(p) in fixed}
    stuck: set[int] = set()
    found: dict[int, Node] = {}
    for node in toposort(*outputs):
        if getattr(getattr(node, "op", None), "may_fail", False) or any(id(i) in stuck for i in node.inputs):
            stuck.add(id(node))
        if id(node) not in fixed or id(node) in stuck:
            found.update((id(i), i) for i in _work(node.inputs, reading))
        elif isinstance(node, Apply) and _is_operator(node) and any(id(i) in reading for i in node.inputs):
            reading.add(id(node))
    found.update((id(o), o) for o in _work(outputs, reading))
    return list(found.values())


def _work(inputs: Iterable[Node], reading: set[int]) -> list[Node]:
    """What lies behind the views among `inputs` and costs something to compute."""
    found: list[Node] = []
    stack = list(inputs)
    while stack:
        node = stack.pop()
        if id(node) not in reading or not isinstance(node, Apply):
            continue
        if isinstance(getattr(node.op, "compute", None), Move | Alias):
            stack.extend(node.inputs)
        elif isinstance(node.type, TensorType) and node.type.dtype.kind in "fc":
            found.append(node)
    return found


def _is_operator(node: Apply) -> bool:
    return isinstance(node.op, Operator) or node.op is TUPLE_GET


def _with_state(loop: Loop, moved: Sequence[Node], values: Sequence[Node]) -> Loop:
    """The loop with more state that no turn changes, in the place of the nodes `moved`."""
    count, body = len(loop.state), loop.body
    fresh = [Parameter(f"h{i}", m.type, m.location) for i, m in enumerate(moved)]
    replacements: dict[int, Node] = {id(m): p for m, p in zip(moved, fresh, strict=True)}
    mapped = substitute(body.outputs(), replacements)
    outputs = [mapped[id(o)] for o in body.outputs()]
    result = GraphBuilder(body.location).tuple([*outputs[:count], *fresh, *outputs[count:]])
    parameters = [*body.parameters[:count], *fresh, *body.parameters[count:]]
    condition = loop.condition
    if condition is not None:
        more = [Parameter(p.name, p.type, p.location) for p in fresh]
        condition = Graph(condition.name, [*condition.parameters, *more], condition.result, condition.location)
    changed = Graph(body.name, parameters, result, body.location)
    return Loop(condition, changed, [*loop.state, *values], loop.stashes, loop.reads, loop.writes)
