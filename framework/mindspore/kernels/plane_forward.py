"""Convolutions of copied planes (`plane_copy`): vectors of neighbouring windows, several rows and planes of the result side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, vector
from mindspore.kernels.gemm_tile import multiply_add, splat
from mindspore.kernels.padded_plane import first_lanes, masked_store, over_columns

UNROLLED = (3, 5, 7)
"""Square kernels whose code is written out for planes that are convolved by themselves: each row that is loaded serves several rows of
the result."""
STRIDES = (1, 2)
MOST_ROWS = 7
"""Rows of the result at a time there. Usual images are multiples of 7, and so many sums hide the time of a multiplication."""
_WIDE = {4: (4, 2, 1), 2: (7, 2, 1), 1: (7, 2, 1)}
_FEW = {2: (4, 1), 1: (7, 1)}
"""Planes of the result at a time -> rows at a time, for many and few registers."""
_HINTS = [NO_UNROLL, NO_VECTOR]
_POINTERS = ("weights", "memory", "table", "target")
_NUMBERS = (
    "inputs", "outputs", "height", "width", "kernel_y", "kernel_x", "output", "input", "first", "step", "pitch", "plane", "down",
    "along", "result",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Job:
    """Rows of the result of one group of one image, inside a function of this file.

    Attributes:
        weights: of this group; ``output``, ``input``: distances; ``first``, ``step``: the first tap and the distance between taps.
        memory: the copy; ``pitch``, ``plane``: distances of its rows and planes; ``table``: where the taps of a row lie.
        target: the first row of the first plane of the result; ``result``: distance between planes.
        inputs, outputs, height, width, kernel_y, kernel_x: counts.
        down, along: rows of the copy from one window, and from one tap, to the next, in elements.
    """

    weights: Value
    memory: Value
    table: Value
    target: Value
    inputs: Value
    outputs: Value
    height: Value
    width: Value
    kernel_y: Value
    kernel_x: Value
    output: Value
    input: Value
    first: Value
    step: Value
    pitch: Value
    plane: Value
    down: Value
    along: Value
    result: Value

    def values(self) -> list[Value]:
        """In the order of a function's arguments."""
        return [getattr(self, name) for name in (*_POINTERS, *_NUMBERS)]


def _function(module: Module, name: str, type: str) -> tuple[Function, Job]:
    pointers = [("ptr noalias" + ("" if n == "target" else " readonly"), n) for n in _POINTERS]
    f = module.function(
        f"{name}_{type}", "void", [*pointers, *(("i64", n) for n in _NUMBERS)], internal=True, inline="noinline"
    )
    return f, Job(**{a.name[1:]: a for a in f.arguments})


def by(f: Function, count: Value, sizes: Sequence[int]) -> list[tuple[int, Value, Value]]:
    """(size, begin, end) of the parts of ``range(count)`` that go by each of the falling `sizes`, of which the last is 1."""
    found, begin = [], f.index(0)
    for size in sizes:
        end = begin + f.op("sdiv", count - begin, f.index(size)) * size
        found.append((size, begin, end))
        begin = end
    return found


def tiles(module: Module, type: str) -> str:
    """Name of ``void tiles(job...)`` for any number of planes and any kernel."""
    name = "plane_tiles"
    if module.has(f"{name}_{type}"):
        return f"{name}_{type}"
    f, job = _function(module, name, type)
    shapes = _WIDE if module.isa.registers > 16 else _FEW
    for planes, begin, end in by(f, job.outputs, tuple(shapes)):
        with f.loop(begin, end, planes, hints=_HINTS) as o:
            for rows, top, bottom in by(f, job.height, shapes[planes]):
                with f.loop(top, bottom, rows, hints=_HINTS) as y:
                    _tile(f, type, job, (planes, rows), o.index, y.index)
    f.ret()
    return f.name


