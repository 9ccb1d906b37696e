"""Whole steps of training give the same bits on any number of threads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, _native, nn

pytestmark = pytest.mark.compiler
THREADS = (1, 2, 3, 4)
STEPS = 3
Made = tuple[nn.Cell, nn.Cell, tuple[Any, Any]]


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = _native.get_num_threads()
    yield
    _native.set_num_threads(before)


def normal(*shape: int, seed: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def classes(count: int, of: int) -> Any:
    return np.random.default_rng(9).integers(0, of, count).astype(np.int32)


def perceptron() -> Made:
    """Layers wide enough that products, folds and updates are shared among threads."""
    layers = [nn.Dense(300, 515), nn.ReLU(), nn.Dense(515, 301), nn.Tanh(), nn.Dropout(p=0.2), nn.Dense(301, 10)]
    net = nn.SequentialCell(*layers)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return net, loss, (normal(130, 300, seed=1), classes(130, 10))


class LeNet5(nn.Cell):
    """Two convolutions, each with a normalisation and the largest of four neighbours behind it, then three dense layers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 6, 5, pad_mode="valid"), nn.Conv2d(6, 16, 5, pad_mode="valid")
        self.norm1, self.norm2 = nn.BatchNorm2d(6), nn.BatchNorm2d(16)
        self.pool, self.relu, self.flatten = nn.MaxPool2d(2, 2), nn.ReLU(), nn.Flatten()
        self.fc1, self.fc2, self.fc3 = nn.Dense(16 * 5 * 5, 120), nn.Dense(120, 84), nn.Dense(84, 10)

    def construct(self, x: Any) -> Any:
        x = self.pool(self.relu(self.norm1(self.conv1(x))))
        x = self.flatten(self.pool(self.relu(self.norm2(self.conv2(x)))))
        return self.fc3(self.relu(self.fc2(self.relu(self.fc1(x)))))


def lenet() -> Made:
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    return LeNet5(), loss, (normal(40, 1, 32, 32, seed=2), classes(40, 10))


class TransformerLayer(nn.Cell):
    """Attention and two dense layers, each around a shortcut and normalised before (Vaswani et al. 2017; Xiong et al. 2020)."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, heads, dropout=0.1, batch_first=True)
        self.norm1, self.norm2 = nn.LayerNorm((width,)), nn.LayerNorm((width,))
        self.wide, self.narrow, self.gelu = nn.Dense(width, 4 * width), nn.Dense(4 * width, width), nn.GELU()
        self.dropout = nn.Dropout(p=0.1)

    def construct(self, x: Any) -> Any:
        y = self.norm1(x)
        x = x + self.attention(y, y, y, need_weights=False)[0]
        return x + self.dropout(self.narrow(self.gelu(self.wide(self.norm2(x)))))


def transformer() -> Made:
    x = normal(5, 70, 96, seed=3)
    return TransformerLayer(96, 6), nn.MSELoss(), (x, np.roll(x, 1, axis=1))


def trained(make: Callable[[], Made], optimizer: Callable[..., Any], threads: int) -> dict[str, bytes]:
    """The losses of some steps and all Parameters after them."""
    _native.set_num_threads(threads)
    ms.set_seed(5)
    net, loss, arrays = make()
    rng = np.random.default_rng(6)
    for parameter in net.get_parameters():
        # gammas and variances keep their size
        if parameter.ndim > 1:
            drawn = rng.standard_normal(parameter.shape) / np.sqrt(parameter[0].size)
            parameter.set_data(Tensor(drawn.astype(np.float32)))
    step = nn.TrainOneStepCell(nn.WithLossCell(net, loss), optimizer(net.trainable_params()))
    step.set_train()
    found = {f"loss {i}": step(*map(Tensor, arrays)).asnumpy().tobytes() for i in range(STEPS)}
    assert np.isfinite(np.frombuffer(found["loss 2"], np.float32)).all()
    assert len(set(found.values())) == STEPS, "nothing is trained"
    return found | {p.name: p.asnumpy().tobytes() for p in net.get_parameters()}


@pytest.mark.parametrize("make", [perceptron, lenet, transformer])
def test_training_does_not_depend_on_the_number_of_threads(mode: str, make: Callable[[], Made]) -> None:
    way: Callable[..., Any] = nn.Adam if make is transformer else lambda ps: nn.Momentum(ps, 0.05, 0.9)
    first = trained(make, way, THREADS[0])
    for threads in THREADS[1:]:
        other = trained(make, way, threads)
        assert [name for name in first if first[name] != other[name]] == [], f"{threads} threads"
