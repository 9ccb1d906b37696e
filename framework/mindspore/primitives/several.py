"""Element-wise functions of several tensors beyond arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Elementwise
from mindspore.primitives.declare import (
    DISCRETE,
    STEP,
    Rule,
    binary,
    broadcast_shape,
    check_dtype,
    check_same_dtype,
    elementwise_gradient,
    operator,
    quiet,
    wide,
)
from mindspore.primitives.samples import TERNARY, Case, Domain, Samples, Wrong

_AWAY_FROM_0 = Domain(kinks=(0.0,))
_NONZERO = Domain(0.4, 3.0)


def _hypot_part(b: Any, this: Any, out: Any, d: Any) -> Any:
    return b.mul(d, b.div_no_nan(this, out))


def _hypot_body(s: Any, x: Any, y: Any) -> Any:
    """The larger magnitude times the root of 1 and the squared quotient: squares neither overflow nor vanish."""
    one, other = s.abs(x), s.abs(y)
    large, small = s.maximum(one, other), s.minimum(one, other)
    ratio = s.div(small, s.select(s.eq(large, 0), 1, large))
    found = s.mul(large, s.sqrt(s.add(s.square(ratio), 1)))
    return s.select(s.logical_or(s.isinf(x), s.isinf(y)), float("inf"), found)


binary("Hypot", _hypot_body, np.hypot,
       (lambda b, x, y, out, d: _hypot_part(b, x, out, d), lambda b, x, y, out, d: _hypot_part(b, y, out, d)),
       dtypes=dt.FLOATS, promote="float", domains=(_NONZERO, _NONZERO), doc="``sqrt(x ** 2 + y ** 2)``.")  # fmt: skip


def _number(pick: str) -> Rule:
    def body(s: Any, x: Any, y: Any) -> Any:
        chosen = getattr(s, pick)(x, y)
        if not x.dtype.is_floating:
            return chosen
        return s.select(s.isnan(x), y, s.select(s.isnan(y), x, chosen))

    return body


def _picked(better: str) -> tuple[Rule, Rule]:
    """d where this operand is picked, half of it where both are equal; a NaN beside it counts as worse."""

    def rule(b: Any, this: Any, other: Any, d: Any) -> Any:
        picked = b.logical_or(getattr(b, better)(this, other), b.logical_and(b.isnan(other), b.equal(this, this)))
        return b.select(picked, d, b.select(b.equal(this, other), b.mul(d, 0.5), 0))

    return lambda b, x, y, out, d: rule(b, x, y, d), lambda b, x, y, out, d: rule(b, y, x, d)


binary("Fmax", _number("maximum"), np.fmax, _picked("greater"), doc="The larger one; a NaN gives way to a number.")
binary("Fmin", _number("minimum"), np.fmin, _picked("less"), doc="The smaller one; a NaN gives way to a number.")


def _heaviside_body(s: Any, x: Any, values: Any) -> Any:
    step = s.select(s.eq(x, 0), values, s.select(s.gt(x, 0), s.const(1, x.dtype), 0))
    return s.select(s.ne(x, x), x, step) if x.dtype.is_floating else step


def _heaviside(x: Any, values: Any) -> Any:
    return np.where(x != x, x, np.where(x == 0, values, (x > 0).astype(x.dtype)))


binary("Heaviside", _heaviside_body, _heaviside, STEP, domains=(_AWAY_FROM_0, Domain()),
       doc="0 below zero, 1 above, the second input at zero.")  # fmt: skip


def _signed(s: Any, x: Any) -> Any:
    """Whether the sign is set, that of -0 too."""
    return s.logical_or(s.lt(x, 0), s.logical_and(s.eq(x, 0), s.lt(s.reciprocal(x), 0)))


def _copysign_slope(b: Any, x: Any, y: Any, out: Any, d: Any) -> Any:
    same = b.equal(b.sign(x), b.sign(out))
    return b.select(b.equal(x, 0), 0, b.select(same, d, b.neg(d)))


binary("CopySign", lambda s, x, y: s.select(_signed(s, y), s.neg(s.abs(x)), s.abs(x)),
       lambda x, y: np.where((y < 0) | ((y == 0) & np.signbit(y)), -np.abs(x), np.abs(x)), (_copysign_slope, None),
       function="copysign", dtypes=dt.FLOATS, promote="float", domains=(_AWAY_FROM_0, _AWAY_FROM_0),
       doc="The magnitude of the first input with the sign of the second; that of NaN counts as positive.")  # fmt: skip

_SHIFTS = (dt.uint8, dt.int8, dt.int16, dt.int32, dt.int64)


def _shift(name: str, scalar: str, function: str, reference: Rule) -> None:
    def body(s: Any, x: Any, y: Any) -> Any:
        bits = x.dtype.itemsize * 8
        far = s.logical_or(s.ge(y, bits), s.lt(y, 0))
        beyond = s.select(s.lt(x, 0), s.const(-1, x.dtype), 0) if scalar == "shift_right" and x.dtype.kind == "i" else 0
        return s.select(far, beyond, getattr(s, scalar)(x, s.select(far, 0, y)))

    def by_numpy(x: Any, y: Any) -> Any:
        bits = x.dtype.itemsize * 8
        return reference(x, np.where((y >= bits) | (y < 0), bits, y).astype(x.dtype))

    binary(name, body, by_numpy, DISCRETE, function=function, dtypes=_SHIFTS, domains=(Domain(), Domain(0, 9)),
           doc=f"The bits moved {'up' if scalar == 'shift_left' else 'down'} by as many places as the second input says.")  # fmt: skip


_shift("LeftShift", "shift_left", "bitwise_left_shift", np.left_shift)
_shift("RightShift", "shift_right", "bitwise_right_shift", np.right_shift)


def _several(
    name: str, inputs: str, body: Rule, reference: Rule, gradients: tuple[Rule, ...], domains: Any, doc: str
) -> None:
    """An element-wise operator of several floating inputs that broadcast."""
    names = tuple(inputs.split(", "))

    def infer(*types: TensorType) -> TensorType:
        for argument, each in zip(names, types, strict=True):
            check_dtype(name, argument, each, dt.FLOATS)
        check_same_dtype(name, names, types)
        return TensorType(types[0].dtype, broadcast_shape(name, names, types))

    extra = len(names) - 3
    trials = tuple(Case(c.shapes + ((),) * extra) for c in TERNARY)
    operator(
        name, inputs, infer=infer, reference=quiet(wide(reference)), gradient=elementwise_gradient(*gradients),
        promote="float", compute=Elementwise(body), dtypes=dt.FLOATS, doc=doc,
        samples=Samples(
            trials, domains, broadcast=True, specials=True,
            wrong=(Wrong(((2,), (3,), *((),) * (extra + 1)), ValueError, (name, f"{names[0]!r}", "[2]", "[3]")),),
        ),
    )  # fmt: skip


_several(
    "Lerp", "start, end, weight", lambda s, x, y, w: s.add(x, s.mul(w, s.sub(y, x))), lambda x, y, w: x + w * (y - x),
    (lambda b, x, y, w, out, d: b.mul(d, b.sub(1, w)), lambda b, x, y, w, out, d: b.mul(d, w),
     lambda b, x, y, w, out, d: b.mul(d, b.sub(y, x))),
    (Domain(),), "``start + weight * (end - start)``.",
)  # fmt: skip
_several(
    "Addcmul", "input, x1, x2, value", lambda s, x, p, q, v: s.add(x, s.mul(s.mul(p, q), v)), lambda x, p, q, v: x + p * q * v,
    (lambda b, x, p, q, v, out, d: d, lambda b, x, p, q, v, out, d: b.mul(d, b.mul(q, v)),
     lambda b, x, p, q, v, out, d: b.mul(d, b.mul(p, v)), lambda b, x, p, q, v, out, d: b.mul(d, b.mul(p, q))),
    (Domain(),), "``input + value * x1 * x2``.",
)  # fmt: skip
_several(
    "Addcdiv", "input, x1, x2, value", lambda s, x, p, q, v: s.add(x, s.mul(s.div(p, q), v)), lambda x, p, q, v: x + p / q * v,
    (lambda b, x, p, q, v, out, d: d, lambda b, x, p, q, v, out, d: b.mul(d, b.div(v, q)),
     lambda b, x, p, q, v, out, d: b.neg(b.mul(d, b.div(b.mul(b.div(p, q), v), q))),
     lambda b, x, p, q, v, out, d: b.mul(d, b.div(p, q))),
    (Domain(), Domain(), _NONZERO, Domain()), "``input + value * x1 / x2``.",
)  # fmt: skip
