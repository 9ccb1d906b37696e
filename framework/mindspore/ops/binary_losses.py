"""Losses of element-wise targets, in both modes. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops.losses import reduced

__all__ = [
    "binary_cross_entropy", "binary_cross_entropy_with_logits", "huber_loss", "sigmoid_cross_entropy_with_logits",
    "smooth_l1_loss", "soft_margin_loss",
]  # fmt: skip

_abs = function("abs")
_add = function("add")
_less = function("less")
_log = function("log")
_mul = function("mul")
_neg = function("neg")
_select = function("select")
_softplus = function("softplus")
_square = function("square")
_sub = function("sub")

_TINY = 1e-12
"""Keeps logarithms finite."""


def same_shapes(owner: str, first: str, one: Any, second: str, other: Any) -> None:
    """ValueError when the shapes of two arguments differ."""
    if one.shape != other.shape:
        raise ValueError(
            f"For '{owner}', '{first}' and '{second}' must have the same shape, but got {one.shape} and {other.shape}."
        )


def binary_cross_entropy(logits: Any, labels: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """``-weight * (labels * log(logits) + (1 - labels) * log(1 - logits))``.

    Args:
        logits: probabilities, from 0 to 1.
        labels: probabilities of the same shape.
        weight: a factor for each element, broadcast; None for 1.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: shapes that differ, or an unknown reduction.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.binary_cross_entropy(Tensor([0.5]), Tensor([1.0])))
        0.6931472
    """
    same_shapes("binary_cross_entropy", "logits", logits, "labels", labels)
    # Half precision cannot hold what keeps the logarithms finite.
    x = f.cast(logits, dt.float32) if logits.dtype.itemsize == 2 else logits
    y = f.cast(labels, x.dtype)
    loss = _neg(_add(_mul(y, _log(_add(x, _TINY))), _mul(_sub(1.0, y), _log(_add(_sub(1.0, x), _TINY)))))
    weighted = loss if weight is None else _mul(loss, weight)
    return f.cast(reduced(weighted, reduction), logits.dtype)


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, pos_weight: Any = None, reduction: str = "mean"
) -> Any:
    """`binary_cross_entropy` of ``sigmoid(input)``, without its overflow.

    Args:
        input: a tensor.
        target: probabilities of the same shape.
        weight: a factor for each element, broadcast; None for 1.
        pos_weight: a factor for the part of the positive class, broadcast; None for 1.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: shapes that differ, or an unknown reduction.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.binary_cross_entropy_with_logits(Tensor([0.0]), Tensor([1.0])))
        0.6931472
    """
    same_shapes("binary_cross_entropy_with_logits", "input", input, "target", target)
    negative = _softplus(_neg(input))
    if pos_weight is not None:
        negative = _mul(negative, _add(_mul(_sub(pos_weight, 1.0), target), 1.0))
    loss = _add(_mul(_sub(1.0, target), input), negative)
    return reduced(loss if weight is None else _mul(loss, weight), reduction)


def sigmoid_cross_entropy_with_logits(logits: Any, label: Any) -> Any:
    """The cross entropy of ``sigmoid(logits)`` and `label`, element by element."""
    return binary_cross_entropy_with_logits(logits, label, None, None, "none")


def smooth_l1_loss(input: Any, target: Any, beta: float = 1.0, reduction: str = "none") -> Any:
    """The absolute difference less ``beta / 2``; below `beta` its square divided by ``2 * beta``.

    Raises:
        ValueError: shapes that differ, `beta` below 0, or an unknown reduction.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.smooth_l1_loss(Tensor([1.0, 3.0]), Tensor([0.5, 1.0])))
        [0.125 1.5  ]
    """
    same_shapes("smooth_l1_loss", "input", input, "target", target)
    if beta < 0:
        raise ValueError(f"For 'smooth_l1_loss', the 'beta' must be >= 0, but got {beta}.")
    difference = _sub(input, target)
    size = _abs(difference)
    if beta == 0:
        return reduced(size, reduction)
    near = _mul(_square(difference), 0.5 / beta)
    return reduced(_select(_less(size, beta), near, _sub(size, 0.5 * beta)), reduction)


def huber_loss(input: Any, target: Any, reduction: str = "mean", delta: float = 1.0) -> Any:
    """Half the squared difference up to `delta`, and ``delta * (|difference| - delta / 2)`` above.

    Raises:
        ValueError: shapes that differ, `delta` that is not above 0, or an unknown reduction.
    """
    if delta <= 0:
        raise ValueError(f"For 'huber_loss', the 'delta' must be > 0, but got {delta}.")
    return _mul(smooth_l1_loss(input, target, delta, reduction), delta)


def soft_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """``log(1 + exp(-target * input))`` for targets -1 and 1.

    Raises:
        ValueError: shapes that differ, or an unknown reduction.
    """
    same_shapes("soft_margin_loss", "input", input, "target", target)
    return reduced(_softplus(_neg(_mul(target, input))), reduction)
