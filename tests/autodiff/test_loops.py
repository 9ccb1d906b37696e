"""Gradients through loops of run-time length: against differences, the unrolled program, and on both back ends."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.backends.reference.evaluate import evaluate
from mindspore.base import dtypes as dt
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import SCAN, WHILE, Apply, Graph, Node, nodes, subgraphs
from mindspore.ir.loops import Loop
from mindspore.ir.types import StashType, TensorType, TupleType
from mindspore.ir.verifier import verify
from mindspore.passes import PIPELINE, simplify
from tests.graphs import build, build_for, condition, numerical_gradient, tensor_type

RNG = np.random.default_rng(11)
NUMBER = TensorType(dt.float64, ())
COUNT = TensorType(dt.int32, ())


def while_loop(
    b: GraphBuilder, test: Callable[..., Any], body: Callable[..., Any], *state: Node, name: str = "turn"
) -> list[Node]:
    """The state after ``while test(*state): state = body(*state)``."""
    kinds: list[Any] = [s.type for s in state]
    loop = Loop(build(test, *kinds, name="test"), build(body, *kinds, name=name), state).node()
    return [b.get(loop, i) for i in range(len(state))]


def counted(b: GraphBuilder, turns: Node, body: Callable[..., Any], *state: Node, name: str = "turn") -> list[Node]:
    """``for i in range(turns): state = body(i, *state)``; the state before and behind it is handed on."""

    def turn(b: Any, i: Any, n: Any, *state: Any) -> Any:
        return (b.add(i, 1), n, *body(b, i, *state))

    start = b.const(0, dt.int32)
    return while_loop(b, lambda b, i, n, *state: b.less(i, n), turn, start, turns, *state, name=name)[2:]


def gradients(graph: Graph, wrt: Sequence[int], order: int = 1) -> Graph:
    """The gradient graph of `order`, verified, of the sum over what lower orders gave for the first of `wrt`."""
    made, outputs = graph, [0]
    for _ in range(order):
        before = len(made.outputs())
        simplify(made)
        made = value_and_grad_graph(made, wrt, differentiated=outputs)
        verify(made)
        outputs = [before]
    return made


def results(graph: Graph, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """What both back ends compute after all passes, which must be equal."""
    from tests.lowering.programs import run

    for each in PIPELINE:
        each(graph)
    verify(graph)
    expected = evaluate(graph, arrays)
    expected = list(expected) if isinstance(expected, tuple) else [expected]
    for got, want in zip(run(graph, *arrays), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    return expected


def value_of(result: Any) -> float:
    """The only result of a graph, or the gradient behind the others."""
    return float(result[-1] if isinstance(result, tuple) else result)


def check(function: Callable[..., Any], *arrays: Any, wrt: Sequence[int] = (0,)) -> Graph:
    """The gradients of a scalar function agree with differences; gives the gradient graph."""
    values = [np.asarray(a) for a in arrays]
    graph = build_for(function, *values)
    made = gradients(graph, wrt)
    value, *found = results(made, values)
    np.testing.assert_allclose(value, evaluate(graph, values))
    for position, gradient in zip(wrt, found, strict=True):

        def moved(x: np.ndarray, position: int = position) -> float:
            return float(evaluate(graph, [*values[:position], x, *values[position + 1 :]]))

        np.testing.assert_allclose(gradient, numerical_gradient(moved, values[position]), rtol=1e-5, atol=1e-7)
    return made


def loops(graph: Graph) -> list[Apply]:
    found = [n for g in subgraphs(graph) for n in nodes(g) if isinstance(n, Apply) and n.op in (WHILE, SCAN)]
    return list({id(n): n for n in found}.values())


def squashed(b: Any, x: Any, n: Any) -> Any:
    return counted(b, n, lambda b, i, x: (b.add(b.mul(x, 0.5), b.sin(x)),), x)[0]


@pytest.mark.parametrize("turns", [0, 1, 2, 7])
def test_scalar_state(turns: int) -> None:
    check(squashed, 0.7, np.int32(turns))


@pytest.mark.parametrize("turns", [0, 3])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_higher_orders_are_those_of_the_unrolled_program(turns: int, order: int) -> None:
    def unrolled(b: Any, x: Any) -> Any:
        for _ in range(turns):
            x = b.add(b.mul(x, 0.5), b.sin(x))
        return x

    x = np.array(0.7)
    looped = results(
        gradients(build_for(squashed, x, np.array(0, np.int32)), [0], order), [x, np.array(turns, np.int32)]
    )
    np.testing.assert_allclose(looped, results(gradients(build_for(unrolled, x), [0], order), [x]), rtol=1e-12)


def recurrent(b: Any, x: Any, w: Any, n: Any) -> Any:
    def turn(b: Any, i: Any, h: Any, x: Any, w: Any) -> Any:
        return b.tanh(b.add(b.matmul(h, w), b.mul(x, b.cast(i, dtype=dt.float64)))), x, w

    return b.reduce_sum(counted(b, n, turn, b.zeros_like(x), x, w)[0])


@pytest.mark.parametrize("turns", [0, 4])
def test_tensor_state_and_weights_that_every_turn_reads(turns: int) -> None:
    x, w = RNG.standard_normal((2, 3)), RNG.standard_normal((3, 3)) * 0.5
    made = check(recurrent, x, w, np.int32(turns), wrt=(0, 1))
    stashed = [k for n in loops(made) if isinstance(n.type, TupleType) for k in n.type.elements]
    kept = [k for k in stashed if isinstance(k, StashType) and k.element == tensor_type(w)]
    assert not kept, "what no turn changes is not kept for each turn"


def test_second_order_in_a_weight() -> None:
    x, w = RNG.standard_normal((1, 2)), RNG.standard_normal((2, 2)) * 0.5
    n = np.array(3, np.int32)
    first = gradients(build_for(recurrent, x, w, n), [1])
    summed = build_for(recurrent, x, w, n)
    summed = gradients(summed, [1])
    second = value_and_grad_graph(summed, [1], differentiated=[1])
    verify(second)
    *_, found = results(second, [x, w, n])

    def slope(w: np.ndarray) -> float:
        return float(evaluate(first, [x, w, n])[1].sum())

    np.testing.assert_allclose(found, numerical_gradient(slope, w), rtol=1e-5, atol=1e-7)


def nested(b: Any, x: Any, y: Any, n: Any) -> Any:
    def inner(b: Any, j: Any, x: Any, y: Any) -> Any:
        return b.add(b.mul(x, y), b.cos(x)), y

    def outer(b: Any, i: Any, x: Any, y: Any) -> Any:
        return counted(b, i, inner, b.sin(x), y, name="inner")[0], y

    return counted(b, n, outer, x, y, name="outer")[0]


@pytest.mark.parametrize("turns", [0, 1, 4])
def test_nested_loops_whose_lengths_differ_from_turn_to_turn(turns: int) -> None:
    check(nested, 0.4, 0.8, np.int32(turns), wrt=(0, 1))


@pytest.mark.parametrize("order", [2, 3])
def test_higher_orders_of_nested_loops(order: int) -> None:
    x, y, n = np.array(0.4), np.array(0.8), np.array(3, np.int32)
    lower = gradients(build_for(nested, x, y, n), [0], order - 1)
    *_, found = results(gradients(build_for(nested, x, y, n), [0], order), [x, y, n])
    slope = numerical_gradient(lambda x: value_of(evaluate(lower, [x, y, n])), x)
    np.testing.assert_allclose(found, slope, rtol=1e-5)


def branching(b: Any, x: Any, y: Any, n: Any) -> Any:
    def turn(b: Any, i: Any, x: Any, y: Any) -> Any:
        then = build(lambda b, x, y: b.mul(b.exp(b.mul(x, -0.3)), y), NUMBER, NUMBER, name="then")
        other = build(lambda b, x, y: b.add(b.sin(x), 0.5), NUMBER, NUMBER, name="other")
        return condition(b, b.less(x, 0.6), then, other, x, y), y

    return counted(b, n, turn, x, y)[0]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_conditions_inside_a_loop(order: int) -> None:
    x, y, n = np.array(0.3), np.array(0.9), np.array(5, np.int32)
    check(branching, x, y, n, wrt=(0, 1))
    lower = gradients(build_for(branching, x, y, n), [0], order - 1)
    *_, found = results(gradients(build_for(branching, x, y, n), [0], order), [x, y, n])
    slope = numerical_gradient(lambda x: value_of(evaluate(lower, [x, y, n])), x)
    np.testing.assert_allclose(found, slope, rtol=1e-5)


def loop_in_branch(b: Any, x: Any, n: Any) -> Any:
    then = build(lambda b, x, n: squashed(b, x, n), NUMBER, COUNT, name="then")
    other = build(lambda b, x, n: b.mul(x, x), NUMBER, COUNT, name="other")
    return b.mul(condition(b, b.greater(x, 0.0), then, other, x, n), 2.0)


@pytest.mark.parametrize("x", [0.7, -0.7])
@pytest.mark.parametrize("order", [1, 2, 3])
def test_a_loop_inside_a_condition(x: float, order: int) -> None:
    value, n = np.array(x), np.array(4, np.int32)
    check(loop_in_branch, value, n)
    *_, found = results(gradients(build_for(loop_in_branch, value, n), [0], order), [value, n])
    direct = build_for(lambda b, x, n: b.mul(squashed(b, x, n) if value > 0 else b.mul(x, x), 2.0), value, n)
    *_, expected = results(gradients(direct, [0], order), [value, n])
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


def test_a_loop_in_a_condition_in_a_loop() -> None:
    def outer(b: Any, i: Any, x: Any) -> Any:
        return (b.mul(loop_in_branch(b, b.sub(x, 0.9), i), 0.5),)

    def function(b: Any, x: Any, n: Any) -> Any:
        return counted(b, n, outer, x)[0]

    x, n = np.array(1.4), np.array(5, np.int32)
    check(function, x, n)
    lower = gradients(build_for(function, x, n), [0])
    *_, found = results(gradients(build_for(function, x, n), [0], 2), [x, n])
    slope = numerical_gradient(lambda x: value_of(evaluate(lower, [x, n])), x)
    np.testing.assert_allclose(found, slope, rtol=1e-4)


def test_a_loop_that_leaves_when_a_flag_says_so() -> None:
    def looping(b: Any, x: Any) -> Any:
        def turn(b: Any, go: Any, i: Any, x: Any) -> Any:
            moved = b.mul(b.exp(x), 0.9)
            done = b.greater(moved, 4.0)
            return b.logical_and(go, b.logical_not(done)), b.add(i, 1), b.select(done, x, moved)

        start = (b.const(True, dt.bool_), b.const(0, dt.int32), x)
        return while_loop(b, lambda b, go, i, x: b.logical_and(go, b.less(i, 10)), turn, *start)[2]

    check(looping, 0.5)


def test_state_that_trades_places_and_integers_on_the_way() -> None:
    def turn(b: Any, i: Any, x: Any, y: Any, k: Any) -> Any:
        scale = b.cast(k, dtype=dt.float64)
        return b.mul(y, scale), b.add(b.sin(x), y), b.add(b.mul(k, 2), 1)

    def function(b: Any, x: Any, y: Any, n: Any) -> Any:
        first, second, _ = counted(b, n, turn, x, y, b.const(1, dt.int32))
        return b.add(first, b.mul(second, 0.5))

    for turns in (0, 1, 4):
        check(function, 0.3, 0.8, np.int32(turns), wrt=(0, 1))


def test_a_loop_whose_turns_leave_nothing_still_counts_them() -> None:
    def function(b: Any, x: Any, w: Any, n: Any) -> Any:
        return counted(b, n, lambda b, i, x, w: (b.add(b.mul(x, 0.5), w), w), x, w)[0]

    made = check(function, 0.3, 0.8, np.int32(4), wrt=(0, 1))
    stashes = [k for n in loops(made) for k in n.type.elements if isinstance(k, StashType)]  # type: ignore[union-attr]
    assert {k.element for k in stashes} == {TensorType(dt.bool_, (0,))}
    higher = gradients(build_for(function, np.array(0.3), np.array(0.8), np.array(4, np.int32)), [1], 2)
    assert results(higher, [np.array(0.3), np.array(0.8), np.array(4, np.int32)])[-1] == 0


def test_parameters_without_a_path_through_the_loop_get_zeros() -> None:
    def function(b: Any, x: Any, y: Any, n: Any) -> Any:
        return counted(b, n, lambda b, i, x, y: (b.sin(x), b.mul(y, 2.0)), x, y)[0]

    x, y, n = np.array(0.3), np.array(0.8), np.array(4, np.int32)
    made = gradients(build_for(function, x, y, n), [0, 1])
    assert results(made, [x, y, n])[-1] == 0
    carried = [n for n in loops(made) if n.op is SCAN]
    assert all(len(n.type.elements) == 1 for n in carried), "only cotangents that are not zero are carried"  # type: ignore[union-attr]


def test_two_loops_that_read_each_other() -> None:
    def function(b: Any, x: Any, n: Any) -> Any:
        first = squashed(b, x, n)
        return b.mul(squashed(b, b.mul(first, x), n), first)

    x, n = np.array(0.4), np.array(3, np.int32)
    check(function, x, n)
    lower = gradients(build_for(function, x, n), [0])
    *_, found = results(gradients(build_for(function, x, n), [0], 2), [x, n])
    np.testing.assert_allclose(found, numerical_gradient(lambda x: value_of(evaluate(lower, [x, n])), x), rtol=1e-5)


def test_a_scan_by_itself_is_differentiated_in_all_it_reads() -> None:
    """Stashes are made in one direction, read in the other, and both of their cotangents are added."""

    def function(b: Any, x: Any, n: Any) -> Any:
        turn = build(lambda b, i, n, x: (b.add(i, 1), n, b.sin(x), x), COUNT, COUNT, NUMBER, name="made")
        test = build(lambda b, i, n, x: b.less(i, n), COUNT, COUNT, NUMBER, name="test")
        made = Loop(test, turn, (b.const(0, dt.int32), n, x)).node()
        stash = b.get(made, 3)
        twice = build(lambda b, s, e, f: (b.add(b.mul(s, e), f), b.mul(e, f)), NUMBER, NUMBER, NUMBER, name="read")
        read = Loop(None, twice, (x,), (stash, stash), (1, -1), (-1,)).node()
        last = build(lambda b, s, e: (b.add(b.mul(s, 0.5), e),), NUMBER, NUMBER, name="summed")
        total = Loop(None, last, (b.const(0.0, dt.float64),), (b.get(read, 1),), (1,)).node()
        return b.add(b.get(read, 0), b.get(total, 0))

    for turns in (0, 1, 5):
        check(function, 0.7, np.int32(turns))
    x, n = np.array(0.7), np.array(4, np.int32)
    lower = gradients(build_for(function, x, n), [0])
    *_, found = results(gradients(build_for(function, x, n), [0], 2), [x, n])
    np.testing.assert_allclose(found, numerical_gradient(lambda x: value_of(evaluate(lower, [x, n])), x), rtol=1e-5)
