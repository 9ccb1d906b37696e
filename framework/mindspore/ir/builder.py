"""Writing graphs: ``b.add(x, y)`` finds the operator by name, promotes, infers and adds the node.

The same calls also run eagerly: gradient rules, composite operators and transformations are written once against `Builder`, and each
subclass decides what a value is (a typed node, an eager tensor, a numpy array).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.errors import Location
from mindspore.base.promotion import common, scalar_dtype
from mindspore.base.shapes import Shape
from mindspore.base.symbolic import Size
from mindspore.ir.graph import MAKE_TUPLE, TUPLE_GET, Apply, Constant, Node
from mindspore.ir.operator import REQUIRED, Operator, find
from mindspore.ir.types import TensorType, TupleType, Type

PYTHON_NUMBERS = (bool, int, float, complex, Size)


def complete_attrs(op: Operator, attrs: Mapping[str, Any]) -> dict[str, Any]:
    """`attrs` with the defaults filled in, in declaration order; TypeError for unknown or missing names."""
    unknown = [a for a in attrs if a not in op.attrs]
    if unknown:
        raise TypeError(f"{op.name} has no attribute {unknown[0]!r}; it has {', '.join(op.attrs) or 'none'}.")
    full = {name: attrs.get(name, default) for name, default in op.attrs.items()}
    missing = [name for name, value in full.items() if value is REQUIRED]
    if missing:
        raise TypeError(f"{op.name} needs attribute {missing[0]!r}.")
    return full


class Builder:
    """Calls operators on values of one kind. Subclasses give `apply`, `const`, `shape` and `dtype`."""

    def __getattr__(self, function: str) -> Callable[..., Any]:
        if function.startswith("__"):
            raise AttributeError(function)
        try:
            op = find(function)
        except KeyError as error:
            raise AttributeError(str(error)) from None
        return partial(self.call, op)

    def call(self, op: Operator, *inputs: Any, **attrs: Any) -> Any:
        """Promote Python numbers and mixed types as `op` says, then `apply` it."""
        values = self.promoted(op, inputs)
        return self.apply(op, values, complete_attrs(op, attrs))

    def promoted(self, op: Operator, inputs: Sequence[Any]) -> list[Any]:
        """Inputs as values of one type where ``op.promote`` asks for it; numbers always become values."""
        if op.promote == "rest":
            first, *rest = inputs
            condition = self.const(first, scalar_dtype(first, None)) if isinstance(first, PYTHON_NUMBERS) else first
            return [condition, *self.brought_together(rest, "same")]
        return self.brought_together(inputs, op.promote)

    def brought_together(self, inputs: Sequence[Any], promote: str | None) -> list[Any]:
        """All `inputs` as values: of their common type unless `promote` is None, floating when it is ``float``."""
        tensors = [self.dtype(i) for i in inputs if not isinstance(i, PYTHON_NUMBERS)]
        known = common(tensors) if tensors else None
        numbers = [scalar_dtype(i, known) for i in inputs if isinstance(i, PYTHON_NUMBERS)]
        if promote is None:
            return [self.const(i, scalar_dtype(i, known)) if isinstance(i, PYTHON_NUMBERS) else i for i in inputs]
        target = common([*tensors, *numbers])
        if promote == "float" and target.kind in "biu":
            target = dt.float32
        return [self.converted(i, target) for i in inputs]

    def converted(self, value: Any, dtype: DType) -> Any:
        """`value` as `dtype`: numbers become constants, other types are cast."""
        if isinstance(value, PYTHON_NUMBERS):
            return self.const(value, dtype)
        return value if self.dtype(value) is dtype else self.cast(value, dtype=dtype)

    def apply(self, op: Operator, inputs: Sequence[Any], attrs: Mapping[str, Any]) -> Any:
        raise TypeError(f"{type(self).__name__} does not say how to apply {op.name}")

    def const(self, value: Any, dtype: DType) -> Any:
        """A 0-d or array constant."""
        raise TypeError(f"{type(self).__name__} does not say how to make a constant")

    def literal(self, array: Any) -> Any:
        """A constant of a graph, which holds it as a numpy array."""
        return array

    def custom(self, forward: Any, backward: Any, arguments: Sequence[Any], wrt: Sequence[int]) -> Any:
        """The results of a `CUSTOM` node, where its gradient is of interest; NotImplemented where it is a call of `forward`."""
        return NotImplemented

    def tuple(self, elements: Sequence[Any]) -> Any:
        """Several results as one value; `get` takes it apart."""
        return (*elements,)

    def get(self, value: Any, index: int) -> Any:
        return value[index]

    def shape(self, value: Any) -> Shape:
        raise TypeError(f"{type(self).__name__} does not say what a shape is")

    def dtype(self, value: Any) -> DType:
        raise TypeError(f"{type(self).__name__} does not say what an element type is")

    def sum_to(self, value: Any, shape: Shape) -> Any:
        """The gradient of broadcasting from `shape`: sum over what was expanded. Identity when nothing was."""
        current = self.shape(value)
        if current == shape:
            return value
        lead = len(current) - len(shape)
        axes = tuple(range(lead)) + tuple(i + lead for i, d in enumerate(shape) if d == 1 and current[i + lead] != 1)
        summed = self.reduce_sum(value, axis=axes, keep_dims=False) if axes else value
        return summed if self.shape(summed) == shape else self.reshape(summed, shape=shape)

    def zeros_like(self, value: Any) -> Any:
        return self.full(shape=self.shape(value), value=0, dtype=self.dtype(value))

    def ones_like(self, value: Any) -> Any:
        return self.full(shape=self.shape(value), value=1, dtype=self.dtype(value))


class GraphBuilder(Builder):
    """Values are typed nodes; every result is inferred when it is made. ``location`` is stamped on new nodes."""

    def __init__(self, location: Location | None = None) -> None:
        self.location = location

    def apply(self, op: Operator, inputs: Sequence[Node], attrs: Mapping[str, Any]) -> Node:
        inferred: Type = op.infer(*[i.type for i in inputs], **attrs)
        return Apply(op, inputs, MappingProxyType(dict(attrs)), inferred, self.location)

    def const(self, value: Any, dtype: DType) -> Node:
        if isinstance(value, Size):
            scalar: Node = self.full(shape=(), value=value, dtype=dtype)
            return scalar
        array = np.asarray(value).astype(dt.to_numpy(dtype))
        return Constant(array, TensorType(dtype, array.shape), self.location)

    def shape(self, value: Node) -> Shape:
        return _tensor(value).shape

    def dtype(self, value: Node) -> DType:
        return _tensor(value).dtype

    def tuple(self, elements: Sequence[Node]) -> Node:
        kinds = tuple(e.type for e in elements)
        return Apply(MAKE_TUPLE, elements, type=TupleType(kinds), location=self.location)  # type: ignore[arg-type]

    def get(self, value: Node, index: int) -> Node:
        """Element `index` of a tuple node; looks through MAKE_TUPLE."""
        if isinstance(value, Apply) and value.op is MAKE_TUPLE:
            return value.inputs[index]
        if not isinstance(value.type, TupleType):
            raise TypeError(f"expected a tuple, got {value.type}")
        attrs = MappingProxyType({"index": index})
        return Apply(TUPLE_GET, (value,), attrs, value.type.elements[index], self.location)


def _tensor(value: Node) -> TensorType:
    if not isinstance(value.type, TensorType):
        raise TypeError(f"expected a tensor, got {value.type}")
    return value.type
