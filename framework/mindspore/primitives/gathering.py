"""Elements chosen by tensors of indices; negative indices count from the end, those out of bounds are an IndexError at run time."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, row_major_strides
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Pick, Walk
from mindspore.primitives.declare import Rule, check_dtype, check_rank, operator
from mindspore.primitives.movement import checked_axis
from mindspore.primitives.samples import Case, Domain, Samples, Wrong
from mindspore.primitives.strided import accumulated, out_of_bounds

Places = Callable[..., tuple[Walk, tuple[Any, ...]]]
"""``(b, shape of x, indices, **attrs)`` -> how x is walked, and the index tensors that the walk reads."""


def as_index(b: Any, indices: Any) -> Any:
    """`indices` as Int64, which is what walks read."""
    return indices if b.dtype(indices) is dt.int64 else b.cast(indices, dtype=dt.int64)


def check_indices(op: str, argument: str, given: TensorType) -> None:
    check_dtype(op, argument, given, dt.INTEGERS)


def counted(indices: Any, size: int) -> Any:
    """numpy's indices counted from the first element; IndexError as kernels raise it."""
    wrong = (indices < -size) | (indices >= size)
    if wrong.any():
        raise out_of_bounds(int(indices[wrong].flat[0]), size)
    return np.where(indices < 0, indices + size, indices).astype(np.int64)


def gathering(
    name: str, inputs: str, places: Places, infer: Rule, reference: Rule, samples: Samples, **facts: Any
) -> None:
    """An operator of a tensor and indices whose result is the tensor walked as `places` says."""

    def expand(b: Any, x: Any, indices: Any, **attrs: Any) -> Any:
        walk, tensors = places(b, b.shape(x), indices, **attrs)
        return b.gather_strided(x, *tensors, walk=walk)

    def gradient(b: Any, x: Any, indices: Any, out: Any, d: Any, **attrs: Any) -> tuple[Any, ...]:
        walk, tensors = places(b, b.shape(x), indices, **attrs)
        return accumulated(b, b.zeros_like(x), d, tensors, walk, "add"), None

    operator(
        name, inputs, infer=infer, reference=reference, gradient=gradient, expand=expand, may_fail=True, samples=samples, dtypes=dt.ALL,
        **facts,
    )  # fmt: skip


INDEX = Domain(-2, 1, dtype=dt.int64)


def axis_walk(shape: Shape, index: Shape, axis: int, batch_dims: int) -> Walk:
    """Whole rows of a tensor of `shape`: the dimensions of `index` stand where `axis` was."""
    own, along = row_major_strides(shape), row_major_strides(index)
    new = len(index) - batch_dims
    strides = (*own[:axis], *(0,) * new, *own[axis + 1 :])
    chosen = (*along[:batch_dims], *(0,) * (axis - batch_dims), *along[batch_dims:], *(0,) * (len(shape) - axis - 1))
    sizes = (*shape[:axis], *index[batch_dims:], *shape[axis + 1 :])
    return Walk(sizes, 0, strides, (Pick(chosen, shape[axis], own[axis]),))


def _batch(op: str, x: TensorType, indices: TensorType, axis: int, batch_dims: int) -> tuple[int, int]:
    check_rank(op, "input_params", x, 1)
    place = checked_axis(op, x, axis)
    batch = batch_dims + indices.rank if batch_dims < 0 else batch_dims
    if not 0 <= batch <= min(indices.rank, place):
        raise ValueError(
            f"{op}: attribute 'batch_dims' must be in [0, {min(indices.rank, place)}] for axis {axis} of 'input_params' {x} and "
            f"'input_indices' {indices}, but got {batch_dims}."
        )
    if x.shape[:batch] != indices.shape[:batch]:
        raise ValueError(
            f"{op}: the first {batch} dimension(s) of 'input_params' {x} and 'input_indices' {indices} must be equal."
        )
    return place, batch


def _infer_gather(x: TensorType, indices: TensorType, axis: int, batch_dims: int) -> TensorType:
    check_indices("Gather", "input_indices", indices)
    place, batch = _batch("Gather", x, indices, axis, batch_dims)
    return TensorType(x.dtype, axis_walk(x.shape, indices.shape, place, batch).sizes)


