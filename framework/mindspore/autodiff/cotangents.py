"""Adding and making cotangents of tensors, of stashes, whose elements are added one by one, and of boxes.

The cotangent of a box is a box of cotangents of its floating contents, empty where it is zero. The cotangent of that has the same layout,
so that every order needs no other ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType

from mindspore.autodiff.activity import floating
from mindspore.base import dtypes as dt
from mindspore.base.errors import GraphTypeError, Location
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import (
    CALL,
    EMPTY_BOX,
    EMPTY_STASH,
    IF,
    IS_EMPTY,
    MAKE_BOX,
    TOKEN,
    TUPLE_GET,
    UNBOX,
    Apply,
    Constant,
    Graph,
    Node,
    Parameter,
)
from mindspore.ir.loops import FORWARD, Loop, function
from mindspore.ir.types import BoxLayout, BoxType, FunctionType, StashType, TensorType, TokenType, TupleType, Type


def without_gradient(node: Apply, why: str = "") -> GraphTypeError:
    """What to raise for a node that is differentiated and cannot be."""
    where = f"{node.location}: " if node.location else ""
    return GraphTypeError(f"{where}{node.op.name} has no gradient{f': {why}' if why else ''}.")


def cotangent_type(kind: Type | None) -> Type | None:
    """The type of cotangents of values of this type."""
    if isinstance(kind, BoxType):
        return BoxType(cotangent_layout(kind.layout))
    if isinstance(kind, StashType):
        element = cotangent_type(kind.element)
        assert isinstance(element, TensorType | StashType | BoxType)
        return StashType(element)
    return kind


def cotangent_layout(layout: BoxLayout) -> BoxLayout:
    """What the cotangent of a box holds."""
    known = layout.derived.get("cotangent")
    if known is None:
        known = BoxLayout(f"{layout.name}_cotangent", lambda: _of_contents(layout))
        layout.derived["cotangent"] = known.derived["cotangent"] = known
    found: BoxLayout = known
    return found


def _of_contents(layout: BoxLayout) -> tuple[Type, ...]:
    kinds = (cotangent_type(layout.contents[i]) for i in moving(layout))
    return tuple(kind for kind in kinds if kind is not None)


def moving(layout: BoxLayout) -> list[int]:
    """Positions of the contents that have cotangents."""
    return [i for i, kind in enumerate(layout.contents) if floating(kind)]


def added(left: Node, right: Node, location: Location | None = None) -> Node:
    """``left + right``."""
    if isinstance(left.type, BoxType):
        made = call(_sum(left.type), [left, right], location, TupleType((left.type,)))
        return GraphBuilder(location).get(made, 0)
    if not isinstance(left.type, StashType):
        b = GraphBuilder(location)
        return _rows_of_both(b, left, right) or b.add(left, right)
    return _each([left, right], lambda parts: added(parts[0], parts[1], location), location)


def _rows_of_both(b: GraphBuilder, left: Node, right: Node) -> Node | None:
    """The sum of two tensors that are some rows and else zero: the rows of both. None for others."""
    pair = [each for each in (left, right) if isinstance(each, Apply) and getattr(each.op, "name", "") == "ScatterRows"]
    if len(pair) < 2:
        return None
    values, indices = ([each.inputs[i] for each in pair] for i in (0, 1))
    if b.dtype(indices[0]) is not b.dtype(indices[1]):
        indices = [b.cast(each, dtype=dt.int64) for each in indices]
    joined = b.concat(*values, axis=0), b.concat(*indices, axis=0)
    return b.scatter_rows(*joined, shape=pair[0].attrs["shape"])  # type: ignore[no-any-return]


def zeros(like: Node) -> Node:
    """The cotangent zero of `like`; a stash of zeros is as long as `like`. For a token, one that stands for no effects."""
    if isinstance(like.type, BoxType):
        return empty(cotangent_type(like.type), like.location)
    if isinstance(like.type, TokenType):
        return Apply(TOKEN, (), type=like.type, location=like.location)
    if not isinstance(like.type, StashType):
        return GraphBuilder(like.location).zeros_like(like)  # type: ignore[no-any-return]
    return _each([like], lambda parts: zeros(parts[0]), like.location)


def blank(like: Node) -> Node:
    """A value of the type of `like` that nobody reads."""
    if isinstance(like.type, BoxType):
        return empty(like.type, like.location)
    if isinstance(like.type, StashType):
        return Apply(EMPTY_STASH, (), type=like.type, location=like.location)
    if isinstance(like.type, TupleType):
        b = GraphBuilder(like.location)
        return b.tuple([blank(b.get(like, i)) for i in range(len(like.type.elements))])
    return zeros(like)


def empty(kind: Type | None, location: Location | None = None) -> Apply:
    """An empty box."""
    return Apply(EMPTY_BOX, (), type=kind, location=location)


def boxed(kind: BoxType, contents: Sequence[Node], location: Location | None = None) -> Apply:
    """A box with these contents."""
    return Apply(MAKE_BOX, contents, type=kind, location=location)


def contents_of(box: Node) -> list[Node]:
    """What a box holds that is not empty."""
    assert isinstance(box.type, BoxType)
    kinds = box.type.layout.contents
    opened = Apply(UNBOX, [box], type=TupleType(kinds), location=box.location)
    return [
        Apply(TUPLE_GET, [opened], MappingProxyType({"index": i}), kind, box.location) for i, kind in enumerate(kinds)
    ]


def is_empty(box: Node) -> Apply:
    return Apply(IS_EMPTY, [box], type=TensorType(dt.bool_, ()), location=box.location)


def call(graph: Graph, arguments: Sequence[Node], location: Location | None, results: TupleType) -> Apply:
    """A call of `graph`, which may not be complete yet."""
    signature = FunctionType(tuple(_known(a) for a in arguments), results)
    return Apply(CALL, [Constant(graph, signature, location), *arguments], type=results, location=location)


def chosen(condition: Node, then: Graph, other: Graph, arguments: Sequence[Node], location: Location | None) -> Apply:
    """``If(condition, then, other, *arguments)``."""
    inputs = [condition, function(then), function(other), *arguments]
    return Apply(IF, inputs, type=then.result.type, location=location)


def _known(node: Node) -> Type:
    assert node.type is not None
    return node.type


def _sum(kind: BoxType) -> Graph:
    """``(a, b) -> (a + b,)`` of two boxes of cotangents: a graph that calls itself when these hold boxes of their own kind."""
    known = kind.layout.derived.get("sum")
    if known is None:
        known = kind.layout.derived["sum"] = Graph(f"add_{kind.layout.name}", _two(kind))
        b, (left, right) = GraphBuilder(), known.parameters
        first, second, inner = _two(kind), _two(kind), _two(kind)
        rows = zip(contents_of(inner[0]), contents_of(inner[1]), strict=True)
        whole = Graph("both", inner, b.tuple([boxed(kind, [added(x, y) for x, y in rows])]))
        only = Graph("left", second, b.tuple([second[0]]))
        rest_of = _two(kind)
        rest = Graph(
            "not_right", rest_of, b.tuple([b.get(chosen(is_empty(rest_of[1]), only, whole, rest_of, None), 0)])
        )
        right_only = Graph("right", first, b.tuple([first[1]]))
        known.output = b.tuple([b.get(chosen(is_empty(left), right_only, rest, [left, right], None), 0)])
    found: Graph = known
    return found


def _two(kind: BoxType) -> list[Parameter]:
    return [Parameter("a", kind), Parameter("b", kind)]


def _each(stashes: Sequence[Node], function: Callable[[Sequence[Node]], Node], location: Location | None) -> Node:
    """A stash of what `function` gives for the elements of `stashes`."""
    kinds = [s.type.element for s in stashes if isinstance(s.type, StashType)]
    parameters = [Parameter(f"e{i}", kind, location) for i, kind in enumerate(kinds)]
    b = GraphBuilder(location)
    body = Graph("each", parameters, b.tuple([function(parameters)]), location)
    loop = Loop(None, body, (), stashes, (FORWARD,) * len(stashes), (FORWARD,))
    return b.get(loop.node(location), 0)
