"""Tensors made from attributes, or in the likeness of another."""

from __future__ import annotations

from math import ceil
from numbers import Integral
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, normalize_axis
from mindspore.ir.operator import REQUIRED, NotDifferentiable
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Elementwise
from mindspore.primitives.declare import check_dtype, check_same_dtype, operator, unary
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

CONSTANT = NotDifferentiable("the result does not depend on a tensor")


def _checked(op: str, shape: Any, dtype: DType) -> TensorType:
    if any(not isinstance(d, Integral) or d < 0 for d in shape):
        raise ValueError(f"{op}: attribute 'shape' must hold integers that are not negative, but got {tuple(shape)}.")
    if dtype not in dt.ALL:
        raise TypeError(f"{op}: attribute 'dtype' must be an element type, but got {dtype!r}.")
    return TensorType(dtype, tuple(shape))


def _infer_full(shape: Any, value: Any, dtype: DType) -> TensorType:
    if isinstance(value, str | bytes | None):
        raise TypeError(f"Full: attribute 'value' must be a number, but got {value!r}.")
    return _checked("Full", shape, dtype)


operator(
    "Full", "", attrs={"shape": REQUIRED, "value": REQUIRED, "dtype": dt.float32},
    infer=_infer_full,
    reference=lambda shape, value, dtype: np.full(shape, np.asarray(value).astype(dt.to_numpy(dtype))), gradient=CONSTANT,
    compute=Elementwise(lambda s, shape, value, dtype: s.const(value, dtype)),
    samples=Samples(
        tuple(Case((), {"shape": (2, 3), "value": 1, "dtype": t}) for t in dt.ALL)
        + tuple(Case((), {"shape": s, "value": 2.5, "dtype": dt.float32}) for s in ((), (0,), (70,))),
        wrong=(Wrong((), ValueError, ("Full", "'shape'", "-1"), (), {"shape": (2, -1), "value": 0}),
               Wrong((), TypeError, ("Full", "'dtype'", "'real'"), (), {"shape": (2,), "value": 0, "dtype": "real"})),
    ),
    doc="A tensor of one value.",
)  # fmt: skip


def _infer_iota(shape: Shape, dimension: int, dtype: DType) -> TensorType:
    checked = _checked("Iota", shape, dtype)
    check_dtype("Iota", "dtype", checked, dt.REAL)
    if not 0 <= dimension < checked.rank:
        raise ValueError(
            f"Iota: attribute 'dimension' must be in [0, {checked.rank}) for shape {tuple(shape)}, but got {dimension}."
        )
    return checked


def _iota(shape: Shape, dimension: int, dtype: DType) -> Any:
    along = [-1 if i == dimension else 1 for i in range(len(shape))]
    return np.broadcast_to(np.arange(shape[dimension]).reshape(along), shape).astype(dt.to_numpy(dtype))


operator(
    "Iota", "", attrs={"shape": REQUIRED, "dimension": 0, "dtype": dt.int64}, infer=_infer_iota, reference=_iota,
    gradient=CONSTANT, compute=Elementwise(lambda s, shape, dimension, dtype: s.cast(s.index(dimension), dtype)),
    samples=Samples(
        (*(Case((), {"shape": (3, 4), "dimension": 1, "dtype": t}) for t in dt.REAL), Case((), {"shape": (3, 0), "dimension": 0}),
         Case((), {"shape": (2, 3, 4), "dimension": 1}), Case((), {"shape": (67,)})),
        wrong=(Wrong((), ValueError, ("Iota", "'dimension'", "2"), (), {"shape": (2, 3), "dimension": 2}),),
    ),
    doc="Each element's own position in one dimension.",
)  # fmt: skip


def _count(start: float, stop: float, step: float) -> int:
    for name, value in (("start", start), ("stop", stop), ("step", step)):
        if isinstance(value, str | bytes | None):
            raise TypeError(f"Arange: attribute '{name}' must be a number, but got {value!r}.")
    if step == 0:
        raise ValueError("Arange: attribute 'step' must not be 0.")
    return max(0, ceil((stop - start) / step))


def _expand_arange(b: Any, start: Any, stop: Any, step: Any, dtype: DType) -> Any:
    steps = b.iota(shape=(_count(start, stop, step),), dimension=0, dtype=dtype)
    return b.add(b.mul(steps, b.const(step, dtype)), b.const(start, dtype))


def _arange(start: Any, stop: Any, step: Any, dtype: DType) -> Any:
    return (np.arange(_count(start, stop, step)) * step + start).astype(dt.to_numpy(dtype))


operator(
    "Arange", "", attrs={"start": 0, "stop": REQUIRED, "step": 1, "dtype": dt.int64},
    infer=lambda start, stop, step, dtype: _checked("Arange", (_count(start, stop, step),), dtype), reference=_arange,
    gradient=CONSTANT, expand=_expand_arange,
    samples=Samples(
        (Case((), {"stop": 5}), Case((), {"start": 7, "stop": 0, "step": -2}), Case((), {"start": 3, "stop": 3}),
         Case((), {"start": 0.5, "stop": 3, "step": 0.25, "dtype": dt.float32}), Case((), {"stop": 9, "dtype": dt.float64})),
        wrong=(Wrong((), ValueError, ("Arange", "'step'"), (), {"stop": 3, "step": 0}),),
    ),
    doc="The numbers from start to below stop in equal steps.",
)  # fmt: skip


