"""exp, log and their relatives, for one floating lane of either width."""

from __future__ import annotations

from mindspore.kernels.emit import Value
from mindspore.kernels.real import LOG2_E, Real, exact, fast_two_sum, two_product, two_sum

_RANGE = {"float": (-104.0, 89.5), "double": (-746.0, 710.5)}
"""exp underflows below and overflows above."""
_TWO_THIRDS_REST = 2.0 / 3.0 * 2.0**-54
"""2/3 minus the double 2.0 / 3.0."""


def exp_scaled(r: Real, x: Value, shift: int = 0, low: Value | None = None) -> Value:
    """``exp(x + low) * 2**shift`` with `low` tiny; no overflow before the result's own."""
    bottom, top = _RANGE[r.scalar]
    x = r.clamp(x, bottom, top + 1.0)
    n, whole = r.nearest(x * LOG2_E)
    high, rest = r.split_ln2()
    reduced = (x - n * high) - n * rest
    if low is not None:
        reduced = reduced + low
    p = (reduced * reduced) * r.polynomial("EXP", reduced) + reduced + 1.0
    return _scaled(r, p, r.f.op("add", whole, shift))


def _scaled(r: Real, x: Value, exponent: Value) -> Value:
    """x * 2**exponent in two steps, so that subnormal results are rounded once and inf is reached."""
    half = r.f.op("ashr", exponent, 1)
    return x * r.power_of_two(half) * r.power_of_two(r.f.op("sub", exponent, half))


def exp(r: Real, x: Value) -> Value:
    return exp_scaled(r, x)


def exp2(r: Real, x: Value) -> Value:
    limit = float(r.bias + r.mantissa + 3)
    x = r.clamp(x, -limit, limit)
    n, whole = r.nearest(x)
    reduced = (x - n) * 0.693147180559945309417
    p = (reduced * reduced) * r.polynomial("EXP", reduced) + reduced + 1.0
    return _scaled(r, p, whole)


def expm1(r: Real, x: Value) -> Value:
    limited = r.clamp(x, -r.mantissa * 0.75, _RANGE[r.scalar][1])
    n, whole = r.nearest(limited * LOG2_E)
    high, rest = r.split_ln2()
    reduced = (limited - n * high) - n * rest
    p = (reduced * reduced) * r.polynomial("EXP", reduced) + reduced
    half = r.power_of_two(r.f.op("sub", whole, 1))
    result = (half * p + (half - 0.5)) * 2.0
    return r.select(x.eq(0.0), x, result)


def _decompose(r: Real, x: Value) -> tuple[Value, Value]:
    """(n, m) with x = m * 2**n, m in [sqrt(1/2), sqrt(2)), for positive finite x; n as a float."""
    f = r.f
    tiny = 2.0 ** (1 - r.bias)
    small = x < tiny
    bits = r.bits(r.select(small, x * 2.0 ** (r.mantissa + 2), x))
    start = r.bits(r.number(0.70710678118654752))
    exponent = f.op("ashr", f.op("sub", bits, start), r.mantissa)
    m = r.from_bits(f.op("sub", bits, f.op("shl", exponent, r.mantissa)))
    n = r.to_float(exponent)
    return r.select(small, n - float(r.mantissa + 2), n), m


def _log1p_terms(r: Real, u: Value) -> tuple[Value, Value]:
    """(a, b) with log(1 + u) = u - (a - b), u in [sqrt(1/2) - 1, sqrt(2) - 1]."""
    s = u / (u + 2.0)
    z = s * s
    half_square = u * u * 0.5
    return half_square, s * (half_square + z * r.polynomial("LOG", z))


def _log_special(r: Real, x: Value, result: Value) -> Value:
    result = r.select(x.eq(r.inf), x, result)
    return r.select(x > 0.0, result, r.select(x.eq(0.0), -r.inf, r.nan))


def log(r: Real, x: Value) -> Value:
    n, m = _decompose(r, x)
    u = m - 1.0
    a, b = _log1p_terms(r, u)
    high, rest = r.split_ln2()
    return _log_special(r, x, n * high - ((a - (b + n * rest)) - u))


