"""Items of a nest as instructions at one place of the loops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mindspore.base.dtypes import DType
from mindspore.kernels import bounds, floats, lanes, scalars
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, Function, Value
from mindspore.kernels.flatten_folds import accumulator, identity_of
from mindspore.kernels.lanes import Complex, Lane
from mindspore.kernels.nest import Item, Nest
from mindspore.kernels.sizes import is_symbolic
from mindspore.primitives.scalar import Expr

COMBINE: Mapping[str, str] = {
    "sum": "add", "prod": "mul", "max": "maximum", "min": "minimum", "any": "logical_or", "all": "logical_and",
}  # fmt: skip


Index = Value | int
SHORT = 8
"""Turns below which a loop may be unrolled completely."""
LONG = 256
"""Turns from which LLVM does not do so."""
COPIED = 32
"""Positions from which a loop is not copied into the turns of the loop around it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the loops are: the pointers, and one index per dimension of the nest (0 for those that are not running)."""

    f: Function
    pointers: Sequence[Value]
    indices: Sequence[Index]

    def offset(self, item: Item) -> Index:
        """Element offset of a load, a store or a position."""
        total: Index = item.offset
        for index, stride in zip(self.indices, item.strides, strict=True):
            if stride and index != 0:
                total = index * stride + total
        return total


def compute(place: Place, item: Item, args: Sequence[Lane]) -> Lane:
    """The lane of a load, take, position or body."""
    f = place.f
    if item.kind == "load":
        return lanes.load(f, lanes.address(f, place.pointers[item.buffer], place.offset(item), item.dtype), item.dtype)
    if item.kind == "take":
        return taken(place, item, args)
    if item.kind == "position":
        return f.index(place.offset(item))
    assert item.expr is not None
    lane = scalars.lower(f, item.expr, args)
    return rounded(f, lane, item.dtype)


def taken(place: Place, item: Item, args: Sequence[Lane]) -> Lane:
    """The element that the indices `args` choose."""
    f = place.f
    where = f.index(place.offset(item))
    for index, (bound, step) in zip(args, item.picks, strict=True):
        assert isinstance(index, Value)
        where = bounds.wrapped(f, index, bound) * step + where
    return lanes.load(f, lanes.address(f, place.pointers[item.buffer], where, item.dtype), item.dtype)


def rounded(f: Function, lane: Lane, dtype: DType) -> Lane:
    """A lane as it would be after a store: fused values mean the same as stored ones."""
    return lanes.rounded(f, lane, dtype) if isinstance(lane, Value) else lane


def store(place: Place, item: Item, lane: Lane, offset: Index | None = None) -> None:
    where = place.offset(item) if offset is None else offset
    address = lanes.address(place.f, place.pointers[item.buffer], where, item.dtype)
    lanes.store(place.f, lane, address, item.dtype)


def start(f: Function, item: Item) -> Lane:
    """What a fold starts from."""
    dtype = accumulator(item.dtype)
    return scalars.constant(f, identity_of(item.fold, dtype), dtype)


def combine(f: Function, item: Item, so_far: Lane, lane: Lane, source: DType) -> Lane:
    """One more element in a fold; sums may be reordered so that they vectorise."""
    dtype = accumulator(item.dtype)
    if source is not dtype:
        lane = scalars.lower(f, Expr("cast", (Expr("operand", (), source, 0),), dtype), [lane])
    if item.fold in ("max", "min") and isinstance(lane, Value) and isinstance(so_far, Value) and dtype.is_floating:
        return floats.extreme(f, item.fold, so_far, lane)
    pair = (Expr("operand", (), dtype, 0), Expr("operand", (), dtype, 1))
    kept, f.flags = f.flags, "contract reassoc"
    result = scalars.lower(f, Expr(COMBINE[item.fold], pair, dtype), [so_far, lane])
    f.flags = kept
    return result


def folded(f: Function, item: Item, lane: Lane) -> Lane:
    """A fold's result from its accumulator."""
    return rounded(f, lane, item.dtype)


def flat(lane: Lane) -> list[Value]:
    return [lane.real, lane.imag] if isinstance(lane, Complex) else [lane]


def regrouped(values: Sequence[Value], like: Sequence[Lane]) -> list[Lane]:
    """The inverse of `flat` over several lanes."""
    left = iter(values)
    return [Complex(next(left), next(left)) if isinstance(lane, Complex) else next(left) for lane in like]


def depth(nest: Nest, items: Sequence[Item]) -> list[int]:
    """For each item how deep in the loops it must run: 0 once per unit, 1 per folded position, 2 per inner position.

    A fold counts by its result.
    """
    outer, inner = len(nest.outer), len(nest.dims) - len(nest.inner)
    result: list[int] = []
    for item in items:
        if item.kind == "fold":
            result.append(2 if nest.inner else 0)
            continue
        deepest = max((result[a] for a in item.args), default=0)
        if any(item.strides[inner:]):
            deepest = 2
        elif any(item.strides[outer:inner]):
            deepest = max(deepest, 1)
        result.append(deepest)
    return result


def hints(count: int, innermost: bool, inside: int = 0) -> tuple[str, ...]:
    """Metadata of a loop: only innermost loops become vectors. LLVM would unroll short ones completely before it looks for vectors.

    ``inside``: positions of the loops inside it; copies of long ones only make code.
    """
    if not innermost:
        return (NO_VECTOR, NO_UNROLL) if inside >= COPIED else (NO_VECTOR,)
    if is_symbolic(count) or not SHORT <= count < LONG:
        return ()
    return (NO_UNROLL, f'!{{!"llvm.loop.interleave.count", i32 {2 if count >= 4 * SHORT else 1}}}')


def digits(number: Index, dims: Sequence[int]) -> list[Index]:
    """`number` written over `dims`, outermost first; a dimension of 1 always has digit 0."""
    result: list[Index] = []
    for position in reversed(range(len(dims))):
        if dims[position] == 1:
            result.insert(0, 0)
        elif all(d == 1 for d in dims[:position]):
            result.insert(0, number)
        else:
            result.insert(0, number % dims[position])
            number = number // dims[position]
    return result
