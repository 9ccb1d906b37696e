"""Long loops over constants run at run time when that gives the same as unrolling them, and are unrolled otherwise."""

# ruff: noqa: B007, PERF401, SIM108 -- the programs under test use each form of the language on purpose

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
import mindspore.common.meanings
from mindspore.frontend.parse import parse
from mindspore.infer import loops
from mindspore.infer.specialise import specialise
from mindspore.ir.graph import WHILE, Apply, Constant, Graph, nodes
from tests.frontend.programs import check, plain, t

X = t(1.0, 2.0, dtype=ms.float64)


def rolled(function: Any, *args: Any) -> int:
    """How many loops of run time the graph of `function` has."""
    pending, found = [specialise(function, args, {}, parse=parse, expanders={}).graph], 0
    while pending:
        for node in nodes(pending.pop()):
            found += isinstance(node, Apply) and node.op is WHILE
            if isinstance(node, Constant) and isinstance(node.value, Graph):
                pending.append(node.value)
    return found


def plain_counting(x: Any) -> Any:
    for _ in range(3000):
        x = x * 0.999 + 0.01
    return x


def with_the_counter(x: Any) -> Any:
    s = 0.0
    for i in range(1, 500):
        s = s + x.sum() * (i % 7) / (i + 1) - (2 * i - 3) // 5 + i / 3 - -i
        if i % 3 == 0 and i < 400:
            x = x + i * 0.01
    return s, x, i


def backwards(x: Any) -> Any:
    for i in range(9000, 100, -3):
        x = x + 1 / i
        last = x * i
    return x, last, i


def nested(x: Any) -> Any:
    y = x
    for i in range(80):
        for j in range(60):
            y = y + 0.01 * j
            if j > i:
                y = y - 0.001 * i
    return y, i, j


def with_break(x: Any) -> Any:
    y = x
    for i in range(2000):
        x = x * 1.01 + 0.1
        if x.sum() > 100:
            y = x + 1
            break
    else:
        y = -x
    return y


def with_return(x: Any) -> Any:
    for i in range(2000):
        x = x * 1.01 + 0.1
        if x.sum() > 100:
            return x * i
    return x


def with_continue(x: Any) -> Any:
    y = x
    for i in range(2000):
        x = -x
        if x.sum() < 0:
            continue
        y = y + x * 0.01
    return y


def with_lists(x: Any) -> Any:
    held = [x, x * 2]
    named = {"a": x}
    for i in range(1000):
        held[0] = held[0] + held[1] * 0.01
        held[1] = held[1] * 0.99
        named["a"] = held[0] - 1
    return held, named


def with_integers(n: Any) -> Any:
    total = n
    for i in range(1000):
        total = total + n * i
    return total


def sets_a_number(x: Any) -> Any:
    y = x * 2
    for i in range(300):
        y = y * 0.5 + x + 1
        x = x + y
        y = 0.5
    return x, y


ROLLED = [
    plain_counting,
    with_the_counter,
    backwards,
    nested,
    with_break,
    with_return,
    with_continue,
    with_lists,
    sets_a_number,
]


@pytest.mark.parametrize("function", ROLLED)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_long_loops_are_rolled(function: Any, sign: float) -> None:
    assert rolled(function, X * sign) == 1
    check(function, X * sign)


@pytest.mark.parametrize("dtype", [ms.int32, ms.int64])
def test_counters_beside_integers(dtype: Any) -> None:
    assert rolled(with_integers, t(3, dtype=dtype)) == 1
    check(with_integers, t(3, dtype=dtype))


def collects(x: Any) -> Any:
    held = []
    for i in range(400):
        x = x * 0.9 + 1
        held.append(x * i)
    return held[-1], len(held)


def counts_numbers(x: Any) -> Any:
    n = 0
    for i in range(300):
        n += i
        x = x * 0.9 + n * 0.001
    return x, n


def assigns_in_one_turn(x: Any) -> Any:
    for i in range(300):
        x = x * 0.9 + i * 0.1 + 1
        if i == 200:
            y = x
    return x, y


def needs_the_value(x: Any) -> Any:
    names = {}
    for i in range(300):
        x = x * 0.9 + [1.0, 2.0][i % 2] + len(str(i))
        names[i] = i
    return x, len(names)


def breaks_by_the_counter(x: Any) -> Any:
    for i in range(300):
        x = x * 0.9 + 1.0 - i * 0.01
        if i == 250:
            break
    return x, i


def leaves_a_number(x: Any) -> Any:
    for i in range(300):
        x = x * 0.9 + 1.0 - i * 0.01
        k = i * 2
    return x, k


def asks_for_the_class(x: Any) -> Any:
    for i in range(2000):
        if isinstance(i, int) and type(i) is int:
            x = x * 0.9 + i * 0.1
        else:
            x = x - 1
    return x


UNROLLED = [
    collects, counts_numbers, assigns_in_one_turn, needs_the_value, breaks_by_the_counter, leaves_a_number,
]  # fmt: skip


