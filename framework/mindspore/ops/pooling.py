"""Pooling as functions, in both modes. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops.convolving import per_dimension

__all__ = [
    "avg_pool1d", "avg_pool2d", "avg_pool3d", "lp_pool1d", "lp_pool2d", "max_pool2d", "max_pool3d", "max_unpool1d",
    "max_unpool2d", "max_unpool3d",
]  # fmt: skip

_window_max = function("window_max")
_window_index = function("window_index")
_window_sum = function("window_sum")
_full = function("full")
_cast = function("cast")
_div = function("div")
_mul = function("mul")
_pow = function("pow")
_scatter = function("tensor_scatter_elements")


def _borders(owner: str, sizes: tuple[int, ...], size: Any, steps: Any, padding: Any) -> tuple[tuple[int, int], ...]:
    """What `padding` adds before and after each dimension; "same": so that ``ceil(size / step)`` windows fit. It may be pairs already."""
    if padding == "same":
        totals = [max((-(-n // s) - 1) * s + k - n, 0) for n, k, s in zip(sizes, size, steps, strict=True)]
        return tuple([(total // 2, total - total // 2) for total in totals])
    if isinstance(padding, tuple) and padding and isinstance(padding[0], tuple):
        given = padding
    else:
        given = tuple([(n, n) for n in per_dimension(owner, "padding", padding, len(sizes), 0)])
    if any(max(both) > k // 2 for both, k in zip(given, size, strict=True)):
        raise ValueError(
            f"For '{owner}', the 'padding' must be at most half of the 'kernel_size' {size}, but got {padding!r}."
        )
    return given


def pool_windows(
    owner: str, sizes: tuple[int, ...], kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> tuple[Any, ...]:
    """Window, strides, padding (before, after) and dilation; with `ceil_mode` a last window may stick out."""
    rank = len(sizes)
    size = per_dimension(owner, "kernel_size", kernel, rank)
    steps = size if stride is None else per_dimension(owner, "stride", stride, rank)
    gaps = per_dimension(owner, "dilation", dilation, rank)
    pads = []
    for i, (before, after) in enumerate(_borders(owner, sizes, size, steps, padding)):
        reach = (size[i] - 1) * gaps[i] + 1
        whole = sizes[i] + before + after
        rest = (whole - reach) % steps[i]
        starts_inside = whole - reach - rest + steps[i] < sizes[i] + before
        pads.append((before, after + steps[i] - rest if ceil_mode and rest and starts_inside else after))
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
        sizes, pads = x.shape[-rank:], windows[2]
        if with_padding:
            borders = _borders(owner, sizes, windows[0], windows[1], padding)
            sizes = tuple([n + before + after for n, (before, after) in zip(sizes, borders, strict=True)])
            pads = tuple([(0, all_after - after) for (_, all_after), (_, after) in zip(pads, borders, strict=True)])
        mean = _div(total, _window_sum(_full(sizes, 1.0, wide.dtype), windows[0], windows[1], pads, windows[3]))
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


def max_pool3d(
    x: Any,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    dilation: Any = 1,
    ceil_mode: bool = False,
    return_indices: bool = False,
) -> Any:
    """The largest element of each window of the last three dimensions; `stride` is `kernel_size` when None."""
    return max_pool("max_pool3d", x, 3, kernel_size, stride, padding, dilation, ceil_mode, return_indices)


def avg_pool1d(
    input_x: Any,
    kernel_size: Any = 1,
    stride: Any = 1,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Any:
    """The mean of each window of the last dimension."""
    return avg_pool("avg_pool1d", input_x, 1, kernel_size, stride, padding, ceil_mode, count_include_pad, 0)


def avg_pool3d(
    input_x: Any,
    kernel_size: Any = 1,
    stride: Any = 1,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: Any = 0,
) -> Any:
    """The mean of each window of the last three dimensions."""
    return avg_pool(
        "avg_pool3d", input_x, 3, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override
    )


def _lp_pool(owner: str, x: Any, rank: int, norm_type: Any, kernel: Any, stride: Any, ceil_mode: bool) -> Any:
    """The root of the sum of powers of each window, `norm_type` above 0."""
    if not isinstance(norm_type, int | float) or isinstance(norm_type, bool):
        raise TypeError(f"For '{owner}', the 'norm_type' must be int or float, but got {norm_type!r}.")
    if norm_type == 0:
        raise ValueError(f"For '{owner}', the 'norm_type' must not be 0, but got {norm_type!r}.")
    half = x.dtype in (dt.float16, dt.bfloat16)
    powers = _pow(_cast(x, dt.float32) if half else x, float(norm_type))
    count = 1
    for n in per_dimension(owner, "kernel_size", kernel, rank):
        count = count * n
    # a window that sticks out counts as if it went on with the mean of its elements
    steps = kernel if stride is None else stride
    mean = avg_pool(owner, powers, rank, kernel, steps, 0, ceil_mode, True, 0)
    found = _pow(_mul(mean, float(count)), 1.0 / norm_type)
    return _cast(found, x.dtype) if half else found


def lp_pool1d(x: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """``sum(x ** p) ** (1 / p)`` of each window of the last dimension; `stride` is `kernel_size` when None."""
    return _lp_pool("lp_pool1d", x, 1, norm_type, kernel_size, stride, ceil_mode)


def lp_pool2d(x: Any, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
    """``sum(x ** p) ** (1 / p)`` of each window of the last two dimensions; `stride` is `kernel_size` when None."""
    return _lp_pool("lp_pool2d", x, 2, norm_type, kernel_size, stride, ceil_mode)


def _max_unpool(
    owner: str, x: Any, indices: Any, rank: int, kernel: Any, stride: Any, padding: Any, output_size: Any
) -> Any:
    """Zeros, but for the elements of `x` at the places that `indices` name in their plane."""
    if x.shape != indices.shape:
        raise ValueError(
            f"For '{owner}', 'x' and 'indices' must have one shape, but got {x.shape} and {indices.shape}."
        )
    size = per_dimension(owner, "kernel_size", kernel, rank)
    steps = size if stride is None or stride == 0 else per_dimension(owner, "stride", stride, rank)
    border = per_dimension(owner, "padding", padding, rank, 0)
    lead, counts = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    plane = tuple([(counts[i] - 1) * steps[i] - 2 * border[i] + size[i] for i in range(rank)])
    if output_size is not None and output_size != ():
        wanted = tuple(output_size)[-rank:]
        for n, usual, step in zip(wanted, plane, steps, strict=True):
            if abs(n - usual) >= step:
                raise ValueError(
                    f"For '{owner}', the 'output_size' must be less than the 'stride' {steps} from {plane}, but got {output_size}."
                )
        plane = wanted
    total = 1
    for n in plane:
        total = total * n
    planes = 1
    for n in lead:
        planes = planes * n
    cells = 1
    for n in counts:
        cells = cells * n
    base = _full((planes, total), 0, x.dtype)
    where = f.cast(f.reshape(indices, (planes, cells)), dt.int64)
    found = _scatter(base, where, f.reshape(x, (planes, cells)), 1)
    return f.reshape(found, (*lead, *plane))


def max_unpool1d(
    x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The reverse of max pooling over the last dimension: zeros, but for `x` at the places `indices`."""
    return _max_unpool("max_unpool1d", x, indices, 1, kernel_size, stride, padding, output_size)


def max_unpool2d(
    x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The reverse of max pooling over the last two dimensions: zeros, but for `x` at the places `indices`."""
    return _max_unpool("max_unpool2d", x, indices, 2, kernel_size, stride, padding, output_size)


def max_unpool3d(
    x: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
) -> Any:
    """The reverse of max pooling over the last three dimensions: zeros, but for `x` at the places `indices`."""
    return _max_unpool("max_unpool3d", x, indices, 3, kernel_size, stride, padding, output_size)
