"""Branches: one arm when the condition is known, otherwise both arms as closed graphs of an `If` and the join of what they leave."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass

from mindspore.base import dtypes as dt
from mindspore.infer import language as lang
from mindspore.infer.errors import catchable
from mindspore.infer.heap import Layer
from mindspore.infer.join import DisagreementError, GraphJoinError, Join, Leaf, leaf_node
from mindspore.infer.leaving import Rebuild
from mindspore.infer.machine import Machine, PendingError, SplitError, UnwindingError, evaluates
from mindspore.infer.structure import describe
from mindspore.infer.truth import decided_before, decisive, implications, known_truth, truth_node
from mindspore.infer.values import EFFECTS, NEVER, Abstract, Case, Choice, Completion, Frame, Known, Unusable
from mindspore.ir.graph import Apply, Constant, Graph, Node
from mindspore.ir.types import TensorType, TokenType

Thunk = Callable[[], Abstract]


@evaluates(lang.BRANCH)
def branch(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    condition = decisive(machine, machine.value(frame, node.inputs[0]))
    arms = [_graph(a) for a in node.inputs[1:]]
    truth = known_truth(machine, condition)
    if truth is None:
        truth = decided_before(machine, condition)
    if truth is not None:
        return machine.run(arms[0 if truth else 1], frame)
    if node.attrs["logical"] and (merged := _logical(machine, frame, node, condition, arms)) is not None:
        return merged

    def arm(graph: Graph) -> Abstract:
        result = machine.run(graph, frame)
        frame.node = node
        return result

    return run_time_branch(machine, truth_node(machine, condition), lambda: arm(arms[0]), lambda: arm(arms[1]))


def _graph(node: Node) -> Graph:
    assert isinstance(node, Constant)
    assert isinstance(node.value, Graph)
    return node.value


def _logical(machine: Machine, frame: Frame, node: Apply, condition: Abstract, arms: list[Graph]) -> Abstract | None:
    """``a and b`` of two Bool[] values without effects: both are computed, as one operator; None when it is not that."""
    if not (isinstance(condition, Node) and condition.type == TensorType(dt.bool_, ())):
        return None
    symbol: str = node.attrs["logical"]
    before = machine.checkpoint()
    machine.heap.push()
    machine.branches += 1
    try:
        completion = machine.attempted(lambda: machine.run(arms[0 if symbol == "and" else 1], frame))
    except PendingError:
        machine.restore(before)
        return None
    except Exception as error:
        if not (machine.tries and getattr(error, "thrown", False)):
            raise
        machine.restore(before)
        return None
    machine.branches -= 1
    changed = machine.heap.pop()
    frame.node = node
    if completion is NEVER or machine.recursive_calls > before.recursive_calls:
        return None
    assert isinstance(completion, Completion)
    (value,) = completion.cases[lang.NEXT].values
    if any(key in machine.heap for key in changed):
        return None
    if not (isinstance(value, Node) and value.type == TensorType(dt.bool_, ())):
        return None
    operator = machine.emitter.logical_and if symbol == "and" else machine.emitter.logical_or
    return Completion({lang.NEXT: Case(None, (operator(condition, value),), node.location)})


def run_time_branch(machine: Machine, condition: Node, then: Thunk, other: Thunk) -> Abstract:
    """Evaluates both arms and emits the `If` that chooses between what they leave.

    An arm that always raises leaves nothing: the other one continues what comes before the branch. Where a ``try`` may catch what it raises
    `SplitError` goes back to that.

    Raises:
        TypeError: results or state of the arms have different types.
        PendingError: both arms wait for the value of a recursive call.
    """
    trial = machine.tries[-1] if machine.tries else None
    if trial is None or trial.decisions is None or len(machine.emitter.scopes) != trial.scopes:
        return _both(machine, condition, then, other)
    site = trial.site(machine.stack)
    truth = trial.decisions.get(site)
    if truth is not None:
        trial.taken += 1
        machine.assumed = {**machine.assumed, **implications(condition, truth)}
        return then() if truth else other()
    try:
        return _both(machine, condition, then, other)
    except UnwindingError:
        raise
    except Exception as error:
        if not catchable(error):
            raise
        raise SplitError(trial, site, condition) from None


def _both(machine: Machine, condition: Node, then: Thunk, other: Thunk) -> Abstract:
    left = _arm(machine, condition, True, then)
    if isinstance(left, Arm) and left.result is NEVER:
        _check(machine, condition, left, other=False)
        return other()
    right = _arm(machine, condition, False, other)
    if isinstance(left, PendingError) or isinstance(right, PendingError):
        return _only(machine, left, right)
    if right.result is NEVER:
        before = machine.heap.get(EFFECTS)
        _check(machine, condition, right, other=True)
        _continue(machine, left, before)
        return left.result
    join = Join(machine, condition, (left.layer, right.layer), (left.nodes, right.nodes))
    rebuild = _matched(join, [left.result, right.result])
    contents = [_join_content(machine, join, key) for key in _written(machine, join.layers)]
    made: list[Node] = []
    if join.types:
        owned = [left.nodes, right.nodes]
        sides = zip((join.left, join.right), owned, strict=True)
        outputs = [_outputs(machine, side, join.types, own) for side, own in sides]
        made = _emit_if(machine, condition, outputs, owned)
    for key, make in contents:
        machine.heap.set(key, make(made))
    return rebuild(made)


def _arm(machine: Machine, condition: Node, truth: bool, arm: Thunk) -> Arm | PendingError:
    """What `arm` does where `condition` is `truth`, or that it waits for the value of a recursive call."""
    before, assumed = machine.checkpoint(), machine.assumed
    machine.assumed = {**assumed, **implications(condition, truth)}
    try:
        return scoped(machine, arm)
    except PendingError as error:
        machine.restore(before)
        return error
    finally:
        machine.assumed = assumed


def _only(machine: Machine, left: Arm | PendingError, right: Arm | PendingError) -> Abstract:
    """What the arm leaves that does not wait for the value of a recursive call, as if there were no other."""
    pending = [arm for arm in (left, right) if isinstance(arm, PendingError)]
    (arm,) = [arm for arm in (left, right) if isinstance(arm, Arm) and arm.result is not NEVER] or (None,)
    if arm is None:
        raise min(pending, key=lambda error: error.depth)
    machine.heap.merge(arm.layer)
    machine.emitter.adopt(arm.nodes)
    return arm.result


def _matched(join: Join, results: list[Abstract]) -> Rebuild:
    try:
        return join.match(results[0], results[1])
    except DisagreementError as error:
        raise GraphJoinError(
            f"what run time chooses between differs: {error}. Both must have the same structure, element type and shape."
        ) from None


def decided(machine: Machine, choice: Choice, use: Callable[[Abstract], Abstract]) -> Abstract:
    """What `use` makes of the function that run time chooses: a branch with one use of each."""
    known = decided_before(machine, choice.flag)
    if known is not None:
        return use(choice.then if known else choice.other)
    if any(isinstance(each, Known) and each.value is None for each in (choice.then, choice.other)):
        raise TypeError(f"run time chooses between {describe(choice)}: test that it is not None before it is used.")
    return run_time_branch(machine, choice.flag, lambda: use(choice.then), lambda: use(choice.other))


def chosen(machine: Machine, values: Items[Abstract], position: Node) -> Abstract:
    """``values[position]`` for an integer known only at run time, not negative; one too large takes the last."""
    below = [machine.emitter.less(position, i) for i in range(1, len(values))]

    def among(first: int, end: int) -> Abstract:
        if end - first == 1:
            return values[first]
        middle = (first + end) // 2
        halves = (lambda: among(first, middle)), (lambda: among(middle, end))
        return run_time_branch(machine, below[middle - 1], *halves)

    return among(0, len(values))


@dataclass(frozen=True, slots=True)
class Arm:
    """What was evaluated apart: its value, what it wrote, and the nodes it made."""

    result: Abstract
    layer: Layer
    nodes: set[Node]


def scoped(machine: Machine, arm: Thunk, conditional: bool = True) -> Arm:
    """Runs `arm` in a scope and heap layer of its own; its value is `NEVER` when it always raises.

    `conditional`: whether it may not run at all.
    """
    location = machine.emitter.location
    machine.heap.push()
    machine.emitter.open()
    machine.branches += conditional
    result = machine.attempted(arm)
    machine.branches -= conditional
    machine.emitter.location = location
    nodes = machine.emitter.close()
    return Arm(result, machine.heap.pop(), nodes)


def _check(machine: Machine, condition: Node, raising: Arm, other: bool) -> None:
    """Emits the `If` of which one arm raises."""
    machine.checks += 1
    before: Node = machine.heap.get(EFFECTS)
    arms = [([raising.layer[EFFECTS]], raising.nodes), ([before], set[Node]())]
    outputs, owned = zip(*(arms[::-1] if other else arms), strict=True)
    (token,) = _emit_if(machine, condition, outputs, owned)
    machine.heap.set(EFFECTS, token)


def _continue(machine: Machine, arm: Arm, before: Node) -> None:
    """Makes what `arm` did unconditional; its effects began with the token `before`."""
    token = machine.heap.get(EFFECTS)
    for node in arm.nodes:
        if isinstance(node, Apply) and before in node.inputs:
            node.inputs = tuple(token if i is before else i for i in node.inputs)
    machine.emitter.adopt(arm.nodes)
    machine.heap.merge(arm.layer)


def _written(machine: Machine, layers: Items[Layer]) -> list[object]:
    """Heap keys from before the branch that an arm wrote."""
    return [k for k in dict.fromkeys([*layers[0], *layers[1]]) if k in machine.heap]


def _join_content(machine: Machine, join: Join, key: object) -> tuple[object, Callable[..., object]]:
    contents = [layer[key] if key in layer else machine.heap.get(key) for layer in join.layers]
    try:
        return key, join.content(key, contents[0], contents[1])
    except DisagreementError as error:
        unusable = Unusable(
            f"the branches of a condition that is known only at run time leave different types: {error}. Both must have the same "
            f"structure, element type and shape.",
            TypeError,
        )
        if isinstance(contents[0], tuple | dict):
            raise TypeError(unusable.why) from None
        return key, lambda nodes: unusable


def _outputs(
    machine: Machine, leaves: list[Leaf], types: Items[TensorType | TokenType], owned: set[Node]
) -> list[Node]:
    """Nodes for the results of an arm; those made here belong to it."""
    machine.emitter.scopes.append(owned)
    nodes = [leaf_node(machine, leaf, kind) for leaf, kind in zip(leaves, types, strict=True)]
    machine.emitter.close()
    return nodes


def _emit_if(machine: Machine, condition: Node, outputs: Items[list[Node]], owned: Items[set[Node]]) -> list[Node]:
    emitter = machine.emitter
    free = [emitter.free(o, own) for o, own in zip(outputs, owned, strict=True)]
    arguments = list(dict.fromkeys([*free[0], *free[1]]))
    name = machine.stack[-1].name if machine.stack else "graph"
    graphs = [
        emitter.closed(f"{name}_{label}", o, own, arguments)
        for label, o, own in zip(("then", "else"), outputs, owned, strict=True)
    ]
    made = emitter.branch(condition, graphs[0], graphs[1], arguments)
    return [emitter.get(made, i) for i in range(len(outputs[0]))]


@evaluates(lang.AFTER)
def after(machine: Machine, frame: Frame, node: Apply) -> Abstract:
    completion = machine.peek(frame, node.inputs[0])
    assert isinstance(completion, Completion)
    rest = _graph(node.inputs[1])
    return proceed(machine, completion, lang.NEXT, lambda values: machine.run(rest, frame, values))


def proceed(
    machine: Machine, completion: Completion, case: str, then: Callable[[tuple[Abstract, ...]], Abstract]
) -> Completion:
    """`completion` with `then` carried out where it ended with `case`; the other cases stay."""
    taken = completion.cases.get(case)
    if taken is None:
        return completion
    others = {n: c for n, c in completion.cases.items() if n != case}
    if not others:
        result = then(taken.values)
        assert isinstance(result, Completion)
        return result
    if len(others) == 1:
        others = {n: Case(None, c.values, c.location) for n, c in others.items()}
    assert taken.flag is not None
    joined = run_time_branch(machine, taken.flag, lambda: then(taken.values), lambda: Completion(others))
    assert isinstance(joined, Completion)
    return joined


def always(values: tuple[Abstract, ...], case: str = lang.NEXT) -> Completion:
    return Completion({case: Case(None, values, None)})
