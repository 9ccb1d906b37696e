"""Convolutions of narrow planes, one of which makes one, at levels whose vectors expand and compress (AVX-512).

A plane is copied as one line: rows are joined with the zeros that the end of one and the start of the next both need. A tap is then one
distance along the line, whatever the row, and a vector holds windows of several rows. Loads expand elements to their places on the line
and stores compress windows to theirs in the result, by masks that are the same for all planes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value, vector
from mindspore.kernels.gemm_tile import multiply_add, splat
from mindspore.kernels.padded_plane import masked_store
from mindspore.kernels.target import Isa

KERNELS = (3, 5)
"""Square kernels with code of their own."""
_VECTORS = 4
"""Vectors of windows side by side."""
_ENTRY = 5
"""Numbers for each vector of a line: the mask and the first element of those that are copied, those of the windows, and the mask of as
many first lanes as there are windows."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def possible(isa: Isa) -> bool:
    return isa.vector_bytes == 64


@dataclass(frozen=True, slots=True)
class Lines:
    """Planes of one shape and the results of windows of ``kernel`` rows and columns over them, without strides.

    Attributes:
        sizes, windows: rows and columns of a plane, and of its result.
        before: the padding.
    """

    f: Function
    type: str
    lanes: int
    kernel: int
    sizes: Sequence[Value]
    windows: Sequence[Value]
    before: Sequence[Value]

    @property
    def vector(self) -> str:
        return vector(self.lanes, self.type)

    @property
    def pitch(self) -> Value:
        """From row to row of the line, with the padding of one side between them, and room for a row of windows."""
        behind = self.windows[1] + (self.kernel - 1) - self.before[1]
        return self.f.maximum(self.sizes[1] + self.before[1], self.f.maximum(behind, self.windows[1]))

    @property
    def first(self) -> Value:
        """Where the first element of a plane lies."""
        return self.before[0] * self.pitch + self.before[1]

    def _vectors(self, shape: Sequence[Value]) -> Value:
        return self.f.op("sdiv", (shape[0] - 1) * self.pitch + shape[1] + (self.lanes - 1), self.f.index(self.lanes))

    @property
    def copied(self) -> Value:
        """Vectors of a plane."""
        return self._vectors(self.sizes)

    @property
    def made(self) -> Value:
        """Vectors of windows, of which so many are computed side by side."""
        return self.f.op("sdiv", self._vectors(self.windows) + (_VECTORS - 1), self.f.index(_VECTORS)) * _VECTORS

    @property
    def size(self) -> Value:
        """Elements of a line with all that is read and written there, a multiple of the lanes."""
        reach = self.made * self.lanes + (self.pitch + 1) * (self.kernel - 1)
        end = self.f.maximum(reach, self.first + self.copied * self.lanes)
        return self.f.op("sdiv", end + (self.lanes - 1), self.f.index(self.lanes)) * self.lanes

    @property
    def _entries(self) -> Value:
        return self.f.maximum(self.copied, self.made)

    @property
    def table_bytes(self) -> Value:
        return self.f.op("sdiv", self._entries * (_ENTRY * 8) + 63, self.f.index(64)) * 64

    def prepare(self, table: Value, lines: Value, count: Value) -> None:
        """The table of masks, and zeros in `count` lines."""
        f = self.f
        with f.loop(0, self._entries, hints=_HINTS) as v:
            entry = table.at("i64", v.index * _ENTRY)
            for place, shape in ((0, self.sizes), (2, self.windows)):
                mask = self._mask(v.index, shape)
                f.store(mask, entry.at("i64", place))
                row, column = (f.op(how, v.index * self.lanes, self.pitch) for how in ("sdiv", "srem"))
                f.store(row * shape[1] + f.minimum(column, shape[1]), entry.at("i64", place + 1))
            windows = f.intrinsic("ctpop", "i64", f.load("i64", entry.at("i64", 2)))
            f.store(f.op("shl", f.index(1), windows) - 1, entry.at("i64", 4))
        with f.loop(0, count * self.size, self.lanes, hints=_HINTS) as i:
            f.store(f.value(0.0, self.vector), lines.at(self.type, i.index))

    def _mask(self, vector: Value, shape: Sequence[Value]) -> Value:
        """The lanes of a vector that hold elements of a `shape` whose rows lie a pitch apart."""
        f = self.f
        with f.loop(0, self.lanes, carried=[f.index(0)], hints=_HINTS) as lane:
            at = vector * self.lanes + lane.index
            row, column = (f.op(how, at, self.pitch) for how in ("sdiv", "srem"))
            bit = f.select((row < shape[0]) & (column < shape[1]), f.op("shl", f.index(1), lane.index), 0)
            lane.next(lane.carried[0] | bit)
        return lane.results[0]

    def _lanes(self, entry: Value, place: int) -> Value:
        bits = self.f.load(f"i{self.lanes}", entry.at("i64", place), 8)
        return bits.to("bitcast", vector(self.lanes, "i1"))

    def _expanded(self, plane: Value, entry: Value, place: int) -> Value:
        f = self.f
        at = plane.at(self.type, f.load("i64", entry.at("i64", place + 1)))
        zeros = f.value(0.0, self.vector)
        return f.intrinsic("masked.expandload", self.vector, at, self._lanes(entry, place), zeros)

    def fill(self, line: Value, plane: Value, table: Value) -> None:
        """Copy a plane to its line."""
        f, to = self.f, line.at(self.type, self.first)
        with f.loop(0, self.copied, hints=_HINTS) as v:
            value = self._expanded(plane, table.at("i64", v.index * _ENTRY), 0)
            f.store(value, to.at(self.type, v.index * self.lanes))

    def _taps(self) -> list[Value]:
        """Where the taps lie, from the first one."""
        pitch = self.pitch
        return [pitch * ky + kx for ky in range(self.kernel) for kx in range(self.kernel)]

    def windows_of(self, line: Value, weights: Value, step: Value, target: Value, table: Value) -> None:
        """The result of a line; its taps lie `step` apart from the first of the `weights` on."""
        f, n = self.f, self.lanes
        with f.loop(0, self.made, _VECTORS, hints=_HINTS) as v:
            origin = line.at(self.type, v.index * n)
            sums = [f.value(0.0, self.vector)] * _VECTORS
            for t, tap in enumerate(self._taps()):
                weight = splat(f, f.load(self.type, weights.at(self.type, step * t)), n)
                at = origin.at(self.type, tap)
                for u in range(_VECTORS):
                    sums[u] = multiply_add(f, weight, f.load(self.vector, at.at(self.type, u * n)), sums[u])
            for u, value in enumerate(sums):
                entry = table.at("i64", (v.index + u) * _ENTRY)
                place = target.at(self.type, f.load("i64", entry.at("i64", 3)))
                masks = self._lanes(entry, 2), f.value(0.0, self.vector)
                dense = f.intrinsic("experimental.vector.compress", self.vector, value, *masks)
                masked_store(f, dense, place, self._lanes(entry, 4))

    def sums_of(self, line: Value, given: Value, table: Value, sums: Sequence[Value]) -> list[Value]:
        """`sums` and what a line adds to each tap for the gradient of its result: other lanes than windows stay out of it."""
        f, n = self.f, self.lanes
        with f.loop(0, self._vectors(self.windows), carried=sums, hints=_HINTS) as v:
            origin, entry = line.at(self.type, v.index * n), table.at("i64", v.index * _ENTRY)
            d, mask = self._expanded(given, entry, 2), self._lanes(entry, 2)
            found = []
            for tap, so_far in zip(self._taps(), v.carried, strict=True):
                more = multiply_add(f, d, f.load(self.vector, origin.at(self.type, tap)), so_far)
                found.append(f.select(mask, more, so_far))
            v.next(*found)
        return v.results

    def zeros(self) -> list[Value]:
        return [self.f.value(0.0, self.vector)] * self.kernel**2


def narrow(f: Function, lanes: int, columns: Sequence[Value]) -> Value:
    """Whether rows of so many columns leave much of a vector empty."""
    least, *rest = [c * 8 <= lanes * 5 for c in columns]
    for one in rest:
        least = least & one
    return least
