"""Convolutions and transposed convolutions as functions, in both modes. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.common.eager import function
from mindspore.ops.function_objects import FunctionObject

__all__ = ["conv1d", "conv2d", "conv3d", "conv3d_transpose", "conv_transpose2d"]

_conv = {2: function("conv2d"), 3: function("conv3d")}
_back = {2: function("conv2d_backprop_input"), 3: function("conv3d_backprop_input")}
_bias_add = function("bias_add")
_expand_dims = function("expand_dims")
_squeeze = function("squeeze")


def per_dimension(owner: str, name: str, value: Any, rank: int, least: int = 1) -> tuple[int, ...]:
    """One int for each of `rank` dimensions, from an int or a tuple of that length (or of length 1)."""
    given = tuple(value) if isinstance(value, tuple | list) else (value,)
    if any(isinstance(n, bool) or not isinstance(n, int) for n in given):
        raise TypeError(f"For '{owner}', the '{name}' must be int or a tuple of ints, but got {value!r}.")
    if len(given) not in (1, rank):
        raise ValueError(f"For '{owner}', the '{name}' must hold {rank} ints, but got {value!r}.")
    if any(n < least for n in given):
        raise ValueError(f"For '{owner}', the '{name}' must hold ints of at least {least}, but got {value!r}.")
    return given * rank if len(given) == 1 else given


def paired(padding: Any, rank: int) -> Any:
    """`padding` as operators take it: one int, or before and after each dimension; one for each dimension counts twice."""
    if isinstance(padding, tuple | list) and len(padding) == rank:
        return tuple([n for each in padding for n in (each, each)])
    return padding


def conv2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    pad_mode: str = "valid",
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Images (N, C, H, W) with weights (C_out, C / groups, height, width); `padding` counts with `pad_mode` "pad"."""
    return _convolved(input, weight, bias, 2, stride, pad_mode, paired(padding, 2), dilation, groups)


def _convolved(
    x: Any, weight: Any, bias: Any, rank: int, stride: Any, pad_mode: str, pad: Any, dilation: Any, groups: int
) -> Any:
    out = _conv[rank](x, weight, weight.shape[0], weight.shape[2:], 1, pad_mode, pad, stride, dilation, groups)
    return out if bias is None else _bias_add(out, bias)


