"""Learning rates that fall or rise with the number of steps: as lists, one rate for each step, and as Cells of that number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import boolean, positive_int
from mindspore.nn.learning_rate_schedule import LearningRateSchedule

__all__ = [
    "CosineDecayLR", "ExponentialDecayLR", "InverseDecayLR", "NaturalExpDecayLR", "PolynomialDecayLR", "WarmUpLR", "cosine_decay_lr",
    "exponential_decay_lr", "inverse_decay_lr", "natural_exp_decay_lr", "piecewise_constant_lr", "polynomial_decay_lr", "warmup_lr",
]  # fmt: skip


def _number(owner: str, name: str, value: Any, allow_zero: bool = False) -> float:
    if not isinstance(value, float):
        raise TypeError(
            f"For '{owner}', the argument '{name}' must be type of float, but got '{name}' type: {type(value).__name__}."
        )
    if value < 0 or (value == 0 and not allow_zero):
        raise ValueError(
            f"For '{owner}', the '{name}' must be float and must {'>=' if allow_zero else '>'} 0, but got '{value}'."
        )
    return value


def _listed(
    owner: str,
    total_step: int,
    step_per_epoch: int,
    epochs: int,
    rate: Callable[[int], float],
    name: str = "decay_epoch",
) -> list[float]:
    """The rate of each step by the number of its epoch."""
    for argument, value in (("total_step", total_step), ("step_per_epoch", step_per_epoch), (name, epochs)):
        positive_int(owner, argument, value)
    return [rate(step // step_per_epoch) for step in range(total_step)]


def _bounds(owner: str, lowest: Any, highest: Any) -> None:
    _number(owner, "min_lr", lowest, allow_zero=True)
    _number(owner, "max_lr", highest)
    if lowest >= highest:
        raise ValueError(
            f"For '{owner}', the 'max_lr' must be greater than the 'min_lr', but got 'max_lr' value: {highest}, 'min_lr' value: {lowest}."
        )


def piecewise_constant_lr(milestone: Sequence[int], learning_rates: Sequence[float]) -> list[float]:
    """``learning_rates[i]`` for the steps below ``milestone[i]`` that come after the milestone before.

    Args:
        milestone: rising step numbers above 0.
        learning_rates: as many rates.

    Raises:
        TypeError: something else than lists or tuples of ints and floats.
        ValueError: lengths that differ, or milestones that do not rise.

    Examples:
        >>> from mindspore import nn
        >>> nn.piecewise_constant_lr([2, 5], [0.1, 0.05])
        [0.1, 0.1, 0.05, 0.05, 0.05]
    """
    owner = "piecewise_constant_lr"
    for name, given in (("milestone", milestone), ("learning_rates", learning_rates)):
        if not isinstance(given, tuple | list):
            raise TypeError(f"For '{owner}', the '{name}' must be a tuple or list, but got {type(given).__name__}.")
    if len(milestone) != len(learning_rates):
        raise ValueError(
            f"For '{owner}', the size of 'milestone' must be same with the size of 'learning_rates', but got 'milestone' size: "
            f"{len(milestone)}, 'learning_rates' size: {len(learning_rates)}."
        )
    rates: list[float] = []
    for i, (end, rate) in enumerate(zip(milestone, learning_rates, strict=True)):
        positive_int(owner, f"milestone[{i}]", end)
        _number(owner, f"learning_rates[{i}]", rate, allow_zero=True)
        if end <= len(rates):
            raise ValueError(
                f"For '{owner}', the value of milestone[{i}] must be greater than milestone[{i - 1}], but got milestone[{i}]: {end}, "
                f"milestone[{i - 1}]: {len(rates)}."
            )
        rates += [rate] * (end - len(rates))
    return rates


def exponential_decay_lr(
    learning_rate: float, decay_rate: float, total_step: int, step_per_epoch: int, decay_epoch: int, is_stair: bool = False
) -> list[float]:  # fmt: skip
    """``learning_rate * decay_rate ** (epoch / decay_epoch)`` for each step; `is_stair` takes the quotient's whole part.

    Examples:
        >>> from mindspore import nn
        >>> nn.exponential_decay_lr(0.5, 0.5, total_step=4, step_per_epoch=2, decay_epoch=1)
        [0.5, 0.5, 0.25, 0.25]
    """
    owner = "exponential_decay_lr"
    _decay(owner, learning_rate, decay_rate, is_stair)

    def rate(epoch: int) -> float:
        return learning_rate * float(decay_rate ** _part(epoch, decay_epoch, is_stair))

    return _listed(owner, total_step, step_per_epoch, decay_epoch, rate)


def natural_exp_decay_lr(
    learning_rate: float, decay_rate: float, total_step: int, step_per_epoch: int, decay_epoch: int, is_stair: bool = False
) -> list[float]:  # fmt: skip
    """``learning_rate * exp(-decay_rate * epoch)`` for each step; `is_stair` falls only every `decay_epoch` epochs."""
    owner = "natural_exp_decay_lr"
    _decay(owner, learning_rate, decay_rate, is_stair)

    def rate(epoch: int) -> float:
        reached = epoch // decay_epoch * decay_epoch if is_stair else epoch
        return learning_rate * math.exp(-decay_rate * reached)

    return _listed(owner, total_step, step_per_epoch, decay_epoch, rate)


def inverse_decay_lr(
    learning_rate: float, decay_rate: float, total_step: int, step_per_epoch: int, decay_epoch: int, is_stair: bool = False
) -> list[float]:  # fmt: skip
    """``learning_rate / (1 + decay_rate * epoch / decay_epoch)`` for each step; `is_stair` takes the quotient's whole part."""
    owner = "inverse_decay_lr"
    _decay(owner, learning_rate, decay_rate, is_stair)

    def rate(epoch: int) -> float:
        return learning_rate / (1 + decay_rate * _part(epoch, decay_epoch, is_stair))

    return _listed(owner, total_step, step_per_epoch, decay_epoch, rate)


