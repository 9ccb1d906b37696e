"""Convolutions of few planes at a time: depthwise ones, groups of few channels, images of few channels.

Buffers: the weights (of the gradient: that of the result), x, the result. Parameters:

    [0] images, [1] groups, [2] channels of a group in x, [3] in the result, [4] height and width of x, [6] of the result
    [8] kernel, [10] strides, [12] padding before, [14] dilation, [16] distance of the elements of x, between which there are zeros
    [18] 1: the weights are those of the convolution whose gradient in its input this is: channels change places and the kernel is
    turned around

float32 and float64. Vectors run along the width of a copy of the planes (`plane_copy`). Each result is added up by one thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import plane_filter, plane_forward, plane_joined, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, element, mangled, vector
from mindspore.kernels.plane_copy import Copy
from mindspore.primitives.convolution_plan import Convolution

FAMILY = "convplanes"
KINDS = ("forward", "filter")
CHUNK = 1 << 20
"""Multiplications for each chunk of threads."""
NEAR = 5 << 10
"""Elements of a copy that stay in the first-level cache beside what is read and written."""
MOST_COPIES = 8
"""Copies made before they are read: what was stored just before, by several stores, cannot be loaded until these are done."""
ROWS = 28
"""Rows of the result that a part of a plane is a multiple of, so that all of its tiles are whole."""
_HINTS = [NO_UNROLL, NO_VECTOR]


def spec(kind: str, dtype: DType) -> KernelSpec:
    """The kernel of one kind; ValueError for an unknown kind and for other types than Float32 and Float64."""
    if kind not in KINDS or dtype not in (dt.float32, dt.float64):
        raise ValueError(
            f"no convolution of planes {kind!r} of {dtype}: expected {', '.join(KINDS)} of Float32 or Float64"
        )
    name = f"msk_{FAMILY}_{kind}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, kind=kind, dtype=dtype))


def params(c: Convolution, turned: bool) -> tuple[int, ...]:
    """The kernel's parameters."""
    before = tuple(pair[0] for pair in c.pads)
    return (
        c.batch, c.group, c.inputs // c.group, c.outputs // c.group, *c.sizes, *c.windows, *c.kernel, *c.strides, *before,
        *c.dilation, *c.apart, int(turned),
    )  # fmt: skip


