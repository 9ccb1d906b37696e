"""Activation functions as Cells."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from mindspore import ops
from mindspore.common.checks import boolean, positive_int
from mindspore.common.parameter import Parameter
from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell

__all__ = [
    "ELU",
    "GELU",
    "HSigmoid",
    "HSwish",
    "LeakyReLU",
    "LogSigmoid",
    "LogSoftmax",
    "PReLU",
    "ReLU",
    "ReLU6",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softsign",
    "Tanh",
    "get_activation",
]


class ReLU(Cell):
    """``max(x, 0)``."""

    def construct(self, x: Any) -> Any:
        return ops.relu(x)


class ReLU6(Cell):
    """``min(max(x, 0), 6)``."""

    def construct(self, x: Any) -> Any:
        return ops.relu6(x)


class Sigmoid(Cell):
    """``1 / (1 + exp(-x))``."""

    def construct(self, input_x: Any) -> Any:
        return ops.sigmoid(input_x)


class Tanh(Cell):
    """The hyperbolic tangent."""

    def construct(self, x: Any) -> Any:
        return ops.tanh(x)


class SiLU(Cell):
    """``x * sigmoid(x)``."""

    def construct(self, x: Any) -> Any:
        return ops.silu(x)


class HSigmoid(Cell):
    """``min(max(x + 3, 0), 6) / 6``."""

    def construct(self, input_x: Any) -> Any:
        return ops.hardsigmoid(input_x)


class HSwish(Cell):
    """``x * HSigmoid(x)``."""

    def construct(self, x: Any) -> Any:
        return ops.hardswish(x)


class LogSigmoid(Cell):
    """The logarithm of `Sigmoid`."""

    def construct(self, input_x: Any) -> Any:
        return ops.logsigmoid(input_x)


class Softsign(Cell):
    """``x / (1 + |x|)``."""

    def construct(self, x: Any) -> Any:
        return ops.softsign(x)


class PReLU(Cell):
    """``x`` above zero, ``w * x`` below, with slopes that are trained.

    Args:
        channel: the number of slopes: 1, or the size of dimension 1 of the input.
        w: the slopes at the beginning: a number, as many numbers, or a Tensor of them.

    Raises:
        TypeError: `channel` that is no int, `w` of another kind.
        ValueError: `channel` below 1, or another number of slopes.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.PReLU()(Tensor([[-2.0, 2.0]])))
        [[-0.5  2. ]]
    """

    def __init__(self, channel: int = 1, w: Any = 0.25) -> None:
        super().__init__()
        positive_int("PReLU", "channel", channel)
        if not isinstance(w, int | float | list | tuple | Tensor):
            raise TypeError(f"For 'PReLU', the 'w' must be a number, list or Tensor, but got {type(w).__name__}.")
        slopes = np.asarray(w.asnumpy() if isinstance(w, Tensor) else w, np.float32)
        if slopes.ndim and slopes.shape != (channel,):
            raise ValueError(f"For 'PReLU', the 'w' must hold {channel} number(s), but got shape {slopes.shape}.")
        self.w = Parameter(Tensor(np.broadcast_to(slopes, (channel,)).copy()), name="a")

    def construct(self, x: Any) -> Any:
        return ops.prelu(x, self.w)


class GELU(Cell):
    """Gaussian error linear unit.

    Args:
        approximate: by the hyperbolic tangent, or exact with ``False``.
    """

    def __init__(self, approximate: bool = True) -> None:
        super().__init__()
        self.approximate = "tanh" if boolean("GELU", "approximate", approximate) else "none"

    def construct(self, x: Any) -> Any:
        return ops.gelu(x, self.approximate)


class LeakyReLU(Cell):
    """``x`` above zero, ``alpha * x`` below."""

    def __init__(self, alpha: float = 0.2) -> None:
        super().__init__()
        self.alpha = alpha

    def construct(self, x: Any) -> Any:
        return ops.leaky_relu(x, self.alpha)


class ELU(Cell):
    """``x`` above zero, ``alpha * (exp(x) - 1)`` below."""

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        self.alpha = alpha

    def construct(self, x: Any) -> Any:
        return ops.elu(x, self.alpha)


class Softmax(Cell):
    """Exponentials along `axis` divided by their sum."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, input: Any) -> Any:
        return ops.softmax(input, self.axis)


class LogSoftmax(Cell):
    """The logarithm of `Softmax`."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, x: Any) -> Any:
        return ops.log_softmax(x, self.axis)


_BY_NAME: Mapping[str, type[Cell]] = MappingProxyType(
    {
        "elu": ELU,
        "gelu": GELU,
        "hsigmoid": HSigmoid,
        "hswish": HSwish,
        "leakyrelu": LeakyReLU,
        "logsigmoid": LogSigmoid,
        "logsoftmax": LogSoftmax,
        "prelu": PReLU,
        "relu": ReLU,
        "relu6": ReLU6,
        "sigmoid": Sigmoid,
        "silu": SiLU,
        "softmax": Softmax,
        "softsign": Softsign,
        "tanh": Tanh,
    }
)


def get_activation(name: str | None, prim_name: str | None = None) -> Cell | None:
    """The activation with this name; None for None. KeyError for a name that is unknown."""
    if name is None:
        return None
    if name not in _BY_NAME:
        where = f"For '{prim_name}', the" if prim_name else "The"
        raise KeyError(f"{where} 'name' must be in {list(_BY_NAME)}, but got {name}.")
    return _BY_NAME[name]()
