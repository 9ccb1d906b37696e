"""Normalisation of each sample apart: over groups of channels, or each channel alone."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, positive_int
from mindspore.common.initializer import initializer
from mindspore.common.parameter import Parameter
from mindspore.nn.cell import Cell

__all__ = ["GroupNorm", "InstanceNorm1d", "InstanceNorm2d", "InstanceNorm3d"]


class GroupNorm(Cell):
    """Groups of channels (dimension 1) of each sample less their mean, by their deviation; then times gamma, plus beta, by channel.

    Args:
        num_groups: how many groups there are; divides `num_channels`.
        num_channels: the number of channels.
        eps: added to the variance.
        affine: whether gamma and beta are trained.
        gamma_init, beta_init: Tensor, initializer, its name or a number.
        dtype: element type of the Parameters.

    Raises:
        TypeError: numbers that are not ints, `affine` that is no bool.
        ValueError: numbers below 1, groups that do not divide the channels, an input without dimension 1 or with other channels.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> norm = nn.GroupNorm(1, 2, eps=0.0)
        >>> print(norm(Tensor([[[1.0], [3.0]]])).flatten())
        [-1.  1.]
    """

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        self.num_groups = positive_int(owner, "num_groups", num_groups)
        self.num_channels = positive_int(owner, "num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(
                f"For '{owner}', the 'num_channels' must be divided by 'num_groups', but got 'num_channels': {num_channels}, "
                f"'num_groups': {num_groups}."
            )
        self.eps = eps
        trained = boolean(owner, "affine", affine)
        self.gamma = Parameter(initializer(gamma_init, (num_channels,), dtype), name="gamma", requires_grad=trained)
        self.beta = Parameter(initializer(beta_init, (num_channels,), dtype), name="beta", requires_grad=trained)

    def construct(self, x: Any) -> Any:
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(
                f"For '{self.cls_name}', dimension 1 of the input must be {self.num_channels}, but got shape {x.shape}."
            )
        return ops.group_norm(x, self.num_groups, self.gamma, self.beta, self.eps)

    def extend_repr(self) -> str:
        return f"num_groups={self.num_groups}, num_channels={self.num_channels}"


class _InstanceNorm(GroupNorm):
    """Each channel (dimension 1) of each sample less its mean, by its deviation, times gamma, plus beta.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: kept for MindSpore's signature: statistics are always the sample's own.
        affine: whether gamma and beta are trained.
        gamma_init, beta_init: Tensor, initializer, its name or a number.
        dtype: element type of the Parameters.

    Raises:
        TypeError: `num_features` that is no int, `affine` that is no bool.
        ValueError: `num_features` below 1, an input with another number of dimensions or channels.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> norm = nn.InstanceNorm1d(1, eps=0.0)
        >>> print(norm(Tensor([[[1.0, 3.0]]])))
        [[[-1.  1.]]]
    """

    rank: int

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.1,
        affine: bool = True,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        dtype: DType = dt.float32,
    ) -> None:
        positive_int(type(self).__name__, "num_features", num_features)
        super().__init__(num_features, num_features, eps, affine, gamma_init, beta_init, dtype)
        self.num_features, self.momentum = num_features, momentum

    def construct(self, x: Any) -> Any:
        if x.ndim != self.rank:
            raise ValueError(
                f"For '{self.cls_name}', the input must have {self.rank} dimensions, but got shape {x.shape}."
            )
        return super().construct(x)

    def extend_repr(self) -> str:
        return f"num_features={self.num_features}, eps={self.eps}"


class InstanceNorm1d(_InstanceNorm):
    __doc__ = f"Inputs (N, C, L). {_InstanceNorm.__doc__}"
    rank = 3


class InstanceNorm2d(_InstanceNorm):
    __doc__ = f"Inputs (N, C, H, W). {_InstanceNorm.__doc__}"
    rank = 4


class InstanceNorm3d(_InstanceNorm):
    __doc__ = f"Inputs (N, C, D, H, W). {_InstanceNorm.__doc__}"
    rank = 5
