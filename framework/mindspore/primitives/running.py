"""Running extremes and running sums of exponentials along one dimension."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import normalize_axis
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.compute import Accumulate
from mindspore.primitives.cumulative import accumulate_rows, checked_rows, turned
from mindspore.primitives.declare import DISCRETE, operator, quiet, wide
from mindspore.primitives.movement import one
from mindspore.primitives.reduction import DISTINCT
from mindspore.primitives.samples import Samples, Wrong

_AXES = (((5,), 0), ((2, 3), 1), ((3, 4), 0), ((2, 3, 4), -2), ((0, 3), 0), ((2, 300), 1))


def _wrong(name: str) -> tuple[Wrong, ...]:
    return (Wrong(((2, 3),), ValueError, (name, "'axis'", "2"), (), {"axis": 2}),)


def _log_sum_gradient(b: Any, x: Any, out: Any, d: Any, axis: int, reverse: bool) -> tuple[Any]:
    """Element i takes ``exp(x[i] - y[j])`` of each d[j] that it is part of, positive and negative ones summed apart as logarithms."""

    def part(values: Any) -> Any:
        present = b.greater(values, 0)
        logs = b.sub(b.select(present, b.log(b.select(present, values, 1)), -np.inf), out)
        total = b.add(b.running_log_sum(logs, axis=axis, reverse=not reverse), x)
        return b.exp(total)

    return (b.sub(part(d), part(b.neg(d))),)


operator(
    "RunningLogSum", "x", attrs={"axis": REQUIRED, "reverse": False},
    infer=lambda x, axis, reverse: checked_rows("RunningLogSum", x, axis, dt.FLOATS),
    reference=quiet(wide(lambda x, axis, reverse: turned(lambda v: np.logaddexp.accumulate(v, axis, dtype=v.dtype), x, axis, reverse))),
    gradient=_log_sum_gradient, compute=Accumulate("logsum"), vmap=accumulate_rows("running_log_sum"), dtypes=dt.FLOATS,
    samples=Samples(tuple(one(s, axis=a, reverse=r) for s, a in _AXES for r in (False, True)), second=False, wrong=_wrong("RunningLogSum")),
    doc="The logarithms of the sums of exponentials of all elements up to each one along one dimension, or from each one on.",
)  # fmt: skip


def _extreme(name: str, kind: str, function: Any) -> None:
    operator(
        name, "x", attrs={"axis": REQUIRED, "reverse": False},
        infer=lambda x, axis, reverse: checked_rows(name, x, axis),
        reference=quiet(wide(lambda x, axis, reverse: turned(lambda v: function.accumulate(v, axis), x, axis, reverse))),
        gradient=DISCRETE, compute=Accumulate(kind), vmap=accumulate_rows(f"running_{kind}"), dtypes=dt.REAL,
        samples=Samples(tuple(one(s, axis=a, reverse=r) for s, a in _AXES for r in (False, True)), wrong=_wrong(name)),
        doc=f"The {kind}imum of all elements up to each one along one dimension, or from each one on, without a gradient.",
    )  # fmt: skip


_extreme("RunningMax", "max", np.maximum)
_extreme("RunningMin", "min", np.minimum)


def _cumulative(name: str, kind: str, extreme: Any, places: dt.DType) -> None:
    """The running extreme with where it last was; the position has the gradient."""

    def infer(x: TensorType, axis: Any) -> TupleType:
        checked_rows(name, x, axis)
        return TupleType((x, TensorType(places, x.shape)))

    def batched(b: Any, count: int, inputs: Any, rows: Any, kind: Any, axis: int) -> Any:
        return getattr(b, name.lower())(*inputs, axis=normalize_axis(axis, len(kind.elements[0].shape)) + 1)

    def reference(x: Any, axis: int) -> Any:
        values = extreme.accumulate(x, axis)
        hit = (x == values) | ((x != x) & (values != values))
        along = [-1 if i == axis % x.ndim else 1 for i in range(x.ndim)]
        found = np.where(hit, np.arange(x.shape[axis]).reshape(along), 0)
        return values, np.maximum.accumulate(found, axis).astype(dt.to_numpy(places))

    operator(
        name, "x", attrs={"axis": REQUIRED}, infer=infer, reference=quiet(reference),
        gradient=lambda b, x, out, d, axis: (
            None if d[0] is None else b.tensor_scatter_elements(b.zeros_like(x), out[1], d[0], axis=axis, reduction="add"),
        ),
        compute=Accumulate(f"arg{kind}"), vmap=batched, dtypes=dt.REAL,
        doc=f"The {kind}imum of all elements up to each one along one dimension, and its last position.",
        samples=Samples(tuple(one(s, axis=a) for s, a in _AXES), (DISTINCT,), wrong=_wrong(name)),
    )  # fmt: skip


_cumulative("Cummax", "max", np.maximum, dt.int64)
_cumulative("Cummin", "min", np.minimum, dt.int32)
