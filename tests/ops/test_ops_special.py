"""Special functions and activations as public functions, methods and layers, in both modes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.ops import operations as P  # noqa: N812 -- MindSpore's name
from tests.modes import Call, numeric_gradient, run

pytestmark = pytest.mark.compiler

X = np.array([-2.0, -0.75, -0.25, 0.0, 0.3, 1.0, 4.5], np.float32)
ODDS = np.array([0.1, 0.5, 0.8], np.float32)
POSITIVE = np.array([0.4, 1.0, 2.5, 30.0], np.float32)
NAN, INF = float("nan"), float("inf")


def softmax(x: Any) -> Any:
    e = np.exp(x - x.max())
    return e / e.sum()


@pytest.mark.parametrize(
    ("function", "arrays", "wanted"),
    [
        (lambda x: x.deg2rad(), (X,), np.deg2rad(X)),
        (ops.rad2deg, (X,), np.rad2deg(X)),
        (ops.frac, (X,), X - np.trunc(X)),
        (lambda x: x.sgn(), (X,), np.sign(X)),
        (ops.signbit, (np.array([-1.0, -0.0, 0.0, NAN], np.float32),), [True, True, False, False]),
        (lambda x: x.isposinf(), (np.array([INF, -INF, NAN, 1]),), [True, False, False, False]),
        (ops.isneginf, (np.array([INF, -INF, NAN, 1]),), [False, True, False, False]),
        (ops.isneginf, (np.array([1, 2]),), [False, False]),
        (ops.isreal, (X,), np.ones(7, bool)),
        (ops.log10, (POSITIVE,), np.log10(POSITIVE)),
        (lambda x: x.log2(), (POSITIVE,), np.log2(POSITIVE)),
        (ops.exp2, (X,), np.exp2(X)),
        (lambda x: x.float_power(2), (np.array([3, -2]),), [9.0, 4.0]),
        (ops.fmod, (X, np.full(7, 0.7, np.float32)), np.fmod(X, np.float32(0.7))),
        (lambda x: x.remainder(0.7), (X,), np.mod(X, np.float32(0.7))),
        (ops.ldexp, (X, np.arange(7, dtype=np.float32)), np.ldexp(X, np.arange(7))),
        (ops.logaddexp, (X, X * 0.7 + 1), np.logaddexp(X, X * 0.7 + 1)),
        (ops.logaddexp2, (X, X * 0.7 + 1), np.logaddexp2(X, X * 0.7 + 1)),
        (ops.logaddexp, (np.array([INF, -INF, 1000.0]), np.array([INF, -INF, 1000.0])), [INF, -INF, 1000 + math.log(2)]),
        (ops.logit, (ODDS,), np.log(ODDS / (1 - ODDS))),
        (lambda x: x.logit(0.2), (ODDS,), [math.log(0.25), 0, math.log(4)]),
        (lambda x: x.i0(), (X,), np.i0(X)),
        (lambda x: x.mvlgamma(2), (POSITIVE + 1,), [math.lgamma(v) + math.lgamma(v - 0.5) + 0.5 * math.log(math.pi) for v in POSITIVE + 1]),
        (lambda x: ops.polygamma(1, x), (np.array([1.0, 0.5]),), [math.pi**2 / 6, math.pi**2 / 2]),
        (lambda x: ops.polygamma(2, x), (np.array([1.0]),), [-2 * 1.2020569031595942]),
        (lambda x: x.addcmul(x, x + 1, 0.5), (X,), X + 0.5 * X * (X + 1)),
        (ops.addcdiv, (X, X, X + 3), X + X / (X + 3)),
        (lambda x: ops.lerp(x, x * 2, 0.25), (X,), 1.25 * X),
        (ops.gcd, (np.array([12, -7, 0, 9]), np.array([18, 0, 0, -6])), [6, 7, 0, 3]),
        (lambda x, y: x.lcm(y), (np.array([4, -6, 0]), np.array([6, 4, 5])), [12, 12, 0]),
        (lambda x: x.bitwise_left_shift(2), (np.array([1, 5]),), [4, 20]),
        (ops.hypot, (np.array([3e30, 3e-30], np.float32), np.array([4e30, 4e-30], np.float32)), [5e30, 5e-30]),
        (ops.glu, (X[:6],), X[:3] / (1 + np.exp(-X[3:6]))),
        (ops.swiglu, (X[:6],), X[:3] / (1 + np.exp(-X[:3])) * X[3:6]),
        (nn.GLU(0), (X[:6],), X[:3] / (1 + np.exp(-X[3:6]))),
        (nn.Hardtanh(-0.5, 2.0), (X,), np.clip(X, -0.5, 2)),
        (nn.Tanhshrink(), (X,), X - np.tanh(X)),
        (nn.Threshold(0.2, 9.0), (X,), np.where(X > 0.2, X, 9)),
        (nn.Softmin(), (X,), softmax(-X)),
        (nn.CELU(2.0), (X,), np.where(X > 0, X, 2 * np.expm1(X / 2))),
        (nn.HShrink(), (X,), [-2, -0.75, 0, 0, 0, 1, 4.5]),
        (nn.SoftShrink(), (X,), [-1.5, -0.25, 0, 0, 0, 0.5, 4]),
        (nn.SoftShrink(0.25), (X,), [-1.75, -0.5, 0, 0, 0.05, 0.75, 4.25]),
        # The next five are MindSpore's own answers.
        (nn.Mish(), (np.array([-1.0, 0.3, 1.0, 2.0], np.float32),), [-0.303401, 0.2080013, 0.8650982, 1.943959]),
        (nn.SeLU(), (np.array([-1.0, 0.3, 1.0], np.float32),), [-1.1113307, 0.3152103, 1.050701]),
        (nn.FastGelu(), (np.array([-1.0, 0.3, 1.0], np.float32),), [-0.15420423, 0.18748415, 0.84579575]),
        (P.Lgamma(), (np.array([-0.5, 0.3, 5.0, 30.0], np.float32),), [1.2655121, 1.0957980, 3.1780539, 71.257042]),
        (P.Digamma(), (np.array([-0.5, 0.3, 1.0, 30.0], np.float32),), [0.03648998, -3.502524, -0.5772157, 3.3844383]),
    ],
)  # fmt: skip
def test_values(mode: str, function: Callable[..., Any], arrays: tuple[Any, ...], wanted: Any) -> None:
    np.testing.assert_allclose(run(function, *arrays), wanted, rtol=3e-6, atol=2e-6 if arrays[0].min() > 1e-3 else 1e-7)


@pytest.mark.parametrize(
    ("name", "arrays", "wanted", "ulps"),
    [
        ("lgamma", (np.linspace(0.01, 30, 997),), math.lgamma, 1),
        ("lgamma", (np.arange(0.5, 8, 0.5),), math.lgamma, 1),
        ("erfinv", (np.linspace(-0.99999, 0.99999, 997),), None, 1),
    ],
)
def test_single_precision_is_exact_to_one_unit(name: str, arrays: Any, wanted: Any, ulps: int) -> None:
    given = arrays[0].astype(np.float32)
    found = getattr(ops, name)(Tensor(given)).asnumpy().astype(np.float64)
    exact = (
        np.array([wanted(float(v)) for v in given])
        if wanted
        else getattr(ops, name)(Tensor(given.astype(np.float64))).asnumpy()
    )
    assert (np.abs(found - exact) <= ulps * np.spacing(np.abs(exact).astype(np.float32))).all()
    if name == "erfinv":
        np.testing.assert_allclose([math.erf(v) for v in exact], given, rtol=1e-14)


@pytest.mark.parametrize(
    "function",
    [
        ops.logaddexp,
        ops.logaddexp2,
        ops.addcdiv,
        ops.hypot,
        ops.fmax,
        lambda x, y: ops.glu(ops.concat((x, y))),
        ops.ldexp,
    ],
)
def test_gradients(mode: str, function: Callable[..., Any]) -> None:
    count = 3 if function is ops.addcdiv else 2
    arrays = [np.array([0.3, 0.8, 1.7]), np.array([0.7, 0.2, -0.5]), np.array([1.1, -0.9, 2.0])][:count]
    found = ops.grad(Call(function), tuple(range(count)))(*map(Tensor, arrays))
    for each, wanted in zip(found, numeric_gradient(function, *arrays), strict=True):
        np.testing.assert_allclose(each.asnumpy(), wanted, rtol=1e-6, atol=1e-8)


def test_softmax2d_is_over_the_channels(mode: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype(np.float32)
    found = nn.Softmax2d()(Tensor(x)).asnumpy()
    np.testing.assert_allclose(found.sum(1), np.ones((2, 4, 5)), rtol=1e-6)
    np.testing.assert_allclose(found[0, :, 1, 2], softmax(x[0, :, 1, 2]), rtol=1e-6)


def test_random_activations(mode: str) -> None:
    ms.set_seed(3)
    x = Tensor(np.full((4000,), -1.0, np.float32))
    slopes = -nn.RReLU()(x).asnumpy()
    assert 1 / 8 <= slopes.min() < 0.13
    assert 0.33 < slopes.max() < 1 / 3
    chances = np.array([0.2, 0.5, 0.3], np.float32)
    logits = Tensor(np.log(np.tile(chances, (6000, 1))))
    hard = Call(lambda v: ops.gumbel_softmax(v, hard=True))(logits).asnumpy()
    assert set(np.unique(hard.round(6))) == {0.0, 1.0}
    np.testing.assert_allclose(hard.mean(0), chances, atol=0.03)
    soft = Call(lambda v: ops.gumbel_softmax(v, 0.5, dim=0))(logits).asnumpy()
    np.testing.assert_allclose(soft.sum(0), np.ones(3), rtol=1e-4)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: ops.glu(x), ValueError, r"even size, but got shape \(7,\)"),
        (lambda x: ops.gcd(x, x), TypeError, "'gcd'.*integers, but got Float32"),
        (lambda x: ops.logaddexp(ops.cast(x, ms.int32), x), TypeError, "'logaddexp'.*Int32"),
        (lambda x: ops.mvlgamma(x, 0), ValueError, "'p' must be at least 1, but got 0"),
        (lambda x: ops.polygamma(-1, x), ValueError, "'n' must be at least 0, but got -1"),
        (lambda x: ops.gumbel_softmax(x, 0.0), ValueError, "'tau' must be above 0"),
        (lambda x: ops.rrelu(x, 0.5, 0.1), ValueError, "'lower' must be at most 'upper', but got 0.5 and 0.1"),
        (lambda x: nn.Softmax2d()(x), ValueError, r"3 or 4 dimensions, but got shape \(7,\)"),
    ],
)
def test_wrong_arguments_are_refused(mode: str, make: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Call(make)(Tensor(X))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: nn.CELU(0.0), "'alpha' must not be 0"),
        (lambda: ops.celu(Tensor([1.0]), 0.0), "'alpha' must not be 0, but got 0.0"),
        (lambda: ops.softshrink(Tensor([1.0]), -1.0), "'lambd' must not be negative, but got -1.0"),
        (lambda: nn.Hardtanh(1.0, 1.0), "'min_val' must be below 'max_val', but got 1.0 and 1.0"),
        (lambda: nn.RReLU(0.5, 0.1), "'lower' must be at most 'upper'"),
        (lambda: nn.SoftShrink(0.0), "lambd"),
    ],
)
def test_wrong_layers_are_refused(make: Callable[[], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make()


def test_bounds_of_integers_are_integers(mode: str) -> None:
    """As MindSpore answers: the type of the input stays."""
    x = np.array([-3, 0, 2, 5], np.int32)
    for function, wanted in (
        (lambda x: ops.hardtanh(x, -1.5, 1.7), [-1, 0, 1, 1]),
        (lambda x: ops.threshold(x, 1, 20.5), [20, 20, 2, 5]),
    ):
        found = Call(function)(Tensor(x))
        assert (found.dtype, found.tolist()) == (ms.int32, wanted)
