"""Finding the source: files, lambdas that share a line, decorators, changed files, and functions without source."""

# ruff: noqa: B023 -- the programs under test use each form of the language on purpose

from __future__ import annotations

import functools
import linecache
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mindspore.base.errors import GraphSyntaxError
from mindspore.frontend.parse import parse
from mindspore.ir.graph import Constant, Graph, toposort

PAIR = (lambda x: x + 1, lambda x: x + 2)
SAME = [lambda x: x * k for k in (1, 2)]


def constants(graph: Graph) -> set[Any]:
    return {n.value for n in toposort(graph.result) if isinstance(n, Constant) and isinstance(n.value, int)}


def test_lambdas_on_one_line_are_told_apart() -> None:
    assert constants(parse(PAIR[0])) == {1}
    assert constants(parse(PAIR[1])) == {2}


def test_a_graph_is_parsed_once_per_code_object() -> None:
    assert parse(SAME[0]) is parse(SAME[1])


def test_a_decorators_wrapper_is_parsed_itself() -> None:
    def inner(x: int) -> int:
        return x + 41

    @functools.wraps(inner)
    def wrapper(x: int) -> int:
        return inner(x) * 17

    assert constants(parse(wrapper)) == {17}


def test_objects_that_are_no_functions_are_refused() -> None:
    cached = functools.lru_cache(maxsize=None)(lambda x: x)
    with pytest.raises(GraphSyntaxError, match="is not a Python function: only functions with Python source"):
        parse(cached)


def test_locations_are_those_of_the_file() -> None:
    graph = parse(PAIR[0])
    assert graph.location is not None
    line = Path(__file__).read_text(encoding="utf-8").splitlines()[graph.location.line - 1]
    assert line.startswith("PAIR = ")
    assert graph.location.column == line.index("lambda") + 1
    assert graph.location.source == line


def test_functions_without_source_are_refused() -> None:
    namespace: dict[str, Any] = {}
    exec("def f(x):\n    return x\n", namespace)
    with pytest.raises(
        GraphSyntaxError,
        match=r'File "<string>", line 1, column 1\nf cannot be compiled: it was made from a string.* Define it',
    ):
        parse(namespace["f"])
    with pytest.raises(GraphSyntaxError, match="is not a Python function"):
        parse(len)


def _written(path: Path, text: str) -> Any:
    path.write_text(text, encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(compile(text, str(path), "exec"), namespace)
    return namespace["f"]


def test_an_edited_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "edited.py"
    function = _written(path, "def f(x):\n    return x + 1\n")
    path.write_text("def f(x):\n    return x - 1\n# longer\n", encoding="utf-8")
    with pytest.raises(GraphSyntaxError, match="does not compile to the function that runs: it has changed"):
        parse(function)
    asserting = _written(path, "def f(x):\n    assert x\n    return x + 1\n")
    path.write_text("def f(x):\n    assert x\n    return x - 1\n# longer\n", encoding="utf-8")
    with pytest.raises(GraphSyntaxError, match="does not compile to the function that runs: it has changed"):
        parse(asserting)
    path.write_text("def f(x:\n", encoding="utf-8")
    with pytest.raises(GraphSyntaxError, match="its file no longer parses"):
        parse(function)


def test_code_given_on_the_command_line() -> None:
    program = "from mindspore.frontend.parse import parse\ndef f(x):\n    return x + 1\nprint(parse(f).name)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, env=environment)
    assert done.stdout.strip() == "f", done.stderr


def test_private_names_belong_to_the_class() -> None:
    class Holder:
        def method(self) -> Any:
            return self.__secret  # type: ignore[attr-defined]

    names = {n.attrs.get("name") for n in parse(Holder.method).result.inputs if hasattr(n, "attrs")}
    assert "_Holder__secret" in names


def test_linecache_entries_of_notebooks() -> None:
    text = "def f(x):\n    return x + 17\n"
    linecache.cache["<ipython-input-1>"] = (len(text), None, text.splitlines(keepends=True), "<ipython-input-1>")
    namespace: dict[str, Any] = {}
    exec(compile(text, "<ipython-input-1>", "exec"), namespace)
    assert constants(parse(namespace["f"])) == {17}
