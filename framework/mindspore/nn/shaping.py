"""Layers that make, place or measure elements: ranges, triangles, borders, norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean
from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell

__all__ = ["ClipByNorm", "Norm", "OneHot", "Range", "Tril", "Triu"]


class Norm(Cell):
    """The root of the sum of squares over `axis`.

    Args:
        axis: a dimension or several; all when it is ().
        keep_dims: whether dimensions that are summed stay as 1.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.Norm(axis=1)(Tensor([[3.0, 4.0], [0.0, 2.0]])))
        [5. 2.]
    """

    def __init__(self, axis: Any = (), keep_dims: bool = False) -> None:
        super().__init__()
        self.axis = tuple(axis) if isinstance(axis, list) else axis
        self.keep_dims = boolean("Norm", "keep_dims", keep_dims)

    def construct(self, x: Any) -> Any:
        return ops.sqrt(ops.reduce_sum(ops.square(x), self.axis, self.keep_dims))

    def extend_repr(self) -> str:
        return f"axis={self.axis}, keep_dims={self.keep_dims}"


class ClipByNorm(Cell):
    """``x * clip_norm / max(norm, clip_norm)``, with the norm of `Norm`.

    Args:
        axis: the dimensions of one norm; all when None.

    Inputs:
        x, and clip_norm: a tensor that broadcasts against x.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.ClipByNorm()(Tensor([3.0, 4.0]), Tensor([1.0])))
        [0.6 0.8]
    """

    def __init__(self, axis: Any = None) -> None:
        super().__init__()
        self.axis = () if axis is None else tuple(axis) if isinstance(axis, list) else axis

    def construct(self, x: Any, clip_norm: Any) -> Any:
        if not isinstance(x, Tensor) or not isinstance(clip_norm, Tensor):
            raise TypeError(f"For 'ClipByNorm', both inputs must be tensors, but got {x!r} and {clip_norm!r}.")
        limit = ops.cast(clip_norm, x.dtype)
        norm = ops.sqrt(ops.reduce_sum(ops.square(x), self.axis, True))
        return x * (limit / ops.maximum(norm, limit))


class OneHot(Cell):
    """`on_value` where an index names the class along a new axis, `off_value` elsewhere.

    Args:
        axis: where the new axis is; -1 for the last.
        depth: the number of classes.
        on_value, off_value: numbers.
        dtype: the element type of the result.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.OneHot(depth=3)(Tensor([0, 2])))
        [[1. 0. 0.]
         [0. 0. 1.]]
    """

    def __init__(
        self, axis: int = -1, depth: int = 1, on_value: Any = 1.0, off_value: Any = 0.0, dtype: DType = dt.float32
    ) -> None:
        super().__init__()
        self.axis, self.depth = axis, depth
        self.on_value, self.off_value = Tensor(on_value, dtype), Tensor(off_value, dtype)

    def construct(self, indices: Any) -> Any:
        return ops.one_hot(indices, self.depth, self.on_value, self.off_value, self.axis)


class Range(Cell):
    """The numbers from `start` to below `limit`, or from 0 to below `start` when there is no limit; int32, or float32 with a float.

    Examples:
        >>> from mindspore import nn
        >>> print(nn.Range(1, 8, 2)())
        [1 3 5 7]
    """

    def __init__(self, start: Any, limit: Any = None, delta: Any = 1) -> None:
        super().__init__()
        if delta == 0:
            raise ValueError("For 'Range', the 'delta' must not be 0.")
        first, end = (0, start) if limit is None else (start, limit)
        whole = all(isinstance(n, int) for n in (first, end, delta))
        self.result_tensor = Tensor(np.arange(first, end, delta), dt.int32 if whole else dt.float32)

    def construct(self) -> Any:
        return self.result_tensor


class Tril(Cell):
    """The lower triangles of matrices, up to diagonal `k`; zeros elsewhere.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.Tril()(Tensor([[1, 2], [3, 4]])))
        [[1 0]
         [3 4]]
    """

    def construct(self, x: Any, k: int = 0) -> Any:
        return ops.tril(x, k)


class Triu(Cell):
    """The upper triangles of matrices, from diagonal `k` on; zeros elsewhere."""

    def construct(self, x: Any, k: int = 0) -> Any:
        return ops.triu(x, k)
