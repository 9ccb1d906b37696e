"""float16 and bfloat16 products: added in a float32 copy of C, then rounded once."""

from __future__ import annotations

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import lanes, runtime
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import STRIDED, Problem, parallel, problem, serial, serial_bytes
from mindspore.kernels.gemm_tile import Tiling


def converted(f: Function, t: Tiling, dtype: DType, p: Problem) -> None:
    """C (of `dtype`) = A @ B through float32 memory, contiguous."""
    wide = runtime.allocate(f, f["runtime"], p.m * p.n * 4)
    with f.when(runtime.exists(f, wide)):
        _through(f, t, dtype, p, wide)
        runtime.release(f, f["runtime"], wide)


def _through(f: Function, t: Tiling, dtype: DType, p: Problem, wide: Value) -> None:
    module = f.module
    inside = problem([
        p.m, p.n, p.k, p.a, p.b, wide, p.a_row, p.a_col, p.b_row, p.b_col, p.n, p.c_col, p.add, p.epilogue, p.context, p.row,
    ])  # fmt: skip
    with f.when(p.add.ne(0)):
        f.call("void", _copy(module, dtype, widen=True), wide, p.n, p.c, p.c_row, p.m, p.n)

    def alone() -> list[Value]:
        memory = runtime.scratch(f, f["runtime"], serial_bytes(t))
        with f.when(runtime.exists(f, memory)):
            f.call("void", serial(module, t, dtype, STRIDED), *inside.values(), memory)
        return []

    def shared() -> list[Value]:
        f.call("void", parallel(module, t, dtype, STRIDED), f["runtime"], *inside.values())
        return []

    f.choose(f["shared"].eq(0) | runtime.threads(f, f["runtime"]).eq(1), alone, shared)
    f.call("void", _copy(module, dtype, widen=False), p.c, p.c_row, wide, p.n, p.m, p.n)


def _copy(module: Module, dtype: DType, widen: bool) -> str:
    """Name of ``void copy(to, to_row, from, from_row, rows, columns)`` between `dtype` and float32."""
    name = f"gemm_{'widen' if widen else 'narrow'}_{dtype.short}"
    if module.has(name):
        return name
    target, source = (dt.float32, dtype) if widen else (dtype, dt.float32)
    pointers = [("ptr noalias", "to"), ("i64", "to_row"), ("ptr noalias readonly", "from"), ("i64", "from_row")]
    g = module.function(
        name, "void", [*pointers, ("i64", "rows"), ("i64", "columns")], internal=True, inline="noinline"
    )
    to, to_row, origin, from_row, rows, columns = g.arguments
    with g.loop(0, rows, hints=[NO_VECTOR]) as i, g.loop(0, columns) as j:
        value = lanes.load(g, lanes.address(g, origin, i.index * from_row + j.index, source), source)
        lanes.store(g, value, lanes.address(g, to, i.index * to_row + j.index, target), target)
    g.ret()
    return name
