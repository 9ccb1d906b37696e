"""Programs that catch what they raise under conditions of run time; ordinary Python, so that pytest does not rewrite their asserts."""

# ruff: noqa: SIM108 -- the programs under test use each form of the language on purpose

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Any

import mindspore as ms
from mindspore import Parameter, Tensor, nn


class TooLargeError(Exception):
    """Raised by programs."""


def plain(x: Any) -> Any:
    try:
        if x.sum() > 0:
            raise ValueError("no")
        y = x + 1
    except ValueError:
        y = x * 2
    return y


def every_part(x: Any) -> Any:
    y = x
    try:
        y = y + 1
        if x.sum() > 0:
            y = y + 10
            raise ValueError(f"at {x}")
        y = y + 100
        print("fine")
    except ValueError as error:
        print("caught", error, repr(error))
        y = y * 2
    else:
        y = y + 1000
    finally:
        print("finally")
        y = y + 5
    return y


def refuse(x: Any) -> Any:
    if x.sum() > 0:
        if x.max() > 1:
            raise TooLargeError("large")
        raise KeyError("small")
    return x * 3


def by_type(x: Any) -> Any:
    try:
        return refuse(x)
    except TooLargeError as error:
        print(error)
        return x * 0
    except KeyError:
        return x * 0 - 1


def by_several_types(x: Any) -> Any:
    try:
        y = refuse(x)
    except (ValueError, LookupError) as error:
        print(type(error), error)
        y = x
    return y


def nested(x: Any) -> Any:
    y = x
    try:
        try:
            refuse(x)
        except KeyError:
            y = x * 7
            raise
        finally:
            y = y + 1
    except Exception:
        y = y * 9
    return y


def another_exception(x: Any) -> Any:
    try:
        try:
            refuse(x)
        except KeyError as error:
            raise RuntimeError("second") from error
    except RuntimeError as error:
        print("then", error)
        return x + 1
    except TooLargeError:
        return x - 1
    return x


def unrolled(x: Any) -> Any:
    for i in range(3):
        try:
            assert x[i] < 1, f"turn {i}"
            x = x + 1
            continue
        except AssertionError as error:
            print(error)
            break
    else:
        print("all turns")
    return x


def constants_and_conditions(x: Any) -> Any:
    table = {"a": 1}
    try:
        if x.sum() > 0:
            y = x * table["b"]
        else:
            y = x * table["a"]
    except KeyError as error:
        print("missing", error)
        y = x
    return y


def positions(x: Any) -> Any:
    factors = [1.0, 2.0, 3.0]
    try:
        y = x * factors[x.sum().astype(ms.int32)]
    except IndexError as error:
        print(error)
        y = -x
    return y


class Manager:
    def __enter__(self) -> int:
        print("enter")
        return 2

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> bool:
        print("exit", kind is None, error)
        return kind is not None and issubclass(kind, TooLargeError)


def managed(x: Any) -> Any:
    y = x
    with Manager() as factor:
        y = refuse(x) * factor
        print("through")
    return y


def conditions_in_a_row(x: Any) -> Any:
    try:
        if x[0] > 2:
            raise ValueError("first")
        if x[1] > 0 and refuse(x * 0.1).sum() > 0:
            raise ValueError("second")
        if x[2] > 2:
            raise ValueError("third")
    except ValueError as error:
        print(error)
        return x * 0
    except KeyError as error:
        print("key", error)
        return x * -1
    return x


class Stopping(nn.Cell):
    """What is written before an exception stays written when it is caught."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = Parameter(Tensor([0.0, 0.0]), name="steps")

    def construct(self, x: Any) -> Any:
        try:
            self.steps += 1
            if x.sum() > 0:
                self.steps[0] = 10
                raise ValueError("stop")
            self.steps[1] = 5
        except ValueError:
            self.steps *= 2
        return self.steps + x.sum()


def in_a_loop_of_run_time(x: Any) -> Any:
    failed = 0
    while x.sum() < 10:
        try:
            if x[0] > x[1]:
                raise ValueError("turned")
            x = x + 1.5
        except ValueError:
            failed += 1
            x = x + 4
    return x, failed


CAUGHT: list[Callable[[Any], Any]] = [
    plain, every_part, by_type, by_several_types, nested, another_exception, unrolled, constants_and_conditions, positions,
    managed, conditions_in_a_row, in_a_loop_of_run_time,
]  # fmt: skip
