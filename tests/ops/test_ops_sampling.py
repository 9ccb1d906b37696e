"""Random numbers of many distributions, in both modes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops
from mindspore.ops import operations as P  # noqa: N812 -- MindSpore's name
from tests.modes import Call

pytestmark = pytest.mark.compiler

N = 20000


def drawn(function: Callable[..., Any], *inputs: Any) -> Any:
    ms.set_seed(11)
    return Call(function)(*inputs).asnumpy()


MOMENTS: list[tuple[Callable[..., Any], float, float]] = [
    (lambda: ops.uniform((N,), -1.0, 3.0), 1.0, 4 / math.sqrt(12)),
    (lambda: ops.normal((N,), 2.0, 3.0), 2.0, 3.0),
    (lambda: ops.standard_normal((N,)), 0.0, 1.0),
    (lambda: ops.laplace((N,), 1.0, 2.0), 1.0, 2 * math.sqrt(2)),
    (lambda: ops.standard_laplace((N,)), 0.0, math.sqrt(2)),
    (lambda: ops.gamma((N,), 3.0, 2.0), 1.5, math.sqrt(3) / 2),
    (lambda: ops.gamma((N,), 0.4, 1.0), 0.4, math.sqrt(0.4)),
    (lambda: ops.random_gamma((N,), Tensor(5.0)), 5.0, math.sqrt(5)),
    (lambda: ops.poisson((N,), 3.5), 3.5, math.sqrt(3.5)),
    (lambda: ops.poisson((N,), 12.0), 12.0, math.sqrt(12)),
    (lambda: ops.random_poisson((N,), Tensor(200.0)), 200.0, math.sqrt(200)),
    (lambda: ops.cast(ops.randint(-3, 5, (N,)), ms.float32), 0.5, math.sqrt(63 / 12)),
    (lambda: ops.bernoulli(ops.ones((N,)), 0.3), 0.3, math.sqrt(0.21)),
]


@pytest.mark.parametrize(("make", "mean", "deviation"), MOMENTS)
def test_mean_and_deviation(mode: str, make: Callable[..., Any], mean: float, deviation: float) -> None:
    found = drawn(make).astype(np.float64)
    assert found.mean() == pytest.approx(mean, abs=5 * deviation / math.sqrt(N))
    assert found.std() == pytest.approx(deviation, rel=0.06)
    np.testing.assert_array_equal(drawn(make), found)


def test_both_modes_draw_the_same() -> None:
    makers = [lambda: ops.randint(0, 1 << 40, (50,)), lambda: ops.randperm(60), lambda: ops.poisson((50,), 7.0)]
    results = []
    for each in (ms.GRAPH_MODE, ms.PYNATIVE_MODE):
        ms.set_context(mode=each)
        results.append([drawn(make) for make in makers])
    for one, other in zip(*results, strict=True):
        np.testing.assert_array_equal(one, other)
    assert len(set(results[0][0].tolist())) == 50


def test_poisson_has_the_right_distribution(mode: str) -> None:
    for rate in (2.0, 15.0):
        found = drawn(lambda rate=rate: ops.poisson((N,), rate)).astype(int)
        numbers = np.arange(60)
        chances = np.exp(numbers * math.log(rate) - rate - np.array([math.lgamma(n + 1) for n in numbers]))
        np.testing.assert_allclose(np.bincount(found, minlength=60)[:60] / N, chances, atol=0.012)
    assert not drawn(lambda: ops.poisson((100,), 0.0)).any()


def test_shapes_and_types(mode: str) -> None:
    means = Tensor([1.0, 20.0])
    assert Call(lambda m: ops.normal((3, 1), m, 1.0))(means).shape == (3, 2)
    assert Call(lambda m: ops.poisson((4, 2), m))(means).shape == (4, 2)
    assert Call(lambda m: ops.random_poisson((3,), m, dtype=ms.int32))(means).dtype is ms.int32
    assert Call(lambda m: ops.uniform((2,), 1, 5, dtype=ms.int32))(means).dtype is ms.int32
    like = Call(lambda m: ops.randint_like(m, 1, 4))(means)
    assert (like.dtype, like.shape, set(like.tolist()) <= {1.0, 2.0, 3.0}) == (ms.float32, (2,), True)
    assert Call(lambda m: ops.randint(1, 4, (2,), dtype=ms.int8))(means).dtype is ms.int8


def test_permutations(mode: str) -> None:
    assert sorted(drawn(lambda: ops.randperm(100)).tolist()) == list(range(100))
    own = [Call(lambda: ops.randperm(50, seed=3))().tolist() for _ in range(1)]
    assert own[0] != list(range(50))
    x = np.arange(24.0).reshape(12, 2)
    found = drawn(ops.shuffle, Tensor(x))
    assert (found != x).any()
    np.testing.assert_array_equal(found[np.argsort(found[:, 0])], x)


def test_multinomial(mode: str) -> None:
    weights = np.array([[0.0, 1.0, 3.0], [2.0, 2.0, 0.0]], np.float32)
    found = drawn(lambda w: ops.multinomial(w, 6000), Tensor(weights))
    assert (found.dtype, found.shape) == (np.int32, (2, 6000))
    np.testing.assert_allclose(
        [np.bincount(r, minlength=3) / 6000 for r in found], [[0, 0.25, 0.75], [0.5, 0.5, 0]], atol=0.025
    )
    others = drawn(lambda w: ops.multinomial(w, 2, False), Tensor(np.tile(weights[:1], (2000, 1))))
    assert (np.sort(others, 1) == [1, 2]).all()
    assert others[:, 0].mean() == pytest.approx(1.75, abs=0.04)
    assert drawn(lambda w: ops.random_categorical(w, 5), Tensor(np.log(weights + 1e-30))).shape == (2, 5)


def test_random_choice_with_mask(mode: str) -> None:
    mask = np.zeros((4, 5), bool)
    mask[1, 2] = mask[3, 4] = mask[0, 0] = True
    for count in (2, 30):
        ms.set_seed(2)
        places, valid = Call(P.RandomChoiceWithMask(count))(Tensor(mask))
        assert (places.shape, places.dtype, valid.shape) == ((count, 2), ms.int32, (count,))
        chosen = {tuple(p) for p in places.asnumpy()[valid.asnumpy()].tolist()}
        assert len(chosen) == min(count, 3)
        assert chosen <= {(1, 2), (3, 4), (0, 0)}
        assert not places.asnumpy()[~valid.asnumpy()].any()


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: ops.randint(3, 3, (2,)), ValueError, "'low' must be below the 'high', but got 3 and 3"),
        (lambda x: ops.randperm(2.5), TypeError, "'n' must be int, but got 2.5"),
        (lambda x: ops.randperm(-1), ValueError, "'n' must not be negative, but got -1"),
        (lambda x: ops.bernoulli(x, 1.5), ValueError, r"'p' must be in \[0, 1\], but got 1.5"),
        (lambda x: ops.multinomial(x, 4, False), ValueError, "from 1 to 2 positions, but got 4"),
        (lambda x: ops.multinomial(x.reshape(1, 1, 2), 1), ValueError, r"1 or 2 dimensions, but got shape \(1, 1, 2\)"),
        (lambda x: ops.normal(3, 0.0, 1.0), TypeError, "shape must be a tuple of ints"),
    ],
)
def test_wrong_arguments_are_refused(mode: str, make: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Call(make)(Tensor([0.5, 0.5]))
