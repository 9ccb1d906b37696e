"""Normalisations of rows that hardly vary, with the small epsilons that MindSpore's layers have by default.

There the rounding of the mean decides: an error of one unit in the last place of the largest element comes out divided by the root of
variance and epsilon. What is allowed is a few such units, against the same formula in float64; results are finite and the same for any
number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindspore.backends.reference.numpy_builder import type_of
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.ir.builder import complete_attrs
from mindspore.ir.operator import find
from tests.fuzz.draws import Draw, Layout, Trial
from tests.fuzz.test_fuzz import COUNT, THREADS, WAYS, tensors
from tests.primitives.drawing import tolerance
from tests.primitives.pullback import pullback

pytestmark = pytest.mark.compiler
FEW = 60
EPSILONS = (1e-12, 1e-7, 1e-5, 1e-3)
LENGTHS = st.sampled_from((2, 3, 4, 7, 8, 9, 16, 17, 31, 33, 49, 64, 65, 127, 300, 1000, 4097))
ROWS = st.sampled_from((1, 2, 3, 16, 17, 64, 65, 130))
EPS32, EPS64 = float(np.finfo(np.float32).eps), float(np.finfo(np.float64).eps)
UNITS = 8
"""Of the last place of the largest element, by which a mean may be wrong."""


@dataclass(frozen=True, slots=True)
class Given:
    """A call, the axes it normalises over, and the elements that scale and shift (as `x` is shaped)."""

    tried: Trial
    axes: Shape
    affine: Shape


def rows(draw: Draw, shape: Shape, axes: Shape, dtype: DType) -> Any:
    """Each row a constant with little, or nothing, added."""
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    kept = tuple(1 if i in axes else n for i, n in enumerate(shape))
    centre = rng.choice((0.0, 0.1, 1.0, -3.3, 100.0, 1000.0), kept)
    spread = rng.choice((0.0, 1e-6, 1e-4, 1e-2, 1.0), kept)
    return (centre + spread * rng.standard_normal(shape)).astype(dt.to_numpy(dtype))


def call(draw: Draw) -> Given:
    dtype: DType = draw(st.sampled_from((dt.float32, dt.float32, dt.float64, dt.float16, dt.bfloat16)))
    epsilon = draw(st.sampled_from(EPSILONS))
    count, length = draw(ROWS), draw(LENGTHS)
    kind = draw(st.sampled_from(("layer", "columns", "planes")))
    shape = {"layer": (count, length), "columns": (length, count), "planes": (2, count, max(1, length // 16), 8)}[kind]
    axes = {"layer": (1,), "columns": (0,), "planes": (0, 2, 3)}[kind]
    x = rows(draw, shape, axes, dtype)
    channels = (length,) if kind == "layer" else (count,)
    rng = np.random.default_rng(length)
    affine = [rng.uniform(0.5, 2, channels).astype(x.dtype) for _ in range(2)]
    if kind == "layer":
        op, attrs = find("layer_norm"), {"begin_norm_axis": 1, "begin_params_axis": 1, "epsilon": epsilon}
        operands = (x, *affine)
    else:
        op, attrs = find("batch_norm"), {"is_training": True, "epsilon": epsilon}
        operands = (x, *affine, affine[0], affine[0])
    plain = tuple(Layout(tuple(range(a.ndim)), (1,) * a.ndim, (False,) * a.ndim, 0) for a in operands)
    return Given(Trial(op, operands, complete_attrs(op, attrs), plain), axes, (1, -1, *(1,) * (x.ndim - 2)))


def exact(case: Given) -> tuple[Any, Any, Any]:
    """In float64: the normalised rows, the root they were divided by, and how far off they may be."""
    x = case.tried.operands[0].astype(np.longdouble)
    unit = EPS64 if case.tried.operands[0].dtype == np.float64 else EPS32
    mean, variance = x.mean(case.axes, keepdims=True), x.var(case.axes, keepdims=True)
    root = np.sqrt(variance + case.tried.attrs["epsilon"])
    length = np.prod([x.shape[a] for a in case.axes])
    off = (UNITS + length**0.5 / 4) * unit * np.abs(x).max(case.axes, keepdims=True) / root
    normal = (x - mean) / root
    # a mean that is off adds its square to the variance
    return normal, root, off + np.abs(normal) * off**2 + 32 * unit * (1 + np.abs(normal))


def near(got: Any, wanted: Any, allowed: Any, what: str) -> None:
    assert np.isfinite(got.astype(np.float64)).all(), f"{what}: NaN or infinity"
    worst = (np.abs(got.astype(np.float64) - wanted) / allowed).max()
    assert worst <= 1, f"{what}: off by {worst:.3g} times what is allowed"


def gradient(case: Given, d: Any) -> Any:
    """What flows back into x, by a compiled graph."""
    from mindspore import Tensor, backends
    from mindspore.ir.builder import GraphBuilder
    from mindspore.ir.graph import Graph, Parameter
    from mindspore.passes.expand import expand_composites

    b = GraphBuilder()
    arrays = (*case.tried.operands, d)
    parameters = [Parameter(f"x{i}", type_of(v)) for i, v in enumerate(arrays)]
    out = b.get(b.apply(case.tried.op, parameters[:-1], case.tried.attrs), 0)
    (back,) = pullback(b.reduce_sum(b.mul(out, parameters[-1])), parameters[:1])
    typed = Graph("fuzz", parameters, b.tuple([back]))
    expand_composites(typed)
    run = backends.find("cpu").compile(typed, arguments=len(parameters), bound=[], updates={})
    return run(*map(Tensor, arrays))[0].asnumpy()


@settings(
    max_examples=COUNT or FEW, derandomize=not COUNT, deadline=None, database=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip
@given(st.data())
def test_rows_that_hardly_vary(data: st.DataObject) -> None:
    from mindspore import _native

    case = call(data.draw)
    given_, _ = tensors(case.tried)
    normal, _, off = exact(case)
    x, scale, shift = case.tried.operands[:3]
    factor, wanted = scale.astype(np.float64).reshape(case.affine), shift.astype(np.float64).reshape(case.affine)
    wanted = normal * factor + wanted
    stored = tolerance(x.dtype, 2)[0] * (1 + np.abs(wanted))
    before = _native.get_num_threads()
    try:
        for way, run in WAYS.items():
            found = []
            for threads in THREADS[:2]:
                _native.set_num_threads(threads)
                found.append(run(case.tried, given_)[0])
            near(found[0], wanted, off * factor + stored, f"{case} by {way}")
            assert found[1].tobytes() == found[0].tobytes(), f"{case} by {way} on another number of threads"
    finally:
        _native.set_num_threads(before)


@settings(
    max_examples=COUNT or FEW, derandomize=not COUNT, deadline=None, database=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip
@given(st.data())
def test_gradients_of_rows_that_hardly_vary(data: st.DataObject) -> None:
    case = call(data.draw)
    x, scale = case.tried.operands[:2]
    if x.dtype.itemsize == 2:
        return
    d = np.random.default_rng(x.size).standard_normal(x.shape).astype(x.dtype)
    normal, root, off = exact(case)
    g = d * scale.astype(np.float64).reshape(case.affine)
    along = (g * normal).mean(case.axes, keepdims=True)
    wanted = (g - g.mean(case.axes, keepdims=True) - normal * along) / root
    largest = np.abs(g).max(case.axes, keepdims=True)
    allowed = 4 * largest * off * (1 + np.abs(normal)) ** 2 * (1 + off) / root
    near(gradient(case, d), wanted, allowed, f"{case}")
