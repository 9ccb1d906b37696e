"""``Tensor``: the native tensor with MindSpore's constructor, printing and conversions.

Methods and operators that compute are put on the class by `common.methods`, from the functions that graph mode uses too.
"""

from __future__ import annotations

import operator
import sys
from collections.abc import Iterator, Mapping
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.printing import describe
from mindspore.ir.types import TensorType

__all__ = ["Tensor", "from_numpy", "tensor"]

_ACCEPTED = "Tensor, numpy.ndarray, list, tuple, float, int, bool, complex"


class Tensor(_native.TensorBase):
    """An n-dimensional array of one element type.

    Args:
        input_data: a Tensor, numpy array, Python number, or (nested) list or tuple of numbers or Tensors. Python floats become
            float32, ints int64; numpy values keep their type. The data is copied.
        dtype: element type to convert to, ``mindspore.float32`` and so on.
        shape, init: without `input_data`: the sizes, and an `Initializer`, its name or a number that fills them; zeros without it.
            Without values a size may be None: such a tensor only declares an input whose size may change (`Cell.set_inputs`).

    Raises:
        TypeError: `input_data` or `dtype` is of another kind, or the elements do not form an array of numbers.
        ValueError: `shape` beside `input_data`, or only one of `shape` and `dtype` without it.

    Examples:
        >>> from mindspore import Tensor
        >>> print(Tensor([[1, 2], [3, 4]]) * 0.5)
        [[0.5 1. ]
         [1.5 2. ]]
    """

    __slots__ = ()
    __module__ = "mindspore.common.tensor"

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Tensor:
        declares = cls is Tensor and not args and kwargs.get("init") is None and _is_unsized(kwargs)
        return super().__new__(UnsizedTensor if declares else cls)

    def __init__(self, input_data: Any = None, dtype: DType | None = None, shape: Any = None, init: Any = None) -> None:
        if dtype is not None and not isinstance(dtype, DType):
            names = ", ".join(repr(t) for t in dt.ALL)
            raise TypeError(f"For 'Tensor', the 'dtype' should be one of [{names}], but got {dtype!r}.")
        if input_data is None and (init is not None or shape is not None):
            super().__init__(_native.TensorBase.from_numpy(_filled(shape, dtype, 0 if init is None else init), False))
            return
        if shape is not None:
            raise ValueError(
                f"When initializing a tensor with 'input_data', 'shape' should be set to None. But got shape: {shape}."
            )
        if isinstance(input_data, _native.TensorBase) and (dtype is None or dtype is input_data.dtype):
            super().__init__(input_data.copy())
        else:
            super().__init__(_native.TensorBase.from_numpy(_array(input_data, dtype), True))

    @staticmethod
    def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
        """A tensor over the memory of a contiguous numpy array; a change of one shows in the other."""
        if not isinstance(array, np.ndarray):
            raise TypeError(f"The input of from_numpy should be numpy.ndarray, but got {type(array)}.")
        result: Tensor = _native.TensorBase.from_numpy(np.asarray(array, order="C"), False)
        return result

    @property
    def __tensor_type__(self) -> TensorType:
        return TensorType(self.dtype, self.shape)

    @property
    def data(self) -> Tensor:
        """The tensor itself."""
        return self

    @property
    def has_init(self) -> bool:
        """Whether values are still to be made by an Initializer; they are always made at once."""
        return False

    def init_data(self) -> Tensor:
        """The tensor itself: initializers run when the tensor is made."""
        return self

    def numpy(self) -> np.ndarray[Any, Any]:
        """Alias of `asnumpy`."""
        return self.asnumpy()

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers; a number for a 0-d tensor."""
        return self.asnumpy().tolist()

    def dim(self) -> int:
        """Number of dimensions."""
        return len(self.shape)

    ndimension = dim

    def numel(self) -> int:
        """Number of elements."""
        return int(self.size)

    nelement = numel

    def is_contiguous(self) -> bool:
        """Whether the elements lie in row-major order without gaps."""
        return bool(_native.TensorBase.is_contiguous.__get__(self))

    def contiguous(self) -> Tensor:
        """The tensor itself when it is contiguous, else a copy that is."""
        return self if self.is_contiguous() else self.copy()

    def is_floating_point(self) -> bool:
        """Whether the element type is a real floating type."""
        return bool(self.dtype.is_floating)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("Not support len of a 0-D tensor.")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration over a 0-d tensor.")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, element: Any) -> bool:
        return bool((self.asnumpy() == (element.asnumpy() if isinstance(element, Tensor) else element)).any())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __int__(self) -> int:
        return int(self._only())

    def __float__(self) -> float:
        return float(self._only())

    def __complex__(self) -> complex:
        return complex(self._only())

    def __index__(self) -> int:
        if self.size != 1 or not (self.dtype.is_integer or self.dtype.kind == "b"):
            raise ValueError("Only integer tensors of a single element can be converted to an index.")
        return operator.index(int(self.item()))

    def _only(self) -> Any:
        if self.size != 1:
            raise ValueError(
                f"Only one element tensors can be converted to Python scalars, but got shape {self.shape}."
            )
        return self.asnumpy().item()

    def __hash__(self) -> int:
        return id(self)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        array = self.asnumpy()
        if dtype is not None and array.dtype != dtype:
            return array.astype(dtype)
        return array.copy() if copy else array

    def __str__(self) -> str:
        return str(self.asnumpy())

    def __repr__(self) -> str:
        return describe(self.asnumpy(), self.dtype)

    def __format__(self, spec: str) -> str:
        return str(self) if not spec else format(self._only(), spec)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.asnumpy(),)

    def __copy__(self) -> Any:
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        memo[id(self)] = made = self.copy()
        return made


def tensor(input_data: Any = None, dtype: DType | None = None, shape: Any = None, init: Any = None) -> Tensor:
    """`Tensor` as a function."""
    return Tensor(input_data, dtype, shape, init)


def from_numpy(array: np.ndarray[Any, Any]) -> Tensor:
    """`Tensor.from_numpy` as a function."""
    return Tensor.from_numpy(array)


def _restored(array: np.ndarray[Any, Any]) -> Tensor:
    return Tensor(array)


class UnsizedTensor(Tensor):
    """A tensor without elements that declares a type whose sizes may change; ``sizes`` has None for these, and is None for any rank."""

    __slots__ = ("sizes",)
    __module__ = "mindspore.common.tensor"

    def __init__(self, input_data: Any = None, dtype: DType | None = None, shape: Any = None, init: Any = None) -> None:
        super().__init__(None, dtype, (0,), 0)
        self.sizes = None if shape is None else tuple(shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """The sizes, -1 for those that may change; (-2,) for any rank."""
        return (-2,) if self.sizes is None else tuple(-1 if s is None else s for s in self.sizes)

    def __repr__(self) -> str:
        return f"Tensor(shape={list(self.shape)}, dtype={self.dtype}, value=)"

    __str__ = __repr__


def _is_unsized(given: Mapping[str, Any]) -> bool:
    """Whether the arguments of the constructor have a shape with sizes that are left open."""
    shape = given.get("shape", ())
    return shape is None or (isinstance(shape, tuple | list) and None in shape)


def _filled(shape: Any, dtype: DType | None, init: Any) -> np.ndarray[Any, Any]:
    if shape is None or dtype is None:
        raise ValueError(
            "For 'Tensor' without 'input_data', both 'shape' and 'dtype' must be given, but got "
            f"shape={shape} and dtype={dtype}."
        )
    from mindspore.common.initializer import resolved

    array = _empty(shape, np.dtype(np.float32) if dtype is dt.bfloat16 else dt.to_numpy(dtype))
    resolved(init)(array)
    return array.astype(dt.to_numpy(dtype), copy=False)


def _empty(shape: Any, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    sizes = shape if isinstance(shape, tuple | list) else (shape,)
    if all(isinstance(s, int) and s >= 0 for s in sizes) and prod(sizes) * dtype.itemsize > sys.maxsize:
        raise MemoryError(f"a tensor of shape {tuple(sizes)} does not fit in memory")
    return np.empty(shape, dtype)


def _array(data: Any, dtype: DType | None) -> np.ndarray[Any, Any]:
    """`data` as an array of `dtype`; Python's own numbers take MindSpore's default types."""
    if isinstance(data, _native.TensorBase | np.ndarray | np.generic):
        array = np.asarray(data)
    elif isinstance(data, bool | int | float | complex | list | tuple):
        array = _from_python(data)
    else:
        raise TypeError(
            f"For 'Tensor', the type of 'input_data' should be one of {_ACCEPTED}, but got type '{type(data).__name__}'."
        )
    if dtype is None:
        python_floats = (
            array.dtype == np.float64 and isinstance(data, float | list | tuple) and not isinstance(data, np.generic)
        )
        dtype = dt.float32 if python_floats else dt.from_numpy(array.dtype)
    target = dt.to_numpy(dtype)
    if array.dtype.kind == "c" and dtype.kind != "c":
        array = array != 0 if dtype is dt.bool_ else array.real
    with np.errstate(all="ignore"):
        return np.ascontiguousarray(array, target).reshape(array.shape)


def _from_python(data: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(_plain(data))
    except ValueError:
        raise TypeError(
            f"For Tensor, the input_data is {data} that contain unsupported element: the nested lists must have equal lengths."
        ) from None
    if array.dtype.kind not in "biufc":
        raise TypeError(f"For Tensor, the input_data is {data} that contain unsupported element.")
    return array


def _plain(data: Any) -> Any:
    """Tensors inside of lists as arrays."""
    if isinstance(data, list | tuple):
        return [_plain(d) for d in data]
    return data.asnumpy() if isinstance(data, _native.TensorBase) else data


_native.set_dtypes(list(dt.ALL))
_native.set_tensor_type(Tensor)
