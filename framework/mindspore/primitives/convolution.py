"""Convolutions and their gradients: windows of a padded tensor, multiplied as a matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape
from mindspore.ir.operator import REQUIRED, NotDifferentiable
from mindspore.ir.types import TensorType
from mindspore.primitives import convolution_rows
from mindspore.primitives.compute import Products, Strided, StridedProduct
from mindspore.primitives.convolution_plan import (
    FORMATS,
    Convolution,
    convolution,
    filter_product,
    forward_product,
    input_products,
)
from mindspore.primitives.declare import check_dtype, check_rank, check_same_dtype, operator, quiet, wide
from mindspore.primitives.samples import Case, Samples, Wrong
from mindspore.primitives.window_sizes import Pairs, each_dimension


def padded(b: Any, x: Any, pads: Pairs) -> Any:
    """`x` with zeros around its spatial dimensions."""
    return b.pad(x, paddings=((0, 0), (0, 0), *pads)) if any(map(any, pads)) else x


def _wider(b: Any, values: Any, compute: Any) -> Any:
    """`compute` in Float32 where the values are of half precision."""
    dtype = b.dtype(values[0])
    if dtype.itemsize > 2:
        return compute(*values)
    return b.cast(compute(*[b.cast(v, dtype=dt.float32) for v in values]), dtype=dtype)


def numpy_products(a: Any, b: Any, shape: Shape, products: tuple[StridedProduct, ...]) -> Any:
    """The products of two arrays, as an array of `shape`."""
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
    "StridedProducts", "a, b", attrs={"shape": REQUIRED, "products": REQUIRED}, infer=_infer_products, reference=numpy_products,
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
        return numpy_products(a, np.pad(b, ((0, 0), (0, 0), *pads)), shape, products)

    return quiet(wide(run))


@dataclass(frozen=True, slots=True)
class _Family:
    """The operators over images of `rank` spatial dimensions."""

    rank: int

    @property
    def name(self) -> str:
        return f"Conv{self.rank}D"

    def call(self, b: Any, which: str = "") -> Callable[..., Any]:
        """The convolution, or its gradient in its "input" or "filter", of a builder."""
        found: Callable[..., Any] = getattr(b, f"conv{self.rank}d" + (which and f"_backprop_{which}"))
        return found

    @property
    def attrs(self) -> dict[str, Any]:
        return {
            "out_channel": REQUIRED, "kernel_size": REQUIRED, "mode": 1, "pad_mode": "valid", "pad": 0, "stride": 1, "dilation": 1,
            "group": 1, "data_format": FORMATS[self.rank],
        }  # fmt: skip

    def check(self, op: str, names: tuple[str, str], types: tuple[TensorType, TensorType]) -> None:
        check_dtype(op, names[0], types[0], dt.FLOATS)
        check_same_dtype(op, names, types)
        for name, each in zip(names, types, strict=True):
            check_rank(op, name, each, self.rank + 2, self.rank + 2)

    def expect(self, op: str, d: TensorType, c: Convolution) -> None:
        if d.shape != c.out:
            raise ValueError(
                f"{op}: argument 'd' must have the shape of the convolution's result {list(c.out)}, but got {d}."
            )


def _trials(family: _Family, which: Any) -> tuple[Case, ...]:
    """Convolutions small enough for differences, then larger ones; `which` gives the shapes and further attributes of the operator."""
    cases = []
    for x, weight, attrs in _TRIALS[family.rank]:
        full = {**family.attrs, "out_channel": weight[0], "kernel_size": weight[2:], **attrs}
        shapes, more = which(convolution(family.name, x, weight, full))
        cases.append(Case(shapes, {"out_channel": weight[0], "kernel_size": weight[2:], **attrs, **more}))
    return tuple(cases)


_TRIALS: dict[int, tuple[tuple[Shape, Shape, dict[str, Any]], ...]] = {
    2: (
        ((1, 2, 3, 4), (2, 2, 2, 3), {}),
        ((1, 2, 3, 3), (2, 2, 3, 2), {"pad_mode": "same"}),
        ((1, 1, 5, 4), (2, 1, 2, 2), {"pad_mode": "pad", "pad": (1, 0, 2, 1), "stride": (2, 3)}),
        ((1, 2, 4, 3), (2, 1, 2, 2), {"pad_mode": "same", "group": 2, "dilation": (2, 1), "stride": (2, 1)}),
        ((1, 1, 5, 5), (1, 1, 1, 1), {"stride": 2}),
        ((2, 3, 9, 21), (8, 3, 3, 3), {"pad_mode": "pad", "pad": 1}),
        ((3, 4, 12, 11), (6, 2, 3, 5), {"pad_mode": "same", "stride": (2, 2), "dilation": (1, 2), "group": 2}),
        ((2, 5, 7, 7), (20, 5, 1, 1), {}),
        ((0, 2, 3, 4), (2, 2, 2, 3), {}),
    ),
    3: (
        ((1, 1, 2, 3, 2), (1, 1, 2, 2, 1), {}),
        ((1, 2, 2, 2, 3), (2, 1, 2, 1, 2), {"pad_mode": "same", "group": 2, "stride": (1, 2, 2)}),
        ((2, 2, 5, 6, 7), (4, 2, 3, 2, 3), {"pad_mode": "pad", "pad": (1, 0, 2, 1, 0, 1), "stride": (2, 1, 3), "dilation": (1, 2, 1)}),
        ((0, 1, 2, 3, 4), (2, 1, 1, 1, 1), {}),
    ),
}  # fmt: skip


def _wrong(family: _Family, op: str, first: str, size: dict[str, Any]) -> tuple[Wrong, ...]:
    attrs = {"out_channel": 2, "kernel_size": 2, **size}
    shapes = ((1, 2, *(3, 4, 4)[: family.rank]), (2, 2, *(2,) * family.rank))
    return (
        Wrong(shapes, TypeError, (op, first, "Int32"), (dt.int32, dt.int32), attrs),
        Wrong(shapes, ValueError, (op, "'pad_mode'", "full"), (), {**attrs, "pad_mode": "full"}),
        Wrong(shapes, ValueError, (op, "'pad'", "3"), (), {**attrs, "pad": 3}),
        Wrong(shapes, ValueError, (op, "'stride'", "0"), (), {**attrs, "stride": 0}),
        Wrong(shapes, TypeError, (op, "'dilation'", "1.5"), (), {**attrs, "dilation": 1.5}),
        Wrong(shapes, ValueError, (op, "'group'", "3"), (), {**attrs, "group": 3}),
        Wrong(shapes, ValueError, (op, "'data_format'", "NHWC"), (), {**attrs, "data_format": "NHWC"}),
        Wrong(((2, 3), shapes[1]), ValueError, (op, first, "[2, 3]"), (), attrs),
    )


def _declare_convolution(family: _Family) -> None:
    op, kernel = family.name, (2,) * family.rank
    given, rest = (1, 2, *(3, 4, 4)[: family.rank]), (4,) * (family.rank - 1)

    def infer(x: TensorType, weight: TensorType, **attrs: Any) -> TensorType:
        family.check(op, ("x", "weight"), (x, weight))
        return TensorType(x.dtype, convolution(op, x.shape, weight.shape, attrs).out)

    def expand(b: Any, x: Any, weight: Any, **attrs: Any) -> Any:
        c = convolution(op, b.shape(x), b.shape(weight), attrs)

        def compute(x: Any, weight: Any) -> Any:
            if c.planar:
                return b.plane_convolution(weight, x, convolution=c)
            return b.strided_products(weight, padded(b, x, c.pads), shape=c.out, products=(forward_product(c),))

        return _wider(b, (x, weight), compute)

    def reference(x: Any, weight: Any, **attrs: Any) -> Any:
        c = convolution(op, x.shape, weight.shape, attrs)
        return _reference(c.pads, (forward_product(c),), c.out)(weight, x)

    def gradient(b: Any, x: Any, weight: Any, out: Any, d: Any, **attrs: Any) -> tuple[Any, Any]:
        to_x = family.call(b, "input")(d, weight, input_size=b.shape(x), **attrs)
        return to_x, family.call(b, "filter")(d, x, filter_size=b.shape(weight), **attrs)

    attrs = {"out_channel": 2, "kernel_size": 2}
    operator(
        op, "x, weight", f"conv{family.rank}d", family.attrs, infer=infer, reference=reference, gradient=gradient,
        expand=expand, dtypes=dt.FLOATS, vmap=convolution_rows.convolution(family.call),
        samples=Samples(
            _trials(family, lambda c: ((c.x, c.weight), {})),
            wrong=(*_wrong(family, op, "'x'", {}),
                   Wrong((given, (2, 3, *kernel)), ValueError, (op, "'weight'", str([2, 2, *kernel]), str([2, 3, *kernel])), (), attrs),
                   Wrong(((1, 2, 1, *rest), (2, 2, *kernel)), ValueError, (op, "smaller than the kernel", str([1, 2, 1, *rest])), (),
                         attrs)),
        ),
        doc=f"Images x ({', '.join(FORMATS[family.rank])}) with weights (out_channel, C / group, *kernel_size).",
    )  # fmt: skip


def _declare_backprop_input(family: _Family) -> None:
    op = f"{family.name}BackpropInput"

    def infer(d: TensorType, weight: TensorType, input_size: Any, **attrs: Any) -> TensorType:
        family.check(op, ("d", "weight"), (d, weight))
        size = each_dimension(op, "input_size", input_size, family.rank + 2, 0)
        family.expect(op, d, convolution(op, size, weight.shape, attrs))
        return TensorType(d.dtype, size)

    def expand(b: Any, d: Any, weight: Any, input_size: Any, **attrs: Any) -> Any:
        c = convolution(op, tuple(input_size), b.shape(weight), attrs)
        pads, products = input_products(c)
        back = c.backwards()

        def compute(d: Any, weight: Any) -> Any:
            if back is not None:
                return b.plane_convolution(weight, d, convolution=back, turned=True)
            return b.strided_products(weight, padded(b, d, pads), shape=c.x, products=products)

        return _wider(b, (d, weight), compute)

    def reference(d: Any, weight: Any, input_size: Any, **attrs: Any) -> Any:
        c = convolution(op, tuple(input_size), weight.shape, attrs)
        pads, products = input_products(c)
        return _reference(pads, products, c.x)(weight, d)

    def gradient(b: Any, d: Any, weight: Any, out: Any, dd: Any, input_size: Any, **attrs: Any) -> tuple[Any, Any]:
        return family.call(b)(dd, weight, **attrs), family.call(b, "filter")(
            d, dd, filter_size=b.shape(weight), **attrs
        )

    nine, given = (9,) * family.rank, (1, 2, *(3, 4, 4)[: family.rank])
    operator(
        op, "d, weight", f"conv{family.rank}d_backprop_input", {**family.attrs, "input_size": REQUIRED}, infer=infer,
        reference=reference, gradient=gradient, expand=expand, dtypes=dt.FLOATS, vmap=convolution_rows.backprop_input(family.call),
        samples=Samples(
            _trials(family, lambda c: ((c.out, c.weight), {"input_size": c.x})),
            wrong=(*_wrong(family, op, "'d'", {"input_size": (1, 2, *(4, 5, 5)[: family.rank])}),
                   Wrong((given, (2, 2, *(2,) * family.rank)), ValueError, (op, "'d'", str([1, 2, *(8,) * family.rank]), str(list(given))),
                         (), {"out_channel": 2, "kernel_size": 2, "input_size": (1, 2, *nine)})),
        ),
        call=("d", "weight", "input_size"), doc=f"The gradient of {family.name} in its images, for the gradient d of its result.",
    )  # fmt: skip


def _declare_backprop_filter(family: _Family) -> None:
    op = f"{family.name}BackpropFilter"

    def infer(d: TensorType, x: TensorType, filter_size: Any, **attrs: Any) -> TensorType:
        family.check(op, ("d", "x"), (d, x))
        size = each_dimension(op, "filter_size", filter_size, family.rank + 2)
        family.expect(op, d, convolution(op, x.shape, size, attrs))
        return TensorType(d.dtype, size)

    def expand(b: Any, d: Any, x: Any, filter_size: Any, **attrs: Any) -> Any:
        c = convolution(op, b.shape(x), tuple(filter_size), attrs)

        def compute(d: Any, x: Any) -> Any:
            if c.planar_filter:
                return b.plane_filter(d, x, convolution=c)
            return b.strided_products(d, padded(b, x, c.pads), shape=c.weight, products=(filter_product(c),))

        return _wider(b, (d, x), compute)

    def reference(d: Any, x: Any, filter_size: Any, **attrs: Any) -> Any:
        c = convolution(op, x.shape, tuple(filter_size), attrs)
        return _reference(c.pads, (filter_product(c),), c.weight)(d, x)

    def gradient(b: Any, d: Any, x: Any, out: Any, dd: Any, filter_size: Any, **attrs: Any) -> tuple[Any, Any]:
        return family.call(b)(x, dd, **attrs), family.call(b, "input")(d, dd, input_size=b.shape(x), **attrs)

    given, nine = (1, 2, *(3, 4, 4)[: family.rank]), (1, 2, *(9,) * family.rank)
    attrs = {"out_channel": 2, "kernel_size": 2, "filter_size": (2, 2, *(2,) * family.rank)}
    operator(
        op, "d, x", f"conv{family.rank}d_backprop_filter", {**family.attrs, "filter_size": REQUIRED}, infer=infer,
        reference=reference, gradient=gradient, expand=expand, dtypes=dt.FLOATS, vmap=convolution_rows.backprop_filter(family.call),
        samples=Samples(
            _trials(family, lambda c: ((c.out, c.x), {"filter_size": c.weight})),
            wrong=(Wrong((given, nine), TypeError, (op, "'d'", "Int32"), (dt.int32, dt.int32), attrs),
                   Wrong((given, nine), ValueError, (op, "'d'", str([1, 2, *(8,) * family.rank]), str(list(given))), (), attrs)),
        ),
        call=("d", "x", "filter_size"), doc=f"The gradient of {family.name} in its weights, for the gradient d of its result.",
    )  # fmt: skip


for _rank in FORMATS:
    _declare_convolution(_Family(_rank))
    _declare_backprop_input(_Family(_rank))
    _declare_backprop_filter(_Family(_rank))
