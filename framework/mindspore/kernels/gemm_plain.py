"""Matrix products of integers and complex numbers: a plain loop whose innermost dimension is vectorised."""

from __future__ import annotations

from mindspore.base.dtypes import DType
from mindspore.kernels import complexes, lanes, odometer, runtime
from mindspore.kernels.catalog import symbol
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.lanes import Complex, Lane
from mindspore.kernels.scalars import constant

CHUNK = 1 << 16
"""Multiplications for each chunk of threads."""


def emit(module: Module, name: str, dtype: DType) -> None:
    """Add kernel `name`; buffers and parameters are those of `gemm`, without the epilogue."""
    row = _row(module, name, dtype)
    worker = _worker(module, name, dtype, row)
    f = runtime.kernel(module, symbol(name, module.isa))
    m, n, k, batches = (runtime.param(f, i) for i in (1, 2, 3, 9))
    work = f.maximum(n * k, f.index(1))
    grain = f.maximum(f.op("sdiv", f.index(CHUNK), work), f.index(1))
    with f.when((m > 0) & (n > 0) & (batches > 0)):
        runtime.parallel_for(f, f["runtime"], m * batches, grain, worker, runtime.pack(f, [f["buffers"], f["params"]]))
    runtime.done(f)


def _worker(module: Module, name: str, dtype: DType, row: str) -> str:
    """Worker over rows of all batches."""
    label = f"{name}_rows"
    f = module.function(label, "void", runtime.RANGE, internal=True, inline="noinline")
    buffers, numbers = runtime.unpack(f, ["ptr", "ptr"])
    flags, m, n, k, a_row, a_col, b_row, b_col, c_row, _, rank = (
        f.load("i64", numbers.at("i64", i)) for i in range(11)
    )
    a, b, c = (f.load("ptr", buffers.at("ptr", i)) for i in range(3))
    sizes = numbers.at("i64", 11)
    digits = f.alloca("i64", odometer.MAX_RANK)
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as item:
        batch, i = f.op("sdiv", item.index, m), f.op("srem", item.index, m)
        odometer.start_digits(f, sizes, rank, batch, digits)
        a_at, b_at = (odometer.dot(f, digits, sizes.at("i64", rank * part), rank) for part in (1, 2))
        left = lanes.address(f, a, a_at + i * a_row, dtype)
        right = lanes.address(f, b, b_at, dtype)
        target = lanes.address(f, c, item.index * c_row, dtype)
        f.call("void", row, target, left, a_col, right, b_row, b_col, n, k, flags & 1)
    f.ret()
    return label


def _row(module: Module, name: str, dtype: DType) -> str:
    """``void row(c, a, a_step, b, b_row, b_col, n, k, add)``: one row of C."""
    label = f"{name}_row"
    listed = [
        ("ptr noalias", "c"), ("ptr noalias readonly", "a"), ("i64", "a_step"), ("ptr noalias readonly", "b"),
        ("i64", "b_row"), ("i64", "b_col"), ("i64", "n"), ("i64", "k"), ("i64", "add"),
    ]  # fmt: skip
    f = module.function(label, "void", listed, internal=True, inline="noinline")
    c, a, a_step, b, b_row, b_col, n, k, add = f.arguments
    with f.when(add.eq(0)), f.loop(0, n) as j:
        lanes.store(f, constant(f, 0, dtype), lanes.address(f, c, j.index, dtype), dtype)

    def rows(stride: Value | int) -> list[Value]:
        with f.loop(0, k, hints=[NO_VECTOR]) as step:
            factor = lanes.load(f, lanes.address(f, a, step.index * a_step, dtype), dtype)
            line = lanes.address(f, b, step.index * b_row, dtype)
            with f.loop(0, n) as j:
                slot = lanes.address(f, c, j.index, dtype)
                right = lanes.load(f, lanes.address(f, line, j.index * stride, dtype), dtype)
                lanes.store(f, _multiply_add(f, factor, right, lanes.load(f, slot, dtype)), slot, dtype)
        return []

    f.choose(b_col.eq(1), lambda: rows(1), lambda: rows(b_col))
    f.ret()
    return label


def _multiply_add(f: Function, a: Lane, b: Lane, c: Lane) -> Lane:
    if isinstance(a, Complex) and isinstance(b, Complex) and isinstance(c, Complex):
        return complexes.BINARY["add"](f, complexes.BINARY["mul"](f, a, b), c)
    assert isinstance(a, Value)
    assert isinstance(b, Value)
    assert isinstance(c, Value)
    return f.op("add", c, f.op("mul", a, b))
