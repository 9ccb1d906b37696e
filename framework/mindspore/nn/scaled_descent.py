"""Optimizers that scale each element's step by its gradients before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import boolean, exact_float, not_negative, positive
from mindspore.common.parameter import Parameter
from mindspore.common.tensor import Tensor
from mindspore.nn.adam import mean_rate
from mindspore.nn.optimizer import Optimizer

__all__ = ["AdaMax", "Adadelta", "Adagrad", "Lamb", "RMSProp"]


class RMSProp(Optimizer):
    """``s = decay * s + (1 - decay) * g^2``, ``m = momentum * m + lr * g / sqrt(s + epsilon)``, ``p = p - m`` (Hinton 2012).

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
        decay: how much of the mean square is kept, 0 or more.
        momentum: how much of the last step is kept, 0 or more.
        epsilon: added under the root, above 0.
        use_locking: accepted; updates are never shared between threads.
        centered: whether the square of the gradient's mean is taken from the mean square.
        loss_scale, weight_decay: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number out of range.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.RMSProp([p], learning_rate=0.1, decay=0.75)((Tensor([2.0]),))
        >>> print(round(p.item(), 4))
        0.8488
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 0.1,
        decay: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-10,
        use_locking: bool = False,
        centered: bool = False,
        loss_scale: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.decay = not_negative("RMSProp", "decay", decay)
        self.momentum = not_negative("RMSProp", "momentum", momentum)
        self.epsilon = positive("RMSProp", "epsilon", epsilon)
        self.use_locking = boolean("RMSProp", "use_locking", use_locking)
        self.centered = boolean("RMSProp", "centered", centered)
        if centered:
            self.mg = self.parameters.clone(prefix="mean_grad", init="zeros")
        self.opt = (ops.ApplyCenteredRMSProp if centered else ops.ApplyRMSProp)(use_locking)
        self.ms = self.parameters.clone(prefix="mean_square", init="ones")
        self.moment = self.parameters.clone(prefix="moment", init="zeros")

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            self.moved(i, rates[i], gradients[i])
        return (True,) * len(self.parameters)

    def moved(self, i: int, rate: Any, gradient: Any) -> None:
        """One Parameter's step."""
        parameter, square, moment = self.parameters[i], self.ms[i], self.moment[i]
        if self.centered:
            self.opt(parameter, self.mg[i], square, moment, gradient, rate, self.decay, self.momentum, self.epsilon)
        else:
            self.opt(parameter, square, moment, rate, gradient, self.decay, self.momentum, self.epsilon)


class Adagrad(Optimizer):
    """``a = a + g^2``, ``p = p - lr * g / sqrt(a)`` (Duchi, Hazan and Singer 2011).

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        accum: the value of a at the beginning, 0 or more.
        learning_rate: see `Optimizer`.
        update_slots: whether a grows.
        loss_scale, weight_decay: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number out of range.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.Adagrad([p], accum=0.0, learning_rate=0.25)((Tensor([2.0]),))
        >>> print(p.item())
        0.75
    """

    def __init__(
        self,
        params: Iterable[Any],
        accum: float = 0.1,
        learning_rate: Any = 0.001,
        update_slots: bool = True,
        loss_scale: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.update_slots = boolean("Adagrad", "update_slots", update_slots)
        self.opt = ops.ApplyAdagrad(update_slots)
        self.accum = self.parameters.clone(prefix="accum", init=not_negative("Adagrad", "accum", accum))

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            self.opt(self.parameters[i], self.accum[i], rates[i], gradients[i])
        return (True,) * len(self.parameters)


class Adadelta(Optimizer):
    """``a = rho * a + (1 - rho) * g^2``, ``d = sqrt(u + epsilon) / sqrt(a + epsilon) * g``, ``u = rho * u + (1 - rho) * d^2`` and
    ``p = p - lr * d`` (Zeiler 2012).

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
        rho: how much of both means is kept, from 0 to 1.
        epsilon: added under the roots, 0 or more.
        loss_scale, weight_decay: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a number out of range.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.Adadelta([p], rho=0.75, epsilon=0.0625)((Tensor([2.0]),))
        >>> print(round(p.item(), 4))
        0.5149
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 1.0,
        rho: float = 0.9,
        epsilon: float = 1e-6,
        loss_scale: float = 1.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.rho = exact_float("Adadelta", "rho", rho)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"For 'Adadelta', the 'rho' must be in range of [0.0, 1.0], but got {rho}.")
        self.epsilon = not_negative("Adadelta", "epsilon", exact_float("Adadelta", "epsilon", epsilon))
        self.accum = self.parameters.clone(prefix="accum", init="zeros")
        self.accum_update = self.parameters.clone(prefix="accum_update", init="zeros")
        self.opt = ops.ApplyAdadelta()

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            accum, update = self.accum[i], self.accum_update[i]
            self.opt(self.parameters[i], accum, update, rates[i], self.rho, self.epsilon, gradients[i])
        return (True,) * len(self.parameters)


class AdaMax(Optimizer):
    """Adam with the largest decayed absolute gradient in the place of the root of v (Kingma and Ba 2015): ``v = max(beta2 * v, |g|)``
    and ``p = p - lr / (1 - beta1^t) * m / (v + eps)`` in step t, with m as in `Adam`.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
        beta1, beta2: rates of the moving means, between 0 and 1.
        eps: added to v, above 0.
        weight_decay, loss_scale: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a rate that is not between 0 and 1, `eps` that is not above 0.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.AdaMax([p], learning_rate=0.25)((Tensor([2.0]),))
        >>> print(p.item())
        0.75
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 0.001,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        loss_scale: float = 1.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay, loss_scale)
        self.beta1, self.beta2 = mean_rate("AdaMax", "beta1", beta1), mean_rate("AdaMax", "beta2", beta2)
        self.eps = positive("AdaMax", "eps", eps)
        self.beta1_power = Parameter(Tensor(1.0, dt.float32), name="beta1_power", requires_grad=False)
        self.moment1 = self.parameters.clone(prefix="moment1", init="zeros")
        self.moment2 = self.parameters.clone(prefix="moment2", init="zeros")
        self.opt = ops.ApplyAdaMax()

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        power = self.beta1_power * self.beta1
        ops.assign(self.beta1_power, power)
        for i in range(len(self.parameters)):
            first, second = self.moment1[i], self.moment2[i]
            self.opt(self.parameters[i], first, second, power, rates[i], self.beta1, self.beta2, self.eps, gradients[i])
        return (True,) * len(self.parameters)


