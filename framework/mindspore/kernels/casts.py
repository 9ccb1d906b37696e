"""Conversion of lanes between element types.

Float to integer goes towards zero; what does not fit and NaN give what x86 gives (numpy there too), on every architecture: the lowest
number for 32 and 64 bits, the low bits of that conversion for narrower ones.
"""

from __future__ import annotations

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels.emit import Function, Value, is_float, lanes, vector
from mindspore.kernels.lanes import Complex, Lane, double_to_odd_float, register_type, rounded


def cast(f: Function, lane: Lane, source: DType, target: DType) -> Lane:
    """`lane` of type `source` as `target`."""
    if source is target:
        return lane
    if isinstance(lane, Complex):
        return _from_complex(f, lane, source, target)
    if target.is_complex:
        part = _real(f, lane, source, dt.float32 if target is dt.complex64 else dt.float64)
        return Complex(part, f.value(0.0, part.type))
    return _real(f, lane, source, target)


def _from_complex(f: Function, lane: Complex, source: DType, target: DType) -> Lane:
    part = dt.float32 if source is dt.complex64 else dt.float64
    if target.is_complex:
        other = dt.float32 if target is dt.complex64 else dt.float64
        return Complex(_real(f, lane.real, part, other), _real(f, lane.imag, part, other))
    if target is dt.bool_:
        return lane.real.ne(0.0) | lane.imag.ne(0.0)
    return _real(f, lane.real, part, target)


def _like(value: Value, scalar: str) -> str:
    return vector(lanes(value.type), scalar) if lanes(value.type) else scalar


def _real(f: Function, value: Value, source: DType, target: DType) -> Value:
    if target is dt.bool_:
        return value if source is dt.bool_ else value.ne(0.0 if is_float(value.type) else 0)
    kind = _like(value, register_type(target))
    if source.is_floating:
        return (
            _float_to_float(f, value, target, kind) if target.is_floating else _float_to_integer(f, value, target, kind)
        )
    signed = source.kind == "i"
    if target.is_floating:
        converted = value.to("sitofp" if signed else "uitofp", kind)
        return rounded(f, converted, target)
    if target.itemsize > source.itemsize or source is dt.bool_:
        return value.to("sext" if signed else "zext", kind)
    return value if target.itemsize == source.itemsize else value.to("trunc", kind)


def _float_to_float(f: Function, value: Value, target: DType, kind: str) -> Value:
    if value.type == kind:
        return rounded(f, value, target)
    if target is dt.float64:
        return value.to("fpext", kind)
    if target is dt.float32:
        return value.to("fptrunc", kind)
    return rounded(f, double_to_odd_float(f, value), target)


def _float_to_integer(f: Function, value: Value, target: DType, kind: str) -> Value:
    if target is dt.uint64:
        return _to_uint64(f, value, kind)
    through = _like(value, "i32" if target.itemsize < 4 or target is dt.int32 else "i64")
    return _to_signed(f, value, through).to("trunc", kind)


def _to_signed(f: Function, value: Value, kind: str) -> Value:
    bits = 32 if "i32" in kind else 64
    limit = 2.0 ** (bits - 1)
    # -limit - 1 is a double but not a float; truncation brings what lies between back to the lowest number
    low = value > -limit - 1.0 if bits == 32 and "double" in value.type else value >= -limit
    fits = low & (value < limit)
    return f.select(fits, value.to("fptosi", kind), f.value(-(2 ** (bits - 1)), kind))


def _to_uint64(f: Function, value: Value, kind: str) -> Value:
    high = (value >= 2.0**63) & (value < 2.0**64)
    lowered = _to_signed(f, f.select(high, value - 2.0**63, value), kind)
    flipped = f.op("xor", lowered, -(2**63))
    return f.select(high, flipped, lowered)
