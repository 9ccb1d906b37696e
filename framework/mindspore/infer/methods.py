"""Methods of lists, tuples and dicts that hold values of the graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore.infer.compile_time import raised_by_program
from mindspore.infer.evaluation import dict_key, mapping
from mindspore.infer.iteration import in_order
from mindspore.infer.machine import Machine, builtin_calls
from mindspore.infer.operations import operation
from mindspore.infer.structure import (
    describe,
    elements,
    make_dict,
    make_list,
    make_tuple,
    python_class,
    to_python,
)
from mindspore.infer.truth import known_truth
from mindspore.infer.values import NONE, Abstract, Dict, Known, List

Arguments = tuple[Abstract, ...]
Keywords = Mapping[str, Abstract]
ListChange = Callable[..., Abstract]


def changes_list(method: Any) -> Callable[[ListChange], ListChange]:
    """Registers what a list method does to the elements; lists from outside the graph are refused."""

    def register(change: ListChange) -> ListChange:
        def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
            owner = args[0]
            if not isinstance(owner, List):
                raise TypeError(
                    f"list.{method.__name__} would change {describe(owner)}, which lives outside the graph. Copy it first."
                )
            held = list(machine.heap.get(owner))
            result = change(machine, held, args[1:], **kwargs)
            machine.heap.set(owner, tuple(held))
            return result

        builtin_calls[method] = rule
        return change

    return register


@changes_list(list.append)
def append(machine: Machine, held: list[Abstract], args: Arguments) -> Abstract:
    held.append(*args)
    return NONE


@changes_list(list.extend)
def extend(machine: Machine, held: list[Abstract], args: Arguments) -> Abstract:
    held.extend(elements(machine, args[0]))
    return NONE


@changes_list(list.insert)
def insert(machine: Machine, held: list[Abstract], args: Arguments) -> Abstract:
    held.insert(to_python(machine, args[0]), args[1])
    return NONE


@changes_list(list.pop)
def pop(machine: Machine, held: list[Abstract], args: Arguments) -> Abstract:
    return held.pop(*[to_python(machine, a) for a in args])


@changes_list(list.reverse)
def reverse(machine: Machine, held: list[Abstract], args: Arguments) -> Abstract:
    held.reverse()
    return NONE


@changes_list(list.clear)
def clear(machine: Machine, held: list[Abstract], args: Arguments) -> Abstract:
    held.clear()
    return NONE


@changes_list(list.sort)
def sort(machine: Machine, held: list[Abstract], args: Arguments, **kwargs: Abstract) -> Abstract:
    if args:
        raise TypeError("sort() takes no positional arguments")
    held[:] = in_order(machine, "sort", tuple(held), kwargs)
    return NONE


@changes_list(list.remove)
def remove(machine: Machine, held: list[Abstract], args: Arguments) -> Abstract:
    position = next((i for i, e in enumerate(held) if _equal(machine, "list.remove", e, *args)), None)
    if position is None:
        raise raised_by_program(ValueError("list.remove(x): x not in list"))
    del held[position]
    return NONE


def _copy(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return make_list(machine, elements(machine, args[0]))


def _equal(machine: Machine, name: str, element: Abstract, value: Abstract) -> bool:
    """Whether Python's search takes `element` for `value`: the same object, or an equal one."""
    if element is value:
        return True
    truth = known_truth(machine, operation(machine, "==", (element, value)))
    if truth is None:
        raise TypeError(
            f"{name}() compares elements while compiling, but whether {describe(element)} equals {describe(value)} is known only at "
            f"run time."
        )
    return truth


def _index(method: Any) -> Callable[..., Abstract]:
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        values = elements(machine, args[0])
        first, last = (*[to_python(machine, a) for a in args[2:]], None, None)[:2]
        for place in range(len(values))[first:last]:
            if _equal(machine, method.__qualname__, values[place], args[1]):
                return Known(place)
        raise raised_by_program(ValueError(f"{describe(args[1])} is not in {python_class(args[0]).__name__}"))

    return rule


def _count(method: Any) -> Callable[..., Abstract]:
    def rule(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
        owner, value = args
        return Known(sum(_equal(machine, method.__qualname__, e, value) for e in elements(machine, owner)))

    return rule


builtin_calls[list.copy] = _copy
builtin_calls.update({m: _index(m) for m in (list.index, tuple.index)})
builtin_calls.update({m: _count(m) for m in (list.count, tuple.count)})


def _keys(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return make_tuple(Known(k) for k in mapping(machine, args[0]))


def _values(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return make_tuple(mapping(machine, args[0]).values())


def _items(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return make_tuple(make_tuple((Known(k), v)) for k, v in mapping(machine, args[0]).items())


def _get(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    default = args[2] if len(args) > 2 else NONE
    return mapping(machine, args[0]).get(dict_key(machine, args[1]), default)


def _dict_copy(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    return make_dict(machine, mapping(machine, args[0]))


builtin_calls.update(
    {dict.keys: _keys, dict.values: _values, dict.items: _items, dict.get: _get, dict.copy: _dict_copy}
)


def _own(machine: Machine, owner: Abstract, method: str) -> tuple[Dict, dict[Any, Abstract]]:
    if not isinstance(owner, Dict):
        raise TypeError(f"dict.{method} would change {describe(owner)}, which lives outside the graph. Copy it first.")
    return owner, dict(machine.heap.get(owner))


def as_mapping(machine: Machine, value: Abstract) -> dict[Any, Abstract]:
    """What ``dict(value)`` holds: of a mapping, or of pairs."""
    if python_class(value) is dict:
        return mapping(machine, value)
    pairs = [elements(machine, pair) for pair in elements(machine, value)]
    return {dict_key(machine, key): held for key, held in pairs}


def _update(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    owner, items = _own(machine, args[0], "update")
    for each in args[1:]:
        items |= as_mapping(machine, each)
    machine.heap.set(owner, {**items, **kwargs})
    return NONE


def _dict_pop(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    owner, items = _own(machine, args[0], "pop")
    key = dict_key(machine, args[1])
    if key not in items and len(args) < 3:
        raise KeyError(key)
    found = items.pop(key, args[2] if len(args) > 2 else NONE)
    machine.heap.set(owner, items)
    return found


def _setdefault(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    owner, items = _own(machine, args[0], "setdefault")
    found = items.setdefault(dict_key(machine, args[1]), args[2] if len(args) > 2 else NONE)
    machine.heap.set(owner, items)
    return found


def _popitem(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    owner, items = _own(machine, args[0], "popitem")
    if not items:
        raise KeyError("popitem(): dictionary is empty")
    key, value = items.popitem()
    machine.heap.set(owner, items)
    return make_tuple((Known(key), value))


def _fromkeys(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    keys, value = (*args, NONE)[:2]
    return make_dict(machine, {dict_key(machine, k): value for k in elements(machine, keys)})


def _dict_clear(machine: Machine, args: Arguments, kwargs: Keywords) -> Abstract:
    owner, _ = _own(machine, args[0], "clear")
    machine.heap.set(owner, {})
    return NONE


builtin_calls.update({dict.popitem: _popitem, dict.fromkeys: _fromkeys})
builtin_calls.update({dict.update: _update, dict.pop: _dict_pop, dict.setdefault: _setdefault, dict.clear: _dict_clear})
