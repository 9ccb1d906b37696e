"""Element types of tensors: one singleton per type, shared by every storey and by the native module (by ``code``)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np


class DType:
    """One element type.

    Attributes:
        name: MindSpore's printed name, ``Float32``.
        code: stable integer shared with the native module.
        itemsize: bytes of one element.
        kind: ``b`` bool, ``i`` signed, ``u`` unsigned, ``f`` floating, ``c`` complex.
    """

    __slots__ = ("attribute", "code", "itemsize", "kind", "name")

    def __init__(self, name: str, attribute: str, code: int, itemsize: int, kind: str) -> None:
        self.name, self.attribute, self.code, self.itemsize, self.kind = name, attribute, code, itemsize, kind

    def __repr__(self) -> str:
        return f"mindspore.{self.attribute}"

    def __str__(self) -> str:
        return self.name

    def __reduce__(self) -> str:
        return self.attribute

    @property
    def is_floating(self) -> bool:
        return self.kind == "f"

    @property
    def is_integer(self) -> bool:
        return self.kind in "iu"

    @property
    def is_complex(self) -> bool:
        return self.kind == "c"

    @property
    def short(self) -> str:
        """Name inside kernel symbols: ``f32``, ``i8``, ``bool``."""
        return "bool" if self.kind == "b" else "bf16" if self is bfloat16 else f"{self.kind}{self.itemsize * 8}"


bool_ = DType("Bool", "bool_", 0, 1, "b")
int8 = DType("Int8", "int8", 1, 1, "i")
int16 = DType("Int16", "int16", 2, 2, "i")
int32 = DType("Int32", "int32", 3, 4, "i")
int64 = DType("Int64", "int64", 4, 8, "i")
uint8 = DType("UInt8", "uint8", 5, 1, "u")
uint16 = DType("UInt16", "uint16", 6, 2, "u")
uint32 = DType("UInt32", "uint32", 7, 4, "u")
uint64 = DType("UInt64", "uint64", 8, 8, "u")
float16 = DType("Float16", "float16", 9, 2, "f")
float32 = DType("Float32", "float32", 10, 4, "f")
float64 = DType("Float64", "float64", 11, 8, "f")
bfloat16 = DType("BFloat16", "bfloat16", 12, 2, "f")
complex64 = DType("Complex64", "complex64", 13, 8, "c")
complex128 = DType("Complex128", "complex128", 14, 16, "c")

ALL: tuple[DType, ...] = (
    bool_, int8, int16, int32, int64, uint8, uint16, uint32, uint64,
    float16, float32, float64, bfloat16, complex64, complex128,
)  # fmt: skip
BY_CODE: Mapping[int, DType] = MappingProxyType({t.code: t for t in ALL})
SIGNED = (int8, int16, int32, int64)
UNSIGNED = (uint8, uint16, uint32, uint64)
INTEGERS = SIGNED + UNSIGNED
FLOATS = (float16, float32, float64, bfloat16)
COMPLEX = (complex64, complex128)
REAL = (*INTEGERS, *FLOATS)
NUMBERS = (*REAL, *COMPLEX)


def to_numpy(dtype: DType) -> np.dtype[Any]:
    """The numpy dtype that stores `dtype`; bfloat16 comes from ml_dtypes, loaded on first use."""
    if dtype is bfloat16:
        import ml_dtypes

        found: np.dtype[Any] = np.dtype(ml_dtypes.bfloat16)
        return found
    return np.dtype(dtype.attribute)


def from_numpy(dtype: object) -> DType:
    """The element type for a numpy dtype (or anything ``np.dtype`` takes). TypeError when there is none."""
    names = ", ".join(t.attribute for t in ALL)
    try:
        given = np.dtype(dtype)  # type: ignore[call-overload]
    except TypeError:
        raise TypeError(f"{dtype!r} names no element type; expected one of {names}.") from None
    found = _FROM_NUMPY.get(given.newbyteorder("=").name)
    if found is None:
        raise TypeError(f"numpy dtype {given} has no tensor element type; expected one of {names}.")
    return found


_FROM_NUMPY: Mapping[str, DType] = MappingProxyType({t.attribute.rstrip("_"): t for t in ALL})
