"""Matrix products whose dimensions each stand for several, every operand strided: convolutions and their gradients.

Buffers: A, B, C. Parameters, with k and n of four dimensions each:

    [0] groups, [1] rows, [2] sizes of k, [6] sizes of n
    [10] A: first element, strides of group and row, four of k
    [17] B: first element, stride of group, four of k, four of n
    [27] C: first element, strides of group and row, four of n

float32 and float64. How every element of C is added up depends on the sizes alone.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.kernels import gemm_direct, gemm_few, gemm_spread, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm import FAMILY, SMALL
from mindspore.kernels.gemm_block import Problem, parallel, problem, serial, serial_bytes
from mindspore.kernels.gemm_gather import GATHERED, fill_table
from mindspore.kernels.gemm_lines import line
from mindspore.kernels.gemm_pack import accumulator
from mindspore.kernels.gemm_shares import by_columns, by_steps, suits_columns, suits_steps
from mindspore.kernels.gemm_tile import Tiling, tiling
from mindspore.primitives.compute import MOST_DIMS, StridedProduct

_A, _B, _C = 10, 17, 27
FEW_GROUPS = 4
"""Groups below are not enough to keep threads busy."""


def spec(dtype: DType) -> KernelSpec:
    """The kernel for elements of `dtype`; ValueError for other types than Float32 and Float64."""
    if dtype not in (dt.float32, dt.float64):
        raise ValueError(f"no strided product of {dtype}: expected Float32 or Float64")
    name = f"msk_{FAMILY}_strided_{dtype.short}"
    return KernelSpec(name, FAMILY, partial(_emit, name=name, dtype=dtype))


def params(p: StridedProduct) -> tuple[int, ...]:
    """The kernel's parameters."""
    return (
        p.groups, p.rows, *_four(p.depth, 1), *_four(p.columns, 1),
        p.a.offset, p.a.group, p.a.row, *_four(p.a.depth, 0),
        p.b.offset, p.b.group, *_four(p.b.depth, 0), *_four(p.b.columns, 0),
        p.c.offset, p.c.group, p.c.row, *_four(p.c.columns, 0),
    )  # fmt: skip


def _four(values: Shape, missing: int) -> Shape:
    if len(values) > MOST_DIMS:
        raise ValueError(f"a strided product takes at most {MOST_DIMS} dimensions for k and n, got {values}")
    return (missing,) * (MOST_DIMS - len(values)) + tuple(values)


def _emit(module: Module, name: str, dtype: DType) -> None:
    t = tiling(module.isa, accumulator(dtype), gathered=True)
    one = _group(module, name, t, dtype)
    each = _groups_worker(module, name, t)
    f = runtime.kernel(module, symbol(name, module.isa))
    groups, rows = runtime.param(f, 0), runtime.param(f, 1)
    k, n = (_product(f, first) for first in (2, 6))
    with f.when((rows > 0) & (n > 0) & (groups > 0)):
        count = k * 4 + n * 4
        tables = runtime.allocate(f, f["runtime"], count * 8)
        with f.when(runtime.exists(f, tables)):
            _fill(f, tables, k, n)
            work = rows * n * f.maximum(k, f.index(1))
            # sums along K are not divided: threads take groups
            one_row = rows.eq(1) & (groups >= FEW_GROUPS) & (n <= gemm_direct.MOST_PLACES)
            context = runtime.pack(f, [f["buffers"], f["params"], tables, k, n])

            def apart() -> list[Value]:
                """Small products: each on one thread, many at once."""
                grain = f.maximum(f.op("sdiv", f.index(SMALL), work), f.index(1))
                runtime.parallel_for(f, f["runtime"], groups, grain, each, context)
                return []

            def together() -> list[Value]:
                with f.loop(0, groups, hints=[NO_VECTOR]) as group:
                    f.call("void", one, f["runtime"], f["buffers"], f["params"], tables, k, n, group.index, 1)
                return []

            f.choose((work <= SMALL) | one_row, apart, together)
            runtime.release(f, f["runtime"], tables)
    runtime.done(f)


def _product(f: Function, first: int) -> Value:
    total = runtime.param(f, first)
    for i in range(1, MOST_DIMS):
        total = total * runtime.param(f, first + i)
    return total


def _tables(f: Function, tables: Value, k: Value, n: Value) -> list[Value]:
    """The four tables: k of A and of B, n of B and of C."""
    return [tables, tables.at("i64", k * 2), tables.at("i64", k * 4), tables.at("i64", k * 4 + n * 2)]


def _fill(f: Function, tables: Value, k: Value, n: Value) -> None:
    listed = zip(_tables(f, tables, k, n), (2, 2, 6, 6), (_A + 3, _B + 2, _B + 6, _C + 3), (k, k, n, n), strict=True)
    for to, sizes, strides, count in listed:
        f.call(
            "void", fill_table(f.module), f["params"].at("i64", sizes), f["params"].at("i64", strides), count, to
        )  # fmt: skip


