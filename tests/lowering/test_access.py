"""Composed reads are what numpy's views give."""

from __future__ import annotations

from math import prod

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mindspore.base.shapes import row_major_strides
from mindspore.kernels.access import (
    Access,
    broadcast_access,
    collapsed,
    compose,
    identity,
    of_copy,
    refine,
    strides_over,
)
from mindspore.primitives.compute import Copy

SHAPES = st.lists(st.integers(1, 5), max_size=4).map(tuple)
View = tuple[np.ndarray, Access]


def offsets(access: Access) -> np.ndarray:
    index = np.indices(access.dims).reshape(len(access.dims), -1) if access.dims else np.zeros((0, 1), int)
    found: np.ndarray = access.offset + (np.array(access.strides, int).reshape(-1, 1) * index).sum(0)
    return found


@st.composite
def views(draw: st.DrawFn, array: np.ndarray) -> View:
    """A numpy view of `array` and the access that it should be."""
    kind = draw(st.sampled_from(("transpose", "broadcast", "slice", "reshape")))
    strides = row_major_strides(array.shape)
    if kind == "transpose":
        order = draw(st.permutations(range(array.ndim)))
        view = array.transpose(order)
        return view, collapsed(view.shape, [strides[i] for i in order])
    if kind == "broadcast":
        to = (2, *(draw(st.sampled_from((1, 3))) if d == 1 else d for d in array.shape))
        return np.broadcast_to(array, to), broadcast_access(array.shape, to)
    if kind == "slice":
        starts = [draw(st.integers(0, d - 1)) for d in array.shape]
        steps = [draw(st.integers(1, 2)) for _ in array.shape]
        view = array[tuple(slice(b, None, s) for b, s in zip(starts, steps, strict=True))]
        offset = sum(b * s for b, s in zip(starts, strides, strict=True))
        return view, collapsed(view.shape, [s * t for s, t in zip(strides, steps, strict=True)], offset)
    flat = array.reshape(-1)
    columns = draw(st.sampled_from([d for d in (1, 2, 3, 4, 6) if flat.size % d == 0]))
    return flat.reshape(-1, columns), identity(array.size)


@settings(max_examples=300, deadline=None)
@given(st.data(), SHAPES)
def test_composing_views_reads_what_numpy_reads(data: st.DataObject, shape: tuple[int, ...]) -> None:
    array = np.arange(prod(shape)).reshape(shape)
    access = identity(array.size)
    for _ in range(3):
        view, outer = data.draw(views(array))
        composed = compose(outer, access)
        if composed is None:
            return
        base = array.reshape(-1)
        assert (np.ascontiguousarray(view).reshape(-1) == base[offsets(outer)]).all()
        assert (np.ascontiguousarray(view).reshape(-1) == offsets(composed)).all()
        array, access = np.ascontiguousarray(view), composed


@given(st.data(), SHAPES)
def test_finer_dimensions_read_the_same_elements(data: st.DataObject, shape: tuple[int, ...]) -> None:
    view, access = data.draw(views(np.arange(prod(shape)).reshape(shape)))
    cuts = [prod(view.shape[i:]) for i in range(view.ndim)]
    dims = refine([access], cuts)
    assert dims == tuple(d for d in view.shape if d != 1)
    assert (offsets(Access(dims, strides_over(access, dims), access.offset)) == offsets(access)).all()


def test_refinement_of_crossing_dimensions_does_not_exist() -> None:
    assert refine([collapsed((4, 6), (1, 4)), collapsed((6, 4), (1, 6))]) is None
    assert refine([collapsed((4, 6), (1, 4)), collapsed((2, 12), (12, 1))]) == (4, 6)


def test_reading_through_a_carry_is_not_affine() -> None:
    transposed = collapsed((3, 4), (1, 3))
    assert compose(collapsed((5,), (2,)), transposed) is None


def test_a_box_that_fills_its_output_in_another_order_is_a_read() -> None:
    box = Copy(0, (3, 2), 0, (2, 1), 0, (1, 3))
    assert of_copy(box, 6) == collapsed((2, 3), (1, 2))
    assert of_copy(box, 12) is None
    assert of_copy(Copy(0, (6,), 0, (1,), 6, (1,)), 6) is None


def test_an_empty_space_has_one_form() -> None:
    assert collapsed((3, 0, 2), (0, 2, 1)) == Access((0,), (1,))
    assert refine([Access((0,), (1,))], [6]) == (0,)
