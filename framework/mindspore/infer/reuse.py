"""Calls of Cells that are equal to earlier ones: what these made is used again, so that one of many equal layers is interpreted.

A call is recorded: what it read from outside, in order, and the nodes that it made. For a later call with arguments of the same types the
reads are followed on the other Cell (`likeness.Likeness`). Where it has the same there, the recorded nodes become a graph over their
inputs, the arguments and versions of Parameters, and both calls become calls of it. What the call wrote into Parameters comes back as
results. Calls with other effects, or with results other than tensors and constants, are not recorded; small graphs are copied.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mindspore.base.protocols import CALL_STYLE, RECOMPUTE
from mindspore.infer.guards import ABSENT, Read
from mindspore.infer.likeness import PLAIN, Likeness, style
from mindspore.infer.machine import Machine
from mindspore.infer.state import slot_of
from mindspore.infer.structure import make_tuple
from mindspore.infer.values import (
    EFFECTS,
    Abstract,
    Attribute,
    Box,
    Dict,
    Endless,
    Instance,
    Known,
    List,
    Sequence,
    Slot,
)
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import CALL, SHARED, TUPLE_GET, Apply, Constant, Graph, Node, Parameter, toposort
from mindspore.ir.loops import function as as_constant
from mindspore.ir.rewrite import substitute
from mindspore.ir.sizes import has_sizes
from mindspore.ir.types import TensorType

SWITCH = "MS_DEV_REUSE"
"""Set to 0, nothing is used again."""
SMALL = 16
"""Operations up to which a graph is copied: calls keep it apart from what surrounds it."""
_MOST = 6
"""Different calls that are remembered for one class of Cells and types of arguments."""

_OWN = (Slot, List, Dict, Instance, Endless, Box)
"""What a call may write on the heap: Parameters, and what it makes for itself, since no argument is one of these."""

Rebuild = Callable[[Items[Node]], Abstract]


class _OtherError(Exception):
    """A value that is neither made of tensors nor a constant."""


@dataclass(slots=True)
class Given:
    """Arguments of a call: each tensor once, objects from outside, and all else about them."""

    machine: Machine
    nodes: dict[Node, int] = field(default_factory=dict)
    objects: list[Any] = field(default_factory=list)

    def key(self, value: Abstract) -> Hashable:
        if isinstance(value, Node):
            if not isinstance(value.type, TensorType) or has_sizes(value.type.shape) or _inspected(value):
                raise _OtherError
            return self.nodes.setdefault(value, len(self.nodes)), value.type, value in self.machine.numbers
        if isinstance(value, Known):
            if isinstance(value.value, PLAIN):
                return type(value.value), repr(value.value)
            if id(value.value) in self.machine.constants:
                raise _OtherError  # its content is a constant of the graph
            self.objects.append(value.value)
            return (type(value.value),)
        if isinstance(value, Sequence):
            return value.cls, tuple(map(self.key, value.elements))
        raise _OtherError


def _inspected(node: Node) -> bool:
    """Whether inference may look at how a tensor was made: a constant, or one integer, which bounds of slices may be sums of."""
    kind = node.type
    assert isinstance(kind, TensorType)
    return isinstance(node, Constant) or (kind.dtype.is_integer and all(n == 1 for n in kind.shape))


@dataclass(slots=True, eq=False)
class Part:
    """Recorded nodes as a graph. ``inputs``: what its parameters stand for, a position among the arguments or an object with a slot."""

    function: Constant
    inputs: list[tuple[int, Any]]
    small: bool


@dataclass(slots=True, eq=False)
class Record:
    """A call that may be used again.

    Attributes:
        versions: the objects whose slots were used, each with the node that it was at first.
        span: where in the emitter's log its nodes are.
        scope: the scope in which they were made; None for the outermost.
        outputs: the tensors of the result, then the last versions of the objects `written`.
        numbers: which of the results are Python numbers in the program.
        within: how many transformations that differentiate surround it, where that matters.
        part: once it was used again.
        closed: it cannot be used again.
    """

    function: Any
    given: Given
    reads: list[Read]
    versions: dict[int, tuple[Any, Node]]
    span: tuple[int, int]
    scope: set[Node] | None
    rebuild: Rebuild
    outputs: list[Node]
    written: list[Any]
    numbers: list[bool]
    within: int | None
    part: Part | None = None
    closed: bool = False


def called(
    machine: Machine,
    function: Any,
    args: tuple[Abstract, ...],
    kwargs: Mapping[str, Abstract],
    run: Callable[[], Abstract],
) -> Abstract:
    """The result of `run`, which calls `function` with these arguments, or what an equal call gave."""
    if machine.assumed or os.environ.get(SWITCH) == "0":
        return run()
    given = Given(machine)
    try:
        key = (
            type(function),
            machine.compute_type,
            tuple(map(given.key, args)),
            tuple((k, given.key(v)) for k, v in kwargs.items()),
        )
    except _OtherError:
        return run()
    known: list[Record] = machine.reusable.setdefault(key, [])
    for record in known:
        if _open(machine, record) and (found := _again(machine, record, function, given)) is not None:
            return found
    made, result = _recorded(machine, function, given, run)
    if made is not None:
        known[:] = [r for r in known if _open(machine, r)][-_MOST + 1 :]
        known.append(made)
    return result


def _open(machine: Machine, record: Record) -> bool:
    """Whether the nodes of a record can still be copied: a closed scope has become a graph of its own."""
    if record.part is not None or record.closed:
        return not record.closed
    return record.scope is None or any(record.scope is s for s in machine.emitter.scopes)


# Recording


def _recorded(
    machine: Machine, function: Any, given: Given, run: Callable[[], Abstract]
) -> tuple[Record | None, Abstract]:
    emitter, guards = machine.emitter, machine.guards
    scope = emitter.scopes[-1] if emitter.scopes else None
    before = _marks(machine)
    first, noted, logged = emitter.made, len(machine.heap.notes), len(guards.log)
    result = run()
    if _marks(machine) != before:
        return None, result
    reads = guards.log[logged:]
    written = _written(machine, noted)
    kinds = {read[0] for read in reads}
    if written is None or "assigned" in kinds or any(not _may_follow(r) for r in reads if r[0] == "style"):
        return None, result
    outputs: list[Node] = []
    versions = _versions(machine, reads)
    try:
        rebuild = _taken_apart(result, outputs)
    except _OtherError:
        return None, result
    if versions is None or any(map(_inspected, outputs)):
        return None, result
    numbers = [o in machine.numbers for o in outputs]
    outputs += [machine.heap.get(slot) for slot in written]
    depends = "gradients" in kinds or any(style(r[1])[3] is not None for r in reads if r[0] == "style")
    record = Record(
        function, given, _each_once(reads), versions, (first, emitter.made), scope, rebuild, outputs, [s.object for s in written],
        numbers, machine.gradients if depends else None,
    )  # fmt: skip
    return record, result


def _versions(machine: Machine, reads: Items[Read]) -> dict[int, tuple[Any, Node]] | None:
    """The objects whose slots were used and what these held at first; None when inference looked at how that was made."""
    found: dict[int, tuple[Any, Node]] = {}
    for kind, owner, _, version in reads:
        if kind == "slot" and id(owner) not in found:
            found[id(owner)] = owner, version
            known = isinstance(version, Constant) and id(owner) not in machine.constants
            if known or (isinstance(version, Apply) and version in machine.sums):
                return None
    return found


def _marks(machine: Machine) -> tuple[int, ...]:
    """What a call must not change if it is to be used again."""
    hooks = sum(len(nodes) for scope in machine.hooks for nodes, _ in scope.entries.values())
    guards = machine.guards
    return machine.recursive_calls, hooks, len(guards.opaque), len(guards.ran), machine.checks, len(machine.heap.layers)


def _may_follow(read: Read) -> bool:
    """Whether a Cell's gradient is the usual one, computed again, or a method of its class."""
    rule = style(read[1])[3]
    return rule is None or rule is RECOMPUTE or hasattr(rule, "__func__")


