"""Values without elements inside branches and loops: nothing computes them, and what reads them still runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor


def summed(rows: Any, n: Any) -> Any:
    total, i, last = n * 0.0, 0, rows[0]
    while i < n:
        last = rows[i]
        total = total + (rows[i] * 2.0).sum() + 1.0
        i = i + 1
    return total, last


def chosen(rows: Any, n: Any) -> Any:
    if n > 2:
        return (rows[n] + 1.0).sum() + n, rows[n]
    return n * 1.0, rows[0]


@pytest.mark.parametrize("backend", ["cpu", "reference"])
@pytest.mark.parametrize(("program", "wanted"), [(summed, 3.0), (chosen, 3.0)])
def test_rows_without_elements(program: Any, wanted: float, backend: str) -> None:
    total, row = ms.jit(program, backend=backend)(Tensor(np.zeros((4, 0), np.float32)), Tensor(3))
    assert total.asnumpy() == wanted
    assert row.shape == (0,)


@pytest.mark.parametrize("program", [summed, chosen])
def test_their_gradients_are_empty(program: Any) -> None:
    rows = Tensor(np.zeros((4, 0), np.float32))
    gradient = ms.jit(ms.grad(lambda v, n: program(v, n)[0]))(rows, Tensor(3))
    assert gradient.shape == (4, 0)
