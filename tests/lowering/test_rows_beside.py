"""Rows that lie side by side or are short: one in each lane of a vector, in odd numbers, with ties, NaN and infinities."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.graph import Graph
from mindspore.kernels import jit, lower_nest, target
from mindspore.kernels.emit import Module
from mindspore.kernels.modules import Shared, Started
from mindspore.kernels.nest import Nest
from mindspore.kernels.turned import turn
from tests.kernels.native import runnable
from tests.lowering.programs import b, check, graph, lowered, normal, parameter, run
from tests.primitives.pullback import pullback

pytestmark = pytest.mark.compiler


def ways(made: Graph, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How the nests of a graph are written, in order."""
    found: list[str] = []
    started = Shared.started

    def noted(self: Shared, nest: Nest, apart: bool) -> Started:
        found.append(lower_nest.way(nest).__name__)
        return started(self, nest, apart)

    monkeypatch.setattr(Shared, "started", noted)
    lowered(made)
    return found


def normalisation(positions: int, channels: int, gradient: bool) -> Graph:
    """Batch normalisation of ``[N, C]`` in training, or what its gradient gives."""
    x, scale, bias = parameter((positions, channels)), parameter((channels,)), parameter((channels,))
    mean, variance = parameter((channels,)), parameter((channels,))
    given = [x, scale, bias, mean, variance]
    out = b.batch_norm(x, scale, bias, mean, b.abs(variance), is_training=True, epsilon=1e-5)
    if not gradient:
        return graph(given, *(b.get(out, i) for i in range(5)))
    return graph(given, *pullback(b.reduce_sum(b.tanh(b.get(out, 0))), given[:3]))


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("shape", [(2, 16), (3, 33), (7, 100), (128, 130), (300, 64), (700, 257)])
def test_columns_of_a_normalisation(shape: tuple[int, int], gradient: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Statistics and results, with runs of rows that are whole and that are not, and blocks of columns that are not whole."""
    made = normalisation(*shape, gradient)
    assert gradient or "Beside" in ways(made, monkeypatch)
    check(made, normal(*shape), *(normal(shape[1], seed=k) for k in range(1, 5)), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("shape", [(2, 15), (3, 1)])
def test_few_columns_stay_rows(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    made = normalisation(*shape, False)
    assert "Beside" not in ways(made, monkeypatch)
    check(made, normal(*shape), *(normal(shape[1], seed=k) for k in range(1, 5)), rtol=1e-4, atol=1e-5)


def test_sums_of_long_columns_are_exact_enough() -> None:
    """Ten thousand values around 1000, which one lane would add up with an error of nearly 4e-6 one after the other."""
    x, one = parameter((10_000, 48)), parameter((48,))
    out = b.batch_norm(x, one, one, one, one, is_training=True, epsilon=1e-5)
    values = normal(10_000, 48) + 1000
    found = run(graph([x, one], *(b.get(out, i) for i in (3, 4))), values, np.ones(48, np.float32))
    wide = values.astype(np.float64)
    np.testing.assert_allclose(found[0], wide.mean(0), rtol=8e-7)
    np.testing.assert_allclose(found[1], wide.var(0), rtol=1e-5)


@pytest.mark.parametrize("dtype", [dt.float64, dt.float16, dt.bfloat16, dt.int32, dt.int64])
def test_folds_of_turned_rows(dtype: DType) -> None:
    """What follows a fold along the first dimension, in every type, with NaN and infinities."""
    x = parameter((37, 50), dtype)
    y = b.transpose(x, perm=(1, 0))
    outputs = [b.sub(y, b.reduce_max(y, axis=1, keep_dims=True)), b.sub(y, b.reduce_min(y, axis=1, keep_dims=True))]
    outputs.append(b.sub(y, b.reduce_sum(y, axis=1, keep_dims=True)))
    values = (normal(37, 50) * 8).astype(dt.to_numpy(dtype))
    if dtype.is_floating:
        values[3, 4], values[5, 6], values[7, 8] = np.nan, np.inf, -np.inf
    check(
        graph([x], *outputs),
        values,
        rtol=1e-2 if dtype.itemsize == 2 else 1e-5,
        atol=0.3 if dtype.itemsize == 2 else 1e-5,
    )


@pytest.mark.parametrize("shape", [(8, 33, 7, 7), (5, 3, 3, 3), (4, 2, 15, 17), (9, 3, 16, 16)])
def test_rows_in_short_segments(shape: tuple[int, ...]) -> None:
    """Channels of small images: every one is folded as a whole, not image by image."""
    x, scale = parameter(shape), parameter((shape[1],))
    out = b.batch_norm(x, scale, scale, scale, b.square(scale), is_training=True, epsilon=1e-5)
    worst = b.reduce_max(x, axis=(0, 2, 3), keep_dims=True)
    made = graph([x, scale], *(b.get(out, i) for i in range(5)), b.sub(x, worst))
    check(made, normal(*shape), normal(shape[1], seed=1), rtol=1e-4, atol=1e-5)


def extremes(rows: int, length: int) -> Any:
    """Few different values, so that many are equal, with NaN and infinities among them."""
    draw = np.random.default_rng(length)
    values = draw.integers(0, 4, (rows, length)).astype(np.float32)
    special = draw.random(values.shape)
    values[special < 0.02], values[special > 0.98], values[(special > 0.5) & (special < 0.52)] = np.nan, np.inf, -np.inf
    values[1], values[2], values[3] = np.nan, -np.inf, np.inf
    return values


@pytest.mark.parametrize("rows", [64, 2085])
def test_positions_of_extremes_in_short_rows(rows: int) -> None:
    """The first of equal elements counts, and the first NaN before all others."""
    lengths = (1, 2, 3, 4, 7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 48, 49)
    given = [parameter((rows, length)) for length in lengths]
    values = [extremes(rows, length) for length in lengths]
    for kind in ("argmax", "argmin"):
        found = run(graph(given, *(getattr(b, f"{kind}_index")(x, axis=1) for x in given)), *values)
        for places, array in zip(found, values, strict=True):
            np.testing.assert_array_equal(places, getattr(np, kind)(array, axis=1))


@pytest.mark.parametrize(
    "dtype", [dt.uint8, dt.int8, dt.int16, dt.int32, dt.int64, dt.float16, dt.bfloat16, dt.float64]
)
def test_positions_in_every_type(dtype: DType) -> None:
    for length in (5, 21):
        x = parameter((130, length), dtype)
        values = np.random.default_rng(length).integers(0, 3, (130, length)).astype(dt.to_numpy(dtype))
        (found,) = run(graph([x], b.argmax_index(x, axis=1)), values)
        np.testing.assert_array_equal(found, values.astype(np.float64).argmax(1))


@pytest.mark.parametrize("dtype", [dt.float64, dt.float32, dt.float16, dt.bfloat16])
def test_one_nan_decides_an_extreme(dtype: DType) -> None:
    """Wherever it stands, in rows of any length, in columns, and with infinities beside it."""
    for length in (1, 4, 7, 33, 49, 130):
        x = parameter((67, length), dtype)
        values = normal(67, length).astype(dt.to_numpy(dtype))
        values[np.arange(50), np.arange(50) % length] = np.nan
        values[40:60, -1] = np.inf
        values[60:63, 0] = -np.inf
        outputs = [getattr(b, f"reduce_{kind}")(x, axis=axis) for kind in ("max", "min") for axis in (0, 1, (0, 1))]
        check(graph([x], *outputs), values)


def _turned(level: str, kind: str, shape: tuple[int, int], values: Any) -> Any:
    """`values` turned by code for `level`, and whether nothing beside the result was written."""
    isa, (rows, columns) = target.isa(level), shape
    module = Module(isa)
    f = module.function("run", "void", [("ptr", "source"), ("ptr", "target")])
    turn(f, kind, (f["source"], columns), (f["target"], rows + 2), shape)
    f.ret()
    linked = jit.link([target.compile_object(module.text(), isa)])
    out = np.full((columns, rows + 2), 99, values.dtype)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)(linked.address("run"))(values.ctypes.data, out.ctypes.data)
    return out


@pytest.mark.parametrize("level", [isa.name for isa in runnable()])
@pytest.mark.parametrize("kind", ["i8", "i16", "float", "double"])
def test_matrices_are_turned(level: str, kind: str) -> None:
    dtype = {"i8": np.uint8, "i16": np.int16, "float": np.float32, "double": np.float64}[kind]
    for rows, columns in ((1, 1), (2, 64), (64, 3), (64, 9), (17, 33), (33, 16), (64, 31)):
        values = (np.arange(rows * columns) % 97).astype(dtype).reshape(rows, columns)
        out = _turned(level, kind, (rows, columns), values)
        np.testing.assert_array_equal(out[:, :rows], values.T)
        assert (out[:, rows:] == 99).all()


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    made = normalisation(300, 1000, True)
    given = [normal(300, 1000), *(normal(1000, seed=k) for k in range(1, 5))]
    before = _native.get_num_threads()
    try:
        found = []
        for threads in (1, 2, 3):
            _native.set_num_threads(threads)
            found.append([each.tobytes() for each in run(made, *given)])
    finally:
        _native.set_num_threads(before)
    assert found[0] == found[1] == found[2]


def short_rows(rows: int, length: int, dtype: DType = dt.float32) -> Graph:
    """What runs over short rows more than once, with operands of each position and of each row."""
    x, gamma, shift = parameter((rows, length), dtype), parameter((length,), dtype), parameter((rows, 1), dtype)
    norm = b.get(b.layer_norm(x, gamma, gamma, begin_norm_axis=1, begin_params_axis=1), 0)
    shifted = b.softmax(b.add(x, shift), axis=1)
    centred = b.sub(x, b.reduce_max(x, axis=1, keep_dims=True))
    outputs = [
        b.softmax(x, axis=1),
        b.log_softmax(x, axis=1),
        norm,
        shifted,
        centred,
        b.reduce_max(b.mul(x, gamma), axis=1),
    ]
    if dtype.itemsize > 2:
        outputs += pullback(b.reduce_sum(b.mul(norm, shifted)), [x, gamma, shift])
    return graph([x, gamma, shift], *outputs)


@pytest.mark.parametrize("length", [4, 7, 16, 33, 49, 64])
@pytest.mark.parametrize("rows", [64, 131])
def test_short_rows(rows: int, length: int, monkeypatch: pytest.MonkeyPatch) -> None:
    made = short_rows(rows, length)
    assert "Turned" in ways(made, monkeypatch)
    check(made, normal(rows, length), normal(length, seed=1), normal(rows, 1, seed=2), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [dt.float64, dt.float16, dt.bfloat16])
def test_short_rows_of_other_types(dtype: DType) -> None:
    given = [a.astype(dt.to_numpy(dtype)) for a in (normal(70, 9), normal(9, seed=1), normal(70, 1, seed=2))]
    loose = {dt.float64: 1e-9, dt.float16: 4e-3, dt.bfloat16: 4e-2}[dtype]
    check(short_rows(70, 9, dtype), *given, rtol=loose, atol=loose)


def test_nan_and_infinities_stay_in_their_short_rows() -> None:
    x = parameter((200, 11))
    made = graph([x], b.softmax(x, axis=1), b.log_softmax(x, axis=1), b.reduce_max(x, axis=1), b.reduce_min(x, axis=1))
    check(made, extremes(200, 11))


def test_short_rows_that_are_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that takes an input's memory is written after all was read; rows may be a part of longer ones."""
    x = parameter((100, 20))
    y = b.tanh(x)
    part = b.strided_slice(y, begin=(0, 3), end=(100, 15), strides=(1, 1))
    made = graph([x], b.softmax(b.softmax(y, axis=1), axis=1), b.softmax(part, axis=1))
    assert "Turned" in ways(made, monkeypatch)
    check(made, normal(100, 20))
