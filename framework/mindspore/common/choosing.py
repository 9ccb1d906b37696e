"""Functions with MindSpore's signatures that choose, place and reorder elements: what tensor methods and ``ops`` share, in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import broadcast
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.tensor_class import Tensor

_cast = function("cast")
_expand_dims = function("expand_dims")
_full = function("full")
_gather = function("gather")
_gather_d = function("gather_d")
_index_add = function("index_add")
_index_fill = function("index_fill")
_reshape = function("reshape")
_reverse = function("reverse_v2")
_rotate = function("rotate")
_scatter_elements = function("tensor_scatter_elements")
_strided_slice = function("strided_slice")
_tile = function("tile")


def tensor_gather(input: Any, *args: Any, **kwargs: Any) -> Any:
    """``x.gather(input_indices, axis, batch_dims=0)`` takes slices; ``x.gather(dim, index)`` is `gather_elements`."""
    if "index" in kwargs or (len(args) == 2 and isinstance(args[0], int)):
        return gather_elements(input, *args, **kwargs)
    return _gather(input, *args, **kwargs)


def gather_elements(input: Any, dim: int, index: Any) -> Any:
    """Along `dim` each index names the element of `input` for its own position; negative ones count from the end.

    Args:
        input: a tensor.
        dim: the dimension that the indices are about.
        index: an integer tensor with as many dimensions, not larger than `input` but along `dim`.

    Returns:
        A tensor of the shape of `index`.

    Raises:
        ValueError: `index` has other dimensions.
        IndexError: an index is out of bounds; known when the operator runs.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.gather_elements(Tensor([[1, 2], [3, 4]]), 1, Tensor([[0, 0], [1, 0]])))
        [[1 1]
         [4 3]]
    """
    return _gather_d(input, index, dim)


def index_select(input: Any, axis: int, index: Any) -> Any:
    """The slices along `axis` that a tensor of one dimension names.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.index_select(Tensor([[1, 2], [3, 4]]), 1, Tensor([1])))
        [[2]
         [4]]
    """
    if index.ndim > 1:
        raise ValueError(f"For 'index_select', 'index' must have at most one dimension, but got shape {index.shape}.")
    return _gather(input, _reshape(index, (-1,)), axis)


def tensor_take(input: Any, indices: Any, axis: Any = None, mode: str = "clip") -> Any:
    """Elements along `axis`, or of the tensor as one row; what is out of bounds is clipped to it, or wrapped round.

    Args:
        indices: integers.
        axis: the dimension that the indices are about; the tensor is one row of elements when None.
        mode: "clip" brings indices into ``[0, n - 1]``, "wrap" takes them modulo n, "raise" makes an IndexError of one out of bounds.
    """
    if mode not in ("clip", "wrap", "raise"):
        raise ValueError(f"For 'take', 'mode' must be 'clip', 'wrap' or 'raise', but got {mode!r}.")
    source = f.ravel(input) if axis is None else input
    place = 0 if axis is None else axis
    count = source.shape[place]
    given = indices if isinstance(indices, Tensor) else Tensor(indices)
    if mode == "clip":
        given = f.clamp(given, 0, count - 1)
    elif mode == "wrap":
        given = given % count
    return _gather(source, given, place)


def take(input: Any, index: Any) -> Any:
    """Elements of `input` as one row of elements, in the shape of `index`."""
    return _gather(f.ravel(input), index, 0)


def index_fill(x: Any, axis: int, index: Any, value: Any) -> Any:
    """`x` with one value, a number or 0-d tensor, at `index` along `axis`."""
    filling = _cast(value, x.dtype) if isinstance(value, Tensor) else _full((), value, x.dtype)
    places = index if isinstance(index, Tensor) else _full((), index, dt.int64)
    return _index_fill(x, places, filling, axis)


def tensor_index_add(input: Any, dim: int, index: Any, source: Any, *, alpha: Any = 1) -> Any:
    """The tensor with `alpha` times the slices of `source` added at `index` along `dim`."""
    added = source if isinstance(alpha, int) and alpha == 1 else source * alpha
    return _index_add(input, index, _cast(added, input.dtype), dim)


def scatter(input: Any, axis: int, index: Any, src: Any) -> Any:
    """`input` with the elements of `src`, or a number, written at the places that `index` names along `axis`."""
    given = _cast(src, input.dtype) if isinstance(src, Tensor) else _full(index.shape, src, input.dtype)
    if given.shape != index.shape:
        given = _strided_slice(given, (0,) * index.ndim, index.shape, (1,) * index.ndim)
    return _scatter_elements(input, index, given, axis, "none")


def tensor_scatter_add(input: Any, dim: int, index: Any, src: Any) -> Any:
    """The tensor with the elements of `src` added at the places that `index` names along `dim`."""
    return _scatter_elements(input, index, _cast(src, input.dtype), dim, "add")


def tensor_scatter_elements(input_x: Any, indices: Any, updates: Any, axis: int = 0, reduction: str = "none") -> Any:
    """`input_x` with `updates` written, or added when `reduction` is "add", at the places that `indices` name along `axis`."""
    return _scatter_elements(input_x, indices, updates, axis, reduction)


def chunk(input: Any, chunks: int, axis: int = 0) -> Any:
    """At most `chunks` parts along `axis`, as a tuple: all of one size, but for a smaller last one."""
    if not isinstance(chunks, int) or chunks <= 0:
        raise ValueError(f"For 'chunk', 'chunks' must be an int above 0, but got {chunks!r}.")
    length = input.shape[axis]
    return f.split(input, (length + chunks - 1) // chunks if length else 1, axis) if length else (input,) * chunks


def tensor_split(input: Any, indices_or_sections: Any, axis: int = 0) -> Any:
    """Parts along `axis`, as a tuple: so many, the first ones larger by one, or those between the given positions."""
    length = input.shape[axis]
    if isinstance(indices_or_sections, int):
        count = indices_or_sections
        if count <= 0:
            raise ValueError(f"For 'tensor_split', 'indices_or_sections' must be above 0, but got {count}.")
        sizes = [length // count + (1 if i < length % count else 0) for i in range(count)]
        return f.split(input, sizes, axis)
    return tuple([_between(input, axis, begin, end) for begin, end in _borders(indices_or_sections, length)])


def _borders(indices: Any, length: int) -> tuple[tuple[int, int], ...]:
    """Begin and end of the parts between positions, by Python's rules for slices."""
    cuts = [slice(i).indices(length)[1] for i in indices]
    return tuple((begin, max(begin, end)) for begin, end in zip((0, *cuts), (*cuts, length), strict=True))


