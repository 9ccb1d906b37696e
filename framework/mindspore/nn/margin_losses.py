"""Losses of pairs, rankings, margins and distributions as Cells, each with the options of its function in `ops`."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.common.checks import one_of
from mindspore.nn.cell import Cell
from mindspore.nn.loss import LossBase
from mindspore.ops.margin_losses import poisson_nll_loss

__all__ = [
    "CosineEmbeddingLoss", "GaussianNLLLoss", "HingeEmbeddingLoss", "KLDivLoss", "MAELoss", "MarginRankingLoss",
    "MultiLabelSoftMarginLoss", "MultiMarginLoss", "MultilabelMarginLoss", "NLLLoss", "PoissonNLLLoss", "RMSELoss", "TripletMarginLoss",
]  # fmt: skip


class CosineEmbeddingLoss(LossBase):
    """`ops.cosine_embedding_loss` of two tensors and labels 1 or -1."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        if not -1 <= margin <= 1:
            raise ValueError(f"For 'CosineEmbeddingLoss', the 'margin' must be in [-1, 1], but got {margin}.")
        self.margin = float(margin)

    def construct(self, logits_x1: Any, logits_x2: Any, labels: Any) -> Any:
        return ops.cosine_embedding_loss(logits_x1, logits_x2, labels, self.margin, self.reduction)


class GaussianNLLLoss(LossBase):
    """`ops.gaussian_nll_loss` of means, targets and variances."""

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.full, self.eps = full, eps

    def construct(self, logits: Any, labels: Any, var: Any) -> Any:
        return ops.gaussian_nll_loss(logits, labels, var, self.full, self.eps, self.reduction)


class HingeEmbeddingLoss(LossBase):
    """`ops.hinge_embedding_loss` of distances and labels 1 or -1."""

    def __init__(self, margin: float = 1.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.hinge_embedding_loss(logits, labels, self.margin, self.reduction)


class KLDivLoss(Cell):
    """`ops.kl_div` of log-probabilities and probabilities; `reduction` may be "batchmean" too."""

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = one_of("KLDivLoss", "reduction", reduction, ("mean", "sum", "none", "batchmean"))

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.kl_div(logits, labels, self.reduction)


class MAELoss(LossBase):
    """The absolute difference of logits and labels."""

    def construct(self, logits: Any, label: Any) -> Any:
        return self.get_loss(ops.abs(logits - label))


class RMSELoss(LossBase):
    """The root of the mean squared difference of logits and labels."""

    def __init__(self) -> None:
        super().__init__("mean")

    def construct(self, logits: Any, label: Any) -> Any:
        return ops.sqrt(ops.mse_loss(logits, label))


class MarginRankingLoss(LossBase):
    """`ops.margin_ranking_loss` of two tensors and labels 1 or -1."""

    def __init__(self, margin: float = 0.0, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.margin = margin

    def construct(self, input1: Any, input2: Any, target: Any) -> Any:
        return ops.margin_ranking_loss(input1, input2, target, self.margin, self.reduction)


class MultiLabelSoftMarginLoss(LossBase):
    """`ops.multilabel_soft_margin_loss` of scores and labels 0 or 1."""

    def __init__(self, weight: Any = None, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight = weight

    def construct(self, x: Any, target: Any) -> Any:
        return ops.multilabel_soft_margin_loss(x, target, self.weight, self.reduction)


class MultiMarginLoss(LossBase):
    """`ops.multi_margin_loss` of scores (N, C) and class numbers (N,)."""

    def __init__(self, p: int = 1, margin: float = 1.0, reduction: str = "mean", weight: Any = None) -> None:
        super().__init__(reduction)
        self.p, self.margin, self.weight = p, margin, weight

    def construct(self, x: Any, target: Any) -> Any:
        return ops.multi_margin_loss(x, target, self.p, self.margin, self.weight, self.reduction)


class MultilabelMarginLoss(LossBase):
    """`ops.multilabel_margin_loss` of scores and rows of class numbers that end with -1."""

    def construct(self, x: Any, target: Any) -> Any:
        return ops.multilabel_margin_loss(x, target, self.reduction)


class NLLLoss(LossBase):
    """`ops.nll_loss` of log-probabilities (N, C, ...) and class numbers."""

    def __init__(self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.weight, self.ignore_index = weight, ignore_index

    def construct(self, logits: Any, labels: Any) -> Any:
        return ops.nll_loss(logits, labels, self.weight, self.ignore_index, self.reduction)


class PoissonNLLLoss(LossBase):
    """The negative log likelihood of counts under Poisson's distribution.

    Args:
        log_input: the input is the logarithm of the mean.
        full: Stirling's approximation of the logarithm of the factorial of targets above 1 is added.
        eps: keeps the logarithm finite without `log_input`.
        reduction: "mean", "sum" or "none".
    """

    def __init__(self, log_input: bool = True, full: bool = False, eps: float = 1e-08, reduction: str = "mean") -> None:
        super().__init__(reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def construct(self, input: Any, target: Any) -> Any:
        return poisson_nll_loss(input, target, self.log_input, self.full, self.eps, self.reduction)


class TripletMarginLoss(LossBase):
    """`ops.triplet_margin_loss` of anchors, positive and negative examples."""

    def __init__(
        self, p: int = 2, swap: bool = False, eps: float = 1e-06, reduction: str = "mean", margin: float = 1.0
    ) -> None:
        super().__init__(reduction)
        self.p, self.swap, self.eps, self.margin = p, swap, eps, margin

    def construct(self, x: Any, positive: Any, negative: Any, margin: Any = None) -> Any:
        limit = self.margin if margin is None else margin
        return ops.triplet_margin_loss(x, positive, negative, limit, self.p, self.eps, self.swap, self.reduction)
