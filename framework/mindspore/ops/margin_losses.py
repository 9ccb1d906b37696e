"""Losses of pairs, rankings, margins and distributions, in both modes. Graph mode compiles this source."""

from __future__ import annotations

import math
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common import statistics
from mindspore.common.eager import function
from mindspore.ops.binary_losses import same_shapes
from mindspore.ops.function_objects import composed
from mindspore.ops.losses import reduced

__all__ = [
    "cosine_embedding_loss", "gaussian_nll_loss", "hinge_embedding_loss", "kl_div", "margin_ranking_loss", "multi_margin_loss",
    "multilabel_margin_loss", "multilabel_soft_margin_loss", "triplet_margin_loss",
]  # fmt: skip

_abs = function("abs")
_add = function("add")
_div = function("div")
_equal = function("equal")
_exp = function("exp")
_gather_d = function("gather_d")
_greater = function("greater")
_log = function("log")
_maximum = function("maximum")
_minimum = function("minimum")
_mul = function("mul")
_neg = function("neg")
_one_hot = function("one_hot")
_pow = function("pow")
_reduce_mean = function("reduce_mean")
_reduce_sum = function("reduce_sum")
_select = function("select")
_softplus = function("softplus")
_sub = function("sub")
_square = function("square")


def cosine_embedding_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """``1 - cos(x1, x2)`` where `target` is 1; how far the cosine is above `margin` where it is -1.

    Args:
        input1, input2: (N, ...): cosines are taken along dimension 1.
        target: 1 or -1 for each pair.
        margin: from -1 to 1.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: `margin` out of range, shapes that differ, or an unknown reduction.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.cosine_embedding_loss(Tensor([[3.0, 4.0]]), Tensor([[4.0, 3.0]]), Tensor([-1]), 0.5))
        0.46000004
    """
    if not -1 <= margin <= 1:
        raise ValueError(f"For 'cosine_embedding_loss', the 'margin' must be in [-1, 1], but got {margin}.")
    same_shapes("cosine_embedding_loss", "input1", input1, "input2", input2)
    cosine = statistics.cosine_similarity(input1, input2, 1 if input1.ndim > 1 else 0)
    apart = _maximum(_sub(cosine, margin), 0)
    return reduced(_select(_equal(target, 1), _sub(1.0, cosine), _select(_equal(target, -1), apart, 0.0)), reduction)


def gaussian_nll_loss(
    x: Any, target: Any, var: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean"
) -> Any:
    """``(log(v) + (x - target) ** 2 / v) / 2`` with v the variance, at least `eps`; with `full` also ``log(2 * pi) / 2``.

    Args:
        x, target: tensors of one shape.
        var: the variance: of that shape, with a last dimension of 1, or without the last dimension: one for each row.
        full: the constant term is added.
        eps: the least variance.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: `eps` that is not above 0, or an unknown reduction.
    """
    if eps <= 0:
        raise ValueError(f"For 'gaussian_nll_loss', the 'eps' must be above 0, but got {eps}.")
    rows = var.shape != x.shape and var.ndim > 0 and var.shape == x.shape[:-1]
    held = _maximum(f.expand_dims(var, -1) if rows else var, eps)
    loss = _mul(_add(_log(held), _div(_square(_sub(x, target)), held)), 0.5)
    return reduced(_add(loss, 0.5 * math.log(2 * math.pi)) if full else loss, reduction)


def hinge_embedding_loss(inputs: Any, targets: Any, margin: float = 1.0, reduction: str = "mean") -> Any:
    """The input where `targets` is 1; how far it is below `margin` where that is -1."""
    loss = _select(_equal(targets, 1), inputs, _select(_equal(targets, -1), _maximum(_sub(margin, inputs), 0), 0.0))
    return reduced(loss, reduction)


