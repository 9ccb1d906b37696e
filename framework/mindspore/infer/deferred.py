"""Python objects that only the run can make, above all text with run-time values in it: what is printed or raised."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from mindspore.infer.machine import Machine
from mindspore.infer.structure import is_constant, to_python
from mindspore.infer.values import Abstract, Deferred, Dict, Known, List, Sequence, Set
from mindspore.ir.graph import Node
from mindspore.ir.sizes import has_sizes

_TEXT_METHODS = frozenset(
    getattr(str, n)
    for n in (
        "capitalize", "casefold", "center", "expandtabs", "format", "join", "ljust", "lower", "lstrip", "removeprefix", "removesuffix",
        "replace", "rjust", "rstrip", "strip", "swapcase", "title", "upper", "zfill",
    )
)  # fmt: skip
_TEXT_FUNCTIONS = (str, repr, ascii, format)


def makes_text(function: Any) -> bool:
    """Whether `function` is one of Python's own that give a text."""
    if function in _TEXT_FUNCTIONS or function in _TEXT_METHODS:
        return True
    owner = getattr(function, "__self__", None)
    return isinstance(owner, str) and getattr(str, function.__name__, None) in _TEXT_METHODS


def made_later(machine: Machine, function: Any, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Deferred:
    """What `function`, an exception class or one that `makes_text`, will give for these values."""
    cls = function if isinstance(function, type) else str
    named = {k: snapshot(machine, v) for k, v in kwargs.items()}
    return Deferred(cls, function, tuple(snapshot(machine, a) for a in args), named)


def text(machine: Machine, function: Callable[..., str], args: tuple[Abstract, ...]) -> Deferred:
    """The text that `function` will make of these values."""
    return Deferred(str, function, tuple(snapshot(machine, a) for a in args), {})


def is_text(value: Abstract) -> bool:
    return (isinstance(value, Deferred) and value.cls is str) or (isinstance(value, Known) and type(value.value) is str)


def snapshot(machine: Machine, value: Abstract) -> Abstract:
    """`value` as it is now: what is done to lists and dicts later does not change it."""
    if isinstance(value, List):
        return Deferred(list, _listed, tuple(snapshot(machine, v) for v in machine.heap.get(value)), {})
    if isinstance(value, Set):
        return Deferred(set, set, (Known((*machine.heap.get(value),)),), {})
    if isinstance(value, Dict):
        items = machine.heap.get(value)
        return Deferred(dict, _Keyed((*items,)), tuple(snapshot(machine, v) for v in items.values()), {})
    if isinstance(value, Sequence):
        return Sequence(tuple(snapshot(machine, v) for v in value.elements), value.cls)
    if isinstance(value, Known):
        return _outside(machine, value)
    if isinstance(value, Node) and value in machine.numbers:
        return Deferred(object, _number, (value,), {})
    return value


def _number(tensor: Any) -> Any:
    """The Python number that a 0-d tensor stands for; of a float the shortest one with this value, as Python would show it."""
    array = tensor.asnumpy()
    return float(str(array)) if array.dtype.kind == "f" else array.item()


def _outside(machine: Machine, value: Known) -> Abstract:
    """An object from outside is itself at run time; tensors are values of the graph, except Parameters: their text has no values."""
    held = value.value
    if type(held) is tuple and any(not isinstance(v, str | int | float | type(None)) for v in held):
        return Sequence(tuple(snapshot(machine, Known(v)) for v in held))
    changes = isinstance(held, list | dict | set) or getattr(type(held), "__is_parameter__", False)
    return Deferred(type(held), _Itself(held), (), {}) if changes else value


def _listed(*elements: Any) -> list[Any]:
    return list(elements)


@dataclass(frozen=True, slots=True)
class _Keyed:
    """Makes a dict of values."""

    keys: tuple[Any, ...]

    def __call__(self, *values: Any) -> dict[Any, Any]:
        return dict(zip(self.keys, values, strict=True))


@dataclass(frozen=True, slots=True)
class _Itself:
    """Gives an object from outside the graph."""

    object: Any

    def __call__(self) -> Any:
        return self.object


def concatenated(machine: Machine, parts: tuple[Abstract, ...]) -> Deferred:
    """Texts one after the other, in one piece however many there are."""
    flat: list[Abstract] = []
    for part in parts:
        flat.extend(part.args if isinstance(part, Deferred) and part.function is _joined else (part,))
    return text(machine, _joined, tuple(flat))


def _is_fixed(machine: Machine, value: Abstract) -> bool:
    """Whether `value` is known now for all sizes."""
    return is_constant(machine, value) and not has_sizes(to_python(machine, value))


def _joined(*parts: str) -> str:
    return "".join(parts)


def operation(
    machine: Machine, function: Callable[..., Any], symbol: str, operands: tuple[Abstract, ...]
) -> Deferred | None:
    """Operators on text: ``+`` with text, ``%`` with values, ``*`` with a number; None for other operands."""
    if len(operands) != 2 or not any(map(is_text, operands)) or all(map(partial(_is_fixed, machine), operands)):
        return None
    left, right = operands
    if symbol == "+" and is_text(left) and is_text(right):
        return concatenated(machine, operands)
    if symbol == "%" and is_text(left):
        return text(machine, function, operands)
    if symbol == "*" and any(isinstance(o, Known) and isinstance(o.value, int) for o in operands):
        return text(machine, function, operands)
    return None
