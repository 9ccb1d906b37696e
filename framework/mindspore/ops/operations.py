"""``ops.operations`` (P): every operator as a class, made from its declaration, and the few that are not operators."""

from __future__ import annotations

import functools
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common.eager import function
from mindspore.common.state import assign, assign_add, assign_sub
from mindspore.ir.operator import all_operators
from mindspore.ops import (
    adaptive,
    convolving,
    indexed,
    margin_losses,
    padding,
    pooling_objects,
    resizing,
    rows,
    sampling,
    steps,
    values,
    written,
)
from mindspore.ops.debug import Assert, Print
from mindspore.ops.function_objects import FunctionObject
from mindspore.ops.hooks import HookBackward, InsertGradientOf
from mindspore.ops.layers import batch_norm_step
from mindspore.ops.primitive import (
    Primitive,
    PrimitiveWithCheck,
    PrimitiveWithInfer,
    prim_attr_register,
    primitive_class,
)
from mindspore.ops.random import kept

INTERNAL = frozenset(
    {
        "Arange", "ArgmaxIndex", "ArgminIndex", "AveragedStep", "Conv2DBackpropFilter", "Conv3DBackpropFilter", "Conv3DBackpropInput",
        "Eye", "FlashAttention", "Full", "GatherStrided", "Iota",
        "LinearRecurrence", "Log2", "Exp2", "MaxPoolGrad", "OneHot", "PhiloxUniform", "PlaneConvolution", "PlaneFilter", "ResilientStep",
        "Rotate", "RowSums", "RunningLogSum", "RunningMax", "RunningMin", "RunningProduct", "RunningSum", "ScatterRows",
        "ScatterStrided", "SearchPositions", "SortPositions",
        "StridedProducts", "StridedSliceGrad", "WindowIndex", "WindowMax", "WindowPlace", "WindowSpread", "WindowSum",
        "WindowTake",
    }
)  # fmt: skip
"""Operators that have no class of their own in MindSpore, or one with another signature, written below."""

_full = function("full")
_eye = function("eye")
_one_hot = function("one_hot")
_arange = function("arange")


class OneHot(FunctionObject):
    """``OneHot(axis)(indices, depth, on_value, off_value)``: on_value where an index names the class along the new axis."""

    __slots__ = ("axis",)

    def __init__(self, axis: int = -1) -> None:
        self.axis = axis

    def __call__(self, indices: Any, depth: int, on_value: Any, off_value: Any) -> Any:
        return _one_hot(indices, on_value, off_value, depth, self.axis)


class Ones(FunctionObject):
    """``Ones()(shape, dtype)``: ones."""

    __slots__ = ()

    def __call__(self, shape: Any, dtype: Any = dt.float32) -> Any:
        return _full((shape,) if isinstance(shape, int) else tuple(shape), 1, dtype)


class Zeros(FunctionObject):
    """``Zeros()(shape, dtype)``: zeros."""

    __slots__ = ()

    def __call__(self, shape: Any, dtype: Any = dt.float32) -> Any:
        return _full((shape,) if isinstance(shape, int) else tuple(shape), 0, dtype)


class Fill(FunctionObject):
    """``Fill()(dtype, shape, value)``: one value."""

    __slots__ = ()

    def __call__(self, type: Any, shape: Any, value: Any) -> Any:
        return _full(tuple(shape), value, type)


class Eye(FunctionObject):
    """``Eye()(n, m, dtype)``: ones on the diagonal."""

    __slots__ = ()

    def __call__(self, n: int, m: int, t: Any) -> Any:
        return _eye(n, m, t)


class Shape(FunctionObject):
    """``Shape()(x)``: the shape as a tuple."""

    __slots__ = ()

    def __call__(self, x: Any) -> Any:
        return x.shape


class Rank(FunctionObject):
    """``Rank()(x)``: the number of dimensions."""

    __slots__ = ()

    def __call__(self, x: Any) -> Any:
        return x.ndim


class Size(FunctionObject):
    """``Size()(x)``: the number of elements."""

    __slots__ = ()

    def __call__(self, x: Any) -> Any:
        return x.size


class DType(FunctionObject):
    """``DType()(x)``: the element type."""

    __slots__ = ()

    def __call__(self, x: Any) -> Any:
        return x.dtype


class Assign(FunctionObject):
    """``Assign()(parameter, value)``: writes the value into the Parameter."""

    __slots__ = ()

    def __call__(self, variable: Any, value: Any) -> Any:
        return assign(variable, value)


