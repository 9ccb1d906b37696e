"""What runs as one loop nest, counted, and that it computes what the operators mean."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph
from mindspore.kernels.flatten import flatten
from mindspore.kernels.fuse import fuse, live_outputs
from tests.lowering.programs import b, check, graph, lowered, normal, parameter

X, Y, ROW = parameter((6, 8)), parameter((6, 8)), parameter((8,))


def softmax_gradient() -> Graph:
    x, d = parameter((6, 8)), parameter((6, 8))
    y = b.softmax(x, axis=-1)
    inner = b.reduce_sum(b.mul(y, d), axis=-1, keep_dims=True)
    return graph([x, d], b.mul(y, b.sub(d, inner)), y)


def layer_norm() -> Graph:
    x, gamma, beta = parameter((6, 8)), parameter((8,)), parameter((8,))
    mean = b.reduce_mean(x, axis=-1, keep_dims=True)
    centred = b.sub(x, mean)
    variance = b.reduce_mean(b.square(centred), axis=-1, keep_dims=True)
    return graph([x, gamma, beta], b.add(b.mul(b.mul(centred, b.rsqrt(b.add(variance, 1e-5))), gamma), beta))


def causal_mask() -> Graph:
    rows, columns = (b.iota(shape=(6, 8), dimension=d, dtype=dt.int32) for d in (0, 1))
    return graph(
        [X], b.select(b.greater_equal(rows, columns), X, b.zeros_like(X)), b.mul(X, b.cast(rows, dtype=dt.float32))
    )


ONE_NEST = {
    "a mask made of positions": causal_mask(),
    "a chain": graph([X, Y], b.exp(b.neg(b.tanh(b.add(X, Y))))),
    "several outputs": graph([X, Y], b.add(X, Y), b.sub(X, Y), b.relu(b.add(X, Y))),
    "loops over the same data": graph([parameter((4, 512)), p := parameter((4, 512))], b.tanh(p), b.greater(p, 0.5)),
    "a broadcast row": graph([X, ROW], b.mul(b.add(X, ROW), ROW)),
    "types that change": graph([X], b.cast(b.add(b.cast(X, dtype=dt.int32), 1), dtype=dt.float64)),
    "a view read in place": graph([X, p := parameter((8, 6))], b.add(X, b.transpose(p, perm=(1, 0)))),
    "a slice of a reshape": graph([p := parameter((48,))], b.neg(b.reshape(p, shape=(6, 8)))),
    "a maker of a row fold": graph([X, Y], b.reduce_sum(b.mul(X, Y), axis=1)),
    "a maker of a column fold": graph([X, Y], b.reduce_sum(b.mul(X, Y), axis=0)),
    "what follows a column fold": graph([X, ROW], b.sub(ROW, b.mul(b.reduce_sum(X, axis=0), 0.1))),
    "folds side by side": graph([X], b.reduce_sum(X, axis=1), b.reduce_max(X, axis=1)),
    "softmax": graph([X], b.softmax(X, axis=-1)),
    "log softmax": graph([X], b.log_softmax(X, axis=-1)),
    "softmax backwards": softmax_gradient(),
    "mean and variance": layer_norm(),
}


@pytest.mark.parametrize("name", ONE_NEST)
def test_runs_as_one_nest(name: str) -> None:
    made = ONE_NEST[name]
    assert lowered(made).calls == 1
    check(made, *[normal(*p.type.shape, seed=i) for i, p in enumerate(made.parameters)])  # type: ignore[union-attr]


def test_classes_are_compared_with_positions_inside_the_loss() -> None:
    logits, labels = parameter((6, 8)), parameter((6,), dt.int32)
    hot = b.one_hot(labels, 1.0, 0.0, depth=8)
    made = graph([logits, labels], b.neg(b.reduce_sum(b.mul(hot, b.log_softmax(logits, axis=-1)), axis=1)))
    assert lowered(made).calls == 1
    check(made, normal(6, 8), np.arange(6, dtype=np.int32))


def test_a_product_takes_bias_activation_and_residual_along() -> None:
    x, w, bias, residual = parameter((5, 7)), parameter((7, 9)), parameter((9,)), parameter((5, 9))
    made = graph([x, w, bias, residual], b.add(b.relu(b.add(b.matmul(x, w), bias)), residual))
    assert lowered(made).calls == 1
    check(made, normal(5, 7), normal(7, 9, seed=1), normal(9, seed=2), normal(5, 9, seed=3))


def test_a_product_keeps_its_own_result_when_it_is_wanted() -> None:
    x, w = parameter((5, 7)), parameter((7, 9))
    z = b.matmul(x, w)
    made = graph([x, w], b.relu(z), b.greater(z, 0.0), z)
    assert lowered(made).calls == 1
    check(made, normal(5, 7), normal(7, 9, seed=1))


def test_a_small_operand_read_across_again_and_again_is_turned_once() -> None:
    x, mask = parameter((8, 20, 24)), parameter((24, 20))
    turned = b.transpose(mask, perm=(1, 0))
    made = graph([x, mask], b.add(x, turned))
    assert lowered(made).calls == 2
    check(made, normal(8, 20, 24), normal(24, 20, seed=1))
    few = graph([y := parameter((2, 20, 24)), mask], b.add(y, turned))
    assert lowered(few).calls == 1
    check(few, normal(2, 20, 24), normal(24, 20, seed=1))


def test_transposed_operands_are_not_moved() -> None:
    x, w = parameter((7, 5)), parameter((9, 7))
    made = graph([x, w], b.matmul(b.transpose(x, perm=(1, 0)), b.transpose(w, perm=(1, 0))))
    assert lowered(made).calls == 1
    check(made, normal(7, 5), normal(9, 7, seed=1))


def test_a_group_does_not_swallow_what_lies_between() -> None:
    """relu(x) feeds the fold and the last addition; merging both ends around the fold's own nest would be a cycle."""
    x = parameter((6, 8))
    y = b.relu(x)
    total = b.reduce_sum(b.transpose(b.reshape(b.reduce_sum(y, axis=0), shape=(2, 4)), perm=(1, 0)), axis=0)
    made = graph([x], b.add(y, b.reduce_max(total)))
    order = fuse(flatten(made, {}))
    makers = {value: position for position, group in enumerate(order) for value in group.made}
    for position, group in enumerate(order):
        assert all(makers.get(v, -1) < position for v in group.reads())
    check(made, normal(6, 8))