_borders.__constexpr__ = True  # type: ignore[attr-defined]


def _between(input: Any, axis: int, begin: int, end: int) -> Any:
    before = (0,) * f.dimension("tensor_split", "axis", axis, input)
    place = len(before)
    return _strided_slice(input, (*before, begin), (*input.shape[:place], end), (1,) * (place + 1))


def narrow(input: Any, axis: int, start: int, length: int) -> Any:
    """`length` slices along `axis` from `start` on."""
    size = input.shape[axis]
    first = start + size if start < 0 else start
    if not 0 <= first <= size or length < 0 or first + length > size:
        raise ValueError(
            f"For 'narrow', 'start' {start} and 'length' {length} must lie in dimension {axis} of shape {input.shape}."
        )
    return _between(input, axis, first, first + length)


def flip(input: Any, dims: Any) -> Any:
    """The order of elements turned round along `dims`."""
    return _reverse(input, dims)


def roll(input: Any, shifts: Any, dims: Any = None) -> Any:
    """Elements moved on by `shifts` along `dims`, those beyond the end coming back at the beginning; as one row when `dims` is None."""
    if dims is None:
        return _reshape(roll(f.ravel(input), shifts, 0), input.shape)
    if isinstance(dims, int):
        return _rolled(input, shifts if isinstance(shifts, int) else shifts[0], dims)
    result = input
    for shift, dim in zip(shifts if isinstance(shifts, list | tuple) else (shifts,), dims, strict=True):
        result = _rolled(result, shift, dim)
    return result


