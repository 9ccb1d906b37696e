"""Planes copied with their padding into scratch memory, and vectors of neighbouring windows read from there.

No load needs a mask then: masked loads wait for stores to addresses that agree in their lowest bits, as those of an input and of a result
at the same place in their pages do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value, mangled, vector
from mindspore.kernels.gemm_pack import shuffle
from mindspore.kernels.gemm_tile import splat

_HINTS = [NO_UNROLL, NO_VECTOR]


def numbers(f: Function, lanes: int, type: str = "i32") -> Value:
    """0, 1, 2, ..."""
    return Value(f, vector(lanes, type), f"<{', '.join(f'{type} {i}' for i in range(lanes))}>")


def first_lanes(f: Function, lanes: int, count: Value) -> Value:
    """The mask of the first `count` lanes."""
    limit = splat(f, f.minimum(count, lanes).to("trunc", "i32"), lanes)
    return f.emit(vector(lanes, "i1"), f"icmp slt {numbers(f, lanes)}, {limit.name}")


def masked_load(f: Function, kind: str, pointer: Value, mask: Value) -> Value:
    """Zero in the lanes that are not loaded."""
    return f.intrinsic("masked.load", kind, pointer, mask, f.value(0.0, kind), suffix=f"{mangled(kind)}.p0")


def masked_store(f: Function, value: Value, pointer: Value, mask: Value) -> None:
    """The lanes of `mask`."""
    full = f"llvm.masked.store.{mangled(value.type)}.p0"
    f.module.declare(full, f"declare void @{full}({value.type}, ptr, {mask.type})")
    f.call("void", full, value, pointer, mask)


@dataclass(frozen=True, slots=True)
class Padded:
    """A plane of `type` in scratch memory: rows of ``pitch`` elements, ``before`` of them above and on the left of `sizes`.

    ``reach``: rows and elements of a row that all taps of all windows read, which are ``stride`` elements apart.
    """

    f: Function
    type: str
    lanes: int
    sizes: Sequence[Value]
    before: Sequence[Value]
    reach: Sequence[Value]
    stride: Value

    @property
    def pitch(self) -> Value:
        """At least the plane's width and its padding."""
        return self.f.maximum(self.reach[1], self.before[1] + self.sizes[1])

    @property
    def elements(self) -> Value:
        """Of the whole copy, with what vectors read and write behind its end."""
        rows = self.f.maximum(self.reach[0], self.before[0] + self.sizes[0])
        return rows * self.pitch + (self.stride + 2) * self.lanes

    def clear(self, memory: Value, number: float) -> None:
        """All elements become `number`."""
        f = self.f
        value = f.value(number, vector(self.lanes, self.type))
        with f.loop(0, self.elements - self.lanes, self.lanes, hints=_HINTS) as i:
            f.store(value, memory.at(self.type, i.index))

    def fill(self, memory: Value, plane: Value, number: float) -> None:
        """Copy a plane into memory that was cleared with the same `number`."""
        f, n, kind = self.f, self.lanes, vector(self.lanes, self.type)
        height, width = self.sizes
        outside = f.value(number, kind)
        with f.loop(0, height, hints=_HINTS) as y:
            origin = y.index * width
            to = memory.at(self.type, (y.index + self.before[0]) * self.pitch + self.before[1])
            with f.loop(0, width, n, hints=_HINTS) as x:
                source = plane.at(self.type, origin + x.index)

                def whole(source: Value = source) -> list[Value]:
                    return [f.load(kind, source)]

                def part(source: Value = source, left: Value = width - x.index) -> list[Value]:
                    return [masked_load(f, kind, source, first_lanes(f, n, left))]

                # what a vector reads behind its row lies in the next one, but at the end of the plane
                (value,) = f.choose(origin + x.index + n <= height * width, whole, part)
                f.store(value, to.at(self.type, x.index))
            f.store(outside, to.at(self.type, width))


@dataclass(frozen=True, slots=True)
class Lines:
    """`lanes` neighbouring windows whose elements are of `type`, `stride` elements apart; a number where that is 1 or 2."""

    f: Function
    type: str
    lanes: int
    stride: int | Value

    @property
    def vector(self) -> str:
        return vector(self.lanes, self.type)

    def load(self, pointer: Value) -> Value:
        """Lane i is element ``stride * i`` behind `pointer`."""
        f, n = self.f, self.lanes
        if self.stride in (1, 2):
            parts = [f.load(self.vector, pointer.at(self.type, n * k)) for k in range(int(str(self.stride)))]
            return parts[0] if len(parts) == 1 else shuffle(f, parts[0], parts[1], list(range(0, 2 * n, 2)))
        result = f.value(0.0, self.vector)
        for i in range(n):
            one = f.load(self.type, pointer.at(self.type, f.index(self.stride) * i))
            result = f.emit(self.vector, f"insertelement {result}, {one}, i64 {i}")
        return result

    def neighbours(self, pointer: Value, count: int) -> list[Value]:
        """`load` of `count` neighbouring pointers, for a stride of 2: even and odd elements of the same vectors."""
        f, n = self.f, self.lanes
        found = []
        for first in range(0, count, 2):
            low, high = (f.load(self.vector, pointer.at(self.type, first + n * k)) for k in range(2))
            found += [shuffle(f, low, high, list(range(odd, 2 * n, 2))) for odd in range(min(2, count - first))]
        return found


def by_stride(f: Function, stride: Value, run: Callable[[int | Value], None]) -> None:
    """`run` for the stride: a number where it is 1 or 2."""

    def known(number: int | Value) -> list[Value]:
        run(number)
        return []

    def other() -> list[Value]:
        return f.choose(stride.eq(2), lambda: known(2), lambda: known(stride))

    f.choose(stride.eq(1), lambda: known(1), other)


def store_lines(
    f: Function, values: Sequence[Value], plane: Value, places: Sequence[Value], limits: tuple[Value, Value]
) -> None:
    """A vector at each place of a plane, in order; ``limits``: lanes that belong there, and elements of the plane.

    Lanes that are too many lie in the next line, which comes later, but at the end of the plane.
    """
    count, end = limits
    kind = values[0].type
    type, lanes = kind[1:-1].split(" x ")[1], int(kind[1:].split(" ")[0])

    def whole() -> list[Value]:
        for value, place in zip(values, places, strict=True):
            f.store(value, plane.at(type, place))
        return []

    def part() -> list[Value]:
        mask = first_lanes(f, lanes, count)
        for value, place in zip(values, places, strict=True):
            masked_store(f, value, plane.at(type, place), mask)
        return []

    f.choose(places[-1] + lanes <= end, whole, part)


def over_columns(f: Function, count: Value, lanes: int, body: Callable[[Value, Value], None]) -> None:
    """``body(first window, windows left)`` for each vector of a line; the last one of a longer line overlaps the one before."""
    with f.loop(0, count, lanes, hints=_HINTS) as x:
        first = f.maximum(f.minimum(x.index, count - lanes), f.index(0))
        body(first, count - first)
