"""Products over batches and what lies between them, batch after batch, so that what they hand to each other stays in a thread's cache.

Attention is such a chain: the scores of one head exist at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace

from mindspore.base.shapes import Shape
from mindspore.kernels import access as acc
from mindspore.kernels import lower_gemm
from mindspore.kernels.arena import Arena
from mindspore.kernels.nest import Item
from mindspore.kernels.program import Batch, Value
from mindspore.kernels.tasks import RunNest, RunProduct, Task

LARGE = 1 << 20
"""Bytes handed from one member to the next from which a second-level cache does not hold them for all batches."""
MOST = 3 << 18
"""Bytes of one batch that a second-level cache holds."""
FEWEST = 8
"""Batches that keep threads busy."""
EVERYWHERE = 1 << 62
"""What an item may touch whose place is known at run time."""
LONGEST = 16
"""Tasks that are looked through for the members of a chain."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch begins: ``start`` and the digits of its number over ``dims`` times ``strides``."""

    dims: Shape = ()
    strides: Shape = ()
    start: int = 0


@dataclass(slots=True, eq=False)
class Member:
    """A task for one batch; ``places`` of the pointers of its nest or epilogue, ``operands`` of those of its product."""

    task: RunProduct | RunNest
    places: list[Place]
    operands: list[Place] = field(default_factory=list)

    def uses(self) -> Iterator[tuple[Value, Place, int, int]]:
        """What is read and written in memory: value, place, and the first and last element of the first batch."""
        task = self.task
        if isinstance(task, RunProduct):
            (m, n, k), steps = task.product.size, task.product.steps
            spans = ((m, k), (k, n))
            for read, place, step, span in zip(task.product.reads, self.operands, steps, spans, strict=True):
                assert read.value is not None
                reach = sum((count - 1) * s for count, s in zip(span, step, strict=True))
                yield read.value, place, place.start, place.start + reach
        made, pointers = (
            (task.epilogue, task.epilogue.pointers) if isinstance(task, RunProduct) else (task.nest, task.pointers)
        )
        if self.places:
            for item in made.items:
                if item.buffer >= 0:
                    first, last = _reach(item, made.dims)
                    yield pointers[item.buffer], self.places[item.buffer], first, EVERYWHERE if item.picks else last


@dataclass(slots=True, eq=False)
class RunChain(Task):
    """``members`` run one after the other for each of ``count`` batches.

    ``inner``: where what only they read lies in ``nbytes`` of memory that a thread has for one batch.
    """

    count: int = field(kw_only=True)
    members: list[Member] = field(kw_only=True)
    inner: Mapping[Value, int] = field(kw_only=True)
    nbytes: int = field(kw_only=True)


def chained(tasks: Sequence[Task], results: Set[Value], updates: Set[Value]) -> list[Task]:
    """`tasks` with chains in the place of their members. ``updates``: results that overwrite parameters and keep their place."""
    readers: dict[Value, int] = {}
    for each in tasks:
        for value in each.reads:
            readers[value] = readers.get(value, 0) + 1
    found: list[Task] = []
    position = 0
    while position < len(tasks):
        chain, before, after = _chain(tasks, position, updates)
        made = _made(chain, readers, results) if len(chain) > 1 else None
        if made is None:
            found.append(tasks[position])
            position += 1
        else:
            found += [*before, made]
            position = after
    return found


def _chain(tasks: Sequence[Task], start: int, updates: Set[Value]) -> tuple[list[Member], list[Task], int]:
    """Members from `start` on, tasks between them that can run before them all, and the position behind the last."""
    first = tasks[start]
    count = first.product.batch.count if isinstance(first, RunProduct) else 0
    opening = _member(first, count) if count >= FEWEST and updates.isdisjoint(first.writes) else None
    if opening is None or not all(_local(opening, v, count) for v in first.writes):
        return [], [], start
    members, before, skipped, end = [opening], list[Task](), list[Task](), start + 1
    written = set(first.writes)
    for position in range(start + 1, min(start + LONGEST, len(tasks))):
        task = tasks[position]
        if not updates.isdisjoint(task.writes) or not isinstance(task, RunNest | RunProduct):
            break
        shared = written.intersection(task.reads)
        if not shared:
            skipped.append(task)
            continue
        made = _member(task, count)
        if made is None or not all(_local(made, v, count) for v in (*shared, *task.writes)):
            break
        members.append(made)
        written.update(task.writes)
        before, skipped, end = [*before, *skipped], [], position + 1
    return members, before, end


def _made(members: list[Member], readers: Mapping[Value, int], results: Set[Value]) -> RunChain | None:
    """The task of a chain; None when it would not pay."""
    written = {v for m in members for v in m.task.writes}
    inside = {v: sum(v in m.task.reads for m in members) for v in written}
    inner = {v for v in written if v not in results and inside[v] and inside[v] == readers.get(v, 0)}
    count = _batches(members[0])
    places, nbytes = _memory(members, inner, count)
    if sum(v.nbytes for v in inner) < LARGE or nbytes > MOST:
        return None
    reads = dict.fromkeys(v for m in members for v in m.task.reads if v not in written)
    writes = dict.fromkeys(v for m in members for v in m.task.writes if v not in inner)
    return RunChain(list(reads), list(writes), count=count, members=members, inner=places, nbytes=nbytes)