def _tile(f: Function, type: str, job: Job, shape: tuple[int, int], output: Value, row: Value) -> None:
    """`shape`: planes and rows of the result, from `output` and `row` on."""
    planes, rows = shape
    lanes = f.module.isa.lanes(4 if type == "float" else 8)

    def body(column: Value, left: Value) -> None:
        zeros = [f.value(0.0, vector(lanes, type))] * (planes * rows)
        corner = job.memory.at(type, row * job.down + column)
        filters = job.weights.at(type, output * job.output + job.first)
        with f.loop(0, job.inputs, carried=zeros, hints=_HINTS) as i:
            origin, taps = corner.at(type, i.index * job.plane), filters.at(type, i.index * job.input)
            with f.loop(0, job.kernel_y, carried=i.carried, hints=_HINTS) as ky:
                line = origin.at(type, ky.index * job.along)
                with f.loop(0, job.kernel_x, carried=ky.carried, hints=_HINTS) as kx:
                    at = line.at(type, f.load("i64", job.table.at("i64", kx.index)))
                    read = [f.load(vector(lanes, type), at.at(type, job.down * r)) for r in range(rows)]
                    tap = taps.at(type, (ky.index * job.kernel_x + kx.index) * job.step)
                    weights = [splat(f, f.load(type, tap.at(type, job.output * o)), lanes) for o in range(planes)]
                    pairs = [(w, x) for w in weights for x in read]
                    kx.next(*(multiply_add(f, w, x, s) for (w, x), s in zip(pairs, kx.carried, strict=True)))
                ky.next(*kx.results)
            i.next(*ky.results)
        for o in range(planes):
            plane = job.target.at(type, (output + o) * job.result)
            _store(f, type, job, plane, i.results[o * rows : (o + 1) * rows], (row, column, left))

    over_columns(f, job.width, lanes, body)


def _store(
    f: Function, type: str, job: Job, plane: Value, sums: Sequence[Value], at: tuple[Value, Value, Value]
) -> None:
    """Vectors of rows one below the other; ``at``: first row, column, and windows left of a row.

    Lanes that are too many lie in the next row, which comes later, but at the end.
    """
    row, column, left = at
    places = [(row + r) * job.width + column for r in range(len(sums))]
    lanes = f.module.isa.lanes(4 if type == "float" else 8)
    end = job.height * job.width

    def plain(value: Value, place: Value) -> list[Value]:
        f.store(value, plane.at(type, place))
        return []

    def masked(value: Value, place: Value) -> list[Value]:
        masked_store(f, value, plane.at(type, place), first_lanes(f, lanes, left))
        return []

    def whole() -> list[Value]:
        for value, place in zip(sums, places, strict=True):
            plain(value, place)
        return []

    def part() -> list[Value]:
        for r, (value, place) in enumerate(zip(sums, places, strict=True)):
            with f.when(row + r < job.height):
                f.choose(place + lanes <= end, partial(plain, value, place), partial(masked, value, place))
        return []

    f.choose(places[-1] + lanes <= end, whole, part)


def unrolled(module: Module, type: str, kernel: int, stride: int) -> str:
    """Name of ``void lines(job...)`` for one plane that makes one, and a `kernel` of so many rows and columns."""
    name = f"plane_lines_{kernel}_{stride}"
    if module.has(f"{name}_{type}"):
        return f"{name}_{type}"
    f, job = _function(module, name, type)
    lanes = module.isa.lanes(4 if type == "float" else 8)
    places = [f.load("i64", job.table.at("i64", k)) for k in range(kernel)]
    weights = [
        splat(f, f.load(type, job.weights.at(type, job.first + job.step * t)), lanes) for t in range(kernel * kernel)
    ]
    with f.loop(0, job.height, MOST_ROWS, hints=_HINTS) as y:

        def body(column: Value, left: Value, y: Value = y.index) -> None:
            origin = job.memory.at(type, y * job.down + column)
            sums = [f.value(0.0, vector(lanes, type))] * MOST_ROWS
            for r in range((MOST_ROWS - 1) * stride + kernel):
                line = origin.at(type, job.pitch * r)
                met = [(o, r - o * stride) for o in range(MOST_ROWS) if 0 <= r - o * stride < kernel]
                for kx, place in enumerate(places if met else ()):
                    read = f.load(vector(lanes, type), line.at(type, place))
                    for o, ky in met:
                        sums[o] = multiply_add(f, weights[ky * kernel + kx], read, sums[o])
            _store(f, type, job, job.target, sums, (y, column, left))

        over_columns(f, job.width, lanes, body)
    f.ret()
    return f.name
