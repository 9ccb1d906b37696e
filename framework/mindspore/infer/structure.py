"""Between abstract values and Python objects: elements of containers, constants, and fresh containers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import GeneratorType
from typing import Any

import numpy as np

from mindspore.base.protocols import tensor_operators
from mindspore.infer.machine import Machine, dispatchers, tensor_type
from mindspore.infer.values import (
    Abstract,
    Choice,
    Closure,
    Deferred,
    Dict,
    Endless,
    Generator,
    Instance,
    Iterator,
    Known,
    List,
    Position,
    Range,
    Sequence,
    Set,
    Slice,
    View,
)
from mindspore.ir.builder import PYTHON_NUMBERS
from mindspore.ir.graph import Node
from mindspore.ir.sizes import has_sizes

_PLAIN = frozenset({bool, int, float, complex, str, bytes, type(None)})
_ITERABLE = (tuple, list, range, str, dict, set, frozenset, bytes, enumerate, zip)


class NotConstantError(TypeError):
    """A value is known only at run time where a constant is needed."""


def describe(value: Abstract) -> str:
    """`value` for messages."""
    if (kind := tensor_type(value)) is not None:
        return f"Tensor {kind}"
    if isinstance(value, Known):
        return f"{type(value.value).__name__} {value.value!r:.60}"
    if isinstance(value, Deferred):
        return f"{value.cls.__name__} that is known only at run time"
    if isinstance(value, Instance):
        return f"{value.cls.__name__} object"
    if isinstance(value, Closure):
        return f"function {value.graph.name!r}"
    if isinstance(value, Choice):
        return f"{describe(value.then)} or {describe(value.other)}"
    return "tuple" if isinstance(value, Sequence) else type(value).__name__.lower()


def is_plain(value: Abstract) -> bool:
    """A Python object that is not a tensor."""
    return isinstance(value, Known) and tensor_type(value) is None


def make_tuple(elements: Iterable[Abstract], cls: type = tuple) -> Abstract:
    """A tuple; a Python object when all elements are."""
    given = tuple(elements)
    if all(isinstance(e, Known) for e in given):
        values = [e.value for e in given if isinstance(e, Known)]
        return Known(cls(*values) if hasattr(cls, "_fields") else cls(values))
    return Sequence(given, cls)


def make_list(machine: Machine, elements: Iterable[Abstract]) -> List:
    made = List()
    machine.heap.set(made, tuple(elements))
    return made


def make_dict(machine: Machine, items: dict[Any, Abstract], like: Dict | None = None) -> Dict:
    """A dict, or a set where `like` is one."""
    made = Set() if isinstance(like, Set) else Dict()
    machine.heap.set(made, dict(items))
    return made


def make_set(machine: Machine, elements: Iterable[Any]) -> Set:
    made = Set()
    machine.heap.set(made, dict.fromkeys(elements, Known(None)))
    return made


def fresh(machine: Machine, value: Any) -> Abstract:
    """A Python object made while compiling; lists, dicts and sets may be changed by the program from now on."""
    if type(value) is np.ndarray:
        machine.constants[id(value)] = value
    if type(value) is set:
        return make_set(machine, value)
    if type(value) is list:
        return make_list(machine, [fresh(machine, v) for v in value])
    if type(value) is dict:
        return make_dict(machine, {k: fresh(machine, v) for k, v in value.items()})
    return Known(value)


def to_python(machine: Machine, value: Abstract, tensors: bool = False) -> Any:
    """The Python object that `value` stands for.

    Raises:
        NotConstantError: a part is a tensor or function of the graph (tensor objects from outside are allowed if `tensors`).
    """
    if isinstance(value, Known) and (tensors or tensor_type(value) is None):
        if type(value.value) not in _PLAIN:
            machine.guards.leak(value.value)
            machine.guards.content(value.value)
        return value.value
    if isinstance(value, Sequence):
        elements = [to_python(machine, e, tensors) for e in value.elements]
        return value.cls(*elements) if hasattr(value.cls, "_fields") else value.cls(elements)
    if isinstance(value, List):
        return [to_python(machine, e, tensors) for e in machine.heap.get(value)]
    if isinstance(value, Set):
        return set(machine.heap.get(value))
    if isinstance(value, Dict):
        return {k: to_python(machine, v, tensors) for k, v in machine.heap.get(value).items()}
    if isinstance(value, Deferred) and is_constant(machine, value):
        kwargs = {k: to_python(machine, v) for k, v in value.kwargs.items()}
        return value.function(*[to_python(machine, a) for a in value.args], **kwargs)
    if isinstance(value, Slice):
        return slice(*[to_python(machine, p, tensors) for p in (value.start, value.stop, value.step)])
    if isinstance(value, Instance):
        return remade(value.cls, {k: to_python(machine, v, tensors) for k, v in machine.heap.get(value).items()})
    raise NotConstantError(f"expected a value that is known while compiling, got {describe(value)}.")


def remade(cls: type, attributes: Mapping[str, Any]) -> Any:
    """An object of `cls` with these attributes, made without its ``__init__``."""
    made: Any = object.__new__(cls)
    for name, value in attributes.items():
        object.__setattr__(made, name, value)
    return made


def is_constant(machine: Machine, value: Abstract) -> bool:
    """Whether `to_python` gives an object."""
    if isinstance(value, Known):
        return tensor_type(value) is None
    if isinstance(value, Sequence):
        return all(is_constant(machine, e) for e in value.elements)
    if isinstance(value, List):
        return all(is_constant(machine, e) for e in machine.heap.get(value))
    if isinstance(value, Dict):
        return all(is_constant(machine, e) for e in machine.heap.get(value).values())
    if isinstance(value, Deferred):
        parts = (*value.args, *value.kwargs.values())
        return all(is_constant(machine, v) and not has_sizes(to_python(machine, v)) for v in parts)
    if isinstance(value, Instance):
        return all(is_constant(machine, e) for e in machine.heap.get(value).values())
    return isinstance(value, Slice) and all(is_constant(machine, p) for p in (value.start, value.stop, value.step))


def is_number(machine: Machine, value: Abstract) -> bool:
    """Whether `value` is a Python number in the program, known while compiling or not."""
    if isinstance(value, Known):
        return isinstance(value.value, PYTHON_NUMBERS)
    return isinstance(value, Node) and value in machine.numbers


def is_sequence(value: Abstract) -> bool:
    """Whether `value` is a tuple or a list."""
    return isinstance(value, Sequence | List) or (isinstance(value, Known) and isinstance(value.value, tuple | list))


def python_class(value: Abstract) -> type:
    """The class of which `value` is an instance for the program."""
    if isinstance(value, Known):
        return type(value.value)
    if isinstance(value, Sequence | Deferred | Instance):
        return value.cls
    if isinstance(value, Position):
        return float if value.real else int
    classes: dict[type, type] = {
        List: list,
        Iterator: type(iter(())),
        Generator: GeneratorType,
        Dict: dict,
        Set: set,
        View: dict,
        Slice: slice,
        Range: range,
    }
    return classes.get(type(value), object)


def elements(machine: Machine, value: Abstract) -> tuple[Abstract, ...]:
    """What iterating over `value` gives.

    Raises:
        TypeError: it is not iterable, or its length is known only at run time.
    """
    if isinstance(value, Sequence):
        return value.elements
    if isinstance(value, List):
        held = tuple(machine.heap.get(value))
        if isinstance(value, Iterator):
            machine.heap.set(value, ())
        return held
    if isinstance(value, Generator):
        return dispatchers["drain generator"](machine, value)  # type: ignore[return-value]
    if isinstance(value, Endless):
        raise TypeError("this iterator has no end. Take elements with next, zip or itertools.islice.")
    if isinstance(value, Dict):
        held = machine.heap.get(value)
        return tuple(Known(k) for k in (set(held) if isinstance(value, Set) else held))
    if isinstance(value, Range):
        raise NotConstantError("the length of this range is known only at run time; loop over it with for or while.")
    if (kind := tensor_type(value)) is not None:
        return _rows(machine, value, kind.shape)
    if isinstance(value, Known):
        return _known_elements(machine, value.value)
    if isinstance(value, Instance) and (found := dispatchers["iterate"](machine, value)) is not None:
        return found  # type: ignore[return-value]
    raise TypeError(f"{describe(value)} is not iterable")


def _rows(machine: Machine, value: Abstract, shape: tuple[int, ...]) -> tuple[Abstract, ...]:
    if not shape:
        raise TypeError("iteration over a 0-d tensor")
    from_index = tensor_operators.get("getitem")
    if from_index is None:
        raise TypeError("iterating over a tensor needs indexing, which is not available here.")
    return tuple(machine.call(Known(from_index), (value, Known(i))) for i in range(shape[0]))


def _known_elements(machine: Machine, value: Any) -> tuple[Abstract, ...]:
    if isinstance(value, _ITERABLE):
        machine.guards.holds(value)
        return tuple(Known(v) for v in value)
    found = list(value)
    machine.guards.held(value, found)
    return tuple(Known(v) for v in found)
