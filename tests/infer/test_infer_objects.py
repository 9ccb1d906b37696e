"""Objects of user classes: held from outside, made in the graph, joined by branches and loops; with the same result as Python."""

from __future__ import annotations

import abc
import enum
import functools
from typing import Any

import pytest

from tests.infer.fakes import FakeCell, check, i, infer, parameter, t

VALUES = (-3.0, 2.0)
both = pytest.mark.parametrize("x", VALUES)


class Vector:
    """Two tensors with operators."""

    size = 2

    def __init__(self, x: Any, y: Any = 1.0) -> None:
        self.x = x
        self.y = y

    def __add__(self, other: Any) -> Any:
        return Vector(self.x + other.x, self.y + other.y) if isinstance(other, Vector) else NotImplemented

    def __radd__(self, other: Any) -> Any:
        return Vector(other + self.x, other + self.y)

    def __mul__(self, by: Any) -> Any:
        return Vector(self.x * by, self.y * by)

    def __imul__(self, by: Any) -> Any:
        self.x = self.x * by
        return self

    def __matmul__(self, other: Any) -> Any:
        return self.x * other.x + self.y * other.y

    def __neg__(self) -> Any:
        return Vector(-self.x, -self.y)

    def __eq__(self, other: object) -> Any:
        return self.x == other.x if isinstance(other, Vector) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Any) -> Any:
        return self.x < other.x

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, k: Any) -> Any:
        if k >= 2:
            raise IndexError(k)
        return (self.x, self.y)[k]

    def __setitem__(self, k: Any, value: Any) -> None:
        if k == 0:
            self.x = value
        else:
            self.y = value

    def __contains__(self, value: Any) -> bool:
        return value is self.x

    def __call__(self, by: Any) -> Any:
        return self.x * by

    @property
    def norm(self) -> Any:
        return self @ self

    @norm.setter
    def norm(self, value: Any) -> None:
        self.x = value
        self.y = 0.0

    @functools.cached_property
    def twice(self) -> Any:
        return self * 2.0

    @staticmethod
    def unit(x: Any) -> Any:
        return Vector(x, 0.0)

    @classmethod
    def diagonal(cls, x: Any) -> Any:
        return cls(x, x)


class Tilted(Vector):
    """A subclass whose reflected operator goes first."""

    def __init__(self, x: Any, tilt: Any) -> None:
        super().__init__(x)
        self.tilt = tilt

    def __radd__(self, other: Any) -> Any:
        return other.x * self.tilt

    def __bool__(self) -> bool:
        return bool(self.tilt > 0)


SCALARS = Vector(t(4.0), t(5.0))
OUTSIDE = Vector(t([1.0, 2.0]), parameter([3.0, 4.0], "p"))


def parts(v: Any) -> Any:
    return v.x, v.y


def test_an_object_from_outside() -> None:
    def function(x: Any) -> Any:
        total = OUTSIDE + OUTSIDE * x
        return parts(total), OUTSIDE.norm, OUTSIDE[0], len(OUTSIDE), OUTSIDE(x), OUTSIDE.size, parts(-OUTSIDE)

    check(function, t([5.0, 6.0]))


def test_parameters_in_objects_are_read_at_each_call() -> None:
    found = infer(lambda x: OUTSIDE.norm + x, t([1.0, 2.0]))
    assert found.bound == [OUTSIDE.x, OUTSIDE.y]


def test_objects_made_in_the_graph() -> None:
    def function(x: Any) -> Any:
        v = Vector(x, x * 2)
        w = 3.0 + v + OUTSIDE
        w *= 2.0
        w[1] = v[0]
        v.y = w.x
        d = Vector.diagonal(x)
        u = Vector.unit(x)
        rows: Any = list(v)  # type: ignore[call-overload]
        return (
            parts(w),
            parts(v),
            v.norm,
            parts(d.twice),
            d.twice is d.twice,
            parts(u),
            w(x),
            len(v),
            Vector.size,
            rows,
        )

    check(function, t([5.0, 6.0]))


def test_comparisons_and_membership() -> None:
    def function(x: Any) -> Any:
        v, w = Vector(x), Vector(x + 1)
        return v == w, v != w, v < w, v > w, v == 3, v != 3, x in v, v.x in w, v is v, v is not w, isinstance(v, Vector)

    check(function, t(5.0))


