"""Networks of equal layers: one layer is interpreted, differentiated and simplified for all of them, and nothing else changes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore.compiler.times import compile_times
from tests.nn.equal_layers import SIZE, Block, agree, chain, data, filled

pytestmark = pytest.mark.compiler


def parsed() -> int:
    """How many functions the newest compilation entered."""
    return next(each.runs for each in compile_times() if each.name == "parse")


def test_the_functions_of_equal_layers_are_entered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def entered(layers: int) -> int:
        net = chain(*(Block() for _ in range(layers)))
        ms.jit(ms.grad(lambda x: net(x).sum(), None, ms.ParameterTuple(net.trainable_params())))(data(4, SIZE))
        return parsed()

    few = entered(2)
    assert entered(12) == few
    monkeypatch.setenv("MS_DEV_REUSE", "0")
    assert entered(12) > 4 * few


def test_dropout_draws_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(Block(0.3) for _ in range(4))), monkeypatch)


def test_layers_that_differ_in_a_constant_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(Block(scale=0.5 + (i == 3)) for i in range(5))), monkeypatch)
    agree(lambda: chain(*(Block(rate=0.1 * (i == 2)) for i in range(5))), monkeypatch)


def test_layers_that_differ_in_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Cell:
        blocks = [Block() for _ in range(4)]
        blocks[2].norm = nn.LayerNorm((SIZE,), epsilon=0.1)
        blocks[3].second = nn.Dense(SIZE, SIZE, has_bias=False)
        return chain(*blocks)

    agree(make, monkeypatch)


class Doubled(nn.Cell):
    """Two equal blocks around a third."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.CellList([Block(), Block()])
        self.last = Block()

    def construct(self, x: Any) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.last(x) * 0.5 + x


def test_layers_in_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(Doubled(), Block(), Doubled(), Block(), Doubled()), monkeypatch)


def test_a_parameter_in_two_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Cell:
        blocks = [Block() for _ in range(4)]
        blocks[2].first.weight = blocks[1].first.weight
        return chain(*blocks)

    agree(make, monkeypatch)


def test_a_parameter_twice_in_one_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(which: tuple[int, ...]) -> nn.Cell:
        blocks = [Block() for _ in range(4)]
        for i in which:
            blocks[i].second.weight = blocks[i].first.weight
        return chain(*blocks)

    agree(lambda: make((1,)), monkeypatch)
    agree(lambda: make((0, 2)), monkeypatch)
    agree(lambda: make((0, 1, 2, 3)), monkeypatch)


def test_one_layer_several_times(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Cell:
        block = Block()
        return chain(block, block, Block(), block)

    agree(make, monkeypatch)


class Pairs(Block):
    """Several arguments and results, among them the same tensor twice."""

    def construct(self, pair: Any, twice: Any = None, factor: Any = 1.0) -> Any:
        x, count = pair
        y = super().construct(x) * factor
        return (y, count + 1) if twice is None else (y + twice, count)


class WithConstants(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.CellList([Pairs() for _ in range(4)])

    def construct(self, x: Any) -> Any:
        for i, layer in enumerate(self.layers):
            x, _ = layer((x, 0), None, Tensor(0.5 + 0.25 * i))
        return x


def test_constants_made_in_the_graph_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(WithConstants, monkeypatch)


class Windowed(Block):
    """Takes a slice between two integers, and a number that may be known."""

    def construct(self, x: Any, start: Any = None, stop: Any = None, factor: Any = 1.0) -> Any:
        part = x[start:stop]
        return super().construct(x) * factor + part.sum() * part.shape[0]


class OfWindowed(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.CellList([Windowed() for _ in range(4)])

    def construct(self, x: Any) -> Any:
        start = (ops.abs(x).sum() * 0.0).astype(ms.int32)
        for i, layer in enumerate(self.layers):
            x = ops.tanh(layer(x, start, start + 1 + i % 3, ops.zeros_like(Tensor(1.0)) + Tensor(0.5 + i)))
        return x


def test_integers_that_bound_slices_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(OfWindowed, monkeypatch)


class Scaled(Block):
    def __init__(self) -> None:
        super().__init__()
        self.factor = Parameter(Tensor(2.0), requires_grad=False)

    def construct(self, x: Any) -> Any:
        return super().construct(x) * self.factor


class OfScaled(nn.Cell):
    """Assigns constants to Parameters of its layers between their calls."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = Scaled(), Scaled()

    def construct(self, x: Any) -> Any:
        x = self.first(x)
        self.first.factor = 0.5
        x = self.first(x)
        self.second.factor = 0.25
        x = self.second(x)
        self.second.factor = x.mean()
        return self.second(x)


def test_parameters_that_hold_constants_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(OfScaled, monkeypatch)


class Listed(Block):
    """Holds a list, an object and a Tensor, and gives back a list."""

    def __init__(self, power: int) -> None:
        super().__init__()
        self.powers = [1, power]
        self.mask = Tensor(np.full(SIZE, float(power), np.float32))
        self.settings = Settings(power)

    def construct(self, x: Any) -> Any:
        y = super().construct(x) * self.mask
        for power in self.powers:
            y = y + 0.01 * x**power
        return [y * self.settings.factor, y]


class Settings:
    def __init__(self, power: int) -> None:
        self.factor = 0.1 * power


class OfListed(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.CellList([Listed(p) for p in (2, 2, 3, 2, 3)])

    def construct(self, x: Any) -> Any:
        for layer in self.layers:
            found = layer(x)
            found.append(x)
            x = ops.tanh(found[0] + found[1] * found[2])
        return x


def test_lists_objects_and_tensors_of_layers(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(OfListed, monkeypatch)


class OfPairs(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.CellList([Pairs() for _ in range(6)])

    def construct(self, x: Any) -> Any:
        a, b, c, d, e, f = self.layers
        pair = a((x, 0))
        pair = b(pair, factor=2.0)
        pair = c(pair, factor=2.0)
        pair = d(pair, pair[0])
        pair = e(pair, x)
        y, count = f(pair, pair[0])
        return y * count


def test_arguments_and_results_of_all_kinds(monkeypatch: pytest.MonkeyPatch) -> None:
    agree(OfPairs, monkeypatch)


def test_types_in_which_layers_compute(monkeypatch: pytest.MonkeyPatch) -> None:
    def make() -> nn.Cell:
        blocks = [Block() for _ in range(6)]
        for block in blocks[3:]:
            block.to_float(ms.float16)
        return chain(*blocks)

    agree(make, monkeypatch, steps=1)


def test_a_change_of_one_layer_is_noticed() -> None:
    net: Any = filled(chain(*(Block(0.5) for _ in range(8)))).set_train(False)
    x = data(3, SIZE)
    run: Any = ms.jit(lambda x: net(x))
    first = run(x).asnumpy()
    np.testing.assert_array_equal(run(x).asnumpy(), first)
    net[6].scale = 2.0
    changed = run(x).asnumpy()
    assert np.abs(changed - first).max() > 1e-3
    net[6].scale = 0.5
    np.testing.assert_array_equal(run(x).asnumpy(), first)
    net[6].set_train(True)
    assert np.abs(run(x).asnumpy() - first).max() > 1e-3
    net[6].set_train(False)
    net[6].first.weight.set_data(net[6].first.weight * 2.0)
    assert np.abs(run(x).asnumpy() - first).max() > 1e-3
