"""Matrix product kernels: ``C[batch] = A[batch] @ B[batch]`` (or ``+=``) with any strides of A and B.

Buffers: A, B, C and, with flag 2, the epilogue's function pointer and its context. Parameters:

    [0] flags: 1 add to C, 2 run the epilogue      [1] m, [2] n, [3] k
    [4] row and [5] column stride of A             [6] row and [7] column stride of B        [8] row stride of C
    [9] batches   [10] rank R of the batch dimensions, then R sizes, R strides of A, R strides of B; C's batches lie behind each other

float32 and float64 use packed tiles, float16 and bfloat16 are converted while packing and added in float32, other types use a plain
loop. The epilogue ``void epi(void* context, void* tile, i64 ld, i64 row, i64 col, i64 rows, i64 cols)`` is called once for each
finished tile of C (float32 and float64 only); ``row`` counts through all batches.
"""

from __future__ import annotations

from functools import partial

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, broadcast, row_major_strides, size
from mindspore.kernels import gemm_panels, gemm_plain, gemm_small, gemm_ways, odometer, runtime
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.elementwise import broadcast_strides, collapse
from mindspore.kernels.emit import NO_VECTOR, Function, Module, Value
from mindspore.kernels.gemm_block import Problem, problem
from mindspore.kernels.gemm_convert import converted
from mindspore.kernels.gemm_pack import accumulator
from mindspore.kernels.gemm_tile import Tiling, tiling
from mindspore.kernels.lanes import address

FAMILY = "gemm"
ADD, EPILOGUE = 1, 2
SMALL = 1 << 21
"""Multiplications below which one product stays on one thread: about 10 microseconds on an AVX-512 core."""


def spec(dtype: DType) -> KernelSpec:
    """The product kernel for elements of `dtype`; ValueError for Bool."""
    if dtype is dt.bool_:
        raise ValueError(f"no matrix product of {dtype}: expected numbers")
    name = f"msk_{FAMILY}_matmul_{dtype.short}"
    emit = (
        partial(_emit, name=name, dtype=dtype)
        if dtype.is_floating
        else partial(gemm_plain.emit, name=name, dtype=dtype)
    )
    return KernelSpec(name, FAMILY, emit)


def params(
    left: Shape, right: Shape, transpose_a: bool = False, transpose_b: bool = False, flags: int = 0
) -> tuple[int, ...]:
    """Parameters for contiguous operands of at least two dimensions; leading dimensions broadcast."""
    a, b = list(row_major_strides(left)[-2:]), list(row_major_strides(right)[-2:])
    m, k = (left[-1], left[-2]) if transpose_a else (left[-2], left[-1])
    n = right[-2] if transpose_b else right[-1]
    a, b = (a[::-1] if transpose_a else a), (b[::-1] if transpose_b else b)
    batch = broadcast(left[:-2], right[:-2])
    steps = [tuple(s * size(of[-2:]) for s in broadcast_strides(of[:-2], batch)) for of in (left, right)]
    sizes, (a_steps, b_steps) = collapse(batch, steps)
    return (flags, m, n, k, *a, *b, n, size(batch), len(sizes), *sizes, *a_steps, *b_steps)


def _emit(module: Module, name: str, dtype: DType) -> None:
    """The kernel for a floating type."""
    t = tiling(module.isa, accumulator(dtype))
    one = _one(module, name, t, dtype)
    each = _batch_worker(module, name, t, dtype)
    f = runtime.kernel(module, symbol(name, module.isa))
    m, n, k = (runtime.param(f, i) for i in range(1, 4))
    batches = runtime.param(f, 9)
    work = m * n * f.maximum(k, f.index(1))
    context = runtime.pack(f, [f["buffers"], f["params"]])

    def apart() -> list[Value]:
        """Small products: each on one thread, many at once."""
        grain = f.maximum(f.op("sdiv", f.index(SMALL), f.maximum(work, f.index(1))), f.index(1))
        runtime.parallel_for(f, f["runtime"], batches, grain, each, context)
        return []

    def together() -> list[Value]:
        with f.loop(0, batches, hints=[NO_VECTOR]) as batch:
            f.call("void", one, f["runtime"], f["buffers"], f["params"], batch.index, 1)
        return []

    with f.when((m > 0) & (n > 0) & (batches > 0)):
        f.choose(work <= SMALL, apart, together)
    runtime.done(f)


def _batch_worker(module: Module, name: str, t: Tiling, dtype: DType) -> str:
    label = f"{name}_batches"
    f = module.function(label, "void", runtime.RANGE, internal=True, inline="noinline")
    buffers, numbers = runtime.unpack(f, ["ptr", "ptr"])
    with f.loop(f["begin"], f["end"], hints=[NO_VECTOR]) as batch:
        f.call("void", f"{name}_one", f["runtime"], buffers, numbers, batch.index, 0)
    f.ret()
    return label


def _one(module: Module, name: str, t: Tiling, dtype: DType) -> str:
    """``void one(runtime, buffers, params, batch, shared)``: the product of one batch, on all threads if `shared`."""
    label = f"{name}_one"
    listed = [("ptr", "runtime"), ("ptr", "buffers"), ("ptr", "params"), ("i64", "batch"), ("i64", "shared")]
    f = module.function(label, "void", listed, internal=True, inline="noinline")
    p = _problem(f, dtype)
    if dtype in (dt.float16, dt.bfloat16):
        converted(f, t, dtype, p)
    else:
        product(f, t, dtype, p)
    f.ret()
    return label


def _problem(f: Function, dtype: DType) -> Problem:
    """The operands of batch ``batch``."""
    flags, m, n, k, a_row, a_col, b_row, b_col, c_row, _, rank = (runtime.param(f, i) for i in range(11))
    batch, sizes = f["batch"], f["params"].at("i64", 11)
    digits = f.alloca("i64", odometer.MAX_RANK)
    odometer.start_digits(f, sizes, rank, batch, digits)
    offsets = [odometer.dot(f, digits, sizes.at("i64", rank * i), rank) for i in (1, 2)]
    a, b = (address(f, runtime.buffer(f, i), offset, dtype) for i, offset in enumerate(offsets))
    c = address(f, runtime.buffer(f, 2), batch * m * c_row, dtype)
    null = runtime.null(f)
    epilogue, context = f.choose(
        (flags & EPILOGUE).ne(0), lambda: [runtime.buffer(f, 3), runtime.buffer(f, 4)], lambda: [null, null]
    )
    strides = [a_row, a_col, b_row, b_col, c_row, f.index(1)]
    return problem([m, n, k, a, b, c, *strides, flags & ADD, epilogue, context, batch * m])


def product(f: Function, t: Tiling, source: DType, p: Problem) -> None:
    """One product by the best way for its shape."""
    ways = [
        *gemm_ways.unpacked(f, t, source, p),
        (gemm_small.suits(f, t, source, p), gemm_small.product),
        (gemm_panels.suits(f, t, source, p), gemm_panels.product),
    ]
    gemm_ways.first(f, t, source, p, ways, gemm_ways.tiles)
