"""Every element type, empty and 0-d tensors, broadcasting: loads, stores, folds, moves and products of all of them."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from tests.lowering.programs import b, check, graph, lowered, normal, parameter, run

BY_SHORT = {t.short: t for t in dt.ALL}
REAL = [t.short for t in dt.REAL]


def data(dtype: DType, *shape: int, seed: int = 0) -> np.ndarray:
    values = normal(*shape, seed=seed)
    if dtype is dt.bool_:
        return values > 0
    if dtype.is_complex:
        return (values + 1j * normal(*shape, seed=seed + 1)).astype(dt.to_numpy(dtype))
    return (np.abs(values) * 5 if dtype.kind == "u" else values * 5).astype(dt.to_numpy(dtype))


def tolerance(dtype: DType) -> dict[str, float]:
    return {"rtol": 2e-2, "atol": 2e-2} if dtype.itemsize == 2 and dtype.is_floating else {"rtol": 1e-5, "atol": 1e-5}


@pytest.mark.parametrize("short", REAL)
def test_arithmetic_broadcast_and_folds(short: str) -> None:
    dtype = BY_SHORT[short]
    x, y = parameter((5, 33), dtype), parameter((33,), dtype)
    total = b.add(b.mul(x, y), x)
    outputs = [total, b.reduce_max(total, axis=1), b.reduce_min(x, axis=0), b.reduce_sum(x, axis=1), b.reduce_sum(x)]
    made = graph([x, y], *outputs, b.greater(x, y))
    check(made, data(dtype, 5, 33), data(dtype, 33, seed=1), **tolerance(dtype))


@pytest.mark.parametrize("short", [t.short for t in dt.ALL])
def test_moves_take_every_type(short: str) -> None:
    dtype = BY_SHORT[short]
    x, y = parameter((3, 4), dtype), parameter((2, 4), dtype)
    joined = b.concat(x, y, axis=0)
    outputs = [joined, b.transpose(x, perm=(1, 0)), b.broadcast_to(y, shape=(3, 2, 4)), b.reverse_v2(x, axis=(0,)), x]
    check(graph([x, y], *outputs), data(dtype, 3, 4), data(dtype, 2, 4, seed=1))


@pytest.mark.parametrize("short", REAL)
@pytest.mark.parametrize("shape", [(3, 4, 5), (33, 47, 29)])
@pytest.mark.parametrize("transpose", [(False, False), (True, False), (False, True), (True, True)])
def test_products_with_what_follows(short: str, shape: Shape, transpose: tuple[bool, bool]) -> None:
    dtype = BY_SHORT[short]
    m, n, k = shape
    x = parameter((k, m) if transpose[0] else (m, k), dtype)
    y = parameter((n, k) if transpose[1] else (k, n), dtype)
    bias = parameter((n,), dtype)
    z = b.matmul(x, y, transpose_a=transpose[0], transpose_b=transpose[1])
    arrays = [data(dtype, *b.shape(p), seed=i) for i, p in enumerate((x, y, bias))]
    wide = {"rtol": 3e-2, "atol": 0.5} if dtype.itemsize == 2 else {"rtol": 1e-4, "atol": 1e-3}
    check(graph([x, y, bias], b.add(z, bias), z), *arrays, **wide)


@pytest.mark.parametrize("source", [t.short for t in dt.ALL if not t.is_complex])
@pytest.mark.parametrize("target", ["bool", "i8", "u16", "i64", "f16", "bf16", "f32", "f64"])
def test_casts_inside_a_nest(source: str, target: str) -> None:
    x = parameter((70,), BY_SHORT[source])
    given = np.clip(np.abs(data(dt.float32, 70)), 0, 100).astype(dt.to_numpy(BY_SHORT[source]))
    check(graph([x], b.cast(b.cast(x, dtype=BY_SHORT[target]), dtype=dt.float32)), given)


def test_fused_half_precision_rounds_like_stored_values() -> None:
    """60000 * 4 overflows float16; a nest that kept float32 in registers would give 60000 again."""
    x = parameter((4,), dt.float16)
    made = graph([x], b.mul(b.mul(x, 4.0), 0.25))
    check(made, np.array([60000, 1, -60000, 0.1], np.float16))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 3)])
def test_empty_tensors(shape: Shape) -> None:
    x = parameter(shape)
    kept = b.reduce_sum(x, axis=0, keep_dims=True)
    made = graph([x], b.neg(x), b.reduce_sum(x), b.reduce_prod(x, axis=-1), b.add(x, kept), b.concat(x, x, axis=0))
    check(made, np.zeros(shape, np.float32))


def test_products_of_empty_operands() -> None:
    x, y, z = parameter((3, 0)), parameter((0, 4)), parameter((0, 3))
    made = graph([x, y, z], b.matmul(x, y), b.matmul(z, x), b.add(b.matmul(x, y), 1.0))
    check(made, *[np.zeros(b.shape(p), np.float32) for p in (x, y, z)])


def test_tensors_without_dimensions() -> None:
    x, y = parameter(), parameter((), dt.int64)
    outputs = [b.exp(x), b.add(x, 1), b.reduce_sum(x), b.broadcast_to(x, shape=(2, 3)), b.cast(y, dtype=dt.float32)]
    check(graph([x, y], *outputs), np.float32(0.5), np.int64(7))


@pytest.mark.parametrize("shapes", [((3, 1, 5), (4, 1)), ((1,), (2, 3)), ((), (2, 2)), ((2, 1, 3, 1), (4, 1, 5))])
def test_broadcasting(shapes: tuple[Shape, Shape]) -> None:
    x, y = (parameter(s) for s in shapes)
    made = graph([x, y], b.sub(x, y), b.reduce_sum(b.mul(x, y), axis=0), b.reduce_max(b.add(y, x), axis=-1))
    check(made, normal(*shapes[0]), normal(*shapes[1], seed=1))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("short", ["f32", "i32", "f16"])
def test_positions_of_extremes(axis: int, short: str) -> None:
    dtype = BY_SHORT[short]
    x = parameter((4, 5, 6), dtype)
    check(graph([x], b.argmax(x, axis=axis), b.argmin(x, axis=axis)), data(dtype, 4, 5, 6))


def test_the_first_nan_is_the_extreme() -> None:
    x = parameter((3, 4))
    given = normal(3, 4)
    given[1, 2] = given[1, 3] = np.nan
    made = graph([x], b.argmax(x, axis=1), b.argmin(x, axis=1), b.reduce_max(x, axis=1), b.reduce_min(x, axis=0))
    check(made, given)


def test_positions_inside_bodies() -> None:
    x = parameter((4, 6))
    iota = b.iota(shape=(4, 6), dimension=1, dtype=dt.float32)
    made = graph(
        [x], b.mul(x, iota), b.one_hot(b.argmax(x, axis=1), 1.0, 0.0, depth=6), b.eye(n=4, m=6, dtype=dt.float32)
    )
    check(made, normal(4, 6))


@pytest.mark.parametrize("axes", [(0,), (1,), (2,), (0, 1), (0, 2), (1, 2), (0, 1, 2)])
def test_big_folds_over_any_axes(axes: tuple[int, ...]) -> None:
    x = parameter((17, 130, 67))
    made = graph([x], b.reduce_sum(x, axis=axes), b.reduce_max(x, axis=axes), b.reduce_mean(b.square(x), axis=axes))
    check(made, normal(17, 130, 67), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("shape", [(16, 16), (33, 70), (5, 40, 37), (64, 3, 50)])
def test_reads_across_the_innermost_dimension(shape: Shape) -> None:
    """Transposes run tile by tile, with edges, inside bodies, joined to others, and as outputs."""
    x, order = parameter(shape), tuple(reversed(range(len(shape))))
    across = b.transpose(x, perm=order)
    y = parameter(shape[::-1])
    made = graph([x, y], across, b.mul(across, y), b.concat(across, y, axis=0), b.reduce_sum(b.add(across, y), axis=0))
    check(made, normal(*shape), normal(*shape[::-1], seed=1))


@pytest.mark.parametrize("shape", [(20, 40_000), (1, 300_000), (70, 20_000), (40_000, 5)])
def test_long_folds_stay_accurate(shape: Shape) -> None:
    """Sums of numbers that are all of one sign, where adding one after the other in float32 would drift."""
    x = parameter(shape)
    given = np.abs(normal(*shape)) + np.float32(1)
    for axis in (0, 1):
        (got,) = run(graph([x], b.reduce_sum(x, axis=axis)), given)
        np.testing.assert_allclose(got, given.astype(np.float64).sum(axis), rtol=2e-6)


def test_softmax_over_a_vocabulary() -> None:
    x = parameter((20, 50_000))
    made = graph([x], b.softmax(x, axis=-1), b.log_softmax(x, axis=-1))
    check(made, normal(20, 50_000), rtol=2e-5)
    assert lowered(made).calls == 1


@pytest.mark.parametrize("perm", [(1, 0, 2), (1, 2, 0), (2, 0, 1)])
@pytest.mark.parametrize("axis", [(1, 2), (0, 1), (0, 2)])
def test_long_folds_of_transposed_tensors(perm: tuple[int, ...], axis: tuple[int, ...]) -> None:
    """The folded dimensions are not neighbours in memory, and together long enough to be cut into pieces."""
    x = parameter((40, 6, 784))
    y = b.transpose(x, perm=perm)
    made = graph([x], b.reduce_sum(y, axis=axis), b.reduce_max(b.tanh(y), axis=axis))
    check(made, normal(40, 6, 784), rtol=1e-4, atol=1e-3)
