"""Elements in order of their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import normalize_axis, size
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.compute import Order, Search
from mindspore.primitives.declare import DISCRETE, check_dtype, check_rank, operator
from mindspore.primitives.movement import checked_axis, one
from mindspore.primitives.reduction import DISTINCT
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

ORDERED = (dt.bool_, *dt.REAL)


MOST = 1 << 31
"""Int32 numbers positions below this."""


def _infer_order(x: TensorType, descending: bool, count: int | None) -> TensorType:
    check_dtype("SortPositions", "x", x, ORDERED)
    check_rank("SortPositions", "x", x, 1)
    size = x.shape[-1]
    if size >= MOST:
        raise ValueError(
            f"SortPositions: argument 'x' must have less than {MOST} elements along the last dimension, but got {x}."
        )
    if count is not None and not 0 <= count <= size:
        raise ValueError(f"SortPositions: attribute 'count' must be None or from 0 to {size}, but got {count}.")
    return TensorType(dt.int32, (*x.shape[:-1], size if count is None else count))


def positions(x: Any, descending: bool) -> Any:
    """Stable positions along the last dimension; NaN is the largest."""
    if not descending:
        return np.argsort(x, axis=-1, kind="stable")
    turned = np.argsort(np.flip(x, -1), axis=-1, kind="stable")
    return x.shape[-1] - 1 - np.flip(turned, -1)


def _order(x: Any, descending: bool, count: int | None) -> Any:
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x
    return positions(wide, descending)[..., :count].astype(np.int32)


operator(
    "SortPositions", "x", attrs={"descending": False, "count": None}, infer=_infer_order, reference=_order,
    gradient=DISCRETE, compute=Order(), dtypes=ORDERED,
    vmap=lambda b, many, inputs, rows, kind, descending, count: b.sort_positions(*inputs, descending=descending, count=count),
    samples=Samples(
        (*(one(s, descending=way) for s in ((5,), (1,), (2, 7), (0, 3), (2, 0), (3, 100), (2, 2, 9)) for way in (False, True)),
         one((2, 7), count=3), one((300,), count=5, descending=True), one((4,), count=0)),
        (Domain(-6.0, 6.0),),
        wrong=(Wrong(((),), ValueError, ("SortPositions", "'x'", "at least 1"), (dt.float32,)),
               Wrong(((2, 3),), ValueError, ("SortPositions", "'count'", "3", "4"), (dt.float32,), {"count": 4}),
               Wrong(((2,),), TypeError, ("SortPositions", "'x'", "Complex64"), (dt.complex64,))),
    ),
    doc="Int32 positions of the first `count` elements along the last dimension in the order of values; equal ones keep their order.",
)  # fmt: skip


def _infer_sort(x: TensorType, axis: Any, descending: bool) -> TupleType:
    check_dtype("Sort", "x", x, ORDERED)
    check_rank("Sort", "x", x, 1)
    checked_axis("Sort", x, axis)
    return TupleType((x, TensorType(dt.int32, x.shape)))


def _expand_sort(b: Any, x: Any, axis: int, descending: bool) -> Any:
    rank = len(b.shape(x))
    place = normalize_axis(axis, rank)
    order = (*(i for i in range(rank) if i != place), place)
    back = tuple(order.index(i) for i in range(rank))
    moved = x if place == rank - 1 else b.transpose(x, perm=order)
    found = b.sort_positions(moved, descending=descending)
    found = found if place == rank - 1 else b.transpose(found, perm=back)
    return b.tuple([b.gather_d(x, found, dim=place), found])


def _sort(x: Any, axis: int, descending: bool) -> Any:
    wide = x.astype(np.float32) if x.dtype.itemsize == 2 and x.dtype.kind not in "iu" else x
    found = np.moveaxis(positions(np.moveaxis(wide, axis, -1), descending), -1, axis)
    return np.take_along_axis(x, found, axis), found.astype(np.int32)


operator(
    "Sort", "x", attrs={"axis": -1, "descending": False}, infer=_infer_sort, reference=_sort,
    gradient=lambda b, x, out, d, axis, descending: (
        None if d[0] is None else b.tensor_scatter_elements(b.zeros_like(x), out[1], d[0], axis=axis, reduction="add"),
    ),
    expand=_expand_sort, dtypes=dt.REAL,
    samples=Samples(
        (one((5,)), one((2, 7), axis=1, descending=True), one((4, 3), axis=0), one((2, 3, 4), axis=-2, descending=True), one((0, 2))),
        (DISTINCT,), wrong=(Wrong(((2, 3),), ValueError, ("Sort", "'axis'", "2"), (), {"axis": 2}),),
    ),
    doc="The elements along one dimension in the order of their values, and their Int32 positions before.",
)  # fmt: skip


def _infer_top(x: TensorType, k: Any, largest: bool) -> TupleType:
    check_dtype("TopK", "x", x, ORDERED)
    check_rank("TopK", "x", x, 1)
    if not hasattr(k, "__index__") or not 0 <= k <= x.shape[-1]:
        raise ValueError(
            f"TopK: attribute 'k' must be an int from 0 to {x.shape[-1]} for argument 'x' {x}, but got {k!r}."
        )
    shape = (*x.shape[:-1], k)
    return TupleType((TensorType(x.dtype, shape), TensorType(dt.int32, shape)))


def _expand_top(b: Any, x: Any, k: int, largest: bool) -> Any:
    found = b.sort_positions(x, descending=largest, count=k)
    return b.tuple([b.gather_d(x, found, dim=len(b.shape(x)) - 1), found])


def _top(x: Any, k: int, largest: bool) -> Any:
    values, found = _sort(x, -1, largest)
    return values[..., :k].copy(), found[..., :k].copy()


operator(
    "TopK", "x", function="top_k", attrs={"k": REQUIRED, "largest": True}, infer=_infer_top, reference=_top,
    gradient=lambda b, x, out, d, k, largest: (
        None if d[0] is None else b.tensor_scatter_elements(b.zeros_like(x), out[1], d[0], axis=-1, reduction="add"),
    ),
    expand=_expand_top, dtypes=dt.REAL,
    samples=Samples(
        (one((5,), k=2), one((2, 7), k=7), one((2, 7), k=3, largest=False), one((3, 4), k=0)), (DISTINCT,),
        wrong=(Wrong(((2, 3),), ValueError, ("TopK", "'k'", "4", "3"), (), {"k": 4}),),
    ),
    doc="The largest elements along the last dimension in descending order, or the smallest in ascending order, and their Int32 positions.",
)  # fmt: skip


def _infer_search(ordered: TensorType, values: TensorType, right: bool) -> TensorType:
    check_dtype("SearchPositions", "sorted", ordered, ORDERED)
    check_rank("SearchPositions", "sorted", ordered, 1)
    if values.dtype is not ordered.dtype:
        raise TypeError(
            f"SearchPositions: argument 'values' must be of the type of 'sorted' {ordered}, but got {values}."
        )
    if ordered.rank != 1 and ordered.shape[:-1] != values.shape[:-1]:
        raise ValueError(
            f"SearchPositions: argument 'sorted' {ordered} must be a vector or have the leading dimensions of 'values' {values}."
        )
    return TensorType(dt.int64, values.shape)


def _search(ordered: Any, values: Any, right: bool) -> Any:
    """Counted, so that NaN among the values is as little behind an element as it is in a comparison."""
    rows = ordered if ordered.ndim > 1 else ordered.reshape((1,) * max(values.ndim, 1) + (-1,))
    rows = rows[..., None, :] if ordered.ndim > 1 else rows
    behind = rows <= values[..., None] if right else rows < values[..., None]
    return behind.sum(-1, dtype=np.int64).reshape(values.shape)


def _search_rows(b: Any, count: int, inputs: Any, rows: Any, kind: Any, right: bool) -> Any:
    ordered, values = inputs
    vector = len(b.shape(ordered)) - rows[0] == 1
    if vector and not rows[0]:
        return b.search_positions(ordered, values, right=right)
    ordered, values = (
        v if r else b.broadcast_to(v, shape=(count, *b.shape(v))) for v, r in zip(inputs, rows, strict=True)
    )
    shape = b.shape(values)
    if vector:
        values = b.reshape(values, shape=(count, size(shape[1:])))
    return b.reshape(b.search_positions(ordered, values, right=right), shape=shape)


def _ascending(rng: np.random.Generator, shape: Any) -> Any:
    return np.sort(rng.integers(0, 2 if rng.random() < 0.5 else 100, shape), -1)


operator(
    "SearchPositions", "sorted, values", attrs={"right": False}, infer=_infer_search, reference=_search,
    gradient=DISCRETE, compute=Search(), vmap=_search_rows, dtypes=ORDERED,
    samples=Samples(
        tuple(Case(shapes, {"right": way}) for way in (False, True) for shapes in (
            ((5,), (3,)), ((1,), (2, 3)), ((8,), ()), ((100,), (40,)), ((0,), (3,)), ((2, 7), (2, 20)), ((2, 3, 9), (2, 3, 1)),
            ((4,), (0,)),
        )),
        (Domain(draw=_ascending), Domain()),
        wrong=(Wrong(((2, 3), (3, 3)), ValueError, ("SearchPositions", "'sorted'", "[2, 3]", "[3, 3]")),
               Wrong(((), (3,)), ValueError, ("SearchPositions", "'sorted'", "at least 1")),
               Wrong(((3,), (3,)), TypeError, ("SearchPositions", "'values'", "Int32"), (dt.float32, dt.int32)),
               Wrong(((3,), (3,)), TypeError, ("SearchPositions", "'sorted'", "Complex64"), (dt.complex64, dt.complex64))),
    ),
    doc="Int64 positions before which values belong in sorted rows: before equal elements, with `right` behind them.",
)  # fmt: skip
