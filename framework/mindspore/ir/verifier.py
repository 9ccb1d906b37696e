"""The rules of typed graphs. The pipeline checks them between passes in tests and when ``MS_DEV_DEBUG=1``."""

from __future__ import annotations

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError
from mindspore.ir.graph import (
    CALL,
    IF,
    MAKE_TUPLE,
    TUPLE_GET,
    WHILE,
    Apply,
    Constant,
    Graph,
    Node,
    Parameter,
    nodes,
    subgraphs,
)
from mindspore.ir.operator import Operator
from mindspore.ir.types import FunctionType, TensorType, TupleType, Type


def verify(graph: Graph) -> None:
    """InternalError with graph, node and rule when `graph` or a graph inside it breaks a rule.

    Every node has a type; every graph is closed; an operator's inputs infer to the type on the node; constants hold arrays of their type;
    structured nodes get functions whose types fit their arguments.
    """
    for each in subgraphs(graph):
        own = {id(p) for p in each.parameters}
        for node in nodes(each):
            problem = _problem(node, own)
            if problem:
                raise InternalError(f"graph {each.name}: {_describe(node)}: {problem} ({node.location})")


def signature(graph: Graph) -> FunctionType:
    """The function type of a typed graph."""
    return FunctionType(tuple(_type(p) for p in graph.parameters), _type(graph.result))


def _type(node: Node) -> Type:
    if node.type is None:
        raise InternalError(f"{_describe(node)} has no type")
    return node.type


def _describe(node: Node) -> str:
    if isinstance(node, Apply):
        return f"{node.op.name}({', '.join(str(i.type) for i in node.inputs)})"
    return f"parameter {node.name}" if isinstance(node, Parameter) else type(node).__name__


def _problem(node: Node, own: set[int]) -> str | None:
    if isinstance(node, Parameter):
        return None if id(node) in own else "is a free variable"
    if isinstance(node, Constant):
        return _constant_problem(node)
    if node.type is None:
        return "has no type"
    assert isinstance(node, Apply)
    if isinstance(node.op, Operator):
        expected = node.op.infer(*[i.type for i in node.inputs], **node.attrs)
        return None if expected == node.type else f"has type {node.type}, inference says {expected}"
    return _structured_problem(node)


def _constant_problem(node: Constant) -> str | None:
    if isinstance(node.value, Graph):
        return None
    if not isinstance(node.value, np.ndarray):
        return f"holds a {type(node.value).__name__}, expected an array or a graph"
    actual = TensorType(dt.from_numpy(node.value.dtype), node.value.shape)
    return None if actual == node.type else f"holds {actual}, its type is {node.type}"


def _structured_problem(node: Apply) -> str | None:
    kinds = tuple(i.type for i in node.inputs)
    if node.op is MAKE_TUPLE:
        return None if node.type == TupleType(kinds) else f"makes {kinds}, its type is {node.type}"  # type: ignore[arg-type]
    if node.op is TUPLE_GET:
        whole = kinds[0]
        fits = isinstance(whole, TupleType) and whole.elements[node.attrs["index"]] == node.type
        return None if fits else f"takes element {node.attrs['index']} of {whole} as {node.type}"
    functions = {CALL: 1, IF: 3, WHILE: 2}.get(node.op)
    if functions is None:
        return "is no operation of typed graphs"
    return _function_problem(node, functions)


def _function_problem(node: Apply, lead: int) -> str | None:
    arguments = tuple(i.type for i in node.inputs[lead:])
    graphs = [i.value for i in node.inputs[:lead] if isinstance(i, Constant) and isinstance(i.value, Graph)]
    if node.op is IF and node.inputs[0].type != TensorType(dt.bool_, ()):
        return f"has condition {node.inputs[0].type}, expected Bool[]"
    if len(graphs) != (2 if lead > 1 else 1):
        return "needs constant graphs as functions"
    for position, function in enumerate(graphs):
        kind = signature(function)
        wanted = TensorType(dt.bool_, ()) if node.op is WHILE and position == 0 else node.type
        if kind.parameters != arguments or kind.result != wanted:
            return f"calls {function.name}: {kind} with {arguments}, expects {wanted}"
    return None
