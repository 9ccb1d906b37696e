"""Optimizers with moving means of the gradient and its square."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import boolean, positive
from mindspore.common.parameter import Parameter
from mindspore.common.row_tensor import RowTensor
from mindspore.common.tensor import Tensor
from mindspore.nn.optimizer import Optimizer

__all__ = ["Adam", "AdamOffload", "AdamWeightDecay"]


def mean_rate(owner: str, name: str, value: Any) -> float:
    """A moving mean's rate, between 0 and 1."""
    if not isinstance(value, float):
        raise TypeError(f"For '{owner}', the '{name}' must be float, but got '{type(value).__name__}'.")
    if not 0.0 < value < 1.0:
        raise ValueError(f"For '{owner}', the '{name}' must be in range of (0.0, 1.0), but got {value}.")
    return value


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015): ``p = p - lr * sqrt(1 - beta2^t) / (1 - beta1^t) * m / (sqrt(v) + eps)`` in step t, with
    ``m = beta1 * m + (1 - beta1) * g`` and ``v = beta2 * v + (1 - beta2) * g^2``.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
        beta1, beta2: rates of the moving means, between 0 and 1.
        eps: added to the root, above 0.
        use_locking: accepted; updates are never shared between threads.
        use_nesterov: look one step ahead.
        weight_decay, loss_scale: see `Optimizer`.
        use_amsgrad: divide by the root of the largest v so far.
        kwargs: ``use_lazy``: leave rows alone that a gradient does not name, as `LazyAdam` does; ``use_offload``: accepted, the processor
            makes all steps.

    Raises:
        TypeError: an argument of another type.
        ValueError: a rate that is not between 0 and 1, `eps` that is not above 0, `use_nesterov` together with `use_amsgrad`.

    Examples:
        >>> import mindspore.nn as nn
        >>> net = nn.Dense(2, 1)
        >>> optimizer = nn.Adam(net.trainable_params(), learning_rate=0.01)
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        use_locking: bool = False,
        use_nesterov: bool = False,
        weight_decay: float = 0.0,
        loss_scale: float = 1.0,
        use_amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        owner = type(self).__name__
        lazy, offload = (boolean(owner, name, kwargs.pop(name, False)) for name in ("use_lazy", "use_offload"))
        if kwargs:
            raise TypeError(
                f"For 'Adam', the keywords are 'use_lazy' and 'use_offload', but got {next(iter(kwargs))!r}."
            )
        if lazy and (offload or use_amsgrad):
            raise ValueError("For 'Adam', 'use_lazy' must not be True together with 'use_offload' or 'use_amsgrad'.")
        self.beta1, self.beta2 = mean_rate(owner, "beta1", beta1), mean_rate(owner, "beta2", beta2)
        self.eps = positive(owner, "eps", eps)
        self.use_locking = boolean(owner, "use_locking", use_locking)
        self.use_nesterov = boolean(owner, "use_nesterov", use_nesterov)
        self.use_amsgrad = boolean(owner, "use_amsgrad", use_amsgrad)
        if use_nesterov and use_amsgrad:
            raise ValueError("For 'Adam', 'use_nesterov' and 'use_amsgrad' must not both be True.")
        self.beta1_power = Parameter(Tensor(1.0, dt.float32), name="beta1_power", requires_grad=False)
        self.beta2_power = Parameter(Tensor(1.0, dt.float32), name="beta2_power", requires_grad=False)
        self.moment1 = self.parameters.clone(prefix="moment1", init="zeros")
        self.moment2 = self.parameters.clone(prefix="moment2", init="zeros")
        if use_amsgrad:
            self.vhat = self.parameters.clone(prefix="vhat", init="zeros")
        self.takes_rows = self.use_lazy = lazy
        self.rows_opt = ops.rows.stepped_rows("Adam")
        self.opt = ops.ApplyAdamWithAmsgradV2(use_locking) if use_amsgrad else ops.Adam(use_locking, use_nesterov)

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        power1, power2 = self.beta1_power * self.beta1, self.beta2_power * self.beta2
        ops.assign(self.beta1_power, power1)
        ops.assign(self.beta2_power, power2)
        for i in range(len(self.parameters)):
            state, gradient = (self.parameters[i], self.moment1[i], self.moment2[i]), gradients[i]
            numbers = (power1, power2, rates[i], self.beta1, self.beta2, self.eps)
            if isinstance(gradient, RowTensor):
                self.rows_opt(state, gradient, numbers, use_nesterov=self.use_nesterov)
            elif self.use_amsgrad:
                self.opt(*state, self.vhat[i], *numbers, gradient)
            else:
                self.opt(*state, *numbers, gradient)
        return (True,) * len(self.parameters)


class AdamOffload(Adam):
    """`Adam` as devices use it whose processor is to make the steps; the processor is what makes all steps here.

    Args:
        params, learning_rate, beta1, beta2, eps, use_locking, use_nesterov, weight_decay, loss_scale: see `Adam`.

    Examples:
        >>> import mindspore.nn as nn
        >>> net = nn.Dense(2, 1)
        >>> optimizer = nn.AdamOffload(net.trainable_params(), learning_rate=0.01)
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        use_locking: bool = False,
        use_nesterov: bool = False,
        weight_decay: float = 0.0,
        loss_scale: float = 1.0,
    ) -> None:
        super().__init__(params, learning_rate, beta1, beta2, eps, use_locking, use_nesterov, weight_decay, loss_scale)


class AdamWeightDecay(Optimizer):
    """Adam without correction for the first steps, with the weights' decay apart from the gradient (Loshchilov and Hutter 2019):
    ``p = p - lr * (m / (sqrt(v) + eps) + weight_decay * p)``.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`. Those with "beta" or "gamma" in their names do not decay.
        learning_rate: see `Optimizer`.
        beta1, beta2: rates of the moving means, between 0 and 1.
        eps: added to the root, above 0.
        weight_decay: see `Optimizer`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        owner = "AdamWeightDecay"
        self.beta1, self.beta2 = mean_rate(owner, "beta1", beta1), mean_rate(owner, "beta2", beta2)
        self.eps = positive(owner, "eps", eps)
        self.moments1 = self.parameters.clone(prefix="adam_m", init="zeros")
        self.moments2 = self.parameters.clone(prefix="adam_v", init="zeros")
        self.opt = ops.AdamWeightDecay()

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.whole(gradients)
        for i in range(len(self.parameters)):
            self.opt(
                self.parameters[i], self.moments1[i], self.moments2[i], rates[i], self.beta1, self.beta2, self.eps, self.decays[i],
                gradients[i],
            )  # fmt: skip
        return (True,) * len(self.parameters)
