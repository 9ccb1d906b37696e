"""``mindspore.dtype``: element types and conversions between them, numpy's and Python's."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np

from mindspore.base import dtypes as _dtypes
from mindspore.base.dtypes import (
    DType,
    bfloat16,
    bool_,
    complex64,
    complex128,
    float16,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    to_numpy,
    uint8,
    uint16,
    uint32,
    uint64,
)

Type = DType
int_type = _dtypes.SIGNED
uint_type = _dtypes.UNSIGNED
float_type = _dtypes.FLOATS
complex_type = _dtypes.COMPLEX
number_type = _dtypes.NUMBERS

__all__ = [
    "DType",
    "Type",
    "bfloat16",
    "bool_",
    "complex64",
    "complex128",
    "complex_type",
    "dtype_to_nptype",
    "dtype_to_pytype",
    "float16",
    "float32",
    "float64",
    "float_type",
    "int8",
    "int16",
    "int32",
    "int64",
    "int_type",
    "number_type",
    "pytype_to_dtype",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "uint_type",
]

_OF_PYTHON = MappingProxyType({bool: bool_, int: int64, float: float64, complex: complex128})
_KIND_TO_PYTHON = MappingProxyType({"b": bool, "i": int, "u": int, "f": float, "c": complex})


def dtype_to_nptype(type_: DType) -> Any:
    """The numpy scalar class for an element type.

    Examples:
        >>> import mindspore as ms
        >>> ms.dtype_to_nptype(ms.float32)
        <class 'numpy.float32'>
    """
    return to_numpy(_checked("dtype_to_nptype", type_)).type


def dtype_to_pytype(type_: DType) -> type:
    """The Python number type that holds one element: bool, int, float or complex."""
    return _KIND_TO_PYTHON[_checked("dtype_to_pytype", type_).kind]


def pytype_to_dtype(obj: Any) -> DType:
    """The element type for a Python number type, a numpy type or an element type itself; TypeError for anything else."""
    if isinstance(obj, DType):
        return obj
    if isinstance(obj, type) and obj in _OF_PYTHON:
        return _OF_PYTHON[obj]
    if isinstance(obj, type | str | np.dtype):
        return _dtypes.from_numpy(obj)
    raise TypeError(f"Cannot convert {obj!r} to an element type: expected bool, int, float, complex or a numpy type.")


pytype_to_dtype.__constexpr__ = True  # type: ignore[attr-defined]


def _checked(function: str, given: object) -> DType:
    if not isinstance(given, DType):
        raise TypeError(f"For '{function}', expected an element type such as mindspore.float32, but got {given!r}.")
    return given
