"""Operations of the scalar language on integer lanes. Results wrap; nothing is undefined: division by zero gives 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mindspore.base.dtypes import DType
from mindspore.kernels.emit import Function, Value, lanes, vector

Binary = Callable[[Function, DType, Value, Value], Value]
Unary = Callable[[Function, DType, Value], Value]
_WIDE = 8
"""Doubles in a vector of the levels that convert vectors of 64-bit integers."""


def _op(signed: str, unsigned: str | None = None) -> Binary:
    def emit(f: Function, dtype: DType, a: Value, b: Value) -> Value:
        return f.op(signed if dtype.kind == "i" or unsigned is None else unsigned, a, b)

    return emit


def _zero(f: Function, a: Value) -> Value:
    return f.value(0, a.type)


def less(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    return f.compare("lt", a, b, unsigned=dtype.kind == "u")


def minimum(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    return f.intrinsic("smin" if dtype.kind == "i" else "umin", a.type, a, b)


def maximum(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    return f.intrinsic("smax" if dtype.kind == "i" else "umax", a.type, a, b)


def _division(f: Function, dtype: DType, a: Value, b: Value) -> tuple[Value, Value]:
    """(quotient, remainder) towards zero; both 0 for b = 0, and the lowest number by -1 wraps.

    Processors divide vectors of floats only: quotients of integers of up to 32 bits are those of floats with twice the bits, rounded to
    zero; those of 64 bits are found in two steps where integers of 64 bits become doubles as vectors.
    """
    signed, bits = dtype.kind == "i", dtype.itemsize * 8
    width = f.module.target.lanes(8)
    if width == 1 or (bits == 64 and not (signed and width >= _WIDE)):
        return _divided(f, dtype, a, b)
    special = b.eq(0) | b.eq(1)
    if signed:
        special = special | b.eq(-1)
    safe = f.select(special, f.value(2, b.type), b)
    quotient = _quotient_of_64(f, a, safe) if bits == 64 else _quotient_by_float(f, signed, bits, a, safe)
    # b is 0, 1 or -1 where special: the product with it is the quotient
    quotient = f.select(special, f.op("mul", a, b), quotient)
    remainder = f.op("sub", a, f.op("mul", quotient, b))
    return quotient, f.select(special, _zero(f, a), remainder)


def _divided(f: Function, dtype: DType, a: Value, b: Value) -> tuple[Value, Value]:
    """`_division` by the processor's own instruction."""
    if dtype.kind == "u":
        safe = f.select(b.eq(0), f.value(1, b.type), b)
        quotient = f.select(b.eq(0), _zero(f, a), f.op("udiv", a, safe))
        return quotient, f.select(b.eq(0), _zero(f, a), f.op("urem", a, safe))
    special = b.eq(0) | b.eq(-1)
    safe = f.select(special, f.value(1, b.type), b)
    # b is 0 or -1 where special: the product with it is the quotient
    quotient = f.select(special, f.op("mul", a, b), f.op("sdiv", a, safe))
    return quotient, f.select(special, _zero(f, a), f.op("srem", a, safe))


def _like(value: Value, scalar: str) -> str:
    return vector(lanes(value.type), scalar) if lanes(value.type) else scalar


def _quotient_by_float(f: Function, signed: bool, bits: int, a: Value, b: Value) -> Value:
    """Exact: a quotient that is not whole is further from the next number than the float is off."""
    real, narrow = _like(a, "float" if bits < 32 else "double"), a.type
    extend, there, back = ("sext", "sitofp", "fptosi") if signed else ("zext", "uitofp", "fptoui")
    if bits < 32:
        a, b = a.to(extend, _like(a, "i32")), b.to(extend, _like(b, "i32"))
    quotient = (a.to(there, real) / b.to(there, real)).to(back, a.type)
    return quotient.to("trunc", narrow)


def _quotient_of_64(f: Function, a: Value, b: Value) -> Value:
    """|b| is 2 or more. Doubles are off by one part in 2**52: the quotient of what is left mends the first one, but for one."""
    real = _like(a, "double")
    divisor = b.to("sitofp", real)
    quotient, left = _zero(f, a), a
    for _ in range(2):
        part = (left.to("sitofp", real) / divisor).to("fptosi", a.type)
        quotient = f.op("add", quotient, part)
        left = f.op("sub", left, f.op("mul", part, b))
    towards = f.op("or", f.op("ashr", a ^ b, 63), 1)
    # what is left has the sign of a, and is smaller than b
    over = left.ne(0) & ((left ^ a) < 0)
    under = ~over & f.compare("ge", _size(f, left), _size(f, b), unsigned=True)
    quotient = f.select(over, f.op("sub", quotient, towards), quotient)
    return f.select(under, f.op("add", quotient, towards), quotient)


