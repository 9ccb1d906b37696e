"""Slices whose bounds only run time knows, of a length that is known: the elements numpy takes where they lie in the tensor."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops
from tests.frontend.programs import check
from tests.frontend.test_frontend_rolled import rolled
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler

ROW = Tensor(np.arange(12, dtype=np.float32))
BLOCK = Tensor(np.arange(60, dtype=np.float32).reshape(3, 4, 5))
WIDTH = 3


def plain(x: Any, i: Any) -> Any:
    return x[i : i + 3]


def multiples(x: Any, i: Any) -> Any:
    return x[i * 2 : 2 * i + 4], x[i * 2 - 1 : 4 + i + i : 2]


def named_length(x: Any, i: Any) -> Any:
    start = i - 1
    return x[start : start + WIDTH], x[start + 1 : i + WIDTH + 1]


def backwards(x: Any, i: Any) -> Any:
    return x[i + 3 : i : -1]


def nothing(x: Any, i: Any) -> Any:
    return x[i:i], x[i + 2 : i + 2]


@pytest.mark.parametrize("function", [plain, multiples, named_length, backwards, nothing])
@pytest.mark.parametrize("dtype", [ms.int32, ms.int64])
def test_one_dimension(function: Any, dtype: Any) -> None:
    for start in (1, 2, 4):
        check(function, ROW, Tensor(start, dtype))


def test_negative_places_count_from_the_end() -> None:
    for start in (-12, -7, -4):
        check(plain, ROW, Tensor(start))


def several(x: Any, i: Any, j: Any) -> Any:
    return (
        x[:, i : i + 2], x[..., j : j + 2], x[1, i : i + 2, j : j + 3], x[i : i + 1, ..., None, j : j + 3], x[[0, 2], i : i + 2],
        x[i : i + 2, [0, 2]], x[j, None, i : i + 2], x[i : i + 2, j : j + 2, ::-1],
    )  # fmt: skip


def test_beside_other_entries() -> None:
    check(several, BLOCK, Tensor(1), Tensor(2))
    check(several, BLOCK, Tensor([0]), Tensor(1))


def changed(x: Any, i: Any, v: Any) -> Any:
    y = x * 1
    y[i : i + 3] = v
    y[i * 2 : i * 2 + 2] += 10
    z = ops.stack([y, y])
    z[0, i : i + 3] = 0
    z[:, i + 4 : i : -2] *= 2
    return y, z


def test_assignment() -> None:
    check(changed, ROW, Tensor(2), Tensor(7.0))
    check(changed, ROW, Tensor(1), Tensor([7.0, 8.0, 9.0]))


def moving_sums(x: Any, turns: Any) -> Any:
    total, place = x[:3] * 0, 0
    while place < turns:
        total = total + x[place : place + 3] * x[place]
        place += 1
    return total


def counted_sums(x: Any) -> Any:
    y = x * 0
    for k in range(500):
        y[k : k + 2] = y[k : k + 2] + x[k * 2 : k * 2 + 2]
    return y


def test_in_loops() -> None:
    check(moving_sums, ROW, Tensor(9))
    check(counted_sums, Tensor(np.arange(1000, dtype=np.float32)))


def test_a_counted_loop_over_windows_stays_a_loop() -> None:
    assert rolled(counted_sums, Tensor(np.arange(1000, dtype=np.float32))) == 1


def running_past_the_end(x: Any) -> Any:
    total = x[0] * 0
    for k in range(40):
        total = total + x[k : k + 3].sum()
    return total


def test_a_counted_loop_is_cut_off_at_the_end_as_by_numpy() -> None:
    check(running_past_the_end, ROW)


def squares(x: Any, i: Any) -> Any:
    y = x * x
    y[i + 1 : i + 3] = y[i : i + 2] * 3
    return (y[i : i + 3] * x[i * 2 : i * 2 + 3]).sum()


def test_gradients(mode: str) -> None:
    x = np.arange(1.0, 9.0)
    found = ms.grad(squares)(Tensor(x), Tensor(2))
    (wanted,) = numeric_gradient(lambda a: squares(a, Tensor(2)), x)
    np.testing.assert_allclose(found.asnumpy(), wanted, rtol=1e-7)


def test_rows_have_windows_of_their_own() -> None:
    rows = Tensor(np.arange(24.0).reshape(2, 12))
    found = ms.jit(lambda x, i: ms.vmap(plain)(x, i))(rows, Tensor([1, 5]))
    np.testing.assert_array_equal(found.asnumpy(), [[1, 2, 3], [17, 18, 19]])


@pytest.mark.parametrize("start", [10, 12, 30, -13, -2, -3])
@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_what_leaves_the_tensor_is_an_index_error(start: int, backend: str) -> None:
    with pytest.raises(IndexError, match=r"index (12|30) is out of bounds for dimension with size 12"):
        ms.jit(plain, backend=backend)(ROW, Tensor(start))


def of_unknown_length(x: Any, i: Any) -> Any:
    return x[i : i * 2]


def test_a_length_that_only_run_time_knows_is_refused() -> None:
    with pytest.raises(
        IndexError, match=r"(?s)line \d+, column.*only when they differ by a constant, as in x\[start : start \+ 3\]"
    ):
        ms.jit(of_unknown_length)(ROW, Tensor(2))
