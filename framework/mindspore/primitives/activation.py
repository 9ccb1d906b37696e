"""Activation functions."""

from __future__ import annotations

from math import erf, pi, sqrt
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import normalize_axis
from mindspore.ir.types import TensorType
from mindspore.primitives.declare import EVERY_REAL, check_dtype, check_rank, operator, quiet, unary, wide
from mindspore.primitives.elementwise import sigmoid_reference
from mindspore.primitives.samples import Case, Domain, Samples, Wrong, cases

AWAY_FROM_0 = Domain(kinks=(0.0,))
HARD = Domain(-5, 8, kinks=(-3.0, 0.0, 3.0, 6.0))
_TANH_SCALE, _TANH_CUBIC = sqrt(2 / pi), 0.044715


def _relu_body(s: Any, x: Any) -> Any:
    return x if x.dtype is dt.bool_ else s.maximum(x, 0)


# The gradient looks at the result: then the input, which nothing else may need, is not kept for it.
unary("ReLU", _relu_body, lambda x: np.maximum(x, x.dtype.type(0)),
      lambda b, x, out, d: b.select(b.greater(out, 0), d, 0), function="relu", dtypes=EVERY_REAL, domain=AWAY_FROM_0)  # fmt: skip
unary("ReLU6", lambda s, x: s.minimum(s.maximum(x, 0), 6), lambda x: np.minimum(np.maximum(x, x.dtype.type(0)), x.dtype.type(6)),
      lambda b, x, out, d: b.select(b.logical_and(b.greater(x, 0), b.less(x, 6)), d, 0), function="relu6", domain=HARD)  # fmt: skip


def _leaky_gradient(b: Any, x: Any, out: Any, d: Any, alpha: float) -> Any:
    return b.select(b.greater(x, 0), d, b.mul(d, alpha))


unary("LeakyReLU", lambda s, x, alpha: s.select(s.gt(x, 0), x, s.mul(x, alpha)),
      lambda x, alpha: np.where(x > 0, x, x * alpha).astype(x.dtype), _leaky_gradient, function="leaky_relu",
      attrs={"alpha": 0.2}, dtypes=dt.FLOATS, promote="float", domain=AWAY_FROM_0)  # fmt: skip


def _elu_body(s: Any, x: Any, alpha: float) -> Any:
    return s.select(s.gt(x, 0), x, s.mul(s.expm1(x), alpha))


def _elu_gradient(b: Any, x: Any, out: Any, d: Any, alpha: float) -> Any:
    # The exponential is of the negative part alone: where the other branch is taken it must not overflow.
    return b.select(b.greater(x, 0), d, b.mul(d, b.mul(b.exp(b.minimum(x, 0)), alpha)))


unary("Elu", _elu_body, lambda x, alpha: np.where(x > 0, x, np.expm1(x) * alpha).astype(x.dtype), _elu_gradient,
      attrs={"alpha": 1.0}, dtypes=dt.FLOATS, promote="float", domain=AWAY_FROM_0)  # fmt: skip


def _hsigmoid_body(s: Any, x: Any) -> Any:
    return s.div(s.minimum(s.maximum(s.add(x, 3), 0), 6), 6)


def _hsigmoid(x: Any) -> Any:
    return np.minimum(np.maximum(x + x.dtype.type(3), x.dtype.type(0)), x.dtype.type(6)) / x.dtype.type(6)


def _in_slope(b: Any, x: Any) -> Any:
    return b.logical_and(b.greater(x, -3), b.less(x, 3))


def _hswish_gradient(b: Any, x: Any, out: Any, d: Any) -> Any:
    slope = b.select(_in_slope(b, x), b.add(b.mul(x, 1 / 3), 0.5), b.cast(b.greater_equal(x, 3), dtype=b.dtype(x)))
    return b.mul(d, slope)


