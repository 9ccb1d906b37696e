"""Pooling layers."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.common.checks import boolean, one_of
from mindspore.nn.cell import Cell
from mindspore.ops.convolving import per_dimension
from mindspore.ops.pooling import avg_pool, max_pool

__all__ = ["AvgPool1d", "AvgPool2d", "AvgPool3d", "MaxPool1d", "MaxPool2d", "MaxPool3d"]


class _Pool(Cell):
    """What pooling layers share: windows over the last `rank` dimensions."""

    rank = 2

    def __init__(self, kernel_size: Any, stride: Any, pad_mode: str, data_format: str) -> None:
        super().__init__()
        owner = type(self).__name__
        per_dimension(owner, "kernel_size", kernel_size, self.rank)
        per_dimension(owner, "stride", stride, self.rank)
        self.kernel_size, self.stride = kernel_size, stride
        self.pad_mode = one_of(owner, "pad_mode", str(pad_mode).upper(), ("VALID", "SAME", "PAD"))
        self.format = one_of(owner, "data_format", data_format, ("NCHW",))

    def images(self, x: Any) -> Any:
        """The input with the dimensions (N, C, H, W) that the operators take."""
        lead = x.ndim - self.rank
        if lead not in (1, 2):
            raise ValueError(
                f"For '{type(self).__name__}', the input must have {self.rank + 1} or {self.rank + 2} dimensions, but got shape {x.shape}."
            )
        return ops.reshape(x, (*(1,) * (2 - lead), *x.shape[:lead], *(1,) * (2 - self.rank), *x.shape[lead:]))

    def original(self, out: Any, x: Any) -> Any:
        """The result with the dimensions of the input."""
        return ops.reshape(out, (*x.shape[: x.ndim - self.rank], *out.shape[4 - self.rank :]))

    def windows(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Sizes and strides of windows of two dimensions."""
        kernel = per_dimension(type(self).__name__, "kernel_size", self.kernel_size, self.rank)
        stride = per_dimension(type(self).__name__, "stride", self.stride, self.rank)
        fill = (1,) * (2 - self.rank)
        return (*fill, *kernel), (*fill, *stride)  # type: ignore[return-value]

    def extend_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, pad_mode={self.pad_mode}"


class _MaxPool(_Pool):
    def __init__(
        self, kernel_size: Any, stride: Any, pad_mode: str, padding: Any, dilation: Any, return_indices: bool, ceil_mode: bool,
        data_format: str,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, pad_mode, data_format)
        owner = type(self).__name__
        self.use_pad = self.pad_mode == "PAD"
        self.padding, self.dilation = padding, dilation
        self.return_indices = boolean(owner, "return_indices", return_indices)
        self.ceil_mode = boolean(owner, "ceil_mode", ceil_mode)
        if not self.use_pad and (padding != 0 or dilation != 1 or return_indices or ceil_mode):
            raise ValueError(
                f"For '{owner}', 'padding', 'dilation', 'return_indices' and 'ceil_mode' need 'pad_mode' \"pad\", but got {pad_mode!r}."
            )

    def construct(self, x: Any) -> Any:
        if self.use_pad or self.rank == 3:
            padding = "same" if self.pad_mode == "SAME" else self.padding
            return max_pool(
                self.cls_name, x, self.rank, self.kernel_size, self.stride, padding, self.dilation, self.ceil_mode, self.return_indices
            )  # fmt: skip
        kernel, stride = self.windows()
        return self.original(ops.MaxPool(kernel, stride, self.pad_mode)(self.images(x)), x)


class MaxPool2d(_MaxPool):
    """The largest element of each window of images (N, C, H, W) or (C, H, W).

    Args:
        kernel_size, stride: sizes of the windows and distances between them: an int or two.
        pad_mode: "valid", "same", or "pad" by `padding`.
        padding, dilation, return_indices, ceil_mode: with "pad": what is added on each side (at most half a window), the distance between
            elements of a window, whether the places of the elements are returned too, and whether a last window may stick out.
        data_format: "NCHW".

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> print(nn.MaxPool2d(2, 2)(Tensor([[[[1.0, 2.0], [3.0, 4.0]]]])))
        [[[[4.]]]]
    """

    def __init__(
        self,
        kernel_size: Any = 1,
        stride: Any = 1,
        pad_mode: str = "valid",
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
        data_format: str = "NCHW",
    ) -> None:
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, return_indices, ceil_mode, data_format)


