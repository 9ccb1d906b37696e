"""Layers that change the number of pixels."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.common.checks import positive_int
from mindspore.nn.cell import Cell

__all__ = ["PixelShuffle", "PixelUnshuffle", "Upsample"]


class Upsample(Cell):
    """`ops.interpolate` as a layer.

    Args:
        size, scale_factor, mode, align_corners, recompute_scale_factor: as there.

    Examples:
        >>> from mindspore import nn, ops
        >>> print(nn.Upsample((4, 6))(ops.ones((1, 2, 2, 3))).shape)
        (1, 2, 4, 6)
    """

    def __init__(
        self,
        size: Any = None,
        scale_factor: Any = None,
        mode: str = "nearest",
        align_corners: Any = None,
        recompute_scale_factor: Any = None,
    ) -> None:
        super().__init__()
        self.size, self.scale_factor, self.mode = size, scale_factor, mode
        self.align_corners, self.recompute_scale_factor = align_corners, recompute_scale_factor

    def construct(self, x: Any) -> Any:
        return ops.interpolate(
            x, self.size, self.scale_factor, self.mode, self.align_corners, self.recompute_scale_factor
        )


class PixelShuffle(Cell):
    """(..., C r r, H, W) as (..., C, H r, W r), with r = `upscale_factor`."""

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = positive_int("PixelShuffle", "upscale_factor", upscale_factor)

    def construct(self, input: Any) -> Any:
        return ops.pixel_shuffle(input, self.upscale_factor)


class PixelUnshuffle(Cell):
    """(..., C, H r, W r) as (..., C r r, H, W), with r = `downscale_factor`."""

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = positive_int("PixelUnshuffle", "downscale_factor", downscale_factor)

    def construct(self, input: Any) -> Any:
        return ops.pixel_unshuffle(input, self.downscale_factor)
