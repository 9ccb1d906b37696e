"""Functions that run time chooses: closures leave branches, calls decide between them, with the same result as Python."""

# ruff: noqa: E731 -- the programs under test use each form of the language on purpose

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from mindspore.ir.graph import IF, Apply, nodes
from tests.infer.fakes import FakeCell, check, i, infer, t
from tests.infer.test_infer_errors import column_of, place

VALUES = (-3.0, 2.0)
both = pytest.mark.parametrize("x", VALUES)


def halve(y: Any) -> Any:
    return y / 2.0


def scale(y: Any, by: Any = 3.0, *, shift: Any = 1.0) -> Any:
    return y * by + shift


def made(x: Any) -> Callable[..., Any]:
    """A closure whose code and captured tensors depend on run time."""
    if x > 0:
        z = x * x
        return lambda y: y * z
    w = x - 1.0

    def inner(y: Any, k: Any = w) -> Any:
        return y + w * k

    return inner


@both
def test_a_closure_or_a_function_of_the_module(x: float) -> None:
    def function(x: Any, w: Any) -> Any:
        if x > 0:
            f: Any = lambda y: y * w
        else:
            f = halve
        g = halve if x > 1 else scale
        return f(x), g(f(x))

    check(function, t(x), t(5.0))


@both
def test_what_a_closure_captured_in_an_arm_leaves_it(x: float) -> None:
    def function(x: Any) -> Any:
        return made(x)(x) + made(x + 5)(x)

    check(function, t(x))


@both
def test_functions_from_nested_branches(x: float) -> None:
    def function(x: Any, y: Any) -> Any:
        a = x * 2
        if x > 0:
            if y > 0:
                b = a + 1
                f: Any = lambda v: v + b
            else:
                f = made(y)
        else:
            c = y * y
            f = (lambda v: v * c) if y > 0 else halve
        return f(x), f(y)

    for y in VALUES:
        check(function, t(x), t(y))


@both
def test_functions_in_containers(x: float) -> None:
    def function(x: Any) -> Any:
        if x > 0:
            pair: Any = (halve, lambda v: v - x)
            listed = [halve, scale]
            named: dict[str, Any] = {"f": halve, "g": scale}
        else:
            z = x * 4
            pair = (scale, lambda v: v + z)
            listed = [made(x), halve]
            named = {"f": lambda v: v * z, "g": scale}
        listed.append(pair[1])
        return [f(x) for f in (*pair, *listed, *named.values())]

    check(function, t(x))


@both
def test_lists_and_dicts_that_change_in_a_branch(x: float) -> None:
    def function(x: Any) -> Any:
        listed: list[Any] = [halve, halve]
        named: dict[str, Any] = {"f": halve}
        if x > 0:
            y = x + 1
            listed[0] = lambda v: v * y
            named["f"] = listed[0]
        return listed[0](x), named["f"](x), listed[1](x)

    check(function, t(x))


@both
def test_partials_and_methods(x: float) -> None:
    class Scaler:
        def __init__(self, by: float) -> None:
            self.by = by

        def times(self, v: Any) -> Any:
            return v * self.by

        def plus(self, v: Any) -> Any:
            return v + self.by

    two, three = Scaler(2.0), Scaler(3.0)

    def function(x: Any) -> Any:
        f = functools.partial(scale, by=x) if x > 0 else functools.partial(scale, shift=x)
        g = two.times if x > 0 else three.plus
        h = (two if x > 0 else three).times
        return f(x), g(x), h(x)

    check(function, t(x))


@both
def test_cells_and_their_attributes(x: float) -> None:
    class Plus(FakeCell):
        step = 1.0

        def construct(self, v: Any) -> Any:
            return v + self.step

    class Times(FakeCell):
        step = 2.0

        def construct(self, v: Any) -> Any:
            return v * self.step

    class Net(FakeCell):
        def __init__(self) -> None:
            self.a, self.b = Plus(), Times()

        def construct(self, v: Any) -> Any:
            chosen = self.a if v > 0 else self.b
            return (self.a if v > 0 else self.b)(v), chosen.step * v, chosen is self.a

    check(Net(), t(x))


