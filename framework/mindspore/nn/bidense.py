"""A dense layer of two inputs."""

from __future__ import annotations

import math
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, positive_int
from mindspore.common.initializer import Uniform, initializer
from mindspore.common.parameter import Parameter
from mindspore.nn.basic import check_shape
from mindspore.nn.cell import Cell

__all__ = ["BiDense"]


class BiDense(Cell):
    """``y[..., o] = input1 @ weight[o] @ input2 + bias[o]`` over the last dimensions.

    Args:
        in1_channels, in2_channels: size of the last dimension of each input.
        out_channels: size of the last dimension of the result.
        weight_init: Tensor (out, in1, in2), initializer, its name or a number; uniform in ``1 / sqrt(in1_channels)`` when None.
        bias_init: the same for the bias, of shape (out,).
        has_bias: whether a bias is added.
        dtype: element type of the parameters.

    Inputs:
        input1 of shape (..., in1_channels) and input2 of shape (..., in2_channels) with the same other dimensions; the result has
        shape (..., out_channels).

    Raises:
        TypeError: channels that are not ints, `has_bias` that is no bool.
        ValueError: channels below 1, an initial Tensor of another shape, inputs that do not fit.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> layer = nn.BiDense(2, 2, 1, weight_init="ones", bias_init="zeros")
        >>> print(layer(Tensor([[1.0, 2.0]]), Tensor([[3.0, 4.0]])))
        [[21.]]
    """

    def __init__(
        self,
        in1_channels: int,
        in2_channels: int,
        out_channels: int,
        weight_init: Any = None,
        bias_init: Any = None,
        has_bias: bool = True,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        self.in1_channels = positive_int("BiDense", "in1_channels", in1_channels)
        self.in2_channels = positive_int("BiDense", "in2_channels", in2_channels)
        self.out_channels = positive_int("BiDense", "out_channels", out_channels)
        self.has_bias = boolean("BiDense", "has_bias", has_bias)
        shape = (out_channels, in1_channels, in2_channels)
        check_shape("BiDense", "weight_init", weight_init, shape)
        check_shape("BiDense", "bias_init", bias_init, (out_channels,))
        usual = Uniform(1 / math.sqrt(in1_channels))
        self.weight = Parameter(initializer(usual if weight_init is None else weight_init, shape, dtype), name="weight")
        self.bias: Any = None
        if has_bias:
            made = initializer(usual if bias_init is None else bias_init, (out_channels,), dtype)
            self.bias = Parameter(made, name="bias")

    def construct(self, input1: Any, input2: Any) -> Any:
        shape = input1.shape
        if shape[-1:] != (self.in1_channels,) or input2.shape != (*shape[:-1], self.in2_channels):
            raise ValueError(
                f"For 'BiDense', the inputs must have shapes (..., {self.in1_channels}) and (..., {self.in2_channels}) that are equal "
                f"elsewhere, but got {shape} and {input2.shape}."
            )
        rows = self.weight.transpose(1, 0, 2).reshape(self.in1_channels, -1)
        between = ops.matmul(input1.reshape(-1, self.in1_channels), rows)
        between = between.reshape(-1, self.out_channels, self.in2_channels)
        result = ops.matmul(between, input2.reshape(-1, self.in2_channels, 1)).reshape(*shape[:-1], self.out_channels)
        return result + self.bias if self.has_bias else result

    def extend_repr(self) -> str:
        text = (
            f"in1_channels={self.in1_channels}, in2_channels={self.in2_channels}, output_channels={self.out_channels}"
        )
        return text + f", has_bias={self.has_bias}" if self.has_bias else text
