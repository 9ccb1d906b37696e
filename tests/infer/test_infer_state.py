"""Cells, Parameters and outside objects: reads are inputs, writes are outputs in program order, and what was read is guarded."""

# ruff: noqa: PERF102 -- the programs under test use each form of the language on purpose

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.infer.fakes import FakeCell, FakeOperator, FakeTensor, assign, i, infer, parameter, run, t

X = t([1.0, 2.0])


class Base(FakeCell):
    factor = 2

    def __init__(self) -> None:
        self.weight = parameter([1.0, 1.0], "weight")
        self.training = True
        self.__hidden = 5

    @property
    def doubled(self) -> Any:
        return self.factor * 2

    def construct(self, x: Any) -> Any:
        return x * self.weight * self.factor + self.__hidden


class Layer(Base):
    def construct(self, x: Any) -> Any:
        y = super().construct(x)
        return y + self.doubled if self.training else y


class Counter(FakeCell):
    def __init__(self) -> None:
        self.count = parameter(0, "count")

    def construct(self, x: Any) -> Any:
        before = self.count
        first = before + x
        self.count = self.count + 1
        self.count += x
        return first, self.count * 1


class Net(FakeCell):
    def __init__(self) -> None:
        self.layers = [Layer(), Base()]
        self.named = {"a": Layer()}

    def construct(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        for _, layer in self.named.items():
            x = layer(x)
        return self.layers[0](x)


def test_cells_methods_super_properties_and_private_names() -> None:
    assert run(Layer(), X).tolist() == [11.0, 13.0]


def test_nested_cells_bind_each_parameter_once() -> None:
    net = Net()
    found = infer(net, X)
    assert found.bound == [net.layers[0].weight, net.layers[1].weight, net.named["a"].weight]
    assert found.updates == {}
    expected = net.layers[0]
    x = X.array
    for cell in (net.layers[0], net.layers[1], net.named["a"], expected):
        x = x * 2 + 5 + (4 if isinstance(cell, Layer) else 0)
    assert run(net, X).tolist() == x.tolist()


def test_attributes_are_guarded() -> None:
    net = Layer()
    guards = infer(net, X).guards
    held = {(id(container), key): expected for kind, container, key, expected in guards if kind == "dict"}
    assert held[id(vars(net)), "training"] is True
    assert held[id(vars(net)), "weight"] is net.weight
    assert held[id(vars(net)), "_Base__hidden"] == 5


def test_a_write_is_seen_by_later_reads_and_comes_back() -> None:
    net = Counter()
    first, after = run(net, t(3.0))
    assert [first, after, net.count.array] == [3.0, 4.0, 4.0]
    assert infer(net, t(3.0)).updates == {2: 1}


def test_writes_in_branches_and_loops() -> None:
    class Stepper(Counter):
        def construct(self, x: Any, n: Any = 0) -> Any:
            if x > 0:
                self.count = self.count + 10
            k = 0
            while k < n:
                self.count = self.count * 2
                if self.count > 50:
                    assign(self.count, 1)
                k += 1
            return self.count + 0

    for x, n, expected in ((1.0, 2, 40.0), (1.0, 3, 1.0), (-1.0, 5, 0.0)):
        net = Stepper()
        assert run(net, t(x), i(n)) == expected
        assert net.count.array == expected


def test_in_place_operators_update_parameters() -> None:
    momentum = FakeOperator("apply_momentum", {0: 0, 1: 1})

    class Optimizer(FakeCell):
        def __init__(self) -> None:
            self.parameters = (parameter([1.0, 2.0], "w"),)
            self.moments = (parameter([0.5, 0.5], "m"),)

        def construct(self, gradients: Any) -> Any:
            for w, m, g in zip(self.parameters, self.moments, gradients, strict=True):
                momentum(w, m, 0.1, g, 0.9)
            return gradients

    net = Optimizer()
    run(net, (t([1.0, 1.0]),))
    np.testing.assert_allclose(net.moments[0].array, [1.45, 1.45], rtol=1e-6)
    np.testing.assert_allclose(net.parameters[0].array, [0.855, 1.855], rtol=1e-6)
    with pytest.raises(TypeError, match="argument 'variable' is updated in place and must be a Parameter"):
        infer(lambda x: momentum(x, x, 0.1, x, 0.9), t([1.0]))


def test_assigned_numbers_take_the_type_of_the_parameter() -> None:
    net = Counter()
    run(lambda: assign(net.count, 7))
    assert net.count.array == 7
    assert net.count.array.dtype == np.float32


def test_wrong_assignments() -> None:
    class Wrong(Counter):
        def construct(self, x: Any) -> Any:
            self.count = x
            return x

    with pytest.raises(ValueError, match=r"Parameter count is Float32\[\], but Float32\[2\] is assigned"):
        infer(Wrong(), X)


def test_parameters_are_values() -> None:
    net = Base()
    assert run(lambda: (net.weight.name, net.weight.shape, isinstance(net.weight, FakeTensor))) == (
        "weight",
        (2,),
        True,
    )
    assert run(lambda: net.weight).tolist() == [1.0, 1.0]


def test_outside_lists_are_not_changed() -> None:
    outside: list[Any] = []

    def function(x: Any) -> Any:
        outside.append(x)
        return x

    with pytest.raises(TypeError, match=r"list.append would change .* outside the graph"):
        infer(function, X)
    assert outside == []
