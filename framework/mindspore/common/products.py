"""Functions with MindSpore's signatures that are products of matrices in other words, in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.base.shapes import normalize_axis
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.matrices import addmm, baddbmm, outer

__all__ = [
    "addbmm", "addmm", "addmv", "addr", "baddbmm", "batch_dot", "ger", "inner", "kron", "mv", "outer", "tensor_dot", "vecdot",
]  # fmt: skip

_batch_matmul = function("BatchMatMul")
_matmul = function("matmul")
_mul = function("mul")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_transpose = function("transpose")


def _check_rank(name: str, argument: str, tensor: Any, rank: int) -> None:
    if tensor.ndim != rank:
        raise ValueError(
            f"For '{name}', '{argument}' must have {rank} dimension{'s' * (rank > 1)}, but got shape {tensor.shape}."
        )


def mv(mat: Any, vec: Any) -> Any:
    """A matrix [m, k] times a vector [k]: a vector [m].

    Raises:
        ValueError: `mat` is no matrix, `vec` no vector, or their sizes differ.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.mv(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 10.0])))
        [21. 43.]
    """
    _check_rank("mv", "mat", mat, 2)
    _check_rank("mv", "vec", vec, 1)
    return f.matmul(mat, vec)


def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * (mat @ vec)``; `input` broadcasts to [m]."""
    return input * beta + mv(mat, vec) * alpha


