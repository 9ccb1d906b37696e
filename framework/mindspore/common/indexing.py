"""``x[index]`` and ``x[index] = value`` as numpy users know them: `index_plan` says what an index takes.

Reading by ints, slices, None and ``...`` gives a view of the memory in PYNATIVE mode, everything else a copy. Writing changes the tensor in
place there; in graphs it makes a new value for the name. Graph mode compiles the source of the functions ``graph_...``.
"""

from __future__ import annotations

import operator
from functools import lru_cache
from typing import Any

from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.common.eager import function
from mindspore.common.index_plan import At, Plan, Window, broadcast_or_none, described, mask_planned, planned
from mindspore.common.tensor_class import Tensor
from mindspore.common.writes import record_elements

_strided_slice = function("strided_slice")
_reshape = function("reshape")
_gather = function("gather_strided")
_scatter = function("scatter_strided")
_stack = function("stack")
_cast = function("cast")
_full = function("full")
_select = function("select")
_int64 = dt.int64
_bool = dt.bool_


def graph_getitem(x: Any, index: Any) -> Any:
    """How graphs read ``x[index]``."""
    tensors, entries = _taken_apart(index)
    plan = planned(x.shape, entries)
    if plan.window is not None:
        return _sliced(x, plan.window)
    return _gather((x, *_index_tensors(plan.indices, tensors)), plan.walk)


def graph_setitem(x: Any, index: Any, value: Any) -> Any:
    """How graphs write ``x[index] = value``: a new tensor."""
    tensors, entries = _taken_apart(index)
    mask = _mask_of(tensors)
    if mask is not None:
        return _with_masked(x, entries, mask, value)
    plan = planned(x.shape, entries)
    given = _fitting(value, x.dtype, plan.shape)
    return _scatter((x, given, *_index_tensors(plan.indices, tensors)), plan.walk, "set")


def _taken_apart(index: Any) -> Any:
    """The tensors of an index, and the index with their descriptions in their places."""
    tensors = []
    entries = []
    for each in index if isinstance(index, tuple) else (index,):
        entry = _stacked(each) if isinstance(each, list) else each
        if isinstance(entry, slice):
            _refuse_run_time_bounds(entry)
        if isinstance(entry, Tensor):
            tensors.append(entry)
            entries.append(described(entry.shape, entry.dtype))
        else:
            entries.append(entry)
    return tensors, tuple(entries)


def _stacked(entries: Any) -> Any:
    """A list with tensors in it as one tensor."""
    for each in entries:
        if isinstance(each, Tensor):
            return _stack([_cast(e, _int64) if isinstance(e, Tensor) else _full((), e, _int64) for e in entries])
    return entries


def _refuse_run_time_bounds(bounds: Any) -> None:
    for each in (bounds.start, bounds.stop, bounds.step):
        if isinstance(each, Tensor):
            raise IndexError(
                "the length of a slice in a graph must be known while compiling, but got a Tensor as a bound: bounds may be known at "
                "run time only when they differ by a constant, as in x[start : start + 3]. Take such a slice, or multiply with a mask."
            )


def _index_tensors(indices: Any, tensors: Any) -> Any:
    """What the picks of a plan read, in order, as Int64."""
    found = []
    for each in indices:
        if isinstance(each, int):
            found.append(_cast(tensors[each], _int64))
        else:
            found.append(each)
    return found


def _sliced(x: Any, taken: Window) -> Any:
    """The elements in a window, as operators."""
    part = _strided_slice(x, taken.begin, taken.end, taken.strides)
    return part if part.shape == taken.shape else _reshape(part, taken.shape)


def _fitting(value: Any, dtype: Any, shape: Any) -> Any:
    """A value to assign as a tensor of `dtype`, without more dimensions than `shape` has."""
    given = _as_tensor(value, dtype)
    extra = given.ndim - len(shape)
    if extra > 0 and given.shape[:extra] == (1,) * extra:
        return _reshape(given, given.shape[extra:])
    return given


