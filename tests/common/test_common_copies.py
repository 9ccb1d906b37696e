"""Copies and pickles of what programs hold: tensors, operators, Cells, compiled functions, steps of training."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops

pytestmark = pytest.mark.compiler

DATA = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
COPIES: tuple[Callable[[Any], Any], ...] = (copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value)))


class Network(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Dense(4, 4)
        self.act = ops.relu
        self.norm = ops.Softmax(-1)

    def construct(self, x: Any) -> Any:
        return self.norm(self.act(self.dense(x)))


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("array", [np.float32(1.5), DATA, DATA.T, DATA[:0]], ids=["0-d", "2-d", "view", "empty"])
def test_tensors_keep_their_shape(copied: Callable[[Any], Any], array: Any) -> None:
    made = copied(Tensor(array))
    assert made.shape == np.shape(array)
    np.testing.assert_array_equal(made.asnumpy(), array)


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("name", ["add", "relu", "reduce_sum"])
def test_an_operator_is_its_own_copy(copied: Callable[[Any], Any], name: str) -> None:
    assert copied(getattr(ops, name)) is getattr(ops, name)


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])
def test_a_cell_that_has_run(mode: str, copied: Callable[[Any], Any]) -> None:
    network, x = Network(), Tensor(DATA)
    expected = network(x).asnumpy()
    other = copied(network)
    other.dense.weight.set_data(ops.zeros_like(other.dense.weight))
    np.testing.assert_allclose(other(x).asnumpy().sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(network(x).asnumpy(), expected)


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])
def test_a_gradient_function_that_has_run(mode: str, copied: Callable[[Any], Any]) -> None:
    gradient, x = ms.grad(Network()), Tensor(DATA)
    expected = gradient(x).asnumpy()
    np.testing.assert_array_equal(copied(gradient)(x).asnumpy(), expected)


@pytest.mark.parametrize("copied", COPIES, ids=["deepcopy", "pickle"])
def test_a_step_of_training_goes_on_where_it_was(mode: str, copied: Callable[[Any], Any]) -> None:
    network = Network()
    optimizer = nn.Momentum(network.trainable_params(), 0.5, 0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(network, nn.MSELoss()), optimizer)
    x = Tensor(DATA)
    step(x, x)
    other = copied(step)
    assert other.network is not step.network
    assert other.weights[0] is other.optimizer.parameters[0]
    losses = [[each(x, x).item() for _ in range(3)] for each in (step, other)]
    assert losses[0] == losses[1]
    assert losses[0][2] < losses[0][0]
