"""``x[index]`` and ``x[index] = value`` with ints, slices, None, ``...`` and tuples of them. Reading gives a view of the memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.common.eager import function
from mindspore.common.tensor_class import Tensor
from mindspore.common.writes import SETITEM, record_write

_strided_slice = function("strided_slice")
_reshape = function("reshape")
_slice_grad = function("strided_slice_grad")
_broadcast_to = function("broadcast_to")
_cast = function("cast")
_full = function("full")
_select = function("select")
_bool = dt.bool_
_CHOOSING = "use where or masked_fill to choose elements by a tensor."


@dataclass(frozen=True, slots=True)
class Window:
    """What an index takes.

    Attributes:
        begin, end, strides: Python's slice of each dimension that the index names; later dimensions are taken whole.
        shape: sizes of the result.
        sources: for each dimension of the result the one that it comes from, None for a new one.
    """

    begin: tuple[int | None, ...]
    end: tuple[int | None, ...]
    strides: tuple[int, ...]
    shape: tuple[int, ...]
    sources: tuple[int | None, ...]


def window(shape: tuple[int, ...], index: Any) -> Window:
    """The window of `index` over a tensor of this shape.

    Raises:
        IndexError: an int out of range, too many indices, or something that is not an index.
    """
    slices: list[slice] = []
    sizes: list[int] = []
    sources: list[int | None] = []
    for each in _written_out(index if isinstance(index, tuple) else (index,), len(shape)):
        if each is None:
            sizes.append(1)
            sources.append(None)
        elif isinstance(each, slice):
            step = each.indices(shape[len(slices)])[2]
            sizes.append(len(range(*each.indices(shape[len(slices)]))))
            sources.append(len(slices))
            slices.append(slice(each.start, each.stop, step))
        else:
            place = _position(each, shape[len(slices)])
            slices.append(slice(place, place + 1, 1))
    rest = range(len(slices), len(shape))
    return Window(
        tuple(s.start for s in slices),
        tuple(s.stop for s in slices),
        tuple(s.step for s in slices),
        (*sizes, *[shape[i] for i in rest]),
        (*sources, *rest),
    )


window.__constexpr__ = True  # type: ignore[attr-defined]


def _written_out(index: tuple[Any, ...], rank: int) -> list[Any]:
    """The index with ``...`` as the slices it stands for."""
    used = sum(1 for i in index if i is not None and i is not Ellipsis)
    if used > rank:
        raise IndexError(f"too many indices for tensor of dimension {rank}: got {used}.")
    places = [i for i, each in enumerate(index) if each is Ellipsis]
    if len(places) > 1:
        raise IndexError("an index can only have a single ellipsis ('...').")
    if not places:
        return list(index)
    return [*index[: places[0]], *[slice(None)] * (rank - used), *index[places[0] + 1 :]]


def _position(index: Any, size: int) -> int:
    whole = not isinstance(index, bool | np.ndarray) and hasattr(index, "__index__")
    if isinstance(index, Tensor):
        whole = index.shape == () and index.dtype.is_integer
    if not whole:
        raise IndexError(
            f"expected an int, slice, None, '...' or a tuple of them as index, but got {_described(index)}; {_CHOOSING}"
        )
    place = int(index.__index__())
    if not -size <= place < size:
        raise IndexError(f"index {place} is out of bounds for dimension with size {size}.")
    return place + size if place < 0 else place


def _described(index: Any) -> str:
    if isinstance(index, Tensor):
        return f"a Tensor of type {index.__tensor_type__}"
    return f"{index!r} of type {type(index).__name__}"


def _refuse_tensors(index: Any) -> None:
    for each in index if isinstance(index, tuple) else (index,):
        if isinstance(each, Tensor):
            raise IndexError(
                f"an index in a graph must be known while compiling, but got a Tensor of shape {each.shape}; {_CHOOSING}"
            )


def graph_getitem(x: Any, index: Any) -> Any:
    """How graphs read ``x[index]``."""
    _refuse_tensors(index)
    return slice_of(x, index)


def graph_setitem(x: Any, index: Any, value: Any) -> Any:
    """How graphs write ``x[index] = value``: a new tensor."""
    _refuse_tensors(index)
    return with_item(x, index, value)


def slice_of(x: Any, index: Any) -> Any:
    """The elements that `index` takes, as operators."""
    taken = window(x.shape, index)
    part = _strided_slice(x, taken.begin, taken.end, taken.strides)
    return part if part.shape == taken.shape else _reshape(part, taken.shape)


def getitem(x: Tensor, index: Any) -> Any:
    """A view of the elements that `index` takes; operators when it is recorded for gradients."""
    if _native.get_tape() is not None:
        return slice_of(x, index)
    return view_of(x, window(x.shape, index))


def with_item(x: Any, index: Any, value: Any) -> Any:
    """`x` with other elements where `index` takes them."""
    taken = window(x.shape, index)
    box = _strided_slice(x, taken.begin, taken.end, taken.strides).shape
    given = value if isinstance(value, Tensor) else _full(taken.shape, value, x.dtype)
    whole = _reshape(_broadcast_to(given, taken.shape), box)
    placed = _slice_grad(_cast(whole, x.dtype), x.shape, taken.begin, taken.end, taken.strides)
    mask = _slice_grad(_full(box, True, _bool), x.shape, taken.begin, taken.end, taken.strides)
    return _select(mask, placed, x)


def view_of(x: Tensor, taken: Window) -> Tensor:
    """A tensor over the memory of the elements in the window."""
    own = [s // x.itemsize for s in x.strides]
    offset = 0
    steps = list(own)
    for i, each in enumerate(zip(taken.begin, taken.end, taken.strides, strict=True)):
        positions = range(*slice(*each).indices(x.shape[i]))
        offset += (positions.start if len(positions) else 0) * own[i]
        steps[i] = own[i] * positions.step
    strides = tuple(1 if source is None else steps[source] for source in taken.sources)
    result: Tensor = _native.TensorBase.view(x, taken.shape, strides, offset)
    return result


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: a number, or a tensor or list that broadcasts to the elements taken."""
    target = view_of(x, window(x.shape, index))
    given = value if isinstance(value, Tensor) else _converted(value, x)
    record_write(SETITEM, x, given)
    source = given if given.dtype is x.dtype else given.astype(x.dtype)
    if source.shape != target.shape:
        source = source.broadcast_to(target.shape)
    target.assign_from(source)


def _converted(value: Any, x: Tensor) -> Tensor:
    if not isinstance(value, bool | int | float | complex | list | tuple) and not hasattr(value, "__array__"):
        raise TypeError(
            f"expected a number, Tensor, list or tuple to assign to elements, but got {type(value).__name__}."
        )
    return Tensor(value, x.dtype)
