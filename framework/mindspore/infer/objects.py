"""Objects of classes with Python source: making them while compiling, what their attributes and special methods mean."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

from mindspore.infer.guards import is_library
from mindspore.infer.machine import Machine, builtin_calls, dispatchers, tensor_type
from mindspore.infer.structure import describe, elements, python_class, to_python
from mindspore.infer.values import NONE, Abstract, Instance, Known, Method, Sequence, View
from mindspore.ir.graph import Node

Keywords = Mapping[str, Abstract]
ARGUMENT = (
    "it is an argument of the compiled function, and the caller's object would not change. Make a new one, as with "
    "dataclasses.replace."
)
"""Why objects that were handed in are fixed."""
JOINED = (
    "a branch or loop that is decided at run time has put it in one variable with another object. Assign the attribute before, or make a "
    "new object."
)
"""Why objects are fixed of which two became one: other names may mean either."""
_BASES_WITHOUT_STATE = frozenset({"builtins.object", "abc.ABC", "typing.Generic", "typing.Protocol"})


@functools.lru_cache(maxsize=4096)
def has_source(cls: type) -> bool:
    """Whether `cls` is written by the user: its methods are followed into instead of being run while compiling."""
    module = cls.__module__
    return not (is_library(module) or module.partition(".")[0] in sys.stdlib_module_names) or module == "__main__"


def lookup(cls: type, name: str) -> Any:
    """What `cls` or its bases define as `name`, unbound; None for nothing."""
    return next((vars(c)[name] for c in cls.__mro__ if name in vars(c)), None)


@functools.lru_cache(maxsize=16384)
def _own_special(cls: type, name: str) -> Any:
    """The special method `name` if a class of the user defines it as a Python function."""
    for each in cls.__mro__:
        if name in vars(each):
            found = vars(each)[name]
            function = found.__func__ if isinstance(found, staticmethod) else found
            return function if has_source(each) and isinstance(function, FunctionType) else None
    return None


def special(value: Abstract, name: str) -> Method | None:
    """The special method `name` of an object, bound to it; None for tensors, built-in values and objects of libraries."""
    if isinstance(value, Node) or tensor_type(value) is not None:
        return None
    found = _own_special(python_class(value), name)
    return None if found is None else Method(Known(found), value)


def makeable(cls: type) -> bool:
    """Whether an object of `cls` is its attributes alone, so that its ``__init__`` can be followed into."""
    own = lookup(cls, "__new__") is object.__new__ or _own_special(cls, "__new__") is not None
    plain = type(cls).__call__ is type.__call__ and own
    return plain and all(
        has_source(c) or f"{c.__module__}.{c.__qualname__}" in _BASES_WITHOUT_STATE for c in cls.__mro__
    )


def make(machine: Machine, cls: type, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    """``cls(*args, **kwargs)`` as attributes on the heap."""
    if missing := sorted(getattr(cls, "__abstractmethods__", ())):
        raise TypeError(f"cannot make an object of the abstract class {cls.__name__}: it lacks {', '.join(missing)}.")
    maker = _own_special(cls, "__new__")
    made = instance(machine, cls, {}) if maker is None else machine.call(Known(maker), (Known(cls), *args), kwargs)
    if isinstance(made, Instance) and issubclass(made.cls, cls):
        machine.call(Method(Known(lookup(made.cls, "__init__")), made), args, kwargs)
    return made


def instance(machine: Machine, cls: type, attributes: Mapping[str, Abstract]) -> Instance:
    """An object of `cls` with these attributes."""
    made = Instance(cls)
    machine.heap.set(made, dict(attributes))
    return made


def _object_new(machine: Machine, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    cls = to_python(machine, args[0])
    if not makeable(cls):
        raise TypeError(f"object.__new__ in a graph makes objects of classes with Python source, not {cls.__name__}.")
    return instance(machine, cls, {})


def _no_init(machine: Machine, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    made_by_new = _own_special(python_class(args[0]), "__new__") is not None
    if (len(args) > 1 or kwargs) and not made_by_new:
        raise TypeError(f"{python_class(args[0]).__name__}() takes no arguments")
    return NONE


builtin_calls[object.__init__] = _no_init
builtin_calls[object.__new__] = _object_new


def of_object(machine: Machine, owner: Instance | Sequence, name: str) -> Abstract:
    """``owner.name``: properties first, then the object's own attributes, then those of its class, by Python's rules."""
    cls = python_class(owner)
    found = lookup(cls, name)
    if isinstance(found, property) and found.fget is not None:
        return machine.call(Known(found.fget), (owner,))
    if isinstance(owner, Instance) and name in (held := machine.heap.get(owner)):
        return held[name]  # type: ignore[no-any-return]
    if isinstance(found, functools.cached_property) and isinstance(owner, Instance):
        value = machine.call(Known(found.func), (owner,))
        machine.heap.set(owner, {**machine.heap.get(owner), name: value})
        return value
    if found is not None and not isinstance(found, MemberDescriptorType | GetSetDescriptorType):
        return bound(machine, found, owner, cls, name)
    if name == "__class__":
        return Known(cls)
    if name == "__dict__" and isinstance(owner, Instance):
        return View(owner)
    if (method := special(owner, "__getattr__")) is not None:
        return machine.call(method, (Known(name),))
    argument = isinstance(owner, Instance) and owner.fixed == ARGUMENT
    only = (
        " Of a dataclass that is an argument of a compiled function the graph has the fields alone." if argument else ""
    )
    raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}.{only}")


def bound(machine: Machine, found: Any, owner: Abstract, cls: type, name: str) -> Abstract:
    """An attribute of the class `cls` as its object `owner` sees it."""
    if isinstance(found, staticmethod):
        return Known(found.__func__)
    if isinstance(found, classmethod):
        return Method(Known(found.__func__), Known(cls))
    if hasattr(found, "__get__") and callable(found) and not isinstance(found, type):
        return Method(Known(found), owner)
    machine.guards.class_(cls, name, found)
    return Known(found)


def store(machine: Machine, owner: Instance, name: str, value: Abstract) -> Abstract:
    """``owner.name = value`` by the rules of its class."""
    if (method := special(owner, "__setattr__")) is not None:
        return machine.call(method, (Known(name), value))
    return _store_plainly(machine, owner, name, value)


def _store_plainly(machine: Machine, owner: Instance, name: str, value: Abstract) -> Abstract:
    cls = owner.cls
    if owner.fixed:
        raise TypeError(f"cannot assign to attribute {name!r} of a {cls.__name__}: {owner.fixed}")
    found = lookup(cls, name)
    if isinstance(found, property):
        if found.fset is None:
            raise AttributeError(f"property {name!r} of {cls.__name__!r} object has no setter")
        return machine.call(Known(found.fset), (owner, value))
    if not isinstance(found, MemberDescriptorType) and not _has_dict(cls):
        raise AttributeError(f"{cls.__name__!r} object has no attribute {name!r}: its __slots__ do not name it")
    machine.heap.set(owner, {**machine.heap.get(owner), name: value})
    return NONE


def _has_dict(cls: type) -> bool:
    return any("__dict__" in vars(c) for c in cls.__mro__)


def _object_setattr(machine: Machine, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    owner, name, value = args
    if not isinstance(owner, Instance):
        raise TypeError(f"object.__setattr__ in a graph takes an object made in it, got {describe(owner)}.")
    return _store_plainly(machine, owner, to_python(machine, name), value)


builtin_calls[object.__setattr__] = _object_setattr


def iterated(machine: Machine, value: Abstract) -> tuple[Abstract, ...] | None:
    """What iterating over an object with special methods gives; None for one without them."""
    if (method := special(value, "__iter__")) is not None:
        given = machine.call(method, ())
        following = special(given, "__next__")
        return elements(machine, given) if following is None else dispatchers["exhaust"](machine, following)  # type: ignore[return-value]
    items, length = special(value, "__getitem__"), special(value, "__len__")
    if items is None or length is None:
        return None
    count = to_python(machine, machine.call(length, ()))
    return tuple(machine.call(items, (Known(i),)) for i in range(count))


dispatchers["iterate"] = iterated  # type: ignore[assignment]
