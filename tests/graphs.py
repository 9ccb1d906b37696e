"""Small helpers for tests of graphs: build one from a Python function over a builder, evaluate it with numpy."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mindspore import primitives
from mindspore.backends.reference.evaluate import evaluate as evaluate
from mindspore.base import dtypes as dt
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import IF, Apply, Constant, Graph, Node, Parameter
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


def numerical_gradient(function: Callable[[np.ndarray], float], x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """Central differences of a scalar function in float64."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(*x.shape):
        high, low = x.copy(), x.copy()
        high[index] += step
        low[index] -= step
        gradient[index] = (function(high) - function(low)) / (2 * step)
    return gradient
