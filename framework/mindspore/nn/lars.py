"""Layer-wise learning rates around another optimizer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore import ops
from mindspore.common.checks import boolean, exact_float
from mindspore.common.parameter import Parameter
from mindspore.nn.cell import Cell
from mindspore.nn.optimizer import Optimizer

__all__ = ["LARS"]


def _default_filter(parameter: Parameter) -> bool:
    return "LayerNorm" not in parameter.name and "bias" not in parameter.name


class LARS(Cell):
    """Layer-wise adaptive rate scaling (You, Gitman and Ginsburg 2017): each Parameter's gradient, with its decay, is scaled by
    ``coefficient * |p| / (|g| + weight_decay * |p| + epsilon)`` before the optimizer takes it.

    Args:
        optimizer: takes the scaled gradients; its weight decay becomes part of them.
        epsilon: added to the norms.
        coefficient: how far a Parameter may move relative to its norm.
        use_clip: the scale is divided by the learning rate and at most 1.
        lars_filter: whether the gradient of a Parameter is scaled; the others get their decay alone.

    Inputs:
        the gradients, a tuple as the optimizer takes it.

    Raises:
        TypeError: an argument of another type.

    Examples:
        >>> from mindspore import Parameter, Tensor, nn
        >>> p = Parameter(Tensor([3.0, 4.0]), name="p")
        >>> _ = nn.LARS(nn.SGD([p], 1.0), epsilon=0.0, coefficient=0.5)((Tensor([0.0, 2.0]),))
        >>> print(p.asnumpy())
        [3.  1.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        epsilon: float = 1e-5,
        coefficient: float = 0.001,
        use_clip: bool = False,
        lars_filter: Callable[[Parameter], bool] = _default_filter,
    ) -> None:
        super().__init__(auto_prefix=False)
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"For 'LARS', the 'optimizer' must be an Optimizer, but got {type(optimizer).__name__}.")
        self.opt = optimizer
        self.parameters = optimizer.parameters
        self.epsilon, self.coefficient = (
            exact_float("LARS", "epsilon", epsilon),
            exact_float("LARS", "coefficient", coefficient),
        )
        self.use_clip = boolean("LARS", "use_clip", use_clip)
        self.chosen = tuple([bool(lars_filter(p)) for p in self.parameters])
        self.decays = optimizer.decays
        self.reciprocal_scale = optimizer.reciprocal_scale
        optimizer.decays = (0.0,) * len(self.decays)
        optimizer.loss_scale = optimizer.reciprocal_scale = 1.0

    def construct(self, gradients: Any) -> Any:
        rates = self.opt.get_lr()
        gradients = self.opt.whole(gradients)
        found = []
        for i in range(len(self.parameters)):
            gradient = gradients[i] * self.reciprocal_scale
            rate = rates[i] if self.opt.is_group_lr else rates
            found.append(self.scaled(gradient, self.parameters[i], self.decays[i], rate, self.chosen[i]))
        return self.opt(tuple(found))

    def scaled(self, gradient: Any, weight: Any, decay: float, rate: Any, chosen: bool) -> Any:
        """One gradient with its decay, scaled when its Parameter is `chosen`."""
        decayed = gradient + weight * decay if decay > 0.0 else gradient
        if not chosen:
            return decayed
        size, slope = ops.norm(weight), ops.norm(gradient)
        known = ops.logical_and(size > 0.0, slope > 0.0)
        scale = self.coefficient * size / ops.select(known, slope + size * decay + self.epsilon, 1.0)
        if self.use_clip:
            scale = ops.minimum(scale / rate, 1.0)
        return decayed * ops.select(known, scale, 1.0)
