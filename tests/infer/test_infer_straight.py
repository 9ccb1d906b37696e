"""Straight-line code: arithmetic, containers, calls and constants mean what Python means."""

# mypy: disable-error-code="no-untyped-call, operator"
# ruff: noqa: C408, C417, PIE800, B905, SIM222 -- the programs under test use each form of the language on purpose

from __future__ import annotations

import functools
import math
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from tests.infer.fakes import FakeTensor, check, exp, infer, reduce_sum, run, t

Pair = namedtuple("Pair", ["left", "right"])
SCALE = 3
X = t([1.0, 2.0, 3.0])
Y = t([0.5, -1.0, 4.0])


def test_arithmetic_of_tensors_and_numbers() -> None:
    check(lambda x, y: (x + y * 2 - 1) / 4 + -x, X, Y)


def test_constants_fold_by_python() -> None:
    def function(x: Any) -> Any:
        scale = (2**3 + len("abc")) // 2
        return x * scale, math.sqrt(16.0), f"{scale:>4}|{scale!r}", "a" in "abc", not scale

    assert check(function, X)[1:] == (4.0, "   5|5", True, False)


def test_numbers_that_are_arguments_are_constants() -> None:
    found = infer(lambda x, n: x * n, X, 3)
    assert found.arguments == [(0, 0)]
    assert len(found.graph.parameters) == 1


def test_tensors_inside_containers_are_arguments() -> None:
    def function(pair: Any, *, options: Any) -> Any:
        (a, b), scale = pair
        return a * scale + options["shift"] * b

    found = infer(function, ((X, Y), 2), options={"shift": Y})
    assert found.arguments == [(0, 0, 0, 0), (0, 0, 0, 1), (1, "options", "shift")]
    check(function, ((X, Y), 2), options={"shift": Y})


def test_parameters_of_every_kind() -> None:
    def inner(a: Any, b: Any = 2, /, c: Any = 3, *rest: Any, d: Any, e: Any = 5, **more: Any) -> Any:
        return a + b * c + d * e, rest, more

    def function(x: Any) -> Any:
        args, named = (x, 1, 7), {"d": x, "z": 4}
        return inner(x, d=x), inner(*args, 8, 9, **named), inner(x, 2, c=x, d=1, e=x)

    check(function, X)


def test_closures_see_the_variable_not_the_value() -> None:
    def function(x: Any) -> Any:
        scale = 2

        def scaled(v: Any) -> Any:
            return v * scale

        before = scaled(x)
        scale = 5
        counter = 0

        def count() -> int:
            nonlocal counter
            counter += 1
            return counter

        count()
        return before, scaled(x), count(), [f() for f in [lambda k=k: k for k in range(3)]]

    check(function, X)


def test_recursion_over_constants() -> None:
    def function(x: Any) -> Any:
        def power(v: Any, n: int) -> Any:
            return v if n == 1 else v * power(v, n - 1)

        return power(x, 4)

    check(function, X)


def test_higher_order_functions_and_partial() -> None:
    def function(x: Any, y: Any) -> Any:
        add = functools.partial(lambda a, b: a - b, x)
        twice = lambda f, v: f(f(v))  # noqa: E731
        return twice(add, y), list(map(lambda v: v + 1, (x, y)))

    def composed(x: Any) -> Any:
        chain = functools.reduce(lambda f, g: lambda v: g(f(v)), [lambda v: v + 1, lambda v: v * 2, lambda v: v - x])
        return chain(x), functools.reduce(lambda a, b: a * b, (x, x, x), 2)

    check(function, X, Y)
    check(composed, X)


def test_containers() -> None:
    def function(x: Any, y: Any) -> Any:
        items = [x, 1]
        items.append(y)
        items += [2]
        items[1] = x
        head, *middle, last = (*items, x)
        table = {"a": x, **{"b": y}}
        table["c"] = last
        total = sum(v for v in table.values())
        pair = Pair(x, right=y)
        return (
            items,
            middle,
            head,
            table,
            total,
            pair.left + pair[1],
            pair,
            items[::-1][0],
            len(table),
            (x, y)[-1],
            "a" in table,
        )

    result = check(function, X, Y)
    assert isinstance(result[6], Pair)


def test_dictionary_methods() -> None:
    def function(x: Any) -> Any:
        table = dict(a=x, b=2)
        table.update({"c": x})
        taken = table.pop("b")
        return (
            taken,
            table.get("z", 7),
            list(table.items()),
            {k: v for k, v in table.items() if k != "a"},
            table.setdefault("q", 1),
        )

    check(function, X)


