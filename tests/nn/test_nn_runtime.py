"""`mindspore.runtime`: what the allocator counts, in the user's words."""

from __future__ import annotations

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops, runtime

MEGABYTE = 1 << 20


@pytest.fixture(autouse=True)
def fresh_peaks() -> None:
    runtime.reset_peak_memory_stats()


def test_a_tensor_is_counted_while_it_lives() -> None:
    before = runtime.memory_allocated()
    x = ops.zeros((MEGABYTE,), ms.float32)
    held = runtime.memory_allocated() - before
    assert x.nbytes <= held <= x.nbytes * 9 // 8
    assert runtime.max_memory_allocated() >= before + x.nbytes
    del x
    assert runtime.memory_allocated() == before


def test_the_peak_is_what_a_graph_needed_at_once() -> None:
    @ms.jit
    def f(x: Tensor) -> Tensor:
        return ops.sort(x)[0].sum() + ops.cumsum(x, 0).sum()

    x = Tensor(np.arange(MEGABYTE, dtype=np.float32))
    f(x)
    runtime.reset_max_memory_allocated()
    before = runtime.memory_allocated()
    f(x)
    assert runtime.max_memory_allocated() > before
    assert runtime.memory_allocated() <= before


def test_idle_memory_is_reserved_until_it_is_given_back() -> None:
    runtime.empty_cache()
    before = runtime.memory_reserved()
    x = ops.zeros((MEGABYTE,), ms.float32)
    size = x.nbytes
    del x
    assert runtime.memory_reserved() >= before + size
    assert runtime.max_memory_reserved() >= before + size
    runtime.empty_cache()
    assert runtime.memory_stats()["total_idle_memory"] == 0
    assert runtime.memory_reserved() <= before
    runtime.reset_max_memory_reserved()
    assert runtime.max_memory_reserved() == runtime.memory_reserved()


def test_one_peak_is_reset_without_the_other() -> None:
    x = ops.zeros((MEGABYTE,), ms.float32)
    del x
    reserved = runtime.max_memory_reserved()
    runtime.reset_max_memory_allocated()
    assert runtime.max_memory_allocated() == runtime.memory_allocated()
    assert runtime.max_memory_reserved() == reserved


def test_the_summary_has_a_line_for_each_number() -> None:
    keep = ops.zeros((3 * MEGABYTE,), ms.float32)
    lines = runtime.memory_summary().splitlines()
    labels = [line.split("  ")[0] for line in lines[2:]]
    assert labels == [
        "Reserved memory",
        "Allocated memory",
        "Idle memory",
        "Max reserved memory",
        "Max allocated memory",
    ]
    assert len({len(line) for line in lines[1:]}) == 1
    assert lines[3].split()[-1] in ("MB", "GB")
    assert keep.size == 3 * MEGABYTE


def test_nothing_waits_for_work_that_has_ended() -> None:
    y = ops.exp(ops.zeros((4,), ms.float32))
    runtime.synchronize()
    assert y.asnumpy().tolist() == [1, 1, 1, 1]
