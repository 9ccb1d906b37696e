"""Both execution modes as a fixture, and finite differences to hold gradients against."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import nn
from mindspore.context import reset_context


@pytest.fixture(params=["pynative", "graph"])
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """The test runs in each mode."""
    ms.set_context(mode=ms.GRAPH_MODE if request.param == "graph" else ms.PYNATIVE_MODE)
    yield request.param
    reset_context()


@pytest.fixture
def graph_mode() -> Iterator[None]:
    ms.set_context(mode=ms.GRAPH_MODE)
    yield
    reset_context()


@pytest.fixture(autouse=True)
def fresh_context() -> Iterator[None]:
    """Settings that a test changes do not reach the next one."""
    yield
    reset_context()


def numeric_gradient(function: Callable[..., Any], *arrays: Any, step: float = 1e-5) -> list[Any]:
    """Central differences of the sum of what `function` of float64 tensors returns, for each array."""
    gradients = []
    for which, array in enumerate(arrays):
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            moved = [np.array(a) for a in arrays]
            moved[which][place] += step
            above = function(*map(ms.Tensor, moved)).asnumpy().sum()
            moved[which][place] -= 2 * step
            slope[place] = (above - function(*map(ms.Tensor, moved)).asnumpy().sum()) / (2 * step)
        gradients.append(slope)
    return gradients


class Call(nn.Cell):
    """A function as a network, so that it runs in the mode that is set."""

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, *inputs: Any) -> Any:
        return self.function(*inputs)


def run(function: Callable[..., Any], *arrays: Any) -> Any:
    """What `function` of tensors of `arrays` returns, as an array."""
    return Call(function)(*map(ms.Tensor, arrays)).asnumpy()