class AssignAdd(FunctionObject):
    """``AssignAdd()(parameter, value)``: adds the value to the Parameter."""

    __slots__ = ()

    def __call__(self, variable: Any, value: Any) -> Any:
        return assign_add(variable, value)


class AssignSub(FunctionObject):
    """``AssignSub()(parameter, value)``: subtracts the value from the Parameter."""

    __slots__ = ()

    def __call__(self, variable: Any, value: Any) -> Any:
        return assign_sub(variable, value)


class Partial(FunctionObject):
    """``Partial()(func, *args)``: the function with its first arguments fixed."""

    __slots__ = ()

    def __call__(self, func: Any, *args: Any) -> Any:
        if not callable(func):
            raise TypeError(f"For 'Partial', the first argument must be a function, but got {func!r}.")
        return functools.partial(func, *args)


class BatchNorm(FunctionObject):
    """``BatchNorm(...)(input_x, scale, bias, mean, variance)``: channels normalised; training moves the Parameters mean and variance.

    Gives the result, then mean and variance (those given, or in training the batch's) twice.
    """

    __slots__ = ("data_format", "epsilon", "is_training", "momentum")

    def __init__(
        self, is_training: bool = False, epsilon: float = 1e-5, momentum: float = 0.1, data_format: str = "NCHW"
    ) -> None:
        self.is_training, self.epsilon, self.momentum, self.data_format = is_training, epsilon, momentum, data_format
        if data_format != "NCHW":
            raise ValueError(f"For 'BatchNorm', the 'data_format' must be 'NCHW', but got {data_format!r}.")

    def __call__(self, input_x: Any, scale: Any, bias: Any, mean: Any, variance: Any) -> Any:
        return batch_norm_step(input_x, scale, bias, mean, variance, self.is_training, self.momentum, self.epsilon)


class Dropout(FunctionObject):
    """``Dropout(keep_prob)(x)``: elements kept with that probability and divided by it, the others 0; and the mask of those kept."""

    __slots__ = ("Seed0", "Seed1", "keep_prob")

    def __init__(self, keep_prob: float = 0.5, Seed0: int = 0, Seed1: int = 0) -> None:  # noqa: N803 -- MindSpore's names
        if not isinstance(keep_prob, float) or not 0.0 < keep_prob <= 1.0:
            raise ValueError(
                f"For 'Dropout', the 'keep_prob' must be a float in range (0.0, 1.0], but got {keep_prob!r}."
            )
        self.keep_prob, self.Seed0, self.Seed1 = keep_prob, Seed0, Seed1

    def __call__(self, x: Any) -> Any:
        seed = None if self.Seed0 == 0 and self.Seed1 == 0 else self.Seed0 * 65536 + self.Seed1
        mask = kept(x, 1.0 - self.keep_prob, seed)
        return _mul(x, _mul(mask, 1.0 / self.keep_prob)), mask


_mul = function("mul")
_WRITTEN = (
    Assert, Assign, AssignAdd, AssignSub, BatchNorm, DType, Dropout, Eye, Fill, OneHot, Ones,
    Partial, Print, Rank, Shape, Size, Zeros,
)  # fmt: skip
_OF_MODULES = [
    c
    for m in (
        adaptive,
        convolving,
        indexed,
        margin_losses,
        padding,
        pooling_objects,
        resizing,
        rows,
        sampling,
        steps,
        written,
    )
    for c in m.CLASSES
]
_BY_NAME: dict[str, Any] = {c.__name__: c for c in (*_WRITTEN, *_OF_MODULES, HookBackward, InsertGradientOf)}
_BY_NAME |= values.CLASSES
_BY_NAME |= {
    op.name: primitive_class(op, __name__)
    for op in all_operators()
    if op.name not in INTERNAL and op.name not in _BY_NAME
}
_BY_NAME |= {new: _BY_NAME[old] for new, old in (("FastGelu", "FastGeLU"), ("Inv", "Reciprocal"), ("TensorAdd", "Add"))}

globals().update(_BY_NAME)
__path__: list[str] = []
"""Further module paths begin with this one (`base.import_paths`)."""
__all__ = ["Primitive", "PrimitiveWithCheck", "PrimitiveWithInfer", "prim_attr_register", *_BY_NAME]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"mindspore.ops.operations has no operator {name!r}; it has {', '.join(sorted(_BY_NAME))}.")
