"""When several steps fit into one loop nest.

A nest runs over ``space`` = (outer, folded, inner). Values are *full* (one element per position) or *rows* (one per fold result).
Folding takes a phase: what needs a fold's result runs over the row again in the next phase, which only works while the row's
elements are neighbours (inner == 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape
from mindspore.kernels import access as acc
from mindspore.kernels.access import Access
from mindspore.kernels.flatten_folds import positions
from mindspore.kernels.program import Fold, Map, Product, Read, Step, Take, Value

MOST_STEPS = 40
MOST_BUFFERS = 28
LONGEST_ROW = 1 << 16
"""Rows up to this length are kept in cache between phases."""
FEWEST_ROWS = 4
"""With fewer rows, later phases run as loops of their own so that threads share them."""
SMALL = 1 << 14


@dataclass(slots=True)
class Layout:
    """How the steps of a group fit together: the space and, for each value the group makes, where it lives and from which phase on."""

    space: tuple[int, int, int]
    chunk: int = 0
    folded: bool = False
    places: dict[Value, tuple[bool, int]] = field(default_factory=dict)
    reads: list[Access] = field(default_factory=list)

    @property
    def full(self) -> int:
        return self.space[0] * self.space[1] * self.space[2]

    @property
    def rows(self) -> int:
        return self.space[0] * self.space[2]

    @property
    def cuts(self) -> list[int]:
        return [self.space[2], self.space[1] * self.space[2]] if self.folded else []

    def dims(self) -> Shape | None:
        """The common dimensions of all reads over the full space."""
        return acc.refine([*self.reads, acc.identity(self.full)], self.cuts)


def layout(steps: Sequence[Step]) -> Layout | None:
    """The layout of `steps` as one nest, None when they do not fit into one."""
    folds = [s for s in steps if isinstance(s, Fold)]
    if folds:
        first = folds[0]
        if any((f.space, f.chunk) != (first.space, first.chunk) for f in folds):
            return None
        made = Layout(first.space, first.chunk, folded=True)
    else:
        made = Layout((1, steps[0].outputs[0].size, 1))
    for step in steps:
        if not place(made, step):
            return None
    return made if _worth(made) else None


def extended(made: Layout, steps: Sequence[Step]) -> Layout | None:
    """The layout with maps behind it: only the new reads are looked at, so that long chains stay linear."""
    longer = Layout(made.space, made.chunk, made.folded, dict(made.places), list(made.reads))
    if not all(place(longer, step) for step in steps):
        return None
    return longer if _worth(longer) else None


def lift(made: Layout, row: bool, access: Access) -> Access | None:
    """An access over the places of a value as an access over the full space."""
    return acc.compose(positions(made.space), access) if row and made.folded else access


def place(made: Layout, step: Step) -> bool:
    """Add the step to the layout; False when it does not fit (the layout is then useless)."""
    row = False
    if isinstance(step, Map):
        if step.outputs[0].size != made.full:
            row = made.folded and not made.chunk and step.outputs[0].size == made.rows
            if not row:
                return False
    elif not isinstance(step, Fold):
        return False
    if isinstance(step, Take) and step.reads[0].value in made.places:
        return False
    phase = 0
    for read in step.reads:
        seen = _phase(made, read, row)
        if seen is None:
            return False
        phase = max(phase, seen)
    if isinstance(step, Fold):
        row, phase = True, phase + 1
    if made.folded and phase > (0 if not row else 1) and (made.space[2] > 1 or made.chunk):
        return False
    made.places.update((output, (row, phase)) for output in step.outputs)
    return True


def _phase(made: Layout, read: Read, row: bool) -> int | None:
    """The phase from which `read` is there, None when it cannot be read inside the nest."""
    place = made.places.get(read.value) if read.value is not None else None
    if place is None:
        access = lift(made, row, read.access)
        if access is None:
            return None
        made.reads.append(access)
        return 0
    assert read.value is not None
    fits = read.whole if place[0] == row else place[0] and read.access == positions(made.space)
    return place[1] if fits else None


def _worth(made: Layout) -> bool:
    outer, length, _ = made.space
    again = max((phase for row, phase in made.places.values() if not row), default=0)
    if again and (length > LONGEST_ROW or (outer < FEWEST_ROWS and made.full > SMALL)):
        return False
    dims = made.dims()
    return dims is not None and (not made.chunk or _folded_dims(made, dims) == 1)


def _folded_dims(made: Layout, dims: Shape) -> int:
    """How many of `dims` the folded part takes."""
    outer, inner = _split(made, dims)
    return len(dims) - outer - inner


def _split(made: Layout, dims: Shape) -> tuple[int, int]:
    """How many of `dims` belong to the outer and to the inner part of the space."""
    outer, total = 0, 1
    while outer < len(dims) and total < made.space[0]:
        total *= dims[outer]
        outer += 1
    inner, total = 0, 1
    while inner < len(dims) and total < made.space[2]:
        inner += 1
        total *= dims[-inner]
    return outer, inner


def parts(made: Layout, dims: Shape) -> tuple[Shape, Shape, Shape]:
    """`dims` cut into the outer, folded and inner part of the space."""
    outer, inner = _split(made, dims)
    return dims[:outer], dims[outer : len(dims) - inner], dims[len(dims) - inner :]


def inputs(steps: Sequence[Step]) -> list[Value]:
    """Values that the steps read and do not make, each once, in order."""
    inside = {output for step in steps for output in step.outputs}
    found = dict.fromkeys(r.value for s in steps for r in s.reads if r.value is not None)
    return [v for v in found if v not in inside]


def epilogue(steps: Sequence[Step]) -> bool:
    """Whether `steps` are a product followed by maps over the same positions.

    Not in half precision, whose kernel converts and therefore has no tiles to work on.
    """
    product = steps[0]
    maps = [s for s in steps[1:] if isinstance(s, Map)]
    if not isinstance(product, Product) or len(maps) < len(steps) - 1:
        return False
    if product.outputs[0].dtype in (dt.float16, dt.bfloat16):
        return False
    return epilogue_dims(product, maps) is not None


def epilogue_dims(product: Product, maps: Sequence[Map]) -> Shape | None:
    """The common dimensions of what `maps` read over the results of a product, with a border between rows and columns."""
    result = product.outputs[0]
    made = Layout((1, result.size, 1), places={result: (False, 0)})
    if not all(place(made, each) for each in maps):
        return None
    return acc.refine([*made.reads, acc.identity(result.size)], [product.size[1]])
