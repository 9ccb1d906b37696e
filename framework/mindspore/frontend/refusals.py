"""What the front end does not take, with the way out of each."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType

from mindspore.base.errors import GraphSyntaxError, Location

_ASYNC = "Compile the synchronous part of the function only."
_MODULE_LEVEL = "Define it at module level."
_WAYS_OUT: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "AsyncWith": ("async with", _ASYNC),
        "AsyncFor": ("async for", _ASYNC),
        "AsyncFunctionDef": ("async def", _ASYNC),
        "Await": ("await", _ASYNC),
        "TryStar": ("except*", "Use except: no groups of exceptions are raised while compiling."),
        "ClassDef": ("class", _MODULE_LEVEL),
        "TypeAlias": ("type", _MODULE_LEVEL),
        "TemplateStr": ("template string", "Use an f-string of values that are known while compiling."),
        "Interpolation": ("template string", "Use an f-string of values that are known while compiling."),
    }
)
REFUSED: Mapping[type[ast.AST], tuple[str, str]] = MappingProxyType(
    {getattr(ast, name): entry for name, entry in _WAYS_OUT.items() if hasattr(ast, name)}
)
"""By kind of syntax, of those that this version of Python has: its name, and what to write instead."""


def syntax_error(location: Location, message: str) -> GraphSyntaxError:
    """The error for `message` at `location`: the place first, then the source line with a mark, then the message."""
    if not location.source:
        return GraphSyntaxError(f"{location}\n{message}", location)
    indent = len(location.source) - len(location.source.lstrip())
    mark = " " * max(location.column - 1 - indent, 0) + "^"
    return GraphSyntaxError(f"{location}\n    {location.source.strip()}\n    {mark}\n{message}", location)


def refuse(location: Location, node: ast.AST) -> GraphSyntaxError:
    """The refusal of the construct `node`."""
    name, way_out = REFUSED[type(node)]
    return syntax_error(location, f"'{name}' is not supported in a compiled function. {way_out}")
