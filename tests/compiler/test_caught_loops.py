"""What a run-time loop raises is caught by a ``try`` around it, as in PYNATIVE mode, with its text, its effects and its gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor
from tests.compiler import caught_loop_programs as programs
from tests.outcomes import same

pytestmark = pytest.mark.compiler
Capture = pytest.CaptureFixture[str]
INPUTS = [((1.0, 1.0), 2), ((1.0, 1.0), 6), ((4.0, 4.0), 3)]


@pytest.fixture(autouse=True)
def pynative() -> None:
    """Only what is marked is compiled."""
    ms.set_context(mode=ms.PYNATIVE_MODE)


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_caught(program: Callable[..., Any], capsys: Capture) -> None:
    for x, n in INPUTS:
        same(lambda: program, capsys, Tensor(np.asarray(x)), Tensor(n))


@pytest.mark.parametrize("n", [3, 40])
def test_parameters_keep_what_was_written(n: int, capsys: Capture) -> None:
    same(programs.Counting, capsys, Tensor(np.asarray([1.0, 0.0])), Tensor(n))


@pytest.mark.parametrize("program", programs.PROGRAMS)
def test_gradients(program: Callable[..., Any]) -> None:
    def total(x: Any, n: Any) -> Any:
        return (program(x, n) ** 2).sum()

    compiled: Any = ms.jit(lambda x, n: ms.grad(total)(x, n))
    for x, n in INPUTS[1:3]:
        found = compiled(Tensor(np.asarray(x)), Tensor(n))
        wanted = ms.grad(total)(Tensor(np.asarray(x)), Tensor(n))
        np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-12)


def test_graphs_of_such_loops_are_sound(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("MS_DEV_DEBUG", "1")  # verifies after each pass
    same(lambda: programs.with_run_time_text, capsys, Tensor([1.0, 1.0]), Tensor(4))
