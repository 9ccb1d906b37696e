"""How an operator is computed, as data: kernels, back ends, fusion and vmap interpret these records and no operator's name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from mindspore.base.shapes import Shape
from mindspore.ir.types import TensorType
from mindspore.primitives.scalar import Expr


@dataclass(frozen=True, slots=True)
class Elementwise:
    """Each output element is ``body(s, *operands, **attrs)`` of the operands broadcast to the output's shape.

    The body is in the scalar language; the traced expression's type is the output's. An operator without inputs (iota, full) uses
    ``s.index`` and constants only and gives its shape through the attribute ``shape``.
    """

    body: Callable[..., Expr]


@dataclass(frozen=True, slots=True)
class Reduce:
    """Folds the axes of attribute ``axis`` (normalised tuple by `axes`) with ``kind``: sum, prod, max, min, any, all.

    Attribute ``keep_dims`` keeps them as 1. float16 and bfloat16 accumulate in float32; an empty fold gives the identity.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class ArgReduce:
    """Int32 position of the first ``max`` or ``min`` along the one axis of attribute ``axis``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Contract:
    """(Batched) matrix product of the last two dimensions; ``transpose_a``/``transpose_b`` attributes; batch dims broadcast."""


@dataclass(frozen=True, slots=True)
class Alias:
    """The output is the input's memory under another shape (reshape, squeeze): nothing moves."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Copies a box of elements: ``out[out_offset + i . out_strides] = in[input][in_offset + i . in_strides]`` for i in ``sizes``."""

    input: int
    sizes: Shape
    in_offset: int
    in_strides: Shape
    out_offset: int
    out_strides: Shape


@dataclass(frozen=True, slots=True)
class Move:
    """Elements are copied, not changed: transpose, broadcast, slice, concat, pad, tile, flip.

    ``plan(input_types, output_type, **attrs)`` gives the boxes; they must not overlap in the output. With ``fill`` (the name of
    an attribute holding a number, or a number) what no box covers is filled first; without it the boxes cover everything.
    """

    plan: Callable[..., list[Copy]]
    fill: Any = None


@dataclass(frozen=True, slots=True)
class Update:
    """Element-wise with several outputs: bodies over the broadcast operands, one per output (optimizer steps)."""

    bodies: tuple[Callable[..., Expr], ...]


@dataclass(frozen=True, slots=True)
class Pick:
    """What one tensor of Int64 indices adds to a place: ``(index[i . strides] wrapped into [0, bound)) * step`` elements.

    The index tensor is contiguous; indices lie in ``[-bound, bound)``, anything else is an IndexError at run time.
    """

    strides: Shape
    bound: int
    step: int


@dataclass(frozen=True, slots=True)
class Walk:
    """Places in a contiguous tensor, one for each i in row-major order of ``sizes``: ``offset + i . strides`` and what `picks` add."""

    sizes: Shape
    offset: int
    strides: Shape
    picks: tuple[Pick, ...] = ()

    @property
    def walked(self) -> tuple[bool, ...]:
        """For each dimension whether run-time indices vary along it."""
        return tuple(any(p.strides[i] for p in self.picks) for i in range(len(self.sizes)))

    @property
    def apart(self) -> tuple[bool, ...]:
        """For each dimension whether positions that differ along it never have one place.

        So it is where nothing varies; and where strides and steps are the weights of digits, each more than all smaller ones reach
        together, so that a place says what every digit was.
        """
        digits = [(abs(s), n) for s, n in zip(self.strides, self.sizes, strict=True) if s and n > 1]
        digits += [(abs(p.step), p.bound) for p in self.picks if p.step and p.bound > 1]
        reach, legible = 0, True
        for weight, count in sorted(digits):
            legible, reach = legible and weight > reach, reach + weight * (count - 1)
        return tuple(not v or (legible and s != 0) for v, s in zip(self.walked, self.strides, strict=True))

    @property
    def may_repeat(self) -> bool:
        """Whether two positions may have one place."""
        return any(n > 1 and not a for a, n in zip(self.apart, self.sizes, strict=True))


@dataclass(frozen=True, slots=True)
class Gather:
    """``out[i] = x[place of i]``: inputs are x and the index tensors; attribute ``walk`` says how x is walked, over the output's sizes."""


