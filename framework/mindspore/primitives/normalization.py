"""Normalisation by the mean and variance of some dimensions."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, normalize_axis
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.declare import check_dtype, check_rank, check_same_dtype, operator, quiet
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

_BATCH_NAMES = ("input_x", "scale", "bias", "mean", "variance")
_BATCH_ATTRS = {"is_training": False, "epsilon": 1e-5, "momentum": 0.1, "data_format": "NCHW"}


def _infer_batch(
    x: TensorType, *given: TensorType, is_training: bool, epsilon: float, momentum: float, data_format: str
) -> TupleType:
    op = "BatchNorm"
    check_dtype(op, "input_x", x, dt.FLOATS)
    check_rank(op, "input_x", x, 2)
    if data_format not in ("NCHW", "NCDHW"):
        raise ValueError(f"{op}: attribute 'data_format' must be NCHW, but got {data_format!r}.")
    if not isinstance(epsilon, float | int) or not 0 < epsilon <= 1:
        raise ValueError(f"{op}: attribute 'epsilon' must be above 0 and at most 1, but got {epsilon!r}.")
    check_same_dtype(op, _BATCH_NAMES[1:], given)
    for name, each in zip(_BATCH_NAMES[1:], given, strict=True):
        check_dtype(op, name, each, (x.dtype, dt.float32))
        if each.shape != x.shape[1:2]:
            raise ValueError(
                f"{op}: argument {name!r} must have the shape {list(x.shape[1:2])}, the channels of {x}, but got {each}."
            )
    return TupleType((x, *(given[0],) * 4))


def _wide(b: Any, x: Any) -> Any:
    return b.cast(x, dtype=dt.float32) if b.dtype(x).itemsize == 2 else x


def _back(b: Any, value: Any, like: Any) -> Any:
    return value if b.dtype(value) is b.dtype(like) else b.cast(value, dtype=b.dtype(like))


def _batch_axes(rank: int) -> Shape:
    return tuple(i for i in range(rank) if i != 1)


def _mean(b: Any, x: Any, axes: Shape) -> Any:
    return b.reduce_mean(x, axis=axes, keep_dims=True)


def _centred(b: Any, x: Any, axes: Shape) -> tuple[Any, Any]:
    """Mean and variance, dimensions kept."""
    mean = _mean(b, x, axes)
    return mean, _mean(b, b.square(b.sub(x, mean)), axes)


def _channels_first(b: Any, x: Any) -> Any:
    """The channels as dimension 0: one fold then goes over all else, and in compiled code nothing is moved for it."""
    rank = len(b.shape(x))
    return b.transpose(x, perm=(1, 0, *range(2, rank)))


def _batch_statistics(b: Any, x: Any) -> tuple[Any, Any]:
    """Mean and variance of each channel, with as many dimensions as x."""
    moved = _channels_first(b, x)
    kept = (1, b.shape(x)[1], *(1,) * (len(b.shape(x)) - 2))
    mean, variance = _centred(b, moved, tuple(range(1, len(b.shape(x)))))
    return b.reshape(mean, shape=kept), b.reshape(variance, shape=kept)


def _along_channels(b: Any, vector: Any, like: Any) -> Any:
    rank = len(b.shape(like))
    return b.reshape(vector, shape=(1, b.shape(vector)[0], *(1,) * (rank - 2)))


def _inverse(b: Any, variance: Any, epsilon: float) -> Any:
    return b.rsqrt(b.add(variance, epsilon))


def _expand_batch(
    b: Any, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, is_training: bool, epsilon: float, **_: Any
) -> Any:
    given = [_wide(b, v) for v in (x, scale, bias, mean, variance)]
    wide, (scale_row, bias_row, mean_row, variance_row) = given[0], [_along_channels(b, v, x) for v in given[1:]]
    if is_training:
        mean_row, variance_row = _batch_statistics(b, wide)
        mean, variance = (_back(b, b.reshape(v, shape=b.shape(scale)), scale) for v in (mean_row, variance_row))
    factor = b.mul(_inverse(b, variance_row, epsilon), scale_row)
    out = b.add(b.mul(b.sub(wide, mean_row), factor), bias_row)
    return b.tuple([_back(b, out, x), mean, variance, mean, variance])


def _numpy_wide(*arrays: Any) -> list[Any]:
    return [a.astype(np.float32) if a.dtype.itemsize == 2 else a for a in arrays]


def _batch(x: Any, scale: Any, bias: Any, mean: Any, variance: Any, is_training: bool, epsilon: float, **_: Any) -> Any:
    wide, s, o, m, v = _numpy_wide(x, scale, bias, mean, variance)
    if is_training:
        axes = _batch_axes(x.ndim)
        m, v = np.mean(wide, axes), np.var(wide, axes)
    row = (1, -1, *(1,) * (x.ndim - 2))
    out = (wide - m.reshape(row)) / np.sqrt(v.reshape(row) + wide.dtype.type(epsilon)) * s.reshape(row) + o.reshape(row)
    statistics = [p.astype(scale.dtype) for p in (m, v, m, v)]
    return (out.astype(x.dtype), *statistics)


def _added(b: Any, *parts: Any) -> Any:
    found = [p for p in parts if p is not None]
    return None if not found else found[0] if len(found) == 1 else b.add(*found)


def _to_input(b: Any, d: Any, normal: Any, inverse: Any, axes: Shape, statistics: tuple[Any, Any]) -> Any:
    """The gradient in what is normalised: for d in the normalised values, and for those in mean and variance (kept, or None)."""
    result = None
    if d is not None:
        own, along = _mean(b, d, axes), _mean(b, b.mul(d, normal), axes)
        result = b.mul(b.sub(b.sub(d, own), b.mul(normal, along)), inverse)
    return _with_statistics(b, result, b.div(normal, inverse), axes, statistics)


def _with_statistics(b: Any, so_far: Any, centred: Any, axes: Shape, statistics: tuple[Any, Any]) -> Any:
    """`so_far` with the gradients that come through the mean and the variance themselves."""
    to_mean, to_variance = statistics
    count = prod(b.shape(centred)[a] for a in axes)
    if to_mean is not None:
        so_far = _added(b, so_far, b.broadcast_to(b.div(to_mean, float(count)), shape=b.shape(centred)))
    if to_variance is not None:
        so_far = _added(b, so_far, b.mul(centred, b.mul(to_variance, 2.0 / count)))
    return so_far


class _BatchGradient:
    """The gradients of `BatchNorm`. Statistics and sums are kept as rows along the channels.

    Differences are taken as mean - x, the forward pass has x - mean: equal expressions would be computed once and kept in memory
    from the one to the other.
    """

    def __init__(self, b: Any, x: Any, scale: Any, out: Any, epsilon: float) -> None:
        self.b, self.x, self.scale = b, x, scale
        self.wide = _wide(b, x)
        self.mean, variance, self.factor = (_along_channels(b, _wide(b, v), x) for v in (out[1], out[2], scale))
        self.inverse = _inverse(b, variance, epsilon)
        self.count = prod(b.shape(x)) // max(b.shape(x)[1], 1)

    def sums(self, d: Any) -> tuple[Any, Any]:
        """The gradients of bias and scale: sums of d, and of d times the normalised input, as vectors."""
        b, axes = self.b, tuple(range(1, len(self.b.shape(self.x))))
        vector = (b.shape(self.scale)[0], *(1,) * len(axes))
        moved, away = _channels_first(b, d), b.sub(b.reshape(self.mean, shape=vector), _channels_first(b, self.wide))
        total, along = b.reduce_sum(moved, axis=axes), b.reduce_sum(b.mul(moved, away), axis=axes)
        return total, b.neg(b.mul(along, b.reshape(self.inverse, shape=b.shape(self.scale))))

    def row(self, vector: Any) -> Any:
        return _along_channels(self.b, vector, self.x)

    def trained(self, d: Any, sums: tuple[Any, Any] | None, statistics: tuple[Any, Any]) -> Any:
        """The gradient in x when the statistics are those of x."""
        b, away, result = self.b, self.b.sub(self.mean, self.wide), None
        if sums is not None:
            total, along = (b.div(self.row(s), float(max(self.count, 1))) for s in sums)
            centred = b.add(b.sub(d, total), b.mul(away, b.mul(self.inverse, along)))
            result = b.mul(centred, b.mul(self.inverse, self.factor))
        return _with_statistics(b, result, b.neg(away), _batch_axes(len(b.shape(self.x))), statistics)

    def given(self, sums: tuple[Any, Any], statistics: tuple[Any, Any]) -> tuple[Any, Any]:
        """The gradients in mean and variance when these are inputs."""
        b, (total, along) = self.b, map(self.row, sums)
        to_mean = b.neg(b.mul(b.mul(self.inverse, self.factor), total))
        to_variance = b.mul(b.mul(b.square(self.inverse), self.factor), b.mul(along, -0.5))
        return _added(b, to_mean, statistics[0]), _added(b, to_variance, statistics[1])


def _batch_gradient(
    b: Any, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, out: Any, d: Any, is_training: bool, epsilon: float, **_: Any
) -> tuple[Any, ...]:  # fmt: skip
    g = _BatchGradient(b, x, scale, out, epsilon)
    to_out = None if d[0] is None else _wide(b, d[0])
    statistics = tuple(
        None if part is None else g.row(_wide(b, part)) for part in (_added(b, d[1], d[3]), _added(b, d[2], d[4]))
    )
    sums = None if to_out is None else g.sums(to_out)

    def vector(value: Any) -> Any:
        return None if value is None else _back(b, b.reshape(value, shape=b.shape(scale)), scale)

    to_scale, to_bias = (None, None) if sums is None else (vector(sums[1]), vector(sums[0]))
    if is_training:
        to_x = g.trained(to_out, sums, statistics)  # type: ignore[arg-type]
        return None if to_x is None else _back(b, to_x, x), to_scale, to_bias, None, None
    if sums is None:
        return None, None, None, *map(vector, statistics)
    to_x = b.mul(to_out, b.mul(g.inverse, g.factor))
    return _back(b, to_x, x), to_scale, to_bias, *map(vector, g.given(sums, statistics))  # type: ignore[arg-type]


_POSITIVE = Domain(0.5, 2.0)
_TRAINING = {"is_training": True}


def _batch_cases() -> tuple[Case, ...]:
    shapes: tuple[Shape, ...] = ((3, 2), (2, 2, 3), (2, 2, 1, 3), (4, 3, 5, 7), (17, 5), (1, 2, 33, 31))
    cases = [Case((s, *((s[1],),) * 4), attrs) for s in shapes for attrs in ({}, _TRAINING)]
    return (*cases, Case(((0, 2, 3), *((2,),) * 4), {}))


operator(
    "BatchNorm", ", ".join(_BATCH_NAMES), attrs=_BATCH_ATTRS, infer=_infer_batch, reference=quiet(_batch), gradient=_batch_gradient,
    expand=_expand_batch, dtypes=dt.FLOATS,
    samples=Samples(
        _batch_cases(), (Domain(), Domain(), Domain(), Domain(), _POSITIVE),
        wrong=(Wrong(((3, 2), *((2,),) * 4), TypeError, ("BatchNorm", "'input_x'", "Int32"), (dt.int32,) * 5),
               Wrong(((3, 2), (3,), *((2,),) * 3), ValueError, ("BatchNorm", "'scale'", "[2]", "[3]")),
               Wrong(((3,), *((2,),) * 4), ValueError, ("BatchNorm", "'input_x'", "[3]")),
               Wrong(((3, 2), *((2,),) * 4), ValueError, ("BatchNorm", "'epsilon'", "0"), (), {"epsilon": 0.0}),
               Wrong(((3, 2), *((2,),) * 4), ValueError, ("BatchNorm", "'data_format'", "NHWC"), (), {"data_format": "NHWC"})),
    ),
    doc="Each channel (dimension 1) less its mean, by its deviation: the given ones, or in training those of the batch, which are "
        "then the other results.",
)  # fmt: skip

_LAYER = "LayerNorm"


def _infer_layer(
    x: TensorType, gamma: TensorType, beta: TensorType, begin_norm_axis: int, begin_params_axis: int, epsilon: float
) -> TupleType:
    check_dtype(_LAYER, "input_x", x, dt.FLOATS)
    check_rank(_LAYER, "input_x", x, 1)
    check_same_dtype(_LAYER, ("input_x", "gamma", "beta"), (x, gamma, beta))
    norm, params = _layer_axes(x, begin_norm_axis, begin_params_axis)
    for name, each in (("gamma", gamma), ("beta", beta)):
        if each.shape != x.shape[params:]:
            raise ValueError(
                f"{_LAYER}: argument {name!r} must have the shape {list(x.shape[params:])} for {x}, but got {each}."
            )
    kept = TensorType(dt.float32 if x.dtype.itemsize == 2 else x.dtype, x.shape[:norm] + (1,) * (x.rank - norm))
    return TupleType((x, kept, kept))


def _layer_axes(x: TensorType, norm: int, params: int) -> tuple[int, int]:
    try:
        return normalize_axis(norm, x.rank), normalize_axis(params, x.rank)
    except (TypeError, ValueError) as error:
        raise type(error)(
            f"{_LAYER}: attributes 'begin_norm_axis' {norm} and 'begin_params_axis' {params} do not fit 'input_x' {x}: {error}."
        ) from None


def _normed(rank: int, begin: int) -> Shape:
    return tuple(range(begin % rank, rank))


def _expand_layer(
    b: Any, x: Any, gamma: Any, beta: Any, begin_norm_axis: int, begin_params_axis: int, epsilon: float
) -> Any:
    wide = _wide(b, x)
    mean, variance = _centred(b, wide, _normed(len(b.shape(x)), begin_norm_axis))
    normal = b.mul(b.sub(wide, mean), _inverse(b, variance, epsilon))
    out = b.add(b.mul(normal, _wide(b, gamma)), _wide(b, beta))
    return b.tuple([_back(b, out, x), mean, variance])


def _layer(x: Any, gamma: Any, beta: Any, begin_norm_axis: int, begin_params_axis: int, epsilon: float) -> Any:
    wide, g, o = _numpy_wide(x, gamma, beta)
    axes = _normed(x.ndim, begin_norm_axis)
    mean, variance = np.mean(wide, axes, keepdims=True), np.var(wide, axes, keepdims=True)
    return ((wide - mean) / np.sqrt(variance + wide.dtype.type(epsilon)) * g + o).astype(x.dtype), mean, variance


def _layer_gradient(
    b: Any,
    x: Any,
    gamma: Any,
    beta: Any,
    out: Any,
    d: Any,
    begin_norm_axis: int,
    begin_params_axis: int,
    epsilon: float,
) -> tuple[Any, Any, Any]:
    wide = _wide(b, x)
    inverse = _inverse(b, out[2], epsilon)
    normal = b.mul(b.sub(wide, out[1]), inverse)
    axes = _normed(len(b.shape(x)), begin_norm_axis)
    if d[0] is None:
        to_x = _to_input(b, None, normal, inverse, axes, (d[1], d[2]))
        return None if to_x is None else _back(b, to_x, x), None, None
    to_out = _wide(b, d[0])
    to_x = _to_input(b, b.mul(to_out, _wide(b, gamma)), normal, inverse, axes, (d[1], d[2]))
    to_gamma = b.sum_to(b.mul(to_out, normal), b.shape(gamma))
    return _back(b, to_x, x), _back(b, to_gamma, gamma), _back(b, b.sum_to(to_out, b.shape(beta)), beta)


operator(
    _LAYER, "input_x, gamma, beta", attrs={"begin_norm_axis": 1, "begin_params_axis": 1, "epsilon": 1e-7}, infer=_infer_layer,
    reference=quiet(_layer), gradient=_layer_gradient, expand=_expand_layer, dtypes=dt.FLOATS,
    samples=Samples(
        (Case(((3, 4), (4,), (4,))), Case(((2, 3, 2), (3, 2), (3, 2))), Case(((5, 70), (70,), (70,))), Case(((0, 4), (4,), (4,))),
         Case(((2, 3, 4), (4,), (4,)), {"begin_norm_axis": -1, "begin_params_axis": -1}),
         Case(((2, 3, 4), (3, 4), (3, 4)), {"begin_norm_axis": 2, "epsilon": 1e-5}),
         Case(((6,), (6,), (6,)), {"begin_norm_axis": 0, "begin_params_axis": 0})),
        wrong=(Wrong(((3, 4), (3,), (4,)), ValueError, (_LAYER, "'gamma'", "[4]", "[3]")),
               Wrong(((3, 4), (4,), (4,)), ValueError, (_LAYER, "'begin_norm_axis'", "2"), (), {"begin_norm_axis": 2}),
               Wrong(((3, 4), (4,), (4,)), TypeError, (_LAYER, "'gamma'", "Float16"), (dt.float32, dt.float16, dt.float16))),
    ),
    doc="The last dimensions less their mean, by their deviation, times gamma, plus beta; mean and variance are the other results.",
)  # fmt: skip