@pytest.mark.parametrize("position", [-4, -1, 0, 1, 2, 3])
def test_an_element_at_a_position_of_run_time(position: int) -> None:
    outside: Any = (halve, scale, halve, lambda v: v * 7.0)

    def function(x: Any, k: Any) -> Any:
        inside = [lambda v: v + x, halve, outside[0], made(x)]
        numbers = (x, x * 2, x * 3, x * 4)
        return outside[k](x), inside[k](x), numbers[k], (1.0, 2.0, 3.0, 5.0)[k] * x

    check(function, t(2.0), i(position))
    check(function, t(-2.0), i(position))


def test_a_position_needs_few_tests() -> None:
    functions = tuple(functools.partial(scale, by=float(k)) for k in range(16))

    def function(x: Any, k: Any) -> Any:
        return functions[k](x)

    def depth(graph: Any) -> int:
        inner = [n.value for n in nodes(graph) if hasattr(n, "value") and hasattr(n.value, "parameters")]
        own = any(isinstance(n, Apply) and n.op is IF for n in nodes(graph))
        return own + max(map(depth, inner), default=0)

    assert depth(infer(function, t(2.0), i(3)).graph) == 4


@both
def test_variables_that_closures_share_are_shared_afterwards(x: float) -> None:
    def counter(start: Any) -> Any:
        count = start * 1.0

        def bump(by: Any) -> Any:
            nonlocal count
            count = count + by
            return count

        def read() -> Any:
            return count

        return bump, read

    def function(x: Any) -> Any:
        if x > 0:
            bump, read = counter(x)
        else:
            bump, read = counter(x * 10)
        bump(x)
        first = read()
        bump(1.0)
        return first, read()

    check(function, t(x))


@both
def test_a_closure_that_names_itself(x: float) -> None:
    def countdown(x: Any) -> Any:
        def down(n: int, v: Any) -> Any:
            return v if n == 0 else down(n - 1, v * x)

        return down

    def function(x: Any) -> Any:
        down = countdown(x + 1) if x > 0 else (lambda n, v: v - n)
        return down(3, x)

    check(function, t(x))


@both
def test_equal_functions_need_no_choice(x: float) -> None:
    class Holder:
        def method(self, v: Any) -> Any:
            return v + 1.0

    holder = Holder()

    def function(x: Any) -> Any:
        if x > 0:
            f, g = holder.method, functools.partial(scale, by=x)
        else:
            f, g = holder.method, functools.partial(scale, by=x)
        return f(x) + g(x)

    assert not any(isinstance(n, Apply) and n.op is IF for n in nodes(infer(function, t(x)).graph))
    check(function, t(x))


@both
def test_a_function_that_exists_on_one_way_only(x: float) -> None:
    def function(x: Any) -> Any:
        if x > 10:
            return x
        if x > 0:
            y = x * x
            f: Any = lambda v: v + y
        else:
            return x - 1.0
        return f(x)

    check(function, t(x))


@pytest.mark.parametrize("n", [0, 1, 4])
def test_functions_in_loops_of_run_time_length(n: int) -> None:
    def function(x: Any, n: Any) -> Any:
        f, g = halve, (lambda v: v + x)
        total = x
        for k in range(n):
            chosen = f if total > 1 else g
            total = chosen(total) + k
            f = halve
        return total, f(x)

    def captured(x: Any, n: Any) -> Any:
        def adder(y: Any) -> Any:
            return lambda v: v + y

        f, k = adder(x), 0
        while k < n:
            f = adder(f(x) * 0.5)
            k = k + 1
        return f(x)

    check(function, t(2.0), i(n))
    check(captured, t(2.0), i(n))


def test_a_loop_keeps_one_function() -> None:
    def function(x: Any, n: Any) -> Any:
        f: Any = halve
        for _ in range(n):
            f = lambda v: v + x
        return f(x)

    with pytest.raises(TypeError) as caught:
        infer(function, t(1.0), i(3))
    message = str(caught.value)
    assert place(*column_of(function, 2, "for")) in message
    assert "the variable 'f' is function" in message
    assert "halve" in message
    assert "function 'lambda' after one iteration; a loop keeps one function" in message


