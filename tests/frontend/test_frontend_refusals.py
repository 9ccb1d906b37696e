"""Each construct that is not supported is refused before anything runs, with its place and a way out."""

from __future__ import annotations

import ast
import linecache
import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import pytest

from mindspore.base.errors import GraphSyntaxError
from mindspore.frontend.parse import parse
from mindspore.frontend.refusals import REFUSED
from mindspore.frontend.translate import escaping, expressions, lowerings, statements

_count = iter(range(1000))


def compiled(source: str) -> Any:
    """The function ``f`` of `source`, which linecache knows as a file."""
    name = f"refused_{next(_count)}.py"
    text = textwrap.dedent(source)
    linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
    namespace: dict[str, Any] = {}
    exec(compile(text, name, "exec"), namespace)
    return namespace["f"]


CASES = [
    ("try:\n        pass\n    except* ValueError:\n        pass", 2, 5, "'except*' is not supported", "Use except"),
    ("class A:\n        pass", 2, 5, "'class' is not supported", "at module level"),
    ("del x.y", 2, 9, "'del' of an attribute", "Set the attribute to None"),
    ("del (x[0], x.y)", 2, 16, "'del' of an attribute", "Set the attribute to None"),
    ("global q\n    q = 1", 3, 5, "'q' lives outside", "Return the value"),
    ("global q\n    q += 1", 3, 5, "'q' lives outside", "Return the value"),
    ("global q\n    del q", 3, 9, "'q' lives outside", "Return the value"),
    ("global q\n    for q in x:\n        pass", 3, 9, "'q' lives outside", "Return the value"),
    ("def g():\n        global q\n        q = 1", 4, 9, "'q' lives outside", "Return the value"),
    ("y = lambda: (yield)", 2, 18, "'yield' is not supported in a lambda", "Define a function"),
    ("async def g():\n        pass", 2, 5, "'async def' is not supported", "synchronous part"),
    ("g = lambda: super().h()", 2, 17, "super() without arguments", "Pass the class and self"),
]
if sys.version_info >= (3, 12):
    CASES.append(("type A = int", 2, 5, "'type' is not supported", "at module level"))


@pytest.mark.parametrize(("body", "line", "column", "name", "way_out"), CASES)
def test_refusals(body: str, line: int, column: int, name: str, way_out: str) -> None:
    function = compiled(f"def f(x):\n    {body}\n    return x\n")
    with pytest.raises(GraphSyntaxError) as caught:
        parse(function)
    first, source, mark, text = str(caught.value).split("\n")
    assert first == f'File "{function.__code__.co_filename}", line {line}, column {column}'
    assert source.strip() == linecache.getline(function.__code__.co_filename, line).strip()
    assert mark.strip() == "^"
    assert name in text
    assert way_out in text
    error = caught.value
    assert (error.filename, error.lineno, error.offset) == (function.__code__.co_filename, line, column)
    assert (error.text or "").strip() == source.strip()


def test_columns_count_characters_not_bytes() -> None:
    with pytest.raises(GraphSyntaxError, match="line 2, column 18"):
        parse(compiled('def f(x):\n    é = "ü"; del x.z\n'))


@pytest.mark.parametrize(
    ("body", "line", "column", "name"),
    [
        ("await x", 1, 1, "'async def'"),
        ("async with x:\n        pass", 1, 1, "'async def'"),
        ("async for y in x:\n        pass", 1, 1, "'async def'"),
        ("yield x", 1, 1, "'async def'"),
        ("return [y async for y in x]", 1, 1, "'async def'"),
    ],
)
def test_coroutines(body: str, line: int, column: int, name: str) -> None:
    with pytest.raises(
        GraphSyntaxError, match=f"line {line}, column {column}\n[\\s\\S]*{name} is not supported"
    ) as caught:
        parse(compiled(f"async def f(x):\n    {body}\n"))
    assert "Compile the synchronous part" in str(caught.value)


STATEMENTS = (ast.stmt, {**statements, **escaping, **lowerings})
EXPRESSIONS = (ast.expr, expressions)
PARTS = (ast.Starred,)
"""Handled by the expressions around them."""


@pytest.mark.parametrize(("base", "handlers"), [STATEMENTS, EXPRESSIONS])
def test_every_kind_of_syntax_is_taken_or_refused(base: type[ast.AST], handlers: Mapping[type[ast.AST], Any]) -> None:
    kinds = {k for k in vars(ast).values() if isinstance(k, type) and issubclass(k, base) and k.__base__ is base}
    assert len(kinds) > 20
    taken = {k for k in kinds if k in handlers or k in PARTS}
    assert kinds - taken == {k for k in REFUSED if issubclass(k, base)}
