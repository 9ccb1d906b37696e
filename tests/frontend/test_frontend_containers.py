"""Lists and dicts made in a graph change in place, as Python's do."""

from __future__ import annotations

from typing import Any

import pytest

import mindspore as ms
from tests.frontend.programs import check, t

X = t(1.0, 2.0)


def list_methods(x: Any) -> Any:
    a = [x, 1]
    b = a
    a.append(2)
    a.extend((3, x))
    a.insert(0, "first")
    popped = a.pop(), a.pop(0)
    a += [4]
    a *= 2
    a.remove(a[0])
    c = [5, 6, x]
    c.remove(6)
    a.reverse()
    a[1:3] = [x * 2, 9, 10]
    a[-1] = 7
    del a[2], a[-2:]
    return a, b, c, popped, a is b, len(b), a[::-1]


def sorting(x: Any) -> Any:
    a = [3, 1, 2]
    a.sort()
    b = [("b", x), ("a", x + 1)]
    b.sort(key=lambda p: p[0], reverse=False)
    c = ["aa", "b"]
    c.sort(key=len)
    a.sort(reverse=True)
    return a, b, c


def slices(x: Any) -> Any:
    a = list(range(10))
    a[::2] = [x] * 5
    del a[1::4]
    return a, a[1:4], a[-2], a[2:3].index(3), a[2:3].count(3)


def dict_methods(x: Any) -> Any:
    d = {"a": 1, "b": x}
    e = d
    d.update({"c": 3}, d=x)
    d.update([("e", 5)])
    got = (
        d.get("z"),
        d.get("a", 0),
        d.setdefault("f", x),
        d.setdefault("a", 9),
        d.pop("b"),
        d.pop("nope", None),
        d.popitem(),
    )
    d |= {"g": x}
    d["h"] = d | {"i": 1}
    del d["a"]
    keys, values, items = list(d.keys()), list(d.values()), [(k, v) for k, v in d.items()]
    copied = d.copy()
    copied.clear()
    return d, got, keys, len(values), len(items), len(copied), e is d, "c" in e, list(reversed(d))


def nested(x: Any) -> Any:
    a: list[Any] = [[], {}]
    a[0].append(x)
    a[1]["k"] = a[0]
    a[0].append(2)
    a[1]["k"] += [3]
    return a


def shared_by_functions(x: Any) -> Any:
    log: list[Any] = []

    def note(value: Any, into: Any = log) -> Any:
        into.append(value)
        return value * 2

    y = note(x) + note(x + 1)
    return log, y


def in_branches(x: Any) -> Any:
    a = [x, x]
    d = {"k": x}
    if x.sum() > 0:
        a[0] = x * 2
        d["k"] = a[0] + 1
        a.append(x)
    else:
        a.append(x * 3)
        d["k"] = -x
    return a, d


def in_loops(x: Any) -> Any:
    totals = [x, x * 0]
    named = {"n": x * 0}
    for i in range(3):
        totals[i % 2] = totals[i % 2] + i
    while totals[0].sum() < 50:
        totals[0] = totals[0] * 2
        named["n"] += 1
        totals[1] += named["n"]
    return totals, named


@pytest.mark.parametrize(
    "function",
    [list_methods, sorting, slices, dict_methods, nested, shared_by_functions, in_branches, in_loops],
)
@pytest.mark.parametrize("sign", [1.0, 3.0])
def test_containers_change_in_place(function: Any, sign: float) -> None:
    check(function, X * sign)


def test_branches_take_each_side() -> None:
    check(in_branches, -X)


def test_arguments_are_copies() -> None:
    """A compiled call works on copies of the containers it is given; what it returns are lists and dicts again."""

    def function(values: Any, named: Any) -> Any:
        values.append(values[0] * 2)
        named["new"] = values[-1]
        return values, named

    values, named = [X], {"old": X}
    got = ms.jit(function)(values, named)
    assert len(values) == 1
    assert list(named) == ["old"]
    assert [type(v) for v in got] == [list, dict]
    assert (len(got[0]), list(got[1])) == (2, ["old", "new"])


OUTSIDE = [1, 2]
NAMED = {"a": 1}


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: OUTSIDE.append(x), r"list.append would change list .*lives outside the graph. Copy it first"),
        (lambda x: NAMED.update(a=x), r"dict.update would change dict .*lives outside the graph. Copy it first"),
    ],
)
def test_containers_from_outside_are_refused(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        ms.jit(function)(X)