@pytest.mark.parametrize("function", UNROLLED)
def test_what_needs_each_turn_is_unrolled(function: Any) -> None:
    assert rolled(function, X) == 0
    wanted, got = plain(function(X)), plain(ms.jit(function)(X))
    np.testing.assert_allclose(got[0], wanted[0], rtol=1e-4)
    np.testing.assert_allclose(got[1], wanted[1], rtol=1e-4)


def test_the_counter_is_an_int() -> None:
    assert rolled(asks_for_the_class, X) == 1
    check(asks_for_the_class, X)


@pytest.mark.parametrize("function", [plain_counting, with_the_counter, nested, with_break])
def test_gradients_of_rolled_loops(function: Any) -> None:
    def first(x: Any) -> Any:
        result = function(x)
        return (result[0] if isinstance(result, tuple) else result).sum()

    x = ms.Tensor(np.array([1.0, 2.0]))
    got = ms.jit(ms.grad(first))(x).asnumpy()
    wanted = ms.grad(first)(x).asnumpy()
    np.testing.assert_allclose(got, wanted, rtol=1e-6)


def over_rows(table: Any) -> Any:
    s = table[0] * 0
    for row in table:
        s = s * 0.9 + row
    return s, row


def by_index(table: Any) -> Any:
    s = table[0] * 0
    for i in range(len(table)):
        s = s * 0.9 + table[i] * i + table[i, 1] - table[i, :2].sum()
    return s


def writes_rows(table: Any) -> Any:
    table = table * 1
    for i in range(1, len(table)):
        table[i] = table[i] * 0.5 + table[i - 1]
        table[i, 0] += i
    return table


ROWS = ms.Tensor(np.arange(900.0).reshape(300, 3) / 100)


@pytest.mark.parametrize("function", [over_rows, by_index, writes_rows])
def test_rows_of_tensors(function: Any) -> None:
    assert rolled(function, ROWS) == 1
    check(function, ROWS)


def test_rows_out_of_range() -> None:
    def function(table: Any) -> Any:
        s = table[0]
        for i in range(1000):
            s = s + table[i + 1]
        return s

    with pytest.raises(IndexError, match=r"s = s \+ table\[i \+ 1\]\n"):
        ms.jit(function)(ROWS)


def counts_up(x: Any) -> Any:
    i = 0
    while i < 50000:
        x = x * 0.5 + i
        i += 1
    return x, i


def counts_two(x: Any) -> Any:
    i, j = 900, 0
    while i > 0 and j < 5000:
        i -= 1
        j = 2 + j
        if j % 3 == 0:
            x = x + i * 0.1
        else:
            x = x * 0.99 - j
    else:
        x = x + 1
    return x, i, j


def counts_inside(x: Any) -> Any:
    i = 0
    y = x
    while i != 900:
        k = 0
        while k < 40:
            y = y + 0.001 * k
            k += 1
        x = x + y * i
        i += 3
    return x, y, i, k


@pytest.mark.parametrize("function", [counts_up, counts_two, counts_inside])
def test_while_that_counts(function: Any) -> None:
    assert rolled(function, X) == 1
    check(function, X)


def doubles(x: Any) -> Any:
    i = 1
    while i < 2**40:
        x = (
            (x + i) * 0.5
            + (x - 1) * (x + 2) * 0.001
            + x * 0.1
            + x / 7
            - x * 0.25
            + x * 0.125
            - x * 0.3
            + x * 0.01
            - x * 0.2
        )
        i *= 2
    return x, i


def skips_some(x: Any) -> Any:
    i = 0
    while i < 500:
        if i == 200:
            i += 50
        i += 1
        x = x * 0.5 + 1 - x * 0.01
    return x, i


def stops_by_itself(x: Any) -> Any:
    i = 0
    while i < 500:
        i += 1
        x = x * 0.5 + 1 - x * 0.01
        if i == 300:
            break
    return x, i


@pytest.mark.parametrize("function", [doubles, skips_some, stops_by_itself])
def test_while_that_counts_otherwise_is_unrolled(function: Any) -> None:
    assert rolled(function, X) == 0
    check(function, X)


def test_short_loops_fuse() -> None:
    def short(x: Any) -> Any:
        for i in range(31):
            x = x * 2 - i
        return x

    assert rolled(short, X) == 0


@pytest.mark.parametrize(
    ("operations", "turns", "message"), [(50, 10**6, r"51 operations after \d+ turns"), (10**6, 20, "after 21 turns")]
)
def test_loops_that_unroll_to_too_much(
    monkeypatch: pytest.MonkeyPatch, operations: int, turns: int, message: str
) -> None:
    monkeypatch.setattr(loops, "MAX_OPERATIONS", operations)
    monkeypatch.setattr(loops, "MAX_TURNS", turns)

    def grows(x: Any) -> Any:
        held = []
        for i in range(1000):
            held.append(x * i)
        return held

    with pytest.raises(ValueError, match=message) as caught:
        ms.jit(grows)(X)
    assert "for i in range(1000):" in str(caught.value)
    assert "loop over range(n) of a tensor n" in str(caught.value)
