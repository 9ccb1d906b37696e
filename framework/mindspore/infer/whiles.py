"""`While`: finding types that the state of a run-time loop keeps, then emitting condition and body as closed graphs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.infer import language as lang
from mindspore.infer.control import always, run_time_branch, scoped
from mindspore.infer.errors import catchable
from mindspore.infer.heap import Layer
from mindspore.infer.join import DisagreementError
from mindspore.infer.machine import Machine, PendingError
from mindspore.infer.structure import describe
from mindspore.infer.throws import Throws
from mindspore.infer.truth import decisive, known_truth, truth_node
from mindspore.infer.values import MISSING, NEVER, Abstract, Box, Case, Completion, Known, Sequence, Slot
from mindspore.infer.widen import Held, Widening
from mindspore.ir.graph import Apply, Node, Parameter

Values = tuple[Abstract, ...]
MAX_ATTEMPTS = 50
_HEAD = 4
"""The state begins with: whether to go on, whether break left the loop, whether return did, and the returned value."""


Suite = Callable[[Values], Abstract]


@dataclass(frozen=True, slots=True)
class Counter:
    """The position of a ``for`` over a range: it comes before the variables, and every iteration advances it."""

    start: Abstract
    advance: Suite
    settled: Callable[[Values, Values, Abstract], Values] = lambda before, after, goes_on: after
    """The variables that a turn leaves, from those before and after it and whether the loop goes on."""


def run_time_loop(
    machine: Machine,
    variables: Values,
    condition: Suite,
    body: Suite,
    has_else: bool,
    counter: Counter | None = None,
    strict: bool = False,
) -> Completion:
    """A `While` over the variables and the outside state that the body writes.

    Returns:
        A completion with cases DONE, RETURN and, where an else clause must be told apart from it, BREAK.

    `strict`: numbers must not become tensors, and what has no value before the loop must not get one.

    Raises:
        TypeError: a variable, Parameter or list changes its type from one iteration to the next.
    """
    loop = _Loop(machine, variables, condition, body, has_else, counter)
    loop.strict = strict
    return loop.run()


@dataclass(slots=True)
class _Part:
    """The condition or the body, run once on `parameters` in the place of the state's tensors."""

    parameters: list[Parameter]
    state: Sequence
    result: Abstract
    layer: Layer
    nodes: set[Node]
    given: Layer

    def writes(self, machine: Machine) -> list[Any]:
        """Heap keys from before the loop that it wrote."""
        return [k for k, v in self.layer.items() if k in machine.heap and v is not self.given.get(k)]


