"""Functions with MindSpore's signatures about parts of matrices and the order of dimensions, in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.shapes import normalize_axis, row_major_strides
from mindspore.common import functions as f
from mindspore.common.choosing import flip, narrow, tensor_split
from mindspore.common.eager import function
from mindspore.primitives.compute import Walk

_arange = function("arange")
_eye = function("eye")
_gather_strided = function("gather_strided")
_greater_equal = function("greater_equal")
_iota = function("iota")
_less_equal = function("less_equal")
_mul = function("mul")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_select = function("select")
_sub = function("sub")
_transpose = function("transpose")


def _offsets(input: Any) -> Any:
    """Column less row of each element of the last two dimensions."""
    if input.ndim < 2:
        raise ValueError(
            f"For 'tril' and 'triu', 'input' must have at least two dimensions, but got shape {input.shape}."
        )
    shape = input.shape[-2:]
    return _sub(_iota(shape, 1, dt.int64), _iota(shape, 0, dt.int64))


def tril(input: Any, diagonal: int = 0) -> Any:
    """The lower triangles of matrices, up to `diagonal` above the main one; zeros elsewhere.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.tril(Tensor([[1, 2], [3, 4]])))
        [[1 0]
         [3 4]]
    """
    return _select(_less_equal(_offsets(input), diagonal), input, 0)


def triu(input: Any, diagonal: int = 0) -> Any:
    """The upper triangles of matrices, from `diagonal` above the main one on; zeros elsewhere."""
    return _select(_greater_equal(_offsets(input), diagonal), input, 0)


def diag(input: Any) -> Any:
    """A tensor of twice the dimensions with the elements of `input` where both halves of a position are equal, zeros elsewhere."""
    count = input.size
    rows = _select(_eye(count, count, dt.bool_), _reshape(input, (count, 1)), 0)
    return _reshape(rows, (*input.shape, *input.shape))


def _diagonal_walk(shape: Any, offset: int, first: int, second: int) -> Walk:
    one, two = normalize_axis(first, len(shape)), normalize_axis(second, len(shape))
    if one == two:
        raise ValueError(f"For 'diagonal', the two dimensions must differ, but both are {one}.")
    own = row_major_strides(shape)
    length = max(0, min(shape[one] + min(offset, 0), shape[two] - max(offset, 0)))
    rest = [i for i in range(len(shape)) if i not in (one, two)]
    start = max(offset, 0) * own[two] - min(offset, 0) * own[one] if length else 0
    return Walk((*(shape[i] for i in rest), length), start, (*(own[i] for i in rest), own[one] + own[two]))


_diagonal_walk.__constexpr__ = True  # type: ignore[attr-defined]


def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, as the last one of the result; `offset` above the main one."""
    return _gather_strided((input,), _diagonal_walk(input.shape, offset, dim1, dim2))


