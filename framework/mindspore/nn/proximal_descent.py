"""Optimizers that keep values small or zero by l1 and l2 penalties; of a table whose gradient names rows they change these rows alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mindspore import ops
from mindspore.common.checks import boolean, exact_float, not_negative
from mindspore.common.row_tensor import RowTensor
from mindspore.nn.optimizer import Optimizer

__all__ = ["FTRL", "ProximalAdagrad"]


class FTRL(Optimizer):
    """Follow the regularised leader (McMahan and others 2013): ``n' = n + g^2``, ``z = z + g - (n'^-lr_power - n^-lr_power) / lr * p``,
    ``p = (sign(z) * l1 - z) / (n'^-lr_power / lr + 2 * l2)`` where ``|z| > l1``, else 0.

    Args:
        params: the Parameters to train: see `Optimizer`.
        initial_accum: the value of n at the beginning, 0 or more.
        learning_rate: one number.
        lr_power: the power by which the rate falls, 0 or less.
        l1, l2: penalties on the size of values, 0 or more.
        use_locking: accepted; updates are never shared between threads.
        loss_scale, weight_decay: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number out of range, or a learning rate that changes or belongs to a group.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.FTRL([p], initial_accum=0.0, learning_rate=0.25)((Tensor([2.0]),))
        >>> print(p.item())
        0.75
    """

    takes_rows = True

    def __init__(
        self,
        params: Iterable[Any],
        initial_accum: float = 0.1,
        learning_rate: Any = 0.001,
        lr_power: float = -0.5,
        l1: float = 0.0,
        l2: float = 0.0,
        use_locking: bool = False,
        loss_scale: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        if self.dynamic_lr or self.is_group_lr:
            raise ValueError(
                "For 'FTRL', the learning rate must be one number: dynamic and group learning rates are not supported."
            )
        initial = _penalty("FTRL", "initial_accum", initial_accum)
        self.l1, self.l2 = _penalty("FTRL", "l1", l1), _penalty("FTRL", "l2", l2)
        self.lr_power = exact_float("FTRL", "lr_power", lr_power)
        if lr_power > 0.0:
            raise ValueError(f"For 'FTRL', the 'lr_power' must be <= 0.0, but got {lr_power}.")
        self.moments = self.parameters.clone(prefix="moments", init=initial)
        self.linear = self.parameters.clone(prefix="linear", init="zeros")
        self.opt = ops.ApplyFtrl(boolean("FTRL", "use_locking", use_locking))
        self.rows_opt = ops.rows.stepped_rows("ApplyFtrl")

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            state, gradient = (self.parameters[i], self.moments[i], self.linear[i]), gradients[i]
            if isinstance(gradient, RowTensor):
                self.rows_opt(state, gradient, (rates[i], self.l1, self.l2, self.lr_power))
            else:
                self.opt(*state, gradient, rates[i], self.l1, self.l2, self.lr_power)
        return (True,) * len(self.parameters)


class ProximalAdagrad(Optimizer):
    """``a = a + g^2``, ``r = lr / sqrt(a)``, ``u = p - r * g``, ``p = sign(u) / (1 + r * l2) * max(|u| - r * l1, 0)``
    (Duchi and Singer 2009).

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        accum: the value of a at the beginning, 0 or more.
        learning_rate: see `Optimizer`.
        l1, l2: penalties on the size of values, 0 or more.
        use_locking: accepted; updates are never shared between threads.
        loss_scale, weight_decay: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number out of range.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.ProximalAdagrad([p], accum=0.0, learning_rate=0.25, l1=1.0)((Tensor([2.0]),))
        >>> print(p.item())
        0.625
    """

    takes_rows = True

    def __init__(
        self,
        params: Iterable[Any],
        accum: float = 0.1,
        learning_rate: Any = 0.001,
        l1: float = 0.0,
        l2: float = 0.0,
        use_locking: bool = False,
        loss_scale: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        owner = "ProximalAdagrad"
        self.l1, self.l2 = _penalty(owner, "l1", l1), _penalty(owner, "l2", l2)
        self.accum = self.parameters.clone(prefix="accum", init=_penalty(owner, "accum", accum))
        self.opt = ops.ApplyProximalAdagrad(boolean(owner, "use_locking", use_locking))
        self.rows_opt = ops.rows.stepped_rows("ApplyProximalAdagrad")

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            state, gradient = (self.parameters[i], self.accum[i]), gradients[i]
            if isinstance(gradient, RowTensor):
                self.rows_opt(state, gradient, (rates[i], self.l1, self.l2))
            else:
                self.opt(*state, rates[i], self.l1, self.l2, gradient)
        return (True,) * len(self.parameters)


def _penalty(owner: str, name: str, value: Any) -> float:
    return not_negative(owner, name, exact_float(owner, name, value))
