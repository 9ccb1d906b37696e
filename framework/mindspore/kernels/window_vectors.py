"""The largest element, its place, or the sum of the windows of float32 and float64 planes, neighbouring windows in the lanes of vectors."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import runtime
from mindspore.kernels.argreduce import Arg
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value, vector
from mindspore.kernels.gemm_pack import shuffle
from mindspore.kernels.gemm_tile import splat
from mindspore.kernels.padded_plane import (
    Lines,
    Padded,
    by_stride,
    first_lanes,
    masked_load,
    masked_store,
    numbers,
    over_columns,
    store_lines,
)

KINDS = ("max", "sum", "index")
STEP = 2
"""Elements between windows whose neighbouring taps come from the same loads."""
_HINTS = [NO_UNROLL, NO_VECTOR]


class Work(Protocol):
    """What is asked for; see `window`."""

    f: Function
    kind: str
    dtype: DType
    buffers: list[Value]
    planes: Value
    sizes: list[Value]
    windows: list[Value]
    kernel: list[Value]
    strides: list[Value]
    before: list[Value]
    dilation: list[Value]
    plane: Value
    count: Value

    def taps(self, d: int, window: Value) -> tuple[Value, Value, Value]: ...


def suits(kind: str, dtype: DType) -> bool:
    """Whether `planes` does this kind of windows."""
    return kind in KINDS and dtype in (dt.float32, dt.float64)


def pairs(kind: str, dtype: DType, attrs: Mapping[str, Any]) -> bool:
    """Whether `planes` reads windows of two by two, a step of two apart, faster than loops over strided views."""
    apart = attrs["strides"][-1] == STEP and attrs["dilation"][-1] == 1 and tuple(attrs["kernel"]) == (2, 2)
    return suits(kind, dtype) and kind != "index" and apart


def planes(w: Work, begin: Value, end: Value) -> None:
    """Planes `begin` to `end`."""
    f, type = w.f, "float" if w.dtype is dt.float32 else "double"
    lanes = f.module.isa.lanes(w.dtype.itemsize)
    height, width = w.sizes[0] * w.sizes[1], (w.windows[2] - 1) * w.strides[2] + (w.kernel[2] - 1) * w.dilation[2] + 1
    padded = Padded(f, type, lanes, (height, w.sizes[2]), (f.index(0), w.before[2]), (height, width), w.strides[2])
    missing = 0.0 if w.kind == "sum" else float("-inf")
    memory = runtime.scratch(f, f["runtime"], padded.elements * w.dtype.itemsize)
    with f.when(runtime.exists(f, memory)):
        padded.clear(memory, missing)
        # what vectors read behind a plane lies in the next one
        inside = w.before[2].eq(0) & (width <= w.sizes[2]) & (w.plane >= (w.strides[2] + 2) * lanes + w.kernel[2])
        with f.loop(begin, end, hints=_HINTS) as plane:
            given = w.buffers[0].at(type, plane.index * w.plane)

            def copied(given: Value = given) -> list[Value]:
                padded.fill(memory, given, missing)
                return [memory]

            def in_place(given: Value = given) -> list[Value]:
                return [given]

            (source,) = f.choose(inside & (plane.index + 1 < w.planes), in_place, copied)
            by_stride(f, w.strides[2], partial(_plane, w, plane.index, (padded, source)))


def _plane(w: Work, plane: Value, copy: tuple[Padded, Value], stride: int | Value) -> None:
    """The windows of a plane; rows of two and three taps are written out where they are a step of two apart."""
    f = w.f

    def taps(count: int) -> list[Value]:
        _rows(w, plane, copy, stride, count)
        return []

    if stride != STEP or w.kind == "index":
        taps(0)
        return
    near = w.dilation[2].eq(1)

    def rest() -> list[Value]:
        return f.choose(near & w.kernel[2].eq(3), lambda: taps(3), lambda: taps(0))

    square = near & w.kernel[2].eq(2) & w.kernel[1].eq(2) & w.dilation[1].eq(1) & w.kernel[0].eq(1) & w.windows[0].eq(1)
    last = (w.windows[1] - 1) * w.strides[1] + 2
    whole = square & w.before[0].eq(0) & w.before[1].eq(0) & (last <= w.sizes[1])

    def squares() -> list[Value]:
        _squares(w, plane, copy)
        return []

    f.choose(
        whole,
        squares,
        lambda: f.choose(near & w.kernel[2].eq(2), lambda: taps(2), rest),
    )


def _squares(w: Work, plane: Value, copy: tuple[Padded, Value]) -> None:
    """Windows of two by two that all lie inside the plane's height."""
    f, (padded, memory) = w.f, copy
    lines = Lines(f, padded.type, padded.lanes, STEP)
    target = w.buffers[1].at(padded.type, plane * w.count)
    with f.loop(0, w.windows[1], hints=_HINTS) as h:
        row = h.index * w.windows[2]
        above = memory.at(padded.type, h.index * w.strides[1] * padded.pitch)

        def body(column: Value, left: Value, row: Value = row, above: Value = above) -> None:
            place = above.at(padded.type, column * STEP)
            state: list[Value] = []
            for line in (place, place.at(padded.type, padded.pitch)):
                for new in lines.neighbours(line, 2):
                    state = _added(w, lines, new, (row, column), state) if state else [new]
            store_lines(f, state, target, [row + column], (left, w.count))

        over_columns(f, w.windows[2], padded.lanes, body)


