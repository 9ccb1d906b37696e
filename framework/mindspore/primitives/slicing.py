"""Taking tensors apart and putting borders around them."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, Span, normalize_axes, normalize_axis, row_major_strides, span
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives import rows
from mindspore.primitives.compute import Copy
from mindspore.primitives.declare import check_rank, check_sizes, operator
from mindspore.primitives.movement import checked_axis, move, one, slice_along, whole
from mindspore.primitives.samples import Case, Samples, Wrong


def _join(b: Any, parts: list[Any], like: Any, axis: int) -> Any:
    """Concatenated gradients of parts; a part without one is zero."""
    return b.concat(*[b.zeros_like(o) if p is None else p for p, o in zip(parts, like, strict=True)], axis=axis)


def _split_parts(x: TensorType, axis: int, output_num: int) -> tuple[int, int]:
    check_rank("Split", "x", x, 1)
    place = checked_axis("Split", x, axis)
    if output_num < 1 or x.shape[place] % output_num:
        raise ValueError(
            f"Split: dimension {place} of argument 'x' {x} must be divisible by attribute 'output_num', but got {output_num}."
        )
    return place, x.shape[place] // output_num


def _expand_split(b: Any, x: Any, axis: int, output_num: int) -> Any:
    place = normalize_axis(axis, len(b.shape(x)))
    size = b.shape(x)[place] // output_num
    return b.tuple([slice_along(b, x, place, i * size, size) for i in range(output_num)])


operator(
    "Split", "x", attrs={"axis": 0, "output_num": 1},
    infer=lambda x, axis, output_num: _infer_split(x, axis, output_num),
    reference=lambda x, axis, output_num: tuple(np.split(x, output_num, axis)),
    gradient=lambda b, x, out, d, axis, output_num: (_join(b, d, out, axis),), expand=_expand_split, dtypes=dt.ALL,
    samples=Samples(
        (one((4, 3), axis=0, output_num=2), one((2, 6), axis=-1, output_num=3), one((3,), axis=0, output_num=1),
         one((0, 4), axis=1, output_num=2)),
        wrong=(Wrong(((3, 2),), ValueError, ("Split", "'x'", "[3, 2]", "'output_num'"), (), {"axis": 0, "output_num": 2}),),
    ),
    doc="Equal parts along one dimension.",
)  # fmt: skip


def _infer_split(x: TensorType, axis: int, output_num: int) -> TupleType:
    place, size = _split_parts(x, axis, output_num)
    part = TensorType(x.dtype, tuple(size if i == place else d for i, d in enumerate(x.shape)))
    return TupleType((part,) * output_num)


def _infer_unstack(x: TensorType, axis: int, num: int | None) -> TupleType:
    check_rank("Unstack", "x", x, 1)
    place = checked_axis("Unstack", x, axis)
    if num not in (None, x.shape[place]):
        raise ValueError(
            f"Unstack: attribute 'num' must be {x.shape[place]} for axis {place} of argument 'x' {x}, but got {num}."
        )
    part = TensorType(x.dtype, (*x.shape[:place], *x.shape[place + 1 :]))
    return TupleType((part,) * x.shape[place])


def _expand_unstack(b: Any, x: Any, axis: int, num: int | None) -> Any:
    shape = b.shape(x)
    place = normalize_axis(axis, len(shape))
    rest = (*shape[:place], *shape[place + 1 :])
    return b.tuple([b.reshape(slice_along(b, x, place, i, 1), shape=rest) for i in range(shape[place])])


def _unstack_gradient(b: Any, x: Any, out: Any, d: Any, axis: int, num: int | None) -> tuple[Any]:
    return (b.stack(*[b.zeros_like(o) if p is None else p for p, o in zip(d, out, strict=True)], axis=axis),)


operator(
    "Unstack", "x", attrs={"axis": 0, "num": None}, infer=_infer_unstack,
    reference=lambda x, axis, num: tuple(np.copy(p) for p in np.moveaxis(x, axis, 0)),
    gradient=_unstack_gradient, expand=_expand_unstack, dtypes=dt.ALL,
    samples=Samples(
        (one((2, 3)), one((2, 3), axis=-1), one((4,)), one((3, 0))),
        wrong=(Wrong(((2, 3),), ValueError, ("Unstack", "'num'", "[2, 3]", "3"), (), {"num": 3}),),
    ),
    doc="The slices along one dimension, without it.",
)  # fmt: skip


def _range(op: str, x: TensorType, begin: Any, end: Any, strides: Any) -> list[Span]:
    """The positions taken in each dimension, by Python's rules for slices."""
    if not len(begin) == len(end) == len(strides) <= x.rank:
        raise ValueError(
            f"{op}: attributes 'begin' {tuple(begin)}, 'end' {tuple(end)} and 'strides' {tuple(strides)} must have one length "
            f"of at most {x.rank} for argument 'x' {x}."
        )
    if 0 in strides:
        raise ValueError(f"{op}: attribute 'strides' {tuple(strides)} must not contain 0.")
    taken = [span(slice(*each), n) for *each, n in zip(begin, end, strides, x.shape, strict=False)]
    return taken + [Span(0, 1, n) for n in x.shape[len(taken) :]]


