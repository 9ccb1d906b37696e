"""Some rows of the planes that a convolution reads, copied with their padding into scratch memory.

A row lies there divided by the stride: first the elements that are a multiple of it from the first, then those one behind these, and so
on. Neighbouring windows then read neighbouring elements whatever the stride, and no load there needs a mask: masked loads wait for stores
to addresses that agree in their lowest bits, as those of an input and of a result at the same place in their pages do.
"""

from __future__ import annotations

from collections.abc import Callable
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

    def clear(self, elements: Value) -> None:
        """The first `elements`, a multiple of the lanes, become zeros."""
        with self.f.loop(0, elements, self.lanes, hints=_HINTS) as i:
            self.f.store(self.f.value(0.0, self.vector), self.memory.at(self.type, i.index))

    def fill(self, source: Value, first: Value, several: Value) -> None:
        """The rows from the padded row `first` on; what lies outside was cleared unless there are `several` such parts of a plane."""
        f = self.f
        start = first - self.top
        begin = f.minimum(f.maximum(0 - start, f.index(0)), self.rows)
        end = f.maximum(f.minimum(self.rows, self.height - start), begin)
        with f.loop(0, self.count, hints=_HINTS) as i:
            to = self.memory.at(self.type, i.index * self.plane)
            plane = source.at(self.type, i.index * self.height * self.width)
            with f.when(several):
                self._zeros(to, f.index(0), begin)
            self._rows(to, plane, start, begin, end)
            with f.when(several):
                self._zeros(to, end, self.rows)

    def _zeros(self, to: Value, begin: Value, end: Value) -> None:
        f = self.f
        with f.loop(begin * self.pitch, end * self.pitch, self.lanes, hints=_HINTS) as i:
            f.store(f.value(0.0, self.vector), to.at(self.type, i.index))

    def _rows(self, to: Value, plane: Value, start: Value, begin: Value, end: Value) -> None:
        f = self.f

        def each(row: Callable[[Value, Value], None]) -> list[Value]:
            with f.loop(begin, end, hints=_HINTS) as y:
                row(to.at(self.type, y.index * self.pitch), plane.at(self.type, (start + y.index) * self.width))
            return []

        def others() -> list[Value]:
            return f.choose(self.stride.eq(2), lambda: each(self._halves), lambda: each(self._scattered))

        f.choose(self.stride.eq(1), lambda: each(self._plain), others)

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
            f.store(value, self._place(to, x.index + self.left))

    def _place(self, to: Value, column: Value) -> Value:
        return to.at(self.type, self.place(column))

    def place(self, column: Value) -> Value:
        """Where a padded column lies in its row."""
        f = self.f
        return f.op("srem", column, self.stride) * self.span + f.op("sdiv", column, self.stride)