def _rows(w: Work, plane: Value, copy: tuple[Padded, Value], stride: int | Value, taps: int) -> None:
    f, (padded, memory) = w.f, copy
    lines = Lines(f, padded.type, padded.lanes, stride)
    kept = padded.type if w.kind != "index" else "i32"
    target = w.buffers[1].at(kept, plane * w.count)
    with f.loop(0, w.windows[0], hints=_HINTS) as d:
        deep = w.taps(0, d.index)
        with f.loop(0, w.windows[1], hints=_HINTS) as h:
            ranges = (deep, w.taps(1, h.index))
            row = (d.index * w.windows[1] + h.index) * w.windows[2]

            def body(column: Value, left: Value, row: Value = row) -> None:
                found = _folded(w, padded, memory, lines, ranges, column, taps)
                store_lines(f, [found[-1]], target, [row + column], (left, w.count))

            over_columns(f, w.windows[2], padded.lanes, body)


Range = tuple[Value, Value, Value]


def _folded(
    w: Work, padded: Padded, memory: Value, lines: Lines, ranges: tuple[Range, Range], column: Value, taps: int
) -> list[Value]:
    """The windows from `column` on, folded tap by tap; ``ranges``: their first row, first tap and end of taps in depth and height."""
    f, n = w.f, lines.lanes
    (first_d, begin_d, end_d), (first_h, begin_h, end_h) = ranges
    state = [f.value(0.0 if w.kind == "sum" else float("-inf"), lines.vector)]
    if w.kind == "index":
        state.append(f.value(-1, vector(n, "i32")))
    origin = column * lines.stride
    with f.loop(begin_d, end_d, carried=state, hints=_HINTS) as kd:
        with f.loop(begin_h, end_h, carried=kd.carried, hints=_HINTS) as kh:
            at = (first_d + kd.index * w.dilation[0]) * w.sizes[1] + first_h + kh.index * w.dilation[1]
            if taps:
                so_far = kh.carried
                for new in lines.neighbours(memory.at(lines.type, at * padded.pitch + origin), taps):
                    so_far = _added(w, lines, new, (at, origin), so_far)
                kh.next(*so_far)
            else:
                with f.loop(0, w.kernel[2], carried=kh.carried, hints=_HINTS) as kw:
                    position = origin + kw.index * w.dilation[2]
                    new = lines.load(memory.at(lines.type, at * padded.pitch + position))
                    kw.next(*_added(w, lines, new, (at, position - w.before[2]), kw.carried))
                kh.next(*kw.results)
        kd.next(*kh.results)
    return kd.results


def _added(w: Work, lines: Lines, new: Value, place: tuple[Value, Value], state: list[Value]) -> list[Value]:
    """One tap more; ``place``: its row, and its position in the row for lane 0."""
    f, n = w.f, lines.lanes
    if w.kind == "sum":
        return [state[0] + new]
    if w.kind == "max":
        return [f.intrinsic("maximum", new.type, state[0], new)]
    at, position = place

    def all_lanes(number: Value) -> Value:
        return splat(f, number.to("trunc", "i32"), n)

    along = f.op("add", all_lanes(position), f.op("mul", numbers(f, n), all_lanes(f.index(lines.stride))))
    inside = (along >= 0) & f.compare("lt", along, all_lanes(w.sizes[2]))
    # the first element that is inside is taken even when it is minus infinity; what is outside is never better
    better = Arg("max", w.dtype).better(f, new, state[0]) | (inside & (state[1] < 0))
    found = f.op("add", all_lanes(at * w.sizes[2]), along)
    return [f.select(better, new, state[0]), f.select(better, found, state[1])]


def spreads(w: Work) -> Value:
    """Whether `spread` does the windows: two by two side by side from the corner of the plane on."""
    one = w.sizes[0].eq(1) & w.windows[0].eq(1) & w.kernel[0].eq(1) & w.before[0].eq(0)
    for d in (1, 2):
        one = one & w.kernel[d].eq(2) & w.strides[d].eq(2) & w.dilation[d].eq(1) & w.before[d].eq(0)
    return one


def spread(w: Work, begin: Value, end: Value) -> None:
    """Planes `begin` to `end`: every number four times, zeros where no window reaches."""
    f, type = w.f, "float" if w.dtype is dt.float32 else "double"
    n, width = f.module.isa.lanes(w.dtype.itemsize), w.sizes[2]
    kind = vector(n, type)
    with f.loop(begin, end, hints=_HINTS) as plane:
        given, target = w.buffers[0].at(type, plane.index * w.count), w.buffers[1].at(type, plane.index * w.plane)
        with f.loop(0, w.sizes[1], 2, hints=_HINTS) as y:
            h = f.op("sdiv", y.index, f.index(2))
            count = f.select(h < w.windows[1], w.windows[2], f.index(0))
            row = h * w.windows[2]
            lines = f.select(y.index + 1 < w.sizes[1], f.index(2), f.index(1))
            with f.loop(0, lines, hints=_HINTS) as line, f.loop(0, width, 2 * n, hints=_HINTS) as x:
                column = f.op("sdiv", x.index, f.index(2))
                left = f.maximum(count - column, 0)
                value = masked_load(f, kind, given.at(type, row + column), first_lanes(f, n, left))
                at = (y.index + line.index) * width + x.index
                for part in range(2):
                    doubled = shuffle(f, value, value, [(n * part + i) // 2 for i in range(n)])
                    rest = f.maximum(width - x.index - n * part, 0)
                    masked_store(f, doubled, target.at(type, at + n * part), first_lanes(f, n, rest))
