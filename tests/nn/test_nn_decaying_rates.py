"""Learning rates that follow from the number of steps; the numbers are MindSpore's answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn

pytestmark = pytest.mark.compiler


@pytest.mark.parametrize(
    ("rates", "wanted"),
    [
        (lambda: nn.piecewise_constant_lr([2, 5, 10], [0.1, 0.05, 0.01]), [0.1] * 2 + [0.05] * 3 + [0.01] * 5),
        (lambda: nn.exponential_decay_lr(0.1, 0.9, 6, 2, 1, True), [0.1, 0.1, 0.09, 0.09, 0.081, 0.081]),
        (lambda: nn.exponential_decay_lr(0.1, 0.9, 3, 1, 2), [0.1, 0.1 * 0.9**0.5, 0.09]),
        (lambda: nn.natural_exp_decay_lr(0.1, 0.9, 6, 2, 2, True), [0.1] * 4 + [0.016529888822158657] * 2),
        (lambda: nn.natural_exp_decay_lr(0.1, 0.9, 2, 1, 2), [0.1, 0.1 * np.exp(-0.9)]),
        (lambda: nn.inverse_decay_lr(0.1, 0.5, 4, 1, 1, True), [0.1, 0.1 / 1.5, 0.05, 0.04]),
        (lambda: nn.inverse_decay_lr(0.1, 0.5, 2, 1, 2), [0.1, 0.1 / 1.25]),
        (lambda: nn.cosine_decay_lr(0.01, 0.1, 8, 2, 2), [0.1, 0.1, 0.055, 0.055, 0.01, 0.01, 0.01, 0.01]),
        (lambda: nn.polynomial_decay_lr(0.1, 0.01, 4, 1, 2, 0.5), [0.1, 0.07363961030678928, 0.01, 0.01]),
        (lambda: nn.polynomial_decay_lr(0.1, 0.01, 4, 1, 2, 0.5, True), [0.1, 0.07363961030678928, 0.01, 0.055]),
        (lambda: nn.warmup_lr(0.1, 8, 2, 2), [0.0, 0.0, 0.05, 0.05, 0.1, 0.1, 0.1, 0.1]),
    ],
)
def test_one_rate_for_each_step(rates: Callable[[], list[float]], wanted: list[float]) -> None:
    np.testing.assert_allclose(rates(), wanted, rtol=1e-12, atol=1e-17)


@pytest.mark.parametrize(
    ("make", "third", "ninth"),
    [
        (lambda: nn.ExponentialDecayLR(0.1, 0.9, 4, True), 0.1, 0.081),
        (lambda: nn.ExponentialDecayLR(0.1, 0.9, 4), 0.09240211, 0.0788943),
        (lambda: nn.NaturalExpDecayLR(0.1, 0.9, 4, True), 0.1, 7.4658616e-05),
        (lambda: nn.InverseDecayLR(0.1, 0.9, 4, True), 0.1, 0.03571429),
        (lambda: nn.CosineDecayLR(0.01, 0.1, 4), 0.02318019, 0.01),
        (lambda: nn.PolynomialDecayLR(0.1, 0.01, 4, 0.5), 0.055, 0.01),
        (lambda: nn.PolynomialDecayLR(0.1, 0.01, 2, 0.5, True), 0.055, 0.0384605),
        (lambda: nn.WarmUpLR(0.1, 4), 0.075, 0.1),
    ],
)
def test_schedules(mode: str, make: Callable[[], nn.Cell], third: float, ninth: float) -> None:
    schedule = make()
    found = schedule(Tensor(3, ms.int32)), schedule(Tensor([9], ms.int32))
    assert [(t.dtype, t.shape) for t in found] == [(ms.float32, ()), (ms.float32, (1,))]
    np.testing.assert_allclose([t.item() for t in found], [third, ninth], rtol=1e-5)


def test_an_optimizer_takes_a_schedule(mode: str) -> None:
    parameter = Parameter(Tensor([1.0]), name="p")
    optimizer = nn.SGD([parameter], nn.WarmUpLR(0.4, 4))
    for _ in range(3):
        optimizer((Tensor([1.0]),))
    np.testing.assert_allclose(parameter.asnumpy(), [1 - 0.1 - 0.2], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.CosineDecayLR(0.1, 0.01, 4), ValueError, "'max_lr' value: 0.01, 'min_lr' value: 0.1"),
        (lambda: nn.CosineDecayLR(1, 0.1, 4), TypeError, "'min_lr' must be type of float.*int"),
        (lambda: nn.WarmUpLR(0.1, 0), ValueError, "'warmup_steps' must be int and must > 0, but got '0'"),
        (lambda: nn.WarmUpLR(-1.0, 2), ValueError, "'learning_rate' must be float and must >= 0, but got '-1.0'"),
        (lambda: nn.PolynomialDecayLR(0.1, 0.01, 4, -0.5), ValueError, "'power' must be float and must > 0"),
        (lambda: nn.ExponentialDecayLR(0.1, -0.9, 4), ValueError, "'decay_rate' must be float and must > 0"),
        (lambda: nn.InverseDecayLR(0.1, 0.9, 4, 1), TypeError, "'is_stair' should be bool"),  # type: ignore[arg-type]
        (lambda: nn.piecewise_constant_lr([2, 1], [0.1, 0.05]), ValueError, r"milestone\[1\] must be greater than"),
        (lambda: nn.piecewise_constant_lr([2], [0.1, 0.05]), ValueError, "'milestone' size: 1, 'learning_rates' size: 2"),
        (lambda: nn.piecewise_constant_lr([2], [1]), TypeError, r"'learning_rates\[0\]' must be type of float"),
        (lambda: nn.piecewise_constant_lr(2, [0.1]), TypeError, "'milestone' must be a tuple or list"),  # type: ignore[arg-type]
        (lambda: nn.warmup_lr(0.1, 6.0, 2, 2), TypeError, "'total_step' must be int, but got 'float'"),  # type: ignore[arg-type]
        (lambda: nn.warmup_lr(0.1, 6, 2, 0), ValueError, "'warmup_epoch' must be int and must > 0"),
    ],
)  # fmt: skip
def test_wrong_rates_are_refused(make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
