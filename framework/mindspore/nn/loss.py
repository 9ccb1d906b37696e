"""Losses as Cells."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.common.checks import boolean, one_of, positive
from mindspore.nn.cell import Cell
from mindspore.ops.losses import reduced

__path__: list[str] = []
"""Further module paths begin with this one (`base.import_paths`)."""
__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "DiceLoss",
    "HuberLoss",
    "L1Loss",
    "LossBase",
    "MSELoss",
    "SmoothL1Loss",
    "SoftMarginLoss",
    "SoftmaxCrossEntropyWithLogits",
]

_REDUCTIONS = ("mean", "sum", "none")


class LossBase(Cell):
    """Base of losses: `get_loss` reduces the loss of each element.

    Args:
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = one_of(type(self).__name__, "reduction", reduction, _REDUCTIONS)

    def get_loss(self, x: Any, weights: Any = 1.0) -> Any:
        """The elements of `x` times `weights`, reduced."""
        return reduced(x * weights, self.reduction)


class MSELoss(LossBase):
    """The squared difference of logits and labels."""

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.mse_loss(logits, labels, self.reduction)


class L1Loss(LossBase):
    """The absolute difference of logits and labels."""

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.l1_loss(logits, labels, self.reduction)


class SoftmaxCrossEntropyWithLogits(LossBase):
    """Cross entropy between the softmax of logits (N, C) and labels.

    Args:
        sparse: labels are class numbers (N,); otherwise probabilities (N, C).
        reduction: "none" gives one loss per row.

    Examples:
        >>> import mindspore as ms
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
        >>> print(loss(Tensor([[0.0, 0.0]]), Tensor([1], ms.int32)))
        0.6931472
    """

    def __init__(self, sparse: bool = False, reduction: str = "none") -> None:
        super().__init__(reduction)
        self.sparse = boolean("SoftmaxCrossEntropyWithLogits", "sparse", sparse)
        self.softmax_cross_entropy = ops.SoftmaxCrossEntropyWithLogits()
        self.sparse_softmax_cross_entropy = ops.SparseSoftmaxCrossEntropyWithLogits()

    def construct(self, logits: Any, labels: Any) -> Any:
        if self.sparse:
            if self.reduction == "mean":
                return self.sparse_softmax_cross_entropy(logits, labels)
            labels = ops.cast(ops.one_hot(labels, logits.shape[-1]), logits.dtype)
        return reduced(self.softmax_cross_entropy(logits, labels)[0], self.reduction)


class CrossEntropyLoss(LossBase):
    """`ops.cross_entropy` with fixed options."""

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0
    ) -> None:
        super().__init__(reduction)
        self.weight, self.ignore_index, self.label_smoothing = weight, ignore_index, label_smoothing

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.cross_entropy(logits, labels, self.weight, self.ignore_index, self.reduction, self.label_smoothing)


class BCELoss(LossBase):
    """`ops.binary_cross_entropy` of probabilities and labels, with fixed options."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.binary_cross_entropy(logits, labels, self.weight, self.reduction)


class BCEWithLogitsLoss(LossBase):
    """`ops.binary_cross_entropy_with_logits` with fixed options."""

    def __init__(self, reduction: str = "mean", weight: Any = None, pos_weight: Any = None) -> None:
        super().__init__(reduction)
        self.weight, self.pos_weight = weight, pos_weight

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.binary_cross_entropy_with_logits(logits, labels, self.weight, self.pos_weight, self.reduction)


class SmoothL1Loss(LossBase):
    """`ops.smooth_l1_loss` with fixed options."""

    def __init__(self, beta: float = 1.0, reduction: str = "none") -> None:
        super().__init__(reduction)
        self.beta = beta

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.smooth_l1_loss(logits, labels, self.beta, self.reduction)


class HuberLoss(LossBase):
    """`ops.huber_loss` with fixed options."""

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction)
        self.delta = delta

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.huber_loss(logits, labels, self.reduction, self.delta)


class SoftMarginLoss(LossBase):
    """`ops.soft_margin_loss`: labels are -1 and 1."""

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.soft_margin_loss(logits, labels, self.reduction)


class DiceLoss(LossBase):
    """``1 - 2 * sum(x * y) / (sum(x ** 2) + sum(y ** 2) + smooth)``.

    Args:
        smooth: keeps the quotient finite, above 0.

    Raises:
        ValueError: `smooth` that is not above 0, shapes that differ.
    """

    def __init__(self, smooth: float = 1e-5) -> None:
        super().__init__()
        self.smooth = positive("DiceLoss", "smooth", smooth)

    def construct(self, logits: Any, label: Any) -> Any:
        if logits.shape != label.shape:
            raise ValueError(
                f"For 'DiceLoss', 'logits' and 'label' must have the same shape, but got {logits.shape} and {label.shape}."
            )
        total = ops.reduce_sum(ops.square(logits)) + ops.reduce_sum(ops.square(label)) + self.smooth
        return 1.0 - 2.0 * ops.reduce_sum(logits * label) / total