def _gather_places(b: Any, shape: Shape, indices: Any, axis: int, batch_dims: int) -> tuple[Walk, tuple[Any, ...]]:
    index = b.shape(indices)
    place, batch = _batch("Gather", TensorType(dt.int64, shape), TensorType(dt.int64, index), axis, batch_dims)
    return axis_walk(shape, index, place, batch), (as_index(b, indices),)


def _gather(x: Any, indices: Any, axis: int, batch_dims: int) -> Any:
    place = axis % x.ndim
    batch = batch_dims % max(indices.ndim, 1) if batch_dims < 0 else batch_dims
    taken = counted(indices, x.shape[place])
    if not batch:
        return np.take(x, taken, place)
    rows = [np.take(x[i], taken[i], place - batch) for i in np.ndindex(*x.shape[:batch])]
    whole = axis_walk(x.shape, indices.shape, place, batch).sizes
    return np.stack(rows).reshape(whole) if rows else np.zeros(whole, x.dtype)


gathering(
    "Gather", "input_params, input_indices", _gather_places, _infer_gather, _gather,
    Samples(
        tuple(Case((x, i), {"axis": a, "batch_dims": n}) for x, i, a, n in (
            ((5,), (3,), 0, 0), ((3, 4), (2,), 1, 0), ((3, 4), (2, 3), 0, 0), ((2, 3, 4), (), -2, 0), ((2, 3), (0,), 1, 0),
            ((4, 65), (3,), 0, 0), ((2, 3, 4), (2, 2), 1, 1), ((2, 3, 4), (2, 3), 2, -1),
        )),
        (Domain(), INDEX),
        wrong=(Wrong(((3,), (2,)), TypeError, ("Gather", "'input_indices'", "Float32"), (dt.float32, dt.float32), {"axis": 0}),
               Wrong(((3,), (2,)), ValueError, ("Gather", "'axis'", "1"), (dt.float32, dt.int64), {"axis": 1}),
               Wrong(((2, 3), (3, 2)), ValueError, ("Gather", "[2, 3]", "[3, 2]", "equal"), (dt.float32, dt.int64),
                     {"axis": 1, "batch_dims": 1}),
               Wrong(((2, 3), (2,)), ValueError, ("Gather", "'batch_dims'", "2"), (dt.float32, dt.int64), {"axis": 1, "batch_dims": 2})),
    ),
    attrs={"axis": REQUIRED, "batch_dims": 0}, call=("input_params", "input_indices", "axis"),
    doc="Slices along one dimension, chosen by indices; the dimensions of the indices take its place.",
)  # fmt: skip


def point_walk(b: Any, shape: Shape, indices: Any) -> tuple[Walk, tuple[Any, ...]]:
    """The last dimension of `indices` names one element in each of the first dimensions; the rest is walked whole."""
    *lead, depth = b.shape(indices)
    own, along = row_major_strides(shape), row_major_strides(lead)
    rest = shape[depth:]
    picks = tuple(Pick((*along, *(0,) * len(rest)), shape[k], own[k]) for k in range(depth))
    walk = Walk((*lead, *rest), 0, ((0,) * len(lead)) + own[depth:], picks)
    index, whole = as_index(b, indices), (1,) * (len(lead) + 1)
    columns = []
    for k in range(depth):
        part = b.strided_slice(index, begin=(*(0,) * len(lead), k), end=(*lead, k + 1), strides=whole)
        columns.append(b.reshape(part, shape=tuple(lead)))
    return walk, tuple(columns)


def check_points(op: str, shape: Shape, indices: TensorType) -> Shape:
    """The shape of what the points take out of a tensor of `shape`."""
    check_indices(op, "indices", indices)
    check_rank(op, "indices", indices, 1)
    if indices.shape[-1] > len(shape):
        raise ValueError(
            f"{op}: the last dimension of argument 'indices' {indices} must not be larger than the {len(shape)} dimension(s) of the "
            f"indexed shape {list(shape)}."
        )
    return (*indices.shape[:-1], *shape[indices.shape[-1] :])


def points(indices: Any, shape: Shape) -> tuple[Any, ...]:
    """numpy's index for the elements that `indices` name."""
    return tuple(counted(indices[..., k], shape[k]) for k in range(indices.shape[-1]))


