"""Optimizers: Cells that take the gradients of their Parameters and change the Parameters in place."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import boolean, not_negative, positive
from mindspore.common.parameter import Parameter, ParameterTuple
from mindspore.common.row_tensor import RowTensor
from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell
from mindspore.nn.containers import CellList
from mindspore.nn.learning_rate_schedule import rate_values, schedule
from mindspore.nn.parameter_groups import Trained, trained

__all__ = ["SGD", "Momentum", "Optimizer"]


class Optimizer(Cell):
    """Base of all optimizers. A subclass defines ``construct(gradients)``, which returns whether each update was made.

    Args:
        learning_rate: a number, several of them (a list, tuple or 1-d Tensor: one for each step, the last one stays), or a
            `LearningRateSchedule`. One number is a Parameter and may be changed between steps.
        parameters: the Parameters to train; or groups of them, dicts with the key "params" and, where a group has its own, "lr" and
            "weight_decay". A dict with the key "order_params" gives the order of all of them.
        weight_decay: this times each Parameter is added to its gradient; in a list of Parameters not for those with "beta" or "gamma" in
            their names.
        loss_scale: gradients are divided by it.

    Raises:
        TypeError: something other than Parameters or groups, or a learning rate that is no number.
        ValueError: no Parameters, or a negative number.
        KeyError: a group with an unknown key.
    """

    takes_rows = False
    """Whether ``construct`` knows gradients that are a `RowTensor`; to the others they come as whole tensors."""

    def __init__(
        self, learning_rate: Any, parameters: Iterable[Any], weight_decay: float = 0.0, loss_scale: float = 1.0
    ) -> None:
        super().__init__(auto_prefix=False)
        owner = type(self).__name__
        self.weight_decay = not_negative(owner, "weight_decay", weight_decay)
        chosen = trained(owner, parameters, self.weight_decay)
        self.global_step = Parameter(Tensor([0], dt.int32), name="global_step", requires_grad=False)
        self.is_group_lr = any(each.rate is not None for each in chosen)
        self.dynamic_lr = self.is_group_lr
        if self.is_group_lr:
            self._take_group_rates(owner, learning_rate, chosen)
        else:
            values = rate_values(owner, learning_rate)
            self.dynamic_lr = not isinstance(values, Tensor) or values.ndim > 0
            self.learning_rate: Any = (
                schedule(values, "learning_rate")
                if self.dynamic_lr
                else Parameter(values, name="learning_rate", requires_grad=False)
            )
        self.parameters = ParameterTuple([each.parameter for each in chosen])
        self.decays = tuple(each.decay for each in chosen)
        self.loss_scale = positive(owner, "loss_scale", loss_scale)
        self.reciprocal_scale = 1.0 / self.loss_scale

    def _take_group_rates(self, owner: str, learning_rate: Any, chosen: list[Trained]) -> None:
        given = {each.group: learning_rate if each.rate is None else each.rate for each in chosen}
        groups = sorted(given)
        self.learning_rate = CellList(
            [schedule(rate_values(owner, given[g]), f"learning_rate_group_{g}") for g in groups]
        )
        self.rate_of = tuple(groups.index(each.group) for each in chosen)

    def get_lr(self) -> Any:
        """The learning rate of this step; a tuple with one for each Parameter where groups have their own."""
        if self.is_group_lr:
            rates = [_scalar(rate(self.global_step)) for rate in self.learning_rate]
            return tuple([rates[i] for i in self.rate_of])
        return _scalar(self.learning_rate(self.global_step)) if self.dynamic_lr else self.learning_rate

    def next_rates(self) -> Any:
        """The learning rate of this step for each Parameter; called once per step, it counts the steps."""
        found = self.get_lr()
        ops.assign_add(self.global_step, 1)
        return found if self.is_group_lr else (found,) * len(self.parameters)

    def prepared(self, gradients: Any) -> Any:
        """Gradients without the loss scale, with the weights' decay; whole tensors, but for those that take rows."""
        ready = []
        for i in range(len(self.parameters)):
            gradient = gradients[i]
            if isinstance(gradient, RowTensor):
                indices = gradient.indices
                taken = ops.gather(self.parameters[i], indices, 0) if self.decays[i] > 0.0 else None
                values = self.scaled(gradient.values, taken, self.decays[i])
                gradient = RowTensor(indices, values, gradient.dense_shape)
                ready.append(gradient if self.takes_rows else ops.rows.dense(gradient))
            else:
                ready.append(self.scaled(gradient, self.parameters[i], self.decays[i]))
        return tuple(ready)

    def whole(self, gradients: Any) -> Any:
        """Gradients as whole tensors."""
        return tuple([ops.rows.dense(each) if isinstance(each, RowTensor) else each for each in gradients])

    def scaled(self, gradient: Any, weight: Any, decay: float) -> Any:
        """A gradient without the loss scale, with the decay of what it is of."""
        if self.loss_scale != 1.0:
            gradient = gradient * self.reciprocal_scale
        return gradient + weight * decay if decay > 0.0 else gradient


def _scalar(rate: Any) -> Any:
    """What a schedule gives, without dimensions: global_step has one."""
    return ops.reshape(ops.mul(rate, 1.0), ())


class Momentum(Optimizer):
    """Gradient descent with momentum: ``m = m * momentum + g``, ``p = p - lr * m``; with Nesterov ``p - lr * (g + m * momentum)``.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
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
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            self.opt(self.parameters[i], self.moments[i], rates[i], gradients[i], self.momentum)
        return True


class SGD(Optimizer):
    """Stochastic gradient descent: ``m = m * momentum + g * (1 - dampening)``, ``p = p - lr * m``; the first step takes ``m = g``.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
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
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            step = gradients[i]
            if self.momentum > 0.0:
                kept = self.accum[i] * self.momentum + step * (1.0 - self.dampening * (1.0 - self.stat))
                ops.assign(self.accum[i], kept)
                step = step + kept * self.momentum if self.nesterov else kept
            ops.assign_sub(self.parameters[i], step * rates[i])
        ops.assign(self.stat, 0.0)
        return True
