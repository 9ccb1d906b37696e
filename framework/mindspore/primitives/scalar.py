"""The language of element-wise bodies: a typed expression tree over scalars that kernels and the reference interpret.

A body is written as ``lambda s, x, y: s.add(x, s.mul(y, 2.0))``; `trace` turns it into data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType

ARITHMETIC = ("add", "sub", "mul", "div", "floordiv", "mod", "truncdiv", "rem", "pow", "minimum", "maximum", "atan2")
"""Two operands of one type. floordiv and mod round to minus infinity as Python does, truncdiv and rem to zero as C does.
Integer division by zero gives 0. minimum and maximum hand NaN on."""
BITWISE = ("bit_and", "bit_or", "bit_xor", "shift_left", "shift_right")
UNARY = ("neg", "abs", "sign", "bit_not", "square")
FLOATING = (
    "sqrt", "rsqrt", "reciprocal", "exp", "expm1", "log", "log1p", "log2", "exp2",
    "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh",
    "erf", "erfc", "normal_cdf", "sigmoid", "floor", "ceil", "round", "trunc",
)  # fmt: skip
"""One floating operand; round is to nearest, ties to even; normal_cdf is the standard normal distribution up to the operand."""
COMPARE = ("lt", "le", "gt", "ge", "eq", "ne")
CLASSIFY = ("isnan", "isinf", "isfinite")
LOGICAL = ("logical_and", "logical_or", "logical_xor", "logical_not")


@dataclass(frozen=True, slots=True)
class Expr:
    """One operation of the scalar language.

    ``op`` is a name above, or ``operand`` (attr: position), ``const`` (attr: value), ``select`` (condition, a, b),
    ``cast`` (to ``dtype``), ``index`` (attr: dimension of the output; Int64: the element's own position in it).
    """

    op: str
    args: tuple[Expr, ...]
    dtype: DType
    attr: Any = None


def _method(name: str, result: DType | None) -> Callable[..., Expr]:
    def build(self: Scalars, *args: Any) -> Expr:
        like = next(a for a in args if isinstance(a, Expr))
        operands = tuple(a if isinstance(a, Expr) else self.const(a, like.dtype) for a in args)
        if any(o.dtype is not like.dtype for o in operands):
            raise TypeError(f"scalar {name} needs operands of one type, got {[str(o.dtype) for o in operands]}")
        return Expr(name, operands, result or like.dtype)

    build.__name__ = name
    return build


class Scalars:
    """Builds expressions: one method per operation of the language; Python numbers become constants of the other operand's type."""

    def const(self, value: float | bool, dtype: DType) -> Expr:
        return Expr("const", (), dtype, value)

    def cast(self, value: Expr, dtype: DType) -> Expr:
        return value if value.dtype is dtype else Expr("cast", (value,), dtype)

    def select(self, condition: Expr, yes: Any, no: Any) -> Expr:
        like = yes if isinstance(yes, Expr) else no
        branches = [b if isinstance(b, Expr) else self.const(b, like.dtype) for b in (yes, no)]
        return Expr("select", (condition, *branches), like.dtype)

    def index(self, dimension: int) -> Expr:
        return Expr("index", (), dt.int64, dimension)

    def __getattr__(self, name: str) -> Callable[..., Expr]:
        raise AttributeError(f"the scalar language has no operation {name!r}")


for _name in (*ARITHMETIC, *BITWISE, *UNARY, *FLOATING):
    setattr(Scalars, _name, _method(_name, None))
for _name in (*COMPARE, *CLASSIFY, *LOGICAL):
    setattr(Scalars, _name, _method(_name, dt.bool_))


def trace(body: Callable[..., Expr], operands: tuple[DType, ...], **attrs: Any) -> Expr:
    """The expression tree of `body` for operands of these types."""
    scalars = Scalars()
    return body(scalars, *[Expr("operand", (), t, i) for i, t in enumerate(operands)], **attrs)


def postorder(expr: Expr) -> list[Expr]:
    """Every expression below `expr`, arguments before their users, shared ones once. Iterative, so depth is not limited."""
    order: list[Expr] = []
    done: set[int] = set()
    stack = [expr]
    while stack:
        current = stack[-1]
        waiting = [a for a in current.args if id(a) not in done]
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        if id(current) not in done:
            done.add(id(current))
            order.append(current)
    return order
