"""Affine reads: from a position in row-major order of a loop's index space to an element of a buffer.

Reshape, transpose, broadcast, slice and flip are all reads of this kind; composing them is how views cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from mindspore.base.shapes import Shape, row_major_strides, size
from mindspore.primitives.compute import Copy

WIDE, OFTEN = 16, 8
"""Elements of a row, and how often they are read, from which a copy in order costs less than reading across memory."""


@dataclass(frozen=True, slots=True)
class Access:
    """Element ``offset + sum(i * stride)`` where i are the digits of a row-major position over ``dims``; collapsed as far as possible."""

    dims: Shape
    strides: Shape
    offset: int = 0

    @property
    def size(self) -> int:
        return size(self.dims)

    @property
    def is_identity(self) -> bool:
        return self.offset == 0 and (self.strides == (1,) or not self.dims)

    @property
    def is_uniform(self) -> bool:
        """Every position reads the same element."""
        return not any(self.strides)


def identity(count: int) -> Access:
    """Position p reads element p."""
    return _identity(count) if type(count) is int else collapsed((count,), (1,))


@lru_cache(maxsize=4096)
def _identity(count: int) -> Access:
    return collapsed((count,), (1,))


def collapsed(dims: Sequence[int], strides: Sequence[int], offset: int = 0) -> Access:
    """The canonical access: no dimension of 1, neighbours merged where one stride continues the other."""
    result: list[tuple[int, int]] = []
    for dim, stride in zip(dims, strides, strict=True):
        if dim == 1:
            continue
        if result and result[-1][1] == stride * dim:
            result[-1] = (result[-1][0] * dim, stride)
        else:
            result.append((dim, stride))
    if size([d for d, _ in result]) == 0:
        return Access((0,), (1,))
    return Access(tuple(d for d, _ in result), tuple(s for _, s in result), offset)


def broadcast_access(shape: Shape, to: Shape) -> Access:
    """Reads a contiguous tensor of `shape` at the positions of the broadcast shape `to`."""
    known = all(type(n) is int for n in shape) and all(type(n) is int for n in to)
    return (_broadcast_once if known else _broadcast)(shape, to)


def _broadcast(shape: Shape, to: Shape) -> Access:
    padded = (1,) * (len(to) - len(shape)) + tuple(shape)
    strides = [0 if have == 1 else s for have, s in zip(padded, row_major_strides(padded), strict=True)]
    return collapsed(to, strides)


_broadcast_once = lru_cache(maxsize=4096)(_broadcast)
"""Not for symbolic sizes: what is remembered is found by comparing."""


def of_copy(box: Copy, count: int) -> Access | None:
    """The read that a Move of this one box is, None when the box does not fill `count` elements in row-major order."""
    dims = sorted(
        ((o, n, i) for n, i, o in zip(box.sizes, box.in_strides, box.out_strides, strict=True) if n != 1),
        key=lambda d: -d[0],
    )
    sizes = [n for _, n, _ in dims]
    if box.out_offset or size(sizes) != count or [o for o, _, _ in dims] != list(row_major_strides(sizes)):
        return None
    return collapsed(sizes, [i for _, _, i in dims], box.in_offset)


def compose(outer: Access, inner: Access) -> Access | None:
    """`inner` read at the positions that `outer` gives; None when that is not affine."""
    if inner.is_identity:
        return outer
    if outer.is_identity and outer.size == inner.size:
        return inner
    weights = row_major_strides(inner.dims)
    digits = _digits(outer.offset, inner.dims, weights)
    reach = list(digits)
    dims, strides = [], []
    for term in zip(outer.dims, outer.strides, strict=True):
        for count, stride, position in _split(term, inner.dims, weights):
            if stride < 0:
                return None
            dims.append(count)
            strides.append(0 if position is None else stride * inner.strides[position])
            if position is not None:
                reach[position] += (count - 1) * stride
        if size(dims) == 0:
            return None
    if size(dims) != outer.size or any(r >= n for r, n in zip(reach, inner.dims, strict=True)):
        return None
    offset = inner.offset + sum(d * s for d, s in zip(digits, inner.strides, strict=True))
    return collapsed(dims, strides, offset)


def _digits(position: int, dims: Shape, weights: Shape) -> list[int]:
    return [position // w % n for n, w in zip(dims, weights, strict=True)]


def _split(term: tuple[int, int], dims: Shape, weights: Shape) -> list[tuple[int, int, int | None]]:
    """One outer dimension as (count, multiple, inner digit) parts, outermost first; a part that does not fit has a negative multiple."""
    count, stride = term
    if stride == 0:
        return [(count, 0, None)]
    bad: list[tuple[int, int, int | None]] = [(count, -1, None)]
    if stride < 0:
        return bad
    parts: list[tuple[int, int, int | None]] = []
    for position in reversed(range(len(dims))):
        weight, extent = weights[position], dims[position]
        if stride >= weight * extent:
            continue
        if stride % weight:
            return bad
        multiple = stride // weight
        if (count - 1) * multiple < extent:
            return [(count, multiple, position), *parts]
        if extent % multiple or count % (extent // multiple):
            return bad
        here = extent // multiple
        parts.insert(0, (here, multiple, position))
        count, stride = count // here, weight * extent
    return bad


def refine(accesses: Iterable[Access], cuts: Iterable[int] = ()) -> Shape | None:
    """The coarsest dimensions over which every access is affine; `cuts` are extra suffix sizes. None when there are none."""
    marks = {1, *cuts}
    for access in accesses:
        step = 1
        for dim in reversed(access.dims):
            step *= dim
            marks.add(step)
    ordered = sorted(marks)
    if not ordered[0]:
        return (0,)
    if any(high % low for low, high in pairwise(ordered)):
        return None
    return tuple(high // low for low, high in reversed(list(pairwise(ordered))))


def strides_over(access: Access, dims: Shape) -> Shape:
    """Strides of `access` over the finer `dims` that `refine` gave."""
    result: list[int] = []
    position = len(access.dims) - 1
    left = access.dims[position] if position >= 0 else 1
    stride = access.strides[position] if position >= 0 else 0
    for dim in reversed(dims):
        if left == 1 and position > 0:
            position -= 1
            left, stride = access.dims[position], access.strides[position]
        result.append(stride)
        left, stride = left // dim, stride * dim
    return tuple(reversed(result))


def cuts(shape: Shape) -> list[int]:
    """Sizes of all trailing parts of `shape`: with these a refinement keeps every dimension."""
    return [size(shape[i:]) for i in range(len(shape)) if size(shape[i:])]


def long(shape: Shape) -> Shape:
    """The dimensions that are not 1."""
    return tuple(n for n in shape if n != 1)


def along(access: Access, shape: Shape) -> Shape | None:
    """Strides of `access` along the dimensions of `shape`, 0 along those of 1; None when one of them is not regular."""
    if refine([access], cuts(shape)) != long(shape):
        return None
    strides = iter(strides_over(access, long(shape)))
    return tuple(0 if n == 1 else next(strides) for n in shape)


def often_across(access: Access, shape: Shape, to: Shape) -> bool:
    """Whether rows of the small `shape` that lie across memory are read again and again when it is broadcast to `to`."""
    if access.is_identity or not shape or any(type(n) is not int for n in (*shape, *to)):
        return False
    return shape[-1] >= WIDE and abs(access.strides[-1]) > 1 and size(to) >= OFTEN * size(shape)
