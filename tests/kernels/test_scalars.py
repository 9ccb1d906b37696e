"""Every operation of the scalar language on every element type, at every level this machine runs, against numpy."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import elementwise, scalars
from mindspore.kernels.target import GPUS, Gpu, Isa, Target
from mindspore.primitives.scalar import ARITHMETIC, BITWISE, CLASSIFY, COMPARE, FLOATING, LOGICAL, UNARY, trace
from tests.kernels import gpu_emulation
from tests.kernels.native import library, runnable

GPU = GPUS["sm_80"]
"""Emulated. Code of all generations is the same but for what LLVM makes of it."""
LEVELS = [pytest.param(isa, id=isa.name) for isa in (*runnable(), GPU)]
BEST = runnable()[-1]
BEST_AND_GPU = [pytest.param(isa, id=isa.name) for isa in (BEST, GPU)]
EVERY = (dt.bool_, *dt.REAL)
SPECIALS = (0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5, -0.5, 3.5, 1e-3, np.inf, -np.inf, np.nan)
ULP = {
    "asin": 2,
    "acos": 2,
    "atan": 2,
    "log1p": 3,
    "asinh": 3,
    "acosh": 4,
    "atanh": 3,
    "tan": 3,
    "erfc": 4,
    "pow": 2,
    "rsqrt": 2,
    "log2": 2,
    "tanh": 3,
    "sigmoid": 3,
}
"""Largest error in units of the last place; 1.5 where nothing is listed."""
EXACT = {
    "sqrt",
    "reciprocal",
    "floor",
    "ceil",
    "round",
    "trunc",
    "neg",
    "abs",
    "sign",
    "square",
    "add",
    "sub",
    "mul",
    "div",
}

Array = np.ndarray[Any, Any]


def evaluate(isa: Target, body: Callable[..., Any], *operands: Array) -> Array:
    """The body's value for each element, computed by a kernel."""
    types = tuple(dt.from_numpy(o.dtype) for o in operands)
    if isinstance(isa, Gpu):
        found: Array = gpu_emulation.evaluate(isa, trace(body, types), operands)
        return found
    assert isinstance(isa, Isa)
    made = elementwise.Body((trace(body, types),), types)
    spec = elementwise.spec(made)
    shape = np.broadcast_shapes(*[o.shape for o in operands])
    operands = tuple(np.ascontiguousarray(np.broadcast_to(o, shape)) for o in operands)
    result = np.zeros(shape, dt.to_numpy(made.bodies[0].dtype))
    params = elementwise.params(made, shape, [elementwise.broadcast_strides(shape, shape)] * len(operands))
    assert library([spec], isa).run(spec.name, [*operands, result], params) == 0
    return result


def samples(dtype: DType, count: int = 400) -> Array:
    """Numbers of all magnitudes, small ones more often, and the special ones."""
    rng = np.random.default_rng(7)
    kind = dt.to_numpy(dtype)
    if dtype is dt.bool_:
        return np.array([True, False, True, True, False, False, True])
    if dtype.is_integer:
        info = np.iinfo(kind)
        wide = rng.integers(info.min, info.max, count, dtype=kind, endpoint=True)
        edges = np.array([0, 1, 2, 3, info.max, info.min, info.max - 1, info.min + 1], kind)
        return np.concatenate([edges, wide, rng.integers(0, 12, count).astype(kind)])
    small = np.exp(rng.uniform(-9, 4, count)) * rng.choice([-1.0, 1.0], count)
    bits = rng.integers(0, 1 << (dtype.itemsize * 8 - 1), count, dtype=np.int64).astype(f"i{dtype.itemsize}").view(kind)
    signed = np.where(rng.random(count) < 0.5, bits, -bits).astype(kind)
    return np.concatenate(
        [np.array(SPECIALS).astype(kind), small.astype(kind), signed, rng.uniform(-1, 1, count).astype(kind)]
    )


def wide(dtype: DType) -> Any:
    """The type that results are compared in."""
    return np.longdouble if dtype is dt.float64 else np.float64


