"""Running results of rows, a vector at a time: against numpy in double, any length, both directions, special values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import accumulate
from mindspore.kernels.target import Isa
from tests.kernels.native import Library, Runtime, library, runnable

LEVELS = [pytest.param(isa, id=isa.name) for isa in runnable()]
SUMMED = (dt.float32, dt.float64, dt.float16, dt.int64, dt.int8, dt.uint16)
FLOATS = (dt.float32, dt.float64, dt.float16)
LENGTHS = (1, 3, 16, 65, 1000)


@pytest.fixture(scope="module", params=LEVELS)
def kernels(request: pytest.FixtureRequest) -> Library:
    isa: Isa = request.param
    specs = [accumulate.spec("sum", t) for t in SUMMED] + [accumulate.spec("logsum", t) for t in FLOATS]
    return library([*specs, accumulate.spec("prod", dt.int32), accumulate.spec("prod", dt.float32)], isa)


def run(kernels: Library, kind: str, x: Any, reverse: bool = False) -> Any:
    out = np.zeros_like(x)
    name = accumulate.spec(kind, dt.from_numpy(x.dtype)).name
    kernels.run(name, [x, out], accumulate.params(x.shape, 1, reverse), Runtime(2, True))
    return out


def turned(x: Any, reverse: bool) -> Any:
    return np.flip(x, 1) if reverse else x


@pytest.mark.parametrize("dtype", SUMMED, ids=str)
@pytest.mark.parametrize("reverse", [False, True])
def test_sums_of_any_length(kernels: Library, dtype: DType, reverse: bool) -> None:
    rng, kind = np.random.default_rng(1), dt.to_numpy(dtype)
    for count in LENGTHS:
        x = np.ascontiguousarray((rng.random((3, count)) * 5).astype(kind))
        wanted = turned(np.cumsum(turned(x.astype(np.float64), reverse), 1), reverse)
        if dtype.is_floating:
            # each vector adds one rounding to those of its prefix
            limit = np.finfo(kind).eps if dtype is dt.float16 else 100 * np.finfo(kind).eps
            np.testing.assert_allclose(run(kernels, "sum", x, reverse), wanted, rtol=limit)
        else:
            np.testing.assert_array_equal(run(kernels, "sum", x, reverse), wanted.astype(np.int64).astype(kind))


@pytest.mark.parametrize("reverse", [False, True])
def test_products_of_integers_wrap(kernels: Library, reverse: bool) -> None:
    x = np.random.default_rng(2).integers(-9, 9, (2, 300), dtype=np.int32) | 1
    wanted = turned(np.cumprod(turned(x, reverse), 1, dtype=np.int32), reverse)
    np.testing.assert_array_equal(run(kernels, "prod", x, reverse), wanted)


def test_products_of_floats_stay_in_range_where_prefixes_do(kernels: Library) -> None:
    x = np.array([[1e-30, 1e30, 1e30, 1e-30, 1e-30, 1e20] * 8], np.float32)
    assert np.isfinite(run(kernels, "prod", x)).all()


@pytest.mark.parametrize("dtype", FLOATS, ids=str)
@pytest.mark.parametrize("reverse", [False, True])
def test_logarithms_of_sums_of_exponentials(kernels: Library, dtype: DType, reverse: bool) -> None:
    rng, kind = np.random.default_rng(3), dt.to_numpy(dtype)
    for count in LENGTHS:
        for spread in (1, 40):
            x = (rng.normal(size=(3, count)) * spread).astype(kind)
            wanted = turned(np.logaddexp.accumulate(turned(x.astype(np.float64), reverse), 1), reverse)
            eps = np.finfo(kind).eps
            np.testing.assert_allclose(run(kernels, "logsum", x, reverse), wanted, rtol=16 * eps, atol=64 * eps)


def test_special_values_reach_what_follows_only(kernels: Library) -> None:
    x = np.zeros((5, 70), np.float32)
    x[0, 20], x[1, 20], x[1, 40], x[2, :30], x[3, 0], x[4, 17] = np.nan, np.inf, -np.inf, -np.inf, 90, 90
    with np.errstate(all="ignore"):
        summed, wanted = np.cumsum(x, 1), np.logaddexp.accumulate(x, 1, dtype=np.float64)
    np.testing.assert_array_equal(run(kernels, "sum", x), summed)
    np.testing.assert_allclose(run(kernels, "logsum", x), wanted, rtol=1e-6)
