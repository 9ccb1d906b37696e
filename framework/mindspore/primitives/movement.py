"""Reordering, repeating and joining elements without changing them."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, normalize_axis, row_major_strides
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives import rows
from mindspore.primitives.compute import Alias, Copy, Move
from mindspore.primitives.declare import Rule, check_rank, check_sizes, operator
from mindspore.primitives.samples import Case, Samples, Wrong


def one(shape: Shape, /, **attrs: Any) -> Case:
    return Case((shape,), attrs)


def checked_axis(op: str, x: TensorType, axis: int, extra: int = 0) -> int:
    try:
        return normalize_axis(axis, x.rank + extra)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{op}: attribute 'axis' does not fit argument 'x' {x}: {error}.") from None


def _back_to_shape(b: Any, x: Any, out: Any, d: Any, **_: Any) -> tuple[Any]:
    return (b.reshape(d, shape=b.shape(x)),)


def alias(name: str, infer: Rule, samples: Samples, attrs: dict[str, Any] | None = None, **facts: Any) -> None:
    """An operator whose result is the input's memory under another shape."""

    def reference(x: Any, **given: Any) -> Any:
        return x.reshape(infer(TensorType(dt.from_numpy(x.dtype), x.shape), **given).shape)

    operator(
        name, "x", attrs=attrs, infer=infer, reference=reference, gradient=_back_to_shape, compute=Alias(), samples=samples,
        dtypes=dt.ALL, **facts,
    )  # fmt: skip


