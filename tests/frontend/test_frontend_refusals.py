"""Each construct that is not supported is refused before anything runs, with its place and a way out."""

from __future__ import annotations

import linecache
import textwrap
from typing import Any

import pytest

from mindspore.base.errors import GraphSyntaxError
from mindspore.frontend.parse import parse

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
    ("with open('x'):\n        pass", 2, 5, "'with'", "without the context manager"),
    ("try:\n        pass\n    except ValueError:\n        pass", 2, 5, "'try'", "handle the exception outside"),
    ("class A:\n        pass", 2, 5, "'class'", "at module level"),
    ("import os", 2, 5, "'import'", "top of the module"),
    ("from os import path", 2, 5, "'import'", "top of the module"),
    ("match x:\n        case 1:\n            pass", 2, 5, "'match'", "if and elif"),
    ("y = {x, 1}", 2, 9, "'set display'", "tuple"),
    ("y = {v for v in x}", 2, 9, "'set comprehension'", "tuple"),
    ("del x[0]", 2, 9, "'del'", "names only"),
    ("global q\n    q = 1", 3, 5, "'q' lives outside", "Return the value"),
    ("y = x and (z := 1)", 2, 16, "':='", "in a statement before"),
    ("y = [z := v for v in x]", 2, 9, "':='", "for statement"),
    ("y = lambda: (yield)", 2, 9, "'yield'", "tuple or a list"),
    ("async def g():\n        pass", 2, 5, "'async def'", "synchronous part"),
]


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


def test_columns_count_characters_not_bytes() -> None:
    with pytest.raises(GraphSyntaxError, match="line 2, column 18"):
        parse(compiled('def f(x):\n    é = "ü"; y = {x}\n'))


def test_generators_and_coroutines() -> None:
    with pytest.raises(GraphSyntaxError, match="f cannot be compiled: it is a generator"):
        parse(compiled("def f(x):\n    yield x\n"))
    with pytest.raises(GraphSyntaxError, match="f cannot be compiled: it is a coroutine"):
        parse(compiled("async def f(x):\n    return x\n"))


def test_super_outside_a_method() -> None:
    function = compiled("def f(self):\n    g = lambda: super().h()\n    return g\n")
    with pytest.raises(GraphSyntaxError, match=r"line 2, column 17[\s\S]*super\(\) without arguments"):
        parse(function)
