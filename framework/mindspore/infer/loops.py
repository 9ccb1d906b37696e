"""Loops: unrolled while what they iterate over is known, a `While` from the point where only run time can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Iterator as Items

from mindspore.infer import language as lang
from mindspore.infer.control import always, proceed, run_time_branch
from mindspore.infer.heap import Layer
from mindspore.infer.iteration import following
from mindspore.infer.join import same_constant
from mindspore.infer.machine import Machine, SplitError, evaluates, tensor_type
from mindspore.infer.operations import operation, subscript
from mindspore.infer.rolled import FEWEST_OPERATIONS, FEWEST_TURNS, Rest, counted, over_range, rolled
from mindspore.infer.structure import elements
from mindspore.infer.truth import decisive, known_truth
from mindspore.infer.values import (
    EFFECTS,
    Abstract,
    Box,
    Completion,
    Endless,
    Frame,
    Generator,
    Iterator,
    Known,
    Range,
    Slot,
)
from mindspore.infer.whiles import Counter, run_time_loop
from mindspore.ir.graph import Apply, Constant, Graph, Node

MAX_UNROLLED = 100_000
MAX_OPERATIONS = 500_000
MAX_TURNS = 1_000_000
Values = tuple[Abstract, ...]
Suite = Callable[[Values], Abstract]


def _suite(machine: Machine, frame: Frame, node: Apply, graph: Node) -> Suite:
    assert isinstance(graph, Constant)
    body = graph.value
    assert isinstance(body, Graph)

    def run(values: Values) -> Abstract:
        result = machine.run(body, frame, values)
        frame.node = node
        machine.emitter.location = node.location
        return result

    return run


@evaluates(lang.FOR)
def for_(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    iterable = machine.value(frame, node.inputs[0])
    body, orelse = (_suite(machine, frame, node, g) for g in node.inputs[1:3])
    has_else: bool = node.attrs["has_else"]
    variables = tuple(machine.peek(frame, i) for i in node.inputs[3:])
    if isinstance(iterable, Range):
        finished = _over_range(machine, iterable, body, variables, has_else)
    elif (rolling := _rolling(machine, iterable)) is not None:
        finished = _over_many(machine, node, *rolling, body, variables)
    else:
        finished = _over_items(machine, _items(machine, iterable), body, always(variables, lang.CONTINUE))
    return _leave(machine, finished, orelse if has_else else None)


def _items(machine: Machine, iterable: Abstract) -> Items[Abstract]:
    """The elements one by one: those that a break leaves stay in an iterator."""
    if isinstance(iterable, Iterator | Endless | Generator):
        return iter(lambda: following(machine, iterable), None)
    if isinstance(iterable, Known) and isinstance(iterable.value, range):
        return map(Known, iterable.value)
    return iter(elements(machine, iterable))


def _over_items(machine: Machine, items: Items[Abstract], body: Suite, completion: Completion) -> Completion:
    """The body once per item; after a run-time break the rest of the iterations are conditional."""
    before, turns = machine.emitter.made, 0
    while lang.CONTINUE in completion.cases:
        written = len(machine.heap.notes)
        each = next(items, None)
        if len(completion.cases) > 1:
            _refuse_effects(machine, written)
        if each is None:
            break
        turns += 1
        _check_size(machine.emitter.made - before, turns)

        def iteration(values: Values, item: Abstract = each) -> Abstract:
            return machine.folding(None, lambda: body((item, *values)))

        completion = proceed(machine, completion, lang.CONTINUE, iteration)
    return _renamed(completion, lang.CONTINUE, lang.DONE)


def _refuse_effects(machine: Machine, written: int) -> None:
    """What is iterated over is evaluated whether run time has left the loop or not, so that nothing of it may be seen from outside."""
    if any(key is EFFECTS or isinstance(key, Slot) for _, key, _ in machine.heap.notes[written:]):
        raise TypeError(
            "a generator that prints, raises or writes Parameters cannot be iterated over by a loop that run time may leave. Make a list "
            "of its elements first."
        )


def _check_size(operations: int, turns: int) -> None:
    if operations > MAX_OPERATIONS or turns > MAX_TURNS:
        raise ValueError(
            f"this loop is unrolled while compiling, because its body needs each value of what it iterates over or changes the types of "
            f"its variables, and has become too large: {operations} operations after {turns} turns. Keep the types of the variables "
            f"and use the loop's variable only in arithmetic with tensors, or loop over range(n) of a tensor n."
        )


def _rolling(
    machine: Machine, iterable: Abstract
) -> tuple[range, Callable[[Node], Abstract], Callable[[int], Abstract]] | None:
    """The counts of a loop that may be rolled, and what the body gets for a counter and for a count; None for others."""
    if isinstance(iterable, Known) and isinstance(iterable.value, range):
        counts = iterable.value
        return (counts, over_range(counts), Known) if len(counts) >= FEWEST_TURNS else None
    kind = tensor_type(iterable)
    if kind is None or not kind.shape or not isinstance(kind.shape[0], int) or kind.shape[0] < FEWEST_TURNS:
        return None
    counts = range(kind.shape[0])
    return counts, lambda node: subscript(machine, iterable, node), lambda i: subscript(machine, iterable, Known(i))


def _over_many(
    machine: Machine,
    node: Apply,
    counts: range,
    item: Callable[[Node], Abstract],
    known: Callable[[int], Abstract],
    body: Suite,
    variables: Values,
) -> Completion:
    """One turn, then the others as a `While` when that saves many operations and gives the same."""
    before, decided = machine.emitter.made, machine.decided
    first = known(counts[0])
    completion = _over_items(machine, iter([first]), body, always(variables, lang.CONTINUE))
    completion = _renamed(completion, lang.DONE, lang.CONTINUE)
    made, raises = machine.emitter.made - before, machine.decided > decided

    def others(values: Values) -> Completion:
        targets = frozenset(i for i, v in enumerate(values) if v is first and isinstance(first, Known))
        leaves = len(completion.cases) > 1 or (raises and bool(machine.tries))
        rest = Rest(counts[1:], item, targets, leaves, node.attrs["has_else"])
        raising = raises and not machine.splitting
        if raising and known is Known:
            turns = Range(Known(rest.counts.start), Known(rest.counts.stop), rest.counts.step)
            return _over_range(machine, turns, body, values, rest.has_else)
        large = (raising or made * len(rest.counts) > FEWEST_OPERATIONS) and node not in machine.unrolled
        if large and (found := rolled(machine, rest, body, values)) is not None:
            return found
        if large:
            machine.unrolled.add(node)
        return _over_items(machine, map(known, rest.counts), body, always(values, lang.CONTINUE))

    return proceed(machine, completion, lang.CONTINUE, others)


def _over_range(machine: Machine, iterable: Range, body: Suite, variables: Values, has_else: bool) -> Completion:
    symbol = "<" if iterable.step > 0 else ">"

    def condition(values: Values) -> Abstract:
        return operation(machine, symbol, (values[0], iterable.stop))

    def advance(values: Values) -> Abstract:
        return operation(machine, "+", (values[0], Known(iterable.step)))

    return run_time_loop(machine, variables, condition, body, has_else, Counter(iterable.start, advance))


@evaluates(lang.LOOP)
def loop(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    condition, body, orelse = (_suite(machine, frame, node, g) for g in node.inputs[:3])
    variables = tuple(machine.peek(frame, i) for i in node.inputs[3:])
    has_else: bool = node.attrs["has_else"]
    finished = _while(machine, node, condition, body, variables)
    return _leave(machine, finished, orelse if has_else else None)


def _while(machine: Machine, node: Apply, condition: Suite, body: Suite, variables: Values) -> Completion:
    """Unrolls while the condition is known; an iteration that may leave the loop at run time starts the run-time loop."""
    before, first = machine.emitter.made, variables
    has_else: bool = node.attrs["has_else"]
    for turns in range(MAX_UNROLLED):
        _check_size(machine.emitter.made - before, turns)
        test, layer = _kept(machine, lambda state=variables: decisive(machine, condition(state)))  # type: ignore[misc]
        truth = known_truth(machine, test)
        if truth is None:
            return run_time_loop(machine, variables, condition, body, has_else)
        machine.heap.merge(layer)
        if not truth:
            return always(variables, lang.DONE)
        if turns == 1 and (found := _counted(machine, node, condition, body, first, variables, before)) is not None:
            return found
        decided, start = machine.decided, machine.checkpoint()
        try:
            completion, layer = _kept(machine, lambda state=variables: machine.folding(None, lambda: body(state)))  # type: ignore[misc]
        except SplitError:
            if machine.splitting:
                raise
            machine.restore(start)
            machine.stack[-1].node = node
            return run_time_loop(machine, variables, condition, body, has_else)
        assert isinstance(completion, Completion)
        if len(completion.cases) > 1 or (machine.decided > decided and _stuck(machine, variables, completion, layer)):
            return run_time_loop(machine, variables, condition, body, has_else)
        machine.heap.merge(layer)
        if lang.CONTINUE not in completion.cases:
            return completion
        variables = completion.cases[lang.CONTINUE].values
    raise ValueError(
        f"the loop does not end within {MAX_UNROLLED} iterations while its condition is known during compilation. Make the condition "
        f"depend on a tensor to loop at run time."
    )


def _stuck(machine: Machine, before: Values, completion: Completion, layer: Layer) -> bool:
    """Whether a turn changed nothing that is known while compiling, so that only what it raises at run time ends the loop."""
    after = completion.cases[lang.CONTINUE].values if lang.CONTINUE in completion.cases else ()
    written = [k for k in layer if k in machine.heap and k is not EFFECTS and not isinstance(k, Slot)]
    if not all(isinstance(k, Box) for k in written):
        return False
    held = [(machine.heap.get(k), layer[k]) for k in written]
    return bool(after or held) and all(
        a is b
        or tensor_type(b) is not None
        or (isinstance(a, Known) and isinstance(b, Known) and same_constant(a.value, b.value))
        for a, b in (*zip(before, after, strict=True), *held)
    )


def _counted(
    machine: Machine, node: Apply, condition: Suite, body: Suite, before: Values, variables: Values, made: int
) -> Completion | None:
    """The rest of a long loop that counts, as a run-time loop; None when it is another, from the values before and after its first turn."""
    steps = {k: _step(a, b) for k, (a, b) in enumerate(zip(before, variables, strict=True)) if _step(a, b)}
    size = machine.emitter.made - made
    if not steps or not size or node in machine.unrolled:
        return None
    turns = _turns(machine, condition, variables, steps)
    if turns < FEWEST_TURNS or turns * size <= FEWEST_OPERATIONS:
        return None
    found = counted(machine, body, variables, steps, turns)
    if found is None:
        machine.unrolled.add(node)
    return found


def _step(before: Abstract, after: Abstract) -> int:
    """By how much an integer has grown; 0 for other values."""
    both = isinstance(before, Known) and isinstance(after, Known) and type(before.value) is type(after.value) is int
    return after.value - before.value if both else 0  # type: ignore[union-attr]


def _turns(machine: Machine, condition: Suite, variables: Values, steps: Mapping[int, int]) -> int:
    """How often the condition holds while the integers at `steps` grow; 0 when only run time knows, or it does not end."""
    for turns in range(MAX_UNROLLED):
        state = tuple(
            Known(v.value + steps[k] * turns) if k in steps and isinstance(v, Known) else v
            for k, v in enumerate(variables)
        )
        test, layer = _kept(machine, lambda given=state: decisive(machine, condition(given)))  # type: ignore[misc]
        truth = known_truth(machine, test)
        if not truth or layer:
            return turns if truth is False else 0
    return 0


def _kept(machine: Machine, run: Callable[[], Abstract]) -> tuple[Abstract, Layer]:
    """A condition or turn whose writes may still be forgotten; they stay when it raises, because an exception may be caught."""
    machine.heap.push()
    depth = len(machine.heap.layers)
    try:
        result = run()
    except Exception:
        del machine.heap.layers[depth:]
        machine.heap.merge(machine.heap.pop())
        raise
    return result, machine.heap.pop()


def _renamed(completion: Completion, old: str, new: str) -> Completion:
    return Completion({new if n == old else n: c for n, c in completion.cases.items()})


def _leave(machine: Machine, completion: Completion, orelse: Suite | None) -> Completion:
    """After the loop: the else clause where the condition ended it, then what follows, also after break."""
    after_else = _renamed(completion, lang.DONE, lang.NEXT)
    if orelse is not None:
        after_else = proceed(machine, completion, lang.DONE, orelse)
    if lang.BREAK not in after_else.cases or lang.NEXT not in after_else.cases:
        return _renamed(after_else, lang.BREAK, lang.NEXT)
    broken = after_else.cases[lang.BREAK]
    rest = Completion({n: c for n, c in after_else.cases.items() if n != lang.BREAK})
    if len(rest.cases) == 1:
        rest = always(rest.cases[lang.NEXT].values)
    assert broken.flag is not None
    joined = run_time_branch(machine, broken.flag, lambda: always(broken.values), lambda: rest)
    assert isinstance(joined, Completion)
    return joined
