"""``mindspore.common.tensor``: `Tensor`, complete with its methods and operators."""

from __future__ import annotations

from mindspore.common.methods import Tensor, from_numpy, tensor

__all__ = ["Tensor", "from_numpy", "tensor"]
