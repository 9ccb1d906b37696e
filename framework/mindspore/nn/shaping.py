"""Layers that make, place or measure elements: ranges, triangles, borders, norms."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, one_of
from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell

__all__ = ["ClipByNorm", "ConstantPad2d", "Norm", "OneHot", "Pad", "Range", "Tril", "Triu", "ZeroPad2d"]


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


class Pad(Cell):
    """A border around a tensor.

    Args:
        paddings: for each dimension the sizes before and after, a tuple of pairs.
        mode: "CONSTANT" for zeros; "REFLECT" mirrors the elements at the outermost ones, "SYMMETRIC" behind them.

    Raises:
        TypeError: `paddings` that is no tuple.
        ValueError: `paddings` without pairs, with negative sizes, not one for each dimension, or larger than can be mirrored; a mode that
            is unknown.

    Examples:
        >>> from mindspore import Tensor, nn
        >>> print(nn.Pad(((1, 2),), mode="REFLECT")(Tensor([1, 2, 3])))
        [2 1 2 3 2 1]
    """

    def __init__(self, paddings: Any, mode: str = "CONSTANT") -> None:
        super().__init__()
        if not isinstance(paddings, tuple):
            raise TypeError(f"For 'Pad', the type of 'paddings' must be tuple, but got {type(paddings).__name__}.")
        if not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in paddings):
            raise ValueError(f"For 'Pad', the dimension of 'paddings' must be (n, 2), but got {paddings}.")
        if any(n < 0 for pair in paddings for n in pair):
            raise ValueError(f"For 'Pad', all elements of 'paddings' must be >= 0, but got {paddings}.")
        self.paddings = tuple((before, after) for before, after in paddings)
        self.mode = one_of("Pad", "mode", mode, ("CONSTANT", "REFLECT", "SYMMETRIC"))

    def construct(self, x: Any) -> Any:
        if len(self.paddings) != x.ndim:
            raise ValueError(
                f"For 'Pad', the length of 'paddings' must be equal to the rank of the input, but got {self.paddings} and shape {x.shape}."
            )
        if self.mode == "CONSTANT":
            flat = [n for pair in self.paddings[::-1] for n in pair]
            return ops.pad(x, tuple(flat))
        edge = 1 if self.mode == "REFLECT" else 0
        for axis, (before, after) in enumerate(self.paddings):
            x = _mirrored(x, axis, before, after, edge)
        return x


def _mirrored(x: Any, axis: int, before: int, after: int, edge: int) -> Any:
    """`x` with its first and last slices along `axis`, but for `edge` of them, in reverse order in front and behind."""
    size = x.shape[axis]
    if max(before, after) > size - edge:
        raise ValueError(
            f"For 'Pad', at most {size - edge} elements can be mirrored along dimension {axis} of shape {x.shape}, "
            f"but got {(before, after)}."
        )
    parts = [x]
    if before:
        parts = [ops.flip(ops.narrow(x, axis, edge, before), (axis,)), x]
    if after:
        parts.append(ops.flip(ops.narrow(x, axis, size - edge - after, after), (axis,)))
    return ops.concat(parts, axis) if len(parts) > 1 else x


class ConstantPad2d(Cell):
    """A border of one value around the last two dimensions; negative sizes cut off.

    Args:
        padding: the size of the border, or (left, right, top, bottom); (left, right) for the last dimension alone.
        value: a number.

    Raises:
        TypeError: `padding` that is neither an int nor a tuple of ints.
        ValueError: a tuple of another length, or more cut off than there is.

    Examples:
        >>> from mindspore import nn, ops
        >>> print(nn.ConstantPad2d((1, 0, 0, 1), 7.0)(ops.ones((1, 1, 1, 2)))[0, 0])
        [[7. 1. 1.]
         [7. 7. 7.]]
    """

    def __init__(self, padding: Any, value: Any) -> None:
        super().__init__()
        owner = type(self).__name__
        sizes = (padding,) * 4 if isinstance(padding, int) else padding
        if not isinstance(sizes, tuple) or not all(isinstance(n, int) for n in sizes):
            raise TypeError(f"For '{owner}', the 'padding' must be an int or a tuple of ints, but got {padding!r}.")
        if len(sizes) not in (2, 4):
            raise ValueError(f"For '{owner}', the 'padding' must hold 2 or 4 sizes, but got {padding}.")
        self.padding, self.value = sizes, value

    def construct(self, x: Any) -> Any:
        for i, n in enumerate(self.padding):
            if n < 0:
                axis = x.ndim - 1 - i // 2
                left = x.shape[axis] + n
                if left < 0:
                    raise ValueError(
                        f"For '{self.cls_name}', {-n} cannot be cut off dimension {axis} of shape {x.shape}."
                    )
                x = ops.narrow(x, axis, 0 if i % 2 else -n, left)
        return ops.pad(x, tuple([max(n, 0) for n in self.padding]), value=self.value)


class ZeroPad2d(ConstantPad2d):
    """A border of zeros around the last two dimensions: `ConstantPad2d` with the value 0."""

    def __init__(self, padding: Any) -> None:
        super().__init__(padding, 0)
