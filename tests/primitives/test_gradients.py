"""Gradient rules against central differences in Float64: first and second order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.backends.reference.evaluate import evaluate
from mindspore.backends.reference.numpy_builder import ExpandingBuilder, NumpyBuilder, type_of
from mindspore.base import dtypes as dt
from mindspore.base.shapes import size
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.samples import Case
from tests.primitives.drawing import OPERATORS, attributes, inputs_of
from tests.primitives.pullback import pullback

DIFFERENTIABLE = [op for op in OPERATORS if not isinstance(op.gradient, NotDifferentiable)]
LARGEST = 30
STEP = 1e-5


def floating_inputs(op: Operator, operands: list[Any]) -> list[int]:
    chosen = range(len(operands)) if op.samples.wrt is None else op.samples.wrt
    return [i for i in chosen if operands[i].dtype == np.float64]


def weighted_sum(b: GraphBuilder, value: Node, rng: np.random.Generator) -> Node:
    """A 0-d number that depends on every element of `value` with its own weight."""
    assert isinstance(value.type, TensorType)
    weights = b.const(rng.uniform(0.5, 1.5, value.type.shape), dt.float64)
    return b.reduce_sum(b.mul(value, weights))  # type: ignore[no-any-return]


def total(b: GraphBuilder, values: list[Node], rng: np.random.Generator) -> Node:
    result = b.const(0.0, dt.float64)
    for value in values:
        if isinstance(value.type, TensorType) and value.type.dtype.is_floating:
            result = b.add(result, weighted_sum(b, value, rng))
    return result


def differences(function: Callable[..., Any], operands: list[Any], position: int) -> Any:
    """Central differences of a 0-d function in every element of one operand."""
    result = np.zeros(operands[position].shape)
    for index in np.ndindex(*operands[position].shape):
        moved = [[o.copy() for o in operands] for _ in range(2)]
        moved[0][position][index] += STEP
        moved[1][position][index] -= STEP
        result[index] = (function(*moved[0]) - function(*moved[1])) / (2 * STEP)
    return result


def small(case: Case) -> bool:
    return all(size(s) <= LARGEST for s in case.shapes)


def trials() -> list[Any]:
    found = []
    for op in DIFFERENTIABLE:
        for i, case in enumerate(c for c in op.samples.cases if small(c)):
            attrs = attributes(op, case)
            if op.name != "Cast" or attrs["dtype"] is dt.float64:
                found.append(pytest.param(op, case, id=f"{op.name}-{i}"))
    return found


class Problem:
    """One operator as a 0-d function of its operands, with its first derivatives as graphs."""

    def __init__(self, op: Operator, case: Case) -> None:
        self.operands = inputs_of(op, case, dt.float64)
        self.wrt = floating_inputs(op, self.operands)
        self.b = GraphBuilder()
        self.parameters = [Parameter(f"x{i}", type_of(o)) for i, o in enumerate(self.operands)]
        rng = np.random.default_rng(7)
        out = self.b.call(op, *self.parameters, **case.attrs)
        parts = (
            [self.b.get(out, i) for i in range(len(out.type.elements))] if isinstance(out.type, TupleType) else [out]
        )
        self.value = total(self.b, parts, rng)
        self.gradients = pullback(self.value, [self.parameters[i] for i in self.wrt])
        self.slope = total(self.b, self.gradients, rng)
        self.second = pullback(self.slope, [self.parameters[i] for i in self.wrt])

    def function(self, node: Node, builder: type[NumpyBuilder] = NumpyBuilder) -> Callable[..., Any]:
        graph = Graph("problem", self.parameters, node)
        return lambda *operands: evaluate(graph, operands, builder())

    def check(self, value: Node, gradients: list[Node], what: str) -> None:
        for position, gradient in zip(self.wrt, gradients, strict=True):
            wanted = differences(self.function(value), self.operands, position)
            for builder in (NumpyBuilder, ExpandingBuilder):
                got = self.function(gradient, builder)(*self.operands)
                np.testing.assert_allclose(got, wanted, rtol=2e-6, atol=2e-6, err_msg=f"{what} in input {position}")


@pytest.mark.parametrize(("op", "case"), trials())
def test_first_and_second_derivative(op: Operator, case: Case) -> None:
    problem = Problem(op, case)
    assert problem.wrt, f"{op.name} has a gradient rule but no floating input"
    problem.check(problem.value, problem.gradients, f"{op.name} {case}: first derivative")
    if op.samples.second:
        problem.check(problem.slope, problem.second, f"{op.name} {case}: second derivative")


def test_every_differentiable_operator_is_tried() -> None:
    tried = {param.values[0].name for param in trials()}
    assert tried == {op.name for op in DIFFERENTIABLE}


def test_every_operator_says_why_it_has_no_gradient() -> None:
    for op in OPERATORS:
        if isinstance(op.gradient, NotDifferentiable):
            assert op.gradient.why.strip(), op.name


@pytest.mark.parametrize("op", [op for op in DIFFERENTIABLE if dt.float16 in op.dtypes], ids=lambda op: op.name)
def test_gradients_keep_the_element_type(op: Operator) -> None:
    for dtype in (dt.float16, dt.bfloat16, dt.float32):
        case = op.samples.cases[0]
        operands = inputs_of(op, case, dtype)
        b = GraphBuilder()
        parameters = [Parameter("x", type_of(o)) for o in operands]
        out = b.call(op, *parameters, **case.attrs)
        parts = [b.get(out, i) for i in range(len(out.type.elements))] if isinstance(out.type, TupleType) else [out]
        if not isinstance(parts[0].type, TensorType) or not parts[0].type.dtype.is_floating:
            continue
        gradients = pullback(b.reduce_sum(parts[0]), parameters)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            assert gradient.type == parameter.type


def tied(function: str, *operands: Any, **attrs: Any) -> list[Any]:
    """Gradients of the sum of an operator's result."""
    b = GraphBuilder()
    parameters = [Parameter("x", type_of(o)) for o in operands]
    gradients = pullback(b.reduce_sum(getattr(b, function)(*parameters, **attrs)), parameters)
    return [evaluate(Graph("tied", parameters, g), operands).tolist() for g in gradients]


