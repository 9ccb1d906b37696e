"""The counter of a rolled loop: a Python number whose value only run time knows.

It behaves as the number would: with tensors it takes their element type, with numbers it makes numbers. What needs its value while
compiling is refused with TypeError, and the loop is unrolled instead.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.structure import describe
from mindspore.infer.values import Abstract, Known, Position, Sequence
from mindspore.ir.graph import Node

_ARITHMETIC: Mapping[str, str] = {"+": "add", "-": "sub", "*": "mul", "/": "div", "//": "floor_div", "%": "floor_mod"}
_COMPARISONS: Mapping[str, str] = {
    "<": "less", "<=": "less_equal", ">": "greater", ">=": "greater_equal", "==": "equal", "!=": "not_equal",
}  # fmt: skip
_EXACT = 2**53
"""Integers up to here are float64 without rounding, and no operation on two of them leaves int64."""
_INT32 = 2**31


class NotRolledError(TypeError):
    """The loop cannot run at run time as it would unrolled."""


def position(node: Node, values: range) -> Position:
    """The counter `node` that takes the `values`."""
    return Position(node, min(values[0], values[-1]), max(values[0], values[-1]))


def counting(machine: Machine, node: Node, turns: int, first: int, step: int) -> Position:
    """The number that starts at `first` and grows by `step` with each of the `turns`, which `node` counts."""
    scaled = on_positions(machine, "*", (position(node, range(turns)), Known(step)))
    assert isinstance(scaled, Position)
    made = on_positions(machine, "+", (scaled, Known(first)))
    assert isinstance(made, Position)
    made.origin, made.offset = object(), 0
    return made


def on_positions(machine: Machine, symbol: str, operands: tuple[Abstract, ...]) -> tuple[Abstract, ...] | Abstract:
    """The result of an operation with positions, or the operands with tensors in their place."""
    if symbol == "unary -":
        return on_positions(machine, "-", (Known(0), *operands))
    if symbol not in _ARITHMETIC and symbol not in _COMPARISONS:
        raise NotRolledError(f"operator {symbol!r} needs the value of the loop's counter.")
    tensors = [k for o in operands if (k := tensor_type(o)) is not None]
    if tensors:
        return tuple(_beside(machine, o, tensors[0].dtype) if isinstance(o, Position) else o for o in operands)
    return _of_numbers(machine, symbol, *[_as_position(machine, o) for o in operands])


def _beside(machine: Machine, value: Position, dtype: Any) -> Abstract:
    """`value` as the tensor beside it takes a number."""
    fits = dtype.kind == "f" or (
        not value.real and (dtype is dt.int64 or (dtype is dt.int32 and max(-value.low, value.high) < _INT32))
    )
    if not fits:
        raise NotRolledError(f"the loop's counter beside a tensor of {dtype} needs its value.")
    converted: Node = machine.emitter.converted(value.node, dtype)
    return converted


def _as_position(machine: Machine, value: Abstract) -> Position:
    if isinstance(value, Position):
        return value
    if not isinstance(value, Known) or type(value.value) not in (int, float):
        raise NotRolledError(f"the loop's counter beside {describe(value)} needs its value.")
    number = value.value
    real = isinstance(number, float)
    return Position(machine.emitter.const(number, dt.float64 if real else dt.int64), number, number, real)


def _of_numbers(machine: Machine, symbol: str, a: Position, b: Position) -> Abstract:
    real = a.real or b.real or symbol == "/"
    left, right = (machine.emitter.converted(p.node, dt.float64 if real else dt.int64) for p in (a, b))
    if symbol in _COMPARISONS:
        compared: Node = getattr(machine.emitter, _COMPARISONS[symbol])(left, right)
        return compared
    low, high = _bounds(symbol, a, b)
    if max(-low, high) > _EXACT:
        raise NotRolledError("the numbers that this loop makes of its counter may be too large for exact arithmetic.")
    made = Position(getattr(machine.emitter, _ARITHMETIC[symbol])(left, right), low, high, real)
    if symbol == "+" and a.origin is None:
        a, b = b, a
    if symbol in ("+", "-") and b.origin is None and b.low == b.high and not real:
        made.origin, made.offset = a.origin, a.offset + (b.low if symbol == "+" else -b.low)
    return made


def _bounds(symbol: str, a: Position, b: Position) -> tuple[Any, Any]:
    if symbol in ("/", "//", "%") and (b.low <= 0 <= b.high or (symbol != "/" and (a.real or b.real))):
        raise NotRolledError("a division by the loop's counter may be by zero.")
    if symbol == "%":
        return (0, b.high) if b.low > 0 else (b.low, 0)
    corners = [_CORNER[symbol](x, y) for x, y in itertools.product((a.low, a.high), (b.low, b.high))]
    return min(corners), max(corners)


_CORNER: Mapping[str, Any] = {
    "+": lambda x, y: x + y,
    "-": lambda x, y: x - y,
    "*": lambda x, y: x * y,
    "/": lambda x, y: x / y,
    "//": lambda x, y: x // y,
}


def as_index(owner: Abstract, index: Abstract) -> Abstract:
    """`index` into the tensor `owner` with tensors in the place of positions."""
    if isinstance(index, Position):
        return _index(owner, index, 0)
    if not isinstance(index, Sequence) or not any(isinstance(e, Position) for e in index.elements):
        return index
    parts: list[Abstract] = []
    axis = 0
    for part in index.elements:
        if isinstance(part, Known) and part.value is ...:
            raise NotRolledError("the loop's counter beside '...' needs its value.")
        parts.append(_index(owner, part, axis) if isinstance(part, Position) else part)
        axis += not (isinstance(part, Known) and part.value is None)
    return Sequence(tuple(parts))


def _index(owner: Abstract, index: Position, axis: int) -> Node:
    """`index` at run time, where no check of bounds is needed any more."""
    kind = tensor_type(owner)
    size = kind.shape[axis] if kind is not None and axis < len(kind.shape) else 0
    if index.real or not isinstance(size, int) or not 0 <= index.low <= index.high < size:
        raise NotRolledError("the loop's counter as an index needs its value.")
    return index.node
