"""Convolutions and their gradients: windows of a padded tensor, multiplied as a matrix."""

from __future__ import annotations

from dataclasses import dataclass
from math import gcd, prod
from operator import index
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, row_major_strides
from mindspore.ir.operator import REQUIRED, NotDifferentiable
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Products, Strided, StridedProduct
from mindspore.primitives.declare import check_dtype, check_rank, check_same_dtype, operator, quiet, wide
from mindspore.primitives.samples import Case, Samples, Wrong

PAD_MODES = ("valid", "same", "pad")
Pairs = tuple[tuple[int, int], ...]


def each_dimension(op: str, attribute: str, given: Any, rank: int, least: int = 1) -> Shape:
    """One int per spatial dimension: from one int, one per dimension, or with 1 for batch and channels in front."""
    listed = tuple(given) if isinstance(given, tuple | list) else (given,) * rank
    if any(isinstance(n, bool) or not hasattr(n, "__index__") for n in listed):
        raise TypeError(f"{op}: attribute {attribute!r} must be an int or a tuple of ints, but got {given!r}.")
    if len(listed) == rank + 2:
        listed = listed[2:]
    if len(listed) != rank or any(index(n) < least for n in listed):
        raise ValueError(f"{op}: attribute {attribute!r} must hold {rank} numbers of at least {least}, but got {given!r}.")
    return tuple(index(n) for n in listed)