def _as_tensor(value: Any, dtype: Any) -> Any:
    if isinstance(value, Tensor):
        return _cast(value, dtype)
    if isinstance(value, list | tuple):
        return _stack([_as_tensor(each, dtype) for each in value])
    if isinstance(value, str) or value is None:
        raise TypeError(f"expected a number, Tensor, list or tuple to assign to elements, but got {value!r}.")
    return _full((), value, dtype)


def _with_masked(x: Any, entries: Any, mask: Any, value: Any) -> Any:
    """`x` with the value where the mask is true, in the part that the other entries take."""
    given = _as_tensor(value, x.dtype)
    plan = mask_planned(x.shape, entries, given.shape)
    old = x if plan.whole else graph_getitem(x, plan.region)
    return _chosen(x, plan, mask, _reshape(given, plan.value), old)


def graph_masked_region(x: Any, index: Any) -> Any:
    """The part of `x` that an index with a mask may take, whole: what ``x[mask] += value`` computes with."""
    _, entries = _taken_apart(index)
    plan = mask_planned(x.shape, entries, ())
    return x if plan.whole else graph_getitem(x, plan.region)


def graph_masked_value(x: Any, index: Any, value: Any) -> Any:
    """`value` in the form in which it broadcasts to that part."""
    if not isinstance(value, Tensor):
        return value
    _, entries = _taken_apart(index)
    return _reshape(value, mask_planned(x.shape, entries, value.shape).value)


def graph_masked_write(x: Any, index: Any, region: Any) -> Any:
    """`x` with the elements that an index with a mask takes from `region`, the whole part."""
    tensors, entries = _taken_apart(index)
    plan = mask_planned(x.shape, entries, ())
    old = x if plan.whole else graph_getitem(x, plan.region)
    return _chosen(x, plan, _mask_of(tensors), _cast(region, x.dtype), old)


def _mask_of(tensors: Any) -> Any:
    for each in tensors:
        if each.dtype is _bool:
            return each
    return None


def _chosen(x: Any, plan: Any, mask: Any, value: Any, old: Any) -> Any:
    """`x` with `value` where the mask is true in the part `old` of it."""
    new = _select(_reshape(mask, plan.mask), value, old)
    return new if plan.whole else graph_setitem(x, plan.region, new)


def getitem(x: Tensor, index: Any) -> Any:
    """A view of the elements that a basic index takes, operators when it is recorded for gradients; else a copy of them."""
    key, recorded = _hashable(index), _native.get_tape() is not None
    if key is not None and not recorded:
        return _native.TensorBase.view(x, *_known_view(x.shape, x.strides, x.itemsize, key))
    entries, tensors = _seen(index)
    described_key = _hashable(entries)
    plan = planned(x.shape, entries) if described_key is None else _known_plan(x.shape, described_key)
    if plan.window is None:
        return _gather((x, *_eager_tensors(plan, tensors)), plan.walk)
    return _sliced(x, plan.window) if recorded else view_of(x, plan.window)


_NUMBERS = frozenset({int, float})
_BOUNDS = frozenset({int, type(None)})
_ENTRIES = frozenset({int, type(None), type(Ellipsis), At})


def _hashable(index: Any) -> tuple[Any, ...] | None:
    """An index whose plan can be kept: slices as tuples, beside ints, None, ``...`` and descriptions of tensors. None for any other."""
    found: list[Any] = []
    for each in index if type(index) is tuple else (index,):
        kind = type(each)
        if kind is slice:
            start, stop, step = each.start, each.stop, each.step
            if type(start) not in _BOUNDS or type(stop) not in _BOUNDS or type(step) not in _BOUNDS:
                return None
            found.append((start, stop, step))
        elif kind in _ENTRIES:
            found.append(each)
        else:
            return None
    return tuple(found)


@lru_cache(maxsize=4096)
def _known_plan(shape: tuple[int, ...], key: tuple[Any, ...]) -> Plan:
    """The plan of a `_hashable` index."""
    return planned(shape, tuple(slice(*each) if isinstance(each, tuple) else each for each in key))


