"""Dataclasses and named tuples: the methods that Python generates for them, and the functions of `dataclasses`."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any

from mindspore.infer.attributes import attribute
from mindspore.infer.calls import bind, signature_of
from mindspore.infer.machine import Machine, builtin_calls, dispatchers
from mindspore.infer.operations import equal_pairs
from mindspore.infer.structure import (
    describe,
    elements,
    is_constant,
    is_sequence,
    make_dict,
    make_list,
    make_tuple,
    python_class,
    to_python,
)
from mindspore.infer.values import NONE, Abstract, Dict, Instance, Known

Arguments = tuple[Abstract, ...]
Keywords = Mapping[str, Abstract]
Generated = Callable[[Machine, FunctionType, Arguments, Keywords], Abstract]


def call_generated(machine: Machine, function: FunctionType, args: Arguments, kwargs: Keywords) -> Abstract:
    """A call of a method that ``dataclass`` generated, which has no source."""
    rule = _GENERATED.get(function.__name__)
    if rule is None:
        raise TypeError(f"{function.__qualname__}, which dataclass generated, is not supported in a graph.")
    return rule(machine, function, args, kwargs)


dispatchers["generated"] = call_generated


def _init(machine: Machine, function: FunctionType, args: Arguments, kwargs: Keywords) -> Abstract:
    owner, *_ = args
    assert isinstance(owner, Instance)
    cls = next(c for c in owner.cls.__mro__ if vars(c).get("__init__") is function)
    signature, defaults = signature_of(function)
    names = (*signature.names, *signature.keyword_only)
    given = dict(zip(names, bind(machine, cls.__name__, signature, defaults, args, kwargs), strict=True))
    held = dict(machine.heap.get(owner))
    fields = dataclasses.fields(cls)
    for field in fields:
        held |= _initial(machine, field, given.get(field.name), defaults.get(field.name))
    machine.heap.set(owner, held)
    if hasattr(owner.cls, "__post_init__"):
        own = {"self", names[0], *(f.name for f in fields)}
        machine.call(attribute(machine, owner, "__post_init__"), tuple(v for n, v in given.items() if n not in own))
    return NONE


def _initial(machine: Machine, field: Any, given: Abstract | None, default: Abstract | None) -> dict[str, Abstract]:
    """The value with which a field starts."""
    if given is not None and given is not default:
        return {field.name: given}
    if field.default_factory is not dataclasses.MISSING:
        return {field.name: machine.call(Known(field.default_factory), ())}
    if given is not None:
        return {field.name: given}
    return {} if field.default is dataclasses.MISSING else {field.name: Known(field.default)}


def _compared(machine: Machine, value: Abstract) -> tuple[Abstract, ...]:
    return tuple(attribute(machine, value, f.name) for f in dataclasses.fields(python_class(value)) if f.compare)


def _equal(machine: Machine, function: FunctionType, args: Arguments, kwargs: Keywords) -> Abstract:
    if python_class(args[0]) is not python_class(args[1]):
        return Known(NotImplemented)
    pairs = zip(*(_compared(machine, a) for a in args), strict=True)
    return equal_pairs(machine, pairs)


def _ordered(machine: Machine, function: FunctionType, args: Arguments, kwargs: Keywords) -> Abstract:
    if python_class(args[0]) is not python_class(args[1]):
        return Known(NotImplemented)
    sides = [make_tuple(_compared(machine, a)) for a in args]
    if not all(is_constant(machine, s) for s in sides):
        raise TypeError(f"ordering {describe(args[0])} in a graph needs fields that are known while compiling.")
    return Known(getattr(operator, function.__name__)(*[to_python(machine, s) for s in sides]))


def _frozen(machine: Machine, function: FunctionType, args: Arguments, kwargs: Keywords) -> Abstract:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {to_python(machine, args[1])!r}")


def _run(machine: Machine, function: FunctionType, args: Arguments, kwargs: Keywords) -> Abstract:
    return Known(function(*[to_python(machine, a) for a in args]))


_GENERATED: Mapping[str, Generated] = {
    "__init__": _init, "__eq__": _equal, "__lt__": _ordered, "__le__": _ordered, "__gt__": _ordered, "__ge__": _ordered,
    "__setattr__": _frozen, "__delattr__": _frozen, "__hash__": _run, "__repr__": _run,
}  # fmt: skip


def _fields(function: str, value: Abstract) -> tuple[Any, ...]:
    cls = python_class(value)
    if not dataclasses.is_dataclass(cls):
        raise TypeError(f"{function}() should be called on dataclass instances, got {describe(value)}.")
    return dataclasses.fields(cls)


def _replace(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    given = dict(kwargs)
    for field in _fields("replace", args[0]):
        if field.init:
            given.setdefault(field.name, attribute(machine, args[0], field.name))
        elif field.name in given:
            raise ValueError(f"field {field.name} is declared with init=False, it cannot be specified with replace()")
    return machine.call(Known(python_class(args[0])), (), given)


def _as_dict(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _fields("asdict", args[0])
    return _plain(machine, args[0], lambda items: make_dict(machine, dict(items)))


def _as_tuple(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _fields("astuple", args[0])
    return _plain(machine, args[0], lambda items: make_tuple(v for _, v in items))


def _plain(machine: Machine, value: Abstract, make: Callable[[list[tuple[str, Abstract]]], Abstract]) -> Abstract:
    """`value` with the dataclasses in it, at any depth, made by `make` from the names and values of their fields."""
    cls = python_class(value)
    if dataclasses.is_dataclass(cls) and not (isinstance(value, Known) and isinstance(value.value, type)):
        names = [f.name for f in dataclasses.fields(cls)]
        return make([(n, _plain(machine, attribute(machine, value, n), make)) for n in names])
    if isinstance(value, Dict):
        return make_dict(machine, {k: _plain(machine, v, make) for k, v in machine.heap.get(value).items()})
    if is_sequence(value):
        parts = [_plain(machine, e, make) for e in elements(machine, value)]
        return make_list(machine, parts) if issubclass(cls, list) else make_tuple(parts, cls)
    return value


def _fields_of(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    value = args[0]
    if isinstance(value, Known) and isinstance(value.value, type):
        return Known(dataclasses.fields(value.value))
    return Known(_fields("fields", value))


def _is_dataclass(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    value = args[0]
    cls = value.value if isinstance(value, Known) and isinstance(value.value, type) else python_class(value)
    return Known(dataclasses.is_dataclass(cls))


builtin_calls.update(
    {
        dataclasses.replace: _replace,
        dataclasses.asdict: _as_dict,
        dataclasses.astuple: _as_tuple,
        dataclasses.fields: _fields_of,
        dataclasses.is_dataclass: _is_dataclass,
    }
)
