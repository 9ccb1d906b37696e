"""The front end's one entry: a Python function to its untyped graph."""

from __future__ import annotations

import inspect
from types import CodeType, FunctionType
from typing import Any

from mindspore.base.errors import GraphSyntaxError
from mindspore.frontend import assignment, expressions, scopes, statements
from mindspore.frontend.source import find_source
from mindspore.ir.graph import Graph

HANDLERS = (assignment, expressions, scopes, statements)
"""Modules whose import registers how each construct is translated."""

_parsed: dict[int, tuple[CodeType, Graph]] = {}


def parse(function: Any) -> Graph:
    """The untyped graph of `function` (decorators that use functools.wraps are unwrapped), once per code object.

    Raises:
        GraphSyntaxError: the source is not found, or holds a construct that is not supported.
    """
    plain = inspect.unwrap(function)
    if not isinstance(plain, FunctionType):
        raise GraphSyntaxError(
            f"{plain!r} is not a Python function: only functions with Python source can be compiled."
        )
    code = plain.__code__
    known = _parsed.get(id(code))
    if known is None:
        graph = scopes.function_graph(find_source(plain), plain.__name__.strip("<>"), frozenset(code.co_freevars), None)
        known = _parsed[id(code)] = (code, graph)
    return known[1]
