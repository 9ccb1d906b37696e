"""Windows of planes: pooling and its gradients (`primitives.compute.Windows`).

Buffers: the operands, the output. Parameters, each of three dimensions:

    [0] planes, [1] sizes of a plane, [4] numbers of windows, [7] window, [10] strides, [13] padding before, [16] dilation

Every plane is worked on by one thread in the order of its windows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from types import MappingProxyType

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.kernels import cost, lanes, runtime, window_vectors
from mindspore.kernels.argreduce import Arg
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value

FAMILY = "window"
DIMS = 3
_HINTS = [NO_UNROLL, NO_VECTOR]


def spec(kind: str, dtype: DType) -> KernelSpec:
    """The kernel of one kind of `Windows`; ValueError for an unknown kind and for what is not floating."""
    if kind not in _ROWS or not dtype.is_floating:
        raise ValueError(f"no windows {kind!r} of {dtype}: expected {', '.join(_ROWS)} of a floating type")
    name = f"msk_{FAMILY}_{kind}_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, kind=kind, dtype=dtype))


def params(
    sizes: Shape, windows: Shape, kernel: Shape, strides: Shape, before: Shape, dilation: Shape
) -> tuple[int, ...]:
    """Parameters for planes of the last ``len(kernel)`` dimensions of `sizes`, with that many `windows`."""
    rank = len(kernel)
    planes = prod(sizes[:-rank])
    filled = [(sizes[-rank:], 1), (windows[-rank:], 1), (kernel, 1), (strides, 1), (before, 0), (dilation, 1)]
    return (planes, *(n for values, missing in filled for n in (*(missing,) * (DIMS - rank), *values)))


class _Work:
    """The parameters inside a worker."""

    def __init__(self, f: Function, numbers: Value, kind: str, dtype: DType, buffers: list[Value]) -> None:
        self.f, self.kind, self.dtype, self.buffers = f, kind, dtype, buffers
        self.planes, *listed = (f.load("i64", numbers.at("i64", i)) for i in range(19))
        self.sizes, self.windows, self.kernel, self.strides, self.before, self.dilation = (
            listed[i : i + DIMS] for i in range(0, 18, DIMS)
        )
        self.plane = self.sizes[0] * self.sizes[1] * self.sizes[2]
        self.count = self.windows[0] * self.windows[1] * self.windows[2]

    def load(self, buffer: int, index: Value) -> Value:
        value = lanes.load(self.f, lanes.address(self.f, self.buffers[buffer], index, self.dtype), self.dtype)
        assert isinstance(value, Value)
        return value

    def store(self, value: Value, buffer: int, index: Value) -> None:
        lanes.store(self.f, value, lanes.address(self.f, self.buffers[buffer], index, self.dtype), self.dtype)

    def number(self, value: float) -> Value:
        return self.f.value(value, lanes.register_type(self.dtype))

    def taps(self, d: int, window: Value) -> tuple[Value, Value, Value]:
        """(position of tap 0, first tap, end of taps) of the taps of window `window` that lie inside dimension d."""
        f, step = self.f, self.dilation[d]
        first = window * self.strides[d] - self.before[d]

        def side_by_side() -> list[Value]:
            return [f.maximum(f.index(0) - first, 0), f.minimum(self.kernel[d], self.sizes[d] - first)]

        def apart() -> list[Value]:
            begin = f.select(first < 0, f.op("sdiv", step - 1 - first, step), f.index(0))
            return [begin, f.minimum(self.kernel[d], f.op("sdiv", self.sizes[d] - first + (step - 1), step))]

        begin, end = f.choose(step.eq(1), side_by_side, apart)
        return first, begin, end

    def reached(self, tap: Value) -> tuple[Value, Value, Value]:
        """(position for window 0, first window, end) of the windows of the last dimension whose `tap` lies inside."""
        f, stride = self.f, self.strides[2]
        first = tap * self.dilation[2] - self.before[2]
        begin = f.select(first < 0, f.op("sdiv", stride - 1 - first, stride), f.index(0))
        return first, begin, f.minimum(self.windows[2], f.op("sdiv", self.sizes[2] - first + (stride - 1), stride))

    def over_rows(self, plane: Value, d: Value, h: Value, body: Callable[[Value, Value, Value, Value], None]) -> None:
        """``body(x row, tap of width, first window, end)`` for each row of taps that the windows (d, h) reach."""
        f = self.f
        (first_d, begin_d, end_d), (first_h, begin_h, end_h) = self.taps(0, d), self.taps(1, h)
        with f.loop(begin_d, end_d, hints=_HINTS) as kd, f.loop(begin_h, end_h, hints=_HINTS) as kh:
            at = (first_d + kd.index * self.dilation[0]) * self.sizes[1] + first_h + kh.index * self.dilation[1]
            with f.loop(0, self.kernel[2], hints=_HINTS) as kw:
                first, begin, end = self.reached(kw.index)
                body(plane * self.plane + at * self.sizes[2] + first, kw.index, begin, end)


def _folded(w: _Work, plane: Value, d: Value, h: Value, row: Value) -> None:
    """Maximum or sum: a row of windows is folded tap by tap, so that neighbours are worked on together."""
    f, start = w.f, w.number(float("-inf") if w.kind == "max" else 0.0)
    with f.loop(0, w.windows[2]) as i:
        w.store(start, 1, row + i.index)

    def body(x: Value, tap: Value, begin: Value, end: Value) -> None:
        def each(stride: Value) -> list[Value]:
            with f.loop(begin, end) as i:
                new, old = w.load(0, x + i.index * stride), w.load(1, row + i.index)
                total = f.intrinsic("maximum", old.type, old, new) if w.kind == "max" else old + new
                w.store(total, 1, row + i.index)
            return []

        f.choose(w.strides[2].eq(1), lambda: each(f.index(1)), lambda: each(w.strides[2]))

    w.over_rows(plane, d, h, body)


def _indexed(w: _Work, plane: Value, d: Value, h: Value, row: Value) -> None:
    """Where the first largest element of each window lies in its plane."""
    f, arg = w.f, Arg("max", w.dtype)
    with f.loop(0, w.windows[2], hints=_HINTS) as i:
        ranges = [w.taps(n, window) for n, window in enumerate((d, h, i.index))]
        first = f.index(0)
        for n, (start, begin, _) in enumerate(ranges):
            first = first * w.sizes[n] + start + begin * w.dilation[n]
        state = [w.load(0, plane * w.plane + first), first]
        with f.loop(*ranges[0][1:], carried=state, hints=_HINTS) as a:
            with f.loop(*ranges[1][1:], carried=a.carried, hints=_HINTS) as b:
                with f.loop(*ranges[2][1:], carried=b.carried, hints=_HINTS) as c:
                    at = f.index(0)
                    for n, loop in enumerate((a, b, c)):
                        at = at * w.sizes[n] + ranges[n][0] + loop.index * w.dilation[n]
                    best, place = c.carried
                    new = w.load(0, plane * w.plane + at)
                    better = arg.better(f, new, best)
                    c.next(f.select(better, new, best), f.select(better, at, place))
                b.next(*c.results)
            a.next(*b.results)
        f.store(a.results[1].to("trunc", "i32"), w.buffers[1].at("i32", row + i.index))


def _spread(w: _Work, plane: Value, d: Value, h: Value, row: Value) -> None:
    """Every window's number is added to all elements that it holds."""
    f = w.f

    def body(x: Value, tap: Value, begin: Value, end: Value) -> None:
        with f.loop(begin, end) as i:
            at = x + i.index * w.strides[2]
            w.store(w.load(1, at) + w.load(0, row + i.index), 1, at)

    w.over_rows(plane, d, h, body)


