"""Interprets `compute` records with numpy, so that the data itself is checked against the reference without any compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import erf, erfc
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import normalize_axes
from mindspore.ir.operator import Operator
from mindspore.ir.types import TensorType, TupleType, Type
from mindspore.primitives.compute import (
    Accumulate,
    Alias,
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
from tests.primitives.compute_windows import evaluate_planes, evaluate_products, evaluate_windows

_HALF = ("float16", "bfloat16")


def _by_element(function: Callable[[float], float]) -> Callable[[Any], Any]:
    over = np.vectorize(function, otypes=[np.float64])
    return lambda x: over(x).astype(x.dtype) if x.size else x


def _divided(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def run(x: Any, y: Any) -> Any:
        if x.dtype.kind == "f":
            return function(x, y)
        return np.where(y == 0, 0, function(x, np.where(y == 0, 1, y).astype(y.dtype))).astype(x.dtype)

    return run


def _truncdiv(x: Any, y: Any) -> Any:
    if x.dtype.kind == "f":
        return np.trunc(np.divide(x, y, dtype=np.float64)).astype(x.dtype)
    return np.floor_divide(x - np.fmod(x, y), y)


def _pow(x: Any, y: Any) -> Any:
    if x.dtype.kind == "f":
        return np.power(x, y)
    # Rounded to zero, the reciprocal of anything but 1 and -1 is 0.
    positive = np.power(x, np.where(y < 0, y % 2, y).astype(y.dtype))
    return np.where((y < 0) & (x != 1) & (x != x.dtype.type(0) - x.dtype.type(1)), 0, positive).astype(x.dtype)


def _sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x.astype(np.float64))).astype(x.dtype)


MEANING: Mapping[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "floordiv": _divided(np.floor_divide),
    "mod": _divided(np.mod), "truncdiv": _divided(_truncdiv), "rem": _divided(np.fmod), "pow": _pow, "minimum": np.minimum,
    "maximum": np.maximum, "atan2": np.arctan2, "bit_and": np.bitwise_and, "bit_or": np.bitwise_or, "bit_xor": np.bitwise_xor,
    "shift_left": np.left_shift,
    "shift_right": np.right_shift,
    "neg": np.negative, "abs": np.abs, "sign": np.sign, "bit_not": np.invert, "square": np.square, "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x), "reciprocal": lambda x: 1 / x, "exp": np.exp, "expm1": np.expm1, "log": np.log,
    "log2": np.log2, "exp2": np.exp2,
    "log1p": np.log1p, "sin": np.sin, "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh, "atanh": np.arctanh,
    "erf": _by_element(erf), "erfc": _by_element(erfc), "normal_cdf": _by_element(lambda v: 0.5 * erfc(-v * 0.5**0.5)), "sigmoid": _sigmoid,
    "floor": np.floor, "ceil": np.ceil,
    "round": np.rint, "trunc": np.trunc, "lt": np.less, "le": np.less_equal, "gt": np.greater, "ge": np.greater_equal,
    "eq": np.equal, "ne": np.not_equal, "isnan": np.isnan, "isinf": np.isinf, "isfinite": np.isfinite,
    "logical_and": np.logical_and, "logical_or": np.logical_or, "logical_xor": np.logical_xor, "logical_not": np.logical_not,
    "select": np.where,
}  # fmt: skip


def _number(expr: Expr) -> Any:
    """numpy's type in which an expression is computed: float for half precision."""
    kind = dt.to_numpy(expr.dtype)
    return np.dtype(np.float32) if kind.name in _HALF else kind


def _cast(value: Any, dtype: DType) -> Any:
    if value.dtype.kind == "c" and not dtype.is_complex:
        value = value != 0 if dtype is dt.bool_ else value.real
    return value.astype(dt.to_numpy(dtype))


def _value(expr: Expr, operands: Sequence[Any], shape: tuple[int, ...], known: dict[int, Any]) -> Any:
    if id(expr) in known:
        return known[id(expr)]
    if expr.op == "operand":
        result = operands[expr.attr].astype(_number(expr))
    elif expr.op == "const":
        result = np.asarray(expr.attr).astype(dt.to_numpy(expr.dtype)).astype(_number(expr))
    elif expr.op == "index":
        along = [-1 if i == expr.attr else 1 for i in range(len(shape))]
        result = np.broadcast_to(np.arange(shape[expr.attr]).reshape(along), shape)
    else:
        arguments = [_value(a, operands, shape, known) for a in expr.args]
        result = arguments[0] if expr.op == "cast" else MEANING[expr.op](*arguments)
        if expr.op == "cast":
            result = _cast(result, expr.dtype)
        result = np.asarray(result).astype(_number(expr))
    known[id(expr)] = result
    return result


