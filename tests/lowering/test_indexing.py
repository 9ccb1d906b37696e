"""Gathers inside loop nests, writes in place, and indices out of bounds, in compiled graphs."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.ir.graph import Node
from mindspore.primitives.compute import Pick, Walk
from tests.lowering.programs import b, compiled, graph, lowered, normal, parameter, tensor


def test_a_gather_joins_the_loop_that_uses_it() -> None:
    x, index, bias = parameter((30, 64)), parameter((50,), dt.int64), parameter((64,))
    made = graph([x, index, bias], b.tanh(b.add(b.gather(x, index, axis=0), bias)))
    assert lowered(made).calls == 1
    given = np.random.default_rng(0).integers(-30, 30, 50)
    (out,) = compiled(made)(tensor(normal(30, 64)), tensor(given), tensor(normal(64, seed=1)))
    np.testing.assert_allclose(out.asnumpy(), np.tanh(normal(30, 64)[given] + normal(64, seed=1)), rtol=1e-5, atol=1e-6)


def test_a_gather_of_what_the_same_graph_computed() -> None:
    x, index = parameter((30, 8)), parameter((50,), dt.int32)
    made = graph([x, index], b.reduce_sum(b.gather(b.tanh(x), index, axis=0), axis=1))
    given = np.random.default_rng(0).integers(0, 30, 50).astype(np.int32)
    (out,) = compiled(made)(tensor(normal(30, 8)), tensor(given))
    np.testing.assert_allclose(out.asnumpy(), np.tanh(normal(30, 8))[given].sum(1), rtol=1e-5, atol=1e-5)


def test_a_product_with_gathered_rows_in_its_epilogue() -> None:
    x, w, table, index = parameter((32, 16)), parameter((16, 64)), parameter((7, 64)), parameter((32,), dt.int64)
    made = graph([x, w, table, index], b.add(b.matmul(x, w), b.gather(table, index, axis=0)))
    given = np.random.default_rng(0).integers(-7, 7, 32)
    arrays = normal(32, 16), normal(16, 64, seed=1), normal(7, 64, seed=2)
    (out,) = compiled(made)(*map(tensor, arrays), tensor(given))
    np.testing.assert_allclose(out.asnumpy(), arrays[0] @ arrays[1] + arrays[2][given], rtol=1e-4, atol=1e-4)


def written(x: Node, value: Node, index: Node) -> Node:
    """Row `index` of a matrix overwritten."""
    walk = Walk((64,), 0, (1,), (Pick((0,), 1000, 64),))
    made: Node = b.scatter_strided(x, value, index, walk=walk, kind="set")
    return made


def test_a_write_to_a_parameter_needs_no_copy() -> None:
    w, value, index = parameter((1000, 64)), parameter((64,)), parameter((), dt.int64)
    made = graph([value, index, w], written(w, value, index))
    assert lowered(made, {0: 2}).arena_bytes == 0
    bound, wanted = tensor(normal(1000, 64)), normal(1000, 64)
    compiled(made, [bound], {0: 2})(tensor(normal(64, seed=1)), tensor(np.asarray(-3)))
    wanted[-3] = normal(64, seed=1)
    np.testing.assert_array_equal(bound.asnumpy(), wanted)


def test_a_write_waits_for_what_reads_the_old_elements() -> None:
    w, index = parameter((1000, 64)), parameter((), dt.int64)
    row = b.gather(w, index, axis=0)
    made = graph(
        [index, w], written(written(w, b.const(0.0, dt.float32), index), b.mul(row, 2.0), b.const(7, dt.int64))
    )
    assert lowered(made, {0: 1}).arena_bytes <= 64 * 4
    bound, wanted = tensor(normal(1000, 64)), normal(1000, 64)
    compiled(made, [bound], {0: 1})(tensor(np.asarray(-3)))
    wanted[7] = wanted[-3] * 2
    wanted[-3] = 0
    np.testing.assert_array_equal(bound.asnumpy(), wanted)


def test_a_write_to_what_is_read_later_copies() -> None:
    w, value, index = parameter((1000, 64)), parameter((64,)), parameter((), dt.int64)
    made = graph([w, value, index], written(w, value, index), b.neg(w))
    new, old = compiled(made)(tensor(normal(1000, 64)), tensor(normal(64, seed=1)), tensor(np.asarray(7)))
    wanted = normal(1000, 64)
    np.testing.assert_array_equal(old.asnumpy(), -wanted)
    wanted[7] = normal(64, seed=1)
    np.testing.assert_array_equal(new.asnumpy(), wanted)


def test_a_row_may_be_written_over_with_itself() -> None:
    x, index = parameter((1000, 64)), parameter((1000,), dt.int64)
    walk = Walk((1000, 64), 0, (0, 1), (Pick((1, 0), 1000, 64),))
    made = graph([x, index], b.scatter_strided(x, x, index, walk=walk, kind="set"))
    given = np.random.default_rng(0).permutation(1000)
    (out,) = compiled(made)(tensor(normal(1000, 64)), tensor(given))
    wanted = np.zeros((1000, 64), np.float32)
    wanted[given] = normal(1000, 64)
    np.testing.assert_array_equal(out.asnumpy(), wanted)


@pytest.mark.parametrize("given", [[0, 1, 5], [-6, 1, 7]])
def test_an_index_out_of_bounds_is_an_index_error(given: list[int]) -> None:
    x, index = parameter((5, 2)), parameter((3,), dt.int64)
    run = compiled(graph([x, index], b.gather(x, index, axis=0)))
    wrong = next(i for i in given if not -5 <= i < 5)
    with pytest.raises(IndexError, match=f"^index {wrong} is out of bounds for dimension with size 5$"):
        run(tensor(normal(5, 2)), tensor(np.array(given)))
    (out,) = run(tensor(normal(5, 2)), tensor(np.array([4, -5, 0])))
    np.testing.assert_array_equal(out.asnumpy(), normal(5, 2)[[4, 0, 0]])


def test_an_index_is_checked_where_nothing_is_taken() -> None:
    x, index = parameter((5, 0)), parameter((), dt.int64)
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        compiled(graph([x, index], b.gather(x, index, axis=0)))(tensor(normal(5, 0)), tensor(np.asarray(5)))


def test_equal_indices_are_checked_once_and_constants_while_compiling() -> None:
    x, y, index = parameter((5,)), parameter((5, 3)), parameter((2,), dt.int64)
    both = lowered(graph([x, y, index], b.gather(x, index, axis=0), b.gather(y, index, axis=0)))
    assert both.llvm_ir.count("call i32 @check") == 1
    known = b.const(np.array([0, -5]), dt.int64)
    assert "@check" not in lowered(graph([x], b.gather(x, known, axis=0))).llvm_ir
