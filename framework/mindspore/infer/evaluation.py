"""Evaluating the nodes that need no control flow: names, displays, functions, strings."""

from __future__ import annotations

import builtins
from typing import Any

from mindspore.infer import language as lang
from mindspore.infer.deferred import concatenated, text
from mindspore.infer.guards import ABSENT
from mindspore.infer.machine import Machine, evaluates, tensor_type
from mindspore.infer.state import tensor
from mindspore.infer.structure import (
    NotConstantError,
    describe,
    elements,
    is_constant,
    make_dict,
    make_list,
    make_set,
    make_tuple,
    to_python,
)
from mindspore.infer.values import (
    NONE,
    Abstract,
    Box,
    Case,
    Closure,
    Completion,
    Dict,
    Frame,
    Iterator,
    Known,
    Sequence,
    Slice,
    Unusable,
)
from mindspore.ir.graph import TUPLE_GET, Apply, Constant, Graph
from mindspore.ir.sizes import has_sizes


@evaluates(lang.GLOBAL)
def global_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    name: str = node.attrs["name"]
    namespace = frame.function.__globals__
    value = namespace.get(name, ABSENT)
    machine.guards.global_(namespace, name, value)
    if value is ABSENT:
        value = getattr(builtins, name, ABSENT)
    if value is ABSENT:
        raise NameError(f"name '{name}' is not defined")
    return Known(value)


