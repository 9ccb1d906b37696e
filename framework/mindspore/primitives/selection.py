"""Choosing between values, and converting them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives import rows
from mindspore.primitives.compute import Elementwise
from mindspore.primitives.declare import (
    broadcast_shape,
    check_dtype,
    check_same_dtype,
    elementwise_gradient,
    operator,
    quiet,
    wide,
)
from mindspore.primitives.samples import TERNARY, Case, Domain, Samples, Wrong, cases

MASK = Domain(dtype=dt.bool_)
_SELECT = ("condition", "x", "y")


def _infer_select(condition: TensorType, x: TensorType, y: TensorType) -> TensorType:
    check_dtype("Select", "condition", condition, (dt.bool_,))
    check_dtype("Select", "x", x, dt.ALL)
    check_same_dtype("Select", ("x", "y"), (x, y))
    return TensorType(x.dtype, broadcast_shape("Select", _SELECT, (condition, x, y)))


operator(
    "Select", "condition, x, y", infer=_infer_select, reference=np.where,
    gradient=elementwise_gradient(
        None,
        lambda b, condition, x, y, out, d: b.select(condition, d, 0),
        lambda b, condition, x, y, out, d: b.select(condition, 0, d),
    ),
    compute=Elementwise(lambda s, condition, x, y: s.select(condition, x, y)), promote="rest", dtypes=(dt.bool_,),
    samples=Samples(
        TERNARY, (MASK, Domain()), specials=True,
        wrong=(Wrong(((2,), (3,), ()), ValueError, ("Select", "'condition'", "'x'", "[3]"), (dt.bool_, dt.float32, dt.float32)),
               Wrong(((2,), (2,), ()), TypeError, ("Select", "'condition'", "Int32"), (dt.int32, dt.float32, dt.float32))),
    ),
    doc="x where the condition is true, y elsewhere.",
)  # fmt: skip


def _infer_cast(x: TensorType, dtype: DType) -> TensorType:
    check_dtype("Cast", "x", x, dt.ALL)
    if dtype not in dt.ALL:
        names = ", ".join(str(t) for t in dt.ALL)
        raise TypeError(f"Cast: attribute 'dtype' must be one of {names}, but got {dtype!r}.")
    return TensorType(dtype, x.shape)


def _to_integer(x: Any, kind: Any) -> Any:
    """Floating numbers cut to integers as x86 does on every processor: what does not fit becomes the lowest number, then wraps."""
    bits = 32 if kind.itemsize < 4 or kind == np.int32 else 64
    limit, cut = 2.0 ** (bits - 1), np.trunc(x.astype(np.float64))
    whole = np.where((cut >= -limit) & (cut < limit), cut, -limit).astype(np.int64)
    if kind != np.uint64:
        return whole.astype(kind)
    above = (cut >= limit) & (cut < 2 * limit)
    return np.where(above, np.where(above, cut - limit, 0).astype(kind) + kind.type(2**63), whole.astype(kind))


def _cast(x: Any, dtype: DType) -> Any:
    kind = dt.to_numpy(dtype)
    if x.dtype.kind == "c" and not dtype.is_complex:
        x = x != 0 if dtype is dt.bool_ else x.real
    floating = dt.from_numpy(x.dtype).is_floating
    return _to_integer(x, kind) if floating and dtype.is_integer else x.astype(kind)


def _cast_gradient(b: Any, x: Any, out: Any, d: Any, dtype: DType) -> tuple[Any]:
    source = b.dtype(x)
    passes = dtype.is_floating if source.is_floating else source.is_integer and (dtype.is_floating or dtype.is_integer)
    return (b.cast(d, dtype=source) if passes else None,)


operator(
    "Cast", "x", attrs={"dtype": REQUIRED}, infer=_infer_cast, gradient=_cast_gradient,
    reference=quiet(_cast),
    compute=Elementwise(lambda s, x, dtype: s.cast(x, dtype)), dtypes=dt.ALL, call=("x", "dtype"),
    samples=Samples(
        tuple(Case(((2, 3),), {"dtype": t}) for t in dt.ALL) + cases(((),), ((0,),), dtype=dt.float32),
        wrong=(Wrong(((2,),), TypeError, ("Cast", "'dtype'", "'real'"), (dt.float32,), {"dtype": "real"}),),
    ),
    doc="The values as another element type; fractions and imaginary parts are cut off, Bool is whether a value is not zero.",
)  # fmt: skip


def _infer_clip(x: TensorType, low: TensorType, high: TensorType) -> TensorType:
    names = ("x", "clip_value_min", "clip_value_max")
    check_dtype("ClipByValue", "x", x, dt.REAL)
    check_same_dtype("ClipByValue", names, (x, low, high))
    return TensorType(x.dtype, broadcast_shape("ClipByValue", names, (x, low, high)))


def _clip_gradient_x(b: Any, x: Any, low: Any, high: Any, out: Any, d: Any) -> Any:
    return b.select(b.logical_and(b.greater_equal(x, low), b.less_equal(x, high)), d, 0)


operator(
    "ClipByValue", "x, clip_value_min, clip_value_max", infer=_infer_clip,
    reference=quiet(wide(lambda x, low, high: np.minimum(np.maximum(x, low), high))),
    gradient=elementwise_gradient(
        _clip_gradient_x,
        lambda b, x, low, high, out, d: b.select(b.logical_and(b.less(x, low), b.less_equal(low, high)), d, 0),
        lambda b, x, low, high, out, d: b.select(b.logical_or(b.greater(x, high), b.greater(low, high)), d, 0),
    ),
    compute=Elementwise(lambda s, x, low, high: s.minimum(s.maximum(x, low), high)), promote="same", dtypes=dt.REAL,
    samples=Samples(
        TERNARY, (Domain(kinks=(-1.0, 1.0)), Domain(-1.1, -0.9, 0), Domain(0.9, 1.1, 0)), specials=True,
        wrong=(Wrong(((2,), (3,), ()), ValueError, ("ClipByValue", "'clip_value_min'", "[3]")),),
    ),
    doc="x limited to the range; the upper limit wins where the limits are in the wrong order.",
)  # fmt: skip


def _infer_masked_fill(x: TensorType, mask: TensorType, value: TensorType) -> TensorType:
    check_dtype("MaskedFill", "mask", mask, (dt.bool_,))
    check_dtype("MaskedFill", "x", x, dt.ALL)
    check_same_dtype("MaskedFill", ("x", "value"), (x, value))
    if value.rank:
        raise ValueError(f"MaskedFill: argument 'value' must have no dimensions, but got {value}.")
    return TensorType(x.dtype, broadcast_shape("MaskedFill", ("x", "mask"), (x, mask)))


operator(
    "MaskedFill", "x, mask, value", infer=_infer_masked_fill, reference=lambda x, mask, value: np.where(mask, value, x),
    gradient=elementwise_gradient(
        lambda b, x, mask, value, out, d: b.select(mask, 0, d), None, lambda b, x, mask, value, out, d: b.select(mask, d, 0)
    ),
    compute=Elementwise(lambda s, x, mask, value: s.select(mask, value, x)), dtypes=dt.ALL, vmap=rows.masked_fill,
    samples=Samples(
        cases(((2, 3), (2, 3), ()), ((2, 3), (3,), ()), ((3,), (2, 1), ()), ((), (), ()), ((0, 2), (2,), ())),
        (Domain(), MASK, Domain()), specials=True,
        wrong=(Wrong(((2,), (2,), (2,)), ValueError, ("MaskedFill", "'value'", "[2]"), (dt.float32, dt.bool_, dt.float32)),
               Wrong(((2,), (2,), ()), TypeError, ("MaskedFill", "'value'", "Int32"), (dt.float32, dt.bool_, dt.int32))),
    ),
    doc="value where the mask is true, x elsewhere.",
)  # fmt: skip
