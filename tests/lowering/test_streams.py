"""Large outputs are written past the caches: what that computes, which stores do it, and that no byte beside them is touched."""

from __future__ import annotations

import ctypes
from itertools import product

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.graph import Graph
from mindspore.kernels import jit, lower_stream, target
from mindspore.kernels.emit import Module
from tests.kernels.native import runnable
from tests.lowering.programs import b, check, graph, lowered, normal, parameter

pytestmark = pytest.mark.compiler


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs of 4 KiB are large."""
    monkeypatch.setattr(lower_stream, "STREAM_FROM", 1 << 12)


def streams(made: Graph) -> int:
    return lowered(made).llvm_ir.count("!nontemporal")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("columns", [256, 511, 512, 513, 1037, 2048])
def test_rows_of_any_length(columns: int) -> None:
    x, gamma = parameter((9, columns)), parameter((columns,))
    centred = b.sub(x, b.reduce_mean(x, axis=-1, keep_dims=True))
    variance = b.reduce_mean(b.square(centred), axis=-1, keep_dims=True)
    norm = b.mul(b.mul(centred, b.rsqrt(b.add(variance, 1e-5))), gamma)
    given = normal(9, columns), normal(columns, seed=1)
    for made, arrays in ((graph([x], b.softmax(x, axis=-1)), given[:1]), (graph([x, gamma], norm), given)):
        assert streams(made) > 0
        check(made, *arrays, rtol=1e-5, atol=1e-5)


@pytest.mark.usefixtures("small")
def test_outputs_of_several_types_beside_a_fold() -> None:
    x = parameter((7, 1537))
    made = graph(
        [x], b.cast(x, dtype=dt.float16), b.greater(x, 0.5), b.cast(b.exp(x), dtype=dt.float64), b.reduce_sum(x, axis=1)
    )
    assert streams(made) == 3
    check(made, normal(7, 1537), rtol=1e-5, atol=1e-4)


@pytest.mark.usefixtures("small")
def test_what_a_later_loop_reads_again_stays_in_the_caches() -> None:
    x = parameter((9, 700))
    shifted = b.exp(b.sub(x, b.reduce_max(x, axis=-1, keep_dims=True)))
    made = graph([x], shifted, b.div(shifted, b.reduce_sum(shifted, axis=-1, keep_dims=True)))
    assert streams(made) == 1
    check(made, normal(9, 700), rtol=1e-5)


@pytest.mark.parametrize(("shape", "large"), [((4096, 1024), True), ((4096, 1023), False), ((1 << 17, 128), False)])
def test_small_outputs_and_short_rows_stay_in_the_caches(shape: tuple[int, int], large: bool) -> None:
    x = parameter(shape)
    assert (streams(graph([x], b.softmax(x, axis=-1))) > 0) == large


@pytest.mark.parametrize("level", [isa.name for isa in runnable()])
@pytest.mark.parametrize("dtype", [dt.float64, dt.float32, dt.float16, dt.bool_])
def test_nothing_beside_the_block_is_written(level: str, dtype: DType) -> None:
    """Every alignment of the target, with every number of elements around that of a vector."""
    isa = target.isa(level)
    module = Module(isa)
    f = module.function("copy", "void", [("ptr", "target"), ("ptr", "source"), ("i64", "count")])
    to, source, count = f.arguments
    lower_stream.flush(f, source, to, count, dtype)
    lower_stream.finish(f)
    f.ret()
    linked = jit.link([target.compile_object(module.text(), isa)])
    copy = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(linked.address("copy"))
    lanes, kind = isa.lanes(dtype.itemsize), np.dtype(f"u{dtype.itemsize}")
    given = np.arange(1, 4 * lanes + 2).astype(kind)
    for offset, length in product(range(lanes + 1), sorted({0, 1, lanes - 1, lanes, lanes + 1, 3 * lanes + 1})):
        memory = np.zeros(6 * lanes, kind)
        copy(memory.ctypes.data + offset * dtype.itemsize, given.ctypes.data, length)
        expected = np.zeros_like(memory)
        expected[offset : offset + length] = given[:length]
        np.testing.assert_array_equal(memory, expected)
