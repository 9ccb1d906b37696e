"""Convolutions plane by plane at every level: vectors at the ends of lines and planes, any order of chunks, numbers that must not leak."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import plane_convolution
from mindspore.kernels.target import Isa
from mindspore.primitives.convolution import numpy_products
from mindspore.primitives.convolution_plan import Convolution, filter_product, forward_product
from mindspore.primitives.plane_convolution import padded, turned_weights
from tests.kernels.native import Library, Runtime, library, runnable

pytestmark = pytest.mark.compiler
Array = np.ndarray[Any, Any]
CONVOLUTIONS = [
    Convolution(1, 2, 2, (1, 1), (1, 1), (1, 1), (1, 1), (1, 1), ((0, 0), (0, 0)), 2),
    Convolution(2, 3, 6, (7, 19), (3, 8), (3, 4), (2, 2), (1, 2), ((1, 0), (1, 2)), 3),
    Convolution(2, 2, 2, (9, 40), (9, 14), (1, 2), (1, 3), (1, 1), ((0, 0), (1, 1)), 2),
    Convolution(1, 2, 2, (5, 9), (3, 2), (3, 3), (1, 6), (1, 1), ((0, 0), (0, 0)), 2),
    Convolution(3, 4, 4, (20, 35), (20, 35), (5, 5), (1, 1), (1, 1), ((2, 2), (2, 2)), 4),
    Convolution(1, 2, 2, (18, 33), (9, 17), (7, 7), (2, 2), (1, 1), ((3, 2), (3, 3)), 2),
    Convolution(2, 2, 2, (7, 7), (7, 7), (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), 2),
    Convolution(2, 2, 2, (8, 14), (8, 14), (7, 7), (1, 1), (1, 1), ((3, 3), (3, 3)), 2),
    Convolution(1, 2, 2, (4, 14), (1, 14), (5, 5), (1, 1), (1, 1), ((0, 1), (2, 2)), 2),
    Convolution(1, 2, 4, (31, 47), (15, 23), (5, 5), (2, 2), (1, 1), ((1, 1), (1, 1)), 2),
    Convolution(1, 2, 2, (14, 21), (13, 20), (3, 3), (1, 1), (1, 2), ((0, 1), (1, 2)), 2),
    Convolution(1, 2, 2, (120, 130), (120, 130), (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), 2),
    Convolution(9, 3, 3, (7, 7), (7, 7), (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), 3),
    Convolution(1, 2, 2, (21, 5), (23, 5), (3, 3), (1, 1), (1, 1), ((2, 2), (0, 2)), 2),
    Convolution(2, 2, 2, (6, 4), (5, 5), (5, 5), (1, 1), (1, 1), ((0, 3), (4, 1)), 2),
    Convolution(1, 3, 3, (9, 10), (7, 8), (3, 3), (1, 1), (1, 1), ((0, 0), (0, 0)), 3),
    Convolution(2, 6, 7, (14, 14), (10, 10), (5, 5), (1, 1), (1, 1), ((0, 0), (0, 0)), 1),
    Convolution(2, 4, 6, (9, 40), (5, 20), (3, 4), (2, 2), (1, 1), ((2, 1), (1, 2)), 2),
    Convolution(1, 3, 5, (70, 90), (24, 30), (2, 7), (3, 3), (2, 1), ((1, 2), (3, 2)), 1),
    Convolution(2, 4, 4, (7, 9), (14, 18), (3, 3), (1, 1), (1, 1), ((1, 2), (1, 2)), 4, (2, 2)),
    Convolution(1, 4, 6, (20, 33), (40, 65), (5, 5), (1, 1), (1, 1), ((2, 3), (2, 2)), 2, (2, 2)),
    Convolution(1, 2, 2, (60, 52), (119, 52), (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), 2, (2, 1)),
    Convolution(1, 2, 2, (5, 6), (5, 18), (3, 3), (1, 1), (1, 1), ((1, 1), (2, 2)), 2, (1, 3)),
    Convolution(1, 1, 2, (90, 80), (179, 159), (7, 7), (1, 1), (1, 1), ((3, 3), (3, 3)), 1, (2, 2)),
    Convolution(2, 1, 3, (6, 17), (6, 17), (1, 9), (1, 1), (1, 2), ((0, 0), (8, 8)), 1),
]
LARGE = Convolution(2, 96, 96, (56, 56), (56, 56), (3, 3), (1, 1), (1, 1), ((1, 1), (1, 1)), 96)


def run(
    made: Library, kind: str, c: Convolution, operands: tuple[Array, Array], turned: bool, runtime: Runtime
) -> Array:
    out = np.full(c.out if kind == "forward" else c.weight, 7, operands[0].dtype)
    name = plane_convolution.spec(kind, dt.from_numpy(out.dtype)).name
    assert made.run(name, [*operands, out], plane_convolution.params(c, turned), runtime) == 0
    return out


def expected(kind: str, c: Convolution, operands: tuple[Array, Array], turned: bool) -> Array:
    given, x = (v.astype(np.float64) for v in operands)
    if kind == "filter":
        found: Array = numpy_products(given, padded(x, c), c.weight, (filter_product(c),))
    else:
        weights = turned_weights(given, c) if turned else given
        found = numpy_products(weights, padded(x, c), c.out, (forward_product(c),))
    return found


def drawn(kind: str, c: Convolution, dtype: DType) -> tuple[Array, Array]:
    rng = np.random.default_rng(3)
    shapes = (c.weight if kind == "forward" else c.out, c.x)
    first, second = (rng.standard_normal(s).astype(dt.to_numpy(dtype)) for s in shapes)
    return first, second


@pytest.mark.parametrize("isa", [pytest.param(i, id=i.name) for i in runnable()])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_every_end_of_lines(isa: Isa, dtype: DType) -> None:
    made = library([plane_convolution.spec(kind, dtype) for kind in plane_convolution.KINDS], isa)
    slack = 3e-6 if dtype is dt.float32 else 1e-13
    for c in CONVOLUTIONS:
        for kind, turned in (("forward", False), ("forward", True), ("filter", False)):
            operands = drawn(kind, c, dtype)
            wanted = expected(kind, c, operands, turned)
            got = run(made, kind, c, operands, turned, Runtime(2))
            np.testing.assert_allclose(got, wanted, rtol=0, atol=slack * np.abs(wanted).max(), err_msg=f"{kind} of {c}")


@pytest.mark.parametrize("kind", plane_convolution.KINDS)
def test_results_do_not_depend_on_threads(kind: str) -> None:
    made = library([plane_convolution.spec(kind, dt.float32)], runnable()[-1])
    operands = drawn(kind, LARGE, dt.float32)
    alone = run(made, kind, LARGE, operands, False, Runtime())
    for threads, backwards in ((2, False), (3, True)):
        runtime = Runtime(threads, backwards)
        np.testing.assert_array_equal(run(made, kind, LARGE, operands, False, runtime), alone)
        assert runtime.chunks > 1


@pytest.mark.parametrize("isa", [pytest.param(i, id=i.name) for i in runnable()])
@pytest.mark.parametrize("kind", plane_convolution.KINDS)
def test_what_is_no_number_stays_in_its_windows(isa: Isa, kind: str) -> None:
    made = library([plane_convolution.spec(kind, dt.float32)], isa)
    for c in CONVOLUTIONS:
        given, x = drawn(kind, c, dt.float32)
        x[:, 0, -1, 0] = np.nan
        got = run(made, kind, c, (given, x), False, Runtime())
        np.testing.assert_array_equal(np.isnan(got), np.isnan(expected(kind, c, (given, x), False)), err_msg=f"{c}")


def test_no_memory_is_survived() -> None:
    made = library([plane_convolution.spec("forward", dt.float32)], runnable()[-1])
    runtime = Runtime()
    runtime.exhaust()
    out = run(made, "forward", LARGE, drawn("forward", LARGE, dt.float32), False, runtime)
    assert set(runtime.messages) == {b"no memory"}
    assert (out == 7).all()


def test_others_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'forward' of Int32.*Float32 or Float64"):
        plane_convolution.spec("forward", dt.int32)
    with pytest.raises(ValueError, match=r"'input'.*forward, filter"):
        plane_convolution.spec("input", dt.float32)