def _batches(first: Member) -> int:
    """How many batches the product that opens a chain has."""
    assert isinstance(first.task, RunProduct)
    (m, n, _), result = first.task.product.size, first.task.product.outputs[0]
    return result.size // (m * n)


def _memory(members: Sequence[Member], inner: Set[Value], count: int) -> tuple[dict[Value, int], int]:
    """Offsets of what a batch holds of each inner value, and all bytes."""
    arena, places = Arena(), dict[Value, int]()
    last = {v: position for position, m in enumerate(members) for v in m.task.reads}
    for position, member in enumerate(members):
        ending = {v for v in member.task.reads if v in inner and last[v] == position}
        for value in (v for v in member.task.writes if v in inner):
            over = next((v for v in member.task.shares.get(value, ()) if v in ending), None)
            ending.discard(over)
            places[value] = arena.take(value.nbytes // count) if over is None else places[over]
        for value in [v for v in member.task.reads if v in ending]:
            arena.give(places[value])
    return places, arena.size


def _member(task: Task, count: int) -> Member | None:
    """A task for one of `count` batches; None when its batches are not apart."""
    if isinstance(task, RunNest):
        return _nest(task, count)
    if not isinstance(task, RunProduct) or task.product.batch.count != count or task.holder is None:
        return None
    if not lower_gemm.suits(task):
        return None
    batch, made, places = task.product.batch, task.epilogue, list[Place]()
    operands = [Place(batch.sizes, s, at) for s, at in zip((batch.left, batch.right), batch.starts, strict=True)]
    cut = _cut(made.items, made.dims, count, len(made.pointers))
    if cut is None:
        return None
    dims, items, places = cut
    leading = len(dims) - (len(made.dims) - made.leading)
    if leading < 0:
        return None
    made = replace(made, items=items, dims=dims, leading=leading)
    return Member(replace(task, product=replace(task.product, batch=Batch()), epilogue=made), places, operands)


def _nest(task: RunNest, count: int) -> Member | None:
    nest = task.nest
    cut = None if nest.inner else _cut(nest.items, nest.dims, count, len(nest.pointers))
    if cut is None:
        return None
    dims, items, places = cut
    folds = any(i.kind == "fold" for i in items)
    behind = len(nest.length) if folds else 1
    if len(dims) < behind or (folds and (nest.chunk or dims[len(dims) - behind :] != nest.length)):
        return None
    outer, length = dims[: len(dims) - behind], dims[len(dims) - behind :]
    return Member(replace(task, nest=replace(nest, outer=outer, length=length, chunk=0, items=items)), places)


def _cut(
    items: Sequence[Item], dims: Shape, count: int, pointers: int
) -> tuple[Shape, tuple[Item, ...], list[Place]] | None:
    """Dimensions and items of one of `count` batches, and where each pointer's batches are."""
    border = _border(dims, count) if all(dims) else None
    if border is None:
        return None
    position, part = border
    outer, rest = dims[:position], dims[position:]
    if part > 1:
        outer, rest = (*outer, part), (rest[0] // part, *rest[1:])
    places: dict[int, Place] = {}
    made = []
    for item in items:
        steps, inside = _split(item.strides, dims, border) if item.strides else ((), ())
        if item.buffer >= 0 and places.setdefault(item.buffer, Place(outer, steps)).strides != steps:
            return None
        if item.buffer < 0 and any(steps):
            return None
        made.append(replace(item, strides=inside))
    return rest, tuple(made), [places.get(k, Place()) for k in range(pointers)]


def _border(dims: Shape, count: int) -> tuple[int, int] | None:
    """(position, part): behind `count` positions over the first dimensions lies a border, inside of that dimension unless `part` is 1."""
    total = 1
    for position, size in enumerate(dims):
        part, left = divmod(count, total)
        if left:
            return None
        if part == 1:
            return position, 1
        if part < size:
            return None if size % part else (position, part)
        total *= size
    return (len(dims), 1) if total == count else None


def _split(values: Shape, dims: Shape, border: tuple[int, int]) -> tuple[Shape, Shape]:
    """Strides before and behind the border."""
    position, part = border
    if part == 1:
        return values[:position], values[position:]
    return (*values[:position], values[position] * (dims[position] // part)), values[position:]


def _local(member: Member, value: Value, count: int) -> bool:
    """Whether batch b touches the b-th part of `value` alone."""
    area, left = divmod(value.size, count)
    if left:
        return False
    wanted = acc.collapsed((count,), (area,))
    return all(
        acc.collapsed(place.dims, place.strides) == wanted and first >= 0 and last < area
        for used, place, first, last in member.uses()
        if used is value
    )


def _reach(item: Item, dims: Shape) -> tuple[int, int]:
    """First and last element that an item touches."""
    ends = [(n - 1) * s for n, s in zip(dims, item.strides, strict=True)]
    return item.offset + sum(e for e in ends if e < 0), item.offset + sum(e for e in ends if e > 0)
