"""Special functions of one or two numbers. They are computed in Float64 and rounded once, also for narrower types.

In Float64 they are good to a few units in the last place, next to a root other than 0 (those of `Digamma`, of `Lgamma` below 0) of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import erf, erfc, exp, factorial, inf, lgamma, log, pi, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Elementwise
from mindspore.primitives.declare import (
    Rule,
    broadcast_shape,
    check_dtype,
    check_same_dtype,
    elementwise_gradient,
    floating,
    operator,
    quiet,
    unary,
    wide,
)
from mindspore.primitives.samples import BINARY, Domain, Samples, Wrong

_BERNOULLI = (1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510, 43867 / 798)
"""B2, B4, ..."""
_EULER = 0.5772156649015329
_SHIFT = 8
"""From here on the asymptotic series of the gamma function's family are exact enough."""
AWAY_FROM_POLES = Domain(-2.8, 4.0, kinks=(0.0, -1.0, -2.0, -3.0))


def _in_double(body: Rule) -> Rule:
    def run(s: Any, *operands: Any) -> Any:
        return s.cast(body(s, *(s.cast(x, dt.float64) for x in operands)), operands[0].dtype)

    return run


def _by_element(function: Callable[..., float]) -> Rule:
    """A function of Python floats as a numpy function that computes in float64."""
    over = np.vectorize(function, otypes=[np.float64])
    return lambda *arrays: over(*arrays).astype(arrays[0].dtype) if np.broadcast(*arrays).size else sum(arrays)


def _polynomial(s: Any, x: Any, coefficients: Sequence[float]) -> Any:
    """The first coefficient is the constant one."""
    result = s.const(coefficients[-1], x.dtype)
    for each in reversed(coefficients[:-1]):
        result = s.add(s.mul(result, x), each)
    return result


def _zeta(x: float, q: float) -> Any:
    if x == 1:
        return inf
    if not (x > 1 and q > 0):
        return float("nan")
    if q == inf or x == inf:
        return 0.0 if q > 1 else 1.0 if q == 1 else inf
    total, far = sum((q + k) ** -x for k in range(30)), q + 30
    total += far ** (1 - x) / (x - 1) + far**-x / 2
    factor = x * far ** (-x - 1)
    for k, b in enumerate(_BERNOULLI, 1):
        total += factor * b / factorial(2 * k)
        factor *= (x + 2 * k - 1) * (x + 2 * k) / far**2
    return total


def special(
    name: str, body: Rule, reference: Rule, gradient: Any, domain: Domain, function: str = "", doc: str = "", short: Rule | None = None
) -> None:  # fmt: skip
    """A function of one floating number; integers become Float32 first. `short` is enough for types narrower than Float64."""

    def run(s: Any, x: Any) -> Any:
        return _in_double(body if short is None or x.dtype is dt.float64 else short)(s, x)

    unary(name, run, reference, gradient, function=function, dtypes=dt.FLOATS, promote="float",
          domain=domain, doc=doc)  # fmt: skip


def _from_nearest(s: Any, x: Any) -> Any:
    """x less the nearest integer: periodic functions of pi * x lose nothing by it."""
    return s.sub(x, s.round(x))


_TAYLOR_TO = 4.5
"""Below, `Lgamma` is its Taylor series around 2 at the number of the same fraction in [1.5, 2.5), and what lies between."""


def _stirling(s: Any, z: Any) -> Any:
    """Stirling's series from 8 on, below it less the logarithm of the product on the way there."""
    short = s.lt(z, float(_SHIFT))
    product = z
    for k in range(1, _SHIFT):
        product = s.mul(product, s.add(z, float(k)))
    far = s.select(short, s.add(z, float(_SHIFT)), z)
    inverse = s.reciprocal(far)
    terms = [b / (2 * k * (2 * k - 1)) for k, b in enumerate(_BERNOULLI, 1)]
    series = s.mul(inverse, _polynomial(s, s.square(inverse), terms))
    found = s.add(s.sub(s.mul(s.sub(far, 0.5), s.log(far)), far), s.add(series, 0.5 * log(2 * pi)))
    found = s.sub(found, s.select(short, s.log(product), 0.0))
    return s.select(s.isinf(z), inf, found)


def _around_two(s: Any, z: Any) -> Any:
    """For z in [0.5, 4.5): exact to a few units in the last place next to the roots, too."""
    # 1/2 rounds to 0, which is even
    near = s.maximum(s.round(z), 1.0)
    t = s.sub(z, near)
    terms = [1 - _EULER, *((-1) ** k * _zeta(k, 2.0) / k for k in range(2, 30))]
    series = s.mul(t, _polynomial(s, t, terms))
    above = s.add(t, 2.0)
    between = s.select(s.ge(near, 3.0), s.select(s.ge(near, 4.0), s.mul(above, s.add(t, 3.0)), above), 1.0)
    return s.sub(s.add(series, s.log(between)), s.select(s.le(near, 1.0), s.log1p(t), 0.0))


