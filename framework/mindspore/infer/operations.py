"""Python's operators and subscripts: on constants Python computes them, on tensors the public functions do."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Sequence as Items
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.protocols import tensor_operators
from mindspore.infer import language as lang
from mindspore.infer.compile_time import by_python
from mindspore.infer.control import chosen, decided, run_time_branch
from mindspore.infer.deferred import operation as text_operation
from mindspore.infer.effects import raise_later
from mindspore.infer.evaluation import dict_key, mapping
from mindspore.infer.guards import ABSENT
from mindspore.infer.machine import Machine, evaluates, tensor_type
from mindspore.infer.objects import special
from mindspore.infer.overloads import overloaded
from mindspore.infer.positions import as_index, on_positions
from mindspore.infer.state import is_parameter, tensor, write
from mindspore.infer.structure import (
    NotConstantError,
    describe,
    elements,
    fresh,
    is_constant,
    is_number,
    is_plain,
    is_sequence,
    make_dict,
    make_list,
    make_tuple,
    python_class,
    to_python,
)
from mindspore.infer.truth import chosen_truth, decisive, known_truth, truth_node
from mindspore.infer.values import (
    NONE,
    Abstract,
    Choice,
    Dict,
    Frame,
    Instance,
    Known,
    List,
    Masked,
    Position,
    Sequence,
    Set,
)
from mindspore.infer.windows import windows
from mindspore.ir.graph import Apply, Node

PYTHON: Mapping[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv,
    "%": operator.mod, "**": operator.pow, "@": operator.matmul, "<<": operator.lshift, ">>": operator.rshift,
    "&": operator.and_, "|": operator.or_, "^": operator.xor, "<": operator.lt, "<=": operator.le, ">": operator.gt,
    ">=": operator.ge, "==": operator.eq, "!=": operator.ne, "unary -": operator.neg, "unary +": operator.pos,
    "unary ~": operator.invert,
}  # fmt: skip
_MATCHES = {"==": True, "!=": False}


@evaluates(lang.OPERATION)
def operation_node(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    operands = machine.values(frame, node.inputs)
    if isinstance(operands[0], Masked):
        return masked_operation(machine, node.attrs["symbol"], operands[0], operands[1])
    if node.attrs["in_place"] and (changed := _in_place(machine, node.attrs["symbol"], *operands)) is not None:
        return changed
    return operation(machine, node.attrs["symbol"], operands, node.attrs["in_place"])


def _in_place(machine: Machine, symbol: str, owner: Abstract, value: Abstract) -> Abstract | None:
    """``owner symbol= value`` of a list or dict, which changes; None for what is bound anew."""
    if isinstance(owner, List) and symbol == "+":
        machine.heap.set(owner, (*machine.heap.get(owner), *elements(machine, value)))
    elif isinstance(owner, List) and symbol == "*" and isinstance(value, Known):
        machine.heap.set(owner, by_python(lambda: machine.heap.get(owner) * value.value))
    elif isinstance(owner, Set) and symbol in ("|", "&", "-", "^"):
        changed = by_python(lambda: PYTHON[symbol](to_python(machine, owner), to_python(machine, value)))
        machine.heap.set(owner, dict.fromkeys(changed, NONE))
    elif isinstance(owner, Dict) and symbol == "|":
        machine.heap.set(owner, {**machine.heap.get(owner), **mapping(machine, value)})
    else:
        return None
    return owner


def operation(machine: Machine, symbol: str, operands: tuple[Abstract, ...], in_place: bool = False) -> Abstract:
    """``left symbol right``, ``symbol operand``."""
    if any(isinstance(o, Position) for o in operands):
        given = on_positions(machine, symbol, operands)
        return operation(machine, symbol, given, in_place) if isinstance(given, tuple) else given
    if symbol in _SPECIAL:
        return _SPECIAL[symbol](machine, *operands)
    if (chosen_one := next((o for o in operands if isinstance(o, Choice)), None)) is not None:
        return decided(
            machine,
            chosen_one,
            lambda each: operation(machine, symbol, tuple(each if o is chosen_one else o for o in operands)),
        )
    if (found := overloaded(machine, symbol, operands, in_place)) is not None:
        return found
    if (later := text_operation(machine, PYTHON[symbol], symbol, operands)) is not None:
        return later
    if any(tensor_type(o) is not None for o in operands):
        return _on_tensors(machine, symbol, operands)
    if all(is_plain(o) for o in operands):
        return fresh(machine, by_python(lambda: PYTHON[symbol](*[o.value for o in operands if isinstance(o, Known)])))
    if (structural := _on_sequences(machine, symbol, operands)) is not None:
        return structural
    if all(is_constant(machine, o) for o in operands):
        return fresh(machine, by_python(lambda: PYTHON[symbol](*[to_python(machine, o) for o in operands])))
    listed = " and ".join(describe(o) for o in operands)
    raise TypeError(f"operator {symbol.removeprefix('unary ')!r} is not supported for {listed}.")


def _on_tensors(machine: Machine, symbol: str, operands: tuple[Abstract, ...]) -> Abstract:
    other = [o for o in operands if tensor_type(o) is None]
    if symbol in _MATCHES and any(
        isinstance(o, Known) and (o.value is None or isinstance(o.value, str)) for o in other
    ):
        return Known(not _MATCHES[symbol])
    function = tensor_operators.get(symbol)
    if function is None:
        raise TypeError(
            f"operator {symbol.removeprefix('unary ')!r} is not supported for {' and '.join(map(describe, operands))}."
        )
    result = machine.call(Known(function), operands)
    if isinstance(result, Node) and all(is_number(machine, o) for o in operands):
        machine.numbers.add(result)
    return result


def _on_sequences(machine: Machine, symbol: str, operands: tuple[Abstract, ...]) -> Abstract | None:
    """``+`` of two sequences of one class, ``*`` by an integer, equality element by element; None when none of these."""
    if len(operands) != 2:
        return None
    left, right = operands
    if symbol == "|" and python_class(left) is dict and python_class(right) is dict:
        return make_dict(machine, {**mapping(machine, left), **mapping(machine, right)})
    if symbol == "*" and is_sequence(right) and not is_sequence(left):
        left, right = right, left
    if not is_sequence(left):
        return None
    cls = python_class(left)
    if symbol == "*" and isinstance(right, Known) and isinstance(right.value, int):
        return _sequence(machine, cls, elements(machine, left) * right.value)
    if not is_sequence(right):
        return None
    if symbol == "+" and issubclass(cls, list) == issubclass(python_class(right), list):
        return _sequence(machine, cls, (*elements(machine, left), *elements(machine, right)))
    if symbol in _MATCHES and not (is_constant(machine, left) and is_constant(machine, right)):
        return _equal_sequences(machine, symbol, left, right)
    return None


def _sequence(machine: Machine, cls: type, values: tuple[Abstract, ...]) -> Abstract:
    return make_list(machine, values) if issubclass(cls, list) else make_tuple(values)


def _equal_sequences(machine: Machine, symbol: str, left: Abstract, right: Abstract) -> Abstract | None:
    a, b = elements(machine, left), elements(machine, right)
    if len(a) != len(b):
        return Known(not _MATCHES[symbol])
    same = equal_pairs(machine, zip(a, b, strict=True))
    return same if _MATCHES[symbol] else negate(machine, same)


def equal_pairs(machine: Machine, pairs: Iterable[tuple[Abstract, Abstract]]) -> Abstract:
    """Whether both values of each pair are one object or equal, as Python compares tuples."""
    return all_true(machine, [operation(machine, "==", pair) for pair in pairs if pair[0] is not pair[1]])


def all_true(machine: Machine, values: Items[Abstract]) -> Abstract:
    """Whether every one of `values` is true: known when one is known to be false or all are known."""
    found = [known_truth(machine, decisive(machine, v)) for v in values]
    if False in found:
        return Known(False)
    nodes = [truth_node(machine, v) for v, truth in zip(values, found, strict=True) if truth is None]
    return functools.reduce(machine.emitter.logical_and, nodes) if nodes else Known(True)


def identical(machine: Machine, left: Abstract, right: Abstract) -> Abstract:
    if isinstance(left, Choice):
        then, other = (identical(machine, each, right) for each in (left.then, left.other))
        if isinstance(then, Known) and isinstance(other, Known):
            return chosen_truth(machine, left, then.value, other.value)
        return run_time_branch(machine, left.flag, lambda: then, lambda: other)
    if isinstance(right, Choice):
        return identical(machine, right, left)
    if isinstance(left, Known) and isinstance(right, Known):
        return Known(left.value is right.value)
    return Known(left is right)


def contains(machine: Machine, value: Abstract, container: Abstract) -> Abstract:
    if (method := special(container, "__contains__")) is not None:
        return machine.call(method, (value,))
    if isinstance(container, Instance):
        container = make_tuple(elements(machine, container))
    if isinstance(container, Dict):
        return Known(dict_key(machine, value) in machine.heap.get(container))
    if is_constant(machine, value) and is_constant(machine, container):
        return Known(to_python(machine, value) in to_python(machine, container))
    if is_sequence(container):
        found = elements(machine, container)
        if any(value is e or (_object(value) is not None and _object(value) is _object(e)) for e in found):
            return Known(True)
        if is_constant(machine, value) and all(tensor_type(e) is None for e in found):
            wanted = to_python(machine, value)
            return Known(any(is_constant(machine, e) and to_python(machine, e) == wanted for e in found))
        return negate(machine, all_true(machine, [operation(machine, "!=", (value, e)) for e in found]))
    raise TypeError(f"'in' is not supported for {describe(value)} in {describe(container)}.")


def _object(value: Abstract) -> Any:
    return value.value if isinstance(value, Known) else None


def negate(machine: Machine, value: Abstract) -> Abstract:
    value = decisive(machine, value)
    truth = known_truth(machine, value)
    if truth is not None:
        return Known(not truth)
    result: Node = machine.emitter.logical_not(truth_node(machine, value))
    return result


def _opposite(rule: Callable[..., Abstract]) -> Callable[..., Abstract]:
    return lambda machine, *operands: negate(machine, rule(machine, *operands))


_SPECIAL: Mapping[str, Callable[..., Abstract]] = {
    "is": identical, "is not": _opposite(identical), "in": contains, "not in": _opposite(contains), "not": negate,
}  # fmt: skip


@evaluates(lang.SUBSCRIPT)
def subscript_node(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    owner, index = machine.values(frame, node.inputs)
    if node.attrs["augmented"] and tensor_type(owner) is not None and _has_mask(index):
        return Masked(owner, index, _on_tensors(machine, "masked region", (owner, index)))
    return subscript(machine, owner, index)


def _entries(index: Abstract) -> tuple[Abstract, ...]:
    if isinstance(index, Known) and isinstance(index.value, tuple):
        return tuple(Known(v) for v in index.value)
    return index.elements if isinstance(index, Sequence) else (index,)


def _has_mask(index: Abstract) -> bool:
    """Whether a tensor in `index` says which elements are meant."""
    kinds = map(tensor_type, _entries(index))
    return any(k is not None and k.dtype is dt.bool_ for k in kinds)


def _gives_a_copy(index: Abstract) -> bool:
    """Whether ``x[index]`` has memory of its own for Python, so that a change of it does not change ``x``."""
    for each in _entries(index):
        kind = tensor_type(each)
        if kind is not None and (kind.rank or kind.dtype is dt.bool_):
            return True
        if is_sequence(each) or (isinstance(each, Known) and isinstance(each.value, bool | np.ndarray)):
            return True
    return False


def masked_operation(machine: Machine, symbol: str, target: Masked, value: Abstract) -> Abstract:
    """``x[mask] symbol value``, computed for all elements that a mask may take."""
    aligned = _on_tensors(machine, "masked value", (target.owner, target.index, value))
    return Masked(target.owner, target.index, operation(machine, symbol, (target.region, aligned)))


def subscript(machine: Machine, owner: Abstract, index: Abstract) -> Abstract:
    """``owner[index]``."""
    if tensor_type(owner) is not None:
        return _tensor_item(machine, owner, as_index(owner, index))
    if (method := special(owner, "__getitem__")) is not None:
        return machine.call(method, (index,))
    if isinstance(owner, Choice):
        return decided(machine, owner, lambda each: subscript(machine, each, index))
    if isinstance(owner, Dict):
        return _dict_item(mapping(machine, owner), dict_key(machine, index))
    if isinstance(owner, Sequence | List):
        return _element(machine, owner, index)
    if isinstance(owner, Known):
        return _known_item(machine, owner.value, index)
    raise TypeError(f"{describe(owner)} is not subscriptable")


def _tensor_item(machine: Machine, owner: Abstract, index: Abstract) -> Abstract:
    moving = windows(machine, owner, index)
    if moving is None:
        return _on_tensors(machine, "getitem", (owner, index))
    for number in range(len(moving.places)):
        owner = _on_tensors(machine, "getitem", (owner, moving.index(number)))
    return owner if moving.whole else _on_tensors(machine, "getitem", (owner, moving.rest))


def _with_item(machine: Machine, owner: Abstract, index: Abstract, value: Abstract) -> Abstract:
    """The tensor `owner` with `value` in the place of some elements."""
    moving = windows(machine, owner, index)
    if moving is None:
        return _on_tensors(machine, "setitem", (owner, index, value))
    parts = [owner]
    for number in range(len(moving.places)):
        parts.append(_on_tensors(machine, "getitem", (parts[-1], moving.index(number))))
    changed = _on_tensors(machine, "setitem", (parts.pop(), moving.rest, value))
    for number in reversed(range(len(parts))):
        changed = _on_tensors(machine, "setitem", (parts[number], moving.index(number), changed))
    return changed


def _dict_item(items: dict[Any, Abstract], key: Any) -> Abstract:
    if key not in items:
        raise KeyError(key)
    return items[key]


def _element(machine: Machine, owner: Abstract, index: Abstract) -> Abstract:
    values = elements(machine, owner)
    if tensor_type(index) is not None:
        return _chosen(machine, owner, values, tensor(machine, index))
    position = _position(machine, owner, index)
    if isinstance(position, slice):
        return _sequence(machine, python_class(owner), values[position])
    found: Abstract = values[position]
    return found


def _chosen(machine: Machine, owner: Abstract, values: tuple[Abstract, ...], index: Node) -> Abstract:
    """The element at a position that is known only at run time."""
    kind = tensor_type(index)
    if kind is None or kind.shape != () or kind.dtype.kind not in "iu":
        raise TypeError(f"the index into a {python_class(owner).__name__} must be an integer, got {describe(index)}.")
    wrong = IndexError(f"{python_class(owner).__name__} index out of range")
    if not values:
        raise wrong
    b: Any = machine.emitter
    count = len(values)
    place = b.select(b.less(index, 0), b.add(index, count), index)
    inside = b.logical_and(b.greater_equal(place, 0), b.less(place, count))
    taken, refused = (lambda: chosen(machine, values, place)), (lambda: raise_later(machine, Known(wrong)))
    return run_time_branch(machine, inside, taken, refused)


def _position(machine: Machine, owner: Abstract, index: Abstract) -> Any:
    try:
        return to_python(machine, index)
    except NotConstantError:
        raise TypeError(
            f"the index into a {python_class(owner).__name__} must be known while compiling, got {describe(index)}; "
            f"stack the elements to one tensor to index it at run time."
        ) from None


def _known_item(machine: Machine, owner: Any, index: Abstract) -> Abstract:
    if tensor_type(index) is not None and not isinstance(owner, dict):
        return _chosen(machine, Known(owner), elements(machine, Known(owner)), tensor(machine, index))
    position = _position(machine, Known(owner), index)
    if isinstance(owner, dict):
        machine.guards.item(owner, position, owner.get(position, ABSENT))
    elif isinstance(owner, list):
        machine.guards.length(owner)
        if not isinstance(position, int):
            elements(machine, Known(owner))
        elif -len(owner) <= position < len(owner):
            machine.guards.element(owner, position % len(owner))
    else:
        elements_guard(machine, owner)
    return Known(owner[position])


def elements_guard(machine: Machine, owner: Any) -> None:
    """Guards the dicts in which a container object (a CellList) keeps its elements."""
    if hasattr(owner, "__iter__") and hasattr(owner, "__dict__"):
        elements(machine, Known(owner))


def _set_elements(machine: Machine, owner: Abstract, index: Abstract, value: Abstract, stored: bool) -> Abstract:
    if not stored and not is_parameter(owner):
        raise TypeError(
            f"{describe(owner)} cannot be changed here: in a graph x[...] = value gives the local variable x a new value, and this "
            f"tensor is not held by one. Assign it to a variable of this function first, and return it."
        )
    if isinstance(value, Masked):
        changed = _on_tensors(machine, "masked write", (owner, index, value.region))
    else:
        changed = _with_item(machine, owner, as_index(owner, index), value)
    if not is_parameter(owner):
        return changed
    write(machine, owner, changed)
    return owner


@evaluates(lang.SET_SUBSCRIPT)
def set_subscript(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    owner, index, value, *previous = machine.values(frame, node.inputs)
    if previous and (value is previous[0] or (tensor_type(owner) is not None and _gives_a_copy(index))):
        return owner
    if (method := special(owner, "__setitem__")) is not None:
        machine.call(method, (index, value))
        return owner
    if tensor_type(owner) is not None:
        return _set_elements(machine, owner, index, value, node.attrs["stored"])
    if isinstance(owner, List):
        held = list(machine.heap.get(owner))
        position = _position(machine, owner, index)
        held[position] = list(elements(machine, value)) if isinstance(position, slice) else value
        machine.heap.set(owner, tuple(held))
        return owner
    if isinstance(owner, Dict):
        machine.heap.set(owner, {**machine.heap.get(owner), dict_key(machine, index): value})
        return owner
    if isinstance(owner, Known) and id(owner.value) in machine.constants and node.attrs["stored"]:
        return _changed_array(machine, owner.value, index, value)
    raise TypeError(f"{describe(owner)} cannot be changed in a graph; only lists, dicts and tensors made in it can.")


def _changed_array(machine: Machine, array: Any, index: Abstract, value: Abstract) -> Abstract:
    """A numpy array that the program made, with other elements: a new value, as of tensors."""
    changed = array.copy()
    by_python(lambda: operator.setitem(changed, to_python(machine, index), to_python(machine, value)))
    return fresh(machine, changed)


@evaluates(lang.DELETE_SUBSCRIPT)
def delete_subscript(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    owner, index = machine.values(frame, node.inputs)
    if isinstance(owner, List):
        held = list(machine.heap.get(owner))
        del held[_position(machine, owner, index)]
        machine.heap.set(owner, tuple(held))
    elif isinstance(owner, Dict):
        items = dict(machine.heap.get(owner))
        del items[dict_key(machine, index)]
        machine.heap.set(owner, items)
    else:
        raise TypeError(f"cannot delete from {describe(owner)} in a graph; only lists and dicts made in it can change.")
    return NONE
