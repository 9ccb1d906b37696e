"""Errors begin with the user's own place, show the chain of calls, and name a way out; limits of the compiler say where they are met."""

# ruff: noqa: RET504 -- the programs under test use each form of the language on purpose

from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

import mindspore as ms
from mindspore.infer import recursion
from tests.frontend.programs import t

X = t(1.0, 2.0)
HERE = f'File "{__file__}", line'


def message(error: type[Exception], function: Any, *args: Any) -> list[str]:
    """The lines of the error that compiling `function` ends with; the first says where."""
    with pytest.raises(error) as caught:
        ms.jit(function)(*args)
    lines = str(caught.value).split("\n")
    assert lines[0].startswith(HERE)
    assert lines[2].strip() == "^"
    return lines


def one_returns_more(x: Any) -> Any:
    if x.sum() > 0:
        y = x + 1
        return y
    return x, x


def nothing_at_the_end(x: Any) -> Any:
    if x.sum() > 0:
        return x
    return None


def variable_of_two_types(x: Any) -> Any:
    if x.sum() > 0:
        y = x + 1
    else:
        z = (x, x)
        y = z
    return y


def containers(x: Any) -> Any:
    if x.sum() > 0:
        y: Any = [x]
    else:
        y = {"a": x}
    return y


@pytest.mark.parametrize(
    ("function", "marked", "shown"),
    [
        (one_returns_more, "if x.sum() > 0:", ["y = x + 1", "return x, x"]),
        (nothing_at_the_end, "if x.sum() > 0:", ["return x", "return None"]),
        (variable_of_two_types, "return y", ["y = x + 1", "y = z"]),
        (containers, "return y", ["y: Any = [x]", 'y = {"a": x}']),
    ],
)
def test_branches_that_disagree_show_both_lines(function: Any, marked: str, shown: list[str]) -> None:
    _, source, _, what, *lines, rule = message(TypeError, function, X)
    assert source.strip() == marked
    assert what.startswith("the branches of a condition that is known only at run time leave different types: the ")
    assert rule == "Both must have the same structure, element type and shape."
    first = function.__code__.co_firstlineno
    text = Path(__file__).read_text(encoding="utf-8").splitlines()
    for line, wanted in zip(lines, shown, strict=True):
        number, _, source = line.strip().removeprefix("line ").partition(": ")
        assert source == wanted
        assert text[int(number) - 1].strip() == wanted
        assert int(number) > first


def test_variables_of_one_branch() -> None:
    def function(x: Any) -> Any:
        if x.sum() > 0:
            y = x
        return y

    lines = message(UnboundLocalError, function, X)
    assert lines[1].strip() == "return y"
    assert lines[3] == (
        "the variable 'y' is used before it is assigned where a condition that is known only at run time goes the other way. "
        "Assign it before the condition, or on both ways."
    )


def test_variables_without_a_value() -> None:
    def function(x: Any) -> Any:
        x = x + y  # type: ignore[has-type, used-before-def] # noqa: F821
        y = x
        return y

    assert message(UnboundLocalError, function, X)[3] == "the variable 'y' is used before it is assigned"


def deepest(x: Any) -> Any:
    return x.reshape((3, 3))


def middle(x: Any, function: Any) -> Any:
    return function(x)


def test_the_chain_of_calls() -> None:
    def outermost(x: Any) -> Any:
        return middle(x, lambda y: deepest(y))

    lines = message(ValueError, outermost, X)
    assert lines[0].endswith(", in deepest")
    assert [line.split(", in ")[-1] for line in lines if line.startswith("called from")] == [
        "test_the_chain_of_calls.outermost.lambda",
        "middle",
        "test_the_chain_of_calls.outermost",
    ]
    assert "the sizes must have the same product" in lines[-1]


def test_no_stack_of_the_compiler() -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 -- the message is tested above
        ms.jit(deepest)(X)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert "During handling" not in "".join(traceback.format_exception(caught.value))


def test_the_stack_of_the_compiler_on_request(tmp_path: Path) -> None:
    program = "import mindspore as ms\n@ms.jit\ndef f(x):\n    return x.reshape((3, 3))\nf(ms.Tensor([1.0]))\n"
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    shown = {}
    for value in ("0", "1"):
        done = subprocess.run(
            [sys.executable, str(tmp_path / "program.py")],
            capture_output=True,
            text=True,
            check=False,
            env={"PYTHONPATH": ":".join(sys.path), "MS_DEV_DEBUG": value},
        )
        shown[value] = done.stderr
        assert "in f\n    return x.reshape((3, 3))\n           ^\n" in done.stderr
    assert "direct cause" in shown["1"]
    assert "direct cause" not in shown["0"]


def fibonacci(n: int) -> int:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def grows(x: Any, n: int) -> Any:
    return x if n == 0 else grows(x + 1, n - 1) * grows(x - 1, n - 1)


@pytest.mark.parametrize(
    ("function", "limit"),
    [(lambda x: x + fibonacci(20), "MAX_CALLS"), (lambda x: grows(x, 12), "MAX_OPERATIONS")],
)
def test_graphs_that_explode(monkeypatch: pytest.MonkeyPatch, function: Any, limit: str) -> None:
    monkeypatch.setattr(recursion, limit, 500)
    lines = message(ValueError, function, X)
    assert "the graph becomes too large: " in lines[-1]
    assert "keep intermediate results" in lines[-1]
    assert lines[1].strip().startswith(("return n if", "return x if"))


def test_while_that_does_not_end() -> None:
    def function(x: Any) -> Any:
        n = 0
        while n >= 0:
            n += 1
        return x

    lines = message(ValueError, function, X)
    assert lines[1].strip() == "while n >= 0:"
    assert "does not end within" in lines[3]
    assert "Make the condition depend on a tensor" in lines[3]


def test_builtins_and_objects_without_source() -> None:
    assert ms.jit(len)(X) == 2
    for function in (open, ms.jit(open)):
        with pytest.raises(TypeError, match="open is not supported in a graph: it has no Python source") as caught:
            ms.jit(function)("x")
        assert "Call it before the compiled function and pass the result" in str(caught.value)
