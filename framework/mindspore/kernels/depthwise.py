"""Depthwise convolutions: every channel of the input is convolved by itself, read where it lies.

Buffers: the weights (of the gradient: that of the result), x, the result. Parameters:

    [0] images, [1] channels of x, [2] of the result for each of these, [3] height and width of x, [5] of the result
    [7] kernel, [9] strides, [11] padding before, [13] dilation, [15] 1: the kernel is turned around

float32 and float64. Vectors run along the width of a copy of the plane with its padding. Each result is added up by one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, mangled
from mindspore.kernels.gemm_tile import multiply_add, splat
from mindspore.kernels.padded_plane import (
    Lines,
    Padded,
    by_stride,
    first_lanes,
    masked_load,
    over_columns,
    store_lines,
)
from mindspore.primitives.convolution_plan import Convolution

FAMILY = "depthwise"
KINDS = ("forward", "filter")
LINES = 4
"""Rows of the result that are computed side by side."""
TAPS = (3, 5)
"""Weights of one row that are summed side by side."""
CHUNK = 1 << 20
"""Multiplications for each chunk of threads."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def spec(kind: str, dtype: DType) -> KernelSpec:
    """The kernel of one kind; ValueError for an unknown kind and for other types than Float32 and Float64."""
    if kind not in KINDS or dtype not in (dt.float32, dt.float64):
        raise ValueError(
            f"no depthwise convolution {kind!r} of {dtype}: expected {', '.join(KINDS)} of Float32 or Float64"
        )
    name = f"msk_{FAMILY}_{kind}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, kind=kind, dtype=dtype))


def params(c: Convolution, turned: bool) -> tuple[int, ...]:
    """The kernel's parameters."""
    before = tuple(pair[0] for pair in c.pads)
    return (
        c.batch, c.inputs, c.outputs // c.inputs, *c.sizes, *c.windows, *c.kernel, *c.strides, *before, *c.dilation, int(turned),
    )  # fmt: skip


class _Work:
    """The parameters inside a worker, and its scratch memory."""

    def __init__(self, f: Function, numbers: Value, dtype: DType, buffers: Sequence[Value]) -> None:
        self.f, self.buffers = f, buffers
        self.type = "float" if dtype is dt.float32 else "double"
        self.lanes = f.module.isa.lanes(dtype.itemsize)
        listed = [f.load("i64", numbers.at("i64", i)) for i in range(16)]
        self.images, self.channels, self.multiplier = listed[:3]
        (self.sizes, self.windows, self.kernel, self.strides, before, self.dilation) = (
            listed[i : i + 2] for i in range(3, 15, 2)
        )
        self.turned = listed[15].ne(0)
        self.plane, self.result, self.taps = (a * b for a, b in (self.sizes, self.windows, self.kernel))
        reach = [
            (w - 1) * s + (k - 1) * d + 1
            for w, s, k, d in zip(self.windows, self.strides, self.kernel, self.dilation, strict=True)
        ]
        self.padded = Padded(f, self.type, self.lanes, self.sizes, before, reach, self.strides[1])
        self.pitch = self.padded.pitch
        self.memory = runtime.scratch(f, f["runtime"], self.padded.elements * dtype.itemsize)

    def lines(self, stride: int | Value) -> Lines:
        return Lines(self.f, self.type, self.lanes, stride)

    @property
    def outputs(self) -> Value:
        return self.channels * self.multiplier

    def copy(self, image: Value, output: Value) -> None:
        """The plane of x that belongs to channel `output` of the result, into scratch memory."""
        channel = self.f.op("sdiv", output, self.multiplier)
        self.padded.fill(
            self.memory, self.buffers[1].at(self.type, (image * self.channels + channel) * self.plane), 0.0
        )

    def tap(self, ky: Value, kx: Value) -> Value:
        """Where a tap of the first window lies in the copy."""
        return ky * self.dilation[0] * self.pitch + kx * self.dilation[1]


def _forward(w: _Work, unit: Value) -> None:
    """One plane of the result."""
    f, outputs = w.f, w.outputs
    image, output = f.op("sdiv", unit, outputs), f.op("srem", unit, outputs)
    w.copy(image, output)
    target = w.buffers[2].at(w.type, unit * w.result)

    def run(stride: int | Value) -> None:
        with f.loop(0, w.windows[0], LINES, hints=_HINTS) as y:
            # lines past the end are the last one again
            lines = [f.minimum(y.index + r, w.windows[0] - 1) for r in range(LINES)]

            def body(column: Value, left: Value, lines: list[Value] = lines) -> None:
                origins = [w.memory.at(w.type, line * w.strides[0] * w.pitch + column * stride) for line in lines]
                sums = _window_sums(w, w.lines(stride), output, origins)
                places = [line * w.windows[1] + column for line in lines]
                store_lines(f, sums, target, places, (left, w.result))

            over_columns(f, w.windows[1], w.lanes, body)

    by_stride(f, w.strides[1], run)


