"""One loop nest as data: what is loaded, computed, folded and stored, over which dimensions. Equal nests are compiled once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import prod

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.kernels import access as acc
from mindspore.kernels import groups
from mindspore.kernels.flatten_folds import accumulator
from mindspore.kernels.groups import Layout
from mindspore.kernels.program import Fold, Map, Read, Step, Take, Value
from mindspore.primitives.scalar import FLOATING, Expr

CHUNK = 1 << 13
"""Elements of one unit of work where the innermost dimension is cut for parallel loops."""
COUNTS = 32
"""Whole numbers from which a constant may be a count of elements."""
EXPENSIVE = frozenset((*FLOATING, "pow", "mod", "rem", "floordiv", "truncdiv", "div", "atan2"))


@dataclass(frozen=True, slots=True)
class Item:
    """One value of the nest.

    ``kind`` is load (``buffer``, ``strides``, ``offset``), take (a load that the indices ``args`` move on, ``picks`` with bound and step of
    each), position (``strides``), body (``expr`` of ``args``), fold (``fold`` of ``args``) or store (``args`` to ``buffer``); tile stands
    for a product's result in its epilogue. ``row`` marks what exists once per fold result; ``phase`` from which phase on it is there.
    """

    kind: str
    dtype: DType
    args: tuple[int, ...] = ()
    buffer: int = -1
    strides: Shape = ()
    offset: int = 0
    expr: Expr | None = None
    fold: str = ""
    row: bool = False
    phase: int = 0
    picks: tuple[tuple[int, int], ...] = ()

    @property
    def cost(self) -> int:
        """Roughly the instructions per element."""
        return expense(self.expr) if self.expr is not None else 1


@dataclass(frozen=True, slots=True)
class Nest:
    """``outer`` dimensions are split among threads, ``length`` is folded (or the innermost dimension of a nest without folds), ``inner``
    follows the folded part. ``chunk`` cuts ``length`` into units. ``pointers`` are the element types behind the arguments."""

    outer: Shape
    length: Shape
    inner: Shape
    chunk: int
    items: tuple[Item, ...]
    pointers: tuple[DType, ...]

    @property
    def pieces(self) -> int:
        return -(-prod(self.length) // self.chunk) if self.chunk else 1

    @property
    def cost(self) -> int:
        """Instructions of the whole nest."""
        return prod(self.outer) * prod(self.length) * prod(self.inner) * sum(i.cost for i in self.items if not i.row)

    @property
    def dims(self) -> Shape:
        return (*self.outer, *self.length, *self.inner)


@dataclass(slots=True)
class Built:
    """A nest with the values its pointers stand for."""

    nest: Nest
    pointers: list[Value]
    shares: dict[Value, list[Value]] = field(default_factory=dict)
    """Output -> inputs whose memory it may take."""


class Writer:
    """Turns the steps of a group into items."""

    def __init__(self, made: Layout, dims: Shape, outputs: Sequence[Value]) -> None:
        self.made, self.dims, self.outputs = made, dims, set(outputs)
        self.items: list[Item] = []
        self.known: dict[tuple[Read, bool], int] = {}
        self.where: dict[Value, int] = {}
        self.pointers: dict[Value, int] = {}

    def add(self, item: Item) -> int:
        """Append an item; gives its position."""
        self.items.append(item)
        return len(self.items) - 1

    def pointer(self, value: Value) -> int:
        return self.pointers.setdefault(value, len(self.pointers))

    def read(self, read: Read, row: bool) -> int:
        if read.value in self.where:
            return self.where[read.value]
        if (read, row) not in self.known:
            self.known[read, row] = self.add(self.outside(read, row))
        return self.known[read, row]

    def outside(self, read: Read, row: bool) -> Item:
        """A load, a constant or the position itself."""
        value = read.value
        if value is not None and value.uniform and value.constant is not None:
            number = value.constant.reshape(-1)[:1].astype(value.constant.dtype)[0]
            plain = (
                complex(number) if value.dtype.is_complex else float(number) if value.dtype.is_floating else int(number)
            )
            return self.counted(plain, value.dtype, row) or Item(
                "body", value.dtype, expr=Expr("const", (), value.dtype, plain), row=row
            )
        access = groups.lift(self.made, row, read.access)
        assert access is not None, "the layout checked this"
        strides = acc.strides_over(access, self.dims)
        if value is None:
            return Item("position", dt.int64, strides=strides, offset=access.offset, row=row)
        return Item("load", value.dtype, (), self.pointer(value), strides, access.offset, row=row)

    def counted(self, number: float | complex, dtype: DType, row: bool) -> Item | None:
        """A whole number, which may count elements, as a position that is the same everywhere: nests that differ in it share code."""
        if not isinstance(number, float) or dtype.itemsize < 4 or not COUNTS <= number < 1 << 24 or number % 1:
            return None
        item = Item("position", dt.int64, strides=(0,) * len(self.dims), offset=int(number), row=row)
        cast = Expr("cast", (Expr("operand", (), dt.int64, 0),), dtype)
        return Item("body", dtype, (self.add(item),), expr=cast, row=row)

    def write(self, step: Step) -> None:
        """The items of one step."""
        row = self.made.places[step.outputs[0]][0]
        if isinstance(step, Take):
            self.where[step.outputs[0]] = self.add(self.taken(step, row))
            return
        args = tuple(self.read(r, row and isinstance(step, Map)) for r in step.reads)
        for position, output in enumerate(step.outputs):
            phase = self.made.places[output][1]
            if isinstance(step, Fold):
                item = Item("fold", output.dtype, args, fold=step.kind, row=True, phase=phase)
            else:
                assert isinstance(step, Map)
                item = Item("body", output.dtype, args, expr=step.bodies[position], row=row, phase=phase)
            self.where[output] = self.add(item)

    def taken(self, step: Take, row: bool) -> Item:
        """A load at run-time places."""
        source, *indices = step.reads
        args = tuple(self.read(r, row) for r in indices)
        access = groups.lift(self.made, row, source.access)
        assert access is not None, "the layout checked this"
        assert source.value is not None
        strides = acc.strides_over(access, self.dims)
        phase = self.made.places[step.outputs[0]][1]
        return Item(
            "take", source.value.dtype, args, self.pointer(source.value), strides, access.offset,
            row=row, phase=phase, picks=step.picks,
        )  # fmt: skip

    def stores(self) -> None:
        """Stores of the values that are wanted outside; called once, at the end."""
        for value, index in self.where.items():
            if value in self.outputs:
                access = acc.identity(value.size)
                access = groups.lift(self.made, self.items[index].row, access) or access
                strides = acc.strides_over(access, self.dims)
                item = replace(
                    self.items[index], kind="store", args=(index,), buffer=self.pointer(value), strides=strides
                )
                self.add(replace(item, expr=None, fold="", picks=(), offset=0))


def build(made: Layout, steps: Sequence[Step], outputs: Sequence[Value]) -> Built:
    """The nest of a group that writes `outputs`."""
    dims = made.dims()
    assert dims is not None, "the layout checked this"
    writer = Writer(made, dims, outputs)
    for step in steps:
        writer.write(step)
    writer.stores()
    if made.folded:
        outer, length, inner = groups.parts(made, dims)
        chunk = made.chunk
    else:
        outer, length, inner = dims[:-1], dims[-1:], ()
        chunk = CHUNK if length and length[0] >= 2 * CHUNK else 0
    pointers = list(writer.pointers)
    nest = Nest(outer, length, inner, chunk, tuple(writer.items), tuple(p.dtype for p in pointers))
    return Built(nest, pointers, _shares(nest, pointers))


def _shares(nest: Nest, pointers: Sequence[Value]) -> dict[Value, list[Value]]:
    last = max(i.phase for i in nest.items if i.kind == "store")
    return in_place([i for i in nest.items if i.kind != "store" or i.phase == last], pointers)


def in_place(items: Sequence[Item], pointers: Sequence[Value]) -> dict[Value, list[Value]]:
    """An output may take an input's memory when each unit reads of it exactly the elements it writes, and before it writes them."""
    found: dict[Value, list[Value]] = {}
    for store in (i for i in items if i.kind == "store"):
        output = pointers[store.buffer]
        for index, value in enumerate(pointers):
            loads = [i for i in items if i.kind in ("load", "take") and i.buffer == index]
            same = all(
                i.kind == "load" and (i.strides, i.offset, i.row) == (store.strides, 0, store.row) for i in loads
            )
            if loads and same and value.size == output.size and value.dtype.itemsize == output.dtype.itemsize:
                found.setdefault(output, []).append(value)
    return found


def shared(nest: Nest, same: Sequence[int]) -> Nest:
    """The nest with pointer k taken from argument ``same[k]``: what in-place execution makes of it."""
    items = tuple(replace(i, buffer=same[i.buffer]) if i.buffer >= 0 else i for i in nest.items)
    pointers = tuple(nest.pointers[same.index(k)] for k in range(len(set(same))))
    return replace(nest, items=items, pointers=pointers)


def key(nest: Nest) -> str:
    """Equal for nests that compile to the same code."""
    return repr(nest)


def expense(expr: Expr) -> int:
    """Roughly the instructions of a body; shared parts count once."""
    total, seen, stack = 0, set(), [expr]
    while stack:
        current = stack.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        total += 10 if current.op in EXPENSIVE else int(bool(current.args))
        stack.extend(current.args)
    return total


def round_trip(dtype: DType) -> bool:
    """Whether registers hold more than memory does, so that a fused value must be rounded like a stored one."""
    return accumulator(dtype) is not dtype
