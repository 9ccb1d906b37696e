"""Optimizers: Cells that take the gradients of their Parameters and change the Parameters in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import boolean, not_negative, positive
from mindspore.common.parameter import Parameter, ParameterTuple
from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell

__all__ = ["SGD", "Momentum", "Optimizer"]


class Optimizer(Cell):
    """Base of all optimizers. A subclass defines ``construct(gradients)``, which returns whether each update was made.

    Args:
        learning_rate: a number, or a Tensor without dimensions; it is a Parameter and may be changed between steps.
        parameters: the Parameters to train.
        weight_decay: this times each Parameter is added to its gradient.
        loss_scale: gradients are divided by it.

    Raises:
        TypeError: something other than Parameters, or a learning rate that is no number.
        ValueError: no Parameters, or a negative number.
    """

    def __init__(
        self, learning_rate: Any, parameters: Iterable[Any], weight_decay: float = 0.0, loss_scale: float = 1.0
    ) -> None:
        super().__init__(auto_prefix=False)
        listed = _checked(parameters)
        self.global_step = Parameter(Tensor([0], dt.int32), name="global_step", requires_grad=False)
        self.learning_rate = Parameter(
            _rate(type(self).__name__, learning_rate), name="learning_rate", requires_grad=False
        )
        self.parameters = ParameterTuple(listed)
        self.weight_decay = not_negative(type(self).__name__, "weight_decay", weight_decay)
        self.loss_scale = positive(type(self).__name__, "loss_scale", loss_scale)
        self.reciprocal_scale = 1.0 / self.loss_scale

    def get_lr(self) -> Any:
        """The learning rate of this step; called once per step, it counts the steps."""
        ops.assign_add(self.global_step, 1)
        return self.learning_rate

    def prepared(self, gradients: Any) -> Any:
        """Gradients without the loss scale, with the weights' decay."""
        if self.loss_scale == 1.0 and self.weight_decay == 0.0:
            return gradients
        ready = []
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            if self.loss_scale != 1.0:
                gradient = gradient * self.reciprocal_scale
            if self.weight_decay > 0.0:
                gradient = gradient + parameter * self.weight_decay
            ready.append(gradient)
        return tuple(ready)


def _checked(parameters: Iterable[Any]) -> list[Parameter]:
    listed = list(parameters)
    if not listed:
        raise ValueError("For 'Optimizer', the argument parameters must not be empty.")
    wrong = next((p for p in listed if not isinstance(p, Parameter)), None)
    if wrong is not None:
        raise TypeError(
            f"For 'Optimizer', 'parameters' must be Parameters, but one is {type(wrong).__name__}: {wrong!r}."
        )
    return listed


def _rate(owner: str, given: Any) -> Tensor:
    if isinstance(given, Tensor):
        if given.shape != () or not given.dtype.is_floating:
            raise TypeError(
                f"For '{owner}', the 'learning_rate' must be a number or a 0-d floating Tensor, but got {given!r}."
            )
        return Tensor(given, dt.float32)
    return Tensor(not_negative(owner, "learning rate", given), dt.float32)


class Momentum(Optimizer):
    """Gradient descent with momentum: ``m = m * momentum + g``, ``p = p - lr * m``; with Nesterov ``p - lr * (g + m * momentum)``.

    Args:
        params: the Parameters to train.
        learning_rate: a number or 0-d Tensor.
        momentum: how much of the last step is kept, 0 or more.
        weight_decay, loss_scale: see `Optimizer`.
        use_nesterov: look one step ahead.

    Examples:
        >>> import mindspore.nn as nn
        >>> net = nn.Dense(2, 1)
        >>> optimizer = nn.Momentum(net.trainable_params(), learning_rate=0.1, momentum=0.9)
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any,
        momentum: float,
        weight_decay: float = 0.0,
        loss_scale: float = 1.0,
        use_nesterov: bool = False,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        value = not_negative("Momentum", "momentum", momentum)
        self.momentum = Parameter(Tensor(value, dt.float32), name="momentum", requires_grad=False)
        self.use_nesterov = boolean("Momentum", "use_nesterov", use_nesterov)
        self.moments = self.parameters.clone(prefix="moments", init="zeros")
        self.opt = ops.ApplyMomentum(use_nesterov=self.use_nesterov)

    def construct(self, gradients: Any) -> Any:
        rate = self.get_lr()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            self.opt(self.parameters[i], self.moments[i], rate, gradients[i], self.momentum)
        return True


class SGD(Optimizer):
    """Stochastic gradient descent: ``m = m * momentum + g * (1 - dampening)``, ``p = p - lr * m``; the first step takes ``m = g``.

    Args:
        params: the Parameters to train.
        learning_rate: a number or 0-d Tensor.
        momentum: how much of the last step is kept, 0 or more.
        dampening: the part of a gradient that the momentum does not take; 0 with `nesterov`.
        weight_decay, loss_scale: see `Optimizer`.
        nesterov: look one step ahead.
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 0.1,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        loss_scale: float = 1.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.momentum = not_negative("SGD", "momentum", momentum)
        self.dampening = not_negative("SGD", "dampening", dampening)
        self.nesterov = boolean("SGD", "nesterov", nesterov)
        if nesterov and (self.momentum == 0.0 or self.dampening != 0.0):
            raise ValueError(
                "For 'SGD', 'nesterov' needs a momentum above 0 and a dampening of 0, but got "
                f"momentum={momentum} and dampening={dampening}."
            )
        self.accum = self.parameters.clone(prefix="accum", init="zeros")
        self.stat = Parameter(Tensor(1.0, dt.float32), name="stat", requires_grad=False)

    def construct(self, gradients: Any) -> Any:
        rate = self.get_lr()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            step = gradients[i]
            if self.momentum > 0.0:
                kept = self.accum[i] * self.momentum + step * (1.0 - self.dampening * (1.0 - self.stat))
                ops.assign(self.accum[i], kept)
                step = step + kept * self.momentum if self.nesterov else kept
            ops.assign_sub(self.parameters[i], step * rate)
        ops.assign(self.stat, 0.0)
        return True