@evaluates(lang.FREE)
def free(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    function = frame.function
    name: str = node.attrs["name"]
    cell = (function.__closure__ or ())[function.__code__.co_freevars.index(name)]
    try:
        value = cell.cell_contents
    except ValueError:
        raise NameError(f"the variable '{name}' of an enclosing function has no value yet") from None
    machine.guards.cell(cell, value)
    return Known(value)


@evaluates(lang.BOX)
def box(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    made = Box()
    machine.heap.set(made, machine.peek(frame, node.inputs[0]))
    return made


@evaluates(lang.BOX_GET)
def box_get(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    held = machine.peek(frame, node.inputs[0])
    value: Abstract = machine.heap.get(held) if isinstance(held, Box) else held
    if isinstance(value, Unusable):
        raise value.error(value.why)
    return value


@evaluates(lang.BOX_SET)
def box_set(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    machine.heap.set(machine.peek(frame, node.inputs[0]), machine.peek(frame, node.inputs[1]))
    return NONE


@evaluates(TUPLE_GET)
def item(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    whole = machine.peek(frame, node.inputs[0])
    index: int = node.attrs["index"]
    if isinstance(whole, Completion):
        return whole.cases[lang.NEXT].values[index]
    if isinstance(whole, Sequence):
        return whole.elements[index]
    assert isinstance(whole, Known)
    return Known(whole.value[index])


@evaluates(lang.COMPLETE)
def complete(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    values = tuple(machine.peek(frame, i) for i in node.inputs)
    case: str = node.attrs["case"]
    if case == lang.RETURN:
        values = machine.values(frame, node.inputs)
    if machine.fold is not None and case != lang.NEXT:
        case, values = lang.CONTINUE, machine.fold(case, values)
    return Completion({case: Case(None, values, node.location)})


@evaluates(lang.FUNCTION)
def function(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    body, *defaults = node.inputs
    assert isinstance(body, Constant)
    assert isinstance(body.value, Graph)
    signature: lang.Signature = node.attrs["signature"]
    given = dict(zip(signature.defaults, machine.values(frame, tuple(defaults)), strict=True))
    return Closure(body.value, signature, given, frame)


@evaluates(lang.DISPLAY)
def display(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    found: list[Abstract] = []
    for value, starred in zip(machine.values(frame, node.inputs), node.attrs["starred"], strict=True):
        found.extend(elements(machine, value) if starred else (value,))
    kind = node.attrs["kind"]
    if kind == "set":
        return make_set(machine, _set(machine, found))
    if kind == "iterator":
        made = Iterator()
        machine.heap.set(made, tuple(found))
        return made
    return make_tuple(found) if kind == "tuple" else make_list(machine, found)


def _set(machine: Machine, found: list[Abstract]) -> set[Any]:
    try:
        return {to_python(machine, e) for e in found}
    except NotConstantError as error:
        raise TypeError(
            f"the elements of a set must be known while compiling: {error} Use a tuple or a list."
        ) from None


@evaluates(lang.IMPORT)
def import_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    module, names, level = (node.attrs[k] for k in ("module", "names", "level"))
    return Known(__import__(module, frame.function.__globals__, None, names, level))


@evaluates(lang.DICTIONARY)
def dictionary(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    items: dict[Any, Abstract] = {}
    given = machine.values(frame, node.inputs)
    for key, value in zip(given[::2], given[1::2], strict=True):
        if isinstance(key, Known) and key.value is lang.MERGE:
            items |= mapping(machine, value)
        else:
            items[dict_key(machine, key)] = value
    return make_dict(machine, items)


def dict_key(machine: Machine, key: Abstract) -> Any:
    """`key` as the Python object under which a dict holds it."""
    try:
        return to_python(machine, key, tensors=True)
    except NotConstantError:
        raise TypeError(f"a dict key must be known while compiling, got {describe(key)}.") from None


def mapping(machine: Machine, value: Abstract) -> dict[Any, Abstract]:
    """The items of a dict value. TypeError for anything else."""
    if isinstance(value, Dict):
        return dict(machine.heap.get(value))
    if isinstance(value, Known) and isinstance(value.value, dict):
        machine.guards.length(value.value)
        for key, each in value.value.items():
            machine.guards.item(value.value, key, each)
        return {k: Known(v) for k, v in value.value.items()}
    raise TypeError(f"expected a dict, got {describe(value)}")


@evaluates(lang.SLICE)
def slice_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    start, stop, step = machine.values(frame, node.inputs)
    if all(isinstance(p, Known) for p in (start, stop, step)):
        return Known(slice(start.value, stop.value, step.value))  # type: ignore[union-attr]
    return Slice(start, stop, step)


@evaluates(lang.FORMAT)
def format_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    value, specification = machine.values(frame, node.inputs)
    conversion: int = node.attrs["conversion"]
    if is_constant(machine, value) and is_constant(machine, specification):
        constant = to_python(machine, value)
        if not has_sizes(constant):
            return Known(_formatted(constant, to_python(machine, specification), conversion))
    plain = conversion == -1 and not (isinstance(specification, Known) and specification.value == "")
    given = tensor(machine, value) if plain and tensor_type(value) is not None else value
    return text(machine, _formatted, (given, specification, Known(conversion)))


def _formatted(value: Any, specification: str, conversion: int) -> str:
    conversions: dict[int, Any] = {-1: lambda v: v, ord("s"): str, ord("r"): repr, ord("a"): ascii}
    return format(conversions[conversion](value), specification)


@evaluates(lang.CONCATENATE)
def concatenate(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    parts = machine.values(frame, node.inputs)
    if all(is_constant(machine, p) for p in parts):
        return Known("".join(to_python(machine, p) for p in parts))
    return concatenated(machine, parts)


@evaluates(lang.UNPACK)
def unpack(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    values = elements(machine, machine.value(frame, node.inputs[0]))
    before, after = node.attrs["before"], node.attrs["after"]
    least = before + (after or 0)
    if after is None and len(values) > least:
        raise ValueError(f"too many values to unpack (expected {least}, got {len(values)})")
    if len(values) < least:
        wanted = f"at least {least}" if after is not None else str(least)
        raise ValueError(f"not enough values to unpack (expected {wanted}, got {len(values)})")
    if after is None:
        return Sequence(values)
    end = len(values) - after
    return Sequence((*values[:before], make_list(machine, values[before:end]), *values[end:]))


@evaluates(lang.COLLECT)
def collect(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    body = node.inputs[1]
    assert isinstance(body, Constant)
    collected: list[Abstract] = []
    for each in elements(machine, machine.value(frame, node.inputs[0])):
        collected.extend(elements(machine, machine.run(body.value, frame, (each,))))
        frame.node = node
    return make_list(machine, collected)
