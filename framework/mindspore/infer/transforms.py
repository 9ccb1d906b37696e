"""Gradients: the inner function becomes a closed typed graph, the expander adds the gradients, and the result is written inline."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any

from mindspore.infer.control import scoped
from mindspore.infer.heap import Layer
from mindspore.infer.machine import Ended, Machine, dispatchers, tensor_type
from mindspore.infer.result import Rebuild, taken_apart, wrapped
from mindspore.infer.state import read, tensor
from mindspore.infer.structure import describe, elements, is_sequence
from mindspore.infer.values import NEVER, Abstract, Known, Transformed
from mindspore.infer.whiles import packed, unpacked
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.types import TensorType

Arguments = tuple[Abstract, ...]


@dataclass(slots=True)
class _Inner:
    """The differentiated function as a closed graph. Its outputs are the tensors of the value, then those of written state."""

    graph: Graph
    named: list[Node]
    """The nodes that the graph's parameters stand for: first the fresh ones of the differentiated arguments."""
    arguments: list[Node]
    value: list[Rebuild]
    leaves: list[Node]
    head: int
    """How many leaves belong to what is differentiated."""
    written: list[tuple[Any, Rebuild]]


def gradient(machine: Machine, function: Transformed, args: Arguments, kwargs: Mapping[str, Abstract]) -> Abstract:
    """``grad(function)(*args)``.

    Options: ``positions`` (of arguments to differentiate for; None: every tensor), ``weights`` (Parameter objects), ``sens`` (the last
    argument is the cotangent of the value), ``has_aux`` (only the first result is differentiated), and ``pack``: a Python function
    ``(value, gradients of arguments, gradients of weights) -> result`` that only indexes and makes tuples.

    Raises:
        TypeError, ValueError: a position has no tensor, or the cotangent does not fit the value.
    """
    options = function.options
    if options["sens"] and not args:
        raise TypeError(
            "the gradient function takes the sensitivity as its last argument, but it is called without arguments."
        )
    given, sens = (args[:-1], args[-1]) if options["sens"] else (args, None)
    positions = _positions(options["positions"], given)
    weights = [read(machine, w) for w in options["weights"] or ()]
    inner = _specialised(machine, function.function, given, kwargs, positions, bool(options["has_aux"]))
    if not inner.value:
        _write(machine, inner, machine.emitter.inlined(inner.graph, inner.arguments))
        raise Ended
    chosen = [i for i, leaf in enumerate(inner.leaves[: inner.head]) if _kind(leaf).dtype.kind in "fc"]
    seeds = [] if sens is None else _seeds(machine, sens, inner, chosen)
    wrt = [*range(len(positions)), *[inner.named.index(w) for w in weights if w in inner.named]]
    expand = machine.expanders["grad"]
    expanded = expand(inner.graph, tuple(wrt), sens=sens is not None, differentiated=tuple(chosen))
    outputs = machine.emitter.inlined(expanded, [*inner.arguments, *seeds])
    return _result(machine, options["pack"], inner, outputs, len(positions), weights, bool(options["has_aux"]))


dispatchers["transform grad"] = gradient


def _kind(node: Node) -> TensorType:
    assert isinstance(node.type, TensorType)
    return node.type


def _positions(wanted: Items[int] | None, args: Arguments) -> list[int]:
    if wanted is None:
        return [i for i, a in enumerate(args) if tensor_type(a) is not None]
    for position in wanted:
        if not 0 <= position < len(args):
            raise IndexError(
                f"grad_position {position} is out of range: the function is called with {len(args)} argument(s)."
            )
        value = args[position]
        if tensor_type(value) is None and not (isinstance(value, Known) and isinstance(value.value, float)):
            raise TypeError(f"the argument at grad_position {position} must be a tensor, got {describe(value)}.")
    return list(wanted)


