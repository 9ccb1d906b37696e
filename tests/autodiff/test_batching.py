"""vmap of branches, loops and their gradients: every row is what the graph gives for it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from mindspore.autodiff.batching import vmap_graph
from mindspore.autodiff.forward import jvp_graph
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.base.errors import GraphTypeError
from mindspore.ir.graph import CUSTOM, WHILE, Apply, Graph, Structured, nodes, subgraphs
from mindspore.ir.loops import function
from mindspore.ir.verifier import verify
from mindspore.passes import simplify
from tests.autodiff.test_loops import counted, results, while_loop
from tests.graphs import build, build_for, condition, evaluate

SIZE = 4
RNG = np.random.default_rng(3)
ROWS = np.array([0.5, -1.0, 2.0, 0.0])
TURNS = np.array([3, 0, 5, 1], np.int32)


def check_rows(graph: Graph, rows: Sequence[bool], *arrays: Any) -> Graph:
    """The batched graph agrees with the graph row by row, on both back ends; gives the batched graph."""
    batched, has_rows = vmap_graph(graph, rows, SIZE)
    verify(batched)
    each = [evaluate(graph, [a[i] if r else a for a, r in zip(arrays, rows, strict=True)]) for i in range(SIZE)]
    each = [e if isinstance(e, tuple) else (e,) for e in each]
    found = evaluate(batched, arrays)
    for k, (got, whole) in enumerate(zip(found, has_rows, strict=True)):
        want = np.stack([e[k] for e in each]) if whole else each[0][k]
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    for got, want in zip(results(vmap_graph(graph, rows, SIZE)[0], arrays), found, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    return batched


def rooted(b: Any, x: Any, y: Any) -> Any:
    """The root of positive numbers, ``x y`` for others: the derivative of the root is NaN where it is not taken."""
    kinds = (x.type, y.type)
    then = build(lambda b, x, y: b.mul(b.sqrt(x), b.sqrt(x)), *kinds)
    other = build(lambda b, x, y: b.mul(x, b.mul(y, y)), *kinds)
    return condition(b, b.greater(x, 0.0), then, other, x, y)


def powers(b: Any, x: Any, n: Any) -> Any:
    (result,) = counted(b, n, lambda b, i, s: (b.mul(b.sin(s), 1.5),), x)
    return result


def until(b: Any, x: Any, y: Any) -> Any:
    """Each row has a length of its own, which its value decides."""
    return while_loop(
        b, lambda b, s, k: b.less(b.mul(s, s), 9.0), lambda b, s, k: (b.add(b.mul(s, 1.7), 0.3), k), x, y
    )[0]


def nested(b: Any, x: Any, n: Any) -> Any:
    def turn(b: Any, i: Any, s: Any, m: Any) -> Any:
        inner = while_loop(b, lambda b, t: b.less(t, 3.0), lambda b, t: (b.add(b.mul(t, 1.5), 0.4),), s)[0]
        return b.mul(b.sin(inner), 0.4), m

    return counted(b, n, turn, x, n)[0]


def branch_in_loop(b: Any, x: Any, n: Any) -> Any:
    def turn(b: Any, i: Any, s: Any) -> Any:
        then = build(lambda b, s: b.mul(s, 1.3), s.type)
        other = build(lambda b, s: b.sin(b.sub(s, 1.0)), s.type)
        return (condition(b, b.greater(s, 0.2), then, other, s),)

    return counted(b, n, turn, x)[0]


def loop_in_branch(b: Any, x: Any, n: Any) -> Any:
    kinds = (x.type, n.type)
    then = build(powers, *kinds)
    other = build(lambda b, x, n: b.mul(x, x), *kinds)
    return condition(b, b.greater(x, -0.5), then, other, x, n)


PROGRAMS: dict[str, tuple[Callable[..., Any], tuple[Any, Any]]] = {
    "branch": (rooted, (ROWS, np.array(3.0))),
    "loop of one length": (powers, (ROWS, np.array(3, np.int32))),
    "loop of many lengths": (powers, (ROWS, TURNS)),
    "loop that its value ends": (until, (ROWS + 0.1, np.array(1.0))),
    "nested": (nested, (ROWS, TURNS)),
    "branch in loop": (branch_in_loop, (ROWS, TURNS)),
    "loop in branch": (loop_in_branch, (ROWS, TURNS)),
}


def drawn(name: str) -> tuple[Graph, list[bool], tuple[Any, Any]]:
    program, arrays = PROGRAMS[name]
    rows = [a.ndim == 1 for a in arrays]
    return build_for(program, *[a[0] if r else a for a, r in zip(arrays, rows, strict=True)]), rows, arrays


@pytest.mark.compiler
@pytest.mark.parametrize("name", PROGRAMS)
def test_rows_of_programs(name: str) -> None:
    graph, rows, arrays = drawn(name)
    check_rows(graph, rows, *arrays)


@pytest.mark.compiler
@pytest.mark.parametrize("name", PROGRAMS)
def test_rows_of_gradients(name: str) -> None:
    """vmap of grad and of grad of grad: residuals of loops have rows, and masks where rows ran for different times."""
    graph, rows, arrays = drawn(name)
    first = value_and_grad_graph(graph, [0])
    simplify(first)
    check_rows(first, rows, *arrays)
    second = value_and_grad_graph(first, [0], differentiated=[1])
    simplify(second)
    check_rows(second, rows, *arrays)


@pytest.mark.parametrize("name", PROGRAMS)
def test_gradients_of_rows(name: str) -> None:
    """grad of vmap, once and twice: what is computed for rows that do not take it must not make NaN."""
    graph, rows, arrays = drawn(name)
    whole, _ = vmap_graph(graph, rows, SIZE)
    one = graph
    for order in range(2):
        simplify(whole)
        simplify(one)
        whole = value_and_grad_graph(whole, [0], differentiated=[order])
        one = value_and_grad_graph(one, [0], differentiated=[order])
        verify(whole)
        each = [evaluate(one, [a[i] if r else a for a, r in zip(arrays, rows, strict=True)])[-1] for i in range(SIZE)]
        np.testing.assert_allclose(evaluate(whole, arrays)[-1], np.stack(each), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", PROGRAMS)
def test_rows_of_tangents(name: str) -> None:
    graph, rows, arrays = drawn(name)
    tangent = jvp_graph(graph, [0])
    simplify(tangent)
    batched, _ = vmap_graph(tangent, [*rows, True], SIZE)
    gradients = value_and_grad_graph(vmap_graph(graph, rows, SIZE)[0], [0])
    wanted = evaluate(gradients, arrays)[-1] * 2.0
    np.testing.assert_allclose(evaluate(batched, [*arrays, np.full(SIZE, 2.0)])[-1], wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", ["branch", "loop of many lengths", "branch in loop"])
def test_rows_of_rows(name: str) -> None:
    program, _ = PROGRAMS[name]
    x, n = RNG.uniform(-1, 2, (SIZE, 3)), np.array([2, 0, 4]) if name != "branch" else RNG.normal(size=3)
    n = n.astype(np.int32) if name != "branch" else n
    graph = build_for(program, x[0, 0], n[0])
    inner, _ = vmap_graph(graph, [True, True], 3)
    simplify(inner)
    outer, _ = vmap_graph(inner, [True, False], SIZE)
    verify(outer)
    wanted = [[evaluate(graph, [x[i, j], n[j]]) for j in range(3)] for i in range(SIZE)]
    np.testing.assert_allclose(evaluate(outer, [x, n])[0], wanted, rtol=1e-9)


def test_what_is_one_for_all_rows_is_computed_once() -> None:
    graph = build_for(lambda b, x, y: (b.mul(x, b.exp(y)), b.exp(y)), np.array(1.0), np.array(2.0))
    batched, has_rows = vmap_graph(graph, [True, False], SIZE)
    assert has_rows == [True, False]
    exps = [n for n in nodes(batched) if isinstance(n, Apply) and getattr(n.op, "name", "") == "Exp"]
    assert {str(n.type) for n in exps} == {"Float64[]"}


def test_a_loop_of_one_length_stays_a_loop_without_masks() -> None:
    graph, rows, _ = drawn("loop of one length")
    batched, _ = vmap_graph(graph, rows, SIZE)
    (loop,) = [n for g in subgraphs(batched) for n in nodes(g) if isinstance(n, Apply) and n.op is WHILE]
    assert str(loop.type) == "(Int32[], Int32[], Float64[4])"


def tripled(b: Any, x: Any, w: Any) -> Any:
    """``x w`` whose gradient is said to be ``3 d w`` and ``5 d x``."""
    forward = build(lambda b, x, w: (b.mul(x, w),), x.type, w.type)
    backward = build(
        lambda b, x, w, y, d: (b.mul(b.mul(d, 3.0), w), b.mul(b.mul(d, 5.0), x)), x.type, w.type, x.type, x.type
    )
    inputs = [function(forward), function(backward), x, w]
    return b.get(Apply(CUSTOM, inputs, MappingProxyType({"wrt": (0, 1)}), forward.result.type), 0)


def test_functions_with_a_gradient_of_their_own() -> None:
    graph = build_for(tripled, np.array(1.0), np.array(2.0))
    check_rows(value_and_grad_graph(graph, [0, 1]), [True, False], ROWS, np.array(2.0))
    whole, _ = vmap_graph(graph, [True, False], SIZE)
    _, of_x, of_w = evaluate(value_and_grad_graph(whole, [0, 1]), [ROWS, np.array(2.0)])
    np.testing.assert_allclose(of_x, [6.0] * SIZE)
    np.testing.assert_allclose(of_w, 5 * ROWS.sum())


def test_an_operation_without_a_rule_is_refused() -> None:
    graph = build_for(lambda b, x: Apply(Structured("Strange"), [x], type=x.type), np.array(1.0))
    with pytest.raises(GraphTypeError, match="vmap: Strange has no rule for rows"):
        vmap_graph(graph, [True], SIZE)
