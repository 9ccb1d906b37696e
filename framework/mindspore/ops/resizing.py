"""Other numbers of elements along dimensions: interpolation, and channels exchanged for pixels. Graph mode compiles this source."""

from __future__ import annotations

import math
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import choosing
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.common.tensor_class import Tensor
from mindspore.ops.adaptive import averaged
from mindspore.ops.constant import constexpr
from mindspore.ops.function_objects import FunctionObject

__all__ = ["interpolate", "pixel_shuffle", "pixel_unshuffle", "upsample"]

_reshape = function("reshape")
_transpose = function("transpose")

_RANKS = {
    "nearest": (3, 4, 5), "linear": (3,), "bilinear": (4,), "bicubic": (4,), "area": (3, 4, 5), "nearest-exact": (3, 4),
    "trilinear": (5,),
}  # fmt: skip
"""Mode -> dimensions of the inputs that it takes."""
_ALIGNED = ("linear", "bilinear", "bicubic", "trilinear")
"""Modes that take `align_corners`."""

Taps = tuple[tuple[tuple[int, ...], tuple[float, ...]], ...]
"""For each of a few terms, which element and what share of it makes up each element of the result."""


def _source(i: int, size: int, count: int, where: str, scale: Any) -> float:
    """The place of element `i` of `count` among `size` elements.

    `where`: "corners" puts the first and the last on each other, "centers" the borders, "edges" the left borders of elements.
    """
    if where == "corners":
        return i * (size - 1) / (count - 1) if count > 1 else 0.0
    step = size / count if scale is None else 1.0 / scale
    return (i + 0.5) * step - 0.5 if where == "centers" else i * step


