"""The reference back end: structured operations, depth, errors, and its interface over native tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore.backends import find, reference
from mindspore.backends.reference.evaluate import evaluate
from mindspore.backends.reference.numpy_builder import ExpandingBuilder, NumpyBuilder
from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import CALL, IF, TUPLE_GET, WHILE, Apply, Constant, Graph, Node, Parameter
from mindspore.ir.types import FunctionType, TensorType, TupleType

NUMBER, TRUTH = TensorType(dt.int64, ()), TensorType(dt.bool_, ())


def number(value: int) -> Any:
    return np.asarray(value, np.int64)


def function(name: str, count: int, body: Any) -> Graph:
    """A graph over `count` whole numbers."""
    parameters = [Parameter(f"x{i}", NUMBER) for i in range(count)]
    return Graph(name, parameters, body(GraphBuilder(), *parameters))


def value_of(graph: Graph) -> Constant:
    kinds = tuple(p.type for p in graph.parameters)
    return Constant(graph, FunctionType(kinds, graph.result.type))  # type: ignore[arg-type]


def branch(condition: Node, then: Graph, otherwise: Graph, *arguments: Node) -> Apply:
    return Apply(IF, (condition, value_of(then), value_of(otherwise), *arguments), type=then.result.type)


def test_a_branch_evaluates_the_side_that_is_taken() -> None:
    yes = function("yes", 1, lambda b, x: b.mul(x, 2))
    no = function("no", 1, lambda b, x: b.neg(x))
    graph = function("choose", 1, lambda b, x: branch(b.greater(x, 0), yes, no, x))
    assert evaluate(graph, [number(4)]) == 8
    assert evaluate(graph, [number(-3)]) == 3


def test_a_loop_carries_its_state() -> None:
    condition = function("more", 2, lambda b, i, total: b.greater(i, 0))
    body = function("step", 2, lambda b, i, total: b.tuple([b.sub(i, 1), b.add(total, i)]))

    def summed(b: GraphBuilder, n: Node) -> Node:
        state = (n, b.const(0, dt.int64))
        loop = Apply(WHILE, (value_of(condition), value_of(body), *state), type=TupleType((NUMBER, NUMBER)))
        return Apply(TUPLE_GET, (loop,), {"index": 1}, NUMBER)

    assert evaluate(function("sum", 1, summed), [number(100)]) == 5050


def test_recursion_is_not_limited_by_pythons_stack() -> None:
    graph = Graph("count", [Parameter("n", NUMBER)])
    b, n = GraphBuilder(), graph.parameters[0]
    again = Graph("again", [Parameter("n", NUMBER)])
    inner = Constant(graph, FunctionType((NUMBER,), NUMBER))
    again.output = b.add(Apply(CALL, (inner, b.sub(again.parameters[0], 1)), type=NUMBER), 1)
    graph.output = branch(b.equal(n, 0), function("end", 1, lambda b, x: x), again, n)
    assert evaluate(graph, [number(3000)]) == 3000


def test_a_chain_of_many_nodes() -> None:
    def chain(b: GraphBuilder, x: Node) -> Node:
        for _ in range(20_000):
            x = b.add(x, x)
        return x

    assert evaluate(function("chain", 1, chain), [number(0)]) == 0


def test_composites_run_by_meaning_or_by_expansion() -> None:
    x = np.array([[1.0, 2.0, 4.0]])
    parameter = Parameter("x", TensorType(dt.float64, (1, 3)))
    graph = Graph("rows", [parameter], GraphBuilder().softmax(parameter))
    np.testing.assert_allclose(
        evaluate(graph, [x], ExpandingBuilder()), evaluate(graph, [x], NumpyBuilder()), rtol=1e-14
    )


def test_errors_are_those_of_inference() -> None:
    with pytest.raises(ValueError, match=r"Add: the shapes of 'x' \[2\] and 'y' \[3\] do not broadcast"):
        NumpyBuilder().add(np.zeros(2, np.float32), np.zeros(3, np.float32))
    with pytest.raises(
        TypeError, match=r"Maximum: argument 'x' must have one of the element types .*, but got Complex64\[2\]"
    ):
        NumpyBuilder().maximum(np.zeros(2, np.complex64), np.zeros(2, np.complex64))


def test_a_graph_must_be_closed_and_get_all_its_arguments() -> None:
    outer = Parameter("outer", NUMBER)
    open_graph = Graph("open", [], GraphBuilder().neg(outer))
    with pytest.raises(InternalError, match="not closed: it reads outer"):
        evaluate(open_graph, [])
    with pytest.raises(InternalError, match="takes 1 arguments, got 0"):
        evaluate(function("one", 1, lambda b, x: x), [])


@pytest.mark.compiler
def test_the_interface_over_native_tensors() -> None:
    from mindspore._native import TensorBase

    b = GraphBuilder()
    x, weight = (Parameter(n, TensorType(dt.float32, (2,))) for n in ("x", "weight"))
    graph = Graph("step", [x, weight], b.tuple([b.mul(x, weight), b.sub(weight, x)]))
    stored = TensorBase.from_numpy(np.array([10, 20], np.float32), True)
    run = find("reference").compile(graph, arguments=1, bound=[stored], updates={1: 1})
    given = TensorBase.from_numpy(np.array([1, 2], np.float32), True)
    (product,) = run(given)
    assert product.asnumpy().tolist() == [10, 40]
    assert stored.asnumpy().tolist() == [9, 18]
    assert run(given)[0].asnumpy().tolist() == [9, 36]
    with pytest.raises(TypeError, match="graph step takes 1 tensors, got 2"):
        run(given, given)


def test_it_is_found_by_name() -> None:
    assert find("reference").compile is reference.compile
    with pytest.raises(ValueError, match="there is no back end 'abacus'"):
        find("abacus")
