"""Gradients of segments where elements tie, are zero, or are left out: the answers are the real framework's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops

pytestmark = pytest.mark.compiler

X = np.array([[1.0, 2.0], [3.0, -4.0], [3.0, 6.0], [5.0, 5.0]], np.float32)
IDS = np.array([0, 2, 2, -1], np.int32)
WEIGHTS = np.array([1.0, 10.0], np.float32)


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (ops.unsorted_segment_sum, [[0, 0], [1, 10], [1, 10], [0, 0]]),
        (ops.unsorted_segment_max, [[0, 0], [0.5, 0], [0.5, 10], [0, 0]]),
        (ops.unsorted_segment_min, [[0, 0], [0.5, 10], [0.5, 0], [0, 0]]),
        (ops.unsorted_segment_prod, [[0, 0], [3, 60], [3, -40], [0, 0]]),
    ],
)
def test_gradients_of_ties_and_of_what_is_left_out(function: Callable[..., Any], expected: Any, mode: int) -> None:
    ms.set_context(mode=mode)

    def weighted(x: Tensor) -> Tensor:
        return (function(x, Tensor(IDS), 4)[2] * Tensor(WEIGHTS)).sum()

    np.testing.assert_array_equal(ms.grad(weighted)(Tensor(X)).asnumpy(), np.array(expected, np.float32))


@pytest.mark.parametrize(("x", "expected"), [([2, 0, 3], [0, 6, 0]), ([0, 0, 3], [0, 0, 0]), ([2, 5, 3], [15, 6, 10])])
def test_a_product_with_zeros_has_the_product_of_the_others(x: list[int], expected: list[int]) -> None:
    ids = Tensor(np.zeros(3, np.int32))
    gradient = ms.grad(lambda x: ops.unsorted_segment_prod(x, ids, 2).sum())(Tensor(np.array(x, np.float32)))
    assert gradient.asnumpy().tolist() == expected


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64", "float16", "bfloat16", "float64"])
def test_an_id_that_none_has_holds_the_end_of_the_types_range(dtype: str) -> None:
    x, ids = Tensor([1, 2]).astype(getattr(ms, dtype)), Tensor(np.zeros(2, np.int32))
    highest = ops.unsorted_segment_max(x, ids, 2).astype(ms.float64).asnumpy().tolist()
    lowest = ops.unsorted_segment_min(x, ids, 2).astype(ms.float64).asnumpy().tolist()
    ends = {
        "int8": (-128, 127), "uint16": (0, 65535), "int64": (-(2.0**63), 2.0**63), "float16": (-65504, 65504),
        "bfloat16": (-(2.0 - 2**-7) * 2.0**127, (2.0 - 2**-7) * 2.0**127),
        "float64": (-np.finfo(np.float64).max, np.finfo(np.float64).max),
    }  # fmt: skip
    assert (highest, lowest) == ([2, ends[dtype][0]], [1, ends[dtype][1]])
