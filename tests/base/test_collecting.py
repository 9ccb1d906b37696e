"""Garbage collections are rarer for a while, and as before afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from mindspore.base.collecting import RARE, rare_collections


@pytest.fixture(autouse=True)
def _thresholds() -> Iterator[None]:
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)


def test_collections_are_rarer_until_the_outermost_ends() -> None:
    gc.set_threshold(700, 10, 10)
    with rare_collections():
        assert gc.get_threshold()[0] == RARE
        with rare_collections():
            assert gc.get_threshold()[0] == RARE
        assert gc.get_threshold()[0] == RARE
    assert gc.get_threshold() == (700, 10, 10)


def test_an_error_ends_it_too() -> None:
    gc.set_threshold(700, 10, 10)
    with pytest.raises(ValueError, match="inside"), rare_collections():
        raise ValueError("inside")
    assert gc.get_threshold() == (700, 10, 10)


@pytest.mark.parametrize("first", [0, RARE + 1])
def test_collections_that_are_off_or_rarer_stay_so(first: int) -> None:
    gc.set_threshold(first, 5, 5)
    with rare_collections():
        assert gc.get_threshold()[0] == first
    assert gc.get_threshold() == (first, 5, 5)
