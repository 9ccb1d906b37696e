"""float16 and bfloat16 products: added in a float32 copy of C, then rounded once."""

from __future__ import annotations

from dataclasses import replace

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import gemm_pairs, gemm_small, gemm_ways, lanes, runtime
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import Problem
from mindspore.kernels.gemm_tile import Tiling


def converted(f: Function, t: Tiling, dtype: DType, p: Problem) -> None:
    """C (of `dtype`) = A @ B through float32 memory, contiguous."""
    wide = runtime.allocate(f, f["runtime"], p.m * p.n * 4)
    with f.when(runtime.exists(f, wide)):
        with f.when(p.add.ne(0)):
            f.call("void", _copy(f.module, dtype, widen=True), wide, p.n, p.c, p.c_row, 1, p.m, p.n)
        inside = _upright(f, replace(p, c=wide, c_row=p.n))
        little = (inside.m <= gemm_small.FEW_ROWS) | (p.m * p.n * p.k <= gemm_small.WORK)
        ways: list[gemm_ways.Way] = [(little, _little)]
        if dtype is dt.bfloat16 and f.module.isa.pairs:
            ways.append((gemm_pairs.suits(f, inside), gemm_pairs.product))
        gemm_ways.first(f, t, dtype, inside, ways, gemm_ways.tiles)
        f.call("void", _copy(f.module, dtype, widen=False), p.c, p.c_row, wide, p.n, 1, p.m, p.n)
        runtime.release(f, f["runtime"], wide)


def _upright(f: Function, p: Problem) -> Problem:
    """A column of C as a row, which is the same in memory: the matrix is B then, and the vector A."""
    column = p.n.eq(1)

    def pick(yes: Value, no: Value) -> Value:
        return f.select(column, yes, no)

    return replace(
        p, m=pick(p.n, p.m), n=pick(p.m, p.n), a=pick(p.b, p.a), b=pick(p.a, p.b), c_row=pick(p.m, p.c_row),
        a_row=pick(p.b_col, p.a_row), a_col=pick(p.b_row, p.a_col), b_row=pick(p.a_col, p.b_row), b_col=pick(p.a_row, p.b_col),
    )  # fmt: skip


def _little(f: Function, t: Tiling, dtype: DType, p: Problem) -> None:
    """A is small and becomes float32 first; elements of B are converted where they are read."""
    left = runtime.allocate(f, f["runtime"], p.m * p.k * 4)
    with f.when(runtime.exists(f, left)):
        f.call("void", _copy(f.module, dtype, widen=True), left, p.k, p.a, p.a_row, p.a_col, p.m, p.k)
        inside = replace(p, a=left, a_row=p.k, a_col=f.index(1))
        gemm_ways.first(f, t, dtype, inside, gemm_ways.unpacked(f, t, dtype, inside), gemm_small.product)
        runtime.release(f, f["runtime"], left)


def _copy(module: Module, dtype: DType, widen: bool) -> str:
    """Name of ``void copy(to, to_row, from, from_row, from_column, rows, columns)`` between `dtype` and float32."""
    name = f"gemm_{'widen' if widen else 'narrow'}_{dtype.short}"
    if module.has(name):
        return name
    target, source = (dt.float32, dtype) if widen else (dtype, dt.float32)
    pointers = [
        ("ptr noalias", "to"),
        ("i64", "to_row"),
        ("ptr noalias readonly", "from"),
        ("i64", "from_row"),
        ("i64", "from_column"),
    ]
    g = module.function(
        name, "void", [*pointers, ("i64", "rows"), ("i64", "columns")], internal=True, inline="noinline"
    )
    to, to_row, origin, from_row, from_column, rows, columns = g.arguments

    def copy(step: Value | int) -> list[Value]:
        with g.loop(0, rows, hints=[NO_VECTOR]) as i, g.loop(0, columns) as j:
            value = lanes.load(g, lanes.address(g, origin, i.index * from_row + j.index * step, source), source)
            lanes.store(g, value, lanes.address(g, to, i.index * to_row + j.index, target), target)
        return []

    g.choose(from_column.eq(1), lambda: copy(1), lambda: copy(from_column))
    g.ret()
    return name