def ulp_error(got: Array, exact: Array) -> Array:
    """Distance in units of the last place of the type of `got`; 0 where both are the same infinity or NaN."""
    kind = got.dtype
    largest, tiny, digits = float(np.finfo(kind).max), float(np.finfo(kind).smallest_subnormal), np.finfo(kind).nmant
    with np.errstate(all="ignore"):
        _, exponent = np.frexp(exact)
        unit = np.maximum(np.ldexp(np.ones_like(exact), exponent - 1 - digits), tiny)
        error = np.abs(got.astype(exact.dtype) - exact) / unit
        overflow = np.isinf(got) & (np.abs(exact) >= largest) & (np.sign(got) == np.sign(exact))
        return np.where((np.isnan(got) & np.isnan(exact)) | overflow | (got == exact), 0, error)


def _reference(op: str) -> Callable[..., Array]:
    import math

    special: dict[str, Callable[..., Array]] = {
        "rsqrt": lambda x: 1 / np.sqrt(x), "reciprocal": lambda x: 1 / x, "neg": np.negative, "abs": np.abs,
        "round": np.round, "sigmoid": lambda x: np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x))),
        "erf": np.vectorize(math.erf, otypes=[np.float64]), "erfc": np.vectorize(math.erfc, otypes=[np.float64]),
        "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "asinh": np.arcsinh, "acosh": np.arccosh,
        "atanh": np.arctanh,
    }  # fmt: skip
    found: Callable[..., Array] = special.get(op) or getattr(np, op)
    return found


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize("op", [*UNARY[:3], "square", *(op for op in FLOATING if op != "normal_cdf")])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_floating_unary(isa: Target, op: str, dtype: DType) -> None:
    x = samples(dtype)
    got = evaluate(isa, lambda s, a: getattr(s, op)(a), x)
    with np.errstate(all="ignore"):
        exact = _reference(op)(x.astype(wide(dtype)))
    allowed = 0.5 if op in EXACT else ULP.get(op, 1.5)
    if dtype is dt.float64:
        # erf and erfc are compared with the C library's, tan with an 80-bit one that reduces by a short pi
        allowed += 1 if op in ("erf", "erfc") else 0.01
    keep = np.abs(x) < 2.0**60 if op in ("sin", "cos", "tan") and dtype is dt.float64 else np.full(x.shape, True)
    error = ulp_error(got, np.asarray(exact))[keep | ~np.isfinite(x)]
    assert error.max() <= allowed, (
        f"{op}({x[keep | ~np.isfinite(x)][error.argmax()]!r}) is off by {error.max():.2f} ulp"
    )


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", ["sinh", "asinh", "acosh", "atanh"])
def test_hyperbolic_functions_where_their_forms_change(isa: Target, op: str) -> None:
    borders = np.array([1e-3, 0.5, 1.0, 2048.0, 1e10, 2.5e38])
    x = np.concatenate([borders * f for f in 1 + np.linspace(-0.3, 0.3, 601)]).astype(np.float32)
    got = evaluate(isa, lambda s, a: getattr(s, op)(a), x)
    with np.errstate(all="ignore"):
        exact = _reference(op)(x.astype(np.float64))
    assert ulp_error(got, exact).max() <= ULP.get(op, 1.5)


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64, dt.float16], ids=str)
def test_the_normal_distribution(isa: Target, dtype: DType) -> None:
    """As good as a float next to 1 throughout; floats stay good relative to themselves until they are next to nothing."""
    import math

    kind = dt.to_numpy(dtype)
    x = np.concatenate([samples(dtype), np.linspace(-7, 7, 4001).astype(kind)])
    got = evaluate(isa, lambda s, a: s.normal_cdf(a), x).astype(np.float64)
    with np.errstate(invalid="ignore"):
        exact = np.array([math.erfc(-v * math.sqrt(0.5)) / 2 for v in x.astype(np.float64)])
    error, whole = np.abs(got - exact), np.isfinite(x)
    assert (error[whole] <= {4: 1.1 * 2.0**-24, 8: 1.5 * 2.0**-53, 2: 1.02 * 2.0**-12}[kind.itemsize]).all()
    tail = whole & (x > -5.6)
    if dtype is not dt.float64:
        # the least numbers of 16 bits are 2**-24 apart
        relative, least = (2.0**-18, 0) if dtype is dt.float32 else (1.1 * 2.0**-11, 2.0**-25)
        assert (error[tail] <= exact[tail] * relative + least).all()
    assert got[x == np.inf] == 1
    assert got[x == -np.inf] == 0
    assert np.isnan(got[np.isnan(x)]).all()


