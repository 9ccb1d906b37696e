"""Running sums and products, and the linear recurrences that are their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import normalize_axis
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Accumulate
from mindspore.primitives.declare import check_dtype, check_rank, operator, quiet, wide
from mindspore.primitives.movement import checked_axis, one
from mindspore.primitives.samples import Case, Domain, Samples, Wrong


def checked_rows(op: str, x: TensorType, axis: Any, allowed: tuple[DType, ...] = dt.REAL) -> TensorType:
    check_dtype(op, "x", x, allowed)
    check_rank(op, "x", x, 1)
    checked_axis(op, x, axis)
    return x


def shifted(b: Any, x: Any, axis: int, by: int) -> Any:
    """`x` moved by one position along `axis`, to later ones when `by` is 1, with 0 where nothing comes from."""
    shape = b.shape(x)
    border = tuple(((1, 0) if by > 0 else (0, 1)) if i == axis else (0, 0) for i in range(len(shape)))
    begin = tuple(int(i == axis and by < 0) for i in range(len(shape)))
    end = tuple(n + p for n, p in zip(shape, begin, strict=True))
    return b.strided_slice(b.pad(x, paddings=border), begin=begin, end=end, strides=(1,) * len(shape))


def turned(function: Any, x: Any, axis: int, reverse: bool) -> Any:
    return np.flip(function(np.flip(x, axis)), axis).copy() if reverse else function(x)


def _running_sum(x: Any, axis: int, reverse: bool) -> Any:
    return turned(lambda rows: np.cumsum(rows, axis, dtype=x.dtype), x, axis, reverse)


def accumulate_rows(function: str) -> Any:
    """vmap: the dimension moves by one."""

    def rule(b: Any, count: int, inputs: Any, rows: Any, kind: Any, axis: int, reverse: bool) -> Any:
        whole = [v if r else b.broadcast_to(v, shape=(count, *b.shape(v))) for v, r in zip(inputs, rows, strict=True)]
        place = normalize_axis(axis, len(kind.shape)) + 1
        return getattr(b, function)(*whole, axis=place, reverse=reverse)

    return rule


_AXES = (((5,), 0), ((2, 3), 1), ((3, 4), 0), ((2, 3, 4), -2), ((0, 3), 0), ((2, 300), 1), ((3, 300), 0))
_TRIALS = tuple(one(s, axis=a, reverse=r) for s, a in _AXES for r in (False, True))

operator(
    "RunningSum", "x", attrs={"axis": REQUIRED, "reverse": False},
    infer=lambda x, axis, reverse: checked_rows("RunningSum", x, axis, dt.NUMBERS), reference=wide(_running_sum),
    gradient=lambda b, x, out, d, axis, reverse: (b.running_sum(d, axis=axis, reverse=not reverse),),
    compute=Accumulate("sum"), vmap=accumulate_rows("running_sum"), dtypes=dt.NUMBERS,
    samples=Samples(_TRIALS, wrong=(Wrong(((2, 3),), ValueError, ("RunningSum", "'axis'", "2"), (), {"axis": 2}),)),
    doc="The sums of all elements up to each one along one dimension, or from each one on.",
)  # fmt: skip


def _infer_linear(a: TensorType, b: TensorType, axis: Any, reverse: bool) -> TensorType:
    if a != b:
        raise TypeError(f"LinearRecurrence: arguments 'a' and 'b' must have one type, but got {a} and {b}.")
    return checked_rows("LinearRecurrence", a, axis)


def _linear(a: Any, b: Any, axis: int, reverse: bool) -> Any:
    factors, terms = (np.moveaxis(np.flip(v, axis) if reverse else v, axis, 0) for v in (a, b))
    result = np.zeros_like(terms)
    before = np.zeros(terms.shape[1:], terms.dtype)
    for i in range(len(terms)):
        before = result[i] = factors[i] * before + terms[i]
    turned = np.moveaxis(result, 0, axis)
    return (np.flip(turned, axis) if reverse else turned).copy()


def _linear_gradient(build: Any, a: Any, b: Any, out: Any, d: Any, axis: int, reverse: bool) -> tuple[Any, Any]:
    """``g[i] = d[i] + a[i + 1] * g[i + 1]`` reaches b; a gets it times the result before."""
    place, step = normalize_axis(axis, len(build.shape(a))), -1 if reverse else 1
    found = build.linear_recurrence(shifted(build, a, place, -step), d, axis=axis, reverse=not reverse)
    return build.mul(found, shifted(build, out, place, step)), found


operator(
    "LinearRecurrence", "a, b", attrs={"axis": REQUIRED, "reverse": False}, infer=_infer_linear,
    reference=quiet(wide(_linear)), gradient=_linear_gradient, compute=Accumulate("linear"),
    vmap=accumulate_rows("linear_recurrence"), dtypes=dt.REAL,
    samples=Samples(
        tuple(Case((s, s), {"axis": a, "reverse": r}) for s, a in _AXES[:5] for r in (False, True)), (Domain(-1.0, 1.0),),
        wrong=(Wrong(((2,), (3,)), TypeError, ("LinearRecurrence", "[2]", "[3]"), (), {"axis": 0}),),
    ),
    doc="y[i] = a[i] * y[i - 1] + b[i] along one dimension, from 0.",
)  # fmt: skip


def _expand_cum_sum(b: Any, x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    total = b.running_sum(x, axis=axis, reverse=reverse)
    if not exclusive:
        return total
    return shifted(b, total, normalize_axis(axis, len(b.shape(x))), -1 if reverse else 1)


def _exclusive(result: Any, axis: int, reverse: bool, first: int) -> Any:
    """The results before each position."""
    rows = np.moveaxis(result, axis, 0)
    edge = np.full_like(rows[:1], first)
    moved = np.concatenate([rows[1:], edge] if reverse else [edge, rows[:-1]])[: len(rows)]
    return np.moveaxis(moved, 0, axis).copy()


def _cum_sum(x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    total = _running_sum(x, axis, reverse)
    return _exclusive(total, axis, reverse, 0) if exclusive else total


_RUNNING = tuple(
    one(s, axis=a, exclusive=e, reverse=r) for s, a in _AXES[:5] for e in (False, True) for r in (False, True)
)
_WAYS = {"axis": REQUIRED, "exclusive": False, "reverse": False}

operator(
    "CumSum", "x", function="cum_sum", attrs=_WAYS,
    infer=lambda x, axis, exclusive, reverse: checked_rows("CumSum", x, axis, dt.NUMBERS), reference=wide(_cum_sum),
    gradient=lambda b, x, out, d, axis, exclusive, reverse: (
        b.cum_sum(d, axis=axis, exclusive=exclusive, reverse=not reverse),
    ),
    expand=_expand_cum_sum, dtypes=dt.NUMBERS, call=("x", "axis"),
    samples=Samples(_RUNNING, wrong=(Wrong(((2, 3),), ValueError, ("CumSum", "'axis'", "2"), (), {"axis": 2}),)),
    doc="Running sums along one dimension: up to each element, without it if exclusive, from the last one if reverse.",
)  # fmt: skip


def _running_product_gradient(b: Any, x: Any, out: Any, d: Any, axis: int, reverse: bool) -> tuple[Any]:
    return _cum_prod_gradient(b, x, out, d, axis, False, reverse)


def _expand_cum_prod(b: Any, x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    product = b.running_product(x, axis=axis, reverse=reverse)
    if not exclusive:
        return product
    shape = b.shape(x)
    place = normalize_axis(axis, len(shape))
    along = tuple(n if i == place else 1 for i, n in enumerate(shape))
    first = b.equal(b.iota(shape=along, dimension=place, dtype=dt.int64), shape[place] - 1 if reverse else 0)
    return b.select(first, 1, shifted(b, product, place, -1 if reverse else 1))


def _cum_prod_gradient(b: Any, x: Any, out: Any, d: Any, axis: int, exclusive: bool, reverse: bool) -> tuple[Any]:
    """The product before each element times what comes after it: no division, so zeros are no special case."""
    place, step = normalize_axis(axis, len(b.shape(x))), -1 if reverse else 1
    before = b.cum_prod(x, axis=axis, exclusive=True, reverse=reverse)
    following = shifted(b, x, place, -step)
    after = shifted(b, d, place, -step) if exclusive else d
    return (b.mul(before, b.linear_recurrence(following, after, axis=axis, reverse=not reverse)),)


def _cum_prod(x: Any, axis: int, exclusive: bool, reverse: bool) -> Any:
    product = turned(lambda rows: np.cumprod(rows, axis, dtype=x.dtype), x, axis, reverse)
    return _exclusive(product, axis, reverse, 1) if exclusive else product


operator(
    "RunningProduct", "x", attrs={"axis": REQUIRED, "reverse": False},
    infer=lambda x, axis, reverse: checked_rows("RunningProduct", x, axis),
    reference=quiet(wide(lambda x, axis, reverse: turned(lambda v: np.cumprod(v, axis, dtype=v.dtype), x, axis, reverse))),
    gradient=_running_product_gradient, compute=Accumulate("prod"), vmap=accumulate_rows("running_product"), dtypes=dt.REAL,
    samples=Samples(_TRIALS[:10], wrong=(Wrong(((2, 3),), ValueError, ("RunningProduct", "'axis'", "2"), (), {"axis": 2}),)),
    doc="The products of all elements up to each one along one dimension, or from each one on.",
)  # fmt: skip

operator(
    "CumProd", "x", function="cum_prod", attrs=_WAYS,
    infer=lambda x, axis, exclusive, reverse: checked_rows("CumProd", x, axis), reference=quiet(wide(_cum_prod)),
    gradient=_cum_prod_gradient, expand=_expand_cum_prod, dtypes=dt.REAL, call=("x", "axis"),
    samples=Samples(_RUNNING, wrong=(Wrong(((2, 3),), ValueError, ("CumProd", "'axis'", "2"), (), {"axis": 2}),)),
    doc="Running products along one dimension: up to each element, without it if exclusive, from the last one if reverse.",
)  # fmt: skip
