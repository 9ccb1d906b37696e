"""Objects for aarch64, run by QEMU: kernels of eager mode and whole graphs give what the operators' references give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mindspore.backends.reference.numpy_builder import NumpyBuilder
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.ir.graph import Graph
from mindspore.ir.operator import Operator, all_operators, find
from mindspore.ir.types import TensorType
from mindspore.kernels import table
from mindspore.kernels.plans import plan
from mindspore.passes.expand import expand_composites
from mindspore.primitives.samples import Case
from tests.kernels import arm
from tests.kernels.guarded import PRODUCTS
from tests.lowering.mlp import training_step
from tests.lowering.programs import b, expected, graph, normal, parameter
from tests.primitives.drawing import assert_same, draw, generator
from tests.primitives.pullback import pullback

pytestmark = pytest.mark.emulator
FAMILIES: Mapping[str, str] = {
    "elementwise": "add sub mul div floor_div floor_mod pow maximum exp log log1p sin cos tan atan2 tanh sigmoid erf erfc sqrt rsqrt abs"
    " floor round sign gelu less equal select cast",
    "reductions": "reduce_sum reduce_mean reduce_max reduce_min reduce_prod reduce_any reduce_all argmax_index cum_sum",
    "rows": "softmax log_softmax layer_norm batch_norm",
    "products": "matmul batch_matmul",
    "convolutions": "conv2d max_pool avg_pool",
    "indexing": "gather scatter_nd concat transpose strided_slice sort",
}
TYPES: Mapping[str, tuple[DType, ...]] = {
    "elementwise": (dt.float32, dt.float64, dt.float16, dt.bfloat16, dt.int32, dt.uint8),
    "reductions": (dt.float32, dt.float16, dt.int64, dt.bool_),
    "products": (dt.float32, dt.float64, dt.float16, dt.bfloat16, dt.int8),
}


def trials(operators: Iterable[Operator], types: Sequence[DType]) -> Iterator[tuple[Operator, list[TensorType], Case]]:
    """Operators on their samples, and products of every kind of edge."""
    for op in operators:
        listed = [t for t in table.trials(op) if not t[0] or t[0][0] in types]
        if op.function == "matmul":
            listed += [((t, t), case) for t in types if t in op.dtypes for case in PRODUCTS]
        for kinds, case in listed:
            yield op, [TensorType(t, s) for t, s in zip(kinds, case.shapes, strict=True)], case


def check(tried: Iterable[tuple[Operator, list[TensorType], Case]], folder: Path) -> int:
    """Run the plans of all calls in one program; gives how many results there were."""
    planned, wanted = [], []
    for op, kinds, case in tried:
        try:
            spec = plan(op, kinds, case.attrs)
        except (TypeError, ValueError):
            # the samples go over the first input's types: the others may not fit
            continue
        rng = generator(op, case.shapes)
        arrays = [draw(op.samples.domain(i), t.shape, t.dtype, rng) for i, t in enumerate(kinds)]
        planned.append((spec, arrays))
        with np.errstate(all="ignore"):
            result = getattr(NumpyBuilder(), op.function)(*arrays, **case.attrs)
        wanted += [(f"{op.name} {kinds} {case.attrs}", r) for r in (result if isinstance(result, tuple) else (result,))]
    program, script = (
        arm.Program(list(dict.fromkeys(s.kernel for spec, _ in planned for s in spec.steps)), folder),
        arm.Script(),
    )
    for spec, arrays in planned:
        arm.planned(program, script, spec, arrays)
    for got, (what, want) in zip(program.run(script), wanted, strict=True):
        assert_same(got, want, what, ulps=64, summed=True)
    return len(wanted)


@pytest.mark.parametrize("family", FAMILIES)
def test_kernels_of_eager_mode(family: str, tmp_path: Path) -> None:
    assert check(trials(map(find, FAMILIES[family].split()), TYPES.get(family, (dt.float32,))), tmp_path) >= 10


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [dt.bool_, dt.int32, dt.float16, dt.bfloat16, dt.float32, dt.complex64], ids=str)
def test_every_operator(dtype: DType, tmp_path: Path) -> None:
    assert check(trials((op for op in all_operators() if op.samples is not None), [dtype]), tmp_path) >= 50


def rows() -> tuple[Graph, list[Any]]:
    """Softmax and normalisation, fused."""
    x, scale, shift = parameter((37, 200)), parameter((200,)), parameter((200,))
    y = b.tanh(b.add(b.mul(x, scale), shift))
    outputs = [b.softmax(y, axis=-1), b.log_softmax(y, axis=-1), b.reduce_sum(y, axis=0), b.reduce_max(y), b.erf(y)]
    outputs.append(b.get(b.layer_norm(y, scale, shift, begin_norm_axis=1, begin_params_axis=1), 0))
    return graph([x, scale, shift], *outputs), [normal(37, 200), normal(200, seed=1), normal(200, seed=2)]


def halves() -> tuple[Graph, list[Any]]:
    """16-bit numbers and casts between all sizes."""
    x, y = parameter((9, 130), dt.float16), parameter((9, 130), dt.bfloat16)
    total = b.add(b.cast(x, dtype=dt.float32), b.cast(y, dtype=dt.float32))
    outputs = [
        b.exp(x),
        b.mul(y, y),
        b.cast(total, dtype=dt.int8),
        b.cast(total, dtype=dt.float16),
        b.softmax(x, axis=-1),
    ]
    outputs.append(b.matmul(x, x, transpose_b=True))
    return graph([x, y], *outputs), [
        normal(9, 130).astype(np.float16),
        normal(9, 130, seed=1).astype(dt.to_numpy(dt.bfloat16)),
    ]


def step() -> tuple[Graph, list[Any]]:
    """Training of a perceptron: products in three transpositions with epilogues."""
    made, _ = training_step((40, 70, 10), 33)
    rng = np.random.default_rng(4)
    arrays: list[Any] = [rng.standard_normal(b.shape(p)).astype(np.float32) / 4 for p in made.parameters]
    arrays[1] = np.eye(10, dtype=np.float32)[rng.integers(0, 10, 33)]
    return made, arrays


def convolution(stride: int, group: int, sizes: Shape = (2, 6, 13, 11), outputs: int = 8) -> tuple[Graph, list[Any]]:
    """A convolution with what follows it, and both of its gradients."""
    weights = (outputs, sizes[1] // group, 3, 3)
    x, w = parameter(sizes), parameter(weights)
    y = b.conv2d(x, w, out_channel=outputs, kernel_size=3, pad_mode="pad", pad=1, stride=stride, group=group)
    made = graph([x, w], b.relu(y), *pullback(b.reduce_sum(b.tanh(y)), [x, w]))
    expand_composites(made)
    return made, [normal(*sizes), normal(*weights, seed=1)]


GRAPHS: Mapping[str, Callable[[], tuple[Graph, list[Any]]]] = {
    "rows": rows,
    "halves": halves,
    "training": step,
    "convolution": lambda: convolution(1, 1),
    "strided": lambda: convolution(2, 1),
    "grouped": lambda: convolution(1, 2),
    "windows": lambda: convolution(1, 1, (1, 20, 25, 39), 32),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_graphs(name: str, tmp_path: Path) -> None:
    made, arrays = GRAPHS[name]()
    for position, (got, want) in enumerate(
        zip(arm.run_graph(made, arrays, tmp_path), expected(made, *arrays), strict=True)
    ):
        assert_same(got, want, f"{name}, output {position}", ulps=256, summed=True)


def test_a_kernel_that_fails_says_why(tmp_path: Path) -> None:
    op = find("gather")
    case = op.samples.cases[0]
    kinds = [TensorType(op.samples.domain(i).dtype or dt.float32, s) for i, s in enumerate(case.shapes)]
    spec = plan(op, kinds, case.attrs)
    arrays = [np.full(t.shape, 99, dt.to_numpy(t.dtype)) for t in kinds]
    program, script = arm.Program([s.kernel for s in spec.steps], tmp_path), arm.Script()
    arm.planned(program, script, spec, arrays)
    with pytest.raises(AssertionError, match="index 99 is out of bounds"):
        program.run(script)
