"""``mindspore.numpy`` gives what numpy gives, in both modes and on both back ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
import mindspore.numpy as mnp
from mindspore import Tensor
from tests.frontend.programs import check

pytestmark = pytest.mark.compiler
X = np.array([[0.25, -0.5, 0.75], [0.5, 0.125, -0.25]], np.float32)


@pytest.mark.parametrize("name", sorted(mnp._FLOATING))
def test_functions_of_floating_numbers(name: str) -> None:
    x = np.abs(X) + (1 if name == "arccosh" else 0)
    np.testing.assert_allclose(check(lambda v: getattr(mnp, name)(v), Tensor(x)), getattr(np, name)(x), rtol=2e-5)
    ones = np.array([1, 1])
    found = getattr(mnp, name)([1, 1]) if name != "arctanh" else mnp.tanh([1, 1])
    assert found.dtype == ms.float32
    np.testing.assert_allclose(found.asnumpy(), getattr(np, name if name != "arctanh" else "tanh")(ones), rtol=2e-5)


@pytest.mark.parametrize("name", sorted(set(mnp._UNARY) & set(mnp._MADE)))
def test_functions_of_one_tensor(name: str) -> None:
    x = X > 0 if name == "logical_not" else X * 3
    np.testing.assert_array_equal(check(lambda v: getattr(mnp, name)(v), Tensor(x)), getattr(np, name)(x))


@pytest.mark.parametrize("name", sorted(mnp._BINARY))
def test_functions_of_two_tensors(name: str) -> None:
    x, y = (X > 0, X < 0.3) if name.startswith("logical") else (np.abs(X) + 1, X * 2 + 3)
    np.testing.assert_allclose(
        check(lambda a, b: getattr(mnp, name)(a, b), Tensor(x), Tensor(y)), getattr(np, name)(x, y), rtol=1e-5
    )


def shapes(x: Any) -> Any:
    return (
        mnp.reshape(x, (3, 2)), mnp.reshape(x, -1), mnp.ravel(x), mnp.transpose(x), mnp.expand_dims(x, 0), mnp.squeeze(x[None]),
        mnp.concatenate((x, x), 1), mnp.stack([x, x], 1), mnp.where(x > 0, x, -x), mnp.swapaxes(x, 0, 1), mnp.tile(x, (2, 1)),
        mnp.broadcast_to(x, (2, 2, 3)), mnp.matmul(x, mnp.transpose(x)), mnp.size(x), mnp.size(x, 1),
    )  # fmt: skip


def test_shapes() -> None:
    wanted: tuple[Any, ...] = (
        X.reshape(3, 2), X.reshape(-1), X.ravel(), X.T, X[None], X, np.concatenate((X, X), 1), np.stack([X, X], 1), np.where(X > 0, X, -X),
        X.T, np.tile(X, (2, 1)), np.broadcast_to(X, (2, 2, 3)), X @ X.T, 6, 3,
    )  # fmt: skip
    for found, expected in zip(check(shapes, Tensor(X)), wanted, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_reductions() -> None:
    found = check(lambda x: (mnp.sum(x), mnp.sum(x, 0), mnp.mean(x, 1, True), mnp.max(x), mnp.amin(x, 1)), Tensor(X))
    for got, wanted in zip(found, (X.sum(), X.sum(0), X.mean(1, keepdims=True), X.max(), X.min(1)), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-6)
    assert mnp.mean([1, 2]).item() == 1.5


def creation() -> Any:
    return (
        mnp.array([1, 2]), mnp.array([1.5, 2]), mnp.array(True), mnp.array([[1, 2]], mnp.float32), mnp.asarray(3), mnp.asfarray([1]),
        mnp.zeros((2, 3)), mnp.ones(2), mnp.full((2,), 3), mnp.full((2,), 2.5), mnp.eye(2, 3, 1), mnp.identity(2), mnp.tri(3, 2),
        mnp.arange(4), mnp.arange(1, 6, 2), mnp.arange(1.0, 3.0), mnp.linspace(0, 1, 5), mnp.linspace(0, 1, 4, endpoint=False),
        mnp.zeros_like([1.5]), mnp.ones_like([1, 2]), mnp.full_like([1.0, 2.0], 7), mnp.array([mnp.array([1]), mnp.array([2])]),
        mnp.array(5, ndmin=2),
    )  # fmt: skip


def test_creation() -> None:
    wanted: list[Any] = [
        [1, 2], [1.5, 2], True, [[1.0, 2.0]], 3, [1.0], np.zeros((2, 3)), np.ones(2), [3, 3], [2.5, 2.5], np.eye(2, 3, 1), np.eye(2),
        np.tri(3, 2), range(4), [1, 3, 5], [1.0, 2.0], [0, 0.25, 0.5, 0.75, 1.0], [0, 0.25, 0.5, 0.75], [0.0], [1, 1], [7.0, 7.0],
        [[1], [2]], [[5]],
    ]  # fmt: skip
    for found, expected in zip(check(creation), wanted, strict=True):
        array = np.asarray(list(expected) if isinstance(expected, range) else expected)
        np.testing.assert_array_equal(found, array)
        assert found.dtype == {"b": np.bool_, "i": np.int32, "f": np.float32}[array.dtype.kind]


def test_a_name_that_does_not_exist() -> None:
    with pytest.raises(AttributeError, match=r"'mindspore\.numpy' has no attribute 'nothing'"):
        _ = mnp.nothing
