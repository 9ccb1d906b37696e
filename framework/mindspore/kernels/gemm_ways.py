"""The ways to a matrix product, and the choice among them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore.base.dtypes import DType
from mindspore.kernels import gemm_block as blocks
from mindspore.kernels import gemm_dots, gemm_small, gemm_vector, runtime
from mindspore.kernels.emit import Function, Value
from mindspore.kernels.gemm_block import STRIDED, Problem, parallel, serial, serial_bytes
from mindspore.kernels.gemm_tile import Tiling

Run = Callable[[Function, Tiling, DType, Problem], None]
Way = tuple[Value, Run]
"""(whether it suits, what it does)."""


def unpacked(f: Function, t: Tiling, source: DType, p: Problem) -> list[Way]:
    """Ways that read both operands once, where they are: A of the tiling's type, B of `source`."""
    return [
        (gemm_vector.suits(f, p), gemm_vector.product),
        (gemm_dots.suits(f, t, p), gemm_dots.product),
        (gemm_small.few_rows(p), gemm_small.product_of_few_rows),
    ]


def first(f: Function, t: Tiling, source: DType, p: Problem, ways: Sequence[Way], otherwise: Run) -> None:
    """The first way that suits."""

    def run(way: Run) -> list[Value]:
        way(f, t, source, p)
        return []

    def rest(position: int) -> list[Value]:
        if position == len(ways):
            return run(otherwise)
        suits, way = ways[position]
        return f.choose(suits, lambda: run(way), lambda: rest(position + 1))

    rest(0)


def tiles(f: Function, t: Tiling, source: DType, p: Problem, way: blocks.Way = STRIDED) -> None:
    """Both operands packed, on all threads where ``shared`` says so."""

    def alone() -> list[Value]:
        memory = runtime.scratch(f, f["runtime"], serial_bytes(t))
        with f.when(runtime.exists(f, memory)):
            f.call("void", serial(f.module, t, source, way), *p.values(), memory)
        return []

    def shared() -> list[Value]:
        f.call("void", parallel(f.module, t, source, way), f["runtime"], *p.values())
        return []

    f.choose(f["shared"].eq(0) | runtime.threads(f, f["runtime"]).eq(1), alone, shared)
