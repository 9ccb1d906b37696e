"""Parameters that a graph writes: in place where nothing reads the old value afterwards, else at the end."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from tests.lowering.mlp import initial, numpy_step, training_step
from tests.lowering.programs import b, compiled, graph, lowered, normal, parameter, tensor
from tests.lowering.test_random_graphs import assert_disjoint, planned


def test_an_update_is_written_in_place() -> None:
    w, g = parameter((64, 64)), parameter((64, 64))
    made = graph([g, w], b.sub(w, b.mul(g, 0.1)))
    assert lowered(made, {0: 1}).arena_bytes == 0
    bound = tensor(normal(64, 64))
    assert compiled(made, [bound], {0: 1})(tensor(normal(64, 64, seed=1))) == ()
    np.testing.assert_allclose(bound.asnumpy(), normal(64, 64) - 0.1 * normal(64, 64, seed=1), rtol=1e-5, atol=1e-7)


def test_the_update_runs_behind_the_last_reader_of_the_old_value() -> None:
    x, w = parameter((8, 8)), parameter((8, 8))
    made = graph([x, w], b.sub(w, 1.0), b.matmul(x, w))
    assert lowered(made, {0: 1}).arena_bytes == 0
    bound = tensor(normal(8, 8))
    (out,) = compiled(made, [bound], {0: 1})(tensor(normal(8, 8, seed=1)))
    np.testing.assert_allclose(out.asnumpy(), normal(8, 8, seed=1) @ normal(8, 8), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(bound.asnumpy(), normal(8, 8) - 1, rtol=1e-6)


def test_a_later_read_of_the_old_value_sees_the_old_value() -> None:
    """The new value feeds a product with the old one, so it has to wait in the arena."""
    w = parameter((8, 8))
    new = b.tanh(w)
    made = graph([w], new, b.matmul(new, w))
    bound = tensor(normal(8, 8))
    (out,) = compiled(made, [bound], {0: 0})()
    old = normal(8, 8)
    np.testing.assert_allclose(out.asnumpy(), np.tanh(old) @ old, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(bound.asnumpy(), np.tanh(old), rtol=1e-6)


def test_an_update_with_a_transposed_read_is_not_in_place() -> None:
    w = parameter((8, 8))
    made = graph([w], b.add(w, b.transpose(w, perm=(1, 0))))
    bound = tensor(normal(8, 8))
    compiled(made, [bound], {0: 0})()
    np.testing.assert_allclose(bound.asnumpy(), normal(8, 8) + normal(8, 8).T, rtol=1e-6)


def test_a_product_may_not_overwrite_its_own_operand() -> None:
    w, x = parameter((32, 32)), parameter((32, 32))
    made = graph([x, w], b.sub(w, b.matmul(w, x)))
    bound = tensor(normal(32, 32))
    compiled(made, [bound], {0: 1})(tensor(normal(32, 32, seed=1)))
    want = normal(32, 32) - normal(32, 32) @ normal(32, 32, seed=1)
    np.testing.assert_allclose(bound.asnumpy(), want, rtol=1e-4, atol=1e-4)


def test_parameters_trade_places() -> None:
    one, two = parameter((70,)), parameter((70,))
    made = graph([one, two], two, one, b.add(one, two))
    bound = [tensor(normal(70)), tensor(normal(70, seed=1))]
    (total,) = compiled(made, bound, {0: 0, 1: 1})()
    np.testing.assert_array_equal(bound[0].asnumpy(), normal(70, seed=1))
    np.testing.assert_array_equal(bound[1].asnumpy(), normal(70))
    np.testing.assert_allclose(total.asnumpy(), normal(70) + normal(70, seed=1), rtol=1e-6)


def test_the_old_value_can_be_returned() -> None:
    w = parameter((5,))
    made = graph([w], w, b.add(w, 1.0), w)
    bound = tensor(normal(5))
    results = compiled(made, [bound], {1: 0})()
    assert [np.array_equal(r.asnumpy(), normal(5)) for r in results] == [True, True]
    np.testing.assert_allclose(bound.asnumpy(), normal(5) + 1, rtol=1e-6)


def test_an_update_to_itself_does_nothing() -> None:
    w = parameter((5,))
    bound = tensor(normal(5))
    assert lowered(graph([w], w), {0: 0}).calls == 0
    assert compiled(graph([w], w), [bound], {0: 0})() == ()
    np.testing.assert_array_equal(bound.asnumpy(), normal(5))


def test_outputs_are_memory_of_their_own() -> None:
    x = parameter((4,))
    constant = b.const(np.arange(4.0), dt.float32)
    run = compiled(graph([x], x, constant, x, b.reshape(x, shape=(2, 2))))
    given = tensor(normal(4))
    first, second = run(given), run(given)
    pointers = {o.data_ptr for o in (*first, *second, given)}
    assert len(pointers) == 9
    first[1].asnumpy()[...] = 7
    np.testing.assert_array_equal(run(given)[1].asnumpy(), np.arange(4.0))


def test_versions_of_written_tensors_move_on() -> None:
    w = parameter((4,))
    bound = tensor(normal(4))
    before = bound.version
    compiled(graph([w], b.neg(w)), [bound], {0: 0})()
    assert bound.version > before


@pytest.mark.parametrize("sizes", [(12, 8, 5), (40, 30, 20, 10)])
def test_a_training_step_follows_numpy(sizes: tuple[int, ...]) -> None:
    made, updates = training_step(sizes, 16)
    assert_disjoint(*planned(made, updates))
    x, labels, state = initial(sizes, 16)
    bound = [tensor(s) for s in state]
    step = compiled(made, bound, updates)
    for _ in range(3):
        (loss,) = step(tensor(x), tensor(labels))
        np.testing.assert_allclose(loss.asnumpy(), numpy_step(x, labels, state), rtol=1e-4)
    for have, want in zip(bound, state, strict=True):
        np.testing.assert_allclose(have.asnumpy(), want, rtol=1e-3, atol=1e-5)
