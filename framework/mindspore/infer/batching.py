"""``vmap``: the function becomes a closed graph for one row, and the expander makes it one for all rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore.infer.closed import closed_call, tensor_kind
from mindspore.infer.machine import Machine, dispatchers, tensor_type
from mindspore.infer.state import tensor
from mindspore.infer.structure import describe, elements, is_sequence, make_list, make_tuple
from mindspore.infer.values import Abstract, Dict, List, Sequence, Transformed
from mindspore.ir.graph import Node, Parameter
from mindspore.ir.types import TensorType

Arguments = tuple[Abstract, ...]
Visit = Callable[[Abstract, Any], Abstract]


def vmapped(machine: Machine, function: Transformed, args: Arguments, kwargs: Mapping[str, Abstract]) -> Abstract:
    """``vmap(function, in_axes, out_axes)(*args)``; named arguments are the same for all rows.

    Raises:
        RuntimeError: axes and arguments or results do not fit, or no argument has rows.
    """
    in_axes = function.options["in_axes"]
    rows = _Rows(machine)
    if isinstance(in_axes, tuple) and len(in_axes) != len(args):
        raise RuntimeError(
            "When vmap`s 'in_axes' is a tuple or list, and its size must be equal to the number of arguments of 'fn': "
            f"{len(args)}, but got size: {len(in_axes)}."
        )
    axes = in_axes if isinstance(in_axes, tuple) else (in_axes,) * len(args)
    given = tuple(rows.taken(a, axis) for a, axis in zip(args, axes, strict=True))
    if rows.size is None:
        raise RuntimeError(
            f"vmap needs a tensor with an axis in 'in_axes', but got {in_axes} for {len(args)} argument(s)."
        )
    inner = closed_call(machine, lambda: machine.call(function.function, given, kwargs), rows.fresh, name="row")
    flags = [i < len(rows.fresh) for i in range(len(inner.graph.parameters))]
    batched, has_rows = machine.expanders["vmap"](inner.graph, flags, rows.size)
    outputs = machine.emitter.inlined(batched, inner.arguments)
    if any(has_rows[len(inner.leaves) :]):
        raise RuntimeError(
            "vmap: the function writes a value that differs from row to row to a Parameter or other state; return it instead."
        )
    inner.write_back(machine, outputs)
    known = {id(n): r for n, r in zip(outputs, has_rows, strict=True)}
    return _Results(machine, known, rows.size).placed(inner.parts(outputs)[0], function.options["out_axes"])


dispatchers["transform vmap"] = vmapped


def _each(machine: Machine, value: Abstract, axes: Any, visit: Visit, what: str, whose: str) -> Abstract:
    """A container with `visit` of each element and its part of `axes`; other values as they are."""
    if not is_sequence(value):
        if isinstance(value, Dict):
            items = machine.heap.get(value)
            made = Dict()
            machine.heap.set(made, {k: visit(v, axes) for k, v in items.items()})
            return made
        return value
    inside = elements(machine, value)
    if isinstance(axes, tuple) and len(axes) != len(inside):
        raise RuntimeError(
            f"The size of vmap's {what} should be equal to the number of {whose}: {len(inside)}, but got size: {len(axes)}."
        )
    parts = axes if isinstance(axes, tuple) else (axes,) * len(inside)
    visited = [visit(v, a) for v, a in zip(inside, parts, strict=True)]
    if isinstance(value, List):
        return make_list(machine, visited)
    return make_tuple(visited, value.cls if isinstance(value, Sequence) else tuple)


class _Rows:
    """Takes arguments apart: `fresh` has a parameter for one row of each tensor that has rows, with the tensor, rows in front."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.fresh: dict[Parameter, Node] = {}
        self.size: int | None = None

    def taken(self, value: Abstract, axes: Any) -> Abstract:
        """`value` for one row."""
        if axes is None:
            return value
        kind = tensor_type(value)
        if kind is None:
            if isinstance(axes, int) and not is_sequence(value) and not isinstance(value, Dict):
                raise RuntimeError(
                    f"vmap: an argument with axis {axes} in 'in_axes' must be a tensor, but got {describe(value)}; give it None."
                )
            return _each(self.machine, value, axes, self.taken, "'in_axes'", "elements of the argument")
        if not isinstance(axes, int):
            raise RuntimeError(f"The axis in vmap`s 'in_axes' can only be of type Int or None, but got {axes!r}.")
        axis = _checked(axes, kind.rank, "in_axes")
        if self.size not in (None, kind.shape[axis]):
            raise RuntimeError(
                "The 'axis_size' of each argument in the scope of 'vmap' should be equal, but got "
                f"{self.size} and {kind.shape[axis]}."
            )
        self.size = kind.shape[axis]
        one = TensorType(kind.dtype, (*kind.shape[:axis], *kind.shape[axis + 1 :]))
        parameter = Parameter(f"row{len(self.fresh)}", one)
        self.fresh[parameter] = _moved(self.machine, tensor(self.machine, value), axis, 0)
        return parameter


def _checked(axis: int, rank: int, what: str) -> int:
    if not -rank <= axis < rank:
        raise RuntimeError(f"The axis: {axis} in '{what}' is out of bounds for array of dimension [{-rank},{rank}).")
    return axis % rank


def _moved(machine: Machine, node: Node, source: int, target: int) -> Node:
    """`node` with one dimension in another place."""
    if source == target:
        return node
    order = [i for i in range(tensor_kind(node).rank) if i != source]
    order.insert(target, source)
    made: Node = machine.emitter.transpose(node, perm=tuple(order))
    return made


class _Results:
    """Puts the rows of results where ``out_axes`` asks for them; `rows` tells by id which nodes have them."""

    def __init__(self, machine: Machine, rows: Mapping[int, bool], size: int) -> None:
        self.machine, self.rows, self.size = machine, rows, size

    def placed(self, value: Abstract, axes: Any) -> Abstract:
        kind = tensor_type(value)
        if kind is None:
            return _each(self.machine, value, axes, self.placed, "'out_axes'", "results of 'fn'")
        if axes is not None and not isinstance(axes, int):
            raise RuntimeError(f"The axis in vmap`s 'out_axes' can only be of type Int or None, but got {axes!r}.")
        node = tensor(self.machine, value)
        has_rows = self.rows.get(id(node), False)
        if axes is None:
            if has_rows:
                raise RuntimeError("vmap: a result that differs from row to row cannot have None in 'out_axes'.")
            return node
        if not has_rows:
            node = self.machine.emitter.broadcast_to(node, shape=(self.size, *tensor_kind(node).shape))
        return _moved(self.machine, node, 0, _checked(axes, tensor_kind(node).rank, "out_axes"))