def _decay(owner: str, learning_rate: Any, decay_rate: Any, is_stair: Any) -> None:
    _number(owner, "learning_rate", learning_rate)
    _number(owner, "decay_rate", decay_rate)
    boolean(owner, "is_stair", is_stair)


def _part(done: int, whole: int, is_stair: bool) -> float:
    return done // whole if is_stair else done / whole


def cosine_decay_lr(
    min_lr: float, max_lr: float, total_step: int, step_per_epoch: int, decay_epoch: int
) -> list[float]:
    """From `max_lr` down to `min_lr` along half a cosine within `decay_epoch` epochs.

    Examples:
        >>> from mindspore import nn
        >>> nn.cosine_decay_lr(0.0, 0.5, total_step=3, step_per_epoch=1, decay_epoch=2)
        [0.5, 0.25, 0.0]
    """
    _bounds("cosine_decay_lr", min_lr, max_lr)

    def rate(epoch: int) -> float:
        return min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(min(epoch, decay_epoch) / decay_epoch * math.pi))

    return _listed("cosine_decay_lr", total_step, step_per_epoch, decay_epoch, rate)


def polynomial_decay_lr(
    learning_rate: float, end_learning_rate: float, total_step: int, step_per_epoch: int, decay_epoch: int, power: float,
    update_decay_epoch: bool = False,
) -> list[float]:  # fmt: skip
    """From `learning_rate` down to `end_learning_rate`: their difference times ``(1 - epoch / decay_epoch) ** power``.

    Args:
        update_decay_epoch: whether `decay_epoch` grows to the next multiple that is not below the epoch, instead of staying at the end.
    """
    owner = "polynomial_decay_lr"
    _polynomial(owner, learning_rate, end_learning_rate, power)
    boolean(owner, "update_decay_epoch", update_decay_epoch)

    def rate(epoch: int) -> float:
        whole = decay_epoch * max(math.ceil(epoch / decay_epoch), 1) if update_decay_epoch else decay_epoch
        return end_learning_rate + (learning_rate - end_learning_rate) * float((1 - min(epoch, whole) / whole) ** power)

    return _listed(owner, total_step, step_per_epoch, decay_epoch, rate)


def _polynomial(owner: str, learning_rate: Any, end_learning_rate: Any, power: Any) -> None:
    _number(owner, "learning_rate", learning_rate)
    _number(owner, "end_learning_rate", end_learning_rate, allow_zero=True)
    _number(owner, "power", power)


def warmup_lr(learning_rate: float, total_step: int, step_per_epoch: int, warmup_epoch: int) -> list[float]:
    """From 0 up to `learning_rate` within `warmup_epoch` epochs.

    Examples:
        >>> from mindspore import nn
        >>> nn.warmup_lr(0.5, total_step=4, step_per_epoch=1, warmup_epoch=2)
        [0.0, 0.25, 0.5, 0.5]
    """
    _number("warmup_lr", "learning_rate", learning_rate)

    def rate(epoch: int) -> float:
        return learning_rate * min(epoch, warmup_epoch) / warmup_epoch

    return _listed("warmup_lr", total_step, step_per_epoch, warmup_epoch, rate, "warmup_epoch")


class _Decay(LearningRateSchedule):
    """Base of the schedules of a rate that falls.

    Args:
        learning_rate: the first rate, a float above 0.
        decay_rate: how fast it falls, a float above 0.
        decay_steps: the number of steps of one decay, an int above 0.
        is_stair: whether the rate changes only every `decay_steps` steps.

    Inputs:
        global_step, the number of steps done, an integer tensor; the result is float32 and has its shape.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number that is not above 0.
    """

    def __init__(self, learning_rate: float, decay_rate: float, decay_steps: int, is_stair: bool = False) -> None:
        super().__init__()
        owner = type(self).__name__
        _decay(owner, learning_rate, decay_rate, is_stair)
        self.learning_rate, self.decay_rate, self.is_stair = learning_rate, decay_rate, is_stair
        self.decay_steps = positive_int(owner, "decay_steps", decay_steps)

    def decays(self, global_step: Any) -> Any:
        """How many decays there were before."""
        done = ops.cast(global_step, dt.float32) / self.decay_steps
        return ops.floor(done) if self.is_stair else done


