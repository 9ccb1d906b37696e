"""Forward mode on hand-built graphs: a tangent is the product of the gradients with the direction, through every kind of node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.autodiff.forward import jvp_graph
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.base import dtypes as dt
from mindspore.base.errors import GraphTypeError
from mindspore.ir.graph import SCAN, WHILE, Apply, Graph, nodes, subgraphs
from mindspore.ir.verifier import verify
from mindspore.passes import simplify
from tests.autodiff.test_loops import counted, while_loop
from tests.autodiff.test_reverse import SCALAR_FUNCTIONS
from tests.graphs import build, build_for, condition, evaluate

RNG = np.random.default_rng(5)
X = RNG.uniform(0.2, 1.5, (2, 3))
Y = RNG.uniform(0.2, 1.5, (3,))


def check_tangent(graph: Graph, *arrays: Any) -> Graph:
    """The tangent of the one result for random directions is that by gradients, and by differences; gives the graph."""
    moving = [i for i, a in enumerate(arrays) if a.dtype.kind == "f"]
    directions = [RNG.normal(size=arrays[i].shape) for i in moving]
    made = jvp_graph(graph, moving)
    verify(made)
    *values, tangent = evaluate(made, [*arrays, *directions])
    np.testing.assert_allclose(values[0], evaluate(graph, arrays))
    gradients = evaluate(value_and_grad_graph(graph, moving), arrays)[1:]
    wanted = sum(float((g * v).sum()) for g, v in zip(gradients, directions, strict=True))
    np.testing.assert_allclose(tangent, wanted, rtol=1e-9, atol=1e-12)
    step = 1e-6
    ends = []
    for sign in (1, -1):
        moved = list(arrays)
        for i, v in zip(moving, directions, strict=True):
            moved[i] = arrays[i] + sign * step * v
        ends.append(float(evaluate(graph, moved)))
    np.testing.assert_allclose(tangent, (ends[0] - ends[1]) / (2 * step), rtol=1e-5, atol=1e-7)
    return made


@pytest.mark.parametrize("name", SCALAR_FUNCTIONS)
def test_tangents_of_straight_line_code(name: str) -> None:
    graph = check_tangent(build_for(SCALAR_FUNCTIONS[name], X, Y), X, Y)
    assert not [n for n in nodes(graph) if isinstance(n, Apply) and n.op in (WHILE, SCAN)]


def branching(b: Any, x: Any, y: Any) -> Any:
    kinds = (x.type, y.type)
    then = build(lambda b, x, y: b.reduce_sum(b.mul(b.exp(x), y)), *kinds)
    other = build(lambda b, x, y: b.reduce_sum(x), *kinds)
    return condition(b, b.greater(b.reduce_sum(y), 1.0), then, other, x, y)


@pytest.mark.parametrize("scale", [1.0, 0.1])
def test_tangents_through_both_arms_of_a_branch(scale: float) -> None:
    check_tangent(build_for(branching, X, Y), X, Y * scale)


def looping(b: Any, x: Any, n: Any) -> Any:
    (result,) = counted(b, n, lambda b, i, s: (b.mul(b.sin(s), b.cast(b.add(i, 1), dtype=dt.float64)),), x)
    return result


def test_a_loop_carries_tangents_as_state_and_keeps_nothing() -> None:
    made = check_tangent(build_for(looping, np.array(0.7), np.array(5, np.int32)), np.array(0.7), np.array(5, np.int32))
    loops = [n for g in subgraphs(made) for n in nodes(g) if isinstance(n, Apply) and n.op in (WHILE, SCAN)]
    assert [n.op for n in loops] == [WHILE]
    assert "Stash" not in str(loops[0].type)


def nested(b: Any, x: Any, n: Any) -> Any:
    def turn(b: Any, i: Any, s: Any, k: Any) -> Any:
        (inner,) = while_loop(b, lambda b, t: b.less(t, 3.0), lambda b, t: (b.add(b.mul(t, 1.5), 0.1),), s)
        return b.mul(inner, 0.4), k

    return counted(b, n, turn, x, n)[0]


def test_tangents_of_nested_loops() -> None:
    check_tangent(build_for(nested, np.array(0.7), np.array(4, np.int32)), np.array(0.7), np.array(4, np.int32))


ORDERS: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "straight": (lambda b, x: b.reduce_sum(b.mul(b.exp(x), b.sin(x))), (X,)),
    "loop": (looping, (np.array(0.7), np.array(4, np.int32))),
    "nested": (nested, (np.array(0.7), np.array(3, np.int32))),
}


@pytest.mark.parametrize("name", ORDERS)
def test_tangents_of_gradients_and_of_tangents(name: str) -> None:
    """Forward over reverse and forward over forward to the third derivative, of a gradient in the direction of ones."""
    function, arrays = ORDERS[name]
    graph = build_for(function, *arrays)
    ones = np.ones_like(arrays[0])
    reverse = value_and_grad_graph(value_and_grad_graph(graph, [0]), [0], differentiated=[1])
    simplify(reverse)
    wanted = evaluate(value_and_grad_graph(reverse, [0], differentiated=[2]), arrays)[-1].sum()
    mixed = jvp_graph(reverse, [0], differentiated=[2])
    verify(mixed)
    np.testing.assert_allclose(evaluate(mixed, [*arrays, ones])[-1].sum(), wanted, rtol=1e-8)
    forward = graph
    for order in range(3):
        forward = jvp_graph(forward, [0], differentiated=[order])
        simplify(forward)
        verify(forward)
    np.testing.assert_allclose(evaluate(forward, [*arrays, ones, ones, ones])[-1], wanted, rtol=1e-8)


def test_the_gradient_of_a_tangent() -> None:
    graph = build_for(looping, np.array(0.7), np.array(4, np.int32))
    tangent = jvp_graph(graph, [0])
    simplify(tangent)
    found = evaluate(
        value_and_grad_graph(tangent, [0], differentiated=[1]), [np.array(0.7), np.array(4, np.int32), np.array(1.0)]
    )
    first = value_and_grad_graph(graph, [0])
    simplify(first)
    wanted = evaluate(value_and_grad_graph(first, [0], differentiated=[1]), [np.array(0.7), np.array(4, np.int32)])
    np.testing.assert_allclose(found[-1], wanted[-1], rtol=1e-9)


def test_nothing_moves_where_there_is_no_gradient() -> None:
    graph = build_for(lambda b, x: (b.floor(x), b.argmax(x, axis=0)), Y)
    floor, _, tangent = evaluate(jvp_graph(graph, [0]), [Y, Y])
    assert tangent.tolist() == [0.0] * 3
    assert floor.tolist() == np.floor(Y).tolist()


def test_an_unknown_operation_is_refused() -> None:
    from mindspore.ir.graph import Structured

    graph = build_for(lambda b, x: Apply(Structured("Strange"), [x], type=x.type), Y)
    with pytest.raises(GraphTypeError, match="Strange has no gradient"):
        jvp_graph(graph, [0])
