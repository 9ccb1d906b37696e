"""Functions with MindSpore's signatures over the declared operators: what tensor methods and ``ops`` share, in both modes.

Graph mode compiles this source, so it keeps to what the front end takes: attributes are tuples and numbers known while compiling.
"""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common.dtype import pytype_to_dtype
from mindspore.common.eager import function
from mindspore.common.tensor_class import Tensor

_argmax_index = function("argmax_index")
_argmin_index = function("argmin_index")
_batch_matmul = function("BatchMatMul")
_broadcast_to = function("broadcast_to")
_cast = function("cast")
_div = function("div")
_expand_dims = function("expand_dims")
_full = function("full")
_matmul = function("MatMul")
_clip_by_value = function("clip_by_value")
_maximum = function("maximum")
_minimum = function("minimum")
_reduce_all = function("reduce_all")
_reduce_any = function("reduce_any")
_reduce_max = function("reduce_max")
_reduce_mean = function("reduce_mean")
_reduce_min = function("reduce_min")
_reduce_prod = function("reduce_prod")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_select = function("select")
_softmax = function("softmax")
_sqrt = function("sqrt")
_square = function("square")
_squeeze = function("squeeze")
_strided_slice = function("strided_slice")
_sub = function("sub")
_tile = function("tile")
_transpose = function("transpose")
_unstack = function("unstack")


def needs_tensor(owner: str, name: str, value: Any) -> None:
    """TypeError when `value` is no Tensor."""
    if not isinstance(value, Tensor):
        raise TypeError(f"For '{owner}', '{name}' must be a Tensor, but got {value!r}.")


def cast(input: Any, dtype: Any) -> Any:
    """`input` as another element type; the tensor itself when it has that type.

    Args:
        input: a Tensor or a number.
        dtype: an element type, a Python number type, or a numpy type or its name. Numbers out of an integer type's range wrap as in C.

    Returns:
        A Tensor of the same shape.

    Raises:
        TypeError: `dtype` names no element type.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> print(ops.cast(Tensor([1.5, -2.5]), ms.int32))
        [ 1 -2]
    """
    target = pytype_to_dtype(dtype)
    if not isinstance(input, bool | int | float | complex) and input.dtype is target:
        return input
    return _cast(input, target)


def reshape(input: Any, shape: Any) -> Any:
    """The elements of `input`, in row-major order, under another shape. In PYNATIVE mode both share memory.

    Args:
        input: a Tensor.
        shape: ints whose product is the number of elements; one may be -1 and follows from the others.

    Raises:
        ValueError: the sizes do not fit.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.reshape(Tensor([1, 2, 3, 4]), (2, -1)))
        [[1 2]
         [3 4]]
    """
    return _reshape(input, (shape,) if isinstance(shape, int) else tuple(shape))


def view(input: Any, *shape: Any) -> Any:
    """Like `reshape`, with the sizes one by one or as a tuple."""
    return _reshape(input, sizes(shape))


def sizes(given: Any) -> Any:
    """Sizes that came one by one, or as one list or tuple."""
    return tuple(given[0]) if len(given) == 1 and isinstance(given[0], list | tuple) else tuple(given)


def transpose(input: Any, *axes: Any) -> Any:
    """The dimensions in the order `axes`, given one by one or as a tuple; reversed when there is none."""
    order = sizes(axes)
    return _transpose(input, order if order else tuple(range(input.ndim))[::-1])


def swapaxes(input: Any, axis0: int, axis1: int) -> Any:
    """Two dimensions exchanged."""
    order = list(range(input.ndim))
    first, second = dimension("swapaxes", "axis0", axis0, input), dimension("swapaxes", "axis1", axis1, input)
    order[first], order[second] = order[second], order[first]
    return _transpose(input, tuple(order))


def dimension(function: str, name: str, axis: Any, input: Any) -> int:
    """`axis` counted from the first dimension."""
    rank = input.ndim
    if not isinstance(axis, int):
        raise TypeError(f"For '{function}', argument '{name}' must be an int, but got {axis!r}.")
    if not -rank <= axis < rank:
        raise ValueError(
            f"For '{function}', argument '{name}' must be in [{-rank}, {rank}) for a tensor of shape {input.shape}, but got {axis}."
        )
    return axis + rank if axis < 0 else axis