unary("HSigmoid", _hsigmoid_body, _hsigmoid, lambda b, x, out, d: b.select(_in_slope(b, x), b.mul(d, 1 / 6), 0),
      function="hsigmoid", dtypes=dt.FLOATS, promote="float", domain=HARD)  # fmt: skip
unary("HSwish", lambda s, x: s.select(s.le(x, -3), 0, s.mul(x, _hsigmoid_body(s, x))),
      lambda x: np.where(x <= -3, 0, x * _hsigmoid(x)).astype(x.dtype), _hswish_gradient, function="hswish",
      dtypes=dt.FLOATS, promote="float", domain=HARD)  # fmt: skip


def _silu_gradient(b: Any, x: Any, out: Any, d: Any) -> Any:
    s = b.sigmoid(x)
    return b.mul(d, b.mul(s, b.add(b.mul(x, b.sub(1, s)), 1)))


unary("SiLU", lambda s, x: s.mul(x, s.sigmoid(x)), lambda x: x * sigmoid_reference(x), _silu_gradient, function="silu",
      dtypes=dt.FLOATS, promote="float")  # fmt: skip
unary("Softplus", lambda s, x: s.add(s.maximum(x, 0), s.log1p(s.exp(s.neg(s.abs(x))))),
      lambda x: np.maximum(x, x.dtype.type(0)) + np.log1p(np.exp(-np.abs(x))),
      lambda b, x, out, d: b.mul(d, b.sigmoid(x)), dtypes=dt.FLOATS, promote="float")  # fmt: skip


def _gelu_body(s: Any, x: Any, approximate: str) -> Any:
    if approximate == "tanh":
        inner = s.mul(s.mul(x, _TANH_SCALE), s.add(s.mul(s.square(x), _TANH_CUBIC), 1))
        return s.mul(s.mul(x, 0.5), s.add(s.tanh(inner), 1))
    return s.mul(x, s.normal_cdf(x))


def _gelu(x: Any, approximate: str) -> Any:
    if approximate == "tanh":
        return (x * 0.5 * (np.tanh(_TANH_SCALE * x * (1 + _TANH_CUBIC * np.square(x))) + 1)).astype(x.dtype)
    over = np.vectorize(erf, otypes=[np.float64])
    return (x * 0.5 * ((over(x * sqrt(0.5)) if x.size else x) + 1)).astype(x.dtype)


def _gelu_gradient(b: Any, x: Any, out: Any, d: Any, approximate: str) -> Any:
    if approximate == "tanh":
        square = b.square(x)
        t = b.tanh(b.mul(b.mul(x, _TANH_SCALE), b.add(b.mul(square, _TANH_CUBIC), 1)))
        inner = b.mul(b.add(b.mul(square, 3 * _TANH_CUBIC), 1), _TANH_SCALE)
        slope = b.mul(b.mul(b.mul(x, 0.5), b.sub(1, b.square(t))), inner)
        return b.mul(d, b.add(b.mul(b.add(t, 1), 0.5), slope))
    density = b.mul(b.exp(b.mul(b.square(x), -0.5)), 1 / sqrt(2 * pi))
    return b.mul(d, b.add(b.normal_cdf(x), b.mul(x, density)))


unary("GeLU", _gelu_body, _gelu, _gelu_gradient, function="gelu", attrs={"approximate": "tanh"}, dtypes=dt.FLOATS,
      promote="float", trials=cases(((),), ((0,),), ((2, 3),), ((65,),)) + cases(((2, 3),), ((33,),), approximate="none"),
      doc="Gaussian error linear unit: by tanh, or with approximate='none' by erf.")  # fmt: skip


def _one_axis(axis: Any) -> Any:
    return next(iter(axis)) if isinstance(axis, tuple | list) else axis


