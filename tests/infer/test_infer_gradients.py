"""Gradient functions inside graphs: results, nesting, weights, state and auxiliary values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.infer.fakes import FakeCell, exp, grad, infer, parameter, run, t, value_and_grad

X = t([1.0, 2.0])
Y = t([3.0, 5.0])


def test_gradient_of_one_and_of_several_arguments() -> None:
    def function(x: Any, y: Any) -> Any:
        return x * x * y

    assert run(grad(function), X, Y).tolist() == [6.0, 20.0]
    assert [g.tolist() for g in run(grad(function, (0, 1)), X, Y)] == [[6.0, 20.0], [1.0, 4.0]]
    assert [g.tolist() for g in run(grad(function, None), X, Y)] == [[6.0, 20.0], [1.0, 4.0]]


def test_third_order() -> None:
    def cube(x: Any) -> Any:
        return x * x * x * x

    assert run(grad(grad(grad(cube))), t(2.0)) == 48.0


def test_gradient_made_inside_a_graph_of_a_closure() -> None:
    def function(x: Any, y: Any) -> Any:
        def inner(v: Any) -> Any:
            return v * v * y + x * v

        return grad(inner)(x), grad(lambda v: exp(v))(y)

    first, second = run(function, X, Y)
    assert first.tolist() == [7.0, 22.0]
    np.testing.assert_allclose(second, np.exp([3.0, 5.0]), rtol=1e-6)


def test_sensitivity_scales_the_gradient() -> None:
    assert run(grad(lambda x: x * x, sens=True), X, t([10.0, 1.0])).tolist() == [20.0, 4.0]
    with pytest.raises(ValueError, match=r"sensitivity must have the shape of the result, Float32\[2\]"):
        infer(grad(lambda x: x * x, sens=True), X, t([1.0]))


def test_auxiliary_values_are_not_differentiated() -> None:
    gradient, aux = run(grad(lambda x: (x * x, x * 100, "note"), has_aux=True), X)
    assert gradient.tolist() == [2.0, 4.0]
    assert (aux[0].tolist(), aux[1]) == ([100.0, 200.0], "note")
    with pytest.raises(TypeError, match="has_aux=True needs a function that returns a tuple"):
        infer(grad(lambda x: x, has_aux=True), X)


class Net(FakeCell):
    def __init__(self) -> None:
        self.weight = parameter([2.0, 3.0], "weight")
        self.unused = parameter([1.0, 1.0], "unused")
        self.steps = parameter(0.0, "steps")

    def construct(self, x: Any) -> Any:
        self.steps += 1
        return x * x * self.weight


def test_weights_and_writes_inside_the_differentiated_function() -> None:
    net = Net()
    value, inputs, weights = run(value_and_grad(net, (0,), (net.weight, net.unused)), X)
    assert value.tolist() == [2.0, 12.0]
    assert inputs[0].tolist() == [4.0, 12.0]
    assert [w.tolist() for w in weights] == [[1.0, 4.0], [0.0, 0.0]]
    assert net.steps.array == 1


def test_a_weight_that_was_written_before() -> None:
    net = Net()

    def function(x: Any) -> Any:
        net.weight = net.weight * 10
        return grad(net, (0,), (net.weight,))(x)

    def step(x: Any) -> Any:
        return function(x)

    inputs, (weight,) = run(step, X)
    assert inputs.tolist() == [40.0, 120.0]
    assert weight.tolist() == [1.0, 4.0]
    assert net.weight.array.tolist() == [20.0, 30.0]


@pytest.mark.parametrize(("x", "expected"), [(3.0, 27.0), (-3.0, -2.0)])
def test_through_a_run_time_branch(x: float, expected: float) -> None:
    def function(x: Any) -> Any:
        if x > 0:
            return x * x * x
        return x * -2.0

    assert run(grad(function), t(x)) == expected


def test_through_closures_boxes_and_lists() -> None:
    def function(x: Any) -> Any:
        total = x
        seen = []

        def add(v: Any) -> None:
            nonlocal total
            total = total + v * v
            seen.append(v)

        def whole(v: Any) -> Any:
            add(v)
            return total

        return grad(whole)(x), total, seen

    gradient, total, seen = run(function, X)
    assert gradient.tolist() == [2.0, 4.0]
    assert total.tolist() == [2.0, 6.0]
    assert [s.tolist() for s in seen] == [[1.0, 2.0]]


def test_wrong_positions() -> None:
    with pytest.raises(IndexError, match="grad_position 2 is out of range: the function is called with 1 argument"):
        infer(grad(lambda x: x, (2,)), X)
    with pytest.raises(TypeError, match="the argument at grad_position 0 must be a tensor, got str 'a'"):
        infer(grad(lambda x: 1), "a")
