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
from mindspore.ops.convolving import paired, per_dimension

__all__ = ["Conv1d", "Conv2d", "Conv3d"]


class Convolving(Cell):
    """What convolutions and transposed convolutions share: the checked arguments and both Parameters.

    ``rank`` dimensions are the user's; weights have at least two, so that a row is an image of height 1. ``transposed``: the weight
    maps the outputs to the inputs.
    """

    rank = 2
    transposed = False

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, pad_mode: str, padding: Any, dilation: Any, group: int,
        has_bias: bool, weight_init: Any, bias_init: Any, dtype: DType,
    ) -> None:  # fmt: skip
        super().__init__()
        owner = type(self).__name__
        self.in_channels = positive_int(owner, "in_channels", in_channels)
        self.out_channels = positive_int(owner, "out_channels", out_channels)
        self.group = positive_int(owner, "group", group)
        if in_channels % group or out_channels % group:
            raise ValueError(
                f"For '{owner}', the 'group' must divide 'in_channels' and 'out_channels', but got group={group}, "
                f"in_channels={in_channels} and out_channels={out_channels}."
            )
        flat = (1,) * (self.rank == 1)
        self.kernel_size = (*flat, *per_dimension(owner, "kernel_size", kernel_size, self.rank))
        self.stride = (*flat, *per_dimension(owner, "stride", stride, self.rank))
        self.dilation = (*flat, *per_dimension(owner, "dilation", dilation, self.rank))
        self.pad_mode = one_of(owner, "pad_mode", pad_mode, ("valid", "same", "pad"))
        self.padding = self._padding(owner, padding)
        self.has_bias = boolean(owner, "has_bias", has_bias)
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        shape = (first, second // group, *self.kernel_size)
        self.weight_init = HeUniform(math.sqrt(5)) if weight_init is None else weight_init
        self.weight = Parameter(initializer(self.weight_init, shape, dtype), name="weight")
        self.bias_init: Any = bias_init
        self.bias: Any = None
        if has_bias:
            self.bias_init = Uniform(1 / math.sqrt(math.prod(shape[1:]))) if bias_init is None else bias_init
            self.bias = Parameter(initializer(self.bias_init, (out_channels,), dtype), name="bias")
        self.bias_add = ops.BiasAdd()

    def _padding(self, owner: str, padding: Any) -> Any:
        """As operators take it: an int, or before and after each dimension."""
        sides = 2 * self.rank
        given = (
            padding
            if isinstance(padding, int)
            else per_dimension(owner, "padding", paired(padding, self.rank), sides, 0)
        )
        if given != 0 and self.pad_mode != "pad":
            raise ValueError(
                f"For '{owner}', the 'padding' must be 0 unless 'pad_mode' is 'pad', but got {padding} and {self.pad_mode!r}."
            )
        numbers = per_dimension(owner, "padding", given, sides, 0)
        return (0, 0, *numbers) if self.rank == 1 and self.pad_mode == "pad" else given

    def extend_repr(self) -> str:
        return (
            f"input_channels={self.in_channels}, output_channels={self.out_channels}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, pad_mode={self.pad_mode}, padding={self.padding}, dilation={self.dilation}, "
            f"group={self.group}, has_bias={self.has_bias}"
        )


class Conv2d(Convolving):
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
        super().__init__(
            in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias, weight_init, bias_init, dtype
        )  # fmt: skip
        self.data_format = one_of("Conv2d", "data_format", data_format, ("NCHW",))
        self.conv2d = ops.Conv2D(
            out_channels, self.kernel_size, 1, pad_mode, self.padding, self.stride, self.dilation, group, data_format
        )

    def construct(self, x: Any) -> Any:
        out = self.conv2d(x, self.weight)
        return self.bias_add(out, self.bias) if self.has_bias else out


class Conv1d(Convolving):
    """Convolves rows (N, C_in, L) with a weight (C_out, C_in / group, 1, width) and adds a bias; see `Conv2d`.

    Args:
        kernel_size, stride, dilation: ints.
        padding: with `pad_mode` "pad": an int, or two for the left and the right.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import ops
        >>> print(nn.Conv1d(3, 8, 3, 2)(ops.ones((1, 3, 8))).shape)
        (1, 8, 4)
    """

    rank = 1

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        stride: int = 1,
        pad_mode: str = "same",
        padding: Any = 0,
        dilation: int = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias, weight_init, bias_init, dtype
        )  # fmt: skip
        self.conv2d = ops.Conv2D(
            out_channels, self.kernel_size, 1, pad_mode, self.padding, self.stride, self.dilation, group
        )

    def construct(self, x: Any) -> Any:
        out = self.conv2d(ops.expand_dims(x, 2), self.weight)
        return ops.squeeze(self.bias_add(out, self.bias) if self.has_bias else out, 2)


class Conv3d(Convolving):
    """Convolves volumes (N, C_in, D, H, W) with a weight (C_out, C_in / group, depth, height, width) and adds a bias; see `Conv2d`.

    Args:
        kernel_size, stride, dilation: an int or three.
        padding: with `pad_mode` "pad": an int, or three, or six for head, tail, top, bottom, left and right.
        data_format: "NCDHW".

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import ops
        >>> print(nn.Conv3d(3, 8, (1, 3, 3))(ops.ones((1, 3, 2, 8, 8))).shape)
        (1, 8, 2, 8, 8)
    """

    rank = 3

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
        data_format: str = "NCDHW",
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias, weight_init, bias_init, dtype
        )  # fmt: skip
        self.data_format = one_of("Conv3d", "data_format", data_format, ("NCDHW",))
        self.conv3d = ops.Conv3D(
            out_channels, self.kernel_size, 1, pad_mode, self.padding, self.stride, self.dilation, group, data_format
        )

    def construct(self, x: Any) -> Any:
        out = self.conv3d(x, self.weight)
        return self.bias_add(out, self.bias) if self.has_bias else out
