"""Folding dimensions of a tensor."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import normalize_axes, normalize_axis
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.compute import ArgReduce
from mindspore.primitives.declare import (
    DISCRETE,
    check_dtype,
    check_rank,
    kept_shape,
    operator,
    reduced_shape,
    reduction,
)
from mindspore.primitives.samples import Domain, Samples, Wrong, cases


def _distinct(rng: Any, shape: Any) -> Any:
    """Values without ties, so that the largest one is not at a kink."""
    return (rng.permutation(prod(shape)) - prod(shape) / 2).reshape(shape) * 0.25


DISTINCT = Domain(draw=_distinct)


def _kept_sum(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.sum(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def _kept_prod(x: Any, axis: Any, keepdims: bool) -> Any:
    return np.prod(x, axis=axis, keepdims=keepdims, dtype=x.dtype)


def _extreme(function: Any, sign: int) -> Any:
    """Maximum or minimum; an empty fold gives the least or the largest value of the type."""

    def run(x: Any, axis: Any, keepdims: bool) -> Any:
        if x.dtype.kind in "iu":
            info = np.iinfo(x.dtype)
            return function(x, axis=axis, keepdims=keepdims, initial=info.min if sign > 0 else info.max)
        return function(x, axis=axis, keepdims=keepdims, initial=-sign * np.inf)

    return run


def _spread(b: Any, x: Any, out: Any, d: Any, axis: Any) -> Any:
    return b.broadcast_to(d, shape=b.shape(x))


def _to_extreme(b: Any, x: Any, out: Any, d: Any, axis: Any) -> Any:
    """The elements that equal the result share its gradient."""
    hits = b.cast(b.equal(x, out), dtype=b.dtype(x))
    return b.mul(hits, b.div(d, b.reduce_sum(hits, axis=axis, keep_dims=True)))


def _shifted_products(b: Any, rows: Any, forward: bool) -> Any:
    """Product of all elements before (or after) each one along the last dimension of a matrix, in log2(n) multiplications."""
    count, n = b.shape(rows)

    def shifted(value: Any, by: int) -> Any:
        border = ((0, 0), (by, 0) if forward else (0, by))
        begin, end = ((0, 0), (count, n)) if forward else ((0, by), (count, n + by))
        return b.strided_slice(b.pad(value, paddings=border, value=1), begin=begin, end=end, strides=(1, 1))

    result, reach = shifted(rows, 1), 1
    while reach < n:
        result, reach = b.mul(result, shifted(result, reach)), reach * 2
    return result


def _product_of_others(b: Any, x: Any, out: Any, d: Any, axis: Any) -> Any:
    """d times the product of all other elements; no division, so zeros are no special case."""
    shape = b.shape(x)
    axes = normalize_axes(axis, len(shape))
    perm = tuple(i for i in range(len(shape)) if i not in axes) + axes
    moved = tuple(shape[p] for p in perm)
    n = prod(shape[a] for a in axes)
    rows = b.reshape(b.transpose(x, perm=perm), shape=(prod(moved) // n if n else 0, n))
    others = b.mul(_shifted_products(b, rows, True), _shifted_products(b, rows, False))
    back = tuple(perm.index(i) for i in range(len(shape)))
    return b.mul(d, b.transpose(b.reshape(others, shape=moved), perm=back))


def _folded(shape: Any, axis: Any) -> int:
    return prod(shape[a] for a in normalize_axes(axis, len(shape)))


def _mean_type(dtype: DType) -> DType:
    """What a mean is computed in: sums of narrow numbers, and their count, may not fit where the mean does."""
    if dtype.is_integer:
        return dt.int64 if dtype.itemsize < 8 else dtype
    return dt.float32 if dtype.itemsize == 2 else dtype


def _as(b: Any, x: Any, dtype: DType) -> Any:
    return x if b.dtype(x) is dtype else b.cast(x, dtype=dtype)


def _expand_mean(b: Any, x: Any, axis: Any, keep_dims: bool) -> Any:
    dtype = _mean_type(b.dtype(x))
    count = b.const(_folded(b.shape(x), axis), dtype)
    summed = b.reduce_sum(_as(b, x, dtype), axis=axis, keep_dims=keep_dims)
    return _as(b, b.real_div(summed, count), b.dtype(x))


def _mean(x: Any, axis: Any, keepdims: bool) -> Any:
    kind = dt.to_numpy(_mean_type(dt.from_numpy(x.dtype)))
    count = prod(x.shape[a] for a in axis)
    total = _kept_sum(x.astype(kind), axis, keepdims)
    if x.dtype.kind not in "iu":
        return (total / kind.type(count)).astype(x.dtype)
    # Rounded to zero: the quotient without what the remainder of the same sign leaves.
    divisor = kind.type(max(count, 1))
    return ((total - np.fmod(total, divisor)) // divisor if count else np.zeros_like(total)).astype(x.dtype)


def _mean_gradient(b: Any, x: Any, out: Any, d: Any, axis: Any) -> Any:
    dtype = _mean_type(b.dtype(x))
    count = b.const(max(_folded(b.shape(x), axis), 1), dtype)
    return b.broadcast_to(_as(b, b.div(_as(b, d, dtype), count), b.dtype(x)), shape=b.shape(x))


reduction(
    "ReduceSum", "sum", _kept_sum, _spread, dtypes=(dt.bool_, *dt.REAL),
    doc="The sum; half-precision numbers are summed in Float32, that of Bool is whether one is true.",
)  # fmt: skip
reduction(
    "ReduceProd", "prod", _kept_prod, _product_of_others, dtypes=(dt.bool_, *dt.REAL), domain=Domain(-1.5, 1.5),
    doc="The product; that of Bool is whether all are true.",
)  # fmt: skip
reduction("ReduceMax", "max", _extreme(np.max, 1), _to_extreme, domain=DISTINCT, doc="NaN where one is folded.")
reduction("ReduceMin", "min", _extreme(np.min, -1), _to_extreme, domain=DISTINCT, doc="NaN where one is folded.")
reduction("ReduceMean", _expand_mean, _mean, _mean_gradient, doc="The mean; that of integers is rounded to zero.")
reduction("ReduceAll", "all", np.all, DISCRETE, dtypes=(dt.bool_,), result=dt.bool_)
reduction("ReduceAny", "any", np.any, DISCRETE, dtypes=(dt.bool_,), result=dt.bool_)


def _index(kind: str) -> None:
    name = f"Arg{kind}Index"

    def infer(x: TensorType, axis: int, keep_dims: bool) -> TensorType:
        check_dtype(name, "x", x, dt.REAL)
        check_rank(name, "x", x, 1)
        shape = reduced_shape(name, x, axis, keep_dims)
        if x.shape[normalize_axis(axis, x.rank)] == 0:
            raise ValueError(f"{name}: the dimension of attribute 'axis' {axis} of argument 'x' {x} must not be empty.")
        return TensorType(dt.int32, shape)

    def reference(x: Any, axis: int, keep_dims: bool) -> Any:
        return np.asarray(getattr(np, f"arg{kind}")(x, axis=axis, keepdims=keep_dims)).astype(np.int32)

    samples = Samples(
        cases(((5,),), ((2, 3),), ((2, 3, 4),), ((0, 3),), ((3, 70),), axis=-1, keep_dims=False)
        + cases(((2, 3),), ((2, 3, 4),), axis=0, keep_dims=True),
        specials=True,
        wrong=(Wrong(((2, 3),), ValueError, (name, "axis", "2"), (), {"axis": 2}),
               Wrong(((2, 0),), ValueError, (name, "'x'", "empty"), (), {"axis": 1}),
               Wrong(((),), ValueError, (name, "'x'", "at least 1"), (), {"axis": 0})),
    )  # fmt: skip
    operator(
        name, "x", f"arg{kind}_index", {"axis": -1, "keep_dims": False}, infer=infer, reference=reference, gradient=DISCRETE,
        compute=ArgReduce(kind), dtypes=dt.REAL, samples=samples, doc=f"Int32 position of the first {kind}imum; NaN counts as one.",
    )  # fmt: skip


def _position(kind: str) -> None:
    name = f"Arg{kind}"

    def infer(x: TensorType, axis: int, output_type: DType) -> TensorType:
        check_dtype(name, "x", x, dt.REAL)
        check_rank(name, "x", x, 1)
        if output_type not in (dt.int32, dt.int64):
            raise TypeError(f"{name}: attribute 'output_type' must be Int32 or Int64, but got {output_type}.")
        return TensorType(output_type, reduced_shape(name, x, axis, False))

    def expand(b: Any, x: Any, axis: int, output_type: DType) -> Any:
        found = getattr(b, f"arg{kind}_index")(x, axis=axis)
        return found if output_type is dt.int32 else b.cast(found, dtype=output_type)

    def reference(x: Any, axis: int, output_type: DType) -> Any:
        return np.asarray(getattr(np, f"arg{kind}")(x, axis=axis)).astype(dt.to_numpy(output_type))

    samples = Samples(
        cases(((5,),), ((2, 3),), axis=-1) + cases(((2, 3, 4),), axis=1, output_type=dt.int64),
        wrong=(Wrong(((2, 3),), ValueError, (name, "axis", "2"), (), {"axis": 2}),
               Wrong(((2, 3),), TypeError, (name, "'output_type'", "Int8"), (), {"output_type": dt.int8})),
    )  # fmt: skip
    operator(
        name, "x", attrs={"axis": -1, "output_type": dt.int32}, infer=infer, reference=reference, gradient=DISCRETE,
        expand=expand, dtypes=dt.REAL, samples=samples, doc=f"Position of the first {kind}imum along one dimension.",
    )  # fmt: skip


def _with_value(kind: str) -> None:
    name = f"Arg{kind.capitalize()}WithValue"

    def infer(x: TensorType, axis: int, keep_dims: bool) -> TupleType:
        check_dtype(name, "x", x, dt.REAL)
        check_rank(name, "x", x, 1)
        shape = reduced_shape(name, x, axis, keep_dims)
        return TupleType((TensorType(dt.int64, shape), TensorType(x.dtype, shape)))

    def expand(b: Any, x: Any, axis: int, keep_dims: bool) -> Any:
        found = getattr(b, f"arg{kind}_index")(x, axis=axis, keep_dims=keep_dims)
        return b.tuple([b.cast(found, dtype=dt.int64), getattr(b, f"reduce_{kind}")(x, axis=axis, keep_dims=keep_dims)])

    def reference(x: Any, axis: int, keep_dims: bool) -> Any:
        found = np.asarray(getattr(np, f"arg{kind}")(x, axis=axis, keepdims=keep_dims)).astype(np.int64)
        return found, np.asarray(getattr(np, kind)(x, axis=axis, keepdims=keep_dims))

    def gradient(b: Any, x: Any, out: Any, d: Any, axis: int, keep_dims: bool) -> tuple[Any]:
        if d[1] is None:
            return (None,)
        shape, kept = b.shape(x), kept_shape(b, x, axis)
        place = normalize_axis(axis, len(shape))
        along = tuple(n if i == place else 1 for i, n in enumerate(shape))
        positions = b.iota(shape=along, dimension=place, dtype=dt.int64)
        chosen = b.equal(positions, b.reshape(out[0], shape=kept))
        return (b.select(chosen, b.reshape(d[1], shape=kept), 0),)

    samples = Samples(
        cases(((5,),), ((2, 3),), ((2, 3, 4),), axis=-1, keep_dims=False) + cases(((2, 3, 4),), axis=1, keep_dims=True),
        (DISTINCT,), wrong=(Wrong(((2, 3),), ValueError, (name, "axis", "2"), (), {"axis": 2}),),
    )  # fmt: skip
    operator(
        name, "x", f"arg{kind}_with_value", {"axis": 0, "keep_dims": False}, infer=infer, reference=reference,
        gradient=gradient, expand=expand, dtypes=dt.REAL, samples=samples,
        doc=f"Position and value of the first {kind}imum along one dimension; the first one alone has the gradient.",
    )  # fmt: skip


for _kind in ("max", "min"):
    _index(_kind)
    _position(_kind)
    _with_value(_kind)
