"""Python callables that are run while compiling, on constants."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Mapping
from enum import Enum
from types import BuiltinFunctionType, BuiltinMethodType, MethodDescriptorType, MethodWrapperType, WrapperDescriptorType
from typing import Any

from mindspore.infer.deferred import made_later, makes_text
from mindspore.infer.guards import is_library
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.structure import NotConstantError, fresh, make_tuple, to_python
from mindspore.infer.values import Abstract, Choice, Closure, FunctionHandle, Known, Method, Partial, Transformed, Value
from mindspore.ir.graph import Node
from mindspore.ir.sizes import has_sizes

_PURE_MODULES = frozenset({"math", "cmath", "operator", "_operator", "numpy"})
_PURE_BUILTINS = frozenset(
    getattr(builtins, n)
    for n in (
        "abs", "all", "any", "ascii", "bin", "callable", "chr", "divmod", "format", "hash", "hex", "issubclass", "len", "max",
        "min", "oct", "ord", "pow", "repr", "round", "sorted", "sum",
    )
)  # fmt: skip
_VALUE_TYPES = (
    bool, int, float, complex, str, bytes, tuple, list, dict, set, frozenset, range, slice, type, object,
)  # fmt: skip
_CHANGEABLE = (list, dict, set)
_READING = frozenset(
    {
        "union",
        "intersection",
        "difference",
        "symmetric_difference",
        "issubset",
        "issuperset",
        "isdisjoint",
        "fromkeys",
        "copy",
    }
)
"""Methods of changeable classes that change nothing."""
_CHANGING_ARRAYS = frozenset(
    {"fill", "itemset", "partition", "put", "resize", "setfield", "setflags", "sort", "tofile", "dump"}
)
_BUILT_IN_KINDS = (
    BuiltinFunctionType,
    BuiltinMethodType,
    MethodDescriptorType,
    MethodWrapperType,
    WrapperDescriptorType,
)


def is_pure(function: Any) -> bool:
    """Whether running `function` on constants while compiling is the same as running it at each call.

    True for functions of math, operator and numpy (not numpy.random), built-ins without effects, methods of
    immutable values, and functions marked with a true attribute ``__constexpr__``.
    """
    if getattr(function, "__constexpr__", False):
        return True
    if isinstance(function, type):
        return False
    if isinstance(function, _BUILT_IN_KINDS):
        if type(getattr(function, "__self__", None)).__module__ == "numpy":
            return function.__name__ not in _CHANGING_ARRAYS
        if function in _PURE_BUILTINS:
            return True
        owner = getattr(function, "__objclass__", None) or type(getattr(function, "__self__", None))
        if owner in _VALUE_TYPES and (owner not in _CHANGEABLE or function.__name__ in _READING):
            return True
    return _module(function) in _PURE_MODULES or type(function).__module__ == "numpy"


def _module(function: Any) -> str | None:
    module = getattr(function, "__module__", None)
    return module if isinstance(module, str) else None


def constructible(cls: type) -> bool:
    """Whether instances of `cls` may be made while compiling: values, numpy scalars and arrays, exceptions, tensors, members of
    enumerations, namedtuples, and classes that say so by ``__made_in_graph__``."""
    if cls in _VALUE_TYPES or issubclass(cls, BaseException) or cls.__module__ == "numpy":
        return True
    known = issubclass(cls, Enum) or hasattr(cls, "__tensor_type__") or hasattr(cls, "__made_in_graph__")
    return known or (issubclass(cls, tuple) and hasattr(cls, "_fields"))


def run_now(machine: Machine, function: Any, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
    """Calls `function` with the Python objects behind the arguments. TypeError when one is a value of the graph."""
    if isinstance(function, type) and hasattr(function, "_fields"):
        return _namedtuple(function, args, kwargs)
    if isinstance(function, type) and issubclass(function, BaseException):
        return made_later(machine, function, args, kwargs)
    try:
        given = [_handed_over(machine, a) for a in args]
        named = {k: _handed_over(machine, v) for k, v in kwargs.items()}
    except NotConstantError as error:
        if makes_text(function):
            return made_later(machine, function, args, kwargs)
        name = getattr(function, "__qualname__", repr(function))
        raise TypeError(f"{name} runs while compiling and takes constants only: {error}") from None
    if makes_text(function) and has_sizes((given, named)):
        return made_later(machine, function, args, kwargs)
    if not is_library(getattr(function, "__module__", None) or type(function).__module__):
        machine.guards.ran.append(function)
    made = by_python(lambda: function(*given, **named))
    if isinstance(function, type) and hasattr(made, "__made_in_graph__"):
        made.__made_in_graph__()
    if isinstance(function, type) and tensor_type(Known(made)) is not None:
        machine.constants[id(made)] = made
    if hasattr(type(made), "__graph_transform__") and isinstance(
        (found := made.__graph_transform__()).function, FunctionHandle
    ):
        return Transformed(found.kind, found.function.function, found.options)
    return fresh(machine, made)


def by_python(run: Callable[[], Any]) -> Any:
    """What `run` gives, which only runs Python code of the program."""
    try:
        return run()
    except Exception as error:
        raise raised_by_program(error) from None


def raised_by_program(error: Exception) -> Exception:
    """`error`, marked as one that plain Python would raise as well: the program may catch it."""
    error.raised_by_program = True  # type: ignore[attr-defined]
    return error


def _handed_over(machine: Machine, value: Abstract) -> Any:
    """`value` for Python code; functions of the graph are handed over by handle, to be called in the graph later."""
    if isinstance(value, Closure | Method | Partial | Transformed | Choice):
        return FunctionHandle(value)
    return to_python(machine, value)


def _namedtuple(cls: Any, args: tuple[Abstract, ...], kwargs: Mapping[str, Abstract]) -> Abstract:
    fields: tuple[str, ...] = cls._fields
    given = {**cls._field_defaults, **dict(zip(fields, args, strict=False)), **kwargs}
    if len(args) > len(fields) or set(given) != set(fields):
        raise TypeError(f"{cls.__name__} takes the fields {', '.join(fields)}, got {len(args) + len(kwargs)} values")
    wrapped = [given[f] if isinstance(given[f], Value | Node) else Known(given[f]) for f in fields]
    return make_tuple(wrapped, cls)
