"""Element-wise functions with MindSpore's signatures that are written over several operators, in both modes."""

from __future__ import annotations

import math
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function

_abs = function("abs")
_add = function("add")
_addcdiv = function("Addcdiv")
_addcmul = function("Addcmul")
_bessel_i0 = function("bessel_i0")
_div = function("div")
_equal = function("equal")
_exp2 = function("exp2")
_floor_mod = function("floor_mod")
_full = function("full")
_greater = function("greater")
_isnan = function("isnan")
_less = function("less")
_lgamma = function("lgamma")
_log = function("log")
_log1p = function("log1p")
_log2 = function("log2")
_exp = function("exp")
_heaviside = function("heaviside")
_logical_and = function("logical_and")
_logical_or = function("logical_or")
_maximum = function("maximum")
_mod = function("mod")
_mul = function("mul")
_neg = function("neg")
_not_equal = function("not_equal")
_pow = function("pow")
_reciprocal = function("reciprocal")
_select = function("select")
_sign = function("sign")
_sub = function("sub")
_trunc = function("trunc")
_zeta = function("zeta")
_digamma = function("digamma")
_infinity = float("inf")


def positive(input: Any) -> Any:
    """The tensor itself."""
    return input


def heaviside(input: Any, values: Any) -> Any:
    """0 where `input` is below 0, 1 where it is above, and `values` where it is 0; both broadcast."""
    return _heaviside(input, values)


def deg2rad(x: Any) -> Any:
    """Degrees as radians: ``x * pi / 180``."""
    return _mul(x, math.pi / 180.0)


def rad2deg(x: Any) -> Any:
    """Radians as degrees: ``x * 180 / pi``."""
    return _mul(x, 180.0 / math.pi)


def frac(x: Any) -> Any:
    """What `trunc` takes away: the part of each number behind the point, with its sign."""
    return _sub(x, _trunc(x))


def sgn(input: Any) -> Any:
    """The sign: -1, 0 or 1."""
    return _sign(input)


def signbit(input: Any) -> Any:
    """Whether the sign is set, that of -0 too; False for NaN."""
    negative = _less(input, 0)
    if not input.dtype.is_floating:
        return negative
    return _logical_or(negative, _logical_and(_equal(input, 0), _less(_reciprocal(input), 0)))


def isposinf(input: Any) -> Any:
    """Whether each element is infinity."""
    return _equal(input, _infinity) if input.dtype.is_floating else _full(input.shape, False, dt.bool_)


def isneginf(input: Any) -> Any:
    """Whether each element is minus infinity."""
    return _equal(input, -_infinity) if input.dtype.is_floating else _full(input.shape, False, dt.bool_)


def isreal(input: Any) -> Any:
    """Whether each element is a real number: True for real types."""
    if input.dtype.is_complex:
        raise TypeError(f"For 'isreal', the 'input' must be a tensor of a real type, but got {input.dtype}.")
    return _full(input.shape, True, dt.bool_)


def is_floating_point(input: Any) -> bool:
    """Whether the element type is a floating one."""
    return bool(input.dtype.is_floating)


def is_complex(input: Any) -> bool:
    """Whether the element type is complex."""
    return bool(input.dtype.is_complex)


def log10(input: Any) -> Any:
    """The logarithm to base 10.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.log10(Tensor([1.0, 100.0])))
        [0. 2.]
    """
    return _div(_log(input), math.log(10.0))


def float_power(input: Any, exponent: Any) -> Any:
    """``input ** exponent``, computed and returned as float64."""
    return _pow(_as_double(input), _as_double(exponent))


def _as_double(value: Any) -> Any:
    return float(value) if isinstance(value, bool | int | float) else f.cast(value, dt.float64)


def fmod(input: Any, other: Any) -> Any:
    """The remainder with the sign of `input`, as C's fmod."""
    return _mod(input, other)


def remainder(input: Any, other: Any) -> Any:
    """The remainder with the sign of `other`, as Python's ``%``."""
    return _floor_mod(input, other)


def ldexp(x: Any, other: Any) -> Any:
    """``x * 2 ** other``."""
    return _mul(x, _exp2(other))


def logaddexp(input: Any, other: Any) -> Any:
    """``log(exp(input) + exp(other))``, without overflow.

    Raises:
        TypeError: an element type that is not floating.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.logaddexp(Tensor([1000.0]), Tensor([1000.0])))
        [1000.6931]
    """
    return _log_of_sum("logaddexp", input, other, 1.0)


def logaddexp2(input: Any, other: Any) -> Any:
    """``log2(2 ** input + 2 ** other)``, without overflow.

    Raises:
        TypeError: an element type that is not floating.
    """
    return _log_of_sum("logaddexp2", input, other, math.log(2.0))


def _log_of_sum(owner: str, x: Any, y: Any, unit: float) -> Any:
    if not x.dtype.is_floating or not y.dtype.is_floating:
        raise TypeError(
            f"For '{owner}', 'input' and 'other' must be floating tensors, but got {x.dtype} and {y.dtype}."
        )
    large, apart = _maximum(x, y), _neg(_abs(_sub(x, y)))
    # Equal infinities are no distance apart.
    apart = _select(_equal(x, y), 0.0, apart)
    return _add(large, _div(_log1p(_exp(_mul(apart, unit))), unit))