def _written(machine: Machine, noted: int) -> list[Slot] | None:
    """The slots that were written since the heap had so many notes; None when other state was."""
    found: dict[Slot, None] = {}
    for _, key, _ in machine.heap.notes[noted:]:
        if key is EFFECTS or isinstance(key, Attribute) or not isinstance(key, _OWN):
            return None
        if id(getattr(key, "object", None)) in machine.constants:
            return None
        if isinstance(key, Slot):
            found[key] = None
    return list(found)


def _taken_apart(value: Abstract, found: list[Node]) -> Rebuild:
    """Appends the tensors of a result to `found`; makes it again from others. Lists and objects could be changed by who called."""
    if isinstance(value, Node):
        if not isinstance(value.type, TensorType):
            raise _OtherError
        position = len(found)
        found.append(value)
        return lambda nodes: nodes[position]
    if isinstance(value, Known) and isinstance(value.value, PLAIN):
        return lambda nodes: value
    if isinstance(value, Sequence):
        parts = [_taken_apart(e, found) for e in value.elements]
        cls = value.cls
        return lambda nodes: make_tuple([p(nodes) for p in parts], cls)
    raise _OtherError


def _each_once(reads: Items[Read]) -> list[Read]:
    found: dict[tuple[str, int, Any], Read] = {}
    for read in reads:
        found.setdefault((read[0], id(read[1]), read[2] if read[0] != "slot" else None), read)
    return list(found.values())


# Using again


