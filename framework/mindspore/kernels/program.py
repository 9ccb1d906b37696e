"""The flat form of a typed graph: steps over buffers, with reshape, transpose, slice and broadcast gone into the reads."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.errors import Location
from mindspore.base.shapes import Shape, size
from mindspore.ir.effects import Site
from mindspore.ir.graph import Node
from mindspore.kernels.access import Access, identity
from mindspore.primitives.compute import Copy, Walk
from mindspore.primitives.scalar import Expr


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """Contiguous elements that one step writes, or a parameter, or a constant. Compared by identity."""

    dtype: DType
    size: int
    constant: np.ndarray | None = None
    uniform: bool = False

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize


@dataclass(frozen=True, slots=True)
class Read:
    """A value seen through an access; ``value`` None reads the position itself (Int64), as ``s.index`` does."""

    value: Value | None
    access: Access

    @property
    def whole(self) -> bool:
        """The buffer itself, in order and complete."""
        return self.value is not None and self.access.is_identity and self.value.size == self.access.size


def whole(value: Value) -> Read:
    return Read(value, identity(value.size))


def nothing(dtype: DType) -> Value:
    """A value without elements, which no step needs to write."""
    return Value(dtype, 0, np.empty(0, dt.to_numpy(dtype)))


@cache
def copied(dtype: DType) -> Expr:
    """The body that hands its only operand on: one object for each type."""
    return Expr("operand", (), dtype, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """Writes ``outputs`` from ``reads``."""

    reads: tuple[Read, ...]
    outputs: tuple[Value, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Map(Step):
    """Position by position: ``bodies[k]`` over the operands ``reads`` gives ``outputs[k]``."""

    bodies: tuple[Expr, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Take(Map):
    """``reads[0]`` at run-time places: its access gives where each position starts, and each further read, an index in bounds, moves on.

    ``picks``: (bound, step) of each index.
    """

    picks: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Put(Step):
    """A copy of ``reads[0]`` with ``kind`` applied at the places of ``walk``; then come the updates and the indices, all whole buffers.

    ``given``: strides with which the updates are read over the walk's sizes.
    """

    walk: Walk = field(kw_only=True)
    given: Shape = ()
    kind: str = "set"


@dataclass(frozen=True, slots=True, eq=False)
class Check(Step):
    """Ends the run with an error when an index of ``reads[0]`` is out of bounds. ``place``: its number among the program's places."""

    bound: int = 0
    place: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Fold(Step):
    """Folds the middle of ``space`` (outer, folded, inner). With ``chunk`` the fold is cut into pieces of that length, one output each."""

    kind: str = "sum"
    space: tuple[int, int, int] = (1, 1, 1)
    chunk: int = 0

    @property
    def pieces(self) -> int:
        return -(-self.space[1] // self.chunk) if self.chunk else 1


@dataclass(frozen=True, slots=True, eq=False)
class ArgFold(Step):
    """First position of the extreme of each of many short rows: ``rows``, and how long they are."""

    kind: str = "max"
    rows: tuple[int, int] = (1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Boxes(Step):
    """Copies boxes of the inputs into the output after filling it."""

    copies: tuple[Copy, ...] = ()
    fill: float | None = None


@dataclass(frozen=True, slots=True)
class KernelCall:
    """One call of an ahead-of-time kernel; buffers are numbered reads first, then outputs."""

    kernel: str
    buffers: tuple[int, ...]
    params: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Kernels(Step):
    """Calls ahead-of-time kernels one after the other, on whole buffers."""

    calls: tuple[KernelCall, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """Sizes of the batch dimensions, the elements from one batch to the next in both operands, and the first element of each."""

    sizes: Shape = ()
    left: Shape = ()
    right: Shape = ()
    starts: tuple[int, int] = (0, 0)

    @property
    def count(self) -> int:
        return size(self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class Product(Step):
    """Matrix products ``[m, k] @ [k, n]``, one per batch; the results lie behind each other.

    ``steps``: for both operands the elements from one row to the next and from one column to the next, of ``[m, k]`` and ``[k, n]``.
    """

    size: tuple[int, int, int] = (0, 0, 0)
    steps: tuple[tuple[int, int], tuple[int, int]] = ((0, 1), (0, 1))
    batch: Batch = Batch()

    @property
    def work(self) -> int:
        """Multiplications of all batches."""
        return size(self.size) * self.batch.count


@dataclass(frozen=True, slots=True, eq=False)
class Invoke(Step):
    """Runs a function on whole buffers."""

    function: Function = field(kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Branch(Step):
    """``reads[0]`` chooses which function runs on the rest."""

    functions: tuple[Function, Function] = field(kw_only=True)


@dataclass(frozen=True, slots=True, eq=False)
class Loop(Step):
    """While ``condition(*state)`` the state becomes ``body(*state)``; ``reads`` are the first state, ``outputs`` the last of what changes.

    ``carried[i]`` is the output of state i, None where the body hands the state on unchanged. Behind the state, ``reads`` has the
    stashes whose elements the body takes, one for each direction in ``stashes`` (without a condition their length is the number of
    turns), and ``outputs`` those that it makes, one for each direction in ``made``. ``escapes``: stashes or boxes that a turn makes
    may be read after it.
    """

    condition: Function | None = field(kw_only=True)
    body: Function = field(kw_only=True)
    carried: tuple[int | None, ...] = ()
    stashes: tuple[int, ...] = ()
    made: tuple[int, ...] = ()
    escapes: bool = False

    @property
    def element_bytes(self) -> tuple[list[int], list[int]]:
        """Bytes of an element of each stash that is read, and of each that is made."""
        count = len(self.carried)
        return [p.nbytes for p in self.body.parameters[count:]], [r.nbytes for r in self.body.results[count:]]


@dataclass(frozen=True, slots=True, eq=False)
class Pack(Step):
    """Puts ``reads``, whole buffers, into a new box: ``outputs[0]`` is its address."""


@dataclass(frozen=True, slots=True, eq=False)
class Unpack(Step):
    """Takes ``outputs`` from the box with the address ``reads[0]``, in the order in which they were put into it."""


@dataclass(frozen=True, slots=True, eq=False)
class Emit(Step):
    """Carries out the effect with this number on whole buffers."""

    site: int = field(kw_only=True)


@dataclass(slots=True, eq=False)
class Function:
    """A graph made flat.

    Every result is a distinct value that some step writes (or an empty one). ``updates`` maps a result to the parameter whose memory it
    takes: the caller passes the same pointer for both. ``sites``: the effects of all functions of the program, with the types of their
    values. ``places``: where the user wrote what may fail in any of them. ``place``: where the user wrote it.
    """

    name: str
    parameters: list[Value]
    steps: list[Step]
    results: list[Value]
    updates: dict[int, int]
    sites: list[Site]
    places: list[Location]
    place: Location | None = None

    def place_of(self, node: Node) -> int | None:
        """The number of the place of a node that may fail, None when it has none."""
        if node.location is None:
            return None
        self.places.append(node.location)
        return len(self.places) - 1


def called(step: Step) -> tuple[Function, ...]:
    """The functions that a step may run."""
    if isinstance(step, Invoke):
        return (step.function,)
    if isinstance(step, Branch):
        return step.functions
    if isinstance(step, Loop):
        return (step.body,) if step.condition is None else (step.condition, step.body)
    return ()


def has_effects(step: Step) -> bool:
    """Whether a step, or what it calls, carries out effects."""
    return isinstance(step, Emit) or any(map(carries_out, called(step)))


def carries_out(function: Function) -> bool:
    """Whether `function`, or what it calls, carries out effects."""
    return bool(function.sites) and any(isinstance(s, Emit) for each in reachable(function) for s in each.steps)


def takes_memory(function: Function) -> bool:
    """Whether `function`, or what it calls, makes stashes or boxes."""
    steps = (step for each in reachable(function) for step in each.steps)
    return any(isinstance(step, Pack) or (isinstance(step, Loop) and bool(step.made)) for step in steps)


def reachable(function: Function) -> list[Function]:
    """`function` and all that it may run, each once."""
    found = {function: None}
    stack = [function]
    while stack:
        for step in stack.pop().steps:
            fresh = [c for c in called(step) if c not in found]
            found.update(dict.fromkeys(fresh))
            stack += fresh
    return list(found)


def recursive(function: Function) -> set[Function]:
    """Of the functions that `function` may run those that are called while they run themselves."""
    targets = {s.function for each in reachable(function) for s in each.steps if isinstance(s, Invoke)}
    return {t for t in targets if any(t in called(step) for each in reachable(t) for step in each.steps)}
