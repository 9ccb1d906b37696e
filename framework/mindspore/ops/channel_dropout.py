"""Dropout of whole channels, in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops.random import rand

__all__ = ["dropout1d", "dropout2d", "dropout3d"]

_greater_equal = function("greater_equal")
_mul = function("mul")


def without_channels(owner: str, x: Any, p: float, training: bool, rank: int, single: bool) -> Any:
    """`x` (N, C, `rank` more dimensions) with each channel of each sample zero with probability `p`, the others divided by ``1 - p``."""
    if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
        raise ValueError(f"For '{owner}', the 'p' must be a number in [0, 1], but got {p!r}.")
    if x.ndim != rank + 2 and not (single and x.ndim == rank + 1):
        raise ValueError(f"For '{owner}', the input must have {rank + 2} dimensions, but got shape {x.shape}.")
    if not training or p == 0:
        return x
    kept = _greater_equal(rand((*x.shape[: x.ndim - rank], *(1,) * rank)), p)
    return _mul(x, _mul(f.cast(kept, x.dtype), 0.0 if p == 1 else 1.0 / (1.0 - p)))


def dropout1d(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Channels of (N, C, L) or (C, L) are zero with probability `p`, the others divided by ``1 - p``.

    Raises:
        ValueError: `p` out of range, or another number of dimensions.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.dropout1d(Tensor([[1.0, 2.0]]), 1.0))
        [[0. 0.]]
    """
    return without_channels("dropout1d", input, p, training, 1, True)


def dropout2d(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Channels of (N, C, H, W) are zero with probability `p`, the others divided by ``1 - p``."""
    return without_channels("dropout2d", input, p, training, 2, False)


def dropout3d(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Channels of (N, C, D, H, W) are zero with probability `p`, the others divided by ``1 - p``."""
    return without_channels("dropout3d", input, p, training, 3, False)
