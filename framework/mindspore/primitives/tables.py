"""Rows of tables whose gradients name the rows that were taken, instead of being as large as the table."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import REQUIRED, find
from mindspore.ir.types import TensorType
from mindspore.primitives.declare import check_dtype, check_rank, check_sizes, operator
from mindspore.primitives.gathering import INDEX, as_index, axis_walk, check_indices, counted
from mindspore.primitives.movement import checked_axis
from mindspore.primitives.samples import Case, Domain, Samples, Wrong
from mindspore.primitives.strided import accumulated

_MOST_NARROW = 2**31


def _check_rows(op: str, values: TensorType, indices: TensorType) -> None:
    check_indices(op, "indices", indices)
    check_rank(op, "indices", indices, 1, 1)
    check_dtype(op, "values", values, dt.NUMBERS)
    if values.shape[:1] != indices.shape:
        raise ValueError(f"{op}: argument 'values' {values} must have one slice for each of 'indices' {indices}.")


def _infer_scatter(values: TensorType, indices: TensorType, shape: Any) -> TensorType:
    _check_rows("ScatterRows", values, indices)
    whole = check_sizes("ScatterRows", "shape", shape)
    if not whole or whole[1:] != values.shape[1:]:
        raise ValueError(
            f"ScatterRows: attribute 'shape' must be that of a tensor with slices such as in 'values' {values}, but got {shape}."
        )
    return TensorType(values.dtype, whole)


def _scatter(values: Any, indices: Any, shape: Any) -> Any:
    wide = np.float32 if values.dtype.itemsize == 2 and values.dtype.kind not in "iu" else values.dtype
    found = np.zeros(tuple(shape), wide)
    np.add.at(found, counted(indices, shape[0]), values.astype(wide))
    return found.astype(values.dtype)


def _expand_scatter(b: Any, values: Any, indices: Any, shape: Any) -> Any:
    whole = tuple(shape)
    base = b.full(shape=whole, value=0, dtype=b.dtype(values))
    return accumulated(
        b, base, values, (as_index(b, indices),), axis_walk(whole, b.shape(indices), 0, 0), "add"
    )  # fmt: skip


operator(
    "ScatterRows", "values, indices", attrs={"shape": REQUIRED}, infer=_infer_scatter, reference=_scatter, expand=_expand_scatter,
    gradient=lambda b, values, indices, out, d, shape: (b.gather(d, indices, axis=0), None),
    dtypes=dt.NUMBERS, may_fail=True,
    samples=Samples(
        tuple(Case(shapes, {"shape": whole}) for shapes, whole in (
            (((4,), (4,)), (3,)), (((3, 2), (3,)), (3, 2)), (((0, 5), (0,)), (3, 5)), (((2, 2, 70), (2,)), (4, 2, 70)),
        )),
        (Domain(), INDEX),
        wrong=(Wrong(((3, 2), (2,)), ValueError, ("ScatterRows", "'values'", "[3, 2]"), (dt.float32, dt.int64), {"shape": (3, 2)}),
               Wrong(((2, 2), (2,)), ValueError, ("ScatterRows", "'shape'", "(3,)"), (dt.float32, dt.int64), {"shape": (3,)}),
               Wrong(((2, 2), (2,)), TypeError, ("ScatterRows", "'indices'"), (dt.float32, dt.float32), {"shape": (3, 2)})),
    ),
    doc="Zeros of a shape with slices added at indices of the first dimension.",
)  # fmt: skip


def _infer_sums(values: TensorType, indices: TensorType, rows: int) -> TensorType:
    _check_rows("RowSums", values, indices)
    return values


def _sums(values: Any, indices: Any, rows: int) -> Any:
    whole = _scatter(values, indices, (rows, *values.shape[1:]))
    return whole[counted(indices, rows)]


def _expand_sums(b: Any, values: Any, indices: Any, rows: int) -> Any:
    """Equal indices get one number, the rank of their value among all: slices are added under that number and taken from there."""
    (count,), rest = b.shape(indices), b.shape(values)[1:]
    if count < 2:
        return values
    narrow = dt.int32 if rows < _MOST_NARROW else dt.int64
    given = indices if b.dtype(indices) is narrow else b.cast(indices, dtype=narrow)
    given = b.select(b.less(given, 0), b.add(given, b.const(rows, narrow)), given)
    order = b.sort_positions(given)
    ordered = b.gather(given, order, axis=0)
    later = b.strided_slice(ordered, begin=(1,), end=(count,), strides=(1,))
    earlier = b.strided_slice(ordered, begin=(0,), end=(count - 1,), strides=(1,))
    ranks = b.running_sum(b.cast(b.not_equal(later, earlier), dtype=dt.int64), axis=0, reverse=False)
    ranks = b.concat(b.full(shape=(1,), value=0, dtype=dt.int64), ranks, axis=0)
    line = axis_walk((count,), (count,), 0, 0)
    own = b.scatter_strided(b.zeros_like(ranks), ranks, as_index(b, order), walk=line, kind="set")
    walk = axis_walk((count, *rest), (count,), 0, 0)
    sums = accumulated(b, b.zeros_like(values), values, (own,), walk, "add")
    return b.gather_strided(sums, own, walk=walk)


operator(
    "RowSums", "values, indices", attrs={"rows": REQUIRED}, infer=_infer_sums, reference=_sums, expand=_expand_sums,
    gradient=lambda b, values, indices, out, d, rows: (b.row_sums(d, indices, rows=rows), None), dtypes=dt.NUMBERS, may_fail=True,
    samples=Samples(
        tuple(Case(shapes, {"rows": 3}) for shapes in (((5,), (5,)), ((1, 2), (1,)), ((6, 3), (6,)), ((0, 5), (0,)), ((4, 2, 70), (4,)))),
        (Domain(), INDEX),
        wrong=(Wrong(((3, 2), (2,)), ValueError, ("RowSums", "'values'", "[3, 2]"), (dt.float32, dt.int64), {"rows": 3}),),
    ),
    doc="Each slice replaced by the sum of all slices with the same index.",
)  # fmt: skip


def _gather_gradient(b: Any, x: Any, indices: Any, out: Any, d: Any, axis: int) -> tuple[Any, None]:
    shape, index = b.shape(x), b.shape(indices)
    if axis % len(shape):
        return accumulated(
            b, b.zeros_like(x), d, (as_index(b, indices),), axis_walk(shape, index, axis % len(shape), 0), "add"
        ), None
    count = prod(index)
    rows = b.reshape(d, shape=(count, *shape[1:])), b.reshape(indices, shape=(count,))
    return b.scatter_rows(*rows, shape=shape), None


def _infer_gather(x: TensorType, indices: TensorType, axis: int) -> TensorType:
    check_indices("SparseGatherV2", "input_indices", indices)
    check_rank("SparseGatherV2", "input_params", x, 1)
    return TensorType(x.dtype, axis_walk(x.shape, indices.shape, checked_axis("SparseGatherV2", x, axis), 0).sizes)


operator(
    "SparseGatherV2", "input_params, input_indices", attrs={"axis": REQUIRED}, infer=_infer_gather,
    reference=lambda x, indices, axis: find("Gather").reference(x, indices, axis=axis, batch_dims=0),
    gradient=_gather_gradient, expand=lambda b, x, indices, axis: b.gather(x, indices, axis=axis, batch_dims=0),
    dtypes=dt.ALL, may_fail=True, call=("input_params", "input_indices", "axis"),
    samples=Samples(
        tuple(Case((x, i), {"axis": a}) for x, i, a in (
            ((5,), (3,), 0), ((3, 4), (2,), 1), ((3, 4), (2, 3), 0), ((2, 3, 4), (), -2), ((2, 3), (0,), 0), ((4, 65), (3,), 0),
        )),
        (Domain(), INDEX),
        wrong=(Wrong(((3,), (2,)), TypeError, ("SparseGatherV2", "'input_indices'", "Float32"), (dt.float32, dt.float32), {"axis": 0}),
               Wrong(((3,), (2,)), ValueError, ("SparseGatherV2", "'axis'", "1"), (dt.float32, dt.int64), {"axis": 1})),
    ),
    doc="Slices along one dimension, chosen by indices. The gradient of a Parameter names the slices that were taken: a `RowTensor`.",
)  # fmt: skip
