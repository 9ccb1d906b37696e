"""Reductions as folds over the middle of (outer, folded, inner), cut into pieces where one fold would leave threads idle."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import groupby

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape, normalize_axes, size
from mindspore.ir.types import TensorType
from mindspore.kernels import access as acc
from mindspore.kernels.program import Fold, Map, Read, Step, Value, whole
from mindspore.primitives.scalar import Expr

SPLIT_FROM = 1 << 16
"""Elements from which a fold with few results is cut into pieces."""
ENOUGH_UNITS = 16
"""Results (or blocks of results) that keep every thread busy without cutting."""
LONG = 1 << 17
"""Folds at least this long are cut in any case: partial sums keep float32 exact enough. Neighbouring elements add up in many lanes."""
LONG_COLUMN = 1 << 14
"""The same for folds of elements that are not neighbours, which add up one after the other."""
INNER_BLOCK = 256


def accumulator(dtype: DType) -> DType:
    """The type a fold to `dtype` adds up in."""
    return dt.float32 if dtype in (dt.float16, dt.bfloat16) else dtype


def identity_of(kind: str, dtype: DType) -> float | bool:
    """The value of an empty fold."""
    if kind in ("sum", "any"):
        return False if dtype is dt.bool_ else 0
    if kind in ("prod", "all"):
        return True if dtype is dt.bool_ else 1
    if dtype is dt.bool_:
        return kind == "min"
    if dtype.is_floating:
        return float("-inf") if kind == "max" else float("inf")
    bits = dtype.itemsize * 8
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if dtype.kind == "i" else (0, (1 << bits) - 1)
    return low if kind == "max" else high


def fold_steps(kind: str, read: Read, type: TensorType, axis: int | Iterable[int] | None, output: Value) -> list[Step]:
    """The steps that fold `axis` of the tensor seen through `read` into `output`."""
    axes = normalize_axes(axis, len(type.shape))
    runs = _runs(type.shape, axes)
    if not any(folded for folded, _ in runs):
        cast = Expr("operand", (), type.dtype, 0)
        body = cast if type.dtype is output.dtype else Expr("cast", (cast,), output.dtype)
        return [Map((read,), (output,), (body,))]
    if size(type.shape) == 0:
        return [Map((), (output,), (Expr("const", (), output.dtype, identity_of(kind, output.dtype)),))]
    steps: list[Step] = []
    while any(folded for folded, _ in runs):
        last = max(i for i, (folded, _) in enumerate(runs) if folded)
        space = (size([n for _, n in runs[:last]]), runs[last][1], size([n for _, n in runs[last + 1 :]]))
        runs = _merged([*runs[:last], *runs[last + 1 :]])
        final = not any(folded for folded, _ in runs)
        target = output if final else Value(accumulator(output.dtype), space[0] * space[2])
        steps.extend(_cut(kind, read, space, target))
        read = whole(target)
    return steps


def _runs(shape: Shape, axes: Shape) -> list[tuple[bool, int]]:
    return _merged([(i in axes, n) for i, n in enumerate(shape) if n != 1])


def _merged(dims: list[tuple[bool, int]]) -> list[tuple[bool, int]]:
    return [(folded, size([n for _, n in run])) for folded, run in groupby(dims, key=lambda d: d[0])]


def _cut(kind: str, read: Read, space: tuple[int, int, int], output: Value) -> list[Step]:
    chunk = piece_length(space)
    if not chunk:
        return [Fold((read,), (output,), kind, space)]
    outer, length, inner = space
    last = _last_folded(read, space)
    if last != length:
        # a piece is a range of one dimension: the last one folds first
        rows = (outer * (length // last), last, inner)
        between = Value(accumulator(output.dtype), rows[0] * inner)
        steps = _cut(kind, read, rows, between)
        return [*steps, *_cut(kind, whole(between), (outer, length // last, inner), output)]
    pieces = -(-length // chunk)
    partial = Value(accumulator(output.dtype), outer * pieces * inner)
    first = Fold((read,), (partial,), kind, space, chunk)
    return [first, Fold((whole(partial),), (output,), kind, (outer, pieces, inner))]


def _last_folded(read: Read, space: tuple[int, int, int]) -> int:
    """The length of the innermost of the dimensions that the folded part takes in memory."""
    _, length, inner = space
    dims = acc.refine([read.access], [inner, length * inner])
    assert dims is not None, "a fold reads along strides"
    position, total = len(dims), 1
    while total < inner:
        position -= 1
        total *= dims[position]
    return dims[position - 1]


def piece_length(space: tuple[int, int, int]) -> int:
    """Elements of the folded dimension per piece, 0 for a fold in one go. Depends on the shape alone, so results do not change."""
    outer, length, inner = space
    units, most = outer * -(-inner // INNER_BLOCK), LONG if inner == 1 else LONG_COLUMN
    if outer * length * inner < SPLIT_FROM or (units >= ENOUGH_UNITS and length < most) or length < 2 * ENOUGH_UNITS:
        return 0
    wanted = max(2, 4 * ENOUGH_UNITS // units)
    return max(-(-length // wanted), -(-8192 // inner), ENOUGH_UNITS) if length < wanted * most else most


def positions(space: tuple[int, int, int]) -> acc.Access:
    """The read by which an element of the whole space sees its fold's result."""
    return (_positions_once if all(type(n) is int for n in space) else _positions)(space)


def _positions(space: tuple[int, int, int]) -> acc.Access:
    return acc.collapsed(space, (space[2], 0, 1))


_positions_once = lru_cache(maxsize=1024)(_positions)
