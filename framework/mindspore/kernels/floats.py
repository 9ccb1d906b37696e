"""Operations of the scalar language on floating lanes (float and double; 16-bit types compute in float)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import circular, errorfunction, exponential, power, trigonometric
from mindspore.kernels.emit import Function, Value
from mindspore.kernels.real import Real, two_product

Binary = Callable[[Real, Value, Value], Value]
Unary = Callable[[Real, Value], Value]


def real(f: Function, dtype: DType) -> Real:
    """The arithmetic that elements of `dtype` are computed in."""
    if dtype is dt.float64:
        return Real(f, "double", "double")
    return Real(f, "float", "half" if dtype in (dt.float16, dt.bfloat16) else "single")


def widened(function: Callable[..., Value]) -> Callable[..., Value]:
    """`function` in double: for float lanes with the short polynomials, which is faster to write right than in float and half as fast."""

    def emit(r: Real, *operands: Value) -> Value:
        if r.scalar == "double":
            return function(r, *operands)
        wide = Real(r.f, r.shaped("double"), "single")
        return function(wide, *[o.to("fpext", wide.type) for o in operands]).to("fptrunc", r.type)

    return emit


def minimum(r: Real, a: Value, b: Value) -> Value:
    """NaN of either operand is handed on."""
    return r.select(a.ne(a), a, r.select(a < b, a, b))


def maximum(r: Real, a: Value, b: Value) -> Value:
    """NaN of either operand is handed on."""
    return r.select(a.ne(a), a, r.select(a > b, a, b))


def extreme(f: Function, kind: str, so_far: Value, lane: Value) -> Value:
    """``max`` or ``min`` of two floats, NaN if there is one: the form that LLVM vectorises as a fold.

    Which of two zeros it gives is open: what makes sure of that takes longer than the rest.
    """
    kept, f.flags = f.flags, f"{f.flags} nsz"
    result = f.intrinsic(f"{kind}imum", lane.type, so_far, lane)
    f.flags = kept
    return result


def _sign(r: Real, a: Value) -> Value:
    return r.select(a > 0.0, 1.0, r.select(a < 0.0, -1.0, a))


def _truncated(r: Real, a: Value, b: Value) -> tuple[Value, Value]:
    """(quotient towards zero, exact remainder with the sign of `a`) of doubles; exact while |a / b| < 2**53."""
    f = r.f
    quotient = r.unary("trunc", a / b)
    product, error = two_product(f, quotient, b)
    remainder = (a - product) - error
    size = r.abs(b)
    # the rounded quotient may be one too far; the remainder then has the wrong sign or size
    step = r.copysign(r.number(1.0), quotient)
    over = (remainder < 0.0) & (a > 0.0) | (remainder > 0.0) & (a < 0.0)
    under = r.abs(remainder) >= size
    quotient = r.select(over, quotient - step, r.select(under, quotient + step, quotient))
    back = r.copysign(size, a)
    remainder = r.select(over, remainder + back, r.select(under, remainder - back, remainder))
    infinite = size.eq(r.inf) & (r.abs(a) < r.inf)
    remainder = r.select(infinite, a, remainder)
    return quotient, r.select(b.eq(0.0) | r.abs(a).eq(r.inf), r.nan, r.copysign(remainder, a))


def _rem(r: Real, a: Value, b: Value) -> Value:
    return _truncated(r, a, b)[1]


def _truncdiv(r: Real, a: Value, b: Value) -> Value:
    quotient, _ = _truncated(r, a, b)
    return r.select(b.eq(0.0) | r.abs(a).eq(r.inf), a / b, quotient)


def _crossed(remainder: Value, b: Value) -> Value:
    return (remainder < 0.0) & (b > 0.0) | (remainder > 0.0) & (b < 0.0)


def _mod(r: Real, a: Value, b: Value) -> Value:
    _, remainder = _truncated(r, a, b)
    signed = r.select(remainder.eq(0.0), r.copysign(remainder, b), remainder)
    return r.select(_crossed(remainder, b), remainder + b, signed)


def _floordiv(r: Real, a: Value, b: Value) -> Value:
    quotient, remainder = _truncated(r, a, b)
    floored = r.select(_crossed(remainder, b), quotient - 1.0, quotient)
    floored = r.select(r.abs(a).eq(r.inf), r.nan, floored)
    return r.select(b.eq(0.0), a / b, floored)


def _rsqrt(r: Real, a: Value) -> Value:
    return 1.0 / r.unary("sqrt", a)


def _pow(r: Real, a: Value, b: Value) -> Value:
    return exponential.power(r, a, b) if r.scalar == "double" else power.pow_float(r, a, b)


def _asinh(r: Real, a: Value) -> Value:
    single = r.scalar == "float" and r.f.module.target.fma
    return exponential.asinh_single(r, a) if single else widened(exponential.asinh)(r, a)


def _intrinsic(name: str) -> Unary:
    return lambda r, a: r.unary(name, a)


BINARY: Mapping[str, Binary] = MappingProxyType(
    {
        "add": lambda r, a, b: a + b, "sub": lambda r, a, b: a - b, "mul": lambda r, a, b: a * b,
        "div": lambda r, a, b: a / b, "floordiv": widened(_floordiv), "mod": widened(_mod), "truncdiv": widened(_truncdiv),
        "rem": widened(_rem), "pow": _pow, "minimum": minimum, "maximum": maximum,
        "atan2": widened(trigonometric.atan2),
    }
)  # fmt: skip
UNARY: Mapping[str, Unary] = MappingProxyType(
    {
        "neg": lambda r, a: -a, "abs": _intrinsic("fabs"), "sign": _sign, "square": lambda r, a: a * a,
        "sqrt": _intrinsic("sqrt"), "rsqrt": _rsqrt, "reciprocal": lambda r, a: 1.0 / a,
        "exp": exponential.exp, "expm1": exponential.expm1, "log": exponential.log, "log1p": exponential.log1p,
        "log2": exponential.log2, "exp2": exponential.exp2, "sin": circular.sin,
        "cos": circular.cos, "tan": circular.tan, "asin": widened(trigonometric.asin),
        "acos": widened(trigonometric.acos), "atan": widened(trigonometric.atan), "sinh": widened(exponential.sinh),
        "cosh": widened(exponential.cosh), "tanh": exponential.tanh, "asinh": _asinh,
        "acosh": widened(exponential.acosh), "atanh": widened(exponential.atanh), "erf": errorfunction.erf,
        "erfc": widened(errorfunction.erfc), "normal_cdf": errorfunction.normal_cdf,
        "sigmoid": exponential.sigmoid, "floor": _intrinsic("floor"), "ceil": _intrinsic("ceil"),
        "round": _intrinsic("roundeven"), "trunc": _intrinsic("trunc"),
    }
)  # fmt: skip
CLASSIFY: Mapping[str, Unary] = MappingProxyType(
    {
        "isnan": lambda r, a: a.ne(a), "isinf": lambda r, a: r.abs(a).eq(r.inf), "isfinite": lambda r, a: r.abs(a) < r.inf,
    }
)  # fmt: skip