def conv1d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    pad_mode: str = "valid",
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Rows (N, C, L) with weights (C_out, C / groups, width); `padding` counts with `pad_mode` "pad"."""
    if input.ndim != 3 or weight.ndim != 3:
        raise ValueError(
            f"For 'conv1d', the 'input' and the 'weight' must have 3 dimensions, but got shapes {input.shape} and {weight.shape}."
        )
    step = (1, *per_dimension("conv1d", "stride", stride, 1))
    gap = (1, *per_dimension("conv1d", "dilation", dilation, 1))
    sides = (0, 0, *row_sides("conv1d", padding)) if pad_mode == "pad" else padding
    flat = _expand_dims(weight, 2)
    out = _convolved(_expand_dims(input, 2), flat, bias, 2, step, pad_mode, sides, gap, groups)
    return _squeeze(out, (2,))


def row_sides(owner: str, padding: Any) -> tuple[int, ...]:
    """What is added before and after a row, from an int or two."""
    return per_dimension(owner, "padding", padding, 2, 0)


def conv3d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    pad_mode: str = "valid",
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Any:
    """Volumes (N, C, D, H, W) with weights (C_out, C / groups, depth, height, width); `padding` counts with `pad_mode` "pad"."""
    return _convolved(input, weight, bias, 3, stride, pad_mode, paired(padding, 3), dilation, groups)


def transposed(
    owner: str,
    x: Any,
    weight: Any,
    pad_mode: str,
    padding: Any,
    stride: Any,
    dilation: Any,
    group: int,
    output_padding: Any,
) -> Any:
    """The convolution with `weight` (C_in, C_out / group, *kernel) the other way round: its gradient in its images.

    Along each dimension the result has ``stride * size`` elements with "same", so many and what a window reaches beyond its stride
    with "valid", and ``stride * (size - 1) + reach - padding + output_padding`` with "pad".
    """
    rank = x.ndim - 2
    if rank not in _back or weight.ndim != x.ndim or x.shape[1] != weight.shape[0]:
        raise ValueError(
            f"For '{owner}', the input (N, C_in, ...) and the weight (C_in, C_out / group, ...) must have 4 or 5 dimensions and the same "
            f"C_in, but got shapes {x.shape} and {weight.shape}."
        )
    steps = per_dimension(owner, "stride", stride, rank)
    gaps = per_dimension(owner, "dilation", dilation, rank)
    further = per_dimension(owner, "output_padding", output_padding, rank, 0)
    sides = per_dimension(owner, "padding", paired(padding, rank), 2 * rank, 0)
    if any(n >= s for n, s in zip(further, steps, strict=True)):
        raise ValueError(
            f"For '{owner}', the 'output_padding' must be less than the 'stride' {steps}, but got {output_padding}."
        )
    if pad_mode != "pad" and (any(further) or any(sides)):
        raise ValueError(
            f"For '{owner}', the 'padding' and 'output_padding' must be 0 unless 'pad_mode' is 'pad', but got {padding}, "
            f"{output_padding} and {pad_mode!r}."
        )
    sizes = []
    for i in range(rank):
        count, step = x.shape[2 + i], steps[i]
        reach = (weight.shape[2 + i] - 1) * gaps[i] + 1
        if pad_mode == "pad":
            sizes.append((count - 1) * step + reach - sides[2 * i] - sides[2 * i + 1] + further[i])
        else:
            sizes.append(count * step + (max(reach - step, 0) if pad_mode == "valid" else 0))
    pad = sides if pad_mode == "pad" else 0
    size = (x.shape[0], weight.shape[1] * group, *sizes)
    return _back[rank](
        x, weight, weight.shape[0], weight.shape[2:], 1, pad_mode, pad, steps, gaps, group, input_size=size
    )


def conv_transpose2d(
    input: Any,
    weight: Any,
    bias: Any = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Any:
    """Images (N, C_in, H, W) with weights (C_in, C_out / groups, height, width), transposed: larger by `stride`."""
    out = transposed("conv_transpose2d", input, weight, "pad", padding, stride, dilation, groups, output_padding)
    return out if bias is None else _bias_add(out, bias)


def conv3d_transpose(
    inputs: Any,
    weight: Any,
    pad_mode: str = "valid",
    padding: Any = 0,
    stride: Any = 1,
    dilation: Any = 1,
    group: int = 1,
    output_padding: Any = 0,
) -> Any:
    """Volumes (N, C_in, D, H, W) with weights (C_in, C_out / group, depth, height, width), transposed: larger by `stride`."""
    return transposed("conv3d_transpose", inputs, weight, pad_mode, padding, stride, dilation, group, output_padding)


class Conv2DBackpropInput(FunctionObject):
    """``Conv2DBackpropInput(out_channel, kernel_size, ...)(out_backprop, filter, input_sizes)``: the gradient of Conv2D in its images."""

    __slots__ = ("data_format", "dilation", "group", "kernel_size", "mode", "out_channel", "pad", "pad_mode", "stride")

    def __init__(
        self,
        out_channel: int,
        kernel_size: Any,
        pad_mode: str = "valid",
        pad: Any = 0,
        pad_list: Any = None,
        mode: int = 1,
        stride: Any = 1,
        dilation: Any = 1,
        group: int = 1,
        data_format: str = "NCHW",
    ) -> None:
        self.out_channel, self.kernel_size, self.pad_mode, self.mode = out_channel, kernel_size, pad_mode, mode
        self.pad = pad if pad_list is None else pad_list
        self.stride, self.dilation, self.group, self.data_format = stride, dilation, group, data_format

    def __call__(self, out_backprop: Any, filter: Any, input_sizes: Any) -> Any:
        return _back[2](
            out_backprop, filter, self.out_channel, self.kernel_size, self.mode, self.pad_mode, self.pad, self.stride,
            self.dilation, self.group, self.data_format, input_size=input_sizes,
        )  # fmt: skip


class Conv2DTranspose(Conv2DBackpropInput):
    """`Conv2DBackpropInput` under its other name."""

    __slots__ = ()


class Conv3DTranspose(FunctionObject):
    """``Conv3DTranspose(in_channel, out_channel, kernel_size, ...)(dout, weight)``: volumes larger by `stride`."""

    __slots__ = ("dilation", "group", "output_padding", "pad", "pad_mode", "stride")

    def __init__(
        self,
        in_channel: int,
        out_channel: int,
        kernel_size: Any,
        mode: int = 1,
        pad_mode: str = "valid",
        pad: Any = 0,
        stride: Any = 1,
        dilation: Any = 1,
        group: int = 1,
        output_padding: Any = 0,
        data_format: str = "NCDHW",
    ) -> None:
        if data_format != "NCDHW" or mode != 1:
            raise ValueError(
                f"For 'Conv3DTranspose', the 'data_format' must be 'NCDHW' and the 'mode' 1, but got {data_format!r} and {mode}."
            )
        self.pad_mode, self.pad, self.stride, self.dilation = pad_mode, pad, stride, dilation
        self.group, self.output_padding = group, output_padding

    def __call__(self, dout: Any, weight: Any) -> Any:
        return transposed(
            "Conv3DTranspose", dout, weight, self.pad_mode, self.pad, self.stride, self.dilation, self.group, self.output_padding
        )  # fmt: skip


CLASSES = (Conv2DBackpropInput, Conv2DTranspose, Conv3DTranspose)
