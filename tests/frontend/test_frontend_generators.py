"""Generators give their elements one by one, in the order of all effects, as in Python."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor
from mindspore.infer.generators import THREAD
from tests.frontend import generator_programs as programs
from tests.outcomes import same

pytestmark = pytest.mark.compiler
X = np.asarray([1.0, 2.0, 3.0], np.float32)


def waiting() -> list[threading.Thread]:
    """The threads of generators that did not end."""
    return [thread for thread in threading.enumerate() if thread.name == THREAD]


@pytest.mark.parametrize("program", programs.PROGRAMS)
@pytest.mark.parametrize("sign", [1, -1])
def test_generators(program: Any, sign: int, capsys: pytest.CaptureFixture[str]) -> None:
    if program is not programs.in_loops_of_run_time or sign > 0:
        same(lambda: program, capsys, Tensor(X * sign))
    assert not waiting()


def test_generators_of_cells() -> None:
    ms.set_context(mode=ms.GRAPH_MODE)
    found = programs.Stacked()(Tensor(X))
    ms.set_context(mode=ms.PYNATIVE_MODE)
    np.testing.assert_allclose(found.asnumpy(), np.tanh(X), rtol=1e-6)


@pytest.mark.parametrize(("program", "message"), programs.REFUSED)
def test_refusals(program: Any, message: str) -> None:
    place = "" if program is programs.leaving else r"line \d+, column \d+.*"
    with pytest.raises((TypeError, ValueError), match=f"(?s){place}{message}"):
        ms.jit(program)(Tensor(X))
    assert not waiting()