def evaluate_body(body: Callable[..., Expr], operands: Sequence[Any], out: TensorType, attrs: Mapping[str, Any]) -> Any:
    """One element-wise body over broadcast operands."""
    expr = trace(body, tuple(dt.from_numpy(o.dtype) for o in operands), **attrs)
    assert expr.dtype is out.dtype, f"the body gives {expr.dtype}, inference {out.dtype}"
    with np.errstate(all="ignore"):
        value = _value(expr, operands, out.shape, {})
    return np.broadcast_to(value, out.shape).astype(dt.to_numpy(out.dtype))


def _offsets(sizes: tuple[int, ...], strides: tuple[int, ...]) -> Any:
    """Offset of every element of a box."""
    offsets = np.zeros(sizes, np.int64)
    for axis, (size, stride) in enumerate(zip(sizes, strides, strict=True)):
        offsets += (np.arange(size) * stride).reshape([-1 if i == axis else 1 for i in range(len(sizes))])
    return offsets.reshape(-1)


def _move(record: Move, operands: Sequence[Any], out: TensorType, attrs: Mapping[str, Any]) -> Any:
    types = [TensorType(dt.from_numpy(o.dtype), o.shape) for o in operands]
    result = np.zeros(int(np.prod(out.shape)), dt.to_numpy(out.dtype))
    written = np.zeros(result.size, np.int64)
    if record.fill is not None:
        result[:] = np.asarray(attrs[record.fill] if isinstance(record.fill, str) else record.fill).astype(result.dtype)
    for copy in record.plan(types, out, **attrs):
        source = copy.in_offset + _offsets(copy.sizes, copy.in_strides)
        target = copy.out_offset + _offsets(copy.sizes, copy.out_strides)
        result[target] = operands[copy.input].reshape(-1)[source]
        np.add.at(written, target, 1)
    assert (written <= 1).all(), "boxes overlap in the output"
    assert record.fill is not None or (written == 1).all(), "boxes do not cover the output"
    return result.reshape(out.shape)


def _reduce(record: Reduce, x: Any, out: TensorType, attrs: Mapping[str, Any]) -> Any:
    wide = x.astype(np.float32) if x.dtype.name in _HALF else x
    axes = normalize_axes(attrs["axis"], x.ndim)
    extra: dict[str, Any] = {"dtype": wide.dtype} if record.kind in ("sum", "prod") else {}
    if record.kind in ("max", "min"):
        lowest = np.iinfo(wide.dtype) if wide.dtype.kind in "iu" else None
        extra["initial"] = (
            (-np.inf if record.kind == "max" else np.inf)
            if lowest is None
            else (lowest.min if record.kind == "max" else lowest.max)
        )
    folded = getattr(np, record.kind)(wide, axis=axes, keepdims=attrs["keep_dims"], **extra)
    return np.asarray(folded).astype(dt.to_numpy(out.dtype))


def _contract(x: Any, y: Any, attrs: Mapping[str, Any]) -> Any:
    half = x.dtype if x.dtype.name in _HALF else None
    x, y = (v.astype(np.float32) if half is not None else v for v in (x, y))
    product = np.einsum(
        f"...{'km' if attrs['transpose_a'] else 'mk'},...{'nk' if attrs['transpose_b'] else 'kn'}->...mn", x, y
    )
    return product.astype(half) if half is not None else product