def log2(r: Real, x: Value) -> Value:
    n, m = _decompose(r, x)
    u = m - 1.0
    a, b = _log1p_terms(r, u)
    return _log_special(r, x, n + (u - (a - b)) * LOG2_E)


def log1p(r: Real, x: Value) -> Value:
    """log(u) * x / (u - 1) with u = 1 + x rounded: the rounding of u cancels (W. Kahan)."""
    with_one = x + 1.0
    rounded = with_one - 1.0
    result = log(r, with_one) * (x / rounded)
    result = r.select(rounded.eq(0.0), x, result)
    return r.select(with_one.eq(r.inf), with_one, result)


def sigmoid(r: Real, x: Value) -> Value:
    e = exp(r, -r.abs(x))
    return r.select(x < 0.0, e, 1.0) / (e + 1.0)


def tanh(r: Real, x: Value) -> Value:
    a = r.abs(x)
    limit = 10.0 if r.scalar == "float" else 22.0
    e = expm1(r, r.select(a > limit, limit, a) * 2.0)
    return r.copysign(e / (e + 2.0), x)


def _short(r: Real) -> bool:
    """Doubles for a float32 result: what they are off by is seen only where many digits cancel."""
    return r.scalar == "double" and r.precision == "single"


def sinh(r: Real, x: Value) -> Value:
    a = r.abs(x)
    if _short(r):
        e = expm1(r, r.select(a > 100.0, 100.0, a))
        return r.copysign((e + e / (e + 1.0)) * 0.5, x)
    half = exp_scaled(r, a, -1)
    z = a * a
    near = a + a * z * r.polynomial("SINH", z)
    far = half - 0.25 / half
    return r.copysign(r.select(a < 1.0, near, far), x)


def cosh(r: Real, x: Value) -> Value:
    half = exp_scaled(r, r.abs(x), -1)
    return half + 0.25 / half


_SMALL = 1e-3
"""Below it two terms of a series are as good as doubles near 1 with their logarithm, for float32."""


def asinh(r: Real, x: Value) -> Value:
    a = r.abs(x)
    square = a * a
    if _short(r):
        near = a - a * square * (1.0 / 6.0)
        far = log(r, a + r.unary("sqrt", square + 1.0))
        return r.copysign(r.select(a < _SMALL, near, far), x)
    near = log1p(r, a + square / (r.unary("sqrt", square + 1.0) + 1.0))
    far = log(r, a) + 0.693147180559945309417
    return r.copysign(r.select(a > 2.0**28, far, near), x)


def asinh_single(r: Real, x: Value) -> Value:
    """In floats, with fused multiply-add: log(a + sqrt(a**2 + 1)) with what the square root and the sum are off by."""
    f, a = r.f, r.abs(x)
    z = a * a
    near = a + a * z * r.polynomial("ASINH", z)
    large = a > 2048.0
    limited = r.select(large, 1.0, a)
    with exact(f):
        square = f.intrinsic("fma", r.type, limited, limited, r.number(1.0))
        rounded = f.intrinsic("fma", r.type, limited, limited, -(square - 1.0))
        root = r.unary("sqrt", square)
        rest = (f.intrinsic("fma", r.type, -root, root, square) + rounded) * (0.5 / root)
        total = limited + root
        # 1 / total is root - limited
        rest = (rest + ((root - total) + limited)) * (root - limited)
    far = log(r, r.select(large, a, total)) + r.select(large, 0.693147180559945309417, rest)
    return r.copysign(r.select(a < 0.5, near, far), x)


def acosh(r: Real, x: Value) -> Value:
    t = x - 1.0
    root = r.unary("sqrt", t * (t + 2.0))
    # far below the domain the square root's argument overflows and is positive
    if _short(r):
        return r.select(x < 1.0, r.nan, log(r, x + root))
    far = log(r, x) + 0.693147180559945309417
    return r.select(x < 1.0, r.nan, r.select(x > 2.0**28, far, log1p(r, t + root)))


