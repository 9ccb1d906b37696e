"""Some rows of the planes that a convolution reads, copied with their padding into scratch memory.

A row lies there divided by the stride: first the elements that are a multiple of it from the first, then those one behind these, and so
on. Neighbouring windows then read neighbouring elements whatever the stride, and no load there needs a mask: masked loads wait for stores
to addresses that agree in their lowest bits, as those of an input and of a result at the same place in their pages do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value, vector
from mindspore.kernels.gemm_pack import shuffle
from mindspore.kernels.padded_plane import first_lanes, masked_load

_HINTS = [NO_UNROLL, NO_VECTOR]


@dataclass(frozen=True, slots=True)
class Copy:
    """``count`` planes of ``height`` x ``width`` elements, ``rows`` rows of each, in ``memory``.

    Attributes:
        top, left: the padding before.
        apart: elements of a column and of a row are so far apart, with zeros between them.
        span: distance between the parts of a row, of which there are ``stride``.
    """

    f: Function
    type: str
    lanes: int
    memory: Value
    count: Value
    height: Value
    width: Value
    rows: Value
    top: Value
    left: Value
    apart: Sequence[Value]
    stride: Value
    span: Value

    @property
    def vector(self) -> str:
        return vector(self.lanes, self.type)

    @property
    def pitch(self) -> Value:
        return self.span * self.stride

    @property
    def plane(self) -> Value:
        return self.rows * self.pitch

    @property
    def size(self) -> Value:
        """Elements of all planes."""
        return self.count * self.plane

    def clear(self, elements: Value) -> None:
        """The first `elements`, a multiple of the lanes, become zeros."""
        with self.f.loop(0, elements, self.lanes, hints=_HINTS) as i:
            self.f.store(self.f.value(0.0, self.vector), self.memory.at(self.type, i.index))

    def fill(self, source: Value, first: Value, several: Value) -> None:
        """The rows from the padded row `first` on; what lies outside was cleared unless there are `several` such parts of a plane."""
        f = self.f
        start = first - self.top
        dense = (self.apart[0] * self.apart[1]).eq(1)
        above = f.select(dense, f.minimum(f.maximum(0 - start, f.index(0)), self.rows), self.rows)
        below = f.maximum(f.minimum(self.rows, self.height - start), above)
        with f.loop(0, self.count, hints=_HINTS) as i:
            to = self.memory.at(self.type, i.index * self.plane)
            plane = source.at(self.type, i.index * self.height * self.width)
            with f.when(several):
                self._zeros(to, f.index(0), above)
            self._rows(to, plane, start)
            with f.when(several):
                self._zeros(to, below, self.rows)

    def _zeros(self, to: Value, begin: Value, end: Value) -> None:
        f = self.f
        with f.loop(begin * self.pitch, end * self.pitch, self.lanes, hints=_HINTS) as i:
            f.store(f.value(0.0, self.vector), to.at(self.type, i.index))

    def _rows(self, to: Value, plane: Value, start: Value) -> None:
        """The rows of `plane` that are among those from `start` on."""
        f, apart = self.f, self.apart[0]
        begin = f.op("sdiv", f.maximum(start, f.index(0)) + (apart - 1), apart)
        last = f.op("sdiv", f.maximum(start + self.rows, f.index(0)) + (apart - 1), apart)
        end = f.minimum(last, self.height)

        def each(row: Callable[[Value, Value], None]) -> list[Value]:
            with f.loop(begin, end, hints=_HINTS) as y:
                row(to.at(self.type, (y.index * apart - start) * self.pitch), plane.at(self.type, y.index * self.width))
            return []

        one = self.stride.eq(1)
        ways: list[tuple[Value, Callable[[Value, Value], None]]] = [
            (one & self.apart[1].eq(1), self._plain),
            (one & self.apart[1].eq(2), self._spread),
            (self.stride.eq(2) & self.apart[1].eq(1), self._halves),
        ]

        def chosen(rest: Sequence[tuple[Value, Callable[[Value, Value], None]]]) -> list[Value]:
            if not rest:
                return each(self._scattered)
            return f.choose(rest[0][0], lambda: each(rest[0][1]), lambda: chosen(rest[1:]))

        chosen(ways)

    def _plain(self, to: Value, source: Value) -> None:
        f, n = self.f, self.lanes
        whole = self.width - (self.width % n)
        first = to.at(self.type, self.left)
        with f.loop(0, whole, n, hints=_HINTS) as x:
            f.store(f.load(self.vector, source.at(self.type, x.index)), first.at(self.type, x.index))
        with f.when(whole < self.width):
            # zeros in the other lanes fall into the padding, or the start of the next row, which comes later
            f.store(self._part(source, whole), first.at(self.type, whole))

    def _part(self, source: Value, x: Value) -> Value:
        """The elements from `x` on, as far as the row goes."""
        f = self.f
        return masked_load(f, self.vector, source.at(self.type, x), first_lanes(f, self.lanes, self.width - x))

    def _spread(self, to: Value, source: Value) -> None:
        """A zero behind every element."""
        f, n = self.f, self.lanes
        zero = f.value(0.0, self.vector)
        first = to.at(self.type, self.left)
        with f.loop(0, self.width, n, hints=_HINTS) as x:

            def whole(at: Value = x.index) -> list[Value]:
                return [f.load(self.vector, source.at(self.type, at))]

            def part(at: Value = x.index) -> list[Value]:
                return [self._part(source, at)]

            (values,) = f.choose(x.index + n <= self.width, whole, part)
            for half in range(2):
                lanes = [lane for i in range(n // 2) for lane in (half * (n // 2) + i, n)]
                f.store(shuffle(f, values, zero, lanes), first.at(self.type, x.index * 2 + half * n))

    def _halves(self, to: Value, source: Value) -> None:
        """Every second element goes to each part of the row."""
        f, n = self.f, self.lanes
        places = [self._place(to, self.left + i) for i in range(2)]
        with f.loop(0, self.width, 2 * n, hints=_HINTS) as x:

            def whole(at: Value = x.index) -> list[Value]:
                return [f.load(self.vector, source.at(self.type, at + i * n)) for i in range(2)]

            def part(at: Value = x.index) -> list[Value]:
                return [self._part(source, at + i * n) for i in range(2)]

            pair = f.choose(x.index + 2 * n <= self.width, whole, part)
            half = f.op("sdiv", x.index, f.index(2))
            for i, place in enumerate(places):
                f.store(shuffle(f, pair[0], pair[1], list(range(i, 2 * n, 2))), place.at(self.type, half))

    def _scattered(self, to: Value, source: Value) -> None:
        f = self.f
        with f.loop(0, self.width, hints=_HINTS) as x:
            value = f.load(self.type, source.at(self.type, x.index))
            f.store(value, self._place(to, x.index * self.apart[1] + self.left))

    def _place(self, to: Value, column: Value) -> Value:
        return to.at(self.type, self.place(column))

    def place(self, column: Value) -> Value:
        """Where a padded column lies in its row."""
        f = self.f
        return f.op("srem", column, self.stride) * self.span + f.op("sdiv", column, self.stride)
