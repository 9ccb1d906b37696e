"""Where functions may be written: files of all kinds, archives, the command line; and where they may not."""

from __future__ import annotations

import importlib
import linecache
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from mindspore.base.errors import GraphSyntaxError
from mindspore.frontend.parse import parse
from mindspore.frontend.source import command, find_source
from mindspore.ir.graph import Constant, Graph, toposort

MODULE = '''\
# -*- coding: utf-8 -*-
from __future__ import annotations
import functools

def count(*given, **named):
    def decorator(function):
        @functools.wraps(function)
        def wrapper(*args, **kwargs):
            return function(*args, **kwargs) * 1000
        return wrapper
    return decorator

def keep(function):
    return function

def default(x, f=lambda y: y + 1, g=lambda y: y + 2): return f(x) * g(x)

@count(1, by=lambda q: q,
       on="é")
@keep
def decorated(x):  # type: (int) -> int
    """É."""
\treturn x + 3 + \\
\t    len("ü")

PAIR = [lambda x: x + 4, lambda x: (
    x + 5), lambda x: lambda y: x + y + 6]
NAMED = {"a": lambda x: x + 7, "b": lambda x: x + 8 if x else 9, "c": (lambda: 10)}
NESTED = lambda x: (lambda y: (lambda z: z + 11)(y) + 12)(x) + 13
CALLED = sorted([1], key=lambda v: v) and keep(
    lambda x:
        x + 14
)
class Base:
    def method(self, x): return x + 15
class Holder(Base):
    factor = staticmethod(lambda x: x * 16)
    @property
    def value(self): return 17
    @classmethod
    def make(cls, x): return x + 18
    def method(self, x): return super().method(x) + self.__hidden(x)
    def __hidden(self, x): return x + 19
    class Inner:
        def __hidden(self): return self.__also
if True: one_line = lambda x: x + 20
for one in (1, 2): looped = lambda x, k=one: x + 21; last = lambda x: x - 21
'''.replace('    """É."""\n\treturn', '\t"""É."""\n\treturn')

REACHED = {
    "default": "default(x, f=lambda y: y + 1, g=lambda y: y + 2): return f(x) * g(x)",
    "default.__defaults__[0]": "lambda y: y + 1",
    "default.__defaults__[1]": "lambda y: y + 2",
    "decorated.__wrapped__": "def decorated(x):",
    "decorated": "def wrapper(*args, **kwargs):",
    "PAIR[0]": "lambda x: x + 4",
    "PAIR[1]": "lambda x: (",
    "PAIR[2]": "lambda x: lambda y: x + y + 6",
    "PAIR[2](1)": "lambda y: x + y + 6",
    "NAMED['a']": "lambda x: x + 7",
    "NAMED['b']": "lambda x: x + 8 if x else 9",
    "NAMED['c']": "lambda: 10",
    "NESTED": "lambda x: (lambda y: (lambda z",
    "CALLED": "lambda x:",
    "Base.method": "def method(self, x): return x + 15",
    "Holder.factor": "lambda x: x * 16",
    "Holder.value.fget": "def value(self): return 17",
    "Holder.make.__func__": "def make(cls, x): return x + 18",
    "Holder.method": "def method(self, x): return super()",
    "Holder._Holder__hidden": "def __hidden(self, x)",
    "Holder.Inner._Inner__hidden": "def __hidden(self): return self.__also",
    "one_line": "lambda x: x + 20",
    "looped": "lambda x, k=one: x + 21",
    "last": "lambda x: x - 21",
}


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("places")
    (folder / "places_module.py").write_text(MODULE, encoding="utf-8")
    sys.path.insert(0, str(folder))
    yield importlib.import_module("places_module")
    sys.path.remove(str(folder))
    del sys.modules["places_module"]


@pytest.mark.parametrize("expression", REACHED)
def test_functions_of_a_module(module: Any, expression: str) -> None:
    function = eval(expression, vars(module))
    source = find_source(function)
    place = source.location(source.tree)
    assert place.source[place.column - 1 :].startswith(REACHED[expression].split("default(", 1)[-1]) or (
        REACHED[expression] in place.source[place.column - 1 :]
    )
    assert place.file == module.__file__
    assert parse(function).parameters is not None


def test_private_names_of_inner_classes(module: Any) -> None:
    names = {
        n.attrs.get("name") for n in parse(module.Holder.Inner._Inner__hidden).result.inputs if hasattr(n, "attrs")
    }
    assert "_Inner__also" in names


def constants(graph: Graph) -> set[Any]:
    return {n.value for n in toposort(graph.result) if isinstance(n, Constant) and isinstance(n.value, int)}


PROGRAM = """\
from mindspore.frontend.parse import parse
def f(x):
    return x + 41
g = [lambda x: x - 1, lambda x: x - 2]
try:
    print(parse(f).name, len(parse(g[1]).parameters))
except SyntaxError as error:
    print(error)
"""