def test_attributes_are_computed_set_and_asked_for() -> None:
    class Loose:
        fallback = 7.0

        def __init__(self) -> None:
            self.a = 1.0

        def __getattr__(self, name: str) -> Any:
            if name == "made":
                return self.a + 1
            raise AttributeError(name)

        def __setattr__(self, name: str, value: Any) -> None:
            super().__setattr__(name, value * 2)

    def function(x: Any) -> Any:
        v = Vector(x)
        v.norm = x * 3
        loose = Loose()
        loose.b = x
        names = list(loose.__dict__)
        return (
            parts(v),
            loose.a,
            loose.b,
            loose.made,
            loose.fallback,
            hasattr(loose, "c"),
            getattr(loose, "d", 3),
            names,
        )

    check(function, t(5.0))


def test_inheritance() -> None:
    class Base(abc.ABC):
        @abc.abstractmethod
        def name(self) -> str: ...

        def shout(self, x: Any) -> Any:
            return x * len(self.name())

    class Child(Base):
        __slots__ = ("k",)

        def name(self) -> str:
            return "child"

        def shout(self, x: Any) -> Any:
            return super().shout(x) + 1

    def function(x: Any) -> Any:
        v, w = Vector(x, 2.0), Tilted(x, 3.0)
        return v + w, parts(w + v), Child().shout(x), type(w) is Tilted, w.__class__.__name__

    check(function, t(5.0))
    with pytest.raises(TypeError, match="cannot make an object of the abstract class Base: it lacks name"):
        infer(lambda x: Base().shout(x), t(1.0))  # type: ignore[abstract]


@both
def test_the_truth_of_objects(x: float) -> None:
    class Empty:
        def __len__(self) -> int:
            return 0

    def function(x: Any) -> Any:
        tilted = Tilted(x, x)
        result = 1.0 if tilted else 2.0
        if not tilted:
            result = result + 10
        while tilted:
            tilted.tilt = tilted.tilt - 1.0
            result = result + 1
        return result, (3 if Empty() else 4), (5 if Vector(x) else 6), not OUTSIDE, tilted.tilt

    check(function, t(x))


@both
def test_branches_join_attributes(x: float) -> None:
    def function(x: Any) -> Any:
        v, kept = Vector(x), Vector(x * 2)
        if x > 0:
            v.x = x * 3
            w = Vector(x, x)
            same = v
        else:
            v.y = 5.0
            w = Vector(1.0, 2.0)
            same = kept
        u = kept if x > 1 else Vector(x + 1, 3.0)
        other = v if x > 1 else SCALARS
        return parts(v), parts(w), parts(same), parts(u), other @ v, parts(kept)

    check(function, t(x))


@both
def test_objects_of_different_classes(x: float) -> None:
    def function(x: Any) -> Any:
        v = Vector(x) if x > 0 else Tilted(x, 2.0)
        return v.x, v(x), (v + Vector(x, x)).x

    check(function, t(x))


@both
def test_objects_from_functions_with_branches(x: float) -> None:
    def start(x: Any) -> Any:
        if x > 0:
            inner = Vector(x * x)
            return Vector(inner, x)
        return Vector(Vector(x), x + 1)

    def function(x: Any) -> Any:
        v = start(x)
        v.x.y = x
        return v.x.x, v.x.y, v.y

    check(function, t(x))


@both
def test_an_object_that_holds_itself(x: float) -> None:
    class Knot:
        def __init__(self, x: Any) -> None:
            self.x = x
            self.me = self

    def function(x: Any) -> Any:
        k = Knot(x) if x > 0 else Knot(x * 2)
        return k.me.me.x

    check(function, t(x))


@pytest.mark.parametrize("n", [0, 1, 4])
def test_loops_carry_objects(n: int) -> None:
    class State:
        def __init__(self, position: Any, speed: Any) -> None:
            self.position, self.speed = position, speed

        def moved(self) -> Any:
            return State(self.position + self.speed, self.speed * 0.5)

        def push(self) -> None:
            self.speed = self.speed + 1

    def function(x: Any, n: Any) -> Any:
        kept, fresh, named = State(x, 1.0), State(x, x), {"v": x}
        for _ in range(n):
            kept.push()
            kept.position = kept.position + kept.speed
            fresh = fresh.moved()
            named = {"v": named["v"] + 1}
        return kept.position, kept.speed, fresh.position, fresh.speed, named["v"]

    check(function, t(2.0), i(n))


