"""What one operator call hands back to its operands.

Without an outer tape the gradient rule is traced once per (operator, attributes, types, wanted operands) into a graph, and runs as one
native plan from then on. Under an outer tape the rule runs operator by operator, so that it is recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore import _native
from mindspore.common.builder import EAGER
from mindspore.common.eager import operand_types
from mindspore.common.plans import planned_graph
from mindspore.common.tensor_class import Tensor
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.rewrite import inline
from mindspore.ir.types import TensorType

Wanted = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """The gradient rule of an operator with these attributes; ``several``: its results and cotangents are tuples."""

    op: Operator
    attrs: Mapping[str, Any]
    several: bool

    def gradients(self, b: Any, inputs: Sequence[Any], results: Sequence[Any], given: Sequence[Any]) -> Sequence[Any]:
        """One gradient, or None, per input, written with `b`."""
        assert callable(self.op.gradient)
        out, d = (tuple(results), tuple(given)) if self.several else (results[0], given[0])
        return self.op.gradient(b, *inputs, out, d, **self.attrs)  # type: ignore[no-any-return]


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded operator call that gradients pass through."""

    rule: Rule
    operands: tuple[Any, ...]
    results: tuple[Any, ...]


def cotangents(step: Step, given: Sequence[Any], wanted: Wanted) -> Sequence[Any]:
    """One gradient, or None for zero, per operand; `given` has one cotangent, or None, per result."""
    op = step.rule.op
    if isinstance(op.gradient, NotDifferentiable):
        raise TypeError(f"{op.name} has no gradient: {op.gradient.why}.")
    if _native.get_tape() is None:
        return _planned(step, given, wanted)
    gradients = step.rule.gradients(EAGER, promoted(EAGER, op, step.operands), step.results, given)
    parts = zip(gradients, step.operands, wanted, strict=True)
    return [as_operand(EAGER, g, o) if w else None for g, o, w in parts]


def promoted(b: Any, op: Operator, operands: Sequence[Any]) -> list[Any]:
    """What the rule sees: operands after implicit conversion, numbers as tensors."""
    if all(isinstance(o, Tensor) for o in operands) and len({o.dtype for o in operands}) == 1 and op.promote != "float":
        return list(operands)
    return b.promoted(op, operands)  # type: ignore[no-any-return]


def as_operand(b: Any, gradient: Any, operand: Any) -> Any:
    """A gradient in the type of the operand as it was before implicit conversion; None stays."""
    if gradient is None:
        return None
    return gradient if b.dtype(gradient) is b.dtype(operand) else b.cast(gradient, dtype=b.dtype(operand))


def filled(b: Any, given: Sequence[Any], results: Sequence[Any]) -> list[Any]:
    """The cotangents of `results`, zeros for those that are None."""
    return [b.zeros_like(r) if g is None else g for g, r in zip(given, results, strict=True)]


_programs: dict[Any, Any] = {}
_MOST_PROGRAMS = 4096


def _planned(step: Step, given: Sequence[Any], wanted: Wanted) -> Sequence[Any]:
    """The rule as a native program, found by operator, attributes and what is wanted; its dispatcher tells types apart."""
    present = tuple(g is not None for g in given)
    key = (step.rule.op, wanted, present, step.rule.several, _frozen(step.rule.attrs))
    program = _programs.get(key)
    if program is None:
        if len(_programs) >= _MOST_PROGRAMS:
            _programs.clear()
        program = _programs[key] = _program(step.rule, len(step.operands), present, wanted)
    found = iter(program(*step.operands, *step.results, *[g for g in given if g is not None]))
    return [next(found) if w else None for w in wanted]


def _frozen(attrs: Mapping[str, Any]) -> Any:
    return tuple((k, _tuples(v)) for k, v in attrs.items()) if attrs else ()


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _program(rule: Rule, count: int, present: tuple[bool, ...], wanted: Wanted) -> Any:
    """A dispatcher over `count` operands, the results, and the cotangents that are present."""
    results = len(present)

    def resolve(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Callable[..., Any]:
        types = operand_types(rule.op, args[:count])
        outputs = [a.__tensor_type__ for a in args[count : count + results]]
        numbers = [(i, types[i].dtype.code) for i, a in enumerate(args[:count]) if not isinstance(a, Tensor)]
        return _runner(_trace(rule, types, outputs, present, wanted), numbers, sum(wanted))

    return _native.EagerOp(f"{rule.op.name}Grad", count + results + sum(present), resolve)


def _trace(
    rule: Rule, types: Sequence[TensorType], outputs: Sequence[TensorType], present: Sequence[bool], wanted: Wanted
) -> Graph:
    """The graph (operands, results, cotangents) -> one output per wanted operand."""
    b = GraphBuilder()
    operands = [Parameter(f"x{i}", t) for i, t in enumerate(types)]
    results = [Parameter(f"y{i}", t) for i, t in enumerate(outputs)]
    seeds = [Parameter(f"d{i}", t) if p else None for i, (t, p) in enumerate(zip(outputs, present, strict=True))]
    inputs = b.promoted(rule.op, operands)
    if rule.op.gradient is None:
        kinds = "fciu" if any(w and t.dtype.is_integer for w, t in zip(wanted, types, strict=True)) else "fc"
        given = [s for s, t in zip(filled(b, seeds, results), outputs, strict=True) if t.dtype.kind in kinds]
        gradients = _expansion_gradients(b, rule, inputs, given, wanted)
    else:
        gradients = list(rule.gradients(b, inputs, results, seeds))
    parts: list[Node] = []
    for gradient, operand, want in zip(gradients, operands, wanted, strict=True):
        if want:
            cast = as_operand(b, gradient, operand)
            parts.append(b.zeros_like(operand) if cast is None else cast)
    parameters = [*operands, *results, *[s for s in seeds if s is not None]]
    return Graph(f"{rule.op.name}_gradient", parameters, b.tuple(parts))


def _expansion_gradients(
    b: GraphBuilder, rule: Rule, inputs: Sequence[Node], seeds: Sequence[Node], wanted: Wanted
) -> list[Any]:
    """Gradients of the expansion of a composite without a rule, as nodes over `inputs` and `seeds`."""
    from mindspore.autodiff.reverse import value_and_grad_graph

    parameters = [Parameter(f"e{i}", n.type) for i, n in enumerate(inputs)]
    assert rule.op.expand is not None
    inner = Graph(rule.op.name, parameters, rule.op.expand(b, *parameters, **rule.attrs))
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
