"""Gradients: the inner function becomes a closed typed graph, the expander adds the gradients, and the result is written inline."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from typing import Any

from mindspore.base.protocols import GRADIENT_HOOKS
from mindspore.infer.closed import Closed, closed_call, floating, tensor_kind
from mindspore.infer.machine import Machine, dispatchers, tensor_type
from mindspore.infer.objects import instance
from mindspore.infer.result import Rebuild, taken_apart, wrapped
from mindspore.infer.state import read, tensor
from mindspore.infer.structure import describe, elements, is_sequence, make_tuple
from mindspore.infer.values import Abstract, Dict, Instance, Known, List, Transformed
from mindspore.ir.graph import Apply, Graph, Node, Parameter
from mindspore.ir.types import TensorType

Arguments = tuple[Abstract, ...]


def gradient(machine: Machine, function: Transformed, args: Arguments, kwargs: Mapping[str, Abstract]) -> Abstract:
    """``grad(function)(*args)``.

    Options: ``positions`` (of arguments to differentiate for; None: every tensor), ``weights`` (Parameter objects), ``sens`` (the last
    argument is the cotangent of the value), ``has_aux`` (only the first result is differentiated), ``rows`` (the class of gradients
    of weights that are some rows and else zero), and ``pack``: a Python function
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
    positions = _positions(machine, options["positions"], given, nested=True)
    weights = [read(machine, w) for w in options["weights"] or ()]
    inner, forms, count = _closed(machine, function.function, given, kwargs, positions, bool(options["has_aux"]))
    wrt = [*range(count), *[inner.named.index(w) for w in weights if w in inner.named]]
    chosen = inner.moved_by(wrt)
    seeds = [] if sens is None else _seeds(machine, sens, inner.results, "the sensitivity", chosen)
    expanded = machine.expanders["grad"](inner.graph, tuple(wrt), sens=sens is not None, differentiated=tuple(chosen))
    outputs = machine.emitter.inlined(expanded, [*inner.arguments, *seeds])
    inner.write_back(machine, outputs)
    gradients = outputs[len(inner.graph.outputs()) :]
    of_weights = _of_weights(machine, inner, weights, gradients[count:])
    of_weights = [_hooked(machine, w, g) for w, g in zip(options["weights"] or (), of_weights, strict=True)]
    of_arguments = [form(gradients) for form in forms]
    parts = inner.parts(outputs)
    found = [_rows(machine, g, options.get("rows")) for g in of_weights]
    return wrapped(options["pack"](tuple(parts) if options["has_aux"] else parts[0], of_arguments, found))


def pulled_back(machine: Machine, function: Transformed, args: Arguments, kwargs: Mapping[str, Abstract]) -> Abstract:
    """``vjp(function)(*args)``: the value, a function from cotangents to gradients that holds residuals, and auxiliary results.

    Options: ``weights``, ``has_aux``, and ``pack``, which tells the form of the gradients; ``leaves``: the function is to leave the
    graph, so its settings and what it holds take its place.
    """
    options = function.options
    has_aux, leaves = bool(options["has_aux"]), bool(options.get("leaves"))
    positions = _positions(machine, None, args)
    weights = [read(machine, w) for w in options["weights"] or ()]
    inner, _, _ = _closed(machine, function.function, args, kwargs, positions, has_aux)
    wrt = [*range(len(positions)), *[inner.named.index(w) for w in weights if w in inner.named]]
    forward, backward = machine.expanders["vjp"](inner.graph, tuple(wrt), tuple(inner.floating), leaves)
    outputs = machine.emitter.inlined(forward, inner.arguments)
    inner.write_back(machine, outputs)
    count = len(inner.graph.outputs())
    unread = [machine.emitter.zeros_like(w) for w in weights if w not in inner.named]
    held = make_tuple([*outputs[count:], *unread])
    settings = {
        "backward": backward,
        "results": inner.results,
        "positions": len(positions),
        "read": tuple(w in inner.named for w in weights),
        "pack": options["pack"],
    }
    value, *aux = inner.parts(outputs)
    if not leaves:
        return wrapped((value, Transformed("pullback", held, settings), *_auxiliary(aux)))
    return wrapped((value, Known(settings), held, *_auxiliary(aux)))


