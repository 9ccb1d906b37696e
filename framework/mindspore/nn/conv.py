"""Convolution layers."""

from __future__ import annotations

import math
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, one_of, positive_int
from mindspore.common.initializer import HeUniform, Uniform, initializer
from mindspore.common.parameter import Parameter
from mindspore.nn.cell import Cell
from mindspore.ops.layers import per_dimension

__all__ = ["Conv2d"]


class Conv2d(Cell):
    """Convolves images (N, C_in, H, W) with a weight (C_out, C_in / group, height, width) and adds a bias.

    Args:
        in_channels, out_channels: C_in and C_out.
        kernel_size: height and width of the weight: an int or two.
        stride: distance between windows: an int or two.
        pad_mode: "same" pads so that ``ceil(H / stride)`` windows fit, "valid" not at all, "pad" by `padding`.
        padding: with "pad": an int, or four for top, bottom, left and right.
        dilation: distance between the elements of a window: an int or two.
        group: channels are convolved in that many groups.
        has_bias: whether a bias is added.
        weight_init, bias_init: Tensor, initializer, its name or a number; when None, He's uniform distribution with slope sqrt(5), and
            uniform in ``1 / sqrt(inputs of one output)``.
        data_format: "NCHW".
        dtype: element type of the Parameters.

    Inputs:
        x of shape (N, C_in, H, W); the result has shape (N, C_out, H_out, W_out).

    Raises:
        TypeError: an argument that is not an int, a tuple of ints or a bool.
        ValueError: numbers out of range, channels that `group` does not divide, `padding` without `pad_mode` "pad".

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import ops
        >>> print(nn.Conv2d(3, 8, 3)(ops.ones((1, 3, 8, 8))).shape)
        (1, 8, 8, 8)
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        pad_mode: str = "same",
        padding: Any = 0,
        dilation: Any = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        data_format: str = "NCHW",
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        self.in_channels = positive_int("Conv2d", "in_channels", in_channels)
        self.out_channels = positive_int("Conv2d", "out_channels", out_channels)
        self.group = positive_int("Conv2d", "group", group)
        if in_channels % group or out_channels % group:
            raise ValueError(
                f"For 'Conv2d', the 'group' must divide 'in_channels' and 'out_channels', but got group={group}, "
                f"in_channels={in_channels} and out_channels={out_channels}."
            )
        self.kernel_size = per_dimension("Conv2d", "kernel_size", kernel_size, 2)
        self.stride = per_dimension("Conv2d", "stride", stride, 2)
        self.dilation = per_dimension("Conv2d", "dilation", dilation, 2)
        self.pad_mode = one_of("Conv2d", "pad_mode", pad_mode, ("valid", "same", "pad"))
        self.padding = padding if isinstance(padding, int) else per_dimension("Conv2d", "padding", padding, 4, 0)
        if padding != 0 and pad_mode != "pad":
            raise ValueError(
                f"For 'Conv2d', the 'padding' must be 0 unless 'pad_mode' is 'pad', but got {padding} and {pad_mode!r}."
            )
        per_dimension("Conv2d", "padding", padding, 4, 0)
        self.data_format = one_of("Conv2d", "data_format", data_format, ("NCHW",))
        self.has_bias = boolean("Conv2d", "has_bias", has_bias)
        shape = (out_channels, in_channels // group, *self.kernel_size)
        self.weight_init = HeUniform(math.sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initializer(self.weight_init, shape, dtype), name="weight")
        self.bias_init: Any = bias_init
        self.bias: Any = None
        if has_bias:
            self.bias_init = Uniform(1 / math.sqrt(math.prod(shape[1:]))) if bias_init is None else bias_init
            self.bias = Parameter(initializer(self.bias_init, (out_channels,), dtype), name="bias")
        self.conv2d = ops.Conv2D(
            out_channels, self.kernel_size, 1, pad_mode, self.padding, self.stride, self.dilation, group, data_format
        )
        self.bias_add = ops.BiasAdd()

    def construct(self, x: Any) -> Any:
        out = self.conv2d(x, self.weight)
        return self.bias_add(out, self.bias) if self.has_bias else out

    def extend_repr(self) -> str:
        return (
            f"input_channels={self.in_channels}, output_channels={self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, pad_mode={self.pad_mode}, padding={self.padding}, dilation={self.dilation}, "
            f"group={self.group}, has_bias={self.has_bias}"
        )
