"""Random calls of operators: shapes, attributes, element types, and how the operands lie in memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

import mindspore.primitives  # noqa: F401  declares the operators
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape
from mindspore.ir.builder import complete_attrs
from mindspore.ir.operator import Operator, all_operators, find
from mindspore.ir.types import TensorType
from tests.primitives.drawing import draw as values_of

SIZES = st.sampled_from((0, 1, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 65, 130))
LARGEST = 40_000
"""Elements of one operand at most."""
Draw = Callable[[st.SearchStrategy[Any]], Any]
BROADCASTING = tuple(op for op in all_operators() if op.samples is not None and op.samples.broadcast)
UNARY = tuple(
    op for op in all_operators()
    if op.samples is not None and op.inputs == ("x",) and not op.attrs and op.dtypes and (1,) in [c.shapes[0] for c in op.samples.cases]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Layout:
    """How an operand lies in its memory: the order of its dimensions there, each one's step, and elements before the first.

    A step below 0 walks backwards; `spread` names dimensions of step 0, which all elements share.
    """

    order: tuple[int, ...]
    steps: tuple[int, ...]
    spread: tuple[bool, ...]
    before: int


@dataclass(frozen=True, slots=True)
class Trial:
    """One call: operands hold the values that the operator sees, `layouts` say how they lie."""

    op: Operator
    operands: tuple[Any, ...]
    attrs: Mapping[str, Any]
    layouts: tuple[Layout, ...]

    def __repr__(self) -> str:
        listed = ", ".join(
            f"{a.dtype}{list(a.shape)} {layout}" for a, layout in zip(self.operands, self.layouts, strict=True)
        )
        return f"{self.op.name}({listed}, {dict(self.attrs)})"


def shape(draw: Draw, least: int = 0, most: int = 4) -> Shape:
    """A shape of at most `LARGEST` elements."""
    found: list[int] = []
    for _ in range(draw(st.integers(least, most))):
        size = draw(SIZES)
        fits = int(np.prod([max(n, 1) for n in found])) * size <= LARGEST
        found.append(size if fits else 1)
    return tuple(found)


def layout(draw: Draw, rank: int, shared: bool = True) -> Layout:
    """`shared`: elements may share their memory."""
    if draw(st.booleans()):
        return Layout(tuple(range(rank)), (1,) * rank, (False,) * rank, 0)
    order = tuple(draw(st.permutations(range(rank))))
    steps = tuple(draw(st.sampled_from((1, 1, 2, 3, -1, -2))) for _ in range(rank))
    spread = tuple(shared and draw(st.sampled_from((False, False, False, True))) for _ in range(rank))
    return Layout(order, steps, spread, draw(st.integers(0, 3)))


def laid(values: Any, how: Layout) -> tuple[Any, tuple[int, ...], int, Any]:
    """Flat memory, strides and offset in elements that show `values` as `how` says, and what they show.

    Dimensions without a step show their first element everywhere.
    """
    first = tuple(slice(0, 1) if spread else slice(None) for spread in how.spread)
    shown = np.broadcast_to(values[first], values.shape) if values.size else values
    strides, extent = [0] * values.ndim, 1
    for i in reversed(how.order):
        if not how.spread[i]:
            strides[i] = extent * how.steps[i]
            extent *= max(1, values.shape[i] * abs(how.steps[i]))
    offset = how.before + sum((n - 1) * -s for n, s in zip(values.shape, strides, strict=True) if s < 0 and n > 0)
    memory = np.zeros(how.before + extent, values.dtype)
    if values.size:
        places = np.full(values.shape, offset)
        for axis, (n, s) in enumerate(zip(values.shape, strides, strict=True)):
            places += (np.arange(n) * s).reshape([-1 if i == axis else 1 for i in range(values.ndim)])
        memory[places] = shown
    return memory, tuple(strides), offset, np.ascontiguousarray(shown).reshape(values.shape)


def trial(draw: Draw) -> Trial:
    """A call of a random operator."""
    op, shapes, attrs = draw(st.sampled_from(KINDS))(draw)
    kinds = [t for t in (op.dtypes or (dt.float32,)) if t not in _SELDOM or draw(st.integers(0, 3)) == 0]
    dtype: DType = draw(st.sampled_from(kinds or list(op.dtypes or (dt.float32,))))
    rng = np.random.default_rng(draw(st.integers(0, 1 << 30)))
    ranges = places(op, shapes, attrs)
    arrays = tuple(
        rng.integers(*ranges[i], each, op.samples.domain(i).dtype.name.lower(), endpoint=True) if i in ranges
        else values_of(op.samples.domain(i), each, dtype, rng)
        for i, each in enumerate(shapes)
    )  # fmt: skip
    # what is in bounds in one column of indices may not be in another
    layouts = tuple(layout(draw, a.ndim, shared=i not in ranges) for i, a in enumerate(arrays))
    return Trial(op, arrays, complete_attrs(op, attrs), layouts)


_SELDOM = (dt.uint8, dt.uint16, dt.uint32, dt.uint64, dt.int16, dt.complex64, dt.complex128)
Kind = Callable[[Draw], tuple[Operator, tuple[Shape, ...], dict[str, Any]]]


def _unary(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    return draw(st.sampled_from(UNARY)), (shape(draw),), {}


def _broadcasting(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    op = draw(st.sampled_from(BROADCASTING))
    whole = shape(draw)
    shapes = []
    for _ in op.inputs:
        kept = whole[draw(st.integers(0, len(whole))) :] if draw(st.booleans()) else whole
        shapes.append(tuple(1 if draw(st.integers(0, 3)) == 0 else n for n in kept))
    return op, tuple(shapes), {}


def _reduction(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    op = find(
        draw(st.sampled_from(("reduce_sum", "reduce_mean", "reduce_all", "reduce_any", "reduce_max", "reduce_min")))
    )
    # largest and smallest of nothing are refused
    whole = tuple(max(1, n) for n in shape(draw)) if op.function[-3:] in ("max", "min") else shape(draw)
    axes = draw(st.sets(st.integers(-len(whole), len(whole) - 1))) if whole else set()
    axis = tuple(sorted({a % len(whole) for a in axes}))
    return op, (whole,), {"axis": axis, "keep_dims": draw(st.booleans())}


def _along_one(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    name = draw(
        st.sampled_from(
            (
                "softmax",
                "log_softmax",
                "argmax_index",
                "argmin_index",
                "cum_sum",
                "sort",
                "reverse_v2",
                "argmax_with_value",
            )
        )
    )
    whole = tuple(max(1, n) for n in shape(draw, least=1))
    axis = draw(st.integers(-len(whole), len(whole) - 1))
    return find(name), (whole,), {"axis": (axis,) if name == "reverse_v2" else axis}


def _product(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    m, n, k = (draw(SIZES) for _ in range(3))
    flags = draw(st.booleans()), draw(st.booleans())
    batch = tuple(min(n, 5) for n in shape(draw, most=2))
    left, right = ((k, m) if flags[0] else (m, k)), ((n, k) if flags[1] else (k, n))
    attrs = {"transpose_a": flags[0], "transpose_b": flags[1]}
    if not batch:
        return find("matmul"), (left, right), attrs
    own = [tuple(1 if draw(st.integers(0, 3)) == 0 else n for n in batch) for _ in range(2)]
    return find("batch_matmul"), ((*own[0], *left), (*own[1], *right)), attrs


def _transpose(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    whole = shape(draw)
    return find("transpose"), (whole,), {"perm": tuple(draw(st.permutations(range(len(whole)))))}


def _slice(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    whole = shape(draw, least=1)
    steps = tuple(draw(st.sampled_from((1, 2, 3, -1, -2))) for _ in whole)
    begin, end = [], []
    for n, step in zip(whole, steps, strict=True):
        low, high = sorted((draw(st.integers(0, n)), draw(st.integers(0, n))))
        begin.append(low if step > 0 else high - 1)
        end.append(high if step > 0 else low - 1 - n)
    return find("strided_slice"), (whole,), {"begin": tuple(begin), "end": tuple(end), "strides": steps}


def _joined(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    whole = shape(draw, least=1, most=3)
    axis = draw(st.integers(0, len(whole) - 1))
    count = draw(st.integers(1, 4))
    shapes = tuple((*whole[:axis], draw(st.integers(0, 20)), *whole[axis + 1 :]) for _ in range(count))
    return find("concat"), shapes, {"axis": axis}


def _convolution(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    kernel, stride, pad, dilation = (draw(st.integers(*span)) for span in ((1, 4), (1, 3), (0, 3), (1, 2)))
    group = draw(st.sampled_from((1, 1, 2, 3)))
    channels, outputs = (group * draw(st.integers(1, 5)) for _ in range(2))
    least = max(1, dilation * (kernel - 1) + 1 - 2 * pad)
    height, width = (draw(st.integers(least, least + 9)) for _ in range(2))
    attrs = {
        "out_channel": outputs,
        "kernel_size": kernel,
        "pad_mode": "pad",
        "pad": pad,
        "stride": stride,
        "dilation": dilation,
        "group": group,
    }
    shapes = ((draw(st.integers(1, 3)), channels, height, width), (outputs, channels // group, kernel, kernel))
    return find("conv2d"), shapes, attrs


def _few(draw: Draw, least: int = 0, most: int = 2) -> Shape:
    return tuple(draw(st.sampled_from((0, 1, 2, 3, 5, 8, 17))) for _ in range(draw(st.integers(least, most))))


def _full(draw: Draw, most: int = 3) -> Shape:
    """A shape with elements."""
    return tuple(max(1, n) for n in shape(draw, 1, most))


def _gather(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    whole, name = _full(draw), draw(st.sampled_from(("gather", "gather_nd", "gather_d")))
    axis = draw(st.integers(0, len(whole) - 1))
    if name == "gather":
        return find(name), (tuple(min(n, 40) for n in whole), _few(draw)), {"axis": axis}
    if name == "gather_nd":
        return find(name), (whole, (*_few(draw, 1), draw(st.integers(1, len(whole))))), {}
    index = tuple(draw(SIZES) if i == axis else draw(st.integers(1, n)) for i, n in enumerate(whole))
    return find(name), (whole, index), {"dim": axis}


def _scatter(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    whole, name = _full(draw), draw(st.sampled_from(SCATTERS))
    if name == "unsorted_segment_sum":
        rank = draw(st.integers(1, len(whole)))
        return find(name), (whole, whole[:rank]), {"num_segments": draw(st.integers(1, 9))}
    if name == "tensor_scatter_elements":
        axis = draw(st.integers(0, len(whole) - 1))
        index = tuple(draw(st.integers(1, n)) for n in whole)
        return find(name), (whole, index, index), {"axis": axis, "reduction": draw(st.sampled_from(("none", "add")))}
    depth, count = draw(st.integers(1, len(whole))), _few(draw, 1)
    whole = tuple(min(n, 40) for n in whole)
    indices, updates = (*count, depth), (*count, *whole[depth:])
    if name == "scatter_nd":
        return find(name), (indices, updates), {"shape": whole}
    return find(name), (whole, indices, updates), {}


SCATTERS = ("scatter_nd", "tensor_scatter_elements", "unsorted_segment_sum",
            *(f"tensor_scatter_{kind}" for kind in ("update", "add", "sub", "max", "min")))  # fmt: skip


def places(op: Operator, shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Mapping[int, tuple[Any, Any]]:
    """For operands that are indices from which to which number they may go, both ends included."""
    name = op.function
    if name == "unsorted_segment_sum":
        return {1: (-1, attrs["num_segments"] - 1)}
    if name in ("gather", "gather_d", "tensor_scatter_elements"):
        extent = shapes[0][attrs["dim" if name == "gather_d" else "axis"]]
        return {1: (-extent, extent - 1)}
    if name in ("gather_nd", *SCATTERS):
        at = 0 if name == "scatter_nd" else 1
        extents = np.array((attrs["shape"] if at == 0 else shapes[0])[: shapes[at][-1]])
        return {at: (-extents, extents - 1)}
    return {}


def _pool(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    kernel, strides = (tuple(draw(st.integers(1, most)) for _ in range(2)) for most in (4, 3))
    plane = tuple(k + draw(st.integers(0, 12)) for k in kernel)
    attrs = {"kernel_size": kernel, "strides": strides, "pad_mode": draw(st.sampled_from(("valid", "same")))}
    x = (draw(st.integers(1, 3)), draw(st.sampled_from((1, 3, 8, 17))), *plane)
    name = draw(st.sampled_from(("max_pool", "avg_pool", "max_pool_grad")))
    return find(name), (x, *[_result(find("max_pool"), (x,), attrs)] * (2 if name == "max_pool_grad" else 0)), attrs


def _result(op: Operator, shapes: Sequence[Shape], attrs: Mapping[str, Any]) -> Shape:
    """The shape of the result for float32 operands."""
    made = op.infer(*[TensorType(dt.float32, s) for s in shapes], **complete_attrs(op, attrs))
    assert isinstance(made, TensorType)
    return made.shape


def _norm(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    """With an epsilon that does not magnify the rounding of means where all elements are one element of the memory."""
    epsilon = draw(st.sampled_from((0.1, 0.5)))
    whole = tuple(max(2, n) for n in shape(draw, 2, 4))
    if draw(st.booleans()):
        axis = draw(st.integers(1, len(whole) - 1))
        return (
            find("layer_norm"),
            (whole, whole[axis:], whole[axis:]),
            {"begin_norm_axis": axis, "begin_params_axis": axis, "epsilon": epsilon},
        )
    if len(whole) == 3:
        whole = (*whole, 3)
    return find("batch_norm"), (whole, *[(whole[1],)] * 4), {"is_training": draw(st.booleans()), "epsilon": epsilon}


def _convolution_gradient(draw: Draw) -> tuple[Operator, tuple[Shape, ...], dict[str, Any]]:
    op, (x, weight), attrs = _convolution(draw)
    d = _result(op, (x, weight), attrs)
    if draw(st.booleans()):
        return find("conv2d_backprop_input"), (d, weight), {**attrs, "input_size": x}
    return find("conv2d_backprop_filter"), (d, x), {**attrs, "filter_size": weight}


KINDS: tuple[Kind, ...] = (
    _unary, _broadcasting, _broadcasting, _reduction, _along_one, _product, _product, _transpose, _slice, _joined, _convolution,
    _gather, _scatter, _scatter, _pool, _norm, _convolution_gradient,
)  # fmt: skip