def addr(x: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * x + alpha * outer(vec1, vec2)``; `x` broadcasts to [n, m]."""
    return x * beta + ger(vec1, vec2) * alpha


def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """``beta * input + alpha * sum over b of (batch1[b] @ batch2[b])``.

    Args:
        input: broadcasts to [n, p].
        batch1, batch2: [b, n, m] and [b, m, p].

    Raises:
        ValueError: a batch has not three dimensions, or their sizes differ.
    """
    _check_rank("addbmm", "batch1", batch1, 3)
    _check_rank("addbmm", "batch2", batch2, 3)
    (count, rows, inner_), (others, depth, columns) = batch1.shape, batch2.shape
    if (count, inner_) != (others, depth):
        raise ValueError(
            f"For 'addbmm', 'batch1' [b, n, m] and 'batch2' [b, m, p] must have the same b and m, "
            f"but got shapes {batch1.shape} and {batch2.shape}."
        )
    left = _reshape(_transpose(batch1, (1, 0, 2)), (rows, count * inner_))
    return input * beta + _matmul(left, _reshape(batch2, (count * depth, columns))) * alpha


def ger(input: Any, vec2: Any) -> Any:
    """The products of each element of one vector [n] with each of another [m]: a matrix [n, m]."""
    _check_rank("ger", "input", input, 1)
    _check_rank("ger", "vec2", vec2, 1)
    return outer(input, vec2)


def inner(input: Any, other: Any) -> Any:
    """The sums of products over the last dimension of both; a number multiplies the other operand.

    Returns:
        Tensor of the shapes of both without their last dimensions, behind each other.

    Raises:
        ValueError: the last dimensions differ.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.inner(Tensor([1.0, 2.0]), Tensor([[3.0, 4.0], [5.0, 6.0]])))
        [11. 17.]
    """
    if input.ndim == 0 or other.ndim == 0:
        return _mul(input, other)
    return _contracted("inner", input, other, (input.ndim - 1,), (other.ndim - 1,))


def kron(input: Any, other: Any) -> Any:
    """Kronecker's product: each element of `input` times all of `other`, in its place.

    Returns:
        Tensor whose dimensions are the products of both operands' (of the one with fewer dimensions, with ones in front).

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.kron(Tensor([1, 2]), Tensor([1, 10])))
        [ 1 10  2 20]
    """
    rank = max(input.ndim, other.ndim)
    one, two = ((1,) * (rank - each.ndim) + tuple(each.shape) for each in (input, other))
    left, right, whole = [], [], []
    for a, b in zip(one, two, strict=True):
        left += [a, 1]
        right += [1, b]
        whole.append(a * b)
    return _reshape(_mul(_reshape(input, tuple(left)), _reshape(other, tuple(right))), tuple(whole))


def tensor_dot(x1: Any, x2: Any, axes: Any) -> Any:
    """The sums of products over chosen dimensions of both operands.

    Args:
        axes: how many, the last of `x1` and the first of `x2`; or a pair that names them: two numbers, or two tuples of as many.

    Returns:
        Tensor of the other dimensions of `x1`, then those of `x2`.

    Raises:
        ValueError: `axes` does not fit the operands, or the sizes of dimensions that are summed together differ.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.tensor_dot(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([10.0, 1.0]), ((0,), (0,))))
        [13. 24.]
    """
    if isinstance(axes, int):
        if not 0 <= axes <= min(x1.ndim, x2.ndim):
            raise ValueError(
                f"For 'tensor_dot', 'axes' must be between 0 and the dimensions of the operands, {x1.ndim} and {x2.ndim}, "
                f"but got {axes}."
            )
        return _contracted("tensor_dot", x1, x2, tuple(range(x1.ndim - axes, x1.ndim)), tuple(range(axes)))
    if len(axes) != 2:
        raise ValueError(f"For 'tensor_dot', 'axes' must be a number or a pair, but got {axes}.")
    first, second = ((each,) if isinstance(each, int) else tuple(each) for each in axes)
    if len(first) != len(second):
        raise ValueError(f"For 'tensor_dot', 'axes' must name as many dimensions of 'x1' as of 'x2', but got {axes}.")
    one = tuple(normalize_axis(i, x1.ndim) for i in first)
    two = tuple(normalize_axis(i, x2.ndim) for i in second)
    return _contracted("tensor_dot", x1, x2, one, two)


def _contracted(name: str, x1: Any, x2: Any, one: tuple[int, ...], two: tuple[int, ...]) -> Any:
    """Summed over dimensions `one` of `x1` and `two` of `x2`."""
    summed = tuple(x1.shape[i] for i in one)
    if summed != tuple(x2.shape[i] for i in two):
        raise ValueError(
            f"For '{name}', the dimensions that are summed together must have the same sizes, but got {one} of shape {x1.shape} "
            f"and {two} of shape {x2.shape}."
        )
    rest1 = tuple(i for i in range(x1.ndim) if i not in one)
    rest2 = tuple(i for i in range(x2.ndim) if i not in two)
    shape1, shape2 = tuple(x1.shape[i] for i in rest1), tuple(x2.shape[i] for i in rest2)
    left = _reshape(_transpose(x1, (*rest1, *one)), (f.product(shape1), f.product(summed)))
    right = _reshape(_transpose(x2, (*two, *rest2)), (f.product(summed), f.product(shape2)))
    return _reshape(_matmul(left, right), (*shape1, *shape2))


def batch_dot(x1: Any, x2: Any, axes: Any = None) -> Any:
    """The sums of products over one dimension of each operand, row by row of the first dimension, which both have.

    Args:
        x1, x2: tensors of at least two dimensions and the same first one.
        axes: the dimension of each, or one number for both; the last of `x1` and the last but one of `x2` (the last of a matrix)
            when None.

    Returns:
        Tensor [batch, rest of x1..., rest of x2...]; [batch, 1] where both are matrices.

    Raises:
        ValueError: the first dimensions differ, those that are summed differ, or an axis is the first one.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.batch_dot(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 1.0], [2.0, 2.0]])))
        [[ 3.]
         [14.]]
    """
    if x1.ndim < 2 or x2.ndim < 2 or x1.shape[0] != x2.shape[0]:
        raise ValueError(
            f"For 'batch_dot', the operands must have at least two dimensions and the same first one, but got shapes "
            f"{x1.shape} and {x2.shape}."
        )
    usual = (x1.ndim - 1, x2.ndim - 1 if x2.ndim == 2 else x2.ndim - 2)
    pair = usual if axes is None else (axes, axes) if isinstance(axes, int) else tuple(axes)
    one, two = normalize_axis(pair[0], x1.ndim), normalize_axis(pair[1], x2.ndim)
    if one == 0 or two == 0 or x1.shape[one] != x2.shape[two]:
        raise ValueError(
            f"For 'batch_dot', 'axes' must be dimensions of the same size behind the first one, but got {pair} of shapes "
            f"{x1.shape} and {x2.shape}."
        )
    rest1 = tuple(i for i in range(1, x1.ndim) if i != one)
    rest2 = tuple(i for i in range(1, x2.ndim) if i != two)
    shape1, shape2 = tuple(x1.shape[i] for i in rest1), tuple(x2.shape[i] for i in rest2)
    batch, depth = x1.shape[0], x1.shape[one]
    left = _reshape(_transpose(x1, (0, *rest1, one)), (batch, f.product(shape1), depth))
    right = _reshape(_transpose(x2, (0, two, *rest2)), (batch, depth, f.product(shape2)))
    rest = (*shape1, *shape2) if shape1 or shape2 else (1,)
    return _reshape(_batch_matmul(left, right), (batch, *rest))


def vecdot(x: Any, y: Any, *, axis: int = -1) -> Any:
    """The sums of products along one dimension; the others broadcast.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.vecdot(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([[1.0, 1.0], [2.0, 2.0]])))
        [ 3. 14.]
    """
    return _reduce_sum(_mul(x, y), axis)
