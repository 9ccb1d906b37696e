"""Operations of the scalar language on integer lanes. Results wrap; nothing is undefined: division by zero gives 0."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mindspore.base.dtypes import DType
from mindspore.kernels.emit import Function, Value

Binary = Callable[[Function, DType, Value, Value], Value]
Unary = Callable[[Function, DType, Value], Value]


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
    """(quotient, remainder) towards zero; both 0 for b = 0, and the lowest number by -1 wraps."""
    if dtype.kind == "u":
        safe = f.select(b.eq(0), f.value(1, b.type), b)
        quotient = f.select(b.eq(0), _zero(f, a), f.op("udiv", a, safe))
        return quotient, f.select(b.eq(0), _zero(f, a), f.op("urem", a, safe))
    special = b.eq(0) | b.eq(-1)
    safe = f.select(special, f.value(1, b.type), b)
    # b is 0 or -1 where special: the product with it is the quotient
    quotient = f.select(special, f.op("mul", a, b), f.op("sdiv", a, safe))
    return quotient, f.select(special, _zero(f, a), f.op("srem", a, safe))


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
    return f.op("sub", _zero(f, a), a)


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
