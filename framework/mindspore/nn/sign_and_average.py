"""Optimizers that step by the gradient's sign, or keep the average of the values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.common.checks import exact_float
from mindspore.common.parameter import Parameter, ParameterTuple
from mindspore.common.tensor import Tensor
from mindspore.nn.optimizer import Optimizer

__all__ = ["ASGD", "Rprop"]


class ASGD(Optimizer):
    """Averaged descent: ``p = p * (1 - lambd * eta) - eta * g``, ``ax = ax + (p - ax) * mu`` (Polyak and Juditsky 1992).

    After step t ``eta = lr / (1 + lambd * lr * t)^alpha`` and ``mu = 1 / max(1, t - t0)``; at first they are lr and 1.

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: see `Optimizer`.
        lambd: the decay of the values.
        alpha: the power by which the rate falls.
        t0: the step after which averaging begins.
        weight_decay: see `Optimizer`.

    Raises:
        TypeError: `lambd`, `alpha` or `t0` is no float.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.ASGD([p], learning_rate=0.25, lambd=0.0)((Tensor([2.0]),))
        >>> print(p.item())
        0.5
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 0.1,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        self.lambd, self.alpha = exact_float("ASGD", "lambd", lambd), exact_float("ASGD", "alpha", alpha)
        self.t0 = exact_float("ASGD", "t0", t0)
        self.mu = ParameterTuple([_number(f"mu_{p.name}", 1.0) for p in self.parameters])
        self.eta = ParameterTuple([_number(f"eta_{p.name}", 0.0) for p in self.parameters])
        self.ax = self.parameters.clone(prefix="ax_", init="zeros")
        self.opt = ops.steps.stepped("AveragedStep")

    def construct(self, gradients: Any) -> Any:
        started = self.global_step > 0
        step = ops.reshape(self.global_step + 1.0, ())
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            eta = ops.select(ops.reshape(started, ()), self.eta[i], rates[i])
            self.opt(self.parameters[i], self.ax[i], eta, self.lambd, self.mu[i], gradients[i])
            ops.assign(self.eta[i], rates[i] / ops.pow(1.0 + self.lambd * rates[i] * step, self.alpha))
            ops.assign(self.mu[i], 1.0 / ops.maximum(step - self.t0, 1.0))
        return (True,) * len(self.parameters)


def _number(name: str, value: float) -> Parameter:
    return Parameter(Tensor(value, dt.float32), name=name, requires_grad=False)


class Rprop(Optimizer):
    """Resilient descent: each element has its own size of step, which grows while the gradient keeps its sign and shrinks after it has
    changed, when the element stays where it is (Riedmiller and Braun 1993).

    Args:
        params: the Parameters to train, or groups of them: see `Optimizer`.
        learning_rate: the first size of each step: see `Optimizer`.
        etas: the factors by which sizes shrink, between 0 and 1, and grow, above 1.
        step_sizes: the smallest and the largest size.
        weight_decay: see `Optimizer`.

    Raises:
        TypeError: `etas` or `step_sizes` is no tuple of floats.
        ValueError: a number out of range, or a tuple that has not two.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([1.0]), name="p")
        >>> _ = nn.Rprop([p], learning_rate=0.25)((Tensor([2.0]),))
        >>> print(p.item())
        0.75
    """

    def __init__(
        self,
        params: Iterable[Any],
        learning_rate: Any = 0.1,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(learning_rate, params, weight_decay)
        self.etaminus, self.etaplus = _pair("etas", etas, ("etaminus", "etaplus"))
        self.least, self.most = _pair("step_sizes", step_sizes, ("min_step_sizes", "max_step_sizes"))
        if not 0.0 < self.etaminus < 1.0:
            raise ValueError(f"For 'Rprop', the 'etaminus' must be in range of (0.0, 1.0), but got {self.etaminus}.")
        if self.etaplus <= 1.0:
            raise ValueError(f"For 'Rprop', 'etaplus' must be greater than 1.0, but got {self.etaplus}.")
        if self.least > self.most:
            raise ValueError(
                "For 'Rprop', the maximal step size must not be less than the minimal one, but got "
                f"{self.least} > {self.most}."
            )
        self.prev = self.parameters.clone(prefix="prev", init="zeros")
        self.step_size = self.parameters.clone(prefix="step_size", init="zeros")
        self.opt = ops.steps.stepped("ResilientStep")

    def construct(self, gradients: Any) -> Any:
        first = ops.reshape(self.global_step, ()) == 0
        rates = self.next_rates()
        gradients = self.prepared(gradients)
        for i in range(len(self.parameters)):
            ops.assign(self.step_size[i], ops.select(first, rates[i], self.step_size[i]))
            self.opt(
                self.parameters[i], self.prev[i], self.step_size[i], self.etaminus, self.etaplus, self.least, self.most, gradients[i]
            )  # fmt: skip
        return (True,) * len(self.parameters)


def _pair(name: str, given: Any, members: tuple[str, str]) -> tuple[float, float]:
    if not isinstance(given, tuple):
        raise TypeError(f"For 'Rprop', the '{name}' must be a tuple, but got {type(given).__name__}.")
    if len(given) != 2:
        raise ValueError(f"For 'Rprop', the '{name}' must be a tuple with the size of 2, but got {len(given)}.")
    low, high = (exact_float("Rprop", member, value) for member, value in zip(members, given, strict=True))
    return low, high