def window_pads(op: str, pad_mode: Any, pad: Any, sizes: Shape, reach: Shape, strides: Shape) -> Pairs:
    """What is added before and after each dimension; `reach` is the size of a window with its gaps."""
    mode = pad_mode.lower() if isinstance(pad_mode, str) else pad_mode
    if mode not in PAD_MODES:
        raise ValueError(f"{op}: attribute 'pad_mode' must be one of {', '.join(PAD_MODES)}, but got {pad_mode!r}.")
    given = tuple(pad) if isinstance(pad, tuple | list) else (pad,) * (2 * len(sizes))
    if len(given) != 2 * len(sizes) or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in given):
        raise ValueError(
            f"{op}: attribute 'pad' must be an int or {2 * len(sizes)} ints of at least 0, but got {pad!r}."
        )
    if mode == "pad":
        return tuple(zip(given[::2], given[1::2], strict=True))
    if any(given):
        raise ValueError(f"{op}: attribute 'pad' must be 0 unless 'pad_mode' is 'pad', but got {pad!r} and {pad_mode!r}.")
    if mode == "valid":
        return ((0, 0),) * len(sizes)
    totals = [max((-(-n // s) - 1) * s + r - n, 0) for n, s, r in zip(sizes, strides, reach, strict=True)]
    return tuple((total // 2, total - total // 2) for total in totals)


def window_counts(sizes: Shape, reach: Shape, strides: Shape, pads: Pairs) -> Shape:
    """How many windows fit along each dimension."""
    return tuple(
        (n + before + after - r) // s + 1 for n, r, s, (before, after) in zip(sizes, reach, strides, pads, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution with all its sizes.

    Attributes:
        batch, inputs, outputs: images and channels.
        sizes, windows, kernel: spatial sizes of the input, the output and the weights.
        strides, dilation, pads, group: as usual.
    """

    batch: int
    inputs: int
    outputs: int
    sizes: Shape
    windows: Shape
    kernel: Shape
    strides: Shape
    dilation: Shape
    pads: Pairs
    group: int

    @property
    def padded(self) -> Shape:
        return tuple(n + before + after for n, (before, after) in zip(self.sizes, self.pads, strict=True))

    @property
    def x(self) -> Shape:
        return (self.batch, self.inputs, *self.sizes)

    @property
    def out(self) -> Shape:
        return (self.batch, self.outputs, *self.windows)

    @property
    def weight(self) -> Shape:
        return (self.outputs, self.inputs // self.group, *self.kernel)


_ATTRS = {
    "out_channel": REQUIRED, "kernel_size": REQUIRED, "mode": 1, "pad_mode": "valid", "pad": 0, "stride": 1, "dilation": 1,
    "group": 1, "data_format": "NCHW",
}  # fmt: skip


def convolution(op: str, x: Shape, weight: Shape, attrs: dict[str, Any]) -> Convolution:
    """The sizes of a convolution; ValueError and TypeError for what does not fit together."""
    rank = len(x) - 2
    if attrs["data_format"] != "NCHW":
        raise ValueError(f"{op}: attribute 'data_format' must be NCHW, but got {attrs['data_format']!r}.")
    if attrs["mode"] != 1:
        raise ValueError(f"{op}: attribute 'mode' must be 1, but got {attrs['mode']!r}.")
    kernel = each_dimension(op, "kernel_size", attrs["kernel_size"], rank)
    strides = each_dimension(op, "stride", attrs["stride"], rank)
    dilation = each_dimension(op, "dilation", attrs["dilation"], rank)
    (group,), (outputs,) = (each_dimension(op, name, attrs[name], 1) for name in ("group", "out_channel"))
    wanted = (outputs, x[1] // group, *kernel)
    if x[1] % group or outputs % group:
        raise ValueError(
            f"{op}: attribute 'group' must divide the {x[1]} channels of the input and 'out_channel' {outputs}, but got {group}."
        )
    if tuple(weight) != wanted:
        raise ValueError(
            f"{op}: argument 'weight' must have the shape {list(wanted)} (out_channel, channels of the input / group, "
            f"kernel_size), but got {list(weight)} for an input of shape {list(x)}."
        )
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    pads = window_pads(op, attrs["pad_mode"], attrs["pad"], x[2:], reach, strides)
    windows = window_counts(x[2:], reach, strides, pads)
    if any(n < 1 for n in windows):
        raise ValueError(
            f"{op}: the input with its padding must not be smaller than the kernel, but got an input of shape {list(x)}, "
            f"padding {pads}, kernel_size {kernel} and dilation {dilation}."
        )
    return Convolution(x[0], x[1], outputs, tuple(x[2:]), windows, kernel, strides, dilation, pads, group)


def forward_product(c: Convolution) -> StridedProduct:
    """Rows are output channels, k the elements of a window, columns all windows of the padded input."""
    spatial, inside = row_major_strides(c.padded), c.inputs // c.group
    plane, result = prod(c.padded), prod(c.windows)
    return StridedProduct(
        c.group, c.outputs // c.group, (inside, *c.kernel), (c.batch, *c.windows),
        Strided(0, prod(c.weight) // c.group, prod(c.weight[1:]), row_major_strides(c.weight)[1:]),
        Strided(0, inside * plane, 0, (plane, *_times(spatial, c.dilation)), (c.inputs * plane, *_times(spatial, c.strides))),
        Strided(0, c.outputs // c.group * result, result, (), (c.outputs * result, *row_major_strides(c.windows))),
    )  # fmt: skip


def filter_product(c: Convolution) -> StridedProduct:
    """The same with the roles of k and columns exchanged: k runs over all windows, columns over the elements of a window."""
    f = forward_product(c)
    return StridedProduct(
        f.groups, f.rows, f.columns, f.depth,
        Strided(0, f.c.group, f.c.row, f.c.columns), Strided(0, f.b.group, 0, f.b.columns, f.b.depth),
        Strided(0, f.a.group, f.a.row, (), f.a.depth),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Phase:
    """Positions ``start + stride * i`` of one dimension of the input, for i below ``count``, and the ``taps`` weights that meet them.

    Weight ``first + step * t`` meets window ``window + i - back * t``.
    """

    start: int
    count: int
    taps: int
    first: int
    step: int
    window: int
    back: int

    @property
    def windows(self) -> tuple[int, int]:
        """The first and the last window that is read."""
        return self.window - self.back * max(self.taps - 1, 0), self.window + max(self.count - 1, 0)


def _phases(size: int, kernel: int, stride: int, dilation: int, before: int) -> list[_Phase]:
    """One dimension: a position meets a window where position + padding - weight * dilation is a multiple of the stride."""
    shared = gcd(stride, dilation)
    step, back = stride // shared, dilation // shared
    found = []
    for start in range(min(stride, size)):
        first = next((k for k in range(min(step, kernel)) if (start + before - k * dilation) % stride == 0), None)
        count = -(-(size - start) // stride)
        if first is None:
            found.append(_Phase(start, count, 0, 0, 0, 0, 0))
        else:
            window = (start + before - first * dilation) // stride
            found.append(_Phase(start, count, -(-(kernel - first) // step), first, step, window, back))
    return found


def _combined(lists: list[list[_Phase]]) -> list[tuple[_Phase, ...]]:
    result: list[tuple[_Phase, ...]] = [()]
    for each in lists:
        result = [(*head, phase) for head in result for phase in each]
    return result


def input_products(c: Convolution) -> tuple[Pairs, tuple[StridedProduct, ...]]:
    """How the gradient of the output must be padded, and one product for each phase of the strides."""
    lists = [
        _phases(n, k, s, d, before)
        for n, k, s, d, (before, _) in zip(c.sizes, c.kernel, c.strides, c.dilation, c.pads, strict=True)
    ]
    pads = []
    for phases, count in zip(lists, c.windows, strict=True):
        reads = [p.windows for p in phases if p.taps]
        first, last = min((r[0] for r in reads), default=0), max((r[1] for r in reads), default=0)
        pads.append((max(0, -first), max(0, last - count + 1)))
    return tuple(pads), tuple(_input_product(c, tuple(pads), phases) for phases in _combined(lists))


def _input_product(c: Convolution, pads: Pairs, phases: tuple[_Phase, ...]) -> StridedProduct:
    """Rows are input channels, k output channels and weights, columns the positions of the phase."""
    outputs, inside = c.outputs // c.group, c.inputs // c.group
    sizes = tuple(n + before + after for n, (before, after) in zip(c.windows, pads, strict=True))
    given, taken, weights = row_major_strides(sizes), row_major_strides(c.sizes), row_major_strides(c.weight)
    window = sum(s * (p.window + before) for s, p, (before, _) in zip(given, phases, pads, strict=True))
    taps = tuple(p.taps for p in phases)
    return StridedProduct(
        c.group, inside, (outputs, *taps), (c.batch, *(p.count for p in phases)),
        Strided(_dot(weights[2:], [p.first for p in phases]), outputs * weights[0], weights[1],
                (weights[0], *_times(weights[2:], [p.step for p in phases]))),
        Strided(window if prod(taps) else 0, outputs * prod(sizes), 0,
                (prod(sizes), *_times(given, [-p.back for p in phases])), (c.outputs * prod(sizes), *given)),
        Strided(_dot(taken, [p.start for p in phases]), inside * prod(c.sizes), prod(c.sizes), (),
                (c.inputs * prod(c.sizes), *_times(taken, c.strides))),
    )  # fmt: skip


def _times(a: Any, b: Any) -> Shape:
    return tuple(x * y for x, y in zip(a, b, strict=True))


def _dot(a: Any, b: Any) -> int:
    return sum(_times(a, b))


def padded(b: Any, x: Any, pads: Pairs) -> Any:
    """`x` with zeros around its spatial dimensions."""
    return b.pad(x, paddings=((0, 0), (0, 0), *pads)) if any(map(any, pads)) else x


def _wider(b: Any, values: Any, compute: Any) -> Any:
    """`compute` in Float32 where the values are of half precision."""
    dtype = b.dtype(values[0])
    if dtype.itemsize > 2:
        return compute(*values)
    return b.cast(compute(*[b.cast(v, dtype=dt.float32) for v in values]), dtype=dtype)


def _numpy_products(a: Any, b: Any, shape: Shape, products: tuple[StridedProduct, ...]) -> Any:
    result = np.zeros(prod(shape), a.dtype)
    flat = [np.ascontiguousarray(v).reshape(-1) for v in (a, b)]
    for p in products:
        left = _view(flat[0], p.a, (p.groups, p.rows, *p.depth), (p.a.group, p.a.row, *p.a.depth))
        right = _view(flat[1], p.b, (p.groups, *p.depth, *p.columns), (p.b.group, *p.b.depth, *p.b.columns))
        target = _view(result, p.c, (p.groups, p.rows, *p.columns), (p.c.group, p.c.row, *p.c.columns))
        if not target.size:
            continue
        k, n = prod(p.depth), prod(p.columns)
        target[...] = np.matmul(left.reshape(p.groups, p.rows, k), right.reshape(p.groups, k, n)).reshape(target.shape)
    return result.reshape(shape)


def _view(flat: Any, of: Strided, sizes: Shape, strides: Shape) -> Any:
    if not prod(sizes):
        return np.zeros(sizes, flat.dtype)
    steps = [s * flat.itemsize for s in strides]
    return np.lib.stride_tricks.as_strided(flat[of.offset :], sizes, steps)


def _infer_products(a: TensorType, b: TensorType, shape: Shape, products: Any) -> TensorType:
    check_dtype("StridedProducts", "a", a, (dt.float32, dt.float64))
    check_same_dtype("StridedProducts", ("a", "b"), (a, b))
    return TensorType(a.dtype, tuple(shape))


_TRIED = Convolution(1, 2, 2, (4,), (3,), (2,), (1,), (1,), ((0, 0),), 1)
operator(
    "StridedProducts", "a, b", attrs={"shape": REQUIRED, "products": REQUIRED}, infer=_infer_products, reference=_numpy_products,
    gradient=NotDifferentiable("stands for a convolution whose gradient is taken before it is expanded", error=True),
    compute=Products(), dtypes=(dt.float32, dt.float64),
    samples=Samples(
        (Case(((2, 2, 2), (1, 2, 4)), {"shape": _TRIED.out, "products": (forward_product(_TRIED),)}),),
        wrong=(Wrong(((2, 2, 2), (1, 2, 4)), TypeError, ("StridedProducts", "'a'", "Int32"), (dt.int32, dt.int32),
                     {"shape": (1, 2, 3), "products": ()}),),
    ),
    doc="Matrix products over strided views of two tensors.",
)  # fmt: skip


def _reference(pads: Any, products: Any, shape: Any) -> Any:
    """The meaning with numpy, in float32 for half precision."""

    def run(a: Any, b: Any) -> Any:
        return _numpy_products(a, np.pad(b, ((0, 0), (0, 0), *pads)), shape, products)

    return quiet(wide(run))


def _infer_conv(op: str) -> Any:
    def infer(x: TensorType, weight: TensorType, **attrs: Any) -> TensorType:
        _check(op, ("x", "weight"), (x, weight))
        return TensorType(x.dtype, convolution(op, x.shape, weight.shape, attrs).out)

    return infer


def _check(op: str, names: tuple[str, str], types: tuple[TensorType, TensorType]) -> None:
    check_dtype(op, names[0], types[0], dt.FLOATS)
    check_same_dtype(op, names, types)
    check_rank(op, names[0], types[0], 4, 4)
    check_rank(op, names[1], types[1], 4, 4)


def _expand_conv(b: Any, x: Any, weight: Any, **attrs: Any) -> Any:
    c = convolution("Conv2D", b.shape(x), b.shape(weight), attrs)

    def compute(x: Any, weight: Any) -> Any:
        return b.strided_products(weight, padded(b, x, c.pads), shape=c.out, products=(forward_product(c),))

    return _wider(b, (x, weight), compute)


def _conv(x: Any, weight: Any, **attrs: Any) -> Any:
    c = convolution("Conv2D", x.shape, weight.shape, attrs)
    return _reference(c.pads, (forward_product(c),), c.out)(weight, x)


def _conv_gradient(b: Any, x: Any, weight: Any, out: Any, d: Any, **attrs: Any) -> tuple[Any, Any]:
    to_x = b.conv2d_backprop_input(d, weight, input_size=b.shape(x), **attrs)
    return to_x, b.conv2d_backprop_filter(d, x, filter_size=b.shape(weight), **attrs)


def _trials(which: Any) -> tuple[Case, ...]:
    """Convolutions small enough for differences, then larger ones; `which` gives the shapes and further attributes of the operator."""
    listed: tuple[tuple[Shape, Shape, dict[str, Any]], ...] = (
        ((1, 2, 3, 4), (2, 2, 2, 3), {}),
        ((1, 2, 3, 3), (2, 2, 3, 2), {"pad_mode": "same"}),
        ((1, 1, 5, 4), (2, 1, 2, 2), {"pad_mode": "pad", "pad": (1, 0, 2, 1), "stride": (2, 3)}),
        ((1, 2, 4, 3), (2, 1, 2, 2), {"pad_mode": "same", "group": 2, "dilation": (2, 1), "stride": (2, 1)}),
        ((1, 1, 5, 5), (1, 1, 1, 1), {"stride": 2}),
        ((2, 3, 9, 21), (8, 3, 3, 3), {"pad_mode": "pad", "pad": 1}),
        ((3, 4, 12, 11), (6, 2, 3, 5), {"pad_mode": "same", "stride": (2, 2), "dilation": (1, 2), "group": 2}),
        ((2, 5, 7, 7), (20, 5, 1, 1), {}),
        ((0, 2, 3, 4), (2, 2, 2, 3), {}),
    )
    cases = []
    for x, weight, attrs in listed:
        full = {**_ATTRS, "out_channel": weight[0], "kernel_size": weight[2:], **attrs}
        shapes, more = which(convolution("Conv2D", x, weight, full))
        cases.append(Case(shapes, {"out_channel": weight[0], "kernel_size": weight[2:], **attrs, **more}))
    return tuple(cases)


def _wrong(op: str, first: str, size: dict[str, Any]) -> tuple[Wrong, ...]:
    attrs = {"out_channel": 2, "kernel_size": 2, **size}
    shapes = ((1, 2, 3, 4), (2, 2, 2, 2))
    return (
        Wrong(shapes, TypeError, (op, first, "Int32"), (dt.int32, dt.int32), attrs),
        Wrong(shapes, ValueError, (op, "'pad_mode'", "full"), (), {**attrs, "pad_mode": "full"}),
        Wrong(shapes, ValueError, (op, "'pad'", "3"), (), {**attrs, "pad": 3}),
        Wrong(shapes, ValueError, (op, "'stride'", "0"), (), {**attrs, "stride": 0}),
        Wrong(shapes, TypeError, (op, "'dilation'", "1.5"), (), {**attrs, "dilation": 1.5}),
        Wrong(shapes, ValueError, (op, "'group'", "3"), (), {**attrs, "group": 3}),
        Wrong(shapes, ValueError, (op, "'data_format'", "NHWC"), (), {**attrs, "data_format": "NHWC"}),
        Wrong(((2, 3), (2, 2, 2, 2)), ValueError, (op, first, "[2, 3]"), (), attrs),
    )


operator(
    "Conv2D", "x, weight", "conv2d", _ATTRS, infer=_infer_conv("Conv2D"), reference=_conv, gradient=_conv_gradient,
    expand=_expand_conv, dtypes=dt.FLOATS,
    samples=Samples(
        _trials(lambda c: ((c.x, c.weight), {})),
        wrong=(*_wrong("Conv2D", "'x'", {}),
               Wrong(((1, 2, 3, 4), (2, 3, 2, 2)), ValueError, ("Conv2D", "'weight'", "[2, 2, 2, 2]", "[2, 3, 2, 2]"), (),
                     {"out_channel": 2, "kernel_size": 2}),
               Wrong(((1, 2, 1, 4), (2, 2, 2, 2)), ValueError, ("Conv2D", "smaller than the kernel", "[1, 2, 1, 4]"), (),
                     {"out_channel": 2, "kernel_size": 2})),
    ),
    doc="Images x (N, C, H, W) with weights (out_channel, C / group, height, width).",
)  # fmt: skip


def _expect(op: str, d: TensorType, c: Convolution) -> None:
    if d.shape != c.out:
        raise ValueError(f"{op}: argument 'd' must have the shape of the convolution's result {list(c.out)}, but got {d}.")


def _infer_input(d: TensorType, weight: TensorType, input_size: Any, **attrs: Any) -> TensorType:
    op = "Conv2DBackpropInput"
    _check(op, ("d", "weight"), (d, weight))
    size = each_dimension(op, "input_size", input_size, 4, 0)
    _expect(op, d, convolution(op, size, weight.shape, attrs))
    return TensorType(d.dtype, size)


def _expand_input(b: Any, d: Any, weight: Any, input_size: Any, **attrs: Any) -> Any:
    c = convolution("Conv2DBackpropInput", tuple(input_size), b.shape(weight), attrs)
    pads, products = input_products(c)

    def compute(d: Any, weight: Any) -> Any:
        return b.strided_products(weight, padded(b, d, pads), shape=c.x, products=products)

    return _wider(b, (d, weight), compute)


def _backprop_input(d: Any, weight: Any, input_size: Any, **attrs: Any) -> Any:
    c = convolution("Conv2DBackpropInput", tuple(input_size), weight.shape, attrs)
    pads, products = input_products(c)
    return _reference(pads, products, c.x)(weight, d)


def _input_gradient(b: Any, d: Any, weight: Any, out: Any, dd: Any, input_size: Any, **attrs: Any) -> tuple[Any, Any]:
    return b.conv2d(dd, weight, **attrs), b.conv2d_backprop_filter(d, dd, filter_size=b.shape(weight), **attrs)


operator(
    "Conv2DBackpropInput", "d, weight", "conv2d_backprop_input", {**_ATTRS, "input_size": REQUIRED}, infer=_infer_input,
    reference=_backprop_input, gradient=_input_gradient, expand=_expand_input, dtypes=dt.FLOATS,
    samples=Samples(
        _trials(lambda c: ((c.out, c.weight), {"input_size": c.x})),
        wrong=(*_wrong("Conv2DBackpropInput", "'d'", {"input_size": (1, 2, 4, 5)}),
               Wrong(((1, 2, 3, 4), (2, 2, 2, 2)), ValueError, ("Conv2DBackpropInput", "'d'", "[1, 2, 8, 8]", "[1, 2, 3, 4]"), (),
                     {"out_channel": 2, "kernel_size": 2, "input_size": (1, 2, 9, 9)})),
    ),
    call=("d", "weight", "input_size"), doc="The gradient of Conv2D in its images, for the gradient d of its result.",
)  # fmt: skip


def _infer_filter(d: TensorType, x: TensorType, filter_size: Any, **attrs: Any) -> TensorType:
    op = "Conv2DBackpropFilter"
    _check(op, ("d", "x"), (d, x))
    size = each_dimension(op, "filter_size", filter_size, 4)
    _expect(op, d, convolution(op, x.shape, size, attrs))
    return TensorType(d.dtype, size)


def _expand_filter(b: Any, d: Any, x: Any, filter_size: Any, **attrs: Any) -> Any:
    c = convolution("Conv2DBackpropFilter", b.shape(x), tuple(filter_size), attrs)

    def compute(d: Any, x: Any) -> Any:
        return b.strided_products(d, padded(b, x, c.pads), shape=c.weight, products=(filter_product(c),))

    return _wider(b, (d, x), compute)


def _backprop_filter(d: Any, x: Any, filter_size: Any, **attrs: Any) -> Any:
    c = convolution("Conv2DBackpropFilter", x.shape, tuple(filter_size), attrs)
    return _reference(c.pads, (filter_product(c),), c.weight)(d, x)


def _filter_gradient(b: Any, d: Any, x: Any, out: Any, dd: Any, filter_size: Any, **attrs: Any) -> tuple[Any, Any]:
    return b.conv2d(x, dd, **attrs), b.conv2d_backprop_input(d, dd, input_size=b.shape(x), **attrs)


operator(
    "Conv2DBackpropFilter", "d, x", "conv2d_backprop_filter", {**_ATTRS, "filter_size": REQUIRED}, infer=_infer_filter,
    reference=_backprop_filter, gradient=_filter_gradient, expand=_expand_filter, dtypes=dt.FLOATS,
    samples=Samples(
        _trials(lambda c: ((c.out, c.x), {"filter_size": c.weight})),
        wrong=(Wrong(((1, 2, 3, 4), (1, 2, 4, 5)), TypeError, ("Conv2DBackpropFilter", "'d'", "Int32"), (dt.int32, dt.int32),
                     {"out_channel": 2, "kernel_size": 2, "filter_size": (2, 2, 2, 2)}),
               Wrong(((1, 2, 3, 4), (1, 2, 9, 9)), ValueError, ("Conv2DBackpropFilter", "'d'", "[1, 2, 8, 8]", "[1, 2, 3, 4]"), (),
                     {"out_channel": 2, "kernel_size": 2, "filter_size": (2, 2, 2, 2)})),
    ),
    call=("d", "x", "filter_size"), doc="The gradient of Conv2D in its weights, for the gradient d of its result.",
)  # fmt: skip
