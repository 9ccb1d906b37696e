"""Reductions over every combination of axes, with the same result for every number of threads."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import argreduce, reduction
from mindspore.kernels.runtime import CANCELLED
from mindspore.kernels.target import Isa
from tests.kernels.native import Runtime, library, runnable

LEVELS = [pytest.param(isa, id=isa.name) for isa in runnable()]
BEST = runnable()[-1]
KINDS = ("sum", "prod", "max", "min", "any", "all")
SHAPES = [
    (7,),
    (3, 5, 7),
    (1,),
    (2, 300, 3),
    (300, 40),
    (17, 600),
    (2, 3, 4, 5),
    (0, 4),
    (4, 0),
    (),
    (70_000, 3),
    (2, 70_000),
]
Array = np.ndarray[Any, Any]


def fold(isa: Isa, kind: str, x: Array, axes: tuple[int, ...], runtime: Runtime | None = None) -> Array:
    source = dt.from_numpy(x.dtype)
    spec = reduction.spec(kind, source, dt.bool_ if kind in ("any", "all") else source)
    runtime = runtime or Runtime(backwards=True)
    out = np.full([n for i, n in enumerate(x.shape) if i not in axes], 9).astype(
        bool if kind in ("any", "all") else x.dtype
    )
    assert library([spec], isa).run(spec.name, [x, out], reduction.layout(x.shape, axes).params, runtime) == 0
    assert runtime.leaked == 0
    return out


def numbers(dtype: DType, shape: tuple[int, ...], kind: str) -> Array:
    rng = np.random.default_rng(5)
    if kind in ("any", "all"):
        return np.ascontiguousarray(rng.random(shape) < (0.1 if kind == "any" else 0.9)).astype(dt.to_numpy(dtype))
    x = rng.standard_normal(shape) * 3
    return np.ascontiguousarray(np.sign(x) if kind == "prod" else x).astype(dt.to_numpy(dtype))


FOLDS = [
    pytest.param(dtype, kind, id=f"{kind}-{dtype}")
    for dtype in (dt.float32, dt.float64, dt.float16, dt.bfloat16, dt.int32, dt.uint8, dt.bool_)
    for kind in KINDS
    if dtype is not dt.bool_ or kind not in ("sum", "prod")
]
"""A sum of Bool is the sum of what it is cast to."""


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize(("dtype", "kind"), FOLDS)
def test_every_combination_of_axes(isa: Isa, dtype: DType, kind: str) -> None:
    for shape in SHAPES if dtype in (dt.float32, dt.int32) else SHAPES[:9]:
        x = numbers(dtype, shape, kind)
        if x.size == 0 and kind in ("max", "min"):
            continue
        wide = x.astype(np.float64) if dtype.is_floating else x
        for axes in itertools.chain.from_iterable(
            itertools.combinations(range(len(shape)), k) for k in range(len(shape) + 1)
        ):
            got = fold(isa, kind, x, axes)
            options = {"dtype": wide.dtype} if kind in ("sum", "prod") else {}
            expected = getattr(np, kind)(wide, axis=axes, **options)
            tolerance = {dt.float16: 1e-3, dt.bfloat16: 8e-3, dt.float64: 1e-13}.get(dtype, 3e-6)
            np.testing.assert_allclose(got.astype(expected.dtype), expected, rtol=tolerance, atol=tolerance * 100)


@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_long_sums_are_accurate(dtype: DType) -> None:
    """A million numbers of one sign: adding one after the other would lose three digits more."""
    x = np.random.default_rng(6).uniform(0, 1, 1 << 20).astype(dt.to_numpy(dtype))
    exact = float(np.sum(x, dtype=np.longdouble))
    eps = np.finfo(x.dtype).eps
    assert abs(float(fold(BEST, "sum", x, (0,))) - exact) <= eps * exact
    columns = fold(BEST, "sum", x.reshape(-1, 4), (0,))
    np.testing.assert_allclose(columns, x.reshape(-1, 4).sum(0, dtype=np.longdouble).astype(float), rtol=4 * eps)


def test_chunks_do_not_depend_on_the_number_of_threads() -> None:
    x = np.random.default_rng(8).standard_normal((300_000, 3)).astype(np.float32)
    for axes in ((0,), (1,), (0, 1)):
        first, second = (fold(BEST, "sum", x, axes, Runtime(n, backwards=n == 2)) for n in (1, 2))
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("isa", LEVELS)
def test_nan_and_infinity(isa: Isa) -> None:
    for position in (0, 5, 300, 599):
        x = np.zeros((2, 600), np.float32)
        x[1, position] = np.nan
        for kind in ("sum", "prod", "max", "min"):
            for layout, axis in ((x, 1), (np.ascontiguousarray(x.T), 0)):
                got = fold(isa, kind, layout, (axis,))
                assert np.isnan(got[1]), kind
                assert got[0] == 0
    line = np.full(1000, 1.0, np.float64)
    line[700] = np.inf
    assert fold(isa, "sum", line, (0,)) == np.inf
    line[3] = -np.inf
    assert np.isnan(fold(isa, "sum", line, (0,)))


def test_empty_folds_give_the_identity() -> None:
    x = np.zeros((3, 0), np.float32)
    expected = {"sum": 0, "prod": 1, "max": -np.inf, "min": np.inf, "any": False, "all": True}
    for kind, value in expected.items():
        np.testing.assert_array_equal(fold(BEST, kind, x, (1,)), np.full(3, value))
    assert fold(BEST, "max", np.zeros((0,), np.int8), (0,)) == -128
    assert fold(BEST, "min", np.zeros((0,), np.uint16), (0,)) == 65535


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64, dt.float16, dt.int32, dt.uint8, dt.int64, dt.bool_], ids=str)
@pytest.mark.parametrize("kind", ["max", "min"])
def test_arg_reductions_give_the_first_extreme_in_rows_of_any_length(isa: Isa, dtype: DType, kind: str) -> None:
    spec = argreduce.spec(kind, dtype)
    made = library([spec], isa)
    rng = np.random.default_rng(9)
    for shape in ((9,), (4, 7), (3, 5, 600), (2, 1, 3), (1000,), (0, 3), (7, 16), (5, 127), (9, 37), (2, 140_000)):
        x = rng.integers(0, 5, shape).astype(dt.to_numpy(dtype))
        if dtype.is_floating and x.ndim == 3:
            x[:, -1, ::3] = np.nan
        if dtype.is_floating and x.ndim == 2 and shape[-1] > 30:
            x[..., 0, 20:] = np.nan
            x[..., 1, 70_000:] = np.nan
        for axis in range(len(shape)):
            if shape[axis] == 0:
                continue
            expected = getattr(np, f"arg{kind}")(x, axis=axis)
            out = np.full(expected.shape, -1, np.int32)
            made.run(spec.name, [x, out], argreduce.params(shape, axis), Runtime(2, backwards=True))
            np.testing.assert_array_equal(out, expected)


def test_wrong_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="no reduction 'mean' of Float32: expected one of sum, prod"):
        reduction.spec("mean", dt.float32, dt.float32)
    with pytest.raises(ValueError, match="no reduction 'sum' of Complex64"):
        reduction.spec("sum", dt.complex64, dt.complex64)
    with pytest.raises(ValueError, match="no arg-reduction 'mid' of Float32"):
        argreduce.spec("mid", dt.float32)


def test_without_memory_nothing_is_computed_and_nothing_breaks() -> None:
    runtime = Runtime()
    runtime.exhaust()
    fold(BEST, "sum", np.ones(200_000, np.float32), (0,), runtime)
    assert runtime.messages == [b"no memory"]


def test_a_cancelled_run_says_so() -> None:
    runtime = Runtime()
    runtime.cancel()
    spec = reduction.spec("sum", dt.float32, dt.float32)
    x, out = np.ones(3, np.float32), np.zeros((), np.float32)
    assert library([spec], BEST).run(spec.name, [x, out], reduction.layout((3,), (0,)).params, runtime) == CANCELLED
