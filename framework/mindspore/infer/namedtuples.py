"""Methods that Python gives named tuples, on values of the graph. They are bound where an attribute is read."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from typing import Any

from mindspore.infer.compile_time import run_now
from mindspore.infer.machine import Machine, builtin_calls
from mindspore.infer.structure import elements, make_dict, make_tuple, python_class, to_python
from mindspore.infer.values import Abstract, Known, Method

Arguments = tuple[Abstract, ...]
Keywords = Mapping[str, Abstract]


def is_named(cls: type) -> bool:
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def method(owner: Abstract, name: str) -> Method | None:
    """The generated method `name` of a named tuple or of its class, bound to it; None for other names."""
    cls = owner.value if isinstance(owner, Known) and isinstance(owner.value, type) else python_class(owner)
    return Method(Known(_METHODS[name]), owner) if name in _METHODS and is_named(cls) else None


def _by_name(machine: Machine, value: Abstract) -> dict[str, Abstract]:
    fields: Any = python_class(value)._fields  # type: ignore[attr-defined]
    return dict(zip(fields, elements(machine, value), strict=True))


def _replaced(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    held = _by_name(machine, args[0])
    if unknown := [n for n in kwargs if n not in held]:
        raise ValueError(f"Got unexpected field names: {unknown!r}")
    return make_tuple({**held, **kwargs}.values(), python_class(args[0]))


def _as_dict(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return make_dict(machine, _by_name(machine, args[0]))


def _made(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    cls, values = to_python(machine, args[0]), elements(machine, args[1])
    if len(values) != len(cls._fields):
        raise TypeError(f"Expected {len(cls._fields)} arguments, got {len(values)}")
    return make_tuple(values, cls)


builtin_calls[namedtuple] = lambda machine, args, kwargs: run_now(machine, namedtuple, args, kwargs)


class _Generated:
    """A method without source; it is called by its rule."""

    def __init__(self, name: str, rule: Any) -> None:
        self.__name__ = name
        builtin_calls[self] = rule


_METHODS: Mapping[str, _Generated] = {
    "_replace": _Generated("_replace", _replaced),
    "_asdict": _Generated("_asdict", _as_dict),
    "_make": _Generated("_make", _made),
}
