"""Calling operators: binding arguments to inputs and attributes, and writing back what an in-place operator updates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mindspore.base.protocols import input_names
from mindspore.infer.machine import Machine
from mindspore.infer.state import is_parameter, operand, slot_of
from mindspore.infer.structure import NotConstantError, describe, elements, is_sequence, to_python
from mindspore.infer.values import Abstract, Known, Position, Sequence
from mindspore.ir.graph import Node
from mindspore.ir.operator import Operator
from mindspore.ir.types import TupleType


def call_operator(
    machine: Machine, function: Any, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]
) -> Abstract:
    """Emits the operator that `function` (a public operator object) stands for; a tuple for several results."""
    op: Operator = function.__operator__
    fixed: Mapping[str, Any] = getattr(function, "__operator_attributes__", None) or {}
    if op.call and hasattr(function, "__operator_attributes__"):
        args, kwargs = _by_name(op, args, kwargs)
    inputs, given = bind(machine, op, fixed, args, kwargs)
    operands = [_operand(machine, op, position, value) for position, value in enumerate(inputs)]
    attrs = {name: _attribute(machine, op, name, value) for name, value in given.items()}
    result: Node = machine.emitter.call(op, *operands, **{**fixed, **attrs})
    outputs = _outputs(machine, result)
    updates: Mapping[int, int] = getattr(function, "__operator_updates__", None) or {}
    if not updates:
        return outputs[0] if not isinstance(result.type, TupleType) else Sequence(outputs)
    for output, position in updates.items():
        _update(machine, op, inputs[position], outputs[output], op.inputs[position])
    return outputs[0]


def _by_name(
    op: Operator, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]
) -> tuple[tuple[Abstract, ...], Mapping[str, Abstract]]:
    """Arguments of a primitive object, which has an order of its own (``P.Reshape()(x, shape)``), by name."""
    if len(args) > len(op.call):
        raise TypeError(f"{op.name} takes {len(op.call)} arguments ({', '.join(op.call)}), got {len(args)}.")
    if op.call[0].startswith("*"):
        return args[:1], {**dict(zip(op.call[1:], args[1:], strict=False)), **kwargs}
    return (), {**dict(zip(op.call, args, strict=False)), **kwargs}


def bind(
    machine: Machine, op: Operator, fixed: Mapping[str, Any], args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]
) -> tuple[list[Abstract], dict[str, Abstract]]:
    """Inputs in order, and attributes by name. TypeError for missing, unknown or surplus arguments."""
    remaining = input_names(op.inputs, op.attrs, kwargs)
    if op.inputs and op.inputs[0].startswith("*"):
        inputs, rest = _variadic(machine, op, args)
    else:
        inputs, rest = list(args[: len(op.inputs)]), args[len(op.inputs) :]
        for name in op.inputs[len(inputs) :]:
            if name not in remaining:
                raise TypeError(
                    f"{op.name} needs {len(op.inputs)} inputs ({', '.join(op.inputs)}), but {name!r} is missing."
                )
            inputs.append(remaining.pop(name))
    free = [a for a in op.attrs if a not in fixed]
    if len(rest) > len(free):
        raise TypeError(f"{op.name} takes at most {len(inputs) + len(free)} arguments, got {len(args)}.")
    attrs = dict(zip(free, rest, strict=False))
    for name, value in remaining.items():
        if name not in op.attrs or name in attrs:
            problem = "has no argument" if name not in op.attrs else "got two values for the argument"
            raise TypeError(f"{op.name} {problem} {name!r}; it takes {', '.join((*op.inputs, *op.attrs))}.")
        attrs[name] = value
    return inputs, attrs


def _variadic(
    machine: Machine, op: Operator, args: tuple[Abstract, ...]
) -> tuple[list[Abstract], tuple[Abstract, ...]]:
    if args and is_sequence(args[0]):
        return list(elements(machine, args[0])), args[1:]
    raise TypeError(
        f"{op.name} takes one tuple or list of tensors, but got {describe(args[0]) if args else 'no argument'}."
    )


def _operand(machine: Machine, op: Operator, position: int, value: Abstract) -> Any:
    if isinstance(value, Position) and op.name == "Cast":
        return value.node
    try:
        return operand(machine, value)
    except TypeError as error:
        name = op.inputs[min(position, len(op.inputs) - 1)]
        raise TypeError(f"{op.name}: argument {name!r}: {error}") from None


def _attribute(machine: Machine, op: Operator, name: str, value: Abstract) -> Any:
    try:
        found = to_python(machine, value)
    except NotConstantError:
        raise TypeError(f"{op.name}: argument {name!r} must be known while compiling, got {describe(value)}.") from None
    return _hashable(found)


def _hashable(value: Any) -> Any:
    return tuple(_hashable(v) for v in value) if isinstance(value, list | tuple) else value


def _outputs(machine: Machine, result: Node) -> tuple[Node, ...]:
    if not isinstance(result.type, TupleType):
        return (result,)
    return tuple(machine.emitter.get(result, i) for i in range(len(result.type.elements)))


def _update(machine: Machine, op: Operator, target: Abstract, value: Node, name: str) -> None:
    if not (isinstance(target, Known) and is_parameter(target)):
        raise TypeError(
            f"{op.name}: argument {name!r} is updated in place and must be a Parameter, got {describe(target)}."
        )
    machine.heap.set(slot_of(machine, target.value), value)
