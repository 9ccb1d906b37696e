"""``match`` and ``:=`` in compiled functions do what they do in Python."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

import pytest

import mindspore as ms
from tests.frontend.programs import check, t

X = t(1.0, 2.0)


class Color(Enum):
    RED = 1
    BLUE = 2


class Pair(NamedTuple):
    left: Any
    right: Any


@dataclass(frozen=True)
class Point:
    x: Any
    y: Any


def kinds(x: Any, subject: Any) -> Any:
    match subject:
        case 0 | 1:
            return x
        case Color.RED:
            return x + 7
        case Pair(a, right=b):
            return x + a * b
        case Point(x=0, y=y) | Point(x=y, y=0):
            return x + y
        case (a, b) if a == b:
            return x * a
        case [first, *_, last]:
            return x + first - last
        case [a, *rest] as whole:
            return x + a + len(rest) + len(whole)
        case {"key": value, **others}:
            return x + value + len(others)
        case {"other": (p, q)}:
            return x * p * q
        case int(n) | float(n):
            return x - n
        case str() as text:
            return x + len(text)
        case bool() | None:
            return x + 1000
        case []:
            return x - 1000
    return -x


@pytest.mark.parametrize(
    "subject",
    [
        0, 1, Color.RED, Color.BLUE, (2, 2), (2, 3), [5], [], [1, 2, 3], Pair(2, 3), Point(0, 4), Point(4, 0), Point(3, 4),
        {"key": 1}, {"key": 2, "z": 1}, {"other": (1, 2)}, {"other": 1}, 17, 2.5, "text", None, True, b"bytes", range(3),
    ],
)  # fmt: skip
def test_match_of_constants(subject: Any) -> None:
    check(kinds, X, subject)


@pytest.mark.parametrize("n", range(5))
def test_match_of_tensors(n: int) -> None:
    def function(x: Any, n: Any) -> Any:
        match n:
            case 0:
                y = x
            case 1 | 2:
                y = x * 2
            case m if m == 3:
                y = x + m
            case other:
                y = x - other
        return y

    check(function, X, t(n, dtype=ms.int32))


@pytest.mark.parametrize("a", [0.0, 1.0])
def test_match_of_containers_of_tensors(a: float) -> None:
    def function(pair: Any) -> Any:
        for each in (pair, [pair[0]], {"x": pair[1]}):
            match each:
                case (0.0, y):
                    return y
                case (x, y):
                    pair = (x + y, y)
                case [x]:
                    pair = (pair[0] + x, pair[1])
                case {"x": x}:
                    pair = (pair[0] * x, pair[1])
        return pair[0]

    check(function, (t(a), t(3.0)))


def test_captures_of_alternatives_that_run_time_decides() -> None:
    def function(pair: Any) -> Any:
        match pair:
            case (0, y) | (y, 0):
                return y
        return pair[0]

    with pytest.raises(TypeError, match=r"an alternative of '\|' .* cannot capture names. Write one case"):
        ms.jit(function)((t(1.0), t(2.0)))


def skipped_walrus(x: Any) -> Any:
    if x.sum() > 0 and (y := x * 2).sum() > 1:
        return y
    if (z := x - 1).sum() < -2 or z.sum() > 100:
        return z
    return x


def walrus_in_comprehensions(x: Any) -> Any:
    found = [last := i * 2 for i in range(4) if (half := i % 2)]
    return x + last + half + sum(found)


def walrus_in_ternaries(x: Any) -> Any:
    a = (b := x + 1) if x.ndim == 1 else (b := x - 1)
    return a * b


def walrus_in_while(x: Any) -> Any:
    while (s := x.sum()) < 100 and (double := abs(s) * 2) < 150:
        x = x + double + s
    return x


def walrus_in_calls(x: Any) -> Any:
    return max(n := 3, m := 4) + x * n + m


@pytest.mark.parametrize(
    "function", [skipped_walrus, walrus_in_comprehensions, walrus_in_ternaries, walrus_in_while, walrus_in_calls]
)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_walrus(function: Any, sign: float) -> None:
    check(function, X * sign)


def test_walrus_that_was_skipped() -> None:
    def function(x: Any) -> Any:
        if x.ndim == 2 and (y := x):
            x = y
        return x + y

    with pytest.raises(UnboundLocalError, match="'y' is used before it is assigned"):
        ms.jit(function)(X)