def _infer_strided_slice(x: TensorType, begin: Any, end: Any, strides: Any) -> TensorType:
    return TensorType(x.dtype, tuple(r.count for r in _range("StridedSlice", x, begin, end, strides)))


def _steps(taken: list[Span], strides: Shape) -> tuple[int, Shape]:
    """Offset of the first element taken and strides between the following ones."""
    offset = sum(r.start * s for r, s in zip(taken, strides, strict=True) if r.count)
    return offset, tuple(r.step * s for r, s in zip(taken, strides, strict=True))


def _plan_slice(types: Any, out: TensorType, begin: Any, end: Any, strides: Any) -> list[Copy]:
    taken = _range("StridedSlice", types[0], begin, end, strides)
    offset, steps = _steps(taken, row_major_strides(types[0].shape))
    return [whole(out, steps, offset)]


def _strided_slice(x: Any, begin: Any, end: Any, strides: Any) -> Any:
    return x[(*(slice(*each) for each in zip(begin, end, strides, strict=True)), ...)].copy()


def _slice_gradient(b: Any, x: Any, out: Any, d: Any, begin: Any, end: Any, strides: Any) -> tuple[Any]:
    return (b.strided_slice_grad(d, shape=b.shape(x), begin=begin, end=end, strides=strides),)


_SLICES = (
    ((5,), (1,), (4,), (1,)), ((5,), (4,), (-6,), (-2,)), ((4, 6), (0, 1), (4, 6), (2, 3)), ((4, 6), (1,), (3,), (1,)),
    ((2, 3, 4), (0, 2, 3), (2, -4, 0), (1, -1, -1)), ((3, 3), (2, 0), (1, 3), (1, 1)), ((0, 3), (0, 1), (0, 3), (1, 1)),
    ((), (), (), ()),
)  # fmt: skip

move(
    "StridedSlice", "x", _infer_strided_slice, _strided_slice, _slice_gradient, _plan_slice,
    Samples(tuple(one(s, begin=b, end=e, strides=t) for s, b, e, t in _SLICES),
            wrong=(Wrong(((2, 3),), ValueError, ("StridedSlice", "'strides'", "0"), (),
                         {"begin": (0,), "end": (1,), "strides": (0,)}),
                   Wrong(((2,),), ValueError, ("StridedSlice", "'x'", "[2]"), (),
                         {"begin": (0, 0), "end": (1, 1), "strides": (1, 1)}))),
    vmap=rows.strided_slice, attrs={"begin": REQUIRED, "end": REQUIRED, "strides": REQUIRED}, call=("x", "begin", "end", "strides"),
    doc="The elements that Python's slice begin:end:stride takes in each dimension; later dimensions whole.",
)  # fmt: skip


def _infer_slice_grad(d: TensorType, shape: Any, begin: Any, end: Any, strides: Any) -> TensorType:
    whole_type = TensorType(d.dtype, tuple(shape))
    taken = tuple(r.count for r in _range("StridedSliceGrad", whole_type, begin, end, strides))
    if taken != d.shape:
        raise ValueError(
            f"StridedSliceGrad: argument 'd' must have the shape {taken} of the slice of {whole_type}, but got {d}."
        )
    return whole_type


def _plan_slice_grad(types: Any, out: TensorType, shape: Any, begin: Any, end: Any, strides: Any) -> list[Copy]:
    taken = _range("StridedSliceGrad", out, begin, end, strides)
    offset, steps = _steps(taken, row_major_strides(out.shape))
    return [Copy(0, types[0].shape, 0, row_major_strides(types[0].shape), offset, steps)]


def _slice_grad(d: Any, shape: Any, begin: Any, end: Any, strides: Any) -> Any:
    result = np.zeros(shape, d.dtype)
    result[tuple(slice(*each) for each in zip(begin, end, strides, strict=True))] = d
    return result


def _slice_grad_cases() -> tuple[Case, ...]:
    shapes = [tuple(r.count for r in _range("", TensorType(dt.float32, s), b, e, t)) for s, b, e, t in _SLICES]
    return tuple(one(d, shape=s, begin=b, end=e, strides=t) for d, (s, b, e, t) in zip(shapes, _SLICES, strict=True))


