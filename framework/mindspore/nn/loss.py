"""Losses as Cells."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.common.checks import boolean, one_of
from mindspore.nn.cell import Cell
from mindspore.ops.losses import reduced

__path__: list[str] = []
"""Further module paths begin with this one (`base.import_paths`)."""
__all__ = ["CrossEntropyLoss", "L1Loss", "LossBase", "MSELoss", "SoftmaxCrossEntropyWithLogits"]

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
