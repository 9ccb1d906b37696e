"""The front end's one entry: a Python function to its untyped graph."""

from __future__ import annotations

from types import CodeType, FunctionType
from typing import Any

from mindspore.base.errors import GraphSyntaxError
from mindspore.frontend import assignment, exceptions, expressions, imports, matching, scopes, statements
from mindspore.frontend.source import find_source
from mindspore.ir.graph import Graph

HANDLERS = (assignment, exceptions, expressions, imports, matching, scopes, statements)
"""Modules whose import registers how each construct is translated."""

_parsed: dict[int, tuple[CodeType, Graph]] = {}


def parse(function: Any) -> Graph:
    """The untyped graph of `function`, once per code object. A decorator's wrapper is a function of its own: its source is parsed.

    Raises:
        GraphSyntaxError: the source is not found, or holds a construct that is not supported.
    """
    if not isinstance(function, FunctionType):
        raise GraphSyntaxError(
            f"{function!r} is not a Python function: only functions with Python source can be compiled."
        )
    code = function.__code__
    known = _parsed.get(id(code))
    if known is None:
        graph = scopes.function_graph(
            find_source(function), function.__name__.strip("<>"), frozenset(code.co_freevars), None
        )
        known = _parsed[id(code)] = (code, graph)
    return known[1]
