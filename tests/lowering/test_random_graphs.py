"""Random graphs compute what the operators' references compute, and their plans keep the rules."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindspore.base.shapes import Shape, broadcast
from mindspore.ir.graph import Graph, Node
from mindspore.kernels.emit import Module
from mindspore.kernels.entry import Functions
from mindspore.kernels.flatten import flatten
from mindspore.kernels.homes import Plan
from mindspore.kernels.modules import Shared
from mindspore.kernels.program import Function, Value
from mindspore.kernels.target import isa
from tests.lowering.programs import b, check, graph, normal, parameter

LARGEST = 2000
SIZES = (1, 2, 3, 4, 7)
Draw = Callable[[st.SearchStrategy[Any]], Any]


def shape_of(node: Node) -> Shape:
    return b.shape(node)


def unary(draw: Draw, x: Node, _: Node) -> Any:
    return draw(st.sampled_from((b.neg, b.tanh, b.sigmoid, b.sin, b.abs, b.square)))(b.tanh(x))


def binary(draw: Draw, x: Node, y: Node) -> Any:
    try:
        broadcast(shape_of(x), shape_of(y))
    except ValueError:
        return None
    return draw(st.sampled_from((b.add, b.sub, b.mul, b.maximum, b.minimum)))(x, y)


def fold(draw: Draw, x: Node, _: Node) -> Any:
    rank = len(shape_of(x))
    if not rank:
        return None
    axes = draw(st.sets(st.integers(0, rank - 1), min_size=1))
    kind = draw(st.sampled_from((b.reduce_sum, b.reduce_max, b.reduce_min, b.reduce_mean)))
    return kind(x, axis=tuple(sorted(axes)), keep_dims=draw(st.booleans()))


def transpose(draw: Draw, x: Node, _: Node) -> Any:
    return b.transpose(x, perm=tuple(draw(st.permutations(range(len(shape_of(x)))))))


def reshape(draw: Draw, x: Node, _: Node) -> Any:
    return b.reshape(x, shape=draw(st.sampled_from(((-1,), shape_of(x)[::-1]))))


def product(draw: Draw, x: Node, _: Node) -> Any:
    if len(shape_of(x)) < 2:
        return None
    multiply = b.matmul if len(shape_of(x)) == 2 else b.batch_matmul
    return draw(st.sampled_from((b.tanh, b.neg)))(multiply(x, x, transpose_b=True))


def joined(draw: Draw, x: Node, _: Node) -> Any:
    rank = len(shape_of(x))
    return b.concat(x, b.tanh(x), axis=draw(st.integers(0, rank - 1))) if rank else None


def rows(draw: Draw, x: Node, _: Node) -> Any:
    return draw(st.sampled_from((b.softmax, b.log_softmax)))(x, axis=-1) if shape_of(x) else None


def chosen(draw: Draw, x: Node, _: Node) -> Any:
    return b.select(b.greater(x, 0.1), x, b.mul(x, 2.0))


def repeated(draw: Draw, x: Node, _: Node) -> Any:
    return b.broadcast_to(x, shape=(2, *shape_of(x)))


def reversed_(draw: Draw, x: Node, _: Node) -> Any:
    rank = len(shape_of(x))
    return b.reverse_v2(x, axis=(draw(st.integers(0, rank - 1)),)) if rank else None


OPERATIONS = (unary, binary, binary, fold, transpose, reshape, product, joined, rows, chosen, repeated, reversed_)


@st.composite
def graphs(draw: Draw, sizes: tuple[int, ...] = SIZES, largest: int = LARGEST) -> Graph:
    dimensions = st.lists(st.sampled_from(sizes), max_size=3).map(tuple)
    parameters = [parameter(shape) for shape in draw(st.lists(dimensions, min_size=1, max_size=3))]
    values: list[Node] = list(parameters)
    for operation in draw(st.lists(st.sampled_from(OPERATIONS), min_size=1, max_size=12)):
        x, y = (values[draw(st.integers(0, len(values) - 1))] for _ in range(2))
        made = operation(draw, x, y)
        if made is not None and prod(shape_of(made)) <= largest:
            values.append(made)
    others = draw(st.lists(st.sampled_from(values), max_size=2))
    return graph(parameters, *others, values[-1])


QUIET = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@QUIET
@given(graphs())
def test_random_graphs_compute_what_their_operators_mean(made: Graph) -> None:
    arrays = [normal(*shape_of(p), seed=i) for i, p in enumerate(made.parameters)]
    check(made, *arrays, rtol=2e-4, atol=2e-5)


def planned(made: Graph, updates: dict[int, int] | None = None) -> tuple[Function, Plan]:
    program = flatten(made, updates or {})
    return program, Functions(Shared(Module(isa("v3")))).plan(program)


@QUIET
@given(graphs())
def test_live_values_never_share_memory(made: Graph) -> None:
    program, plan = planned(made)
    assert_disjoint(program, plan)


def assert_disjoint(program: Function, plan: Plan) -> None:
    """Follow the tasks: a value stays what it is until its last reader has run."""
    last: dict[Value, int] = {}
    for position, task in enumerate(plan.tasks):
        last.update((v, position) for v in (*task.reads, *task.writes))
    last.update((v, len(plan.tasks)) for v in program.results)
    live: set[Value] = set()
    for position, task in enumerate(plan.tasks):
        for value in task.writes:
            for other in (v for v in live if v is not value and overlap(plan, v, value)):
                assert last[other] == position, "overwrites a value that is still read"
                assert other in task.shares.get(value, ()), "overwrites an operand that it may not"
        live.update(task.writes)
        if task in plan.scratch:
            start, stop = plan.scratch[task], plan.scratch[task] + task.scratch
            for value in live:
                home = plan.homes[value]
                inside = home.kind == "arena" and home.index < stop and start < home.index + value.nbytes
                assert not inside or last[value] < position
        live = {v for v in live if last[v] > position}


def overlap(plan: Plan, one: Value, other: Value) -> bool:
    a, c = plan.homes[one], plan.homes[other]
    if a.kind != "arena" or c.kind != "arena":
        return a == c
    return a.index < c.index + other.nbytes and c.index < a.index + one.nbytes
