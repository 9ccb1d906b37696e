"""What a function runs, one after the other, after fusion: each task with the buffers it touches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field

from mindspore.kernels import groups, nest
from mindspore.kernels.epilogue import Epilogue
from mindspore.kernels.fuse import Group, fuse, live_outputs
from mindspore.kernels.nest import Built, Nest
from mindspore.kernels.program import (
    ArgFold,
    Boxes,
    Branch,
    Check,
    Emit,
    Function,
    Invoke,
    Kernels,
    Loop,
    Map,
    Pack,
    Product,
    Put,
    Step,
    Unpack,
    Value,
    copied,
    has_effects,
    whole,
)
from mindspore.kernels.repeats import Repeats


@dataclass(slots=True, eq=False)
class Task:
    """``shares``: output -> inputs in whose memory it may be written. ``scratch``: bytes that only this task needs."""

    reads: list[Value]
    writes: list[Value]
    shares: Mapping[Value, Sequence[Value]] = field(default_factory=dict)
    scratch: int = 0

    @property
    def effects(self) -> bool:
        """Whether it carries out effects: these may end the run, and keep their order."""
        return False


@dataclass(slots=True, eq=False)
class RunNest(Task):
    """``pointers``: the values behind the nest's pointers."""

    nest: Nest = field(kw_only=True)
    pointers: list[Value] = field(kw_only=True)


@dataclass(slots=True, eq=False)
class RunProduct(Task):
    """A matrix product and the maps that follow it tile by tile.

    ``holder``: the output in whose memory the product is formed, None when it needs memory of its own.
    """

    product: Product = field(kw_only=True)
    maps: list[Map] = field(kw_only=True)
    epilogue: Epilogue = field(kw_only=True)
    holder: Value | None = None


@dataclass(slots=True, eq=False)
class RunStep(Task):
    """A step that runs alone."""

    @property
    def effects(self) -> bool:
        return has_effects(self.step)

    step: ArgFold | Boxes | Put | Check | Invoke | Branch | Kernels | Loop | Pack | Unpack | Emit = field(kw_only=True)


def tasks_of(function: Function, repeats: Repeats) -> list[Task]:
    """The tasks of a function in order."""
    order = live_outputs(fuse(function), function.results)
    updates = {function.results[k] for k in function.updates}
    return delayed(function, [task(group, outputs, updates, repeats) for group, outputs in order])


def task(group: Group, outputs: list[Value], updates: Set[Value], repeats: Repeats) -> Task:
    """What runs a group that writes `outputs`."""
    if group.layout is not None:
        return nest_task(repeats.built(group.layout, group.steps, outputs), outputs)
    first = group.steps[0]
    if isinstance(first, Product):
        return _product_task(group, first, outputs, updates, repeats)
    assert isinstance(first, ArgFold | Boxes | Put | Check | Invoke | Branch | Kernels | Loop | Pack | Unpack | Emit)
    shares = _loop_shares(first) if isinstance(first, Loop) else _put_shares(first) if isinstance(first, Put) else {}
    return RunStep(_reads(first), list(first.outputs), shares, step=first)


def delayed(function: Function, tasks: Sequence[Task]) -> list[Task]:
    """The tasks with those that only update parameters moved behind the last reader of the old values and the last effect, so that they
    can overwrite them; writes of elements behind the other readers of the tensor that they start from, for the same reason."""
    acting = max((position for position, each in enumerate(tasks) if each.effects), default=-1)
    last: dict[Value, int] = {}
    first: dict[Value, int] = {}
    for position, each in enumerate(tasks):
        last.update((value, position) for value in each.reads)
        first.update((value, position) for value in each.reads if value not in first)
    target = {function.results[k]: function.parameters[p] for k, p in function.updates.items()}

    def place(position: int) -> tuple[int, bool, int]:
        writes = tasks[position].writes
        bases = [b for v in writes for b in tasks[position].shares.get(v, ())] if is_put(tasks[position]) else []
        behind = max((last[b] for b in bases), default=position)
        if position < behind < min((first.get(v, len(tasks)) for v in writes), default=0):
            return behind, True, position
        if not writes or tasks[position].effects or any(v not in target or v in last for v in writes):
            return position, False, position
        return max(position, acting, *(last.get(target[v], -1) for v in writes)), True, position

    return [tasks[p] for p in sorted(range(len(tasks)), key=place)]


def is_put(task: Task) -> bool:
    return isinstance(task, RunStep) and isinstance(task.step, Put)


def _product_task(
    group: Group, product: Product, outputs: list[Value], updates: Set[Value], repeats: Repeats
) -> RunProduct:
    maps = [s for s in group.steps[1:] if isinstance(s, Map)]
    result = product.outputs[0]
    candidates = [v for v in outputs if v.dtype is result.dtype and v not in updates]
    holder = result if result in outputs else next(iter(candidates), None)
    made, own = repeats.epilogue(product, maps, outputs), _reads(product)
    shares = {v: [i for i in inputs if i not in own] for v, inputs in made.shares().items() if v is not holder}
    return RunProduct(_needed(group.reads()), outputs, shares, product=product, maps=maps, epilogue=made, holder=holder)


def nest_task(built: Built, outputs: Sequence[Value]) -> RunNest:
    written = set(outputs)
    reads = [v for v in built.pointers if v not in written]
    return RunNest(reads, list(outputs), built.shares, nest=built.nest, pointers=built.pointers)


def copy_task(source: Value, target: Value) -> RunNest:
    """Copies a whole buffer that is not empty."""
    step = Map((whole(source),), (target,), (copied(source.dtype),))
    layout = groups.layout([step])
    assert layout is not None
    return nest_task(nest.build(layout, [step], [target]), [target])


def copy_nest(value: Value) -> Nest | None:
    """The nest that copies `value` to a second pointer; None when there is nothing to copy."""
    return copy_task(value, Value(value.dtype, value.size)).nest if value.size else None


def _needed(values: Sequence[Value]) -> list[Value]:
    return [v for v in values if not (v.uniform and v.constant is not None)]


def _reads(step: Step) -> list[Value]:
    return list(dict.fromkeys(r.value for r in step.reads if r.value is not None))


def _put_shares(put: Put) -> dict[Value, list[Value]]:
    """The output may be written over the tensor that it starts from, when that is not an update or an index as well."""
    base, *others = [r.value for r in put.reads]
    return {} if base is None or base in others else {put.outputs[0]: [base]}


def _loop_shares(loop: Loop) -> dict[Value, list[Value]]:
    """A loop's state may start out in its first value's memory when nothing else in the loop reads that."""
    read = [r.value for r in loop.reads]
    shares: dict[Value, list[Value]] = {}
    for value, carried in zip(read, loop.carried, strict=False):
        if value is not None and carried is not None and read.count(value) == 1:
            shares[loop.outputs[carried]] = [value]
    return shares
