"""Functions that are written over several operators, against numpy in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops

pytestmark = pytest.mark.compiler

X = np.array([[-1.5, 0.0, 2.0], [3.0, -0.5, 1.0]], np.float32)


class Call(nn.Cell):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, x: Any) -> Any:
        return self.function(x)


def check(function: Callable[..., Any], wanted: Any) -> None:
    found = Call(function)(Tensor(X))
    assert len(found) == len(wanted)
    for number, (each, expected) in enumerate(zip(found, wanted, strict=True)):
        assert each.shape == np.shape(expected), f"result {number}"
        np.testing.assert_allclose(each.asnumpy(), expected, rtol=2e-5, atol=1e-6, err_msg=f"result {number}")


def creation(x: Any) -> Any:
    return (
        ops.ones((2,)), ops.ones(2, ms.int32), ops.zeros((1, 2)), ops.full((2,), 3), ops.full((2,), 0.5),
        ops.ones_like(x), ops.zeros_like(x, dtype=ms.int8), ops.full_like(x, 2), ops.arange(3), ops.arange(1, 6, 2),
        ops.arange(0, 1, 0.25), ops.eye(2), ops.eye(2, 3, ms.int32), ops.one_hot(Tensor([0, 2]), 3),
        ops.one_hot(Tensor([0, 2]), 3, Tensor(2.0), Tensor(1.0), 0),
    )  # fmt: skip


def test_creation(mode: str) -> None:
    hot = np.eye(3)[[0, 2]]
    check(
        creation,
        (
            np.ones(2), np.ones(2), np.zeros((1, 2)), np.full(2, 3), np.full(2, 0.5), np.ones((2, 3)), np.zeros((2, 3)),
            np.full((2, 3), 2), np.arange(3), np.arange(1, 6, 2), np.arange(0, 1, 0.25), np.eye(2), np.eye(2, 3), hot,
            (hot + 1).T,
        ),
    )  # fmt: skip


def test_types_of_created_tensors(mode: str) -> None:
    wanted = [
        ms.float32, ms.int32, ms.float32, ms.int64, ms.float32, ms.float32, ms.int8, ms.float32, ms.int64, ms.int64,
        ms.float32, ms.float32, ms.int32, ms.int64, ms.float32,
    ]  # fmt: skip
    assert [t.dtype for t in Call(creation)(Tensor(X))] == wanted


def joining(x: Any) -> Any:
    first, second = ops.split(x, 1)
    top, bottom = ops.unstack(x)
    return (
        ops.concat((x, x), 1), ops.cat([x, x]), ops.stack((x, x), -1), first, second, top, bottom, ops.flip(x, (1,)),
        ops.pad(x, (1, 0, 0, 2), value=7.0), ops.tile(x, (2, 1)), ops.broadcast_to(x, (2, 2, 3)), ops.transpose(x, (1, 0)),
        ops.permute(x, (1, 0)), ops.swapaxes(x, 0, 1), ops.reshape(x, (3, -1)), ops.flatten(x), ops.flatten(x, start_dim=0),
        ops.expand_dims(x, 1), ops.unsqueeze(x, 0), ops.squeeze(ops.unsqueeze(x, 0)),
    )  # fmt: skip


def test_joining_and_shapes(mode: str) -> None:
    padded = np.pad(X, ((0, 2), (1, 0)), constant_values=7)
    check(
        joining,
        (
            np.concatenate((X, X), 1), np.concatenate((X, X)), np.stack((X, X), -1), X[:1], X[1:], X[0], X[1], X[:, ::-1],
            padded, np.tile(X, (2, 1)), np.broadcast_to(X, (2, 2, 3)), X.T, X.T, X.T, X.reshape(3, 2), X, X.ravel(), X[:, None],
            X[None], X,
        ),
    )  # fmt: skip


def folding(x: Any) -> Any:
    largest, places = ops.max(x, 1)
    smallest, of_all = ops.min(x)
    return (
        largest, places, smallest, of_all, ops.amax(x, 0, True), ops.amin(x), ops.argmax(x), ops.argmax(x, 1, True),
        ops.argmin(x, 0), ops.sum(x, [0, 1]), ops.sum(x, 1, True), ops.mean(x, 0), ops.prod(x, 1), ops.var(x, 0, 1),
        ops.std(x), ops.all(x > -2), ops.any(x, 0), ops.logsumexp(x, 1), ops.reduce_sum(x, 1), ops.reduce_max(x, 0),
    )  # fmt: skip


def test_folding(mode: str) -> None:
    check(
        folding,
        (
            X.max(1), X.argmax(1), X.min(), 0, X.max(0, keepdims=True), X.min(), X.argmax(), X.argmax(1)[:, None], X.argmin(0),
            X.sum(), X.sum(1, keepdims=True), X.mean(0), X.prod(1), X.var(0, ddof=1), X.std(), True, X.any(0),
            np.log(np.exp(X).sum(1)), X.sum(1), X.max(0),
        ),
    )  # fmt: skip


def values(x: Any) -> Any:
    return (
        ops.where(x > 0, x, 0.0), ops.select(x > 0, x, -x), ops.clamp(x, -1, 1), ops.clip_by_value(x, 0.0), ops.relu(x),
        ops.relu6(x), ops.softmax(x), ops.log_softmax(x), ops.softplus(x), ops.softplus(x, 2, 1), ops.silu(x), ops.elu(x, 0.5),
        ops.hardswish(x), ops.hardsigmoid(x), ops.gelu(x, "tanh"), ops.masked_fill(x, x > 0, 5), ops.cast(x, ms.int32),
        ops.div(x, 2), ops.div(x, 2, rounding_mode="floor"), ops.div(x, 2, rounding_mode="trunc"), ops.dense(x, x),
        ops.dense(x[None], x, x[:, 0]), ops.stop_gradient(x), ops.depend(x, x), ops.square(x), ops.pow(x, 2),
    )  # fmt: skip


def test_values(mode: str) -> None:
    e, s = np.exp(X), 1 / (1 + np.exp(-X))
    soft = e / e.sum(-1, keepdims=True)
    hard = np.clip(X + 3, 0, 6) / 6
    gelu = X * (1 + np.tanh(np.sqrt(2 / np.pi) * (X + 0.044715 * X**3))) / 2
    check(
        values,
        (
            np.maximum(X, 0), abs(X), np.clip(X, -1, 1), np.maximum(X, 0), np.maximum(X, 0), np.clip(X, 0, 6), soft,
            np.log(soft), np.log1p(e), np.where(2 * X > 1, X, np.log1p(np.exp(2 * X)) / 2), X * s,
            np.where(X > 0, X, np.expm1(X) / 2), X * hard, hard, gelu, np.where(X > 0, 5, X), np.trunc(X), X / 2,
            np.floor(X / 2), np.trunc(X / 2), X @ X.T, (X @ X.T + X[:, 0])[None], X, X, X * X, X * X,
        ),
    )  # fmt: skip


def facts(x: Any) -> Any:
    return ops.shape(x), ops.size(x), ops.rank(x), ops.dtype(x), ops.is_tensor(x), ops.is_tensor(3)


def test_facts(mode: str) -> None:
    assert Call(facts)(Tensor(X)) == ((2, 3), 6, 2, ms.float32, True, False)


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda x: ops.split(x, [1, 3]), ValueError, "sizes"),
        (lambda x: ops.div(x, 2, rounding_mode="up"), ValueError, "'up'|up"),
        (lambda x: ops.pad(x, (1, 1), mode="mirror"), ValueError, "'mode' must be in .*'reflect'.*'mirror'"),
        (lambda x: ops.concat((x, ms.ops.ones((2, 2, 2)))), ValueError, "Concat"),
        (lambda x: ops.matmul(x, x.sum()), ValueError, "matmul"),
        (lambda x: ops.mse_loss(x, x, "average"), ValueError, "average"),
        (lambda x: ops.clamp(x), ValueError, "clamp"),
    ],
)
def test_wrong_arguments_are_refused(mode: str, use: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Call(use)(Tensor(X))


def named(x: Any) -> Any:
    return (
        ops.add(input=x, other=1.0), ops.pow(x, exponent=2), ops.maximum(input=x, other=0.0), ops.exp(input=x),
        ops.log_softmax(logits=x, axis=0), ops.permute(x, axis=(1, 0)), ops.unsqueeze(x, dim=0), ops.unbind(x, dim=1)[2],
        ops.select(condition=x > 0, input=x, other=-x), x.add(other=x),
    )  # fmt: skip


def test_inputs_have_mindspores_names(mode: str) -> None:
    log_softmax = X - np.log(np.exp(X).sum(axis=0))
    check(
        named,
        (X + 1, X**2, np.maximum(X, 0), np.exp(X), log_softmax, X.T, X[None], X[:, 2], np.abs(X), X + X),
    )


def test_wrong_names_are_refused(mode: str) -> None:
    for wrong in (lambda x: ops.add(x, foo=1), lambda x: ops.add(x, input=x), lambda x: ops.add(other=x)):
        with pytest.raises(TypeError, match="Add"):
            Call(wrong)(Tensor(X))


def test_rounded_quotients_of_integers_are_integers(mode: str) -> None:
    found = Call(lambda x: (ops.div(x, 2, rounding_mode="trunc"), ops.div(x, 2, rounding_mode="floor")))(
        Tensor([-3, 3])
    )
    assert [f.dtype for f in found] == [ms.int64, ms.int64]
    assert [f.tolist() for f in found] == [[-1, 1], [-2, 1]]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: ops.gelu(x, "foo"), ValueError, "'gelu', 'approximate' must be 'none' or 'tanh', but got 'foo'"),
        (lambda x: ops.pad(x, (1,)), ValueError, r"'pad', the size of padding must.*\(2, 3\), but got \(1,\)"),
        (lambda x: ops.pad(x, (1, 1) * 3), ValueError, "'pad', the size of padding must be .*at most 4"),
        (lambda x: ops.concat(x), TypeError, "Concat takes one tuple or list of tensors, but got"),
        (lambda x: ops.Concat()(x, x), TypeError, "Concat takes one tuple or list of tensors, but got"),
        (lambda x: ops.addn(x), TypeError, "AddN takes one tuple or list of tensors, but got"),
        (lambda x: ops.Softmax("a")(x), TypeError, "Softmax: attribute 'axis'.*an axis must be an int, but got 'a'"),
        (lambda x: ops.Tile()(x, 2), TypeError, "Tile: attribute 'multiples' must be a tuple of ints, but got 2"),
        (lambda x: ops.Transpose()(x, 1), TypeError, "Transpose: attribute 'perm' must be a tuple of ints, but got 1"),
    ],
)
def test_arguments_that_do_not_fit_are_named(mode: str, call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Call(call)(Tensor(X))


def test_numbers_have_no_memory_to_share() -> None:
    assert ops.stop_gradient(1.5).item() == 1.5
    assert ops.reshape(2, (1, 1)).tolist() == [[2]]
    assert ops.identity(True).dtype is ms.bool_


def test_the_inverse_of_a_matrix_is_no_reciprocal() -> None:
    assert not hasattr(ops, "inverse")
