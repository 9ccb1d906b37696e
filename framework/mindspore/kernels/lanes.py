"""How elements are kept in memory and in registers, and the way between the two.

Memory: Bool is a byte 0 or 1, float16 and bfloat16 are their 16 bits, complex numbers are two neighbouring floats.
Registers: Bool is ``i1``, float16 and bfloat16 are ``float``, complex numbers are a `Complex` of two values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels.emit import SIZES, Function, Value, element, lanes, vector


@dataclass(frozen=True, slots=True)
class Complex:
    """A complex number in registers."""

    real: Value
    imag: Value


Lane = Value | Complex
"""One element in registers."""


class Narrow(Value):
    """A float in registers that is exactly the 16-bit number `word` of `dtype`: to store it needs no rounding."""

    __slots__ = ("dtype", "word")

    def __init__(self, value: Value, word: Value, dtype: DType) -> None:
        super().__init__(value.function, value.type, value.name)
        self.word, self.dtype = word, dtype


NARROW = (dt.float16, dt.bfloat16)
_REGISTER: Mapping[DType, str] = MappingProxyType(
    {dt.bool_: "i1", dt.float16: "float", dt.bfloat16: "float", dt.float32: "float", dt.float64: "double",
     dt.complex64: "float", dt.complex128: "double"}
)  # fmt: skip


def register_type(dtype: DType) -> str:
    """LLVM type of an element in registers; for complex numbers of one of the parts."""
    return _REGISTER.get(dtype) or f"i{dtype.itemsize * 8}"


def memory_type(dtype: DType) -> str:
    """LLVM type of an element in memory; for complex numbers of one of the parts."""
    if dtype is dt.bool_ or dtype in NARROW:
        return f"i{dtype.itemsize * 8}"
    return register_type(dtype)


def address(f: Function, pointer: Value, index: Value | int, dtype: DType) -> Value:
    """Address of element `index` of an array of `dtype`."""
    if dtype.is_complex:
        index = f.index(index) * 2
    return pointer.at(memory_type(dtype), index)


def load(f: Function, pointer: Value, dtype: DType) -> Lane:
    """The element at `pointer`."""
    kind = memory_type(dtype)
    value = f.load(kind, pointer)
    if dtype.is_complex:
        return Complex(value, f.load(kind, pointer.at(kind, 1)))
    return from_memory(f, value, dtype)


def store(f: Function, lane: Lane, pointer: Value, dtype: DType) -> None:
    """Write an element to `pointer`."""
    if isinstance(lane, Complex):
        f.store(lane.real, pointer)
        f.store(lane.imag, pointer.at(memory_type(dtype), 1))
    else:
        f.store(to_memory(f, lane, dtype), pointer)


def from_memory(f: Function, value: Value, dtype: DType) -> Value:
    """Memory form to register form (not for complex numbers); works on vectors too."""
    if dtype is dt.bool_:
        return value.ne(0)
    if dtype in NARROW:
        wide = half_to_float if dtype is dt.float16 else bfloat_to_float
        return Narrow(wide(f, value), value, dtype)
    return value


def to_memory(f: Function, value: Value, dtype: DType) -> Value:
    """Register form to memory form (not for complex numbers); works on vectors too."""
    if isinstance(value, Narrow) and value.dtype is dtype:
        return value.word
    if dtype is dt.bool_:
        return value.to("zext", _like(value, "i8"))
    if dtype is dt.float16:
        return float_to_half(f, value)
    return float_to_bfloat(f, value) if dtype is dt.bfloat16 else value


def rounded(f: Function, value: Value, dtype: DType) -> Value:
    """A register value as it would be after a store and a load."""
    if dtype not in NARROW or (isinstance(value, Narrow) and value.dtype is dtype):
        return value
    return from_memory(f, to_memory(f, value, dtype), dtype)


def _like(value: Value, scalar: str) -> str:
    return vector(lanes(value.type), scalar) if lanes(value.type) else scalar


def half_to_float(f: Function, bits: Value) -> Value:
    """i16 with a float16 -> float."""
    if f.module.target.half:
        return bits.to("bitcast", _like(bits, "half")).to("fpext", _like(bits, "float"))
    wide = bits.to("zext", _like(bits, "i32"))
    magnitude = wide & 0x7FFF
    scaled = f.op("shl", magnitude, 13).to("bitcast", _like(bits, "float")) * 2.0**112
    special = f.op("shl", magnitude, 13) | 0x7F800000
    result = f.select(magnitude >= 0x7C00, special, scaled.to("bitcast", wide.type))
    sign = f.op("shl", wide & 0x8000, 16)
    return (result | sign).to("bitcast", _like(bits, "float"))


def float_to_half(f: Function, value: Value) -> Value:
    """float -> i16 with the nearest float16."""
    if f.module.target.half:
        return value.to("fptrunc", _like(value, "half")).to("bitcast", _like(value, "i16"))
    word = _like(value, "i32")
    bits = value.to("bitcast", word)
    magnitude = bits & 0x7FFFFFFF
    # adding 0.5 puts the last bit of a float16 subnormal at the last bit of the float, which rounds to nearest even
    small = f.op("sub", (magnitude.to("bitcast", value.type) + 0.5).to("bitcast", word), 0x3F000000)
    even = f.op("lshr", magnitude, 13) & 1
    rebiased = f.op("add", f.op("add", magnitude, even), 0xFFF - (112 << 23))
    normal = f.op("lshr", rebiased, 13)
    result = f.select(magnitude < 0x38800000, small, normal)
    result = f.select(magnitude >= 0x477FF000, 0x7C00, result)
    result = f.select(magnitude > 0x7F800000, 0x7E00, result)
    sign = f.op("lshr", bits, 16) & 0x8000
    return (result | sign).to("trunc", _like(value, "i16"))


def bfloat_to_float(f: Function, bits: Value) -> Value:
    """i16 with a bfloat16 -> float."""
    return f.op("shl", bits.to("zext", _like(bits, "i32")), 16).to("bitcast", _like(bits, "float"))


def float_to_bfloat(f: Function, value: Value) -> Value:
    """float -> i16 with the nearest bfloat16."""
    bits = value.to("bitcast", _like(value, "i32"))
    even = f.op("lshr", bits, 16) & 1
    nearest = f.op("lshr", f.op("add", f.op("add", bits, even), 0x7FFF), 16)
    quiet = f.op("lshr", bits, 16) | 0x40
    return f.select(f.compare("eq", value, value), nearest, quiet).to("trunc", _like(value, "i16"))


def double_to_odd_float(f: Function, value: Value) -> Value:
    """double -> float rounded to odd: a second rounding to 16 bits is then as good as a single one."""
    single = _like(value, "float")
    near = value.to("fptrunc", single)
    back = near.to("fpext", value.type)
    bits = near.to("bitcast", _like(value, "i32"))
    grow = f.intrinsic("fabs", value.type, back) < f.intrinsic("fabs", value.type, value)
    step = f.select(grow, f.value(1, bits.type), f.value(-1, bits.type))
    odd = f.op("add", bits, step).to("bitcast", single)
    inexact = (value < back) | (value > back)
    even = (bits & 1).eq(0)
    return f.select(inexact & even, odd, near)


def memory_size(type: str) -> int:
    """Bytes of one lane of an LLVM type."""
    return SIZES[element(type)]
