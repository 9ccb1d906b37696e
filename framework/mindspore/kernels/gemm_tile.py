"""The register tile of the matrix product: sizes for each instruction-set level, and the micro-kernel that fills one tile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, SIZES, Function, Module, Value, vector
from mindspore.kernels.target import Isa

UNROLL = 4
"""Steps of K per turn of the inner loop; more makes the code longer and no faster."""


@dataclass(frozen=True, slots=True)
class Tiling:
    """Sizes of one matrix product kernel.

    Attributes:
        type: ``float`` or ``double``, what products are added in.
        lanes: elements of one vector.
        rows: rows of the register tile.
        vectors: vectors in one row of it.
        depth: steps of K that one packed panel holds.
        height: rows of A packed together: they stay in the second-level cache.
        width: columns of B packed together.
        pairs: each step of K is two, of bfloat16, side by side in 32 bits.
    """

    type: str
    lanes: int
    rows: int
    vectors: int
    depth: int
    height: int
    width: int
    pairs: bool = False

    @property
    def kernels(self) -> str:
        """Part of the names of functions that multiply."""
        return f"{self.type}_pairs" if self.pairs else self.type

    @property
    def columns(self) -> int:
        return self.lanes * self.vectors

    @property
    def itemsize(self) -> int:
        return 4 if self.type == "float" else 8

    @property
    def vector(self) -> str:
        return vector(self.lanes, self.type)

    @property
    def dtype(self) -> DType:
        return dt.float32 if self.type == "float" else dt.float64


_SHAPES = {"v2": (4, 2), "v3": (6, 2), "v4": (12, 2), "neon": (6, 4)}
"""Level -> (rows, vectors): rows * vectors accumulators, the vectors of B and one broadcast fill the registers."""
_BLOCKS = {"v2": (256, 240, 3072), "v3": (384, 240, 3072), "v4": (1024, 96, 1024), "neon": (320, 240, 3072)}
"""Level -> (depth, height, width). Where vectors are 64 bytes, sums outrun the memory of C: panels are deep and stream from the
second-level cache, so that C is read and written seldom."""
_GATHERED = {**_BLOCKS, "v4": (256, 240, 3072)}
"""The same where packing gathers elements, which costs more than to visit C again."""


def tiling(isa: Isa, type: str, gathered: bool = False) -> Tiling:
    """The tile for `type` on one level; `gathered` where operands are read through tables."""
    rows, vectors = _SHAPES[isa.name]
    depth, height, width = (_GATHERED if gathered else _BLOCKS)[isa.name]
    lanes = isa.lanes(4 if type == "float" else 8)
    if type == "double":
        depth = depth * 3 // 4 // 8 * 8
    columns = lanes * vectors
    return Tiling(type, lanes, rows, vectors, depth, height // rows * rows, width // columns * columns)


def splat(f: Function, value: Value, lanes: int) -> Value:
    """All lanes the scalar `value`."""
    kind = vector(lanes, value.type)
    first = f.emit(kind, f"insertelement {kind} poison, {value}, i64 0")
    return f.emit(kind, f"shufflevector {first}, {kind} poison, <{lanes} x i32> zeroinitializer")


def multiply_add(f: Function, a: Value, b: Value, c: Value) -> Value:
    """a * b + c, fused where the level has the instruction."""
    return f.intrinsic("fmuladd", c.type, a, b, c)


def ask(f: Function, origin: Value, type: str, offset: Value, count: int) -> None:
    """Bring `count` elements of `type` that lie `offset` after `origin` into the second-level cache; they need not exist."""
    for first in range(0, count, 64 // SIZES[type]):
        # not inbounds: no other instruction may conclude anything from this address
        f.prefetch(f.emit("ptr", f"getelementptr {type}, {origin}, {offset + first}"), near=2)


def _step(f: Function, t: Tiling, rows: int, vectors: int, a: Value, b: Value, sums: Sequence[Value]) -> list[Value]:
    """One step of K: the first `rows` of a column of A's panel times a row of B's."""
    row = [f.load(t.vector, b.at(t.type, v * t.lanes), 4 * t.itemsize) for v in range(vectors)]
    result = []
    for r in range(rows):
        left = splat(f, f.load(t.type, a.at(t.type, r)), t.lanes)
        multiply = _pair_multiply_add if t.pairs else multiply_add
        result += [multiply(f, left, right, sums[r * vectors + v]) for v, right in enumerate(row)]
    return result


def _pair_multiply_add(f: Function, a: Value, b: Value, c: Value) -> Value:
    """c and the products of both halves of each lane, by AVX512-BF16's instruction."""
    lanes = 2 * int(c.type[1:].split(" ")[0])
    halves = [x.to("bitcast", vector(lanes, "bfloat")) for x in (a, b)]
    name = f"llvm.x86.avx512bf16.dpbf16ps.{lanes * 16}"
    kinds = ", ".join(x.type for x in (c, *halves))
    f.module.declare(name, f"declare {c.type} @{name}({kinds})")
    return f.emit(c.type, f"call {c.type} @{name}({c}, {halves[0]}, {halves[1]})")


def micro_kernel(module: Module, t: Tiling, vectors: int, rows: int = 0) -> str:
    """Name of ``void tile(k, a, b, c, ldc, add)``: C tile = (C tile if `add`) + packed panel A x packed panel B.

    With fewer `vectors` or `rows` than the tiling has, only the first columns of B's panel or rows of A's are used.
    """
    rows = rows or t.rows
    name = f"gemm_tile_{t.kernels}_{vectors}" + ("" if rows == t.rows else f"_{rows}")
    if module.has(name):
        return name
    parameters = [
        ("i64", "k"), ("ptr noalias readonly", "a"), ("ptr noalias readonly", "b"), ("ptr noalias", "c"), ("i64", "ldc"),
        ("i64", "add"),
    ]  # fmt: skip
    f = module.function(name, "void", parameters, internal=True, inline="noinline")
    k, a, b, c, ldc, add = f.arguments
    if t.pairs:
        f.attributes += ' "target-features"="+avx512bf16"'
    for r in range(rows):
        f.prefetch(c.at(t.type, ldc * r), write=True)
    sums: list[Value] = [f.value(0.0, t.vector)] * (rows * vectors)
    whole = k - (k % UNROLL)
    for start, stop, steps in ((f.index(0), whole, UNROLL), (whole, k, 1)):
        with f.loop(start, stop, steps, carried=sums, hints=[NO_UNROLL, NO_VECTOR]) as loop:
            values = loop.carried
            left, right = a.at(t.type, loop.index * t.rows), b.at(t.type, loop.index * t.columns)
            for u in range(steps):
                values = _step(
                    f, t, rows, vectors, left.at(t.type, u * t.rows), right.at(t.type, u * t.columns), values
                )
            loop.next(*values)
        sums = loop.results
    _write(f, t, vectors, c, ldc, add, sums)
    f.ret()
    return name


def _write(f: Function, t: Tiling, vectors: int, c: Value, ldc: Value, add: Value, sums: Sequence[Value]) -> None:
    places = [c.at(t.type, ldc * r + v * t.lanes) for r in range(len(sums) // vectors) for v in range(vectors)]

    def added() -> list[Value]:
        for place, value in zip(places, sums, strict=True):
            f.store(f.load(t.vector, place) + value, place)
        return []

    def plain() -> list[Value]:
        for place, value in zip(places, sums, strict=True):
            f.store(value, place)
        return []

    f.choose(add.ne(0), added, plain)