def _again(machine: Machine, record: Record, function: Any, given: Given) -> Abstract | None:
    """The result of an equal call; None when this one is not."""
    if record.within is not None and record.within != machine.gradients:
        return None
    like = Likeness()
    if not like.paired(record.function, function) or not all(map(like.alike, record.given.objects, given.objects)):
        return None
    if not all(_follow(machine, like, read) for read in record.reads):
        return None
    if not all(like.plain(value) for kind, value, _, _ in record.reads if kind == "leak"):
        return None
    part = record.part = record.part or _outlined(machine, record)
    if part is None:
        record.closed = True
        return None
    arguments = list(given.nodes)
    inputs = [arguments[at] if at >= 0 else machine.heap.get(slot_of(machine, like.of(obj))) for at, obj in part.inputs]
    if any(i.type != p.type for i, p in zip(inputs, part.function.value.parameters, strict=True)):
        return None
    found = _emitted(machine, part, inputs)
    count = len(record.numbers)
    machine.numbers.update(node for node, number in zip(found[:count], record.numbers, strict=True) if number)
    for obj, node in zip(record.written, found[count:], strict=True):
        machine.heap.set(slot_of(machine, like.of(obj)), node)
    return record.rebuild(found[:count])


def _follow(machine: Machine, like: Likeness, read: Read) -> bool:
    """Reads what was read of an object of its partner, with the guards for it; whether the same was found."""
    kind, first, key, expected = read
    guards, owner = machine.guards, like.of(first)
    if kind == "slot":
        return id(first) in machine.constants or id(first) in like.partners or like.paired(first, first)
    if kind == "style":
        guards.log.append((kind, owner, None, None))
        return _same_style(like, first, owner)
    if kind == "attribute":
        if (id(owner), key) in machine.attributes:
            return False
        found = getattr(owner, key, ABSENT)
        if not (like.alike(expected, found) or (key == CALL_STYLE and found is not ABSENT)):
            return False
        guards.attribute(owner, key, found)
        return True
    if kind == "held":
        held = list(owner)
        guards.held(owner, held)
        return len(held) == len(expected) and all(map(like.alike, expected, held))
    if kind == "length":
        guards.length(owner)
        return bool(len(owner) == expected)
    if kind == "element":
        if key >= len(owner):
            return False
        guards.element(owner, key)
        return like.alike(expected, owner[key])
    if kind == "item":
        found = owner.get(key, ABSENT)
        guards.item(owner, key, found)
        return like.alike(expected, found)
    if kind == "cell":
        guards.cell(owner, expected)
        return like.alike(expected, expected)
    guards.log.append((kind, owner, key, expected))
    return True


def _same_style(like: Likeness, first: Any, second: Any) -> bool:
    *known, rule = style(first)
    *found, other = style(second)
    return bool(known == found) and like.alike(rule, other)


def _outlined(machine: Machine, record: Record) -> Part | None:
    """The graph of a recorded call, which from now on calls it, too; None when it read something that is no input."""
    emitter = machine.emitter
    owned = emitter.between(*record.span)
    places: dict[Node, list[tuple[int, Any]]] = {node: [(at, None)] for node, at in record.given.nodes.items()}
    for obj, version in record.versions.values():
        places.setdefault(version, []).append((-1, obj))
    free = emitter.free(record.outputs, owned)
    if any(len(places.get(node, ())) != 1 for node in free):
        return None
    parameters = [Parameter(f"x{i}", node.type, node.location) for i, node in enumerate(free)]
    mapped = substitute(record.outputs, dict(zip(map(id, free), parameters, strict=True)))
    outputs = [mapped[id(o)] for o in record.outputs]
    location = next((o.location for o in record.outputs if o.location), None)
    graph = Graph(type(record.function).__name__, parameters, GraphBuilder(location).tuple(outputs), location)
    small = sum(isinstance(n, Apply) for n in toposort(*outputs)) <= SMALL
    part = Part(as_constant(graph), [places[node][0] for node in free], small)
    if not small:
        _call_instead(machine, record, part, free, owned)
    return part


def _call_instead(machine: Machine, record: Record, part: Part, free: Items[Node], owned: set[Node]) -> None:
    """The nodes behind the results of a recorded call become what a call of its graph gives: those who read them keep them."""
    call = _call(part, free)
    machine.emitter.later.append((record.span[0], call))
    if record.scope is not None:
        record.scope.add(call)
    for position, node in enumerate(record.outputs):
        if node in owned and isinstance(node, Apply) and node.inputs != (call,):
            node.op, node.inputs, node.attrs = TUPLE_GET, (call,), MappingProxyType({"index": position})


def _call(part: Part, inputs: Items[Node]) -> Apply:
    graph: Graph = part.function.value
    return Apply(CALL, (part.function, *inputs), SHARED, graph.result.type, graph.location)


def _emitted(machine: Machine, part: Part, inputs: list[Node]) -> list[Node]:
    graph: Graph = part.function.value
    if part.small:
        return machine.emitter.inlined(graph, inputs)
    call = machine.emitter.own(_call(part, inputs))
    return [machine.emitter.get(call, i) for i in range(len(graph.outputs()))]
