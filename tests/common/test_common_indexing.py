"""Basic indexing: the same elements as numpy, as views in PYNATIVE mode, as values in graphs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.common.index_plan import planned

pytestmark = pytest.mark.compiler

INDICES: list[Any] = [
    0, -1, slice(None), slice(1, None), slice(None, None, -1), slice(None, None, 2), None, Ellipsis, (0, 1), (0, -1, 2),
    (slice(None), 1), (Ellipsis, 1), (None, 0), (0, None, slice(1, 3)), (slice(None), slice(None, None, -2), None),
    (Ellipsis, None), (1, Ellipsis, 0), slice(5, 1), (slice(-1, -3, -1),), (slice(None), slice(3, None)), (),
]  # fmt: skip
ARRAY = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


class Take(nn.Cell):
    def __init__(self, index: Any) -> None:
        super().__init__()
        self.index = index

    def construct(self, x: Any) -> Any:
        return x[self.index]


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_elements_are_numpys(mode: str, index: Any) -> None:
    found = Take(index)(Tensor(ARRAY))
    assert found.shape == ARRAY[index].shape
    np.testing.assert_array_equal(found.asnumpy(), ARRAY[index])


@pytest.mark.parametrize("index", [i for i in INDICES if ARRAY[i].size], ids=str)
def test_reading_gives_a_view(index: Any) -> None:
    x, expected = Tensor(ARRAY), ARRAY.copy()
    x[index].asnumpy()[...] = -1
    expected[index] = -1
    np.testing.assert_array_equal(x.asnumpy(), expected)


@pytest.mark.parametrize("index", INDICES, ids=str)
def test_writing_a_number(index: Any) -> None:
    x, expected = Tensor(ARRAY), ARRAY.copy()
    x[index] = -1
    expected[index] = -1
    np.testing.assert_array_equal(x.asnumpy(), expected)


def test_numbers_that_are_written_take_the_tensors_type(mode: str) -> None:
    def run(x: Any, y: Any) -> Any:
        x[0] = -1
        y[1:] = 2.75
        return x, y

    found = (ms.jit(run) if mode == "graph" else run)(Tensor([1, 2], ms.uint8), Tensor([1, 2], ms.int32))
    assert [t.tolist() for t in found] == [[255, 2], [1, 2]]


def test_writing_a_tensor_broadcasts_and_converts() -> None:
    x = Tensor(ARRAY)
    x[:, 1] = Tensor([1, 2, 3, 4])
    np.testing.assert_array_equal(x.asnumpy()[1, 1], [1, 2, 3, 4])
    x[0, 0] = [9.0, 8.0, 7.0, 6.0]
    np.testing.assert_array_equal(x.asnumpy()[0, 0], [9, 8, 7, 6])


def test_writing_through_a_view_and_onto_itself() -> None:
    x = Tensor(np.arange(4, dtype=np.float32))
    row = x.reshape(2, 2)[1]
    row[0] = 9
    assert x.tolist() == [0, 1, 9, 3]
    x[:] = x[::-1]
    assert x.tolist() == [3, 9, 1, 0]


class Put(nn.Cell):
    def construct(self, x: Any, value: Any) -> Any:
        y = x * 1
        y[0, 1:] = value
        return y, x


def test_writing_in_a_graph_makes_a_new_value(mode: str) -> None:
    x = np.zeros((2, 3), np.float32)
    expected = x.copy()
    expected[0, 1:] = [5, 6]
    changed, given = Put()(Tensor(x), Tensor([5.0, 6.0]))
    np.testing.assert_array_equal(changed.asnumpy(), expected)
    np.testing.assert_array_equal(given.asnumpy(), x)


@pytest.mark.parametrize(
    ("index", "words"),
    [
        (2, "index 2 is out of bounds for dimension with size 2"),
        (-3, "index -3"),
        ((0, 0, 0, 0), "too many indices"),
        ((Ellipsis, Ellipsis), "single ellipsis"),
        ("a", "'a' of type str"),
        (1.0, "1.0 of type float"),
        ([0, 1.5], r"\[0, 1.5\] of type list"),
        ([0, 2], "index 2 is out of bounds for dimension with size 2"),
        (np.array([[-3]]), "index -3 is out of bounds for dimension with size 2"),
        (Tensor([0, 2]), "index 2 is out of bounds for dimension with size 2"),
        (([0, 1], [0, 1, 2]), r"must broadcast to one shape, but got the shapes \(2,\), \(3,\)"),
        ([True, False, True], r"expected \(2,\) from dimension 0 on, but got \(3,\)"),
        (Tensor(1.0), r"a Tensor of type Float32\[\]"),
    ],
)
def test_wrong_indices_are_refused(mode: str, index: Any, words: str) -> None:
    if mode == "graph" and isinstance(index, str | float | Tensor):
        index = (index,)
    with pytest.raises(IndexError, match=words):
        Take(index)(Tensor(ARRAY))


def test_wrong_values_are_refused() -> None:
    x = Tensor(ARRAY)
    with pytest.raises(TypeError, match="str"):
        x[0] = "a"
    with pytest.raises(ValueError, match="broadcast"):
        x[0] = Tensor([1.0, 2.0])


def test_a_tensor_of_one_integer_is_an_index() -> None:
    assert Tensor(ARRAY)[Tensor(1)][0][0].item() == 12
    assert Tensor(ARRAY)[0, Tensor(-1)].shape == (4,)


def test_a_window_says_where_dimensions_come_from() -> None:
    taken = planned((2, 3, 4), (0, None, slice(1, 3))).window
    assert taken is not None
    assert taken.shape == (1, 2, 4)
    assert taken.sources == (None, 1, 2)


@ms.jit
def sum_of_turns(x: Any, index: Any, turns: Any) -> Any:
    total, turn = x.sum() * 0, Tensor(0)
    while turn < turns:
        total = total + x[index] * 2.0 + Tensor([1.0])[Tensor([4]) * 0 + 4 * (turns - 3)].sum()
        turn = turn + 1
    return total


def test_an_index_that_is_never_reached_does_no_harm() -> None:
    x = Tensor([1.0, 2.0, 3.0])
    assert sum_of_turns(x, Tensor(7), Tensor(0)).item() == 0
    assert sum_of_turns(x, Tensor(-1), Tensor(3)).item() == 21
    with pytest.raises(IndexError, match="index 7 is out of bounds for dimension with size 3"):
        sum_of_turns(x, Tensor(7), Tensor(3))


def test_constants_out_of_bounds_fail_only_where_they_are_used() -> None:
    def run(x: Any, wanted: Any) -> Any:
        y = x * 1
        if wanted > 0:
            y = y + ops.gather(Tensor([1.0, 2.0]), Tensor([0, 2]), 0).sum()
        return y

    compiled: Any = ms.jit(run)
    assert compiled(Tensor([1.0]), Tensor(0)).tolist() == [1.0]
    with pytest.raises(IndexError, match="index 2 is out of bounds for dimension with size 2"):
        compiled(Tensor([1.0]), Tensor(1))


def refused(function: Any, *arrays: Any) -> str:
    """The message with which a graph refuses an index, and where it is."""
    with pytest.raises((IndexError, ValueError, TypeError)) as caught:
        ms.jit(function)(*map(Tensor, arrays))
    assert "line " in str(caught.value)
    assert "column " in str(caught.value)
    return str(caught.value)


def test_what_only_run_time_knows_is_refused_in_graphs_with_a_way_out() -> None:
    assert "use where or masked_fill to keep the shape" in refused(lambda x: x[x > 5], ARRAY)
    assert "only when they differ by a constant, as in x[start : start + 3]" in refused(
        lambda x, n: x[:n], ARRAY, np.asarray(1)
    )
    assert "(3,) has elements for each one that the mask takes" in refused(assign_masked, ARRAY, np.ones(3, np.float32))
    assert "cannot stand beside other arrays" in refused(assign_masked_beside, ARRAY)


def assign_masked(x: Any, value: Any) -> Any:
    y = x * 1
    y[x > 5] = value
    return y


def assign_masked_beside(x: Any) -> Any:
    y = x * 1
    y[y[:, 0, 0] > 5, [0, 1]] = 1.0
    return y


def test_a_tensor_that_no_variable_holds_cannot_be_changed_in_a_graph() -> None:
    assert "is not held by one" in refused(changes_outside, ARRAY)


OUTSIDE = Tensor(ARRAY)


def changes_outside(x: Any) -> Any:
    OUTSIDE[0] = 1.0
    return x
