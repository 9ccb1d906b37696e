"""One operator with `compute` on typed operands -> the kernel calls that compute it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import normalize_axes, normalize_axis, size
from mindspore.ir.operator import Operator
from mindspore.ir.types import TensorType
from mindspore.kernels import (
    accumulate,
    argreduce,
    argsort,
    bounds,
    elementwise,
    gather,
    gemm,
    gemm_strided,
    move,
    plane_convolution,
    reduction,
    scatter,
    search,
    window,
)
from mindspore.kernels.catalog import KernelSpec
from mindspore.primitives.compute import (
    Accumulate,
    ArgReduce,
    Contract,
    Elementwise,
    Gather,
    Move,
    Order,
    PlaneConvolution,
    Products,
    Reduce,
    Scatter,
    Search,
    Update,
    Walk,
    Windows,
)
from mindspore.primitives.scalar import Expr, trace

Types = Sequence[TensorType]


@dataclass(frozen=True, slots=True)
class Call:
    """One kernel call; buffers are numbered operands first, then outputs, of the one operator."""

    spec: KernelSpec
    buffers: tuple[int, ...]
    params: tuple[int, ...]


def calls(op: Operator, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    """The calls for `op`. TypeError when its `compute` is of a kind that has no kernels."""
    lower = _LOWER.get(type(op.compute))
    if lower is None:
        raise TypeError(
            f"{op.name} has no kernels: its compute is {op.compute!r}, expected one of {', '.join(k.__name__ for k in _LOWER)}"
        )
    return lower(op.compute, inputs, outputs, attrs)


def _elementwise(compute: Elementwise, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    expr = trace(compute.body, tuple(i.dtype for i in inputs), **attrs)
    if expr.op == "const":
        return fill_call(outputs[0], expr.attr, len(inputs))
    return _bodies((expr,), inputs, outputs)


def _update(compute: Update, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    types = tuple(i.dtype for i in inputs)
    return _bodies(tuple(trace(body, types, **attrs) for body in compute.bodies), inputs, outputs)


def _bodies(exprs: tuple[Expr, ...], inputs: Types, outputs: Types) -> list[Call]:
    body = elementwise.Body(exprs, tuple(i.dtype for i in inputs))
    shape = outputs[0].shape
    strides = [elementwise.broadcast_strides(i.shape, shape) for i in inputs]
    params = elementwise.params(body, shape, strides)
    return [Call(elementwise.spec(body), tuple(range(len(inputs) + len(outputs))), params)]


def fill_call(target: TensorType, value: Any, buffer: int) -> list[Call]:
    """Fills a tensor with one value."""
    element = np.asarray(value).astype(dt.to_numpy(target.dtype)).tobytes()
    return [Call(move.fill_spec(target.dtype.itemsize), (buffer,), move.fill_params(size(target.shape), element))]


def copy_call(kind: TensorType) -> list[Call]:
    """Copies a whole tensor of this type from buffer 0 to buffer 1."""
    found = move.box_call(move.contiguous_box(size(kind.shape)), kind.dtype.itemsize)
    return [Call(found[0], (0, 1), found[1])] if found else []


_OF_BOOL = {"sum": "any", "prod": "all"}


def _reduce(compute: Reduce, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    axes = normalize_axes(attrs["axis"], inputs[0].rank)
    kind = _OF_BOOL.get(compute.kind, compute.kind) if inputs[0].dtype is dt.bool_ else compute.kind
    spec = reduction.spec(kind, inputs[0].dtype, outputs[0].dtype)
    return [Call(spec, (0, 1), reduction.layout(inputs[0].shape, axes).params)]


def _argreduce(compute: ArgReduce, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    shape = inputs[0].shape
    axis = normalize_axis(attrs["axis"], len(shape)) if shape else 0
    return [Call(argreduce.spec(compute.kind, inputs[0].dtype), (0, 1), argreduce.params(shape, axis))]


def _contract(compute: Contract, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    turned = bool(attrs.get("transpose_a")), bool(attrs.get("transpose_b"))
    left, right = inputs
    return [Call(gemm.spec(left.dtype), (0, 1, 2), gemm.params(left.shape, right.shape, *turned))]


def _products(compute: Products, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    spec, products = gemm_strided.spec(outputs[0].dtype), attrs["products"]
    written = sum(p.groups * p.rows * size(p.columns) for p in products)
    first = fill_call(outputs[0], 0, 2) if written < size(outputs[0].shape) else []
    return first + [Call(spec, (0, 1, 2), gemm_strided.params(p)) for p in products]


def _planes(compute: PlaneConvolution, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    spec = plane_convolution.spec(compute.kind, outputs[0].dtype)
    return [Call(spec, (0, 1, 2), plane_convolution.params(attrs["convolution"], attrs["turned"]))]


def _windows(compute: Windows, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    target = outputs[0]
    plane, windows = (target, inputs[0]) if compute.kind in ("spread", "place") else (inputs[0], target)
    before = tuple(pair[0] for pair in attrs["pads"])
    numbers = window.params(plane.shape, windows.shape, attrs["kernel"], attrs["strides"], before, attrs["dilation"])
    return [Call(window.spec(compute.kind, inputs[0].dtype), tuple(range(len(inputs) + 1)), numbers)]


def _move(compute: Move, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    target = outputs[0]
    result: list[Call] = []
    if compute.fill is not None:
        value = attrs[compute.fill] if isinstance(compute.fill, str) else compute.fill
        result += fill_call(target, value, len(inputs))
    for box in compute.plan(inputs, target, **attrs):
        found = move.box_call(box, target.dtype.itemsize)
        if found is not None:
            result.append(Call(found[0], (box.input, len(inputs)), found[1]))
    return result


def _checks(walk: Walk, indices: Types, first: int) -> list[Call]:
    """Checks of all index tensors, which are the buffers from `first` on."""
    sizes = [(size(t.shape), p.bound) for t, p in zip(indices, walk.picks, strict=True)]
    return [Call(bounds.check_spec(), (first + i,), pair) for i, pair in enumerate(sizes) if pair[0]]


def _gather(compute: Gather, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    walk: Walk = attrs["walk"]
    count = len(inputs)
    checks = _checks(walk, inputs[1:], 1)
    if not size(walk.sizes):
        return checks
    return [*checks, Call(gather.spec(outputs[0].dtype.itemsize), (0, count, *range(1, count)), gather.params(walk))]


def _scatter(compute: Scatter, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    walk: Walk = attrs["walk"]
    count = len(inputs)
    start = [Call(c.spec, (0, count), c.params) for c in copy_call(outputs[0])]
    start += _checks(walk, inputs[2:], 2)
    if not size(walk.sizes):
        return start
    strides = elementwise.broadcast_strides(inputs[1].shape, walk.sizes)
    spec = scatter.spec(attrs["kind"], outputs[0].dtype)
    return [*start, Call(spec, (count, 1, *range(2, count)), scatter.params(walk, strides))]


def _accumulate(compute: Accumulate, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    shape = inputs[0].shape
    params = accumulate.params(shape, normalize_axis(attrs["axis"], len(shape)), attrs.get("reverse", False))
    spec = accumulate.spec(compute.kind, inputs[0].dtype, *(t.dtype for t in outputs[1:]))
    return [Call(spec, tuple(range(len(inputs) + len(outputs))), params)]


def _order(compute: Order, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    *rows, count = inputs[0].shape
    params = argsort.params(size(rows), count, outputs[0].shape[-1])
    return [Call(argsort.spec(inputs[0].dtype, attrs["descending"]), (0, 1), params)]


def _search(compute: Search, inputs: Types, outputs: Types, attrs: Mapping[str, Any]) -> list[Call]:
    ordered, values = (t.shape for t in inputs)
    return [Call(search.spec(inputs[0].dtype, attrs["right"]), (0, 1, 2), search.params(ordered, values))]


_LOWER: Mapping[type, Callable[..., list[Call]]] = MappingProxyType(
    {
        Elementwise: _elementwise,
        Update: _update,
        Reduce: _reduce,
        ArgReduce: _argreduce,
        Contract: _contract,
        Move: _move,
        Accumulate: _accumulate,
        Order: _order,
        Search: _search,
        Gather: _gather,
        Scatter: _scatter,
        Products: _products,
        PlaneConvolution: _planes,
        Windows: _windows,
    }
)
