"""Strided products: convolutions of every kind of edge at every level, in any order of chunks, against float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.kernels import gemm_strided
from mindspore.kernels.target import Isa
from mindspore.primitives.compute import Strided, StridedProduct
from mindspore.primitives.convolution_plan import (
    Convolution,
    convolution,
    filter_product,
    forward_product,
    input_products,
)
from tests.kernels.native import Library, Runtime, library, runnable

pytestmark = pytest.mark.compiler
Array = np.ndarray[Any, Any]
BASE = {"mode": 1, "pad_mode": "valid", "pad": 0, "stride": 1, "dilation": 1, "group": 1, "data_format": "NCHW"}


def sized(x: Shape, weight: Shape, **attrs: Any) -> Convolution:
    return convolution("Conv2D", x, weight, {**BASE, "out_channel": weight[0], "kernel_size": weight[2:], **attrs})


CONVOLUTIONS = [
    sized((1, 1, 1, 1), (1, 1, 1, 1)),
    sized((2, 3, 17, 19), (13, 3, 3, 3), pad_mode="same"),
    sized((3, 20, 7, 7), (30, 20, 1, 1)),
    sized((2, 40, 9, 40), (25, 40, 3, 3), pad_mode="same", stride=2),
    sized((1, 12, 14, 14), (12, 1, 3, 3), pad_mode="same", group=12),
    sized((1, 3, 23, 29), (8, 3, 7, 7), pad_mode="pad", pad=3, stride=2),
    sized((2, 6, 15, 16), (9, 2, 3, 2), group=3, dilation=(2, 3), stride=(3, 2)),
    sized((2, 3, 40, 9), (14, 3, 3, 3)),
]
NARROW = sized((8, 3, 44, 30), (5, 3, 5, 5))
"""Few rows and many columns; in the weights' gradient a long k."""
DEPTHWISE = sized((4, 24, 112, 112), (24, 1, 3, 3), pad_mode="same", group=24)
LARGE = sized((2, 64, 28, 28), (96, 64, 3, 3), pad_mode="same")
SPREAD = [
    sized((2, 80, 13, 31), (45, 80, 3, 3), pad_mode="pad", pad=(1, 2, 0, 1), dilation=(1, 2)),
    sized((2, 37, 41, 23), (130, 37, 3, 2), pad_mode="same", stride=(1, 2)),
    sized((1, 66, 70, 80), (128, 33, 2, 3), pad_mode="pad", pad=2, stride=(2, 3), group=2),
    sized((3, 70, 30, 30), (64, 70, 1, 1), stride=2),
]
"""Large enough for vectors of rows, on both sides: lines of odd lengths, columns of C at distances 1, 2 and 3."""
FEW = [
    sized((4, channels, 75, 110 + channels), (40, channels, 5, 4), pad_mode="same", stride=stride)
    for channels, stride in ((1, 1), (2, (1, 2)), (3, 2), (4, (2, 3)))
]
"""So many rows of the input's gradient."""


def products_of(c: Convolution) -> dict[str, tuple[Shape, Shape, Shape, tuple[StridedProduct, ...]]]:
    """Shapes of both operands and of the result, and the products."""
    pads, back = input_products(c)
    padded = (c.batch, c.outputs, *(n + a + b for n, (a, b) in zip(c.windows, pads, strict=True)))
    x = (c.batch, c.inputs, *c.padded)
    return {
        "forward": (c.weight, x, c.out, (forward_product(c),)),
        "filter": (c.out, x, c.weight, (filter_product(c),)),
        "input": (c.weight, padded, c.x, back),
    }


def view(flat: Array, of: Strided, sizes: Shape, strides: Shape) -> Array:
    return np.lib.stride_tricks.as_strided(flat[of.offset :], sizes, [s * flat.itemsize for s in strides])


def expected(a: Array, b: Array, shape: Shape, products: tuple[StridedProduct, ...]) -> Array:
    result = np.zeros(shape).reshape(-1)
    left, right = (v.astype(np.float64).reshape(-1) for v in (a, b))
    for p in products:
        k = view(left, p.a, (p.groups, p.rows, *p.depth), (p.a.group, p.a.row, *p.a.depth))
        n = view(right, p.b, (p.groups, *p.depth, *p.columns), (p.b.group, *p.b.depth, *p.b.columns))
        c = view(result, p.c, (p.groups, p.rows, *p.columns), (p.c.group, p.c.row, *p.c.columns))
        c[...] = np.einsum("gmxyz,gxyzabc->gmabc", k, n)
    return result.reshape(shape)