@dataclass(frozen=True, slots=True)
class Scatter:
    """The first input with ``kind`` applied at each place of attribute ``walk``, in row-major order, so that the result is always the same.

    Inputs: the tensor, updates that broadcast to the walk's sizes, the index tensors. Attribute ``kind`` is ``set`` or an operation of
    the scalar language on the element that is there and the update.
    """


@dataclass(frozen=True, slots=True)
class Strided:
    """How one operand of a `StridedProduct` is seen: the element at ``offset + group * g + row * m + depth . k + columns . n``."""

    offset: int = 0
    group: int = 0
    row: int = 0
    depth: Shape = ()
    columns: Shape = ()


@dataclass(frozen=True, slots=True)
class StridedProduct:
    """``c[g, m, n] = sum over k of a[g, m, k] * b[g, k, n]``, where k and n each stand for several dimensions, every operand strided.

    Each gradient of a convolution is one, or a few: the windows of a tensor are a strided view of it.

    Attributes:
        groups, rows, depth, columns: the numbers of g and m, and the sizes of the dimensions of k and n (at most `MOST_DIMS` each).
        a, b, c: strides of the operands; ``a`` has no columns, ``b`` no row and ``c`` no depth.
    """

    groups: int
    rows: int
    depth: Shape
    columns: Shape
    a: Strided
    b: Strided
    c: Strided


MOST_DIMS = 4


@dataclass(frozen=True, slots=True)
class Products:
    """The two inputs are multiplied as attribute ``products`` says, a tuple of `StridedProduct`. No element is written twice;
    those that none writes are 0."""


@dataclass(frozen=True, slots=True)
class PlaneConvolution:
    """A convolution that is computed plane by plane; attribute ``convolution`` has the sizes.

    ``kind``: ``forward`` from weights and input, with attribute ``turned`` the weights are those of the convolution whose gradient in its
    input this is; ``filter`` from the gradient of the result and the input to the gradient of the weights.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Windows:
    """Works on the windows of the last dimensions: attributes ``kernel``, ``strides``, ``pads`` (before, after) and ``dilation``.

    ``kind``: with x, the whole tensor, and w, one element per window,

    - ``max`` (x -> w): the largest element; ``index`` (x -> w): where in its plane the first one is, Int32; NaN is the largest
    - ``sum`` (x -> w): the sum; ``spread`` (w -> x): the sum of the windows that hold the element
    - ``take`` (x, index -> w): the element at the index; ``place`` (w, index -> x): the sum of the windows with that index

    What lies in the padding is not there. ``spread`` and ``place`` take the sizes of x from attribute ``size``.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Accumulate:
    """Running results along attribute ``axis``, from the last position backwards with ``reverse``.

    ``kind``: ``sum``, ``prod``, ``max``, ``min`` or ``logsum`` (the logarithm of the sum of exponentials) of the one input; ``argmax``
    or ``argmin``: the extreme and its last position; or ``linear``: ``y[i] = a[i] * y[i - 1] + b[i]`` of two.
    """

    kind: str


@dataclass(frozen=True, slots=True)
class Order:
    """Int32 positions of the first elements (attribute ``count``; None: all) along the last dimension, ascending or ``descending``.

    Equal elements keep their order; NaN is larger than any number.
    """


@dataclass(frozen=True, slots=True)
class Search:
    """Int64 positions in sorted rows (first input: a vector for all, or one row for each row of the second) before which values belong.

    With attribute ``right`` behind equal elements, else before them. NaN belongs in front of everything.
    """


Compute = (
    Elementwise
    | Reduce
    | ArgReduce
    | Contract
    | Alias
    | Move
    | Update
    | Gather
    | Scatter
    | Accumulate
    | Order
    | Search
    | Products
    | PlaneConvolution
    | Windows
)


def contract_dims(x: TensorType, y: TensorType, transpose_a: bool, transpose_b: bool) -> tuple[int, int, int]:
    """(m, n, k) of a matrix product."""
    m, k = (x.shape[-1], x.shape[-2]) if transpose_a else (x.shape[-2], x.shape[-1])
    return m, (y.shape[-2] if transpose_b else y.shape[-1]), k
