"""Gradients and other transformations of networks of equal layers are those of each layer differentiated by itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from tests.nn.equal_layers import SIZE, Block, Maker, agree, both, chain, data, filled

pytestmark = pytest.mark.compiler


class Recomputed(Block):
    def __init__(self) -> None:
        super().__init__()
        self.recompute()


class OwnGradient(Block):
    def construct(self, x: Any) -> Any:
        return super().construct(x)

    def bprop(self, x: Any, out: Any, dout: Any) -> Any:
        return (dout * ops.cos(x) + out * 0.01,)


@pytest.mark.parametrize("layer", [Recomputed, OwnGradient])
def test_layers_with_gradients_of_their_own(layer: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(layer() for _ in range(3)), Block(), Block()), monkeypatch)


def test_higher_orders_and_other_transformations(monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled(chain(*(Block() for _ in range(3))))
    x, v = data(2, SIZE), data(2, SIZE, seed=1)

    def value(x: Any) -> Any:
        return ops.sin(net(x)).sum()

    slope = ms.grad(value)
    both(monkeypatch, lambda: ms.jit(ms.grad(lambda x: (slope(x) ** 2).sum()))(x))
    both(monkeypatch, lambda: ms.jit(ms.grad(lambda x: ms.grad(lambda y: (slope(y) ** 2).sum())(x).sum()))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.jvp(net, x, v))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.jvp(slope, x, v))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.vjp(net, x)[1](v))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.vmap(net)(x))(data(4, 2, SIZE)))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.vmap(slope)(x))(data(4, 2, SIZE)))
    both(monkeypatch, lambda: ms.jit(ms.jacrev(net))(data(1, SIZE)))


def test_gradients_by_list_and_of_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled(chain(*(Block() for _ in range(4))))
    weights = ms.ParameterTuple(net.trainable_params())
    x = data(2, SIZE)
    by_list = ops.GradOperation(get_by_list=True, get_all=True)
    both(monkeypatch, lambda: ms.jit(lambda x: by_list(net, weights)(x))(x))
    with_value = ms.value_and_grad(lambda x, w: (net(x) * w).sum(), (0, 1), (weights[0], weights[9]))
    both(monkeypatch, lambda: ms.jit(with_value)(x, x))
    both(monkeypatch, lambda: ms.jit(lambda x: (net(x), ms.grad(lambda y: net(y).sum(), 0, weights)(x)))(x))


def test_gradients_under_conditions_and_in_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled(chain(*(Block() for _ in range(3))))

    def repeated(x: Any, n: Any) -> Any:
        while n > 0:
            x, n = ops.tanh(net(x)), n - 1
        if x.sum() > 0:
            x = net(x)
        return x.sum()

    both(monkeypatch, lambda: ms.jit(ms.grad(repeated))(data(2, SIZE), Tensor(3)))


def test_a_wrapped_training_step_computes_the_network_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(net: nn.Cell) -> list[Any]:
        loss = nn.WithLossCell(net, nn.MSELoss())
        train = nn.TrainOneStepCell(loss, nn.SGD(net.trainable_params(), 0.1)).set_train()
        return [ms.jit(lambda x, y: train(x, y))(data(4, SIZE), data(4, SIZE, seed=2)) for _ in range(2)]

    both(monkeypatch, lambda: step(filled(chain(*(Block() for _ in range(3))))))


def test_both_modes_and_back_ends_agree(mode: str) -> None:
    net = filled(chain(*(Block() for _ in range(4))))
    x = data(2, SIZE)
    value, gradient = ms.value_and_grad(lambda x: net(x).sum())(x)
    by_reference = ms.jit(ms.value_and_grad(lambda x: net(x).sum()), backend="reference")(x)
    np.testing.assert_allclose(value.asnumpy(), by_reference[0].asnumpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient.asnumpy(), by_reference[1].asnumpy(), rtol=1e-4, atol=1e-5)
