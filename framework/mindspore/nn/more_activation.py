"""Further activation functions as Cells: with exponential tails, shrinking, gated and random ones."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.common.checks import positive
from mindspore.nn.cell import Cell

__all__ = [
    "CELU", "GLU", "FastGelu", "HShrink", "Hardtanh", "Mish", "RReLU", "SeLU", "SoftShrink", "Softmax2d", "Softmin", "Tanhshrink",
    "Threshold",
]  # fmt: skip


class CELU(Cell):
    """``x`` above zero, ``alpha * (exp(x / alpha) - 1)`` below.

    Raises:
        ValueError: `alpha` is 0.
    """

    def __init__(self, alpha: float = 1.0) -> None:
        super().__init__()
        if alpha == 0:
            raise ValueError("For 'CELU', the 'alpha' must not be 0.")
        self.alpha = float(alpha)

    def construct(self, x: Any) -> Any:
        return ops.celu(x, self.alpha)


class SeLU(Cell):
    """A scaled exponential linear unit, under which activations keep mean 0 and variance 1."""

    def construct(self, input_x: Any) -> Any:
        return ops.selu(input_x)


class Mish(Cell):
    """``x * tanh(softplus(x))``."""

    def construct(self, input_x: Any) -> Any:
        return ops.mish(input_x)


class FastGelu(Cell):
    """``x * sigmoid(1.702 * x)``."""

    def construct(self, x: Any) -> Any:
        return ops.fast_gelu(x)


class HShrink(Cell):
    """0 from ``-lambd`` to ``lambd``, elsewhere ``x``."""

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = float(lambd)

    def construct(self, input_x: Any) -> Any:
        return ops.hardshrink(input_x, self.lambd)


class SoftShrink(Cell):
    """0 from ``-lambd`` to ``lambd``, elsewhere ``x`` moved towards 0 by `lambd`.

    Raises:
        ValueError: `lambd` that is not above 0.
    """

    def __init__(self, lambd: float = 0.5) -> None:
        super().__init__()
        self.lambd = positive("SoftShrink", "lambd", lambd)

    def construct(self, input_x: Any) -> Any:
        return ops.softshrink(input_x, self.lambd)


class Hardtanh(Cell):
    """`min_val` below it, `max_val` above it, the input between.

    Raises:
        ValueError: `min_val` that is not below `max_val`.
    """

    def __init__(self, min_val: float = -1.0, max_val: float = 1.0) -> None:
        super().__init__()
        if not min_val < max_val:
            raise ValueError(f"For 'Hardtanh', the 'min_val' must be below 'max_val', but got {min_val} and {max_val}.")
        self.min_val, self.max_val = min_val, max_val

    def construct(self, x: Any) -> Any:
        return ops.hardtanh(x, self.min_val, self.max_val)


class Tanhshrink(Cell):
    """``x - tanh(x)``."""

    def construct(self, x: Any) -> Any:
        return ops.tanhshrink(x)


class Threshold(Cell):
    """The input where it is above `threshold`, `value` elsewhere."""

    def __init__(self, threshold: float, value: float) -> None:
        super().__init__()
        self.threshold, self.value = threshold, value

    def construct(self, input_x: Any) -> Any:
        return ops.threshold(input_x, self.threshold, self.value)


class RReLU(Cell):
    """``x`` where it is not negative, elsewhere ``a * x`` with a drawn anew from ``[lower, upper)`` for each element.

    Raises:
        ValueError: `lower` above `upper`.
    """

    def __init__(self, lower: float = 1.0 / 8, upper: float = 1.0 / 3) -> None:
        super().__init__()
        if lower > upper:
            raise ValueError(f"For 'RReLU', the 'lower' must be at most 'upper', but got {lower} and {upper}.")
        self.lower, self.upper = float(lower), float(upper)

    def construct(self, x: Any) -> Any:
        return ops.rrelu(x, self.lower, self.upper)


class GLU(Cell):
    """The first half along `axis` times the sigmoid of the second."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, x: Any) -> Any:
        return ops.glu(x, self.axis)


class Softmin(Cell):
    """`Softmax` of the negative."""

    def __init__(self, axis: int = -1) -> None:
        super().__init__()
        self.axis = axis

    def construct(self, x: Any) -> Any:
        return ops.softmin(x, self.axis)


class Softmax2d(Cell):
    """`Softmax` over the channels of images (N, C, H, W) or (C, H, W).

    Raises:
        ValueError: an input with another number of dimensions.
    """

    def construct(self, x: Any) -> Any:
        if x.ndim not in (3, 4):
            raise ValueError(f"For 'Softmax2d', the input must have 3 or 4 dimensions, but got shape {x.shape}.")
        return ops.softmax(x, -3)
