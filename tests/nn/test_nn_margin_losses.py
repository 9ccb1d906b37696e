"""Losses of pairs, rankings, margins and distributions, in both modes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore import Tensor, nn, ops
from tests.modes import Call, numeric_gradient, run

pytestmark = pytest.mark.compiler


def array(*values: Any) -> Any:
    return np.array(values, np.float32)


A, B = array([0.2, 0.8], [0.5, 0.5]), array([0.3, 0.7], [0.6, 0.4])
SIGNS = array([1, -1], [-1, 1])
SCORES = array([0.1, 0.2, 0.4, 0.8], [0.2, 0.3, 0.5, 0.7])
CLASSES = np.array([[1, 2, 0, 3], [2, 3, -1, 1]], np.int32)


@pytest.mark.parametrize(
    ("function", "arrays", "wanted"),
    [
        # The first nine numbers are MindSpore's own answers.
        (nn.CosineEmbeddingLoss(0.5), (A, B, array(1, -1)), 0.2466698),
        (nn.GaussianNLLLoss(full=True), (A, B, A), 0.52939165),
        (nn.HingeEmbeddingLoss(), (A, SIGNS), 0.35),
        (nn.KLDivLoss(), (np.log(A), B), 0.01207566),
        (nn.KLDivLoss("batchmean"), (np.log(A), B), 0.02415132),
        (nn.MarginRankingLoss(0.3), (A[0], array(0.5, 0.1), array(1, -1)), 0.8),
        (nn.MultiLabelSoftMarginLoss(), (A, np.eye(2, dtype=np.float32)), 0.80434823),
        (nn.MultiMarginLoss(), (A, np.array([1, 0])), 0.35),
        (nn.MAELoss(), (A, B), 0.1),
        (nn.RMSELoss(), (A, B), 0.1),
        (nn.MultiMarginLoss(2, 0.5, "none", Tensor([2.0, 1.0])), (A, np.array([1, 0])), [0, 0.25]),
        (nn.MultilabelMarginLoss("none"), (SCORES, CLASSES), [0, (0.7 + 0.8 + 0.5 + 0.6) / 4]),
        (nn.MultilabelMarginLoss(), (SCORES[1], CLASSES[1]), 0.65),
        (nn.NLLLoss(), (np.log(A), np.array([1, 0])), -(math.log(0.8) + math.log(0.5)) / 2),
        (nn.PoissonNLLLoss(), (A, B), (np.exp(A) - A * B).mean()),
        (nn.PoissonNLLLoss(False, True, reduction="sum"), (A, 3 + B),
         (A - (3 + B) * np.log(A) + (3 + B) * np.log(3 + B) - (3 + B) + 0.5 * np.log(2 * np.pi * (3 + B))).sum()),
        (nn.TripletMarginLoss(), (array([0, 0]), array([3, 4]), array([0, 2])), 4),
        (nn.TripletMarginLoss(1, True, margin=0.5), (array([0, 0]), array([3, 4]), array([9, 9])), 0),
        (nn.TripletMarginLoss(1, True, margin=6.5), (array([0, 0]), array([3, 4]), array([9, 9])), 2.5),
        # A variance for each row, as MindSpore reads it.
        (lambda x, y: ops.gaussian_nll_loss(x, y, Tensor([2.0, 3.0]), reduction="none"), (A, B),
         (np.log([[2], [3]]) + (A - B) ** 2 / [[2], [3]]) / 2),
        (lambda x, y: ops.kl_div(x, y, "none"), (array(-0.5, -1.0), array(0.0, 1.0)), [0, 1]),
        (lambda x, y: ops.multilabel_soft_margin_loss(x, y, Tensor([0.0, 1.0]), "none"), (A, np.eye(2, dtype=np.float32)),
         [np.log1p(np.exp(0.8)) / 2, np.log1p(np.exp(-0.5)) / 2]),
    ],
)  # fmt: skip
def test_values(mode: str, function: Callable[..., Any], arrays: tuple[Any, ...], wanted: Any) -> None:
    np.testing.assert_allclose(run(function, *arrays), wanted, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize(
    "function",
    [
        lambda x, y: ops.cosine_embedding_loss(x, y, Tensor([1, -1]), -0.9),
        lambda x, y: ops.gaussian_nll_loss(x, y, x + y),
        lambda x, y: ops.kl_div(x, y, "sum"),
        lambda x, y: ops.triplet_margin_loss(x, y, y * x),
        lambda x, y: ops.multi_margin_loss(x * y, Tensor([0, 1]), 2),
    ],
)
def test_gradients(mode: str, function: Callable[..., Any]) -> None:
    arrays = np.array([[0.31, 0.8], [0.45, 0.6]]), np.array([[0.7, 0.2], [0.9, 0.15]])
    found = ops.grad(Call(function), (0, 1))(*map(Tensor, arrays))
    for each, wanted in zip(found, numeric_gradient(function, *arrays), strict=True):
        np.testing.assert_allclose(each.asnumpy(), wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda x: ops.cosine_embedding_loss(x, x, x, 2.0), r"'margin' must be in \[-1, 1\], but got 2.0"),
        (lambda x: ops.gaussian_nll_loss(x, x, x, eps=0.0), "'eps' must be above 0"),
        (lambda x: ops.kl_div(x, x[0]), r"same shape, but got \(2, 2\) and \(2,\)"),
        (lambda x: ops.multi_margin_loss(x, x, 3), r"'p' must be 1 or 2 and 'input' have 2 dimensions, but got 3"),
        (lambda x: ops.hinge_embedding_loss(x, x, 1.0, "max"), "'reduction' must be in"),
    ],
)
def test_wrong_arguments_are_refused(mode: str, make: Callable[[Any], Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Call(make)(Tensor(A))


def test_wrong_layers_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'margin' must be in \[-1, 1\]"):
        nn.CosineEmbeddingLoss(1.5)
    with pytest.raises(ValueError, match="'reduction'"):
        nn.KLDivLoss("max")
