"""Pooling: the maximum or mean of windows, made of a few linear operators on windows that are each other's gradients."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives.activation import in_float32
from mindspore.primitives.compute import Windows
from mindspore.primitives.declare import DISCRETE, check_dtype, check_rank, operator, quiet, wide
from mindspore.primitives.reduction import DISTINCT
from mindspore.primitives.samples import Case, Domain, Samples, Wrong
from mindspore.primitives.window_sizes import Pairs, each_dimension, window_counts, window_pads

_WINDOW = {"kernel": REQUIRED, "strides": REQUIRED, "pads": REQUIRED, "dilation": REQUIRED}
_PLANE = {**_WINDOW, "size": REQUIRED}


def _reach(kernel: Shape, dilation: Shape) -> Shape:
    return tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))


def _counts(op: str, sizes: Shape, kernel: Shape, strides: Shape, pads: Pairs, dilation: Shape) -> Shape:
    """Sizes with the last dimensions replaced by the numbers of windows."""
    rank, reach = len(kernel), _reach(kernel, dilation)
    counts = window_counts(sizes[-rank:], reach, strides, pads)
    if any(n < 1 for n in counts) or any(max(pair) >= r and max(pair) for pair, r in zip(pads, reach, strict=True)):
        raise ValueError(
            f"{op}: windows of {kernel} with dilation {dilation} must fit into the last dimensions of shape {list(sizes)} with "
            f"padding {pads}, and the padding must be smaller than a window."
        )
    return (*sizes[:-rank], *counts)


def _infer_windows(name: str, result: Any) -> Any:
    def infer(x: TensorType, kernel: Shape, strides: Shape, pads: Pairs, dilation: Shape) -> TensorType:
        check_dtype(name, "x", x, dt.FLOATS)
        check_rank(name, "x", x, len(kernel))
        return TensorType(result or x.dtype, _counts(name, x.shape, kernel, strides, pads, dilation))

    return infer


def _infer_plane(name: str) -> Any:
    def infer(d: TensorType, *more: TensorType, size: Shape, **window: Any) -> TensorType:
        check_dtype(name, "d", d, (dt.float32, dt.float64))
        expected = _counts(name, tuple(size), **window)
        for argument, each in zip(("d", "index"), (d, *more), strict=False):
            if each.shape != expected:
                raise ValueError(f"{name}: argument {argument!r} must have the shape {list(expected)}, but got {each}.")
        return TensorType(d.dtype, tuple(size))

    return infer


def _infer_take(x: TensorType, index: TensorType, **window: Any) -> TensorType:
    found: TensorType = _infer_windows("WindowTake", None)(x, **window)
    check_dtype("WindowTake", "index", index, (dt.int32,))
    if index.shape != found.shape:
        raise ValueError(f"WindowTake: argument 'index' must have the shape {list(found.shape)}, but got {index}.")
    return found


def _elements(sizes: Shape, kernel: Shape, strides: Shape, pads: Pairs, dilation: Shape) -> Any:
    """For each window (rows) and tap (columns) the place in the plane, -1 in the padding."""
    rank = len(kernel)
    plane = sizes[-rank:]
    counts = window_counts(plane, _reach(kernel, dilation), strides, pads)
    places = np.zeros((*counts, *kernel), np.int64)
    inside = np.ones(places.shape, np.bool_)
    for i, n in enumerate(plane):
        along = np.arange(counts[i])[:, None] * strides[i] - pads[i][0] + np.arange(kernel[i]) * dilation[i]
        shape = [1] * (2 * rank)
        shape[i], shape[rank + i] = counts[i], kernel[i]
        along = along.reshape(shape)
        places, inside = places * n + along, inside & (along >= 0) & (along < n)
    return np.where(inside, places, -1).reshape(prod(counts), prod(kernel)), counts


def _planes(x: Any, rank: int) -> Any:
    return x.reshape(prod(x.shape[: x.ndim - rank]), prod(x.shape[x.ndim - rank :]))


def _tapped(x: Any, window: Any, missing: float) -> tuple[Any, Any, Shape]:
    """Elements (plane, window, tap), their places, and the shape of the result."""
    places, counts = _elements(x.shape, **window)
    rank = len(counts)
    flat = _planes(x, rank)
    picked = flat[:, places] if flat.size else np.zeros((len(flat), *places.shape), x.dtype)
    return np.where(places < 0, x.dtype.type(missing), picked), places, (*x.shape[: x.ndim - rank], *counts)


def _max(x: Any, **window: Any) -> Any:
    taps, _, shape = _tapped(x, window, -np.inf)
    return taps.max(-1).reshape(shape)


def _where_max(x: Any, **window: Any) -> Any:
    taps, places, shape = _tapped(x, window, -np.inf)
    # the first one that is inside: what is outside loses even against minus infinity
    best = np.argmax(np.where(places < 0, -1, (taps == taps.max(-1, keepdims=True)) | np.isnan(taps)), -1)
    return np.take_along_axis(np.broadcast_to(places, taps.shape), best[..., None], -1).reshape(shape).astype(np.int32)


def _sum(x: Any, **window: Any) -> Any:
    taps, _, shape = _tapped(x, window, 0)
    return taps.sum(-1, dtype=x.dtype).reshape(shape)


def _spread(d: Any, size: Shape, **window: Any) -> Any:
    places, counts = _elements(size, **window)
    result = np.zeros((prod(size[: len(size) - len(counts)]), prod(size[len(size) - len(counts) :]) + 1), d.dtype)
    for tap in range(places.shape[1]):
        np.add.at(result.T, places[:, tap], _planes(d, len(counts)).T)
    return result[:, :-1].reshape(size)


def _take(x: Any, index: Any, kernel: Shape, **_: Any) -> Any:
    rank = len(kernel)
    return np.take_along_axis(_planes(x, rank), _planes(index, rank).astype(np.int64), 1).reshape(index.shape)


def _place(d: Any, index: Any, size: Shape, kernel: Shape, **_: Any) -> Any:
    rank = len(kernel)
    flat = np.zeros((prod(size[: len(size) - rank]), prod(size[len(size) - rank :])), d.dtype)
    rows = np.arange(len(flat))[:, None]
    np.add.at(flat, (rows, _planes(index, rank)), _planes(d, rank))
    return flat.reshape(size)


_TRIALS: tuple[tuple[Shape, dict[str, Any]], ...] = (
    ((1, 2, 3, 4), {"kernel": (2, 3), "strides": (1, 2), "pads": ((0, 0), (0, 0)), "dilation": (1, 1)}),
    ((2, 3, 4), {"kernel": (2, 2), "strides": (2, 1), "pads": ((0, 1), (1, 1)), "dilation": (1, 2)}),
    ((2, 5), {"kernel": (3,), "strides": (2,), "pads": ((1, 1),), "dilation": (1,)}),
    ((1, 2, 2, 3), {"kernel": (2, 2, 2), "strides": (1, 1, 1), "pads": ((1, 0), (0, 0), (0, 1)), "dilation": (1, 1, 1)}),
    ((3, 5, 13, 18), {"kernel": (3, 3), "strides": (2, 2), "pads": ((0, 1), (1, 1)), "dilation": (1, 1)}),
    ((2, 9, 57), {"kernel": (3, 4), "strides": (2, 3), "pads": ((1, 1), (2, 1)), "dilation": (1, 1)}),
    ((2, 3, 7), {"kernel": (2, 3), "strides": (1, 5), "pads": ((0, 0), (1, 1)), "dilation": (1, 1)}),
    ((0, 4, 4), {"kernel": (2, 2), "strides": (2, 2), "pads": ((0, 0), (0, 0)), "dilation": (1, 1)}),
)  # fmt: skip
_TOO_LARGE = {"kernel": (5, 2), "strides": (1, 1), "pads": ((0, 0), (0, 0)), "dilation": (1, 1)}


def _trials(operands: Any, sized: bool) -> tuple[Case, ...]:
    found = []
    for shape, window in _TRIALS:
        counts = _counts("Window", shape, **window)
        found.append(Case(operands(shape, counts), {**window, "size": shape} if sized else window))
    return tuple(found)


def _places(rng: Any, shape: Shape) -> Any:
    """Places that the smallest plane of the trials has."""
    return rng.integers(0, 5, shape)


_INDEX = Domain(dtype=dt.int32, draw=_places)


def _window(name: str, kind: str, reference: Any, gradient: Any, doc: str, result: Any = None) -> None:
    """An operator from a plane to its windows."""
    domain = DISTINCT if kind in ("max", "index") else Domain()
    operator(
        name, "x", attrs=_WINDOW, infer=_infer_windows(name, result), reference=quiet(wide(reference)), gradient=gradient,
        compute=Windows(kind), dtypes=dt.FLOATS if kind in ("max", "index") else (dt.float32, dt.float64), doc=doc,
        samples=Samples(
            _trials(lambda shape, counts: (shape,), False), (domain,),
            wrong=(Wrong(((1, 2, 3, 4),), TypeError, (name, "'x'", "Int32"), (dt.int32,), _TOO_LARGE),
                   Wrong(((1, 2, 3, 4),), ValueError, (name, "(5, 2)", "[1, 2, 3, 4]"), (), _TOO_LARGE)),
        ),
    )  # fmt: skip


def _plane(name: str, inputs: str, kind: str, reference: Any, gradient: Any, doc: str) -> None:
    """An operator from windows back to their plane."""
    indexed = kind == "place"
    window = {**_TRIALS[0][1], "size": (1, 2, 3, 4)}
    shapes = ((1, 2, 2, 2), (1, 2, 2, 2))[: 1 + indexed]
    operator(
        name, inputs, attrs=_PLANE, infer=_infer_plane(name), reference=quiet(reference), gradient=gradient,
        compute=Windows(kind), dtypes=(dt.float32, dt.float64), doc=doc,
        samples=Samples(
            _trials(lambda shape, counts: (counts,) * (1 + indexed), True), (Domain(), _INDEX)[: 1 + indexed],
            wrong=(Wrong(shapes, ValueError, (name, "'d'", "[1, 2, 2, 1]", "[1, 2, 2, 2]"), (dt.float32, dt.int32)[: 1 + indexed], window),
                   Wrong(shapes, TypeError, (name, "'d'", "Int32"), (dt.int32, dt.int32)[: 1 + indexed], window)),
        ),
    )  # fmt: skip


_window(
    "WindowMax", "max", _max, lambda b, x, out, d, **w: (_to_max(b, x, d, **w),), "The largest element of each window."
)
_window("WindowIndex", "index", _where_max, DISCRETE, "The place of the first largest element in its plane.", dt.int32)
_window(
    "WindowSum",
    "sum",
    _sum,
    lambda b, x, out, d, **w: (b.window_spread(d, size=b.shape(x), **w),),
    "The sum of each window.",
)
_plane("WindowSpread", "d", "spread", _spread, lambda b, d, out, dd, size, **w: (b.window_sum(dd, **w),),
       "Each element is the sum of the windows that hold it.")  # fmt: skip
_plane("WindowPlace", "d, index", "place", _place, lambda b, d, index, out, dd, size, **w: (b.window_take(dd, index, **w), None),
       "Each element is the sum of the windows whose index it is.")  # fmt: skip


def _to_max(b: Any, x: Any, d: Any, **window: Any) -> Any:
    """The first largest element of each window takes its gradient."""
    index = b.window_index(x, **window)
    return in_float32(b, d, lambda value: b.window_place(value, index, size=b.shape(x), **window))


operator(
    "WindowTake", "x, index", attrs=_WINDOW, infer=_infer_take, reference=_take,
    gradient=lambda b, x, index, out, d, **w: (in_float32(b, d, lambda v: b.window_place(v, index, size=b.shape(x), **w)), None),
    compute=Windows("take"), dtypes=dt.FLOATS, doc="The element of the plane at each window's index.",
    samples=Samples(
        _trials(lambda shape, counts: (shape, counts), False), (Domain(), _INDEX),
        wrong=(Wrong(((1, 2, 3, 4), (1, 2, 2, 2)), ValueError, ("WindowTake", "'index'", "[1, 2, 2, 1]"), (dt.float32, dt.int32),
                     _TRIALS[0][1]),
               Wrong(((1, 2, 3, 4), (1, 2, 2, 1)), TypeError, ("WindowTake", "'index'", "Int64"), (dt.float32, dt.int64), _TRIALS[0][1])),
    ),
)  # fmt: skip


_POOL = {"kernel_size": 1, "strides": 1, "pad_mode": "valid", "data_format": "NCHW"}


def _pool_window(op: str, x: Shape, attrs: dict[str, Any]) -> dict[str, Any]:
    """The attributes of the operators above."""
    if attrs["data_format"] != "NCHW":
        raise ValueError(f"{op}: attribute 'data_format' must be NCHW, but got {attrs['data_format']!r}.")
    kernel = each_dimension(op, "kernel_size", attrs["kernel_size"], 2)
    strides = each_dimension(op, "strides", attrs["strides"], 2)
    if str(attrs["pad_mode"]).lower() == "pad":
        raise ValueError(f"{op}: attribute 'pad_mode' must be valid or same, but got {attrs['pad_mode']!r}.")
    pads = window_pads(op, attrs["pad_mode"], 0, x[2:], kernel, strides)
    return {"kernel": kernel, "strides": strides, "pads": pads, "dilation": (1, 1)}


def _infer_pool(op: str) -> Any:
    def infer(x: TensorType, **attrs: Any) -> TensorType:
        check_dtype(op, "x", x, dt.FLOATS)
        check_rank(op, "x", x, 4, 4)
        return TensorType(x.dtype, _counts(op, x.shape, **_pool_window(op, x.shape, attrs)))

    return infer


def _infer_pool_grad(x: TensorType, out: TensorType, d: TensorType, **attrs: Any) -> TensorType:
    expected = _infer_pool("MaxPoolGrad")(x, **attrs)
    for name, each in (("out", out), ("d", d)):
        if each != expected:
            raise ValueError(f"MaxPoolGrad: argument {name!r} must have the type {expected}, but got {each}.")
    return x


def taps_inside(size: Shape, kernel: Shape, strides: Shape, pads: Pairs, dilation: Shape) -> Any:
    """How many taps of each window are not in the padding, as an array over the windows."""
    places, counts = _elements(size, kernel, strides, pads, dilation)
    return (places >= 0).sum(1).reshape(counts)


def mean_of_windows(b: Any, value: Any, size: Shape, window: dict[str, Any]) -> Any:
    """`value` of each window divided by the number of its elements that are not padding."""
    inside = taps_inside(size, **window)
    same = inside.size == 0 or (inside == inside.flat[0]).all()
    divisor = inside.flat[0] if same and inside.size else inside
    return b.div(value, b.const(divisor, b.dtype(value)))


def _expand_avg(b: Any, x: Any, **attrs: Any) -> Any:
    window = _pool_window("AvgPool", b.shape(x), attrs)
    return in_float32(b, x, lambda v: mean_of_windows(b, b.window_sum(v, **window), b.shape(v), window))


def _avg(x: Any, **attrs: Any) -> Any:
    window = _pool_window("AvgPool", x.shape, attrs)
    return (_sum(x, **window) / taps_inside(x.shape, **window)).astype(x.dtype)


def _avg_gradient(b: Any, x: Any, out: Any, d: Any, **attrs: Any) -> tuple[Any]:
    window, size = _pool_window("AvgPool", b.shape(x), attrs), b.shape(x)
    return (in_float32(b, d, lambda v: b.window_spread(mean_of_windows(b, v, size, window), size=size, **window)),)


_POOLED: tuple[tuple[Shape, dict[str, Any]], ...] = (
    ((1, 2, 3, 5), {"kernel_size": 2, "strides": 1}), ((1, 1, 5, 4), {"kernel_size": (2, 3), "strides": (2, 1), "pad_mode": "same"}),
    ((2, 1, 3, 3), {"kernel_size": (1, 1, 2, 2), "strides": 2, "pad_mode": "SAME"}), ((2, 3, 21, 35), {"kernel_size": 3, "strides": 2}),
    ((2, 5, 14, 15), {"kernel_size": 3, "strides": 2, "pad_mode": "same"}), ((0, 2, 4, 4), {"kernel_size": 2, "strides": 2}),
)  # fmt: skip


def _wrong_pools(name: str) -> tuple[Wrong, ...]:
    shape = ((1, 2, 3, 5),)
    return (
        Wrong(shape, TypeError, (name, "'x'", "Int32"), (dt.int32,)),
        Wrong(((2, 3),), ValueError, (name, "'x'", "[2, 3]")),
        Wrong(shape, ValueError, (name, "'kernel_size'", "0"), (), {"kernel_size": 0}),
        Wrong(shape, ValueError, (name, "'pad_mode'", "pad"), (), {"pad_mode": "pad"}),
        Wrong(shape, ValueError, (name, "(4, 4)", "[1, 2, 3, 5]"), (), {"kernel_size": 4}),
        Wrong(shape, ValueError, (name, "'data_format'", "NHWC"), (), {"data_format": "NHWC"}),
    )


operator(
    "MaxPool", "x", "max_pool", _POOL, infer=_infer_pool("MaxPool"),
    reference=quiet(wide(lambda x, **attrs: _max(x, **_pool_window("MaxPool", x.shape, attrs)))),
    gradient=lambda b, x, out, d, **attrs: (b.max_pool_grad(x, out, d, **attrs),),
    expand=lambda b, x, **attrs: b.window_max(x, **_pool_window("MaxPool", b.shape(x), attrs)), dtypes=dt.FLOATS,
    samples=Samples(tuple(Case((s,), a) for s, a in _POOLED), (DISTINCT,), wrong=_wrong_pools("MaxPool")),
    doc="The largest element of each window of images (N, C, H, W).",
)  # fmt: skip


def _pooled_types(case: tuple[Shape, dict[str, Any]]) -> Case:
    shape, attrs = case
    counts = _counts("MaxPoolGrad", shape, **_pool_window("MaxPoolGrad", shape, {**_POOL, **attrs}))
    return Case((shape, counts, counts), attrs)


def _expand_max_grad(b: Any, x: Any, out: Any, d: Any, **attrs: Any) -> Any:
    return _to_max(b, x, d, **_pool_window("MaxPoolGrad", b.shape(x), attrs))


def _max_grad(x: Any, out: Any, d: Any, **attrs: Any) -> Any:
    window = _pool_window("MaxPoolGrad", x.shape, attrs)
    return _place(d, _where_max(x, **window), x.shape, **window)


def _max_grad_gradient(b: Any, x: Any, out: Any, d: Any, result: Any, dd: Any, **attrs: Any) -> tuple[None, None, Any]:
    window = _pool_window("MaxPoolGrad", b.shape(x), attrs)
    return None, None, b.window_take(dd, b.window_index(x, **window), **window)


operator(
    "MaxPoolGrad", "x, out, d", "max_pool_grad", _POOL, infer=_infer_pool_grad, reference=quiet(wide(_max_grad)),
    gradient=_max_grad_gradient, expand=_expand_max_grad, dtypes=dt.FLOATS,
    samples=Samples(
        tuple(map(_pooled_types, _POOLED)), (DISTINCT, Domain()),
        wrong=(Wrong(((1, 2, 4, 4), (1, 2, 2, 2), (1, 2, 3, 2)), ValueError, ("MaxPoolGrad", "'d'", "[1, 2, 2, 2]", "[1, 2, 3, 2]"), (),
                     {"kernel_size": 2, "strides": 2}),),
    ),
    doc="The gradient of MaxPool in x, for the gradient d of its result: the first largest element of a window takes it.",
)  # fmt: skip
operator(
    "AvgPool", "x", "avg_pool", _POOL, infer=_infer_pool("AvgPool"), reference=quiet(wide(_avg)), gradient=_avg_gradient,
    expand=_expand_avg, dtypes=dt.FLOATS,
    samples=Samples(tuple(Case((s,), a) for s, a in _POOLED), wrong=_wrong_pools("AvgPool")),
    doc="The mean of each window of images (N, C, H, W); padding does not count.",
)  # fmt: skip
