"""Finding the syntax tree of a Python function, and refusing when its source cannot be trusted."""

from __future__ import annotations

import ast
import inspect
import linecache
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType

from mindspore.base.errors import GraphSyntaxError, Location

Definition = ast.FunctionDef | ast.Lambda
_ANY_DEFINITION = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True, slots=True)
class Source:
    """One function's tree with what is needed to say where its nodes stand."""

    tree: Definition
    file: str
    lines: Sequence[str]
    function: str
    owner: str = ""
    """Name of the class whose body defines the function: private names are mangled with it."""

    def location(self, node: ast.AST) -> Location:
        line: int = getattr(node, "lineno", self.tree.lineno)
        offset: int = getattr(node, "col_offset", self.tree.col_offset)
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        column = offset if text.isascii() else len(text.encode()[:offset].decode(errors="replace"))
        return Location(self.file, line, column + 1, self.function, text.strip("\n"))

    def mangle(self, name: str) -> str:
        """`name` as Python stores it: private names of a class get the class's name in front."""
        if not self.owner or not name.startswith("__") or name.endswith("__"):
            return name
        return f"_{self.owner.lstrip('_')}{name}"


@dataclass(frozen=True, slots=True)
class _Module:
    lines: tuple[str, ...]
    definitions: list[tuple[ast.AST, str]]
    codes: dict[tuple[int, str], list[CodeType]] = field(default_factory=dict)


_modules: dict[str, _Module] = {}


def find_source(function: FunctionType) -> Source:
    """The syntax tree of `function`.

    Raises:
        GraphSyntaxError: there is no source, it has changed since it was imported, or the function is a coroutine or generator.
    """
    code = function.__code__
    _check_kind(function)
    lines = _lines(function)
    if not lines:
        raise _refusal(
            function, "its source cannot be found", "Define it in a file (or a notebook cell), not by exec or stdin."
        )
    module = _parsed(code.co_filename, lines, function)
    matches = [(t, o) for t, o in module.definitions if _starts_at(t, code) and _fits(t, code)]
    if len(matches) > 1:
        matches = [m for m in matches if _body_span(m[0]) == _code_span(code)] or matches
    trusted = len(matches) == 1 and _unchanged(module, matches[0][0], function)
    if not trusted:
        way_out = "Restart Python after editing a file; give lambdas that share a line names of their own."
        raise _refusal(function, "its source has changed since it was imported, or cannot be told apart", way_out)
    tree, owner = matches[0]
    assert isinstance(tree, ast.FunctionDef | ast.Lambda)
    return Source(tree, code.co_filename, module.lines, function.__qualname__.replace("<locals>.", ""), owner)


def _check_kind(function: FunctionType) -> None:
    flags = function.__code__.co_flags
    kinds = {
        inspect.CO_COROUTINE: "a coroutine",
        inspect.CO_GENERATOR: "a generator",
        inspect.CO_ASYNC_GENERATOR: "an async generator",
    }
    for flag, name in kinds.items():
        if flags & flag:
            raise _refusal(function, f"it is {name}", "Return a tuple or a list of the values instead.")


def _refusal(function: FunctionType, why: str, way_out: str) -> GraphSyntaxError:
    code = function.__code__
    text = f'File "{code.co_filename}", line {code.co_firstlineno}\n'
    return GraphSyntaxError(f"{text}{function.__qualname__} cannot be compiled: {why}. {way_out}")


def _lines(function: FunctionType) -> list[str]:
    filename = function.__code__.co_filename
    if filename == "<string>" and function.__globals__.get("__name__") == "__main__" and "-c" in sys.orig_argv[:-1]:
        return sys.orig_argv[sys.orig_argv.index("-c") + 1].splitlines(keepends=True)
    linecache.checkcache(filename)
    return linecache.getlines(filename, function.__globals__)


def _parsed(filename: str, lines: list[str], function: FunctionType) -> _Module:
    known = _modules.get(filename)
    content = tuple(lines)
    if known is not None and known.lines == content:
        return known
    try:
        tree = ast.parse("".join(lines), filename)
        compiled = compile(tree, filename, "exec", dont_inherit=True)
    except SyntaxError as error:
        raise _refusal(function, f"its file no longer parses ({error.msg})", "Restart Python after editing.") from None
    module = _Module(content, list(_definitions(tree)))
    for code in _nested_codes(compiled):
        module.codes.setdefault((code.co_firstlineno, code.co_name), []).append(code)
    _modules[filename] = module
    return module


def _definitions(tree: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """Every function and lambda below `tree` with the name of the class that its private names belong to."""
    stack: list[tuple[ast.AST, str]] = [(tree, "")]
    while stack:
        node, owner = stack.pop()
        if isinstance(node, _ANY_DEFINITION):
            yield node, owner
        inner = node.name if isinstance(node, ast.ClassDef) else owner
        stack.extend((child, inner) for child in ast.iter_child_nodes(node))


def _nested_codes(code: CodeType) -> Iterator[CodeType]:
    stack = [code]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(c for c in current.co_consts if isinstance(c, CodeType))


def _starts_at(tree: ast.AST, code: CodeType) -> bool:
    if isinstance(tree, ast.Lambda):
        return code.co_name == "<lambda>" and tree.lineno == code.co_firstlineno
    assert isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef)
    first = min([tree.lineno, *(d.lineno for d in tree.decorator_list)])
    return tree.name == code.co_name and first == code.co_firstlineno


def _fits(tree: ast.AST, code: CodeType) -> bool:
    arguments: ast.arguments = tree.args  # type: ignore[attr-defined]
    names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    given = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    return len(names) == len(given) and all(g.endswith(n) for g, n in zip(given, names, strict=True))


def _body_span(tree: ast.AST) -> tuple[int | None, int | None, int | None, int | None]:
    body = tree.body if isinstance(tree, ast.Lambda) else tree
    return body.lineno, body.end_lineno, body.col_offset, body.end_col_offset  # type: ignore[attr-defined]


def _code_span(code: CodeType) -> tuple[int | None, int | None, int | None, int | None]:
    """The positions that the widest instruction of a lambda covers: those of its body."""
    spans = [p for p in code.co_positions() if None not in p]
    return max(spans, key=lambda p: (p[1] or 0, p[3] or 0, -(p[0] or 0), -(p[2] or 0)), default=(None,) * 4)


def _unchanged(module: _Module, tree: ast.AST, function: FunctionType) -> bool:
    """Whether the source compiles to the function's own instructions, apart from asserts that pytest has rewritten."""
    code = function.__code__
    candidates = module.codes.get((code.co_firstlineno, code.co_name), [])
    if any(c.co_code == code.co_code for c in candidates):
        return True
    rewritten = "@pytest_ar" in function.__globals__ and any(isinstance(n, ast.Assert) for n in ast.walk(tree))
    return rewritten and bool(candidates)
