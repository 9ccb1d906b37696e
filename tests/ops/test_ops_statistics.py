"""Orders, quantiles, counts and running extremes along a dimension, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops
from tests.modes import Call, numeric_gradient, run

pytestmark = pytest.mark.compiler

NAN = float("nan")
X = np.array([[3.0, 1.0, 4.0, 1.0], [5.0, 9.0, 2.0, 6.0], [5.0, 3.0, 5.0, 8.0]], np.float32)
HOLES = np.array([[3.0, NAN, 4.0, 1.0], [NAN, NAN, 2.0, 6.0]], np.float32)
SORTED = np.array([1.0, 3.0, 3.0, 7.0], np.float32)


@pytest.mark.parametrize(
    ("function", "arrays", "wanted"),
    [
        (lambda x: ops.cummax(x, 0)[0], (X,), np.maximum.accumulate(X, 0)),
        (lambda x: x.cummin(1)[0], (X,), np.minimum.accumulate(X, 1)),
        # The next four are MindSpore's own answers.
        (lambda x: ops.cummax(x, 0)[1], (np.array([3, 1, 3, 2, NAN, 5], np.float32),), [0, 0, 2, 2, 4, 4]),
        (lambda x: ops.cummin(x, 0)[1], (np.array([3, 1, 1, 2, 0], np.float32),), [0, 1, 2, 2, 4]),
        (lambda x: ops.median(x)[1], (np.array([3, 1, 2, 4], np.float32),), 2),
        (lambda x: ops.renorm(x, 1, 0, 4.0), (np.array([[1, 2], [3, 4]], np.float32),), [[1, 2], [1.7142857, 2.2857143]]),
        (lambda x: x.logcumsumexp(1), (X,), np.logaddexp.accumulate(X, 1)),
        (lambda x: ops.logcumsumexp(x, 0), (np.array([1000.0, 0.0, 1001.0]),), np.logaddexp.accumulate([1000.0, 0.0, 1001.0])),
        (lambda x: x.median(0)[0], (X,), np.median(X, 0)),
        (lambda x: ops.median(x, 1, True)[0], (X,), [[1], [5], [5]]),
        (lambda x: ops.median(x, 1)[0], (HOLES,), [NAN, NAN]),
        (lambda x: x.nanmedian(1)[0], (HOLES,), [3, 2]),
        (ops.nanmean, (HOLES,), np.nanmean(HOLES)),
        (lambda x: x.nanmean(0, True), (HOLES[:, 2:],), [[3.0, 3.5]]),
        (lambda x: x.quantile(0.4), (X,), np.quantile(X, 0.4)),
        (lambda x: ops.quantile(x, Tensor([0.1, 0.75]), 1, True), (X,), np.quantile(X, [0.1, 0.75], 1, keepdims=True)),
        (lambda x: ops.quantile(x, 0.5, 1), (HOLES,), [NAN, NAN]),
        (lambda x: x.nanquantile(0.3, 1), (HOLES,), np.nanquantile(HOLES, 0.3, 1)),
        (lambda x: ops.std_mean(x, 1, 1)[0], (X,), X.std(1, ddof=1)),
        (lambda x: ops.var_mean(x)[0], (X,), X.var()),
        (lambda x: ops.var_mean(x, 0)[1], (X,), X.mean(0)),
        (lambda x: x.aminmax(axis=1)[0], (X,), X.min(1)),
        (lambda x: ops.aminmax(x, axis=1, keepdims=True)[1], (X,), X.max(1, keepdims=True)),
        (lambda x: x.msort(), (X,), np.sort(X, 0)),
        (ops.searchsorted, (SORTED, X), np.searchsorted(SORTED, X)),
        (lambda s, x: ops.searchsorted(s, x, right=True), (SORTED, X), np.searchsorted(SORTED, X, "right")),
        (lambda s, x: ops.searchsorted(s, x, side="right"), (np.sort(X, 1), X), [[3, 2, 4, 2], [2, 4, 1, 3], [3, 1, 3, 4]]),
        (lambda s: ops.searchsorted(s, 3.0, sorter=Tensor([1, 2, 0, 3])), (np.array([3.0, 1.0, 3.0, 7.0]),), 1),
        (lambda x: ops.bucketize(x, [1.0, 3.0, 5.0]), (X,), np.digitize(X, [1, 3, 5], right=True)),
        (lambda x: ops.bucketize(x, [1.0, 3.0, 5.0], right=True), (X,), np.digitize(X, [1, 3, 5])),
        (lambda x: x.histc(4), (X,), np.histogram(X, 4)[0]),
        (lambda x: ops.histc(x, 3, 2.0, 6.0), (X,), np.histogram(X, 3, (2, 6))[0]),
        (lambda x: ops.histc(x, 3), (np.full(4, 2.0, np.float32),), [0, 4, 0]),
        (lambda x: x.diff(), (X,), np.diff(X)),
        (lambda x: ops.diff(x, 2, 0), (X,), np.diff(X, 2, 0)),
        (lambda x: ops.diff(x, prepend=x, append=x), (X,), np.diff(X, prepend=X, append=X)),
        (ops.trapz, (X,), (X[:, 1:] + X[:, :-1]).sum(1) / 2),
        (lambda x, p: ops.trapz(x, p, dim=0), (X, np.array([0.0, 1.0, 4.0], np.float32)), (X[0] + X[1]) / 2 + (X[1] + X[2]) * 1.5),
        (lambda x: x.cov(), (X,), np.cov(X)),
        (lambda x: ops.cov(x, correction=0), (X[0],), np.cov(X[0], ddof=0)),
        (
            lambda x, n, w: ops.cov(x, fweights=n, aweights=w), (X, np.array([1, 2, 1, 3]), np.array([0.5, 1, 2, 1])),
            np.cov(X, fweights=[1, 2, 1, 3], aweights=[0.5, 1, 2, 1]),
        ),
        (ops.cosine_similarity, (X, X[::-1].copy()), (X * X[::-1]).sum(1) / np.linalg.norm(X, axis=1) / np.linalg.norm(X[::-1], axis=1)),
        (ops.dist, (X, X * 2), np.linalg.norm(X)),
        (lambda x: ops.dist(x, x * 2, float("inf")), (X,), 9),
        (lambda x, t: ops.intopk(x, t, 2), (X, np.array([2, 0, 3], np.int32)), [True, False, True]),
        (lambda x, t: ops.intopk(x, t, 2), (X, np.array([9, 3, -1], np.int32)), [False, True, False]),
        (lambda x: ops.aminmax(x, keepdims=True)[1], (np.float32(3),), 3),
        (lambda x: ops.var_mean(x, 0)[0], (X[:0],), [NAN] * 4),
        (lambda x: x.std(ddof=1), (X[:0],), NAN),
        (lambda n: ops.sequence_mask(n, 4), (np.array([1, 3], np.int32),), [[1, 0, 0, 0], [1, 1, 1, 0]]),
    ],
)  # fmt: skip
def test_values(mode: str, function: Callable[..., Any], arrays: tuple[Any, ...], wanted: Any) -> None:
    np.testing.assert_allclose(run(function, *arrays), wanted, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.cummax(x, 1)[0] * x,
        lambda x: x.logcumsumexp(0) * ops.square(x),
        lambda x: ops.median(x, 0)[0],
        lambda x: ops.quantile(x, 0.3, 1),
        lambda x: ops.cosine_similarity(x, x * x),
        lambda x: ops.cov(x),
    ],
)
def test_gradients(mode: str, function: Callable[..., Any]) -> None:
    x = np.array([[0.3, 1.2, -0.7], [0.9, -0.4, 1.6], [2.0, 0.1, 0.5]])
    found = ops.grad(Call(function))(Tensor(x)).asnumpy()
    np.testing.assert_allclose(found, numeric_gradient(function, x)[0], rtol=1e-6, atol=1e-8)


def test_types_of_positions(mode: str) -> None:
    """MindSpore's own answers."""
    places = Call(lambda x: (ops.cummax(x, 0)[1], ops.cummin(x, 0)[1], x.cummin(1)[1], ops.Cummin(0)(x)[1]))(Tensor(X))
    assert [p.dtype for p in places] == [ms.int64, ms.int32, ms.int32, ms.int32]