_HUGE = np.array([1e22, 1.2345e100, 6.381956970095103e305, 2.0**1000, 5.319372648326541e255])
_HUGE_VALUES = {
    "sin": [-0.8522008497671888, 0.9969767616876765, 0.8053918433895728, -0.15920170308624243, 1.0],
    "cos": [0.523214785395139, -0.07770030022306239, -0.5927427592147759, 0.9872460775989135, -4.687165924254628e-19],
    "tan": [-1.6287782256068988, -12.831054176438842, -1.3587544189599203, -0.16125837995065806, -2.133485385753704e18],
}
"""From arithmetic with 600 digits. The last argument is the double nearest to a multiple of pi / 2."""


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize("op", _HUGE_VALUES)
def test_trigonometric_functions_of_huge_doubles(isa: Target, op: str) -> None:
    got = evaluate(isa, lambda s, a: getattr(s, op)(a), _HUGE)
    np.testing.assert_allclose(got, _HUGE_VALUES[op], rtol=9e-16)


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize("op", ["exp", "tanh", "sqrt", "abs", "floor", "sigmoid", "square"])
@pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16], ids=str)
def test_half_precision_computes_in_float32(isa: Target, op: str, dtype: DType) -> None:
    kind = dt.to_numpy(dtype)
    x = np.arange(1 << 16, dtype=np.uint16).view(kind)
    got = evaluate(isa, lambda s, a: getattr(s, op)(a), x)
    with np.errstate(all="ignore"):
        expected = _reference(op)(x.astype(np.float64)).astype(np.float32).astype(kind)
    same = (got == expected) | (np.isnan(got.astype(np.float32)) & np.isnan(expected.astype(np.float32)))
    # the float32 result may lie on the other side of a border between two numbers
    near = np.abs(got.view(np.int16).astype(int) - expected.view(np.int16)) <= 1
    assert (same | near).all()
    assert same.mean() > 0.995


def _pairs(dtype: DType) -> tuple[Array, Array]:
    x = samples(dtype, 40)
    y = samples(dtype, 30)[::-1]
    both = np.array(list(itertools.product(range(len(x)), range(len(y)))))[:: 3 if dtype is not dt.bool_ else 1]
    return x[both[:, 0]], y[both[:, 1]]


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "minimum", "maximum", "pow", "atan2"])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_floating_binary(isa: Target, op: str, dtype: DType) -> None:
    x, y = _pairs(dtype)
    got = evaluate(isa, lambda s, a, b: getattr(s, op)(a, b), x, y)
    numpy_name = {"div": "true_divide", "pow": "power", "atan2": "arctan2", "sub": "subtract", "mul": "multiply"}
    with np.errstate(all="ignore"):
        exact = getattr(np, numpy_name.get(op, op))(x.astype(wide(dtype)), y.astype(wide(dtype)))
    error = ulp_error(got, exact)
    worst = error.argmax()
    assert error.max() <= (0.501 if op in EXACT else 2), (
        f"{op}({x[worst]!r}, {y[worst]!r}) gave {got[worst]!r}, not {exact[worst]!r}"
    )


