"""Element-wise functions of one tensor."""

from __future__ import annotations

from math import erf, erfc, pi, sqrt
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import NotDifferentiable
from mindspore.ir.types import TensorType
from mindspore.primitives import rows
from mindspore.primitives.compute import Alias
from mindspore.primitives.declare import (
    DISCRETE,
    EVERY_REAL,
    FLOATS_AND_COMPLEX,
    STEP,
    floating,
    operator,
    snake,
    unary,
)
from mindspore.primitives.samples import UNARY, Domain, Samples

POSITIVE = Domain(0.2, 4.0)
UNIT = Domain(-0.85, 0.85)
AWAY_FROM_0 = Domain(kinks=(0.0,))
AWAY_FROM_HALVES = Domain(kinks=tuple(i / 2 for i in range(-7, 8)))


def _by_element(function: Any) -> Any:
    over = np.vectorize(function, otypes=[np.float64])
    return lambda x: over(x).astype(x.dtype) if x.size else x


def sigmoid_reference(x: Any) -> Any:
    e = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + e), e / (1 + e))


def _keep_integers(scalar: str) -> Any:
    return lambda s, x: getattr(s, scalar)(x) if x.dtype.is_floating else x


def _never_for_integers(scalar: str, otherwise: bool) -> Any:
    return lambda s, x: getattr(s, scalar)(x) if x.dtype.is_floating else s.const(otherwise, dt.bool_)


unary("Neg", "neg", np.negative, lambda b, x, out, d: b.neg(d), dtypes=dt.NUMBERS)
unary("Abs", lambda s, x: x if x.dtype is dt.bool_ else s.abs(x), np.abs, lambda b, x, out, d: b.mul(d, b.sign(x)),
      dtypes=EVERY_REAL, domain=AWAY_FROM_0)  # fmt: skip
unary("Sign", "sign", np.sign, STEP, domain=AWAY_FROM_0)
unary("Square", "square", np.square, lambda b, x, out, d: b.mul(d, b.mul(x, 2)), dtypes=dt.NUMBERS)
unary("Invert", lambda s, x: s.logical_not(x) if x.dtype is dt.bool_ else s.bit_not(x), np.invert, DISCRETE,
      dtypes=(dt.bool_, *dt.INTEGERS))  # fmt: skip

floating("Sqrt", np.sqrt, lambda b, x, out, d: b.div(b.mul(d, 0.5), out), domain=POSITIVE)
floating("Rsqrt", lambda x: 1 / np.sqrt(x), lambda b, x, out, d: b.mul(b.mul(d, -0.5), b.mul(out, b.square(out))),
         domain=POSITIVE)  # fmt: skip
unary("Reciprocal", "reciprocal", lambda x: 1 / x, lambda b, x, out, d: b.neg(b.mul(d, b.square(out))),
      dtypes=FLOATS_AND_COMPLEX, promote="float", domain=Domain(0.3, 3))  # fmt: skip
floating("Exp", np.exp, lambda b, x, out, d: b.mul(d, out))
floating("Expm1", np.expm1, lambda b, x, out, d: b.mul(d, b.add(out, 1)))
floating("Log", np.log, lambda b, x, out, d: b.div(d, x), domain=POSITIVE)
floating("Log1p", np.log1p, lambda b, x, out, d: b.div(d, b.add(x, 1)), domain=Domain(-0.7, 3))
floating("Sin", np.sin, lambda b, x, out, d: b.mul(d, b.cos(x)))
floating("Cos", np.cos, lambda b, x, out, d: b.neg(b.mul(d, b.sin(x))))
floating("Tan", np.tan, lambda b, x, out, d: b.mul(d, b.add(b.square(out), 1)), domain=Domain(-1.1, 1.1))
floating("Asin", np.arcsin, lambda b, x, out, d: b.mul(d, b.rsqrt(b.sub(1, b.square(x)))), domain=UNIT)
floating("ACos", np.arccos, lambda b, x, out, d: b.neg(b.mul(d, b.rsqrt(b.sub(1, b.square(x))))), function="acos",
         domain=UNIT)  # fmt: skip
floating("Atan", np.arctan, lambda b, x, out, d: b.div(d, b.add(b.square(x), 1)))
floating("Sinh", np.sinh, lambda b, x, out, d: b.mul(d, b.cosh(x)))
floating("Cosh", np.cosh, lambda b, x, out, d: b.mul(d, b.sinh(x)))
floating("Tanh", np.tanh, lambda b, x, out, d: b.mul(d, b.sub(1, b.square(out))))
floating("Asinh", np.arcsinh, lambda b, x, out, d: b.mul(d, b.rsqrt(b.add(b.square(x), 1))))
floating("Acosh", np.arccosh, lambda b, x, out, d: b.mul(d, b.rsqrt(b.sub(b.square(x), 1))), domain=Domain(1.3, 4))
floating("Atanh", np.arctanh, lambda b, x, out, d: b.div(d, b.sub(1, b.square(x))), domain=UNIT)
floating("Erf", _by_element(erf),
         lambda b, x, out, d: b.mul(b.mul(d, 2 / sqrt(pi)), b.exp(b.neg(b.square(x)))))  # fmt: skip
floating("Erfc", _by_element(erfc),
         lambda b, x, out, d: b.mul(b.mul(d, -2 / sqrt(pi)), b.exp(b.neg(b.square(x)))))  # fmt: skip
floating("NormalCdf", _by_element(lambda x: 0.5 * erfc(-x * sqrt(0.5))),
         lambda b, x, out, d: b.mul(b.mul(d, 1 / sqrt(2 * pi)), b.exp(b.mul(b.square(x), -0.5))), function="normal_cdf")  # fmt: skip
floating("Sigmoid", sigmoid_reference, lambda b, x, out, d: b.mul(d, b.mul(out, b.sub(1, out))))

unary("Floor", _keep_integers("floor"), np.floor, STEP, domain=AWAY_FROM_HALVES)
unary("Ceil", _keep_integers("ceil"), np.ceil, STEP, domain=AWAY_FROM_HALVES)
unary("Rint", _keep_integers("round"), np.rint, STEP, dtypes=dt.FLOATS, domain=AWAY_FROM_HALVES)
unary("Round", _keep_integers("round"), np.round, STEP, domain=AWAY_FROM_HALVES)
unary("Trunc", _keep_integers("trunc"), np.trunc, STEP, dtypes=EVERY_REAL, domain=AWAY_FROM_HALVES)

unary("IsNan", _never_for_integers("isnan", False), np.isnan, DISCRETE, dtypes=EVERY_REAL, result=dt.bool_,
      function="isnan")  # fmt: skip
unary("IsInf", _never_for_integers("isinf", False), np.isinf, DISCRETE, dtypes=EVERY_REAL, result=dt.bool_,
      function="isinf")  # fmt: skip
unary("IsFinite", _never_for_integers("isfinite", True), np.isfinite, DISCRETE, dtypes=EVERY_REAL, result=dt.bool_,
      function="isfinite")  # fmt: skip


def _alias(name: str, gradient: Any, doc: str) -> None:
    def infer(x: TensorType) -> TensorType:
        return x

    operator(
        name, "x", infer=infer, reference=lambda x: x, gradient=gradient, compute=Alias(), dtypes=dt.ALL,
        samples=Samples(UNARY, specials=True), doc=doc, vmap=rows.same(snake(name)),
    )  # fmt: skip


_alias("Identity", lambda b, x, out, d: (d,), "The input itself.")
_alias("StopGradient", NotDifferentiable("stop_gradient ends differentiation"), "The input as a constant of gradients.")
