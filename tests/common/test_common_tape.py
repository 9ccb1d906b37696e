"""Gradients of Python that runs eagerly: what only PYNATIVE mode can do, and what it refuses."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, _native, nn, ops
from mindspore.common.eager import eager_op, function
from mindspore.ir.operator import find

pytestmark = pytest.mark.compiler


def test_any_python_may_be_differentiated() -> None:
    def run(x: Any) -> Any:
        pieces = {"n": 0}
        try:
            while float(x.sum()) < 100:
                x = x * 2
                pieces["n"] += 1
            raise KeyError
        except KeyError:
            return x * pieces["n"]

    assert ms.grad(run)(Tensor([1.0, 2.0])).tolist() == [64 * 6, 64 * 6]


def test_the_tape_is_removed_when_the_function_raises() -> None:
    def run(x: Any) -> Any:
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        ms.grad(run)(Tensor(1.0))
    assert _native.get_tape() is None


def test_each_thread_has_its_own_tape() -> None:
    seen: list[Any] = []

    def run(x: Any) -> Any:
        thread = threading.Thread(target=lambda: seen.append(_native.get_tape()))
        thread.start()
        thread.join()
        return x * x

    assert ms.grad(run)(Tensor(3.0)).item() == 6.0
    assert seen == [None]


def test_parameters_are_differentiated_through_value_and_data() -> None:
    p = Parameter(Tensor([1.0, 2.0]), name="p")
    assert ms.grad(lambda: (p.value() * p.data).sum(), None, p)().tolist() == [2.0, 4.0]


def test_a_list_and_a_dict_of_results() -> None:
    found = ms.grad(lambda x: {"a": x * 2, "b": [x, 3, None]})(Tensor([1.0]))
    assert found.tolist() == [3.0]


def test_operators_called_by_keyword_are_recorded() -> None:
    found = ms.grad(lambda x: ops.softmax(x, axis=0)[0] + ops.leaky_relu(-x, alpha=0.5).sum())(Tensor([0.0, 0.0]))
    np.testing.assert_allclose(found.asnumpy(), [-0.25, -0.75], atol=1e-6)


def test_several_results_of_one_operator() -> None:
    def run(x: Any) -> Any:
        loss, slope = ops.SoftmaxCrossEntropyWithLogits()(x, Tensor([[0.0, 1.0]]))
        return loss.sum() + slope[0, 0] * 2

    x = np.array([[0.2, 0.7]], np.float32)
    p = np.exp(x) / np.exp(x).sum()
    wanted = p - [[0, 1]] + 2 * p[0, 0] * (np.array([[1, 0]]) - p)
    np.testing.assert_allclose(ms.grad(run)(Tensor(x)).asnumpy(), wanted, rtol=1e-5)


def test_gradients_follow_writes_of_elements() -> None:
    def run(x: Any, v: Any) -> Any:
        y = x * x
        y[0] = v * 3
        z = y * y
        y[[1, 1]] = y[0]
        return (z * y).sum()

    x, v = Tensor([1.0, 2.0]), Tensor(5.0)
    assert [g.tolist() for g in ms.grad(run, (0, 1))(x, v)] == [[0.0, 32.0 * 15], 3.0 * (3 * 15**2 + 16)]

    def of_a_slope(x: Any, v: Any) -> Any:
        return ms.grad(run)(x, v).sum()

    assert ms.grad(of_a_slope)(x, v).tolist() == [0.0, 12 * 4.0 * 15]


def test_gradients_of_arguments_and_parameters_that_are_written() -> None:
    p = Parameter(Tensor([2.0, 3.0]), name="p")

    def run(x: Any) -> Any:
        x[1] = p[0] * 7
        p[0] = x[0] * 2
        return (x * p).sum()

    x = Tensor([1.0, 4.0])
    slopes = ms.grad(run, 0, p)(x)
    assert slopes[0].tolist() == [2.0 * 2, 0.0]
    assert slopes[1].tolist() == [7.0 * 3, 14.0]
    assert p.tolist() == [2.0, 3.0]


def test_what_was_read_before_an_assignment_keeps_its_value() -> None:
    p = Parameter(Tensor([2.0]), name="p")

    def after(x: Any) -> Any:
        y = x * p
        ops.assign(p, Tensor([3.0]))
        return y

    def before(x: Any) -> Any:
        ops.assign(p, Tensor([4.0]))
        return x * p

    assert ms.grad(before)(Tensor([1.0])).tolist() == [4.0]
    assert ms.grad(after)(Tensor([1.0])).tolist() == [4.0]
    assert p.tolist() == [3.0]


def test_gradients_pass_through_assignments() -> None:
    p = Parameter(Tensor([2.0]), name="p")

    def run(x: Any) -> Any:
        first = p * 10.0
        ops.assign(p, x * p)
        second = p * p
        ops.assign(p, Tensor([5.0]))
        return (first + second + p * x).sum()

    value, (of_x, of_p) = ms.value_and_grad(run, 0, [p])(Tensor([3.0]))
    assert value.item() == 20.0 + 36.0 + 15.0
    assert of_x.tolist() == [2 * 3.0 * 4.0 + 5.0]
    assert of_p[0].tolist() == [10.0 + 2 * 9.0 * 2.0]
    ops.assign(p, Tensor([2.0]))
    assert ms.grad(ms.grad(run))(Tensor([3.0])).tolist() == [8.0]


def test_values_that_are_converted_when_assigned() -> None:
    p = Parameter(Tensor([2.0], ms.float32), name="p")

    def run(x: Any) -> Any:
        ops.assign(p, x * 2.0)
        return (p * p).sum()

    assert ms.grad(run)(Tensor([0.5], ms.float16)).tolist() == [4.0]


def test_an_operator_without_gradient_says_why() -> None:
    step = function("ApplyMomentum")
    with pytest.raises(TypeError, match="ApplyMomentum"):
        ms.grad(lambda x: step(x, x, 0.1, x, 0.9)[0])(Tensor([1.0]))


def test_a_jit_function_inside_is_followed() -> None:
    scale: Any = ms.jit(lambda a: a * a * 3)
    assert ms.grad(lambda x: scale(x) + x)(Tensor([2.0])).tolist() == [13.0]
    assert scale(Tensor([2.0])).tolist() == [12.0]


def test_a_step_of_training_by_hand() -> None:
    ms.set_seed(3)
    net = nn.Dense(2, 1)
    data, labels = Tensor([[1.0, 2.0], [3.0, -1.0]]), Tensor([[1.0], [0.0]])
    loss = nn.MSELoss()
    optimizer = nn.SGD(net.trainable_params(), 0.05)
    step = ms.value_and_grad(lambda a, b: loss(net(a), b), None, optimizer.parameters)
    losses = []
    for _ in range(60):
        value, gradients = step(data, labels)
        optimizer(gradients)
        losses.append(value.item())
    assert losses[-1] < 1e-2 * losses[0]


def test_a_composite_without_a_rule_is_differentiated_through_its_expansion() -> None:
    declared = find("ReduceMean")
    mean = eager_op(replace(declared, name="MeanWithoutRule", gradient=None))

    def run(x: Any) -> Any:
        return mean(x * x * x, axis=0)

    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_allclose(ms.grad(run)(x).asnumpy(), 1.5 * x.asnumpy() ** 2, rtol=1e-6)
    np.testing.assert_allclose(ms.grad(ms.grad(run))(x).asnumpy(), 3 * x.asnumpy(), rtol=1e-6)


def test_gradients_of_many_shapes() -> None:
    for n in range(1, 40):
        x = Tensor(np.arange(n, dtype=np.float32))
        assert ms.grad(lambda a, n=n: (a.reshape(n, 1) * a.reshape(1, n)).sum())(x).shape == (n,)


def test_copies_carry_gradients() -> None:
    def run(x: Any) -> Any:
        y = x.copy() * x.astype(ms.float32)
        return y + x.T.contiguous()

    assert ms.grad(run)(Tensor([1.0, 2.0])).tolist() == [3.0, 5.0]