def test_comprehensions_and_iteration_helpers() -> None:
    def function(x: Any, y: Any) -> Any:
        pairs = [(i, a * b) for i, (a, b) in enumerate(zip((x, y), (y, x)), 1) if i]
        nested = [v * k for v in (x, y) for k in range(3) if k != 1]
        return (
            pairs,
            nested,
            tuple(reversed(nested)),
            max(2, 3),
            min((4, 1)),
            sorted([3, 1, 2]),
            any([0, 1]),
            all((1, 0)),
        )

    check(function, X, Y)


def test_chained_comparison_evaluates_each_operand_once() -> None:
    def function(x: Any) -> Any:
        seen = []

        def note(v: int) -> int:
            seen.append(v)
            return v

        return 1 < note(2) < note(3), 1 > note(4) > note(5), seen, x

    check(function, X)


def test_and_or_short_circuit_on_constants() -> None:
    def function(x: Any) -> Any:
        flag = None
        return flag and flag.missing, flag or x, 0 or 3, (n := 4) and n

    check(function, X)


def test_shape_and_type_queries_are_constants() -> None:
    def function(x: Any) -> Any:
        if x.ndim == 1 and x.shape[0] > 2 and isinstance(x, FakeTensor) and not isinstance(x, int):
            return x * x.shape[0]
        return x

    check(function, X)
    assert run(lambda x: (x.size, str(x.dtype), len(x), hasattr(x, "nothing"), getattr(x, "nothing", 5)), X) == (
        3,
        "Float32",
        3,
        False,
        5,
    )


def test_methods_and_properties_of_tensors() -> None:
    assert run(lambda x: x.sum(), X) == 6
    assert run(lambda x: x.T, t([[1.0, 2.0]])).shape == (2, 1)


def test_globals_and_numpy_constants() -> None:
    def function(x: Any) -> Any:
        return x * SCALE + np.float32(0.5) + np.array([1.0, 2.0, 3.0], np.float32)

    check(function, X)
    found = infer(function, X)
    assert any(kind == "dict" and key == "SCALE" and expected == 3 for kind, _, key, expected in found.guards)


def test_outside_tensors_are_bound_once() -> None:
    def function(x: Any) -> Any:
        return x * Y + Y

    found = infer(function, X)
    assert found.bound == [Y]
    assert run(function, X).tolist() == [1.0, -3.0, 16.0]


def test_free_variables_are_guarded() -> None:
    factor = 2

    def function(x: Any) -> Any:
        return x * factor

    (guard,) = [g for g in infer(function, X).guards if g[0] == "cell"]
    assert guard[3] == 2
    factor = 3
    assert guard[1].cell_contents == 3


def test_operators_take_attributes_by_position_and_name() -> None:
    x = t([[1.0, 2.0], [3.0, 4.0]])
    assert run(lambda v: reduce_sum(v, 0), x).tolist() == [4.0, 6.0]
    assert run(lambda v: reduce_sum(v, axis=(1,), keep_dims=True), x).tolist() == [[3.0], [7.0]]


def test_a_long_function_does_not_recurse() -> None:
    namespace: dict[str, Any] = {}
    source = "def long(x):\n" + "    x = x + 1\n" * 3000 + "    return x\n"
    import linecache

    linecache.cache["long_function.py"] = (len(source), None, source.splitlines(keepends=True), "long_function.py")
    exec(compile(source, "long_function.py", "exec"), namespace)
    assert run(namespace["long"], X).tolist() == [3001.0, 3002.0, 3003.0]


def test_a_long_unrolled_loop_does_not_recurse() -> None:
    def function(x: Any) -> Any:
        for _ in range(20_000):
            x = x + 1
        return x

    assert run(function, X).tolist() == [20001.0, 20002.0, 20003.0]


@pytest.mark.parametrize("value", [1, 2.5, True, "text", None, (1, 2), [1, 2], {"a": 1}])
def test_python_values_are_returned_as_they_are(value: Any) -> None:
    result = run(lambda x, v: v, X, value)
    assert result == value
    assert type(result) is type(value)


def test_exponential_operator() -> None:
    np.testing.assert_allclose(run(lambda x: exp(x), X), np.exp(X.array), rtol=1e-6)
