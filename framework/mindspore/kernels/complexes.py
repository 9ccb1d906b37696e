"""Operations of the scalar language on complex lanes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from mindspore.kernels.emit import Function, Value
from mindspore.kernels.lanes import Complex


def _add(f: Function, a: Complex, b: Complex) -> Complex:
    return Complex(a.real + b.real, a.imag + b.imag)


def _sub(f: Function, a: Complex, b: Complex) -> Complex:
    return Complex(a.real - b.real, a.imag - b.imag)


def _mul(f: Function, a: Complex, b: Complex) -> Complex:
    return Complex(a.real * b.real - a.imag * b.imag, a.real * b.imag + a.imag * b.real)


def _div(f: Function, a: Complex, b: Complex) -> Complex:
    """Smith's method: the larger part of the divisor is divided out first, so that squares do not overflow."""
    size_r, size_i = f.intrinsic("fabs", b.real.type, b.real), f.intrinsic("fabs", b.imag.type, b.imag)
    steep = size_i > size_r
    big, small = f.select(steep, b.imag, b.real), f.select(steep, b.real, b.imag)
    ratio = small / big
    ratio = f.select(big.eq(0.0), f.value(0.0, ratio.type), ratio)
    scale = 1.0 / (big + small * ratio)
    first, second = f.select(steep, a.imag, a.real), f.select(steep, a.real, a.imag)
    real = (first + second * ratio) * scale
    imag = (second - first * ratio) * scale
    return Complex(real, f.select(steep, -imag, imag))


def _eq(f: Function, a: Complex, b: Complex) -> Value:
    return a.real.eq(b.real) & a.imag.eq(b.imag)


def _ne(f: Function, a: Complex, b: Complex) -> Value:
    return a.real.ne(b.real) | a.imag.ne(b.imag)


def _neg(f: Function, a: Complex) -> Complex:
    return Complex(-a.real, -a.imag)


def _reciprocal(f: Function, a: Complex) -> Complex:
    one = Complex(f.value(1.0, a.real.type), f.value(0.0, a.real.type))
    return _div(f, one, a)


BINARY: Mapping[str, Callable[[Function, Complex, Complex], Complex]] = MappingProxyType(
    {"add": _add, "sub": _sub, "mul": _mul, "div": _div}
)
COMPARE: Mapping[str, Callable[[Function, Complex, Complex], Value]] = MappingProxyType({"eq": _eq, "ne": _ne})
UNARY: Mapping[str, Callable[[Function, Complex], Complex]] = MappingProxyType(
    {"neg": _neg, "square": lambda f, a: _mul(f, a, a), "reciprocal": _reciprocal}
)
