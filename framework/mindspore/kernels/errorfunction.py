"""erf, erfc and the normal distribution."""

from __future__ import annotations

from mindspore.kernels.emit import Value
from mindspore.kernels.exponential import exp_scaled
from mindspore.kernels.real import Real

ERFC_CENTRE = 3.75
"""The polynomial for (1 + 2a) erfc(a) exp(a**2) is in (a - 3.75) / (a + 3.75)."""
NORMAL_END = 5.7
"""So far from 0 floats of the normal distribution's values become 0 and 1."""


def erf(r: Real, x: Value) -> Value:
    a = r.abs(x)
    far = r.copysign(1.0 - _complement(r, a), x)
    return r.select(a < 1.0, _near(r, x), far)


def _near(r: Real, x: Value) -> Value:
    """erf(x) for |x| <= 1."""
    return x * r.polynomial("ERF", x * x) + x


def _complement(r: Real, a: Value) -> Value:
    """erfc(a) for a >= 1, where it is about to be subtracted from 1."""
    if r.scalar == "float":
        a = r.select(a > 4.0, 4.0, a)
        return exp_scaled(r, -r.polynomial("ERF_TAIL", a))
    return _scaled_complement(r, r.select(a > 6.0, 6.0, a))


def _scaled_complement(r: Real, a: Value) -> Value:
    """erfc(a) for a >= 0, good relative to itself. The square is kept exact in two parts: exp magnifies its error."""
    f = r.f
    t = (a - ERFC_CENTRE) / (a + ERFC_CENTRE)
    short = (a.to("bitcast", "i64") & ~0x7FFFFFF).to("bitcast", "double")
    low = -(a - short) * (a + short)
    square = short * short
    e = exp_scaled(r, f.op("fneg", square), low=low)
    return e * (r.polynomial("ERFC", t) / (a * 2.0 + 1.0))


def erfc(r: Real, x: Value) -> Value:
    a = r.abs(x)
    limited = r.select(a > 28.0, 28.0, a)
    value = _scaled_complement(r, limited)
    far = r.select(x < 0.0, 2.0 - value, value)
    return r.select(a < 0.5, 1.0 - _near(r, x), far)


def normal_cdf(r: Real, x: Value) -> Value:
    """The standard normal distribution up to x. Floats are one exponential of a polynomial, small ones good relative to themselves."""
    if r.scalar == "double":
        return erf(r, x * 0.70710678118654752) * 0.5 + 0.5
    f, a = r.f, r.abs(x)
    limited = r.select(a > NORMAL_END, NORMAL_END, a)
    halvings = limited * r.polynomial("NORMAL_TAIL", limited)
    n, whole = r.nearest(halvings)
    rest = n - halvings
    value = (rest * r.polynomial("EXP2", rest) + 1.0) * r.power_of_two(f.op("sub", r.f.value(-1, r.integer), whole))
    value = r.select(a > NORMAL_END, 0.0, value)
    return r.select(x > 0.0, 1.0 - value, value)
