"""Nodes, builder, printer, verifier and rewriting."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError, Location
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Graph, Parameter, nodes, toposort
from mindspore.ir.operator import Operator, find, register
from mindspore.ir.printer import to_text
from mindspore.ir.rewrite import copy, inline, rewrite, users
from mindspore.ir.types import FunctionType, TensorType, TupleType
from mindspore.ir.verifier import verify
from tests.graphs import build, condition, evaluate

F32 = TensorType(dt.float32, (2, 3))


def test_topological_order_puts_inputs_first_and_visits_shared_nodes_once() -> None:
    graph = build(lambda b, x: b.add(b.exp(x), b.mul(b.exp(x), x)), F32)
    order = nodes(graph)
    position = {id(n): i for i, n in enumerate(order)}
    assert len(position) == len(order)
    assert all(position[id(i)] < position[id(n)] for n in order for i in n.inputs)


def test_a_chain_of_a_hundred_thousand_nodes_is_walked_copied_and_printed() -> None:
    b = GraphBuilder()
    x = node = Parameter("x", TensorType(dt.float32, ()))
    for _ in range(100_000):
        node = b.neg(node)
    graph = Graph("chain", [x], node)
    assert len(toposort(node)) == 100_001
    assert len(nodes(copy(graph))) == 100_001
    verify(graph)
    assert to_text(graph).count("Neg") == 100_000


def test_the_builder_promotes_mixed_types_and_numbers() -> None:
    graph = build(lambda b, x, n: b.add(b.mul(x, 2), n), TensorType(dt.float16, (2,)), TensorType(dt.int32, (2,)))
    assert graph.result.type == TensorType(dt.float16, (2,))
    half = build(lambda b, n: b.mul(n, 0.5), TensorType(dt.int32, (2,)))
    assert half.result.type == TensorType(dt.float32, (2,))


def test_the_builder_names_what_does_not_exist() -> None:
    b = GraphBuilder()
    with pytest.raises(AttributeError, match="no operator is called 'matmull'"):
        b.matmull(1, 2)
    x = Parameter("x", F32)
    with pytest.raises(TypeError, match="Transpose has no attribute 'axes'; it has perm"):
        b.transpose(x, axes=(1, 0))
    with pytest.raises(TypeError, match="Transpose needs attribute 'perm'"):
        b.transpose(x)
    with pytest.raises(ValueError, match=r"(?s)Add.*'x' \[2, 3\].*'y' \[4\]"):
        b.add(x, Parameter("y", TensorType(dt.float32, (4,))))


def test_declaring_an_operator_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Add .* declared twice"):
        register(find("Add"))
    both = Operator("Both", "both", ("x",), infer=min, reference=min, gradient=None, compute=1, expand=min)
    with pytest.raises(ValueError, match="exactly one of compute and expand"):
        register(both)


def test_text_is_stable_and_names_types_sources_and_subgraphs() -> None:
    def make() -> Graph:
        then = build(lambda b, x: b.exp(x), F32, name="branch")
        other = build(lambda b, x: b.neg(x), F32, name="branch")
        graph = build(lambda b, x: condition(b, b.less(b.reduce_sum(x), 1.0), then, other, x), F32, name="main")
        graph.result.location = Location("model.py", 12, 5)
        return graph

    text = to_text(make(), "title")
    assert text == to_text(make(), "title")
    assert text.startswith("# title\n\ngraph @main(%p0: Float32[2, 3]) {\n")
    assert "If(%1, @branch, @branch_1, %p0) : Float32[2, 3]  # model.py:12" in text
    assert "ReduceSum(%p0)[axis=(), keep_dims=False] : Float32[]" in text


def test_types_print_readably() -> None:
    assert str(TupleType((F32, TensorType(dt.bool_, ())))) == "(Float32[2, 3], Bool[])"
    assert str(FunctionType((F32,), F32)) == "(Float32[2, 3]) -> Float32[2, 3]"


def test_the_verifier_names_graph_node_and_rule() -> None:
    graph = build(lambda b, x: b.exp(x), F32, name="broken")
    graph.result.type = TensorType(dt.float32, (9,))
    with pytest.raises(InternalError, match=r"graph broken: Exp.*Float32\[9\], inference says Float32\[2, 3\]"):
        verify(graph)
    stranger = build(lambda b, x: b.exp(x), F32)
    stranger.parameters = []
    with pytest.raises(InternalError, match="parameter p0: is a free variable"):
        verify(stranger)
    b = GraphBuilder()
    wrong = build(lambda b, x: condition(b, b.less(x, 1.0), stranger, stranger, x), F32)
    with pytest.raises(InternalError, match=r"condition Bool\[2, 3\], expected Bool\[\]"):
        verify(wrong)
    assert b is not None


def test_inlining_replaces_parameters_and_checks_their_number() -> None:
    graph = build(lambda b, x, y: b.sub(x, y), F32, F32)
    x = Parameter("a", F32)
    inlined = inline(graph, [x, x])
    assert isinstance(inlined, Apply)
    assert inlined.inputs == (x, x)
    with pytest.raises(TypeError, match="takes 2 arguments, got 1"):
        inline(graph, [x])


def test_rewriting_offers_a_replacement_to_the_rule_again() -> None:
    graph = build(lambda b, x: b.neg(b.neg(b.neg(b.neg(x)))), F32)

    def double_negation(node: Apply) -> object:
        inner = node.inputs[0]
        return inner.inputs[0] if isinstance(inner, Apply) else None

    assert rewrite(graph, double_negation)  # type: ignore[arg-type]
    assert graph.result is graph.parameters[0]
    assert not rewrite(graph, double_negation)  # type: ignore[arg-type]


def test_users_lists_every_reader_once() -> None:
    graph = build(lambda b, x: b.mul(b.exp(x), b.exp(x)), F32)
    found = users(graph)
    assert [n.op.name for n in found[id(graph.parameters[0])]] == ["Exp", "Exp"]
    assert graph.result.op.name == "Mul"  # type: ignore[attr-defined]


def test_a_copy_has_parameters_of_its_own_and_the_same_meaning() -> None:
    graph = build(lambda b, x: b.exp(x), F32)
    other = copy(graph)
    assert other.parameters[0] is not graph.parameters[0]
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(evaluate(other, [x]), evaluate(graph, [x]))
