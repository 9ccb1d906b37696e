"""Equal parts: bodies of shared graphs in the places of their calls, and groups of steps that become one nest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import CALL, SHARED, Apply, Graph, Node
from mindspore.ir.rewrite import separate
from mindspore.passes.adopt import adopt_extensions
from tests.lowering.programs import b, check, element, function, graph, lowered, normal, parameter, run


def shared(made: Graph, *arguments: Node) -> Node:
    return Apply(CALL, (function(made), *arguments), SHARED, made.result.type)


def layer(name: str = "layer") -> Graph:
    """``(x, w) -> (tanh(x @ w) + x, the sums of its rows)``."""
    x, w = parameter((4, 4), name="x"), parameter((4, 4), name="w")
    y = b.add(b.tanh(b.matmul(x, w)), x)
    return graph([x, w], y, b.reduce_sum(y, axis=(1,), keep_dims=False), name=name)


def extended(origin: Graph) -> Graph:
    """The layer with one result more, which needs a seed."""
    x, w = (parameter((4, 4), name=p.name) for p in origin.parameters)
    seed = parameter((4, 4), name="seed")
    y = b.add(b.tanh(b.matmul(x, w)), x)
    made = graph([x, w, seed], y, b.reduce_sum(y, axis=(1,), keep_dims=False), b.mul(y, seed), name="extended")
    made.origin = origin
    return made


def test_calls_of_a_shared_graph_run_one_after_the_other() -> None:
    body = layer()
    x, w, v = (parameter((4, 4), name=n) for n in "xwv")
    first = shared(body, x, w)
    second = shared(body, element(first, 0), v)
    third = shared(body, element(second, 0), w)
    outer = graph([x, w, v], element(third, 0), element(second, 1), element(first, 1))
    check(outer, *(normal(4, 4, seed=i) for i in range(3)))


def test_calls_inside_calls() -> None:
    inner = layer("inner")
    x, w = parameter((4, 4)), parameter((4, 4))
    once = shared(inner, x, w)
    twice = shared(inner, element(once, 0), x)
    both = graph([x, w], element(twice, 0), element(once, 1), name="outer")
    y, v = parameter((4, 4)), parameter((4, 4))
    first = shared(both, y, v)
    again = shared(both, element(first, 0), y)
    check(graph([y, v], element(again, 0), element(again, 1), element(first, 0)), normal(4, 4), normal(4, 4, seed=1))


def test_equal_calls_are_computed_once() -> None:
    body = layer()
    x, w = parameter((4, 4)), parameter((4, 4))
    calls = [shared(body, x, w) for _ in range(3)]
    many = graph([x, w], b.add(b.add(*(element(c, 0) for c in calls[:2])), element(calls[2], 1)))
    one = graph([x, w], b.add(b.add(element(calls[0], 0), element(calls[0], 0)), element(calls[0], 1)))
    assert lowered(many).calls == lowered(one).calls
    check(many, normal(4, 4), normal(4, 4, seed=1))


def test_what_nobody_reads_is_not_computed() -> None:
    body = layer()
    x, w = parameter((4, 4)), parameter((4, 4))
    first = shared(body, x, w)
    without = lowered(graph([x, w], element(first, 0)))
    assert without.calls < lowered(graph([x, w], element(first, 0), element(first, 1))).calls


def test_a_graph_and_its_extension_share_their_work() -> None:
    body = layer()
    more = extended(body)
    x, w = parameter((4, 4), name="x"), parameter((4, 4), name="w")
    plain, second = shared(body, x, w), shared(more, x, w, x)
    outer = graph([x, w], element(plain, 1), element(second, 2))
    before = run(outer, normal(4, 4), normal(4, 4, seed=1))
    apart = lowered(outer).calls
    assert adopt_extensions(outer)
    assert lowered(outer).calls < apart
    for got, want in zip(run(outer, normal(4, 4), normal(4, 4, seed=1)), before, strict=True):
        np.testing.assert_array_equal(got, want)
    assert not adopt_extensions(outer)


def test_separate_leaves_no_shared_call() -> None:
    body = layer()
    x, w = parameter((4, 4)), parameter((4, 4))
    outer = graph([x, w], element(shared(body, element(shared(body, x, w), 0), x), 0))
    before = run(outer, normal(4, 4), normal(4, 4, seed=1))
    assert separate(outer)
    assert not separate(outer)
    np.testing.assert_array_equal(run(outer, normal(4, 4), normal(4, 4, seed=1))[0], before[0])


NUMBERS = (2.0, 3.0, 0.5, -0.0, 0.0, 1.0)


def test_groups_that_differ_in_a_number_are_told_apart() -> None:
    x = parameter((8, 8))
    results = [b.exp(b.mul(b.add(b.relu(x), n), m)) for n in NUMBERS for m in NUMBERS]
    check(graph([x], *results), normal(8, 8))


@pytest.mark.parametrize("axis", [(0,), (1,), (0, 1)])
def test_groups_that_differ_in_what_they_write_are_told_apart(axis: tuple[int, ...]) -> None:
    xs = [parameter((6, 5), name=f"x{i}") for i in range(3)]
    results = []
    for i, x in enumerate(xs):
        whole = b.mul(x, x)
        total = b.reduce_sum(whole, axis=axis, keep_dims=True)
        results += [b.div(whole, total), *([total] if i == 1 else []), *([whole] if i == 2 else [])]
    check(graph(xs, *results), *(normal(6, 5, seed=i) for i in range(3)))


def test_groups_that_read_one_value_twice_are_told_apart() -> None:
    x, y = parameter((7, 3)), parameter((7, 3))
    results = [b.add(b.mul(x, y), b.exp(y)), b.add(b.mul(x, x), b.exp(x)), b.add(b.mul(y, x), b.exp(x))]
    check(graph([x, y], *results), normal(7, 3), normal(7, 3, seed=1))


def test_products_with_different_maps_behind_them() -> None:
    x, w, v = (parameter((32, 32), name=n) for n in "xwv")
    maps: list[Callable[[Any], Node]] = [
        lambda p: b.relu(b.add(p, x)),
        lambda p: b.relu(b.add(p, v)),
        lambda p: b.add(p, b.mul(x, 2.0)),
        lambda p: p,
    ]
    check(
        graph([x, w, v], *(m(b.matmul(x, a)) for a in (w, v) for m in maps)),
        *(normal(32, 32, seed=i) for i in range(3)),
        rtol=1e-4,
        atol=1e-4,
    )


def test_types_and_attributes_of_bodies_are_told_apart() -> None:
    x = parameter((9,))
    builder: GraphBuilder = b
    alphas = (0.1, 0.2, 1, 1.0, True)
    check(graph([x], *(builder.leaky_relu(x, alpha=a) for a in alphas)), normal(9))
