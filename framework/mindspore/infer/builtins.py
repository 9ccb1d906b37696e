"""What Python's built-in functions and the methods of lists and dicts mean for values of the graph."""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Mapping
from typing import Any

from mindspore.base.protocols import tensor_classes, tensor_methods
from mindspore.infer.attributes import assign, attribute
from mindspore.infer.compile_time import run_now
from mindspore.infer.control import decided
from mindspore.infer.functions import is_function
from mindspore.infer.iteration import extreme, means
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.methods import as_mapping
from mindspore.infer.objects import special
from mindspore.infer.operations import operation
from mindspore.infer.state import operand
from mindspore.infer.structure import (
    describe,
    elements,
    is_constant,
    make_dict,
    make_list,
    make_tuple,
    python_class,
    to_python,
)
from mindspore.infer.truth import chosen_truth, decisive, known_truth, truth_node
from mindspore.infer.values import NONE, Abstract, Choice, Known, Partial, Range, Super
from mindspore.ir.graph import Node

Arguments = tuple[Abstract, ...]
Keywords = Mapping[str, Abstract]


def _positional(function: str, args: Arguments, kwargs: Keywords, least: int, most: int) -> None:
    if kwargs:
        raise TypeError(f"{function}() takes no keyword arguments in a graph, got {', '.join(kwargs)}")
    if not least <= len(args) <= most:
        raise TypeError(
            f"{function}() takes {least if least == most else f'{least} to {most}'} arguments, got {len(args)}"
        )


@means(len)
def len_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("len", args, kwargs, 1, 1)
    if (method := special(args[0], "__len__")) is not None:
        return machine.call(method, ())
    kind = tensor_type(args[0])
    if kind is not None:
        if not kind.shape:
            raise TypeError("len() of a 0-d tensor")
        return Known(kind.shape[0])
    if isinstance(args[0], Known):
        value = args[0].value
        if not hasattr(type(value), "__len__"):
            return run_now(machine, len, args, kwargs)
        if isinstance(value, list | dict | set):
            machine.guards.length(value)
        elif not isinstance(value, tuple | str | range | frozenset | bytes):
            elements(machine, args[0])
        return Known(len(value))
    return Known(len(elements(machine, args[0])))


@means(range)
def range_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("range", args, kwargs, 1, 3)
    if all(tensor_type(a) is None for a in args):
        return run_now(machine, range, args, kwargs)
    start, stop = (Known(0), args[0]) if len(args) == 1 else args[:2]
    step = to_python(machine, args[2]) if len(args) == 3 else 1
    for bound in (start, stop):
        kind = tensor_type(bound)
        if kind is not None and (kind.shape != () or kind.dtype.kind not in "iu"):
            raise TypeError(f"range() bounds must be integers or 0-d integer tensors, got {describe(bound)}.")
    if step == 0:
        raise ValueError("range() arg 3 must not be zero")
    return Range(start, stop, step)


@means(isinstance)
def isinstance_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("isinstance", args, kwargs, 2, 2)
    classes = to_python(machine, args[1])
    value = args[0]
    if isinstance(value, Choice):
        return _of_choice(machine, value, lambda each: isinstance_(machine, (each, args[1]), {}))
    if not isinstance(value, Node):
        if isinstance(value, Known):
            return Known(isinstance(value.value, classes))
        return Known(issubclass(python_class(value), classes))
    listed = classes if isinstance(classes, tuple) else (classes,)
    return Known(any(hasattr(c, "__tensor_type__") and not getattr(c, "__is_parameter__", False) for c in listed))


def _of_choice(machine: Machine, choice: Choice, test: Callable[[Abstract], Abstract]) -> Abstract:
    """A test that is decided while compiling for each of the two values of a choice."""
    then, other = test(choice.then), test(choice.other)
    if isinstance(then, Known) and isinstance(other, Known):
        return chosen_truth(machine, choice, then.value, other.value)
    return decided(machine, choice, test)


@means(type)
def type_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("type", args, kwargs, 1, 1)
    if isinstance(args[0], Choice):
        return decided(machine, args[0], lambda each: type_(machine, (each,), {}))
    if isinstance(args[0], Node):
        if "Tensor" not in tensor_classes:
            raise TypeError("type() of a tensor is not supported in a graph. Use isinstance, or compare x.dtype.")
        return Known(tensor_classes["Tensor"])
    return Known(python_class(args[0]))


@means(getattr)
def getattr_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("getattr", args, kwargs, 2, 3)
    try:
        return attribute(machine, args[0], to_python(machine, args[1]))
    except AttributeError:
        if len(args) == 3:
            return args[2]
        raise


@means(hasattr)
def hasattr_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("hasattr", args, kwargs, 2, 2)
    try:
        attribute(machine, args[0], to_python(machine, args[1]))
    except AttributeError:
        return Known(False)
    return Known(True)


@means(setattr)
def setattr_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("setattr", args, kwargs, 3, 3)
    assign(machine, args[0], to_python(machine, args[1]), args[2])
    return NONE


