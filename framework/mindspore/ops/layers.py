"""Convolution, pooling and normalisation as functions, in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.state import assign

_conv = function("conv2d")
_bias_add = function("bias_add")
_window_max = function("window_max")
_window_index = function("window_index")
_window_sum = function("window_sum")
_reduce_mean = function("reduce_mean")
_batch_norm = function("batch_norm")
_layer_norm = function("layer_norm")
_full = function("full")
_cast = function("cast")
_div = function("div")
_concat = function("concat")


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
    if isinstance(padding, tuple) and len(padding) == 2:
        padding = (padding[0], padding[0], padding[1], padding[1])
    out = _conv(input, weight, weight.shape[0], weight.shape[2:], 1, pad_mode, padding, stride, dilation, groups)
    return out if bias is None else _bias_add(out, bias)


def pool_windows(
    owner: str, sizes: tuple[int, ...], kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, ...]:
    """Window, strides, padding (before, after) and dilation; with `ceil_mode` a last window may stick out."""
    rank = len(sizes)
    size = per_dimension(owner, "kernel_size", kernel, rank)
    steps = size if stride is None else per_dimension(owner, "stride", stride, rank)
    gaps = per_dimension(owner, "dilation", dilation, rank)
    before = per_dimension(owner, "padding", padding, rank, 0)
    pads = []
    for i in range(rank):
        reach = (size[i] - 1) * gaps[i] + 1
        if before[i] > size[i] // 2:
            raise ValueError(
                f"For '{owner}', the 'padding' must be at most half of the 'kernel_size' {size}, but got {padding!r}."
            )
        after = before[i]
        rest = (sizes[i] + 2 * before[i] - reach) % steps[i]
        starts_inside = sizes[i] + 2 * before[i] - reach - rest + steps[i] < sizes[i] + before[i]
        if ceil_mode and rest and starts_inside:
            after = after + steps[i] - rest
        pads.append((before[i], after))
    return size, steps, tuple(pads), gaps


def max_pool(
    owner: str, x: Any, rank: int, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool, indices: bool
) -> Any:
    """The largest element of each window of the last `rank` dimensions, and with `indices` where in its plane it is."""
    windows = pool_windows(owner, x.shape[-rank:], kernel, stride, padding, dilation, ceil_mode)
    found = _window_max(x, *windows)
    return (found, f.cast(_window_index(x, *windows), dt.int64)) if indices else found


def avg_pool(
    owner: str,
    x: Any,
    rank: int,
    kernel: Any,
    stride: Any,
    padding: Any,
    ceil_mode: bool,
    with_padding: bool,
    divisor: Any,
) -> Any:
    """The mean of each window of the last `rank` dimensions; `divisor`, if not None or 0, replaces the number of elements."""
    windows = pool_windows(owner, x.shape[-rank:], kernel, stride, padding, 1, ceil_mode)
    half = x.dtype in (dt.float16, dt.bfloat16)
    wide = _cast(x, dt.float32) if half else x
    total = _window_sum(wide, *windows)
    if divisor:
        mean = _div(total, divisor)
    else:
        # the sum of ones counts; what ceil_mode adds at the end is not counted even with padding
        before = per_dimension(owner, "padding", padding, rank, 0)
        counted = (
            tuple([n + 2 * p for n, p in zip(x.shape[-rank:], before, strict=True)])
            if with_padding
            else x.shape[-rank:]
        )
        pads = (
            tuple([(0, after - p) for (_, after), p in zip(windows[2], before, strict=True)])
            if with_padding
            else windows[2]
        )
        mean = _div(total, _window_sum(_full(counted, 1.0, wide.dtype), windows[0], windows[1], pads, windows[3]))
    return _cast(mean, x.dtype) if half else mean


def max_pool2d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    return_indices: bool = False,
    ceil_mode: bool = False,
) -> Any:
    """The largest element of each window of the last two dimensions; `stride` is `kernel_size` when None."""
    return max_pool("max_pool2d", x, 2, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool2d(
    input_x: Any,
    kernel_size: Any = 1,
    stride: Any = 1,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = 0,
) -> Any:
    """The mean of each window of the last two dimensions."""
    return avg_pool(
        "avg_pool2d", input_x, 2, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Means of windows that divide the last two dimensions into `output_size` parts; None keeps a dimension."""
    wanted = output_size if isinstance(output_size, tuple) else (output_size, output_size)
    sizes = input.shape[-2:]
    counts = tuple([n if want is None else want for n, want in zip(sizes, wanted, strict=True)])
    if counts == (1, 1):
        return _reduce_mean(input, (-2, -1), True)
    rows = []
    for i in range(counts[0]):
        top, bottom = i * sizes[0] // counts[0], -(-(i + 1) * sizes[0] // counts[0])
        cells = []
        for j in range(counts[1]):
            left, right = j * sizes[1] // counts[1], -(-(j + 1) * sizes[1] // counts[1])
            cells.append(_reduce_mean(input[..., top:bottom, left:right], (-2, -1), True))
        rows.append(_concat(tuple(cells), -1))
    return _concat(tuple(rows), -2)


def batch_norm_step(
    x: Any, scale: Any, bias: Any, mean: Any, variance: Any, training: bool, momentum: float, epsilon: float
) -> Any:
    """The results of the operator; in training the moving statistics, Parameters, take `momentum` of the batch's."""
    out = _batch_norm(x, scale, bias, mean, variance, training, epsilon)
    if training:
        count = x.size // x.shape[1]
        # two whole numbers, where their quotient would make code of its own for each size
        unbiased = out[2] * count / (count - 1) if count > 1 else out[2]
        assign(mean, mean * (1.0 - momentum) + out[1] * momentum)
        assign(variance, variance * (1.0 - momentum) + unbiased * momentum)
    return out


def batch_norm(
    input_x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Channels (dimension 1) normalised by the moving statistics, or in training by the batch's, which then move these Parameters."""
    return batch_norm_step(input_x, weight, bias, running_mean, running_var, training, momentum, eps)[0]


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """The last dimensions, of `normalized_shape`, normalised by their mean and deviation."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if input.shape[len(input.shape) - len(shape) :] != shape:
        raise ValueError(
            f"For 'layer_norm', the 'normalized_shape' must be the last dimensions of the input {input.shape}, but got {shape}."
        )
    gamma = _full(shape, 1, input.dtype) if weight is None else weight
    beta = _full(shape, 0, input.dtype) if bias is None else bias
    begin = len(input.shape) - len(shape)
    return _layer_norm(input, gamma, beta, begin, begin, eps)[0]
