"""Operators as callables on tensors: native dispatch with plans that are made once per types, and with their meaning for graphs."""

from __future__ import annotations

import copyreg
import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Any

import numpy as np

from mindspore import _native, primitives  # noqa: F401 -- importing primitives declares the operators
from mindspore.base.dtypes import DType
from mindspore.base.promotion import common, scalar_dtype
from mindspore.base.protocols import input_names
from mindspore.common.plans import planned
from mindspore.common.tensor_class import Tensor
from mindspore.infer.errors import hide_internals
from mindspore.ir.builder import PYTHON_NUMBERS, complete_attrs
from mindspore.ir.operator import REQUIRED, Operator, find
from mindspore.ir.types import TensorType


@cache
def eager_op(op: Operator) -> Any:
    """`op` as a callable: tensors and numbers first, in declaration order, then its attributes by position or name."""
    return _dispatcher(op, partial(_resolve, op), (eager_op, (op,)))


@cache
def comparison(op: Operator, other: bool) -> Any:
    """Like `eager_op` for ``==`` and ``!=``: beside something that is no tensor or number the answer is `other`."""

    def resolve(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        return _resolve(op, args, kwargs) if all(map(_is_operand, args)) else lambda *_: other

    return _dispatcher(op, resolve, (comparison, (op, other)))


def function(name: str) -> Any:
    """The callable of the operator with this function name or primitive name."""
    return eager_op(find(name))


def _dispatcher(op: Operator, resolve: Callable[..., Any], remade: tuple[Any, ...]) -> Any:
    made = _native.EagerOp(op.name, -1 if is_variadic(op) else len(op.inputs), resolve)
    made.__operator__ = op
    made.__remade__ = remade
    made.__name__ = op.function
    made.__doc__ = documentation(op)
    made.__signature__ = signature(op)
    return made


def _reduced(made: Any) -> Any:
    return made.__remade__


copyreg.pickle(_native.EagerOp, _reduced)


def is_variadic(op: Operator) -> bool:
    """Whether the tensors of `op` come as one sequence."""
    return op.inputs[:1] != () and op.inputs[0].startswith("*")


def documentation(op: Operator) -> str:
    """The text of the declaration and what the operator takes."""
    takes = f"Inputs: {', '.join(i.lstrip('*') for i in op.inputs)}." if op.inputs else ""
    names = ", ".join(sorted({str(d) for d in op.dtypes}))
    return "\n\n".join(part for part in (op.doc or op.name, takes, f"Element types: {names}." if names else "") if part)


def signature(op: Operator) -> inspect.Signature:
    """Inputs by position, then attributes with their defaults."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    inputs = [inspect.Parameter(i.lstrip("*"), inspect.Parameter.POSITIONAL_ONLY) for i in op.inputs]
    required = [inspect.Parameter(a, kind) for a, default in op.attrs.items() if default is REQUIRED]
    optional = [inspect.Parameter(a, kind, default=d) for a, d in op.attrs.items() if d is not REQUIRED]
    return inspect.Signature([*inputs, *required, *optional])


def arguments_of(
    op: Operator, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The operands and the complete attributes of a call."""
    if is_variadic(op):
        if not isinstance(args[0], tuple | list):
            raise TypeError(f"{op.name} takes one tuple or list of tensors, but got {type(args[0]).__name__}.")
        operands, rest = tuple(args[0]), args[1:]
    else:
        operands, rest = tuple(args[: len(op.inputs)]), args[len(op.inputs) :]
    if len(rest) > len(op.attrs):
        raise TypeError(f"{op.name} takes {len(op.inputs) + len(op.attrs)} arguments, but got {len(args)}.")
    given = dict(zip(op.attrs, rest, strict=False))
    repeated = next((k for k in kwargs if k in given), None)
    if repeated is not None:
        raise TypeError(f"{op.name} got two values for attribute {repeated!r}.")
    return operands, complete_attrs(op, given | dict(kwargs))


def operand_types(op: Operator, operands: Sequence[Any]) -> list[TensorType]:
    """Types of tensors, and those that Python numbers take beside them."""
    given = [o.dtype for o in operands if isinstance(o, Tensor)]
    beside = common(given) if given else None
    return [_type_of(op, i, o, beside) for i, o in enumerate(operands)]


def _type_of(op: Operator, position: int, operand: Any, beside: DType | None) -> TensorType:
    if isinstance(operand, Tensor):
        return TensorType(operand.dtype, operand.shape)
    if isinstance(operand, PYTHON_NUMBERS):
        return TensorType(scalar_dtype(operand, beside), ())
    name = op.inputs[min(position, len(op.inputs) - 1)].lstrip("*")
    raise TypeError(
        f"{op.name}: argument {name!r} must be a Tensor or a number, but got {type(operand).__name__}"
        f"{'; convert it with mindspore.Tensor' if hasattr(operand, '__array__') else ''}."
    )


def _is_operand(value: Any) -> bool:
    return isinstance(value, (Tensor, *PYTHON_NUMBERS))


def _resolve(op: Operator, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What runs this call and all later ones of its types: a native plan."""
    try:
        return _planned(op, args, kwargs)
    except (TypeError, ValueError, IndexError, MemoryError) as error:
        if not hide_internals():
            raise
        raise error.with_traceback(None) from None


def _planned(op: Operator, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    if len(args) < len(op.inputs):
        return _by_name(op, args, kwargs)
    operands, attrs = arguments_of(op, args, kwargs)
    if any(_plain(o) is not o for o in operands):
        return partial(_with_tensors, op)
    types = operand_types(op, operands)
    numbers = [(i, types[i].dtype.code) for i, o in enumerate(operands) if not isinstance(o, Tensor)]
    made = planned(op, types, attrs, numbers)
    return partial(_with_tensors_only, op) if made is None else made


def _by_name(op: Operator, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """A call that gives inputs by name: brought into order at each call."""
    names = [i.lstrip("*") for i in op.inputs]
    given = input_names(names, op.attrs, kwargs)
    missing = [n for n in names[len(args) :] if n not in given]
    if missing:
        raise TypeError(f"{op.name} needs argument {missing[0]!r}.")

    def ordered(*args: Any, **kwargs: Any) -> Any:
        named = input_names(names, op.attrs, kwargs)
        inputs = [named.pop(n) for n in names[len(args) :]]
        return eager_op(op)(*args, *inputs, **named)

    return ordered


def _with_tensors(op: Operator, *args: Any, **kwargs: Any) -> Any:
    """A call with numbers in a list, or one of numpy's, in the place of a tensor or of a Python number."""
    count = len(op.inputs)
    return eager_op(op)(*map(_plain, args[:count]), *args[count:], **kwargs)


def _with_tensors_only(op: Operator, *args: Any, **kwargs: Any) -> Any:
    """A call whose result would be the memory of a Python number, which has none."""
    count = len(op.inputs)
    return eager_op(op)(*(a if isinstance(a, Tensor) else Tensor(a) for a in args[:count]), *args[count:], **kwargs)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic) and not isinstance(value, PYTHON_NUMBERS):
        return value.item()
    return Tensor(value) if isinstance(value, list | tuple) else value
