"""Programs whose run-time loops raise what a ``try`` around the loop catches."""

# ruff: noqa: B904 -- the programs under test use each form of the language on purpose

from __future__ import annotations

from types import TracebackType
from typing import Any

from mindspore import Parameter, Tensor, nn


def with_constant_text(x: Any, n: Any) -> Any:
    try:
        while x.sum() < 10:
            if x.sum() > 5 + n:
                raise ValueError("too far")
            x = x + 1
    except ValueError as error:
        print(error)
        return x * 2
    return x


def with_run_time_text(x: Any, n: Any) -> Any:
    i, y = 0, x
    try:
        while i < n:
            if y.sum() > 5:
                raise ValueError(f"at {i} {y}")
            y = y * 2
            print("turn", i)
            i = i + 1
        else:
            print("else")
    except ValueError as error:
        print("caught", error)
        y = -y
    finally:
        y = y + 1
    return y


def without_end(x: Any, n: Any) -> Any:
    y = x
    try:
        while True:
            y = y + 1
            if y.sum() > n:
                raise StopIteration
    except StopIteration:
        y = y * 3
    return y


def through_calls(x: Any, n: Any) -> Any:
    def inner(v: Any) -> Any:
        for k in range(n):
            if v.sum() > 20 and k > 2:
                raise KeyError("inner")
            if v.min() < -5:
                raise ValueError("negative")
            v = v + k
        return v

    try:
        for _ in range(n):
            x = inner(x) * 1.5
    except KeyError:
        return x * 100
    except ValueError:
        return x * 1000
    return x


def long_range(x: Any, n: Any) -> Any:
    try:
        for i in range(150):
            x = x + 0.25
            if x.sum() > 40 + n:
                raise ValueError("long", i)
    except ValueError as error:
        print(error)
        return x * 2
    return x


def counted(x: Any, n: Any) -> Any:
    i = 0
    try:
        while i < 200:
            if x.sum() > 50 + n:
                raise ValueError(f"at {i}")
            x = x + 0.5
            i += 1
    except ValueError as error:
        print(error)
    return x * i


def rows(x: Any, n: Any) -> Any:
    total = x[0] * n * 0
    try:
        for row in x.repeat_interleave(100).reshape((200, 1)):
            if row.sum() > 3:
                raise ValueError(f"row {row}")
            total = total + row.sum()
    except ValueError as error:
        print(error)
        return -total * x
    return total * x


def asserted_inside(x: Any, n: Any) -> Any:
    count = 0
    for _ in range(n):
        try:
            while x.sum() < 10:
                x = x + 1
                assert x[0] < 4, "first"
        except AssertionError:
            count = count + 1
            x = x * 0
    return x + count


def in_the_condition(x: Any, n: Any) -> Any:
    def check(v: Any) -> Any:
        if v.sum() > 9:
            raise ValueError("condition")
        return v.sum() < n * 3

    try:
        while check(x):
            x = x + 1
    except ValueError:
        x = x * 10
    return x


def in_two_loops(x: Any, n: Any) -> Any:
    caught = 0
    try:
        for _ in range(n):
            try:
                for j in range(n):
                    if x.sum() > 12:
                        raise KeyError("outer")
                    if x[0] > 3 and caught < 1:
                        raise ValueError("inner")
                    x = x + j
            except ValueError:
                caught = caught + 1
                x = x + 0.5
    except KeyError:
        return x * -1
    return x * caught


def every_way_out(x: Any, n: Any) -> Any:
    try:
        for _ in range(n):
            if x.sum() > 20:
                break
            if x.sum() < -20:
                return x
            if x[0] == 5:
                raise ValueError("five")
            if x[0] == 4:
                x = x + 2
                continue
            x = x + 1
        else:
            x = x * 7
    except ValueError:
        x = x * 11
    return x


def raised_again(x: Any, n: Any) -> Any:
    try:
        for i in range(n):
            try:
                if x.sum() > 6:
                    raise KeyError(i)
                x = x + 1
            except KeyError as error:
                print("first", error)
                raise RuntimeError("second")
    except RuntimeError as error:
        print(error)
        return x * 5
    return x


class Manager:
    def __enter__(self) -> Manager:
        print("enter")
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        print("exit", kind is None, error)
        return kind is ValueError


def managed(x: Any, n: Any) -> Any:
    with Manager():
        for _ in range(n):
            if x.sum() > 6:
                raise ValueError("stop")
            x = x * 2
    return x


class Counting(nn.Cell):
    """What turns wrote before one raised stays written."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Parameter(Tensor(0.0), name="steps")

    def construct(self, x: Any, n: Any) -> Any:
        try:
            while x.sum() < 30:
                self.steps += 1
                if self.steps > n:
                    raise ValueError("steps")
                x = x + 2
        except ValueError:
            self.steps *= 10
        return x * self.steps


PROGRAMS = [
    with_constant_text, with_run_time_text, without_end, through_calls, long_range, counted, rows, asserted_inside, in_the_condition,
    in_two_loops, every_way_out, raised_again, managed,
]  # fmt: skip
