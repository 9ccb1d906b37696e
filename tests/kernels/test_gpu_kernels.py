"""Kernels for GPUs compute what the operators mean: run on the processor, thread by thread, against numpy. No GPU runs them here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.ir.graph import Graph
from mindspore.kernels.emit import Module
from mindspore.kernels.gpu.lower import Launch, Lowered, lower
from mindspore.kernels.gpu.threads import BLOCK, Threads
from mindspore.kernels.lanes import Complex
from mindspore.kernels.program import Value
from mindspore.kernels.target import GPUS
from tests.kernels.gpu_emulation import DivergedError, Emulated
from tests.lowering.mlp import numpy_step, training_step
from tests.lowering.programs import b, expected, graph, normal, parameter
from tests.lowering.test_random_graphs import QUIET, graphs
from tests.lowering.test_types import data

GPU = GPUS["sm_80"]
FLOATS = (dt.float16, dt.bfloat16, dt.float32, dt.float64)
NUMBERS = (dt.int8, dt.uint8, dt.int32, dt.int64, *FLOATS)


def check(made: Graph, *arrays: Any, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """The kernels give what the operators' references give, and the same whichever thread and block comes first."""
    lowered = lower(made, GPU)
    forwards, backwards = (Emulated(lowered, backwards=way).run(*arrays) for way in (False, True))
    for got, again, want in zip(forwards, backwards, expected(made, *arrays), strict=True):
        np.testing.assert_array_equal(got, again, "depends on the order of the threads")
        assert got.dtype == want.dtype
        if got.dtype.kind in "biu":
            np.testing.assert_array_equal(got, want.reshape(-1))
        else:
            wide = np.complex128 if got.dtype.kind == "c" else np.float64
            np.testing.assert_allclose(got.astype(wide), want.reshape(-1).astype(wide), rtol, atol)


def precision(dtype: DType) -> dict[str, float]:
    """What sums of a thousand numbers of this type may be off by."""
    return {"rtol": 2e-2, "atol": 2e-2} if dtype.itemsize == 2 else {"rtol": 2e-5, "atol": 2e-4}


@pytest.mark.parametrize("dtype", NUMBERS, ids=str)
def test_sums_along_every_kind_of_axis(dtype: DType) -> None:
    x = parameter((7, 33, 40), dtype)
    array = (data(dtype, 7, 33, 40) / 8).astype(dt.to_numpy(dtype))
    axes = (0, 1, 2, (0, 1), (0, 2), (1, 2), ())
    check(
        graph([x], *(b.reduce_sum(y, axis=axis) for y in (x, b.mul(x, x)) for axis in axes)), array, **precision(dtype)
    )


@pytest.mark.parametrize("kind", [b.reduce_max, b.reduce_min, b.reduce_prod], ids=["max", "min", "prod"])
@pytest.mark.parametrize("dtype", [dt.int16, dt.uint32, dt.float32, dt.float64], ids=str)
def test_other_folds(kind: Callable[..., Any], dtype: DType) -> None:
    x = parameter((20, 5, 35), dtype)
    array: Any = data(dtype, 20, 5, 35)
    if dtype.is_floating:
        array = np.asarray(1 + array / 50, dt.to_numpy(dtype))
    check(graph([x], *(kind(x, axis=axis) for axis in (0, 1, 2, (0, 2)))), array)


def test_folds_hand_on_what_is_no_number() -> None:
    x = parameter((4, 600))
    array = normal(4, 600)
    array[1, 311], array[2, 5] = np.nan, np.inf
    check(graph([x], b.reduce_max(x, axis=1), b.reduce_min(x, axis=0), b.reduce_sum(x, axis=1)), array)


def test_any_and_all() -> None:
    x = parameter((3, 50, 40), dt.bool_)
    array = np.random.default_rng(0).random((3, 50, 40)) > 0.02
    folds = (kind(x, axis=axis) for kind in (b.reduce_any, b.reduce_all) for axis in (0, 1, 2, (1, 2), ()))
    check(graph([x], *folds), array)


@pytest.mark.parametrize(
    ("shape", "axis"), [((3, 1 << 17), 1), ((1 << 15, 7), 0), ((2, 1 << 14, 37), 1), ((200_003,), 0)], ids=str
)
def test_long_folds_are_cut_into_pieces(shape: Shape, axis: int) -> None:
    x = parameter(shape)
    made = graph([x], b.reduce_sum(x, axis=axis), b.reduce_max(x, axis=axis))
    assert len(lower(made, GPU).launches) > 2
    check(made, normal(*shape), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("length", [1, 33, 511, 2000])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float16], ids=str)
