"""Changing graphs: copying a body into another graph, and rewriting every node bottom-up. Nothing here recurses over a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import EMIT, Apply, Constant, Graph, Node, Parameter, bodies, is_shared, nodes, toposort

Rule = Callable[[Apply], Node | None]


def with_inputs(node: Apply, inputs: Sequence[Node]) -> Apply:
    """`node` over other inputs of the same types; the node itself when they are the same."""
    if all(a is b for a, b in zip(node.inputs, inputs, strict=True)):
        return node
    return Apply(node.op, inputs, node.attrs, node.type, node.location)


def substitute(roots: Iterable[Node], replacements: dict[int, Node]) -> dict[int, Node]:
    """Maps the id of every node under `roots` to its copy over `replacements`; nodes that do not change stay themselves."""
    mapped = dict(replacements)
    for node in toposort(*roots):
        if id(node) in mapped:
            continue
        if isinstance(node, Apply):
            mapped[id(node)] = with_inputs(node, [mapped[id(i)] for i in node.inputs])
        else:
            mapped[id(node)] = node
    return mapped


def inline(graph: Graph, arguments: Sequence[Node]) -> Node:
    """The output of a closed `graph` with `arguments` in the place of its parameters."""
    if len(arguments) != len(graph.parameters):
        raise TypeError(f"graph {graph.name} takes {len(graph.parameters)} arguments, got {len(arguments)}")
    replacements: dict[int, Node] = {id(p): a for p, a in zip(graph.parameters, arguments, strict=True)}
    return substitute([graph.result], replacements)[id(graph.result)]


def copy(graph: Graph, name: str | None = None) -> Graph:
    """A graph with parameters of its own and the same body; nested graphs are shared."""
    parameters = [Parameter(p.name, p.type, p.location) for p in graph.parameters]
    return Graph(name or graph.name, parameters, inline(graph, parameters), graph.location)


def has_effects(graph: Graph) -> bool:
    """Whether `graph` or a graph inside it does more than compute."""
    return any(isinstance(node, Apply) and node.op is EMIT for _, order in bodies(graph) for node in order)


def without_effects(graph: Graph) -> Graph:
    """A copy that computes the same values and hands its token on: for what is computed again."""
    copies: dict[int, Graph] = {}
    for each in inner_first(graph):
        parameters = [Parameter(p.name, p.type, p.location) for p in each.parameters]
        mapped: dict[int, Node] = {id(p): q for p, q in zip(each.parameters, parameters, strict=True)}
        for node in nodes(each):
            if isinstance(node, Apply):
                inputs = [mapped[id(i)] for i in node.inputs]
                mapped[id(node)] = inputs[0] if node.op is EMIT else with_inputs(node, inputs)
            elif isinstance(node, Constant) and isinstance(node.value, Graph):
                mapped[id(node)] = Constant(copies[id(node.value)], node.type, node.location)
            else:
                mapped.setdefault(id(node), node)
        copies[id(each)] = Graph(each.name, parameters, mapped[id(each.result)], each.location)
    return copies[id(graph)]


def inner_first(graph: Graph) -> list[Graph]:
    """`graph` and the graphs inside it, each after those that it mentions."""
    order: list[Graph] = []
    seen: set[int] = set()
    stack = [(graph, False)]
    while stack:
        current, left = stack.pop()
        if left:
            order.append(current)
        elif id(current) not in seen:
            seen.add(id(current))
            stack.append((current, True))
            stack += [(c.value, False) for c in constants(current) if isinstance(c.value, Graph)]
    return order


def expansion(node: Apply) -> Node:
    """What a composite operator stands for, over the inputs of `node`."""
    b = GraphBuilder(node.location)
    result: Node | tuple[Node, ...] = node.op.expand(b, *node.inputs, **node.attrs)
    return b.tuple(result) if isinstance(result, tuple) else result


def rewrite(graph: Graph, rule: Rule) -> bool:
    """Replaces nodes in `graph` and every graph inside it, inputs first, until `rule` finds nothing more.

    Returns whether anything changed. Graphs are changed in place (their ``output``), nodes never are.
    """
    changed = False
    for each, order in bodies(graph):
        while (output := _rewritten(each, order, rule)) is not each.output:
            each.output = output
            changed, order = True, nodes(each)
    return changed


def _rewritten(graph: Graph, order: Sequence[Node], rule: Rule) -> Node:
    mapped: dict[int, Node] = {}
    for node in order:
        if not isinstance(node, Apply):
            continue
        current: Node = node
        if mapped and any(id(i) in mapped for i in node.inputs):
            current = Apply(node.op, [mapped.get(id(i), i) for i in node.inputs], node.attrs, node.type, node.location)
        while isinstance(current, Apply):
            found = rule(current)
            if found is None:
                break
            current = found
        if current is not node:
            mapped[id(node)] = current
    return mapped.get(id(graph.result), graph.result)


def separate(graph: Graph) -> bool:
    """Copies the bodies of shared graphs to their calls, for what has no rule for these; whether there were any."""

    def rule(node: Apply) -> Node | None:
        function = node.inputs[0] if is_shared(node) else None
        return inline(function.value, node.inputs[1:]) if isinstance(function, Constant) else None

    return rewrite(graph, rule)


def users(graph: Graph) -> dict[int, list[Apply]]:
    """For the id of each node in `graph`, the nodes that read it, in topological order."""
    found: dict[int, list[Apply]] = {}
    for node in nodes(graph):
        if isinstance(node, Apply):
            for each in {id(i): i for i in node.inputs}.values():
                found.setdefault(id(each), []).append(node)
    return found


def constants(graph: Graph) -> list[Constant]:
    """Constants of `graph` itself, nested graphs not entered."""
    return [n for n in nodes(graph) if isinstance(n, Constant)]
