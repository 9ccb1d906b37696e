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


def raises_deep_down(x: Any, n: Any) -> Any:
    if n > 9:
        raise ValueError("too deep")
    return x if x.sum() > 100 else raises_deep_down(x + 1, n + 1)


def catches_what_a_recursive_function_raises(x: Any, n: Any) -> Any:
    try:
        return raises_deep_down(x, n)
    except ValueError:
        return x


def test_raising_in_a_recursive_function_inside_try_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"(?s)line \d+, column 9.*raise ValueError.*function that calls itself.*outside of it"
    ):
        ms.jit(catches_what_a_recursive_function_raises)(Tensor([1.0]), Tensor(0))


def checked_outside(x: Any, n: Any) -> Any:
    """The way out that the refusal shows."""
    if n > 9:
        return x
    return x if x.sum() > 100 else checked_outside(x + 1, n + 1)


def test_the_condition_can_be_checked_outside_of_the_try() -> None:
    assert ms.jit(checked_outside)(Tensor([1.0]), Tensor(0)).asnumpy().tolist() == [11.0]


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
