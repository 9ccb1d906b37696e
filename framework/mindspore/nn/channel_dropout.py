"""Dropout of whole channels as Cells."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.nn.cell import Cell

__all__ = ["Dropout1d", "Dropout2d", "Dropout3d"]


class _ChannelDropout(Cell):
    """Base of these layers.

    Args:
        p: the probability with which a channel is zero in training.
    """

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        if isinstance(p, bool) or not isinstance(p, int | float) or not 0 <= p <= 1:
            raise ValueError(f"For '{type(self).__name__}', the 'p' must be a number in [0, 1], but got {p!r}.")
        self.p = float(p)

    def extend_repr(self) -> str:
        return f"p={self.p}"


class Dropout1d(_ChannelDropout):
    """In training, channels of (N, C, L) or (C, L) are zero with probability `p` and the others divided by ``1 - p``."""

    def construct(self, x: Any) -> Any:
        return ops.dropout1d(x, self.p, self.training)


class Dropout2d(_ChannelDropout):
    """In training, channels of (N, C, H, W) are zero with probability `p` and the others divided by ``1 - p``."""

    def construct(self, x: Any) -> Any:
        return ops.dropout2d(x, self.p, self.training)


class Dropout3d(_ChannelDropout):
    """In training, channels of (N, C, D, H, W) are zero with probability `p` and the others divided by ``1 - p``."""

    def construct(self, x: Any) -> Any:
        return ops.dropout3d(x, self.p, self.training)
