"""A small residual network, as deep ones are built: trained in both modes and by the reference back end, to the same numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.compiler.pipeline import Options, compile_call

pytestmark = pytest.mark.compiler


class Bottleneck(nn.Cell):
    def __init__(self, inputs: int, middle: int, stride: int) -> None:
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(inputs, middle, 1), nn.BatchNorm2d(middle)
        self.c2, self.b2 = nn.Conv2d(middle, middle, 3, stride, pad_mode="pad", padding=1), nn.BatchNorm2d(middle)
        self.c3, self.b3 = nn.Conv2d(middle, middle * 4, 1), nn.BatchNorm2d(middle * 4)
        self.relu, self.down = nn.ReLU(), None
        if stride != 1 or inputs != middle * 4:
            self.down = nn.SequentialCell(nn.Conv2d(inputs, middle * 4, 1, stride), nn.BatchNorm2d(middle * 4))

    def construct(self, x: Any) -> Any:
        y = self.relu(self.b1(self.c1(x)))
        y = self.b3(self.c3(self.relu(self.b2(self.c2(y)))))
        if self.down is not None:
            x = self.down(x)
        return self.relu(y + x)


class Residual(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.SequentialCell(
            nn.Conv2d(3, 8, 5, 2, pad_mode="pad", padding=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, pad_mode="same"),
        )
        self.blocks = nn.SequentialCell([Bottleneck(8, 4, 1), Bottleneck(16, 4, 1), Bottleneck(16, 8, 2)])
        self.fc = nn.Dense(32, 5)

    def construct(self, x: Any) -> Any:
        return self.fc(self.blocks(self.first(x)).mean((2, 3)))


def trained(run: Any, steps: int = 3) -> tuple[list[float], list[Any]]:
    """Losses of some steps, and all Parameters after them."""
    ms.set_seed(3)
    net = Residual()
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), nn.Momentum(net.trainable_params(), 0.05, 0.9)).set_train()
    rng = np.random.default_rng(0)
    x, y = (
        Tensor(rng.standard_normal((6, 3, 21, 18)).astype(np.float32)),
        Tensor(rng.integers(0, 5, 6).astype(np.int32)),
    )
    losses = [float(run(step, x, y).asnumpy()) for _ in range(steps)]
    return losses, [p.asnumpy() for p in net.get_parameters()]


def by_reference(step: nn.Cell, *args: Tensor) -> Tensor:
    return compile_call(step, args, {}, Options("reference")).run(args, {})


@pytest.fixture(scope="module")
def eagerly() -> tuple[list[float], list[Any]]:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    return trained(lambda step, *args: step(*args))


def assert_alike(found: tuple[list[float], list[Any]], wanted: tuple[list[float], list[Any]]) -> None:
    np.testing.assert_allclose(found[0], wanted[0], rtol=1e-4)
    for a, b in zip(found[1], wanted[1], strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)


def test_training_lowers_the_loss(eagerly: tuple[list[float], list[Any]]) -> None:
    losses, _ = eagerly
    assert losses[-1] < losses[0]


def test_graph_mode_trains_alike(graph_mode: None, eagerly: tuple[list[float], list[Any]]) -> None:
    assert_alike(trained(lambda step, *args: step(*args)), eagerly)


def test_the_reference_back_end_trains_alike(eagerly: tuple[list[float], list[Any]]) -> None:
    assert_alike(trained(by_reference), eagerly)


def test_the_number_of_images_may_change() -> None:
    """Compiled code that serves several batch sizes trains as eager code does."""

    def losses() -> list[float]:
        ms.set_seed(5)
        net = Residual()
        loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
        step = nn.TrainOneStepCell(
            nn.WithLossCell(net, loss), nn.Momentum(net.trainable_params(), 0.01, 0.9)
        ).set_train()
        rng, found = np.random.default_rng(2), []
        for count in (4, 6, 5, 8):
            x = Tensor(rng.standard_normal((count, 3, 16, 16)).astype(np.float32))
            found.append(float(step(x, Tensor(rng.integers(0, 5, count).astype(np.int32))).asnumpy()))
        return found

    ms.set_context(mode=ms.PYNATIVE_MODE)
    eager = losses()
    ms.set_context(mode=ms.GRAPH_MODE)
    np.testing.assert_allclose(losses(), eager, rtol=1e-4)


def test_second_derivatives_through_layers(mode: str) -> None:
    """The gradient of a squared gradient of a convolution, a normalisation and a pool, against differences in float64."""
    rng = np.random.default_rng(1)
    weight, start = Tensor(rng.standard_normal((2, 1, 2, 2))), rng.standard_normal((2, 1, 4, 4))
    vector = [Tensor(rng.uniform(0.5, 1.5, 2)) for _ in range(4)]
    mixed = Tensor(rng.standard_normal((2, 2, 2, 2)))

    def value(x: Any) -> Any:
        y = ops.Conv2D(2, 2, pad_mode="same")(x, weight)
        y = ops.tanh(ops.BatchNorm()(y, *vector)[0])
        return (ops.MaxPool(2, 2)(y) * mixed + ops.AvgPool(2, 2)(y)).sum()

    def slope(x: Any) -> Any:
        return (ms.grad(value)(x) ** 2).sum()

    found = ms.grad(slope)(Tensor(start)).asnumpy()
    for place in [(0, 0, 0, 0), (1, 0, 2, 3), (0, 0, 3, 1)]:
        moved = [start.copy(), start.copy()]
        moved[0][place] += 1e-5
        moved[1][place] -= 1e-5
        above, below = (float(slope(Tensor(m)).asnumpy()) for m in moved)
        assert found[place] == pytest.approx((above - below) / 2e-5, rel=1e-5, abs=1e-6)
