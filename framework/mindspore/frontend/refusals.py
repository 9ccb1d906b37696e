"""What the front end does not take, with the way out of each."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from types import MappingProxyType

from mindspore.base.errors import GraphSyntaxError, Location

REFUSED: Mapping[type[ast.AST], tuple[str, str]] = MappingProxyType(
    {
        ast.With: ("with", "Move what the block does into a function and call it without the context manager."),
        ast.AsyncWith: ("async with", "Compile the synchronous part of the function only."),
        ast.AsyncFor: ("async for", "Compile the synchronous part of the function only."),
        ast.AsyncFunctionDef: ("async def", "Compile the synchronous part of the function only."),
        ast.Await: ("await", "Compile the synchronous part of the function only."),
        ast.Try: (
            "try",
            "Test for the failing condition with if, or handle the exception outside the compiled function.",
        ),
        ast.TryStar: (
            "try",
            "Test for the failing condition with if, or handle the exception outside the compiled function.",
        ),
        ast.ClassDef: ("class", "Define the class at module level."),
        ast.Import: ("import", "Import at the top of the module."),
        ast.ImportFrom: ("import", "Import at the top of the module."),
        ast.Match: ("match", "Use if and elif."),
        ast.Yield: ("yield", "Return a tuple or a list of the values."),
        ast.YieldFrom: ("yield from", "Return a tuple or a list of the values."),
        ast.Set: ("set display", "Use a tuple, or make the set at module level."),
        ast.SetComp: ("set comprehension", "Use a tuple, or make the set at module level."),
    }
)


def syntax_error(location: Location, message: str) -> GraphSyntaxError:
    """The error for `message` at `location`: the place first, then the source line with a mark, then the message."""
    indent = len(location.source) - len(location.source.lstrip())
    mark = " " * max(location.column - 1 - indent, 0) + "^"
    return GraphSyntaxError(f"{location}\n    {location.source.strip()}\n    {mark}\n{message}")


def refuse(location: Location, node: ast.AST) -> GraphSyntaxError:
    """The refusal of the construct `node`."""
    name, way_out = REFUSED.get(type(node), (type(node).__name__, "Rewrite it with supported syntax."))
    return syntax_error(location, f"'{name}' is not supported in a compiled function. {way_out}")
