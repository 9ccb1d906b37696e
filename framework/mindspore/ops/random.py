"""Random functions. Each draw takes the next number of one count, in program order, so that both modes draw the same numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.parameter import Parameter
from mindspore.common.seed import generator, on_seed
from mindspore.common.state import assign
from mindspore.common.tensor import Tensor

_philox = function("philox_uniform")
_iota = function("iota")
_greater_equal = function("greater_equal")
_mul = function("mul")
_cast = function("cast")
_cos = function("cos")
_log = function("log")
_sqrt = function("sqrt")
_sub = function("sub")
_CIRCLE = 2.0 * math.pi

_key = Parameter(Tensor(np.int64(generator().integers(1 << 32))), name="random_key", requires_grad=False)
_draws = Parameter(Tensor(np.int64(0)), name="random_draws", requires_grad=False)


@on_seed
def _seeded(seed: int) -> None:
    """`set_seed` starts the numbers anew."""
    _key.set_data(Tensor(np.int64(seed % (1 << 32))))
    _draws.set_data(Tensor(np.int64(0)))


def _sizes(owner: str, given: Any) -> Any:
    """The shape, from sizes one by one or as a tuple."""
    shape = f.sizes(given)
    if not all(isinstance(n, int) and n >= 0 for n in shape):
        raise TypeError(f"For '{owner}', the sizes must be ints that are not negative, but got {shape!r}.")
    return shape


def numbers(shape: Any, seed: Any = None, fine: bool = False) -> Any:
    """Float32 numbers in [0, 1), float64 if `fine`: the next ones, or those of a `seed` of their own."""
    key = _key + 0 if seed is None else Tensor(seed % (1 << 32), dt.int64)
    made = _philox(key, _draws + 0, _iota((f.product(shape),)), fine=fine)
    assign(_draws, _draws + 1)
    return f.reshape(made, shape)


def next_draw() -> Any:
    """The key and the number of the next draw, which is then taken."""
    key, draws = _key + 0, _draws + 0
    assign(_draws, _draws + 1)
    return key, draws


def uniform_like(x: Any, seed: Any = None) -> Any:
    """Float32 numbers in [0, 1) in the shape of `x`."""
    return numbers(x.shape, seed)


def rand(*size: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers spread evenly over [0, 1).

    Args:
        size: sizes one by one or as a tuple.
        dtype: a floating type; float32 when None.
        seed: a number with which these are the same each time for the same number of draws before; None for `mindspore.set_seed`.

    Examples:
        >>> from mindspore import ops
        >>> ops.rand(2, 3).shape
        (2, 3)
    """
    return f.cast(numbers(_sizes("rand", size), seed), dt.float32 if dtype is None else dtype)


def randn(*size: Any, dtype: Any = None, seed: Any = None) -> Any:
    """Numbers of the standard normal distribution; the arguments are those of `rand`.

    Examples:
        >>> from mindspore import ops
        >>> ops.randn(2, 3).shape
        (2, 3)
    """
    # Box and Muller's way: a radius and an angle from two even numbers; 1 - u is never 0.
    both = numbers((2, *_sizes("randn", size)), seed)
    radius, turn = f.unstack(both, 0)
    made = _mul(_sqrt(_mul(_log(_sub(1.0, radius)), -2.0)), _cos(_mul(turn, _CIRCLE)))
    return f.cast(made, dt.float32 if dtype is None else dtype)


def rand_like(input: Any, seed: Any = None, *, dtype: Any = None) -> Any:
    """`rand` in the shape, and unless `dtype` says otherwise the type, of a tensor."""
    return rand(input.shape, dtype=input.dtype if dtype is None else dtype, seed=seed)


def randn_like(input: Any, seed: Any = None, *, dtype: Any = None) -> Any:
    """`randn` in the shape, and unless `dtype` says otherwise the type, of a tensor."""
    return randn(input.shape, dtype=input.dtype if dtype is None else dtype, seed=seed)


def _own_seed(seed: int, seed2: int) -> Any:
    return None if seed == 0 and seed2 == 0 else seed * 65536 + seed2


def standard_normal(shape: Any, seed: int = 0, seed2: int = 0) -> Any:
    """Float32 numbers of the standard normal distribution; seeds of 0 follow `mindspore.set_seed`."""
    return randn(shape, seed=_own_seed(seed, seed2))


def uniform_real(shape: Any, seed: int = 0, seed2: int = 0) -> Any:
    """Float32 numbers spread evenly over [0, 1); seeds of 0 follow `mindspore.set_seed`."""
    return rand(shape, seed=_own_seed(seed, seed2))


def kept(x: Any, p: float, seed: Any = None) -> Any:
    """1 with probability ``1 - p``, else 0, in the shape and type of `x`."""
    return _cast(_greater_equal(uniform_like(x, seed), p), x.dtype)


def dropout(input: Any, p: float = 0.5, training: bool = True, seed: Any = None) -> Any:
    """Elements are 0 with probability `p`, the others are divided by ``1 - p``; the input itself when not `training`."""
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise ValueError(f"For 'dropout', the 'p' must be a number in range [0, 1], but got {p!r}.")
    if not training or p == 0:
        return input
    scale = 0.0 if p == 1 else 1.0 / (1.0 - p)
    return _mul(input, _mul(kept(input, p, seed), scale))
