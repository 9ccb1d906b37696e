"""Calls with a gradient of their own: in a function that is differentiated they become one node with a forward and a backward part."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from collections.abc import Sequence as Items
from types import MappingProxyType
from typing import Any

from mindspore.base.bprops import check_count, check_kind, check_shape
from mindspore.base.protocols import CALL_STYLE, RECOMPUTE, BackwardHooks
from mindspore.infer.closed import Closed, closed_call, tensor_kind
from mindspore.infer.machine import Machine, tensor_type
from mindspore.infer.result import Rebuild, taken_apart
from mindspore.infer.state import tensor
from mindspore.infer.structure import describe, elements, is_sequence, make_tuple
from mindspore.infer.values import Abstract, Known
from mindspore.ir.graph import CUSTOM, Apply, Graph, Node, Parameter
from mindspore.ir.rewrite import separate
from mindspore.ir.types import TensorType, TupleType

Arguments = tuple[Abstract, ...]


def guard_style(machine: Machine, function: Any) -> None:
    """The graph holds as long as calls of the object `function` mean the same."""
    machine.guards.log.append(("style", function, None, None))
    if hasattr(function, CALL_STYLE):
        machine.guards.attribute(function, CALL_STYLE, getattr(function, CALL_STYLE))


def gradient_rule(machine: Machine, function: Any) -> Any:
    """How a call of the object `function` is differentiated, if it is: the `rule` of `with_gradient`, or None for the usual way."""
    if not machine.gradients or not hasattr(function, "__graph_gradient__"):
        return None
    return function.__graph_gradient__()


def with_gradient(
    machine: Machine, function: Abstract, rule: Any, args: Arguments, kwargs: Mapping[str, Abstract]
) -> Abstract:
    """``function(*args)`` with the gradient that `rule` says.

    It is `RECOMPUTE`, `BackwardHooks`, or a function (*args, result, cotangent) -> gradients.

    Raises:
        ValueError, TypeError: the gradients do not fit the arguments.
    """
    if isinstance(function, Known) and rule is not RECOMPUTE and not isinstance(rule, BackwardHooks):
        args, kwargs = _by_position(function.value, args, kwargs), {}
    leaves: list[Node] = []
    rebuild = [taken_apart(machine, a, leaves) for a in args]
    by_name = {k: taken_apart(machine, v, leaves) for k, v in kwargs.items()}
    fresh = {Parameter(f"x{i}", n.type, n.location): n for i, n in enumerate(leaves)}

    def run() -> Abstract:
        given = list(fresh)
        return machine.call(function, tuple(r(given) for r in rebuild), {k: r(given) for k, r in by_name.items()})

    inner = closed_call(machine, run, fresh, name=_name(function))
    separate(inner.graph)  # its forward part becomes one with what the backward part computes again
    if rule is RECOMPUTE:
        wrt = tuple(
            i for i, n in enumerate(inner.named) if isinstance(n.type, TensorType) and n.type.dtype.kind in "fc"
        )
        backward = machine.expanders["recompute"](inner.graph, wrt)
        return _emitted(machine, inner, inner.graph, backward, inner.arguments, wrt)
    if isinstance(rule, BackwardHooks):
        return _with_hooks(machine, inner, rule, rebuild, leaves)
    return _with_rule(machine, inner, rule, rebuild, leaves)


def _with_hooks(
    machine: Machine, inner: Closed, rule: BackwardHooks, rebuild: Items[Rebuild], leaves: Items[Node]
) -> Abstract:
    """The usual gradient between the user's functions. Its forward part is that of the call, which later becomes one with it."""
    arguments = [Parameter(f"x{i}", n.type, n.location) for i, n in enumerate(inner.named)]
    results = inner.graph.outputs()
    outs, seeds = ([Parameter(f"{p}{i}", o.type) for i, o in enumerate(results)] for p in "yd")
    wrt = tuple(i for i, n in enumerate(inner.named) if isinstance(n.type, TensorType) and n.type.dtype.kind in "fc")
    plain = Graph(inner.graph.name, inner.graph.parameters, inner.graph.result, inner.graph.location)
    moving = [i for i, o in enumerate(results) if isinstance(o.type, TensorType) and o.type.dtype.kind in "fc"]
    whole = machine.expanders["grad"](plain, wrt, sens=True, differentiated=tuple(moving))
    fresh = {p: p for p in (*arguments, *outs, *seeds)}

    def run() -> Abstract:
        given = machine.call(Known(rule.before), (_tuple(inner.value[0](seeds)),))
        cotangents: list[Node] = []
        taken_apart(machine, given, cotangents)
        check_kind(rule.before, 0, len(cotangents) == inner.head, f"{len(cotangents)} tensor(s) for {inner.head}")
        every = [*cotangents, *seeds[inner.head :]]
        found = machine.emitter.inlined(whole, [*arguments, *(_typed(machine, every[i], results[i]) for i in moving)])
        gradients: list[Any] = [
            machine.emitter.zeros_like(a) if isinstance(a.type, TensorType) else a for a in arguments
        ]
        for position, gradient in zip(wrt, found[len(results) :], strict=True):
            gradients[position] = gradient
        own = make_tuple([r(gradients) for r in rebuild])
        after = machine.call(Known(rule.after), (own, given))
        seen: list[Node] = []
        for position, (part, argument) in enumerate(
            zip(elements(machine, after), [r(arguments) for r in rebuild], strict=True)
        ):
            _collect(machine, rule.after, position, part, argument, seen)
        gradients[: len(seen)] = seen
        return make_tuple([_typed(machine, gradients[i], arguments[i]) for i in wrt])

    made = closed_call(machine, run, fresh, name=f"{inner.graph.name}_hooked")
    return _joined(machine, inner, made, inner.arguments, len(inner.named), wrt)


