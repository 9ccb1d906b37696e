"""What one operator call hands back to its operands.

Without an outer tape the gradient rule is traced once per (operator, attributes, types, wanted operands) into a graph, and runs as one
native plan from then on. Under an outer tape the rule runs operator by operator, so that it is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from mindspore import _native
from mindspore.common.builder import EAGER
from mindspore.common.eager import operand_types
from mindspore.common.plans import planned_graph
from mindspore.common.tensor import Tensor
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.rewrite import inline
from mindspore.ir.types import TensorType

Wanted = tuple[bool, ...]


class Call(Protocol):
    """A recorded operator call."""

    @property
    def op(self) -> Operator: ...
    @property
    def operands(self) -> tuple[Any, ...]: ...
    @property
    def attrs(self) -> Mapping[str, Any]: ...
    @property
    def results(self) -> tuple[Any, ...]: ...
    @property
    def several(self) -> bool: ...


def cotangents(call: Call, given: Sequence[Any], wanted: Wanted) -> Sequence[Any]:
    """One gradient, or None for zero, per operand; `given` has one cotangent, or None, per result."""
    rule = call.op.gradient
    if isinstance(rule, NotDifferentiable):
        raise TypeError(f"{call.op.name} has no gradient: {rule.why}.")
    if _native.get_tape() is not None:
        return _recorded(call, given, wanted)
    return _planned(call, given, wanted)


def _recorded(call: Call, given: Sequence[Any], wanted: Wanted) -> Sequence[Any]:
    """The rule run on tensors, each operator recorded on the outer tape."""
    inputs = promoted(EAGER, call.op, call.operands)
    gradients = _apply_rule(EAGER, call, inputs, call.results, given)
    parts = zip(gradients, call.operands, wanted, strict=True)
    return [as_operand(EAGER, g, o) if w else None for g, o, w in parts]


def promoted(b: Any, op: Operator, operands: Sequence[Any]) -> list[Any]:
    """What the rule sees: operands after implicit conversion, numbers as tensors."""
    if all(isinstance(o, Tensor) for o in operands) and len({o.dtype for o in operands}) == 1 and op.promote != "float":
        return list(operands)
    return b.promoted(op, operands)  # type: ignore[no-any-return]


def _apply_rule(
    b: Any, call: Call, inputs: Sequence[Any], results: Sequence[Any], given: Sequence[Any]
) -> Sequence[Any]:
    assert callable(call.op.gradient)
    if call.several:
        return call.op.gradient(b, *inputs, tuple(results), tuple(given), **call.attrs)  # type: ignore[no-any-return]
    return call.op.gradient(b, *inputs, results[0], given[0], **call.attrs)  # type: ignore[no-any-return]


def as_operand(b: Any, gradient: Any, operand: Any) -> Any:
    """A gradient in the type of the operand as it was before implicit conversion; None stays."""
    if gradient is None:
        return None
    return gradient if b.dtype(gradient) is b.dtype(operand) else b.cast(gradient, dtype=b.dtype(operand))


def filled(b: Any, given: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    return [b.zeros_like(r) if g is None else g for g, r in zip(given, results, strict=True) if b.dtype(r).kind in "fc"]


_programs: dict[Any, Any] = {}


def _planned(call: Call, given: Sequence[Any], wanted: Wanted) -> Sequence[Any]:
    """The rule as a native program, found by operator, attributes and what is wanted; its dispatcher tells types apart."""
    present = tuple(g is not None for g in given)
    key = (call.op, wanted, present, call.several, _frozen(call.attrs))
    program = _programs.get(key)
    if program is None:
        program = _programs[key] = _program(call, present, wanted)
    found = iter(program(*call.operands, *call.results, *[g for g in given if g is not None]))
    return [next(found) if w else None for w in wanted]


def _frozen(attrs: Mapping[str, Any]) -> Any:
    return tuple((k, tuple(v) if isinstance(v, list) else v) for k, v in attrs.items()) if attrs else ()


def _program(call: Call, present: tuple[bool, ...], wanted: Wanted) -> Any:
    op, attrs, several = call.op, dict(call.attrs), call.several
    count, results = len(call.operands), len(call.results)

    def resolve(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Callable[..., Any]:
        types = operand_types(op, args[:count])
        output_types = [a.__tensor_type__ for a in args[count : count + results]]
        graph = _trace(_Traced(op, attrs, several), types, output_types, present, wanted)
        numbers = [(i, types[i].dtype.code) for i, a in enumerate(args[:count]) if not isinstance(a, Tensor)]
        return _runner(graph, numbers, sum(wanted))

    return _native.EagerOp(f"{op.name}Grad", count + results + sum(present), resolve)


class _Traced:
    """A call as the tracer sees it: operator and attributes; operands are nodes that are handed over apart."""

    __slots__ = ("attrs", "op", "several")

    def __init__(self, op: Operator, attrs: Mapping[str, Any], several: bool) -> None:
        self.op, self.attrs, self.several = op, attrs, several


def _trace(
    call: Any, types: Sequence[TensorType], outputs: Sequence[TensorType], present: Sequence[bool], wanted: Wanted
) -> Graph:
    """The graph (operands, results, cotangents) -> one output per wanted operand."""
    b = GraphBuilder()
    operands = [Parameter(f"x{i}", t) for i, t in enumerate(types)]
    results = [Parameter(f"y{i}", t) for i, t in enumerate(outputs)]
    seeds = [Parameter(f"d{i}", t) if p else None for i, (t, p) in enumerate(zip(outputs, present, strict=True))]
    inputs = b.promoted(call.op, operands)
    if call.op.gradient is None:
        gradients = _expansion_gradients(b, call, inputs, filled(b, seeds, results), wanted)
    else:
        gradients = list(_apply_rule(b, call, inputs, results, seeds))
    parts: list[Node] = []
    for gradient, operand, want in zip(gradients, operands, wanted, strict=True):
        if want:
            cast = as_operand(b, gradient, operand)
            parts.append(b.zeros_like(operand) if cast is None else cast)
    parameters = [*operands, *results, *[s for s in seeds if s is not None]]
    return Graph(f"{call.op.name}_gradient", parameters, b.tuple(parts))


def _expansion_gradients(
    b: GraphBuilder, call: Any, inputs: Sequence[Node], seeds: Sequence[Node], wanted: Wanted
) -> list[Any]:
    """Gradients of the expansion of a composite without a rule, as nodes over `inputs` and `seeds`."""
    from mindspore.autodiff.reverse import value_and_grad_graph

    parameters = [Parameter(f"e{i}", n.type) for i, n in enumerate(inputs)]
    inner = Graph(call.op.name, parameters, call.op.expand(b, *parameters, **call.attrs))
    positions = [i for i, w in enumerate(wanted) if w]
    whole = value_and_grad_graph(inner, positions, sens=True)
    result = inline(whole, [*inputs, *seeds])
    count = len(inner.outputs())
    found = {p: b.get(result, count + k) for k, p in enumerate(positions)}
    return [found.get(i) for i in range(len(inputs))]


def _runner(graph: Graph, numbers: Sequence[tuple[int, int]], count: int) -> Callable[..., Any]:
    """Runs `graph`: an output that is an operand is handed through, the others come from one native plan."""
    outputs = graph.outputs()
    handed = {k: graph.parameters.index(o) for k, o in enumerate(outputs) if isinstance(o, Parameter)}
    computed = [o for o in outputs if not isinstance(o, Parameter)]
    if not computed:
        return lambda *args: tuple(args[handed[k]] for k in range(count))
    reduced = Graph(graph.name, graph.parameters, GraphBuilder().tuple(computed))
    native = planned_graph(reduced, numbers)
    if not handed:
        return native  # type: ignore[no-any-return]

    def run(*args: Any) -> tuple[Any, ...]:
        found = iter(native(*args))
        return tuple(args[handed[k]] if k in handed else next(found) for k in range(count))

    return run
