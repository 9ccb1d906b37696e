"""Sets that programs make and change, numpy arrays that they make, and elements that are tensors looked for in containers."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor
from tests.frontend.programs import check, t

pytestmark = pytest.mark.compiler

X = t(1.0, 2.0)
OUTSIDE = {1, 2}


def every_method(x: Any) -> Any:
    found: set[Any] = set()
    found.add(1)
    found.add(2)
    found |= {3}
    found.discard(9)
    found.discard(1)
    found.update([7, 8], (9,))
    found -= {9}
    other = found
    other.add(100)
    less = found.copy()
    less.difference_update({7, 100})
    less.symmetric_difference_update({2, 30})
    less.intersection_update({3, 30, 31})
    empty = copy.copy(found)
    empty.clear()
    both, either = found & {2, 3}, found.union({5})
    both ^= {3, 4}
    return (
        x * len(found), found, less, empty, both, either, found is other, found >= {2}, 2 in found, 1 in found, isinstance(found, set),
        list({3, 1, 2}), bool(empty), sum(both), {i * 2 for i in range(3)}, frozenset(both) | {9}, {5}.pop(), found.issubset(either),
    )  # fmt: skip


def in_loops_and_branches(x: Any) -> Any:
    seen = {0}
    if x.sum() > 0:
        seen.add(0)
        y = x
    else:
        y = x * 2
    for i in range(40):
        if i % 2 and i not in seen:
            seen.add(i)
    return y * len(seen), seen


def caught(x: Any) -> Any:
    found = {1}
    try:
        found.remove(5)
    except KeyError as error:
        print("missing", error, found)
    return x, found


def captured(x: Any) -> Any:
    names: set[str] = set()

    def visit(name: str) -> Any:
        names.add(name)
        return x * len(names)

    return visit("a"), visit("b"), visit("a"), sorted(names)


@pytest.mark.parametrize("function", [every_method, in_loops_and_branches, caught, captured])
def test_sets(function: Any, capsys: pytest.CaptureFixture[str]) -> None:
    check(function, X)
    check(function, X * -1)
    lines = capsys.readouterr().out.splitlines()
    assert len(set(lines)) <= 1


def test_results_are_new_sets() -> None:
    compiled: Any = ms.jit(in_loops_and_branches)
    first, second = compiled(X)[1], compiled(X)[1]
    first.add("changed")
    assert second == compiled(X)[1]


def adds_a_tensor(x: Any) -> Any:
    found = {1}
    found.add(x)
    return x


def changes_an_outside_one(x: Any) -> Any:
    OUTSIDE.add(3)
    return x


def adds_in_one_branch(x: Any) -> Any:
    found = {1}
    if x.sum() > 0:
        found.add(2)
    return x * len(found)


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (adds_a_tensor, r"line \d+, column 5.*must be known while compiling.*Use a list"),
        (
            changes_an_outside_one,
            r"line \d+, column 5.*set.add would change set \{1, 2\}, which lives outside the graph",
        ),
        (adds_in_one_branch, r"line \d+.*set of length 2 and set of length 1"),
    ],
)
def test_refusals(function: Any, message: str) -> None:
    with pytest.raises(TypeError, match=f"(?s){message}"):
        ms.jit(function)(X)


def arrays(x: Any) -> Any:
    a = np.array([1, 2, 3])
    a[0] = 10
    a[1:] += 1
    grid = np.zeros((2, 2))
    for i in range(2):
        grid[i, i] = i + 1
    made = Tensor([[1.0, 2.0]])
    return x * Tensor(a[:2]), Tensor(grid), Tensor(made.asnumpy() * 2), Tensor(a.sum())


def test_arrays_that_a_program_makes() -> None:
    check(arrays, X)


def test_values_of_tensors_that_run_time_knows_are_no_arrays() -> None:
    with pytest.raises(
        TypeError, match=r"(?s)line \d+.*asnumpy needs the values of a tensor, which only run time knows"
    ):
        ms.jit(lambda x: Tensor(x.asnumpy()))(X)


ARRAY = np.array([1, 2])


def changes_an_array_of_outside(x: Any) -> Any:
    a = ARRAY
    a[0] = 5
    return x


def test_arrays_of_outside_are_not_changed() -> None:
    with pytest.raises(TypeError, match="cannot be changed in a graph"):
        ms.jit(changes_an_array_of_outside)(X)


def membership(x: Any) -> Any:
    y = x
    if x[0] in (1.0, 2.0):
        y = y + 1
    if x[1] not in [x[0], 5]:
        y = y * 3
    return y, 5 in [x[0], 5]


def test_tensors_among_elements() -> None:
    check(membership, X)
    check(membership, t(3.0, 5.0))


def test_dicts_have_the_method_of_mindspore_1() -> None:
    assert ms.jit(lambda x: ({"a": x}.has_key("a"), {"a": x}.has_key("b")))(X) == (True, False)  # type: ignore[attr-defined]