def _taken(w: _Work, plane: Value, d: Value, h: Value, row: Value) -> None:
    with w.f.loop(0, w.windows[2]) as i:
        w.store(w.load(0, plane * w.plane + _index(w, row + i.index)), 2, row + i.index)


def _placed(w: _Work, plane: Value, d: Value, h: Value, row: Value) -> None:
    with w.f.loop(0, w.windows[2], hints=_HINTS) as i:
        at = plane * w.plane + _index(w, row + i.index)
        w.store(w.load(2, at) + w.load(0, row + i.index), 2, at)


def _index(w: _Work, position: Value) -> Value:
    return w.f.load("i32", w.buffers[1].at("i32", position)).to("sext", "i64")


_Row = Callable[[_Work, Value, Value, Value, Value], None]
_ROWS: Mapping[str, _Row] = MappingProxyType(
    {"max": _folded, "sum": _folded, "index": _indexed, "spread": _spread, "take": _taken, "place": _placed}
)
"""Kind -> what it does with one row of windows: plane, two positions, number of the first window."""
_ADDING = {"spread": 1, "place": 2}
"""Kinds that start from zeros, and the buffer that they add to."""


def _emit(module: Module, name: str, kind: str, dtype: DType) -> None:
    f = runtime.kernel(module, symbol(name, module.isa))
    buffers = [runtime.buffer(f, i) for i in range(3 if kind in ("take", "place") else 2)]
    planes = runtime.param(f, 0)
    work = f.index(1)
    for i in range(4, 4 + 2 * DIMS):
        work = work * runtime.param(f, i)
    grain = f.maximum(f.op("sdiv", f.index(cost.CHUNK_COST), f.maximum(work, f.index(1))), f.index(1))
    with f.when(planes > 0):
        runtime.parallel(f, f"{name}_planes", planes, grain, [f["params"], *buffers], partial(_planes, kind, dtype))
    runtime.done(f)


def _planes(kind: str, dtype: DType, f: Function, begin: Value, end: Value, captured: list[Value]) -> None:
    w = _Work(f, captured[0], kind, dtype, captured[1:])
    if window_vectors.suits(kind, dtype):
        window_vectors.planes(w, begin, end)
    elif kind == "spread":

        def doubled() -> list[Value]:
            window_vectors.spread(w, begin, end)
            return []

        def general() -> list[Value]:
            _each_row(w, begin, end)
            return []

        f.choose(window_vectors.spreads(w), doubled, general)
    else:
        _each_row(w, begin, end)


def _each_row(w: _Work, begin: Value, end: Value) -> None:
    f, kind = w.f, w.kind
    with f.loop(begin, end, hints=_HINTS) as plane:
        if kind in _ADDING:
            with f.loop(0, w.plane) as i:
                w.store(w.number(0.0), _ADDING[kind], plane.index * w.plane + i.index)
        with f.loop(0, w.windows[0], hints=_HINTS) as d, f.loop(0, w.windows[1], hints=_HINTS) as h:
            row = plane.index * w.count + (d.index * w.windows[1] + h.index) * w.windows[2]
            _ROWS[kind](w, plane.index, d.index, h.index, row)
