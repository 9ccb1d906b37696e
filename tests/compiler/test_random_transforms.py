"""Random programs of branches, loops and closures: rows of a batch, tangents and gradients agree with one run after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor
from tests.infer.programs import Program
from tests.modes import fresh_context

pytestmark = pytest.mark.compiler
__all__ = ["fresh_context"]

XS, YS = np.array([1.0, -2.0, 0.25], np.float32), np.array([-0.5, 3.0, 0.75], np.float32)
NS = np.array([2, 0, 3], np.int32)
SEEDS = range(6)


def program(seed: int) -> Any:
    return Program(seed).function()


def total(function: Any) -> Any:
    def run(x: Any, y: Any, n: Any) -> Any:
        a, b, c = function(x, y, n)
        return a + b * 0.5 + c * 0.25

    return run


def each(function: Any, *arrays: Any) -> Any:
    results = [function(*(Tensor(a[i]) for a in arrays)) for i in range(len(arrays[0]))]
    return [np.stack([r.asnumpy() for r in parts]) for parts in zip(*results, strict=True)]


def close(found: Any, wanted: Any) -> None:
    for got, want in zip(found, wanted, strict=True):
        np.testing.assert_allclose(got.asnumpy(), want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_rows(seed: int) -> None:
    function = program(seed)
    close(ms.vmap(function)(Tensor(XS), Tensor(YS), Tensor(NS)), each(function, XS, YS, NS))


@pytest.mark.parametrize("seed", SEEDS)
def test_rows_of_gradients_and_gradients_of_rows(seed: int) -> None:
    function = total(program(seed))
    gradient = ms.grad(function, (0, 1))
    wanted = each(gradient, XS, YS, NS)
    ms.set_context(mode=ms.GRAPH_MODE)
    close(ms.vmap(gradient)(Tensor(XS), Tensor(YS), Tensor(NS)), wanted)
    close(ms.grad(ms.vmap(function), (0, 1))(Tensor(XS), Tensor(YS), Tensor(NS)), wanted)


@pytest.mark.parametrize("seed", SEEDS)
def test_tangents(seed: int) -> None:
    function = total(program(seed))
    x, y, n = Tensor(XS[0]), Tensor(YS[0]), Tensor(NS[0])
    of_x, of_y = (g.asnumpy() for g in ms.grad(function, (0, 1))(x, y, n))
    directions = (Tensor(0.5), Tensor(-2.0), n)
    eager = ms.jvp(function, (x, y, n), directions)[1]
    ms.set_context(mode=ms.GRAPH_MODE)
    compiled = ms.jvp(function, (x, y, n), directions)[1]
    close((eager, compiled), [0.5 * of_x - 2.0 * of_y] * 2)


@pytest.mark.parametrize("seed", SEEDS)
def test_second_derivatives_forward_over_reverse(seed: int) -> None:
    """Programs are piecewise linear, so the square of one has the second derivative 2 ∇f ∇fᵀ."""
    function = total(program(seed))

    def squared(x: Any, y: Any, n: Any) -> Any:
        value = function(x, y, n)
        return value * value

    x, y, n = Tensor(XS[0]), Tensor(YS[0]), Tensor(NS[0])
    of_x, of_y = (g.asnumpy() for g in ms.grad(function, (0, 1))(x, y, n))
    ms.set_context(mode=ms.GRAPH_MODE)
    (xx, xy), (yx, yy) = ms.jacfwd(ms.jacrev(squared, (0, 1)), (0, 1))(x, y, n)
    close((xx, xy, yx, yy), [2 * of_x * of_x, 2 * of_x * of_y, 2 * of_x * of_y, 2 * of_y * of_y])
