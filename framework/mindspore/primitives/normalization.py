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


def _batch_statistics(b: Any, x: Any) -> tuple[Any, Any]:
    """Mean and variance of each channel: of each row while it is in cache, then what the rows' means differ by is added."""
    shape = b.shape(x)
    if len(shape) == 2:
        return _centred(b, x, (0,))
    rows = b.reshape(x, shape=(shape[0], shape[1], prod(shape[2:])))
    means, variances = _centred(b, rows, (2,))
    mean = _mean(b, means, (0,))
    variance = _mean(b, b.add(variances, b.square(b.sub(means, mean))), (0,))
    kept = (1, shape[1], *(1,) * (len(shape) - 2))
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
    to_mean, to_variance = statistics
    count = prod(b.shape(normal)[a] for a in axes)
    result = None
    if d is not None:
        own, along = _mean(b, d, axes), _mean(b, b.mul(d, normal), axes)
        result = b.mul(b.sub(b.sub(d, own), b.mul(normal, along)), inverse)
    if to_mean is not None:
        result = _added(b, result, b.broadcast_to(b.div(to_mean, float(count)), shape=b.shape(normal)))
    if to_variance is not None:
        centred = b.div(normal, inverse)
        result = _added(b, result, b.mul(centred, b.mul(to_variance, 2.0 / count)))
    return result


def _batch_gradient(
    b: Any, x: Any, scale: Any, bias: Any, mean: Any, variance: Any, out: Any, d: Any, is_training: bool, epsilon: float, **_: Any
) -> tuple[Any, ...]:  # fmt: skip
    wide, axes = _wide(b, x), _batch_axes(len(b.shape(x)))
    to_out = None if d[0] is None else _wide(b, d[0])
    to_mean, to_variance = (
        None if part is None else _along_channels(b, _wide(b, part), x)
        for part in (_added(b, d[1], d[3]), _added(b, d[2], d[4]))
    )
    mean_row, variance_row, scale_row = (_along_channels(b, _wide(b, v), x) for v in (out[1], out[2], scale))
    inverse = _inverse(b, variance_row, epsilon)
    normal = b.mul(b.sub(wide, mean_row), inverse)
    to_bias = None if to_out is None else b.reduce_sum(to_out, axis=axes)
    to_scale = None if to_out is None else b.reduce_sum(b.mul(to_out, normal), axis=axes)

    def vector(value: Any) -> Any:
        return None if value is None else _back(b, b.reshape(value, shape=b.shape(scale)), scale)

    weighted = None if to_out is None else b.mul(to_out, scale_row)
    if is_training:
        to_x = _to_input(b, weighted, normal, inverse, axes, (to_mean, to_variance))
        return None if to_x is None else _back(b, to_x, x), vector(to_scale), vector(to_bias), None, None
    if to_out is None:
        return None, None, None, vector(to_mean), vector(to_variance)
    factor = b.mul(inverse, scale_row)
    shared = b.neg(b.mul(factor, _along_channels(b, to_bias, x)))
    spread = b.mul(b.mul(b.square(inverse), scale_row), b.mul(_along_channels(b, to_scale, x), -0.5))
    return (
        _back(b, b.mul(weighted, inverse), x), vector(to_scale), vector(to_bias),
        vector(_added(b, shared, to_mean)), vector(_added(b, spread, to_variance)),
    )  # fmt: skip


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
