"""Adaptive pooling: windows that divide the last dimensions into a given number of parts. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops.function_objects import FunctionObject

__all__ = [
    "adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d", "adaptive_max_pool2d",
    "adaptive_max_pool3d",
]  # fmt: skip

_narrow = function("strided_slice")
_mean = function("reduce_mean")
_max = function("reduce_max")
_concat = function("concat")
_window_max = function("window_max")
_window_index = function("window_index")
_argmax = function("argmax_index")
_floor_div = function("floor_div")
_floor_mod = function("floor_mod")


def _parts(owner: str, x: Any, rank: int, output_size: Any) -> tuple[int, ...]:
    """How many parts each of the last `rank` dimensions has."""
    wanted = output_size if isinstance(output_size, tuple | list) else (output_size,) * rank
    if len(wanted) != rank:
        raise ValueError(f"For '{owner}', the 'output_size' must hold {rank} sizes, but got {output_size!r}.")
    if x.ndim not in (rank + 1, rank + 2):
        raise ValueError(
            f"For '{owner}', the input must have {rank + 1} or {rank + 2} dimensions, but got shape {x.shape}."
        )
    for want in wanted:
        if want is not None and (isinstance(want, bool) or not isinstance(want, int)):
            raise TypeError(f"For '{owner}', the 'output_size' must be int or None, but got {output_size!r}.")
        if want is not None and want < 1:
            raise ValueError(f"For '{owner}', the 'output_size' must be above 0, but got {output_size!r}.")
    return tuple([n if want is None else want for n, want in zip(x.shape[-rank:], wanted, strict=True)])


def _spans(size: int, count: int) -> list[tuple[int, int]]:
    """Where each part begins and ends: parts overlap where `count` does not divide `size`."""
    return [(i * size // count, -(-(i + 1) * size // count)) for i in range(count)]


def _between(x: Any, axis: int, begin: int, end: int) -> Any:
    """The elements from `begin` to before `end` along `axis`."""
    first = tuple([begin if i == axis else 0 for i in range(x.ndim)])
    last = tuple([end if i == axis else n for i, n in enumerate(x.shape)])
    return _narrow(x, first, last, (1,) * x.ndim)


def _folded(x: Any, counts: tuple[int, ...], fold: Any) -> Any:
    """Parts folded one dimension after the other: `fold` of folds is the fold of all."""
    rank = len(counts)
    if all(count == 1 for count in counts):
        return f.reshape(fold(x, tuple(range(x.ndim - rank, x.ndim)), False), (*x.shape[: x.ndim - rank], *counts))
    for i in range(rank):
        axis, count = x.ndim - rank + i, counts[i]
        size = x.shape[axis]
        if count == size:
            continue
        if size % count == 0:
            apart = f.reshape(x, (*x.shape[:axis], count, size // count, *x.shape[axis + 1 :]))
            x = fold(apart, axis + 1, False)
        else:
            x = _concat(tuple([fold(_between(x, axis, a, b), axis, True) for a, b in _spans(size, count)]), axis)
    return x


def averaged(owner: str, x: Any, rank: int, output_size: Any) -> Any:
    """Means of parts of the last `rank` dimensions."""
    counts = _parts(owner, x, rank, output_size)
    if x.dtype in (dt.float16, dt.bfloat16):
        return f.cast(_folded(f.cast(x, dt.float32), counts, _mean), x.dtype)
    return _folded(x, counts, _mean)


def _places(x: Any, counts: tuple[int, ...]) -> Any:
    """Where in its plane the first largest element of each part is, Int64."""
    rank = len(counts)
    lead, sizes = x.shape[: x.ndim - rank], x.shape[x.ndim - rank :]
    if all(n % count == 0 for n, count in zip(sizes, counts, strict=True)):
        window = tuple([n // count for n, count in zip(sizes, counts, strict=True)])
        return f.cast(_window_index(x, window, window, ((0, 0),) * rank, (1,) * rank), dt.int64)
    cells: list[Any] = []
    corners: list[list[tuple[int, int]]] = [[]]
    for n, count in zip(sizes, counts, strict=True):
        corners = [[*corner, span] for corner in corners for span in _spans(n, count)]
    for corner in corners:
        part = x
        for i in range(rank):
            part = _between(part, len(lead) + i, corner[i][0], corner[i][1])
        best = f.cast(_argmax(f.reshape(part, (*lead, -1)), len(lead)), dt.int64)
        place, weight = 0, 1
        for i in range(rank - 1, -1, -1):
            width = corner[i][1] - corner[i][0]
            place = place + (_floor_mod(best, width) + corner[i][0]) * weight
            best, weight = _floor_div(best, width), weight * sizes[i]
        cells.append(f.reshape(place, (*lead, 1)))
    return f.reshape(_concat(tuple(cells), len(lead)), (*lead, *counts))


def _largest(owner: str, x: Any, rank: int, output_size: Any, indices: bool) -> Any:
    counts = _parts(owner, x, rank, output_size)
    sizes = x.shape[x.ndim - rank :]
    if all(n % count == 0 for n, count in zip(sizes, counts, strict=True)):
        window = tuple([n // count for n, count in zip(sizes, counts, strict=True)])
        found = _window_max(x, window, window, ((0, 0),) * rank, (1,) * rank)
    else:
        found = _folded(x, counts, _max)
    return (found, _places(x, counts)) if indices else found


def _divisible(owner: str, x: Any, output_size: Any) -> None:
    _parts(owner, x, 1, output_size)
    if not isinstance(output_size, int):
        raise TypeError(f"For '{owner}', the 'output_size' must be int, but got {output_size!r}.")
    if x.shape[-1] % output_size:
        raise ValueError(
            f"For '{owner}', the last dimension of the input {x.shape} must be divisible by 'output_size', but got {output_size}."
        )


def adaptive_avg_pool1d(input: Any, output_size: int) -> Any:
    """Means of `output_size` equal parts of the last dimension."""
    _divisible("adaptive_avg_pool1d", input, output_size)
    return averaged("adaptive_avg_pool1d", input, 1, output_size)


def adaptive_avg_pool2d(input: Any, output_size: Any) -> Any:
    """Means of windows that divide the last two dimensions into `output_size` parts; None keeps a dimension."""
    return averaged("adaptive_avg_pool2d", input, 2, output_size)


def adaptive_avg_pool3d(input: Any, output_size: Any) -> Any:
    """Means of windows that divide the last three dimensions into `output_size` parts; None keeps a dimension."""
    return averaged("adaptive_avg_pool3d", input, 3, output_size)


def adaptive_max_pool1d(input: Any, output_size: int) -> Any:
    """The largest elements of `output_size` equal parts of the last dimension."""
    _divisible("adaptive_max_pool1d", input, output_size)
    return _largest("adaptive_max_pool1d", input, 1, output_size, False)


def adaptive_max_pool2d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` parts of the last two dimensions, and with `return_indices` their places in the plane."""
    return _largest("adaptive_max_pool2d", input, 2, output_size, return_indices)