def _dividends(dtype: DType) -> tuple[Array, Array]:
    """All pairs of bytes; else multiples of all sizes of numbers, and what lies next to them."""
    kind, info = dt.to_numpy(dtype).type, np.iinfo(dt.to_numpy(dtype))
    if dtype.itemsize == 1:
        every = np.arange(info.min, info.max + 1).astype(kind)
        x, y = np.meshgrid(every, every)
        return x.ravel(), y.ravel()
    rng = np.random.default_rng(5)
    bits = dtype.itemsize * 8
    y = rng.integers(0, info.max, 3000, dtype=kind) >> rng.integers(0, bits - 1, 3000).astype(kind)
    y = np.concatenate([y, np.array([1, 2, 3, info.max, info.max - 1], kind)])
    many = rng.integers(0, info.max, y.size, dtype=kind) // np.maximum(y, 1) >> rng.integers(0, 9, y.size).astype(kind)
    x = np.concatenate([y * many + kind(step) for step in range(-1 if dtype.kind == "i" else 0, 2)])
    x, y = (
        np.concatenate([x, np.full(y.size, info.min, kind), np.full(y.size, info.max, kind)]).astype(kind),
        np.tile(y, 5 if dtype.kind == "i" else 4),
    )
    return (np.concatenate([x, -x, x]), np.concatenate([y, y, -y])) if dtype.kind == "i" else (x, y)


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize(
    "dtype", [dt.int8, dt.uint8, dt.int16, dt.uint16, dt.int32, dt.uint32, dt.int64, dt.uint64], ids=str
)
def test_whole_quotients_are_exact(isa: Target, dtype: DType) -> None:
    x, y = _dividends(dtype)
    quotient, remainder = (
        evaluate(isa, lambda s, a, b, op=op: getattr(s, op)(a, b), x, y) for op in ("floordiv", "mod")
    )
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(quotient, np.floor_divide(x, y))
        np.testing.assert_array_equal(remainder, np.mod(x, y))


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", ["floordiv", "mod", "truncdiv", "rem"])
@pytest.mark.parametrize("dtype", [dt.float32, dt.float64], ids=str)
def test_floating_remainders_are_exact(isa: Target, op: str, dtype: DType) -> None:
    x, y = _pairs(dtype)
    with np.errstate(all="ignore"):
        keep = ~(np.abs(x / y) > 2.0**20) | ~np.isfinite(x) | (y == 0)
        x, y = x[keep], y[keep]
        functions: dict[str, Any] = {
            "floordiv": np.floor_divide,
            "mod": np.mod,
            "rem": np.fmod,
            "truncdiv": lambda a, b: np.trunc(a / b),
        }
        expected = functions[op](x.astype(wide(dtype)), y.astype(wide(dtype))).astype(x.dtype)
    got = evaluate(isa, lambda s, a, b: getattr(s, op)(a, b), x, y)
    if op in ("mod", "rem"):
        np.testing.assert_array_equal(got, expected)
        np.testing.assert_array_equal(np.signbit(got[got == 0]), np.signbit(expected[got == 0]))
    else:
        np.testing.assert_allclose(got, expected, rtol=1e-15 if dtype is dt.float64 else 1e-7)


