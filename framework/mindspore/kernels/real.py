"""Arithmetic on one floating lane, the base of the elementary functions.

Everything is branch-free, so that a loop around it vectorises, and calls no library function.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf, nan

from mindspore.kernels.emit import Function, Operand, Value, element, lanes, vector
from mindspore.kernels.polynomials import TABLES

LN2 = Fraction(6931471805599453094172321214581765680755, 10**40)
LOG2_E = 1.4426950408889634074
_LAYOUT = {"float": ("i32", 23, 127), "double": ("i64", 52, 1023)}


@dataclass(frozen=True, slots=True)
class Real:
    """Emits operations on values of `type` (``float``, ``double`` or a vector of them).

    ``precision`` ``single`` takes the polynomials that are good for float32 results, also when computing in double; ``half`` those that are
    good for 16-bit results, where there are any.
    """

    f: Function
    type: str
    precision: str

    @property
    def scalar(self) -> str:
        return element(self.type)

    @property
    def mantissa(self) -> int:
        return _LAYOUT[self.scalar][1]

    @property
    def bias(self) -> int:
        return _LAYOUT[self.scalar][2]

    @property
    def integer(self) -> str:
        """The integer type of the same width."""
        return self.shaped(_LAYOUT[self.scalar][0])

    def shaped(self, scalar: str) -> str:
        """`scalar` with as many lanes as `type`."""
        return vector(lanes(self.type), scalar) if lanes(self.type) else scalar

    def number(self, x: float | Fraction) -> Value:
        return self.f.value(float(x), self.type)

    @property
    def inf(self) -> Value:
        return self.number(inf)

    @property
    def nan(self) -> Value:
        return self.number(nan)

    def polynomial(self, table: str, x: Value) -> Value:
        """The named polynomial by Horner's rule."""
        precision = "single" if (table, self.precision) not in TABLES else self.precision
        coefficients = TABLES[table, precision]
        result = self.number(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            result = result * x + c
        return result

    def bits(self, x: Value) -> Value:
        return x.to("bitcast", self.integer)

    def from_bits(self, x: Value) -> Value:
        return x.to("bitcast", self.type)

    def unary(self, name: str, x: Value) -> Value:
        """An LLVM intrinsic that is one instruction: fabs, sqrt, floor, ceil, trunc, roundeven."""
        return self.f.intrinsic(name, self.type, x)

    def abs(self, x: Value) -> Value:
        return self.unary("fabs", x)

    def copysign(self, magnitude: Value, sign: Value) -> Value:
        return self.f.intrinsic("copysign", self.type, magnitude, sign)

    def select(self, condition: Value, yes: Operand, no: Operand) -> Value:
        return self.f.select(condition, self.f.value(yes, self.type), self.f.value(no, self.type))

    def clamp(self, x: Value, low: float, high: float) -> Value:
        """`x` within bounds; NaN stays."""
        x = self.select(x < low, low, x)
        return self.select(x > high, high, x)

    def power_of_two(self, exponent: Value) -> Value:
        """2**exponent for an integer lane within the normal range."""
        biased = self.f.op("add", exponent, self.bias)
        return self.from_bits(self.f.op("shl", biased, self.mantissa))

    def nearest(self, x: Value) -> tuple[Value, Value]:
        """(integral float, integer lane) nearest to `x`, |x| < 2**(mantissa - 2); NaN gives NaN and any integer, never poison."""
        magic = self.number(1.5 * 2.0**self.mantissa)
        shifted = x + magic
        whole = self.f.op("sub", self.bits(shifted), self.bits(magic))
        return shifted - magic, whole

    def to_float(self, whole: Value) -> Value:
        """An integer lane below 2**31 as a float (through i32, for which every level has a vector instruction)."""
        narrow = whole.to("trunc", self.shaped("i32"))
        return narrow.to("sitofp", self.type)

    def split_ln2(self) -> tuple[float, float]:
        """ln 2 as a short high part, whose product with an exponent is exact, and the rest."""
        kept = 9 if self.scalar == "float" else 32
        high = Fraction(round(LN2 * 2**kept), 2**kept)
        return float(high), float(LN2 - high)


def exact(f: Function) -> _Exact:
    """While active, floating operations carry no flags: nothing is contracted (error-free transformations)."""
    return _Exact(f)


class _Exact:
    def __init__(self, f: Function) -> None:
        self._f, self._flags = f, f.flags

    def __enter__(self) -> None:
        self._f.flags = ""

    def __exit__(self, *error: object) -> None:
        self._f.flags = self._flags


def two_sum(f: Function, a: Value, b: Value) -> tuple[Value, Value]:
    """(a + b rounded, the rounding error), exact for all magnitudes."""
    with exact(f):
        total = a + b
        part = total - a
        return total, (a - (total - part)) + (b - part)


def fast_two_sum(f: Function, a: Value, b: Value) -> tuple[Value, Value]:
    """`two_sum` for |a| >= |b|."""
    with exact(f):
        total = a + b
        return total, b - (total - a)


def _halves(f: Function, a: Value) -> tuple[Value, Value]:
    high = a.to("bitcast", vector(lanes(a.type), "i64") if lanes(a.type) else "i64") & ~0x7FFFFFF
    top = high.to("bitcast", a.type)
    return top, a - top


def two_product(f: Function, a: Value, b: Value) -> tuple[Value, Value]:
    """(a * b rounded, the rounding error) of doubles; by Dekker's splitting where the level has no fused multiply-add."""
    with exact(f):
        product = a * b
        if f.module.target.fma:
            return product, f.intrinsic("fma", a.type, a, b, -product)
        (ah, al), (bh, bl) = _halves(f, a), _halves(f, b)
        return product, ((ah * bh - product) + ah * bl + al * bh) + al * bl