def kl_div(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    """Kullback and Leibler's divergence ``labels * (log(labels) - logits)`` of log-probabilities and probabilities.

    Args:
        logits: logarithms of probabilities.
        labels: probabilities of the same shape; 0 adds nothing.
        reduction: "mean", "sum", "none", or "batchmean": the sum divided by the first size.

    Raises:
        ValueError: shapes that differ, or an unknown reduction.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.kl_div(Tensor([-0.5, -1.0]), Tensor([0.0, 1.0]), "sum"))
        1.0
    """
    same_shapes("kl_div", "logits", logits, "labels", labels)
    positive = _greater(labels, 0)
    loss = _mul(labels, _sub(_log(_select(positive, labels, 1.0)), logits))
    if reduction == "batchmean":
        return _div(_reduce_sum(loss), logits.shape[0] if logits.ndim else 1)
    return reduced(loss, reduction)


def margin_ranking_loss(input1: Any, input2: Any, target: Any, margin: float = 0.0, reduction: str = "mean") -> Any:
    """``max(0, -target * (input1 - input2) + margin)``: `target` is 1 where the first should be larger, else -1."""
    same_shapes("margin_ranking_loss", "input1", input1, "input2", input2)
    return reduced(_maximum(_sub(margin, _mul(target, _sub(input1, input2))), 0), reduction)


def multilabel_soft_margin_loss(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """The mean over the classes of the cross entropy of ``sigmoid(input)`` and labels 0 or 1, times `weight` of each class."""
    same_shapes("multilabel_soft_margin_loss", "input", input, "target", target)
    loss = _add(_mul(target, _softplus(_neg(input))), _mul(_sub(1.0, target), _softplus(input)))
    return reduced(_reduce_mean(loss if weight is None else _mul(loss, weight), -1), reduction)


def multi_margin_loss(
    input: Any, target: Any, p: int = 1, margin: float = 1, weight: Any = None, reduction: str = "mean"
) -> Any:
    """The mean over the other classes of how far each is above the target class less `margin`, to the power `p`.

    Args:
        input: (N, C) scores.
        target: (N,) class numbers.
        p: 1 or 2.
        margin: a number.
        weight: a factor for each class that is a target; None for 1.
        reduction: "mean", "sum" or "none".

    Raises:
        ValueError: another `p`, another number of dimensions, or an unknown reduction.
    """
    if p not in (1, 2) or input.ndim != 2:
        raise ValueError(
            f"For 'multi_margin_loss', 'p' must be 1 or 2 and 'input' have 2 dimensions, but got {p} and {input.shape}."
        )
    places = f.expand_dims(f.cast(target, dt.int64), 1)
    own = _gather_d(input, places, 1)
    over = _maximum(_add(_sub(input, own), margin), 0)
    over = _square(over) if p == 2 else over
    if weight is not None:
        over = _mul(over, _gather_d(f.broadcast_to(weight, input.shape), places, 1))
    others = _sub(1.0, f.cast(_one_hot(target, 1, 0, input.shape[1], -1), input.dtype))
    return reduced(_div(_reduce_sum(_mul(over, others), 1), input.shape[1]), reduction)


def multilabel_margin_loss(input: Any, target: Any, reduction: str = "mean") -> Any:
    """The mean over the classes of ``max(0, 1 - (x[target] - x[other]))`` for all target classes and all others.

    Args:
        input: (N, C) scores, or (C,).
        target: class numbers of the same shape, those before the first -1 of each row.
        reduction: "mean", "sum" or "none".
    """
    same_shapes("multilabel_margin_loss", "input", input, "target", target)
    rows = input if input.ndim == 2 else f.expand_dims(input, 0)
    places = target if input.ndim == 2 else f.expand_dims(target, 0)
    classes = rows.shape[1]
    # Running minima: what stands behind the first -1 counts as -1.
    counted = f.cast(_greater(statistics.cummin(f.cast(places, dt.int64), 1)[0], -1), rows.dtype)
    chosen = f.cast(_maximum(places, 0), dt.int64)
    hits = _mul(f.cast(_one_hot(chosen, 1, 0, classes, -1), rows.dtype), f.expand_dims(counted, -1))
    others = _sub(1.0, _minimum(_reduce_sum(hits, 1), 1.0))
    apart = _maximum(_add(_sub(f.expand_dims(rows, 1), f.expand_dims(_gather_d(rows, chosen, 1), 2)), 1.0), 0)
    pairs = _mul(_mul(apart, f.expand_dims(counted, 2)), f.expand_dims(others, 1))
    loss = _div(_reduce_sum(pairs, (1, 2)), classes)
    return reduced(loss if input.ndim == 2 else f.squeeze(loss), reduction)


def poisson_nll_loss(
    input: Any, target: Any, log_input: bool = True, full: bool = False, eps: float = 1e-8, reduction: str = "mean"
) -> Any:
    """``exp(input) - target * input``, or without `log_input` ``input - target * log(input + eps)``; with `full` and Stirling's term."""
    loss = _sub(_exp(input), _mul(target, input)) if log_input else _sub(input, _mul(target, _log(_add(input, eps))))
    if full:
        held = _maximum(target, 1.0)
        term = _add(_sub(_mul(held, _log(held)), held), _mul(_log(_mul(held, 2 * math.pi)), 0.5))
        loss = _add(loss, _select(_greater(target, 1), term, 0.0))
    return reduced(loss, reduction)


def triplet_margin_loss(
    anchor: Any, positive: Any, negative: Any, margin: float = 1.0, p: int = 2, eps: float = 1e-06, swap: bool = False,
    reduction: str = "mean",
) -> Any:  # fmt: skip
    """How far `anchor` is from `positive`, less how far from `negative`, plus `margin`, where that is above 0.

    Args:
        anchor, positive, negative: (N, D) or more leading dimensions.
        margin: a number.
        p: the norm of distances along the last dimension.
        eps: added to differences.
        swap: the nearer one of anchor and positive counts for `negative`.
        reduction: "mean", "sum" or "none".

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.triplet_margin_loss(Tensor([[0.0, 0.0]]), Tensor([[3.0, 4.0]]), Tensor([[0.0, 2.0]])))
        4.0
    """
    near, far = _distance(anchor, positive, p, eps), _distance(anchor, negative, p, eps)
    if swap:
        far = _minimum(far, _distance(positive, negative, p, eps))
    return reduced(_maximum(_add(_sub(near, far), margin), 0), reduction)


def _distance(x: Any, y: Any, p: int, eps: float) -> Any:
    apart = _abs(_add(_sub(x, y), eps))
    if p == 1:
        return _reduce_sum(apart, -1)
    return _pow(_reduce_sum(_pow(apart, p), -1), 1.0 / p)


_REDUCTION = (("reduction", "mean"),)
CLASSES = (
    composed("KLDivLoss", kl_div, _REDUCTION),
)  # fmt: skip