class Lamb(Optimizer):
    """Adam's step with decay, scaled for each Parameter by the ratio of its norm and the step's (You and others 2020).

    ``u = m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps) + weight_decay * p`` and ``p = p - lr * (|p| / |u|) * u``, with m and v as in
    `Adam`; the ratio is 1 where a norm is 0.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`. Those with "beta" or "gamma" in their names do not decay.
        learning_rate: see `Optimizer`.
        beta1, beta2: rates of the moving means, between 0 and 1.
        eps: added to the root, above 0.
        weight_decay: see `Optimizer`.

    Raises:
        TypeError: an argument of another type.
        ValueError: a rate that is not between 0 and 1, `eps` that is not above 0.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.Lamb([p], learning_rate=0.25)((Tensor([2.0]),))
        >>> print(p.item())
        0.75
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any,
        beta1: float = 0.9,
        beta2: float = 0.999,
        eps: float = 1e-6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        self.beta1, self.beta2 = mean_rate("Lamb", "beta1", beta1), mean_rate("Lamb", "beta2", beta2)
        self.eps = positive("Lamb", "eps", eps)
        self.beta1_power = Parameter(Tensor(1.0, dt.float32), name="beta1_power", requires_grad=False)
        self.beta2_power = Parameter(Tensor(1.0, dt.float32), name="beta2_power", requires_grad=False)
        self.moments1 = self.parameters.clone(prefix="lamb_m", init="zeros")
        self.moments2 = self.parameters.clone(prefix="lamb_v", init="zeros")

    def construct(self, gradients: Any) -> Any:
        rates = self.next_rates()
        gradients = self.whole(gradients)
        power1, power2 = self.beta1_power * self.beta1, self.beta2_power * self.beta2
        ops.assign(self.beta1_power, power1)
        ops.assign(self.beta2_power, power2)
        for i in range(len(self.parameters)):
            parameter, gradient = self.parameters[i], gradients[i]
            first = self.moments1[i] * self.beta1 + gradient * (1.0 - self.beta1)
            second = self.moments2[i] * self.beta2 + ops.square(gradient) * (1.0 - self.beta2)
            ops.assign(self.moments1[i], first)
            ops.assign(self.moments2[i], second)
            update = first / (1.0 - power1) / (ops.sqrt(second / (1.0 - power2)) + self.eps)
            if self.decays[i] > 0.0:
                update = update + parameter * self.decays[i]
            ops.assign_sub(parameter, rates[i] * _trust(ops.norm(parameter), ops.norm(update)) * update)
        return (True,) * len(self.parameters)


def _trust(weight: Any, update: Any) -> Any:
    """The ratio of two norms, 1 where one of them is 0."""
    known = ops.logical_and(weight > 0.0, update > 0.0)
    return ops.select(known, weight / ops.select(known, update, 1.0), 1.0)
