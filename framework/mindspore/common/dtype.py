"""``mindspore.dtype``: element types, kinds of values, and conversions between them, numpy's and Python's."""

from __future__ import annotations

from types import FunctionType, MappingProxyType
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
from mindspore.ir.types import TensorType

Type = DType
int_type = _dtypes.SIGNED
uint_type = _dtypes.UNSIGNED
float_type = _dtypes.FLOATS
complex_type = _dtypes.COMPLEX
number_type = _dtypes.NUMBERS

__all__ = [
    "DType",
    "Kind",
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


class Kind:
    """A kind of values that is no element type: any tensor, any tuple, integers of any size."""

    __slots__ = ("holds", "name", "shown")

    def __init__(self, name: str, shown: str, holds: tuple[Any, ...] = ()) -> None:
        self.name, self.shown, self.holds = name, shown, holds

    def __repr__(self) -> str:
        return f"mindspore.{self.shown}"

    def __str__(self) -> str:
        return self.name


int_ = Kind("Int", "int", _dtypes.SIGNED)
uint = Kind("UInt", "uint", _dtypes.UNSIGNED)
float_ = Kind("Float", "float", _dtypes.FLOATS)
number = Kind("Number", "number", (bool_, *_dtypes.NUMBERS, int_, uint, float_))
tensor_type = tensor = Kind("Tensor", "tensor")
tuple_ = Kind("Tuple", "tuple_")
list_ = Kind("List", "list_")
dict_ = Kind("Dictionary", "dictionary")
string = Kind("String", "string_")
function = Kind("Function", "function")
type_none = none_type = Kind("None", "type_none")

byte, short, intc, long, intp = int8, int16, int32, int64, int64
ubyte, ushort, uintc, uintp = uint8, uint16, uint32, uint64
half, single, double = float16, float32, float64
cfloat, cdouble = complex64, complex128
_KINDS = MappingProxyType(
    {tuple: tuple_, list: list_, dict: dict_, str: string, type(None): type_none, FunctionType: function}
)
__all__ += [
    "byte", "cdouble", "cfloat", "dict_", "double", "float_", "function", "get_py_obj_dtype", "half", "int_", "intc", "intp",
    "issubclass_", "list_", "long", "none_type", "number", "short", "single", "string", "tensor", "tensor_type", "tuple_", "type_none",
    "ubyte", "uint", "uintc", "uintp", "ushort",
]  # fmt: skip

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


def issubclass_(type_: Any, dtype: Any) -> bool:
    """Whether `type_` is `dtype`, or one of those that `dtype`, a kind as ``mindspore.dtype.number``, stands for.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore.common import dtype as mstype
        >>> mstype.issubclass_(ms.int32, mstype.int_), mstype.issubclass_(ms.int32, mstype.float_)
        (True, False)
    """
    for each in (type_, dtype):
        if not isinstance(each, DType | Kind | TensorType):
            raise TypeError(
                f"For 'issubclass_', expected element types or kinds as mindspore.dtype.number, but got {each!r}."
            )
    if isinstance(type_, TensorType):
        return dtype is tensor_type or type_ == dtype
    return type_ is dtype or (isinstance(dtype, Kind) and type_ in dtype.holds)


def get_py_obj_dtype(obj: Any) -> Any:
    """The element type of a Python number or its class, the kind of a container, text or None, and the type of a tensor.

    Raises:
        TypeError: something else.

    Examples:
        >>> from mindspore.common import dtype as mstype
        >>> mstype.get_py_obj_dtype(1.5), mstype.get_py_obj_dtype((1, 2))
        (mindspore.float64, mindspore.tuple_)
    """
    if isinstance(kind := getattr(obj, "__tensor_type__", None), TensorType):
        return kind
    cls = obj if isinstance(obj, type) else type(obj)
    found = _OF_PYTHON.get(cls) or next((_KINDS[c] for c in cls.__mro__ if c in _KINDS), None)
    if found is None:
        raise TypeError(
            f"For 'get_py_obj_dtype', expected a number, text, container, function, None or Tensor, but got {obj!r}."
        )
    return found


pytype_to_dtype.__constexpr__ = issubclass_.__constexpr__ = True  # type: ignore[attr-defined]


def _checked(function: str, given: object) -> DType:
    if not isinstance(given, DType):
        raise TypeError(f"For '{function}', expected an element type such as mindspore.float32, but got {given!r}.")
    return given