def _integer_reference(op: str, dtype: DType, a: int, b: int) -> int:
    """Python integers, wrapped to the type."""
    bits = dtype.itemsize * 8
    if op in ("floordiv", "mod", "truncdiv", "rem", "div") and b == 0:
        return 0
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if b else 0
    value = {
        "add": a + b, "sub": a - b, "mul": a * b, "truncdiv": quotient, "div": quotient, "rem": a - quotient * b,
        "floordiv": a // b if b else 0, "mod": a % b if b else 0, "minimum": min(a, b), "maximum": max(a, b),
        "bit_and": a & b, "bit_or": a | b, "bit_xor": a ^ b,
        "shift_left": a << b if 0 <= b < bits else 0, "shift_right": a >> b if 0 <= b < bits else (-1 if a < 0 else 0),
    }[op]  # fmt: skip
    wrapped = value & ((1 << bits) - 1)
    return wrapped - (1 << bits) if dtype.kind == "i" and wrapped >> (bits - 1) else wrapped


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", [o for o in (*ARITHMETIC, *BITWISE) if o not in ("pow", "atan2")])
@pytest.mark.parametrize("dtype", dt.INTEGERS, ids=str)
def test_integer_binary(isa: Target, op: str, dtype: DType) -> None:
    x, y = _pairs(dtype)
    got = evaluate(isa, lambda s, a, b: getattr(s, op)(a, b), x, y)
    expected = [_integer_reference(op, dtype, int(a), int(b)) for a, b in zip(x, y, strict=True)]
    np.testing.assert_array_equal(got, np.array(expected, x.dtype))


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("dtype", dt.INTEGERS, ids=str)
def test_integer_power_wraps_and_rounds_to_zero(isa: Target, dtype: DType) -> None:
    base = samples(dtype, 20)
    exponent = np.array([0, 1, 2, 3, 5, 7, 31] + ([-1, -2, -3] if dtype.kind == "i" else []), base.dtype)
    x, y = (a.ravel() for a in np.meshgrid(base, exponent))
    got = evaluate(isa, lambda s, a, b: s.pow(a, b), x, y)
    bits = dtype.itemsize * 8

    def power(a: int, b: int) -> int:
        if b < 0:
            return 1 if a == 1 else (-1) ** b if a == -1 else 0
        return pow(a, b, 1 << bits)

    expected = [power(int(a), int(b)) for a, b in zip(x, y, strict=True)]
    np.testing.assert_array_equal(
        got, np.array([e & ((1 << bits) - 1) for e in expected], f"u{dtype.itemsize}").view(x.dtype)
    )


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", UNARY)
@pytest.mark.parametrize("dtype", dt.INTEGERS, ids=str)
def test_integer_unary(isa: Target, op: str, dtype: DType) -> None:
    x = samples(dtype, 60)
    got = evaluate(isa, lambda s, a: getattr(s, op)(a), x)
    functions: dict[str, Any] = {
        "neg": np.negative,
        "abs": np.abs,
        "sign": np.sign,
        "bit_not": np.invert,
        "square": lambda v: v * v,
    }
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(got, functions[op](x))


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", [*COMPARE, *LOGICAL[:3]])
@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_comparisons_and_logic(isa: Target, op: str, dtype: DType) -> None:
    x, y = _pairs(dtype)
    got = evaluate(isa, lambda s, a, b: getattr(s, op)(a, b), x, y)
    names = {"lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal"}
    a, b = (v.astype(np.float32) if dtype is dt.bfloat16 else v for v in (x, y))
    assert got.dtype == np.bool_
    assert set(np.unique(got.view(np.uint8))) <= {0, 1}
    np.testing.assert_array_equal(got, getattr(np, names.get(op, op))(a, b))


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", [*CLASSIFY, "logical_not"])
@pytest.mark.parametrize("dtype", EVERY, ids=str)
def test_classification(isa: Target, op: str, dtype: DType) -> None:
    x = samples(dtype, 30)
    got = evaluate(isa, lambda s, a: getattr(s, op)(a), x)
    np.testing.assert_array_equal(got, getattr(np, op)(x.astype(np.float32) if dtype is dt.bfloat16 else x))


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", ["add", "mul", "minimum", "maximum", "bit_and", "bit_or", "bit_xor", "eq", "lt"])
def test_bool_arithmetic(isa: Target, op: str) -> None:
    x, y = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    names = {
        "mul": "multiply",
        "bit_and": "bitwise_and",
        "bit_or": "bitwise_or",
        "bit_xor": "bitwise_xor",
        "eq": "equal",
        "lt": "less",
    }
    got = evaluate(isa, lambda s, a, b: getattr(s, op)(a, b), x, y)
    np.testing.assert_array_equal(got, getattr(np, names.get(op, op))(x, y))


def _cast_reference(x: Array, target: DType) -> Array:
    """Conversion as x86 does it: out of range and NaN give the lowest 32- or 64-bit number, then the low bits."""
    kind = dt.to_numpy(target)
    if x.dtype.kind not in "fV" and x.dtype.name != "bfloat16":
        return x.astype(np.float32).astype(kind) if target is dt.bfloat16 else x.astype(kind)
    if not target.is_integer:
        return x.astype(kind) if target is not dt.bool_ else x != 0
    bits = 64 if target.itemsize == 8 or target is dt.uint32 else 32
    lowest, above = -(1 << (bits - 1)), 1 << (64 if target is dt.uint64 else bits - 1)
    wholes = [int(v) if np.isfinite(v) else above for v in x.astype(np.float64)]
    cut = [w if lowest <= w < above else lowest for w in wholes]
    return np.array([w & ((1 << target.itemsize * 8) - 1) for w in cut], f"u{target.itemsize}").view(kind)


