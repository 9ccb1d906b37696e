"""Slices with equal ids combined into one: sum, product, largest and smallest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.shapes import Shape, size
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType
from mindspore.primitives.declare import check_dtype, operator
from mindspore.primitives.gathering import as_index, axis_walk, check_indices, counted
from mindspore.primitives.samples import Case, Domain, Samples, Wrong
from mindspore.primitives.scattering import ARITHMETIC, combine
from mindspore.primitives.strided import accumulated


def _limits(dtype: dt.DType) -> tuple[Any, Any]:
    """The smallest and the largest finite number of a type."""
    if dtype.is_integer:
        info: Any = np.iinfo(dt.to_numpy(dtype))
        return int(info.min), int(info.max)
    if dtype is dt.bfloat16:
        import ml_dtypes

        info = ml_dtypes.finfo(dt.to_numpy(dtype))  # type: ignore[no-untyped-call]
    else:
        info = np.finfo(dt.to_numpy(dtype))
    return float(info.min), float(info.max)


def _taken(b: Any, ids: Any, rank: int, segments: Any) -> tuple[Any, Any]:
    """For each element what `segments` holds for its id, and whether the id is one that counts."""
    lead = b.shape(ids)
    along = b.reshape(ids, shape=(*lead, *(1,) * (rank - len(lead))))
    return b.gather(segments, b.maximum(ids, 0), axis=0), b.greater_equal(along, 0)


def _sum_gradient(b: Any, x: Any, ids: Any, out: Any, d: Any, num_segments: int) -> tuple[Any, ...]:
    taken, counts = _taken(b, ids, len(b.shape(x)), d)
    return b.select(counts, taken, 0), None


def _choice_gradient(b: Any, x: Any, ids: Any, out: Any, d: Any, num_segments: int) -> tuple[Any, ...]:
    """Elements that are the result share its gradient evenly."""
    rank, one = len(b.shape(x)), b.dtype(x)
    result, counts = _taken(b, ids, rank, out)
    chosen = b.cast(b.logical_and(counts, b.equal(x, result)), dtype=one)
    shares = b.unsorted_segment_sum(chosen, ids, num_segments=num_segments)
    share, _ = _taken(b, ids, rank, b.div(d, b.maximum(shares, b.const(1, one))))
    return b.mul(chosen, share), None


def _product_gradient(b: Any, x: Any, ids: Any, out: Any, d: Any, num_segments: int) -> tuple[Any, ...]:
    """The product of the others, found without dividing by zero: of the elements that are not 0, where no other one is 0."""
    rank, one = len(b.shape(x)), b.dtype(x)
    null = b.equal(x, 0)
    divisor = b.select(null, b.const(1, one), x)
    nulls = b.unsorted_segment_sum(b.cast(null, dtype=one), ids, num_segments=num_segments)
    product = b.unsorted_segment_prod(divisor, ids, num_segments=num_segments)
    scale, counts = _taken(b, ids, rank, b.mul(d, product))
    others, _ = _taken(b, ids, rank, nulls)
    alone = b.equal(others, b.cast(null, dtype=one))
    return b.select(b.logical_and(counts, alone), b.div(scale, divisor), 0), None


def _ids(rng: np.random.Generator, shape: Shape) -> Any:
    """0, 1 and left out in turn: no segment is without elements, whose number would drown every difference."""
    return ((np.arange(size(shape)) + 1) % 3 - 1).reshape(shape)


def _segments(
    name: str,
    kind: str,
    start: Callable[[dt.DType], Any],
    gradient: Callable[..., tuple[Any, ...]],
    domain: Domain,
    doc: str,
) -> None:
    """Declare one operator: segments that no id names hold what `start` gives."""

    def infer(x: TensorType, ids: TensorType, num_segments: int) -> TensorType:
        check_dtype(name, "input_x", x, ARITHMETIC)
        check_indices(name, "segment_ids", ids)
        if not ids.rank or x.shape[: ids.rank] != ids.shape:
            raise ValueError(
                f"{name}: the shape of argument 'segment_ids' {ids} must be the first dimensions of 'input_x' {x}."
            )
        if not hasattr(num_segments, "__index__") or num_segments <= 0:
            raise ValueError(f"{name}: attribute 'num_segments' must be above 0, but got {num_segments!r}.")
        return TensorType(x.dtype, (num_segments, *x.shape[ids.rank :]))

    def expand(b: Any, x: Any, ids: Any, num_segments: int) -> Any:
        """Negative ids go to one more segment, which is cut off."""
        shape, lead = b.shape(x), b.shape(ids)
        rest = shape[len(lead) :]
        places = b.reshape(as_index(b, ids), shape=(size(lead),))
        kept = b.select(b.less(places, 0), num_segments, places)
        whole = (num_segments + 1, *rest)
        walk = axis_walk(whole, (size(lead),), 0, 0)
        rows = b.reshape(x, shape=walk.sizes)
        own = b.dtype(x)
        made = accumulated(b, b.full(shape=whole, value=start(own), dtype=own), rows, (kept,), walk, kind)
        return b.strided_slice(made, begin=(0,) * len(whole), end=(num_segments, *rest), strides=(1,) * len(whole))

    def reference(x: Any, ids: Any, num_segments: int) -> Any:
        result = np.full((num_segments, *x.shape[ids.ndim :]), start(dt.from_numpy(x.dtype)), x.dtype)
        kept = ids >= 0
        combine(result, (counted(ids[kept], num_segments),), x[kept], kind)
        return result

    operator(
        name, "input_x, segment_ids", attrs={"num_segments": REQUIRED}, infer=infer, reference=reference, gradient=gradient,
        expand=expand, dtypes=ARITHMETIC, call=("input_x", "segment_ids", "num_segments"), may_fail=True,
        samples=Samples(
            tuple(Case(shapes, {"num_segments": 2}) for shapes in (((5,), (5,)), ((4, 3), (4,)), ((2, 3, 4), (2, 3)), ((0, 2), (0,)))),
            (domain, Domain(dtype=dt.int32, draw=_ids)),
            wrong=(Wrong(((5,), (4,)), ValueError, ("'segment_ids'", "[4]", "[5]"), (dt.float32, dt.int32), {"num_segments": 3}),
                   Wrong(((5,), (5,)), ValueError, ("'num_segments'", "0"), (dt.float32, dt.int32), {"num_segments": 0})),
        ),
        doc=doc,
    )  # fmt: skip


_LEFT_OUT = "slices with negative ids are left out"
_segments(
    "UnsortedSegmentSum",
    "add",
    lambda dtype: 0,
    _sum_gradient,
    Domain(),
    f"Sums of the slices with equal ids; {_LEFT_OUT}.",
)
_segments(
    "UnsortedSegmentProd", "mul", lambda dtype: 1, _product_gradient, Domain(0.5, 2.0),
    f"Products of the slices with equal ids, 1 for an id that none has; {_LEFT_OUT}.",
)  # fmt: skip
_segments(
    "UnsortedSegmentMax", "maximum", lambda dtype: _limits(dtype)[0], _choice_gradient, Domain(),
    f"The largest of the slices with equal ids, the type's smallest number for an id that none has; {_LEFT_OUT}.",
)  # fmt: skip
_segments(
    "UnsortedSegmentMin", "minimum", lambda dtype: _limits(dtype)[1], _choice_gradient, Domain(),
    f"The smallest of the slices with equal ids, the type's largest number for an id that none has; {_LEFT_OUT}.",
)  # fmt: skip
