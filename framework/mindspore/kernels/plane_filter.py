"""Gradients of the weights of convolutions of copied planes (`plane_copy`): sums over windows, kept apart by lanes until the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Module, Value, vector
from mindspore.kernels.gemm_tile import multiply_add
from mindspore.kernels.padded_plane import first_lanes, masked_load
from mindspore.kernels.plane_forward import by

UNROLLED = (3, 5)
"""Square kernels all of whose taps are summed side by side, for planes that are convolved by themselves."""
MOST_PLANES = 4
"""Planes of the result whose taps are summed side by side."""
_TAPS = {4: (5, 3), 2: (7, 5, 3), 1: (7, 5, 3)}
_FEW = {2: (5, 3), 1: (7, 5, 3)}
"""Planes of the result at a time -> taps of a row at a time, for many and few registers."""
_HINTS = [NO_UNROLL, NO_VECTOR]
_POINTERS = ("given", "memory", "table", "totals")
_NUMBERS = (
    "outputs", "height", "width", "kernel_y", "kernel_x", "pitch", "down", "along", "result",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """Rows of the gradient of the result, for some planes of one group of one image and one plane of x, inside a function of this file.

    Attributes:
        given: the first row of the first plane; ``result``: distance between planes.
        memory: the copy of x; ``pitch``: distance of its rows; ``table``: where the taps of a row lie.
        totals: a vector for each plane of the result and tap; sums are added to them.
        outputs, height, width, kernel_y, kernel_x: counts.
        down, along: rows of the copy from one window, and from one tap, to the next, in elements.
    """

    given: Value
    memory: Value
    table: Value
    totals: Value
    outputs: Value
    height: Value
    width: Value
    kernel_y: Value
    kernel_x: Value
    pitch: Value
    down: Value
    along: Value
    result: Value

    def values(self) -> list[Value]:
        """In the order of a function's arguments."""
        return [getattr(self, name) for name in (*_POINTERS, *_NUMBERS)]


class _Sums:
    """A function of this file while it is written."""

    def __init__(self, module: Module, name: str, type: str) -> None:
        pointers = [("ptr noalias" + ("" if n == "totals" else " readonly"), n) for n in _POINTERS]
        self.f = module.function(
            name, "void", [*pointers, *(("i64", n) for n in _NUMBERS)], internal=True, inline="noinline"
        )
        self.job = Job(**{a.name[1:]: a for a in self.f.arguments})
        self.type, self.lanes = type, module.isa.lanes(4 if type == "float" else 8)
        self.vector = vector(self.lanes, type)

    def zeros(self, count: int) -> list[Value]:
        return [self.f.value(0.0, self.vector)] * count

    def taken(self, row: Value, column: Value, plane: Value | None = None) -> Value:
        """A vector of the gradient, with anything in the lanes past the end of its row."""
        f, job = self.f, self.job
        place = row * job.width + column
        at = (job.given if plane is None else plane).at(self.type, place)

        def part() -> list[Value]:
            mask = first_lanes(f, self.lanes, job.width - column)
            return [masked_load(f, self.vector, at, mask)]

        return f.choose(place + self.lanes <= job.height * job.width, lambda: [f.load(self.vector, at)], part)[0]

    def read(self, line: Value, place: Value) -> Value:
        return self.f.load(self.vector, line.at(self.type, place))

    def add(self, sums: Sequence[Value], column: Value, places: Sequence[Value]) -> None:
        """Sums of a column of vectors to the totals, without the lanes past the end of the rows."""
        f, left = self.f, self.job.width - column
        mask = first_lanes(f, self.lanes, left)
        for value, place in zip(sums, places, strict=True):
            at = self.job.totals.at(self.vector, place)
            f.store(f.load(self.vector, at, 4) + f.select(mask, value, self.zeros(1)[0]), at, 4)

    def columns(self, body: Callable[[Value], None]) -> None:
        with self.f.loop(0, self.job.width, self.lanes, hints=_HINTS) as column:
            body(column.index)

    def done(self) -> str:
        self.f.ret()
        return self.f.name


def unrolled(module: Module, type: str, kernel: int) -> str:
    """Name of ``void sums(job...)`` for one plane of each and a `kernel` of so many rows and columns."""
    name = f"plane_sums_{kernel}_{type}"
    if module.has(name):
        return name
    s = _Sums(module, name, type)
    f, job = s.f, s.job
    places = [f.load("i64", job.table.at("i64", k)) for k in range(kernel)]
    totals = [f.index(t) for t in range(kernel * kernel)]

    def body(column: Value) -> None:
        with f.loop(0, job.height, carried=s.zeros(len(totals)), hints=_HINTS) as row:
            d, sums = s.taken(row.index, column), list(row.carried)
            origin = job.memory.at(type, row.index * job.down + column)
            for ky in range(kernel):
                line = origin.at(type, job.along * ky)
                for kx, place in enumerate(places):
                    t = ky * kernel + kx
                    sums[t] = multiply_add(f, d, s.read(line, place), sums[t])
            row.next(*sums)
        s.add(row.results, column, totals)

    s.columns(body)
    return s.done()


