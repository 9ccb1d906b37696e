"""Calls with a gradient of their own in code that runs eagerly: one record on the tape stands for all that they did."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from mindspore import _native
from mindspore.base.bprops import check_count, check_kind, check_shape
from mindspore.base.protocols import BackwardHooks
from mindspore.common.builder import EAGER
from mindspore.common.tape import CustomRule, mapped, pull_back, recording, tensors
from mindspore.common.tensor_class import Tensor
from mindspore.common.writes import Write, assign_values


def with_bprop(function: Callable[..., Any], bprop: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """``function(*args)``, recorded as one call whose gradients `bprop`, a function (*args, result, cotangent), gives."""
    value, _ = _unrecorded(function, args, {})
    operands = tuple(tensors(args))
    value = _renewed(value, operands)
    _record(_Bprop(bprop, args, value), operands, tuple(tensors(value)))
    return value


def recomputed(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """``function(*args, **kwargs)``, recorded as one call that runs again when gradients pass through it."""
    value, records = _unrecorded(function, args, kwargs)
    given = list(tensors((args, dict(kwargs))))
    operands = tuple({id(t): t for t in [*given, *_read_from_outside(records)]}.values())
    value = _renewed(value, operands)
    before = {id(r[1][0]): (r[1][0], r[2]) for r in reversed(records) if isinstance(r[0], Write)}
    _record(_Recompute(operands, function, args, kwargs, tuple(before.values())), operands, tuple(tensors(value)))
    return value


def with_hooks(
    function: Callable[..., Any], hooks: BackwardHooks, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> Any:
    """``function(*args, **kwargs)``, recorded as one call whose gradients are the usual ones with the user's functions around them."""
    value, records = recording(function, args, kwargs)
    given = list(tensors((args, dict(kwargs))))
    operands = tuple({id(t): t for t in [*given, *_read_from_outside(records)]}.values())
    outputs = tuple(tensors(value))
    made = _renewed(value, outputs)
    _record(_Hooks(operands, hooks, records, args, made, outputs), operands, tuple(tensors(made)))
    return made


