"""Sorting and running results: special values, ties, long rows and many of them, in any order of chunks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.kernels import accumulate, argsort, search
from mindspore.kernels.target import Isa
from tests.kernels.native import Library, Runtime, library, runnable

EXTREMES = [accumulate.spec("argmax", dt.float32, dt.int64), accumulate.spec("argmin", dt.int8, dt.int32)]
LEVELS = [pytest.param(isa, id=isa.name) for isa in runnable()]
SORTED = (dt.bool_, dt.int8, dt.uint8, dt.uint64, dt.int64, dt.float16, dt.float32, dt.float64)


@pytest.fixture(scope="module", params=LEVELS)
def kernels(request: pytest.FixtureRequest) -> Library:
    isa: Isa = request.param
    orders = [argsort.spec(t, way) for t in SORTED for way in (False, True)]
    orders += [search.spec(t, way) for t in SORTED for way in (False, True)]
    return library([*orders, accumulate.spec("sum", dt.float32), accumulate.spec("linear", dt.float64), *EXTREMES], isa)


def ordered(kernels: Library, x: Any, descending: bool, runtime: Runtime | None = None, kept: int | None = None) -> Any:
    rows, count = x.shape
    out = np.full((rows, count if kept is None else kept), -1, np.int32)
    spec = argsort.spec(dt.from_numpy(x.dtype), descending)
    kernels.run(spec.name, [x, out], argsort.params(rows, count, out.shape[1]), runtime or Runtime(2, True))
    return out


@pytest.mark.parametrize("dtype", SORTED, ids=str)
@pytest.mark.parametrize("count", [1, 2, 7, 64, 1000])
def test_order_is_stable(kernels: Library, dtype: Any, count: int) -> None:
    x = np.random.default_rng(count).integers(0, 9, (3, count)).astype(dt.to_numpy(dtype))
    np.testing.assert_array_equal(ordered(kernels, x, False), np.argsort(x, 1, kind="stable"))
    np.testing.assert_array_equal(ordered(kernels, x, True), np.argsort(-x.astype(np.int64), 1, kind="stable"))


def test_nan_is_the_largest_and_infinities_are_numbers(kernels: Library) -> None:
    x = np.array([[np.nan, 1, -np.inf, np.nan, np.inf, -0.0, 0.0]], np.float32)
    assert ordered(kernels, x, False).tolist() == [[2, 5, 6, 1, 4, 0, 3]]
    assert ordered(kernels, x, True).tolist() == [[0, 3, 4, 1, 5, 6, 2]]


@pytest.mark.parametrize("dtype", SORTED, ids=str)
@pytest.mark.parametrize("descending", [False, True])
def test_the_first_of_many(kernels: Library, dtype: Any, descending: bool) -> None:
    """What is dropped early depends on the spread of the keys: all magnitudes, few values, and one value almost everywhere."""
    rng, kind = np.random.default_rng(3), dt.to_numpy(dtype)
    bits = rng.integers(0, 256, (1, 3000 * kind.itemsize), dtype=np.uint8).view(kind)
    few = rng.integers(0, 3, (1, 3000)).astype(kind)
    near = np.where(rng.random((1, 3000)) < 0.99, 1, 0).astype(kind)
    for x in (bits if dtype is not dt.bool_ else few, few, near):
        order = (-x.astype(np.int64) if dtype is dt.bool_ else ~x if not dtype.is_floating else -x) if descending else x
        for kept in (1, 40, 700):
            wanted = np.argsort(order, 1, kind="stable")[:, :kept]
            if descending and dtype.is_floating:
                nan = np.flatnonzero(np.isnan(x[0]))
                wanted = np.concatenate([nan, wanted[0][~np.isin(wanted[0], nan)]])[None, :kept]
                if len(nan) and kept > wanted.shape[1]:
                    continue
            np.testing.assert_array_equal(ordered(kernels, x, descending, kept=kept), wanted)


@pytest.mark.parametrize("dtype", SORTED, ids=str)
@pytest.mark.parametrize("descending", [False, True])
def test_the_first_of_rows_in_any_order(kernels: Library, dtype: Any, descending: bool) -> None:
    """Rows in ascending and in descending order, so that all or none of the later elements come first; and ties at the end."""
    kind = dt.to_numpy(dtype)
    rows = np.sort(np.random.default_rng(5).integers(0, 2 if dtype is dt.bool_ else 120, (3, 2000)), 1)
    rows[1] = rows[1, ::-1]
    x = rows.astype(kind)
    wanted = np.argsort(-rows if descending else rows, 1, kind="stable")
    for kept in (1, 5, 200):
        np.testing.assert_array_equal(ordered(kernels, x, descending, kept=kept), wanted[:, :kept])


@pytest.mark.parametrize("far", [False, True])
def test_wide_integers_near_and_far_from_each_other(kernels: Library, far: bool) -> None:
    rng = np.random.default_rng(6)
    for kind, low, high in ((np.int64, -(2**63), 2**63 - 1), (np.uint64, 0, 2**64 - 1)):
        middle = (low + high) // 2
        x = rng.integers(
            low if far else middle - 2**31, high if far else middle + 2**31 - 1, (2, 700), kind, endpoint=True
        )
        x[0, :2] = (low, high) if far else (middle - 2**31, middle + 2**31 - 1)
        np.testing.assert_array_equal(ordered(kernels, x, False), np.argsort(x, 1, kind="stable"))
        np.testing.assert_array_equal(ordered(kernels, x, True), np.argsort(~x, 1, kind="stable"))


@pytest.mark.parametrize("dtype", SORTED, ids=str)
@pytest.mark.parametrize("right", [False, True])
@pytest.mark.parametrize("length", [0, 1, 2, 3, 64, 65, 1000])
def test_where_values_belong(kernels: Library, dtype: Any, right: bool, length: int) -> None:
    rng, kind = np.random.default_rng(length), dt.to_numpy(dtype)
    rows = np.sort(rng.integers(0, 2 if dtype is dt.bool_ else 90, (3, length)), 1).astype(kind)
    values = rng.integers(0, 2 if dtype is dt.bool_ else 100, (3, 70)).astype(kind)
    side: Any = "right" if right else "left"
    name = search.spec(dtype, right).name
    out = np.full(values.shape, -1)
    kernels.run(name, [rows, values, out], search.params(rows.shape, values.shape), Runtime(2, True))
    np.testing.assert_array_equal(out, [np.searchsorted(r, v, side) for r, v in zip(rows, values, strict=True)])
    kernels.run(name, [rows[0], values, out], search.params((length,), values.shape), Runtime(2, True))
    np.testing.assert_array_equal(out, np.searchsorted(rows[0], values, side))


def test_many_searches_are_shared_by_chunks(kernels: Library) -> None:
    row, values = np.arange(100, dtype=np.float32), np.random.default_rng(0).uniform(-5, 105, 50_000).astype(np.float32)
    values[::1000] = np.nan
    out, runtime = np.zeros(values.shape, np.int64), Runtime(2, True)
    kernels.run(
        search.spec(dt.float32, False).name, [row, values, out], search.params(row.shape, values.shape), runtime
    )
    assert runtime.chunks > 1
    np.testing.assert_array_equal(out, np.where(np.isnan(values), 0, np.searchsorted(row, values)))


def test_many_rows_are_shared_by_chunks(kernels: Library) -> None:
    x, runtime = np.random.default_rng(0).normal(size=(300, 500)).astype(np.float32), Runtime(2, True)
    np.testing.assert_array_equal(ordered(kernels, x, False, runtime), np.argsort(x, 1, kind="stable"))
    assert runtime.chunks > 1


def test_without_memory_nothing_is_written(kernels: Library) -> None:
    runtime = Runtime()
    runtime.exhaust()
    assert (ordered(kernels, np.ones((2, 5), np.float32), False, runtime) == -1).all()
    assert runtime.messages == [b"no memory"]


@pytest.mark.parametrize("shape", [(3, 1000, 1), (2, 50, 700), (400, 300, 1)])
@pytest.mark.parametrize("reverse", [False, True])
def test_running_sums(kernels: Library, shape: tuple[int, ...], reverse: bool) -> None:
    x = np.random.default_rng(1).integers(-5, 5, shape).astype(np.float32)
    out = np.zeros_like(x)
    kernels.run(
        accumulate.spec("sum", dt.float32).name, [x, out], accumulate.params(shape, 1, reverse), Runtime(2, True)
    )
    turned = np.flip(x, 1) if reverse else x
    wanted = np.cumsum(turned, 1)
    np.testing.assert_array_equal(out, np.flip(wanted, 1) if reverse else wanted)


def test_a_linear_recurrence(kernels: Library) -> None:
    rng = np.random.default_rng(2)
    a, b, out = rng.uniform(-1, 1, (4, 70, 3)), rng.normal(size=(4, 70, 3)), np.zeros((4, 70, 3))
    kernels.run(accumulate.spec("linear", dt.float64).name, [a, b, out], accumulate.params(a.shape, 1, False))
    before = np.zeros((4, 3))
    for i in range(70):
        before = a[:, i] * before + b[:, i]
        np.testing.assert_allclose(out[:, i], before, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("shape", [(3, 200, 1), (2, 50, 300)])
def test_running_extremes_know_their_last_place(kernels: Library, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(4)
    for spec, kind, places in ((EXTREMES[0], np.float32, np.int64), (EXTREMES[1], np.int8, np.int32)):
        x = rng.integers(-9, 9, shape).astype(kind)
        if kind is np.float32:
            x[0, 70 % shape[1] :: 13, 0] = np.nan
        values, found = np.zeros_like(x), np.zeros(shape, places)
        kernels.run(spec.name, [x, values, found], accumulate.params(shape, 1, False), Runtime(2, True))
        wanted = (np.maximum if kind is np.float32 else np.minimum).accumulate(x, 1)
        np.testing.assert_array_equal(values, wanted)
        hit = (x == wanted) | (np.isnan(x) & np.isnan(wanted))
        last = np.maximum.accumulate(np.where(hit, np.arange(shape[1])[None, :, None], 0), 1)
        np.testing.assert_array_equal(found, last)
