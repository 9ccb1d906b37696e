"""The gradient of `If`: the forward branch also returns what its backward part reads, so that nothing is computed twice.

``If(c, t, e, x)`` becomes ``(y, r_t, r_e) = If(c, t', e', x)`` and ``x̄ = If(c, t̄, ē, r_t, r_e, x, ȳ)``: each branch leaves the other's
residuals blank.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mindspore.autodiff.activity import carries
from mindspore.autodiff.cotangents import blank, zeros
from mindspore.autodiff.residuals import Body, Pullback, differentiated, residuals
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import IF, Apply, Constant, Graph, Node, Parameter, toposort
from mindspore.ir.loops import function
from mindspore.ir.rewrite import substitute

Differentiated = tuple[Apply, Sequence[Node | None]]
"""A node that takes the place of a structured one, and the cotangents of its inputs."""


def branch_gradients(node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback) -> Differentiated:
    """The gradient of an If; `adjoint` gives the cotangents of its results by position."""
    arguments = node.inputs[3:]
    wrt = [i for i, a in enumerate(arguments) if id(a) in active and carries(a)]
    given: list[Node | None] = [None] * len(node.inputs)
    graphs = [f.value for f in node.inputs[1:3] if isinstance(f, Constant)]
    branches = [differentiated(graph, list(adjoint), wrt, pullback) for graph in graphs]
    found = {k: p for k, p in enumerate(wrt) if any(each.gradients[k] is not None for each in branches)}
    if not found:
        return node, given
    b = GraphBuilder(node.location)
    forward = _forward(b, node, branches)
    kept = [b.get(forward, len(branches[0].outputs) + k) for k in range(sum(len(_own(x)) for x in branches))]
    backward = _backward(b, node, branches, [*kept, *adjoint.values()], found)
    for order, position in enumerate(found.values()):
        given[3 + position] = b.get(backward, order)
    return forward, given


def _own(branch: Body) -> list[Node]:
    """The residuals that only the branch knows; its arguments are known outside."""
    read = residuals(branch.parameters, branch.outputs, [g for g in branch.gradients if g is not None])
    return [r for r in read if r not in branch.parameters]


def _forward(b: GraphBuilder, node: Apply, branches: Sequence[Body]) -> Apply:
    """The If that returns outputs and the residuals of both branches."""
    graphs = []
    for branch in branches:
        parts: list[Node] = list(branch.outputs)
        for other in branches:
            parts += [r if other is branch else blank(r) for r in _own(other)]
        graphs.append(Graph("branch_forward", branch.parameters, b.tuple(parts), node.location))
    return _if(node, graphs, node.inputs[3:])


def _backward(
    b: GraphBuilder, node: Apply, branches: Sequence[Body], given: Sequence[Node], found: Mapping[int, int]
) -> Apply:
    """The If that turns residuals and cotangents into gradients; `found`: which of them -> argument."""
    rows = [[Parameter(f"r{i}", r.type) for i, r in enumerate(_own(x))] for x in branches]
    results = [_over(branch, row, found) for branch, row in zip(branches, rows, strict=True)]
    read = {id(n) for each in results for n in toposort(*each)}
    used = [i for i in range(len(node.inputs) - 3) if any(id(x.parameters[i]) in read for x in branches)]
    graphs = []
    for branch, gradients in zip(branches, results, strict=True):
        own = [branch.parameters[i] for i in used]
        parameters = [*(p for row in rows for p in row), *branch.seeds, *own]
        graphs.append(Graph("branch_backward", parameters, b.tuple(gradients), node.location))
    return _if(node, graphs, [*given, *(node.inputs[3 + i] for i in used)])


def _over(branch: Body, row: Sequence[Node], found: Mapping[int, int]) -> list[Node]:
    """The gradients of a branch, zeros for those that only the other branch has, over the values of its residuals in `row`."""
    present = {p: branch.gradients[k] for k, p in found.items()}
    gradients = [zeros(branch.parameters[p]) if g is None else g for p, g in present.items()]
    mapped = substitute(gradients, {id(r): p for r, p in zip(_own(branch), row, strict=True)})
    return [mapped[id(g)] for g in gradients]


def _if(node: Apply, graphs: Sequence[Graph], arguments: Sequence[Node]) -> Apply:
    inputs = [node.inputs[0], *map(function, graphs), *arguments]
    return Apply(IF, inputs, type=graphs[0].result.type, location=node.location)
