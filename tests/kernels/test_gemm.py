"""Matrix products over shapes with every kind of edge, transposes, batches, and the tile epilogue."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import gemm
from mindspore.kernels.gemm_tile import tiling
from mindspore.kernels.target import LEVELS, Isa
from tests.kernels.native import FEATURES, Library, Runtime, library, runnable

BEST = runnable()[-1]
Array = np.ndarray[Any, Any]
SIZES = [
    (1, 1, 1), (2, 3, 4), (6, 16, 8), (12, 32, 64), (7, 33, 5), (100, 77, 300), (1, 50, 40), (50, 1, 40), (33, 65, 0), (13, 100, 513),
    (250, 40, 700), (3, 3200, 9), (1, 3000, 33), (500, 1, 1000), (5, 1, 1), (49, 97, 9),
]  # fmt: skip
TOLERANCE = {
    dt.float16: 2e-3,
    dt.bfloat16: 1e-2,
    dt.float64: 1e-12,
    dt.float32: 2e-5,
    dt.complex64: 2e-5,
    dt.complex128: 1e-12,
}

EPILOGUE = ctypes.CFUNCTYPE(
    None,
    ctypes.c_void_p,
    ctypes.c_void_p,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_int64,
    ctypes.c_int64,
)


def operands(dtype: DType, left: tuple[int, ...], right: tuple[int, ...]) -> tuple[Array, Array]:
    rng = np.random.default_rng(len(left) * 100 + sum(left) + sum(right))
    a, b = (np.asarray(rng.standard_normal(s) * 3, complex if dtype.is_complex else float) for s in (left, right))
    if dtype.is_complex:
        a, b = a + 1j * a[::-1], b * (1 - 2j)
    return tuple(np.ascontiguousarray(v.astype(dt.to_numpy(dtype))) for v in (a, b))  # type: ignore[return-value]


def multiply(
    made: Library, a: Array, b: Array, turned: tuple[bool, bool] = (False, False), runtime: Runtime | None = None
) -> Array:
    dtype = dt.from_numpy(a.dtype)
    params = gemm.params(a.shape, b.shape, *turned)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    out = np.full((*batch, params[1], params[2]), 7, a.dtype)
    runtime = runtime or Runtime()
    assert made.run(gemm.spec(dtype).name, [a, b, out], params, runtime) == 0
    assert runtime.leaked == 0
    return out


def product(a: Array, b: Array, turned: tuple[bool, bool] = (False, False)) -> Array:
    wide = np.float64 if dt.from_numpy(a.dtype).is_floating else a.dtype
    a, b = a.astype(wide), b.astype(wide)
    return np.asarray((a.swapaxes(-1, -2) if turned[0] else a) @ (b.swapaxes(-1, -2) if turned[1] else b))


def assert_close(got: Array, expected: Array, dtype: DType) -> None:
    tolerance = TOLERANCE.get(dtype, 0)
    scale = np.abs(expected).max(initial=1)
    np.testing.assert_allclose(got.astype(expected.dtype), expected, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("isa", [pytest.param(i, id=i.name) for i in runnable()])
@pytest.mark.parametrize(
    "dtype",
    [dt.float32, dt.float64, dt.float16, dt.bfloat16, dt.int32, dt.int8, dt.uint64, dt.complex64, dt.complex128],
    ids=str,
)
def test_shapes_and_transposes(isa: Isa, dtype: DType) -> None:
    made = library([gemm.spec(dtype)], isa)
    for m, n, k in SIZES:
        if m * n * k > 1e6 and dtype not in (dt.float32, dt.float64):
            continue
        for turned in ((False, False), (False, True), (True, False), (True, True)):
            a, b = operands(dtype, (k, m) if turned[0] else (m, k), (n, k) if turned[1] else (k, n))
            runtime = Runtime(3, backwards=True)
            assert_close(multiply(made, a, b, turned, runtime), product(a, b, turned), dtype)


@pytest.mark.parametrize("dtype", [dt.float32, dt.float16, dt.int32], ids=str)
@pytest.mark.parametrize(
    ("left", "right"),
    [((2, 5, 6), (2, 6, 7)), ((2, 1, 5, 6), (3, 6, 7)), ((4, 5, 6), (6, 7)), ((5, 6), (4, 6, 7)), ((0, 5, 6), (1, 6, 7)),
     ((2, 150, 160), (160, 140)), ((30, 8, 8), (30, 8, 8))],
)  # fmt: skip
def test_batches_broadcast(dtype: DType, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    made = library([gemm.spec(dtype)], BEST)
    a, b = operands(dtype, left, right)
    for threads in (1, 4):
        assert_close(multiply(made, a, b, runtime=Runtime(threads, backwards=True)), product(a, b), dtype)


@pytest.mark.parametrize("features", sorted({0, FEATURES}))
@pytest.mark.parametrize("turned", [(a, b) for a in (False, True) for b in (False, True)])
def test_bfloat16_with_and_without_pairs(features: int, turned: tuple[bool, bool]) -> None:
    made = library([gemm.spec(dt.bfloat16)], BEST)
    for m, n, k in ((70, 65, 66), (97, 200, 34), (300, 31, 1030), (64, 64, 65)):
        a, b = operands(dt.bfloat16, (k, m) if turned[0] else (m, k), (n, k) if turned[1] else (k, n))
        results = [multiply(made, a, b, turned, Runtime(threads, True, features)) for threads in (1, 3)]
        assert_close(results[0], product(a, b, turned), dt.bfloat16)
        np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("isa", [pytest.param(i, id=i.name) for i in runnable()])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_panels_packed_while_their_first_rows_are_computed(isa: Isa, dtype: DType) -> None:
    made = library([gemm.spec(dtype)], isa)
    for m, n, k in ((65, 97, 130), (256, 128, 256), (143, 161, 512), (200, 200, 64), (17, 600, 300), (100, 530, 900)):
        for turned in ((False, False), (False, True), (True, False)):
            a, b = operands(dtype, (k, m) if turned[0] else (m, k), (n, k) if turned[1] else (k, n))
            results = [multiply(made, a, b, turned, Runtime(threads, backwards=True)) for threads in (1, 3)]
            assert_close(results[0], product(a, b, turned), dtype)
            np.testing.assert_array_equal(results[0], results[1])


@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_results_do_not_depend_on_the_number_of_threads(dtype: DType) -> None:
    made = library([gemm.spec(dtype)], BEST)
    for m, n, k in ((200, 300, 900), (256, 256, 256), (300, 190, 500), (16, 2000, 300), (1, 900, 5000), (900, 1, 5000)):
        a, b = operands(dtype, (m, k), (k, n))
        results = [multiply(made, a, b, runtime=Runtime(t, backwards=t % 2 == 0)) for t in (1, 2, 5)]
        np.testing.assert_array_equal(results[0], results[1])
        np.testing.assert_array_equal(results[0], results[2])


def test_nan_and_infinity_spread_as_in_arithmetic() -> None:
    made = library([gemm.spec(dt.float32)], BEST)
    a, b = np.ones((20, 30), np.float32), np.ones((30, 40), np.float32)
    a[3, 4], b[7, 9] = np.nan, np.inf
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(multiply(made, a, b), a @ b)


@pytest.mark.parametrize(("m", "n", "k"), [(30, 70, 20), (150, 170, 300), (300, 200, 700), (1, 50, 10), (20, 40, 0)])
def test_accumulation_adds_to_what_is_there(m: int, n: int, k: int) -> None:
    made = library([gemm.spec(dt.float32)], BEST)
    a, b = operands(dt.float32, (m, k), (k, n))
    out = np.full((m, n), 5, np.float32)
    made.run(gemm.spec(dt.float32).name, [a, b, out], gemm.params(a.shape, b.shape, flags=gemm.ADD))
    assert_close(out - 5, product(a, b), dt.float32)


@pytest.mark.parametrize(
    "shape", [(30, 70, 20), (150, 170, 300), (100, 300, 600), (300, 200, 700), (1, 50, 10), (7, 9, 0), (40, 1, 30)]
)
def test_the_epilogue_sees_every_finished_tile_once(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    a, b = operands(dt.float32, (2, m, k), (2, k, n))
    out = np.zeros((2, m, n), np.float32)
    seen = np.zeros((2 * m, n), int)
    values = np.zeros((2 * m, n))

    def visit(context: int, tile: int, ld: int, row: int, column: int, rows: int, columns: int) -> None:
        part = np.ctypeslib.as_array((ctypes.c_float * (ld * (rows - 1) + columns)).from_address(tile))
        seen[row : row + rows, column : column + columns] += 1
        for i in range(rows):
            values[row + i, column : column + columns] = part[i * ld : i * ld + columns]

    callback = EPILOGUE(visit)
    pointer = np.array([ctypes.cast(callback, ctypes.c_void_p).value], np.uint64)
    made = library([gemm.spec(dt.float32)], BEST)
    params = gemm.params(a.shape, b.shape, flags=gemm.EPILOGUE)
    function = np.ctypeslib.as_array((ctypes.c_uint8 * 1).from_address(int(pointer[0])))
    made.run(gemm.spec(dt.float32).name, [a, b, out, function, np.zeros(1)], params, Runtime(2))
    assert (seen == 1).all()
    np.testing.assert_array_equal(values, out.reshape(2 * m, n))
    assert_close(out, product(a, b), dt.float32)


@pytest.mark.parametrize("isa", LEVELS.values(), ids=str)
@pytest.mark.parametrize("kind", ["float", "double"])
def test_tiles_fit_the_registers(isa: Isa, kind: str) -> None:
    t = tiling(isa, kind)
    assert t.rows * t.vectors + t.vectors + 1 <= isa.registers
    assert t.height % t.rows == 0
    assert t.width % t.columns == 0
    assert t.depth % 8 == 0


def test_products_of_bool_are_refused() -> None:
    with pytest.raises(ValueError, match="no matrix product of Bool"):
        gemm.spec(dt.bool_)


@pytest.mark.parametrize(("dtype", "threads"), [(dt.float32, 1), (dt.float32, 4), (dt.float16, 1), (dt.float16, 4)])
def test_without_memory_nothing_is_computed_and_nothing_breaks(dtype: DType, threads: int) -> None:
    runtime = Runtime(threads)
    runtime.exhaust()
    a, b = operands(dtype, (100, 90), (90, 110))
    out = np.full((100, 110), 7, a.dtype)
    library([gemm.spec(dtype)], BEST).run(gemm.spec(dtype).name, [a, b, out], gemm.params(a.shape, b.shape), runtime)
    assert runtime.messages
    np.testing.assert_array_equal(out, 7)
