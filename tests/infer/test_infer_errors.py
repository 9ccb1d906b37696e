"""Errors say where in the user's source, how it got there, and what was expected."""

# mypy: disable-error-code="name-defined, attr-defined, misc, call-arg, has-type, operator, used-before-def, unused-ignore"
# ruff: noqa: C416, SIM108, RET504 -- the programs under test use each form of the language on purpose

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.base.errors import GraphTypeError, GraphValueError
from tests.infer.fakes import FakeCell, grad, i, infer, t

X = t([1.0, 2.0])
N = i(3)


class UserError(Exception):
    pass


def column_of(function: Callable[..., Any], line: int, text: str) -> tuple[int, int]:
    """Line and column, both from 1, of `text` in the body of `function`, whose first line is line 0."""
    lines, first = inspect.getsourcelines(function)
    return first + line, lines[line].index(text) + 1


def place(line: int, column: int) -> str:
    return f"line {line}, column {column}"


def failure(kind: type[Exception], function: Any, *args: Any) -> str:
    with pytest.raises(kind) as caught:
        infer(function, *args)
    assert caught.value.__cause__ is None
    return str(caught.value)


def test_a_shape_error_names_place_chain_and_shapes() -> None:
    def inner(a: Any, b: Any) -> Any:
        return a + b

    class Net(FakeCell):
        def construct(self, x: Any) -> Any:
            return inner(x, x) + inner(x, t([1.0, 2.0, 3.0]))

    message = failure(GraphValueError, Net(), X)
    lines = message.split("\n")
    line, column = column_of(inner, 1, "a + b")
    assert lines[0].startswith(f'File "{__file__}", line {line}, column {column}, in ')
    assert lines[1:3] == ["    return a + b", "           ^"]
    called, at = column_of(Net, 2, "inner(x, t(")
    assert lines[3].startswith(f'called from File "{__file__}", line {called}, column {at}, in ')
    assert lines[4].strip() == "return inner(x, x) + inner(x, t([1.0, 2.0, 3.0]))"
    assert "Add" in lines[5]
    assert "[2]" in lines[5]
    assert "[3]" in lines[5]


