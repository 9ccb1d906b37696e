"""Inputs that share storage with a Parameter which the graph overwrites are still read as they were."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore import Parameter, Tensor, nn, ops
from mindspore.common.api import compile_now

pytestmark = pytest.mark.compiler


class Step(nn.Cell):
    """Writes the state before it reads the argument once more."""

    def __init__(self) -> None:
        super().__init__()
        self.state = Parameter(Tensor(np.arange(4, dtype=np.float32)), name="state")
        self.other = Parameter(Tensor(np.zeros(4, np.float32)), name="other")

    def construct(self, x: Any) -> Any:
        before = self.state * 1.0
        self.state = before + x
        return ops.reduce_sum(x * 2.0), self.state + self.other


def run(cell: Step, x: Any) -> tuple[Any, Any]:
    found: tuple[Any, Any] = compile_now(cell.construct, (x,), {}).run((x,), {})
    return found


def test_an_argument_that_is_a_view_of_the_written_parameter() -> None:
    cell = Step()
    view = cell.state.reshape((2, 2)).reshape((4,))
    assert view.data_ptr == cell.state.data_ptr
    total, after = run(cell, view)
    assert total.item() == 12.0
    assert after.tolist() == [0.0, 2.0, 4.0, 6.0]
    assert cell.state.tolist() == [0.0, 2.0, 4.0, 6.0]


def test_a_read_parameter_that_shares_storage_with_a_written_one() -> None:
    cell = Step()
    cell.other.set_storage(cell.state)
    _, after = run(cell, Tensor(np.ones(4, np.float32)))
    assert after.tolist() == [1.0, 3.0, 5.0, 7.0]


class Two(Step):
    def construct(self, x: Any) -> Any:
        self.state = self.state + x
        self.other = self.other * x
        return x


def test_two_written_parameters_may_not_share_storage() -> None:
    cell = Two()
    cell.other.set_storage(cell.state)
    with pytest.raises(RuntimeError, match="share storage and the graph writes both; give each its own copy"):
        run(cell, Tensor(np.ones(4, np.float32)))