def _specialised(
    machine: Machine,
    function: Abstract,
    args: Arguments,
    kwargs: Mapping[str, Abstract],
    positions: list[int],
    has_aux: bool,
) -> _Inner:
    """Specialises the function with fresh parameters in the place of the arguments to differentiate for."""
    actual = {p: tensor(machine, args[p]) for p in positions}
    fresh = {p: Parameter(f"x{p}", n.type, n.location) for p, n in actual.items()}
    call_args = tuple(fresh.get(i, a) for i, a in enumerate(args))
    made = scoped(machine, lambda: machine.call(function, call_args, kwargs), conditional=False)
    layer, owned = made.layer, made.nodes
    machine.heap.push(layer)
    machine.emitter.scopes.append(owned)
    parts = () if made.result is NEVER else _parts(machine, made.result, has_aux)
    leaves: list[Node] = []
    value = [taken_apart(machine, p, leaves) for p in parts[:1]]
    head = len(leaves)
    value += [taken_apart(machine, p, leaves) for p in parts[1:]]
    outputs = list(leaves)
    written = _written(machine, layer, outputs)
    machine.emitter.close()
    machine.heap.pop()
    own = set(fresh.values())
    named: list[Node] = [*fresh.values(), *[n for n in machine.emitter.free(outputs, owned) if n not in own]]
    graph = machine.emitter.closed("differentiated", outputs, owned, named)
    arguments = [*actual.values(), *named[len(fresh) :]]
    return _Inner(graph, named, arguments, value, leaves, head, written)


def _parts(machine: Machine, result: Abstract, has_aux: bool) -> Arguments:
    if not has_aux:
        return (result,)
    if not is_sequence(result):
        raise TypeError(
            f"has_aux=True needs a function that returns a tuple of a value and more, got {describe(result)}."
        )
    return elements(machine, result)


def _written(machine: Machine, layer: Layer, outputs: list[Node]) -> list[tuple[Any, Rebuild]]:
    """State from outside that the function wrote; its tensors become outputs."""
    below = machine.heap.layers[:-1]
    keys = [k for k in layer if any(k in each for each in below)]
    return [(k, taken_apart(machine, packed(k, layer[k]), outputs)) for k in keys]


def _seeds(machine: Machine, sens: Abstract, inner: _Inner, chosen: list[int]) -> list[Node]:
    """One cotangent per differentiated output, of its type."""
    given: list[Node] = []
    taken_apart(machine, sens if tensor_type(sens) is not None or is_sequence(sens) else tensor(machine, sens), given)
    if len(given) != inner.head:
        raise ValueError(f"the sensitivity has {len(given)} tensor(s), but the differentiated result has {inner.head}.")
    seeds = []
    for index in chosen:
        wanted, seed = _kind(inner.leaves[index]), given[index]
        if _kind(seed).shape != wanted.shape:
            raise ValueError(f"the sensitivity must have the shape of the result, {wanted}, but got {seed.type}.")
        seeds.append(machine.emitter.converted(seed, wanted.dtype))
    return seeds


def _write(machine: Machine, inner: _Inner, outputs: Items[Node]) -> None:
    for key, rebuild in inner.written:
        machine.heap.set(key, unpacked(key, rebuild(outputs), machine.heap.get(key)))


def _result(
    machine: Machine,
    pack: Any,
    inner: _Inner,
    outputs: Items[Node],
    positions: int,
    weights: list[Node],
    has_aux: bool,
) -> Abstract:
    """Writes the state that the function wrote, and hands value and gradients to `pack`."""
    _write(machine, inner, outputs)
    values = [r(outputs) for r in inner.value]
    gradients = iter(outputs[len(inner.graph.outputs()) :])
    of_arguments = [next(gradients) for _ in range(positions)]
    of_weights = [next(gradients) if w in inner.named else _zeros(machine, w) for w in weights]
    return wrapped(pack(tuple(values) if has_aux else values[0], of_arguments, of_weights))


def _zeros(machine: Machine, like: Node) -> Node:
    """The gradient of a weight that the function does not read."""
    zeros: Node = machine.emitter.zeros_like(like)
    return zeros
