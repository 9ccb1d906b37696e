"""Branches, loops and calls run natively and mean what the reference says."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph, Node, Parameter
from tests.lowering.programs import (
    b,
    branch,
    call,
    check,
    compiled,
    graph,
    loop,
    lowered,
    normal,
    parameter,
    single,
    tensor,
)


def integer() -> Parameter:
    return parameter((), dt.int32)


def below(limit: int, *others: Parameter) -> Graph:
    """The condition ``first state < limit`` over a counter and `others`."""
    i = integer()
    return single([i, *others], b.less(i, limit))


def counting(limit: int) -> Graph:
    """Doubles a vector and counts to `limit`."""
    i, x = integer(), parameter((4,))
    body = graph([i, x], b.add(i, 1), b.mul(x, 2.0))
    start, given = integer(), parameter((4,))
    result = loop(below(limit, parameter((4,))), body, start, given)
    return graph([start, given], b.get(result, 0), b.get(result, 1))


@pytest.mark.parametrize("start", [0, 3, 10, 12])
def test_a_loop_runs_as_often_as_its_condition_holds(start: int) -> None:
    check(counting(10), np.int32(start), normal(4))


@pytest.mark.parametrize("condition", [True, False])
def test_a_branch_takes_one_side(condition: bool) -> None:
    p, x, y = parameter((), dt.bool_), parameter((3, 4)), parameter((3, 4))
    inner = [[parameter((3, 4)), parameter((3, 4))] for _ in range(2)]
    then = graph(inner[0], b.add(*inner[0]), inner[0][0])
    other = graph(inner[1], inner[1][1], b.mul(*inner[1]))
    result = branch(p, then, other, x, y)
    check(graph([p, x, y], b.get(result, 0), b.get(result, 1)), np.bool_(condition), normal(3, 4), normal(3, 4, seed=1))


def test_state_that_trades_places() -> None:
    i, one, two = integer(), parameter((4,)), parameter((4,))
    body = graph([i, one, two], b.add(i, 1), two, b.add(one, two))
    start, x, y = integer(), parameter((4,)), parameter((4,))
    result = loop(below(9, parameter((4,)), parameter((4,))), body, start, x, y)
    check(graph([start, x, y], *[b.get(result, k) for k in range(3)], x), np.int32(0), normal(4), normal(4, seed=1))


def test_state_that_stays_is_not_copied() -> None:
    i, x, w = integer(), parameter((8, 8)), parameter((8, 8))
    body = graph([i, x, w], b.add(i, 1), b.tanh(b.matmul(x, w)), w)
    start, given, weight = integer(), parameter((8, 8)), parameter((8, 8))
    result = loop(below(5, parameter((8, 8)), parameter((8, 8))), body, start, given, weight)
    made = graph([start, given, weight], b.get(result, 1), b.get(result, 2))
    check(made, np.int32(0), normal(8, 8), normal(8, 8, seed=1), rtol=1e-4, atol=1e-5)


def test_the_same_value_starts_several_states() -> None:
    i, one, two = integer(), parameter((4,)), parameter((4,))
    body = graph([i, one, two], b.add(i, 1), b.add(one, 1.0), b.sub(two, 1.0))
    start, x = integer(), parameter((4,))
    y = b.tanh(x)
    result = loop(below(3, parameter((4,)), parameter((4,))), body, start, y, y)
    check(graph([start, x], b.get(result, 1), b.get(result, 2), y), np.int32(0), normal(4))


def test_loops_and_branches_nest() -> None:
    def even(i: Node) -> Any:
        return b.equal(b.floor_mod(i, 2), 0)

    j, y = integer(), parameter((4,))
    inner_body = graph([j, y], b.add(j, 1), b.mul(y, 1.5))
    k, z = integer(), parameter((4,))
    inner = loop(below(3, parameter((4,))), inner_body, k, z)
    then = single([k, z], b.get(inner, 1))
    n, m = integer(), parameter((4,))
    other = single([n, m], b.neg(m))
    i, x = integer(), parameter((4,))
    zero = b.sub(i, i)
    body = graph([i, x], b.add(i, 1), branch(even(i), then, other, zero, x))
    start, given = integer(), parameter((4,))
    result = loop(below(7, parameter((4,))), body, start, given)
    check(graph([start, given], b.get(result, 1)), np.int32(0), normal(4))


def test_a_called_graph_is_emitted_once() -> None:
    p = parameter((3, 4))
    function = single([p], b.tanh(b.add(p, 1.0)))
    x = parameter((3, 4))
    made = graph([x], call(function, call(function, call(function, x))))
    assert lowered(made).llvm_ir.count("define internal i32") == 1
    check(made, normal(3, 4))


def test_empty_state() -> None:
    i, x = integer(), parameter((0, 3))
    body = graph([i, x], b.add(i, 1), b.neg(x))
    start, given = integer(), parameter((0, 3))
    result = loop(below(3, parameter((0, 3))), body, start, given)
    check(graph([start, given], b.get(result, 0), b.get(result, 1)), np.int32(0), np.zeros((0, 3), np.float32))


def test_ten_thousand_scalar_turns_take_about_a_millisecond() -> None:
    i, x = integer(), parameter()
    body = graph([i, x], b.add(i, 1), b.add(b.mul(x, 0.999), b.cast(i, dtype=dt.float32)))
    start, given = integer(), parameter()
    result = loop(below(10_000, parameter()), body, start, given)
    run = compiled(graph([start, given], b.get(result, 0), b.get(result, 1)))
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        count, _ = run(tensor(np.int32(0)), tensor(np.float32(1)))
        times.append(time.perf_counter() - begin)
    assert int(count.asnumpy()) == 10_000
    assert min(times) < 10e-3


def test_an_endless_loop_stops_when_it_is_cancelled() -> None:
    i = integer()
    start = integer()
    p = integer()
    result = loop(single([p], b.less(p, 1)), graph([i], b.mul(i, 1)), start)
    run = compiled(graph([start], b.get(result, 0)))
    timer = threading.Timer(0.05, _native.set_cancel, [True])
    timer.start()
    try:
        with pytest.raises(RuntimeError, match="cancel"):
            run(tensor(np.int32(0)))
    finally:
        timer.join()
        _native.set_cancel(False)


def test_a_graph_that_always_calls_itself_fails_when_it_runs() -> None:
    p = parameter((3,))
    function = Graph("again", [p])
    function.output = b.neg(p)
    inner = call(function, p)
    function.output = inner
    x = parameter((3,))
    with pytest.raises(RecursionError, match="again calls itself more than 1000 calls deep"):
        compiled(graph([x], call(function, x)))(tensor(normal(3)))


def counted_down(step: int = 1) -> Graph:
    """``f(n, x) = x if n < 1 else f(n - step, 2 x) + x``, called once."""
    n, x = integer(), parameter((3,))
    function = Graph("doubled", [n, x])
    then, again = [integer(), parameter((3,))], [integer(), parameter((3,))]
    function.output = b.add(x, 0.0)
    deeper = call(function, b.sub(again[0], step), b.mul(again[1], 2.0))
    function.output = branch(b.less(n, 1), single(then, then[1]), single(again, b.add(deeper, again[1])), n, x)
    start, given = integer(), parameter((3,))
    return graph([start, given], call(function, start, given))


@pytest.mark.parametrize("n", [0, 1, 7])
def test_a_graph_calls_itself(n: int) -> None:
    check(counted_down(), np.int32(n), normal(3))


def test_recursion_runs_on_many_threads() -> None:
    run, results = compiled(counted_down()), {}

    def work(n: int) -> None:
        ones = tensor(np.ones(3, np.float32))
        results[n] = [run(tensor(np.int32(n)), ones)[0].asnumpy()[0] for _ in range(20)]

    threads = [threading.Thread(target=work, args=(n,)) for n in range(12)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert results == {n: [2.0 ** (n + 1) - 1] * 20 for n in range(12)}


def test_a_loop_that_changes_nothing_and_updates_nothing() -> None:
    i, n = integer(), integer()
    start, limit = integer(), integer()
    made = loop(single([i, n], b.less(n, i)), graph([i, n], i, n), start, limit)
    check(graph([start, limit], b.get(made, 0), b.add(limit, 1)), np.int32(1), np.int32(2))