def adaptive_max_pool3d(input: Any, output_size: Any, return_indices: bool = False) -> Any:
    """The largest elements of `output_size` parts of the last three dimensions, and with `return_indices` their places (Int32)."""
    found = _largest("adaptive_max_pool3d", input, 3, output_size, return_indices)
    return (found[0], f.cast(found[1], dt.int32)) if return_indices else found


class AdaptiveAvgPool2D(FunctionObject):
    """``AdaptiveAvgPool2D(output_size)(input_x)``: `adaptive_avg_pool2d`."""

    __slots__ = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def __call__(self, input_x: Any) -> Any:
        return averaged("AdaptiveAvgPool2D", input_x, 2, self.output_size)


class AdaptiveAvgPool3D(FunctionObject):
    """``AdaptiveAvgPool3D(output_size)(input_x)``: `adaptive_avg_pool3d`."""

    __slots__ = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def __call__(self, input_x: Any) -> Any:
        return averaged("AdaptiveAvgPool3D", input_x, 3, self.output_size)


class AdaptiveMaxPool2D(FunctionObject):
    """``AdaptiveMaxPool2D(output_size)(input_x)``: the largest elements and their places."""

    __slots__ = ("output_size",)

    def __init__(self, output_size: Any) -> None:
        self.output_size = output_size

    def __call__(self, input_x: Any) -> Any:
        return _largest("AdaptiveMaxPool2D", input_x, 2, self.output_size, True)


CLASSES = (AdaptiveAvgPool2D, AdaptiveAvgPool3D, AdaptiveMaxPool2D)