def test_long_rows_with_few_of_them_are_shared_among_threads() -> None:
    x = parameter((2, 1 << 15))
    made = graph([x], b.softmax(x, axis=-1))
    assert lowered(made).calls > 1
    check(made, normal(2, 1 << 15), atol=1e-7)


def test_big_folds_are_cut_by_shape_alone() -> None:
    x = parameter((1 << 17,))
    made = graph([x], b.reduce_sum(b.square(x)))
    assert lowered(made).calls == 2
    check(made, normal(1 << 17), rtol=1e-5)


def test_values_that_nobody_reads_are_not_stored() -> None:
    x = parameter((6, 8))
    made = flatten(graph([x], b.exp(b.tanh(x))), {})
    order = fuse(made)
    assert [outputs for _, outputs in live_outputs(order, made.results)] == [made.results]


def test_a_chain_of_100000_nodes_is_planned_without_recursion() -> None:
    node = x = parameter((16,))
    for _ in range(100_000):
        node = b.neg(node)
    order = fuse(flatten(graph([x], node), {}))
    assert 1000 < len(order) < 10_000
    assert sum(len(g.steps) for g in order) == 100_000


def test_equal_layers_are_compiled_once() -> None:
    def layers(count: int) -> Graph:
        weights = [parameter((16, 16), name=f"w{i}") for i in range(count)]
        biases = [parameter((16,), name=f"b{i}") for i in range(count)]
        x = value = parameter((4, 16))
        for w, bias in zip(weights, biases, strict=True):
            value = b.relu(b.add(b.matmul(value, w), bias))
        return graph([x, *weights, *biases], value)

    few, many = lowered(layers(3)), lowered(layers(30))
    assert (few.calls, many.calls) == (3, 30)
    assert few.llvm_ir.count("define") == many.llvm_ir.count("define")


def test_numbers_become_immediates() -> None:
    x = parameter((6, 8))
    full = b.full(shape=(6, 8), value=2.5, dtype=dt.float32)
    made = graph([x], b.mul(b.add(x, b.const(np.full((6, 8), 3.0), dt.float32)), full))
    assert lowered(made).constants == ()
    check(made, normal(6, 8))


def test_tensors_without_elements_add_nothing_to_a_long_concatenation() -> None:
    x, y, z = parameter((16, 0, 16)), parameter((16, 2, 16), name="y"), parameter((16, 15, 16), name="z")
    check(graph([x, y, z], b.concat(x, y, z, axis=1)), normal(16, 0, 16), normal(16, 2, 16), normal(16, 15, 16))