def _infer_reshape(x: TensorType, shape: Any) -> TensorType:
    wanted, total = check_sizes("Reshape", "shape", shape), prod(x.shape)
    known = prod(d for d in wanted if d != -1)
    if wanted.count(-1) == 1 and known and total % known == 0:
        wanted = tuple(total // known if d == -1 else d for d in wanted)
    if any(d < 0 for d in wanted) or prod(wanted) != total:
        raise ValueError(
            f"Reshape: attribute 'shape' {tuple(shape)} does not fit argument 'x' {x} with {total} element(s): "
            f"the sizes must have the same product, and one of them may be -1."
        )
    return TensorType(x.dtype, wanted)


alias(
    "Reshape", _infer_reshape,
    Samples(
        (one((2, 3), shape=(3, 2)), one((2, 3, 4), shape=(-1, 4)), one((), shape=(1, 1)), one((1,), shape=()),
         one((0, 3), shape=(3, 0)), one((6,), shape=(-1,))),
        wrong=(Wrong(((2, 3),), ValueError, ("Reshape", "'x'", "[2, 3]", "(4, 2)"), (), {"shape": (4, 2)}),
               Wrong(((2, 3),), ValueError, ("Reshape", "(-1, -1)"), (), {"shape": (-1, -1)}),
               Wrong(((2, 3),), TypeError, ("Reshape", "'shape'", "2.0"), (), {"shape": (2.0, 3)})),
    ),
    attrs={"shape": REQUIRED}, call=("x", "shape"), doc="The same elements under another shape; one size may be -1.",
)  # fmt: skip


def _infer_expand_dims(x: TensorType, axis: int) -> TensorType:
    place = checked_axis("ExpandDims", x, axis, 1)
    return TensorType(x.dtype, (*x.shape[:place], 1, *x.shape[place:]))


alias(
    "ExpandDims", _infer_expand_dims,
    Samples((one((2, 3), axis=0), one((2, 3), axis=-1), one((), axis=0), one((0,), axis=1)),
            wrong=(Wrong(((2, 3),), ValueError, ("ExpandDims", "'x'", "5", "[-3, 3)"), (), {"axis": 5}),
                   Wrong(((2, 3),), TypeError, ("ExpandDims", "'x'", "'a'"), (), {"axis": "a"}))),
    attrs={"axis": REQUIRED}, call=("x", "axis"), doc="A new dimension of size 1.",
)  # fmt: skip


def _infer_squeeze(x: TensorType, axis: Any) -> TensorType:
    given = (axis,) if isinstance(axis, int) else tuple(axis)
    axes = [checked_axis("Squeeze", x, a) for a in given] if given else [i for i, d in enumerate(x.shape) if d == 1]
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(
                f"Squeeze: dimension {a} of argument 'x' {x} must be 1 to be removed, but it is {x.shape[a]}."
            )
    return TensorType(x.dtype, tuple(d for i, d in enumerate(x.shape) if i not in axes))


alias(
    "Squeeze", _infer_squeeze,
    Samples((one((1, 3, 1)), one((1, 3, 1), axis=2), one((1, 3, 1), axis=(0, -1)), one((2, 3)), one((1, 1)), one((1, 0))),
            wrong=(Wrong(((2, 3),), ValueError, ("Squeeze", "'x'", "[2, 3]"), (), {"axis": 0}),
                   Wrong(((2, 3),), ValueError, ("Squeeze", "'axis'", "2"), (), {"axis": 2}))),
    attrs={"axis": ()}, doc="Dimensions of size 1 removed: all, or those of axis.",
)  # fmt: skip


def _infer_flatten(x: TensorType) -> TensorType:
    check_rank("Flatten", "x", x, 1)
    return TensorType(x.dtype, (x.shape[0], prod(x.shape[1:])))


alias(
    "Flatten", _infer_flatten,
    Samples((one((2, 3, 4)), one((5,)), one((2, 3)), one((0, 3, 2)), one((2, 0, 3))),
            wrong=(Wrong(((),), ValueError, ("Flatten", "'x'", "at least 1")),)),
    doc="All dimensions but the first as one.",
)  # fmt: skip


def move(
    name: str, inputs: str, infer: Rule, reference: Rule, gradient: Rule, plan: Rule, samples: Samples, **facts: Any
) -> None:
    """An operator that copies boxes of elements (`compute.Move`)."""
    fill = facts.pop("fill", None)
    operator(
        name, inputs, infer=infer, reference=reference, gradient=gradient, compute=Move(plan, fill), samples=samples,
        dtypes=dt.ALL, **facts,
    )  # fmt: skip


def whole(out: TensorType, in_strides: Shape, in_offset: int = 0, source: int = 0) -> Copy:
    """The box that covers the output, read with the given strides."""
    return Copy(source, out.shape, in_offset, in_strides, 0, row_major_strides(out.shape))


def _perm(x: TensorType, perm: Any) -> Shape:
    listed = check_sizes("Transpose", "perm", perm)
    if sorted(p % x.rank if -x.rank <= p < x.rank else -1 for p in listed) != list(range(x.rank)):
        raise ValueError(f"Transpose: attribute 'perm' {listed} must name every dimension of argument 'x' {x} once.")
    return tuple(p % x.rank for p in listed)


def _plan_transpose(types: Any, out: TensorType, perm: Any) -> list[Copy]:
    strides = row_major_strides(types[0].shape)
    return [whole(out, tuple(strides[p] for p in _perm(types[0], perm)))]


def _transpose_gradient(b: Any, x: Any, out: Any, d: Any, perm: Any) -> tuple[Any]:
    rank = len(perm)
    forward = [p % rank for p in perm]
    return (b.transpose(d, perm=tuple(forward.index(i) for i in range(rank))),)


move(
    "Transpose", "x", lambda x, perm: TensorType(x.dtype, tuple(x.shape[p] for p in _perm(x, perm))),
    lambda x, perm: np.transpose(x, perm).copy(), _transpose_gradient, _plan_transpose,
    Samples((one((2, 3), perm=(1, 0)), one((2, 3, 4), perm=(2, 0, 1)), one((2, 3, 4), perm=(0, -1, 1)), one((), perm=()),
             one((0, 3), perm=(1, 0)), one((33, 17), perm=(1, 0))),
            wrong=(Wrong(((2, 3),), ValueError, ("Transpose", "'x'", "(0, 0)"), (), {"perm": (0, 0)}),
                   Wrong(((2, 3),), ValueError, ("Transpose", "(0,)"), (), {"perm": (0,)}))),
    vmap=rows.transpose, attrs={"perm": REQUIRED}, call=("x", "perm"), doc="The dimensions in another order.",
)  # fmt: skip


def _infer_broadcast_to(x: TensorType, shape: Any) -> TensorType:
    shape = check_sizes("BroadcastTo", "shape", shape)
    lead = len(shape) - x.rank
    sizes = tuple(x.shape[i - lead] if d == -1 and i >= lead else d for i, d in enumerate(shape))
    fits = lead >= 0 and all(have in (1, want) for have, want in zip(x.shape, sizes[max(lead, 0) :], strict=False))
    if not fits or any(d < 0 for d in sizes):
        raise ValueError(
            f"BroadcastTo: argument 'x' {x} does not broadcast to attribute 'shape' {tuple(shape)}: "
            f"counted from the last, its dimensions must be equal or 1 (-1 keeps one)."
        )
    return TensorType(x.dtype, sizes)


def _broadcast_strides(source: Shape, target: Shape) -> Shape:
    strides, lead = row_major_strides(source), len(target) - len(source)
    return (0,) * lead + tuple(0 if d == 1 else s for d, s in zip(source, strides, strict=True))


def _broadcast_to(x: Any, shape: Any) -> Any:
    return np.broadcast_to(x, _infer_broadcast_to(TensorType(dt.from_numpy(x.dtype), x.shape), shape).shape).copy()


move(
    "BroadcastTo", "x", _infer_broadcast_to, _broadcast_to, lambda b, x, out, d, shape: (b.sum_to(d, b.shape(x)),),
    lambda types, out, shape: [whole(out, _broadcast_strides(types[0].shape, out.shape))],
    Samples((one((3,), shape=(2, 3)), one((2, 1), shape=(4, 2, 3)), one((), shape=(2,)), one((2, 3), shape=(-1, 3)),
             one((1, 3), shape=(0, 3)), one((), shape=())),
            wrong=(Wrong(((2, 3),), ValueError, ("BroadcastTo", "'x'", "[2, 3]", "(2, 4)"), (), {"shape": (2, 4)}),)),
    vmap=rows.broadcast_to, attrs={"shape": REQUIRED}, doc="Dimensions of size 1, and new ones in front, repeated; -1 keeps a dimension.",
)  # fmt: skip


def _spans(types: Any, axis: int) -> list[tuple[int, int]]:
    """Begin and size of each part along `axis`."""
    spans, begin = [], 0
    for each in types:
        spans.append((begin, each.shape[axis]))
        begin += each.shape[axis]
    return spans


def _infer_concat(*x: TensorType, axis: int) -> TensorType:
    if not x:
        raise ValueError("Concat: argument 'x' must hold at least one tensor, but it is empty.")
    check_rank("Concat", "x[0]", x[0], 1)
    place = checked_axis("Concat", x[0], axis)
    for i, each in enumerate(x):
        if each.dtype is not x[0].dtype:
            raise TypeError(
                f"Concat: all tensors must have one element type, but 'x[0]' is {x[0]} and 'x[{i}]' is {each}."
            )
        if each.rank != x[0].rank or any(
            a != b for j, (a, b) in enumerate(zip(each.shape, x[0].shape, strict=True)) if j != place
        ):
            raise ValueError(
                f"Concat: shapes must agree but along axis {place}, but 'x[0]' is {x[0]} and 'x[{i}]' is {each}."
            )
    return TensorType(
        x[0].dtype, tuple(sum(t.shape[i] for t in x) if i == place else d for i, d in enumerate(x[0].shape))
    )


def _plan_concat(types: Any, out: TensorType, axis: int) -> list[Copy]:
    place, strides = normalize_axis(axis, out.rank), row_major_strides(out.shape)
    return [
        Copy(i, types[i].shape, 0, row_major_strides(types[i].shape), begin * strides[place], strides)
        for i, (begin, _) in enumerate(_spans(types, place))
    ]


def slice_along(b: Any, value: Any, axis: int, begin: int, size: int) -> Any:
    shape = b.shape(value)
    first = tuple(begin if i == axis else 0 for i in range(len(shape)))
    last = tuple(begin + size if i == axis else n for i, n in enumerate(shape))
    return b.strided_slice(value, begin=first, end=last, strides=(1,) * len(shape))


def _concat_gradient(b: Any, *args: Any, axis: int) -> tuple[Any, ...]:
    *inputs, _, d = args
    place, begin, parts = normalize_axis(axis, len(b.shape(d))), 0, []
    for each in inputs:
        size = b.shape(each)[place]
        parts.append(slice_along(b, d, place, begin, size))
        begin += size
    return tuple(parts)


move(
    "Concat", "*x", _infer_concat, lambda *x, axis: np.concatenate(x, axis), _concat_gradient, _plan_concat,
    Samples((Case(((2, 3), (1, 3)), {"axis": 0}), Case(((2, 3), (2, 1), (2, 4)), {"axis": -1}), Case(((3,),), {"axis": 0}),
             Case(((0, 3), (2, 3)), {"axis": 0}), Case(((2, 3, 4), (2, 5, 4)), {"axis": 1})),
            wrong=(Wrong(((2, 3), (2,)), ValueError, ("Concat", "x[1]", "[2, 3]", "[2]")),
                   Wrong(((2, 3), (1, 4)), ValueError, ("Concat", "x[1]", "[1, 4]")),
                   Wrong(((2,), (2,)), TypeError, ("Concat", "x[1]", "Int32"), (dt.float32, dt.int32)))),
    vmap=rows.concat, attrs={"axis": 0}, doc="The tensors behind each other along one dimension.",
)  # fmt: skip


def _infer_stack(*x: TensorType, axis: int) -> TensorType:
    if not x:
        raise ValueError("Stack: argument 'x' must hold at least one tensor, but it is empty.")
    for i, each in enumerate(x):
        if each.dtype is not x[0].dtype:
            raise TypeError(
                f"Stack: all tensors must have one element type, but 'x[0]' is {x[0]} and 'x[{i}]' is {each}."
            )
        if each.shape != x[0].shape:
            raise ValueError(f"Stack: all tensors must have one shape, but 'x[0]' is {x[0]} and 'x[{i}]' is {each}.")
    place = checked_axis("Stack", x[0], axis, 1)
    return TensorType(x[0].dtype, (*x[0].shape[:place], len(x), *x[0].shape[place:]))


def _plan_stack(types: Any, out: TensorType, axis: int) -> list[Copy]:
    place, strides = normalize_axis(axis, out.rank), row_major_strides(out.shape)
    inner = (*strides[:place], *strides[place + 1 :])
    return [Copy(i, t.shape, 0, row_major_strides(t.shape), i * strides[place], inner) for i, t in enumerate(types)]


def _stack_gradient(b: Any, *args: Any, axis: int) -> tuple[Any, ...]:
    *inputs, _, d = args
    place, shape = normalize_axis(axis, len(b.shape(d))), b.shape(inputs[0])
    return tuple(b.reshape(slice_along(b, d, place, i, 1), shape=shape) for i in range(len(inputs)))


move(
    "Stack", "*x", _infer_stack, lambda *x, axis: np.stack(x, axis), _stack_gradient, _plan_stack,
    Samples((Case(((2, 3), (2, 3)), {"axis": 0}), Case(((2, 3),) * 3, {"axis": -1}), Case(((), ()), {"axis": 0}),
             Case(((2, 0), (2, 0)), {"axis": 1})),
            wrong=(Wrong(((2, 3), (2,)), ValueError, ("Stack", "x[1]", "[2, 3]", "[2]")),
                   Wrong(((2,), (2,)), TypeError, ("Stack", "x[1]", "Int32"), (dt.float32, dt.int32)))),
    vmap=rows.stack, attrs={"axis": 0}, doc="The tensors side by side along a new dimension.",
)  # fmt: skip
