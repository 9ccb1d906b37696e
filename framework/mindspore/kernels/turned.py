"""Matrices transposed in registers, tile by tile: short rows are brought side by side, and back."""

from __future__ import annotations

from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Module, Value, vector
from mindspore.kernels.gemm_pack import transposed

ELEMENT = 4
"""Bytes of an element of which a vector register holds as many as a tile has rows."""


def turn(f: Function, kind: str, source: tuple[Value, int], target: tuple[Value, int], shape: tuple[int, int]) -> None:
    """``target[j][i] = source[i][j]`` for i and j below `shape`: elements of LLVM type `kind`, each matrix with its row stride."""
    rows, columns = shape
    name = f"{f.name}_turn_{kind}_{rows}x{columns}_{source[1]}_{target[1]}"
    if not f.module.has(name):
        _emit(f.module, name, kind, (source[1], target[1]), shape)
    f.call("void", name, source[0], target[0])


def side(module: Module, *sizes: int) -> int:
    """Rows and columns of a tile: a vector's lanes, or fewer where one of `sizes` is smaller."""
    found = module.isa.lanes(ELEMENT)
    while found > min(sizes):
        found //= 2
    return found


def _emit(module: Module, name: str, kind: str, strides: tuple[int, int], shape: tuple[int, int]) -> None:
    """``void name(source, target)``."""
    parameters = [("ptr noalias readonly", "source"), ("ptr noalias", "target")]
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    source, target = f.arguments
    tile, rows, columns = side(module, *shape), *shape
    tall = rows >= columns

    def move(i: Value, j: Value) -> None:
        places = [source.at(kind, (i + k) * strides[0] + j) for k in range(tile)]
        read = [f.load(vector(tile, kind), p, 1) for p in places]
        for k, column in enumerate(transposed(f, read)):
            f.store(column, target.at(kind, (j + k) * strides[1] + i), 1)

    def across(first: Value, count: int) -> None:
        for start in starts(count, tile):
            move(first, f.index(start)) if tall else move(f.index(start), first)

    longer, shorter = (rows, columns) if tall else (columns, rows)
    with f.loop(0, longer - longer % tile, tile, hints=(NO_VECTOR, NO_UNROLL)) as loop:
        across(loop.index, shorter)
    if longer % tile:
        across(f.index(longer - tile), shorter)
    f.ret()


def starts(count: int, tile: int) -> list[int]:
    """Where the tiles of `count` elements begin; the last one may lie over the one before it."""
    found = list(range(0, count - tile + 1, tile))
    return found if count % tile == 0 else [*found, count - tile]
