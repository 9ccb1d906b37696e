"""How much memory gradients of loops need: each function runs in a process of its own, because the peak is counted for the process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mindspore as ms
from mindspore import _native, ops
from tests.compiler.test_loop_gradients import double, integer, rooted, trained, while_loop

MARGIN = 1 << 16


def needed(function: Callable[..., Any], few: tuple[Any, ...], many: tuple[Any, ...]) -> int:
    """Bytes that a call with the arguments `many` takes at most beyond those in use, and of which it gives all back."""
    run = ms.jit(function)
    run(*few)
    before = _native.memory_stats()
    run(*many)
    after = _native.memory_stats()
    assert after["in_use"] <= before["in_use"] + 4096
    assert after["peak"] > before["peak"] or before["peak"] - before["in_use"] < MARGIN
    return after["peak"] - before["in_use"]


def million_turns() -> None:
    """Eight bytes a turn, and room to grow: no stack."""
    x = double(0.7)
    used = needed(ms.grad(while_loop), (x, integer(1)), (x, integer(1_000_000)))
    assert 8_000_000 <= used < 32_000_000, used


def training() -> None:
    """A loop whose steps differentiate a loop needs the memory of one step."""
    w, x, turns = double(0.7), double(0.4), integer(1000)
    used = needed(trained, (w, x, integer(1), turns), (w, x, integer(2000), turns))
    assert used < MARGIN, used


def conditions() -> None:
    """A condition that differentiates a loop needs its memory once."""
    x, turns = double(0.7), integer(1000)
    used = needed(rooted, (x, double(10.0), turns), (x, double(1e-6), turns))
    assert used < MARGIN, used


def many_short(x: Any, n: Any, inner: Any) -> Any:
    for _ in range(n):
        y = x
        for _ in range(inner):
            y = ops.sin(y) + 0.1
        x = x * 0.5 + y * 0.3
    return x


def short_loops() -> None:
    """Loops of two turns inside a long one cost some hundred bytes each."""
    x, inner = double(0.7), integer(2)
    used = needed(ms.grad(many_short), (x, integer(1), inner), (x, integer(100_000), inner))
    assert used < 100_000 * 512, used