def test_gradients_at_kinks_are_shared_or_zero() -> None:
    x, y = np.array([1.0, 0.0, 2.0]), np.array([1.0, 1.0, 1.0])
    assert tied("maximum", x, y) == [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]]
    assert tied("minimum", x, y) == [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]
    assert tied("reduce_max", np.array([1.0, 1.0, 0.0])) == [[0.5, 0.5, 0.0]]
    assert tied("abs", np.array([0.0])) == [[0.0]]
    assert tied("relu", np.array([0.0, -1.0, 1.0])) == [[0.0, 0.0, 1.0]]
    assert tied("relu6", np.array([0.0, 6.0, 3.0])) == [[0.0, 0.0, 1.0]]


def test_the_gradient_of_a_product_is_right_where_elements_are_zero() -> None:
    assert tied("reduce_prod", np.array([0.0, 2.0, 3.0])) == [[6.0, 0.0, 0.0]]
    assert tied("reduce_prod", np.array([0.0, 2.0, 0.0])) == [[0.0, 0.0, 0.0]]


def test_gradients_stay_finite_where_the_other_branch_overflows() -> None:
    assert tied("elu", np.array([1000.0, -1.0]))[0] == pytest.approx([1.0, np.exp(-1.0)])
    assert tied("pow", np.array([0.0, -2.0]), np.array([2.0, 2.0]))[0] == [0.0, -4.0]
    assert tied("pow", np.array([0.0]), np.array([0.0]))[0] == [0.0]
    assert tied("softplus", np.array([800.0, -800.0]))[0] == [1.0, 0.0]
