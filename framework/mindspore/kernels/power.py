"""x ** y of float32."""

from __future__ import annotations

from mindspore.kernels.emit import Value
from mindspore.kernels.exponential import power, sign_of_power
from mindspore.kernels.outlined import outlined, usually
from mindspore.kernels.real import LOG2_E, Real

_SMALLEST = 2.0**-126
_MOST = 125.0
"""Results between 2 to the power of this and of its negative are normal numbers."""


def _anywhere(r: Real, x: Value, y: Value) -> Value:
    wide = Real(r.f, r.shaped("double"), "single")
    return power(wide, x.to("fpext", wide.type), y.to("fpext", wide.type)).to("fptrunc", r.type)


def _usual(r: Real, x: Value, y: Value) -> Value:
    """The logarithm to the base 2 in double; its product with y is split into an integer, and a rest for which float is enough."""
    f, a = r.f, r.abs(x)
    wide = Real(f, r.shaped("double"), "single")
    bits, start = r.bits(a), r.bits(r.number(0.70710678118654752))
    exponent = f.op("ashr", f.op("sub", bits, start), r.mantissa)
    m = r.from_bits(f.op("sub", bits, f.op("shl", exponent, r.mantissa)))
    u = (m - 1.0).to("fpext", wide.type)
    s = u / (u + 2.0)
    z = s * s
    log = s * (z * wide.polynomial("LOG", z) + 2.0) * LOG2_E + exponent.to("sitofp", wide.type)
    product = log * y.to("fpext", wide.type)
    zero = a.eq(0.0)
    size = wide.abs(product).to("fptrunc", r.type)
    usual = (a < r.inf) & (r.abs(y) < r.inf) & (zero | ((size < _MOST) & (a >= _SMALLEST)))

    def fast() -> Value:
        n, whole = wide.nearest(product)
        rest = ((product - n) * 0.693147180559945309417).to("fptrunc", r.type)
        p = (rest * rest) * r.polynomial("EXP", rest) + rest + 1.0
        power_of_two = f.op("shl", whole.to("trunc", r.integer), r.mantissa)
        result = r.from_bits(f.op("add", r.bits(p), power_of_two))
        result = r.select(zero, r.select(y < 0.0, r.inf, 0.0), result)
        return r.select(y.eq(0.0), 1.0, sign_of_power(r, x, y, result))

    return usually(r, usual, fast, "pow_anywhere", _anywhere, x, y)


pow_float = outlined("pow", _usual)
