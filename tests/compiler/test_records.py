"""Dataclasses, named tuples and marked classes in compiled functions: made, changed, returned, and handed in as arguments."""

from __future__ import annotations

import copy
import dataclasses
from collections import namedtuple
from dataclasses import InitVar, dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn
from tests.modes import fresh_context, mode

__all__ = ["fresh_context", "mode"]
pytestmark = pytest.mark.compiler
backends = pytest.mark.parametrize("backend", ["cpu", "reference"])


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any = 2.0
    path: Any = field(default_factory=list, compare=False)

    def total(self) -> Any:
        return self.x + self.y

    def moved(self, by: Any) -> Point:
        return dataclasses.replace(self, x=self.x + by)


@dataclass
class Body:
    place: Point
    mass: Any = 1.0
    scale: InitVar[float] = 3.0
    energy: Any = field(init=False)
    kind: str = field(default="ball", kw_only=True)

    def __post_init__(self, scale: float) -> None:
        self.energy = self.mass * scale


@dataclass(slots=True, order=True)
class Slotted:
    x: Any
    n: int = 4


Pair = namedtuple("Pair", ["first", "second"])


class Named(NamedTuple):
    a: Any
    b: Any = 3.0

    def total(self) -> Any:
        return self.a + self.b

    @property
    def product(self) -> Any:
        return self.a * self.b

    @classmethod
    def twice(cls, a: Any) -> Named:
        return cls(a, b=a)


X = Tensor([1.0, 2.0])


def plain(value: Any) -> Any:
    """A result with numbers in the place of tensors."""
    if isinstance(value, Tensor):
        return value.tolist()
    if isinstance(value, tuple | list):
        return [type(value).__name__, *map(plain, value)]
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if dataclasses.is_dataclass(value):
        return [type(value).__name__, {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}]
    return value


def dataclasses_of_all_kinds(x: Any) -> Any:
    p, q = Point(x), Point(x, y=x * 2)
    moved = q.moved(1.0)
    b = Body(p, mass=x, scale=2.0, kind="star")
    b.mass = b.mass + 1.0
    s = Slotted(x)
    s.n += 1
    other = copy.copy(s)
    other.n = 9
    fields = [f.name for f in dataclasses.fields(Body)]
    return p, moved.total(), b, s, other, dataclasses.asdict(b), dataclasses.astuple(p), fields


def comparisons(x: Any) -> Any:
    p: Any = Point(x)
    s = Slotted(1, 2)
    same = (p == Point(x), p != Point(x), p == Slotted(x), s == Slotted(1, 2), p == p.moved(0.0))
    order = (
        s < Slotted(1, 3),
        s >= Slotted(1, 2),
        max(s.n, 1),
        dataclasses.is_dataclass(s),
        dataclasses.is_dataclass(x),
    )
    return same, order, hash(Point(1.0)) == hash(Point(1.0)), repr(s), f"{s}"


def named_tuples(x: Any) -> Any:
    n, pair = Named(x), Pair(x, x * 2)
    first, second = pair
    swapped = pair._replace(first=second, second=first)
    made = Pair._make([x, 1.0])
    return (
        n,
        swapped,
        made,
        n._replace(b=x),
        pair._asdict(),
        n.total(),
        n.product,
        Named.twice(x),
        n[1],
        len(n),
        Pair._fields,
    )


def branches(x: Any) -> Any:
    p, n = Point(x, x), Named(x)
    b = Body(p, x)
    if x > 1:
        b.energy = b.energy * 2
        p = Point(x * 3, x)
        n = n._replace(a=x * 5, b=4.0)
    k = 0
    while k < x:
        p = p.moved(b.energy)
        n = Named(n.a + 1, n.b)
        b.mass = b.mass + 1
        k = k + 1
    return p, b, n


@backends
@pytest.mark.parametrize("function", [dataclasses_of_all_kinds, named_tuples])
def test_values_made_in_a_graph(mode: str, backend: str, function: Any) -> None:
    assert plain(ms.jit(function, backend=backend)(X)) == plain(function(X))


@backends
@pytest.mark.parametrize("function", [comparisons, branches])
@pytest.mark.parametrize("x", [0.5, 2.0])
def test_values_that_depend_on_run_time(mode: str, backend: str, function: Any, x: float) -> None:
    assert plain(ms.jit(function, backend=backend)(Tensor(x))) == plain(function(Tensor(x)))


def test_gradients_through_objects(mode: str) -> None:
    def loss(x: Any) -> Any:
        p, b, n = branches(x)
        return p.total() * b.energy * n.product

    def numeric(x: float) -> Any:
        step = 1e-5
        return (loss(Tensor(x + step, ms.float64)) - loss(Tensor(x - step, ms.float64))).item() / (2 * step)

    for x in (0.5, 2.5):
        assert ms.jit(ms.grad(loss))(Tensor(x, ms.float64)).item() == pytest.approx(numeric(x), rel=1e-6)


