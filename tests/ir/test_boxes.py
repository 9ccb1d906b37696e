"""Boxes as values of graphs: what they hold, their text, and what the verifier says about wrong ones."""

from __future__ import annotations

from types import MappingProxyType

import numpy as np
import pytest

from mindspore.autodiff.cotangents import (
    added,
    boxed,
    contents_of,
    cotangent_layout,
    cotangent_type,
    empty,
    is_empty,
    zeros,
)
from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import MAKE_BOX, TUPLE_GET, UNBOX, Apply, Graph, Node, Parameter, subgraphs
from mindspore.ir.printer import to_text
from mindspore.ir.types import BoxLayout, BoxType, StashType, TensorType, TupleType
from mindspore.ir.verifier import verify
from mindspore.passes import simplify
from tests.graphs import evaluate

X, N = TensorType(dt.float64, (2,)), TensorType(dt.int32, ())


def layout(*contents: TensorType) -> BoxLayout:
    made = BoxLayout("pair")
    made.describe(contents)
    return made


def one(output: Node, *parameters: Parameter) -> Graph:
    return Graph("f", parameters, output)


def test_a_box_gives_back_what_was_put_into_it() -> None:
    kind, x, n = BoxType(layout(X, N)), Parameter("x", X), Parameter("n", N)
    box = boxed(kind, [x, n])
    graph = one(GraphBuilder().tuple([*contents_of(box), is_empty(box), is_empty(empty(kind))]), x, n)
    verify(graph)
    assert "MakeBox(%x, %n) : Box[pair]" in to_text(graph)
    given = [np.array([1.0, 2.0]), np.int32(3)]
    values, number, full, nothing = evaluate(graph, given)
    assert (values.tolist(), int(number), bool(full), bool(nothing)) == ([1.0, 2.0], 3, False, True)
    simplify(graph)
    assert "Box" not in to_text(graph), "a box that is seen to be made is not needed"
    assert [np.asarray(v).tolist() for v in evaluate(graph, given)] == [[1.0, 2.0], 3, False, True]


def test_boxes_of_different_kinds_are_not_shared() -> None:
    kinds, x = [BoxType(layout(X)), BoxType(layout(X))], Parameter("x", X)
    flags = [is_empty(boxed(kind, [x])) for kind in kinds]
    graph = one(GraphBuilder().tuple([f.inputs[0] for f in flags]), x)
    simplify(graph)
    first, second = graph.outputs()
    assert first is not second
    assert kinds[0] != kinds[1]


def test_cotangents_of_a_box_hold_what_is_floating() -> None:
    whole = layout(X, N)
    dual = cotangent_layout(whole)
    assert dual.contents == (X,)
    assert cotangent_layout(whole) is dual is cotangent_layout(dual)
    assert cotangent_type(StashType(BoxType(whole))) == StashType(BoxType(dual))
    assert zeros(Parameter("box", BoxType(whole))).type == BoxType(dual)


def test_adding_boxes_that_hold_boxes_of_their_own_kind() -> None:
    chain = BoxLayout("chain")
    kind = BoxType(chain)
    chain.describe((X, kind))
    x, y = Parameter("x", X), Parameter("y", X)
    dual = cotangent_type(kind)
    assert isinstance(dual, BoxType)
    assert dual.layout.contents == (X, dual)
    left = boxed(dual, [x, boxed(dual, [x, empty(dual)])])
    right = boxed(dual, [y, empty(dual)])
    outer, inner = contents_of(added(left, right))
    (inside, last), (alone, _) = contents_of(inner), contents_of(added(empty(dual), right))
    graph = one(GraphBuilder().tuple([outer, inside, is_empty(last), alone]), x, y)
    verify(graph)
    names = [g.name for g in subgraphs(graph)]
    assert names.count("add_chain_cotangent") == 1, "one graph adds all boxes of a kind"
    found = evaluate(graph, [np.array([1.0, 2.0]), np.array([10.0, 20.0])])
    assert [np.asarray(v).tolist() for v in found] == [[11.0, 22.0], [1.0, 2.0], True, [10.0, 20.0]]


def test_a_layout_must_be_described() -> None:
    with pytest.raises(AssertionError, match="boxes of later are not described yet"):
        _ = BoxLayout("later").contents


def wrong_nodes() -> dict[str, Node]:
    kind, x = BoxType(layout(X, N)), Parameter("x", X)
    get = MappingProxyType({"index": 0})
    opened = Apply(UNBOX, [empty(kind)], type=TupleType((X,)))
    return {
        "puts": Apply(MAKE_BOX, [x], type=kind),
        "expected a box": Apply(MAKE_BOX, [x], type=X),
        "takes": Apply(TUPLE_GET, [opened], get, X),
        "expected Bool": Apply(is_empty(empty(kind)).op, [empty(kind)], type=N),
        "is made from": Apply(empty(kind).op, [x], type=kind),
    }


@pytest.mark.parametrize("message", ["puts", "expected a box", "takes", "expected Bool", "is made from"])
def test_wrong_boxes_are_found(message: str) -> None:
    node = wrong_nodes()[message]
    with pytest.raises(InternalError, match=message):
        verify(one(node, Parameter("x", X)) if not _read(node) else one(node, *_read(node)))


def _read(node: Node) -> list[Parameter]:
    return [i for i in node.inputs if isinstance(i, Parameter)]
