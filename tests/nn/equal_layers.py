"""A layer to make networks of equal layers of, and the comparison of their results with those of each layer compiled by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops

Maker = Callable[[], nn.Cell]
SIZE = 6


def data(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


class Block(nn.Cell):
    """More operations than are copied to each call."""

    def __init__(self, rate: float = 0.0, scale: float = 0.5) -> None:
        super().__init__()
        self.first, self.second = nn.Dense(SIZE, SIZE), nn.Dense(SIZE, SIZE)
        self.norm = nn.LayerNorm((SIZE,))
        self.drop = nn.Dropout(p=rate)
        self.scale = scale

    def construct(self, x: Any) -> Any:
        y = ops.tanh(self.first(self.norm(x))) * self.scale
        y = self.drop(ops.sigmoid(self.second(y)) * y + ops.sin(x))
        return x + y / (1.0 + ops.exp(-y)) - ops.softmax(y, -1) * ops.cos(y)


def filled(net: nn.Cell) -> nn.Cell:
    for i, each in enumerate(net.get_parameters()):
        if each.dtype == ms.float32:
            each.set_data(data(*each.shape, seed=i) * 0.3)
    return net


def chain(*blocks: nn.Cell) -> nn.Cell:
    return nn.SequentialCell(list(blocks))


def trained(make: Maker, steps: int = 3, training: bool = True) -> list[Tensor]:
    """Losses and Parameters of a few steps."""
    ms.set_seed(1)
    net = filled(make()).set_train(training)
    optimizer = nn.Momentum(net.trainable_params(), 0.05, 0.9)
    gradient = ms.value_and_grad(lambda x: (net(x) ** 2).mean(), None, optimizer.parameters)

    @ms.jit
    def step(x: Any) -> Any:
        loss, gradients = gradient(x)
        optimizer(gradients)
        return loss

    x = data(4, SIZE)
    return [*(step(x) for _ in range(steps)), *net.get_parameters()]


def both(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any], rtol: float = 1e-4, atol: float = 1e-5) -> None:
    """What `run` compiles gives the same without using calls again."""

    def arrays(found: Any) -> list[np.ndarray]:
        return [f for each in found for f in arrays(each)] if isinstance(found, tuple | list) else [found.asnumpy()]

    shared = arrays(run())
    monkeypatch.setenv("MS_DEV_REUSE", "0")
    plain = arrays(run())
    monkeypatch.delenv("MS_DEV_REUSE")
    for one, other in zip(shared, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=rtol, atol=atol)


def agree(make: Maker, monkeypatch: pytest.MonkeyPatch, **kwargs: Any) -> None:
    """A network is trained to the same with equal calls used again as without."""
    both(monkeypatch, lambda: trained(make, **kwargs), rtol=2e-5, atol=2e-6)
