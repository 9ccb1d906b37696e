"""No two live buffers overlap, whatever the order of taking and giving back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindspore.kernels.arena import ALIGNMENT, Arena, rounded_up


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2000), st.booleans(), st.integers(0, 50)), max_size=60))
def test_live_buffers_do_not_overlap(actions: list[tuple[int, bool, int]]) -> None:
    arena = Arena()
    live: dict[int, int] = {}
    for nbytes, give, which in actions:
        if give and live:
            offset = sorted(live)[which % len(live)]
            arena.give(offset)
            del live[offset]
            continue
        offset = arena.take(nbytes)
        assert offset % ALIGNMENT == 0
        assert all(offset + rounded_up(nbytes) <= o or o + n <= offset for o, n in live.items())
        live[offset] = rounded_up(nbytes)
        assert offset + rounded_up(nbytes) <= arena.size


def test_the_smallest_hole_that_fits_is_taken() -> None:
    arena = Arena()
    first, _, third, _ = arena.take(640), arena.take(64), arena.take(128), arena.take(64)
    arena.give(first)
    arena.give(third)
    assert arena.take(100) == third
    assert arena.take(100) == first


def test_neighbouring_holes_join() -> None:
    arena = Arena()
    offsets = [arena.take(64) for _ in range(4)]
    for offset in (offsets[0], offsets[2], offsets[1]):
        arena.give(offset)
    assert arena.take(192) == offsets[0]
    assert arena.size == 256


def test_a_buffer_is_given_back_once() -> None:
    arena = Arena()
    offset = arena.take(1)
    arena.give(offset)
    with pytest.raises(KeyError):
        arena.give(offset)
