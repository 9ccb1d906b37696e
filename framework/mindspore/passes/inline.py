"""``Call(f, x) = body of f over x`` for every known, non-recursive f, unless it stands for equal parts."""

from __future__ import annotations

from mindspore.ir.graph import CALL, Apply, Constant, Graph, Node, bodies, is_shared, nodes
from mindspore.ir.rewrite import inline, rewrite


def inline_calls(graph: Graph) -> bool:
    """Copies the body of each called graph to its call; recursive and shared graphs stay calls."""
    if not any(isinstance(n, Apply) and n.op is CALL and not is_shared(n) for _, order in bodies(graph) for n in order):
        return False
    recursive = _recursive_graphs(graph)

    def rule(node: Apply) -> Node | None:
        if node.op is not CALL or is_shared(node) or not isinstance(node.inputs[0], Constant):
            return None
        callee = node.inputs[0].value
        if not isinstance(callee, Graph) or id(callee) in recursive:
            return None
        return inline(callee, node.inputs[1:])

    return rewrite(graph, rule)


def _references(graph: Graph) -> list[Graph]:
    return [n.value for n in nodes(graph) if isinstance(n, Constant) and isinstance(n.value, Graph)]


def _recursive_graphs(root: Graph) -> set[int]:
    """Ids of the graphs that reach themselves through graphs they mention (a cycle of the reference graph)."""
    recursive: set[int] = set()
    path: list[Graph] = []
    on_path: set[int] = set()
    done: set[int] = set()
    stack: list[tuple[Graph, bool]] = [(root, False)]
    while stack:
        graph, leaving = stack.pop()
        if leaving:
            path.pop()
            on_path.discard(id(graph))
            done.add(id(graph))
        elif id(graph) in on_path:
            start = next(i for i, g in enumerate(path) if g is graph)
            recursive.update(id(g) for g in path[start:])
        elif id(graph) not in done:
            path.append(graph)
            on_path.add(id(graph))
            stack.append((graph, True))
            stack.extend((g, False) for g in _references(graph))
    return recursive
