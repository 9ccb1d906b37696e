"""Finding the syntax tree of a Python function, and refusing when its source cannot be trusted."""

from __future__ import annotations
import __future__

import ast
import functools
import linecache
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import CodeType, FunctionType
from typing import Any

from mindspore.base.errors import GraphSyntaxError, Location
from mindspore.frontend.refusals import refuse, syntax_error

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


_modules: dict[tuple[str, int], _Module] = {}
_FUTURES = functools.reduce(
    lambda flags, name: flags | getattr(__future__, name).compiler_flag, __future__.all_feature_names, 0
)


def find_source(function: FunctionType) -> Source:
    """The syntax tree of `function`.

    Raises:
        GraphSyntaxError: there is no source, it has changed since it was imported, or the function is a coroutine.
    """
    code = function.__code__
    lines = source_lines(code.co_filename, function.__globals__)
    if not lines:
        raise _no_source(function)
    module = _parsed(lines, function)
    matches = [(t, o) for t, o in module.definitions if _starts_at(t, code) and _fits(t, code)]
    if len(matches) > 1:
        matches = innermost(matches, code)
    if not matches or not _unchanged(module, matches[0][0], function):
        why = (
            "the source that is found does not compile to the function that runs: it has changed since it was imported"
        )
        raise _refusal(function, why, "Restart Python after editing a file, or reload the module.")
    if len(matches) > 1:
        why = "its line holds several lambdas and Python was told to keep no columns"
        raise _refusal(function, why, "Write them on lines of their own, or give them names with def.")
    tree, owner = matches[0]
    found = Source(tree, code.co_filename, module.lines, function.__qualname__.replace("<locals>.", ""), owner)  # type: ignore[arg-type]
    if isinstance(tree, ast.AsyncFunctionDef):
        raise refuse(found.location(tree), tree)
    return found


def _no_source(function: FunctionType) -> GraphSyntaxError:
    name = function.__code__.co_filename
    if name == "<stdin>":
        why = "it was read from standard input, which cannot be read twice"
    elif name.startswith("<"):
        why = f"it was made from a string ({name}), by exec or by a library that generates code"
    else:
        why = f"its source file {name} cannot be read"
    return _refusal(function, why, "Define it in a file, a notebook cell or python -c.")


def _refusal(function: FunctionType, why: str, way_out: str) -> GraphSyntaxError:
    code = function.__code__
    text = linecache.getline(code.co_filename, code.co_firstlineno).strip("\n")
    location = Location(code.co_filename, code.co_firstlineno, len(text) - len(text.lstrip()) + 1, source=text)
    return syntax_error(location, f"{function.__qualname__} cannot be compiled: {why}. {way_out}")


def source_lines(filename: str, namespace: dict[str, Any]) -> list[str]:
    """The lines of a file, a notebook cell, a module in an archive, or ``python -c``; empty when there are none."""
    linecache.checkcache(filename)
    lines = linecache.getlines(filename, namespace)
    if not lines and filename == "<string>" and namespace.get("__name__") == "__main__":
        return command(sys.orig_argv).splitlines(keepends=True)
    if not lines and filename.startswith("<frozen ") and isinstance(path := namespace.get("__file__"), str):
        return linecache.getlines(path)
    return lines


def command(arguments: Sequence[str]) -> str:
    """The program in the command line of ``python -c program``; empty when it has none."""
    remaining = list(arguments[1:])
    while remaining and (option := remaining.pop(0)).startswith("-") and option != "-":
        for position, letter in enumerate(option[1:], 2):
            if letter == "c":
                return option[position:] or (remaining[0] if remaining else "")
            if letter in "WX-":
                if len(option) == 2 and remaining:
                    remaining.pop(0)
                break
    return ""


def _parsed(lines: list[str], function: FunctionType) -> _Module:
    filename, flags = function.__code__.co_filename, function.__code__.co_flags & _FUTURES
    known = _modules.get((filename, flags))
    content = tuple(lines)
    if known is not None and known.lines == content:
        return known
    try:
        tree = ast.parse("".join(lines), filename)
        compiled = compile(tree, filename, "exec", flags, dont_inherit=True)
    except SyntaxError as error:
        raise _refusal(function, f"its file no longer parses ({error.msg})", "Restart Python after editing.") from None
    module = _Module(content, list(_definitions(tree)))
    for code in _nested_codes(compiled):
        module.codes.setdefault((code.co_firstlineno, code.co_name), []).append(code)
    _modules[filename, flags] = module
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


def innermost(matches: list[tuple[ast.AST, str]], code: CodeType) -> list[tuple[ast.AST, str]]:
    """Those of several lambdas on one line whose body holds all instructions of `code`, but not more than it must."""
    spans = [p for p in code.co_positions() if None not in p and p[2:] != (0, 0)]
    if not spans:
        return matches
    begin = min((p[0] or 0, p[2] or 0) for p in spans)
    end = max((p[1] or 0, p[3] or 0) for p in spans)
    holding = [(t, o) for t, o in matches if _body_begin(t) <= begin and end <= _body_end(t)]
    return sorted(holding, key=lambda match: _body_begin(match[0]))[-1:]


def _body_begin(tree: ast.AST) -> tuple[int, int]:
    body: ast.expr = tree.body if isinstance(tree, ast.Lambda) else tree  # type: ignore[assignment]
    return body.lineno, body.col_offset


def _body_end(tree: ast.AST) -> tuple[int, int]:
    body: ast.expr = tree.body if isinstance(tree, ast.Lambda) else tree  # type: ignore[assignment]
    return body.end_lineno or 0, body.end_col_offset or 0


def _unchanged(module: _Module, tree: ast.AST, function: FunctionType) -> bool:
    """Whether the source compiles to the function's own instructions, apart from asserts that pytest has rewritten."""
    code = function.__code__
    candidates = module.codes.get((code.co_firstlineno, code.co_name), [])
    if any(same_code(c, code) for c in candidates):
        return True
    rewritten = "@pytest_ar" in function.__globals__ and any(isinstance(n, ast.Assert) for n in ast.walk(tree))
    return rewritten and bool(candidates)


def same_code(a: CodeType, b: CodeType) -> bool:
    """Whether two code objects have the same instructions, names and constants."""
    if (a.co_code, a.co_names, a.co_varnames, a.co_freevars) != (b.co_code, b.co_names, b.co_varnames, b.co_freevars):
        return False
    return len(a.co_consts) == len(b.co_consts) and all(map(_same_constant, a.co_consts, b.co_consts))


def _same_constant(a: Any, b: Any) -> bool:
    if isinstance(a, CodeType) and isinstance(b, CodeType):
        return same_code(a, b)
    return type(a) is type(b) and (a == b or repr(a) == repr(b))
