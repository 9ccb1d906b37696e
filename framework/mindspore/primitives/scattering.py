"""Updates written, or combined, into a tensor at places that tensors of indices name; updates of one place take effect in their order."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Walk
from mindspore.primitives.declare import check_dtype, check_rank, check_sizes, operator
from mindspore.primitives.gathering import (
    INDEX,
    along_walk,
    as_index,
    axis_walk,
    check_along,
    check_indices,
    check_points,
    counted,
    point_walk,
    points,
)
from mindspore.primitives.movement import checked_axis
from mindspore.primitives.samples import Case, Domain, Samples, Wrong
from mindspore.primitives.strided import accumulated, scatter_gradient

ARITHMETIC = tuple(t for t in dt.NUMBERS if not t.is_complex)


def _negated(b: Any, updates: Any) -> Any:
    return b.sub(b.zeros_like(updates), updates)


def _placed(b: Any, base: Any, updates: Any, tensors: tuple[Any, ...], walk: Walk, kind: str) -> Any:
    given, how = (_negated(b, updates), "add") if kind == "sub" else (updates, kind)
    return accumulated(b, base, given, tensors, walk, how)


def _gradients(
    b: Any, base: Any, updates: Any, tensors: tuple[Any, ...], out: Any, d: Any, walk: Walk, kind: str
) -> tuple[Any, Any]:
    """Gradients of the tensor that is changed and of the updates."""
    how = "add" if kind == "sub" else kind
    to_base, to_updates, *_ = scatter_gradient(b, base, updates, *tensors, out, d, walk=walk, kind=how)
    return to_base, b.neg(to_updates) if kind == "sub" else to_updates


_MEANING: dict[str, Any] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum,
}  # fmt: skip


def combine(target: Any, where: Any, updates: Any, kind: str) -> None:
    """The updates into numpy's `target`, one after the other; `where` is numpy's index, of arrays alone."""
    half = target.dtype.itemsize == 2 and target.dtype.kind not in "iu"
    wide = target.astype(np.float32) if half else target
    given = np.asarray(updates).astype(wide.dtype)
    with np.errstate(all="ignore"):
        if kind in _MEANING:
            _MEANING[kind].at(wide, where, given)
        else:
            for i in np.ndindex(*np.shape(where[0])):
                place = tuple(w[i] for w in where)
                wide[place] = given[i] if kind == "set" else _divided(wide[place], given[i])
    target[...] = wide.astype(target.dtype)


def _divided(x: Any, y: Any) -> Any:
    if x.dtype.kind == "f":
        return x / y
    safe = np.where(y == 0, 1, y).astype(y.dtype)
    return np.where(y == 0, 0, np.floor_divide(x - np.fmod(x, safe), safe)).astype(x.dtype)


def _check_updates(op: str, x: TensorType, updates: TensorType, wanted: Shape) -> None:
    if updates.dtype is not x.dtype:
        raise TypeError(f"{op}: argument 'updates' must have the element type of 'input_x' {x}, but got {updates}.")
    if updates.shape != wanted:
        raise ValueError(f"{op}: argument 'updates' must have the shape {list(wanted)}, but got {updates}.")


def _tensor_scatter(name: str, kind: str, doc: str) -> None:
    allowed = dt.ALL if kind == "set" else ARITHMETIC

    def infer(x: TensorType, indices: TensorType, updates: TensorType) -> TensorType:
        check_dtype(name, "input_x", x, allowed)
        _check_updates(name, x, updates, check_points(name, x.shape, indices))
        return x

    def expand(b: Any, x: Any, indices: Any, updates: Any) -> Any:
        walk, tensors = point_walk(b, b.shape(x), indices)
        return _placed(b, x, updates, tensors, walk, kind)

    def gradient(b: Any, x: Any, indices: Any, updates: Any, out: Any, d: Any) -> tuple[Any, ...]:
        walk, tensors = point_walk(b, b.shape(x), indices)
        to_x, to_updates = _gradients(b, x, updates, tensors, out, d, walk, kind)
        return to_x, None, to_updates

    def reference(x: Any, indices: Any, updates: Any) -> Any:
        result = x.copy()
        combine(result, points(indices, x.shape), updates, kind)
        return result

    samples = Samples(
        tuple(Case(s) for s in (((3, 4), (5, 2), (5,)), ((3, 4), (2, 1), (2, 4)), ((2, 3, 4), (2, 2, 2), (2, 2, 4)), ((3,), (1,), ()),
                                ((3, 4), (0, 2), (0,)), ((3, 70), (4, 1), (4, 70)))),
        (Domain(0.5, 2.0), INDEX, Domain(0.5, 2.0)),
        wrong=(Wrong(((3,), (2, 1), (3,)), ValueError, (name, "'updates'", "[2]", "[3]"), (dt.float32, dt.int64, dt.float32)),
               Wrong(((3,), (2, 1), (2,)), TypeError, (name, "'updates'", "Int32"), (dt.float32, dt.int64, dt.int32)),
               Wrong(((3,), (2, 2), (2,)), ValueError, (name, "'indices'", "[2, 2]"), (dt.float32, dt.int64, dt.float32))),
    )  # fmt: skip
    operator(
        name, "input_x, indices, updates", infer=infer, reference=reference, gradient=gradient, expand=expand,
        dtypes=allowed, may_fail=True, samples=samples, doc=doc,
    )  # fmt: skip


for _name, _kind, _what in (
    ("TensorScatterUpdate", "set", "overwritten by updates"), ("TensorScatterAdd", "add", "with updates added"),
    ("TensorScatterSub", "sub", "with updates subtracted"), ("TensorScatterMul", "mul", "multiplied by updates"),
    ("TensorScatterDiv", "div", "divided by updates"), ("TensorScatterMax", "maximum", "raised to updates that are larger"),
    ("TensorScatterMin", "minimum", "lowered to updates that are smaller"),
):  # fmt: skip
    _tensor_scatter(_name, _kind, f"The tensor with elements or slices at points {_what}.")


def _infer_scatter_nd(indices: TensorType, updates: TensorType, shape: Any) -> TensorType:
    whole = check_sizes("ScatterNd", "shape", shape)
    check_dtype("ScatterNd", "updates", updates, dt.ALL)
    result = TensorType(updates.dtype, whole)
    _check_updates("ScatterNd", result, updates, check_points("ScatterNd", whole, indices))
    return result


def _expand_scatter_nd(b: Any, indices: Any, updates: Any, shape: Any) -> Any:
    walk, tensors = point_walk(b, tuple(shape), indices)
    return accumulated(b, b.full(shape=tuple(shape), value=0, dtype=b.dtype(updates)), updates, tensors, walk, "add")


def _scatter_nd(indices: Any, updates: Any, shape: Any) -> Any:
    result = np.zeros(shape, updates.dtype)
    combine(result, points(indices, tuple(shape)), updates, "add")
    return result


operator(
    "ScatterNd", "indices, updates", attrs={"shape": REQUIRED}, infer=_infer_scatter_nd, reference=_scatter_nd,
    gradient=lambda b, indices, updates, out, d, shape: (None, b.gather_nd(d, indices)), expand=_expand_scatter_nd,
    dtypes=(dt.int32, dt.int64),
    may_fail=True,
    samples=Samples(
        (Case(((5, 2), (5,)), {"shape": (3, 4)}), Case(((2, 1), (2, 4)), {"shape": (3, 4)}), Case(((0, 1), (0, 2)), {"shape": (2, 2)})),
        (Domain(-2, 1, dtype=dt.int32), Domain()),
        wrong=(Wrong(((2, 1), (3,)), ValueError, ("ScatterNd", "'updates'", "[2]", "[3]"), (dt.int64, dt.float32), {"shape": (4,)}),
               Wrong(((2, 1), (2,)), TypeError, ("ScatterNd", "'shape'", "4.0"), (dt.int64, dt.float32), {"shape": (4.0,)})),
    ),
    call=("indices", "updates", "shape"), doc="Zeros of a shape with updates added at points.",
)  # fmt: skip

_REDUCTIONS = {"none": "set", "add": "add"}


def _infer_elements(
    data: TensorType, indices: TensorType, updates: TensorType, axis: int, reduction: str
) -> TensorType:
    name = "TensorScatterElements"
    if reduction not in _REDUCTIONS:
        raise ValueError(f"{name}: attribute 'reduction' must be 'none' or 'add', but got {reduction!r}.")
    check_dtype(name, "data", data, dt.ALL if reduction == "none" else ARITHMETIC)
    check_along(name, data, axis, indices, ("data", "indices"))
    _check_updates(name, data, updates, indices.shape)
    return data


def _elements(data: Any, indices: Any, updates: Any, axis: int, reduction: str) -> Any:
    result = data.copy()
    place = axis % data.ndim
    where = [*np.indices(indices.shape)]
    where[place] = counted(indices, data.shape[place])
    combine(result, tuple(where), updates, _REDUCTIONS[reduction])
    return result


def _elements_gradient(
    b: Any, data: Any, indices: Any, updates: Any, out: Any, d: Any, axis: int, reduction: str
) -> tuple[Any, ...]:
    walk, tensors = along_walk(b, b.shape(data), indices, axis)
    to_data, to_updates = _gradients(b, data, updates, tensors, out, d, walk, _REDUCTIONS[reduction])
    return to_data, None, to_updates


def _expand_elements(b: Any, data: Any, indices: Any, updates: Any, axis: int, reduction: str) -> Any:
    walk, tensors = along_walk(b, b.shape(data), indices, axis)
    return _placed(b, data, updates, tensors, walk, _REDUCTIONS[reduction])


operator(
    "TensorScatterElements", "data, indices, updates", attrs={"axis": 0, "reduction": "none"}, infer=_infer_elements,
    reference=_elements, gradient=_elements_gradient, expand=_expand_elements, dtypes=ARITHMETIC,
    may_fail=True,
    samples=Samples(
        tuple(Case((x, i, i), {"axis": a, "reduction": r}) for x, i, a, r in (
            ((5,), (3,), 0, "none"), ((3, 4), (3, 2), 1, "add"), ((3, 4), (2, 4), -2, "none"), ((3, 4), (3, 7), 1, "add"),
            ((2, 3, 4), (1, 5, 2), 1, "none"), ((3, 70), (2, 70), 0, "add"),
        )),
        (Domain(), Domain(-1, 0, dtype=dt.int64), Domain()),
        wrong=(Wrong(((3,), (2,), (3,)), ValueError, ("'updates'", "[2]", "[3]"), (dt.float32, dt.int64, dt.float32)),
               Wrong(((3,), (2,), (2,)), ValueError, ("'reduction'", "'mul'"), (dt.float32, dt.int64, dt.float32), {"reduction": "mul"}),
               Wrong(((3, 1), (2, 2), (2, 2)), ValueError, ("'indices'", "[2, 2]"), (dt.float32, dt.int64, dt.float32))),
    ),
    doc="The tensor with each update written, or added, at the place that its index names along one dimension.",
)  # fmt: skip


def _infer_index_add(x: TensorType, indices: TensorType, y: TensorType, axis: int) -> TensorType:
    check_dtype("IndexAdd", "x", x, ARITHMETIC)
    check_indices("IndexAdd", "indices", indices)
    check_rank("IndexAdd", "indices", indices, 1, 1)
    check_rank("IndexAdd", "x", x, 1)
    place = checked_axis("IndexAdd", x, axis)
    wanted = (*x.shape[:place], indices.shape[0], *x.shape[place + 1 :])
    if y != TensorType(x.dtype, wanted):
        raise (TypeError if y.dtype is not x.dtype else ValueError)(
            f"IndexAdd: argument 'y' must be {TensorType(x.dtype, wanted)} for 'x' {x} and 'indices' {indices}, but got {y}."
        )
    return x


def _index_walk(b: Any, x: Any, indices: Any, axis: int) -> Walk:
    shape = b.shape(x)
    return axis_walk(shape, b.shape(indices), axis % len(shape), 0)


def _index_add(x: Any, indices: Any, y: Any, axis: int) -> Any:
    result = x.copy()
    place = axis % x.ndim
    where = [*np.indices(y.shape)]
    where[place] = np.broadcast_to(
        counted(indices, x.shape[place]).reshape([-1 if i == place else 1 for i in range(x.ndim)]), y.shape
    )
    combine(result, tuple(where), y, "add")
    return result


operator(
    "IndexAdd", "x, indices, y", attrs={"axis": REQUIRED}, infer=_infer_index_add, reference=_index_add,
    gradient=lambda b, x, indices, y, out, d, axis: (d, None, b.gather(d, indices, axis=axis)),
    expand=lambda b, x, indices, y, axis: accumulated(
        b, x, y, (as_index(b, indices),), _index_walk(b, x, indices, axis), "add"
    ),
    dtypes=ARITHMETIC,
    may_fail=True,
    samples=Samples(
        (Case(((3, 4), (5,), (5, 4)), {"axis": 0}), Case(((3, 4), (2,), (3, 2)), {"axis": -1}), Case(((3,), (0,), (0,)), {"axis": 0})),
        (Domain(), INDEX, Domain()),
        wrong=(Wrong(((3,), (2,), (3,)), ValueError, ("IndexAdd", "'y'", "[2]", "[3]"), (dt.float32, dt.int64, dt.float32), {"axis": 0}),
               Wrong(((3,), (2,), (2,)), TypeError, ("IndexAdd", "'y'", "Int32"), (dt.float32, dt.int64, dt.int32), {"axis": 0})),
    ),
    doc="The tensor with slices added at indices along one dimension.",
)  # fmt: skip


def _infer_index_fill(x: TensorType, index: TensorType, value: TensorType, dim: int) -> TensorType:
    check_dtype("IndexFill", "x", x, dt.ALL)
    check_indices("IndexFill", "index", index)
    check_rank("IndexFill", "index", index, 0, 1)
    check_rank("IndexFill", "x", x, 1)
    checked_axis("IndexFill", x, dim)
    if value != TensorType(x.dtype, ()):
        raise TypeError(f"IndexFill: argument 'value' must be {TensorType(x.dtype, ())} for 'x' {x}, but got {value}.")
    return x


def _index_fill(x: Any, index: Any, value: Any, dim: int) -> Any:
    result = np.moveaxis(x.copy(), dim, 0)
    result[counted(index, x.shape[dim])] = value
    return np.moveaxis(result, 0, dim).copy()


def _index_fill_gradient(b: Any, x: Any, index: Any, value: Any, out: Any, d: Any, dim: int) -> tuple[Any, ...]:
    filled = b.index_fill(b.zeros_like(d), index, b.const(1, b.dtype(d)), dim=dim)
    return b.index_fill(d, index, b.const(0, b.dtype(d)), dim=dim), None, b.reduce_sum(b.mul(d, filled))


operator(
    "IndexFill", "x, index, value", attrs={"dim": REQUIRED}, infer=_infer_index_fill, reference=_index_fill,
    gradient=_index_fill_gradient,
    expand=lambda b, x, index, value, dim: b.scatter_strided(
        x, value, as_index(b, index), walk=_index_walk(b, x, index, dim), kind="set"
    ),
    dtypes=dt.ALL, call=("x", "dim", "index", "value"),
    may_fail=True,
    samples=Samples(
        (Case(((3, 4), (2,), ()), {"dim": 0}), Case(((3, 4), (3,), ()), {"dim": -1}), Case(((3, 4), (), ()), {"dim": 1})),
        (Domain(), INDEX, Domain()),
        wrong=(Wrong(((3,), (1,), ()), TypeError, ("IndexFill", "'value'", "Int32"), (dt.float32, dt.int64, dt.int32), {"dim": 0}),
               Wrong(((3,), (1, 1), ()), ValueError, ("IndexFill", "'index'", "0 to 1"), (dt.float32, dt.int64, dt.float32), {"dim": 0})),
    ),
    doc="The tensor with one value at indices along one dimension.",
)  # fmt: skip
