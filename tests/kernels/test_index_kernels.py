"""Gathers and scatters of random walks against their reference, at every level, in any order of chunks; checks of indices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mindspore.base import dtypes as dt
from mindspore.base.shapes import row_major_strides, size
from mindspore.ir.operator import find
from mindspore.kernels import bounds, gather, scatter
from mindspore.kernels.elementwise import broadcast_strides
from mindspore.kernels.target import Isa
from mindspore.primitives.compute import Pick, Walk
from mindspore.primitives.strided import KINDS
from tests.kernels.native import Library, Runtime, library, runnable

LEVELS = [pytest.param(isa, id=isa.name) for isa in runnable()]
TYPES = {1: "i1", 2: "i2", 4: "f4", 8: "f8", 16: "c16"}


@pytest.fixture(scope="module", params=LEVELS)
def kernels(request: pytest.FixtureRequest) -> Library:
    isa: Isa = request.param
    combining = [scatter.spec(k, dt.float32) for k in KINDS if k != "set"]
    moving = [
        make
        for t in (dt.int8, dt.int16, dt.float32, dt.float64, dt.complex128)
        for make in (gather.spec(t.itemsize), scatter.spec("set", t))
    ]
    return library([bounds.check_spec(), *moving, *combining], isa)


@st.composite
def walks(draw: st.DrawFn) -> tuple[tuple[int, ...], Walk, list[Any]]:
    """The shape of a tensor, a walk over it, and its indices: some dimensions whole, some indexed, some cut."""
    shape = tuple(draw(st.lists(st.sampled_from([1, 2, 3, 5, 70]), min_size=1, max_size=4)))
    own = row_major_strides(shape)
    index = tuple(draw(st.lists(st.sampled_from([1, 2, 3, 40]), max_size=2)))
    chosen = [draw(st.booleans()) for _ in shape]
    assume(any(chosen) or not index)
    rest = [i for i, c in enumerate(chosen) if not c]
    front = draw(st.integers(0, len(rest)))
    order = [*rest[:front], *[-1 - k for k in range(len(index))], *rest[front:]]
    sizes = tuple(index[-1 - k] if k < 0 else shape[k] for k in order)
    strides = tuple(0 if k < 0 else own[k] for k in order)
    along = row_major_strides(index)
    picks = tuple(
        Pick(tuple(along[-1 - k] if k < 0 else 0 for k in order), shape[i], own[i]) for i, c in enumerate(chosen) if c
    )
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return shape, Walk(sizes, 0, strides, picks), [rng.integers(-p.bound, p.bound, index) for p in picks]


@st.composite
def along(draw: st.DrawFn) -> tuple[tuple[int, ...], Walk, list[Any]]:
    """A tensor, and a walk whose index replaces the position along one dimension."""
    shape = tuple(draw(st.lists(st.sampled_from([1, 2, 3, 5, 70]), min_size=1, max_size=3)))
    axis = draw(st.integers(0, len(shape) - 1))
    index = tuple(
        draw(st.sampled_from([1, 4, 40])) if i == axis else draw(st.integers(1, n)) for i, n in enumerate(shape)
    )
    own = row_major_strides(shape)
    pick = Pick(row_major_strides(index), shape[axis], own[axis])
    walk = Walk(index, 0, tuple(0 if i == axis else s for i, s in enumerate(own)), (pick,))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return shape, walk, [rng.integers(-pick.bound, pick.bound, index)]


@settings(max_examples=60, deadline=None)
@given(case=walks() | along(), itemsize=st.sampled_from(sorted(TYPES)))
def test_gather(kernels: Library, case: tuple[Any, Walk, list[Any]], itemsize: int) -> None:
    shape, walk, indices = case
    x = np.random.default_rng(1).integers(0, 100, shape).astype(TYPES[itemsize])
    out = np.zeros(walk.sizes, x.dtype)
    assert kernels.run(gather.spec(itemsize).name, [x, out, *indices], gather.params(walk), Runtime(2, True)) == 0
    np.testing.assert_array_equal(out, find("GatherStrided").reference(x, *indices, walk=walk))


def test_positions_are_apart_where_a_place_says_what_they_were() -> None:
    rows, columns = Walk((5, 7), 0, (7, 0), (Pick((7, 1), 7, 1),)), Walk((5, 7), 0, (0, 1), (Pick((7, 1), 5, 7),))
    assert (rows.apart, columns.apart) == ((True, False), (False, True))
    assert rows.may_repeat
    assert columns.may_repeat
    assert Walk((5, 7), 0, (7, 0), (Pick((7, 1), 8, 1),)).apart == (False, False)
    assert not Walk((5,), 0, (7,), (Pick((1,), 7, 1),)).may_repeat


@settings(max_examples=90, deadline=None)
@given(case=walks() | along(), kind=st.sampled_from(KINDS), repeated=st.booleans())
def test_scatter(kernels: Library, case: tuple[Any, Walk, list[Any]], kind: str, repeated: bool) -> None:
    shape, walk, indices = case
    rng = np.random.default_rng(2)
    x = rng.uniform(0.5, 2, shape).astype(np.float32)
    updates = rng.uniform(0.5, 2, walk.sizes[-1:] if repeated else walk.sizes).astype(np.float32)
    out = x.copy()
    params = scatter.params(walk, broadcast_strides(updates.shape, walk.sizes))
    assert kernels.run(scatter.spec(kind, dt.float32).name, [out, updates, *indices], params, Runtime(2, True)) == 0
    wanted = find("ScatterStrided").reference(x, updates, *indices, walk=walk, kind=kind)
    np.testing.assert_array_equal(out, wanted)


def test_many_rows_are_shared_by_chunks(kernels: Library) -> None:
    x = np.random.default_rng(3).normal(size=(50, 3000)).astype(np.float32)
    index = np.random.default_rng(4).integers(-50, 50, 700)
    walk = Walk((700, 3000), 0, (0, 1), (Pick((1, 0), 50, 3000),))
    out, runtime = np.zeros(walk.sizes, np.float32), Runtime(2, True)
    kernels.run(gather.spec(4).name, [x, out, index], gather.params(walk), runtime)
    assert runtime.chunks > 1
    np.testing.assert_array_equal(out, x[index])
    total, runtime = np.zeros_like(x), Runtime(2, True)
    params = scatter.params(walk, (3000, 1))
    kernels.run(scatter.spec("add", dt.float32).name, [total, out, index], params, runtime)
    assert runtime.chunks > 1
    wanted = np.zeros_like(x)
    np.add.at(wanted, index, out)
    np.testing.assert_array_equal(total, wanted)


@pytest.mark.parametrize("axis", [0, 1])
def test_updates_along_a_dimension_are_shared_by_chunks(kernels: Library, axis: int) -> None:
    x = np.random.default_rng(3).normal(size=(900, 1000)).astype(np.float32)
    index = np.random.default_rng(4).integers(-x.shape[axis], x.shape[axis], x.shape)
    own = row_major_strides(x.shape)
    walk = Walk(x.shape, 0, (0, 1) if axis == 0 else (1000, 0), (Pick(own, x.shape[axis], own[axis]),))
    total, runtime = x.copy(), Runtime(2, True)
    kernels.run(scatter.spec("add", dt.float32).name, [total, x, index], scatter.params(walk, own), runtime)
    assert runtime.chunks > 1
    np.testing.assert_array_equal(total, find("ScatterStrided").reference(x, x, index, walk=walk, kind="add"))


def test_one_of_many_indices_out_of_bounds_is_found(kernels: Library) -> None:
    index, runtime = np.arange(4 * bounds.CHUNK), Runtime(2, True)
    index[3 * bounds.CHUNK + 5] = -4 * bounds.CHUNK - 1
    name, numbers = bounds.check_spec().name, (index.size, index.size)
    assert kernels.run(name, [index], numbers, runtime) == bounds.OUT_OF_BOUNDS
    assert runtime.chunks > 1
    assert runtime.messages[0].startswith(b"index -131073 is out")


@pytest.mark.parametrize(
    ("index", "bound", "first"),
    [
        ([0, 3, -4, 5], 4, 5),
        ([0, -5, 9], 4, -5),
        ([-(2**63)], 3, -(2**63)),
        ([2**63 - 1], 2**40, 2**63 - 1),
        ([0], 0, 0),
    ],
)
def test_the_first_index_out_of_bounds_is_named(kernels: Library, index: list[int], bound: int, first: int) -> None:
    runtime = Runtime()
    code = kernels.run(bounds.check_spec().name, [np.array(index, np.int64)], (len(index), bound), runtime)
    assert code == bounds.OUT_OF_BOUNDS
    assert runtime.messages == [f"index {first} is out of bounds for dimension with size {bound}".encode()]


def test_indices_in_bounds_pass_the_check(kernels: Library) -> None:
    index, runtime = np.arange(-70, 70), Runtime()
    assert kernels.run(bounds.check_spec().name, [index], (index.size, 70), runtime) == 0
    assert runtime.messages == []


def test_a_unit_is_a_block_of_a_row_where_few_positions_are_free() -> None:
    walk = Walk((9, 4096), 0, (0, 1), (Pick((1, 0), 5, 4096),))
    units, block = scatter.params(walk, (4096, 1))[0], scatter.params(walk, (4096, 1))[5]
    assert units * block >= 4096
    assert units == scatter.UNITS
    assert size(walk.sizes) == 9 * 4096
