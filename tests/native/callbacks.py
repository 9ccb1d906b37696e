"""Kernels written in Python through ctypes, and the Runtime table as ctypes sees it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import POINTER, c_char_p, c_int32, c_int64, c_void_p
from typing import Any

import numpy as np

from mindspore import _native

KERNEL = ctypes.CFUNCTYPE(c_int32, c_void_p, POINTER(c_void_p), POINTER(c_int64))
ENTRY = ctypes.CFUNCTYPE(c_int32, c_void_p, POINTER(c_void_p))
RANGE = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_int64, c_int64)

BOOL, INT32, INT64, UINT8, FLOAT16, FLOAT32, FLOAT64, BFLOAT16, COMPLEX64 = 0, 3, 4, 5, 9, 10, 11, 12, 13


class RuntimeTable(ctypes.Structure):
    """``struct Runtime`` of runtime_abi.h."""

    _fields_ = (
        ("version", c_int64),
        ("threads", c_int64),
        ("parallel_for", ctypes.CFUNCTYPE(c_int32, c_void_p, c_int64, c_int64, RANGE, c_void_p)),
        ("scratch", ctypes.CFUNCTYPE(c_void_p, c_void_p, c_int64)),
        ("allocate", ctypes.CFUNCTYPE(c_void_p, c_void_p, c_int64)),
        ("release", ctypes.CFUNCTYPE(None, c_void_p, c_void_p)),
        ("fail", ctypes.CFUNCTYPE(c_int32, c_void_p, c_int32, c_char_p)),
        ("cancel", POINTER(c_int32)),
        ("grow", ctypes.CFUNCTYPE(c_void_p, c_void_p, c_void_p, c_int64, c_int64)),
        ("mark", ctypes.CFUNCTYPE(c_int64, c_void_p)),
        ("rewind", ctypes.CFUNCTYPE(None, c_void_p, c_int64)),
        ("enter", ctypes.CFUNCTYPE(c_void_p, c_void_p, c_int64, c_char_p)),
        ("leave", ctypes.CFUNCTYPE(None, c_void_p)),
        ("emit", ctypes.CFUNCTYPE(c_int32, c_void_p, c_int64, c_int64, POINTER(c_void_p))),
        ("features", c_int64),
    )


def runtime() -> RuntimeTable:
    return RuntimeTable.from_address(_native.runtime_address())


def parallel_for(total: int, grain: int, body: Callable[[int, int], object]) -> int:
    """Runs ``body(begin, end)`` over the chunks; ctypes gives the GIL up meanwhile, so that other threads can run the body."""
    fn = RANGE(lambda _rt, _context, begin, end: body(begin, end) and None)
    code: int = runtime().parallel_for(_native.runtime_address(), total, grain, fn, None)
    return code


def address(callback: Any) -> int:
    found = ctypes.cast(callback, c_void_p).value
    assert found is not None
    return found


def array_at(pointer: int, count: int, dtype: str = "f4") -> np.ndarray[Any, Any]:
    """The memory at `pointer` as an array."""
    size = count * np.dtype(dtype).itemsize
    return np.frombuffer(memoryview((ctypes.c_char * size).from_address(pointer)), dtype)


def kernel(body: Callable[[Sequence[int], Sequence[int]], int]) -> Any:
    """A kernel from ``body(buffer addresses, params)``; keep the result alive while plans use it."""
    return KERNEL(lambda _rt, buffers, params: body(buffers, params))


def entry(body: Callable[[Sequence[int]], int]) -> Any:
    """An entry of an Executable from ``body(slots)``."""
    return ENTRY(lambda _rt, slots: body(slots))


def _add(buffers: Sequence[int], params: Sequence[int]) -> int:
    count, step = params[0], params[1]
    right = array_at(buffers[1], count if step else 1)
    array_at(buffers[2], count)[:] = array_at(buffers[0], count) + right
    return 0


ADD = kernel(_add)
"""float32 addition; params: count, and 0 when the right operand is one number."""


def add_plan(shape: tuple[int, ...], number: bool = False) -> _native.Plan:
    """A plan for ``float32 tensor + float32 tensor`` or, with `number`, ``+ Python number``."""
    count = int(np.prod(shape))
    numbers = [(1, FLOAT32)] if number else []
    step = (address(ADD), [0, 1, 2], [count, 0 if number else 1])
    return _native.Plan(2, [(FLOAT32, shape)], [], [], numbers, [step], [], True, ADD)


def tensor(values: Any, dtype: str = "f4") -> Any:
    return _native.TensorBase.from_numpy(np.asarray(values, dtype), True)


def simple_plan(
    body: Callable[[Sequence[int], Sequence[int]], int] | None, operands: int = 1, **changes: Any
) -> _native.Plan:
    """A plan with one float32 output of 2 elements and one step over operands and output, `changes` applied."""
    fn = kernel(body) if body else None
    step = [(address(fn), list(range(operands + 1)), [2])] if fn else []
    description: dict[str, Any] = {
        "operands": operands, "outputs": [(FLOAT32, (2,))], "temporaries": [], "constants": [], "numbers": [],
        "steps": step, "aliases": [], "single": True, "keepalive": fn,
    }  # fmt: skip
    return _native.Plan(**(description | changes))