def _lgamma_body(s: Any, x: Any) -> Any:
    """For positive numbers; below 1/2 by Euler's reflection."""
    left = s.lt(x, 0.5)
    z = s.select(left, s.sub(1.0, x), x)
    found = s.select(s.lt(z, _TAYLOR_TO), _around_two(s, z), _stirling(s, z))
    sine = s.abs(s.sin(s.mul(_from_nearest(s, x), pi)))
    reflected = s.sub(s.log(s.div(s.const(pi, x.dtype), sine)), found)
    return s.select(s.isinf(x), inf, s.select(left, reflected, found))


def _lgamma(x: float) -> float:
    if not np.isfinite(x):
        return abs(x)
    return inf if x <= 0 and x == int(x) else lgamma(x)


special("Lgamma", _lgamma_body, _by_element(_lgamma), lambda b, x, out, d: b.mul(d, b.digamma(x)), AWAY_FROM_POLES,
        doc="The logarithm of the magnitude of the gamma function.")  # fmt: skip


def _digamma_body(s: Any, x: Any) -> Any:
    left = s.lt(x, 0.5)
    z = s.select(left, s.sub(1.0, x), x)
    short = s.lt(z, float(_SHIFT))
    steps = s.reciprocal(z)
    for k in range(1, _SHIFT):
        steps = s.add(steps, s.reciprocal(s.add(z, float(k))))
    far = s.select(short, s.add(z, float(_SHIFT)), z)
    inverse = s.reciprocal(far)
    square = s.square(inverse)
    series = s.mul(square, _polynomial(s, square, [b / (2 * k) for k, b in enumerate(_BERNOULLI, 1)]))
    found = s.sub(s.sub(s.log(far), s.mul(inverse, 0.5)), s.add(series, s.select(short, steps, 0.0)))
    part = _from_nearest(s, x)
    found = s.sub(found, s.select(left, s.div(s.const(pi, x.dtype), s.tan(s.mul(part, pi))), 0.0))
    pole = s.logical_and(left, s.eq(part, 0.0))
    return s.select(pole, s.select(s.eq(x, 0.0), s.neg(s.reciprocal(x)), s.const(float("nan"), x.dtype)), found)


def _digamma(x: float) -> float:
    if x == 0 or not np.isfinite(x):
        return -float(np.copysign(inf, x)) if x == 0 else inf if x == inf else float("nan")
    if x < 0:
        return float("nan") if x == int(x) else _digamma(1 - x) - pi / float(np.tan(pi * (x - round(x))))
    steps = 0.0
    while x < 16:
        steps, x = steps + 1 / x, x + 1
    return log(x) - 0.5 / x - sum(b / (2 * k * x ** (2 * k)) for k, b in enumerate(_BERNOULLI, 1)) - steps


def _digamma_gradient(b: Any, x: Any, out: Any, d: Any) -> Any:
    left = b.less(x, 0.5)
    # Where the other branch is taken nothing may become infinite: zero times it would be NaN in the next derivative.
    sine = b.select(left, b.sin(b.mul(b.sub(x, b.rint(x)), pi)), 1.0)
    trigamma = b.zeta(b.const(2.0, b.dtype(x)), b.select(left, b.sub(1.0, x), x))
    return b.mul(d, b.select(left, b.sub(b.div(pi**2, b.square(sine)), trigamma), trigamma))


special("Digamma", _digamma_body, _by_element(_digamma), _digamma_gradient, AWAY_FROM_POLES,
        doc="The derivative of `Lgamma`; NaN at negative integers.")  # fmt: skip

_DIRECT, _TERMS = 9, 9
"""Terms of the zeta function that are summed one by one, and of the Euler-Maclaurin series for all others."""


def _zeta_body(s: Any, x: Any, q: Any) -> Any:
    total = first = s.pow(q, s.neg(x))
    for k in range(1, _DIRECT):
        total = s.add(total, s.pow(s.add(q, float(k)), s.neg(x)))
    far = s.add(q, float(_DIRECT))
    power = s.pow(far, s.neg(x))
    total = s.add(total, s.add(s.div(s.mul(power, far), s.sub(x, 1.0)), s.mul(power, 0.5)))
    factor, step = s.div(s.mul(power, x), far), s.square(far)
    for k, b in enumerate(_BERNOULLI[:_TERMS], 1):
        total = s.add(total, s.mul(factor, b / factorial(2 * k)))
        factor = s.div(s.mul(factor, s.mul(s.add(x, float(2 * k - 1)), s.add(x, float(2 * k)))), step)
    total = s.select(s.isinf(q), 0.0, s.select(s.isinf(x), first, total))
    return s.select(s.eq(x, 1.0), inf, s.select(s.logical_and(s.gt(x, 1.0), s.gt(q, 0.0)), total, float("nan")))


