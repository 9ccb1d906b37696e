"""Each pass as a before/after pair: the graph that is built and the one that must remain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.ir.graph import CALL, EMPTY_STASH, SCAN, WHILE, Apply, Constant, Graph, nodes
from mindspore.ir.loops import Loop
from mindspore.ir.types import StashType, TensorType
from mindspore.ir.verifier import signature, verify
from mindspore.passes import PIPELINE, simplify
from mindspore.passes.algebra import simplify_algebra
from mindspore.passes.branches import prune_branches
from mindspore.passes.expand import expand_composites
from mindspore.passes.fold import fold_constants
from mindspore.passes.hoist import hoist_invariants
from mindspore.passes.inline import inline_calls
from mindspore.passes.loops import prune_loops
from mindspore.passes.share import share_common
from mindspore.passes.stopgradient import drop_gradient_stops
from mindspore.primitives.compute import Pick, Walk
from tests.graphs import build, condition, evaluate

F32 = TensorType(dt.float32, (2, 3))
F64 = TensorType(dt.float64, (2, 3))
SCALAR = TensorType(dt.float64, ())


def operations(graph: Graph) -> list[str]:
    return [n.op.name for n in nodes(graph) if isinstance(n, Apply)]


IDENTITIES: dict[str, Callable[[Any, Any], Any]] = {
    "x + 0": lambda b, x: b.add(x, 0.0),
    "0 + x": lambda b, x: b.add(b.zeros_like(x), x),
    "x - 0": lambda b, x: b.sub(x, 0.0),
    "x * 1": lambda b, x: b.mul(x, 1.0),
    "ones * x": lambda b, x: b.mul(b.ones_like(x), x),
    "x / 1": lambda b, x: b.div(x, 1.0),
    "-(-x)": lambda b, x: b.neg(b.neg(x)),
    "cast to its own type": lambda b, x: b.cast(x, dtype=dt.float32),
    "reshape to its own shape": lambda b, x: b.reshape(x, shape=(2, 3)),
    "reshape there and back": lambda b, x: b.reshape(b.reshape(x, shape=(6,)), shape=(2, 3)),
    "transpose there and back": lambda b, x: b.transpose(b.transpose(x, perm=(1, 0)), perm=(1, 0)),
    "broadcast to its own shape": lambda b, x: b.broadcast_to(x, shape=(2, 3)),
    "select between equals": lambda b, x: b.select(b.greater(x, 0.0), x, x),
}


def test_elements_are_added_into_a_sum_without_zeros_between() -> None:
    walk = Walk((3,), 0, (1,), (Pick((0,), 2, 3),))

    def summed(b: Any, x: Any, u: Any, i: Any) -> Any:
        return b.add(b.scatter_strided(b.zeros_like(x), u, i, walk=walk, kind="add"), x)

    graph = build(summed, F64, TensorType(dt.float64, (3,)), TensorType(dt.int64, ()))
    x, u = np.arange(6.0).reshape(2, 3), np.array([5.0, 6.0, 7.0])
    wanted = evaluate(graph, [x, u, np.asarray(-1)])
    assert simplify_algebra(graph)
    assert operations(graph) == ["ScatterStrided"]
    np.testing.assert_array_equal(evaluate(graph, [x, u, np.asarray(-1)]), wanted)


@pytest.mark.parametrize("name", IDENTITIES)
def test_algebraic_identities_leave_nothing(name: str) -> None:
    graph = build(IDENTITIES[name], F32)
    assert simplify_algebra(graph)
    assert graph.result is graph.parameters[0]


NOT_IDENTITIES: dict[str, Callable[[Any, Any], Any]] = {
    "x + 0 that broadcasts": lambda b, x: b.add(x, b.full(shape=(4, 2, 3), value=0.0, dtype=dt.float32)),
    "x - (-0)": lambda b, x: b.sub(x, -0.0),
    "x * 0 (NaN stays NaN)": lambda b, x: b.mul(x, 0.0),
    "x - x (infinity gives NaN)": lambda b, x: b.sub(x, x),
    "cast away and back loses digits": lambda b, x: b.cast(b.cast(x, dtype=dt.float16), dtype=dt.float32),
}


@pytest.mark.parametrize("name", NOT_IDENTITIES)
def test_what_only_looks_like_an_identity_stays(name: str) -> None:
    graph = build(NOT_IDENTITIES[name], F32)
    before = operations(graph)
    simplify_algebra(graph)
    assert operations(graph) == before


def test_a_transposed_operand_becomes_a_flag_of_the_product() -> None:
    graph = build(lambda b, x, y: b.matmul(b.transpose(x, perm=(1, 0)), y), F64, F64)
    assert simplify_algebra(graph)
    verify(graph)
    assert operations(graph) == ["MatMul"]
    x, y = np.arange(6.0).reshape(2, 3), np.ones((2, 3))
    np.testing.assert_array_equal(evaluate(graph, [x, y]), x.T @ y)


def test_constants_fold_by_the_reference_and_keep_their_type() -> None:
    graph = build(lambda b, x: b.add(x, b.exp(b.const(0.0, dt.float32))), F32)
    assert fold_constants(graph)
    verify(graph)
    (constant,) = [n for n in nodes(graph) if isinstance(n, Constant)]
    assert constant.value.dtype == np.float32
    assert constant.value == 1.0


def test_large_results_are_not_folded() -> None:
    graph = build(lambda b: b.broadcast_to(b.const(1.0, dt.float32), shape=(1000,)))
    assert not fold_constants(graph)


def test_equal_subexpressions_are_shared_and_different_constants_are_not() -> None:
    graph = build(lambda b, x: b.add(b.mul(b.exp(x), 2.0), b.mul(b.exp(x), 2.0)), F32)
    assert share_common(graph)
    assert operations(graph) == ["Exp", "Mul", "Add"]
    signs = build(lambda b, x: b.add(b.div(x, 0.0), b.div(x, -0.0)), F32)
    share_common(signs)
    assert operations(signs).count("Div") == 2


def test_attributes_that_compare_equal_but_differ_keep_nodes_apart() -> None:
    def full(b: Any) -> Any:
        ones = [b.full(shape=(2,), value=v, dtype=dt.float32) for v in (1, True, 1.0)]
        return b.add_n(*ones)

    graph = build(full)
    share_common(graph)
    assert operations(graph).count("full") + operations(graph).count("Full") >= 1
    np.testing.assert_array_equal(evaluate(graph, []), [3.0, 3.0])


def call(graph: Graph, *arguments: Any) -> Apply:
    return Apply(CALL, [Constant(graph, signature(graph)), *arguments], type=graph.result.type)


def test_calls_are_inlined_at_every_level() -> None:
    double = build(lambda b, x: b.mul(x, 2.0), F32, name="double")
    twice = build(lambda b, x: call(double, call(double, x)), F32, name="twice")
    graph = build(lambda b, x: b.neg(call(twice, x)), F32)
    assert inline_calls(graph)
    verify(graph)
    assert operations(graph) == ["Mul", "Mul", "Neg"]


def test_a_recursive_graph_stays_a_call() -> None:
    loop = Graph("loop")
    body = build(lambda b, x: b.mul(x, 2.0), F32)
    loop.parameters = body.parameters
    loop.output = body.result
    again = Apply(CALL, [Constant(loop, signature(loop)), body.result], type=F32)
    loop.output = again
    graph = build(lambda b, x: call(loop, x), F32)
    inline_calls(graph)
    assert "Call" in operations(graph)


@pytest.mark.parametrize(("value", "expected"), [(True, ["Exp"]), (False, ["Neg"])])
def test_a_known_condition_leaves_one_branch(value: bool, expected: list[str]) -> None:
    then = build(lambda b, x: b.exp(x), F32)
    other = build(lambda b, x: b.neg(x), F32)
    graph = build(lambda b, x: condition(b, b.const(value, dt.bool_), then, other, x), F32)
    assert prune_branches(graph)
    assert operations(graph) == expected


def test_composites_are_expanded_into_operators_that_compute() -> None:
    graph = build(lambda b, x: b.log_softmax(x), F64)
    x = np.random.default_rng(0).standard_normal((2, 3))
    before = evaluate(graph, [x])
    assert expand_composites(graph)
    verify(graph)
    assert all(n.op.compute is not None for n in nodes(graph) if isinstance(n, Apply))
    np.testing.assert_allclose(evaluate(graph, [x]), before)


def test_gradient_stops_are_dropped() -> None:
    graph = build(lambda b, x: b.stop_gradient(b.neg(x)), F32)
    assert drop_gradient_stops(graph)
    assert operations(graph) == ["Neg"]


def test_simplify_reaches_a_fixed_point_inside_branches_too() -> None:
    then = build(lambda b, x: b.add(b.mul(x, 1.0), 0.0), SCALAR)
    other = build(lambda b, x: b.neg(b.neg(b.neg(x))), SCALAR)
    graph = build(lambda b, x: condition(b, b.less(x, 1.0), then, other, x), SCALAR)
    simplify(graph)
    verify(graph)
    assert then.result is then.parameters[0]
    assert operations(other) == ["Neg"]


def test_every_pass_of_the_pipeline_keeps_values_and_rules() -> None:
    def model(b: Any, x: Any) -> Any:
        hidden = b.relu(b.add(b.matmul(x, b.transpose(x, perm=(1, 0))), 0.0))
        return b.reduce_sum(b.mul(b.softmax(b.stop_gradient(hidden)), b.exp(hidden)))

    graph = build(model, F64)
    x = np.random.default_rng(1).standard_normal((2, 3))
    expected = evaluate(graph, [x])
    for each in PIPELINE:
        each(graph)
        verify(graph)
        np.testing.assert_allclose(evaluate(graph, [x]), expected, rtol=1e-12)


COUNT = TensorType(dt.int32, ())
FOUR_RESULTS = (COUNT, SCALAR, SCALAR, SCALAR)


def busy(b: Any, x: Any) -> Apply:
    """A counter; x, that y reads; z, that nothing else reads; stashes of x, x and y."""
    test = build(lambda b, i, x, y, z: b.less(i, 3), *FOUR_RESULTS, name="test")
    body = build(
        lambda b, i, x, y, z: (b.add(i, 1), b.sin(x), b.add(x, y), b.mul(z, x), x, x, y), *FOUR_RESULTS, name="body"
    )
    return Loop(test, body, (b.const(0, dt.int32), x, x, x)).node()


def loops_in(graph: Graph) -> list[Apply]:
    return [n for n in nodes(graph) if isinstance(n, Apply) and n.op in (WHILE, SCAN)]


@pytest.mark.parametrize(
    ("read", "left"),
    [((0,), 1), ((1,), 2), ((2,), 3), ((3,), 3), ((4,), 3), ((4, 5), 3), ((5, 6), 5), ((0, 1, 2, 3, 4, 5, 6), 6)],
)
def test_a_loop_keeps_the_results_that_are_read_and_what_they_need(read: tuple[int, ...], left: int) -> None:
    graph = build(lambda b, x: total(b, busy(b, x), read), SCALAR)
    before = evaluate(graph, [np.array(0.4)])
    assert prune_loops(graph)
    verify(graph)
    assert len(loops_in(graph)[0].type.elements) == left  # type: ignore[union-attr]
    assert not prune_loops(graph)
    np.testing.assert_array_equal(evaluate(graph, [np.array(0.4)]), before)


def total(b: Any, loop: Apply, read: tuple[int, ...]) -> Any:
    """The sum of the state and of the elements of the stashes at positions `read`."""
    result = b.const(0.0, dt.float64)
    for position in read:
        value = b.get(loop, position)
        if isinstance(value.type, StashType):
            add = build(lambda b, s, e: (b.add(b.mul(s, 0.5), e),), SCALAR, SCALAR, name="add")
            value = b.get(Loop(None, add, (b.const(0.0, dt.float64),), (value,), (1,)).node(), 0)
        result = b.add(result, b.cast(value, dtype=dt.float64))
    return result


def test_a_scan_keeps_one_stash_for_its_length() -> None:
    def function(b: Any, x: Any) -> Any:
        loop = busy(b, x)
        body = build(lambda b, s, e, f: (b.mul(s, 2.0), b.mul(e, f)), SCALAR, SCALAR, SCALAR, name="doubled")
        return b.get(Loop(None, body, (x,), (b.get(loop, 4), b.get(loop, 6)), (1, 1), (1,)).node(), 0)

    graph = build(function, SCALAR)
    assert prune_loops(graph)
    prune_loops(graph)
    verify(graph)
    (_, scan) = loops_in(graph)
    assert (scan.attrs["reads"], scan.attrs["writes"]) == ((1,), ())
    assert evaluate(graph, [np.array(0.5)]) == 4.0


def test_a_loop_that_is_a_result_as_a_whole_stays() -> None:
    graph = build(busy, SCALAR)
    assert not prune_loops(graph)


def test_empty_stashes_of_different_types_stay_apart() -> None:
    def empty(kind: TensorType) -> Apply:
        return Apply(EMPTY_STASH, (), type=StashType(kind))

    graph = build(lambda b: (empty(SCALAR), empty(F32), empty(SCALAR)))
    assert share_common(graph)
    one, two, three = graph.outputs()
    assert one is three
    assert one is not two


def recurrent(b: Any, x: Any, w: Any) -> Any:
    """Each turn adds sin(w) + w, reads a view of cos(w), and divides an integer."""
    kinds = (COUNT, TensorType(dt.float64, (3,)), SCALAR, COUNT)

    def turn(b: Any, i: Any, x: Any, w: Any, k: Any) -> Any:
        view = b.broadcast_to(b.cos(w), shape=(3,))
        moved = b.add(b.mul(x, view), b.add(b.sin(w), w))
        return (
            b.add(i, b.floor_div(k, 1)),
            b.add(moved, b.full(shape=(3,), value=0.5, dtype=dt.float64)),
            w,
            k,
            b.exp(w),
        )

    test = build(lambda b, i, x, w, k: b.less(i, 3), *kinds, name="test")
    loop = Loop(test, build(turn, *kinds, name="turn"), (b.const(0, dt.int32), x, w, b.const(1, dt.int32))).node()
    return b.add(b.get(loop, 1), total(b, loop, (4,)))


def test_what_no_turn_changes_is_computed_before_the_loop() -> None:
    graph = build(recurrent, TensorType(dt.float64, (3,)), SCALAR)
    arrays = [np.array([0.1, 0.2, 0.3]), np.array(0.4)]
    before = evaluate(graph, arrays)
    assert hoist_invariants(graph)
    verify(graph)
    assert not hoist_invariants(graph)
    outside = operations(graph)
    assert {"Sin", "Cos", "Exp"} <= set(outside)
    body = next(n for n in loops_in(graph) if n.op is WHILE).inputs[1]
    assert isinstance(body, Constant)
    inside = operations(body.value)
    assert not {"Sin", "Cos", "Exp"} & set(inside)
    assert {"FloorDiv", "BroadcastTo", "Full"} <= set(inside), "integers, views and constants stay"
    np.testing.assert_array_equal(evaluate(graph, arrays), before)


def test_a_loop_inside_a_loop_is_not_moved() -> None:
    def function(b: Any, x: Any) -> Any:
        def turn(b: Any, i: Any, y: Any, x: Any) -> Any:
            return b.add(i, 1), b.add(y, total(b, busy(b, x), (1,))), x

        kinds = (COUNT, SCALAR, SCALAR)
        test = build(lambda b, i, y, x: b.less(i, 3), *kinds, name="test")
        return b.get(Loop(test, build(turn, *kinds, name="turn"), (b.const(0, dt.int32), x, x)).node(), 1)

    graph = build(function, SCALAR)
    assert not hoist_invariants(graph), "it need not end when the outer loop has no turns"