def _groups_worker(module: Module, name: str, t: Tiling) -> str:
    label = f"{name}_groups"
    f = module.function(label, "void", runtime.RANGE, internal=True, inline="noinline")
    values = runtime.unpack(f, ["ptr", "ptr", "ptr", "i64", "i64"])
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as group:
        f.call("void", f"{name}_one", f["runtime"], *values, group.index, 0)
    f.ret()
    return label


def _group(module: Module, name: str, t: Tiling, dtype: DType) -> str:
    """``void one(runtime, buffers, params, tables, k, n, group, shared)``: the product of one group, on all threads if `shared`."""
    label = f"{name}_one"
    pointers = [("ptr", n) for n in ("runtime", "buffers", "params", "tables")]
    numbers = [("i64", n) for n in ("k", "n", "group", "shared")]
    f = module.function(label, "void", [*pointers, *numbers], internal=True, inline="noinline")
    p = _problem(f, t)

    def alone() -> list[Value]:
        memory = runtime.scratch(f, f["runtime"], serial_bytes(t))
        with f.when(runtime.exists(f, memory)):
            f.call("void", serial(module, t, dtype, GATHERED), *p.values(), memory)
        return []

    threads = runtime.threads(f, f["runtime"])

    def shared_by(way: Callable[..., str]) -> list[Value]:
        f.call("void", way(module, t, dtype, GATHERED), f["runtime"], *p.values())
        return []

    def several() -> list[Value]:
        return f.choose(suits_columns(f, t, p, threads), lambda: shared_by(by_columns), lambda: shared_by(parallel))

    def whole() -> list[Value]:
        return f.choose(threads.eq(1), alone, several)

    def together() -> list[Value]:
        # by the sizes alone: the parts of K are added up in the same order on one thread
        return f.choose(suits_steps(f, t, p), lambda: shared_by(by_steps), whole)

    def usual() -> list[Value]:
        return f.choose(f["shared"].eq(0), alone, lambda: _unpacked(f, t, p, together))

    if not gemm_direct.possible(t):
        usual()
        f.ret()
        return label

    def direct(which: str) -> list[Value]:
        f.call("void", which, *p.values())
        return []

    def others() -> list[Value]:
        near = f["shared"].eq(0) & gemm_direct.suits_lines(f, t, p)
        return f.choose(near, lambda: direct(gemm_direct.lines(module, t)), usual)

    # by the sizes alone, for sums along K are rounded otherwise
    f.choose(_summed(f, t, p), lambda: direct(gemm_direct.sums(module, t)), others)
    f.ret()
    return label


def _unpacked(f: Function, t: Tiling, p: Problem, packed: Callable[[], list[Value]]) -> list[Value]:
    """One product without packing B where that is faster, by the sizes alone."""
    lines = [line(f, f["params"].at("i64", 6), f["params"].at("i64", at), MOST_DIMS) for at in (_B + 6, _C + 3)]
    (length, step), (c_length, c_step) = lines
    both = f.minimum(length, c_length)

    def spread() -> list[Value]:
        f.call("void", gemm_spread.product(f.module, t), f["runtime"], *p.values(), length, step, c_length, c_step)
        return []

    def few() -> list[Value]:
        f.call("void", gemm_few.product(f.module, t), f["runtime"], *p.values(), both, c_step)
        return []

    def others() -> list[Value]:
        # packing pays where each element of B is used by one window alone, and tiles can be stored to C as they are
        repeated = (runtime.param(f, 4) * runtime.param(f, 5) > 1) | c_step.ne(1)
        return f.choose(repeated & gemm_spread.suits(f, t, p, length), spread, packed)

    if not gemm_direct.possible(t):
        return others()
    return f.choose(gemm_few.suits(f, t, p, both, step), few, others)


def _summed(f: Function, t: Tiling, p: Problem) -> Value:
    """Whether columns are sums along K, each group on one thread."""
    return gemm_direct.suits_sums(f, t, p) & (runtime.param(f, 0) >= FEW_GROUPS)


def _problem(f: Function, t: Tiling) -> Problem:
    pointers = [
        runtime.buffer(f, i).at(t.type, runtime.param(f, at) + f["group"] * runtime.param(f, at + 1))
        for i, at in enumerate((_A, _B, _C))
    ]
    a_col, b_row, b_col, c_col = (x.to("ptrtoint", "i64") for x in _tables(f, f["tables"], f["k"], f["n"]))
    nothing = runtime.null(f)
    return problem([
        runtime.param(f, 1), f["n"], f["k"], *pointers, runtime.param(f, _A + 2), a_col, b_row, b_col, runtime.param(f, _C + 2),
        c_col, f.index(0), nothing, nothing, f.index(0),
    ])  # fmt: skip
