"""Functions of the modules math and operator: of constants by Python, of tensors by the operators."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

from mindspore.base.protocols import tensor_methods
from mindspore.infer.compile_time import run_now
from mindspore.infer.iteration import means
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.operations import PYTHON, identical, negate, operation, subscript
from mindspore.infer.structure import elements
from mindspore.infer.values import Abstract, Known

Arguments = tuple[Abstract, ...]
Keywords = Mapping[str, Abstract]

_METHODS: Mapping[Any, str] = {
    math.acos: "acos", math.acosh: "acosh", math.asin: "asin", math.asinh: "asinh", math.atan: "atan", math.atan2: "atan2",
    math.atanh: "atanh", math.cos: "cos", math.cosh: "cosh", math.erf: "erf", math.erfc: "erfc", math.exp: "exp",
    math.expm1: "expm1", math.fabs: "abs", math.isfinite: "isfinite", math.isinf: "isinf", math.isnan: "isnan",
    math.log: "log", math.log1p: "log1p", math.pow: "pow", math.sin: "sin", math.sinh: "sinh", math.sqrt: "sqrt",
    math.tan: "tan", math.tanh: "tanh",
}  # fmt: skip
"""Of tensors: element by element, integers as floats."""
_TO_INTEGERS = {math.floor: "floor", math.ceil: "ceil", math.trunc: "trunc"}
_SCALES = {math.radians: math.pi / 180, math.degrees: 180 / math.pi}


def method(machine: Machine, name: str, *args: Abstract) -> Abstract:
    """``args[0].name(*args[1:])`` of a tensor."""
    return machine.call(Known(tensor_methods[name]), args)


def floating(machine: Machine, value: Abstract) -> Abstract:
    kind = tensor_type(value)
    return value if kind is None or kind.dtype.kind == "f" else method(machine, "float", value)


def _of_tensors(function: Any, on_tensors: Callable[[Machine, Arguments], Abstract]) -> None:
    @means(function)
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        if kwargs or all(tensor_type(a) is None for a in args):
            return run_now(machine, function, args, kwargs)
        return on_tensors(machine, args)


def _register_math() -> None:
    for function, name in _METHODS.items():
        _of_tensors(function, functools.partial(_elementwise, name))
    for function, name in _TO_INTEGERS.items():
        _of_tensors(function, functools.partial(_to_integer, name))
    for function, factor in _SCALES.items():
        _of_tensors(function, functools.partial(_scaled, factor))


def _elementwise(name: str, machine: Machine, args: Arguments) -> Abstract:
    first, *others = [floating(machine, a) for a in args]
    if name == "log" and others:
        return operation(machine, "/", (method(machine, "log", first), _logarithm(machine, *others)))
    if name == "pow":
        return operation(machine, "**", (first, *others))
    if tensor_type(first) is None:
        kind = tensor_type(others[0])
        assert kind is not None
        first = machine.emitter.const(first.value, kind.dtype)  # type: ignore[union-attr]
    return method(machine, name, first, *others)


def _logarithm(machine: Machine, base: Abstract) -> Abstract:
    return run_now(machine, math.log, (base,), {}) if tensor_type(base) is None else method(machine, "log", base)


def _to_integer(name: str, machine: Machine, args: Arguments) -> Abstract:
    kind = tensor_type(args[0])
    if kind is None or kind.dtype.kind != "f":
        return args[0]
    return method(machine, "int", method(machine, name, args[0]))


def _scaled(factor: float, machine: Machine, args: Arguments) -> Abstract:
    return operation(machine, "*", (floating(machine, args[0]), Known(factor)))


@means(math.prod)
def product(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    start = kwargs.get("start", Known(1))
    return functools.reduce(lambda a, b: operation(machine, "*", (a, b)), elements(machine, *args), start)


@means(math.fsum)
def total(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    values = elements(machine, *args)
    if all(tensor_type(v) is None for v in values):
        return run_now(machine, math.fsum, args, kwargs)
    return functools.reduce(lambda a, b: operation(machine, "+", (a, b)), values)


def _register_operators() -> None:
    symbols = {f: s for s, f in PYTHON.items()} | {operator.concat: "+", operator.abs: None, operator.contains: None}
    for function, symbol in symbols.items():
        if symbol is not None:
            means(function)(functools.partial(_operator, symbol))
    means(operator.is_)(lambda machine, args, kwargs: identical(machine, *args))
    means(operator.is_not)(lambda machine, args, kwargs: negate(machine, identical(machine, *args)))
    means(operator.not_)(lambda machine, args, kwargs: negate(machine, *args))
    means(operator.getitem)(lambda machine, args, kwargs: subscript(machine, *args))
    means(operator.contains)(lambda machine, args, kwargs: operation(machine, "in", args[::-1]))
    means(operator.truth)(lambda machine, args, kwargs: machine.call(Known(bool), args))
    means(operator.abs)(lambda machine, args, kwargs: machine.call(Known(abs), args))


def _operator(symbol: str, machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return operation(machine, symbol, args)


_register_math()
_register_operators()