def pull(machine: Machine, function: Transformed, args: Arguments, kwargs: Mapping[str, Abstract]) -> Abstract:
    """The call of a function that `vjp` made: the cotangents of the value, one by one or as the value's own tuple."""
    options = function.options
    if not args or kwargs:
        raise TypeError("the function that vjp returns takes the cotangents of the result, by position.")
    given = args[0] if len(args) == 1 else make_tuple(args)
    seeds = _seeds(machine, given, options["results"], "the cotangent")
    backward: Graph = options["backward"]
    held = [tensor(machine, h) for h in elements(machine, function.function)]
    split = len(backward.parameters) - len(seeds)
    gradients = machine.emitter.inlined(backward, [*held[:split], *seeds])
    positions = options["positions"]
    found, unread = iter(gradients[positions:]), iter(held[split:])
    of_weights = [next(found if was_read else unread) for was_read in options["read"]]
    return wrapped(options["pack"](gradients[:positions], of_weights))


def pushed_forward(
    machine: Machine, function: Transformed, args: Arguments, kwargs: Mapping[str, Abstract]
) -> Abstract:
    """``jvp(function)(inputs, v)``: the value, its derivative in the direction `v`, and auxiliary results. Option ``has_aux``.

    Raises:
        TypeError, ValueError: `v` does not fit the inputs.
    """
    has_aux = bool(function.options["has_aux"])
    inputs, directions = (elements(machine, a) if is_sequence(a) else (a,) for a in args)
    if len(inputs) != len(directions):
        raise ValueError(f"v has invalid length: should be {len(inputs)}, but got {len(directions)}")
    positions = _positions(machine, tuple(range(len(inputs))), inputs)
    inner, _, _ = _closed(machine, function.function, inputs, kwargs, positions, has_aux)
    given = [
        _fitting(machine, tensor(machine, v), tensor_kind(p), "v")
        for v, p in zip(directions, inner.named, strict=False)
    ]
    expanded = machine.expanders["jvp"](inner.graph, tuple(range(len(positions))), tuple(inner.floating))
    outputs = machine.emitter.inlined(expanded, [*inner.arguments, *given])
    inner.write_back(machine, outputs)
    tangents: list[Node] = [machine.emitter.zeros_like(leaf) for leaf in outputs[: inner.head]]
    for position, tangent in zip(inner.floating, outputs[len(inner.graph.outputs()) :], strict=True):
        tangents[position] = tangent
    value, *aux = inner.parts(outputs)
    return wrapped((value, inner.value[0](tangents), *_auxiliary(aux)))


def jacobian(machine: Machine, function: Transformed, args: Arguments, kwargs: Mapping[str, Abstract]) -> Abstract:
    """``jacfwd(function)(*args)`` or ``jacrev``: for each result a tuple of its derivatives, or the only one.

    Options: ``positions``, ``has_aux`` and ``forward``.
    """
    options = function.options
    positions = _positions(machine, options["positions"], args)
    inner, _, _ = _closed(machine, function.function, args, kwargs, positions, bool(options["has_aux"]))
    for what, kinds in (("argument", map(tensor_kind, inner.named[: len(positions)])), ("result", inner.results)):
        if other := next((k for k in kinds if k.dtype.kind not in "fc"), None):
            raise TypeError(f"a Jacobian is of floating numbers, but the {what}s have one of type {other}.")
    expanded = machine.expanders["jacobian"](
        inner.graph, tuple(range(len(positions))), tuple(inner.floating), options["forward"]
    )
    outputs = machine.emitter.inlined(expanded, inner.arguments)
    inner.write_back(machine, outputs)
    blocks = outputs[len(inner.graph.outputs()) :]
    width = len(positions)
    rows = [blocks[k * width : (k + 1) * width] for k in range(inner.head)]
    by_leaf: Any = [make_tuple(row) if width > 1 else row[0] for row in rows]
    _, *aux = inner.parts(outputs)
    found = inner.value[0](by_leaf)
    return wrapped((found, *_auxiliary(aux))) if options["has_aux"] else found


dispatchers["transform jacobian"] = jacobian
dispatchers["transform grad"] = gradient
dispatchers["transform vjp"] = pulled_back
dispatchers["transform pullback"] = pull
dispatchers["transform jvp"] = pushed_forward


def _auxiliary(aux: Items[Abstract]) -> Items[Abstract]:
    """Auxiliary results as one more element of the result: a single one as it is, several as a tuple."""
    return aux if len(aux) < 2 else (make_tuple(aux),)


def _positions(machine: Machine, wanted: Items[int] | None, args: Arguments, nested: bool = False) -> list[int]:
    """The positions to differentiate for; `nested`: containers of tensors count, too, and have gradients of their structure."""
    if wanted is None:
        return [i for i, a in enumerate(args) if tensor_type(a) is not None or (nested and a in machine.marked)]
    for position in wanted:
        if not 0 <= position < len(args):
            raise IndexError(
                f"grad_position {position} is out of range: the function is called with {len(args)} argument(s)."
            )
        value = args[position]
        if nested and _is_container(value):
            _check_tensors(machine, position, value)
        elif tensor_type(value) is None and not (isinstance(value, Known) and isinstance(value.value, float)):
            raise TypeError(f"the argument at grad_position {position} must be a tensor, got {describe(value)}.")
    return list(wanted)


