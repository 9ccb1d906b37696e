"""Losses that have their own operator."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.activation import in_float32, log_softmax_reference, log_softmax_rows, softmax_rows
from mindspore.primitives.declare import check_dtype, check_rank, check_same_dtype, operator, quiet, wide
from mindspore.primitives.samples import Case, Domain, Samples, Wrong, cases

_DENSE, _SPARSE = "SoftmaxCrossEntropyWithLogits", "SparseSoftmaxCrossEntropyWithLogits"


def _distributions(rng: Any, shape: Any) -> Any:
    weights = rng.uniform(0.1, 1.0, shape)
    return weights / np.maximum(weights.sum(-1, keepdims=True), 1e-9)


def _infer_dense(logits: TensorType, labels: TensorType) -> TupleType:
    check_dtype(_DENSE, "logits", logits, dt.FLOATS)
    check_same_dtype(_DENSE, ("logits", "labels"), (logits, labels))
    check_rank(_DENSE, "logits", logits, 2, 2)
    if logits.shape != labels.shape:
        raise ValueError(f"{_DENSE}: 'logits' {logits} and 'labels' {labels} must have the same shape.")
    return TupleType((TensorType(logits.dtype, logits.shape[:1]), logits))


def _expand_dense(b: Any, logits: Any, labels: Any) -> Any:
    def loss(x: Any) -> Any:
        return b.neg(b.reduce_sum(b.mul(b.cast(labels, dtype=b.dtype(x)), log_softmax_rows(b, x, -1)), axis=-1))

    def slope(x: Any) -> Any:
        return b.sub(softmax_rows(b, x, -1), b.cast(labels, dtype=b.dtype(x)))

    return b.tuple([in_float32(b, logits, loss), in_float32(b, logits, slope)])


def _dense(logits: Any, labels: Any) -> Any:
    logs = log_softmax_reference(logits, -1)
    return -np.sum(labels * logs, axis=-1, dtype=logits.dtype), np.exp(logs) - labels


def _dense_wide(logits: Any, labels: Any) -> Any:
    if logits.dtype.itemsize > 2:
        return _dense(logits, labels)
    return tuple(r.astype(logits.dtype) for r in _dense(logits.astype(np.float32), labels.astype(np.float32)))


def _dense_gradient(b: Any, logits: Any, labels: Any, out: Any, d: Any) -> tuple[Any, Any]:
    """The slope of the loss is the second output, as rows of labels sum to 1."""
    to_logits = to_labels = None
    if d[0] is not None:
        along = b.expand_dims(d[0], axis=-1)
        to_logits = b.mul(along, out[1])
        to_labels = b.neg(b.mul(along, b.log_softmax(logits)))
    if d[1] is not None:
        p = b.softmax(logits)
        back = b.mul(p, b.sub(d[1], b.reduce_sum(b.mul(d[1], p), axis=-1, keep_dims=True)))
        to_logits = back if to_logits is None else b.add(to_logits, back)
        to_labels = b.neg(d[1]) if to_labels is None else b.sub(to_labels, d[1])
    return to_logits, to_labels


operator(
    _DENSE, "logits, labels", infer=_infer_dense, reference=quiet(_dense_wide), gradient=_dense_gradient,
    expand=_expand_dense, dtypes=dt.FLOATS,
    samples=Samples(
        cases(((2, 3), (2, 3)), ((1, 1), (1, 1)), ((0, 3), (0, 3)), ((5, 40), (5, 40))), (Domain(-5, 5), Domain(draw=_distributions)),
        wrt=(0,),
        wrong=(Wrong(((2, 3), (2, 2)), ValueError, (_DENSE, "'logits'", "[2, 3]", "'labels'", "[2, 2]")),
               Wrong(((3,), (3,)), ValueError, (_DENSE, "'logits'", "[3]")),
               Wrong(((2, 3), (2, 3)), TypeError, (_DENSE, "Int32"), (dt.float32, dt.int32))),
    ),
    doc="Loss per row of logits (N, C) for rows of class probabilities, and its slope in the logits.",
)  # fmt: skip


def _infer_sparse(logits: TensorType, labels: TensorType, is_grad: bool) -> TensorType:
    check_dtype(_SPARSE, "logits", logits, dt.FLOATS)
    check_dtype(_SPARSE, "labels", labels, (dt.int32, dt.int64))
    check_rank(_SPARSE, "logits", logits, 2, 2)
    if labels.shape != logits.shape[:1]:
        raise ValueError(f"{_SPARSE}: 'labels' {labels} must have one class per row of 'logits' {logits}.")
    return logits if is_grad else TensorType(logits.dtype, ())


def _one_hot(b: Any, labels: Any, like: Any) -> Any:
    dtype = b.dtype(like)
    return b.one_hot(labels, b.const(1, dtype), b.const(0, dtype), depth=b.shape(like)[1])


def _expand_sparse(b: Any, logits: Any, labels: Any, is_grad: bool) -> Any:
    rows = max(b.shape(logits)[0], 1)

    def loss(x: Any) -> Any:
        return b.div(b.neg(b.reduce_sum(b.mul(_one_hot(b, labels, x), log_softmax_rows(b, x, -1)))), rows)

    def slope(x: Any) -> Any:
        return b.div(b.sub(softmax_rows(b, x, -1), _one_hot(b, labels, x)), rows)

    return in_float32(b, logits, slope if is_grad else loss)


def _sparse(logits: Any, labels: Any, is_grad: bool) -> Any:
    rows = max(logits.shape[0], 1)
    logs = log_softmax_reference(logits, -1)
    classes = (np.arange(logits.shape[1]) == labels[:, None]).astype(logits.dtype)
    return ((np.exp(logs) - classes) if is_grad else -np.sum(classes * logs)) / logits.dtype.type(rows)


def _sparse_gradient(b: Any, logits: Any, labels: Any, out: Any, d: Any, is_grad: bool) -> tuple[Any, None]:
    rows = max(b.shape(logits)[0], 1)
    p = b.softmax(logits)
    if not is_grad:
        return b.mul(b.div(b.sub(p, _one_hot(b, labels, logits)), rows), d), None
    return b.div(b.mul(p, b.sub(d, b.reduce_sum(b.mul(d, p), axis=-1, keep_dims=True))), rows), None


operator(
    _SPARSE, "logits, labels", attrs={"is_grad": False}, infer=_infer_sparse, reference=quiet(wide(_sparse)),
    gradient=_sparse_gradient, expand=_expand_sparse, dtypes=dt.FLOATS,
    samples=Samples(
        (*cases(((3, 4), (3,)), ((1, 4), (1,)), ((0, 4), (0,))), Case(((3, 4), (3,)), {"is_grad": True})),
        (Domain(-5, 5), Domain(0, 4, dtype=dt.int32)),
        wrong=(Wrong(((2, 3), (3,)), ValueError, (_SPARSE, "'logits'", "[2, 3]", "'labels'", "[3]"), (dt.float32, dt.int32)),
               Wrong(((2, 3), (2,)), TypeError, (_SPARSE, "'labels'", "Float32"), (dt.float32, dt.float32))),
    ),
    doc="Mean loss of logits (N, C) for class numbers, or with is_grad its slope in the logits; a number out of range adds nothing.",
)  # fmt: skip