def test_rows_of_several_phases(length: int, dtype: DType) -> None:
    """Softmax and normalisation: folds, and what is computed from them, in one kernel."""
    x, scale = parameter((19, length), dtype), parameter((length,), dtype)
    centred = b.sub(x, b.reduce_mean(x, axis=-1, keep_dims=True))
    spread = b.sqrt(b.add(b.reduce_mean(b.mul(centred, centred), axis=-1, keep_dims=True), 0.01))
    made = graph([x, scale], b.softmax(x, axis=-1), b.log_softmax(x, axis=-1), b.mul(b.div(centred, spread), scale))
    check(made, data(dtype, 19, length), data(dtype, length, seed=1), **precision(dtype))


@pytest.mark.parametrize("dtype", [*NUMBERS, *dt.COMPLEX], ids=str)
@pytest.mark.parametrize("transpose", [(False, False), (True, False), (False, True), (True, True)], ids=str)
def test_products_in_all_transpositions(dtype: DType, transpose: tuple[bool, bool]) -> None:
    x = parameter((30, 70) if transpose[0] else (70, 30), dtype)
    y = parameter((97, 30) if transpose[1] else (30, 97), dtype)
    flags = {"transpose_a": transpose[0], "transpose_b": transpose[1]}
    arrays = [(data(dtype, *b.shape(p), seed=i) / 4).astype(dt.to_numpy(dtype)) for i, p in enumerate((x, y))]
    check(graph([x, y], b.matmul(x, y, **flags)), *arrays, **precision(dtype))


@pytest.mark.parametrize(
    "size", [(1, 1, 1), (64, 64, 16), (65, 63, 17), (1, 130, 200), (129, 1, 5), (3, 5, 0)], ids=str
)
def test_products_of_every_kind_of_edge(size: tuple[int, int, int]) -> None:
    m, n, k = size
    x, y, bias = parameter((m, k)), parameter((k, n)), parameter((n,))
    made = graph([x, y, bias], b.tanh(b.add(b.matmul(x, y), bias)), b.matmul(y, x) if m == n else b.matmul(x, y))
    check(made, normal(m, k), normal(k, n, seed=1), normal(n, seed=2), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("transpose", [(False, False), (True, False), (False, True)], ids=str)
def test_batches_of_products(transpose: tuple[bool, bool]) -> None:
    x = parameter((3, 1, 10, 20) if transpose[0] else (3, 1, 20, 10))
    y = parameter((4, 66, 10) if transpose[1] else (4, 10, 66))
    made = b.batch_matmul(x, y, transpose_a=transpose[0], transpose_b=transpose[1])
    check(graph([x, y], b.relu(made)), normal(*b.shape(x)), normal(*b.shape(y), seed=1), rtol=1e-4, atol=1e-4)


def test_products_of_views() -> None:
    x, w = parameter((2, 20, 24)), parameter((2, 24, 66))
    heads = b.transpose(b.reshape(x, shape=(2, 20, 3, 8)), perm=(0, 2, 1, 3))
    other = b.strided_slice(w, begin=(0, 8, 0), end=(2, 16, 66), strides=(1, 1, 1))
    made = b.batch_matmul(heads, b.reshape(other, shape=(2, 1, 8, 66)))
    check(graph([x, w], made), normal(2, 20, 24), normal(2, 24, 66, seed=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [dt.bool_, dt.int8, dt.float16, dt.float64, dt.complex64], ids=str)
def test_moves(dtype: DType) -> None:
    x, y = parameter((3, 40), dtype), parameter((2, 40), dtype)
    outputs = [b.concat(x, y, axis=0), b.transpose(x, perm=(1, 0)), b.broadcast_to(y, shape=(3, 2, 40))]
    outputs += [b.reverse_v2(x, axis=(0,)), b.strided_slice(x, begin=(0, 3), end=(3, 30), strides=(2, 5))]
    check(graph([x, y], *outputs), data(dtype, 3, 40), data(dtype, 2, 40, seed=1))


def test_a_training_step() -> None:
    made, _ = training_step((20, 70, 10), 33)
    rng = np.random.default_rng(4)
    arrays: list[Any] = [rng.standard_normal(b.shape(p)).astype(np.float32) / 4 for p in made.parameters]
    arrays[1] = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 33)]
    got = Emulated(lower(made, GPU)).run(*arrays)
    wanted = expected(made, *arrays)
    for found, want in zip(got, wanted, strict=True):
        np.testing.assert_allclose(found, want.reshape(-1), 1e-4, 1e-5)
    assert got[0] == pytest.approx(numpy_step(arrays[0], arrays[1], [a.copy() for a in arrays[2:]]), rel=1e-4)