def trace(input: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The sum of the diagonal."""
    return _reduce_sum(diagonal(input, offset, axis1, axis2), -1)


def fliplr(input: Any) -> Any:
    """The second dimension turned round."""
    return flip(input, (1,))


def flipud(input: Any) -> Any:
    """The first dimension turned round."""
    return flip(input, (0,))


def rot90(input: Any, k: int, dims: Any) -> Any:
    """Turned `k` times by 90 degrees in the plane of two dimensions, from the first to the second."""
    first, second = dims
    turns = k % 4
    if turns == 0:
        return input
    if turns == 2:
        return flip(input, (first, second))
    if turns == 1:
        return f.swapaxes(flip(input, (second,)), first, second)
    return flip(f.swapaxes(input, first, second), (second,))


def movedim(x: Any, source: Any, destination: Any) -> Any:
    """The dimensions `source` moved to `destination`; the others keep their order."""
    return _transpose(x, _moved(x.ndim, source, destination))


def _moved(rank: int, source: Any, destination: Any) -> tuple[int, ...]:
    whence = [normalize_axis(i, rank) for i in (source if isinstance(source, tuple | list) else (source,))]
    where = [
        normalize_axis(i, rank) for i in (destination if isinstance(destination, tuple | list) else (destination,))
    ]
    if len(whence) != len(where) or len({*whence}) < len(whence) or len({*where}) < len(where):
        raise ValueError(
            f"For 'movedim', 'source' and 'destination' must name as many different dimensions, but got {source} and {destination}."
        )
    order = [i for i in range(rank) if i not in whence]
    for place, each in sorted(zip(where, whence, strict=True)):
        order.insert(place, each)
    return tuple(order)


_moved.__constexpr__ = True  # type: ignore[attr-defined]


def t(input: Any) -> Any:
    """A matrix transposed; a vector or number as it is."""
    if input.ndim > 2:
        raise ValueError(f"For 't', 'input' must have at most two dimensions, but got shape {input.shape}.")
    return input if input.ndim < 2 else _transpose(input, (1, 0))


def transposed_matrices(input: Any) -> Any:
    """The last two dimensions exchanged."""
    return f.swapaxes(input, -2, -1)


def outer(input: Any, vec2: Any) -> Any:
    """The products of each element of one tensor with each of another, both as vectors."""
    return _mul(_reshape(input, (input.size, 1)), _reshape(vec2, (vec2.size,)))


def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat1 @ mat2)``."""
    return input * beta + f.matmul(mat1, mat2) * alpha


def baddbmm(input: Any, batch1: Any, batch2: Any, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (batch1 @ batch2)`` for batches of matrices."""
    return input * beta + f.matmul(batch1, batch2) * alpha


def dot(input: Any, other: Any) -> Any:
    """The sum of products over the last dimension of `input` and the last but one of `other`, the only one of a vector.

    Raises:
        ValueError: these dimensions differ, or a tensor has none.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.dot(Tensor([1.0, 2.0]), Tensor([3.0, 4.0])))
        11.0
    """
    if input.ndim < 2 or other.ndim < 3:
        return f.matmul(input, other)
    rest = (*other.shape[:-2], other.shape[-1])
    columns = _reshape(movedim(other, -2, 0), (other.shape[-2], f.product(rest)))
    return _reshape(f.matmul(input, columns), (*input.shape[:-1], *rest))


def select_slice(input: Any, axis: int, index: int) -> Any:
    """The slice at `index` of dimension `axis`, without it."""
    return f.squeeze(narrow(input, axis, index, 1), axis)


def meshgrid(*inputs: Any, indexing: str = "xy") -> Any:
    """Vectors broadcast to a grid: one tensor for each, which varies along its own dimension.

    Args:
        indexing: "ij" numbers the dimensions as the inputs; "xy" exchanges the first two.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"For 'meshgrid', 'indexing' must be 'xy' or 'ij', but got {indexing!r}.")
    vectors = inputs[0] if len(inputs) == 1 and isinstance(inputs[0], list | tuple) else inputs
    places = list(range(len(vectors)))
    if indexing == "xy" and len(vectors) > 1:
        places[0], places[1] = 1, 0
    sizes = [0] * len(vectors)
    for vector, place in zip(vectors, places, strict=True):
        sizes[place] = vector.size
    results = []
    for vector, place in zip(vectors, places, strict=True):
        column = _reshape(vector, (1,) * place + (vector.size,) + (1,) * (len(vectors) - place - 1))
        results.append(f.broadcast_to(column, tuple(sizes)))
    return tuple(results)


def hsplit(input: Any, indices_or_sections: Any) -> Any:
    """`tensor_split` along the second dimension, or the only one."""
    return tensor_split(input, indices_or_sections, 0 if input.ndim == 1 else 1)


def vsplit(input: Any, indices_or_sections: Any) -> Any:
    """`tensor_split` along the first dimension."""
    return tensor_split(input, indices_or_sections, 0)


def dsplit(input: Any, indices_or_sections: Any) -> Any:
    """`tensor_split` along the third dimension."""
    return tensor_split(input, indices_or_sections, 2)
