"""What an index takes out of a tensor of some shape, by numpy's rules, as numbers that need no tensor: `planned`.

Tensors in an index are described by `At`; everything else in it is known. Basic indices (ints, slices, None, ``...``) give a `Window`,
those with arrays a `Walk` over whose sizes the arrays broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, Span, broadcast, row_major_strides, span
from mindspore.base.symbolic import Size, integer
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Pick, Walk


@dataclass(frozen=True, slots=True)
class At:
    """A tensor in an index: the place of its elements is known at run time. ``mask``: it is Bool."""

    shape: Shape
    mask: bool


@dataclass(frozen=True, slots=True)
class Window:
    """What a basic index takes.

    Attributes:
        begin, end, strides: Python's slice of each dimension that the index names; later dimensions are taken whole.
        shape: sizes of the result.
        sources: for each dimension of the result the one that it comes from, None for a new one.
    """

    begin: tuple[int | None, ...]
    end: tuple[int | None, ...]
    strides: tuple[int, ...]
    shape: Shape
    sources: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """``walk`` over the tensor gives the result in row-major order. ``indices``: for each pick an array, or the number of an `At`.

    ``window`` is set for basic indices without tensors.
    """

    walk: Walk
    indices: tuple[Any, ...]
    window: Window | None

    @property
    def shape(self) -> Shape:
        return self.walk.sizes


@dataclass(slots=True)
class _Part:
    """One entry of an index, written out: ``new``, a ``slice`` (`taken` positions), an ``int`` (`taken` has one) or an ``array``."""

    kind: str
    dimension: int = -1
    taken: Span = field(default_factory=lambda: Span(0, 1, 0))
    given: slice = field(default_factory=lambda: slice(None))
    array: Any = None

    @property
    def picks(self) -> bool:
        return self.kind in ("int", "array")


def described(shape: Shape, dtype: DType) -> At:
    """A tensor of an index.

    Raises:
        IndexError: its elements are neither integers nor Bool.
    """
    if not dtype.is_integer and dtype.kind != "b":
        raise IndexError(
            f"a tensor that is an index must hold integers or Bool, but got a Tensor of type {TensorType(dtype, shape)}."
        )
    return At(tuple(shape), dtype.kind == "b")


def planned(shape: Shape, index: Any) -> Plan:
    """What `index`, an entry or a tuple of them, takes out of a tensor of `shape`.

    Raises:
        IndexError: something that is no index, too many of them, one out of bounds, or arrays that do not broadcast.
    """
    numbered = _numbered(index if isinstance(index, tuple) else (index,))
    parts = _parts(shape, _written_out(numbered, len(shape)))
    parts += [
        _Part("slice", i, Span(0, 1, shape[i]))
        for i in range(1 + max((p.dimension for p in parts), default=-1), len(shape))
    ]
    own = row_major_strides(shape)
    arrays = [p for p in parts if p.kind == "array"]
    common = _common([p.array[1] for p in arrays])
    before, after = _around(parts, bool(common) or any(p.dimension < 0 for p in arrays))
    sizes = (*(_size(p) for p in before), *common, *(_size(p) for p in after))
    lead = (0,) * len(common)
    strides = (*(_step(p, own) for p in before), *lead, *(_step(p, own) for p in after))
    offset = sum(p.taken.start * own[p.dimension] for p in parts if p.taken.count)
    chosen = [p for p in arrays if p.dimension >= 0]
    picks = tuple(
        Pick((0,) * len(before) + _spread(p.array[1], common) + (0,) * len(after), shape[p.dimension], own[p.dimension])
        for p in chosen
    )
    window = None if arrays else _window(parts, sizes, len(shape))
    return Plan(Walk(sizes, offset, strides, picks), tuple(p.array[0] for p in chosen), window)


described.__constexpr__ = planned.__constexpr__ = True  # type: ignore[attr-defined]


def _numbered(index: tuple[Any, ...]) -> list[Any]:
    """Entries with lists as arrays, and each `At` with its number among them."""
    found: list[Any] = []
    for each in index:
        if isinstance(each, At):
            found.append((sum(isinstance(f, tuple) for f in found), each))
        elif each is None or each is Ellipsis or isinstance(each, slice):
            found.append(each)
        else:
            found.append(_array(each))
    return found


def _array(given: Any) -> Any:
    """An int, or an array of integers or of Bool."""
    if not isinstance(given, bool | np.ndarray) and hasattr(given, "__index__"):
        return integer(given)
    if isinstance(given, bool | list | tuple | np.ndarray | np.bool_):
        array = np.asarray(given)
        if not array.size and isinstance(given, list | tuple):
            array = array.astype(np.int64)
        if array.dtype.kind in "iu":
            return array.astype(np.int64) if array.ndim else int(array)
        if array.dtype.kind == "b":
            return array
    raise IndexError(
        f"expected ints, slices, None, '...', tensors or lists of integers or Bool as an index, but got {given!r} of type "
        f"{type(given).__name__}."
    )


def _dimensions(entry: Any) -> int:
    """How many dimensions of the tensor an entry is about."""
    if entry is None or entry is Ellipsis:
        return 0
    if isinstance(entry, np.ndarray) and entry.dtype.kind == "b":
        return entry.ndim
    if isinstance(entry, tuple) and entry[1].mask:
        return len(entry[1].shape)
    return 1


def _written_out(index: Sequence[Any], rank: int) -> list[Any]:
    """The index with ``...`` as the slices it stands for."""
    used = sum(map(_dimensions, index))
    if used > rank:
        raise IndexError(f"too many indices for tensor of dimension {rank}: got {used}.")
    places = [i for i, each in enumerate(index) if each is Ellipsis]
    if len(places) > 1:
        raise IndexError("an index can only have a single ellipsis ('...').")
    if not places:
        return list(index)
    return [*index[: places[0]], *[slice(None)] * (rank - used), *index[places[0] + 1 :]]


def _parts(shape: Shape, index: Sequence[Any]) -> list[_Part]:
    found: list[_Part] = []
    dimension = 0
    for each in index:
        size = shape[dimension] if _dimensions(each) else 0
        if each is None:
            found.append(_Part("new"))
        elif isinstance(each, slice):
            found.append(_Part("slice", dimension, span(each, size), each))
        elif isinstance(each, int | Size):
            place = _position(each, size)
            found.append(_Part("int", dimension, Span(place, 1, 1), slice(place, place + 1, 1)))
        else:
            found += _array_parts(shape, dimension, each)
        dimension += _dimensions(each)
    return found


def _array_parts(shape: Shape, dimension: int, entry: Any) -> list[_Part]:
    """A part for each dimension that an array, or a tensor with its number, is about."""
    if isinstance(entry, tuple):
        number, at = entry
        if at.mask:
            raise IndexError(
                "how many elements a mask takes is known at run time only, but shapes in a graph must be known while compiling; "
                "use where or masked_fill to keep the shape, a mask that is a constant, or index outside of the graph."
            )
        return [_Part("array", dimension, array=(number, at.shape))]
    if entry.dtype.kind != "b":
        wrong = entry[(entry < -shape[dimension]) | (entry >= shape[dimension])]
        if wrong.size:
            _position(int(wrong.flat[0]), shape[dimension])
        return [_Part("array", dimension, array=(entry, entry.shape))]
    _check_mask(shape, dimension, entry.shape)
    if not entry.ndim:
        return [_Part("array", -1, array=(None, (int(entry),)))]
    return [_Part("array", dimension + i, array=(a, a.shape)) for i, a in enumerate(entry.nonzero())]


def _check_mask(shape: Shape, dimension: int, mask: Shape) -> None:
    wanted = shape[dimension : dimension + len(mask)]
    if mask != wanted:
        raise IndexError(
            f"a mask must have the sizes of the dimensions that it is for: expected {wanted} from dimension {dimension} on, but got {mask}."
        )


def _position(place: Any, size: Any) -> Any:
    if not -size <= place < size:
        raise IndexError(f"index {place} is out of bounds for dimension with size {size}.")
    return place + size if place < 0 else place


def _common(shapes: Sequence[Shape]) -> Shape:
    found = broadcast_or_none(*shapes)
    if found is None:
        listed = ", ".join(map(str, shapes))
        raise IndexError(f"the arrays of an index must broadcast to one shape, but got the shapes {listed}.")
    return found


def broadcast_or_none(*shapes: Shape) -> Shape | None:
    """The common shape, None when there is none."""
    try:
        return broadcast(*shapes)
    except ValueError:
        return None


def _around(parts: Sequence[_Part], arrays: bool) -> tuple[list[_Part], list[_Part]]:
    """The parts whose dimensions come before and after those of the arrays, which stand at the first one, or in front when apart."""
    kept = [p for p in parts if not p.picks]
    if not arrays:
        return kept, []
    places = [i for i, p in enumerate(parts) if p.picks]
    together = places[-1] - places[0] == len(places) - 1
    front = sum(not p.picks for p in parts[: places[0]]) if together else 0
    return kept[:front], kept[front:]


def _size(part: _Part) -> int:
    return 1 if part.kind == "new" else part.taken.count


def _step(part: _Part, own: Shape) -> int:
    return 0 if part.kind == "new" else part.taken.step * own[part.dimension]


def _spread(shape: Shape, common: Shape) -> Shape:
    """Strides of an array of `shape` over the common shape."""
    padded = (1,) * (len(common) - len(shape)) + tuple(shape)
    return tuple(0 if n == 1 else s for n, s in zip(padded, row_major_strides(padded), strict=True))


def _window(parts: Sequence[_Part], shape: Shape, rank: int) -> Window:
    named = sorted((p for p in parts if p.dimension >= 0), key=lambda p: p.dimension)
    return Window(
        tuple(p.given.start for p in named),
        tuple(p.given.stop for p in named),
        tuple(p.taken.step for p in named),
        shape,
        tuple(None if p.kind == "new" else p.dimension for p in parts if p.kind != "int"),
    )


@dataclass(frozen=True, slots=True)
class MaskPlan:
    """An index with one mask that is known at run time.

    Attributes:
        region: the index with the mask's dimensions taken whole.
        mask: the mask's shape among the dimensions of the region.
        value: the shape under which what is assigned broadcasts to the region.
        whole: the region is the tensor itself.
    """

    region: tuple[Any, ...]
    mask: Shape
    value: Shape
    whole: bool


def mask_planned(shape: Shape, index: Any, value: Shape) -> MaskPlan:
    """How to assign a value of that shape to the elements that `index`, one entry of which is a mask, takes.

    Raises:
        IndexError: other arrays beside the mask.
        ValueError: the value has an element for each one that the mask takes: their number is not known.
    """
    entries = _written_out(_numbered(index if isinstance(index, tuple) else (index,)), len(shape))
    places = [i for i, e in enumerate(entries) if isinstance(e, tuple | np.ndarray)]
    if len(places) > 1:
        raise IndexError(
            "a mask that is known at run time cannot stand beside other arrays in an index; apply them one after the other."
        )
    at = entries[places[0]][1]
    rank = len(at.shape)
    before = entries[: places[0]]
    dimension = sum(map(_dimensions, before))
    _check_mask(shape, dimension, at.shape)
    region = (*before, *[slice(None)] * rank, *entries[places[0] + 1 :])
    sizes = planned(shape, region).shape
    kept = sum(not isinstance(e, int) for e in before)
    picked = [i for i, e in enumerate(entries) if isinstance(e, int | tuple)]
    count = kept if picked[-1] - picked[0] == len(picked) - 1 else 0
    result = len(sizes) - rank + 1
    padded = (1,) * (result - len(value)) + tuple(value)
    if len(padded) > result or padded[count] != 1:
        raise ValueError(
            f"a value of shape {tuple(value)} has elements for each one that the mask takes, whose number is known at run time only; "
            "assign a value that is the same for all of them, or use where."
        )
    spread = [n for i, n in enumerate(padded) if i != count]
    spread[kept:kept] = [1] * rank
    mask = (*[1] * kept, *at.shape, *[1] * (len(sizes) - kept - rank))
    whole = all(isinstance(e, slice) and e == slice(None) for e in region) and len(sizes) == len(shape)
    return MaskPlan(region, mask, tuple(spread), whole)


mask_planned.__constexpr__ = True  # type: ignore[attr-defined]