def _places(walk: Walk, indices: Sequence[Any]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Each position of a walk with its place, one by one."""
    for position in np.ndindex(*walk.sizes):
        place = walk.offset + sum(i * s for i, s in zip(position, walk.strides, strict=True))
        for pick, index in zip(walk.picks, indices, strict=True):
            number = int(index.reshape(-1)[sum(i * s for i, s in zip(position, pick.strides, strict=True))])
            assert -pick.bound <= number < pick.bound
            place += number % pick.bound * pick.step
        yield position, place


def _gather(operands: Sequence[Any], walk: Walk) -> Any:
    result = np.zeros(walk.sizes, operands[0].dtype)
    for position, place in _places(walk, operands[1:]):
        result[position] = operands[0].reshape(-1)[place]
    return result


def _accumulate(kind: str, operands: Sequence[Any], axis: int, reverse: bool) -> Any:
    given = [np.flip(o, axis) if reverse else o for o in operands]
    rows = [np.moveaxis(g.astype(np.float32) if g.dtype.name in _HALF else g, axis, 0) for g in given]
    made = np.zeros_like(rows[0])
    before = np.zeros_like(made[:1]).sum(0)
    steps = {"sum": np.add, "prod": np.multiply, "max": np.maximum, "min": np.minimum, "logsum": np.logaddexp}
    step = steps.get(kind)
    for i in range(len(made)):
        if step is None:
            made[i] = rows[0][i] * before + rows[1][i]
        else:
            made[i] = rows[0][0] if i == 0 else step(before, rows[0][i])
        before = made[i]
    result = np.moveaxis(made, 0, axis).astype(operands[0].dtype)
    return np.flip(result, axis) if reverse else result


def _last_extremes(kind: str, x: Any, axis: int) -> tuple[Any, Any]:
    """Each new extreme, equal one or NaN replaces the one before."""
    rows = np.moveaxis(x, axis, 0)
    values, places = rows.copy(), np.zeros(rows.shape, np.int64)
    for i in range(1, len(rows)):
        with np.errstate(invalid="ignore"):
            wins = (rows[i] >= values[i - 1]) if kind == "max" else (rows[i] <= values[i - 1])
        wins |= rows[i] != rows[i]
        values[i] = np.where(wins, rows[i], values[i - 1])
        places[i] = np.where(wins, i, places[i - 1])
    return np.moveaxis(values, 0, axis), np.moveaxis(places, 0, axis)


def _order(x: Any, descending: bool) -> Any:
    def key(pair: tuple[int, Any]) -> Any:
        rank = (1, 0.0) if pair[1] != pair[1] else (0, float(pair[1]) if pair[1].dtype.kind != "u" else int(pair[1]))
        return (-rank[0], -rank[1]) if descending else rank

    rows = [[i for i, _ in sorted(enumerate(row), key=key)] for row in x.reshape(-1, x.shape[-1])] if x.size else []
    return np.array(rows, np.int32).reshape(x.shape)


def _searched(ordered: Any, values: Any, right: bool) -> Any:
    """By bisection; NaN is at neither side of a number."""
    rows = np.broadcast_to(ordered, (*values.shape[:-1], ordered.shape[-1])) if values.ndim else ordered
    found = np.zeros(values.shape, np.int64)
    for i in np.ndindex(*values.shape):
        low, high = 0, rows.shape[-1]
        while low < high:
            middle = (low + high) // 2
            element = rows[(*i[:-1], middle)]
            behind = element <= values[i] if right else element < values[i]
            low, high = (middle + 1, high) if behind else (low, middle)
        found[i] = low
    return found


def _combined(kind: str, x: Any, y: Any) -> Any:
    return MEANING["truncdiv" if kind == "div" and x.dtype.kind != "f" else kind](x, y)


def _scatter(operands: Sequence[Any], walk: Walk, kind: str) -> Any:
    base, updates, *indices = operands
    result, given = base.copy().reshape(-1), np.broadcast_to(updates, walk.sizes)
    for position, place in _places(walk, indices):
        pair = result[place : place + 1], given[position].reshape(1)
        result[place] = pair[1][0] if kind == "set" else _combined(kind, *pair)[0]
    return result.reshape(base.shape)


def evaluate_compute(op: Operator, operands: Sequence[Any], out: Type, attrs: Mapping[str, Any]) -> Any:
    """What kernels that follow ``op.compute`` give."""
    record = op.compute
    if isinstance(record, Update):
        results = out.elements if isinstance(out, TupleType) else (out,)
        assert len(results) == len(record.bodies)
        return tuple(
            evaluate_body(body, operands, t, attrs)
            for body, t in zip(record.bodies, results, strict=True)
            if isinstance(t, TensorType)
        )
    if isinstance(record, Accumulate) and isinstance(out, TupleType):
        values, places = _last_extremes(record.kind.removeprefix("arg"), operands[0], attrs["axis"])
        return values, places.astype(np.int64 if record.kind == "argmax" else np.int32)
    assert isinstance(out, TensorType)
    if isinstance(record, Elementwise):
        return evaluate_body(record.body, operands, out, attrs)
    if isinstance(record, Move):
        return _move(record, operands, out, attrs)
    if isinstance(record, Alias):
        return operands[0].reshape(out.shape)
    if isinstance(record, Reduce):
        return _reduce(record, operands[0], out, attrs)
    if isinstance(record, ArgReduce):
        found = getattr(np, f"arg{record.kind}")(operands[0], axis=attrs["axis"], keepdims=attrs["keep_dims"])
        return np.asarray(found).astype(np.int32)
    if isinstance(record, Accumulate):
        return _accumulate(record.kind, operands, attrs["axis"], attrs["reverse"])
    if isinstance(record, Order):
        return _order(operands[0], attrs["descending"])[..., : attrs["count"]]
    if isinstance(record, Search):
        return _searched(operands[0], operands[1], attrs["right"])
    if isinstance(record, Gather):
        return _gather(operands, attrs["walk"])
    if isinstance(record, Scatter):
        return _scatter(operands, attrs["walk"], attrs["kind"])
    if isinstance(record, Products):
        return evaluate_products(record, operands, out, attrs)
    if isinstance(record, PlaneConvolution):
        return evaluate_planes(record, operands, **attrs)
    if isinstance(record, Windows):
        return evaluate_windows(record, operands, out, attrs)
    assert isinstance(record, Contract), f"{op.name}: the interpreter does not know {type(record).__name__}"
    return _contract(operands[0], operands[1], attrs)
