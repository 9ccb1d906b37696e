"""Branches and loops: known conditions are decided, run-time ones become If and While with the same result as Python."""

# ruff: noqa: SIM108 -- the programs under test use each form of the language on purpose

from __future__ import annotations

from typing import Any

import pytest

from mindspore.ir.graph import IF, WHILE, Apply, nodes
from tests.infer.fakes import check, i, infer, t

VALUES = (-3.0, 0.5, 2.0, 30.0)


def structured(function: Any, *args: Any) -> set[Any]:
    return {n.op for n in nodes(infer(function, *args).graph) if isinstance(n, Apply) and n.op in (IF, WHILE)}


@pytest.mark.parametrize("x", VALUES)
def test_branches_join(x: float) -> None:
    def function(x: Any, flag: bool) -> Any:
        y = x
        if x > 1:
            y = x * 2
            extra = 5
        elif x > 0:
            y = y - 1
            extra = 6
        else:
            extra = 5
        scale = 3 if x > 2 else 4.5
        if flag:
            y = y + 100
        return y * scale, extra

    check(function, t(x), True)


@pytest.mark.parametrize("x", VALUES)
def test_early_return_in_any_nesting(x: float) -> None:
    def function(x: Any) -> Any:
        if x > 10:
            if x > 20:
                return x
            x = x * 2
        else:
            if x < 0:
                x = x - 1
                return x, 2
            return x + 5, 3
        y = x + 1
        if y > 100:
            return y * 3, 1
        return y, 2

    def uniform(x: Any) -> Any:
        if x > 10:
            if x > 20:
                return x
            x = x * 2
        elif x < 0:
            return x - 1
        y = x + 1
        if y > 30:
            return y * 3
        return y

    check(uniform, t(x))
    with pytest.raises(TypeError, match="branches of a condition"):
        infer(function, t(x))


@pytest.mark.parametrize("x", VALUES)
def test_logical_operators_of_tensors(x: float) -> None:
    def function(x: Any) -> Any:
        if (x > 0 and x < 10) or x < -2:
            return x + 1
        if not x > 1 or (1 < x < 40 and x > 20):
            return x + 2
        return x

    check(function, t(x))


def test_known_conditions_leave_no_structure() -> None:
    def function(x: Any, n: int) -> Any:
        for k in range(n):
            if k == 2:
                continue
            if k > 4:
                break
            x = x + k
        else:
            x = x * 2
        while n > 0:
            n -= 1
            if n == 1:
                break
        return x, n

    assert structured(function, t(1.0), 6) == set()
    check(function, t(1.0), 6)
    check(function, t(1.0), 3)


@pytest.mark.parametrize("x", VALUES)
def test_run_time_break_in_an_unrolled_loop(x: float) -> None:
    def function(x: Any) -> Any:
        steps = 0
        for k in range(5):
            if x > 10 + k:
                break
            if x < 0:
                x = x + 2
                continue
            x = x * 2
            steps = steps + k
        else:
            x = x + 0.25
        return x, steps

    check(function, t(x))


@pytest.mark.parametrize("x", VALUES)
def test_run_time_return_in_an_unrolled_loop(x: float) -> None:
    def function(x: Any) -> Any:
        for k in (1.0, 2.0, 3.0):
            if x > 10:
                return x * k, 1
            x = x * 2 + k
        return x, 0

    check(function, t(x))


@pytest.mark.parametrize(("x", "n"), [(1.0, 0), (1.0, 3), (9.0, 7), (-1.0, 4)])
def test_while_of_run_time_length(x: float, n: int) -> None:
    def function(x: Any, n: Any) -> Any:
        count, total = 0, 0
        while count < n:
            count += 1
            if x > 8:
                break
            if x < 0:
                x = x + 1
                continue
            x = x * 2
            total = total + x
        else:
            x = x + 0.5
        return x, count

    assert structured(function, t(x), i(n)) >= {WHILE}
    check(function, t(x), i(n))


@pytest.mark.parametrize(("x", "n"), [(1.0, 0), (1.0, 3), (4.0, 7), (-1.0, 4)])
def test_return_from_nested_run_time_loops(x: float, n: int) -> None:
    def function(x: Any, n: Any) -> Any:
        for a in range(n):
            for b in range(a):
                x = x + 1
                if x > 6:
                    return x, a, b
            while x > 5:
                x = x - 2
                if x < 4:
                    return x, a, 100
        return x, n, n

    check(function, t(x), i(n))


def test_while_true_ends_by_break() -> None:
    def function(x: Any) -> Any:
        while True:
            x = x * 2
            if x > 50:
                break
        return x

    check(function, t(3.0))


def test_walrus_in_a_while_condition() -> None:
    def function(x: Any, n: Any) -> Any:
        k = 0
        while (y := x * 2) < n:
            x = y
            k += 1
        else:
            k = k + 10
        return x, y, k

    def constant(x: Any) -> Any:
        k = 4
        while (k := k - 1) > 0:
            x = x + k
        return x, k

    check(constant, t(1.0))
    with pytest.raises(UnboundLocalError, match="assigned only in a loop"):
        infer(function, t(1.0), t(30.0))


def test_range_with_run_time_bounds_and_steps() -> None:
    def function(x: Any, n: Any) -> Any:
        for k in range(n, 0, -2):
            x = x + k
        for k in range(1, n):
            x = x * k
        return x

    check(function, t(1.0), i(6))


def test_boxes_and_lists_through_branches_and_loops() -> None:
    def function(x: Any, n: Any) -> Any:
        total = x
        items = [x, x]

        def add(v: Any) -> None:
            nonlocal total
            total = total + v
            items[0] = items[0] * 2

        if x > 0:
            add(x)
        else:
            items.append(x)
            items.pop()
        k = 0
        while k < n:
            add(1.0)
            k += 1
        return total, items

    check(function, t(2.0), i(3))
    check(function, t(-2.0), i(0))


def test_tuples_as_loop_state() -> None:
    def function(x: Any, n: Any) -> Any:
        pair = (x, 0)
        pairs = [x, x]
        while pair[1] < n:
            pair = (pair[0] * 2, pair[1] + 1)
            pairs = [pairs[1], pairs[0] + 1]
        return pair, pairs

    check(function, t(1.0), i(5))


def test_a_variable_that_differs_may_be_dropped() -> None:
    def function(x: Any, flag: Any) -> Any:
        if flag:
            part = (x, x)
            y = part[0]
        else:
            part = x
            y = part + 1
        return y

    check(function, t(1.0), t(True, bool))


def test_branch_without_tensors_in_its_results() -> None:
    def function(x: Any) -> Any:
        if x > 0:
            kind = "same"
        else:
            kind = "same"
        return x, kind

    check(function, t(1.0))


def test_functions_called_in_branches_keep_their_returns() -> None:
    def inner(v: Any) -> Any:
        if v > 3:
            return v
        return v * 2

    def function(x: Any, n: Any) -> Any:
        while x < n:
            x = inner(x) + 1
        return inner(x) if x > 20 else inner(-x)

    check(function, t(1.0), t(12.0))
    check(function, t(1.0), t(40.0))
