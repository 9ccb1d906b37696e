"""Programs with generators."""

# ruff: noqa: PERF402, UP028 -- the programs under test use each form of the language on purpose

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import mindspore as ms
from mindspore import nn


def scaled(x: Any, n: int = 3) -> Any:
    print("start")
    for k in range(n):
        yield x[k] * k
    print("end")
    return 7


def consumers(x: Any) -> Any:
    first, *rest = scaled(x)
    return (
        sum(scaled(x)),
        list(scaled(x, 2)),
        [v * 2 for v in scaled(x)],
        tuple(scaled(x)),
        first,
        rest,
        dict(enumerate(scaled(x))),
    )


def loops(x: Any) -> Any:
    total = 0
    for v in scaled(x):
        print("got", v)
        total = total + v
        if total is None:
            break
    else:
        total = total + 100
    return total


def counted(start: Any) -> Any:
    while True:
        yield start
        start = start + 1


def without_end(x: Any) -> Any:
    total = 0
    for i, v in zip(counted(5), x, strict=False):
        total = total + i * v
    numbers = counted(x[0])
    first, second = next(numbers), next(numbers)
    for k in counted(0):
        if k > 3:
            break
        total = total + k
    return total, first, second, list(itertools.islice(counted(2), 3))


def leaves(tree: Any) -> Iterator[Any]:
    if isinstance(tree, tuple):
        for part in tree:
            yield from leaves(part)
    else:
        yield tree


def recursive(x: Any) -> Any:
    return sum(leaves((x, (x * 2, (x * 3,)), x)))


def delegated(x: Any) -> Any:
    def inner() -> Any:
        last = yield from scaled(x, 1)
        yield from [x, x + 1]
        yield last

    return tuple(inner()), next(scaled(x)), next((v for v in (1, 2) if v > 5), None)


def state_between(x: Any) -> Any:
    seen: list[int] = []

    def steps() -> Any:
        for i in range(3):
            seen.append(i)
            yield x * i

    running = steps()
    first, after_one = next(running), len(seen)
    seen.append(50)
    second, after_two = next(running), len(seen)
    return first, second, after_one, after_two, iter(running) is running, list(running), next(running, "none"), seen


def arguments(x: Any) -> Any:
    def generated(a: Any, b: Any = 2, *more: Any, named: Any, **others: Any) -> Any:
        a = a + 1
        yield a * b
        yield from more
        yield named
        yield sorted(others.items())

    return list(generated(x, 3, 4, 5, named=6, z=7))


def exceptions(x: Any) -> Any:
    def failing() -> Any:
        yield x
        raise ValueError("inside")

    found = []
    try:
        for v in failing():
            found.append(v)
    except ValueError as error:
        print("caught", error)
    empty = scaled(x, 0)
    try:
        next(empty)
    except StopIteration:
        print("empty")
    return found


def in_loops_of_run_time(x: Any) -> Any:
    while x.sum() < 20:
        for v in leaves((x, (x,))):
            x = x + v.sum()
        if x.sum() > 0:
            x = x + next(leaves(x))
    return x


def left_at_run_time(x: Any) -> Any:
    total = x * 0
    for v in leaves((x, x * 2, x * 3)):
        total = total + v
        if total.sum() > 10:
            break
    return total


class Stacked(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.parts = nn.CellList([nn.ReLU(), nn.Tanh()])

    def active(self) -> Iterator[Any]:
        for part in self.parts:
            yield part

    def construct(self, x: Any) -> Any:
        for part in self.active():
            x = part(x)
        return x


def gradient(x: Any) -> Any:
    return ms.grad(lambda v: sum(leaves((v * v, (v * 3,)))).sum())(x)


PROGRAMS: list[Any] = [
    consumers, loops, without_end, recursive, delegated, state_between, arguments, exceptions, in_loops_of_run_time,
    left_at_run_time, gradient,
]  # fmt: skip


def yields_in_a_branch(x: Any) -> Any:
    def some() -> Any:
        if x.sum() > 0:
            yield 1
        yield 2

    return list(some())


def yields_in_try(x: Any) -> Any:
    def some() -> Any:
        try:
            yield x
        finally:
            print("closed")

    return list(some())


def taken_in_a_branch(x: Any) -> Any:
    running = leaves((x, x))
    if x.sum() > 0:
        return next(running)
    return x


def endless(x: Any) -> Any:
    return list(counted(0))


def printing_and_left(x: Any) -> Any:
    total = x[0]
    for v in scaled(x):
        total = total + v
        if total > 3:
            break
    return total


def leaving(x: Any) -> Any:
    return leaves(x)


REFUSED: list[tuple[Any, str]] = [
    (yields_in_a_branch, r"cannot stand in a branch or loop that is decided at run time"),
    (yields_in_try, r"'yield' inside try or with is not supported"),
    (taken_in_a_branch, r"cannot stand in a branch or loop that is decided at run time"),
    (endless, r"the generator gave 20000 elements while compiling and does not end"),
    (
        printing_and_left,
        r"prints, raises or writes Parameters cannot be iterated over by a loop that run time may leave",
    ),
    (leaving, r"a generator cannot leave a compiled function"),
]
