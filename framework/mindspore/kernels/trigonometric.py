"""The inverse trigonometric functions, computed in double."""

from __future__ import annotations

from mindspore.kernels.circular import PI_HIGH, PI_LOW
from mindspore.kernels.emit import Value
from mindspore.kernels.real import Real


def _asin_small(r: Real, x: Value) -> Value:
    z = x * x
    return x + x * z * r.polynomial("ASIN", z)


def asin(r: Real, x: Value) -> Value:
    a = r.abs(x)
    far = a > 0.5
    root = r.unary("sqrt", (1.0 - a) * 0.5)
    value = _asin_small(r, r.select(far, root, a))
    beyond = PI_HIGH / 2 - (2.0 * value - PI_LOW / 2)
    return r.copysign(r.select(far, beyond, value), x)


def acos(r: Real, x: Value) -> Value:
    a = r.abs(x)
    far = a > 0.5
    root = r.unary("sqrt", (1.0 - a) * 0.5)
    value = _asin_small(r, r.select(far, root, x))
    near = PI_HIGH / 2 - (value - PI_LOW / 2)
    positive = 2.0 * value
    negative = PI_HIGH - (positive - PI_LOW)
    return r.select(far, r.select(x < 0.0, negative, positive), near)


def _atan_ratio(r: Real, y: Value, x: Value) -> Value:
    """The angle of (x, y) for 0 <= y <= x, x > 0."""
    f = r.f
    far = y > x * 0.41421356237309503
    t = r.select(far, y - x, y) / r.select(far, y + x, x)
    z = t * t
    series = t + t * z * r.polynomial("ATAN", z)
    return f.select(far, (series + PI_LOW / 4) + PI_HIGH / 4, series)


def atan(r: Real, x: Value) -> Value:
    a = r.abs(x)
    big = a > 1.0
    finite = r.select(a.eq(r.inf), 2.0**300, a)
    angle = _atan_ratio(r, r.select(big, 1.0, a), r.select(big, finite, 1.0))
    angle = r.select(big, PI_HIGH / 2 - (angle - PI_LOW / 2), angle)
    return r.copysign(r.select(x.eq(x), angle, x), x)


def atan2(r: Real, y: Value, x: Value) -> Value:
    f = r.f
    ax, ay = r.abs(x), r.abs(y)
    steep = ay > ax
    low, high = r.select(steep, ax, ay), r.select(steep, ay, ax)
    # equal infinities are at 45 degrees, equal zeros on the axis; scaling keeps sums and quotients in range
    both = low.eq(r.inf)
    low, high = r.select(both, 1.0, low), r.select(both, 1.0, high)
    scale = r.select(high > 2.0**1000, 2.0**-60, r.select(high < 2.0**-900, 2.0**120, 1.0))
    low, high = low * scale, r.select(high.eq(0.0), 1.0, high * scale)
    angle = _atan_ratio(r, low, r.select(high.eq(r.inf), 2.0**1020, high))
    angle = r.select(steep, PI_HIGH / 2 - (angle - PI_LOW / 2), angle)
    angle = r.select(r.bits(x) < 0, PI_HIGH - (angle - PI_LOW), angle)
    angle = r.copysign(angle, y)
    return r.select(f.compare("ne", x, x) | f.compare("ne", y, y), x + y, angle)
