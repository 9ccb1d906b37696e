"""Kernels become PTX for every generation: complete, and within what a block may have. No GPU runs them here."""

from __future__ import annotations

from pathlib import Path

import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.graph import Graph
from mindspore.kernels import scalars
from mindspore.kernels.gpu.lower import Lowered, lower, lower_tasks
from mindspore.kernels.target import GPUS, Gpu, compile_assembly
from mindspore.primitives import scalar as language
from mindspore.primitives.scalar import Expr
from tests.kernels import ptxas
from tests.kernels.gpu_emulation import map_task
from tests.lowering.programs import b, graph, parameter

EVERY = [pytest.param(gpu, id=name) for name, gpu in GPUS.items()]
SPILLED = 16
"""Bytes that the assembler may move out of registers: a tile of complex numbers lacks two registers on the oldest GPU."""
ONE = (*language.UNARY, *language.FLOATING, *language.CLASSIFY, "logical_not")
TWO = (*language.ARITHMETIC, *language.BITWISE, *language.COMPARE, *language.LOGICAL[:3])


def functions(dtype: DType) -> list[Expr]:
    """Every operation of the scalar language on operands of `dtype`, and casts to every type."""
    x, y = (Expr("operand", (), dtype, i) for i in range(2))
    truth = (*language.COMPARE, *language.CLASSIFY, *language.LOGICAL)
    found = [Expr(op, (x,), dt.bool_ if op in truth else dtype) for op in ONE if scalars.supports(op, dtype)]
    found += [Expr(op, (x, y), dt.bool_ if op in truth else dtype) for op in TWO if scalars.supports(op, dtype)]
    return [*found, *(Expr("cast", (x,), other) for other in dt.ALL if other is not dtype)]


def ptx_of(made: Lowered, gpu: Gpu) -> str:
    """The PTX, which has each kernel as an entry and leaves nothing to be found elsewhere."""
    text = compile_assembly(made.text, gpu)
    assert f".target {gpu.cpu}" in text
    for kernel in made.kernels:
        assert f".visible .entry {kernel}(" in text
    assert ".extern" not in text
    return text


def check(made: Lowered, gpu: Gpu, folder: Path) -> None:
    """The assembler takes the PTX, and each kernel leaves room for whole blocks on a GPU."""
    found = ptxas.assemble(ptx_of(made, gpu), gpu, folder)
    assert set(found) == set(made.kernels)
    for launch in made.launches:
        needs = found[launch.kernel]
        assert needs.spilled <= SPILLED, (launch.kernel, needs)
        assert needs.registers <= min(gpu.registers, (1 << 16) // launch.threads), (launch.kernel, needs)
        assert needs.shared_bytes <= gpu.shared_bytes, (launch.kernel, needs)


@pytest.mark.parametrize("gpu", EVERY)
@pytest.mark.parametrize("dtype", dt.ALL, ids=str)
def test_every_scalar_function(gpu: Gpu, dtype: DType, tmp_path: Path) -> None:
    tasks, operands = [], []
    for expr in functions(dtype):
        task, given = map_task([expr], [dtype] * 2, 1000)
        tasks.append(task)
        operands += given
    made = lower_tasks(tasks, operands, [v for t in tasks for v in t.writes], gpu)
    assert len(made.kernels) == len(tasks) >= 15
    check(made, gpu, tmp_path)


def reductions(dtype: DType) -> Graph:
    """Folds of every kind of axis, with maps in front and behind, long and short."""
    x, y = parameter((40, 5, 70), dtype), parameter((3, 9000), dtype)
    largest = b.reduce_any if dtype is dt.bool_ else b.reduce_max
    folded = [largest(x, axis=axis) for axis in (0, 1, 2, (0, 1), (0, 2), (1, 2), (0, 1, 2))]
    if dtype is not dt.bool_:
        folded += [b.reduce_sum(b.mul(x, x), axis=axis) for axis in (0, 1, 2, (0, 2), ())]
        folded += [b.reduce_sum(y, axis=axis) for axis in (0, 1, ())]
    if dtype.is_floating:
        folded += [b.softmax(y, axis=-1), b.log_softmax(x, axis=-1)]
    return graph([x, y], *folded)


@pytest.mark.parametrize("gpu", EVERY)
@pytest.mark.parametrize(
    "dtype", [dt.bool_, dt.int8, dt.int64, dt.float16, dt.bfloat16, dt.float32, dt.float64], ids=str
)
def test_reductions(gpu: Gpu, dtype: DType, tmp_path: Path) -> None:
    check(lower(reductions(dtype), gpu), gpu, tmp_path)


def products(dtype: DType) -> Graph:
    """Products in all transpositions, with batches, and with maps behind."""
    made, operands = [], []
    for a in (False, True):
        for c in (False, True):
            x, y = parameter((70, 90) if a else (90, 70), dtype), parameter((130, 70) if c else (70, 130), dtype)
            z, w = parameter((3, *b.shape(x)), dtype), parameter((2, 1, *b.shape(y)), dtype)
            operands += [x, y, z, w]
            made.append(b.add(b.matmul(x, y, transpose_a=a, transpose_b=c), 1))
            made.append(b.batch_matmul(z, w, transpose_a=a, transpose_b=c))
    return graph(operands, *made)


@pytest.mark.parametrize("gpu", EVERY)
@pytest.mark.parametrize(
    "dtype", [dt.int8, dt.int32, dt.float16, dt.bfloat16, dt.float32, dt.float64, dt.complex64], ids=str
)
def test_products(gpu: Gpu, dtype: DType, tmp_path: Path) -> None:
    made = lower(products(dtype), gpu)
    assert sum(k.startswith("product") for k in made.kernels) == 8
    check(made, gpu, tmp_path)


def test_products_compute_from_shared_memory() -> None:
    gpu = GPUS["sm_80"]
    x = parameter((256, 256))
    lines = ptx_of(lower(graph([x], b.matmul(x, x)), gpu), gpu).splitlines()
    count = {
        what: sum(what in line for line in lines)
        for what in ("fma.rn.f32", "ld.shared", "st.shared", "ld.global", "\tld.b32")
    }
    assert count["fma.rn.f32"] >= 16
    assert count["ld.shared"] >= 8
    assert count["st.shared"] == count["ld.global"] == 8
    assert count["\tld.b32"] == 0, "loads that do not know which memory they read"