def _size(f: Function, a: Value) -> Value:
    return f.select(a < 0, negative_of(f, a), a)


def negative_of(f: Function, a: Value) -> Value:
    return f.op("sub", _zero(f, a), a)


def truncdiv(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    return _division(f, dtype, a, b)[0]


def rem(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    return _division(f, dtype, a, b)[1]


def _crossed(remainder: Value, b: Value) -> Value:
    """The remainder is not zero and has the other sign than the divisor: flooring goes one further."""
    return remainder.ne(0) & ((remainder ^ b) < 0)


def floordiv(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    quotient, remainder = _division(f, dtype, a, b)
    if dtype.kind == "u":
        return quotient
    return f.op("sub", quotient, _crossed(remainder, b).to("zext", a.type))


def mod(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    _, remainder = _division(f, dtype, a, b)
    if dtype.kind == "u":
        return remainder
    return f.op("add", remainder, f.select(_crossed(remainder, b), b, _zero(f, b)))


def power(f: Function, dtype: DType, a: Value, b: Value) -> Value:
    """By squaring, one step for each bit of the exponent. A negative exponent gives what rounding the quotient to zero gives."""
    result, square = f.value(1, a.type), a
    bits = dtype.itemsize * 8 - (dtype.kind == "i")
    for bit in range(bits):
        taken = (f.op("lshr", b, bit) & 1).ne(0)
        result = f.select(taken, f.op("mul", result, square), result)
        if bit + 1 < bits:
            square = f.op("mul", square, square)
    if dtype.kind == "u":
        return result
    odd = (b & 1).ne(0)
    minus_one = f.select(odd, f.value(-1, a.type), f.value(1, a.type))
    inverse = f.select(a.eq(1), f.value(1, a.type), f.select(a.eq(-1), minus_one, _zero(f, a)))
    return f.select(b < 0, inverse, result)


def _shift(opcode_signed: str, opcode_unsigned: str) -> Binary:
    def emit(f: Function, dtype: DType, a: Value, b: Value) -> Value:
        """Amounts of the width or more shift everything out, as numpy does."""
        width = dtype.itemsize * 8
        opcode = opcode_signed if dtype.kind == "i" else opcode_unsigned
        inside = f.compare("lt", b, width, unsigned=True)
        shifted = f.op(opcode, a, f.select(inside, b, _zero(f, b)))
        outside = f.op("ashr", a, width - 1) if opcode == "ashr" else _zero(f, a)
        return f.select(inside, shifted, outside)

    return emit


def negative(f: Function, dtype: DType, a: Value) -> Value:
    return negative_of(f, a)


def absolute(f: Function, dtype: DType, a: Value) -> Value:
    return a if dtype.kind == "u" else f.select(a < 0, negative(f, dtype, a), a)


def sign(f: Function, dtype: DType, a: Value) -> Value:
    positive = a.ne(0) if dtype.kind == "u" else a > 0
    one = positive.to("zext", a.type)
    return one if dtype.kind == "u" else f.op("sub", one, (a < 0).to("zext", a.type))


BINARY: Mapping[str, Binary] = MappingProxyType(
    {
        "add": _op("add"), "sub": _op("sub"), "mul": _op("mul"), "div": truncdiv, "truncdiv": truncdiv, "rem": rem,
        "floordiv": floordiv, "mod": mod, "pow": power, "minimum": minimum, "maximum": maximum,
        "bit_and": _op("and"), "bit_or": _op("or"), "bit_xor": _op("xor"),
        "shift_left": _shift("shl", "shl"), "shift_right": _shift("ashr", "lshr"),
    }
)  # fmt: skip
UNARY: Mapping[str, Unary] = MappingProxyType(
    {
        "neg": negative, "abs": absolute, "sign": sign,
        "bit_not": lambda f, dtype, a: f.op("xor", a, -1), "square": lambda f, dtype, a: f.op("mul", a, a),
    }
)  # fmt: skip
