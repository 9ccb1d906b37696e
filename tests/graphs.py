"""Small helpers for tests of graphs: build one from a Python function over a builder, evaluate it with numpy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mindspore import primitives
from mindspore.base import dtypes as dt
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import IF, MAKE_TUPLE, TUPLE_GET, WHILE, Apply, Constant, Graph, Node, Parameter, nodes
from mindspore.ir.types import TensorType
from mindspore.ir.verifier import signature

assert primitives.FAMILIES


def tensor_type(array: np.ndarray) -> TensorType:
    return TensorType(dt.from_numpy(array.dtype), array.shape)


def build(function: Callable[..., Any], *types: TensorType, name: str = "f") -> Graph:
    """The graph of ``function(b, *parameters)``; a returned tuple becomes several results."""
    b = GraphBuilder()
    parameters = [Parameter(f"p{i}", t) for i, t in enumerate(types)]
    result = function(b, *parameters)
    output = b.tuple(result) if isinstance(result, tuple) else result
    return Graph(name, parameters, output)


def build_for(function: Callable[..., Any], *arrays: np.ndarray) -> Graph:
    return build(function, *[tensor_type(a) for a in arrays])


def condition(b: GraphBuilder, test: Node, then: Graph, other: Graph, *arguments: Node) -> Apply:
    graphs = [Constant(g, signature(g)) for g in (then, other)]
    return Apply(IF, [test, *graphs, *arguments], type=then.result.type)


def evaluate(graph: Graph, arrays: Sequence[np.ndarray]) -> Any:
    """The graph's value: a numpy array, or a tuple of them."""
    values: dict[int, Any] = {id(p): a for p, a in zip(graph.parameters, arrays, strict=True)}
    for node in nodes(graph):
        if isinstance(node, Constant):
            values[id(node)] = node.value
        elif isinstance(node, Apply):
            values[id(node)] = _apply(node, [values[id(i)] for i in node.inputs])
    return values[id(graph.result)]


def _apply(node: Apply, inputs: list[Any]) -> Any:
    if node.op is MAKE_TUPLE:
        return tuple(inputs)
    if node.op is TUPLE_GET:
        return inputs[0][node.attrs["index"]]
    if node.op is IF:
        return evaluate(inputs[1] if bool(inputs[0]) else inputs[2], inputs[3:])
    if node.op is WHILE:
        state = tuple(inputs[2:])
        while bool(evaluate(inputs[0], state)):
            state = evaluate(inputs[1], state)
        return state
    return node.op.reference(*inputs, **node.attrs)


def numerical_gradient(function: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences of a scalar function in float64."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        high, low = x.copy(), x.copy()
        high[index] += step
        low[index] -= step
        gradient[index] = (function(high) - function(low)) / (2 * step)
    return gradient
