"""Arithmetic on two broadcast tensors. Mixed element types are brought together first."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.types import TensorType
from mindspore.primitives.declare import (
    DISCRETE,
    EVERY_REAL,
    FLOATS_AND_COMPLEX,
    Rule,
    binary,
    check_dtype,
    check_same_dtype,
    operator,
    quiet,
    wide,
)
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

ANY, POSITIVE, NONZERO = Domain(), Domain(0.3, 3.0), Domain(0.4, 3.0)


def _or_logical(scalar: str, on_bool: str) -> Rule:
    """Bool operands take the truth function that the arithmetic would round to."""
    return lambda s, x, y: getattr(s, on_bool if x.dtype is dt.bool_ else scalar)(x, y)


def _integers_by_zero(function: Rule, floats: Rule | None = None) -> Rule:
    """Integer division by zero gives 0; what floating numbers give is `floats`' or `function`'s own."""

    def run(x: Any, y: Any) -> Any:
        if x.dtype.kind not in "iu":
            return (floats or function)(x, y)
        zero = np.equal(y, 0)
        return np.where(zero, 0, function(x, np.where(zero, 1, y).astype(y.dtype))).astype(x.dtype)

    return run


def _trunc_div(x: Any, y: Any) -> Any:
    # The quotient of magnitudes would overflow for the smallest integer; the remainder does not.
    return np.floor_divide(x - np.fmod(x, y), y)


def _float_trunc_div(x: Any, y: Any) -> Any:
    return np.trunc(np.divide(x, y, dtype=np.float64)).astype(x.dtype)


def _tied(pick: str) -> Rule:
    """d where this operand is picked, half of it where both are equal."""
    return lambda b, this, other, d: b.select(
        getattr(b, pick)(this, other), d, b.select(b.equal(this, other), b.mul(d, 0.5), 0)
    )


_greater, _less = _tied("greater"), _tied("less")

binary("Add", _or_logical("add", "logical_or"), np.add, (lambda b, x, y, out, d: d, lambda b, x, y, out, d: d),
       dtypes=dt.ALL)  # fmt: skip
binary("Sub", "sub", np.subtract, (lambda b, x, y, out, d: d, lambda b, x, y, out, d: b.neg(d)), dtypes=dt.NUMBERS)
binary("Mul", _or_logical("mul", "logical_and"), np.multiply,
       (lambda b, x, y, out, d: b.mul(d, y), lambda b, x, y, out, d: b.mul(d, x)), dtypes=dt.ALL)  # fmt: skip

_DIVIDED = (lambda b, x, y, out, d: b.div(d, y), lambda b, x, y, out, d: b.neg(b.div(b.mul(d, out), y)))
binary("Div", "div", np.divide, _DIVIDED, dtypes=FLOATS_AND_COMPLEX, promote="float", domains=(ANY, NONZERO),
       doc="The true quotient; integers are divided as Float32.")  # fmt: skip
binary("RealDiv", lambda s, x, y: (s.div if x.dtype.is_floating else s.truncdiv)(x, y),
       _integers_by_zero(_trunc_div, np.divide), _DIVIDED, domains=(ANY, NONZERO),
       doc="The quotient; that of integers is rounded to zero.")  # fmt: skip
binary("DivNoNan", lambda s, x, y: s.select(s.eq(y, 0), 0, s.div(x, y)), lambda x, y: np.where(y == 0, 0, x / y).astype(x.dtype),
       (lambda b, x, y, out, d: b.div_no_nan(d, y), lambda b, x, y, out, d: b.neg(b.div_no_nan(b.mul(d, out), y))),
       dtypes=dt.FLOATS, promote="float", domains=(ANY, NONZERO), doc="The quotient; 0 where y is 0.")  # fmt: skip
binary("FloorDiv", "floordiv", _integers_by_zero(np.floor_divide), (None, None),
       domains=(ANY, NONZERO), doc="The quotient rounded to minus infinity.")  # fmt: skip
binary("TruncateDiv", "truncdiv", _integers_by_zero(_trunc_div, _float_trunc_div), (None, None),
       domains=(ANY, NONZERO), doc="The quotient rounded to zero.")  # fmt: skip


def _remainder(quotient: str) -> tuple[Rule, Rule]:
    def by_divisor(b: Any, x: Any, y: Any, out: Any, d: Any) -> Any:
        return b.neg(b.mul(d, getattr(b, quotient)(x, y)))

    return (lambda b, x, y, out, d: d), by_divisor


binary("FloorMod", "mod", _integers_by_zero(np.mod), _remainder("floor_div"), domains=(ANY, NONZERO),
       doc="The remainder with the sign of y, as Python's %.")  # fmt: skip
binary("Mod", "rem", _integers_by_zero(np.fmod), _remainder("truncate_div"), domains=(ANY, NONZERO),
       doc="The remainder with the sign of x, as C's fmod.")  # fmt: skip
binary("TruncateMod", "rem", _integers_by_zero(np.fmod), _remainder("truncate_div"), domains=(ANY, NONZERO),
       doc="The remainder with the sign of x.")  # fmt: skip


def _pow(x: Any, y: Any) -> Any:
    if x.dtype.kind not in "iu":
        return np.power(x, y)
    # A negative exponent gives the reciprocal rounded to zero: 0 but for a base of 1 or -1.
    powers = np.power(x, np.where(y < 0, y & 1 if x.dtype.kind == "i" else 0, y).astype(y.dtype))
    return np.where((y < 0) & (np.abs(x) != 1), 0, powers).astype(x.dtype)


def _pow_by_base(b: Any, x: Any, y: Any, out: Any, d: Any) -> Any:
    lowered = b.select(b.equal(y, 0), 1, b.sub(y, 1))
    return b.mul(d, b.mul(y, b.pow(x, lowered)))


def _pow_by_exponent(b: Any, x: Any, y: Any, out: Any, d: Any) -> Any:
    positive = b.greater(x, 0)
    return b.mul(d, b.mul(out, b.select(positive, b.log(b.select(positive, x, 1)), 0)))


binary("Pow", "pow", _pow, (_pow_by_base, _pow_by_exponent), domains=(POSITIVE, ANY))
binary("Maximum", _or_logical("maximum", "logical_or"), np.maximum,
       (lambda b, x, y, out, d: _greater(b, x, y, d), lambda b, x, y, out, d: _greater(b, y, x, d)),
       dtypes=EVERY_REAL, doc="NaN where either is; equal operands share the gradient.")  # fmt: skip
binary("Minimum", _or_logical("minimum", "logical_and"), np.minimum,
       (lambda b, x, y, out, d: _less(b, x, y, d), lambda b, x, y, out, d: _less(b, y, x, d)),
       dtypes=EVERY_REAL, doc="NaN where either is; equal operands share the gradient.")  # fmt: skip


def _over_square(b: Any, d: Any, x: Any, y: Any) -> Any:
    return b.div(d, b.add(b.square(x), b.square(y)))


binary("Atan2", "atan2", np.arctan2,
       (lambda b, x, y, out, d: b.mul(y, _over_square(b, d, x, y)),
        lambda b, x, y, out, d: b.neg(b.mul(x, _over_square(b, d, x, y)))),
       dtypes=dt.FLOATS, promote="float", domains=(ANY, NONZERO), doc="The angle of the point (y, x).")  # fmt: skip


def _difference(b: Any, x: Any, y: Any, d: Any) -> Any:
    return b.mul(d, b.mul(b.sub(x, y), 2))


binary("SquaredDifference", lambda s, x, y: s.square(s.sub(x, y)), lambda x, y: np.square(x - y),
       (lambda b, x, y, out, d: _difference(b, x, y, d), lambda b, x, y, out, d: _difference(b, y, x, d)))  # fmt: skip


def _unless_zero(s: Any, x: Any, value: Any) -> Any:
    return s.select(s.eq(x, 0), 0, value)


def _indicator(b: Any, x: Any) -> Any:
    return b.cast(b.not_equal(x, 0), dtype=b.dtype(x))


binary("Xdivy", lambda s, x, y: _unless_zero(s, x, s.div(x, y)), lambda x, y: np.where(x == 0, 0, x / y).astype(x.dtype),
       (lambda b, x, y, out, d: b.mul(d, b.xdivy(_indicator(b, x), y)),
        lambda b, x, y, out, d: b.mul(d, b.xdivy(b.neg(x), b.square(y)))),
       dtypes=dt.FLOATS, promote="float", domains=(NONZERO, NONZERO), doc="x / y; 0 where x is 0.")  # fmt: skip
binary("Xlogy", lambda s, x, y: _unless_zero(s, x, s.mul(x, s.log(y))),
       lambda x, y: np.where(x == 0, 0, x * np.log(y)).astype(x.dtype),
       (lambda b, x, y, out, d: b.mul(d, b.xlogy(_indicator(b, x), y)),
        lambda b, x, y, out, d: b.mul(d, b.xdivy(x, y))),
       dtypes=dt.FLOATS, promote="float", domains=(NONZERO, POSITIVE), doc="x * log(y); 0 where x is 0.")  # fmt: skip

for _name, _scalar, _reference in (
    ("And", "and", np.bitwise_and),
    ("Or", "or", np.bitwise_or),
    ("Xor", "xor", np.bitwise_xor),
):
    binary(f"Bitwise{_name}", _or_logical(f"bit_{_scalar}", f"logical_{_scalar}"), _reference, DISCRETE,
           dtypes=(dt.bool_, *dt.INTEGERS))  # fmt: skip


def _infer_add_n(*x: TensorType) -> TensorType:
    if not x:
        raise ValueError("AddN: argument 'x' must hold at least one tensor, but it is empty.")
    names = [f"x[{i}]" for i in range(len(x))]
    check_dtype("AddN", "x[0]", x[0], dt.REAL)
    check_same_dtype("AddN", names, x)
    for name, each in zip(names, x, strict=True):
        if each.shape != x[0].shape:
            raise ValueError(f"AddN: all tensors must have one shape, but 'x[0]' is {x[0]} and {name!r} is {each}.")
    return x[0]


operator(
    "AddN", "*x", infer=_infer_add_n, reference=quiet(wide(lambda *x: reduce(np.add, x))),
    gradient=lambda b, *args: (args[-1],) * (len(args) - 2),
    expand=lambda b, *x: reduce(b.add, x), dtypes=dt.REAL,
    samples=Samples(
        (Case(((2, 3),)), Case(((4,), (4,))), Case(((), (), ())), Case(((2, 0),) * 5)), specials=True,
        wrong=(Wrong(((2,), (3,)), ValueError, ("AddN", "x[1]", "[2]", "[3]")),
               Wrong(((2,), (2,)), TypeError, ("AddN", "x[1]", "Int32"), (dt.float32, dt.int32))),
    ),
    doc="The sum of all tensors, which have one type.",
)  # fmt: skip