class _Work:
    """The parameters inside a function, and how planes are cut into parts."""

    def __init__(self, f: Function, numbers: Value, kind: str, dtype: DType, buffers: Sequence[Value]) -> None:
        self.f, self.buffers, self.itemsize = f, buffers, dtype.itemsize
        self.type = "float" if dtype is dt.float32 else "double"
        self.lanes = f.module.isa.lanes(dtype.itemsize)
        listed = [f.load("i64", numbers.at("i64", i)) for i in range(19)]
        self.images, self.groups, self.inputs, self.outputs = listed[:4]
        (self.sizes, self.windows, self.kernel, self.strides, self.before, self.dilation, self.apart) = (
            listed[i : i + 2] for i in range(4, 18, 2)
        )
        self.turned = listed[18].ne(0)
        self.plane, self.result, self.taps = (a * b for a, b in (self.sizes, self.windows, self.kernel))
        stride = self.strides[1]
        reach = f.op("sdiv", (self.kernel[1] - 1) * self.dilation[1], stride)
        filled = f.op("sdiv", self.before[1] + (self.sizes[1] - 1) * self.apart[1], stride) + 1
        # the lanes behind an end must not fall into the next part of the row, which may be there already
        self.span = f.maximum(self.windows[1] + reach, filled) + f.select(stride > 1, f.index(self.lanes), f.index(0))
        self.halo = (self.kernel[0] - 1) * self.dilation[0] + 1
        self.planes = self.inputs if kind == "forward" else f.index(1)
        near = f.op("sdiv", f.index(NEAR), f.maximum(self.planes * self.span * stride, f.index(1)))
        fits = f.op("sdiv", near - self.halo, self.strides[0]) + 1
        rows = f.maximum(f.op("sdiv", fits, f.index(ROWS)) * ROWS, f.index(ROWS))
        self.rows = f.select(fits >= self.windows[0], self.windows[0], f.minimum(rows, self.windows[0]))
        self.parts = f.op("sdiv", self.windows[0] + (self.rows - 1), f.maximum(self.rows, f.index(1)))
        self.copied = (self.rows - 1) * self.strides[0] + self.halo
        size = f.maximum(self.planes * self.copied * self.span * stride, f.index(1))
        self.batch = f.minimum(f.maximum(f.op("sdiv", f.index(NEAR), size), f.index(1)), f.index(MOST_COPIES))

    def reserve(self, extra: Value) -> tuple[Value, Value, Copy]:
        """Scratch memory, null when there is none, the `extra` bytes in it, and a copy of a part of the planes."""
        f = self.f
        pitch = self.span * self.strides[1]
        # rows of the last tile and lanes past the end are read too
        behind = pitch * self.strides[0] * plane_forward.MOST_ROWS + 6 * self.lanes
        elements = (
            f.op("sdiv", self.batch * self.planes * self.copied * pitch + behind, f.index(self.lanes)) * self.lanes
        )
        table = f.op("sdiv", self.kernel[1] + 7, f.index(8)) * 64
        memory = runtime.scratch(f, f["runtime"], table + extra + elements * self.itemsize)
        made = Copy(
            f, self.type, self.lanes, memory.at("i8", table + extra), self.planes, self.sizes[0], self.sizes[1], self.copied,
            self.before[0], self.before[1], self.apart, self.strides[1], self.span,
        )  # fmt: skip
        with f.when(runtime.exists(f, memory)):
            with f.loop(0, self.kernel[1], hints=_HINTS) as k:
                f.store(made.place(k.index * self.dilation[1]), memory.at("i64", k.index))
            made.clear(elements)
        return memory, memory.at("i8", table), made

    def slot(self, copied: Copy, number: Value) -> Copy:
        """The copy with that number of those that are made one behind the other."""
        return replace(copied, memory=copied.memory.at(self.type, number * copied.size))

    def fill(self, copied: Copy, channel: Value, first: Value) -> None:
        """Copy planes of x, of which `channel` is the first, from what window row `first` reads on."""
        source = self.buffers[1].at(self.type, channel * self.plane)
        copied.fill(source, first * self.strides[0], self.parts > 1)

    def square(self, kernel: int) -> Value:
        """Whether one plane makes one by a kernel of so many rows and columns that are neighbours."""
        alone = self.inputs.eq(1) & self.dilation[0].eq(1)
        return alone & self.kernel[0].eq(kernel) & self.kernel[1].eq(kernel)

    def narrow(self) -> Value:
        """Whether planes that make one each, without strides and in one part, are so narrow that their rows are better joined."""
        f = self.f
        alone = self.outputs.eq(1) & self.parts.eq(1)
        for stride in (*self.strides, *self.apart):
            alone = alone & stride.eq(1)
        return alone & plane_joined.narrow(f, self.lanes, (self.sizes[1], self.windows[1]))


def _forward(w: _Work, begin: Value, end: Value) -> None:
    """Units are parts of the planes of a group of an image."""
    f = w.f
    memory, _, copied = w.reserve(f.index(0))
    with f.when(runtime.exists(f, memory)), f.loop(begin, end, w.batch, hints=_HINTS) as base:
        count = f.minimum(w.batch, end - base.index)
        with f.loop(0, count, hints=_HINTS) as i:
            planes, part = f.op("sdiv", base.index + i.index, w.parts), f.op("srem", base.index + i.index, w.parts)
            w.fill(w.slot(copied, i.index), planes * w.inputs, part * w.rows)
        with f.loop(0, count, hints=_HINTS) as i:
            _unit(w, w.slot(copied, i.index), memory, base.index + i.index)


def _unit(w: _Work, copied: Copy, table: Value, unit: Value) -> None:
    f, across, own = w.f, w.inputs * w.taps, w.taps
    planes, part = f.op("sdiv", unit, w.parts), f.op("srem", unit, w.parts)
    group, first = f.op("srem", planes, w.groups), part * w.rows
    _called_forward(w, plane_forward.Job(
        weights=w.buffers[0].at(w.type, group * w.outputs * across), memory=copied.memory, table=table,
        target=w.buffers[2].at(w.type, planes * w.outputs * w.result + first * w.windows[1]), inputs=w.inputs, outputs=w.outputs,
        height=f.minimum(w.rows, w.windows[0] - first), width=w.windows[1], kernel_y=w.kernel[0], kernel_x=w.kernel[1],
        output=f.select(w.turned, own, across), input=f.select(w.turned, w.outputs * w.taps, own),
        first=f.select(w.turned, w.taps - 1, f.index(0)), step=f.select(w.turned, f.index(-1), f.index(1)),
        pitch=copied.pitch, plane=copied.plane, down=copied.pitch * w.strides[0], along=copied.pitch * w.dilation[0],
        result=w.result,
    ))  # fmt: skip