def test_members_of_enumerations() -> None:
    class Mode(enum.Enum):
        SLOW = 1
        FAST = 2

        def factor(self) -> float:
            return self.value * 1.5

    class Level(enum.IntEnum):
        LOW = 1
        HIGH = 4

    def function(x: Any, mode: Any) -> Any:
        if mode is Mode.FAST:
            x = x * 2
        found = [m.name for m in Mode]
        return (
            x * mode.factor(),
            Mode(1) == Mode.SLOW,
            Mode["FAST"].value,
            found,
            Level.HIGH * 2,
            Level.HIGH > Level.LOW,
        )

    check(function, t(1.0), Mode.FAST)
    check(function, t(1.0), Mode.SLOW)


def test_cells_use_objects() -> None:
    class Net(FakeCell):
        def __init__(self) -> None:
            self.offset = Vector(t(1.0), t(2.0))

        def construct(self, x: Any) -> Any:
            return parts(self.offset + Vector(x, x))

    check(Net(), t(3.0))


class Countdown:
    """An iterator written in Python."""

    def __init__(self, n: int) -> None:
        self.n = n

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> int:
        if self.n <= 0:
            raise StopIteration
        self.n -= 1
        return self.n


class Items:
    def __init__(self, *items: Any) -> None:
        self.items = list(items)

    def __iter__(self) -> Any:
        return iter(self.items)


def test_objects_that_are_iterated() -> None:
    def function(x: Any) -> Any:
        count = Countdown(3)
        first = next(count)
        rest = [k * x for k in count]
        a, *b = Items(x, x + 1, 2.0)
        pairs = list(zip(Items(1, 2), Countdown(5), strict=False))
        return first, rest, next(count, 7), a, b, pairs, sum(Items(x, x))

    check(function, t(2.0))

    def endless(x: Any) -> Any:
        return next(Countdown(0))

    with pytest.raises(StopIteration):
        infer(endless, t(1.0))


def test_objects_made_in_other_ways() -> None:
    class Counted:
        def __new__(cls, x: Any) -> Any:
            made = super().__new__(cls)
            made.by_new = x * 2  # type: ignore[attr-defined]
            return made

        def __init__(self, x: Any) -> None:
            self.by_init = x

    class Given:
        def __new__(cls, x: Any) -> Any:
            return (x, cls.__name__)

    class Loose:
        def __init__(self, x: Any, **more: Any) -> None:
            self.x = x
            self.__dict__.update(more)

    def function(x: Any) -> Any:
        counted: Any = Counted(x)
        loose: Any = Loose(x, y=x + 1)
        held = loose.__dict__
        held["z"] = x * 5
        loose.x = x * 7
        setattr(loose, "w" + "v", x)
        names = list(loose.__dict__)
        return counted.by_new, counted.by_init, Given(x), loose.y, loose.z, held["x"], names, "y" in loose.__dict__

    check(function, t(2.0))

    class Meta(type):
        def __call__(cls, *args: Any) -> Any:
            return super().__call__(*args)

    class Strange(metaclass=Meta):
        pass

    with pytest.raises(TypeError, match="Strange is not supported in a graph"):
        infer(lambda x: Strange(), t(1.0))


def test_python_functions_use_special_methods() -> None:
    class Number:
        def __init__(self, x: Any) -> None:
            self.x = x

        def __abs__(self) -> Any:
            return self.x * self.x

        def __int__(self) -> int:
            return 3

        def __float__(self) -> float:
            return 2.5

        def __radd__(self, other: Any) -> Any:
            return other + self.x

        def __str__(self) -> str:
            return f"<{self.size}>"

        size = 4

    def function(x: Any) -> Any:
        n: Any = Number(x)
        return abs(n), int(n), float(n), sum([n]), f"{Number(1)} {Number(2)!s:>5}", bool(n)

    check(function, t(2.0))