move(
    "StridedSliceGrad", "d", _infer_slice_grad, _slice_grad,
    lambda b, given, out, d, shape, **box: (b.strided_slice(d, **box),), _plan_slice_grad,
    Samples(_slice_grad_cases(),
            wrong=(Wrong(((2,),), ValueError, ("StridedSliceGrad", "'d'", "(3,)"), (),
                         {"shape": (4,), "begin": (0,), "end": (3,), "strides": (1,)}),)),
    vmap=rows.strided_slice_grad, attrs={"shape": REQUIRED, "begin": REQUIRED, "end": REQUIRED, "strides": REQUIRED}, fill=0,
    doc="Zeros with `d` where the slice would be taken: the gradient of StridedSlice.",
)  # fmt: skip


def _repeats(x: TensorType, multiples: Any) -> tuple[Shape, Shape]:
    """Repeats and sizes brought to one length."""
    rank = max(x.rank, len(multiples))
    return (1,) * (rank - len(multiples)) + tuple(multiples), (1,) * (rank - x.rank) + x.shape


def _infer_tile(x: TensorType, multiples: Any) -> TensorType:
    check_sizes("Tile", "multiples", multiples)
    if any(m < 0 for m in multiples):
        raise ValueError(f"Tile: attribute 'multiples' must not be negative, but got {tuple(multiples)}.")
    return TensorType(x.dtype, tuple(m * n for m, n in zip(*_repeats(x, multiples), strict=True)))


def _plan_tile(types: Any, out: TensorType, multiples: Any) -> list[Copy]:
    repeats, sizes = _repeats(types[0], multiples)
    inner, outer = row_major_strides(sizes), row_major_strides(out.shape)
    pairs = range(len(sizes))
    return [
        Copy(
            0, tuple(n for i in pairs for n in (repeats[i], sizes[i])), 0, tuple(n for i in pairs for n in (0, inner[i])), 0,
            tuple(n for i in pairs for n in (outer[i] * sizes[i], outer[i])),
        )
    ]  # fmt: skip


def _tile_gradient(b: Any, x: Any, out: Any, d: Any, multiples: Any) -> tuple[Any]:
    repeats, sizes = _repeats(TensorType(b.dtype(x), b.shape(x)), multiples)
    apart = b.reshape(d, shape=tuple(n for pair in zip(repeats, sizes, strict=True) for n in pair))
    axes = tuple(range(0, 2 * len(sizes), 2))
    return (b.reshape(b.reduce_sum(apart, axis=axes) if axes else apart, shape=b.shape(x)),)


move(
    "Tile", "x", _infer_tile, lambda x, multiples: np.tile(x, multiples), _tile_gradient, _plan_tile,
    Samples((one((2, 3), multiples=(2, 1)), one((3,), multiples=(2, 2)), one((2, 3), multiples=(4,)), one((), multiples=(3,)),
             one((0, 2), multiples=(2, 2)), one((2,), multiples=(0,)), one((), multiples=())),
            wrong=(Wrong(((2,),), ValueError, ("Tile", "'multiples'", "-1"), (), {"multiples": (-1,)}),)),
    vmap=rows.tile, attrs={"multiples": REQUIRED}, call=("x", "multiples"), doc="The tensor repeated along its dimensions.",
)  # fmt: skip


def _infer_pad(x: TensorType, paddings: Any, value: Any) -> TensorType:
    if len(paddings) != x.rank or any(len(p) != 2 or min(p) < 0 for p in paddings):
        raise ValueError(
            f"Pad: attribute 'paddings' must hold {x.rank} pair(s) of sizes that are not negative for argument 'x' {x}, "
            f"but got {tuple(map(tuple, paddings))}."
        )
    return TensorType(x.dtype, tuple(n + before + after for n, (before, after) in zip(x.shape, paddings, strict=True)))


def _plan_pad(types: Any, out: TensorType, paddings: Any, value: Any) -> list[Copy]:
    strides = row_major_strides(out.shape)
    offset = sum(before * s for (before, _), s in zip(paddings, strides, strict=True))
    return [Copy(0, types[0].shape, 0, row_major_strides(types[0].shape), offset, strides)]


def _pad_gradient(b: Any, x: Any, out: Any, d: Any, paddings: Any, value: Any) -> tuple[Any]:
    begin = tuple(before for before, _ in paddings)
    end = tuple(p + n for p, n in zip(begin, b.shape(x), strict=True))
    return (b.strided_slice(d, begin=begin, end=end, strides=(1,) * len(begin)),)


def _pad(x: Any, paddings: Any, value: Any) -> Any:
    return np.pad(x, paddings, constant_values=x.dtype.type(value)) if x.ndim else x.copy()


