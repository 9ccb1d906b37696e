"""sin, cos and tan, accurate for every finite argument.

Arguments of usual size are reduced by W. Cody and W. Waite's way: pi/2 in pieces whose products with the quadrant are exact. Where a
vector holds a larger one, all its lanes go the way of M. Payne and R. Hanek.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

from mindspore.kernels.emit import Value
from mindspore.kernels.outlined import lane_by_lane, outlined, usually
from mindspore.kernels.real import Real, exact, fast_two_sum, two_product, two_sum

PI_HIGH, PI_LOW = 3.141592653589793, 1.2246467991473532e-16
_CHUNK = 24
_CHUNKS = 52
_BITS = _CHUNK * _CHUNKS + 64


def _pi() -> Fraction:
    """pi by Machin's formula, good to `_BITS` bits."""
    one = 1 << _BITS

    def arctan_inverse(n: int) -> int:
        term = total = one // n
        k, sign = 1, 1
        while term:
            term //= n * n
            k, sign = k + 2, -sign
            total += sign * (term // k)
        return total

    return Fraction(4 * (4 * arctan_inverse(5) - arctan_inverse(239)), one)


def _pieces(number: Fraction, *digits: int) -> list[float]:
    """`number` as floats of so many binary digits, each the nearest to what those before leave."""
    found = []
    for kept in digits:
        scale = Fraction(2) ** (kept - 1 - (abs(number).numerator.bit_length() - number.denominator.bit_length()))
        found.append(float(Fraction(round(number * scale)) / scale))
        number -= Fraction(found[-1])
    return found


def _two_over_pi() -> list[float]:
    """2/pi in pieces of 24 bits, most significant first."""
    ratio = int(2 / _PI * (1 << _BITS)) >> 64
    total = _CHUNK * _CHUNKS
    return [float((ratio >> (total - _CHUNK * (i + 1))) & ((1 << _CHUNK) - 1)) for i in range(_CHUNKS)]


@dataclass(frozen=True, slots=True)
class Reduced:
    """x = quadrant * pi/2 + high + low, |high| <= pi/4."""

    quadrant: Value
    high: Value
    low: Value


def _far(r: Real, x: Value) -> Reduced:
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


_PI = _pi()
_TWO_OVER_PI = _two_over_pi()
_SINGLE = _pieces(_PI / 2, 24, 24, 24)
_DOUBLE = _pieces(_PI / 2, 33, 33, 53, 53)
_USUAL = {"float": 2.0**17, "double": 2.0**20}
"""Arguments up to here are reduced in pieces: the quadrant has so few digits that its products with the first pieces are exact."""


def _near(r: Real, a: Value) -> Reduced:
    """Of 0 <= a <= `_USUAL`."""
    n, quadrant = r.nearest(a * (2.0 / PI_HIGH))
    reduce = _near_float if r.scalar == "float" else _near_single if r.precision == "single" else _near_double
    return Reduced(quadrant, *reduce(r, a, n))


def _near_float(r: Real, a: Value, n: Value) -> tuple[Value, Value]:
    """With fused multiply-adds no piece need be short: the first difference is exact, of the second product nothing is lost."""
    f = r.f
    with exact(f):
        rest = f.intrinsic("fma", r.type, n, r.number(-_SINGLE[0]), a)
    product, error = two_product(f, n, r.number(_SINGLE[1]))
    high, low = two_sum(f, rest, -product)
    return fast_two_sum(f, high, low - error - n * _SINGLE[2])


def _near_single(r: Real, a: Value, n: Value) -> tuple[Value, Value]:
    """float32 numbers in double."""
    with exact(r.f):
        return (a - n * _DOUBLE[0]) - n * float(_PI / 2 - Fraction(_DOUBLE[0])), r.number(0.0)


def _near_double(r: Real, a: Value, n: Value) -> tuple[Value, Value]:
    f = r.f
    with exact(f):
        rest, product = a - n * _DOUBLE[0], n * _DOUBLE[1]
    high, low = two_sum(f, rest, -product)
    product, error = two_product(f, n, r.number(_DOUBLE[2]))
    high, more = two_sum(f, high, -product)
    return fast_two_sum(f, high, low + (more - error - n * _DOUBLE[3]))


def _sin_kernel(r: Real, a: Reduced) -> Value:
    z = a.high * a.high
    return a.high + (a.high * z * r.polynomial("SIN", z) + a.low * (1.0 - 0.5 * z))


def _cos_kernel(r: Real, a: Reduced) -> Value:
    z = a.high * a.high
    half = z * 0.5
    head = 1.0 - half
    return head + ((1.0 - head - half) + (z * z * r.polynomial("COS", z) - a.high * a.low))


Form = Callable[[Real, Value, Reduced], Value]
"""What a function makes of its argument and the reduction of the argument's size."""


def _turned(r: Real, x: Value, sign: Value) -> Value:
    """`x`, negated where the second bit of `sign` is set."""
    f = r.f
    flip = f.op("shl", f.op("lshr", sign & 2, 1), 31 if r.scalar == "float" else 63)
    return r.from_bits(r.bits(x) ^ flip)


def _odd(a: Reduced) -> Value:
    return (a.quadrant & 1).ne(0)


def _sin(r: Real, x: Value, a: Reduced) -> Value:
    result = r.select(_odd(a), _cos_kernel(r, a), _sin_kernel(r, a))
    return _with_sign(r, _turned(r, result, a.quadrant), x)


def _cos(r: Real, x: Value, a: Reduced) -> Value:
    result = r.select(_odd(a), _sin_kernel(r, a), _cos_kernel(r, a))
    return _turned(r, result, r.f.op("add", a.quadrant, 1))


def _tan(r: Real, x: Value, a: Reduced) -> Value:
    s, c = _sin_kernel(r, a), _cos_kernel(r, a)
    odd = _odd(a)
    return _with_sign(r, r.select(odd, -c, s) / r.select(odd, s, c), x)


def _with_sign(r: Real, result: Value, x: Value) -> Value:
    """Odd functions: the result for the size of x, negated where x is negative."""
    return r.from_bits(r.bits(result) ^ (r.bits(x) & _sign_bit(r)))


def _sign_bit(r: Real) -> int:
    return -(1 << (31 if r.scalar == "float" else 63))


def _anywhere(form: Form, tiny: float | None) -> Callable[[Real, Value], Value]:
    """For every argument: in double, and as exact as the type of the result needs."""

    def slow(r: Real, x: Value) -> Value:
        if r.scalar == "float":
            wide = Real(r.f, r.shaped("double"), "single")
            return slow(wide, x.to("fpext", wide.type)).to("fptrunc", r.type)
        a = r.abs(x)
        # arguments too small for this reduction give their limit, infinite ones NaN
        result = r.select(a < 2.0**-60, x if tiny is None else tiny, form(r, x, _far(r, x)))
        return r.select(a < r.inf, result, r.nan)

    return slow


def _function(name: str, form: Form, tiny: float | None = None) -> Callable[[Real, Value], Value]:
    anywhere = lane_by_lane(_anywhere(form, tiny))

    def body(r: Real, x: Value) -> Value:
        a = r.abs(x)
        near = a <= _USUAL[r.scalar]
        return usually(r, near, lambda: _usual(r, x, a), f"{name}_anywhere", anywhere, x)

    def _usual(r: Real, x: Value, a: Value) -> Value:
        if r.scalar == "double" or r.f.module.target.fma:
            return form(r, x, _near(r, a))
        wide = Real(r.f, r.shaped("double"), "single")
        x, a = (v.to("fpext", wide.type) for v in (x, a))
        return form(wide, x, _near(wide, a)).to("fptrunc", r.type)

    return outlined(name, body)


sin, cos, tan = _function("sin", _sin), _function("cos", _cos, 1.0), _function("tan", _tan)