def logit(input: Any, eps: Any = None) -> Any:
    """``log(x / (1 - x))``; with `eps` x is kept within ``[eps, 1 - eps]``.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.logit(Tensor([0.5])))
        [0.]
    """
    x = input if eps is None else f.clamp(input, eps, 1.0 - eps)
    return _sub(_log(x), _log1p(_neg(x)))


def i0(input: Any) -> Any:
    """The modified Bessel function of order 0."""
    return _bessel_i0(input)


def mvlgamma(input: Any, p: int) -> Any:
    """The logarithm of the multivariate gamma function of dimension `p`.

    Raises:
        ValueError: `p` below 1.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.mvlgamma(Tensor([3.0]), 2))
        [1.5501943]
    """
    if p < 1:
        raise ValueError(f"For 'mvlgamma', the 'p' must be at least 1, but got {p}.")
    total = _lgamma(input)
    for k in range(1, p):
        total = _add(total, _lgamma(_sub(input, 0.5 * k)))
    return _add(total, 0.25 * p * (p - 1) * math.log(math.pi))


def polygamma(n: int, input: Any) -> Any:
    """Derivative number `n` of `digamma`, for positive elements.

    Raises:
        ValueError: `n` below 0.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.polygamma(1, Tensor([1.0])))
        [1.644934]
    """
    if n < 0:
        raise ValueError(f"For 'polygamma', the 'n' must be at least 0, but got {n}.")
    if n == 0:
        return _digamma(input)
    sign = 1.0 if n % 2 else -1.0
    return _mul(_zeta(float(n + 1), input), sign * math.factorial(n))


def addcmul(input: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
    """``input + value * tensor1 * tensor2``."""
    return _addcmul(input, tensor1, tensor2, value)


def addcdiv(input: Any, tensor1: Any, tensor2: Any, value: Any = 1) -> Any:
    """``input + value * tensor1 / tensor2``."""
    return _addcdiv(input, tensor1, tensor2, value)


def gcd(input: Any, other: Any) -> Any:
    """The greatest common divisor of integers, element by element, by Euclid's algorithm.

    Raises:
        TypeError: an element type that is no integer.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> print(ops.gcd(Tensor([12, 7], ms.int32), Tensor([18, 0], ms.int32)))
        [6 7]
    """
    if input.dtype.kind not in "iu" or other.dtype.kind not in "iu":
        raise TypeError(
            f"For 'gcd', 'input' and 'other' must be tensors of integers, but got {input.dtype} and {other.dtype}."
        )
    zero = _mul(input, _mul(other, 0))
    a, b = _abs(_add(input, zero)), _abs(_add(other, zero))
    while f.any(_not_equal(b, 0)):
        # The remainder by 0 is not used: there a is the divisor already.
        rest = _select(_equal(b, 0), 0, _mod(a, b))
        a = _select(_equal(b, 0), a, b)
        b = rest
    return a


def lcm(input: Any, other: Any) -> Any:
    """The least common multiple of integers, element by element; 0 where one of them is.

    Raises:
        TypeError: an element type that is no integer.
    """
    divisor = gcd(input, other)
    whole = f.cast(_div_whole(input, _maximum(divisor, 1)), divisor.dtype)
    return _abs(_mul(whole, other))


_div_whole = function("truncate_div")

METHODS = {
    each.__name__: each
    for each in (
        addcdiv, addcmul, deg2rad, fmod, float_power, frac, gcd, heaviside, i0, is_complex, isneginf, isposinf, isreal, lcm, ldexp, log10,
        logaddexp, logaddexp2, logit, mvlgamma, positive, rad2deg, remainder, sgn, signbit,
    )
}  # fmt: skip
"""Functions that are methods of tensors as well."""
OPERATORS = {
    "bitwise_left_shift": "bitwise_left_shift", "bitwise_right_shift": "bitwise_right_shift", "copysign": "copysign",
    "digamma": "digamma", "erfinv": "erfinv", "fmax": "fmax", "fmin": "fmin", "hardshrink": "hardshrink",
    "hypot": "hypot", "lerp": "lerp", "lgamma": "lgamma", "log2": "log2", "sinc": "sinc", "soft_shrink": "softshrink",
    "xdivy": "xdivy", "xlogy": "xlogy", "arccos": "acos", "arccosh": "acosh", "arcsin": "asin", "arcsinh": "asinh",
    "arctan": "atan", "arctan2": "atan2", "arctanh": "atanh", "bitwise_and": "bitwise_and", "bitwise_not": "invert",
    "bitwise_or": "bitwise_or", "bitwise_xor": "bitwise_xor", "inv": "reciprocal",
}  # fmt: skip
"""Methods of tensors that are one operator."""
FUNCTIONS = {**METHODS, "is_floating_point": is_floating_point, "polygamma": polygamma}
