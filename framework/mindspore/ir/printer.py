"""Graphs as text: one line per node with types and the source line it comes from."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.ir.graph import Apply, Constant, Graph, Node, Parameter, nodes, subgraphs

_FEW = 8


def to_text(graph: Graph, title: str = "") -> str:
    """`graph` and the graphs inside it, readable and stable from run to run."""
    graphs = list(subgraphs(graph))
    names = _unique_names(graphs)
    head = [f"# {title}"] if title else []
    return "\n\n".join([*head, *(_graph_text(g, names) for g in graphs)]) + "\n"


def _unique_names(graphs: list[Graph]) -> dict[int, str]:
    taken: dict[str, int] = {}
    names = {}
    for each in graphs:
        count = taken.get(each.name, 0)
        taken[each.name] = count + 1
        names[id(each)] = f"@{each.name}" + (f"_{count}" if count else "")
    return names


def _graph_text(graph: Graph, names: dict[int, str]) -> str:
    labels: dict[int, str] = {id(p): f"%{p.name}" for p in graph.parameters}
    parameters = ", ".join(f"{labels[id(p)]}: {p.type or '?'}" for p in graph.parameters)
    lines = [f"graph {names[id(graph)]}({parameters}) {{"]
    for node in nodes(graph):
        if isinstance(node, Apply):
            label = labels[id(node)] = f"%{len(lines) - 1}"
            lines.append(f"  {label} = {_apply_text(node, labels, names)}")
        elif id(node) not in labels:
            labels[id(node)] = _leaf_text(node, names)
    lines += [f"  return {labels[id(graph.result)]}", "}"]
    return "\n".join(lines)


def _apply_text(node: Apply, labels: dict[int, str], names: dict[int, str]) -> str:
    inputs = ", ".join(labels[id(i)] for i in node.inputs)
    attrs = ", ".join(f"{k}={_value_text(v, names)}" for k, v in node.attrs.items())
    kind = f" : {node.type}" if node.type is not None else ""
    where = f"  # {node.location.file}:{node.location.line}" if node.location else ""
    return f"{getattr(node.op, 'name', node.op)}({inputs})" + (f"[{attrs}]" if attrs else "") + kind + where


def _leaf_text(node: Node, names: dict[int, str]) -> str:
    if isinstance(node, Parameter):
        return f"%free.{node.name}"
    assert isinstance(node, Constant)
    return _value_text(node.value, names)


def _value_text(value: Any, names: dict[int, str]) -> str:
    if isinstance(value, Graph):
        return names.get(id(value), f"@{value.name}")
    if isinstance(value, np.ndarray):
        if value.size <= _FEW:
            return f"{value.dtype}({value.tolist()})"
        return f"{value.dtype}{list(value.shape)}(...)"
    if callable(value):
        return str(getattr(value, "__qualname__", type(value).__name__))
    return repr(value)
