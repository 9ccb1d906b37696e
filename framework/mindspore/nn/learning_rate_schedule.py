"""Learning rates of optimizers: fixed, one for each step, or computed from the number of steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import not_negative
from mindspore.common.parameter import Parameter
from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell

__all__ = ["LearningRateSchedule"]


class LearningRateSchedule(Cell):
    """Base of learning rates that change: a subclass defines ``construct(global_step)``, which gives the rate of that step.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> class Falling(nn.LearningRateSchedule):
        ...     def construct(self, global_step):
        ...         return 0.5 / (global_step + 1.0)
        >>> print(Falling()(Tensor(1)))
        0.25
    """


class FixedRate(LearningRateSchedule):
    """The same rate at every step."""

    def __init__(self, rate: Tensor, name: str) -> None:
        super().__init__()
        self.rate = Parameter(rate, name=name, requires_grad=False)

    def construct(self, global_step: Any) -> Any:
        return self.rate


class ListedRates(LearningRateSchedule):
    """One rate for each step; the last one stays."""

    def __init__(self, rates: Tensor, name: str) -> None:
        super().__init__()
        self.rates = Parameter(rates, name=name, requires_grad=False)
        self.positions = Tensor(np.arange(rates.size, dtype=np.int32))
        self.last = rates.size - 1

    def construct(self, global_step: Any) -> Any:
        return ops.sum(ops.select(self.positions == ops.minimum(global_step, self.last), self.rates, 0.0))


def rate_values(owner: str, given: Any) -> Tensor | LearningRateSchedule:
    """A float32 tensor without dimensions, or with one rate for each step, or the schedule itself.

    Raises:
        TypeError: neither a number, Tensor, schedule nor several numbers.
        ValueError: a negative rate, no rate at all, or a Tensor of more than one dimension.
    """
    if isinstance(given, LearningRateSchedule):
        return given
    if isinstance(given, Tensor):
        values = given.asnumpy().astype(np.float32)
    elif isinstance(given, Iterable) and not isinstance(given, str):
        values = np.array([not_negative(owner, "learning rate", each) for each in given], np.float32)
    else:
        values = np.array(not_negative(owner, "learning rate", given), np.float32)
    if values.ndim > 1 or values.size == 0:
        raise ValueError(
            f"For '{owner}', the 'learning_rate' must be one number or one for each step, but got shape {values.shape}."
        )
    if (values < 0).any():
        raise ValueError(f"For '{owner}', the 'learning rate' must be float and must >= 0, but got '{values.min()}'.")
    return Tensor(values, dt.float32)


def schedule(values: Tensor | LearningRateSchedule, name: str) -> LearningRateSchedule:
    """`values` of `rate_values` as a Cell of the number of steps."""
    if isinstance(values, LearningRateSchedule):
        return values
    return ListedRates(values, name) if values.ndim else FixedRate(values, name)