class MaxPool1d(_MaxPool):
    """The largest element of each window of rows (N, C, L) or (C, L); see `MaxPool2d`."""

    rank = 1

    def __init__(
        self,
        kernel_size: int = 1,
        stride: int = 1,
        pad_mode: str = "valid",
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, return_indices, ceil_mode, "NCHW")


class MaxPool3d(_MaxPool):
    """The largest element of each window of volumes (N, C, D, H, W) or (C, D, H, W); see `MaxPool2d`."""

    rank = 3

    def __init__(
        self,
        kernel_size: Any = 1,
        stride: Any = 1,
        pad_mode: str = "valid",
        padding: Any = 0,
        dilation: Any = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, pad_mode, padding, dilation, return_indices, ceil_mode, "NCHW")


class _AvgPool(_Pool):
    def __init__(
        self, kernel_size: Any, stride: Any, pad_mode: str, padding: Any, ceil_mode: bool, count_include_pad: bool,
        divisor_override: Any, data_format: str,
    ) -> None:  # fmt: skip
        super().__init__(kernel_size, stride, pad_mode, data_format)
        owner = type(self).__name__
        self.padding = padding
        self.ceil_mode = boolean(owner, "ceil_mode", ceil_mode)
        self.count_include_pad = boolean(owner, "count_include_pad", count_include_pad)
        if divisor_override is not None and (not isinstance(divisor_override, int) or divisor_override <= 0):
            raise ValueError(
                f"For '{owner}', the 'divisor_override' must be an int above 0, but got {divisor_override!r}."
            )
        self.divisor_override = divisor_override
        if padding != 0 and self.pad_mode != "PAD":
            raise ValueError(f"For '{owner}', the 'padding' must be 0 unless 'pad_mode' is \"pad\", but got {padding}.")
        others = ceil_mode or not count_include_pad or divisor_override is not None
        self.is_expand = self.pad_mode == "PAD" or others
        if others and self.pad_mode == "SAME":
            raise ValueError(
                f"For '{owner}', 'ceil_mode', 'count_include_pad' and 'divisor_override' do not go with 'pad_mode' \"same\"."
            )

    def construct(self, x: Any) -> Any:
        if self.is_expand or self.rank == 3:
            padding = "same" if self.pad_mode == "SAME" else self.padding
            return avg_pool(
                self.cls_name, x, self.rank, self.kernel_size, self.stride, padding, self.ceil_mode, self.count_include_pad,
                self.divisor_override,
            )  # fmt: skip
        kernel, stride = self.windows()
        return self.original(ops.AvgPool(kernel, stride, self.pad_mode)(self.images(x)), x)


class AvgPool2d(_AvgPool):
    """The mean of each window of images (N, C, H, W) or (C, H, W).

    Args:
        kernel_size, stride: sizes of the windows and distances between them: an int or two.
        pad_mode: "valid", "same" (whose padding does not count), or "pad" by `padding`.
        padding: with "pad": what is added on each side, at most half a window.
        ceil_mode: whether a last window may stick out.
        count_include_pad: whether padding counts as elements.
        divisor_override: what sums are divided by, in place of the number of elements.
        data_format: "NCHW".
    """

    def __init__(
        self,
        kernel_size: Any = 1,
        stride: Any = 1,
        pad_mode: str = "valid",
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Any = None,
        data_format: str = "NCHW",
    ) -> None:
        super().__init__(
            kernel_size, stride, pad_mode, padding, ceil_mode, count_include_pad, divisor_override, data_format
        )


class AvgPool1d(_AvgPool):
    """The mean of each window of rows (N, C, L) or (C, L); see `AvgPool2d`."""

    rank = 1

    def __init__(
        self,
        kernel_size: int = 1,
        stride: int = 1,
        pad_mode: str = "valid",
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, count_include_pad, None, "NCHW")


class AvgPool3d(_AvgPool):
    """The mean of each window of volumes (N, C, D, H, W) or (C, D, H, W); see `AvgPool2d`, but padding of "same" counts."""

    rank = 3

    def __init__(
        self,
        kernel_size: Any = 1,
        stride: Any = 1,
        pad_mode: str = "valid",
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: Any = None,
    ) -> None:
        super().__init__(kernel_size, stride, pad_mode, padding, ceil_mode, count_include_pad, divisor_override, "NCHW")