def _zeta_by_place(b: Any, x: Any, q: Any, out: Any, d: Any) -> Any:
    return b.neg(b.mul(d, b.mul(x, b.zeta(b.add(x, 1.0), q))))


def _infer_zeta(x: TensorType, q: TensorType) -> TensorType:
    for name, each in (("x", x), ("q", q)):
        check_dtype("Zeta", name, each, dt.FLOATS)
    check_same_dtype("Zeta", ("x", "q"), (x, q))
    return TensorType(x.dtype, broadcast_shape("Zeta", ("x", "q"), (x, q)))


operator(
    "Zeta", "x, q", infer=_infer_zeta, reference=quiet(wide(_by_element(_zeta))), promote="float",
    gradient=elementwise_gradient(None, _zeta_by_place), compute=Elementwise(_in_double(_zeta_body)), dtypes=dt.FLOATS,
    samples=Samples(
        BINARY, (Domain(1.5, 6.0), Domain(0.3, 4.0)), broadcast=True, specials=True, wrt=(1,),
        wrong=(Wrong(((2,), (3,)), ValueError, ("Zeta", "'x'", "'q'", "[2]", "[3]")),),
    ),
    doc="Hurwitz' zeta function, the sum of ``(q + k) ** -x`` over k >= 0, for x > 1 and q > 0; x is a constant of gradients.",
)  # fmt: skip


def _erfinv_body(s: Any, x: Any) -> Any:
    """A first guess good to 2e-3 (Winitzki), made better twice by Halley's formula, from erfc where that is the smaller one."""
    size = s.abs(x)
    half = s.add(s.mul(s.log(s.mul(s.sub(1.0, size), s.add(size, 1.0))), 0.5), 2 / (pi * 0.147))
    twice = s.sub(half, 2 / (pi * 0.147))
    y = s.sqrt(s.sub(s.sqrt(s.sub(s.square(half), s.mul(twice, 2 / 0.147))), half))
    for _ in range(2):
        above = s.sub(s.sub(1.0, size), s.erfc(y))
        below = s.sub(s.erf(y), size)
        scaled = s.mul(s.mul(s.select(s.gt(size, 0.5), above, below), sqrt(pi) / 2), s.exp(s.square(y)))
        y = s.sub(y, s.div(scaled, s.add(s.mul(scaled, y), 1.0)))
    y = s.select(s.lt(size, 1e-9), s.mul(size, sqrt(pi) / 2), y)
    y = s.select(s.eq(size, 1.0), inf, s.select(s.gt(size, 1.0), float("nan"), y))
    return s.select(s.lt(x, 0.0), s.neg(y), s.select(s.eq(x, 0.0), x, y))


_ERFINV_NEAR = (
    1.6536545627504364, 0.2401581823905672, -0.006033671544084242, -0.0007407021824193681, 0.00018673528439758794,
    -1.3883102114674188e-05, -1.366098269991623e-06, 4.2383731574351034e-07, -2.8903761243865016e-08,
    -4.21900210168652e-09, 1.0313216865427852e-09, -3.780363278701018e-11, -1.2396714980402452e-11,
    1.3642498644590784e-12,
)  # fmt: skip
"""erfinv(x) / x in w - 3.125 where w = -log(1 - x**2) is from 0 to 6.25: interpolated at Chebyshev's nodes, good to 2**-32,"""
_ERFINV_FAR = (
    3.0939387334519357, 1.005365270571236, 0.00525986665295335, -0.003653228465954943, 0.0024082412214477696,
    -0.001631654274428923, 0.0009299900671681326, -0.0003541200038346467, 2.5227922328622088e-05,
    6.780095235019527e-05, -3.934598476520452e-05, 6.307978703450113e-06,
)  # fmt: skip
"""and from there to 16 in sqrt(w) - 3.26, good to 2**-30 (the variables are those of M. Giles 2010)."""


def _erfinv_short(s: Any, x: Any) -> Any:
    w = s.neg(s.log(s.mul(s.sub(1.0, x), s.add(x, 1.0))))
    near = _polynomial(s, s.sub(w, 3.125), _ERFINV_NEAR)
    far = _polynomial(s, s.sub(s.sqrt(w), 3.26), _ERFINV_FAR)
    found = s.mul(x, s.select(s.lt(w, 6.25), near, far))
    return s.select(s.eq(s.abs(x), 1.0), s.mul(x, inf), found)


