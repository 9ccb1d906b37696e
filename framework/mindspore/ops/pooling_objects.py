"""Pooling operators of ``ops.operations`` that stand for functions of `ops.pooling`."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.ops.convolving import per_dimension
from mindspore.ops.function_objects import FunctionObject
from mindspore.ops.pooling import avg_pool, max_pool, max_unpool2d, max_unpool3d


def _padding(owner: str, pad_mode: str, pad: Any) -> Any:
    """The padding of a mode, as `ops.pooling` takes it."""
    mode = pad_mode.lower()
    if mode not in ("valid", "same", "pad"):
        raise ValueError(f"For '{owner}', the 'pad_mode' must be 'valid', 'same' or 'pad', but got {pad_mode!r}.")
    return {"valid": 0, "same": "same", "pad": pad}[mode]


class MaxPool3D(FunctionObject):
    """``MaxPool3D(kernel_size, strides, pad_mode, pad_list, ceil_mode)(x)``: the largest element of each window of (N, C, D, H, W).

    ``pad_list``: what the mode "pad" adds: one int, three, or six, the ends of depth, height and width one after the other.
    """

    __slots__ = ("ceil_mode", "kernel_size", "pad_list", "pad_mode", "strides")

    def __init__(
        self,
        kernel_size: Any = 1,
        strides: Any = 1,
        pad_mode: str = "VALID",
        pad_list: Any = 0,
        ceil_mode: Any = None,
        data_format: str = "NCDHW",
    ) -> None:
        if data_format != "NCDHW":
            raise ValueError(f"For 'MaxPool3D', the 'data_format' must be 'NCDHW', but got {data_format!r}.")
        self.kernel_size, self.strides, self.pad_mode, self.pad_list = kernel_size, strides, pad_mode, pad_list
        self.ceil_mode = bool(ceil_mode)

    def __call__(self, x: Any) -> Any:
        padding = _padding("MaxPool3D", self.pad_mode, self.pad_list)
        if isinstance(padding, tuple | list) and len(padding) == 6:
            ends = per_dimension("MaxPool3D", "pad_list", padding, 6, 0)
            padding = ((ends[0], ends[1]), (ends[2], ends[3]), (ends[4], ends[5]))
        return max_pool("MaxPool3D", x, 3, self.kernel_size, self.strides, padding, 1, self.ceil_mode, False)


class AvgPool3D(FunctionObject):
    """``AvgPool3D(kernel_size, strides, pad_mode, pad, ...)(x)``: the mean of each window of (N, C, D, H, W)."""

    __slots__ = ("ceil_mode", "count_include_pad", "divisor_override", "kernel_size", "pad", "pad_mode", "strides")

    def __init__(
        self,
        kernel_size: Any = 1,
        strides: Any = 1,
        pad_mode: str = "valid",
        pad: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int = 0,
        data_format: str = "NCDHW",
    ) -> None:
        if data_format != "NCDHW":
            raise ValueError(f"For 'AvgPool3D', the 'data_format' must be 'NCDHW', but got {data_format!r}.")
        self.kernel_size, self.strides, self.pad_mode, self.pad = kernel_size, strides, pad_mode, pad
        self.ceil_mode, self.count_include_pad, self.divisor_override = ceil_mode, count_include_pad, divisor_override

    def __call__(self, x: Any) -> Any:
        padding = _padding("AvgPool3D", self.pad_mode, self.pad)
        return avg_pool(
            "AvgPool3D", x, 3, self.kernel_size, self.strides, padding, self.ceil_mode, self.count_include_pad, self.divisor_override
        )  # fmt: skip


class _MaxPoolWithArgmax(FunctionObject):
    """The largest element of each window and its place in the plane."""

    __slots__ = ("argmax_type", "ceil_mode", "dilation", "kernel_size", "pads", "strides")
    rank = 2

    def __init__(
        self, kernel_size: Any, strides: Any, pads: Any, dilation: Any, ceil_mode: bool, argmax_type: Any
    ) -> None:
        if argmax_type not in (dt.int32, dt.int64):
            raise TypeError(f"For '{self.name}', the 'argmax_type' must be int32 or int64, but got {argmax_type}.")
        self.kernel_size, self.strides, self.pads, self.dilation = kernel_size, strides, pads, dilation
        self.ceil_mode, self.argmax_type = ceil_mode, argmax_type

    def __call__(self, x: Any) -> Any:
        found, places = max_pool(
            self.name, x, self.rank, self.kernel_size, self.strides, self.pads, self.dilation, self.ceil_mode, True
        )
        return found, f.cast(places, self.argmax_type)


class MaxPoolWithArgmaxV2(_MaxPoolWithArgmax):
    """``MaxPoolWithArgmaxV2(kernel_size, strides, pads, ...)(x)``: the largest element of each window of images, and its place."""

    __slots__ = ()

    def __init__(
        self,
        kernel_size: Any,
        strides: Any = None,
        pads: Any = 0,
        dilation: Any = (1, 1),
        ceil_mode: bool = False,
        argmax_type: Any = dt.int64,
    ) -> None:
        super().__init__(kernel_size, strides, pads, dilation, ceil_mode, argmax_type)


class MaxPool3DWithArgmax(_MaxPoolWithArgmax):
    """``MaxPool3DWithArgmax(ksize, strides, pads, ...)(x)``: the largest element of each window of volumes, and its place."""

    __slots__ = ()
    rank = 3

    def __init__(
        self,
        ksize: Any,
        strides: Any,
        pads: Any,
        dilation: Any = (1, 1, 1),
        ceil_mode: bool = False,
        data_format: str = "NCDHW",
        argmax_type: Any = dt.int64,
    ) -> None:
        if data_format != "NCDHW":
            raise ValueError(f"For 'MaxPool3DWithArgmax', the 'data_format' must be 'NCDHW', but got {data_format!r}.")
        super().__init__(ksize, strides, pads, dilation, ceil_mode, argmax_type)


class MaxUnpool2D(FunctionObject):
    """``MaxUnpool2D(ksize, strides, pads, output_shape)(x, argmax)``: `max_unpool2d`."""

    __slots__ = ("ksize", "output_shape", "pads", "strides")

    def __init__(
        self, ksize: Any, strides: Any = 0, pads: Any = 0, output_shape: Any = (), data_format: str = "NCHW"
    ) -> None:
        if data_format != "NCHW":
            raise ValueError(f"For 'MaxUnpool2D', the 'data_format' must be 'NCHW', but got {data_format!r}.")
        self.ksize, self.strides, self.pads, self.output_shape = ksize, strides, pads, output_shape

    def __call__(self, x: Any, argmax: Any) -> Any:
        return max_unpool2d(x, argmax, self.ksize, self.strides, self.pads, self.output_shape)


class MaxUnpool3D(FunctionObject):
    """``MaxUnpool3D(ksize, strides, pads, output_shape)(x, argmax)``: `max_unpool3d`."""

    __slots__ = ("ksize", "output_shape", "pads", "strides")

    def __init__(
        self, ksize: Any, strides: Any = 0, pads: Any = 0, output_shape: Any = (), data_format: str = "NCDHW"
    ) -> None:
        if data_format != "NCDHW":
            raise ValueError(f"For 'MaxUnpool3D', the 'data_format' must be 'NCDHW', but got {data_format!r}.")
        self.ksize, self.strides, self.pads, self.output_shape = ksize, strides, pads, output_shape

    def __call__(self, x: Any, argmax: Any) -> Any:
        return max_unpool3d(x, argmax, self.ksize, self.strides, self.pads, self.output_shape)


CLASSES = (AvgPool3D, MaxPool3D, MaxPool3DWithArgmax, MaxPoolWithArgmaxV2, MaxUnpool2D, MaxUnpool3D)
