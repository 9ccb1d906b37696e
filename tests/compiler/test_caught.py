"""``try`` and ``with`` catch what is raised under conditions that only run time knows, as they do in PYNATIVE mode."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor
from tests.compiler import caught_programs as programs
from tests.modes import numeric_gradient
from tests.outcomes import same

pytestmark = pytest.mark.compiler
Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def pynative() -> None:
    """Only what is marked is compiled."""
    ms.set_context(mode=ms.PYNATIVE_MODE)


@pytest.mark.parametrize("program", programs.CAUGHT)
@pytest.mark.parametrize("x", [(1.0, 2.0, 3.5), (-1.0, 0.5, 0.25), (0.1, 0.2, 0.3), (0.5, 0.25, 0.0), (-9.0, 4.0, 1.0)])
def test_caught(program: Callable[..., Any], x: tuple[float, ...], capsys: Capture) -> None:
    same(lambda: program, capsys, Tensor(np.asarray(x, np.float32)))


@pytest.mark.parametrize("x", [1.0, -1.0])
def test_parameters_keep_what_was_written(x: float, capsys: Capture) -> None:
    same(programs.Stopping, capsys, Tensor([x, 0.0]))


@pytest.mark.parametrize("program", [programs.plain, programs.by_type, programs.nested, programs.positions])
@pytest.mark.parametrize("x", [(1.0, 2.0, 3.5), (-1.0, 0.5, 0.25), (0.1, 0.2, 0.3)])
def test_gradients(program: Any, x: tuple[float, ...]) -> None:
    def total(v: Any) -> Any:
        return (program(v) * v).sum()

    array = np.asarray(x)
    found = ms.jit(lambda v: ms.grad(total)(v))(Tensor(array))
    (wanted,) = numeric_gradient(total, array)
    np.testing.assert_allclose(found.asnumpy(), wanted, atol=1e-7)


def raises_in_a_loop(x: Any) -> Any:
    try:
        while x.sum() < 10:
            if x.sum() > 5:
                raise ValueError("too far")
            x = x + 1
    except ValueError:
        return x
    return x


def test_raising_in_a_loop_of_run_time_inside_try_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"(?s)line \d+, column 17.*raise ValueError.*loop that runs at run time.*outside of it"
    ):
        ms.jit(raises_in_a_loop)(Tensor([1.0]))


def many_conditions(x: Any) -> Any:
    total = x[0]
    try:
        for i in range(9):
            if x[i] > 0:
                if x[i] > 5:
                    raise ValueError("large")
                total = total + 1
    except ValueError:
        return total * 2
    return total


def test_very_many_ways_through_a_try_are_refused() -> None:
    with pytest.raises(ValueError, match="more than 100 ways through this try or with"):
        ms.jit(many_conditions)(Tensor(np.ones(9)))