class ExponentialDecayLR(_Decay):
    __doc__ = f"""``learning_rate * decay_rate ** (step / decay_steps)``. {_Decay.__doc__}"""

    def construct(self, global_step: Any) -> Any:
        return self.learning_rate * ops.pow(self.decay_rate, self.decays(global_step))


class NaturalExpDecayLR(_Decay):
    __doc__ = f"""``learning_rate * exp(-decay_rate * step)``. {_Decay.__doc__}"""

    def construct(self, global_step: Any) -> Any:
        return self.learning_rate * ops.exp(self.decays(global_step) * (-self.decay_rate * self.decay_steps))


class InverseDecayLR(_Decay):
    __doc__ = f"""``learning_rate / (1 + decay_rate * step / decay_steps)``. {_Decay.__doc__}"""

    def construct(self, global_step: Any) -> Any:
        return self.learning_rate / (1.0 + self.decay_rate * self.decays(global_step))


class CosineDecayLR(LearningRateSchedule):
    """From `max_lr` down to `min_lr` along half a cosine within `decay_steps` steps.

    Args:
        min_lr, max_lr: floats, the second one larger.
        decay_steps: an int above 0.

    Raises:
        TypeError: an argument of another type.
        ValueError: `max_lr` that is not larger than `min_lr`, or a number that is too small.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, nn
        >>> print(nn.CosineDecayLR(0.0, 0.5, decay_steps=4)(Tensor(4, ms.int32)))
        0.0
    """

    def __init__(self, min_lr: float, max_lr: float, decay_steps: int) -> None:
        super().__init__()
        _bounds("CosineDecayLR", min_lr, max_lr)
        self.min_lr, self.half = min_lr, 0.5 * (max_lr - min_lr)
        self.decay_steps = positive_int("CosineDecayLR", "decay_steps", decay_steps)

    def construct(self, global_step: Any) -> Any:
        done = ops.minimum(ops.cast(global_step, dt.float32), float(self.decay_steps))
        return self.min_lr + self.half * (1.0 + ops.cos(done * (math.pi / self.decay_steps)))


class PolynomialDecayLR(LearningRateSchedule):
    """From `learning_rate` down to `end_learning_rate`: their difference times ``(1 - step / decay_steps) ** power``.

    Args:
        learning_rate, end_learning_rate, power: floats; the second one may be 0, the others are above 0.
        decay_steps: an int above 0.
        update_decay_steps: whether `decay_steps` grows to the next multiple that is not below the step, instead of staying at the end.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number that is too small.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, nn
        >>> print(nn.PolynomialDecayLR(0.5, 0.0, decay_steps=4, power=1.0)(Tensor(2, ms.int32)))
        0.25
    """

    def __init__(
        self, learning_rate: float, end_learning_rate: float, decay_steps: int, power: float, update_decay_steps: bool = False
    ) -> None:  # fmt: skip
        super().__init__()
        owner = "PolynomialDecayLR"
        _polynomial(owner, learning_rate, end_learning_rate, power)
        self.span, self.end_learning_rate, self.power = learning_rate - end_learning_rate, end_learning_rate, power
        self.decay_steps = positive_int(owner, "decay_steps", decay_steps)
        self.update_decay_steps = boolean(owner, "update_decay_steps", update_decay_steps)

    def construct(self, global_step: Any) -> Any:
        step = ops.cast(global_step, dt.float32)
        if self.update_decay_steps:
            whole = ops.maximum(ops.ceil(step / self.decay_steps), 1.0) * self.decay_steps
            return self.end_learning_rate + self.span * ops.pow(1.0 - step / whole, self.power)
        left = 1.0 - ops.minimum(step, float(self.decay_steps)) / self.decay_steps
        return self.end_learning_rate + self.span * ops.pow(left, self.power)


class WarmUpLR(LearningRateSchedule):
    """From 0 up to `learning_rate` within `warmup_steps` steps.

    Args:
        learning_rate: a float, 0 or more.
        warmup_steps: an int above 0.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number that is too small.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, nn
        >>> print(nn.WarmUpLR(0.5, warmup_steps=4)(Tensor(2, ms.int32)))
        0.25
    """

    def __init__(self, learning_rate: float, warmup_steps: int) -> None:
        super().__init__()
        self.learning_rate = _number("WarmUpLR", "learning_rate", learning_rate, allow_zero=True)
        self.warmup_steps = positive_int("WarmUpLR", "warmup_steps", warmup_steps)

    def construct(self, global_step: Any) -> Any:
        done = ops.minimum(ops.cast(global_step, dt.float32), float(self.warmup_steps))
        return self.learning_rate * (done / self.warmup_steps)
