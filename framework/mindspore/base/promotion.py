"""MindSpore's implicit type conversion: which element type operands of mixed types are brought to."""

from __future__ import annotations

from collections.abc import Iterable

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.symbolic import Size

_KIND_ORDER = {"b": 0, "u": 1, "i": 1, "f": 2, "c": 3}


def promote(left: DType, right: DType) -> DType:
    """The type of an operation on two tensors: the higher kind wins, then the wider; signed and unsigned meet above both."""
    if left is right:
        return left
    low, high = sorted((left, right), key=lambda t: (_KIND_ORDER[t.kind], t.itemsize))
    if _KIND_ORDER[low.kind] != _KIND_ORDER[high.kind]:
        if high.is_complex and low is dt.float64:
            return dt.complex128
        return high
    if low.kind == high.kind:
        return dt.float32 if low.itemsize == high.itemsize else high
    signed, unsigned = (low, high) if low.kind == "i" else (high, low)
    if signed.itemsize > unsigned.itemsize:
        return signed
    wider = {1: dt.int16, 2: dt.int32, 4: dt.int64}.get(unsigned.itemsize)
    return wider if wider is not None else dt.float64


def fits_kind(given: DType, target: DType) -> bool:
    """Whether values of type `given` may be stored as `target`: not floats as integers, nor complex numbers as real ones."""
    return _KIND_ORDER[given.kind] <= _KIND_ORDER[target.kind]


def scalar_dtype(value: object, tensor: DType | None) -> DType:
    """The type a Python number takes beside a tensor: the tensor's own unless the number's kind is higher."""
    if isinstance(value, bool):
        return tensor if tensor is not None else dt.bool_
    if isinstance(value, int | Size):
        return tensor if tensor is not None and tensor.kind != "b" else dt.int64
    if isinstance(value, complex):
        return tensor if tensor is not None and tensor.is_complex else dt.complex64
    return tensor if tensor is not None and tensor.kind in "fc" else dt.float32


def common(types: Iterable[DType]) -> DType:
    """`promote` over all of them; ValueError for none."""
    result: DType | None = None
    for each in types:
        result = each if result is None else promote(result, each)
    if result is None:
        raise ValueError("no types to promote")
    return result
