"""Layers, activations and losses against numpy, in both modes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops

pytestmark = pytest.mark.compiler

X = np.array([[-4.0, -1.0, -0.25], [0.5, 2.0, 7.0]], np.float32)


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def erf(x: Any) -> Any:
    return np.vectorize(math.erf)(x)


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (nn.ReLU(), np.maximum(X, 0)),
        (nn.ReLU6(), np.clip(X, 0, 6)),
        (nn.Sigmoid(), sigmoid(X)),
        (nn.Tanh(), np.tanh(X)),
        (nn.SiLU(), X * sigmoid(X)),
        (nn.HSigmoid(), np.clip(X + 3, 0, 6) / 6),
        (nn.HSwish(), X * np.clip(X + 3, 0, 6) / 6),
        (nn.GELU(approximate=False), X * (1 + erf(X / math.sqrt(2))) / 2),
        (nn.GELU(), X * (1 + np.tanh(math.sqrt(2 / math.pi) * (X + 0.044715 * X**3))) / 2),
        (nn.LeakyReLU(), np.where(X > 0, X, 0.2 * X)),
        (nn.LeakyReLU(0.5), np.where(X > 0, X, 0.5 * X)),
        (nn.ELU(2.0), np.where(X > 0, X, 2 * np.expm1(X))),
        (nn.Softmax(), softmax(X)),
        (nn.Softmax(0), softmax(X.T).T),
        (nn.LogSoftmax(), np.log(softmax(X))),
        (nn.Identity(), X),
    ],
    ids=lambda v: repr(v) if isinstance(v, nn.Cell) else "",
)
def test_activations(mode: str, layer: nn.Cell, wanted: Any) -> None:
    np.testing.assert_allclose(layer(Tensor(X)).asnumpy(), wanted, rtol=2e-5, atol=1e-6)


def test_activations_by_name() -> None:
    assert isinstance(nn.get_activation("relu"), nn.ReLU)
    assert nn.get_activation(None) is None
    with pytest.raises(KeyError, match="foo"):
        nn.get_activation("foo")


@pytest.mark.parametrize("activation", [None, "tanh", nn.Tanh(), ops.Tanh(), ops.tanh])
@pytest.mark.parametrize("shape", [(2, 3), (3,), (2, 1, 3), (0, 3)])
def test_dense(mode: str, activation: Any, shape: tuple[int, ...]) -> None:
    ms.set_seed(2)
    layer = nn.Dense(3, 4, activation=activation)
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    wanted = x @ layer.weight.asnumpy().T + layer.bias.asnumpy()
    found = layer(Tensor(x))
    assert found.shape == (*shape[:-1], 4)
    np.testing.assert_allclose(found.asnumpy(), wanted if activation is None else np.tanh(wanted), rtol=1e-5, atol=1e-6)


def test_dense_starts_like_mindspores() -> None:
    ms.set_seed(0)
    layer = nn.Dense(1000, 500)
    bound = 1 / math.sqrt(1000)
    for parameter in (layer.weight, layer.bias):
        values = parameter.asnumpy()
        assert abs(values).max() <= bound
        assert values.std() == pytest.approx(bound / math.sqrt(3), rel=0.05)
    assert nn.Dense(2, 2, "ones", "zeros", dtype=ms.float16).weight.dtype is ms.float16
    assert not hasattr(nn.Dense(2, 2, has_bias=False).bias, "shape")


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.Dense(3.5, 2), TypeError, "in_channels"),  # type: ignore[arg-type]
        (lambda: nn.Dense(0, 2), ValueError, "in_channels.*0"),
        (lambda: nn.Dense(3, True), TypeError, "out_channels"),
        (lambda: nn.Dense(3, 2, has_bias=1), TypeError, "has_bias"),  # type: ignore[arg-type]
        (lambda: nn.Dense(3, 2, activation="foo"), KeyError, "foo"),
        (lambda: nn.Dense(3, 2, activation=3), TypeError, "activation"),
        (lambda: nn.Dense(3, 2, Tensor(np.ones((3, 2), np.float32))), ValueError, r"\(2, 3\).*\(3, 2\)"),
        (lambda: nn.Dense(3, 2)(Tensor([[1.0, 2.0]])), ValueError, "MatMul"),
        (lambda: nn.SoftmaxCrossEntropyWithLogits(reduction="x"), ValueError, "mean"),
        (lambda: nn.SoftmaxCrossEntropyWithLogits(sparse=1), TypeError, "sparse"),  # type: ignore[arg-type]
        (lambda: nn.GELU(approximate="tanh"), TypeError, "approximate"),  # type: ignore[arg-type]
    ],
)
def test_wrong_layers_are_refused(mode: str, make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_flatten(mode: str) -> None:
    x = Tensor(np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0)(x).shape == (24,)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)


LABELS = np.array([2, 0], np.int32)
DENSE = np.array([[0.1, 0.2, 0.7], [1.0, 0.0, 0.0]], np.float32)
ROWS = -np.log(softmax(X))[[0, 1], LABELS]
DENSE_ROWS = -(DENSE * np.log(softmax(X))).sum(-1)
FOLD: dict[str, Any] = {"mean": np.mean, "sum": np.sum, "none": np.array}


@pytest.mark.parametrize("reduction", FOLD)
def test_losses(mode: str, reduction: str) -> None:
    fold = FOLD[reduction]
    logits, labels, dense = Tensor(X), Tensor(LABELS), Tensor(DENSE)
    wanted = [
        (nn.SoftmaxCrossEntropyWithLogits(True, reduction)(logits, labels), fold(ROWS)),
        (nn.SoftmaxCrossEntropyWithLogits(False, reduction)(logits, dense), fold(DENSE_ROWS)),
        (nn.CrossEntropyLoss(reduction=reduction)(logits, labels), fold(ROWS)),
        (nn.CrossEntropyLoss(reduction=reduction)(logits, dense), fold(DENSE_ROWS)),
        (nn.MSELoss(reduction)(logits, dense), fold((X - DENSE) ** 2)),
        (nn.L1Loss(reduction)(logits, dense), fold(abs(X - DENSE))),
    ]
    for found, expected in wanted:
        np.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5, atol=1e-6)


def test_cross_entropy_options(mode: str) -> None:
    weight = np.array([1.0, 2.0, 0.5], np.float32)
    found = nn.CrossEntropyLoss(Tensor(weight))(Tensor(X), Tensor(LABELS))
    np.testing.assert_allclose(found.asnumpy(), (ROWS * weight[LABELS]).sum() / weight[LABELS].sum(), rtol=1e-5)
    ignored = nn.CrossEntropyLoss(ignore_index=0)(Tensor(X), Tensor(LABELS))
    np.testing.assert_allclose(ignored.asnumpy(), ROWS[0], rtol=1e-5)
    smooth = nn.CrossEntropyLoss(label_smoothing=0.3)(Tensor(X), Tensor(LABELS))
    wanted = 0.7 * ROWS.mean() - 0.3 * np.log(softmax(X)).mean(-1).mean()
    np.testing.assert_allclose(smooth.asnumpy(), wanted, rtol=1e-5)


def test_a_users_own_loss(mode: str) -> None:
    class Cubed(nn.LossBase):
        def construct(self, logits: Any, labels: Any) -> Any:
            return self.get_loss((logits - labels) ** 3)

    np.testing.assert_allclose(Cubed("sum")(Tensor(X), Tensor(DENSE)).asnumpy(), ((X - DENSE) ** 3).sum(), rtol=1e-5)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (1, TypeError, "'Dense', the input must be a Tensor, but got 1"),
        (None, TypeError, "'Dense', the input must be a Tensor, but got None"),
        (Tensor(1.0), ValueError, r"'Dense', the last dimension of the input must be 3, but got shape \(\)"),
        (Tensor(np.ones((2, 2, 4), np.float32)), ValueError, r"must be 3, but got shape \(2, 2, 4\)"),
        (Tensor(np.ones((2, 4), np.float32)), ValueError, r"MatMul.*Float32\[2, 4\].*Float32\[5, 3\]"),
    ],
)
def test_inputs_that_do_not_fit_a_dense_layer(mode: str, given: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        nn.Dense(3, 5)(given)
