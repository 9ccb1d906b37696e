"""Pooling layers whose windows follow from the sizes, pooling by norms, and the reverse of max pooling."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.common.checks import boolean, positive_int
from mindspore.nn.cell import Cell

__all__ = [
    "AdaptiveAvgPool1d", "AdaptiveAvgPool2d", "AdaptiveAvgPool3d", "AdaptiveMaxPool1d", "AdaptiveMaxPool2d", "AdaptiveMaxPool3d",
    "LPPool1d", "LPPool2d", "MaxUnpool1d", "MaxUnpool2d", "MaxUnpool3d",
]  # fmt: skip


class _Adaptive(Cell):
    def __init__(self, output_size: Any) -> None:
        super().__init__()
        self.output_size = tuple(output_size) if isinstance(output_size, list) else output_size

    def extend_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_Adaptive):
    """Means of `output_size` equal parts of rows (N, C, L) or (C, L)."""

    def __init__(self, output_size: int) -> None:
        super().__init__(positive_int("AdaptiveAvgPool1d", "output_size", output_size))

    def construct(self, input: Any) -> Any:
        return ops.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_Adaptive):
    """Means of windows that divide images into `output_size` parts: an int or two, of which None keeps a dimension.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> print(nn.AdaptiveAvgPool2d((None, 1))(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]])).shape)
        (1, 1, 2, 1)
    """

    def construct(self, input: Any) -> Any:
        return ops.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveAvgPool3d(_Adaptive):
    """Means of windows that divide volumes into `output_size` parts: an int or three, of which None keeps a dimension."""

    def construct(self, input: Any) -> Any:
        return ops.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPool1d(_Adaptive):
    """The largest elements of `output_size` equal parts of rows (N, C, L) or (C, L)."""

    def __init__(self, output_size: int) -> None:
        super().__init__(positive_int("AdaptiveMaxPool1d", "output_size", output_size))

    def construct(self, input: Any) -> Any:
        return ops.adaptive_max_pool1d(input, self.output_size)


class AdaptiveMaxPool2d(_Adaptive):
    """The largest elements of `output_size` parts of images, and with `return_indices` their places in the plane."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = boolean("AdaptiveMaxPool2d", "return_indices", return_indices)

    def construct(self, input: Any) -> Any:
        return ops.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool3d(_Adaptive):
    """The largest elements of `output_size` parts of volumes, and with `return_indices` their places in the volume."""

    def __init__(self, output_size: Any, return_indices: bool = False) -> None:
        super().__init__(output_size)
        self.return_indices = boolean("AdaptiveMaxPool3d", "return_indices", return_indices)

    def construct(self, input: Any) -> Any:
        return ops.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _LPPool(Cell):
    def __init__(self, norm_type: Any, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> None:
        super().__init__()
        self.norm_type, self.kernel_size, self.stride = norm_type, kernel_size, stride
        self.ceil_mode = boolean(type(self).__name__, "ceil_mode", ceil_mode)


class LPPool1d(_LPPool):
    """``sum(x ** p) ** (1 / p)`` of each window of rows (N, C, L) or (C, L), with p = `norm_type`."""

    def construct(self, x: Any) -> Any:
        return ops.lp_pool1d(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class LPPool2d(_LPPool):
    """``sum(x ** p) ** (1 / p)`` of each window of images (N, C, H, W) or (C, H, W), with p = `norm_type`."""

    def construct(self, x: Any) -> Any:
        return ops.lp_pool2d(x, self.norm_type, self.kernel_size, self.stride, self.ceil_mode)


class _Unpool(Cell):
    def __init__(self, kernel_size: Any, stride: Any = None, padding: Any = 0) -> None:
        super().__init__()
        self.kernel_size, self.stride, self.padding = kernel_size, stride, padding


class MaxUnpool1d(_Unpool):
    """The reverse of `MaxPool1d`: zeros, but for the elements of x at the places `indices`.

    Args:
        kernel_size, stride, padding: those of the pooling; `stride` is `kernel_size` when None.
    """

    def construct(self, x: Any, indices: Any, output_size: Any = None) -> Any:
        return ops.max_unpool1d(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool2d(_Unpool):
    """The reverse of `MaxPool2d`: zeros, but for the elements of x at the places `indices`; see `MaxUnpool1d`."""

    def construct(self, x: Any, indices: Any, output_size: Any = None) -> Any:
        return ops.max_unpool2d(x, indices, self.kernel_size, self.stride, self.padding, output_size)


class MaxUnpool3d(_Unpool):
    """The reverse of `MaxPool3d`: zeros, but for the elements of x at the places `indices`; see `MaxUnpool1d`."""

    def construct(self, x: Any, indices: Any, output_size: Any = None) -> Any:
        return ops.max_unpool3d(x, indices, self.kernel_size, self.stride, self.padding, output_size)