def _rolled(input: Any, shift: int, dim: int) -> Any:
    size = input.shape[dim]
    first = (size - shift) % size if size else 0
    if first == 0:
        return input
    return _rotate(input, dim, first)


def repeat_interleave(input: Any, repeats: Any, axis: Any = None) -> Any:
    """Each slice along `axis` repeated, one behind the other; the elements as one row when `axis` is None.

    Args:
        repeats: how often: an int, or one int for each slice.
    """
    source = f.ravel(input) if axis is None else input
    place = 0 if axis is None else f.dimension("repeat_interleave", "axis", axis, source)
    if isinstance(repeats, Tensor):
        repeats = repeats.tolist()
    if isinstance(repeats, int):
        spread = _expand_dims(source, place + 1)
        wide = (*source.shape[: place + 1], repeats, *source.shape[place + 1 :])
        return _reshape(
            f.broadcast_to(spread, wide),
            (*source.shape[:place], source.shape[place] * repeats, *source.shape[place + 1 :]),
        )
    return _gather(source, Tensor(_repeated(repeats, source.shape[place])), place)


def _repeated(repeats: Any, count: int) -> Any:
    """The position of each repeated slice."""
    times = np.asarray(repeats)
    if times.size not in (1, count) or times.ndim > 1 or times.dtype.kind not in "iu" or (times < 0).any():
        raise ValueError(
            f"For 'repeat_interleave', 'repeats' must be ints that are not negative, one or {count}, but got {repeats}."
        )
    return np.repeat(np.arange(count), times)


_repeated.__constexpr__ = True  # type: ignore[attr-defined]


def repeat(input: Any, *repeats: Any, axis: Any = None) -> Any:
    """Repeated so many times along each dimension, like `tile`; with `axis` each slice along it, like `repeat_interleave`."""
    return _tile(input, f.sizes(repeats)) if axis is None else repeat_interleave(input, repeats[0], axis)


def expand_as(input: Any, other: Any) -> Any:
    """`input` broadcast to the shape of `other`."""
    f.needs_tensor("expand_as", "other", other)
    return f.broadcast_to(input, other.shape)


def view_as(input: Any, other: Any) -> Any:
    """The elements under the shape of `other`."""
    f.needs_tensor("view_as", "other", other)
    return _reshape(input, other.shape)


def masked_select(input: Any, mask: Any) -> Any:
    """The elements of `input` where `mask` is true, as one row; both broadcast. Only in PYNATIVE mode: their number is known at run time.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.masked_select(Tensor([1, 2, 3]), Tensor([True, False, True])))
        [1 3]
    """
    f.needs_tensor("masked_select", "input", input)
    f.needs_tensor("masked_select", "mask", mask)
    shape = _common(input.shape, mask.shape)
    places = np.flatnonzero(f.broadcast_to(mask, shape).asnumpy())
    return _gather(f.ravel(f.broadcast_to(input, shape)), Tensor(places), 0)


def _common(first: Any, second: Any) -> Any:
    return broadcast(first, second)


_common.__constexpr__ = True  # type: ignore[attr-defined]


def nonzero(input: Any, *, as_tuple: bool = False) -> Any:
    """Int64 positions of the elements that are not zero: a row for each, or a tensor for each dimension. Only in PYNATIVE mode.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.nonzero(Tensor([[1, 0], [0, 2]])))
        [[0 0]
         [1 1]]
    """
    f.needs_tensor("nonzero", "input", input)
    found = _places(input.asnumpy())
    return tuple(map(Tensor, found)) if as_tuple else Tensor(np.stack(found, 1))


def _places(array: Any) -> Any:
    """The Int64 positions of what is not zero, for each dimension."""
    if array.ndim < 2:
        return array.nonzero()
    return np.unravel_index(np.flatnonzero(array), array.shape)
