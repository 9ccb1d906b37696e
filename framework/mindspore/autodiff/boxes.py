"""The gradients of boxes: what is put into a box gets its part of the box's cotangent, what is taken from one makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mindspore.autodiff.cotangents import boxed, chosen, contents_of, cotangent_type, is_empty, moving, zeros
from mindspore.autodiff.residuals import Pullback
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Graph, Node, Parameter
from mindspore.ir.types import BoxType, StashType

Differentiated = tuple[Apply, Sequence[Node | None]]


def boxed_gradients(node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback) -> Differentiated:
    """The gradient of MakeBox."""
    return node, taken_from(adjoint[0], node.inputs, node.type)


def unboxed_gradients(node: Apply, adjoint: Mapping[int, Node], active: set[int], pullback: Pullback) -> Differentiated:
    """The gradient of Unbox."""
    return node, [put_together(node, adjoint)]


def put_together(opened: Apply, parts: Mapping[int, Node]) -> Node:
    """The box of cotangents, or tangents, for a box that was `opened`; those without a part are zero."""
    (box,) = opened.inputs
    assert isinstance(box.type, BoxType)
    kind = cotangent_type(box.type)
    assert isinstance(kind, BoxType)
    b = GraphBuilder(opened.location)
    found = [parts[i] if i in parts else zeros(b.get(opened, i)) for i in moving(box.type.layout)]
    return boxed(kind, found, opened.location)


def taken_from(box: Node, values: Sequence[Node], kind: object) -> list[Node | None]:
    """The cotangents, or tangents, in `box` of the `values` that a box of type `kind` holds; zeros when it is empty."""
    assert isinstance(kind, BoxType)
    places = moving(kind.layout)
    found: list[Node | None] = [None] * len(values)
    if not places:
        return found
    likes = [values[i] for i in places if isinstance(values[i].type, StashType)]
    full, blank = _parameters(box, likes), _parameters(box, likes)
    b = GraphBuilder(box.location)
    stashes = iter(blank[1:])
    nothing = [zeros(next(stashes)) if isinstance(values[i].type, StashType) else zeros(values[i]) for i in places]
    graphs = Graph("zeros", blank, b.tuple(nothing)), Graph("opened", full, b.tuple(contents_of(full[0])))
    made = chosen(is_empty(box), *graphs, [box, *likes], box.location)
    for k, i in enumerate(places):
        found[i] = b.get(made, k)
    return found


def _parameters(box: Node, likes: Sequence[Node]) -> list[Parameter]:
    return [Parameter("box", box.type), *(Parameter(f"like{i}", v.type) for i, v in enumerate(likes))]
