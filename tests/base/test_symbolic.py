"""Symbolic sizes: arithmetic stays symbolic, decisions become conditions, and both agree with the numbers."""

from __future__ import annotations

import math
import operator
from numbers import Integral
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mindspore.base.shapes import span
from mindspore.base.symbolic import Scope, Size, concrete, integer, value

OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod}
EXPRESSIONS = st.recursive(
    st.one_of(st.sampled_from(["n", "m"]), st.integers(-7, 12)),
    lambda part: st.tuples(st.sampled_from(sorted(OPERATORS)), part, part),
    max_leaves=8,
)
SIZES = st.tuples(st.integers(2, 40), st.integers(2, 40))


def evaluated(expression: Any, names: dict[str, Any]) -> Any:
    if isinstance(expression, tuple):
        symbol, left, right = expression
        return OPERATORS[symbol](evaluated(left, names), evaluated(right, names))
    return names.get(expression, expression)


@settings(deadline=None)
@given(EXPRESSIONS, SIZES, SIZES)
def test_arithmetic_gives_the_numbers_of_any_admitted_sizes(expression: Any, example: Any, other: Any) -> None:
    scope = Scope()
    n, m = (scope.symbol(e) for e in example)
    try:
        found = evaluated(expression, {"n": n, "m": m})
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            evaluated(expression, dict(zip("nm", example, strict=True)))
        return
    assert scope.admits(example)
    for sizes in (example, other):
        if scope.admits(sizes):
            assert value(found, scope.atoms(sizes)) == evaluated(expression, dict(zip("nm", sizes, strict=True)))


@settings(deadline=None)
@given(EXPRESSIONS, EXPRESSIONS, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), SIZES, SIZES)
def test_what_was_decided_holds_for_all_admitted_sizes(
    left: Any, right: Any, symbol: str, example: Any, other: Any
) -> None:
    relation = {
        "==": operator.eq,
        "!=": operator.ne,
        "<": operator.lt,
        "<=": operator.le,
        ">": operator.gt,
        ">=": operator.ge,
    }[symbol]
    scope = Scope()
    names = dict(zip("nm", (scope.symbol(e) for e in example), strict=True))
    try:
        outcome = relation(evaluated(left, names), evaluated(right, names))
        expected = [
            relation(evaluated(left, numbers), evaluated(right, numbers))
            for numbers in (dict(zip("nm", s, strict=True)) for s in (example, other))
        ]
    except ZeroDivisionError:
        return
    assert outcome == expected[0]
    assert not scope.admits(other) or outcome == expected[1]


def test_exact_division_needs_no_condition() -> None:
    scope = Scope()
    n, m = scope.symbol(6), scope.symbol(4)
    assert (n * 10) % 10 == 0
    assert (n * 10 + 13) // 10 == n + 1
    assert math.prod((n, 3, m)) == m * n * 3
    assert n * m - m * n == 0
    assert scope.conditions == {}
    assert (n * m * 10) // (n * 5) == m * 2
    assert len(scope.conditions) == 1, "the divisor is not zero"


def test_using_a_size_as_an_int_pins_it() -> None:
    scope = Scope()
    n = scope.symbol(3)
    assert list(range(n)) == [0, 1, 2]
    assert scope.admits([3])
    assert not scope.admits([4])


def test_a_size_is_an_integer_to_checks_and_keeps_its_form() -> None:
    scope = Scope()
    n = scope.symbol(8)
    assert isinstance(n, Integral)
    assert integer(n) is n
    assert integer(True) == 1
    assert concrete(n * 2) == 16
    assert repr(n * n * 2 - n % 3 + 1) == "-1*(s0 % 3) + 2*s0^2 + 1"
    assert scope.conditions == {}
    with pytest.raises(TypeError):
        integer(2.0)
    with pytest.raises(TypeError):
        n + "text"


def test_sizes_that_make_an_atom_meaningless_are_not_admitted() -> None:
    scope = Scope()
    n, m = scope.symbol(9), scope.symbol(3)
    assert isinstance(n // (m - 2), Size)
    assert scope.admits([9, 4])
    assert not scope.admits([9, 2])


BOUNDS = st.one_of(st.none(), st.integers(-12, 12))


@settings(deadline=None)
@given(BOUNDS, BOUNDS, st.one_of(st.none(), st.sampled_from([-3, -2, -1, 1, 2, 3])), SIZES)
def test_spans_are_pythons_slices_also_of_symbolic_sizes(begin: Any, end: Any, step: Any, sizes: Any) -> None:
    example, other = sizes
    scope = Scope()
    taken = span(slice(begin, end, step), scope.symbol(example))  # type: ignore[arg-type]
    for size in (example, other):
        if scope.admits([size]):
            atoms = scope.atoms([size])
            start, count = value(taken.start, atoms), value(taken.count, atoms)
            expected = list(range(size))[begin:end:step]
            assert [start + i * taken.step for i in range(count)] == expected
    with pytest.raises(ValueError, match="zero"):
        span(slice(None, None, 0), 3)
