"""Equal layers that write, branch, loop, recurse and call hooks do all of it as often and in the order of their calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from tests.nn.equal_layers import SIZE, Block, agree, chain

pytestmark = pytest.mark.compiler


class Counted(Block):
    """Writes a Parameter that no gradient reaches, and reads it after that."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Parameter(Tensor(np.ones(SIZE, np.float32)), requires_grad=False)
        self.batch = nn.BatchNorm1d(SIZE)

    def construct(self, x: Any) -> Any:
        self.seen = self.seen * 0.9 + ops.stop_gradient(x).mean(0)
        return super().construct(self.batch(x)) * self.seen


@pytest.mark.parametrize("training", [True, False])
def test_layers_that_write_parameters(training: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(Counted() for _ in range(4))), monkeypatch, training=training)


def test_a_shared_counter_is_written_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Cell:
        blocks = [Counted() for _ in range(4)]
        for block in blocks[1:]:
            block.seen = blocks[0].seen
        return chain(*blocks)

    agree(make, monkeypatch)


class Branching(Block):
    def construct(self, x: Any) -> Any:
        y = super().construct(x)
        if y.sum() > 0:
            y = ops.tanh(self.first(y))
        for _ in range(3):
            y = y * 0.9 + self.scale
        while ops.abs(y).max() > 2:
            y = y * 0.5 + self.second(y) * 0.01
        return y


def test_branches_and_loops_inside_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(Branching() for _ in range(4))), monkeypatch)


class Deep(Block):
    def below(self, x: Any, n: Any) -> Any:
        return x if n <= 0 else self.below(ops.tanh(self.first(x)), n - 1)

    def construct(self, x: Any) -> Any:
        return super().construct(self.below(x, ops.abs(x).sum().astype(ms.int32) % 3))


def test_recursion_inside_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(Deep() for _ in range(3))), monkeypatch)


def test_hooks_of_single_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Cell:
        blocks = [Block() for _ in range(6)]
        blocks[1].register_forward_hook(lambda cell, inputs, output: output * 2.0)
        blocks[2].register_backward_hook(lambda cell, given, wanted: (given[0] * 3.0,))
        blocks[4].register_forward_pre_hook(lambda cell, inputs: (inputs[0] + 1.0,))
        return chain(*blocks)

    agree(make, monkeypatch)


class Hooked(Block):
    def construct(self, x: Any) -> Any:
        y = super().construct(x)
        y.register_hook(lambda gradient: gradient * 2.0)
        return y * 1.5


def test_hooks_on_tensors_inside_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(Hooked() for _ in range(3))), monkeypatch)


class Kept(Block):
    """Assigns an attribute, which the next call reads."""

    def __init__(self) -> None:
        super().__init__()
        self.before: Any = None

    def construct(self, x: Any) -> Any:
        y = super().construct(x if self.before is None else x + self.before)
        self.before = y
        return y


def test_attributes_that_layers_assign(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Cell:
        first, second = Kept(), Kept()
        return chain(first, second, first, second, Block(), Block())

    agree(make, monkeypatch, steps=1)
