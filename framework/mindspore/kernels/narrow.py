"""Operations on float16 and bfloat16 whose result is an operand but for its sign: they take the 16-bit words and round nothing."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import lanes
from mindspore.kernels.emit import Function, Value
from mindspore.kernels.lanes import Narrow


def constant(f: Function, number: float, dtype: DType) -> Value:
    """A lane of `dtype` with `number`, as a word too where 16 bits hold it."""
    value = f.value(number, "float")
    try:
        packed = struct.pack("<e", number) if dtype is dt.float16 else struct.pack("<f", number)[2:]
    except OverflowError:
        return value
    (back,) = struct.unpack("<e", packed) if dtype is dt.float16 else struct.unpack("<f", bytes(2) + packed)
    return Narrow(value, f.value(int.from_bytes(packed, "little"), "i16"), dtype) if back == number else value


def chosen(f: Function, condition: Value, yes: Value, no: Value) -> Value:
    """``condition ? yes : no``."""
    if isinstance(yes, Narrow) and isinstance(no, Narrow) and yes.dtype is no.dtype:
        return lanes.from_memory(f, f.select(condition, yes.word, no.word), yes.dtype)
    return f.select(condition, yes, no)


def _maximum(f: Function, a: Narrow, b: Narrow) -> Value:
    return chosen(f, a.ne(a) | (a > b), a, b)


def _minimum(f: Function, a: Narrow, b: Narrow) -> Value:
    return chosen(f, a.ne(a) | (a < b), a, b)


def _abs(f: Function, a: Narrow) -> Value:
    return lanes.from_memory(f, a.word & 0x7FFF, a.dtype)


def _neg(f: Function, a: Narrow) -> Value:
    return lanes.from_memory(f, f.op("xor", a.word, 0x8000), a.dtype)


_OPERATIONS: Mapping[str, Callable[..., Value]] = MappingProxyType(
    {"abs": _abs, "neg": _neg, "maximum": _maximum, "minimum": _minimum}
)


def lower(f: Function, op: str, dtype: DType, args: Sequence[Value]) -> Value | None:
    """The result of `op` on operands of `dtype`, None where it is not among these or they are no such words."""
    if op not in _OPERATIONS or not all(isinstance(a, Narrow) and a.dtype is dtype for a in args):
        return None
    return _OPERATIONS[op](f, *args)
