"""The caching allocator as memory_stats shows it."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import TensorBase
from tests.native.callbacks import FLOAT32, UINT8

pytestmark = pytest.mark.compiler


def stats() -> dict[str, int]:
    return _native.memory_stats()


def test_freed_blocks_are_used_again() -> None:
    first = TensorBase.empty((12345,), FLOAT32)
    pointer = first.data_ptr
    del first
    before = stats()
    again = TensorBase.empty((12340,), FLOAT32)
    assert again.data_ptr == pointer
    after = stats()
    assert after["system_blocks"] == before["system_blocks"]
    assert after["hits"] > before["hits"]


@pytest.mark.parametrize(
    "size", [0, 1, 63, 64, 65, 256, 257, 4096, 4097, 10**5, 2**20, 2**20 + 1, 3 * 2**20 + 7, 5 * 2**21]
)
def test_blocks_are_large_enough_and_counted(size: int) -> None:
    before = stats()["in_use"]
    made = TensorBase.empty((size,), UINT8)
    made.asnumpy()[:] = 255
    used = stats()["in_use"] - before
    assert size <= used <= max(size * 1.25 + 256, 128)
    assert made.data_ptr % 64 == 0
    del made
    assert stats()["in_use"] == before


def test_peak_follows_the_largest_use() -> None:
    before = stats()["peak"]
    made = TensorBase.empty((before + 1,), UINT8)
    assert stats()["peak"] >= before + 1 + stats()["in_use"] - made.nbytes * 1.25
    assert stats()["peak"] > before


def test_trim_gives_the_cache_back() -> None:
    del_me = TensorBase.empty((10**6,), UINT8)
    del del_me
    assert stats()["cached"] >= 10**6
    _native.memory_trim()
    assert stats()["cached"] == 0
    assert TensorBase.empty((10**6,), UINT8).size == 10**6


def test_the_cache_is_bounded() -> None:
    current = stats()
    assert 0 <= current["cached"] <= current["limit"]
    huge = TensorBase.empty((current["limit"] + 1,), UINT8)
    del huge
    assert stats()["cached"] == current["cached"]


def test_threads_allocate_at_once() -> None:
    before = stats()["in_use"]
    wrong: list[int] = []

    def work(seed: int) -> None:
        sizes = np.random.default_rng(seed).integers(1, 20_000, 100)
        for _ in range(10):
            made = [(TensorBase.empty((int(s),), UINT8), int(s) % 251) for s in sizes]
            for tensor, value in made:
                tensor.asnumpy()[:] = value
            wrong.extend(1 for tensor, value in made if not (tensor.asnumpy() == value).all())

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert stats()["in_use"] == before