@QUIET
@given(graphs())
def test_random_graphs_compute_what_their_operators_mean(made: Graph) -> None:
    arrays = [normal(*b.shape(p), seed=i) for i, p in enumerate(made.parameters)]
    lowered = lower(made, GPU)
    for got, want in zip(Emulated(lowered).run(*arrays), expected(made, *arrays), strict=True):
        np.testing.assert_allclose(got, want.reshape(-1), 2e-4, 2e-5)


def test_equal_nests_are_one_kernel() -> None:
    x = parameter((50,))
    made = lower(graph([x], b.matmul(b.reshape(x, shape=(5, 10)), b.reshape(x, shape=(10, 5)))), GPU)
    assert len(made.kernels) == 1
    x, y = parameter((4, 6)), parameter((4, 6))
    both = lower(graph([x, y], b.reduce_sum(x, axis=1), b.reduce_sum(y, axis=1)), GPU)
    assert len(both.launches) >= len(both.kernels) == 1


def test_what_has_no_kernels_is_refused() -> None:
    x = parameter((3, 4))
    with pytest.raises(
        TypeError, match="no kernels for GPUs: expected maps, folds, matrix products and boxes, got Kernels"
    ):
        lower(graph([x], b.argmax_index(x, axis=1)), GPU)


def by_hand(write: Callable[[Threads, Any], None]) -> Lowered:
    """A kernel that `write` writes: one block, a pointer to `BLOCK` numbers."""
    module, value = Module(GPU), Value(dt.float32, BLOCK)
    threads = Threads(module, "by_hand", 1)
    write(threads, threads.shared("memory", dt.float32, BLOCK))
    threads.end()
    return Lowered(module.text(), (Launch("by_hand", 1, (value,)),), (value,), (value,))


def _handed_on(threads: Threads, memory: Any, wait: bool) -> None:
    """Each thread hands its number to the one before it."""
    f = threads.f
    f.store(f.load("float", threads.pointers[0].at("float", threads.thread)), memory.at("float", threads.thread))
    if wait:
        threads.barrier()
    found = f.load("float", memory.at("float", (threads.thread + 1) % BLOCK))
    f.store(found, threads.pointers[0].at("float", threads.thread))


@pytest.mark.parametrize("backwards", [False, True])
def test_the_emulation_lets_threads_meet(backwards: bool) -> None:
    given_ = np.arange(BLOCK, dtype=np.float32)
    right = by_hand(lambda threads, memory: _handed_on(threads, memory, True))
    np.testing.assert_array_equal(Emulated(right, backwards).run(given_)[0], np.roll(given_, -1))
    wrong = by_hand(lambda threads, memory: _handed_on(threads, memory, False))
    assert not np.array_equal(Emulated(wrong, backwards).run(given_)[0], np.roll(given_, -1))


def test_the_emulation_sees_threads_that_do_not_meet() -> None:
    def half_waits(threads: Threads, memory: Any) -> None:
        with threads.f.when(threads.thread < 100):
            threads.barrier()

    def half_exchanges(threads: Threads, memory: Any) -> None:
        lane = threads.f.load("float", threads.pointers[0].at("float", threads.thread))
        with threads.f.when((threads.thread % 32) < 7):
            found = threads.shuffle(lane, 1)
            assert not isinstance(found, Complex)
            threads.f.store(found, threads.pointers[0])

    for write, what in ((half_waits, "a block of by_hand waits"), (half_exchanges, "warp 0 of by_hand exchanges")):
        with pytest.raises(DivergedError, match=what):
            Emulated(by_hand(write)).run(np.zeros(BLOCK, np.float32))


def test_code_for_processors_is_refused() -> None:
    with pytest.raises(AssertionError, match="this code is for processors, not for sm_80"):
        Module(GPU).isa  # noqa: B018
