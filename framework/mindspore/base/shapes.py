"""Shape arithmetic shared by inference, kernels and eager mode."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from mindspore.base.symbolic import integer

Shape = tuple[int, ...]


def size(shape: Sequence[int]) -> int:
    """Number of elements; 1 for a 0-d shape."""
    return prod(shape)


def broadcast(*shapes: Shape) -> Shape:
    """The common shape by numpy's rules; ValueError when there is none."""
    rank = max((len(s) for s in shapes), default=0)
    padded = [(1,) * (rank - len(s)) + tuple(s) for s in shapes]
    result = []
    for dims in zip(*padded, strict=True):
        wanted = [d for d in dims if d != 1]
        if any(d != wanted[0] for d in wanted[1:]):
            raise ValueError(f"shapes {' and '.join(map(str, shapes))} do not broadcast")
        result.append(wanted[0] if wanted else 1)
    return tuple(result)


def row_major_strides(shape: Sequence[int]) -> Shape:
    """Strides in elements of a contiguous tensor."""
    strides, step = [], 1
    for dim in reversed(shape):
        strides.append(step)
        step *= dim
    return tuple(reversed(strides))


@dataclass(frozen=True, slots=True)
class Span:
    """Positions in one dimension: ``count`` of them from ``start`` on, ``step`` apart."""

    start: int
    step: int
    count: int


def span(given: slice, size: int) -> Span:
    """The positions that a slice takes of a dimension, by Python's rules; also where the sizes are symbolic."""
    step = 1 if given.step is None else given.step
    if step == 0:
        raise ValueError("slice step cannot be zero")
    low, high = (0, size) if step > 0 else (-1, size - 1)
    start = _clamped(given.start, high if step < 0 else low, (low, high), size)
    stop = _clamped(given.stop, low if step < 0 else high, (low, high), size)
    count = (stop - start + step - 1) // step if step > 0 else (start - stop - step - 1) // -step
    return Span(start, step, count if count > 0 else 0)


def _clamped(bound: Any, default: int, limits: tuple[int, int], size: int) -> int:
    if bound is None:
        return default
    if bound < 0:
        bound = bound + size
    low, high = limits
    return low if bound < low else high if bound > high else integer(bound)


def normalize_axis(axis: int, rank: int) -> int:
    """`axis` in ``[0, rank)``; ValueError names the allowed range, TypeError something that is no int."""
    if not hasattr(axis, "__index__"):
        raise TypeError(f"an axis must be an int, but got {axis!r}")
    if not -rank <= axis < rank:
        raise ValueError(f"axis {axis} is out of range [{-rank}, {rank}) for a tensor of rank {rank}")
    return axis + rank if axis < 0 else axis


def normalize_axes(axes: int | Iterable[int] | None, rank: int) -> Shape:
    """Sorted distinct axes; None and () mean all of them, as MindSpore's reductions do."""
    if axes is None:
        return tuple(range(rank))
    listed: tuple[Any, ...] = tuple(axes) if isinstance(axes, Iterable) and not isinstance(axes, str) else (axes,)
    if not listed:
        return tuple(range(rank))
    normal = [normalize_axis(a, rank) for a in listed]
    if len(set(normal)) != len(normal):
        raise ValueError(f"axes {listed} name the same dimension twice")
    return tuple(sorted(normal))
