"""Loss functions over the declared operators, in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.common import functions as f
from mindspore.common.eager import function

_log_softmax = function("log_softmax")
_one_hot = function("one_hot")
_reduce_sum = function("reduce_sum")
_reduce_mean = function("reduce_mean")
_abs = function("abs")
_square = function("square")
_neg = function("neg")
_mul = function("mul")
_sub = function("sub")
_div = function("div")
_not_equal = function("not_equal")


def reduced(loss: Any, reduction: str) -> Any:
    """The mean or sum of all elements, or the elements themselves for "none"."""
    if reduction == "mean":
        return _reduce_mean(loss)
    if reduction == "sum":
        return _reduce_sum(loss)
    if reduction == "none":
        return loss
    raise ValueError(f"'reduction' must be in ['mean', 'sum', 'none'], but got {reduction!r}.")


def mse_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The squared difference."""
    return reduced(_square(_sub(input, target)), reduction)


def l1_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The absolute difference."""
    return reduced(_abs(_sub(input, target)), reduction)


def cross_entropy(
    input: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Softmax cross entropy of logits (N, C, ...) for class numbers (N, ...) or class probabilities of the logits' shape."""
    return nll_loss(
        _log_softmax(input, 1 if input.ndim > 1 else 0), target, weight, ignore_index, reduction, label_smoothing
    )


def nll_loss(
    inputs: Any,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Any:
    """Negative log likelihood of log-probabilities (N, C, ...); the mean is weighted by `weight` of each target class.

    Args:
        inputs: log-probabilities, classes along dimension 1 (0 for a single row).
        target: class numbers, or probabilities of the shape of `inputs`.
        weight: a factor per class.
        ignore_index: a class number that adds nothing.
        reduction: "mean", "sum" or "none".
        label_smoothing: the part of the target that is spread evenly over all classes.
    """
    axis = 1 if inputs.ndim > 1 else 0
    classes = inputs.shape[axis]
    numbers = target.dtype.kind in "iu"
    hits = f.cast(_one_hot(target, 1, 0, classes, axis if inputs.ndim > 1 else -1), inputs.dtype) if numbers else target
    factors = 1.0 if weight is None else f.reshape(weight, (classes,) + (1,) * (inputs.ndim - axis - 1))
    if numbers and ignore_index >= 0:
        hits = _mul(hits, f.expand_dims(f.cast(_not_equal(target, ignore_index), inputs.dtype), axis))
    smooth = _smoothed(hits, classes, label_smoothing, numbers, axis)
    loss = _neg(_reduce_sum(_mul(_mul(inputs, smooth), factors), axis))
    if reduction != "mean":
        return reduced(loss, reduction)
    if not numbers:
        return _div(_reduce_sum(loss), f.product(loss.shape) if loss.ndim else 1)
    return _div(_reduce_sum(loss), _reduce_sum(_mul(hits, factors)))


def _smoothed(hits: Any, classes: int, amount: float, numbers: bool, axis: int) -> Any:
    """Targets with `amount` of them spread over all classes; what is ignored stays zero."""
    if amount == 0.0:
        return hits
    present = _reduce_sum(hits, axis, True) if numbers else 1.0
    return _mul(hits, 1.0 - amount) + present * (amount / classes)


__all__ = ["cross_entropy", "l1_loss", "mse_loss", "nll_loss", "reduced"]
