"""Gradients of Python functions that run eagerly: the native tape is walked backwards with the operators' gradient rules.

While a tape is set, every operator call appends ``(callable, arguments, result)`` to it. `differentiate` runs the function under a tape of
its own; an outer tape, if there is one, then gets these records as well as those of the operators of the gradient, which is what makes
gradients of gradients work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore import _native
from mindspore.base.protocols import MUTABLE, record_fields
from mindspore.common.builder import EAGER
from mindspore.common.cotangents import Rule, Step, as_operand, cotangents, filled, promoted
from mindspore.common.eager import arguments_of
from mindspore.common.eager import function as operator_function
from mindspore.common.hook_handle import hooked
from mindspore.common.parameter import Parameter
from mindspore.common.tables import Tables
from mindspore.common.tensor_class import Tensor
from mindspore.common.writes import Versions, Write
from mindspore.ir.operator import NotDifferentiable
from mindspore.ir.types import TensorType

_alias = operator_function("identity")
_identity = _alias.__operator__
_scatter = operator_function("scatter_strided").__operator__
_add = operator_function("add")
_ones_like = operator_function("ones_like")
_zeros_like = operator_function("zeros_like")


@dataclass(frozen=True, slots=True)
class Parts:
    """The result of a function and its gradients."""

    value: Any
    arguments: tuple[Any, ...]
    weights: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Recording:
    """One run of a function and what its gradients need.

    Attributes:
        outputs: the floating tensors of what is differentiated.
        sources: what it is differentiated for: `arguments` tensors of the call, then weights.
        forms: the arguments of the call that it is differentiated for, which may hold several of these tensors.
        given: the tensors that the caller gave for these tensors, where they are not the sources themselves.
    """

    value: Any
    outputs: list[Any]
    sources: list[Any]
    arguments: int
    forms: Sequence[Any]
    records: Sequence[Any]
    given: list[Any]

    def pull(self, seeds: Sequence[Any], tables: bool = False) -> list[Any]:
        """Gradients of the sources for these cotangents of the outputs; with `tables` those of weights may be a `RowTensor`."""
        weights = self.sources[self.arguments :] if tables and _native.get_tape() is None else ()
        gradients = pull_back(self.records, self.outputs, seeds, self.sources, Tables(weights))
        pairs = zip(self.given, gradients[: self.arguments], strict=True)
        return [*(hooked(t, g) for t, g in pairs), *gradients[self.arguments :]]


def recorded(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    positions: Sequence[int] | None,
    weights: Sequence[Any] = (),
    has_aux: bool = False,
    nested: bool = False,
    integers: bool = False,
) -> Recording:
    """Runs `function`; with `has_aux` only the first of its results is what gradients are of.

    `nested`: arguments to differentiate for may be containers of tensors. `integers`: where one of the sources is an integer, integer
    results are differentiated too.
    """
    chosen = _positions(args, positions, nested)
    call = list(args)
    sources: list[Any] = []
    given: list[Any] = []
    for i in chosen:
        call[i] = _source(args[i])
        sources += tensors(call[i])
        mapped(given.append, args[i])
    count = len(sources)
    sources += weights
    value, records = recording(function, call, kwargs)
    if has_aux and not isinstance(value, tuple):
        raise TypeError(
            f"has_aux=True needs a function that returns a tuple of a value and more, got {type(value).__name__}."
        )
    kinds = "fciu" if integers and any(s.dtype.is_integer for s in sources) else "fc"
    outputs = [o for o in tensors(value[0] if has_aux else value) if o.dtype.kind in kinds]
    given = [None if t is s else t for t, s in zip(given, sources, strict=False)]
    return Recording(value, outputs, sources, count, [call[i] for i in chosen], records, given)


def differentiate(
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
    positions: Sequence[int] | None,
    weights: Sequence[Any],
    sens: Any,
    has_aux: bool,
) -> Parts:
    """Runs `function` and takes the gradients of its floating results in its arguments at `positions` and in `weights`."""
    run = recorded(function, args, kwargs, positions, weights, has_aux, nested=True, integers=True)
    head = run.value[0] if has_aux else run.value
    kinds = "fciu" if any(o.dtype.is_integer for o in run.outputs) else "fc"
    seeds = [_ones_like(o) for o in run.outputs] if sens is None else cotangents_of(head, sens, kinds)
    gradients = run.pull(seeds, tables=True)
    found = iter(gradients)
    of_arguments = [mapped(lambda _: next(found), form) for form in run.forms]
    return Parts(run.value, tuple(of_arguments), tuple(found))


def tangents(
    function: Callable[..., Any], inputs: Sequence[Any], directions: Sequence[Any], has_aux: bool
) -> tuple[Any, list[Any]]:
    """The value of `function` and the derivatives of its floating results: gradients are linear in cotangents, and transposed again."""
    run = recorded(function, inputs, {}, range(len(inputs)), (), has_aux)
    move = pushed(run)
    return run.value, move(directions)


def pushed(run: Recording) -> Callable[[Sequence[Any]], list[Any]]:
    """From tangents of the sources of `run` to tangents of its outputs."""
    seeds = [_zeros_like(o) for o in run.outputs]
    gradients, records = recording(lambda *given: run.pull(given), seeds, {})

    def move(directions: Sequence[Any]) -> list[Any]:
        pairs = [(g, v) for g, v in zip(gradients, directions, strict=True) if g.dtype.kind in "fc"]
        return pull_back(records, [g for g, _ in pairs], [v for _, v in pairs], seeds)

    return move


def _positions(args: Sequence[Any], positions: Sequence[int] | None, nested: bool) -> list[int]:
    if positions is None:
        marked = [nested and hasattr(type(a), MUTABLE) and _holds(a) for a in args]
        return [i for i, a in enumerate(args) if isinstance(a, Tensor) or marked[i]]
    for position in positions:
        if position >= len(args):
            raise IndexError(f"Position index {position} is exceed input size: the call has {len(args)} arguments.")
        _check(args[position], position, nested)
    return list(positions)


def _holds(value: Any) -> bool:
    return next(tensors(value), None) is not None


def _check(value: Any, position: int, nested: bool) -> None:
    marked = hasattr(type(value), MUTABLE)
    allowed = (Tensor, float, int) if marked else (Tensor, float) if isinstance(value, float) else (Tensor,)

    def check(leaf: Any) -> None:
        if not isinstance(leaf, allowed):
            raise TypeError(
                f"For 'F.grad', the argument at position {position} must be a Tensor to be differentiated for"
                f"{', or hold Tensors alone' if nested else ''}, but got {type(leaf).__name__}."
            )

    mapped(check, value) if nested else check(value)


def _source(value: Any) -> Any:
    """What the function is called with in the place of an argument, so that its uses can be told apart; numbers become tensors."""

    def source(leaf: Any) -> Any:
        if isinstance(leaf, Tensor):
            return leaf if isinstance(leaf, Parameter) else _alias(leaf)
        return Tensor(getattr(type(leaf), MUTABLE, type(leaf))(leaf))

    return mapped(source, value)


def mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """`value` with what its tuples, lists, dicts and dataclasses hold, at any depth, replaced by what `function` makes of it."""
    if (names := record_fields(value)) is not None:
        made = object.__new__(type(value))
        for name in names:
            object.__setattr__(made, name, mapped(function, getattr(value, name)))
        return made
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*[mapped(function, each) for each in value])
    if isinstance(value, tuple | list):
        return (tuple if isinstance(value, tuple) else list)(mapped(function, each) for each in value)
    if isinstance(value, dict):
        return {key: mapped(function, each) for key, each in value.items()}
    return function(value)


def recording(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any], outer: Any = ...
) -> tuple[Any, list[Any]]:
    """Runs `function` under a tape of its own, whose records go to the tape around it, or to `outer`, as well."""
    before, records = _native.get_tape(), []  # type: ignore[var-annotated]
    _native.set_tape(records)
    try:
        value = function(*args, **kwargs)
    finally:
        _native.set_tape(before)
    target = before if outer is ... else outer
    if target is not None:
        target.extend(records)
    return value, records


def tensors(value: Any) -> Iterator[Any]:
    """The tensors in nested tuples, lists, dicts and dataclasses."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, tuple | list):
        for each in value:
            yield from tensors(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors(each)
    else:
        for name in record_fields(value) or ():
            yield from tensors(getattr(value, name))


def cotangents_of(value: Any, sens: Any, kinds: str = "fc") -> list[Any]:
    """`sens` as one cotangent for each tensor of these kinds in `value`; a number stands for a 0-d tensor."""
    results = list(tensors(value))
    return fitting_cotangents([r.__tensor_type__ for r in results], sens, kinds)


def fitting_cotangents(results: Sequence[TensorType], sens: Any, kinds: str = "fc") -> list[Any]:
    """`sens` as one cotangent of the type of each of `results` that is of these kinds. ValueError when it does not fit."""
    given = [Tensor(sens, results[0].dtype)] if isinstance(sens, int | float) and results else list(tensors(sens))
    if len(given) != len(results):
        raise ValueError(
            f"The sens argument must have one tensor per result: expected {len(results)}, but got {len(given)}."
        )
    found = []
    for each, wanted in zip(given, results, strict=True):
        if wanted.dtype.kind not in kinds:
            continue
        if each.shape != wanted.shape:
            raise ValueError(
                f"The sens argument must have the shape of the result: expected {wanted}, but got {each.__tensor_type__}."
            )
        found.append(each if each.dtype is wanted.dtype else EAGER.cast(each, dtype=wanted.dtype))
    return found


class CustomRule:
    """Stands in the place of an operator on the tape, between tuples of operands and results: a call with a gradient of its own."""

    __slots__ = ()

    def gradients(self, operands: Sequence[Any], results: Sequence[Any], given: Sequence[Any]) -> Sequence[Any]:
        """One gradient, or None for zero, per operand; `given` has one cotangent, or None, per result."""
        raise AssertionError(f"{type(self).__name__} does not say its gradients")


@dataclass(frozen=True, slots=True)
class _CustomStep:
    """A recorded call with a gradient of its own that gradients pass through."""

    rule: CustomRule
    operands: tuple[Any, ...]
    results: tuple[Any, ...]


def pull_back(
    records: Sequence[Any],
    outputs: Sequence[Any],
    seeds: Sequence[Any],
    sources: Sequence[Any],
    tables: Tables | None = None,
) -> list[Any]:
    """Gradients of `sources`; ids stand for tensors, which the records keep alive. What `tables` takes over is left to it."""
    versions = Versions(records)
    sources = versions.all_at(0, sources)
    active = {id(s) for s in sources if s.dtype.kind in "fciu"}
    path = _path(records, versions, active)
    rows = Tables(()) if tables is None else tables
    adjoints: dict[int, Any] = {}
    for output, seed in zip(outputs, seeds, strict=True):
        if id(output) in active:
            _accumulate(adjoints, output, seed)
    for step in reversed(path):
        given = [_adjoint(adjoints, r) for r in step.results]
        if any(g is not None for g in given) and not rows.take(step, given):
            wanted = tuple(id(o) in active for o in step.operands)
            for operand, gradient in zip(step.operands, _cotangents(step, given, wanted), strict=True):
                if gradient is not None:
                    _accumulate(adjoints, operand, gradient)
    leaves = {id(s) for s in sources} - {id(r) for step in path for r in step.results}
    found = [_adjoint(adjoints, s) if id(s) in leaves else adjoints.get(id(s)) for s in sources]
    found = [rows.together(s, g) for s, g in zip(sources, found, strict=True)]
    return [_zeros_like(s) if g is None else g for s, g in zip(sources, found, strict=True)]


def _adjoint(adjoints: Mapping[int, Any], tensor: Any) -> Any:
    """The whole gradient of `tensor`, after its hooks; None without one."""
    gradient = adjoints.get(id(tensor))
    return gradient if gradient is None else hooked(tensor, gradient)


def _cotangents(step: Step | _CustomStep, given: Sequence[Any], wanted: tuple[bool, ...]) -> Sequence[Any]:
    if isinstance(step, _CustomStep):
        gradients = step.rule.gradients(step.operands, step.results, given)
        parts = zip(gradients, step.operands, wanted, strict=True)
        return [as_operand(EAGER, g, o) if w else None for g, o, w in parts]
    if step.rule.op.gradient is None and _native.get_tape() is not None:
        return _through_expansion(step, given, wanted)
    return cotangents(step, given, wanted)


def _through_expansion(step: Step, given: Sequence[Any], wanted: tuple[bool, ...]) -> Sequence[Any]:
    """A composite without a rule of its own under an outer tape: its expansion runs again, as a function to differentiate."""
    op, attrs = step.rule.op, step.rule.attrs
    assert op.expand is not None
    expand, seeds = op.expand, tuple(filled(EAGER, given, step.results))

    def expansion(*values: Any) -> Any:
        return expand(EAGER, *values, **attrs)

    places = [i for i, w in enumerate(wanted) if w]
    parts = differentiate(expansion, promoted(EAGER, op, step.operands), {}, places, (), seeds, False)
    found = dict(zip(places, parts.arguments, strict=True))
    return [as_operand(EAGER, found.get(i), o) for i, o in enumerate(step.operands)]


def _accumulate(adjoints: dict[int, Any], tensor: Any, gradient: Any) -> None:
    present = adjoints.get(id(tensor))
    adjoints[id(tensor)] = gradient if present is None else _add(present, gradient)


def _path(records: Sequence[Any], versions: Versions, active: set[int]) -> list[Step | _CustomStep]:
    """The calls that lie between sources and results; adds the ids of their results to `active`."""
    path: list[Step | _CustomStep] = []
    for position, record in enumerate(records):
        if not versions.written and not _reads(record[1], active):
            continue
        step = _step(record, position, versions)
        if step is not None and any(id(o) in active for o in step.operands):
            kinds = "fciu" if any(id(o) in active and o.dtype.is_integer for o in step.operands) else "fc"
            moving = [id(r) for r in step.results if r.dtype.kind in kinds]
            active.update(moving)
            path.extend([step] if moving else [])
    return path


def _step(record: Any, position: int, versions: Versions) -> Step | _CustomStep | None:
    """What a record is for gradients, over the values that its tensors had; None where they end."""
    callable_, args, result, *rest = record
    if isinstance(callable_, Write):
        target, value = versions.at(position + 1, args[0]), versions.at(position, args[1])
        if callable_.walk is None:
            return Step(Rule(_identity, {}, False), (value,), (target,))
        rule = Rule(_scatter, {"walk": callable_.walk, "kind": "set"}, False)
        return Step(rule, (result, value, *args[2:]), (target,))
    if isinstance(callable_, CustomRule):
        return _CustomStep(callable_, versions.all_at(position, args), result)
    op = callable_.__operator__
    if isinstance(op.gradient, NotDifferentiable) and not op.gradient.error:
        return None
    operands, attrs = arguments_of(op, args, rest[0] if rest and rest[0] else {})
    several = isinstance(result, tuple)
    results = versions.all_at(position + 1, result if several else (result,))
    return Step(Rule(op, attrs, several), versions.all_at(position, operands), results)


def _reads(args: Sequence[Any], active: set[int]) -> bool:
    return any(id(a) in active or (isinstance(a, tuple | list) and any(id(e) in active for e in a)) for a in args)
