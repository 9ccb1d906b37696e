"""Inputs for the sweep, drawn as an operator's `samples` say."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np

from mindspore.backends.reference.numpy_builder import type_of
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.ir.builder import complete_attrs
from mindspore.ir.operator import Operator, all_operators
from mindspore.ir.types import TensorType
from mindspore.primitives.samples import Case, Domain

OPERATORS = tuple(sorted(all_operators(), key=lambda op: op.name))
SPECIALS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -2.5)


def swept_dtypes(op: Operator) -> tuple[DType, ...]:
    """The element types at which `op` is tried: those of its first input, or of the inputs that are free where that one is fixed."""
    if op.samples.domain(0).dtype is not None:
        return dt.ALL
    return op.dtypes or (dt.float32,)


def generator(op: Operator, *salt: object) -> np.random.Generator:
    """A random stream that depends on what is tried alone."""
    return np.random.default_rng(zlib.crc32(repr((op.name, *salt)).encode()))


def draw(domain: Domain, shape: Shape, dtype: DType, rng: np.random.Generator) -> Any:
    """Values of `domain` as `dtype`."""
    own = domain.dtype or dtype
    kind = dt.to_numpy(own)
    if domain.draw is not None:
        return np.asarray(domain.draw(rng, shape)).astype(kind)
    if own is dt.bool_:
        return rng.integers(0, 2, shape).astype(np.bool_)
    if own.is_integer:
        low = max(int(np.ceil(domain.low)), 0 if own.kind == "u" else -127)
        return rng.integers(low, max(int(np.floor(domain.high)), low) + 1, shape).astype(kind)
    values = rng.uniform(domain.low, domain.high, shape)
    for kink in domain.kinks:
        near = np.abs(values - kink) < domain.apart
        values = np.where(near, kink + np.where(values < kink, -1, 1) * domain.apart, values)
    if own.is_complex:
        values = values + 1j * rng.uniform(domain.low, domain.high, shape)
    return np.asarray(values).astype(kind)


def inputs_of(op: Operator, case: Case, dtype: DType, salt: object = 0) -> list[Any]:
    """One array per shape of `case`."""
    rng = generator(op, case.shapes, dtype.name, salt)
    return [draw(op.samples.domain(i), shape, dtype, rng) for i, shape in enumerate(case.shapes)]


def special_inputs(op: Operator, dtype: DType) -> list[Any] | None:
    """Every combination of NaN, infinities and zeros for element-wise inputs; None where the operator is not swept with them."""
    names = ("x[0]", "x[1]") if op.inputs and op.inputs[0].startswith("*") else op.inputs
    free = [i for i in range(len(names)) if op.samples.domain(i).dtype is None]
    if not op.samples.specials or not dtype.is_floating or op.samples.cases[0].attrs.get("axis") is not None:
        return None
    if len({len(s) for s in op.samples.cases[0].shapes}) > 1:
        return None
    combined = list(product(SPECIALS, repeat=len(free)))
    columns = iter(zip(*combined, strict=True))
    rng = generator(op, "specials")
    shape = (len(combined),)
    return [
        np.array(next(columns)).astype(dt.to_numpy(dtype))
        if i in free
        else draw(op.samples.domain(i), shape, dtype, rng)
        for i in range(len(names))
    ]


def broadcast_cases(op: Operator, count: int) -> list[Case]:
    """Random shapes that broadcast, with dimensions left out, of 1 and of 0."""
    rng, found = generator(op, "broadcast"), []
    for _ in range(count):
        whole = tuple(
            int(n) for n in rng.choice((0, 1, 2, 3, 5, 17), rng.integers(0, 5), p=(0.05, 0.15, 0.2, 0.2, 0.2, 0.2))
        )
        shapes = []
        for _ in op.inputs:
            kept = whole[int(rng.integers(0, len(whole) + 1)) :] if rng.random() < 0.4 else whole
            shapes.append(tuple(1 if rng.random() < 0.3 else n for n in kept))
        found.append(Case(tuple(shapes)))
    return found


def attributes(op: Operator, case: Case) -> dict[str, Any]:
    return complete_attrs(op, case.attrs)


def promoted_as(op: Operator, arrays: Sequence[Any]) -> list[TensorType]:
    return [type_of(a) for a in arrays]


def tolerance(dtype: np.dtype[Any], ulps: float = 8) -> tuple[float, float]:
    """Relative and absolute tolerance of a few units in the last place."""
    bits = {"float16": 10, "bfloat16": 7, "float32": 23, "float64": 52, "complex64": 23, "complex128": 52}.get(
        dtype.name
    )
    return (0.0, 0.0) if bits is None else (ulps * 2.0**-bits, ulps * 2.0**-bits)


def assert_same(got: Any, wanted: Any, what: str, ulps: float = 8, summed: bool = False) -> None:
    """Type, shape and values agree; NaN equals NaN. The error of sums is relative to their largest."""
    got, wanted = np.asarray(got), np.asarray(wanted)
    assert got.dtype == wanted.dtype, f"{what}: element type {got.dtype}, expected {wanted.dtype}"
    assert got.shape == wanted.shape, f"{what}: shape {got.shape}, expected {wanted.shape}"
    rtol, atol = tolerance(wanted.dtype, ulps)
    wide = np.complex128 if wanted.dtype.kind == "c" else np.float64
    if rtol:
        got, wanted = got.astype(wide), wanted.astype(wide)
    finite = np.abs(wanted[np.isfinite(wanted)]) if summed else np.zeros(0)
    atol *= max(1.0, float(finite.max(initial=1.0)))
    np.testing.assert_allclose(got, wanted, rtol=rtol, atol=atol, equal_nan=True, err_msg=what)