@lru_cache(maxsize=4096)
def _known_view(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, key: tuple[Any, ...]
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    """Shape, strides and offset in elements of the view that a basic index gives of a tensor."""
    taken = _known_plan(shape, key).window
    assert taken is not None
    return _view(shape, strides, itemsize, taken)


def _seen(index: Any) -> tuple[tuple[Any, ...], list[Tensor]]:
    """The entries of an index: tensors of one integer as ints, masks as arrays, other tensors described; and those tensors."""
    entries: list[Any] = []
    tensors: list[Tensor] = []
    for each in index if isinstance(index, tuple) else (index,):
        entry = _known(each)
        if isinstance(entry, Tensor):
            tensors.append(entry)
            entry = described(entry.shape, entry.dtype)
        entries.append(entry)
    return tuple(entries), tensors


def _known(entry: Any) -> Any:
    if isinstance(entry, Tensor):
        if entry.dtype.kind == "b":
            return entry.asnumpy()
        return int(entry) if entry.shape == () and entry.dtype.is_integer else entry
    if isinstance(entry, slice):
        return slice(*[None if b is None else operator.index(b) for b in (entry.start, entry.stop, entry.step)])
    if isinstance(entry, list | tuple) and any(isinstance(e, Tensor) for e in entry):
        return [e.asnumpy() if isinstance(e, Tensor) else e for e in entry]
    return entry


def _eager_tensors(plan: Plan, tensors: list[Tensor]) -> list[Any]:
    return [_cast(tensors[i], _int64) if isinstance(i, int) else Tensor(i) for i in plan.indices]


def _view(
    shape: tuple[int, ...], strides: tuple[int, ...], itemsize: int, taken: Window
) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    own = [s // itemsize for s in strides]
    offset = 0
    steps = list(own)
    for i, each in enumerate(zip(taken.begin, taken.end, taken.strides, strict=True)):
        positions = range(*slice(*each).indices(shape[i]))
        offset += (positions.start if len(positions) else 0) * own[i]
        steps[i] = own[i] * positions.step
    return taken.shape, tuple(1 if source is None else steps[source] for source in taken.sources), offset


def view_of(x: Tensor, taken: Window) -> Tensor:
    """A tensor over the memory of the elements in the window."""
    result: Tensor = _native.TensorBase.view(x, *_view(x.shape, x.strides, x.itemsize, taken))
    return result


def setitem(x: Tensor, index: Any, value: Any) -> None:
    """``x[index] = value``: a number, or a tensor, array or list that broadcasts to the elements taken."""
    key = _hashable(index)
    if key is not None and type(value) in _NUMBERS and x.dtype.is_floating and _native.get_tape() is None:
        _known_plan(x.shape, key)
        x.asnumpy()[index] = value
        return
    entries = tuple(map(_as_known, index)) if isinstance(index, tuple) else (_as_known(index),)
    plan = planned(x.shape, entries) if key is None else _known_plan(x.shape, key)
    source = _assigned(x, plan, value)
    record_elements(x, source, plan.walk, plan.indices)
    if plan.window is None:
        x.asnumpy()[entries] = source.asnumpy()
    else:
        target = view_of(x, plan.window)
        target.assign_from(source if source.shape == target.shape else source.broadcast_to(target.shape))


def _as_known(entry: Any) -> Any:
    """An entry of an index without tensors."""
    known = _known(entry)
    return known.asnumpy() if isinstance(known, Tensor) else known


def _assigned(x: Tensor, plan: Plan, value: Any) -> Tensor:
    """The value as a tensor of `x`'s type that broadcasts to the elements taken."""
    given = value if isinstance(value, Tensor) else _converted(value, x)
    source: Tensor = given if given.dtype is x.dtype else given.astype(x.dtype)
    extra = source.ndim - len(plan.shape)
    if extra > 0 and source.shape[:extra] == (1,) * extra:
        source = source.reshape(source.shape[extra:])
    if source.ndim and broadcast_or_none(source.shape, plan.shape) != plan.shape:
        raise ValueError(
            f"a value of shape {given.shape} does not broadcast to the elements taken, which have the shape {plan.shape}."
        )
    return source


def _converted(value: Any, x: Tensor) -> Tensor:
    if not isinstance(value, bool | int | float | complex | list | tuple) and not hasattr(value, "__array__"):
        raise TypeError(
            f"expected a number, Tensor, list or tuple to assign to elements, but got {type(value).__name__}."
        )
    return Tensor(value, x.dtype)