def test_arguments_are_taken_apart(mode: str) -> None:
    def function(p: Any, pair: Any, k: float) -> Any:
        return p.total() * k + pair.first, p.moved(k), len(p.path), pair

    compiled: Any = ms.jit(function)
    for p in (Point(X, X), Point(X + 1, X), Point(X, 5.0), Point(X, X, [1, X]), Point(Tensor(1.0), X)):
        assert plain(compiled(p, Pair(X, 1), 2.0)) == plain(function(p, Pair(X, 1), 2.0))
    assert len(compiled.cache.entries) == 4
    point = Slotted(X)
    counted: Any = ms.jit(lambda s: s.x * s.n)
    assert counted(point).tolist() == [4, 8]
    point.n, point.x = 5, X + 1
    assert counted(point).tolist() == [10, 15]
    assert counted(Slotted(X, 5)).tolist() == [5, 10]
    assert len(counted.cache.entries) == 2


def test_batches_of_many_sizes_in_records(mode: str) -> None:
    compiled: Any = ms.jit(lambda p, pair, x: (p.total() * pair.first).sum() + x.sum())
    for n in (2, 3, 5, 7):
        a = Tensor(np.arange(n, dtype=np.float32))
        assert compiled(Point(a, a), Pair(a, 1), X).item() == 2 * float((np.arange(n) ** 2).sum()) + 3


def test_cells_take_records_and_hold_them() -> None:
    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.point = Point(X, 1.0)

        def construct(self, p: Any) -> Any:
            return self.point.total() + p.total()

    net = Net()
    for each in (ms.PYNATIVE_MODE, ms.GRAPH_MODE):
        ms.set_context(mode=each)
        assert net(Point(X)).tolist() == [5, 7]
        net.point = Point(X, 2.0)
        assert net(Point(X)).tolist() == [6, 8]
        net.point = Point(X, 1.0)


def test_what_is_refused() -> None:
    def frozen(x: Any) -> Any:
        p = Point(x)
        p.x = x  # type: ignore[misc]

    def argument(s: Any) -> Any:
        s.n = 3

    def ordered(x: Any) -> Any:
        return Slotted(x) < Slotted(x)

    def arguments(x: Any) -> Any:
        return Point(x, z=1)  # type: ignore[call-arg]

    def unknown(x: Any) -> Any:
        return Named(x)._replace(c=x)  # type: ignore[call-arg]

    def made(x: Any) -> Any:
        return Pair._make([x])

    def replaced(x: Any) -> Any:
        return dataclasses.replace(x, y=1)

    def computed(x: Any) -> Any:
        return dataclasses.replace(Body(x), energy=1.0)

    def extra(b: Any) -> Any:
        return b.more

    body = Body(Point(X))
    body.more = 3  # type: ignore[attr-defined]
    for function, given, kind, wanted in (
        (frozen, X, AttributeError, r"cannot assign to field 'x'\n.*line \d+, column 9, in"),
        (
            argument,
            Slotted(X),
            TypeError,
            r"line \d+, column 9, in [^$]*cannot assign to attribute 'n' of a Slotted: it is an argument",
        ),
        (ordered, X, TypeError, r"line \d+, column 16, in [^$]*needs fields that are known while compiling"),
        (arguments, X, TypeError, r"line \d+, column 16, in [^$]*Point\(\) got an unexpected keyword argument 'z'"),
        (unknown, X, ValueError, r"line \d+, column 16, in [^$]*Got unexpected field names: \['c'\]"),
        (made, X, TypeError, r"line \d+, column 16, in [^$]*Expected 2 arguments, got 1"),
        (
            replaced,
            X,
            TypeError,
            r"line \d+, column 16, in [^$]*replace\(\) should be called on dataclass instances, got Tensor",
        ),
        (computed, X, ValueError, r"line \d+, column 16, in [^$]*field energy is declared with init=False"),
        (
            extra,
            body,
            AttributeError,
            r"line \d+, column 16, in [^$]*no attribute 'more'.*has the fields alone|the fields alone",
        ),
    ):
        with pytest.raises(kind, match=wanted):
            ms.jit(function)(given)


class Ratio:
    """Defines operators with tensors on the left."""

    def __init__(self, n: Any) -> None:
        self.n = n

    def __radd__(self, other: Any) -> Any:
        return other + self.n

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.n

    def __eq__(self, other: object) -> Any:
        return "equal"

    def __gt__(self, other: Any) -> Any:
        return "less"

    __hash__ = None  # type: ignore[assignment]


def test_operators_of_tensors_and_objects(mode: str) -> None:
    outside = Ratio(4.0)

    def function(x: Any) -> Any:
        inside = Ratio(x)
        return x + inside, x / outside, x == outside, x < inside

    assert plain(ms.jit(function)(X)) == plain(function(X)) == ["tuple", [2, 4], [0.25, 0.5], "equal", "less"]


def test_marked_classes(mode: str) -> None:
    @ms.jit_class
    class Line:
        def __init__(self, slope: Any, offset: Any) -> None:
            self.slope, self.offset = slope, offset

        def at(self, x: Any) -> Any:
            return self.slope * x + self.offset

    line = ms.ms_class(Line)(2.0, X)
    assert ms.jit(lambda x: line.at(x) + Line(x, 1.0).at(3.0))(X).tolist() == [7, 13]
    with pytest.raises(TypeError, match=r"Decorator jit_class can only be used for class type, but got 3\."):
        ms.jit_class(3)  # type: ignore[type-var]
    with pytest.raises(
        TypeError, match=r"jit_class is used for user-defined classes and cannot be used for nn.Cell: <class"
    ):
        ms.jit_class(nn.Cell)