class _Loop:
    def __init__(
        self,
        machine: Machine,
        variables: Values,
        condition: Suite,
        body: Suite,
        has_else: bool,
        counter: Counter | None,
    ) -> None:
        self.machine = machine
        self.condition = condition
        self.body = body
        self.has_else = has_else
        self.strict = False
        self.counter = counter
        self.variables = len(variables)
        self.widening = Widening(machine)
        position = () if counter is None else (counter.start,)
        self.values: Values = (Known(True), Known(False), Known(False), MISSING, *position, *variables)
        self.count = len(self.values)
        self.keys: list[Any] = []
        self.throws = Throws(machine)
        self.tested_inside = False
        """Whether the condition does more than to compute, so that it is the beginning of the body."""

    def run(self) -> Completion:
        for _ in range(MAX_ATTEMPTS):
            results = self._attempt()
            if results is not None:
                return self._finished(results)
        raise TypeError(
            "the types of this loop's variables do not settle. Give them their final types before the loop."
        )

    def _attempt(self) -> list[Node] | None:
        """Emits the loop if one iteration keeps the types of the state; otherwise widens the state and gives None.

        A body that waits for the value of a recursive call is a way not taken: the state stays as it is.
        """
        start = Sequence((*self.values, *self._outside()))
        before, place = self.machine.checkpoint(), self.machine.stack[-1].node
        try:
            test = self._run(start, self._test)
        except Exception as error:
            if self.tested_inside or not self.machine.tries or not catchable(error):
                raise
            self.machine.restore(before)
            self.machine.stack[-1].node = place
            self.tested_inside = True
            return None
        if test.writes(self.machine):
            self.tested_inside = True
            return None
        before = self.machine.checkpoint()
        try:
            body = self._run(start, self._iteration)
        except PendingError:
            self.machine.restore(before)
            return [n for v in start.elements for n in self.widening.leaves(v)]
        if self.throws.begin():
            return None
        written = [k for k in body.writes(self.machine) if k not in self.keys]
        if written:
            self.keys += written
            return None
        if self._widened(start, body):
            return None
        return self._emit(start, test, body, self._outputs(body))

    def _outside(self) -> list[Abstract]:
        return [packed(k, self.machine.heap.get(k)) for k in self.keys]

    def _run(self, start: Sequence, part: Callable[[Values], Abstract]) -> _Part:
        parameters = self.widening.parameters(start, "s")
        states: list[Sequence] = []
        given: Layer = {}

        def run() -> Abstract:
            state = Sequence(tuple(self._parts(start, parameters)))
            states.append(state)
            for key, value in zip(self.keys, state.elements[self.count :], strict=True):
                given[key] = unpacked(key, value, self.machine.heap.get(key))
                self.machine.heap.set(key, given[key])
            return part(state.elements[: self.count])

        made = scoped(self.machine, run)
        return _Part(parameters, states[0], made.result, made.layer, made.nodes, given)

    def _parts(self, start: Sequence, nodes: list[Any]) -> list[Abstract]:
        remaining = list(nodes)
        return [self.widening.rebuild(v, remaining) for v in start.elements]

    def _test(self, values: Values) -> Abstract:
        """Bool[]: the loop goes on, and its condition holds."""
        going, condition = values[0], (lambda state: Known(True)) if self.tested_inside else self.condition
        test = decisive(self.machine, condition(values[_HEAD:]))
        emitter: Any = self.machine.emitter
        truth = known_truth(self.machine, test)
        if truth is None and isinstance(going, Node):
            node: Node = emitter.logical_and(going, truth_node(self.machine, test))
            return node
        deciding = going if truth else test
        return deciding if isinstance(deciding, Known) else truth_node(self.machine, deciding)

    def _iteration(self, values: Values) -> Abstract:
        """The state after the body, however it ended."""
        run = self._tested if self.tested_inside else self.body
        thrown = always((*self._fold(lang.DONE, ()), *[MISSING] * self.variables), lang.CONTINUE)

        def turn() -> Completion:
            completion = self.machine.folding(self._fold, lambda: run(values[_HEAD:]))
            assert isinstance(completion, Completion)
            return completion

        completion = self.machine.attempted(lambda: self.throws.caught(turn, thrown))
        assert isinstance(completion, Completion)
        head, variables = self._merged(completion)
        position: Values = ()
        if self.counter is not None:
            position = (self.counter.advance(values[_HEAD:]),)
            variables = self.counter.settled(values[_HEAD + 1 :], variables, head[0])
        return Sequence((*head, *position, *variables, *self._outside()))

    def _tested(self, values: Values) -> Abstract:
        """The body if the condition holds, else the end of the loop."""
        test = decisive(self.machine, self.condition(values))
        truth = known_truth(self.machine, test)
        done = always(self._fold(lang.DONE, values[len(values) - self.variables :]), lang.CONTINUE)
        if truth is not None:
            return self.body(values) if truth else done
        return run_time_branch(self.machine, truth_node(self.machine, test), lambda: self.body(values), lambda: done)

    def _fold(self, case: str, values: Values) -> Values:
        """Head of the state and variables after the body has ended with `case`."""
        broken = self.has_else and case == lang.BREAK
        flags = (Known(case == lang.CONTINUE), Known(broken), Known(case == lang.RETURN))
        if case == lang.RETURN:
            return (*flags, values[0], *[MISSING] * self.variables)
        return (*flags, MISSING, *values)

    def _merged(self, completion: Completion) -> tuple[Values, Values]:
        """The one state behind the cases of a body: those of loops inside it come apart from its own."""
        if completion is NEVER:
            return (Known(False), Known(False), Known(False), MISSING), (MISSING,) * self.variables
        (name, case), *rest = completion.cases.items()
        values = case.values if name == lang.CONTINUE else self._fold(name, case.values)
        if rest:
            assert case.flag is not None
            other = Completion({n: Case(None if len(rest) == 1 else c.flag, c.values, c.location) for n, c in rest})
            joined = run_time_branch(
                self.machine, case.flag, lambda: always(values), lambda: always(sum(self._merged(other), ()))
            )
            assert isinstance(joined, Completion)
            values = joined.cases[lang.NEXT].values
        return values[:_HEAD], values[_HEAD:]

    def _widened(self, start: Sequence, body: _Part) -> bool:
        """Widens the state by what one iteration made of it; whether it had to."""
        assert isinstance(body.result, Sequence)
        self.widening.changed = False
        self.machine.heap.push(body.layer)
        rows = list(zip(start.elements, body.state.elements, body.result.elements, strict=True))
        widened = []
        for position, row in enumerate(rows):
            self.widening.strict = self.strict and position >= _HEAD and not self._tells_what_was_raised(position)
            try:
                widened.append(self.widening.widen(*row))
            except DisagreementError as error:
                raise TypeError(self._problem(position, error)) from None
        self._keep_lists(self.machine.heap.pop())
        self.values = tuple(widened[: self.count])
        for key, value, old in zip(self.keys, widened[self.count :], start.elements[self.count :], strict=True):
            if value is not old:
                self.machine.heap.set(key, unpacked(key, value, self.machine.heap.get(key)))
        return self.widening.changed

    def _tells_what_was_raised(self, position: int) -> bool:
        return position >= self.count and self.throws.is_state(self.keys[position - self.count])

    def _keep_lists(self, layer: Layer) -> None:
        """Lists that widening made stay known after the body's writes are forgotten."""
        for key, content in layer.items():
            if isinstance(key, Held) and self.widening.is_state(key):
                self.machine.heap.set(key, content)

    def _problem(self, position: int, error: DisagreementError) -> str:
        what = self._variable(position)
        if position >= self.count:
            key = self.keys[position - self.count]
            what = f"Parameter {getattr(key.object, 'name', '')}" if isinstance(key, Slot) else f"a {describe(key)}"
        elif position < _HEAD:
            what = "the returned value"
        return (
            f"in a loop whose length is known only at run time, {what} is {error}. It must keep its structure, element type and shape; "
            f"convert it before the loop."
        )

    def _variable(self, position: int) -> str:
        node = self.machine.stack[-1].node if self.machine.stack else None
        names = node.attrs.get("names", ()) if isinstance(node, Apply) else ()
        place = position - (self.count - self.variables)
        return f"the variable {names[place]!r}" if 0 <= place < len(names) else "a variable"

    def _outputs(self, body: _Part) -> list[Node]:
        """The tensors of the state after an iteration, as nodes of the body."""
        assert isinstance(body.result, Sequence)
        self.machine.heap.push(body.layer)
        self.machine.emitter.scopes.append(body.nodes)
        pairs = zip(body.state.elements, body.result.elements, strict=True)
        outputs = [node for state, after in pairs for node in self.widening.results(state, after)]
        self.machine.emitter.close()
        self.machine.heap.pop()
        return outputs

    def _emit(self, start: Sequence, test: _Part, body: _Part, outputs: list[Node]) -> list[Node]:
        emitter = self.machine.emitter
        condition = test.result
        if isinstance(condition, Known):
            condition = emitter.const(bool(condition.value), dt.bool_)
        assert isinstance(condition, Node)
        initial = [n for v in start.elements for n in self.widening.leaves(v)]
        own = {*test.parameters, *body.parameters}
        free = dict.fromkeys([*emitter.free([condition], test.nodes), *emitter.free(outputs, body.nodes)])
        fixed = [n for n in free if n not in own]
        name = self.machine.stack[-1].name if self.machine.stack else "graph"
        testing = emitter.closed(f"{name}_while", [condition], test.nodes, [*test.parameters, *fixed], single=True)
        looping = emitter.closed(f"{name}_body", [*outputs, *fixed], body.nodes, [*body.parameters, *fixed])
        made = emitter.loop(testing, looping, [*initial, *fixed])
        return [emitter.get(made, i) for i in range(len(initial))]

    def _finished(self, results: list[Node]) -> Completion:
        """The state after the loop, and how the loop was left."""
        state = self._parts(Sequence((*self.values, *self._outside())), results)
        for key, value in zip(self.keys, state[self.count :], strict=True):
            self.machine.heap.set(key, unpacked(key, value, self.machine.heap.get(key)))
        self.throws.raise_again()
        broken, returned, result = state[1:_HEAD]
        variables = state[self.count - self.variables : self.count]
        left: list[tuple[str, Abstract, Values]] = [
            (lang.BREAK, broken, tuple(variables)),
            (lang.RETURN, returned, (result,)),
        ]
        cases = {n: Case(f, v, None) for n, f, v in left if isinstance(f, Node)}
        if not cases:
            return always(tuple(variables), lang.DONE)
        emitter: Any = self.machine.emitter
        flags = [c.flag for c in cases.values()]
        done = emitter.logical_not(flags[0] if len(flags) == 1 else emitter.logical_or(*flags))
        return Completion({lang.DONE: Case(done, tuple(variables), None), **cases})


def packed(key: Any, content: Any) -> Abstract:
    """What the heap holds under `key` as one value."""
    if isinstance(key, Slot | Box):
        value: Abstract = content
        return value
    return Sequence(tuple(content.values()) if isinstance(content, dict) else tuple(content))


def unpacked(key: Any, value: Abstract, like: Any) -> Any:
    if isinstance(key, Slot | Box):
        return value
    assert isinstance(value, Sequence | Known)
    elements = value.elements if isinstance(value, Sequence) else tuple(Known(v) for v in value.value)
    return dict(zip(like, elements, strict=True)) if isinstance(like, dict) else tuple(elements)