def _tuple(value: Abstract) -> Abstract:
    return value if is_sequence(value) else make_tuple((value,))


def _name(function: Abstract) -> str:
    named = function.value if isinstance(function, Known) else function
    return str(getattr(named, "__qualname__", type(named).__name__)).replace(".", "_")


def _by_position(function: Any, args: Arguments, kwargs: Mapping[str, Abstract]) -> Arguments:
    """All arguments in the order of the function's parameters, defaults among them."""
    if not kwargs:
        return args
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return tuple(a if isinstance(a, Abstract) else Known(a) for a in bound.args)


def _with_rule(machine: Machine, inner: Closed, rule: Any, rebuild: Items[Rebuild], leaves: Items[Node]) -> Abstract:
    """Closes the user's backward function over its own parameters, and brings both parts to one list of arguments."""
    arguments = [Parameter(f"x{i}", n.type, n.location) for i, n in enumerate(leaves)]
    outs, seeds = ([Parameter(f"{p}{i}", o.type) for i, o in enumerate(inner.graph.outputs())] for p in "yd")
    fresh = {p: p for p in (*arguments, *outs, *seeds)}
    function = Known(rule)

    def run() -> Abstract:
        given = [r(arguments) for r in rebuild]
        result = machine.call(function, (*given, inner.value[0](outs), inner.value[0](seeds)))
        return make_tuple(_gradients(machine, rule, result, given, arguments))

    made = closed_call(machine, run, fresh, name=f"{inner.graph.name}_bprop")
    return _joined(machine, inner, made, leaves, len(leaves), tuple(range(len(leaves))))


def _joined(
    machine: Machine, inner: Closed, made: Closed, leaves: Items[Node], lead: int, wrt: tuple[int, ...]
) -> Abstract:
    """Brings both parts to one list of arguments: `leaves`, the `lead` first ones of both, then what either reads from outside."""
    if made.written:
        raise TypeError("a 'bprop' must not assign Parameters or other state: its gradients would depend on the order.")
    own = lead + 2 * len(inner.graph.outputs())
    read = list(dict.fromkeys([*inner.named[lead:], *made.named[own:]]))
    forward = _widened(inner.graph, inner.named, lead, read)
    backward = _widened(made.graph, made.named, own, read)
    parameters = backward.parameters
    ordered = [*parameters[:lead], *parameters[own:], *parameters[lead:own]]
    backward = Graph(backward.name, ordered, backward.result, backward.location)
    return _emitted(machine, inner, forward, backward, [*leaves, *read], wrt)


def _widened(graph: Graph, named: Items[Node], lead: int, read: Items[Node]) -> Graph:
    """`graph` with parameters for all of `read` behind its first ones, whether it reads them or not."""
    known = dict(zip(named[lead:], graph.parameters[lead:], strict=True))
    more = [known.get(n) or Parameter(f"c{i}", n.type, n.location) for i, n in enumerate(read)]
    return Graph(graph.name, [*graph.parameters[:lead], *more], graph.result, graph.location)


def _gradients(machine: Machine, rule: Any, result: Abstract, args: Items[Abstract], leaves: Items[Node]) -> list[Node]:
    """What the user's function returned as one gradient per tensor of the arguments, of its type."""
    if not is_sequence(result):
        result = make_tuple((result,))
    parts = elements(machine, result)
    check_count(rule, len(args), len(parts))
    found: list[Node] = []
    for position, (part, argument) in enumerate(zip(parts, args, strict=True)):
        _collect(machine, rule, position, part, argument, found)
    return [_typed(machine, gradient, leaf) for gradient, leaf in zip(found, leaves, strict=True)]


def _collect(machine: Machine, rule: Any, position: int, part: Abstract, argument: Abstract, found: list[Node]) -> None:
    """Appends the gradients of the tensors in `argument`; None stands for zero."""
    if (kind := tensor_type(argument)) is not None:
        none = isinstance(part, Known) and part.value is None
        number = isinstance(part, Known) and isinstance(part.value, int | float) and not kind.shape
        check_kind(rule, position, none or number or tensor_type(part) is not None, describe(part))
        made: Node = machine.emitter.zeros_like(argument) if none else tensor(machine, part)
        check_shape(rule, position, kind.shape, tensor_kind(made).shape)
        found.append(made)
    elif is_sequence(argument) and (inside := elements(machine, argument)):
        none = isinstance(part, Known) and part.value is None
        check_kind(rule, position, none or is_sequence(part), describe(part))
        parts = [Known(None)] * len(inside) if none else elements(machine, part)
        check_kind(rule, position, len(parts) == len(inside), f"{len(parts)} of them for {len(inside)}")
        for each, value in zip(parts, inside, strict=True):
            _collect(machine, rule, position, each, value, found)


def _typed(machine: Machine, gradient: Node, leaf: Node) -> Node:
    node: Node = machine.emitter.converted(gradient, tensor_kind(leaf).dtype)
    return node


def _emitted(
    machine: Machine, inner: Closed, forward: Graph, backward: Graph, arguments: Items[Node], wrt: tuple[int, ...]
) -> Abstract:
    """Writes the node; the value of the call."""
    emitter = machine.emitter
    inputs = (emitter.function(forward), emitter.function(backward), *arguments)
    attrs = MappingProxyType({"wrt": wrt})
    node = emitter.own(Apply(CUSTOM, inputs, attrs, forward.result.type, emitter.location))
    assert isinstance(node.type, TupleType)
    outputs = [emitter.get(node, i) for i in range(len(node.type.elements))]
    inner.write_back(machine, outputs)
    return inner.parts(outputs)[0]