CASES: list[tuple[type[Exception], Callable[..., Any], str, str]] = [
    (NameError, lambda x: missing_name, "missing_name", "name 'missing_name' is not defined"),  # noqa: F821
    (AttributeError, lambda x: x.nothing, "x.nothing", "has no attribute 'nothing'"),
    (AttributeError, lambda x: np.nothing, "np.nothing", "has no attribute 'nothing'"),
    (IndexError, lambda x: (x, x)[5], "(x, x)[5]", "index out of range"),
    (KeyError, lambda x: {"a": x}["b"], '{"a"', "'b'"),
    (ZeroDivisionError, lambda x: x * (1 // 0), "1 // 0", "division"),
    (GraphTypeError, lambda x: x(), "x()", "is not callable"),
    (GraphTypeError, lambda x: print(x, to=1), "print(", "unexpected keyword argument 'to'"),  # type: ignore[call-overload]
    (GraphTypeError, lambda x: input(), "input(", "calling builtins.input is not supported in a graph"),
    (GraphTypeError, lambda x: np.sum(x), "np.sum(", "runs while compiling and takes constants only"),
    (GraphTypeError, lambda x: np.random.rand(2), "np.random", "is not supported in a graph"),
    (GraphTypeError, lambda x: x + "a", 'x + "a"', "expected a tensor or a number, got str 'a'"),
    (GraphTypeError, lambda x: (1, 2)[x], "(1, 2)[x]", "must be known while compiling"),
    (GraphTypeError, lambda x: "a" + 1, '"a" + 1', "concatenate str"),  # type: ignore[operator]
    (GraphTypeError, lambda x: int(x), "int(x)", "known only at run time"),
    (GraphTypeError, lambda x: len(f"{x}"), "len(", "str that is known only at run time is not iterable"),
    (GraphTypeError, lambda x: 1 if f"{x}" else 2, "", "is empty is known only at run time"),
    (GraphTypeError, lambda x: (lambda a, b: a)(x), "(lambda a", "missing 1 required argument: 'b'"),
    (GraphTypeError, lambda x: (lambda a: a)(x, 1), "(lambda a", "takes 1 positional arguments but 2 were given"),
    (GraphTypeError, lambda x: (lambda a: a)(x, a=x), "(lambda a", "multiple values for argument 'a'"),
    (GraphTypeError, lambda x: (lambda a: a)(a=x, b=x), "(lambda a", "unexpected keyword argument 'b'"),
    (GraphTypeError, lambda x: lambda: x, "", "cannot leave a compiled function"),
    (GraphValueError, lambda x: x in (1, 2), "x in", "truth of Tensor Bool[2] is ambiguous"),
    (GraphTypeError, lambda x: {x: 1}, "{x: 1}", "a dict key must be known while compiling"),
    (GraphTypeError, lambda x: list(range(N)), "list(range", "length of this range is known only at run time"),
    (GraphTypeError, lambda x: range(x), "range(x)", "range() bounds must be integers"),
    (GraphTypeError, lambda x: [v for v in 5], "[v for", "int 5 is not iterable"),  # type: ignore[attr-defined]
    (GraphValueError, lambda x: 1 if x else 2, "x else", "truth of Tensor Float32[2] is ambiguous"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "function", "at", "text"), CASES, ids=[c[3][:30] for c in CASES])
def test_mistakes(kind: type[Exception], function: Callable[..., Any], at: str, text: str) -> None:
    message = failure(kind, function, X)
    first = message.split("\n")[0]
    source = inspect.getsource(function).split("\n")[0]
    if at:
        assert f"line {function.__code__.co_firstlineno}, column {source.index(at) + 1}," in first
    assert text in message


def test_unpacking() -> None:
    def function(x: Any, values: Any) -> Any:
        a, b = values
        return a, b

    line, column = column_of(function, 1, "a, b")
    assert f"line {line}, column {column}" in (message := failure(GraphValueError, function, X, (1, 2, 3)))
    assert "too many values to unpack (expected 2, got 3)" in message
    assert "not enough values to unpack (expected 2, got 1)" in failure(GraphValueError, function, X, (1,))


def test_raise_and_assert_on_constants() -> None:
    def function(x: Any, n: int) -> Any:
        assert n > 0, f"n is {n}"
        if n > 5:
            raise ValueError("too large")
        if n > 4:
            raise UserError("own class")
        return x

    infer(function, X, 3)
    message = failure(AssertionError, function, X, -1)
    assert "n is -1" in message
    assert place(*column_of(function, 1, "assert")) in message
    assert "too large" in failure(GraphValueError, function, X, 6)
    with pytest.raises(UserError, match="own class") as caught:
        infer(function, X, 5)
    assert place(*column_of(function, 5, "raise")) in caught.value.__notes__[0]


def test_branches_that_disagree_name_both_lines_and_types() -> None:
    def function(x: Any, y: Any) -> Any:
        if x > 0:
            return x
        return y

    def variable(x: Any, y: Any) -> Any:
        if x > 0:
            z = x
        else:
            z = (x, y)
        return z

    message = failure(GraphTypeError, function, t(1.0), X)
    first, _ = column_of(function, 2, "return")
    assert f"\n    line {first}: return x\n    line {first + 1}: return y\nBoth" in message
    assert "Tensor Float32[] and Tensor Float32[2]" in message
    message = failure(GraphTypeError, variable, t(1.0), X)
    assert "Tensor Float32[] and tuple" in message
    assert place(*column_of(variable, 5, "return")) in message


def test_loop_state_that_changes_its_type() -> None:
    def shape(x: Any, n: Any) -> Any:
        k = 0
        while k < n:
            x = (x, x)
            k += 1
        return x

    def grows(x: Any, n: Any) -> Any:
        items = [x]
        while n > len(items):
            items.append(x)
        return items

    message = failure(GraphTypeError, shape, X, i(3))
    assert place(*column_of(shape, 2, "while")) in message
    assert "Tensor Float32[2] before the loop and tuple after one iteration" in message
    assert "known only at run time" in failure(GraphTypeError, grows, X, i(3))


def test_variables_without_a_value() -> None:
    def function(x: Any) -> Any:
        if x is None:
            y = 1
        return y

    def late(x: Any) -> Any:
        z = later  # type: ignore[used-before-def]  # noqa: F821, F841
        later = x
        return later

    for each, line, text, name in ((function, 3, "return", "y"), (late, 1, "later", "later")):
        message = failure(UnboundLocalError, each, X)
        assert f"the variable '{name}' is used before it is assigned" in message
        assert f"line {column_of(each, line, text)[0]}," in message


def test_recursion_without_end() -> None:
    def function(x: Any) -> Any:
        return function(x * 2) if x.sum() > 0 else function(x)

    assert "function calls itself on every way through it" in failure(RecursionError, function, X)


def test_recursion_over_something_that_is_no_tensor_or_number() -> None:
    def function(x: Any, path: Any) -> Any:
        return function(x * 2, [*path, x]) if x.sum() < 9 else x

    message = failure(RecursionError, function, X, [])
    assert "1000 calls deep" in message
    assert "list of length 999 and list of length 1000" in message


def test_recursion_that_returns_two_types() -> None:
    def function(n: Any, x: Any) -> Any:
        if n < 1:
            return x
        return (function(n - 1, x),)

    message = failure(TypeError, function, t(3.0), X)
    assert "the return value is" in message
    assert "must have the same structure" in message


def test_state_that_recursion_changes_keeps_its_type() -> None:
    def function(x: Any) -> Any:
        total = x

        def inner(n: Any) -> Any:
            nonlocal total
            if n < 1:
                return n
            total = (total, n)
            return inner(n - 1)

        inner(x.sum())
        return total

    assert "different types" in failure(TypeError, function, X)


def test_a_gradient_of_a_function_inside_itself_is_refused() -> None:
    def function(x: Any) -> Any:
        return grad(function)(x - 1) if x > 0 else x * x

    assert "calls itself inside its own gradient" in failure(TypeError, function, t(3.0))


def test_loops_without_end() -> None:
    def function(x: Any) -> Any:
        while True:
            x = x
        return x

    assert "does not end" in failure(GraphValueError, function, X)


def test_debug_mode_keeps_the_internal_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MS_DEV_DEBUG", "1")
    with pytest.raises(GraphTypeError) as caught:
        infer(lambda x: x(), X)
    assert isinstance(caught.value.__cause__, TypeError)


def test_a_variable_of_a_run_time_loop_is_named() -> None:
    def function(x: Any) -> Any:
        total = 0
        part = x
        while total < part.sum():
            part = part.sum()
        return part

    assert "the variable 'part' is" in failure(TypeError, function, t([[1.0, 2.0]]))


def test_endless_recursion_is_told_in_a_few_lines() -> None:
    def function(x: Any) -> Any:
        def again(n: Any) -> Any:
            return again(n)

        return again(x)

    message = failure(RecursionError, function, X)
    assert message.count("\n") < 30
    assert "\n...\n" in message
    assert "1000 calls deep" in message
