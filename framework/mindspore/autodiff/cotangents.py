"""Adding and making cotangents of tensors and of stashes, whose elements are added one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore.base.errors import Location
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import EMPTY_STASH, TOKEN, Apply, Graph, Node, Parameter
from mindspore.ir.loops import FORWARD, Loop
from mindspore.ir.types import StashType, TokenType


def added(left: Node, right: Node, location: Location | None = None) -> Node:
    """``left + right``."""
    if not isinstance(left.type, StashType):
        return GraphBuilder(location).add(left, right)  # type: ignore[no-any-return]
    return _each([left, right], lambda parts: added(parts[0], parts[1], location), location)


def zeros(like: Node) -> Node:
    """Zeros of the type of `like`; a stash of zeros is as long as `like`. For a token, one that stands for no effects."""
    if isinstance(like.type, TokenType):
        return Apply(TOKEN, (), type=like.type, location=like.location)
    if not isinstance(like.type, StashType):
        return GraphBuilder(like.location).zeros_like(like)  # type: ignore[no-any-return]
    return _each([like], lambda parts: zeros(parts[0]), like.location)


def blank(like: Node) -> Node:
    """A value of the type of `like` that nobody reads."""
    if isinstance(like.type, StashType):
        return Apply(EMPTY_STASH, (), type=like.type, location=like.location)
    return zeros(like)


def _each(stashes: Sequence[Node], function: Callable[[Sequence[Node]], Node], location: Location | None) -> Node:
    """A stash of what `function` gives for the elements of `stashes`."""
    kinds = [s.type.element for s in stashes if isinstance(s.type, StashType)]
    parameters = [Parameter(f"e{i}", kind, location) for i, kind in enumerate(kinds)]
    b = GraphBuilder(location)
    body = Graph("each", parameters, b.tuple([function(parameters)]), location)
    loop = Loop(None, body, (), stashes, (FORWARD,) * len(stashes), (FORWARD,))
    return b.get(loop.node(location), 0)