def rolling(module: Module, type: str, kernel: int) -> str:
    """The same where rows follow each other without a stride, of which there are at least ``kernel - 1``: each row of x is read once."""
    name = f"plane_rolling_{kernel}_{type}"
    if module.has(name):
        return name
    s = _Sums(module, name, type)
    f, job = s.f, s.job
    places = [f.load("i64", job.table.at("i64", k)) for k in range(kernel)]

    def met(line: Value, rows: dict[int, Value], sums: list[Value]) -> list[Value]:
        """Row `line` of x with the rows of the gradient that meet it, by the row of the kernel."""
        found = list(sums)
        for kx, place in enumerate(places):
            x = s.read(line, place)
            for ky, d in rows.items():
                t = ky * kernel + kx
                found[t] = multiply_add(f, d, x, found[t])
        return found

    def body(column: Value) -> None:
        origin = job.memory.at(type, column)
        before = [s.taken(f.index(j), column) for j in range(kernel - 1)]
        sums = s.zeros(kernel * kernel)
        for r in range(kernel - 1):
            sums = met(origin.at(type, job.pitch * r), {r - j: before[j] for j in range(r + 1)}, sums)
        with f.loop(kernel - 1, job.height, carried=[*before, *sums], hints=_HINTS) as row:
            rows = [*row.carried[: kernel - 1], s.taken(row.index, column)]
            line = origin.at(type, row.index * job.pitch)
            found = met(line, {kernel - 1 - i: d for i, d in enumerate(rows)}, row.carried[kernel - 1 :])
            row.next(*rows[1:], *found)
        before, sums = row.results[: kernel - 1], row.results[kernel - 1 :]
        for r in range(kernel - 1):
            line = origin.at(type, (job.height + r) * job.pitch)
            sums = met(line, {r + kernel - 1 - i: before[i] for i in range(r, kernel - 1)}, sums)
        s.add(sums, column, [f.index(t) for t in range(kernel * kernel)])

    s.columns(body)
    return s.done()


def tiles(module: Module, type: str) -> str:
    """Name of ``void sums(job...)`` for any number of planes and any kernel."""
    name = f"plane_sums_{type}"
    if module.has(name):
        return name
    s = _Sums(module, name, type)
    f, job = s.f, s.job
    shapes = _TAPS if module.isa.registers > 16 else _FEW

    def by_taps(planes: int, taps: int, output: Value) -> list[Value]:
        with f.loop(0, job.kernel_y, hints=_HINTS) as ky, f.loop(0, job.kernel_x, taps, hints=_HINTS) as kx:
            _tile(s, (planes, taps), (output, ky.index, kx.index))
        return []

    def chosen(planes: int, counts: Sequence[int], output: Value) -> list[Value]:
        """The fewest taps at a time that hold a row of the kernel, else the most."""
        if len(counts) == 1:
            return by_taps(planes, counts[0], output)
        return f.choose(
            job.kernel_x > counts[1],
            lambda: by_taps(planes, counts[0], output),
            lambda: chosen(planes, counts[1:], output),
        )

    for planes, begin, end in by(f, job.outputs, tuple(shapes)):
        with f.loop(begin, end, planes, hints=_HINTS) as o:
            chosen(planes, shapes[planes], o.index)
    return s.done()


def _tile(s: _Sums, shape: tuple[int, int], at: tuple[Value, Value, Value]) -> None:
    """`shape`: planes of the result and taps; ``at``: the first plane, row of the kernel and tap."""
    f, job, (planes, taps) = s.f, s.job, shape
    output, ky, kx = at
    # taps past the end are the last one again, which is then added up in its own place only
    places = [f.load("i64", job.table.at("i64", f.minimum(kx + t, job.kernel_x - 1))) for t in range(taps)]
    given = [job.given.at(s.type, (output + o) * job.result) for o in range(planes)]

    def body(column: Value) -> None:
        origin = job.memory.at(s.type, ky * job.along + column)
        with f.loop(0, job.height, carried=s.zeros(planes * taps), hints=_HINTS) as row:
            line = origin.at(s.type, row.index * job.down)
            xs = [s.read(line, place) for place in places]
            ds = [s.taken(row.index, column, plane) for plane in given]
            pairs = [(d, x) for d in ds for x in xs]
            row.next(*(multiply_add(f, d, x, so_far) for (d, x), so_far in zip(pairs, row.carried, strict=True)))
        for t in range(taps):
            with f.when(kx + t < job.kernel_x):
                first = [(output + o) * job.kernel_y + ky for o in range(planes)]
                s.add(row.results[t::taps], column, [line * job.kernel_x + kx + t for line in first])

    s.columns(body)
