"""Random functions. Each draw takes the next number of one count, in program order, so that both modes draw the same numbers."""

from __future__ import annotations

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

_key = Parameter(Tensor(np.int64(generator().integers(1 << 32))), name="random_key", requires_grad=False)
_draws = Parameter(Tensor(np.int64(0)), name="random_draws", requires_grad=False)


@on_seed
def _seeded(seed: int) -> None:
    """`set_seed` starts the numbers anew."""
    _key.set_data(Tensor(np.int64(seed % (1 << 32))))
    _draws.set_data(Tensor(np.int64(0)))


def uniform_like(x: Any, seed: Any = None) -> Any:
    """Float32 numbers in [0, 1) in the shape of `x`: the next ones, or those of a `seed` of their own."""
    key = _key + 0 if seed is None else Tensor(seed % (1 << 32), dt.int64)
    numbers = _philox(key, _draws + 0, _iota((x.size,)))
    assign(_draws, _draws + 1)
    return f.reshape(numbers, x.shape)


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