gathering(
    "GatherNd", "input_x, indices", point_walk,
    lambda x, indices: TensorType(x.dtype, check_points("GatherNd", x.shape, indices)),
    lambda x, indices: x[points(indices, x.shape)].copy(),
    Samples(
        tuple(Case(s) for s in (((3, 4), (5, 2)), ((3, 4), (2, 1)), ((2, 3, 4), (2, 2, 2)), ((3,), (1,)), ((2, 3), (0, 2)))),
        (Domain(), INDEX),
        wrong=(Wrong(((3,), (2, 2)), ValueError, ("GatherNd", "'indices'", "[2, 2]", "[3]"), (dt.float32, dt.int64)),
               Wrong(((3,), ()), ValueError, ("GatherNd", "'indices'", "at least 1"), (dt.float32, dt.int64)),
               Wrong(((3,), (1,)), TypeError, ("GatherNd", "'indices'", "Float32"), (dt.float32, dt.float32))),
    ),
    doc="Elements or slices at points: the last dimension of the indices names a place in each of the first dimensions.",
)  # fmt: skip


def along_walk(b: Any, shape: Shape, indices: Any, dim: int) -> tuple[Walk, tuple[Any, ...]]:
    """Every index names a place along `dim`; its own position names the others."""
    index, own = b.shape(indices), row_major_strides(shape)
    place = dim % len(shape) if shape else 0
    strides = tuple(0 if i == place else s for i, s in enumerate(own))
    if not shape:
        return Walk((), 0, (), (Pick((), 1, 1),)), (as_index(b, indices),)
    return Walk(index, 0, strides, (Pick(row_major_strides(index), shape[place], own[place]),)), (as_index(b, indices),)


def check_along(op: str, x: TensorType, dim: int, index: TensorType, names: tuple[str, str]) -> int:
    """The dimension; ValueError where the indices go beyond the tensor in another one."""
    check_indices(op, names[1], index)
    place = checked_axis(op, TensorType(x.dtype, x.shape or (1,)), dim)
    if index.rank != x.rank or any(
        i > n for k, (i, n) in enumerate(zip(index.shape, x.shape, strict=False)) if k != place
    ):
        raise ValueError(
            f"{op}: argument {names[1]!r} {index} must have as many dimensions as {names[0]!r} {x}, and not be larger but along "
            f"dimension {place}."
        )
    return place


def _infer_gather_d(x: TensorType, index: TensorType, dim: int) -> TensorType:
    check_along("GatherD", x, dim, index, ("x", "index"))
    return TensorType(x.dtype, index.shape)


def _gather_d(x: Any, index: Any, dim: int) -> Any:
    if not x.ndim:
        counted(index, 1)
        return x.copy()
    place = dim % x.ndim
    taken = counted(index, x.shape[place])
    kept = x[tuple(slice(None) if i == place else slice(n) for i, n in enumerate(index.shape))]
    return np.take_along_axis(kept, taken, place) if prod(index.shape) else np.zeros(index.shape, x.dtype)


gathering(
    "GatherD", "x, index", along_walk, _infer_gather_d, _gather_d,
    Samples(
        tuple(Case((x, i), {"dim": d}) for x, i, d in (
            ((5,), (3,), 0), ((3, 4), (3, 2), 1), ((3, 4), (2, 4), -2), ((3, 4), (3, 7), 1), ((2, 3, 4), (1, 5, 2), 1), ((), (), 0),
            ((2, 3), (0, 3), 0), ((3, 70), (2, 70), 0),
        )),
        (Domain(), Domain(-1, 0, dtype=dt.int64)),
        wrong=(Wrong(((3, 4), (4, 4)), ValueError, ("GatherD", "'index'", "[4, 4]", "[3, 4]"), (dt.float32, dt.int64), {"dim": 1}),
               Wrong(((3,), (2,)), TypeError, ("GatherD", "'index'", "Float32"), (dt.float32, dt.float32), {"dim": 0}),
               Wrong(((3,), (2,)), ValueError, ("GatherD", "'axis'", "1"), (dt.float32, dt.int64), {"dim": 1})),
    ),
    attrs={"dim": REQUIRED}, call=("x", "dim", "index"), doc="Along one dimension each index names the element for its own position.",
)  # fmt: skip
