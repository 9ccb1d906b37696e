"""Gradient rules and compositions run on tensors: the eager `Builder`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.common.eager import eager_op, is_variadic
from mindspore.common.tensor_class import Tensor
from mindspore.ir.builder import Builder
from mindspore.ir.operator import Operator, find


class EagerBuilder(Builder):
    """Values are tensors; every operator runs at once, and is recorded when a tape is set."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        try:
            op = find(name)
        except KeyError as error:
            raise AttributeError(str(error)) from None
        self.__dict__[name] = found = partial(self.call, op) if is_variadic(op) else eager_op(op)
        return found

    def apply(self, op: Operator, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
        return eager_op(op)(tuple(inputs), **attrs) if is_variadic(op) else eager_op(op)(*inputs, **attrs)

    def call(self, op: Operator, *inputs: Any, **attrs: Any) -> Any:
        return self.apply(op, inputs, attrs)

    def literal(self, array: Any) -> Tensor:
        return Tensor(array)

    def custom(self, forward: Any, backward: Any, arguments: Sequence[Any], wrt: Sequence[int]) -> Any:
        from mindspore.common.custom import of_graphs

        return of_graphs(forward, backward, arguments, wrt)

    def const(self, value: Any, dtype: DType) -> Tensor:
        return Tensor(np.asarray(value).astype(dt.to_numpy(dtype)))

    def shape(self, value: Any) -> Shape:
        return value.shape  # type: ignore[no-any-return]

    def dtype(self, value: Any) -> DType:
        return value.dtype  # type: ignore[no-any-return]


EAGER = EagerBuilder()