def _unrecorded(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> tuple[Any, Sequence[Any]]:
    """Runs `function` without its operators on the tape; what it wrote in place is noted there."""
    outer = _native.get_tape()
    value, records = recording(function, args, kwargs, outer=None)
    if outer is not None:
        outer.extend(r for r in records if isinstance(r[0], Write))
    return value, records


def _record(rule: CustomRule, operands: tuple[Any, ...], results: tuple[Any, ...]) -> None:
    tape = _native.get_tape()
    if tape is not None:
        tape.append((rule, operands, results))


def _renewed(value: Any, operands: Sequence[Any]) -> Any:
    """`value` with tensors of its own in the place of operands: a result is told from them by its identity."""
    known = set(map(id, operands))

    def own(each: Any) -> Any:
        return _silently(lambda: EAGER.identity(each)) if id(each) in known else each

    return mapped(own, value)


def _changed(objects: Sequence[Any], values: Sequence[Any]) -> list[tuple[Any, Any]]:
    """The objects that were assigned since, with the values that they had."""
    return [(o, v) for o, v in zip(objects, values, strict=True) if o is not v]


@contextmanager
def _as_then(values: Sequence[tuple[Any, Any]]) -> Iterator[None]:
    """Tensors have other values inside."""
    now = [(target, Tensor(target)) for target, _ in values]
    _put(values)
    try:
        yield
    finally:
        _put(now)


def _put(values: Sequence[tuple[Any, Any]]) -> None:
    """Gives tensors other values; the tape notes it."""
    for target, value in values:
        assign_values(target, value)


def _silently(run: Callable[[], Any]) -> Any:
    tape = _native.get_tape()
    _native.set_tape(None)
    try:
        return run()
    finally:
        _native.set_tape(tape)


def _read_from_outside(records: Sequence[Any]) -> Iterator[Any]:
    """Floating tensors that the records read and none of them made."""
    made: set[int] = set()
    for _, args, result, *_ in records:
        for each in tensors(args):
            if id(each) not in made and each.dtype.kind in "fc":
                yield each
        made.update(map(id, tensors(result)))


def _evaluated(graph: Any, arguments: Sequence[Any]) -> Any:
    """The results of a graph, operator by operator."""
    from mindspore.backends.reference.evaluate import evaluate

    return evaluate(graph, arguments, EAGER)


def of_graphs(forward: Any, backward: Any, arguments: Sequence[Any], wrt: Sequence[int]) -> Any:
    """The results of a graph, recorded as one call whose gradients another graph gives."""
    results = _silently(lambda: _evaluated(forward, arguments))
    results = _renewed(results, arguments)
    _record(_Graphs(backward, tuple(wrt)), tuple(arguments), results)
    return results


@dataclass(frozen=True, slots=True)
class _Graphs(CustomRule):
    """Gradients by a graph (*arguments, *results, *cotangents) -> gradients of the arguments at `wrt`."""

    backward: Any
    wrt: tuple[int, ...]

    def gradients(self, operands: Sequence[Any], results: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        cotangents = [EAGER.zeros_like(r) if g is None else g for g, r in zip(given, results, strict=True)]
        made = _evaluated(self.backward, [*operands, *results, *cotangents])
        found: list[Any] = [None] * len(operands)
        for position, gradient in zip(self.wrt, made, strict=True):
            found[position] = gradient
        return found


@dataclass(frozen=True, slots=True)
class _Bprop(CustomRule):
    """Gradients by a function of the user."""

    bprop: Callable[..., Any]
    args: tuple[Any, ...]
    value: Any

    def gradients(self, operands: Sequence[Any], results: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        cotangents = iter([EAGER.zeros_like(r) if g is None else g for g, r in zip(given, results, strict=True)])
        parts = self.bprop(*self.args, self.value, _filled(self.value, cotangents))
        if not isinstance(parts, tuple | list):
            parts = (parts,)
        check_count(self.bprop, len(self.args), len(parts))
        found: list[Any] = []
        for position, (part, argument) in enumerate(zip(parts, self.args, strict=True)):
            collect(self.bprop, position, part, argument, found)
        return found


def collect(function: Any, position: int, part: Any, argument: Any, found: list[Any]) -> None:
    """Appends the gradients of the tensors in `argument` that the user's `function` gave; None stands for zero."""
    if isinstance(argument, Tensor):
        if isinstance(part, int | float) and not argument.shape:
            part = Tensor(part, argument.dtype)
        check_kind(function, position, part is None or isinstance(part, Tensor), type(part).__name__)
        if part is not None:
            check_shape(function, position, argument.shape, part.shape)
        found.append(part)
    elif isinstance(argument, tuple | list) and argument:
        check_kind(function, position, part is None or isinstance(part, tuple | list), type(part).__name__)
        parts = [None] * len(argument) if part is None else part
        check_kind(function, position, len(parts) == len(argument), f"{len(parts)} of them for {len(argument)}")
        for each, value in zip(parts, argument, strict=True):
            collect(function, position, each, value, found)


def _filled(value: Any, found: Iterator[Any]) -> Any:
    """`value` with what is `found` in the place of its tensors."""
    return mapped(lambda each: next(found) if isinstance(each, Tensor) else each, value)


@dataclass(frozen=True, slots=True)
class _Hooks(CustomRule):
    """The usual gradients, which go back over the records of the call, between functions of the user."""

    operands: tuple[Any, ...]
    hooks: BackwardHooks
    records: Sequence[Any]
    args: tuple[Any, ...]
    value: Any
    outputs: tuple[Any, ...]

    def gradients(self, operands: Sequence[Any], results: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        filled = _filled(
            self.value, iter([EAGER.zeros_like(r) if g is None else g for g, r in zip(given, results, strict=True)])
        )
        cotangents = self.hooks.before(filled if isinstance(filled, tuple) else (filled,))
        seeds = list(tensors(cotangents))
        check_kind(self.hooks.before, 0, len(seeds) == len(results), f"{len(seeds)} tensor(s) for {len(results)}")
        floating = [(o, s) for o, s in zip(self.outputs, seeds, strict=True) if o.dtype.kind in "fc"]
        with _as_then(_changed(self.operands, operands)):
            found = pull_back(self.records, [o for o, _ in floating], [s for _, s in floating], self.operands)
        by_id = dict(zip(map(id, self.operands), found, strict=True))
        own = _filled(self.args, iter([by_id[id(t)] for t in tensors(self.args)]))
        replaced = self.hooks.after(own, cotangents)
        seen: list[Any] = []
        for position, (part, argument) in enumerate(zip(replaced, self.args, strict=True)):
            collect(self.hooks.after, position, part, argument, seen)
        by_id.update(zip(map(id, tensors(self.args)), seen, strict=True))
        return [by_id[id(o)] for o in self.operands]


@dataclass(frozen=True, slots=True)
class _Recompute(CustomRule):
    """Gradients by running the call again, from the state that it found the first time: a Dropout draws the same numbers again.

    Attributes:
        operands: what the call read, as objects; they may have other values by now.
        before: the tensors that it wrote, each with the values that it had before.
    """

    operands: tuple[Any, ...]

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    before: tuple[tuple[Any, Any], ...]

    def gradients(self, operands: Sequence[Any], results: Sequence[Any], given: Sequence[Any]) -> list[Any]:
        with _as_then([*_changed(self.operands, operands), *self.before]):
            value, records = recording(self.function, self.args, self.kwargs)
            wanted = [(r, g) for r, g in zip(tensors(value), given, strict=True) if g is not None]
            return pull_back(records, [r for r, _ in wanted], [g for _, g in wanted], self.operands)


def by_position(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, ...]:
    """All arguments in the order of the function's parameters, defaults among them."""
    if not kwargs:
        return args
    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return bound.args


def check_recompute(context_fn: Any, kwargs: Mapping[str, Any]) -> None:
    """Refuses settings of recomputation that would have to do something."""
    unknown = next((k for k in kwargs if k not in ("mp_comm_recompute", "parallel_optimizer_comm_recompute")), None)
    if unknown is not None:
        raise TypeError(f"For 'recompute', there is no keyword argument {unknown!r}.")
    if context_fn is not None:
        raise ValueError("For 'recompute', 'context_fn' must be None: the two runs of the function have no contexts.")


def recompute(
    block: Callable[..., Any],
    *args: Any,
    use_reentrant: bool = True,
    output_recompute: bool = False,
    early_stop: bool = True,
    context_fn: Any = None,
    **kwargs: Any,
) -> Any:
    """Calls a function or Cell so that gradients compute it once more instead of keeping what it computed.

    Args:
        block: the function or Cell.
        args, kwargs: its arguments.
        use_reentrant, output_recompute, early_stop: kept for MindSpore's signature.
        context_fn: must be None.

    Returns:
        What `block` returns.

    Raises:
        TypeError: `block` is not callable.
        ValueError: `context_fn` is not None.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> print(ms.grad(lambda x: ms.recompute(lambda v: v * v, x))(Tensor(3.0)))
        6.0
    """
    check_recompute(context_fn, {})
    if not callable(block):
        raise TypeError(f"For 'recompute', 'block' must be a function or Cell, but got {type(block).__name__}.")
    return block(*args, **kwargs) if _native.get_tape() is None else recomputed(block, args, kwargs)
