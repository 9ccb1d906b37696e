"""Element-wise kernels over every kind of operand layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.kernels import elementwise
from mindspore.kernels.elementwise import Body, broadcast_strides, collapse, digest
from mindspore.kernels.target import Isa
from mindspore.primitives.scalar import trace
from tests.kernels.native import Library, Runtime, library, runnable

LEVELS = [pytest.param(isa, id=isa.name) for isa in runnable()]
BEST = runnable()[-1]
ADD = Body((trace(lambda s, a, b: s.add(a, b), (dt.float32,) * 2),), (dt.float32,) * 2)
SHAPES = [
    ((5,), (5,)), ((5,), ()), ((), (3,)), ((), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((4, 1, 3), (2, 1)), ((0, 3), (1, 3)),
    ((700, 3), (700, 1)), ((3, 700), (3, 1)), ((3, 700), (700,)), ((2, 5, 7, 3), (5, 1, 3)), ((1, 1), (1,)), ((90, 90), (90, 90)),
]  # fmt: skip


@pytest.fixture(scope="module", params=LEVELS)
def add(request: pytest.FixtureRequest) -> Library:
    isa: Isa = request.param
    return library([elementwise.spec(ADD)], isa)


def call(made: Library, body: Body, shape: tuple[int, ...], arrays: list[Any], strides: Any, **given: Any) -> None:
    assert made.run(elementwise.spec(body).name, arrays, elementwise.params(body, shape, strides), **given) == 0


@pytest.mark.parametrize(("left", "right"), SHAPES)
def test_broadcasting(add: Library, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    x, y = (rng.standard_normal(s, dtype=np.float32) for s in (left, right))
    shape = np.broadcast_shapes(left, right)
    out = np.full(shape, np.nan, np.float32)
    call(add, ADD, shape, [x, y, out], [broadcast_strides(s, shape) for s in (left, right)])
    np.testing.assert_array_equal(out, x + y)


def test_strided_and_reversed_operands(add: Library) -> None:
    base = np.arange(2 * 30 * 40, dtype=np.float32).reshape(30, 80)
    x, y = base[:15, :40].T, base[::2, 40:].T
    out = np.zeros((40, 15), np.float32)
    strides = [tuple(s // 4 for s in v.strides) for v in (x, y)]
    call(add, ADD, (40, 15), [x, y, out], strides)
    np.testing.assert_array_equal(out, x + y)
    turned = x[::-1]
    call(add, ADD, (40, 15), [turned, y, out], [tuple(s // 4 for s in v.strides) for v in (turned, y)])
    np.testing.assert_array_equal(out, turned + y)


@pytest.mark.parametrize("shape", [(300_000,), (1000, 301), (7, 50_000)])
def test_large_tensors_are_cut_into_chunks_that_do_not_depend_on_threads(add: Library, shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal(shape, dtype=np.float32), rng.standard_normal(shape[-1:], dtype=np.float32)
    results = []
    for runtime in (Runtime(1), Runtime(2, backwards=True)):
        out = np.zeros(shape, np.float32)
        call(add, ADD, shape, [x, y, out], [broadcast_strides(a.shape, shape) for a in (x, y)], runtime=runtime)
        assert runtime.chunks > 1
        results.append(out)
    np.testing.assert_array_equal(results[0], x + y)
    np.testing.assert_array_equal(results[0], results[1])


def test_small_tensors_stay_on_the_calling_thread(add: Library) -> None:
    runtime = Runtime(4)
    x = np.ones(1000, np.float32)
    call(add, ADD, (1000,), [x, x, np.zeros_like(x)], [(1,), (1,)], runtime=runtime)
    assert runtime.chunks == 0


@pytest.mark.parametrize("isa", LEVELS)
def test_several_outputs(isa: Isa) -> None:
    """A momentum step: two outputs, scalars among the operands."""
    types = (dt.float32, dt.float32, dt.float32)

    def velocity(s: Any, v: Any, a: Any, g: Any) -> Any:
        return s.add(s.mul(a, 0.9), g)

    body = Body((trace(lambda s, v, a, g: s.sub(v, velocity(s, v, a, g)), types), trace(velocity, types)), types)
    rng = np.random.default_rng(3)
    v, g = (rng.standard_normal((40, 30), dtype=np.float32) for _ in range(2))
    a = np.array(2.0, np.float32)
    outputs = [np.zeros((40, 30), np.float32) for _ in range(2)]
    made = library([elementwise.spec(body)], isa)
    call(made, body, (40, 30), [v, a, g, *outputs], [broadcast_strides(x.shape, (40, 30)) for x in (v, a, g)])
    moved = a * np.float32(0.9) + g
    np.testing.assert_allclose(outputs[1], moved, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(outputs[0], v - moved, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 600, 3), (0, 2)])
def test_index_is_the_position_in_a_dimension(shape: tuple[int, ...]) -> None:
    for dimension in range(len(shape)):
        body = Body((trace(lambda s, d=dimension: s.cast(s.index(d), dt.int32), ()),), ())
        out = np.zeros(shape, np.int32)
        call(library([elementwise.spec(body)], BEST), body, shape, [out], [])
        np.testing.assert_array_equal(out, np.indices(shape)[dimension])


def test_two_indices_in_one_body() -> None:
    body = Body((trace(lambda s: s.eq(s.index(1), s.index(0)), ()),), ())
    out = np.zeros((30, 40), bool)
    call(library([elementwise.spec(body)], BEST), body, (30, 40), [out], [])
    np.testing.assert_array_equal(out, np.eye(30, 40, dtype=bool))


def test_equal_meaning_gives_equal_kernels() -> None:
    def of(body: Any, *types: Any) -> str:
        return digest(Body((trace(body, types),), types))

    assert of(lambda s, x: s.mul(x, 2.0), dt.float32) == of(lambda s, y: s.mul(y, 2.0), dt.float32)
    assert of(lambda s, x: s.mul(x, 2.0), dt.float32) != of(lambda s, x: s.mul(x, 3.0), dt.float32)
    assert of(lambda s: s.index(0)) == of(lambda s: s.index(2))
    assert of(lambda s: s.eq(s.index(0), s.index(1))) != of(lambda s: s.eq(s.index(1), s.index(1)))


def test_dimensions_collapse_as_far_as_the_operands_allow() -> None:
    assert collapse((2, 3, 4), [(12, 4, 1), (12, 4, 1)]) == ([24], [[1], [1]])
    assert collapse((2, 3, 4), [(12, 4, 1), (0, 4, 1)]) == ([2, 12], [[12, 1], [0, 1]])
    assert collapse((1, 1), [(0, 0)]) == ([1], [[0]])
