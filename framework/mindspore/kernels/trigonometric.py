"""sin, cos, tan and the inverse functions, computed in double; accurate for every finite argument."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from mindspore.kernels.emit import Value
from mindspore.kernels.real import Real, two_product, two_sum

PI_HIGH, PI_LOW = 3.141592653589793, 1.2246467991473532e-16
_CHUNK = 24
_CHUNKS = 52


def _two_over_pi() -> list[float]:
    """2/pi in pieces of 24 bits, most significant first; pi by Machin's formula."""
    bits = _CHUNK * _CHUNKS + 64
    one = 1 << bits

    def arctan_inverse(n: int) -> int:
        term = total = one // n
        k, sign = 1, 1
        while term:
            term //= n * n
            k, sign = k + 2, -sign
            total += sign * (term // k)
        return total

    pi = 4 * (4 * arctan_inverse(5) - arctan_inverse(239))
    ratio = int(Fraction(2 * one, pi) * one) >> 64
    total = _CHUNK * _CHUNKS
    return [float((ratio >> (total - _CHUNK * (i + 1))) & ((1 << _CHUNK) - 1)) for i in range(_CHUNKS)]


@dataclass(frozen=True, slots=True)
class Reduced:
    """x = quadrant * pi/2 + high + low, |high| <= pi/4."""

    quadrant: Value
    high: Value
    low: Value


def _remainder(r: Real, x: Value) -> Reduced:
    """Payne and Hanek's reduction: the exact product of the argument's integer mantissa with the bits of 2/pi that matter."""
    f = r.f
    bits = r.bits(r.abs(x))
    field = f.op("lshr", bits, r.mantissa)
    mantissa = (bits & ((1 << 52) - 1)) | (1 << 52)
    single = r.precision == "single"
    # a float32 has 24 bits: the 29 below them are zero, and without them fewer pieces of 2/pi matter
    exponent = f.op("sub", f.maximum(field, f.value(800, "i64")), 1075 - 29 if single else 1075)
    skipped = f.op("sdiv", f.maximum(f.op("sub", exponent, 2), f.value(0, "i64")), _CHUNK)
    scale = f.op("sub", exponent, f.op("mul", f.op("add", skipped, 1), _CHUNK))
    parts = [f.op("lshr", mantissa, 29)] if single else [mantissa & ~0x3FFFFFF, mantissa & 0x3FFFFFF]
    numbers = [_exact_float(r, p) for p in parts]
    table = Value(f, "ptr", f.module.array("two_over_pi", "double", _TWO_OVER_PI))
    products = []
    for i in range(4 if single else 7):
        chunk = f.load("double", table.at("double", f.op("add", skipped, i))) * r.power_of_two(
            f.op("sub", scale, _CHUNK * i)
        )
        products += [_modulo_four(r, n * chunk) if i < 4 else n * chunk for n in numbers]
    return _sum_single(r, products) if single else _sum_double(r, products)


def _exact_float(r: Real, whole: Value) -> Value:
    """An integer below 2**53 as a double: in halves through i32, since older levels have no vector conversion from i64."""
    f = r.f
    high = f.op("lshr", whole, 26)
    low = whole & 0x3FFFFFF
    return r.to_float(high) * 2.0**26 + r.to_float(low)


def _modulo_four(r: Real, x: Value) -> Value:
    return x - 4.0 * r.unary("floor", x * 0.25)


def _sum_single(r: Real, products: list[Value]) -> Reduced:
    first, second, *rest = products
    n, quadrant = r.nearest(first + second + rest[0])
    fraction = (((first - n) + second) + rest[0]) + rest[1]
    angle = fraction * (PI_HIGH / 2)
    return Reduced(quadrant, angle, r.number(0.0))


def _sum_double(r: Real, products: list[Value]) -> Reduced:
    """A sum of three parts: near a multiple of pi/2 the first cancels and the second is what remains."""
    f = r.f
    high, middle, low = products[0], r.number(0.0), r.number(0.0)
    for product in products[1:]:
        high, error = two_sum(f, high, product)
        middle, error = two_sum(f, middle, error)
        low = low + error
    n, quadrant = r.nearest(high)
    high, middle = two_sum(f, high - n, middle)
    high, low = two_sum(f, high, middle + low)
    angle, error = two_product(f, high, r.number(PI_HIGH / 2))
    error = error + high * (PI_LOW / 2) + low * (PI_HIGH / 2)
    return Reduced(quadrant, *two_sum(f, angle, error))


_TWO_OVER_PI = _two_over_pi()


def _sin_kernel(r: Real, a: Reduced) -> Value:
    z = a.high * a.high
    return a.high + (a.high * z * r.polynomial("SIN", z) + a.low * (1.0 - 0.5 * z))


def _cos_kernel(r: Real, a: Reduced) -> Value:
    z = a.high * a.high
    half = z * 0.5
    head = 1.0 - half
    return head + ((1.0 - head - half) + (z * z * r.polynomial("COS", z) - a.high * a.low))


def _finish(r: Real, x: Value, result: Value, tiny: Value) -> Value:
    """Arguments too small for the reduction give their limit; infinite ones NaN."""
    a = r.abs(x)
    result = r.select(a < 2.0**-60, tiny, result)
    return r.select(a < r.inf, result, r.nan)


def _signed(r: Real, x: Value, negative: Value) -> Value:
    return r.select(negative, -x, x)


def sin(r: Real, x: Value) -> Value:
    a = _remainder(r, x)
    result = r.select((a.quadrant & 1).ne(0), _cos_kernel(r, a), _sin_kernel(r, a))
    result = _signed(r, result, (a.quadrant & 2).ne(0) ^ (r.bits(x) < 0))
    return _finish(r, x, result, x)


def cos(r: Real, x: Value) -> Value:
    a = _remainder(r, x)
    result = r.select((a.quadrant & 1).ne(0), _sin_kernel(r, a), _cos_kernel(r, a))
    turned = r.f.op("add", a.quadrant, 1)
    return _finish(r, x, _signed(r, result, (turned & 2).ne(0)), r.number(1.0))


def tan(r: Real, x: Value) -> Value:
    a = _remainder(r, x)
    s, c = _sin_kernel(r, a), _cos_kernel(r, a)
    odd = (a.quadrant & 1).ne(0)
    result = r.select(odd, -c, s) / r.select(odd, s, c)
    return _finish(r, x, _signed(r, result, r.bits(x) < 0), x)


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