def _nearest(size: int, count: int, where: str, scale: Any) -> Taps:
    """Elements themselves: the left one of the place, for "corners" the nearer one."""
    if scale is None and where == "edges":
        places = [i * size // count for i in range(count)]
    elif where == "centers":
        places = [(2 * i + 1) * size // (2 * count) for i in range(count)]
    else:
        half = 0.5 if where == "corners" else 0.0
        places = [math.floor(_source(i, size, count, where, scale) + half) for i in range(count)]
    return ((tuple(min(p, size - 1) for p in places), ()),)


def _linear(size: int, count: int, where: str, scale: Any) -> Taps:
    """The elements on both sides, each by its nearness."""
    places = [max(_source(i, size, count, where, scale), 0.0) for i in range(count)]
    lower = [min(math.floor(p), size - 1) for p in places]
    upper = [min(n + 1, size - 1) for n in lower]
    shares = [min(p - n, 1.0) for p, n in zip(places, lower, strict=True)]
    return (tuple(lower), tuple(1.0 - s for s in shares)), (tuple(upper), tuple(shares))


def _cubic(size: int, count: int, where: str, scale: Any) -> Taps:
    """Four elements by Keys' cubic convolution. Those outside are the outermost ones; for "centers" they do not count."""
    outside_counts = where != "centers"
    sharpness = -0.75 if outside_counts else -0.5
    places = [_source(i, size, count, where, scale) for i in range(count)]
    indices: list[list[int]] = [[], [], [], []]
    shares: list[list[float]] = [[], [], [], []]
    for place in places:
        taps = [math.floor(place) + tap for tap in (-1, 0, 1, 2)]
        parts = [_cubic_share(abs(place - t), sharpness) if outside_counts or 0 <= t < size else 0.0 for t in taps]
        for k in range(4):
            indices[k].append(min(max(taps[k], 0), size - 1))
            shares[k].append(parts[k] / sum(parts))
    return tuple((tuple(at), tuple(part)) for at, part in zip(indices, shares, strict=True))


def _cubic_share(distance: float, a: float) -> float:
    """The weight of an element at a distance below 2, by Keys (1981) with parameter `a`."""
    x = distance
    if x <= 1:
        return ((a + 2) * x - (a + 3)) * x * x + 1
    return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a if x < 2 else 0.0


_KINDS = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}


@constexpr
def _taps(kind: str, size: int, count: int, where: str, scale: Any) -> Any:
    """Indices, and shares or None, of each term, as tensors."""
    return tuple(
        (Tensor(list(at), dt.int32), Tensor(list(shares), dt.float64) if shares else None)
        for at, shares in _KINDS[kind](size, count, where, scale)
    )


def resized(x: Any, counts: tuple[int, ...], kind: str, where: str, scales: Any = None) -> Any:
    """`x` with `counts` elements along its last dimensions, one dimension after the other."""
    rank = len(counts)
    half = x.dtype in (dt.float16, dt.bfloat16)
    out = f.cast(x, dt.float32) if half and kind != "nearest" else x
    for i in range(rank):
        axis, scale = x.ndim - rank + i, None if scales is None else scales[i]
        size = x.shape[axis]
        if size == counts[i] and scale is None:
            continue
        shape = tuple([counts[i] if d == axis else 1 for d in range(x.ndim)])
        total: Any = None
        for at, shares in _taps(kind, size, counts[i], where, scale):
            term = choosing.index_select(out, axis, at)
            if shares is not None:
                term = term * f.cast(_reshape(shares, shape), out.dtype)
            total = term if total is None else total + term
        out = total
    return f.cast(out, x.dtype) if half and kind != "nearest" else out


def _counts(x: Any, size: Any, scale_factor: Any) -> tuple[int, ...]:
    """Elements of each spatial dimension of the result."""
    rank = x.ndim - 2
    if size is not None and scale_factor is not None:
        raise ValueError("For 'interpolate', 'size' and 'scale_factor' cannot be set simultaneously.")
    if size is None and scale_factor is None:
        raise ValueError("For 'interpolate', 'size' and 'scale_factor' cannot be both empty.")
    if size is not None:
        given = (size,) * rank if isinstance(size, int) else tuple(size)
        if len(given) != rank or any(n < 1 for n in given):
            raise ValueError(f"For 'interpolate', the 'size' must hold {rank} ints above 0, but got {size}.")
        return given
    return tuple([math.floor(n * s) for n, s in zip(x.shape[2:], _scales(x, scale_factor), strict=True)])


def _scales(x: Any, scale_factor: Any) -> tuple[float, ...]:
    rank = x.ndim - 2
    given = (scale_factor,) * rank if isinstance(scale_factor, int | float) else tuple(scale_factor)
    if len(given) != rank or any(s <= 0 for s in given):
        raise ValueError(
            f"For 'interpolate', the 'scale_factor' must hold {rank} numbers above 0, but got {scale_factor}."
        )
    return tuple([float(s) for s in given])


def interpolate(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
) -> Any:
    """Rows (N, C, L), images (N, C, H, W) or volumes (N, C, D, H, W) with another number of elements along the last dimensions.

    Args:
        size: the numbers of elements: an int or one for each dimension.
        scale_factor: in the place of `size`: how many times as many.
        mode: "nearest", "nearest-exact", "linear" (rows), "bilinear" and "bicubic" (images), "trilinear" (volumes), or "area" for means.
        align_corners: whether the centres of the outermost elements lie on each other, else their outer borders do.
        recompute_scale_factor: whether places follow from the sizes, not from `scale_factor`.

    Raises:
        ValueError: a mode that is unknown or does not take this input, both or neither of `size` and `scale_factor`.
    """
    if mode not in _RANKS:
        raise ValueError(f"For 'interpolate', 'mode' must be in {list(_RANKS)}, but got {mode!r}.")
    if input.ndim not in _RANKS[mode]:
        raise ValueError(
            f"For 'interpolate', {mode} only supports inputs of {list(_RANKS[mode])} dimensions, but got {input.ndim}."
        )
    if align_corners is not None and mode not in _ALIGNED:
        raise ValueError(
            f"For 'interpolate', 'align_corners' cannot be set with the mode {mode!r}, but got {align_corners}."
        )
    counts = _counts(input, size, scale_factor)
    if mode == "area":
        return averaged("interpolate", input, input.ndim - 2, counts)
    kept = scale_factor is not None and not recompute_scale_factor and not align_corners
    scales = _scales(input, scale_factor) if kept and mode != "nearest-exact" else None
    if mode in ("nearest", "nearest-exact"):
        return resized(input, counts, "nearest", "edges" if mode == "nearest" else "centers", scales)
    kind = "cubic" if mode == "bicubic" else "linear"
    return resized(input, counts, kind, "corners" if align_corners else "centers", scales)


def upsample(
    input: Any,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: Any = None,
    recompute_scale_factor: Any = None,
) -> Any:
    """`interpolate` under its other name."""
    return interpolate(input, size, scale_factor, mode, align_corners, recompute_scale_factor)


def _divides(owner: str, name: str, number: Any, factor: Any) -> None:
    if isinstance(factor, bool) or not isinstance(factor, int):
        raise TypeError(f"For '{owner}', the '{name}' must be an int, but got {factor!r}.")
    if factor < 1 or any(n % factor for n in number):
        raise ValueError(f"For '{owner}', the '{name}' must be above 0 and divide {number}, but got {factor}.")


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """(..., C r r, H, W) as (..., C, H r, W r), with r = `upscale_factor`."""
    *lead, channels, height, width = input.shape
    r = upscale_factor
    _divides("pixel_shuffle", "upscale_factor", (channels, channels // max(r, 1)), r)
    n = len(lead)
    apart = _reshape(input, (*lead, channels // (r * r), r, r, height, width))
    order = (*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return _reshape(_transpose(apart, order), (*lead, channels // (r * r), height * r, width * r))


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """(..., C, H r, W r) as (..., C r r, H, W), with r = `downscale_factor`."""
    *lead, channels, height, width = input.shape
    r = downscale_factor
    _divides("pixel_unshuffle", "downscale_factor", (height, width), r)
    n = len(lead)
    apart = _reshape(input, (*lead, channels, height // r, r, width // r, r))
    order = (*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return _reshape(_transpose(apart, order), (*lead, channels * r * r, height // r, width // r))


class DepthToSpace(FunctionObject):
    """``DepthToSpace(block_size)(x)``: (N, b b C, H, W) as (N, C, b H, b W); the block's place is the outer part of the channel."""

    __slots__ = ("block_size",)

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size

    def __call__(self, x: Any) -> Any:
        n, channels, height, width = x.shape
        b = self.block_size
        _divides("DepthToSpace", "block_size", (channels, channels // max(b, 1)), b)
        apart = _reshape(x, (n, b, b, channels // (b * b), height, width))
        return _reshape(_transpose(apart, (0, 3, 4, 1, 5, 2)), (n, channels // (b * b), height * b, width * b))


class SpaceToDepth(FunctionObject):
    """``SpaceToDepth(block_size)(x)``: (N, C, b H, b W) as (N, b b C, H, W); the reverse of `DepthToSpace`."""

    __slots__ = ("block_size",)

    def __init__(self, block_size: int) -> None:
        self.block_size = block_size

    def __call__(self, x: Any) -> Any:
        n, channels, height, width = x.shape
        b = self.block_size
        _divides("SpaceToDepth", "block_size", (height, width), b)
        apart = _reshape(x, (n, channels, height // b, b, width // b, b))
        return _reshape(_transpose(apart, (0, 3, 5, 1, 2, 4)), (n, channels * b * b, height // b, width // b))


def _where(owner: str, align_corners: bool, half_pixel_centers: bool) -> str:
    if align_corners and half_pixel_centers:
        raise ValueError(f"For '{owner}', 'align_corners' and 'half_pixel_centers' cannot both be True.")
    return "corners" if align_corners else "centers" if half_pixel_centers else "edges"


class ResizeBilinearV2(FunctionObject):
    """``ResizeBilinearV2(align_corners, half_pixel_centers)(image, size)``: images (N, C, H, W) with `size` rows and columns."""

    __slots__ = ("align_corners", "half_pixel_centers", "where")

    def __init__(self, align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        self.align_corners, self.half_pixel_centers = align_corners, half_pixel_centers
        self.where = _where("ResizeBilinearV2", align_corners, half_pixel_centers)

    def __call__(self, image: Any, size: Any) -> Any:
        return resized(image, tuple(size), "linear", self.where)


class ResizeNearestNeighborV2(FunctionObject):
    """``ResizeNearestNeighborV2(align_corners, half_pixel_centers)(image, size)``: pixels for `size` rows and columns."""

    __slots__ = ("align_corners", "half_pixel_centers", "where")

    def __init__(self, align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        self.align_corners, self.half_pixel_centers = align_corners, half_pixel_centers
        self.where = _where("ResizeNearestNeighborV2", align_corners, half_pixel_centers)

    def __call__(self, image: Any, size: Any) -> Any:
        return resized(image, tuple(size), "nearest", self.where)


class ResizeNearestNeighbor(FunctionObject):
    """``ResizeNearestNeighbor(size, align_corners, half_pixel_centers)(x)``: `ResizeNearestNeighborV2` of a fixed size."""

    __slots__ = ("align_corners", "half_pixel_centers", "size", "where")

    def __init__(self, size: Any, align_corners: bool = False, half_pixel_centers: bool = False) -> None:
        self.size, self.align_corners, self.half_pixel_centers = tuple(size), align_corners, half_pixel_centers
        self.where = _where("ResizeNearestNeighbor", align_corners, half_pixel_centers)

    def __call__(self, x: Any) -> Any:
        return resized(x, self.size, "nearest", self.where)


CLASSES = (DepthToSpace, ResizeBilinearV2, ResizeNearestNeighbor, ResizeNearestNeighborV2, SpaceToDepth)