def _expand_eye(b: Any, n: int, m: int | None, dtype: DType) -> Any:
    shape = (n, n if m is None else m)
    row, column = (b.iota(shape=shape, dimension=i, dtype=dt.int64) for i in (0, 1))
    return b.cast(b.equal(row, column), dtype=dtype)


operator(
    "Eye", "", attrs={"n": REQUIRED, "m": None, "dtype": dt.float32},
    infer=lambda n, m, dtype: _checked("Eye", (n, n if m is None else m), dtype),
    reference=lambda n, m, dtype: np.eye(n, m, dtype=dt.to_numpy(dtype)), gradient=CONSTANT, expand=_expand_eye,
    samples=Samples(
        (*tuple(Case((), {"n": 3, "m": 4, "dtype": t}) for t in dt.ALL), Case((), {"n": 3}), Case((), {"n": 0, "m": 2})),
        wrong=(Wrong((), ValueError, ("Eye", "'shape'", "-2"), (), {"n": -2}),),
    ),
    call=("n", "m", "dtype"), doc="Ones on the diagonal.",
)  # fmt: skip

unary("ZerosLike", lambda s, x: s.const(0, x.dtype), np.zeros_like, CONSTANT, dtypes=dt.ALL)
unary("OnesLike", lambda s, x: s.const(1, x.dtype), np.ones_like, CONSTANT, dtypes=dt.ALL)


def _infer_one_hot(indices: TensorType, on: TensorType, off: TensorType, depth: int, axis: int) -> TensorType:
    check_dtype("OneHot", "indices", indices, (dt.int32, dt.int64, dt.uint8))
    check_dtype("OneHot", "on_value", on, dt.ALL)
    check_same_dtype("OneHot", ("on_value", "off_value"), (on, off))
    if on.rank or off.rank:
        raise ValueError(
            f"OneHot: arguments 'on_value' and 'off_value' must have no dimensions, but got {on} and {off}."
        )
    if depth < 0:
        raise ValueError(f"OneHot: attribute 'depth' must not be negative, but got {depth}.")
    if not -1 <= axis <= indices.rank:
        raise ValueError(
            f"OneHot: attribute 'axis' must be in [-1, {indices.rank}] for 'indices' {indices}, but got {axis}."
        )
    place = normalize_axis(axis, indices.rank + 1)
    return TensorType(on.dtype, (*indices.shape[:place], depth, *indices.shape[place:]))


def _hits(b: Any, indices: Any, depth: int, axis: int) -> Any:
    """Where a class is the one that is asked for: Bool of the result's shape."""
    rank = len(b.shape(indices)) + 1
    place = normalize_axis(axis, rank)
    along = tuple(depth if i == place else 1 for i in range(rank))
    classes = b.iota(shape=along, dimension=place, dtype=b.dtype(indices))
    return b.equal(b.expand_dims(indices, axis=place), classes)


def _expand_one_hot(b: Any, indices: Any, on: Any, off: Any, depth: int, axis: int) -> Any:
    return b.select(_hits(b, indices, depth, axis), on, off)


def _one_hot(indices: Any, on: Any, off: Any, depth: int, axis: int) -> Any:
    place = normalize_axis(axis, indices.ndim + 1)
    classes = np.arange(depth).reshape([-1 if i == place else 1 for i in range(indices.ndim + 1)])
    return np.where(np.expand_dims(indices, place) == classes, on, off)


def _one_hot_gradient(
    b: Any, indices: Any, on: Any, off: Any, out: Any, d: Any, depth: int, axis: int
) -> tuple[Any, ...]:
    hits = _hits(b, indices, depth, axis)
    return None, b.sum_to(b.select(hits, d, 0), ()), b.sum_to(b.select(hits, 0, d), ())


operator(
    "OneHot", "indices, on_value, off_value", attrs={"depth": REQUIRED, "axis": -1}, infer=_infer_one_hot,
    reference=_one_hot, gradient=_one_hot_gradient, expand=_expand_one_hot, dtypes=(dt.int32, dt.int64, dt.uint8),
    samples=Samples(
        tuple(Case((s, (), ()), {"depth": 4, "axis": a}) for s, a in (((5,), -1), ((5,), 0), ((2, 3), 1), ((), -1), ((0, 2), 0))),
        (Domain(-2, 6, dtype=dt.int32), Domain()),
        wrong=(Wrong(((2,), (), ()), ValueError, ("OneHot", "'axis'", "3"), (dt.int32, dt.float32, dt.float32),
                     {"depth": 2, "axis": 3}),
               Wrong(((2,), (), ()), TypeError, ("OneHot", "'indices'", "Float32"), (dt.float32,) * 3, {"depth": 2})),
    ),
    call=("indices", "depth", "on_value", "off_value"),
    doc="on_value where an index names the class along the new axis, off_value elsewhere; out of range names no class.",
)  # fmt: skip