def test_sizes_that_depend_on_values() -> None:
    values, places = ops.unique(Tensor([[3, 1], [3, 2]]))
    assert (values.tolist(), places.tolist(), places.dtype) == ([3, 1, 2], [[0, 1], [0, 2]], ms.int64)
    assert ops.unique(Tensor([3.0, 1.0]))[1].dtype is ms.int32
    padded, _ = Tensor([3, 1, 3, 2]).unique_with_pad(0)
    assert padded.tolist() == [3, 1, 2, 0]
    found = ops.unique_consecutive(Tensor([1, 1, 2, 2, 1]), True, True)
    assert [t.tolist() for t in found] == [[1, 2, 1], [0, 0, 1, 1, 2], [2, 2, 1]]
    assert ops.unique_consecutive(Tensor([[1, 2], [1, 2], [3, 2]]), dim=0).tolist() == [[1, 2], [3, 2]]
    assert ops.bincount(Tensor([1, 2, 1]), minlength=5).tolist() == [0, 2, 1, 0, 0]
    assert Tensor([1, 2, 1]).bincount(Tensor([0.5, 1.0, 2.0])).tolist() == [0, 2.5, 1]
    assert ops.sequence_mask(Tensor([0, 2])).tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: ops.quantile(x, 1.5), ValueError, r"'q' must be in \[0, 1\], but got 1.5"),
        (lambda x: ops.quantile(ops.cast(x, ms.int32), 0.5), TypeError, "float32 or float64, but got Int32"),
        (lambda x: ops.searchsorted(x[0], x, right=True, side="left"), ValueError, "'side' must be 'left' or 'right'"),
        (
            lambda x: ops.searchsorted(x, x[0]),
            ValueError,
            r"leading dimensions of 'values', but got shapes \(3, 4\) and \(4,\)",
        ),
        (lambda x: ops.histc(x, 0), ValueError, "'bins' must be above 0"),
        (lambda x: ops.cov(x.reshape(1, 3, 4)), ValueError, r"at most 2 dimensions, but got shape \(1, 3, 4\)"),
        (lambda x: x.diff(-1), ValueError, r"'n' must not be negative .* but got -1 and shape \(3, 4\)"),
        (lambda x: x.sum().diff(), ValueError, r"must have a dimension, but got 1 and shape \(\)"),
        (lambda x: ops.cummax(x, 2), ValueError, "'axis'.*2"),
    ],
)
def test_wrong_arguments_are_refused(mode: str, make: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Call(make)(Tensor(X))


def test_wrong_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="integers that are not negative"):
        ops.bincount(Tensor([-1, 2]))
    with pytest.raises(ValueError, match=r"'weights' must have the shape \(2,\), but got \(1,\)"):
        ops.bincount(Tensor([1, 2]), Tensor([1.0]))
