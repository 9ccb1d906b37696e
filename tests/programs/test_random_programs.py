"""Random programs give the same results, Parameters and gradients eagerly, compiled for each back end, and as plain Python over numpy.

``MS_RANDOM_PROGRAMS`` is how many programs of each kind are tried; a long run sets it to thousands.
"""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from itertools import count
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from tests.programs import plain, worlds
from tests.programs.writer import Writer

PROGRAMS = int(os.environ.get("MS_RANDOM_PROGRAMS", "120"))
MARGIN = 1e-3
"""Programs with a comparison closer than this to deciding otherwise are not judged."""
EXACT = 1e-9
"""All run in float64 and may add in another order."""
SLOPES = 1e-5
"""Central differences of float64 values with a step of 1e-6."""
WEIGHTS = (np.array(0.5), np.array([0.25, 1.0, -0.5]))
NUMBERS = st.sampled_from([-1.25, -0.75, -0.5, 0.25, 0.5, 0.875, 1.5])
ARGUMENTS = st.tuples(NUMBERS, NUMBERS, st.lists(NUMBERS, min_size=3, max_size=3), st.integers(0, 4).map(np.int64))
FILES = count()


@pytest.mark.parametrize("cell", [False, True], ids=["function", "cell"])
def test_every_world_agrees(cell: bool) -> None:
    @settings(
        max_examples=PROGRAMS,
        deadline=None,
        derandomize="MS_RANDOM_PROGRAMS" not in os.environ,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.shrink],
    )
    @given(st.randoms(use_true_random=False), ARGUMENTS)
    def agree(choose: random.Random, arguments: tuple[Any, ...]) -> None:
        _agree(Writer(choose, cell).source(), arguments, WEIGHTS if cell else ())

    agree()


def _agree(source: str, arguments: tuple[Any, ...], weights: tuple[Any, ...]) -> None:
    number = next(FILES)
    expected = plain.define(source, plain.NAMES, f"plain_{number}.py")
    program = plain.define(source, worlds.NAMES, f"program_{number}.py")
    outcome = plain.run(expected, arguments, weights)
    assume(outcome.margin > MARGIN)
    slopes = plain.slopes(expected, arguments, weights)
    for world in worlds.WORLDS:
        found = worlds.run(program, arguments, world)
        what = f"{world} with {arguments}:\n{source}"
        _close([found.result, *found.state], [outcome.result, *outcome.state], EXACT, what)
        _close(found.gradients, slopes, SLOPES, f"gradients, {what}")


def _close(found: Sequence[Any], wanted: Sequence[Any], tolerance: float, what: str) -> None:
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance / 10, err_msg=what)


def test_the_plain_run_notices_comparisons() -> None:
    program = plain.define("def f(a, b, u, n):\n    return a if a < b else b\n", plain.NAMES, "margin.py")
    outcome = plain.run(program, (1.0, 1.25, [0.0], 1))
    assert (outcome.result, outcome.margin) == (1.0, 0.25)
    assert [s.tolist() for s in plain.slopes(program, (1.0, 1.25, [0.0], 1), wrt=2)] == [pytest.approx(1.0), 0.0]


def test_programs_are_rich() -> None:
    """What the writer is meant to write, it does write."""
    text = "".join(Writer(random.Random(seed), bool(seed % 2)).source() for seed in range(300))
    wanted = [
        " while ",
        " for ",
        "break",
        "continue",
        "return",
        "lambda",
        "nonlocal",
        "self.s =",
        "elif",
        "else:",
        ".append(",
        " and ",
    ]
    assert [w for w in wanted if w not in text] == []
