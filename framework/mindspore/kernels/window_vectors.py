"""The largest element, its place, or the sum of the windows of float32 and float64 planes, neighbouring windows in the lanes of vectors."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import runtime
from mindspore.kernels.argreduce import Arg
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value, vector
from mindspore.kernels.gemm_tile import splat
from mindspore.kernels.padded_plane import Lines, Padded, by_stride, numbers, over_columns, store_lines

KINDS = ("max", "sum", "index")
_HINTS = [NO_UNROLL, NO_VECTOR]


class Work(Protocol):
    """What is asked for; see `window`."""

    f: Function
    kind: str
    dtype: DType
    buffers: list[Value]
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
        with f.loop(begin, end, hints=_HINTS) as plane:
            padded.fill(memory, w.buffers[0].at(type, plane.index * w.plane), missing)
            by_stride(f, w.strides[2], partial(_plane, w, plane.index, (padded, memory)))


def _plane(w: Work, plane: Value, copy: tuple[Padded, Value], stride: int | Value) -> None:
    f, (padded, memory) = w.f, copy
    lines = Lines(f, padded.type, padded.lanes, stride)
    kept = padded.type if w.kind != "index" else "i32"
    target = w.buffers[1].at(kept, plane * w.count)
    with f.loop(0, w.windows[0], hints=_HINTS) as d, f.loop(0, w.windows[1], hints=_HINTS) as h:
        row = (d.index * w.windows[1] + h.index) * w.windows[2]

        def body(column: Value, left: Value, d: Value = d.index, h: Value = h.index, row: Value = row) -> None:
            found = _folded(w, padded, memory, lines, (d, h, column))
            store_lines(f, [found[-1]], target, [row + column], (left, w.count))

        over_columns(f, w.windows[2], padded.lanes, body)


def _folded(w: Work, padded: Padded, memory: Value, lines: Lines, windows: tuple[Value, Value, Value]) -> list[Value]:
    """The windows from (d, h, column) on, folded tap by tap."""
    f, n = w.f, lines.lanes
    (first_d, begin_d, end_d), (first_h, begin_h, end_h) = w.taps(0, windows[0]), w.taps(1, windows[1])
    state = [f.value(0.0 if w.kind == "sum" else float("-inf"), lines.vector)]
    if w.kind == "index":
        state.append(f.value(-1, vector(n, "i32")))
    origin = windows[2] * lines.stride
    with f.loop(begin_d, end_d, carried=state, hints=_HINTS) as kd:
        with f.loop(begin_h, end_h, carried=kd.carried, hints=_HINTS) as kh:
            at = (first_d + kd.index * w.dilation[0]) * w.sizes[1] + first_h + kh.index * w.dilation[1]
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