@means(callable)
def callable_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("callable", args, kwargs, 1, 1)
    if isinstance(args[0], Choice):
        return _of_choice(machine, args[0], lambda each: callable_(machine, (each,), {}))
    return Known(is_function(args[0]))


@means(tuple)
def tuple_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("tuple", args, kwargs, 0, 1)
    return make_tuple(elements(machine, args[0]) if args else ())


@means(list)
def list_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("list", args, kwargs, 0, 1)
    return make_list(machine, elements(machine, args[0]) if args else ())


@means(dict, collections.OrderedDict)
def dict_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("dict", args, {}, 0, 1)
    return make_dict(machine, {**(as_mapping(machine, args[0]) if args else {}), **kwargs})


@means(sum)
def sum_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    total = args[1] if len(args) > 1 else kwargs.get("start", Known(0))
    for each in elements(machine, args[0]):
        skip = (
            isinstance(total, Known) and type(total.value) is int and total.value == 0 and tensor_type(each) is not None
        )
        total = each if skip else operation(machine, "+", (total, each))
    return total


def _any_all(function: Any, symbol: str) -> None:
    @means(function)
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        _positional(function.__name__, args, kwargs, 1, 1)
        method = tensor_methods.get(function.__name__)
        if tensor_type(args[0]) is not None and method is not None:
            return machine.call(Known(method), args)
        given = elements(machine, args[0])
        truths = [known_truth(machine, e) for e in given]
        decisive = symbol == "or"
        if decisive in truths:
            return Known(decisive)
        if None not in truths:
            return Known(not decisive)
        combine = machine.emitter.logical_or if decisive else machine.emitter.logical_and
        undecided = [truth_node(machine, e) for e, truth in zip(given, truths, strict=True) if truth is None]
        result: Node = functools.reduce(combine, undecided)
        return result


_any_all(any, "or")
_any_all(all, "and")


def _extreme(function: Any, method: str, pairwise: str) -> None:
    """max and min: of constants by Python, of one tensor by its method, of several values by the operator on pairs."""

    @means(function)
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        if kwargs:
            return extreme(machine, function, args, kwargs)
        if all(is_constant(machine, a) for a in args):
            return run_now(machine, function, args, kwargs)
        if len(args) == 1 and tensor_type(args[0]) is not None and method in tensor_methods:
            return machine.call(Known(tensor_methods[method]), args)
        given = elements(machine, args[0]) if len(args) == 1 else args
        emitter: Any = machine.emitter
        return functools.reduce(
            lambda a, b: getattr(emitter, pairwise)(operand(machine, a), operand(machine, b)), given
        )


_extreme(max, "max", "maximum")
_extreme(min, "min", "minimum")


def _number(function: Any, symbol: str | None) -> None:
    """int, float, abs, pow, divmod of constants; of tensors by method or operator."""

    @means(function)
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        name = function.__name__
        if symbol is None and args and (method := special(args[0], f"__{name}__")) is not None:
            return machine.call(method, args[1:])
        if not any(tensor_type(a) is not None for a in args):
            return run_now(machine, function, args, kwargs)
        if symbol is not None:
            return operation(machine, symbol, args)
        if name in tensor_methods and len(args) == 1:
            return machine.call(Known(tensor_methods[name]), args)
        raise TypeError(
            f"{name}() of {describe(args[0])} is not supported in a graph: its value is known only at run time."
        )


for _function, _symbol in ((int, None), (float, None), (abs, None), (round, None), (pow, "**")):
    _number(_function, _symbol)


@means(bool)
def bool_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("bool", args, kwargs, 0, 1)
    value = decisive(machine, args[0]) if args else Known(False)
    truth = known_truth(machine, value)
    return truth_node(machine, value) if truth is None else Known(truth)


@means(divmod)
def divmod_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("divmod", args, kwargs, 2, 2)
    return make_tuple((operation(machine, "//", args), operation(machine, "%", args)))


@means(super)
def super_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("super", args, kwargs, 2, 2)
    return Super(to_python(machine, args[0]), args[1])


@means(functools.partial)
def partial_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    if not args:
        raise TypeError("partial() takes at least a function")
    return Partial(args[0], args[1:], dict(kwargs))


@means(functools.update_wrapper)
def update_wrapper(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    """The wrapper itself: names and docstrings of functions mean nothing in a graph."""
    return args[0]


@means(functools.wraps)
def wraps(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return Known(_itself)


def _itself(function: Any) -> Any:
    """Compiled from its source, like a function of the user."""
    return function


@means(functools.reduce)
def reduce_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    _positional("reduce", args, kwargs, 2, 3)
    given = [*args[2:], *elements(machine, args[1])]
    if not given:
        raise TypeError("reduce() of empty iterable with no initial value")
    return functools.reduce(lambda a, b: machine.call(args[0], (a, b)), given)


@means(slice)
def slice_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return run_now(machine, slice, args, kwargs)
