"""Convolutions as strided products: which elements are multiplied, for the result and for both gradients."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gcd, prod
from types import MappingProxyType
from typing import Any

from mindspore.base.shapes import Shape, row_major_strides
from mindspore.primitives.compute import Strided, StridedProduct
from mindspore.primitives.window_sizes import Pairs, each_dimension, window_counts, window_pads

FORMATS = MappingProxyType({2: "NCHW", 3: "NCDHW"})
"""Spatial dimensions that convolutions are declared for, and the order of all dimensions."""


MOST_PLANES = 16
"""Channels of a group up to which convolutions are computed plane by plane."""


@dataclass(frozen=True, slots=True)
class Convolution:
    """One convolution with all its sizes.

    Attributes:
        batch, inputs, outputs: images and channels.
        sizes, windows, kernel: spatial sizes of the input, the output and the weights.
        strides, dilation, pads, group: as usual.
        apart: distance of the elements of the input, between which there are zeros.
    """

    batch: int
    inputs: int
    outputs: int
    sizes: Shape
    windows: Shape
    kernel: Shape
    strides: Shape
    dilation: Shape
    pads: Pairs
    group: int
    apart: Shape = (1, 1)

    @property
    def padded(self) -> Shape:
        return tuple(n + before + after for n, (before, after) in zip(self.spread, self.pads, strict=True))

    @property
    def spread(self) -> Shape:
        """Sizes of the input with its zeros; in three dimensions there are none."""
        if len(self.sizes) != len(self.apart):
            return self.sizes
        return tuple((n - 1) * a + 1 for n, a in zip(self.sizes, self.apart, strict=True))

    @property
    def x(self) -> Shape:
        return (self.batch, self.inputs, *self.sizes)

    @property
    def out(self) -> Shape:
        return (self.batch, self.outputs, *self.windows)

    @property
    def weight(self) -> Shape:
        return (self.outputs, self.inputs // self.group, *self.kernel)

    @property
    def planar(self) -> bool:
        """Whether images are convolved plane by plane: their channels meet so few others that matrices would be too small."""
        if len(self.sizes) != 2:
            return False
        inside, made = self.inputs // self.group, self.outputs // self.group
        return self.inputs == self.group > 1 or (max(inside, made) <= MOST_PLANES and prod(self.kernel) > 1)

    @property
    def planar_filter(self) -> bool:
        """Whether the gradient of the weights is summed plane by plane: groups of more channels make matrices."""
        return self.planar and (self.inputs == 1 or (self.group > 1 and self.inputs < MOST_PLANES * self.group))

    def backwards(self) -> Convolution | None:
        """The planar convolution with turned weights that gives the gradient in the input; None when there is none.

        Strides leave zeros between what it reads. There are few of them: their products are made and add nothing.
        """
        reach = tuple((k - 1) * d for k, d in zip(self.kernel, self.dilation, strict=True))
        ends = tuple((w - 1) * s + 1 for w, s in zip(self.windows, self.strides, strict=True))
        pads = tuple((r - a, n + a - end) for r, (a, _), n, end in zip(reach, self.pads, self.sizes, ends, strict=True))
        if not self.planar or max(self.strides) > 2 or min(map(min, pads)) < 0:
            return None
        return replace(
            self, inputs=self.outputs, outputs=self.inputs, sizes=self.windows, windows=self.sizes, strides=(1, 1), pads=pads,
            apart=self.strides,
        )  # fmt: skip


def convolution(op: str, x: Shape, weight: Shape, attrs: dict[str, Any]) -> Convolution:
    """The sizes of a convolution; ValueError and TypeError for what does not fit together."""
    rank = len(x) - 2
    if attrs["data_format"] != FORMATS[rank]:
        raise ValueError(f"{op}: attribute 'data_format' must be {FORMATS[rank]}, but got {attrs['data_format']!r}.")
    if attrs["mode"] != 1:
        raise ValueError(f"{op}: attribute 'mode' must be 1, but got {attrs['mode']!r}.")
    kernel = each_dimension(op, "kernel_size", attrs["kernel_size"], rank)
    strides = each_dimension(op, "stride", attrs["stride"], rank)
    dilation = each_dimension(op, "dilation", attrs["dilation"], rank)
    (group,), (outputs,) = (each_dimension(op, name, attrs[name], 1) for name in ("group", "out_channel"))
    wanted = (outputs, x[1] // group, *kernel)
    if x[1] % group or outputs % group:
        raise ValueError(
            f"{op}: attribute 'group' must divide the {x[1]} channels of the input and 'out_channel' {outputs}, but got {group}."
        )
    if tuple(weight) != wanted:
        raise ValueError(
            f"{op}: argument 'weight' must have the shape {list(wanted)} (out_channel, channels of the input / group, "
            f"kernel_size), but got {list(weight)} for an input of shape {list(x)}."
        )
    reach = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    pads = window_pads(op, attrs["pad_mode"], attrs["pad"], x[2:], reach, strides)
    windows = window_counts(x[2:], reach, strides, pads)
    if any(n < 1 for n in windows):
        raise ValueError(
            f"{op}: the input with its padding must not be smaller than the kernel, but got an input of shape {list(x)}, "
            f"padding {pads}, kernel_size {kernel} and dilation {dilation}."
        )
    return Convolution(x[0], x[1], outputs, tuple(x[2:]), windows, kernel, strides, dilation, pads, group)


def forward_product(c: Convolution) -> StridedProduct:
    """Rows are output channels, k the elements of a window, columns all windows of the padded input."""
    spatial, inside = row_major_strides(c.padded), c.inputs // c.group
    plane, result = prod(c.padded), prod(c.windows)
    return StridedProduct(
        c.group, c.outputs // c.group, (inside, *c.kernel), (c.batch, *c.windows),
        Strided(0, prod(c.weight) // c.group, prod(c.weight[1:]), row_major_strides(c.weight)[1:]),
        Strided(0, inside * plane, 0, (plane, *_times(spatial, c.dilation)), (c.inputs * plane, *_times(spatial, c.strides))),
        Strided(0, c.outputs // c.group * result, result, (), (c.outputs * result, *row_major_strides(c.windows))),
    )  # fmt: skip


def filter_product(c: Convolution) -> StridedProduct:
    """The same with the roles of k and columns exchanged: k runs over all windows, columns over the elements of a window."""
    f = forward_product(c)
    return StridedProduct(
        f.groups, f.rows, f.columns, f.depth,
        Strided(0, f.c.group, f.c.row, f.c.columns), Strided(0, f.b.group, 0, f.b.columns, f.b.depth),
        Strided(0, f.a.group, f.a.row, (), f.a.depth),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Phase:
    """Positions ``start + stride * i`` of one dimension of the input, for i below ``count``, and the ``taps`` weights that meet them.

    Weight ``first + step * t`` meets window ``window + i - back * t``.
    """

    start: int
    count: int
    taps: int
    first: int
    step: int
    window: int
    back: int

    @property
    def windows(self) -> tuple[int, int]:
        """The first and the last window that is read."""
        return self.window - self.back * max(self.taps - 1, 0), self.window + max(self.count - 1, 0)


def _phases(size: int, kernel: int, stride: int, dilation: int, before: int) -> list[_Phase]:
    """One dimension: a position meets a window where position + padding - weight * dilation is a multiple of the stride."""
    shared = gcd(stride, dilation)
    step, back = stride // shared, dilation // shared
    found = []
    for start in range(min(stride, size)):
        first = next((k for k in range(min(step, kernel)) if (start + before - k * dilation) % stride == 0), None)
        count = -(-(size - start) // stride)
        if first is None:
            found.append(_Phase(start, count, 0, 0, 0, 0, 0))
        else:
            window = (start + before - first * dilation) // stride
            found.append(_Phase(start, count, -(-(kernel - first) // step), first, step, window, back))
    return found


def _combined(lists: list[list[_Phase]]) -> list[tuple[_Phase, ...]]:
    result: list[tuple[_Phase, ...]] = [()]
    for each in lists:
        result = [(*head, phase) for head in result for phase in each]
    return result


def input_products(c: Convolution) -> tuple[Pairs, tuple[StridedProduct, ...]]:
    """How the gradient of the output must be padded, and a product for each phase of the strides that meets weights."""
    lists = [
        _phases(n, k, s, d, before)
        for n, k, s, d, (before, _) in zip(c.sizes, c.kernel, c.strides, c.dilation, c.pads, strict=True)
    ]
    pads = []
    for phases, count in zip(lists, c.windows, strict=True):
        reads = [p.windows for p in phases if p.taps]
        first, last = min((r[0] for r in reads), default=0), max((r[1] for r in reads), default=0)
        pads.append((max(0, -first), max(0, last - count + 1)))
    met = [phases for phases in _combined(lists) if all(p.taps for p in phases)]
    return tuple(pads), tuple(_input_product(c, tuple(pads), phases) for phases in met)


def _input_product(c: Convolution, pads: Pairs, phases: tuple[_Phase, ...]) -> StridedProduct:
    """Rows are input channels, k output channels and weights, columns the positions of the phase."""
    outputs, inside = c.outputs // c.group, c.inputs // c.group
    sizes = tuple(n + before + after for n, (before, after) in zip(c.windows, pads, strict=True))
    given, taken, weights = row_major_strides(sizes), row_major_strides(c.sizes), row_major_strides(c.weight)
    window = sum(s * (p.window + before) for s, p, (before, _) in zip(given, phases, pads, strict=True))
    taps = tuple(p.taps for p in phases)
    return StridedProduct(
        c.group, inside, (outputs, *taps), (c.batch, *(p.count for p in phases)),
        Strided(_dot(weights[2:], [p.first for p in phases]), outputs * weights[0], weights[1],
                (weights[0], *_times(weights[2:], [p.step for p in phases]))),
        Strided(window, outputs * prod(sizes), 0,
                (prod(sizes), *_times(given, [-p.back for p in phases])), (c.outputs * prod(sizes), *given)),
        Strided(_dot(taken, [p.start for p in phases]), inside * prod(c.sizes), prod(c.sizes), (),
                (c.inputs * prod(c.sizes), *_times(taken, c.strides))),
    )  # fmt: skip


def _times(a: Any, b: Any) -> Shape:
    return tuple(x * y for x, y in zip(a, b, strict=True))


def _dot(a: Any, b: Any) -> int:
    return sum(_times(a, b))