move(
    "Pad", "x", _infer_pad, _pad, _pad_gradient, _plan_pad,
    Samples((one((2, 3), paddings=((1, 1), (0, 2))), one((3,), paddings=((2, 0),), value=1), one((0, 2), paddings=((1, 0), (1, 1))),
             one((), paddings=()), one((2, 2), paddings=((0, 0), (0, 0)))),
            wrong=(Wrong(((2, 3),), ValueError, ("Pad", "'x'", "[2, 3]", "-1"), (), {"paddings": ((-1, 0), (0, 0))}),
                   Wrong(((2, 3),), ValueError, ("Pad", "2 pair"), (), {"paddings": ((1, 0),)}))),
    vmap=rows.pad, attrs={"paddings": REQUIRED, "value": 0}, fill="value", doc="A border of one value around the tensor.",
)  # fmt: skip


def _flipped(op: str, x: TensorType, axis: Any) -> Shape:
    try:
        return normalize_axes(axis, x.rank) if isinstance(axis, int) or len(axis) else ()
    except ValueError as error:
        raise ValueError(f"{op}: attribute 'axis' does not fit argument 'x' {x}: {error}.") from None


def _infer_reverse(x: TensorType, axis: Any) -> TensorType:
    _flipped("ReverseV2", x, axis)
    return x


def _plan_reverse(types: Any, out: TensorType, axis: Any) -> list[Copy]:
    axes, strides = _flipped("ReverseV2", out, axis), row_major_strides(out.shape)
    offset = sum((out.shape[a] - 1) * strides[a] for a in axes) if 0 not in out.shape else 0
    return [whole(out, tuple(-s if i in axes else s for i, s in enumerate(strides)), offset)]


move(
    "ReverseV2", "x", _infer_reverse,
    lambda x, axis: np.flip(x, axis if isinstance(axis, int) else tuple(axis)).copy(),
    lambda b, x, out, d, axis: (b.reverse_v2(d, axis=axis),), _plan_reverse,
    Samples((one((5,), axis=(0,)), one((2, 3), axis=(0, -1)), one((2, 3, 4), axis=1), one((0, 3), axis=(0,)), one((2,), axis=())),
            wrong=(Wrong(((2, 3),), ValueError, ("ReverseV2", "'x'", "2"), (), {"axis": (2,)}),)),
    vmap=rows.reverse, attrs={"axis": REQUIRED}, function="reverse_v2", doc="The order of elements turned round along dimensions.",
)  # fmt: skip


def _infer_rotate(x: TensorType, axis: int, first: int) -> TensorType:
    size = x.shape[checked_axis("Rotate", x, axis)]
    if not 0 <= first <= size:
        raise ValueError(f"Rotate: attribute 'first' must be from 0 to {size} for argument 'x' {x}, but got {first}.")
    return x


def _plan_rotate(types: Any, out: TensorType, axis: int, first: int) -> list[Copy]:
    place, strides = normalize_axis(axis, out.rank), row_major_strides(out.shape)

    def part(count: int, begin: int, to: int) -> Copy:
        sizes = tuple(count if i == place else n for i, n in enumerate(out.shape))
        return Copy(0, sizes, begin * strides[place], strides, to * strides[place], strides)

    rest = out.shape[place] - first
    return [part(rest, first, 0), part(first, 0, rest)]


def _rotate_gradient(b: Any, x: Any, out: Any, d: Any, axis: int, first: int) -> tuple[Any]:
    return (b.rotate(d, axis=axis, first=b.shape(x)[normalize_axis(axis, len(b.shape(x)))] - first),)


def _rotate_rows(b: Any, count: int, inputs: Any, rows: Any, out: Any, axis: int, first: int) -> Any:
    return b.rotate(inputs[0], axis=normalize_axis(axis, out.rank) + 1, first=first)


move(
    "Rotate", "x", _infer_rotate, lambda x, axis, first: np.roll(x, -first, axis), _rotate_gradient, _plan_rotate,
    Samples((one((5,), axis=0, first=2), one((2, 3), axis=-1, first=1), one((2, 3, 4), axis=1, first=3), one((0, 3), axis=1, first=1)),
            wrong=(Wrong(((2, 3),), ValueError, ("Rotate", "'first'", "4", "3"), (), {"axis": 1, "first": 4}),
                   Wrong(((2, 3),), ValueError, ("Rotate", "'axis'", "2"), (), {"axis": 2, "first": 0}))),
    vmap=_rotate_rows, attrs={"axis": REQUIRED, "first": REQUIRED}, doc="The elements from position `first` on, then those before it.",
)  # fmt: skip
