"""Activation functions over several operators, in both modes. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops.random import rand_like

__all__ = ["glu", "gumbel_softmax", "hardtanh", "rrelu", "softmin", "swiglu", "tanhshrink", "threshold"]

_add = function("add")
_div = function("div")
_greater = function("greater")
_greater_equal = function("greater_equal")
_log = function("log")
_maximum = function("maximum")
_minimum = function("minimum")
_mul = function("mul")
_neg = function("neg")
_one_hot = function("one_hot")
_select = function("select")
_sigmoid = function("sigmoid")
_silu = function("silu")
_stop_gradient = function("stop_gradient")
_sub = function("sub")
_tanh = function("tanh")


def _halves(owner: str, x: Any, axis: int) -> Any:
    if x.ndim == 0 or x.shape[axis] % 2:
        raise ValueError(
            f"For '{owner}', dimension {axis} of the input must have an even size, but got shape {x.shape}."
        )
    return f.split(x, x.shape[axis] // 2, axis)


def glu(x: Any, axis: int = -1) -> Any:
    """The first half along `axis` times the sigmoid of the second.

    Raises:
        ValueError: a dimension of odd size.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.glu(Tensor([2.0, 0.0])))
        [1.]
    """
    first, second = _halves("glu", x, axis)
    return _mul(first, _sigmoid(second))


def swiglu(input: Any, dim: int = -1) -> Any:
    """``silu`` of the first half along `dim` times the second.

    Raises:
        ValueError: a dimension of odd size.
    """
    first, second = _halves("swiglu", input, dim)
    return _mul(_silu(first), second)


def hardtanh(input: Any, min_val: float = -1.0, max_val: float = 1.0) -> Any:
    """``min_val`` below it, ``max_val`` above it, the input between, in its type: bounds of integers lose what is behind the point."""
    found = _minimum(_maximum(input, min_val), max_val)
    return found if input.dtype.is_floating else f.cast(found, input.dtype)


def tanhshrink(input: Any) -> Any:
    """``x - tanh(x)``."""
    return _sub(input, _tanh(input))


def threshold(input: Any, thr: float, value: float) -> Any:
    """The input where it is above `thr`, `value` elsewhere, in the type of the input."""
    found = _select(_greater(input, thr), input, value)
    return found if input.dtype.is_floating else f.cast(found, input.dtype)


def softmin(x: Any, axis: int = -1, *, dtype: Any = None) -> Any:
    """`softmax` of the negative."""
    return f.softmax(_neg(x), axis, dtype=dtype)


def rrelu(input: Any, lower: float = 1.0 / 8, upper: float = 1.0 / 3) -> Any:
    """``x`` where it is not negative, elsewhere ``a * x`` with a drawn from ``[lower, upper)`` for each element.

    Raises:
        ValueError: `lower` above `upper`.
    """
    if lower > upper:
        raise ValueError(f"For 'rrelu', the 'lower' must be at most 'upper', but got {lower} and {upper}.")
    slopes = f.cast(_add(_mul(rand_like(input), upper - lower), lower), input.dtype)
    return _select(_greater_equal(input, 0), input, _mul(input, slopes))


def gumbel_softmax(logits: Any, tau: float = 1.0, hard: bool = False, dim: int = -1) -> Any:
    """A softmax of `logits` with noise of the Gumbel distribution, divided by `tau`: a sample that has a gradient.

    Args:
        logits: logarithms of probabilities, which need not be normalised.
        tau: the lower, the nearer to one-hot.
        hard: the sample is one-hot; its gradient is that of the soft one.
        dim: the dimension of the classes.

    Raises:
        ValueError: `tau` that is not above 0.
    """
    if tau <= 0:
        raise ValueError(f"For 'gumbel_softmax', the 'tau' must be above 0, but got {tau}.")
    # 1 - u is never 0, and the largest u below 1 leaves a logarithm that is not 0 either.
    noise = _neg(_log(_maximum(_neg(_log(_sub(1.0, rand_like(logits)))), 1e-30)))
    soft = f.softmax(_div(_add(logits, noise), tau), dim)
    if not hard:
        return soft
    place = dim % logits.ndim
    axis = -1 if place == logits.ndim - 1 else place
    chosen = f.cast(_one_hot(f.argmax(soft, dim), 1, 0, logits.shape[dim], axis), logits.dtype)
    return _add(_sub(chosen, _stop_gradient(soft)), soft)
