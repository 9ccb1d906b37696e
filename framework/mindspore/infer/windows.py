"""Slices of tensors whose bounds only run time knows, but whose length is known: ``x[i : i + 3]``.

The two bounds are compared as sums of multiples of other values; where these cancel out the distance is a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.positions import NotRolledError
from mindspore.infer.state import tensor
from mindspore.infer.structure import make_tuple
from mindspore.infer.values import Abstract, Known, Position, Sequence, Slice
from mindspore.ir.graph import Apply, Constant, Node

_MOST_TERMS = 8
_WHOLE = Known(slice(None))
Term = tuple[dict[Node, int], int]
"""A sum: how often each node, and a number."""


@dataclass(frozen=True, slots=True)
class Windows:
    """What an index takes in two steps: along some axes the elements at run-time places, and of these what `rest` takes."""

    places: tuple[tuple[int, Node], ...]
    rest: Abstract
    whole: bool
    """`rest` takes everything."""

    def index(self, number: int) -> Abstract:
        """The index that takes the elements along one of the axes."""
        axis, places = self.places[number]
        return make_tuple([_WHOLE] * axis + [places])


def windows(machine: Machine, owner: Abstract, index: Abstract) -> Windows | None:
    """The slices with run-time bounds in `index`, apart; None when it has none, or the length of one is not known."""
    entries = index.elements if isinstance(index, Sequence) else (index,)
    kind = tensor_type(owner)
    if kind is None or not any(isinstance(e, Slice) for e in entries):
        return None
    rest = list(entries)
    places: list[tuple[int, Node]] = []
    axis = 0
    for number, each in enumerate(entries):
        if isinstance(each, Slice):
            if axis >= kind.rank or (found := _places(machine, each, kind.shape[axis])) is None:
                return None
            rest[number] = _WHOLE
            places.append((axis, found))
        axis = kind.rank - _named(entries[number + 1 :]) if _is(each, ...) else axis + _named((each,))
    whole = all(isinstance(e, Known) and e.value in (slice(None), ...) for e in rest)
    return Windows(tuple(places), make_tuple(rest), whole)


def _is(entry: Abstract, value: Any) -> bool:
    return isinstance(entry, Known) and entry.value is value


def _named(entries: tuple[Abstract, ...]) -> int:
    """How many dimensions these entries of an index are about."""
    kinds = [(e, tensor_type(e)) for e in entries if not _is(e, None) and not _is(e, ...)]
    return sum(k.rank if k is not None and k.dtype is dt.bool_ else getattr(_array(e), "ndim", 1) for e, k in kinds)


def _array(entry: Abstract) -> Any:
    """A mask of numpy, the only object that is about several dimensions."""
    value = entry.value if isinstance(entry, Known) else None
    return value if isinstance(value, np.ndarray) and value.dtype.kind == "b" else None


def _places(machine: Machine, taken: Slice, size: Any) -> Node | None:
    """The positions of a slice along a dimension of `size`; one outside of it where it would be cut off at an end."""
    step = taken.step.value if isinstance(taken.step, Known) else 0
    step = 1 if step is None else step
    bounds = (taken.start, taken.stop)
    if not isinstance(step, int) or not step or not isinstance(size, int):
        return None
    start, stop = (_bound(machine, b) for b in bounds)
    if start is None or stop is None or (distance := _distance(machine, start, stop)) is None:
        return None
    length = -(-distance // step)
    if length < 0:
        return None
    b: Any = machine.emitter
    if any(isinstance(bound, Position) for bound in bounds):
        first = _checked(bounds, size, start)
    else:
        outside = b.not_equal(b.less(start, 0), b.less(stop, 0))
        counted = b.select(b.less(start, 0), b.add(start, size), start)
        first = b.select(b.logical_or(outside, b.less(counted, 0)), size, counted)
    result: Node = b.add(first, b.const(np.arange(length) * step, dt.int64))
    return result


def _checked(bounds: tuple[Abstract, Abstract], size: int, start: Node) -> Node:
    """The first place, where both bounds are in the dimension in every turn of a loop."""
    for each in bounds:
        low, high = (each.low, each.high) if isinstance(each, Position) else (-1, -1)
        if not 0 <= low <= high <= size:
            raise NotRolledError("a slice in a loop that leaves the tensor needs the value of the loop's counter.")
    return start


def _bound(machine: Machine, value: Abstract) -> Node | None:
    """A bound of a slice as Int64[]."""
    b: Any = machine.emitter
    if isinstance(value, Position):
        return None if value.real else value.node
    if isinstance(value, Known) and isinstance(value.value, int):
        number: Node = b.const(int(value.value), dt.int64)
        return number
    kind = tensor_type(value)
    if kind is None or not kind.dtype.is_integer or any(n != 1 for n in kind.shape):
        return None
    converted = b.converted(tensor(machine, value), dt.int64)
    result: Node = b.reshape(converted, shape=()) if kind.rank else converted
    return result


def _distance(machine: Machine, start: Node, stop: Node) -> int | None:
    """``stop - start``; None when it depends on run time."""
    (low, offset), (high, end) = _sum(machine, start), _sum(machine, stop)
    return end - offset if low == high else None


def _sum(machine: Machine, node: Node) -> Term:
    """`node` as a sum of multiples of nodes that are no sums; what was found is kept, so that a long chain is walked once."""
    known: dict[Node, Term] = machine.sums
    pending = [node]
    while pending:
        current = pending[-1]
        if current in known:
            pending.pop()
            continue
        missing = [i for i in _summands(current) if i not in known]
        if missing:
            pending += missing
            continue
        known[current] = _combined(current, [known[i] for i in _summands(current)])
        pending.pop()
    return known[node]


def _summands(node: Node) -> tuple[Node, ...]:
    if not isinstance(node, Apply) or getattr(node.op, "name", "") not in (
        "Add",
        "Sub",
        "Mul",
        "Neg",
        "Cast",
        "Reshape",
    ):
        return ()
    return node.inputs if all(_is_integer(i) for i in (node, *node.inputs)) else ()


def _is_integer(node: Node) -> bool:
    """Whether `node` is one integer of a type in which sums of positions have room."""
    kind = tensor_type(node)
    return kind is not None and kind.dtype in (dt.int32, dt.int64) and all(n == 1 for n in kind.shape)


def _combined(node: Node, terms: list[Term]) -> Term:
    if isinstance(node, Constant) and _is_integer(node):
        return {}, int(node.value.item())
    if not terms:
        return {node: 1}, 0
    name = getattr(node.op, "name", "")  # type: ignore[attr-defined]
    if name in ("Cast", "Reshape"):
        return terms[0]
    if name == "Neg":
        return _scaled(terms[0], -1)
    if name == "Mul":
        numbers = [t for t in terms if not t[0]]
        if not numbers:
            return {node: 1}, 0
        return _scaled(terms[0] if terms[1] is numbers[-1] else terms[1], numbers[-1][1])
    (left, first), (right, second) = terms[0], _scaled(terms[1], -1 if name == "Sub" else 1)
    summed = {k: left.get(k, 0) + right.get(k, 0) for k in (left | right)}
    summed = {k: count for k, count in summed.items() if count}
    return (summed, first + second) if len(summed) <= _MOST_TERMS else ({node: 1}, 0)


def _scaled(term: Term, factor: int) -> Term:
    return ({k: count * factor for k, count in term[0].items()} if factor else {}), term[1] * factor