def python(*options: str, program: str | None = None) -> str:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, *options], input=program, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("options", [("-c",), ("-Bc",), ("-W", "ignore", "-Xutf8", "-c"), ("-X", "utf8", "-uc")])
def test_command_lines(options: tuple[str, ...]) -> None:
    assert python(*options, PROGRAM) == "f 1"


def test_standard_input() -> None:
    text = python("-", program=PROGRAM)
    if sys.version_info < (3, 13):
        assert text.startswith(
            'File "<stdin>", line 2, column 1\nf cannot be compiled: it was read from standard input'
        )
        assert text.endswith("Define it in a file, a notebook cell or python -c.")
    else:
        assert text


@pytest.mark.parametrize(
    ("arguments", "program"),
    [
        (["python", "-c", "x = 1", "y"], "x = 1"),
        (["python", "-cx = 1"], "x = 1"),
        (["python", "-Ic", "x"], "x"),
        (["python", "-Wd", "-W", "c", "-X", "c", "-c", "x"], "x"),
        (["python", "file.py", "-c", "x"], ""),
        (["python", "-", "-c", "x"], ""),
        (["python", "-m", "module", "-c", "x"], ""),
        (["python", "-c"], ""),
    ],
)
def test_the_program_in_a_command_line(arguments: list[str], program: str) -> None:
    assert command(arguments) == program


def test_modules_in_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("packed_module.py", "def f(x):\n    return x + 22\n")
    monkeypatch.syspath_prepend(str(tmp_path / "packed.zip"))
    assert constants(parse(importlib.import_module("packed_module").f)) == {22}


def test_modules_without_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import py_compile

    (tmp_path / "bare_module.py").write_text("def f(x):\n    return x\n", encoding="utf-8")
    py_compile.compile(str(tmp_path / "bare_module.py"), cfile=str(tmp_path / "bare_module.pyc"))
    (tmp_path / "bare_module.py").unlink()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(GraphSyntaxError, match=r"bare_module.py cannot be read. Define it in a file") as caught:
        parse(importlib.import_module("bare_module").f)
    assert caught.value.lineno == 1


def test_modules_of_the_standard_library_that_are_frozen() -> None:
    import posixpath

    basename: Any = posixpath.basename
    assert find_source(basename).function == "basename"


def _written(path: Path, text: str) -> Any:
    path.write_text(text, encoding="utf-8")
    namespace: dict[str, Any] = {}
    exec(compile(text, str(path), "exec"), namespace)
    return namespace["f"]


@pytest.mark.parametrize(
    "edited",
    ["return x + 2", "return y + 1", "return x.a", "return x.b(lambda z: 2)", "\n    return x.a + 1", "return x - 1"],
)
def test_every_edit_is_noticed(tmp_path: Path, edited: str) -> None:
    path = tmp_path / "edited.py"
    first = {"return x.a": "return x.b", "return x.b(lambda z: 2)": "return x.b(lambda z: 1)"}.get(
        edited, "return x + 1"
    )
    function = _written(path, f"def f(x):\n    {first}\n")
    assert parse(function).name == "f"
    path.write_text(f"def f(x):\n    {edited}\n# longer\n", encoding="utf-8")
    edited_function = type(function)(function.__code__.replace(co_name="f"), function.__globals__, "f")
    with pytest.raises(GraphSyntaxError, match="does not compile to the function that runs: it has changed") as caught:
        parse(edited_function)
    assert (caught.value.filename, caught.value.lineno) == (str(path), 1)
    assert "Restart Python after editing a file" in str(caught.value)


def test_edits_elsewhere_in_the_file_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "edited.py"
    function = _written(path, "def f(x):\n    return x + 1\n\ndef g(x):\n    return x\n")
    path.write_text("def f(x):\n    return x + 1\n\ndef g(x):\n    return x * 100\n", encoding="utf-8")
    assert constants(parse(function)) == {1}


def test_lambdas_on_one_line_without_columns() -> None:
    program = PROGRAM.replace("parse(f).name, len(parse(g[1]).parameters)", "parse(g[1])")
    text = python("-X", "no_debug_ranges", "-c", program)
    assert "<lambda> cannot be compiled: its line holds several lambdas" in text
    assert text.endswith("Write them on lines of their own, or give them names with def.")


def test_futures_of_notebook_cells() -> None:
    import __future__

    text = "def f(x):\n    def g(y: undefined) -> unknown:\n        return y + 23\n    return g(x)\n"
    linecache.cache["<ipython-input-2>"] = (len(text), None, text.splitlines(keepends=True), "<ipython-input-2>")
    namespace: dict[str, Any] = {}
    exec(compile(text, "<ipython-input-2>", "exec", __future__.annotations.compiler_flag), namespace)
    assert find_source(namespace["f"]).function == "f"


def test_generated_methods_are_refused() -> None:
    from dataclasses import dataclass

    @dataclass
    class Point:
        x: int

    with pytest.raises(GraphSyntaxError, match=r"was made from a string .*generates code"):
        parse(Point.__init__)