def atanh(r: Real, x: Value) -> Value:
    a = r.abs(x)
    if _short(r):
        near = a + a * (a * a) * (1.0 / 3.0)
        far = log(r, (1.0 + a) / (1.0 - a)) * 0.5
        return r.copysign(r.select(a < _SMALL, near, far), x)
    return r.copysign(log1p(r, 2.0 * a / (1.0 - a)) * 0.5, x)


def power(r: Real, x: Value, y: Value) -> Value:
    """x ** y of doubles; with ``precision`` single the logarithm is kept in one double, else in two."""
    a = r.abs(x)
    if r.precision == "single":
        n, m = _decompose(r, a)
        u = m - 1.0
        p, q = _log1p_terms(r, u)
        result = exp2(r, (n + (u - (p - q)) * LOG2_E) * y)
    else:
        result = _accurate_power(r, a, y)
    return _power_special(r, x, a, y, result)


def _accurate_power(r: Real, a: Value, y: Value) -> Value:
    f = r.f
    high, low = _accurate_log(r, a)
    y_limited = r.clamp(y, -(2.0**70), 2.0**70)
    product, error = two_product(f, high, y_limited)
    error = error + low * y_limited
    # beyond the range of exp the error term may be any size; it must not disturb the overflow
    in_range = r.abs(product) < 800.0
    return exp_scaled(r, product, low=r.select(in_range, error, 0.0))


def _accurate_log(r: Real, a: Value) -> tuple[Value, Value]:
    """log(a) as a sum of two doubles, good to about 2**-65 of itself."""
    f = r.f
    n, m = _decompose(r, a)
    u = m - 1.0
    d, d_low = two_sum(f, m, r.number(1.0))
    s = u / d
    product, error = two_product(f, s, d)
    s_low = (((u - product) - error) - s * d_low) / d
    z, z_low = two_product(f, s, s)
    z_low = z_low + 2.0 * s * s_low
    cube, cube_low = two_product(f, s, z)
    cube_low = cube_low + s * z_low + s_low * z
    third, third_low = two_product(f, cube, r.number(2.0 / 3.0))
    third_low = third_low + cube_low * (2.0 / 3.0) + cube * _TWO_THIRDS_REST
    tail = cube * (z * r.polynomial("LOG_TAIL", z))
    total, rest = fast_two_sum(f, 2.0 * s, third)
    rest = rest + (third_low + (2.0 * s_low + tail))
    ln2_high, ln2_low = r.split_ln2()
    result, more = two_sum(f, n * ln2_high, total)
    more = more + (rest + n * ln2_low)
    return fast_two_sum(f, result, more)


def sign_of_power(r: Real, x: Value, y: Value, size: Value) -> Value:
    """x ** y from its size: negative for odd powers of negative numbers, NaN for broken ones."""
    whole = r.unary("trunc", y).eq(y)
    half = y * 0.5
    odd = whole & r.unary("trunc", half).ne(half)
    result = r.select((r.bits(x) < 0) & odd, -size, size)
    return r.select((x < 0.0) & ~whole & (r.abs(x) < r.inf), r.nan, result)


def _power_special(r: Real, x: Value, a: Value, y: Value, result: Value) -> Value:
    f = r.f
    zero_base = r.select(y < 0.0, r.inf, 0.0)
    infinite_base = r.select(y < 0.0, 0.0, r.inf)
    result = r.select(a.eq(0.0), zero_base, result)
    result = r.select(a.eq(r.inf), infinite_base, result)
    infinite_exponent = r.select((a > 1.0) ^ (y < 0.0), r.inf, 0.0)
    result = r.select(r.abs(y).eq(r.inf), infinite_exponent, result)
    result = sign_of_power(r, x, y, result)
    result = r.select(f.compare("ne", x, x) | f.compare("ne", y, y), x + y, result)
    one = x.eq(1.0) | y.eq(0.0) | (x.eq(-1.0) & r.abs(y).eq(r.inf))
    return r.select(one, 1.0, result)
