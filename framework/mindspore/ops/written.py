"""Classes of ``ops.operations`` over losses, norms, random numbers and sums of products that are functions of several operators."""

from __future__ import annotations

from typing import Any

from mindspore.ops import binary_losses, conversions, random
from mindspore.ops.function_objects import REQUIRED, composed
from mindspore.ops.sums_of_products import einsum


def _einsum(operands: Any, equation: str) -> Any:
    return einsum(equation, operands)


_SEEDS = (("seed", 0), ("seed2", 0))
CLASSES = (
    composed(
        "BCEWithLogitsLoss", binary_losses.binary_cross_entropy_with_logits, (("reduction", "mean"),),
        "Binary cross entropy of logits, labels, weight and pos_weight.",
    ),
    composed("BinaryCrossEntropy", binary_losses.binary_cross_entropy, (("reduction", "mean"),)),
    composed("Einsum", _einsum, (("equation", REQUIRED),), einsum.__doc__),
    composed("FloatStatus", conversions.float_status),
    composed("L2Normalize", conversions.l2_normalize, (("axis", 0), ("epsilon", 1e-4))),
    composed("PReLU", conversions.prelu),
    composed("ScalarToTensor", conversions.scalar_to_tensor),
    composed("SigmoidCrossEntropyWithLogits", binary_losses.sigmoid_cross_entropy_with_logits),
    composed("SmoothL1Loss", binary_losses.smooth_l1_loss, (("beta", 1.0), ("reduction", "none"))),
    composed("SoftMarginLoss", binary_losses.soft_margin_loss, (("reduction", "mean"),)),
    composed("Softsign", conversions.softsign),
    composed("StandardNormal", random.standard_normal, _SEEDS),
    composed("UniformReal", random.uniform_real, _SEEDS),
)  # fmt: skip