def _called_forward(w: _Work, job: plane_forward.Job) -> None:
    f, module = w.f, w.f.module

    def call(name: str, job: plane_forward.Job = job) -> list[Value]:
        f.call("void", name, *job.values())
        return []

    def each(kernel: int, stride: int) -> list[Value]:
        with f.loop(0, job.outputs, hints=_HINTS) as o:
            weights = job.weights.at(w.type, o.index * job.output)
            target = job.target.at(w.type, o.index * job.result)
            call(plane_forward.unrolled(module, w.type, kernel, stride), replace(job, weights=weights, target=target))
        return []

    known = [(k, s) for k in plane_forward.UNROLLED for s in plane_forward.STRIDES]

    def chosen(rest: Sequence[tuple[int, int]]) -> list[Value]:
        if not rest:
            return call(plane_forward.tiles(module, w.type))
        kernel, stride = rest[0]
        fits = w.square(kernel) & w.strides[0].eq(stride)
        return f.choose(fits, lambda: each(kernel, stride), lambda: chosen(rest[1:]))

    chosen(known)


def _filter(w: _Work, begin: Value, end: Value) -> None:
    """Units are one plane of x of a group and some of the result, over all images."""
    f = w.f
    most = f.index(plane_filter.MOST_PLANES)
    memory, sums, copied = w.reserve(f.minimum(most, w.outputs) * w.taps * (w.lanes * w.itemsize))
    tiles, kind = f.op("sdiv", w.outputs + (most - 1), most), vector(w.lanes, w.type)
    with f.when(runtime.exists(f, memory)), f.loop(begin, end, hints=_HINTS) as unit:
        channel, output = f.op("sdiv", unit.index, tiles), f.op("srem", unit.index, tiles) * most
        group, input = f.op("sdiv", channel, w.inputs), f.op("srem", channel, w.inputs)
        outputs = f.minimum(most, w.outputs - output)
        with f.loop(0, outputs * w.taps, hints=_HINTS) as t:
            f.store(f.value(0.0, kind), sums.at(kind, t.index))
        # parts of all images, one behind the other
        with f.loop(0, w.images * w.parts, w.batch, hints=_HINTS) as base:
            count = f.minimum(w.batch, w.images * w.parts - base.index)
            with f.loop(0, count, hints=_HINTS) as i:
                image, part = (f.op(how, base.index + i.index, w.parts) for how in ("sdiv", "srem"))
                w.fill(w.slot(copied, i.index), image * w.groups * w.inputs + channel, part * w.rows)
            with f.loop(0, count, hints=_HINTS) as i:
                image, part = (f.op(how, base.index + i.index, w.parts) for how in ("sdiv", "srem"))
                first, here = part * w.rows, w.slot(copied, i.index)
                plane = (image * w.groups + group) * w.outputs + output
                _called_filter(w, plane_filter.Job(
                    given=w.buffers[0].at(w.type, plane * w.result + first * w.windows[1]), memory=here.memory, table=memory,
                    totals=sums, outputs=outputs, height=f.minimum(w.rows, w.windows[0] - first), width=w.windows[1],
                    kernel_y=w.kernel[0], kernel_x=w.kernel[1], pitch=copied.pitch, down=copied.pitch * w.strides[0],
                    along=copied.pitch * w.dilation[0], result=w.result,
                ))  # fmt: skip
        first = ((group * w.outputs + output) * w.inputs + input) * w.taps
        with f.loop(0, outputs, hints=_HINTS) as o, f.loop(0, w.taps, hints=_HINTS) as t:
            total = _across(f, f.load(kind, sums.at(kind, o.index * w.taps + t.index)))
            f.store(total, w.buffers[2].at(w.type, first + o.index * w.inputs * w.taps + t.index))


def _called_filter(w: _Work, job: plane_filter.Job) -> None:
    f, module = w.f, w.f.module

    def call(name: str) -> list[Value]:
        f.call("void", name, *job.values())
        return []

    def chosen(rest: Sequence[int]) -> list[Value]:
        if not rest:
            return call(plane_filter.tiles(module, w.type))
        kernel = rest[0]

        def one() -> list[Value]:
            return f.choose(
                w.strides[0].eq(1) & (job.height >= kernel - 1),
                lambda: call(plane_filter.rolling(module, w.type, kernel)),
                lambda: call(plane_filter.unrolled(module, w.type, kernel)),
            )

        return f.choose(w.square(kernel) & job.outputs.eq(1), one, lambda: chosen(rest[1:]))

    chosen(plane_filter.UNROLLED)


