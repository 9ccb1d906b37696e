"""``nn.Jvp`` and ``nn.Vjp``: products with the Jacobian of a network, as Cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore.common.directional import jvp, vjp
from mindspore.nn.cell import Cell

__all__ = ["Jvp", "Vjp"]


class Jvp(Cell):
    """The value of a network and its derivative in a direction.

    Args:
        fn: a function or Cell.

    Inputs:
        The inputs of `fn`, then the direction: a Tensor for one input, a tuple for several.

    Returns:
        ``(value, tangent)``.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> print(*nn.Jvp(lambda x: x * x)(Tensor(3.0), Tensor(1.0)))
        9.0 6.0
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        super().__init__()
        self.fn = fn

    def construct(self, *args: Any) -> Any:
        return jvp(self.fn, args[:-1], args[-1])


class Vjp(Cell):
    """The value of a network and its gradients for a cotangent.

    Args:
        fn: a function or Cell.

    Inputs:
        The inputs of `fn`, then the cotangent of its result: a Tensor, or a tuple for several results.

    Returns:
        ``(value, gradients)``: a Tensor for one input, a tuple for several.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> print(*nn.Vjp(lambda x: x * x)(Tensor(3.0), Tensor(10.0)))
        9.0 60.0
    """

    def __init__(self, fn: Callable[..., Any]) -> None:
        super().__init__()
        self.fn = fn

    def construct(self, *args: Any) -> Any:
        value, pull = vjp(self.fn, *args[:-1])
        gradients = pull(args[-1])
        return value, gradients[0] if len(gradients) == 1 else gradients
