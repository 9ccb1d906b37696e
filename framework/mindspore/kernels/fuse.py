"""Which steps run together in one loop nest.

One forward walk. Every group has a position; a group's inputs come from lower positions, so the order of positions is always an order of
execution and groups cannot form cycles. A new step starts a group at the end and then pulls in, one after the other, the groups that
made its operands and the group that last read the same data, whenever the union fits a nest and can stand at one of the two positions.
"""

from __future__ import annotations

from collections.abc import Iterator

from mindspore.kernels import groups
from mindspore.kernels.groups import Layout
from mindspore.kernels.program import Branch, Check, Emit, Fold, Function, Invoke, Loop, Map, Step, Value
from mindspore.kernels.sizes import is_symbolic

MOST_CONSUMERS = 64
"""Groups with more consumers stay where they are: looking at all of them for each merge would be quadratic."""
WORTH_SHARING = 16
"""Elements from which two loops over the same data are run as one."""


def worth_sharing(value: Value) -> bool:
    return is_symbolic(value.size) or value.size >= WORTH_SHARING


class Group:
    """Steps that run as one unit. ``layout`` is set for loop nests; a Product may lead maps that are its epilogue."""

    __slots__ = ("consumers", "layout", "position", "producers", "steps")

    def __init__(self, step: Step, position: int) -> None:
        self.steps: list[Step] = [step]
        self.position = position
        self.consumers: set[Group] = set()
        self.producers: set[Group] = set()
        self.layout: Layout | None = groups.layout([step]) if isinstance(step, Map | Fold) else None

    @property
    def made(self) -> Iterator[Value]:
        return (output for step in self.steps for output in step.outputs)

    def reads(self) -> list[Value]:
        """Values read from outside, each once, in order."""
        return groups.inputs(self.steps)


class _Fuser:
    def __init__(self) -> None:
        self.groups: list[Group | None] = []
        self.maker: dict[Value, Group] = {}
        self.reader: dict[Value, Group] = {}

    def add(self, step: Step) -> None:
        group = Group(step, len(self.groups))
        self.groups.append(group)
        for value in group.reads():
            maker = self.maker.get(value)
            if maker is not None:
                group.producers.add(maker)
                maker.consumers.add(group)
        self.maker.update((output, group) for output in step.outputs)
        if group.layout is not None:
            group = self.pull(group, step)
            self.reader.update((v, group) for v in group.reads() if v.constant is None and worth_sharing(v))

    def pull(self, group: Group, step: Step) -> Group:
        makers = {self.maker[r.value] for r in step.reads if r.value in self.maker}
        sharers = {self.reader[r.value] for r in step.reads if r.value in self.reader and r.whole}
        for candidates in (makers, sharers):
            for other in sorted(candidates, key=lambda g: -g.position):
                if other is not group and self.groups[other.position] is other:
                    group = self.merged(other, group) or group
        return group

    def merged(self, early: Group, late: Group) -> Group | None:
        """The union of two groups when it is legal, else None."""
        if early.position > late.position:
            early, late = late, early
        position = self.place(early, late)
        if position is None or len(early.steps) + len(late.steps) > groups.MOST_STEPS:
            return None
        steps = [*early.steps, *late.steps]
        layout = union(early, late, steps)
        if layout is None and not groups.epilogue(steps):
            return None
        if len(groups.inputs(steps)) > groups.MOST_BUFFERS:
            return None
        self.join(early, late, position, layout)
        return early

    def place(self, early: Group, late: Group) -> int | None:
        """A position at which both can run."""
        if len(early.consumers) <= MOST_CONSUMERS and all(
            c.position > late.position for c in early.consumers if c is not late
        ):
            return late.position
        if all(p.position < early.position for p in late.producers if p is not early):
            return early.position
        return None

    def join(self, early: Group, late: Group, position: int, layout: Layout | None) -> None:
        """Make `early` the union at `position`; `late` is gone."""
        self.groups[early.position] = self.groups[late.position] = None
        early.steps += late.steps
        early.position, early.layout = position, layout
        self.groups[position] = early
        self.maker.update((output, early) for step in late.steps for output in step.outputs)
        early.consumers |= late.consumers
        early.producers |= late.producers
        for producer in late.producers:
            producer.consumers.discard(late)
            producer.consumers.add(early)
        for consumer in late.consumers:
            consumer.producers.discard(late)
            consumer.producers.add(early)
        early.consumers -= {early, late}
        early.producers -= {early, late}


def union(early: Group, late: Group, steps: list[Step]) -> Layout | None:
    """The layout of both groups together."""
    if early.layout is None or late.layout is None:
        return None
    if late.layout.folded:
        return groups.layout(steps)
    if not early.layout.folded and early.layout.space != late.layout.space:
        return None
    return groups.extended(early.layout, late.steps)


def fuse(function: Function) -> list[Group]:
    """The groups of `function` in order of execution."""
    fuser = _Fuser()
    for step in function.steps:
        fuser.add(step)
    return [g for g in fuser.groups if g is not None]


def live_outputs(order: list[Group], results: list[Value]) -> list[tuple[Group, list[Value]]]:
    """The groups that matter, each with the values that later ones or the caller read; control flow and checks always matter."""
    wanted = set(results)
    found: list[tuple[Group, list[Value]]] = []
    for group in reversed(order):
        outputs = [v for v in group.made if v in wanted]
        if outputs or isinstance(group.steps[0], Invoke | Branch | Loop | Check | Emit):
            found.append((group, outputs))
            wanted.update(group.reads())
    return found[::-1]