def _is_container(value: Abstract) -> bool:
    return isinstance(value, List | Dict | Instance) or is_sequence(value)


def _check_tensors(machine: Machine, position: int, value: Abstract) -> None:
    pending = [value]
    for each in pending:
        if is_sequence(each):
            pending += elements(machine, each)
        elif isinstance(each, Dict | Instance):
            pending += machine.heap.get(each).values()
        elif tensor_type(each) is None:
            raise TypeError(
                f"the argument at grad_position {position} must hold tensors alone to be differentiated for, but it holds "
                f"{describe(each)}."
            )


def _closed(
    machine: Machine,
    function: Abstract,
    args: Arguments,
    kwargs: Mapping[str, Abstract],
    positions: list[int],
    has_aux: bool,
) -> tuple[Closed, list[Rebuild], int]:
    """The call of `function` with fresh parameters in the place of the tensors in the arguments at `positions`.

    Returns:
        The call, how to make each of these arguments, or its gradients, from the parameters, and how many of these there are.
    """
    actual: list[Node] = []
    given = [args[p] if _is_container(args[p]) else tensor(machine, args[p]) for p in positions]
    forms = [taken_apart(machine, each, actual) for each in given]
    fresh = [Parameter(f"x{i}", n.type, n.location) for i, n in enumerate(actual)]
    call_args = list(args)
    for position, form in zip(positions, forms, strict=True):
        call_args[position] = form(fresh)
    made = closed_call(
        machine,
        lambda: machine.call(function, tuple(call_args), kwargs),
        dict(zip(fresh, actual, strict=True)),
        has_aux,
        differentiated=True,
    )
    return made, forms, len(fresh)


def _seeds(
    machine: Machine, sens: Abstract, results: Items[TensorType], what: str, chosen: Items[int] | None = None
) -> list[Node]:
    """One cotangent per `chosen` result, the floating ones by default, of its type; a number stands for a tensor."""
    given: list[Node] = []
    taken_apart(machine, sens if tensor_type(sens) is not None or is_sequence(sens) else tensor(machine, sens), given)
    if len(given) != len(results):
        raise ValueError(f"{what} has {len(given)} tensor(s), but the differentiated result has {len(results)}.")
    return [_fitting(machine, given[i], results[i], what) for i in (floating(results) if chosen is None else chosen)]


def _fitting(machine: Machine, given: Node, wanted: TensorType, what: str) -> Node:
    """`given` in the wanted element type. ValueError when the shapes differ."""
    if tensor_kind(given).shape != wanted.shape:
        of = "argument" if what == "v" else "result"
        raise ValueError(f"{what} must have the shape of the {of}, {wanted}, but got {given.type}.")
    node: Node = machine.emitter.converted(given, wanted.dtype)
    return node


def _hooked(machine: Machine, weight: Any, gradient: Node) -> Node:
    """`gradient` after the hooks of the Parameter, which the graph guards."""
    hooks = getattr(weight, GRADIENT_HOOKS, None)
    machine.guards.attribute(weight, GRADIENT_HOOKS, hooks)
    if hooks is None:
        return gradient
    machine.guards.length(hooks)
    for key, hook in hooks.items():
        machine.guards.item(hooks, key, hook)
        result = machine.call(Known(hook), (gradient,))
        if not (isinstance(result, Known) and result.value is None):
            gradient = _fitting(machine, tensor(machine, result), tensor_kind(gradient), "the gradient of a hook")
    return gradient


def _rows(machine: Machine, gradient: Node, cls: type | None) -> Abstract:
    """A gradient that adds rows to zeros as an object of `cls` that holds these rows."""
    if cls is None or not isinstance(gradient, Apply) or getattr(gradient.op, "name", "") != "ScatterRows":
        return gradient
    values, indices = gradient.inputs
    return instance(machine, cls, {"indices": indices, "values": values, "dense_shape": Known(gradient.attrs["shape"])})


def _of_weights(machine: Machine, inner: Closed, weights: list[Node], gradients: Items[Node]) -> list[Node]:
    """The gradients of `weights`: zero for those that the function does not read."""
    found = iter(gradients)
    return [next(found) if w in inner.named else machine.emitter.zeros_like(w) for w in weights]
