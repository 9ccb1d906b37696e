"""``try``: exceptions that are raised while compiling, because their condition is known then, are caught as Python catches them.

What an arm of a run-time branch raises is caught as well: the branch is taken in front of the ``try`` then, whose body is evaluated apart
for both ways, so that one of them raises always.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from mindspore.infer import language as lang
from mindspore.infer.control import proceed, run_time_branch
from mindspore.infer.errors import catchable, places_of
from mindspore.infer.machine import Checkpoint, Machine, Site, SplitError, ThrownError, Trial, UnwindingError, evaluates
from mindspore.infer.values import NEVER, Abstract, Completion, Frame, Known
from mindspore.ir.graph import Apply, Constant, Graph, Node

T = TypeVar("T")
Decisions = Mapping[Site, bool]
End = Callable[[Completion | None, Exception | None, Decisions], Completion]
"""Goes on after a way, from what it gave or raised."""
MOST_WAYS = 100
"""Ways through one ``try`` that are evaluated apart."""


@evaluates(lang.TRY)
def try_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    body, handler, after = map(_graph, node.inputs)

    def finished(completion: Completion) -> Completion:
        frame.node = node
        following = _completion(machine.run(after, frame))
        return proceed(machine, following, lang.NEXT, lambda values: completion)

    def end(completion: Completion | None, error: Exception | None, decisions: Decisions) -> Completion:
        if error is not None:
            return _handled(machine, frame, handler, error)
        assert completion is not None
        if node.attrs["always"]:
            return finished(completion)
        return proceed(machine, completion, lang.NEXT, lambda values: machine.run(after, frame))

    return every_way(machine, lambda: _completion(machine.run(body, frame)), end)


def every_way(machine: Machine, run: Callable[[], Completion], end: End) -> Completion:
    """What `end` makes of `run`, of each way through it apart where an arm of a branch raises."""
    ways, place = itertools.count(1), machine.stack[-1].node

    def deciding(decisions: Decisions) -> Completion:
        before, made = machine.checkpoint(), machine.emitter.made
        if next(ways) > MOST_WAYS:
            if machine.splitting:
                raise _TooManyError
            raise ValueError(
                f"there are more than {MOST_WAYS} ways through this try or with, because branches in it raise under conditions that are "
                "known only at run time. Check the conditions outside of it."
            )
        trial = Trial(machine.branches, len(machine.emitter.scopes), decisions)
        try:
            completion, error = attempted(machine, run, trial)
        except SplitError as split:
            if split.trial is not trial:
                raise
            machine.restore(before)
            machine.stack[-1].node = place
            machine.emitter.forget_effects(made)
            taken, other = ({**decisions, split.site: truth} for truth in (True, False))
            joined = run_time_branch(machine, split.condition, lambda: deciding(taken), lambda: deciding(other))
            return NEVER if joined is NEVER else _completion(joined)
        return end(completion, error, decisions)

    start = machine.checkpoint()
    try:
        return deciding({})
    except _TooManyError:
        machine.restore(start)
        machine.stack[-1].node, machine.splitting = place, False
        machine.unrolled.clear()
    ways = itertools.count(1)
    try:
        return deciding({})
    finally:
        machine.splitting = True


class _TooManyError(UnwindingError):
    """Loops that raise must not be unrolled."""


def _graph(node: Node) -> Graph:
    assert isinstance(node, Constant)
    assert isinstance(node.value, Graph)
    return node.value


def _completion(value: Abstract) -> Completion:
    assert isinstance(value, Completion)
    return value


def attempted(machine: Machine, run: Callable[[], T], trial: Trial | None = None) -> tuple[T | None, Exception | None]:
    """What `run` gives, or the exception of the program that ended it; then the machine is where it was before."""
    before, assumed = machine.checkpoint(), machine.assumed
    machine.tries.append(trial or Trial(machine.branches, len(machine.emitter.scopes)))
    try:
        return run(), None
    except Exception as error:
        if machine.branches != before.branches and getattr(error, "thrown", False):
            raise _refused(error) from None
        if machine.branches != before.branches or not catchable(error):
            raise
        if not hasattr(error, "raised_at"):
            error.raised_at = places_of(machine.stack)  # type: ignore[attr-defined]
        _leave(machine, before)
        return None, error
    finally:
        del machine.tries[before.tries :]
        machine.assumed = assumed


def _refused(error: Exception) -> Exception:
    refusal = ValueError(
        "raise or assert under a condition in an iterator or in a function that calls itself is not supported in a graph inside try or "
        "with. Check the condition outside of it, or select a value with where."
    )
    refusal.raised_at = error.raised_at  # type: ignore[attr-defined]
    return refusal


def _leave(machine: Machine, before: Checkpoint) -> None:
    """Back to where the ``try`` is; what was written until the exception stays."""
    del machine.heap.layers[before.heap[0] :]
    machine.restore(replace(before, heap=machine.heap.moment()))


def _handled(machine: Machine, frame: Frame, handler: Graph, error: Exception) -> Completion:
    value = error.value if isinstance(error, ThrownError) else Known(error)
    machine.handled.append((value, error))
    try:
        return _completion(machine.run(handler, frame, (value,)))
    finally:
        machine.handled.pop()
