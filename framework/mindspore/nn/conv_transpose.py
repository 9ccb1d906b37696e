"""Transposed convolution layers: convolutions the other way round, from windows to what they were taken from."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import one_of
from mindspore.nn.conv import Convolving
from mindspore.ops.convolving import per_dimension, transposed

__all__ = ["Conv1dTranspose", "Conv2dTranspose", "Conv3dTranspose"]


class _Transposed(Convolving):
    transposed = True
    output_padding: Any = 0

    def construct(self, x: Any) -> Any:
        images = ops.expand_dims(x, 2) if self.rank == 1 else x
        out = transposed(
            self.cls_name, images, self.weight, self.pad_mode, self.padding, self.stride, self.dilation, self.group, self.output_padding
        )  # fmt: skip
        out = self.bias_add(out, self.bias) if self.has_bias else out
        return ops.squeeze(out, 2) if self.rank == 1 else out


class Conv2dTranspose(_Transposed):
    """The gradient of a convolution in its images, as a layer: images (N, C_in, H, W) become larger by `stride`.

    Args:
        in_channels, out_channels: C_in and C_out; the weight has shape (C_in, C_out / group, height, width).
        kernel_size, stride, dilation: an int or two.
        pad_mode: "same" for ``stride * H`` rows, "valid" for so many and what the kernel reaches beyond, "pad" for
            ``stride * (H - 1) + dilation * (height - 1) + 1`` without `padding` and with `output_padding`.
        padding: with "pad": an int, or four for top, bottom, left and right.
        output_padding: with "pad": rows and columns of zeros added at the end, fewer than `stride` or `dilation`: an int or two.
        group, has_bias, weight_init, bias_init, dtype: as `Conv2d`.

    Raises:
        TypeError: an argument that is not an int, a tuple of ints or a bool.
        ValueError: numbers out of range, channels that `group` does not divide, `padding` without `pad_mode` "pad".

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import ops
        >>> print(nn.Conv2dTranspose(3, 8, 3, 2)(ops.ones((1, 3, 4, 4))).shape)
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
        output_padding: Any = 0,
        dilation: Any = 1,
        group: int = 1,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias, weight_init, bias_init, dtype
        )  # fmt: skip
        given = per_dimension("Conv2dTranspose", "output_padding", output_padding, 2, 0)
        if any(n >= max(s, d) for n, s, d in zip(given, self.stride, self.dilation, strict=True)) and any(given):
            raise ValueError(
                f"For 'Conv2dTranspose', the 'output_padding' must be below 'stride' {self.stride} or 'dilation' {self.dilation}, "
                f"but got {output_padding}."
            )
        if any(given) and pad_mode != "pad":
            raise ValueError(
                f"For 'Conv2dTranspose', the 'output_padding' must be 0 unless 'pad_mode' is 'pad', but got {output_padding}."
            )
        self.zeros = given

    def construct(self, x: Any) -> Any:
        out = super().construct(x)
        return ops.pad(out, (0, self.zeros[1], 0, self.zeros[0])) if any(self.zeros) else out


class Conv1dTranspose(_Transposed):
    """Rows (N, C_in, L) become longer by `stride`; the weight has shape (C_in, C_out / group, 1, width); see `Conv2dTranspose`."""

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


class Conv3dTranspose(_Transposed):
    """Volumes (N, C_in, D, H, W) become larger by `stride`; see `Conv2dTranspose`, with three numbers in the place of two."""

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
        output_padding: Any = 0,
        has_bias: bool = False,
        weight_init: Any = None,
        bias_init: Any = None,
        data_format: str = "NCDHW",
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, pad_mode, padding, dilation, group, has_bias, weight_init, bias_init, dtype
        )  # fmt: skip
        self.data_format = one_of("Conv3dTranspose", "data_format", data_format, ("NCDHW",))
        self.output_padding = per_dimension("Conv3dTranspose", "output_padding", output_padding, 3, 0)