def run(
    made: Library, a: Array, b: Array, shape: Shape, products: tuple[StridedProduct, ...], runtime: Runtime
) -> Array:
    written = sum(p.groups * p.rows * math.prod(p.columns) for p in products)
    out = np.full(shape, 7 if written == math.prod(shape) else 0, a.dtype)
    for p in products:
        assert (
            made.run(gemm_strided.spec(dt.from_numpy(a.dtype)).name, [a, b, out], gemm_strided.params(p), runtime) == 0
        )
    assert runtime.leaked == 0
    return out


def operands(dtype: DType, left: Shape, right: Shape) -> tuple[Array, Array]:
    rng = np.random.default_rng(sum(left) + sum(right))
    return tuple(rng.standard_normal(s).astype(dt.to_numpy(dtype)) for s in (left, right))  # type: ignore[return-value]


@pytest.mark.parametrize("isa", [pytest.param(i, id=i.name) for i in runnable()])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_convolutions_and_their_gradients(isa: Isa, dtype: DType) -> None:
    made = library([gemm_strided.spec(dtype)], isa)
    slack = 2e-5 if dtype is dt.float32 else 1e-12
    for c in CONVOLUTIONS:
        for what, (left, right, shape, products) in products_of(c).items():
            a, b = operands(dtype, left, right)
            wanted = expected(a, b, shape, products)
            got = run(made, a, b, shape, products, Runtime())
            np.testing.assert_allclose(
                got, wanted, rtol=slack, atol=slack * np.abs(wanted).max(), err_msg=f"{what} of {c}"
            )


@pytest.mark.parametrize("isa", [pytest.param(i, id=i.name) for i in runnable()])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_windows_that_are_never_packed(isa: Isa, dtype: DType) -> None:
    made = library([gemm_strided.spec(dtype)], isa)
    slack = 2e-5 if dtype is dt.float32 else 1e-12
    for c in SPREAD + FEW:
        for what in ("forward", "input"):
            left, right, shape, products = products_of(c)[what]
            a, b = operands(dtype, left, right)
            wanted = expected(a, b, shape, products)
            got = run(made, a, b, shape, products, Runtime())
            np.testing.assert_allclose(
                got, wanted, rtol=slack, atol=slack * np.abs(wanted).max(), err_msg=f"{what} of {c}"
            )


@pytest.mark.parametrize("what", ["forward", "filter", "input"])
@pytest.mark.parametrize(
    "convolution", [LARGE, NARROW, DEPTHWISE, SPREAD[1], FEW[2]], ids=["large", "narrow", "depthwise", "strided", "few"]
)
def test_results_do_not_depend_on_threads(convolution: Convolution, what: str) -> None:
    made = library([gemm_strided.spec(dt.float32)], runnable()[-1])
    left, right, shape, products = products_of(convolution)[what]
    a, b = operands(dt.float32, left, right)
    alone = run(made, a, b, shape, products, Runtime())
    wanted = expected(a, b, shape, products)
    np.testing.assert_allclose(alone, wanted, rtol=2e-5, atol=2e-5 * np.abs(wanted).max())
    for threads, backwards in ((2, False), (3, True), (16, False)):
        runtime = Runtime(threads, backwards)
        np.testing.assert_array_equal(run(made, a, b, shape, products, runtime), alone)
        assert runtime.chunks > 1


def test_no_memory_is_survived() -> None:
    made = library([gemm_strided.spec(dt.float32)], runnable()[-1])
    left, right, shape, products = products_of(CONVOLUTIONS[1])["forward"]
    a, b = operands(dt.float32, left, right)
    runtime = Runtime()
    runtime.exhaust()
    out = np.zeros(shape, np.float32)
    made.run(gemm_strided.spec(dt.float32).name, [a, b, out], gemm_strided.params(products[0]), runtime)
    assert runtime.messages == [b"no memory"]
    assert not out.any()


def test_other_types_and_too_many_dimensions_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Int32.*Float32 or Float64"):
        gemm_strided.spec(dt.int32)
    p = StridedProduct(
        1, 1, (1,) * 5, (1,), Strided(depth=(1,) * 5), Strided(depth=(1,) * 5, columns=(1,)), Strided(columns=(1,))
    )
    with pytest.raises(ValueError, match="at most 4"):
        gemm_strided.params(p)
