"""Products read matrices where they lie: heads, slices and repeated groups are not copied first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.graph import Graph, Node
from tests.lowering.programs import b, check, graph, lowered, normal, parameter

TYPES = [dt.float32, dt.float64, dt.int32]


def heads(x: Node, count: int = 3) -> Any:
    """(N, length, width) as (N, heads, length, depth)."""
    n, length, width = b.shape(x)
    return b.transpose(b.reshape(x, shape=(n, length, count, width // count)), perm=(0, 2, 1, 3))


def part(x: Node, *bounds: tuple[int, int], step: int = 1) -> Any:
    begin, end = zip(*bounds, strict=True)
    return b.strided_slice(x, begin=begin, end=end, strides=(1,) * (len(bounds) - 1) + (step,))


Made = Callable[[Node, Node], Any]
ONE_CALL: dict[str, tuple[tuple[int, ...], tuple[int, ...], Made]] = {
    "scores of heads": ((2, 16, 24), (2, 13, 24), lambda x, y: b.batch_matmul(heads(x), heads(y), transpose_b=True)),
    "values of heads": ((2, 3, 16, 13), (2, 13, 24), lambda x, y: b.batch_matmul(x, heads(y))),
    "gradient of values": ((2, 3, 16, 13), (2, 16, 24), lambda x, y: b.batch_matmul(x, heads(y), transpose_a=True)),
    "rows of weights": ((9, 8), (30, 8), lambda x, w: b.matmul(x, part(w, (10, 20), (0, 8)), transpose_b=True)),
    "columns of weights": ((9, 8), (8, 30), lambda x, w: b.matmul(x, part(w, (0, 8), (10, 20)))),
    "columns of rows": ((2, 5, 16), (8, 9), lambda x, w: b.batch_matmul(part(x, (0, 2), (0, 5), (8, 16)), w)),
    "a head for all": (
        (2, 6, 9, 8),
        (2, 1, 9, 8),
        lambda x, y: b.batch_matmul(x, b.broadcast_to(y, shape=(2, 6, 9, 8)), transpose_b=True),
    ),
    "one row": ((2, 1, 24), (2, 13, 24), lambda x, y: b.batch_matmul(heads(x), heads(y), transpose_b=True)),
}


def made(name: str, dtype: DType) -> tuple[Graph, tuple[np.ndarray, np.ndarray]]:
    left, right, body = ONE_CALL[name]
    x, y = parameter(left, dtype), parameter(right, dtype)
    kind = dt.to_numpy(dtype)
    arrays = (normal(*left) * 8).astype(kind), (normal(*right, seed=1) * 8).astype(kind)
    return graph([x, y], body(x, y)), arrays


@pytest.mark.parametrize("dtype", TYPES, ids=str)
@pytest.mark.parametrize("name", ONE_CALL)
def test_views_are_read_in_place(name: str, dtype: DType) -> None:
    program, arrays = made(name, dtype)
    assert lowered(program).calls == 1
    check(program, *arrays, atol=1e-3)


@pytest.mark.parametrize(
    "view",
    [
        lambda x: part(x, (0, 12), (0, 16), step=2),
        lambda x: b.broadcast_to(part(x, (0, 1), (0, 8)), shape=(12, 8)),
        lambda x: part(b.reshape(x, shape=(192,)), (5, 101)),
    ],
    ids=["every second column", "one row repeated", "an odd place"],
)
def test_operands_without_contiguous_rows_or_columns(view: Callable[[Node], Any]) -> None:
    """Some are copied, none is read wrongly."""
    x, w = parameter((12, 16)), parameter((8, 9))
    program = graph([x, w], b.matmul(b.reshape(view(x), shape=(12, 8)), w))
    assert lowered(program).calls <= 2
    check(program, normal(12, 16), normal(8, 9, seed=1))