def _window_sums(w: _Work, lines: Lines, output: Value, origins: list[Value]) -> list[Value]:
    """For each origin a vector of windows, summed over the taps."""
    f = w.f
    weights = w.buffers[0].at(w.type, output * w.taps)
    first = f.select(w.turned, w.taps - 1, f.index(0))
    step = f.select(w.turned, f.index(-1), f.index(1))
    zeros = [f.value(0.0, lines.vector)] * len(origins)
    with f.loop(0, w.kernel[0], carried=zeros, hints=_HINTS) as ky:
        with f.loop(0, w.kernel[1], carried=ky.carried, hints=_HINTS) as kx:
            place = first + (ky.index * w.kernel[1] + kx.index) * step
            weight = splat(f, f.load(w.type, weights.at(w.type, place)), w.lanes)
            tap = w.tap(ky.index, kx.index)
            read = [lines.load(origin.at(w.type, tap)) for origin in origins]
            kx.next(*(multiply_add(f, weight, x, so_far) for x, so_far in zip(read, kx.carried, strict=True)))
        ky.next(*kx.results)
    return ky.results


def _filter(w: _Work, output: Value) -> None:
    """The gradient of one channel's weights: some taps of a row of the kernel at a time."""
    f = w.f
    weights = w.buffers[2].at(w.type, output * w.taps)
    with f.loop(0, w.taps, hints=_HINTS) as tap:
        f.store(f.value(0.0, w.type), weights.at(w.type, tap.index))

    def run(stride: int | Value, given: Value) -> None:
        def by(count: int) -> list[Value]:
            with f.loop(0, w.kernel[0], hints=_HINTS) as ky, f.loop(0, w.kernel[1], count, hints=_HINTS) as kx:
                # taps past the end are the last one again: it is read before any is written
                columns = [f.minimum(kx.index + q, w.kernel[1] - 1) for q in range(count)]
                sums = _tap_sums(w, w.lines(stride), given, [w.tap(ky.index, column) for column in columns])
                places = [weights.at(w.type, ky.index * w.kernel[1] + column) for column in columns]
                before = [f.load(w.type, place) for place in places]
                for place, old, total in zip(places, before, sums, strict=True):
                    f.store(old + _across(f, total), place)
            return []

        f.choose(w.kernel[1] <= TAPS[0], lambda: by(TAPS[0]), lambda: by(TAPS[1]))

    with f.loop(0, w.images, hints=_HINTS) as image:
        w.copy(image.index, output)
        given = w.buffers[0].at(w.type, (image.index * w.outputs + output) * w.result)
        by_stride(f, w.strides[1], partial(run, given=given))


def _tap_sums(w: _Work, lines: Lines, given: Value, taps: list[Value]) -> list[Value]:
    """For each tap a vector whose lanes add up to the gradient of its weight."""
    f = w.f
    zero = f.value(0.0, lines.vector)
    with f.loop(0, w.windows[1], w.lanes, carried=[zero] * len(taps), hints=_HINTS) as column:
        left = w.windows[1] - column.index

        def rows(mask: Value | None, first: Value = column.index, sums: list[Value] = column.carried) -> list[Value]:
            with f.loop(0, w.windows[0], carried=sums, hints=_HINTS) as row:
                place = given.at(w.type, row.index * w.windows[1] + first)
                d = f.load(lines.vector, place) if mask is None else masked_load(f, lines.vector, place, mask)
                origin = w.memory.at(w.type, row.index * w.strides[0] * w.pitch + first * lines.stride)
                read = [lines.load(origin.at(w.type, tap)) for tap in taps]
                if mask is not None:
                    # what is no number behind the line must not be multiplied with its zeros
                    read = [f.select(mask, x, zero) for x in read]
                row.next(*(multiply_add(f, d, x, so_far) for x, so_far in zip(read, row.carried, strict=True)))
            return row.results

        def part(left: Value = left, rows: Callable[[Value | None], list[Value]] = rows) -> list[Value]:
            return rows(first_lanes(f, w.lanes, left))

        column.next(*f.choose(left >= w.lanes, partial(rows, None), part))
    return column.results


def _across(f: Function, value: Value) -> Value:
    """The sum of all lanes, halves first."""
    kept, f.flags = f.flags, "reassoc"
    start = f.value(0.0, "float" if "float" in value.type else "double")
    total = f.intrinsic("vector.reduce.fadd", start.type, start, value, suffix=mangled(value.type))
    f.flags = kept
    return total


def _emit(module: Module, name: str, kind: str, dtype: DType) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    buffers = [runtime.buffer(f, i) for i in range(3)]
    images, channels, multiplier, *_ = (runtime.param(f, i) for i in range(3))
    outputs = channels * multiplier
    work = runtime.param(f, 5) * runtime.param(f, 6) * runtime.param(f, 7) * runtime.param(f, 8)
    units, each = (images * outputs, work) if kind == "forward" else (outputs, work * images)
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), f.maximum(each, f.index(1))), f.index(1))
    with f.when(units > 0):
        runtime.parallel(f, f"{name}_units", units, grain, [f["params"], *buffers], partial(_units, kind, dtype))
    runtime.done(f)


def _units(kind: str, dtype: DType, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    w = _Work(f, captured[0], dtype, captured[1:])
    with f.when(runtime.exists(f, w.memory)):
        w.padded.clear(w.memory, 0.0)
        with f.loop(begin, end, hints=_HINTS) as unit:
            (_forward if kind == "forward" else _filter)(w, unit.index)
