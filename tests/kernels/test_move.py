"""Copies of strided boxes, and fills."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from mindspore.kernels import move
from mindspore.kernels.target import Isa
from mindspore.primitives.compute import Copy
from tests.kernels.native import Library, Runtime, library, runnable

LEVELS = [pytest.param(isa, id=isa.name) for isa in runnable()]
TYPES = {1: "i1", 2: "i2", 4: "f4", 8: "f8", 16: "c16"}


@pytest.fixture(scope="module", params=LEVELS)
def moves(request: pytest.FixtureRequest) -> Library:
    isa: Isa = request.param
    return library([make(n) for make in (move.copy_spec, move.transpose_spec, move.fill_spec) for n in move.SIZES], isa)


def elements(array: np.ndarray[Any, Any]) -> tuple[int, ...]:
    return tuple(s // array.itemsize for s in array.strides)


def copy(moves: Library, box: Copy, source: np.ndarray[Any, Any], target: np.ndarray[Any, Any]) -> str:
    found = move.box_call(box, source.itemsize)
    assert found is not None
    spec, params = found
    moves.run(spec.name, [source, target], params, Runtime(2, backwards=True))
    return spec.name


@pytest.mark.parametrize("itemsize", TYPES)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (40, 70), (3, 33, 65), (2, 3, 4, 5), (1, 7, 1), (2, 200, 300)])
def test_every_permutation(moves: Library, itemsize: int, shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod(shape)).astype(TYPES[itemsize]).reshape(shape)
    for order in itertools.permutations(range(len(shape))):
        turned = x.transpose(order)
        out = np.zeros(turned.shape, x.dtype)
        copy(moves, Copy(0, turned.shape, 0, elements(turned), 0, elements(out)), x, out)
        np.testing.assert_array_equal(out, turned)


@pytest.mark.parametrize("itemsize", TYPES)
@pytest.mark.parametrize("shape", [(5,), (3, 4), (40, 70), (2, 3, 4, 5)])
def test_reversed_input_into_every_second_element(moves: Library, itemsize: int, shape: tuple[int, ...]) -> None:
    x = np.arange(1, np.prod(shape) + 1).astype(TYPES[itemsize]).reshape(shape)
    room = np.zeros([2 * n + 3 for n in shape], x.dtype)
    window = room[tuple(slice(2, 2 + 2 * n, 2) for n in shape)]
    offset = (window.ctypes.data - room.ctypes.data) // x.itemsize
    box = Copy(0, shape, x.size - 1, tuple(-s for s in elements(x)), offset, elements(window))
    copy(moves, box, x, room)
    np.testing.assert_array_equal(window, x[tuple(slice(None, None, -1) for _ in shape)])
    assert np.count_nonzero(room) == np.count_nonzero(x)


def test_broadcast_and_large_contiguous_copies(moves: Library) -> None:
    x = np.arange(500, dtype=np.float32)
    wide = np.broadcast_to(x, (300, 500))
    out = np.zeros((300, 500), np.float32)
    copy(moves, Copy(0, (300, 500), 0, elements(wide), 0, elements(out)), x, out)
    np.testing.assert_array_equal(out, wide)
    big = np.arange(300_000, dtype=np.float32)
    target = np.zeros_like(big)
    copy(moves, move.contiguous_box(big.size), big, target)
    np.testing.assert_array_equal(target, big)


def test_transposes_take_the_tiled_kernel(moves: Library) -> None:
    x = np.arange(64 * 96, dtype=np.float32).reshape(64, 96)
    out = np.zeros((96, 64), np.float32)
    assert "transpose" in copy(moves, Copy(0, (96, 64), 0, (1, 96), 0, (64, 1)), x, out)
    np.testing.assert_array_equal(out, x.T)


def test_empty_boxes_need_no_call() -> None:
    assert move.box_call(Copy(0, (3, 0), 0, (1, 1), 0, (1, 1)), 4) is None


@pytest.mark.parametrize("itemsize", TYPES)
def test_fill_writes_exactly_the_elements(moves: Library, itemsize: int) -> None:
    for count in (0, 1, 1000, 200_000):
        out = np.zeros(count + 3, TYPES[itemsize])
        value = np.array(-7 + (0 if itemsize < 16 else 2j)).astype(out.dtype)
        params = move.fill_params(count, value.tobytes())
        moves.run(move.fill_spec(itemsize).name, [out], params, Runtime(2, backwards=True))
        np.testing.assert_array_equal(out[:count], value)
        np.testing.assert_array_equal(out[count:], 0)
