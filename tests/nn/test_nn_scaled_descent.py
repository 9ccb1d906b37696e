"""RMSProp, Adagrad and Lamb: the values after three steps are MindSpore's, or those of the formula where its kernels differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore import Parameter, Tensor, nn

pytestmark = pytest.mark.compiler

GRADIENTS = np.array([[0.5, -2.0, 0.1], [1.0, 0.3, 0.0], [-1.0, 0.3, 4.0]], np.float32)
START = np.array([1.0, 2.0, -3.0], np.float32)


def pair() -> list[Parameter]:
    return [Parameter(Tensor(START), name="p"), Parameter(Tensor([1.0]), name="beta")]


def descend(make: Callable[[Any], Any]) -> tuple[list[Parameter], Any]:
    parameters = pair()
    optimizer = make(parameters)
    for gradient in GRADIENTS:
        optimizer((Tensor(gradient), Tensor([0.5])))
    return parameters, optimizer


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [
        (lambda p: nn.RMSProp(p), [0.9476397, 2.118782, -3.2725945], 0.8380019),
        (lambda p: nn.RMSProp(p, 0.05, 0.8, 0.7, 1e-3, weight_decay=0.1, loss_scale=2.0),
         [0.92425662, 2.03436041, -3.01926756], 0.92660552),
        (lambda p: nn.RMSProp(p, 0.05, 0.8, 0.7, 1e-3, centered=True), [0.89799511, 2.1447165, -3.12667418], 0.85649455),
        (lambda p: nn.Adagrad(p), [0.99894649, 2.00069618, -3.00129819], 0.997967),
        (lambda p: nn.Adagrad(p, 0.5, 0.1, weight_decay=0.1, loss_scale=2.0), [0.93373984, 2.01316047, -3.02029967], 0.90489274),
        (lambda p: nn.Adagrad(p, 0.5, 0.1, False), list(START - 0.1 * GRADIENTS.sum(0) / 0.5**0.5), 1 - 0.1 * 1.5 / 0.5**0.5),
    ],
)  # fmt: skip
def test_three_steps(mode: str, make: Callable[[Any], Any], first: list[float], second: float) -> None:
    parameters, _ = descend(make)
    np.testing.assert_allclose(parameters[0].asnumpy(), first, rtol=2e-6)
    np.testing.assert_allclose(parameters[1].asnumpy(), [second], rtol=2e-6)


def lamb(start: Any, gradients: Any, rates: Any, beta1: float, beta2: float, eps: float, decay: float) -> Any:
    p, m, v = start.astype(np.float64), 0.0, 0.0
    for t, (gradient, rate) in enumerate(zip(gradients, rates, strict=True), 1):
        m, v = beta1 * m + (1 - beta1) * gradient, beta2 * v + (1 - beta2) * gradient**2
        update = m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps) + decay * p
        p = p - rate * np.linalg.norm(p) / np.linalg.norm(update) * update
    return p


def test_lamb(mode: str) -> None:
    rates = [0.1, 0.2, 0.3]
    parameters, _ = descend(lambda p: nn.Lamb(p, rates, 0.8, 0.99, 1e-3, 0.1))
    np.testing.assert_allclose(parameters[0].asnumpy(), lamb(START, GRADIENTS, rates, 0.8, 0.99, 1e-3, 0.1), rtol=1e-5)
    wanted = lamb(np.ones(1), np.full((3, 1), 0.5), rates, 0.8, 0.99, 1e-3, 0.0)
    np.testing.assert_allclose(parameters[1].asnumpy(), wanted, rtol=1e-5)


def test_lamb_leaves_a_parameter_without_gradient_and_moves_one_of_zeros(mode: str) -> None:
    still, zero = Parameter(Tensor([2.0]), name="still"), Parameter(Tensor([0.0]), name="zero")
    nn.Lamb([still, zero], 0.5)((Tensor([0.0]), Tensor([1.0])))
    assert still.item() == 2.0
    assert zero.item() == pytest.approx(-0.5, rel=1e-4)


def test_names_of_the_state() -> None:
    def names(optimizer: Any) -> list[str]:
        return [p.name for p in optimizer.get_parameters()][4:]

    assert names(nn.RMSProp(pair(), centered=True)) == [
        "mean_grad.p", "mean_grad.beta", "mean_square.p", "mean_square.beta", "moment.p", "moment.beta",
    ]  # fmt: skip
    assert names(nn.Adagrad(pair())) == ["accum.p", "accum.beta"]


@pytest.mark.parametrize("make", [nn.RMSProp, nn.Adagrad, lambda p: nn.Lamb(p, 0.05)])
def test_a_network_learns(mode: str, make: Callable[[Any], Any]) -> None:
    net = nn.Dense(2, 1, weight_init="zeros", bias_init="zeros")
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), make(net.trainable_params()))
    losses = [step(Tensor([[1.0, 2.0]]), Tensor([[1.0]])).item() for _ in range(4)]
    assert losses[3] < losses[0]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda p: nn.RMSProp(p, 0.1, -1.0), ValueError, "'RMSProp', the 'decay' must be float and must >= 0, but got '-1.0'"),
        (lambda p: nn.RMSProp(p, 0.1, 0.9, -1.0), ValueError, "'momentum' must be float and must >= 0"),
        (lambda p: nn.RMSProp(p, epsilon=0.0), ValueError, "'epsilon' must be > 0"),
        (lambda p: nn.RMSProp(p, centered=3), TypeError, "'centered' should be bool, but got int"),  # type: ignore[arg-type]
        (lambda p: nn.Adagrad(p, -1.0), ValueError, "'Adagrad', the 'accum' must be float and must >= 0"),
        (lambda p: nn.Adagrad(p, update_slots=3), TypeError, "'update_slots' should be bool"),  # type: ignore[arg-type]
        (lambda p: nn.Lamb(p, 0.1, 1.0), ValueError, r"'Lamb', the 'beta1' must be in range of \(0.0, 1.0\), but got 1.0"),
        (lambda p: nn.Lamb(p, 0.1, eps=0.0), ValueError, "'Lamb', the 'eps' must be > 0"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(make: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make(pair())
