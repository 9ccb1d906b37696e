"""Iterators: what ``iter``, ``zip``, ``map`` and itertools give for values whose number is known while compiling.

Their elements are made at once; what is left of them is on the heap, so that each is taken once, as in Python.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from mindspore.infer.compile_time import raised_by_program, run_now
from mindspore.infer.exceptions import attempted
from mindspore.infer.machine import CallRule, Machine, builtin_calls, dispatchers
from mindspore.infer.objects import special
from mindspore.infer.structure import describe, elements, fresh, make_tuple, python_class, to_python
from mindspore.infer.truth import known_truth
from mindspore.infer.values import NONE, Abstract, Endless, Generator, Iterator, Known

MAX_ELEMENTS = 100_000
Arguments = tuple[Abstract, ...]
Keywords = Mapping[str, Abstract]


def means(*functions: Any) -> Callable[[CallRule], CallRule]:
    """Registers a rule for Python callables; it receives arguments and keywords as they are."""

    def register(rule: CallRule) -> CallRule:
        builtin_calls.update(dict.fromkeys(functions, rule))
        return rule

    return register


def make_iterator(machine: Machine, values: Iterable[Abstract]) -> Iterator:
    made = Iterator()
    machine.heap.set(made, tuple(values))
    return made


def rows(machine: Machine, given: Arguments, strict: bool = False) -> list[Arguments]:
    """One element of each in turn, until the shortest ends; an iterator given twice gives two elements a row."""
    taken = [
        a if isinstance(a, Iterator | Endless | Generator) else make_iterator(machine, elements(machine, a))
        for a in given
    ]
    if taken and all(isinstance(a, Endless) for a in taken):
        raise TypeError("an endless iterator needs a partner of known length, or itertools.islice.")
    found: list[Arguments] = []
    while taken and len(found) < MAX_ELEMENTS:
        row: list[Abstract | None] = []
        for each in taken:
            row.append(following(machine, each))
            if row[-1] is None and not (strict and row[0] is None):
                break
        if None in row:
            _check_lengths(row, strict)
            return found
        found.append(tuple(e for e in row if e is not None))
    if taken:
        raise ValueError(
            f"the shortest of these iterators gave {MAX_ELEMENTS} elements while compiling and does not end."
        )
    return found


def _check_lengths(row: list[Abstract | None], strict: bool) -> None:
    ended = row.index(None)
    if strict and (ended > 0 or any(e is not None for e in row)):
        other = ended + 1 if ended else 1 + next(i for i, e in enumerate(row[1:], 1) if e is not None)
        how = "shorter" if ended else "longer"
        raise raised_by_program(ValueError(f"zip() argument {other} is {how} than argument 1"))


def following(machine: Machine, iterator: Iterator | Endless | Generator) -> Abstract | None:
    """The next element, None at the end."""
    if isinstance(iterator, Generator):
        return dispatchers["next of generator"](machine, iterator)
    held = machine.heap.get(iterator)
    if isinstance(iterator, Endless):
        (position,) = held
        machine.heap.set(iterator, (Known(position.value + 1),))
        return iterator.element(position.value)
    if not held:
        return None
    machine.heap.set(iterator, held[1:])
    first: Abstract = held[0]
    return first


def exhausted(machine: Machine, method: Abstract) -> Arguments:
    """What a ``__next__`` gives until it raises StopIteration."""
    found: list[Abstract] = []
    while len(found) < MAX_ELEMENTS:
        value, error = attempted(machine, lambda: machine.call(method, ()))
        if value is None:
            if not isinstance(error, StopIteration):
                assert error is not None
                raise error
            return tuple(found)
        found.append(value)
    raise ValueError(f"an iterator that is exhausted while compiling gave {MAX_ELEMENTS} elements and does not end.")


dispatchers["exhaust"] = exhausted  # type: ignore[assignment]


@means(iter)
def iter_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    if len(args) != 1 or kwargs:
        raise TypeError(f"iter() takes one argument in a graph, got {len(args) + len(kwargs)}")
    return (
        args[0]
        if isinstance(args[0], Iterator | Endless | Generator)
        else make_iterator(machine, elements(machine, args[0]))
    )


@means(next)
def next_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    if kwargs or not 1 <= len(args) <= 2:
        raise TypeError(f"next() takes 1 to 2 arguments, got {len(args) + len(kwargs)}")
    if (method := special(args[0], "__next__")) is not None:
        return _next_of_object(machine, method, args[1:])
    if not isinstance(args[0], Iterator | Endless | Generator):
        raise raised_by_program(TypeError(f"{python_class(args[0]).__name__!r} object is not an iterator"))
    found = following(machine, args[0])
    if found is None and len(args) == 1:
        raise StopIteration("next() of an iterator that has no more elements")
    return args[1] if found is None else found


def _next_of_object(machine: Machine, method: Abstract, default: Arguments) -> Abstract:
    value, error = attempted(machine, lambda: machine.call(method, ()))
    if isinstance(error, StopIteration) and default:
        return default[0]
    if value is None:
        assert error is not None
        raise error
    return value


@means(zip)
def zip_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    strict = bool(to_python(machine, kwargs.get("strict", Known(False))))
    return make_iterator(machine, map(make_tuple, rows(machine, args, strict)))


@means(enumerate)
def enumerate_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    start = to_python(machine, args[1] if len(args) > 1 else kwargs.get("start", Known(0)))
    iterable = args[0] if args else kwargs["iterable"]
    return make_iterator(machine, (make_tuple((Known(i), e)) for i, e in enumerate(elements(machine, iterable), start)))


@means(reversed)
def reversed_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    (given,) = args
    if isinstance(given, Iterator) or issubclass(python_class(given), set | frozenset):
        raise raised_by_program(TypeError(f"{python_class(given).__name__!r} object is not reversible"))
    return make_iterator(machine, elements(machine, given)[::-1])


@means(map)
def map_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    if len(args) < 2:
        raise TypeError("map() must have at least two arguments.")
    return make_iterator(machine, [machine.call(args[0], row) for row in rows(machine, args[1:])])


def _decides(machine: Machine, name: str, function: Abstract, value: Abstract) -> bool:
    test = value if isinstance(function, Known) and function.value is None else machine.call(function, (value,))
    truth = known_truth(machine, test)
    if truth is None:
        raise TypeError(f"{name}() in a graph needs conditions that are known while compiling. Use where, or a mask.")
    return truth


def _selecting(function: Any, select: Callable[[Callable[[Abstract], bool], Iterable[Abstract]], Any]) -> None:
    @means(function)
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        if len(args) != 2 or kwargs:
            raise TypeError(f"{function.__name__}() takes 2 arguments, got {len(args) + len(kwargs)}")
        test, values = args[0], elements(machine, args[1])
        return make_iterator(machine, select(lambda v: _decides(machine, function.__name__, test, v), values))


_selecting(filter, filter)
_selecting(itertools.filterfalse, itertools.filterfalse)
_selecting(itertools.takewhile, itertools.takewhile)
_selecting(itertools.dropwhile, itertools.dropwhile)


def _named(names: tuple[str, ...], args: Arguments, kwargs: Keywords) -> dict[str, Abstract]:
    return {**dict(zip(names, args, strict=False)), **kwargs}


@means(itertools.starmap)
def starmap(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    function, given = args
    return make_iterator(machine, [machine.call(function, elements(machine, row)) for row in elements(machine, given)])


@means(itertools.accumulate)
def accumulate(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    given = _named(("iterable", "func"), args, kwargs)
    function = given.get("func", NONE)
    if isinstance(function, Known) and function.value is None:
        function = Known(_add)
    initial = given.get("initial", NONE)
    first = () if isinstance(initial, Known) and initial.value is None else (initial,)
    values = (*first, *elements(machine, given["iterable"]))
    return make_iterator(machine, itertools.accumulate(values, lambda a, b: machine.call(function, (a, b))))


def _add(a: Any, b: Any) -> Any:
    """Compiled from its source, like a function of the user."""
    return a + b


@means(itertools.chain.from_iterable)
def chain_from(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    (given,) = args
    return make_iterator(machine, [e for part in elements(machine, given) for e in elements(machine, part)])


@means(itertools.chain)
def chain(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return make_iterator(machine, [e for part in args for e in elements(machine, part)])


def _arranging(function: Any, constants: int) -> None:
    """Functions that only choose and order elements; the last `constants` arguments and all keywords are constants."""

    @means(function)
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        split = max(len(args) - constants, 1) if constants else len(args)
        settings = [to_python(machine, a) for a in args[split:]]
        named = {k: to_python(machine, v) for k, v in kwargs.items()}
        made = function(*[elements(machine, a) for a in args[:split]], *settings, **named)
        return make_iterator(machine, map(make_tuple, made))


_arranging(itertools.product, 0)
_arranging(itertools.combinations, 1)
_arranging(itertools.combinations_with_replacement, 1)
_arranging(itertools.permutations, 1)
_arranging(itertools.pairwise, 0)


@means(itertools.zip_longest)
def zip_longest(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    fill = kwargs.get("fillvalue", NONE)
    given = [elements(machine, a) for a in args]
    return make_iterator(machine, map(make_tuple, itertools.zip_longest(*given, fillvalue=fill)))


@means(itertools.compress)
def compress(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    values, kept = (elements(machine, a) for a in args)
    chosen = [_decides(machine, "compress", NONE, k) for k in kept]
    return make_iterator(machine, itertools.compress(values, chosen))


@means(itertools.islice)
def islice(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    limits = [to_python(machine, a) for a in args[1:]]
    given = args[0]
    if not isinstance(given, Iterator | Endless | Generator):
        return make_iterator(machine, itertools.islice(elements(machine, given), *limits))
    if limits[min(1, len(limits) - 1)] is None and isinstance(given, Endless):
        raise TypeError("islice() of an endless iterator needs an end.")
    return make_iterator(machine, list(itertools.islice(iter(lambda: following(machine, given), None), *limits)))


def _endless(machine: Machine, element: Callable[[int], Abstract]) -> Abstract:
    made = Endless(element)
    machine.heap.set(made, (Known(0),))
    return made


@means(itertools.count)
def count(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    given = {k: to_python(machine, v) for k, v in _named(("start", "step"), args, kwargs).items()}
    start, step = given.get("start", 0), given.get("step", 1)
    return _endless(machine, lambda i: Known(start + i * step))


@means(itertools.cycle)
def cycle(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    values = elements(machine, *args)
    return _endless(machine, lambda i: values[i % len(values)]) if values else make_iterator(machine, ())


@means(itertools.repeat)
def repeat(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    given = _named(("object", "times"), args, kwargs)
    value = given["object"]
    if "times" not in given:
        return _endless(machine, lambda i: value)
    return make_iterator(machine, [value] * to_python(machine, given["times"]))


def _ordered(machine: Machine, name: str, values: Arguments, kwargs: Keywords) -> list[int]:
    """Positions of `values` in the order of their keys, which must be known while compiling."""
    key = kwargs.get("key", NONE)
    keyed = values if isinstance(key, Known) and key.value is None else [machine.call(key, (v,)) for v in values]
    try:
        keys = [to_python(machine, k) for k in keyed]
    except TypeError:
        unknown = next(k for k in keyed if not isinstance(k, Known))
        raise TypeError(
            f"{name}() orders while compiling and needs keys that are known then, got {describe(unknown)}. Give a key=, or stack the "
            f"values to one tensor and order that."
        ) from None
    backwards = bool(to_python(machine, kwargs.get("reverse", Known(False))))
    return sorted(range(len(keys)), key=keys.__getitem__, reverse=backwards)


@means(sorted)
def sorted_(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return builtin_calls[list](
        machine, (make_tuple(in_order(machine, "sorted", elements(machine, *args), kwargs)),), {}
    )


def in_order(machine: Machine, name: str, values: Arguments, kwargs: Keywords) -> list[Abstract]:
    """`values` sorted as ``sorted(values, **kwargs)`` does."""
    unknown = set(kwargs) - {"key", "reverse"}
    if unknown:
        raise TypeError(f"{name}() got an unexpected keyword argument {unknown.pop()!r}")
    return [values[i] for i in _ordered(machine, name, values, kwargs)]


def extreme(machine: Machine, function: Any, args: Arguments, kwargs: Keywords) -> Abstract:
    """``max`` and ``min`` with ``key`` or ``default``."""
    values = elements(machine, args[0]) if len(args) == 1 else args
    if not values and "default" in kwargs:
        return kwargs["default"]
    if "key" not in kwargs:
        return builtin_calls[function](machine, args, {})
    if not values:
        return run_now(machine, function, ((fresh(machine, ())),), {})
    order = _ordered(machine, function.__name__, values, {"key": kwargs["key"], "reverse": Known(function is max)})
    return values[order[0]]
