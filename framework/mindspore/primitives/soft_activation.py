"""Activation functions with exponential tails, and those that shrink towards zero."""

from __future__ import annotations

from math import inf, pi
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.primitives.declare import Rule, unary
from mindspore.primitives.elementwise import sigmoid_reference
from mindspore.primitives.samples import Domain

_AWAY_FROM_0 = Domain(kinks=(0.0,))
_AWAY_FROM_HALF = Domain(kinks=(-0.5, 0.5))
_SCALE, _ALPHA = 1.0507009873554805, 1.6732632423543772
"""Klambauer et al. 2017, "Self-normalizing neural networks"."""
_FAST = 1.702
"""Hendrycks and Gimpel 2016, "Gaussian error linear units": the sigmoid that is nearest to the normal distribution."""


def _floating(name: str, body: Rule, reference: Rule, gradient: Rule, function: str, **facts: Any) -> None:
    def rounded(x: Any, **attrs: Any) -> Any:
        return np.asarray(reference(x, **attrs)).astype(x.dtype)

    unary(name, body, rounded, gradient, function=function, dtypes=dt.FLOATS, promote="float", **facts)


def _softplus_body(s: Any, x: Any) -> Any:
    return s.add(s.maximum(x, 0), s.log1p(s.exp(s.neg(s.abs(x)))))


def _mish_gradient(b: Any, x: Any, out: Any, d: Any) -> Any:
    t = b.tanh(b.softplus(x))
    return b.mul(d, b.add(t, b.mul(b.mul(x, b.sigmoid(x)), b.sub(1, b.square(t)))))


_floating(
    "Mish", lambda s, x: s.select(s.eq(x, -inf), 0, s.mul(x, s.tanh(_softplus_body(s, x)))),
    lambda x: np.where(x == -inf, 0, x * np.tanh(np.logaddexp(x, 0))), _mish_gradient, "mish",
    doc="``x * tanh(softplus(x))`` (Misra 2019).",
)  # fmt: skip


def _negative_part(b: Any, x: Any, slope: Any, positive: Any, d: Any) -> Any:
    """The gradient of what is linear above zero; the exponential does not overflow where it is not taken."""
    return b.mul(d, b.select(b.greater(x, 0), positive, slope(b.minimum(x, 0))))


_floating(
    "SeLU", lambda s, x: s.mul(s.select(s.gt(x, 0), x, s.mul(s.expm1(x), _ALPHA)), _SCALE),
    lambda x: np.where(x > 0, x, np.expm1(x) * _ALPHA) * _SCALE,
    lambda b, x, out, d: _negative_part(b, x, lambda v: b.mul(b.exp(v), _SCALE * _ALPHA), _SCALE, d), "selu",
    domain=_AWAY_FROM_0, doc="An exponential linear unit under which activations keep mean 0 and variance 1.",
)  # fmt: skip


def _not_zero(alpha: float) -> None:
    if alpha == 0:
        raise ValueError(f"For 'CeLU', the 'alpha' must not be 0, but got {alpha}.")


def _not_negative(lambd: float) -> None:
    if lambd < 0:
        raise ValueError(f"For 'SoftShrink', the 'lambd' must not be negative, but got {lambd}.")


_floating(
    "CeLU", lambda s, x, alpha: s.select(s.gt(x, 0), x, s.mul(s.expm1(s.div(x, alpha)), alpha)),
    lambda x, alpha: np.where(x > 0, x, np.expm1(x / alpha) * alpha),
    lambda b, x, out, d, alpha: _negative_part(b, x, lambda v: b.exp(b.div(v, alpha)), 1.0, d), "celu",
    attrs={"alpha": 1.0}, check=_not_zero, domain=_AWAY_FROM_0, doc="``x`` above zero, ``alpha * (exp(x / alpha) - 1)`` below.",
)  # fmt: skip
_floating(
    "FastGeLU", lambda s, x: s.select(s.eq(x, -inf), 0, s.mul(x, s.sigmoid(s.mul(x, _FAST)))),
    lambda x: np.where(x == -inf, 0, x * sigmoid_reference(x * x.dtype.type(_FAST))),
    lambda b, x, out, d: b.mul(d, b.add(
        b.sigmoid(b.mul(x, _FAST)),
        b.mul(b.mul(x, _FAST), b.mul(b.sigmoid(b.mul(x, _FAST)), b.sigmoid(b.mul(x, -_FAST)))),
    )), "fast_gelu", doc="``x * sigmoid(1.702 * x)``, near to the Gaussian error linear unit.",
)  # fmt: skip


def _outside(b: Any, x: Any, lambd: float, d: Any) -> Any:
    return b.select(b.less_equal(b.abs(x), lambd), 0, d)


_floating(
    "HShrink", lambda s, x, lambd: s.select(s.le(s.abs(x), lambd), 0, x),
    lambda x, lambd: np.where(np.abs(x) <= lambd, 0, x),
    lambda b, x, out, d, lambd: _outside(b, x, lambd, d), "hardshrink",
    attrs={"lambd": 0.5}, domain=_AWAY_FROM_HALF, doc="0 from -lambd to lambd, elsewhere ``x``.",
)  # fmt: skip
_floating(
    "SoftShrink",
    lambda s, x, lambd: s.select(s.le(s.abs(x), lambd), 0, s.select(s.gt(x, 0), s.sub(x, lambd), s.add(x, lambd))),
    lambda x, lambd: np.where(np.abs(x) <= lambd, 0, np.where(x > 0, x - x.dtype.type(lambd), x + x.dtype.type(lambd))),
    lambda b, x, out, d, lambd: _outside(b, x, lambd, d), "softshrink",
    attrs={"lambd": 0.5}, check=_not_negative, domain=_AWAY_FROM_HALF,
    doc="0 from -lambd to lambd, elsewhere ``x`` moved towards 0 by lambd.",
)  # fmt: skip


def _sinc_body(s: Any, x: Any) -> Any:
    """The sine of the part beyond the nearest integer, whose sign alternates."""
    whole = s.round(x)
    sine = s.sin(s.mul(s.sub(x, whole), pi))
    odd = s.ne(s.mul(s.round(s.mul(whole, 0.5)), 2), whole)
    return s.select(s.eq(x, 0), 1, s.div(s.select(odd, s.neg(sine), sine), s.mul(x, pi)))


def _sinc(x: Any) -> Any:
    wide = x.astype(np.float64)
    part = wide - np.rint(wide)
    sine = np.where(np.rint(wide) % 2 == 0, 1, -1) * np.sin(pi * part)
    return np.where(wide == 0, 1, sine / np.where(wide == 0, 1, pi * wide))


def _sinc_gradient(b: Any, x: Any, out: Any, d: Any) -> Any:
    zero = b.equal(x, 0)
    slope = b.div(b.sub(b.cos(b.mul(x, pi)), out), b.select(zero, 1, x))
    return b.mul(d, b.select(zero, 0, slope))


_floating(
    "Sinc", _sinc_body, _sinc, _sinc_gradient, "sinc", domain=_AWAY_FROM_0, doc="``sin(pi * x) / (pi * x)``, 1 at 0."
)
