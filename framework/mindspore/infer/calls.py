"""Calls: into Python functions and closures, operators, transforms, classes and built-ins."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping
from types import FunctionType, MethodType
from typing import Any

from mindspore.base.protocols import COMPUTE_TYPE
from mindspore.infer import language as lang
from mindspore.infer import reuse
from mindspore.infer.compile_time import constructible, is_pure, run_now
from mindspore.infer.control import decided
from mindspore.infer.custom import gradient_rule, guard_style, with_gradient
from mindspore.infer.evaluation import mapping
from mindspore.infer.machine import Machine, builtin_calls, dispatchers, evaluates
from mindspore.infer.objects import make, makeable, special
from mindspore.infer.operators import call_operator
from mindspore.infer.recursion import entered
from mindspore.infer.state import write
from mindspore.infer.structure import describe, elements, make_dict, make_tuple
from mindspore.infer.values import (
    Abstract,
    Choice,
    Closure,
    Frame,
    FunctionHandle,
    Instance,
    Known,
    Method,
    Partial,
    Transformed,
)
from mindspore.ir.graph import Apply, Graph

Keywords = Mapping[str, Abstract]


@evaluates(lang.INVOKE)
def invoke(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    function, *given = machine.values(frame, node.inputs)
    args: list[Abstract] = []
    kwargs: dict[str, Abstract] = {}
    for kind, value in zip(node.attrs["kinds"], given, strict=True):
        if kind == "":
            args.append(value)
        elif kind == "*":
            args.extend(elements(machine, value))
        else:
            _add_keywords(kwargs, mapping(machine, value) if kind == "**" else {kind: value})
    return call(machine, function, tuple(args), kwargs)


def _add_keywords(kwargs: dict[str, Abstract], more: Mapping[Any, Abstract]) -> None:
    for name, value in more.items():
        if not isinstance(name, str):
            raise TypeError(f"keywords must be strings, got {name!r}")
        if name in kwargs:
            raise TypeError(f"got multiple values for keyword argument '{name}'")
        kwargs[name] = value


def call(machine: Machine, function: Abstract, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    """``function(*args, **kwargs)``. TypeError when it is not callable in a graph."""
    if isinstance(function, Known):
        return _call_object(machine, function.value, args, kwargs)
    if isinstance(function, Closure):
        return _call_closure(machine, function, args, kwargs)
    if isinstance(function, Method):
        return call(machine, function.function, (function.self, *args), kwargs)
    if isinstance(function, Partial):
        return call(machine, function.function, (*function.args, *args), {**function.kwargs, **kwargs})
    if isinstance(function, Transformed):
        return _transform(machine, function, args, kwargs)
    if isinstance(function, Choice):
        return decided(machine, function, lambda chosen: call(machine, chosen, args, kwargs))
    if isinstance(function, Instance) and (method := special(function, "__call__")) is not None:
        return call(machine, method, args, kwargs)
    raise TypeError(f"{describe(function)} is not callable")


dispatchers["call"] = call


def _call_object(machine: Machine, function: Any, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    if (rule := _builtin(function)) is not None:
        result: Abstract = rule(machine, args, kwargs)
        return result
    if isinstance(function, MethodType):
        return call(machine, Known(function.__func__), (Known(function.__self__), *args), kwargs)
    if not isinstance(function, type) and (found := _by_protocol(machine, function, args, kwargs)) is not None:
        return found
    if isinstance(function, FunctionHandle):
        return call(machine, function.function, args, kwargs)
    if isinstance(function, FunctionType) and not is_pure(function):
        if "__create_fn__" in function.__code__.co_qualname:
            return dispatchers["generated"](machine, function, args, kwargs)
        return _call_python(machine, function, args, kwargs)
    if isinstance(function, functools.partial):
        bound = {k: Known(v) for k, v in function.keywords.items()}
        return call(machine, Known(function.func), (*map(Known, function.args), *args), {**bound, **kwargs})
    if isinstance(function, type) and constructible(function):
        return run_now(machine, function, args, kwargs)
    if isinstance(function, type) and makeable(function):
        return make(machine, function, args, kwargs)
    if is_pure(function):
        return run_now(machine, function, args, kwargs)
    if not isinstance(function, type):
        method = next((vars(c)["__call__"] for c in type(function).__mro__ if "__call__" in vars(c)), None)
        if isinstance(method, FunctionType):
            return _call_python(machine, method, (Known(function), *args), kwargs)
        if isinstance(inner := getattr(function, "__wrapped__", None), FunctionType):
            machine.guards.leak(function)
            return _call_python(machine, inner, args, kwargs)
    return _refuse(function)


def _refuse(function: Any) -> Abstract:
    name = getattr(function, "__qualname__", None) or type(function).__qualname__
    module = getattr(function, "__module__", None) or type(function).__module__
    if not callable(function):
        raise TypeError(f"{type(function).__name__!r} object is not callable")
    raise TypeError(
        f"calling {module}.{name} is not supported in a graph: it has no Python source to compile and is not known to be "
        f"free of side effects. Call it before the compiled function and pass the result."
    )


def _builtin(function: Any) -> Any:
    try:
        return builtin_calls.get(function)
    except TypeError:
        return None


def _by_protocol(machine: Machine, function: Any, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract | None:
    """Calls of objects of higher storeys, recognised by the attributes of `base.protocols`; None for other objects."""
    if hasattr(function, "__operator__"):
        return call_operator(machine, function, args, kwargs)
    if hasattr(function, "__graph_function__"):
        return reuse.called(
            machine, function, args, kwargs, lambda: _call_graph_function(machine, function, args, kwargs)
        )
    if hasattr(function, "__graph_transform__"):
        machine.guards.leak(function)
        made = function.__graph_transform__()
        return _transform(machine, Transformed(made.kind, Known(made.function), made.options), args, kwargs)
    if hasattr(function, "__graph_assign__"):
        if len(args) != 2 or kwargs:
            raise TypeError(f"assign takes a Parameter and a value, got {len(args) + len(kwargs)} arguments.")
        return write(machine, args[0], args[1])
    return None


def _call_graph_function(machine: Machine, function: Any, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    """The call of a Cell, or of a compiled function."""
    guard_style(machine, function)
    inner = Known(function.__graph_function__())
    rule = gradient_rule(machine, function)
    before = machine.compute_type
    machine.compute_type = getattr(function, COMPUTE_TYPE, None) or before
    try:
        if rule is None:
            return call(machine, inner, args, kwargs)
        return with_gradient(machine, inner, rule, args, kwargs)
    finally:
        machine.compute_type = before


def _transform(machine: Machine, function: Transformed, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    rule = dispatchers.get(f"transform {function.kind}")
    if rule is None:
        raise TypeError(f"the transformation {function.kind!r} is not supported in a graph.")
    result: Abstract = rule(machine, function, args, kwargs)
    return result


@functools.lru_cache(maxsize=4096)
def _signature(code: Any, defaults: int, keyword_defaults: tuple[str, ...]) -> lang.Signature:
    positional = code.co_varnames[: code.co_argcount]
    end = code.co_argcount + code.co_kwonlyargcount
    keyword_only = code.co_varnames[code.co_argcount : end]
    extra = list(code.co_varnames[end : end + 2])
    star = extra.pop(0) if code.co_flags & inspect.CO_VARARGS else None
    double_star = extra.pop(0) if code.co_flags & inspect.CO_VARKEYWORDS else None
    names = (*positional[len(positional) - defaults :], *keyword_defaults) if defaults else keyword_defaults
    return lang.Signature(code.co_posonlyargcount, positional, keyword_only, star, double_star, names)


def signature_of(function: FunctionType) -> tuple[lang.Signature, dict[str, Abstract]]:
    """The parameters of a Python function and the defaults among them."""
    keyword_defaults = function.__kwdefaults__ or {}
    values = (*(function.__defaults__ or ()), *keyword_defaults.values())
    signature = _signature(function.__code__, len(function.__defaults__ or ()), tuple(keyword_defaults))
    return signature, {n: Known(v) for n, v in zip(signature.defaults, values, strict=True)}


def _call_python(machine: Machine, function: FunctionType, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    """Follows into a Python function: its source is parsed once, and interpreted for these arguments."""
    signature, defaults = signature_of(function)
    frame = Frame(function, function.__qualname__)
    return _enter(machine, machine.parse(function), signature, defaults, frame, args, kwargs)


def _call_closure(machine: Machine, function: Closure, args: tuple[Abstract, ...], kwargs: Keywords) -> Abstract:
    frame = Frame(function.frame.function, f"{function.frame.name}.{function.graph.name}", function.frame)
    return _enter(machine, function.graph, function.signature, function.defaults, frame, args, kwargs)


def _enter(
    machine: Machine,
    graph: Graph,
    signature: lang.Signature,
    defaults: Mapping[str, Abstract],
    frame: Frame,
    args: tuple[Abstract, ...],
    kwargs: Keywords,
) -> Abstract:
    return entered(machine, graph, frame, bind(machine, graph.name, signature, defaults, args, kwargs))


def bind(
    machine: Machine,
    name: str,
    signature: lang.Signature,
    defaults: Mapping[str, Abstract],
    args: tuple[Abstract, ...],
    kwargs: Keywords,
) -> tuple[Abstract, ...]:
    """Arguments in the order of the graph's parameters. TypeError with Python's own wording when they do not fit."""
    names = signature.names
    if len(args) > len(names) and signature.star is None:
        raise TypeError(f"{name}() takes {len(names)} positional arguments but {len(args)} were given")
    bound: dict[str, Abstract] = dict(zip(names, args, strict=False))
    surplus: dict[Any, Abstract] = {}
    by_keyword = {*names[signature.positional_only :], *signature.keyword_only}
    for key, value in kwargs.items():
        if key not in by_keyword:
            surplus[key] = value
        elif key in bound:
            raise TypeError(f"{name}() got multiple values for argument '{key}'")
        else:
            bound[key] = value
    if surplus and signature.double_star is None:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(surplus))}'")
    missing = [n for n in (*names, *signature.keyword_only) if n not in bound and n not in defaults]
    if missing:
        listed = " and ".join(repr(n) for n in missing)
        raise TypeError(f"{name}() missing {len(missing)} required argument{'s' * (len(missing) > 1)}: {listed}")
    values = [bound[n] if n in bound else defaults[n] for n in (*names, *signature.keyword_only)]
    if signature.star is not None:
        values.append(make_tuple(args[len(names) :]))
    if signature.double_star is not None:
        values.append(make_dict(machine, surplus))
    return tuple(values)
