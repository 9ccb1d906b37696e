"""Attributes that compiled code assigns to objects outside of it: seen by what follows, set on the objects after the run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn
from mindspore.context import reset_context

pytestmark = pytest.mark.compiler


@pytest.fixture(autouse=True, params=["graph", "pynative"])
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    ms.set_context(mode=ms.GRAPH_MODE if request.param == "graph" else ms.PYNATIVE_MODE)
    yield request.param
    reset_context()


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.factor: Any = 3
        self.last: Any = None
        self.trail: Any = []
        self.w = Parameter(Tensor([1.0]), name="w")


def test_constants_tensors_and_containers() -> None:
    class All(Net):
        def construct(self, x: Any) -> Any:
            before = x * self.factor
            self.factor = 5
            self.last = x + 1
            self.trail = [self.last, {"w": self.w * 2}, (1, "text")]
            return before + self.factor

    net = All()
    for wanted in ([11.0], [15.0], [15.0]):
        assert net(Tensor([2.0])).tolist() == wanted
        assert net.factor == 5
        assert net.last.tolist() == [3.0]
        assert net.trail[0].tolist() == [3.0]
        assert net.trail[1]["w"].tolist() == [2.0]
        assert net.trail[2] == (1, "text")


def test_branches_and_loops() -> None:
    class Branching(Net):
        def construct(self, x: Any) -> Any:
            self.last = x
            if x.sum() > 0:
                self.last = x * 2
            while self.last.sum() < 10:
                self.last = self.last + 3
            return self.last * self.factor

    net = Branching()
    for start, end in ((1.0, 11.0), (-4.0, 11.0), (7.0, 14.0)):
        assert net(Tensor([start])).tolist() == [end * 3]
        assert net.last.tolist() == [end]


def test_a_new_attribute_and_one_of_an_inner_object() -> None:
    class Log:
        pass

    class Noting(Net):
        def __init__(self) -> None:
            super().__init__()
            self.log: Any = Log()
            self.inner = Net()

        def construct(self, x: Any) -> Any:
            self.log.value = x
            self.inner.last = self.log.value * 2
            self.seen = x.shape
            return self.inner.last

    net: Any = Noting()
    assert net(Tensor([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert net.log.value.tolist() == [1.0, 2.0]
    assert net.inner.last.tolist() == [2.0, 4.0]
    assert net.seen == (2,)


def test_properties_with_setters() -> None:
    class Scaled(Net):
        @property
        def scale(self) -> Any:
            return self.factor * 2

        @scale.setter
        def scale(self, value: Any) -> None:
            self.factor = value + 1

        def construct(self, x: Any) -> Any:
            self.scale = 4
            return x * self.scale

    net = Scaled()
    assert net(Tensor([1.0])).tolist() == [10.0]
    assert net.factor == 5


def test_in_a_differentiated_function() -> None:
    class Keeping(Net):
        def construct(self, x: Any) -> Any:
            self.last = x * x
            return (self.last * x).sum()

    net = Keeping()
    value, slope = ms.value_and_grad(net)(Tensor([2.0]))
    assert (value.item(), slope.tolist()) == (8.0, [12.0])
    assert net.last.tolist() == [4.0]


def test_what_is_only_written_does_not_compile_again(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from mindspore.compiler import pipeline

    class Keeping(Net):
        def construct(self, x: Any) -> Any:
            self.last = x * 2
            return x

    made: list[Any] = []
    original: Any = getattr(pipeline, "specialise")  # noqa: B009 -- a name that the module itself imports
    monkeypatch.setattr(pipeline, "specialise", lambda *a, **k: made.append(a) or original(*a, **k))  # type: ignore[func-returns-value]
    net = Keeping()
    for number in (1.0, 2.0, 3.0):
        net(Tensor([number]))
        assert net.last.tolist() == [number * 2]
    assert len(made) == (1 if mode == "graph" else 0)


class Disagreeing(Net):
    def construct(self, x: Any) -> Any:
        if x.sum() > 0:
            self.last = x
        return x


def test_an_attribute_that_only_one_branch_makes_a_tensor(mode: str) -> None:
    if mode == "pynative":
        assert Disagreeing()(Tensor([1.0])).tolist() == [1.0]
        return
    with pytest.raises(TypeError, match="the attribute 'last' of Disagreeing is assigned: the branches"):
        Disagreeing()(Tensor([1.0]))


def test_what_cannot_be_assigned_is_refused_with_its_place() -> None:
    place = re.escape(__file__) + r'", line \d+, column \d+'

    def to_module(x: Any) -> Any:
        np.something = x  # type: ignore[attr-defined]
        return x

    def to_number(x: Any) -> Any:
        factor = 3
        factor.text = x  # type: ignore[attr-defined]
        return x

    with pytest.raises(TypeError, match=f"{place}.*[^$]*cannot assign to attribute 'something'"):
        ms.jit(to_module)(Tensor([1.0]))
    with pytest.raises(TypeError, match="cannot assign to attribute 'text' of int 3"):
        ms.jit(to_number)(Tensor([1.0]))
