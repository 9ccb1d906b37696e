"""Calls operators on numpy arrays by their reference meaning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import mindspore.primitives  # noqa: F401  (declares the operators that builders find by name)
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.ir.builder import Builder
from mindspore.ir.operator import Operator
from mindspore.ir.types import TensorType


class NumpyBuilder(Builder):
    """Values are numpy arrays; inference checks every call first, so errors are those of the other modes."""

    def apply(self, op: Operator, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
        op.infer(*[type_of(i) for i in inputs], **attrs)
        return arrays(op.reference(*inputs, **attrs))

    def const(self, value: Any, dtype: DType) -> Any:
        return np.asarray(value).astype(dt.to_numpy(dtype))

    def shape(self, value: Any) -> Shape:
        return tuple(value.shape)

    def dtype(self, value: Any) -> DType:
        return dt.from_numpy(value.dtype)


class ExpandingBuilder(NumpyBuilder):
    """The same, but composites run as their expansion: what kernels compute, where `NumpyBuilder` gives what is meant."""

    def apply(self, op: Operator, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
        if op.expand is None:
            return super().apply(op, inputs, attrs)
        op.infer(*[type_of(i) for i in inputs], **attrs)
        return op.expand(self, *inputs, **attrs)


def type_of(array: Any) -> TensorType:
    """The tensor type of a numpy array."""
    return TensorType(dt.from_numpy(array.dtype), tuple(array.shape))


def arrays(value: Any) -> Any:
    """numpy's scalars as 0-d arrays."""
    return tuple(map(np.asarray, value)) if isinstance(value, tuple) else np.asarray(value)
