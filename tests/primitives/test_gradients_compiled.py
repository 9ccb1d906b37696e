"""Gradients as the product makes them: its J transform, then a compiled graph, against the gradient rules evaluated with numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore import backends
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.backends.reference.evaluate import evaluate
from mindspore.backends.reference.numpy_builder import type_of
from mindspore.base import dtypes as dt
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Parameter
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.types import TensorType, TupleType
from mindspore.passes.expand import expand_composites
from tests.primitives.drawing import OPERATORS, assert_same, inputs_of
from tests.primitives.pullback import pullback
from tests.primitives.runners import tensors

pytestmark = pytest.mark.compiler
DIFFERENTIABLE = [op for op in OPERATORS if not isinstance(op.gradient, NotDifferentiable)]
ULPS = 64
"""Gradients are chains of several kernels, each of which rounds."""


def summed(op: Operator, operands: list[Any], attrs: Any) -> Graph:
    """The sum of all floating results, as a graph over the operands."""
    b = GraphBuilder()
    parameters = [Parameter(f"x{i}", type_of(o)) for i, o in enumerate(operands)]
    out = b.call(op, *parameters, **attrs)
    parts = [b.get(out, i) for i in range(len(out.type.elements))] if isinstance(out.type, TupleType) else [out]
    floating = [p for p in parts if isinstance(p.type, TensorType) and p.type.dtype.is_floating]
    sums = [b.reduce_sum(b.mul(p, 1.5)) for p in floating]
    total = b.add_n(*sums) if len(sums) > 1 else sums[0]
    return Graph(op.name, parameters, total)


@pytest.mark.parametrize("op", DIFFERENTIABLE, ids=lambda op: op.name)
def test_compiled_gradient(op: Operator) -> None:
    case = op.samples.cases[len(op.samples.cases) // 2]
    attrs = {**case.attrs, "dtype": dt.float64} if op.name == "Cast" else case.attrs
    operands = inputs_of(op, case, dt.float32)
    wrt = [i for i, o in enumerate(operands) if o.dtype == np.float32]
    graph = summed(op, operands, attrs)
    wanted = [
        evaluate(Graph("rule", graph.parameters, g), operands)
        for g in pullback(graph.result, [graph.parameters[i] for i in wrt])
    ]
    both = value_and_grad_graph(graph, wrt)
    expand_composites(both)
    run = backends.find("cpu").compile(both, arguments=len(operands), bound=[], updates={})
    for got, expected in zip(run(*tensors(operands))[1:], wanted, strict=True):
        assert_same(got.asnumpy(), expected, f"gradient of {op.name} {case}", ULPS, summed=True)