def _across(f: Function, value: Value) -> Value:
    """The sum of all lanes, halves first."""
    kept, f.flags = f.flags, "reassoc"
    start = f.value(0.0, element(value.type))
    total = f.intrinsic("vector.reduce.fadd", start.type, start, value, suffix=mangled(value.type))
    f.flags = kept
    return total


def _joined(w: _Work, kind: str, kernel: int, begin: Value, end: Value) -> None:
    """The units of narrow planes: a plane to forward; to filter, a channel over all images."""
    f = w.f
    lines = plane_joined.Lines(f, w.type, w.lanes, kernel, w.sizes, w.windows, w.before)
    fit = f.minimum(f.op("sdiv", f.index(NEAR), lines.size), f.index(MOST_COPIES))
    batch, table_bytes = f.maximum(fit, f.index(1)), lines.table_bytes
    memory = runtime.scratch(f, f["runtime"], table_bytes + batch * lines.size * w.itemsize)
    made = memory.at("i8", table_bytes)

    def copied(first: Value, step: Value, base: Value, most: Value) -> Value:
        """Fill the lines of the planes from ``base`` on, `step` apart; their count."""
        count = f.minimum(batch, most - base)
        with f.loop(0, count, hints=_HINTS) as i:
            plane = w.buffers[1].at(w.type, (first + (base + i.index) * step) * w.plane)
            lines.fill(made.at(w.type, i.index * lines.size), plane, memory)
        return count

    def forward() -> None:
        first, step = f.select(w.turned, w.taps - 1, f.index(0)), f.select(w.turned, f.index(-1), f.index(1))
        with f.loop(begin, end, batch, hints=_HINTS) as base:
            count = copied(f.index(0), f.index(1), base.index, end)
            with f.loop(0, count, hints=_HINTS) as i:
                group = f.op("srem", base.index + i.index, w.groups)
                weights = w.buffers[0].at(w.type, group * w.taps + first)
                target = w.buffers[2].at(w.type, (base.index + i.index) * w.result)
                lines.windows_of(made.at(w.type, i.index * lines.size), weights, step, target, memory)

    def filter() -> None:
        with f.loop(begin, end, hints=_HINTS) as channel:
            with f.loop(0, w.images, batch, carried=lines.zeros(), hints=_HINTS) as base:
                count = copied(channel.index, w.groups, base.index, w.images)
                with f.loop(0, count, carried=base.carried, hints=_HINTS) as i:
                    plane = channel.index + (base.index + i.index) * w.groups
                    given = w.buffers[0].at(w.type, plane * w.result)
                    i.next(*lines.sums_of(made.at(w.type, i.index * lines.size), given, memory, i.carried))
                base.next(*i.results)
            for t, total in enumerate(base.results):
                f.store(_across(f, total), w.buffers[2].at(w.type, channel.index * w.taps + t))

    with f.when(runtime.exists(f, memory)):
        lines.prepare(memory, made, batch)
        (forward if kind == "forward" else filter)()


def _emit(module: Module, name: str, kind: str, dtype: DType) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    buffers = [runtime.buffer(f, i) for i in range(3)]
    w = _Work(f, f["params"], kind, dtype, buffers)
    if kind == "forward":
        units, each = w.images * w.groups * w.parts, w.inputs * w.outputs * w.taps * w.rows * w.windows[1]
    else:
        most = f.index(plane_filter.MOST_PLANES)
        units = w.groups * w.inputs * f.op("sdiv", w.outputs + (most - 1), most)
        each = w.images * w.taps * w.result * f.minimum(most, w.outputs)
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), f.maximum(each, f.index(1))), f.index(1))
    with f.when(units > 0):
        runtime.parallel(f, f"{name}_units", units, grain, [f["params"], *buffers], partial(_units, kind, dtype))
    runtime.done(f)


def _units(kind: str, dtype: DType, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    w = _Work(f, captured[0], kind, dtype, captured[1:])

    def chosen(rest: Sequence[int]) -> list[Value]:
        if not rest:
            (_forward if kind == "forward" else _filter)(w, begin, end)
            return []

        def joined() -> list[Value]:
            _joined(w, kind, rest[0], begin, end)
            return []

        return f.choose(w.narrow() & w.square(rest[0]), joined, lambda: chosen(rest[1:]))

    chosen(plane_joined.KERNELS if plane_joined.possible(f.module.isa) else ())