def test_a_function_and_a_number_do_not_join() -> None:
    def function(x: Any) -> Any:
        if x > 0:
            f: Any = halve
        else:
            f = 3.0
        return f(x)

    with pytest.raises(TypeError) as caught:
        infer(function, t(1.0))
    assert place(*column_of(function, 5, "f(x)")) in str(caught.value)
    assert "the variable value is function" in str(caught.value)
    assert "float 3.0" in str(caught.value)


@pytest.mark.parametrize(
    ("values", "index", "wanted"),
    [
        ((halve, 1.0), i(0), "what run time chooses between differs: "),
        ((t(1.0), t([1.0])), i(0), "what run time chooses between differs: "),
        ((halve, scale), t(1.0), "must be an integer, got Tensor Float32[]"),
        ((halve, scale), t([1, 0], "int64"), r"must be an integer, got Tensor Int64[2]"),
    ],
)
def test_positions_that_cannot_be_chosen(values: Any, index: Any, wanted: str) -> None:
    def function(k: Any) -> Any:
        return values[k]

    with pytest.raises(TypeError) as caught:
        infer(function, index)
    assert place(*column_of(function, 1, "values[k]")) in str(caught.value)
    assert wanted in str(caught.value)


def test_a_chosen_function_cannot_leave_the_graph() -> None:
    def function(x: Any) -> Any:
        return (lambda v: v) if x > 0 else halve

    with pytest.raises(TypeError, match=r"function 'lambda' or function .*halve.* cannot leave a compiled"):
        infer(function, t(1.0))


@both
def test_none_in_the_place_of_a_function(x: float) -> None:
    def function(x: Any) -> Any:
        f = g = h = None
        if x > 0:
            f = halve
        else:
            g = h = scale
        first = x if f is None else f(x)
        second = g(x) if g is not None else x * 2
        third = h(x) if h else x
        if not f:
            third = third + 1
        return first, second, third, callable(f), callable(g), f is g

    check(function, t(x))


def test_none_is_not_called() -> None:
    def function(x: Any) -> Any:
        f = halve if x > 0 else None
        return f(x)  # type: ignore[misc]

    with pytest.raises(
        TypeError, match=r"between function <function halve.* or NoneType None: test that it is not None"
    ) as caught:
        infer(function, t(1.0))
    assert place(*column_of(function, 2, "f(x)")) in str(caught.value)


@both
def test_a_condition_that_was_decided_before_is_known(x: float) -> None:
    def decided(x: Any) -> Any:
        f = halve if x > 0 else scale
        return f(x) if x > 0 else f(x) + 1

    check(decided, t(x))

    def once(x: Any) -> Any:
        positive = x > 0
        f = halve if positive else scale
        return f(x) if positive else f(x) + 1

    assert sum(isinstance(n, Apply) and n.op is IF for n in nodes(infer(once, t(x)).graph)) == 1
    check(once, t(x))


@both
def test_kinds_of_chosen_objects(x: float) -> None:
    class First:
        size = 3

    class Second:
        def __call__(self, v: Any) -> Any:
            return v

        def __bool__(self) -> bool:
            return False

    first, second = First(), Second()

    def function(x: Any) -> Any:
        chosen: Any = first if x > 0 else second
        kind = type(chosen)
        tests = (
            isinstance(chosen, First),
            isinstance(chosen, First | Second),
            callable(chosen),
            chosen is second,
            kind is First,
        )
        return tests, (1.0 if chosen else 2.0), chosen == first, chosen != first

    check(function, t(x))


@both
def test_a_closure_over_a_variable_that_the_other_way_never_assigns(x: float) -> None:
    def function(x: Any) -> Any:
        def make(n: Any) -> Callable[..., Any]:
            if n > 0:
                for k in range(3):
                    if n < k:
                        return lambda v: v + k
                return lambda v: v * n
            return halve

        return make(x)(x), make(x - 1.5)(x), make(x + 5)(x)

    check(function, t(x))