def squeeze(input: Any, axis: Any = None) -> Any:
    """Without dimensions of size 1.

    Args:
        input: a Tensor.
        axis: the dimension or dimensions to leave out; all of size 1 when None.

    Raises:
        ValueError: a dimension in `axis` has another size.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> ops.squeeze(ops.ones((1, 3, 1)), 0).shape
        (3, 1)
    """
    return _squeeze(input, () if axis is None else axis)


def expand_dims(input: Any, axis: int) -> Any:
    """A new dimension of size 1.

    Args:
        input: a Tensor with n dimensions.
        axis: where the dimension stands in the result, in ``[-n - 1, n]``.

    Raises:
        ValueError: `axis` is out of range.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> ops.expand_dims(Tensor([[1, 2]]), 1).shape
        (1, 1, 2)
    """
    return _expand_dims(input, axis)


def flatten(input: Any, order: str = "C", *, start_dim: int = 1, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim` as one, in row-major order.

    Args:
        input: a Tensor.
        order: "C" alone.
        start_dim, end_dim: the first and the last of the dimensions that become one; they may count from the end.

    Returns:
        A Tensor; one without dimensions gets one.

    Raises:
        TypeError: `input` is no Tensor.
        ValueError: a dimension that is out of range, or `start_dim` comes after `end_dim`.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> ops.flatten(ops.ones((2, 3, 4))).shape
        (2, 12)
    """
    if order != "C":
        raise ValueError(f"For 'flatten', argument 'order' must be 'C', but got {order}.")
    needs_tensor("flatten", "input", input)
    rank = input.ndim
    if rank == 0:
        return _reshape(input, (1,))
    if rank == 1 and start_dim == 1:
        return input
    first = dimension("flatten", "start_dim", start_dim, input)
    last = dimension("flatten", "end_dim", end_dim, input)
    if first > last:
        raise ValueError(
            f"For 'flatten', 'start_dim' must not come after 'end_dim', but got {start_dim} and {end_dim} for shape {input.shape}."
        )
    return _reshape(input, (*input.shape[:first], product(input.shape[first : last + 1]), *input.shape[last + 1 :]))


def product(numbers: Any) -> int:
    """The product of Python ints."""
    result = 1
    for each in numbers:
        result = result * each
    return result


def tensor_flatten(input: Any, order: str = "C", *, start_dim: int = 0, end_dim: int = -1) -> Any:
    """`flatten` as a method: all dimensions by default."""
    return flatten(input, order, start_dim=start_dim, end_dim=end_dim)


def ravel(input: Any) -> Any:
    """All dimensions as one."""
    return _reshape(input, (-1,))


def broadcast_to(input: Any, shape: Any) -> Any:
    """Dimensions of size 1, and new ones in front, repeated; -1 keeps a dimension."""
    return _broadcast_to(input, tuple(shape))


def expand(input: Any, *size: Any) -> Any:
    """`broadcast_to` with the sizes one by one or as a tuple."""
    return _broadcast_to(input, sizes(size))


def tile(input: Any, dims: Any) -> Any:
    """The tensor repeated along its dimensions.

    Args:
        input: a Tensor.
        dims: how often along each dimension, counted from the last; further ones stand in front.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.tile(Tensor([1, 2]), (2, 2)))
        [[1 2 1 2]
         [1 2 1 2]]
    """
    return _tile(input, (dims,) if isinstance(dims, int) else tuple(dims))


def _axes(axis: Any) -> Any:
    return () if axis is None else tuple(axis) if isinstance(axis, list) else axis


def _summable(input: Any, dtype: Any) -> Any:
    if dtype is not None:
        return cast(input, dtype)
    return _cast(input, dt.int64) if input.dtype.kind in "biu" else input


def sum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum over `dim`, all dimensions when None; integers are summed as int64."""
    return _reduce_sum(_summable(input, dtype), _axes(dim), keepdim)


def tensor_sum(input: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    """The sum over `axis`, all dimensions when None; integers are summed as int64."""
    return _reduce_sum(_summable(input, dtype), _axes(axis), keepdims)


def mean(x: Any, axis: Any = None, keep_dims: bool = False) -> Any:
    """The mean over `axis`, all dimensions when None."""
    return _reduce_mean(x, _axes(axis), keep_dims)


def prod(input: Any, axis: Any = None, keep_dims: bool = False, dtype: Any = None) -> Any:
    """The product over `axis`, all dimensions when None; integers are multiplied as int64."""
    return _reduce_prod(_summable(input, dtype), _axes(axis), keep_dims)


def _existing(function: str, input: Any, extremes: Any) -> Any:
    """`extremes`, if there are elements that they can be."""
    if input.size == 0 and extremes.size > 0:
        raise ValueError(f"For '{function}', the reduced dimensions must not be empty, but got shape {input.shape}.")
    return extremes


def amax(input: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest element over `axis`, all dimensions when None."""
    return _existing("amax", input, _reduce_max(input, _axes(axis), keepdims))


def amin(input: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest element over `axis`, all dimensions when None."""
    return _existing("amin", input, _reduce_min(input, _axes(axis), keepdims))


def max(input: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The largest elements along one dimension and their int64 positions; of all elements, with position 0, when `axis` is None."""
    if axis is None:
        return _existing("max", input, _reduce_max(input, (), False)), _full((), 0, dt.int64)
    return _reduce_max(input, axis, keepdims), _cast(_argmax_index(input, axis, keepdims), dt.int64)


def min(input: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """The smallest elements along one dimension and their int64 positions; of all elements, with position 0, when `axis` is None."""
    if axis is None:
        return _existing("min", input, _reduce_min(input, (), False)), _full((), 0, dt.int64)
    return _reduce_min(input, axis, keepdims), _cast(_argmin_index(input, axis, keepdims), dt.int64)


def argmax(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """Int64 position of the largest element along `dim`, or among all elements."""
    if dim is None:
        return _cast(_argmax_index(ravel(input)), dt.int64)
    return _cast(_argmax_index(input, dim, keepdim), dt.int64)


def argmin(input: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Int32 position of the smallest element along `axis`, or among all elements."""
    if axis is None:
        return _argmin_index(ravel(input))
    return _argmin_index(input, axis, keepdims)


def tensor_argmax(input: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Int64 position of the largest element along `axis`, or among all elements."""
    return argmax(input, axis, keepdims)


def _truth(input: Any) -> Any:
    return input if input.dtype is dt.bool_ else _cast(input, dt.bool_)


def all(input: Any, axis: Any = None, keep_dims: bool = False) -> Any:
    """Whether every element is true, over `axis` or all dimensions."""
    return _reduce_all(_truth(input), _axes(axis), keep_dims)


def any(input: Any, axis: Any = None, keep_dims: bool = False) -> Any:
    """Whether some element is true, over `axis` or all dimensions."""
    return _reduce_any(_truth(input), _axes(axis), keep_dims)


def var(input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """The variance over `axis`, all dimensions when None; the divisor is the number of elements less `ddof`."""
    axes = _axes(axis)
    centred = _square(_sub(input, _reduce_mean(input, axes, True)))
    total = _reduce_sum(centred, axes, keepdims)
    # Nothing has no variance: 0 / 0, as its mean.
    divisor = 0 if input.size == 0 else input.size // product(total.shape) - ddof
    return _div(total, divisor)


def std(input: Any, axis: Any = None, ddof: int = 0, keepdims: bool = False) -> Any:
    """The standard deviation: the root of `var`."""
    return _sqrt(var(input, axis, ddof, keepdims))


def matmul(input: Any, other: Any) -> Any:
    """The matrix product by numpy's rules.

    Args:
        input, other: Tensors of at least one dimension. A vector is a row on the left and a column on the right; dimensions before the
            last two broadcast.

    Returns:
        A Tensor of shape (..., m, n) for (..., m, k) and (..., k, n).

    Raises:
        TypeError: an argument is no Tensor.
        ValueError: the sizes of the inner dimensions differ, or the outer ones do not broadcast.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.matmul(Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 1.0])))
        [3. 7.]
    """
    needs_tensor("matmul", "input", input)
    needs_tensor("matmul", "other", other)
    if input.ndim == 2 and other.ndim == 2:
        return _matmul(input, other)
    if input.ndim == 0 or other.ndim == 0:
        raise ValueError(f"For 'matmul', both inputs need dimensions, but got shapes {input.shape} and {other.shape}.")
    inner = other.shape[0 if other.ndim == 1 else -2]
    if input.shape[-1] != inner:
        raise ValueError(
            f"For 'matmul', the last dimension of 'input' with shape {input.shape} ({input.shape[-1]}) must equal the last but one of "
            f"'other' with shape {other.shape} ({inner}); a vector has only one."
        )
    left = _expand_dims(input, 0) if input.ndim == 1 else input
    right = _expand_dims(other, 1) if other.ndim == 1 else other
    result = _batch_matmul(left, right)
    if other.ndim == 1:
        result = _squeeze(result, -1)
    return _squeeze(result, -2 if other.ndim > 1 else -1) if input.ndim == 1 else result


def clamp(input: Any, min: Any = None, max: Any = None) -> Any:
    """Limited to ``[min, max]``; one of them may be None."""
    if min is None and max is None:
        raise ValueError("For 'clamp', at least one of 'min' and 'max' must be given, but both are None.")
    if isinstance(min, int | float) and isinstance(max, int | float) and input.dtype.is_floating:
        return _clip_by_value(input, min, max)
    raised = input if min is None else _maximum(input, min)
    return raised if max is None else _minimum(raised, max)


def where(condition: Any, input: Any, other: Any) -> Any:
    """`input` where `condition` is true, `other` elsewhere.

    Args:
        condition: a Bool Tensor.
        input, other: Tensors or numbers; all three broadcast.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.where(Tensor([True, False]), Tensor([1.0, 2.0]), 0.0))
        [1. 0.]
    """
    return _select(condition, input, other)


def tensor_where(input: Any, condition: Any, y: Any) -> Any:
    """The tensor where `condition` is true, `y` elsewhere."""
    return _select(condition, input, y)


def masked_fill(input_x: Any, mask: Any, value: Any) -> Any:
    """`value`, a number or 0-d tensor, where `mask` is true; the input elsewhere."""
    return cast(_select(mask, value, input_x), input_x.dtype)


def softmax(input: Any, axis: int = -1, *, dtype: Any = None) -> Any:
    """Exponentials along one dimension divided by their sum, so that they add up to 1.

    Args:
        input: a Tensor of a floating type.
        axis: the dimension.
        dtype: the element type to which `input` is cast before; its own when None.

    Raises:
        ValueError: `axis` is out of range.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.softmax(Tensor([0.0, 0.0])))
        [0.5 0.5]
    """
    return _softmax(input if dtype is None else cast(input, dtype), axis)


def split(tensor: Any, split_size_or_sections: Any, axis: int = 0) -> Any:
    """Parts along `axis`, as a tuple: of one size (the last may be smaller), or of the sizes given."""
    place = dimension("split", "axis", axis, tensor)
    length = tensor.shape[place]
    if isinstance(split_size_or_sections, int):
        step = split_size_or_sections
        if step <= 0:
            raise ValueError(f"For 'split', 'split_size_or_sections' must be above 0, but got {step}.")
        parts = [step] * (length // step) + ([length % step] if length % step else [])
    else:
        parts = list(split_size_or_sections)
    before = (0,) * place
    results = []
    begin = 0
    for part in parts:
        end = (*tensor.shape[:place], begin + part)
        results.append(_strided_slice(tensor, (*before, begin), end, (1,) * (place + 1)))
        begin = begin + part
    if begin != length:
        raise ValueError(
            f"For 'split', the sizes {split_size_or_sections} must add up to {length}, the size along axis {axis}."
        )
    return tuple(results)


def unstack(input_x: Any, axis: int = 0) -> Any:
    """The slices along `axis`, without it, as a tuple."""
    return _unstack(input_x, axis)
