"""Long loops over constants: one turn is unrolled, the others become a `While` when that gives the same.

It does when every variable keeps its type, no number changes from one turn to the next, and the body needs no more of the counter than
what `positions` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mindspore.base import dtypes as dt
from mindspore.infer import language as lang
from mindspore.infer.machine import Machine, UnwindingError
from mindspore.infer.positions import NotRolledError, counting, position
from mindspore.infer.values import Abstract, Case, Completion, Known, Position
from mindspore.infer.whiles import Counter, run_time_loop
from mindspore.ir.graph import Node

Values = tuple[Abstract, ...]
Suite = Callable[[Values], Abstract]
FEWEST_TURNS = 32
FEWEST_OPERATIONS = 1000
"""A loop that unrolls to fewer operations is unrolled: its turns fuse."""


@dataclass(frozen=True, slots=True)
class Rest:
    """The turns after the first. `item` is what the body gets for the counter; `targets` are the variables that only hold it."""

    counts: range
    item: Callable[[Node], Abstract]
    targets: frozenset[int]
    leaves: bool
    """Whether a turn may end the loop."""
    has_else: bool


def rolled(machine: Machine, rest: Rest, body: Suite, variables: Values) -> Completion | None:
    """The rest of the loop as a `While`; None when it must be unrolled."""
    return _attempted(machine, lambda: _emitted(machine, rest, body, variables))


def counted(
    machine: Machine, body: Suite, variables: Values, steps: Mapping[int, int], turns: int
) -> Completion | None:
    """The rest of a ``while`` that runs for so many `turns`, in each of which the integers at `steps` grow by those; None when it must be
    unrolled."""
    return _attempted(machine, lambda: _counting(machine, body, variables, steps, turns))


def _attempted(machine: Machine, emit: Callable[[], Completion]) -> Completion | None:
    before, place = machine.checkpoint(), machine.stack[-1].node
    try:
        return emit()
    except UnwindingError:
        raise
    except Exception as error:
        if getattr(error, "thrown", False):
            raise
        machine.restore(before)
        machine.stack[-1].node = place
        return None


def _emitted(machine: Machine, rest: Rest, body: Suite, variables: Values) -> Completion:
    counts = rest.counts
    emitter = machine.emitter
    seen: dict[Node, Abstract] = {}

    def condition(values: Values) -> Abstract:
        compare = emitter.less if counts.step > 0 else emitter.greater
        result: Node = compare(values[0], emitter.const(counts.stop, dt.int64))
        return result

    def advance(values: Values) -> Abstract:
        result: Node = emitter.add(values[0], emitter.const(counts.step, dt.int64))
        return result

    def turn(values: Values) -> Abstract:
        count = values[0]
        assert isinstance(count, Node)
        if count not in seen:  # one for all ways through the turn
            seen.clear()
            seen[count] = rest.item(count)
        return body((seen[count], *values[1:]))

    def settled(before: Values, after: Values, goes_on: Abstract) -> Values:
        certain = isinstance(goes_on, Known) and goes_on.value is True
        if not rest.leaves and not certain:
            raise NotRolledError("only the value of the counter tells whether a turn ends the loop.")
        return tuple(_counted(i, b, a) for i, (b, a) in enumerate(zip(before, after, strict=True)))

    def _counted(index: int, before: Abstract, after: Abstract) -> Abstract:
        if index not in rest.targets or not isinstance(after, Position) or after not in seen.values():
            return after
        return after.node if rest.leaves else before

    start = emitter.const(counts.start, dt.int64)
    targets = rest.targets if rest.leaves else ()
    given = tuple(start if i in targets else v for i, v in enumerate(variables))
    counter = Counter(start, advance, settled)
    completion = run_time_loop(machine, given, condition, turn, rest.has_else, counter, strict=True)
    return completion if rest.leaves else _with_last(completion, rest, Known(counts[-1]))


def _counting(machine: Machine, body: Suite, variables: Values, steps: Mapping[int, int], turns: int) -> Completion:
    emitter = machine.emitter
    first = {k: v.value for k, v in enumerate(variables) if k in steps and isinstance(v, Known)}
    seen: dict[int, Position] = {}

    def condition(values: Values) -> Abstract:
        result: Node = emitter.less(values[0], emitter.const(turns, dt.int64))
        return result

    def advance(values: Values) -> Abstract:
        result: Node = emitter.add(values[0], emitter.const(1, dt.int64))
        return result

    def turn(values: Values) -> Abstract:
        count, *state = values
        assert isinstance(count, Node)
        for k, step in steps.items():
            state[k] = seen[k] = counting(machine, count, turns, first[k], step)
        return body(tuple(state))

    def settled(before: Values, after: Values, goes_on: Abstract) -> Values:
        grown = all(_grows(seen[k], after[k], step) for k, step in steps.items())
        if not grown or not (isinstance(goes_on, Known) and goes_on.value is True):
            raise NotRolledError(
                "the numbers of this loop do not grow by the same step in every turn, or a turn may end it."
            )
        return tuple(before[k] if k in steps else v for k, v in enumerate(after))

    counter = Counter(emitter.const(0, dt.int64), advance, settled)
    completion = run_time_loop(machine, variables, condition, turn, False, counter, strict=True)
    done = completion.cases[lang.DONE]
    last = {k: Known(first[k] + step * turns) for k, step in steps.items()}
    return Completion(
        {lang.DONE: Case(done.flag, tuple(last.get(k, v) for k, v in enumerate(done.values)), done.location)}
    )


def _grows(before: Position, after: Abstract, step: int) -> bool:
    return isinstance(after, Position) and after.origin is before.origin and after.offset == step


def _with_last(completion: Completion, rest: Rest, last: Known) -> Completion:
    cases = {
        n: Case(
            c.flag,
            tuple(last if i in rest.targets and isinstance(v, Known) else v for i, v in enumerate(c.values)),
            c.location,
        )
        for n, c in completion.cases.items()
        if n == lang.DONE
    }
    return Completion(cases)


def over_range(values: range) -> Callable[[Node], Abstract]:
    return lambda node: position(node, values)
