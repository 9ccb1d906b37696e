"""The J transform on hand-built graphs, against central differences in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.base import dtypes as dt
from mindspore.base.errors import GraphTypeError
from mindspore.ir.graph import CALL, Apply, Constant, Graph
from mindspore.ir.types import TensorType
from mindspore.ir.verifier import signature, verify
from mindspore.passes import simplify
from tests.graphs import build, build_for, condition, evaluate, numerical_gradient

RNG = np.random.default_rng(7)
X = RNG.uniform(0.2, 1.5, (2, 3))
Y = RNG.uniform(0.2, 1.5, (3,))


def check_gradients(function: Callable[..., Any], *arrays: np.ndarray) -> Graph:
    """Value and every gradient of a scalar function agree with differences; returns the gradient graph."""
    graph = build_for(function, *arrays)
    gradient = value_and_grad_graph(graph, range(len(arrays)))
    verify(gradient)
    value, *gradients = evaluate(gradient, arrays)
    np.testing.assert_allclose(value, evaluate(graph, arrays))
    for position, found in enumerate(gradients):

        def moved(x: np.ndarray, position: int = position) -> float:
            return float(evaluate(graph, [*arrays[:position], x, *arrays[position + 1 :]]))

        np.testing.assert_allclose(found, numerical_gradient(moved, arrays[position]), rtol=1e-5, atol=1e-7)
    return gradient


def total(b: Any, x: Any) -> Any:
    return b.reduce_sum(x)


SCALAR_FUNCTIONS = {
    "broadcast product": lambda b, x, y: total(b, b.mul(b.exp(x), y)),
    "used twice": lambda b, x, y: total(b, b.add(b.mul(x, x), b.mul(x, b.sin(y)))),
    "division": lambda b, x, y: total(b, b.div(x, b.add(y, 1.0))),
    "matmul": lambda b, x, y: total(b, b.tanh(b.matmul(x, b.reshape(y, shape=(3, 1))))),
    "softmax": lambda b, x, y: total(b, b.mul(b.softmax(x), y)),
    "composite without a rule": lambda b, x, y: b.reduce_mean(b.mul(x, y)),
    "movement": lambda b, x, y: total(b, b.mul(b.transpose(x, perm=(1, 0)), b.expand_dims(y, axis=1))),
}


@pytest.mark.parametrize("name", SCALAR_FUNCTIONS)
def test_gradients_of_straight_line_code(name: str) -> None:
    check_gradients(SCALAR_FUNCTIONS[name], X, Y)


def test_second_and_third_order() -> None:
    graph = build_for(lambda b, x: b.mul(b.exp(b.mul(x, 2.0)), b.sin(x)), np.array(0.3))
    x = np.array(0.3)
    first = value_and_grad_graph(graph, [0])
    second = value_and_grad_graph(first, [0], differentiated=[1])
    third = value_and_grad_graph(second, [0], differentiated=[2])
    *_, d3 = evaluate(third, [x])
    expected = np.exp(0.6) * (2 * np.sin(0.3) + 11 * np.cos(0.3))
    np.testing.assert_allclose(d3, expected, rtol=1e-12)


def branching(b: Any, x: Any, y: Any) -> Any:
    kinds = (x.type, y.type)
    then = build(lambda b, x, y: b.mul(b.exp(x), y), *kinds, name="then")
    other = build(lambda b, x, y: b.div(x, y), *kinds, name="other")
    test = b.greater(b.reduce_sum(x), 5.0)
    return total(b, b.sin(condition(b, test, then, other, x, y)))


@pytest.mark.parametrize("scale", [0.1, 3.0])
def test_both_branches_of_a_run_time_condition(scale: float) -> None:
    gradient = check_gradients(branching, X * scale, Y)
    simplify(gradient)
    verify(gradient)
    conditions = [n for n in _applies(gradient) if n.op.name == "If"]
    assert len(conditions) == 2, "the forward branch runs once and leaves residuals for the backward one"


def _applies(graph: Graph) -> list[Apply]:
    from mindspore.ir.graph import nodes

    return [n for n in nodes(graph) if isinstance(n, Apply)]


def nested(b: Any, x: Any) -> Any:
    kind = x.type

    def inner(b: Any, x: Any) -> Any:
        cosine = build(lambda b, x: (b.cos(x), b.mul(x, x)), kind, name="cosine")
        power = build(lambda b, x: (b.mul(x, 3.0), x), kind, name="power")
        found = condition(b, b.less(b.reduce_sum(x), 6.0), cosine, power, x)
        return b.mul(b.get(found, 0), b.get(found, 1))

    then = build(inner, kind, name="outer_then")
    other = build(lambda b, x: b.sqrt(x), kind, name="outer_else")
    return total(b, condition(b, b.greater(b.reduce_sum(x), 2.0), then, other, x))


@pytest.mark.parametrize("scale", [0.1, 1.0, 4.0])
def test_nested_conditions_with_several_results(scale: float) -> None:
    check_gradients(nested, X * scale)


def test_second_order_through_a_condition() -> None:
    x = np.array(0.7)

    def function(b: Any, x: Any) -> Any:
        cube = build(lambda b, x: b.mul(x, b.mul(x, x)), x.type, name="cube")
        line = build(lambda b, x: b.neg(x), x.type, name="line")
        return condition(b, b.greater(x, 0.0), cube, line, x)

    first = value_and_grad_graph(build_for(function, x), [0])
    second = value_and_grad_graph(first, [0], differentiated=[1])
    verify(second)
    *_, d2 = evaluate(second, [x])
    np.testing.assert_allclose(d2, 6 * 0.7)


def test_cotangents_are_handed_in_when_asked_for() -> None:
    graph = build_for(lambda b, x: b.mul(x, x), Y)
    gradient = value_and_grad_graph(graph, [0], sens=True)
    assert [p.name for p in gradient.parameters] == ["p0", "sens_0"]
    _, found = evaluate(gradient, [Y, np.array([1.0, 0.0, -2.0])])
    np.testing.assert_allclose(found, 2 * Y * [1.0, 0.0, -2.0])


def test_several_outputs_are_summed_and_auxiliary_ones_left_out() -> None:
    graph = build_for(lambda b, x: (b.mul(x, 2.0), b.mul(x, 10.0)), Y)
    assert evaluate(value_and_grad_graph(graph, [0]), [Y])[-1].tolist() == [12.0] * 3
    assert evaluate(value_and_grad_graph(graph, [0], differentiated=[0]), [Y])[-1].tolist() == [2.0] * 3


def test_stop_gradient_and_unused_parameters_give_zeros() -> None:
    graph = build_for(lambda b, x, y: b.mul(b.stop_gradient(x), 2.0), Y, X)
    _, dx, dy = evaluate(value_and_grad_graph(graph, [0, 1]), [Y, X])
    assert not dx.any()
    assert dx.shape == Y.shape
    assert not dy.any()
    assert dy.shape == X.shape


def test_the_gradient_of_an_integer_is_of_its_type() -> None:
    count = np.array([1, 2, 3], np.int32)
    graph = build_for(lambda b, x, n: b.mul(x, b.cast(n, dtype=dt.float64)), Y, count)
    *_, found = evaluate(value_and_grad_graph(graph, [0, 1]), [Y, count])
    assert found.dtype == np.int32
    np.testing.assert_array_equal(found, Y.astype(np.int32))


def test_a_chain_of_a_hundred_thousand_nodes_does_not_recurse() -> None:
    def chain(b: Any, x: Any) -> Any:
        for _ in range(50_000):
            x = b.mul(x, 1.00001)
        return x

    graph = build_for(chain, np.array(1.0))
    gradient = value_and_grad_graph(graph, [0])
    assert len(_applies(gradient)) >= 100_000
    value, found = evaluate(gradient, [np.array(1.0)])
    np.testing.assert_allclose(value, found, rtol=1e-9)


def test_a_call_has_the_gradient_of_its_body() -> None:
    kind = TensorType(dt.float64, ())
    called = build(lambda b, x: b.mul(b.sin(x), x), kind)
    graph = build(lambda b, x: Apply(CALL, [Constant(called, signature(called)), x], type=kind), kind)
    gradient = value_and_grad_graph(graph, [0])
    verify(gradient)
    value, found = evaluate(gradient, [np.array(0.5)])
    np.testing.assert_allclose([value, found], [np.sin(0.5) * 0.5, np.sin(0.5) + 0.5 * np.cos(0.5)])


def test_an_operator_that_refuses_differentiation_says_why() -> None:
    def step(b: Any, v: Any, a: Any, g: Any) -> Any:
        return b.get(b.apply_momentum(v, a, 0.1, g, 0.9), 0)

    graph = build_for(step, Y, Y, Y)
    with pytest.raises(GraphTypeError, match="ApplyMomentum has no gradient: an optimizer's step"):
        value_and_grad_graph(graph, [0])
