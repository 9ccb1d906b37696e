"""Fewer garbage collections while something makes many objects that live on: each would look at all of them again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

RARE = 200_000
"""Objects made between two collections meanwhile. A compilation makes few cycles."""

_lock = Lock()
_inside: list[tuple[int, int, int]] = []
"""The thresholds before, once for each thread or call that is inside."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """While it lasts, in any thread, Python collects garbage less often; it does so again as before when the last one leaves."""
    with _lock:
        before = _inside[0] if _inside else gc.get_threshold()
        _inside.append(before)
        if 0 < before[0] < RARE:
            gc.set_threshold(RARE, *before[1:])
    try:
        yield
    finally:
        with _lock:
            _inside.pop()
            if not _inside:
                gc.set_threshold(*before)
