"""Optimizers and steps of training: the formulas with numpy, the same numbers in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn

pytestmark = pytest.mark.compiler

START = np.array([1.0, -2.0, 3.0], np.float32)
GRADIENTS = [np.array(g, np.float32) for g in ([0.5, 1.0, -1.0], [0.25, -1.0, 2.0], [1.0, 1.0, 1.0])]


def run(make: Any) -> Any:
    """The Parameter after three steps."""
    parameter = Parameter(Tensor(START), name="p")
    optimizer = make([parameter])
    for gradient in GRADIENTS:
        assert optimizer((Tensor(gradient),)) in (True, (True,))
    assert optimizer.global_step.tolist() == [3]
    return parameter.asnumpy().copy()


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize(("decay", "scale"), [(0.0, 1.0), (0.01, 4.0)])
def test_momentum(mode: str, nesterov: bool, decay: float, scale: float) -> None:
    p, m = START.copy(), np.zeros(3, np.float32)
    for given in GRADIENTS:
        g = given / scale + decay * p
        m = m * 0.9 + g
        p = p - 0.1 * (g + 0.9 * m if nesterov else m)
    found = run(lambda ps: nn.Momentum(ps, 0.1, 0.9, decay, scale, nesterov))
    np.testing.assert_allclose(found, p, rtol=1e-5)


@pytest.mark.parametrize(
    ("momentum", "dampening", "nesterov"), [(0.0, 0.0, False), (0.9, 0.5, False), (0.9, 0.0, True)]
)
def test_sgd(mode: str, momentum: float, dampening: float, nesterov: bool) -> None:
    p, m = START.copy(), None
    for g in GRADIENTS:
        step = g
        if momentum:
            m = g if m is None else m * momentum + g * (1 - dampening)
            step = g + momentum * m if nesterov else m
        p = p - 0.1 * step
    found = run(lambda ps: nn.SGD(ps, 0.1, momentum, dampening, nesterov=nesterov))
    np.testing.assert_allclose(found, p, rtol=1e-5)


def test_names_of_an_optimizers_parameters() -> None:
    net = nn.Dense(2, 1)
    optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    assert [p.name for p in optimizer.get_parameters()] == [
        "global_step", "learning_rate", "weight", "bias", "momentum", "moments.weight", "moments.bias",
    ]  # fmt: skip


def test_the_learning_rate_can_change(mode: str) -> None:
    parameter = Parameter(Tensor([1.0]), name="p")
    optimizer = nn.SGD([parameter], Tensor(0.5))
    optimizer((Tensor([1.0]),))
    optimizer.learning_rate.set_data(0.25)
    optimizer((Tensor([1.0]),))
    assert parameter.tolist() == [0.25]


PARAMETERS = [Parameter(Tensor([1.0]), name="p")]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.Momentum([], 0.1, 0.9), ValueError, "empty"),
        (lambda: nn.Momentum([Tensor([1.0])], 0.1, 0.9), TypeError, "Parameters"),
        (lambda: nn.Momentum(PARAMETERS, -0.1, 0.9), ValueError, "learning rate.*-0.1"),
        (lambda: nn.Momentum(PARAMETERS, "x", 0.9), TypeError, "learning rate"),
        (
            lambda: nn.Momentum(PARAMETERS, Tensor([[0.1]]), 0.9),
            ValueError,
            r"one for each step, but got shape \(1, 1\)",
        ),
        (lambda: nn.Momentum(PARAMETERS, [], 0.9), ValueError, "one for each step"),
        (lambda: nn.Momentum(PARAMETERS, [0.1, -0.2], 0.9), ValueError, "-0.2"),
        (lambda: nn.Momentum(PARAMETERS, Tensor([0.1, -0.5]), 0.9), ValueError, "-0.5"),
        (lambda: nn.Momentum(PARAMETERS, [0.1, "x"], 0.9), TypeError, "learning rate"),
        (lambda: nn.Momentum(nn.Dense(1, 1), 0.1, 0.9), TypeError, r"net.trainable_params\(\), but got Dense"),
        (lambda: nn.Momentum(PARAMETERS * 2, 0.1, 0.9), RuntimeError, "'p' is given twice"),
        (lambda: nn.TrainOneStepCell(nn.ReLU(), 1), TypeError, "must be an Optimizer, but got int"),  # type: ignore[arg-type]
        (lambda: nn.Momentum(PARAMETERS, 0.1, -1.0), ValueError, "momentum.*-1.0"),
        (lambda: nn.Momentum(PARAMETERS, 0.1, 0.9, -1.0), ValueError, "weight_decay"),
        (lambda: nn.Momentum(PARAMETERS, 0.1, 0.9, loss_scale=0.0), ValueError, "loss_scale"),
        (lambda: nn.Momentum(PARAMETERS, 0.1, 0.9, use_nesterov=1), TypeError, "use_nesterov"),  # type: ignore[arg-type]
        (lambda: nn.SGD(PARAMETERS, 0.1, nesterov=True), ValueError, "nesterov"),
    ],
)
def test_wrong_optimizers_are_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def losses(sens: float | None = None) -> list[float]:
    ms.set_seed(4)
    network = nn.SequentialCell(nn.Dense(4, 8), nn.Tanh(), nn.Dense(8, 3))
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.Momentum(network.trainable_params(), 0.2, 0.9, loss_scale=1.0 if sens is None else sens)
    step = nn.TrainOneStepCell(nn.WithLossCell(network, loss), optimizer, sens).set_train()
    rng = np.random.default_rng(0)
    data, labels = Tensor(rng.normal(size=(12, 4)).astype(np.float32)), Tensor(rng.integers(0, 3, 12).astype(np.int32))
    return [step(data, labels).item() for _ in range(30)]


def test_both_modes_learn_the_same() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    eager = losses()
    ms.set_context(mode=ms.GRAPH_MODE)
    compiled = losses()
    assert compiled[-1] < 0.5 * compiled[0]
    np.testing.assert_allclose(compiled, eager, rtol=1e-3, atol=1e-5)


def test_a_loss_scale_cancels_itself(mode: str) -> None:
    np.testing.assert_allclose(losses(8.0), losses(), rtol=1e-3, atol=1e-5)


def test_with_loss_cell(mode: str) -> None:
    net = nn.Dense(2, 1, "ones", "zeros")
    cell = nn.WithLossCell(net, nn.MSELoss())
    assert cell(Tensor([[1.0, 2.0]]), Tensor([[1.0]])).item() == 4.0
    assert cell.backbone_network is net
