"""Graphs notice what plain objects hold and lack: attributes, dicts, lists and sets of layers, which differ or change between calls."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops

pytestmark = pytest.mark.usefixtures("mode")


class Layer(nn.Cell):
    """``x * read(held)``, behind more operations than are copied to each call."""

    def __init__(self, read: Callable[[Any], Any], held: Any) -> None:
        super().__init__()
        self.read, self.held = read, held

    def construct(self, x: Any) -> Any:
        for _ in range(10):
            x = ops.tanh(x * 1.5)
        return x * self.read(self.held)


def layers(read: Callable[[Any], Any], held: list[Any]) -> nn.SequentialCell:
    return nn.SequentialCell(*[Layer(read, each) for each in held])


def check(net: nn.SequentialCell, read: Callable[[Any], Any]) -> None:
    x = np.array([0.3, -0.7], np.float32)
    expected = x
    for layer in net:
        for _ in range(10):
            expected = np.tanh(expected * np.float32(1.5))
        expected = expected * np.float32(read(layer.held))
    np.testing.assert_allclose(net(Tensor(x)).asnumpy(), expected, rtol=1e-5)


class Plain:
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


class Words(dict[str, float]):
    pass


class Numbers(list[float]):
    pass


def asked(held: Any) -> float:
    return 2.0 if hasattr(held, "extra") else 3.0


def defaulted(held: Any) -> float:
    return getattr(held, "extra", 0.5)


def tried(held: Any) -> float:
    try:
        return float(held.extra)
    except AttributeError:
        return 1.5


def keyed(held: Any) -> float:
    try:
        return float(held["b"])
    except KeyError:
        return 1.5


def placed(held: Any) -> float:
    try:
        return float(held[1])
    except IndexError:
        return 1.5


def contained(held: Any) -> float:
    return 2.0 if "b" in held else 3.0


def walked(held: Any) -> float:
    found = 1.0
    for key in held:
        if key == "b":
            found = found + 5.0
    return found


def equal(held: Any) -> float:
    return 2.0 if held == {"a": 1.0} else 3.0


def filled(held: Any) -> float:
    return 2.0 if held else 3.0


def has_two(held: Any) -> float:
    return 2.0 if 2.0 in held else 3.0


def largest(held: Any) -> float:
    return float(max(held))


def counted(held: Any) -> float:
    return float(len(held))


def summed(held: Any) -> float:
    total = 0.0
    for each in held:
        total = total + each
    return total


Makers = list[Callable[[], Any]]


def rename(held: Any) -> None:
    held["b"] = held.pop("a")


def plain(**attributes: Any) -> Callable[[], Any]:
    return lambda: Plain(**attributes)


ATTRIBUTES: Makers = [plain(), plain(extra=2.5), plain(), plain(extra=0.25)]


def words(cls: Any) -> Makers:
    return [lambda: cls(a=1.0), lambda: cls(b=2.0), lambda: cls(a=1.0), lambda: cls()]


def numbers(cls: Any) -> Makers:
    return [lambda: cls([1.0]), lambda: cls([1.0, 2.0]), lambda: cls([1.0]), lambda: cls([2.0])]


CASES = [
    *[(read, ATTRIBUTES, lambda held: setattr(held, "extra", 4.0)) for read in (asked, defaulted, tried)],
    *[(r, words(c), rename) for c in (dict, OrderedDict, Words) for r in (keyed, contained, walked, equal)],
    *[(filled, words(c), lambda held: held.clear()) for c in (dict, OrderedDict, Words)],
    *[(r, numbers(c), lambda held: held.append(2.0)) for c in (list, Numbers) for r in (placed, has_two, largest)],
    *[(r, numbers(set), lambda held: held.add(2.0)) for r in (has_two, counted, summed)],
]


@pytest.mark.parametrize(("read", "makers", "change"), CASES)
def test_layers_that_differ(
    read: Callable[[Any], float], makers: Makers, change: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MS_COMPILER_CACHE_ENABLE", "0")
    check(layers(read, [make() for make in makers]), read)


@pytest.mark.parametrize(("read", "makers", "change"), CASES)
def test_a_change_between_calls(
    read: Callable[[Any], float], makers: Makers, change: Callable[[Any], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MS_COMPILER_CACHE_ENABLE", "0")
    net = layers(read, [makers[0]() for _ in range(3)])
    before = read(net[1].held)
    check(net, read)
    change(net[1].held)
    assert read(net[1].held) != before
    check(net, read)


def test_an_attribute_that_comes_and_goes() -> None:
    class Later(Plain):
        pass

    net = layers(defaulted, [Later() for _ in range(2)])
    check(net, defaulted)
    Later.extra = 4.0  # type: ignore[attr-defined]
    check(net, defaulted)
    del Later.extra  # type: ignore[attr-defined]
    check(net, defaulted)
    net[0].held.extra = 3.0
    check(net, defaulted)
    del net[0].held.extra
    check(net, defaulted)


def test_a_parameter_that_is_added() -> None:
    class Scaled(nn.Cell):
        def construct(self, x: Any) -> Any:
            return x * self.scale if hasattr(self, "scale") else x

    net, x = Scaled(), Tensor([1.0, 2.0], ms.float32)
    np.testing.assert_array_equal(net(x).asnumpy(), [1, 2])
    net.scale = ms.Parameter(np.full(2, 3, np.float32), name="scale")
    np.testing.assert_array_equal(net(x).asnumpy(), [3, 6])