HALVES = (dt.float16, dt.bfloat16)
CASTS = [
    pytest.param(level.values[0], source, target, id=f"{source}-{target}-{level.id}")
    for level in LEVELS
    for source in EVERY
    for target in EVERY
    if level.values[0] in (BEST, GPU) or source in HALVES or target in HALVES
]
"""Only conversions of 16-bit floats differ between levels."""


@pytest.mark.parametrize(("isa", "source", "target"), CASTS)
def test_casts(isa: Target, source: DType, target: DType) -> None:
    x = samples(source, 60)
    got = evaluate(isa, lambda s, a: s.cast(a, target), x)
    with np.errstate(all="ignore"):
        expected = _cast_reference(x, target)
    if target is dt.bfloat16:
        got, expected = got.astype(np.float32), expected.astype(np.float32)
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("isa", BEST_AND_GPU)
def test_cast_of_doubles_to_16_bits_rounds_once(isa: Target) -> None:
    """Rounding to float32 first would make 1 + 2**-11 + 2**-40 a tie, and the tie goes down."""
    x = np.array([1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-8 + 2.0**-40, 65519.999999, 2.0**-25 + 2.0**-60])
    np.testing.assert_array_equal(evaluate(isa, lambda s, a: s.cast(a, dt.float16), x), x.astype(np.float16))
    got = evaluate(isa, lambda s, a: s.cast(a, dt.bfloat16), x[1:2])
    assert float(got[0]) == 1 + 2.0**-7


@pytest.mark.parametrize("isa", BEST_AND_GPU)
@pytest.mark.parametrize("op", ["add", "sub", "mul", "div", "eq", "ne"])
@pytest.mark.parametrize("dtype", dt.COMPLEX, ids=str)
def test_complex_binary(isa: Target, op: str, dtype: DType) -> None:
    rng = np.random.default_rng(3)
    x, y = (rng.standard_normal((2, 50)) @ np.diag(np.exp(rng.uniform(-3, 3, 50))) for _ in range(2))
    a, b = ((v[0] + 1j * v[1]).astype(dt.to_numpy(dtype)) for v in (x, y))
    b[:10] = a[:10]
    names = {"sub": "subtract", "mul": "multiply", "div": "divide", "eq": "equal", "ne": "not_equal"}
    got = evaluate(isa, lambda s, p, q: getattr(s, op)(p, q), a, b)
    np.testing.assert_allclose(got, getattr(np, names.get(op, op))(a, b), rtol=2e-6 if dtype is dt.complex64 else 1e-14)


@pytest.mark.parametrize("isa", BEST_AND_GPU)
def test_select_and_shared_subexpressions(isa: Target) -> None:
    x = np.array([-2.0, -1.0, 0.0, 3.0], np.float32)

    def body(s: Any, a: Any) -> Any:
        e = s.exp(a)
        return s.select(s.lt(a, 0.0), s.add(e, e), s.mul(e, 3.0))

    np.testing.assert_allclose(evaluate(isa, body, x), np.where(x < 0, 2 * np.exp(x), 3 * np.exp(x)), rtol=3e-7)


def test_deep_expressions_do_not_exhaust_the_stack() -> None:
    def body(s: Any, a: Any) -> Any:
        for _ in range(3000):
            a = s.add(a, 1.0)
        return a

    np.testing.assert_array_equal(evaluate(runnable()[0], body, np.zeros(3, np.float32)), 3000)


def test_operations_without_meaning_are_refused() -> None:
    assert not scalars.supports("exp", dt.int32)
    assert not scalars.supports("sub", dt.bool_)
    assert scalars.supports("exp", dt.bfloat16)
    with pytest.raises(TypeError, match="scalar exp is not defined on Int32"):
        evaluate(BEST, lambda s, a: s.exp(a), np.zeros(2, np.int32))
    with pytest.raises(TypeError, match="scalar sub is not defined on Bool"):
        evaluate(BEST, lambda s, a: s.sub(a, a), np.zeros(2, bool))
