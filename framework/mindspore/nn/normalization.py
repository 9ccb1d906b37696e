"""Normalisation layers."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import one_of, positive_int
from mindspore.common.initializer import initializer
from mindspore.common.parameter import Parameter
from mindspore.nn.cell import Cell

__all__ = ["BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "LayerNorm"]


class _BatchNorm(Cell):
    """Channels (dimension 1) less their mean, by their deviation, times gamma, plus beta.

    In training the statistics are the batch's, and the moving ones follow them; in inference the moving ones are taken.

    Args:
        num_features: the number of channels.
        eps: added to the variance.
        momentum: how much of the moving statistics a step keeps, from 0 to 1.
        affine: whether gamma and beta are trained.
        gamma_init, beta_init, moving_mean_init, moving_var_init: Tensor, initializer, its name or a number.
        use_batch_statistics: True or False fixes which statistics are taken; None follows `set_train`.
        data_format: "NCHW".
        dtype: element type of the Parameters.

    Raises:
        TypeError: `num_features` that is no int.
        ValueError: numbers out of range, an input with another number of dimensions or channels.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import ops
        >>> norm = nn.BatchNorm2d(2).set_train()
        >>> print(norm(ops.ones((1, 2, 2, 2)))[0, 0, 0])
        [0. 0.]
    """

    ranks: tuple[int, ...] = (2, 3, 4, 5)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.9,
        affine: bool = True,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        moving_mean_init: Any = "zeros",
        moving_var_init: Any = "ones",
        use_batch_statistics: bool | None = None,
        data_format: str = "NCHW",
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        owner = type(self).__name__
        self.num_features = positive_int(owner, "num_features", num_features)
        if not isinstance(momentum, int | float) or not 0 <= momentum <= 1:
            raise ValueError(f"For '{owner}', the 'momentum' must be a number in range [0, 1], but got {momentum}.")
        if use_batch_statistics is not None and not isinstance(use_batch_statistics, bool):
            raise ValueError(
                f"For '{owner}', the 'use_batch_statistics' must be a bool or None, but got {use_batch_statistics}."
            )
        self.format = one_of(owner, "data_format", data_format, ("NCHW",))
        self.eps, self.momentum, self.use_batch_statistics = eps, 1.0 - momentum, use_batch_statistics

        def parameter(init: Any, name: str, trained: bool) -> Parameter:
            return Parameter(initializer(init, (num_features,), dtype), name=name, requires_grad=trained)

        self.moving_mean = parameter(moving_mean_init, "mean", False)
        self.moving_variance = parameter(moving_var_init, "variance", False)
        self.gamma = parameter(gamma_init, "gamma", affine)
        self.beta = parameter(beta_init, "beta", affine)
        self.bn_train = ops.BatchNorm(True, eps, self.momentum)
        self.bn_infer = ops.BatchNorm(False, eps)

    def construct(self, x: Any) -> Any:
        if x.ndim not in self.ranks:
            wanted = " or ".join([str(n) for n in self.ranks])
            raise ValueError(
                f"For '{self.cls_name}', the input must have {wanted} dimensions, but got shape {x.shape}."
            )
        batch = self.training if self.use_batch_statistics is None else self.use_batch_statistics
        step = self.bn_train if batch else self.bn_infer
        return step(x, self.gamma, self.beta, self.moving_mean, self.moving_variance)[0]

    def extend_repr(self) -> str:
        return f"num_features={self.num_features}, eps={self.eps}, momentum={1.0 - self.momentum}"


class BatchNorm1d(_BatchNorm):
    __doc__ = f"Inputs (N, C) or (N, C, L). {_BatchNorm.__doc__}"
    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    __doc__ = f"Inputs (N, C, H, W). {_BatchNorm.__doc__}"
    ranks = (4,)


class BatchNorm3d(_BatchNorm):
    __doc__ = f"Inputs (N, C, D, H, W). {_BatchNorm.__doc__}"
    ranks = (5,)

    def __init__(
        self,
        num_features: int,
        eps: float = 1e-5,
        momentum: float = 0.9,
        affine: bool = True,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        moving_mean_init: Any = "zeros",
        moving_var_init: Any = "ones",
        use_batch_statistics: bool | None = None,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__(
            num_features, eps, momentum, affine, gamma_init, beta_init, moving_mean_init, moving_var_init,
            use_batch_statistics, "NCHW", dtype,
        )  # fmt: skip


class LayerNorm(Cell):
    """The last dimensions less their mean, by their deviation, times gamma, plus beta.

    Args:
        normalized_shape: the sizes that gamma and beta have, a tuple or list.
        begin_norm_axis: the first of the dimensions that are normalised.
        begin_params_axis: the first dimension of gamma and beta.
        gamma_init, beta_init: Tensor, initializer, its name or a number.
        epsilon: added to the variance.
        dtype: element type of the Parameters.

    Raises:
        TypeError: `normalized_shape` that is no tuple or list of ints.
    """

    def __init__(
        self,
        normalized_shape: Any,
        begin_norm_axis: int = -1,
        begin_params_axis: int = -1,
        gamma_init: Any = "ones",
        beta_init: Any = "zeros",
        epsilon: float = 1e-7,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        if not isinstance(normalized_shape, tuple | list) or not all(isinstance(n, int) for n in normalized_shape):
            raise TypeError(
                f"For 'LayerNorm', the 'normalized_shape' must be a tuple or list of ints, but got {normalized_shape!r}."
            )
        self.normalized_shape = tuple(normalized_shape)
        self.begin_norm_axis, self.begin_params_axis, self.epsilon = begin_norm_axis, begin_params_axis, epsilon
        self.gamma = Parameter(initializer(gamma_init, self.normalized_shape, dtype), name="gamma")
        self.beta = Parameter(initializer(beta_init, self.normalized_shape, dtype), name="beta")
        self.layer_norm = ops.LayerNorm(begin_norm_axis, begin_params_axis, epsilon)

    def construct(self, input_x: Any) -> Any:
        return self.layer_norm(input_x, self.gamma, self.beta)[0]

    def extend_repr(self) -> str:
        return (
            f"normalized_shape={self.normalized_shape}, begin_norm_axis={self.begin_norm_axis}, "
            f"begin_params_axis={self.begin_params_axis}"
        )
