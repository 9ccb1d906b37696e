"""Reading and writing at run-time places: the two operators that every kind of gather, scatter and indexing is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import broadcast, size
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Gather, Pick, Scatter, Walk
from mindspore.primitives.declare import check_dtype, operator
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

KINDS = ("set", "add", "mul", "div", "maximum", "minimum")


def _check_walk(op: str, x: TensorType, walk: Walk, indices: tuple[TensorType, ...]) -> None:
    """Every place lies in `x`, and every index tensor has the elements that the walk reads."""
    if len(indices) != len(walk.picks):
        raise ValueError(f"{op}: attribute 'walk' needs {len(walk.picks)} index tensor(s), but got {len(indices)}.")
    for i, (given, pick) in enumerate(zip(indices, walk.picks, strict=True)):
        if given.dtype is not dt.int64:
            raise TypeError(f"{op}: index {i} must be Int64, but got {given}.")
        if size(walk.sizes) and _reach(walk.sizes, pick.strides, 0)[1] >= size(given.shape):
            raise ValueError(f"{op}: attribute 'walk' reads beyond index {i}, which is {given}.")
    if not size(walk.sizes) or any(p.bound == 0 for p in walk.picks):
        return
    low, high = _reach(walk.sizes, walk.strides, walk.offset)
    for pick in walk.picks:
        low, high = low + min(0, (pick.bound - 1) * pick.step), high + max(0, (pick.bound - 1) * pick.step)
    if low < 0 or high >= size(x.shape):
        raise ValueError(f"{op}: attribute 'walk' goes from element {low} to {high} of argument 'x' {x}.")


def _reach(sizes: tuple[int, ...], strides: tuple[int, ...], offset: int) -> tuple[int, int]:
    ends = [(n - 1) * s for n, s in zip(sizes, strides, strict=True)]
    return offset + sum(min(0, e) for e in ends), offset + sum(max(0, e) for e in ends)


def out_of_bounds(index: int, bound: int) -> IndexError:
    """The error of an index that its dimension does not have."""
    return IndexError(f"index {index} is out of bounds for dimension with size {bound}")


def _offsets(sizes: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> Any:
    """``offset + i . strides`` for each i of `sizes`."""
    found = np.full(sizes, offset, np.int64)
    for axis, (count, stride) in enumerate(zip(sizes, strides, strict=True)):
        found += (np.arange(count) * stride).reshape([-1 if i == axis else 1 for i in range(len(sizes))])
    return found


def places(walk: Walk, indices: tuple[Any, ...]) -> Any:
    """The element that each position of the walk stands for; IndexError for an index out of bounds."""
    found = _offsets(walk.sizes, walk.strides, walk.offset)
    for pick, index in zip(walk.picks, indices, strict=True):
        wrong = (index < -pick.bound) | (index >= pick.bound)
        if wrong.any():
            raise out_of_bounds(int(index[wrong].flat[0]), pick.bound)
        if found.size:
            taken = index.reshape(-1)[_offsets(walk.sizes, pick.strides)]
            found += np.where(taken < 0, taken + pick.bound, taken) * pick.step
    return found


def _infer_gather(*x: TensorType, walk: Walk) -> TensorType:
    check_dtype("GatherStrided", "x", x[0], dt.ALL)
    _check_walk("GatherStrided", x[0], walk, x[1:])
    return TensorType(x[0].dtype, walk.sizes)


def _gather(*x: Any, walk: Walk) -> Any:
    return x[0].reshape(-1)[places(walk, x[1:])]


def wide_type(dtype: dt.DType) -> dt.DType:
    """What sums of this type are accumulated in."""
    return dt.int32 if dtype is dt.bool_ else dt.float32 if dtype in (dt.float16, dt.bfloat16) else dtype


def accumulated(b: Any, base: Any, updates: Any, indices: tuple[Any, ...], walk: Walk, kind: str) -> Any:
    """`base` with `updates` scattered into it; half precision is rounded once, at the end, and sums of Bool are whether one is true."""
    own = b.dtype(base)
    wide = wide_type(own)
    if kind == "set" or wide is own:
        return b.scatter_strided(base, updates, *indices, walk=walk, kind=kind)
    base, updates = b.cast(base, dtype=wide), b.cast(updates, dtype=wide)
    return b.cast(b.scatter_strided(base, updates, *indices, walk=walk, kind=kind), dtype=own)


def _gather_gradient(b: Any, *args: Any, walk: Walk) -> tuple[Any, ...]:
    x, *indices, _, d = args
    return accumulated(b, b.zeros_like(x), d, tuple(indices), walk, "add"), *[None for _ in indices]


def _rows(
    *chosen: tuple[tuple[int, ...], int, int], sizes: tuple[int, ...], strides: tuple[int, ...], offset: int = 0
) -> Walk:
    return Walk(sizes, offset, strides, tuple(Pick(*each) for each in chosen))


def _with_rows(walk: Walk, count: int, row: int, sizes: Sequence[int]) -> Walk:
    """The walk for each of `count` rows: `row` and `sizes` are the elements of one row of the tensor and of the index tensors, or 0."""
    picks = tuple(
        Pick((step, *pick.strides), pick.bound, pick.step) for pick, step in zip(walk.picks, sizes, strict=True)
    )
    return Walk((count, *walk.sizes), walk.offset, (row, *walk.strides), picks)


def _row_sizes(b: Any, inputs: Sequence[Any], rows: Sequence[bool]) -> list[int]:
    return [size(b.shape(v)[1:]) if r else 0 for v, r in zip(inputs, rows, strict=True)]


def _gather_rows(b: Any, count: int, inputs: Sequence[Any], rows: Sequence[bool], kind: Any, walk: Walk) -> Any:
    own, *others = _row_sizes(b, inputs, rows)
    return b.gather_strided(*inputs, walk=_with_rows(walk, count, own, others))


def _scatter_rows(
    b: Any, count: int, inputs: Sequence[Any], rows: Sequence[bool], result: Any, walk: Walk, kind: str
) -> Any:
    base, updates, *indices = inputs
    if not rows[0]:
        base = b.broadcast_to(base, shape=(count, *b.shape(base)))
    if rows[1]:
        shape = b.shape(updates)[1:]
        updates = b.reshape(updates, shape=(count, *(1,) * (len(walk.sizes) - len(shape)), *shape))
    own, *others = _row_sizes(b, [base, *indices], [True, *rows[2:]])
    return b.scatter_strided(base, updates, *indices, walk=_with_rows(walk, count, own, others), kind=kind)


_INDEX = Domain(-2, 1, dtype=dt.int64)
_WALKS = (
    ((3, 4), (5,), _rows(((1, 0), 3, 4), sizes=(5, 4), strides=(0, 1))),
    ((2, 3, 4), (2, 3), _rows(((3, 0, 1), 3, 4), sizes=(2, 4, 3), strides=(12, 1, 0))),
    ((3, 4), (), _rows(((0,), 3, 4), sizes=(2,), strides=(2,), offset=1)),
    ((3, 4), (), _rows(((0, 0), 3, 4), sizes=(1, 4), strides=(0, -1), offset=3)),
    ((2, 5), (2, 7), _rows(((7, 1), 5, 1), sizes=(2, 7), strides=(5, 0))),
    ((6,), (0,), _rows(((1,), 6, 1), sizes=(0,), strides=(0,))),
    ((3, 2, 70), (3,), _rows(((0, 1, 0), 2, 70), sizes=(3, 3, 70), strides=(140, 0, 1))),
)  # fmt: skip
_PAIR = ((3, 3), (4,), _rows(((1,), 3, 3), ((1,), 3, 1), sizes=(4,), strides=(0,)))
_PLAIN = ((4, 6), _rows(sizes=(2, 3), strides=(6, 2), offset=7))

operator(
    "GatherStrided", "*x", attrs={"walk": REQUIRED}, infer=_infer_gather, reference=_gather, gradient=_gather_gradient,
    compute=Gather(), may_fail=True, vmap=_gather_rows, dtypes=dt.ALL,
    samples=Samples(
        (*(Case((x, i), {"walk": w}) for x, i, w in _WALKS), Case((_PAIR[0], _PAIR[1], _PAIR[1]), {"walk": _PAIR[2]}),
         Case((_PLAIN[0],), {"walk": _PLAIN[1]})),
        (Domain(), _INDEX),
        wrong=(Wrong(((3, 4), (5,)), TypeError, ("GatherStrided", "index 0", "Int32"), (dt.float32, dt.int32), {"walk": _WALKS[0][2]}),
               Wrong(((3, 4), (4,)), ValueError, ("beyond index 0",), (dt.float32, dt.int64), {"walk": _WALKS[0][2]}),
               Wrong(((2, 4), (5,)), ValueError, ("'x'", "[2, 4]", "11"), (dt.float32, dt.int64), {"walk": _WALKS[0][2]}),
               Wrong(((2, 4),), ValueError, ("1 index tensor",), (), {"walk": _WALKS[0][2]})),
    ),
    doc="Elements at places made of strides and run-time indices.",
)  # fmt: skip


def _infer_scatter(*x: TensorType, walk: Walk, kind: str) -> TensorType:
    base, updates, *indices = x
    if kind not in KINDS:
        raise ValueError(f"ScatterStrided: attribute 'kind' must be one of {', '.join(KINDS)}, but got {kind!r}.")
    check_dtype("ScatterStrided", "x", base, dt.ALL if kind == "set" else _numbers(kind))
    if updates.dtype is not base.dtype:
        raise TypeError(f"ScatterStrided: updates must be of the type of argument 'x' {base}, but got {updates}.")
    try:
        whole = broadcast(updates.shape, walk.sizes)
    except ValueError:
        whole = ()
    if whole != walk.sizes:
        raise ValueError(f"ScatterStrided: updates {updates} do not broadcast to {walk.sizes}, the places to write.")
    _check_walk("ScatterStrided", base, walk, tuple(indices))
    return base


def _numbers(kind: str) -> tuple[dt.DType, ...]:
    plain = tuple(t for t in dt.REAL if wide_type(t) is t)
    return (*plain, *dt.COMPLEX) if kind in ("add", "mul") else plain


_MEANING: dict[str, Any] = {"add": np.add, "mul": np.multiply, "maximum": np.maximum, "minimum": np.minimum}


def _divided(x: Any, y: Any) -> Any:
    if x.dtype.kind == "f":
        return np.divide(x, y)
    quotient = np.floor_divide(x - np.fmod(x, np.where(y == 0, 1, y)), np.where(y == 0, 1, y))
    return np.where(y == 0, 0, quotient).astype(x.dtype)


def _scatter(*x: Any, walk: Walk, kind: str) -> Any:
    base, updates, *indices = x
    result = base.reshape(-1).copy()
    where = places(walk, tuple(indices)).reshape(-1)
    given = np.broadcast_to(updates, walk.sizes).reshape(-1)
    with np.errstate(all="ignore"):
        if kind in _MEANING:
            _MEANING[kind].at(result, where, given)
        else:
            for place, each in zip(where, given, strict=True):
                result[place] = each if kind == "set" else _divided(result[place : place + 1], np.asarray([each]))[0]
    return result.reshape(base.shape)


def _last_writes(b: Any, updates: Any, indices: tuple[Any, ...], base: Any, walk: Walk, d: Any) -> Any:
    """`d` where an update is the last one of its place: the others were overwritten."""
    order = b.reshape(b.iota(shape=(size(walk.sizes),), dimension=0, dtype=dt.int64), shape=walk.sizes)
    nobody = b.full(shape=b.shape(base), value=-1, dtype=dt.int64)
    winners = b.scatter_strided(nobody, order, *indices, walk=walk, kind="maximum")
    return b.select(b.equal(b.gather_strided(winners, *indices, walk=walk), order), d, 0)


def scatter_gradient(b: Any, *args: Any, walk: Walk, kind: str) -> tuple[Any, ...]:
    base, updates, *rest, out, d = args
    indices = tuple(rest)

    def taken(value: Any) -> Any:
        return b.gather_strided(value, *indices, walk=walk)

    def put(value: Any, what: Any, how: str) -> Any:
        return accumulated(b, value, what, indices, walk, how)

    if kind == "set":
        to_base = put(d, b.const(0, b.dtype(d)), "set")
        to_updates = taken(d)
        if walk.may_repeat:
            to_updates = _last_writes(b, updates, indices, base, walk, to_updates)
    elif kind == "add":
        to_base, to_updates = d, taken(d)
    elif kind in ("mul", "div"):
        to_base = put(d, updates, kind)
        if kind == "mul":
            to_updates = b.div(taken(b.mul(d, out)), updates) if walk.may_repeat else taken(b.mul(d, base))
        else:
            to_updates = b.neg(b.div(taken(b.mul(d, out)), updates))
    else:
        one = b.dtype(base)
        from_base = b.cast(b.equal(base, out), dtype=one)
        from_updates = b.cast(b.equal(taken(out), updates), dtype=one)
        shared = b.div(d, put(from_base, from_updates, "add"))
        to_base, to_updates = b.mul(shared, from_base), b.mul(taken(shared), from_updates)
    return to_base, b.sum_to(to_updates, b.shape(updates)), *[None for _ in indices]


def _scatter_cases() -> tuple[Case, ...]:
    kinds = iter(KINDS * 3)
    found = [Case((x, w.sizes, i), {"walk": w, "kind": next(kinds)}) for x, i, w in _WALKS]
    found += [Case((x, (), i), {"walk": w, "kind": "set"}) for x, i, w in _WALKS[:3]]
    found += [Case((x, w.sizes[-1:], i), {"walk": w, "kind": "add"}) for x, i, w in _WALKS[:2]]
    found += [Case((_PAIR[0], (4,), (4,), (4,)), {"walk": _PAIR[2], "kind": k}) for k in KINDS]
    return (*found, Case((_PLAIN[0], (3,)), {"walk": _PLAIN[1], "kind": "set"}))


operator(
    "ScatterStrided", "*x", attrs={"walk": REQUIRED, "kind": "set"}, infer=_infer_scatter, reference=_scatter,
    gradient=scatter_gradient, compute=Scatter(), may_fail=True, vmap=_scatter_rows, dtypes=tuple(t for t in dt.REAL if wide_type(t) is t),
    samples=Samples(
        _scatter_cases(), (Domain(0.5, 3.0), Domain(0.5, 3.0), _INDEX),
        wrong=(Wrong(((3, 4), (5, 3), (5,)), ValueError, ("updates", "[5, 3]", "(5, 4)"), (dt.float32, dt.float32, dt.int64),
                     {"walk": _WALKS[0][2]}),
               Wrong(((3, 4), (), (5,)), TypeError, ("updates", "Float32[]"), (dt.int32, dt.float32, dt.int64), {"walk": _WALKS[0][2]}),
               Wrong(((3, 4), (), (5,)), TypeError, ("'x'", "Bool"), (dt.bool_, dt.bool_, dt.int64),
                     {"walk": _WALKS[0][2], "kind": "add"}),
               Wrong(((3, 4), (), (5,)), ValueError, ("'kind'", "'pow'"), (dt.float32, dt.float32, dt.int64),
                     {"walk": _WALKS[0][2], "kind": "pow"})),
    ),
    doc="The tensor with elements at places made of strides and run-time indices overwritten by updates, or combined with them in order.",
)  # fmt: skip
