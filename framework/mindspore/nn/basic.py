"""Dense layers and changes of shape."""

from __future__ import annotations

import math
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, exact_float, positive_int
from mindspore.common.initializer import HeUniform, Uniform, initializer
from mindspore.common.parameter import Parameter
from mindspore.common.tensor import Tensor
from mindspore.nn.activation import get_activation
from mindspore.nn.cell import Cell

__all__ = ["Dense", "Dropout", "Flatten", "Identity", "MatMul"]


class Dense(Cell):
    """``activation(x @ weight.T + bias)`` over the last dimension.

    Args:
        in_channels, out_channels: size of the last dimension before and after.
        weight_init: Tensor (out, in), initializer, its name or a number; He's uniform distribution with slope sqrt(5) when None.
        bias_init: the same for the bias; uniform in ``1 / sqrt(in_channels)`` when None.
        has_bias: whether a bias is added.
        activation: name of an activation, a Cell or an operator; None for none.
        dtype: element type of the parameters.

    Inputs:
        x of shape (..., in_channels); the result has shape (..., out_channels).

    Raises:
        TypeError: channels that are not ints, `has_bias` that is no bool, an activation that cannot be called.
        ValueError: channels below 1, an initial Tensor of another shape.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> print(nn.Dense(2, 1, weight_init="ones", bias_init="zeros")(Tensor([[1.0, 2.0]])))
        [[3.]]
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        weight_init: Any = None,
        bias_init: Any = None,
        has_bias: bool = True,
        activation: Any = None,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        self.in_channels = positive_int("Dense", "in_channels", in_channels)
        self.out_channels = positive_int("Dense", "out_channels", out_channels)
        self.has_bias = boolean("Dense", "has_bias", has_bias)
        check_shape("Dense", "weight_init", weight_init, (out_channels, in_channels))
        check_shape("Dense", "bias_init", bias_init, (out_channels,))
        weight = HeUniform(math.sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initializer(weight, (out_channels, in_channels), dtype), name="weight")
        self.bias: Any = None
        if has_bias:
            bias = Uniform(1 / math.sqrt(in_channels)) if bias_init is None else bias_init
            self.bias = Parameter(initializer(bias, (out_channels,), dtype), name="bias")
        self.matmul = ops.MatMul(transpose_b=True)
        self.bias_add = ops.BiasAdd()
        self.activation: Any = get_activation(activation, "Dense") if isinstance(activation, str) else activation
        if self.activation is not None and not callable(self.activation):
            raise TypeError(
                f"For 'Dense', the 'activation' must be a str, Cell or operator, but got {type(activation).__name__}."
            )
        self.activation_flag = self.activation is not None

    def construct(self, x: Any) -> Any:
        if not isinstance(x, Tensor):
            raise TypeError(f"For 'Dense', the input must be a Tensor, but got {x!r}.")
        shape = x.shape
        if len(shape) != 2:
            if not shape or shape[-1] != self.in_channels:
                raise ValueError(
                    f"For 'Dense', the last dimension of the input must be {self.in_channels}, but got shape {shape}."
                )
            x = x.reshape(-1, shape[-1])
        x = self.matmul(x, self.weight)
        if self.has_bias:
            x = self.bias_add(x, self.bias)
        if self.activation_flag:
            x = self.activation(x)
        if len(shape) != 2:
            x = x.reshape(*shape[:-1], self.out_channels)
        return x

    def extend_repr(self) -> str:
        text = f"input_channels={self.in_channels}, output_channels={self.out_channels}"
        if self.has_bias:
            text += f", has_bias={self.has_bias}"
        return text + f", activation={self.activation}" if self.activation_flag else text


def check_shape(layer: str, name: str, init: Any, expected: tuple[int, ...]) -> None:
    """ValueError for an initial Tensor of another shape."""
    if isinstance(init, Tensor) and init.shape != expected:
        raise ValueError(f"For '{layer}', '{name}' must have the shape {expected}, but got {init.shape}.")


class Dropout(Cell):
    """In training, elements are 0 with probability `p` and the others divided by ``1 - p``; in inference the input itself.

    The numbers follow from `set_seed` and from how many draws there were before, and are the same in both modes.

    Args:
        keep_prob: the probability with which elements are kept; counts when `p` is None.
        p: the probability with which elements are 0, from 0 to below 1.
        dtype: accepted; the result has the type of the input.

    Raises:
        TypeError: `keep_prob` that is no float.
        ValueError: a probability out of range.
    """

    def __init__(self, keep_prob: float = 0.5, p: float | None = None, dtype: DType = dt.float32) -> None:
        super().__init__()
        if p is None:
            if not 0.0 < exact_float("Dropout", "keep_prob", keep_prob) <= 1.0:
                raise ValueError(
                    f"For 'Dropout', the 'keep_prob' must be a number in range (0, 1], but got {keep_prob}."
                )
        elif isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p < 1:
            raise ValueError(f"For 'Dropout', the 'p' must be a number in range [0, 1), but got {p}.")
        self.keep_prob, self.p = keep_prob, p
        self.rate = 1.0 - keep_prob if p is None else float(p)

    def construct(self, x: Any) -> Any:
        return ops.dropout(x, self.rate, self.training)

    def extend_repr(self) -> str:
        return f"keep_prob={self.keep_prob}" if self.p is None else f"p={self.p}"


class Flatten(Cell):
    """The dimensions from `start_dim` to `end_dim` as one."""

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def construct(self, x: Any) -> Any:
        return ops.flatten(x, start_dim=self.start_dim, end_dim=self.end_dim)


class Identity(Cell):
    """Its input."""

    def construct(self, x: Any) -> Any:
        return x


class MatMul(Cell):
    """The matrix product by numpy's rules, with the last two dimensions of an operand exchanged before.

    Args:
        transpose_x1, transpose_x2: whether those of the first and of the second operand are; vectors stay as they are.
    """

    def __init__(self, transpose_x1: bool = False, transpose_x2: bool = False) -> None:
        super().__init__()
        self.transpose_x1 = boolean("MatMul", "transpose_x1", transpose_x1)
        self.transpose_x2 = boolean("MatMul", "transpose_x2", transpose_x2)

    def construct(self, x1: Any, x2: Any) -> Any:
        left = x1.swapaxes(-1, -2) if self.transpose_x1 and x1.ndim > 1 else x1
        right = x2.swapaxes(-1, -2) if self.transpose_x2 and x2.ndim > 1 else x2
        return ops.matmul(left, right)