def _erfinv(x: float) -> float:
    size = abs(x)
    if not size < 1:
        return float(np.copysign(inf, x)) if size == 1 else float("nan")
    if size < 1e-9:
        return x * sqrt(pi) / 2
    y = -NormalDist().inv_cdf((1 - size) / 2) / sqrt(2)
    for _ in range(2):
        y -= (erf(y) - size if size < 0.5 else (1 - size) - erfc(y)) * sqrt(pi) / 2 * exp(y * y)
    return float(np.copysign(y, x))


special("Erfinv", _erfinv_body, _by_element(_erfinv),
        lambda b, x, out, d: b.mul(d, b.mul(b.exp(b.square(out)), sqrt(pi) / 2)), Domain(-0.9, 0.9),
        doc="The inverse of the error function; infinite at -1 and 1, NaN outside.", short=_erfinv_short)  # fmt: skip

_NEAR = 20.0
"""Modified Bessel functions: their power series up to here, all terms of which are positive, their asymptotic series from here on."""


def _bessel(order: int, scaled: bool) -> Rule:
    near = [1 / (factorial(k) * factorial(k + order)) for k in range(54)]
    far = [1.0]
    for k in range(1, 25):
        far.append(far[-1] * -((4 * order**2 - (2 * k - 1) ** 2) / (8 * k)))

    def body(s: Any, x: Any) -> Any:
        size = s.abs(x)
        close = s.lt(size, _NEAR)
        held = s.select(close, size, _NEAR)
        series = _polynomial(s, s.mul(s.square(held), 0.25), near)
        series = s.mul(series, s.mul(held, 0.5)) if order else series
        tail = s.div(_polynomial(s, s.reciprocal(size), far), s.sqrt(s.mul(size, 2 * pi)))
        if scaled:
            found = s.select(close, s.mul(series, s.exp(s.neg(size))), tail)
        else:
            half = s.exp(s.mul(size, 0.5))
            found = s.select(close, series, s.mul(s.mul(tail, half), half))
        found = s.select(s.isinf(size), 0.0 if scaled else inf, s.select(s.ne(x, x), x, found))
        return s.select(s.lt(x, 0.0), s.neg(found), found) if order else found

    return body


def _bessel_reference(order: int, scaled: bool) -> Rule:
    """Its integral over half a turn by the trapezoidal rule, which converges exponentially for periodic functions."""
    turn = (np.arange(400) + 0.5) * pi / 400

    def of(x: float) -> float:
        if x != x or abs(x) == inf:
            found = x if x != x else 0.0 if scaled else inf
            return float(np.copysign(found, x)) if order else found
        with np.errstate(over="ignore"):
            found = float(np.mean(np.exp(abs(x) * (np.cos(turn) - 1)) * np.cos(order * turn)))
            found = (
                found
                if scaled
                else float(np.float64(found) * np.exp(np.float64(abs(x) / 2)) * np.exp(np.float64(abs(x) / 2)))
            )
        return float(np.copysign(found, x)) if order else found

    return _by_element(of)


def _declare_bessel(name: str, order: int, scaled: bool, function: str, gradient: Rule) -> None:
    special(name, _bessel(order, scaled), _bessel_reference(order, scaled), gradient, Domain(-6.0, 6.0, kinks=(0.0,)),
            function=function, doc=f"The modified Bessel function of order {order}{', times exp(-|x|)' if scaled else ''}.")  # fmt: skip


_declare_bessel("BesselI0", 0, False, "bessel_i0", lambda b, x, out, d: b.mul(d, b.bessel_i1(x)))
_declare_bessel("BesselI0e", 0, True, "bessel_i0e",
                lambda b, x, out, d: b.mul(d, b.sub(b.bessel_i1e(x), b.mul(b.sign(x), out))))  # fmt: skip
_declare_bessel("BesselI1", 1, False, "bessel_i1", lambda b, x, out, d: b.mul(d, b.sub(b.bessel_i0(x), b.div(out, x))))
_declare_bessel("BesselI1e", 1, True, "bessel_i1e",
                lambda b, x, out, d: b.mul(d, b.sub(b.bessel_i0e(x), b.mul(out, b.add(b.sign(x), b.reciprocal(x))))))  # fmt: skip

floating("Log2", np.log2, lambda b, x, out, d: b.div(b.mul(d, 1 / log(2)), x), domain=Domain(0.2, 4.0))
floating("Exp2", np.exp2, lambda b, x, out, d: b.mul(d, b.mul(out, log(2))))