def _infer_rows(name: str) -> Any:
    def infer(x: TensorType, axis: Any) -> TensorType:
        check_dtype(name, "x", x, dt.FLOATS)
        check_rank(name, "x", x, 1)
        if isinstance(axis, tuple | list) and len(axis) != 1:
            raise ValueError(f"{name}: attribute 'axis' must be one dimension, but got {tuple(axis)}.")
        try:
            normalize_axis(_one_axis(axis), x.rank)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name}: attribute 'axis' does not fit argument 'x' {x}: {error}.") from None
        return x

    return infer


def in_float32(b: Any, x: Any, rows: Any) -> Any:
    """`rows` of x, computed in Float32 where x is of half precision."""
    dtype = b.dtype(x)
    return b.cast(rows(b.cast(x, dtype=dt.float32)), dtype=dtype) if dtype.itemsize == 2 else rows(x)


def _shifted(b: Any, x: Any, axis: int) -> Any:
    """x less its maximum, so that no exponential overflows."""
    return b.sub(x, b.stop_gradient(b.reduce_max(x, axis=axis, keep_dims=True)))


def softmax_rows(b: Any, x: Any, axis: int) -> Any:
    e = b.exp(_shifted(b, x, axis))
    return b.div(e, b.reduce_sum(e, axis=axis, keep_dims=True))


def log_softmax_rows(b: Any, x: Any, axis: int) -> Any:
    shifted = _shifted(b, x, axis)
    return b.sub(shifted, b.log(b.reduce_sum(b.exp(shifted), axis=axis, keep_dims=True)))


def _softmax(x: Any, axis: Any) -> Any:
    e = np.exp(x - np.max(x, axis=_one_axis(axis), keepdims=True, initial=-np.inf))
    return e / np.sum(e, axis=_one_axis(axis), keepdims=True)


def log_softmax_reference(x: Any, axis: Any) -> Any:
    shifted = x - np.max(x, axis=_one_axis(axis), keepdims=True, initial=-np.inf)
    return shifted - np.log(np.sum(np.exp(shifted), axis=_one_axis(axis), keepdims=True))


def _softmax_gradient(b: Any, x: Any, out: Any, d: Any, axis: Any) -> tuple[Any]:
    axis = _one_axis(axis)
    return (b.mul(out, b.sub(d, b.reduce_sum(b.mul(d, out), axis=axis, keep_dims=True))),)


def _log_softmax_gradient(b: Any, x: Any, out: Any, d: Any, axis: Any) -> tuple[Any]:
    return (b.sub(d, b.mul(b.exp(out), b.reduce_sum(d, axis=_one_axis(axis), keep_dims=True))),)


def _rows(name: str, reference: Any, gradient: Any, rows: Any, doc: str) -> None:
    trials = cases(((5,),), ((2, 3),), ((2, 3, 4),), ((0, 3),), ((3, 70),), axis=-1)
    samples = Samples(
        (*trials, Case(((2, 3, 4),), {"axis": 1}), Case(((2, 3),), {"axis": (0,)}), Case(((2, 0),), {"axis": 1})),
        (Domain(-6, 6),),
        wrong=(Wrong(((2, 3),), ValueError, (name, "'axis'", "2"), (), {"axis": 2}),
               Wrong(((2, 3),), TypeError, (name, "'x'", "Int32"), (dt.int32,)),
               Wrong(((),), ValueError, (name, "'x'", "at least 1"))),
    )  # fmt: skip
    operator(
        name, "x", attrs={"axis": -1}, infer=_infer_rows(name), reference=quiet(wide(reference)), gradient=gradient,
        expand=lambda b, x, axis: in_float32(b, x, lambda v: rows(b, v, _one_axis(axis))), dtypes=dt.FLOATS,
        samples=samples, doc=doc,
    )  # fmt: skip


_rows("Softmax", _softmax, _softmax_gradient, softmax_rows, "Exponentials along one dimension divided by their sum.")
_rows("LogSoftmax", log_softmax_reference, _log_softmax_gradient, log_softmax_rows, "The logarithm of softmax.")
