"""Networks of equal layers: one layer is interpreted, differentiated and simplified for all of them, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore.compiler.times import compile_times

Maker = Callable[[], nn.Cell]
SIZE = 6


@pytest.fixture(autouse=True)
def _compiled_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MS_COMPILER_CACHE_ENABLE", "0")


def data(*shape: int, seed: int = 0) -> Tensor:
    return Tensor(np.random.default_rng(seed).standard_normal(shape).astype(np.float32))


class Block(nn.Cell):
    """More operations than are copied to each call."""

    def __init__(self, rate: float = 0.0, scale: float = 0.5) -> None:
        super().__init__()
        self.first, self.second = nn.Dense(SIZE, SIZE), nn.Dense(SIZE, SIZE)
        self.norm = nn.LayerNorm((SIZE,))
        self.drop = nn.Dropout(p=rate)
        self.scale = scale

    def construct(self, x: Any) -> Any:
        y = ops.tanh(self.first(self.norm(x))) * self.scale
        y = self.drop(ops.sigmoid(self.second(y)) * y + ops.sin(x))
        return x + y / (1.0 + ops.exp(-y)) - ops.softmax(y, -1) * ops.cos(y)


def parsed() -> int:
    """How many functions the newest compilation entered."""
    return next(each.runs for each in compile_times() if each.name == "parse")


def filled(net: nn.Cell) -> nn.Cell:
    for i, each in enumerate(net.get_parameters()):
        if each.dtype == ms.float32:
            each.set_data(data(*each.shape, seed=i) * 0.3)
    return net


def trained(make: Maker, steps: int = 3, training: bool = True) -> list[np.ndarray]:
    """Losses and Parameters of a few steps."""
    ms.set_seed(1)
    net = filled(make()).set_train(training)
    optimizer = nn.Momentum(net.trainable_params(), 0.05, 0.9)
    gradient = ms.value_and_grad(lambda x: (net(x) ** 2).mean(), None, optimizer.parameters)

    @ms.jit
    def step(x: Any) -> Any:
        loss, gradients = gradient(x)
        optimizer(gradients)
        return loss

    x = data(4, SIZE)
    found = [step(x).asnumpy() for _ in range(steps)]
    return [*found, *(p.asnumpy() for p in net.get_parameters())]


def agree(make: Maker, monkeypatch: pytest.MonkeyPatch, **kwargs: Any) -> None:
    """The results with equal calls used again are those without."""
    shared = trained(make, **kwargs)
    monkeypatch.setenv("MS_DEV_REUSE", "0")
    plain = trained(make, **kwargs)
    monkeypatch.delenv("MS_DEV_REUSE")
    for one, other in zip(shared, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6)


def chain(*blocks: nn.Cell) -> nn.Cell:
    return nn.SequentialCell(list(blocks))


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


class Recomputed(Block):
    def __init__(self) -> None:
        super().__init__()
        self.recompute()


class OwnGradient(Block):
    def construct(self, x: Any) -> Any:
        return super().construct(x)

    def bprop(self, x: Any, out: Any, dout: Any) -> Any:
        return (dout * ops.cos(x) + out * 0.01,)


@pytest.mark.parametrize("layer", [Recomputed, OwnGradient])
def test_layers_with_gradients_of_their_own(layer: Maker, monkeypatch: pytest.MonkeyPatch) -> None:
    agree(lambda: chain(*(layer() for _ in range(3)), Block(), Block()), monkeypatch)


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


def both(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any]) -> None:
    """What `run` compiles gives the same without using calls again."""

    def arrays(found: Any) -> list[np.ndarray]:
        return [f for each in found for f in arrays(each)] if isinstance(found, tuple | list) else [found.asnumpy()]

    shared = arrays(run())
    monkeypatch.setenv("MS_DEV_REUSE", "0")
    plain = arrays(run())
    monkeypatch.delenv("MS_DEV_REUSE")
    for one, other in zip(shared, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_higher_orders_and_other_transformations(monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled(chain(*(Block() for _ in range(3))))
    x, v = data(2, SIZE), data(2, SIZE, seed=1)

    def value(x: Any) -> Any:
        return ops.sin(net(x)).sum()

    slope = ms.grad(value)
    both(monkeypatch, lambda: ms.jit(ms.grad(lambda x: (slope(x) ** 2).sum()))(x))
    both(monkeypatch, lambda: ms.jit(ms.grad(lambda x: ms.grad(lambda y: (slope(y) ** 2).sum())(x).sum()))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.jvp(net, x, v))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.jvp(slope, x, v))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.vjp(net, x)[1](v))(x))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.vmap(net)(x))(data(4, 2, SIZE)))
    both(monkeypatch, lambda: ms.jit(lambda x: ms.vmap(slope)(x))(data(4, 2, SIZE)))
    both(monkeypatch, lambda: ms.jit(ms.jacrev(net))(data(1, SIZE)))


def test_gradients_by_list_and_of_inputs(monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled(chain(*(Block() for _ in range(4))))
    weights = ms.ParameterTuple(net.trainable_params())
    x = data(2, SIZE)
    by_list = ops.GradOperation(get_by_list=True, get_all=True)
    both(monkeypatch, lambda: ms.jit(lambda x: by_list(net, weights)(x))(x))
    with_value = ms.value_and_grad(lambda x, w: (net(x) * w).sum(), (0, 1), (weights[0], weights[9]))
    both(monkeypatch, lambda: ms.jit(with_value)(x, x))
    both(monkeypatch, lambda: ms.jit(lambda x: (net(x), ms.grad(lambda y: net(y).sum(), 0, weights)(x)))(x))


def test_gradients_under_conditions_and_in_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled(chain(*(Block() for _ in range(3))))

    def repeated(x: Any, n: Any) -> Any:
        while n > 0:
            x, n = ops.tanh(net(x)), n - 1
        if x.sum() > 0:
            x = net(x)
        return x.sum()

    both(monkeypatch, lambda: ms.jit(ms.grad(repeated))(data(2, SIZE), Tensor(3)))


def test_a_wrapped_training_step_computes_the_network_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(net: nn.Cell) -> list[Any]:
        loss = nn.WithLossCell(net, nn.MSELoss())
        train = nn.TrainOneStepCell(loss, nn.SGD(net.trainable_params(), 0.1)).set_train()
        return [ms.jit(lambda x, y: train(x, y))(data(4, SIZE), data(4, SIZE, seed=2)) for _ in range(2)]

    both(monkeypatch, lambda: step(filled(chain(*(Block() for _ in range(3))))))


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_both_modes_and_back_ends_agree(mode: int, monkeypatch: pytest.MonkeyPatch) -> None:
    net = filled(chain(*(Block() for _ in range(4))))
    x = data(2, SIZE)
    before = ms.get_context("mode")
    ms.set_context(mode=mode)
    try:
        value, gradient = ms.value_and_grad(lambda x: net(x).sum())(x)
    finally:
        ms.set_context(mode=before)
    by_reference = ms.jit(ms.value_and_grad(lambda x: net(x).sum()), backend="reference")(x)
    np.testing.assert_allclose(value.asnumpy(), by_reference[0].asnumpy(), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(gradient.asnumpy(), by_reference[1].asnumpy(), rtol=1e-4, atol=1e-5)
