"""Random indices against numpy: reading, writing and gradients, eagerly, compiled, and by the reference back end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import mindspore as ms
from mindspore import Tensor

pytestmark = pytest.mark.compiler

SHAPES = ((4,), (3, 4), (2, 3, 4), (1, 5), (2, 1, 3, 2))
SETTINGS = settings(
    max_examples=70,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
HERE = "a tensor stands here"


@st.composite
def indices(draw: st.DrawFn, masks: bool = True) -> tuple[tuple[int, ...], list[Any], list[Any]]:
    """A shape, an index for it with `HERE` in place of tensors, and the arrays of those."""
    shape = draw(st.sampled_from(SHAPES))
    common = tuple(draw(st.lists(st.sampled_from([1, 2, 3]), max_size=2)))
    entries: list[Any] = []
    tensors: list[Any] = []
    dimension, dots = 0, False
    while dimension < len(shape) and draw(st.integers(0, 5)):
        kind = draw(st.sampled_from(["int", "slice", "slice", "none", "dots", "array", "array", "list", "mask"]))
        size = shape[dimension]
        if kind == "none":
            entries.append(None)
        elif kind == "dots" and not dots:
            entries.append(...)
            dots = True
            dimension = min(len(shape), dimension + draw(st.integers(0, 2)))
        elif kind == "mask" and masks:
            rank = draw(st.integers(0, min(2, len(shape) - dimension)))
            rng = np.random.default_rng(draw(st.integers(0, 9)))
            entries.append(rng.integers(0, 2, shape[dimension : dimension + rank]).astype(np.bool_))
            dimension += rank
        else:
            if kind in ("array", "list"):
                entries.append(draw(arrays(common, size, kind)))
                if kind == "array" and draw(st.booleans()):
                    tensors.append(entries[-1])
                    entries[-1] = HERE
            else:
                entries.append(draw(st.integers(-size, size - 1)) if kind == "int" else draw(st.slices(size)))
            dimension += 1
    return shape, entries, tensors


@st.composite
def arrays(draw: st.DrawFn, common: tuple[int, ...], size: int, kind: str) -> Any:
    shape = common[draw(st.integers(0, len(common))) :]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    found = rng.integers(-size, size, shape)
    return found.tolist() if kind == "list" and shape else found.astype(draw(st.sampled_from([np.int32, np.int64])))


def filled(entries: list[Any], tensors: list[Any]) -> tuple[Any, ...]:
    """The index with the tensors, or arrays, in their places."""
    rest = iter(tensors)
    return tuple(next(rest) if e is HERE else e for e in entries)


def taken(x: Any, entries: list[Any], tensors: list[Any]) -> Any:
    """What numpy gives, None where it refuses."""
    try:
        return x[filled(entries, tensors)]
    except IndexError:
        return None


def with_index(entries: list[Any], use: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """``(x, value, *tensors) -> use(x, index, value)``, which graphs can compile."""
    known = tuple(entries)

    def run(x: Any, value: Any, *tensors: Any) -> Any:
        index: Any = ()
        number = 0
        for entry in known:
            if entry is HERE:
                index = (*index, tensors[number])
                number = number + 1
            else:
                index = (*index, entry)
        return use(x, index, value)

    return run


def ways(function: Callable[..., Any]) -> list[tuple[str, Callable[..., Any]]]:
    return [
        ("eager", function),
        ("compiled", ms.jit(function)),
        ("reference", ms.jit(function, backend="reference")),
    ]


def read(x: Any, index: Any, value: Any) -> Any:
    return x[index]


def put(x: Any, index: Any, value: Any) -> Any:
    y = x * 1
    y[index] = value
    return y


def added(x: Any, index: Any, value: Any) -> Any:
    y = x * 1
    y[index] += value
    y[index] *= 2
    return y


def numbers(shape: tuple[int, ...]) -> Any:
    return np.arange(1, np.prod(shape, dtype=int) + 1, dtype=np.float64).reshape(shape)


@SETTINGS
@given(case=indices())
def test_reading(case: tuple[Any, ...]) -> None:
    shape, entries, tensors = case
    x = numbers(shape)
    wanted = taken(x, entries, tensors)
    for name, way in ways(with_index(entries, read)):
        given_ = [Tensor(x), Tensor(0.0), *map(Tensor, tensors)]
        if wanted is None:
            with pytest.raises(IndexError):
                way(*given_)
        else:
            found = way(*given_)
            assert found.shape == wanted.shape, (name, entries)
            np.testing.assert_array_equal(found.asnumpy(), wanted, err_msg=f"{name} {entries} {tensors}")


@SETTINGS
@given(case=indices(), data=st.data())
def test_writing(case: tuple[Any, ...], data: st.DataObject) -> None:
    shape, entries, tensors = case
    x = numbers(shape)
    wanted = taken(x, entries, tensors)
    if wanted is None:
        return
    kept = wanted.shape[data.draw(st.integers(0, wanted.ndim)) :]
    value = -numbers(tuple(1 if data.draw(st.booleans()) else n for n in kept))
    for use in (put, added):
        expected = use(x, filled(entries, tensors), value)
        for name, way in ways(with_index(entries, use)):
            found = way(Tensor(x), Tensor(value), *map(Tensor, tensors)).asnumpy()
            np.testing.assert_array_equal(found, expected, err_msg=f"{name} {use.__name__} {entries} {tensors} {value}")


@settings(SETTINGS, max_examples=30)
@given(case=indices(masks=False), data=st.data())
def test_run_time_masks_choose_what_is_written(case: tuple[Any, ...], data: st.DataObject) -> None:
    shape, entries, _ = case
    plain = [e for e in entries if e is None or e is ... or isinstance(e, int | slice)]
    used = sum(e is not None and e is not ... for e in plain)
    place = data.draw(st.integers(0, len(plain)))
    before = plain[:place]
    first = sum(isinstance(e, int | slice) for e in before)
    if ... in before:
        plain, before, place, first, used = [], [], 0, 0, 0
    rank = data.draw(st.integers(0, len(shape) - used))
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    mask = rng.integers(0, 2, shape[first : first + rank]).astype(np.bool_)
    index = [*plain[:place], HERE, *plain[place:]]
    x = numbers(shape)
    if taken(x, index, [mask]) is None:  # without the entries left out, an int may be out of bounds
        return
    for use in (put, added):
        expected = use(x, filled(index, [mask]), -1.5)
        for name, way in ways(with_index(index, use)):
            found = way(Tensor(x), -1.5, Tensor(mask)).asnumpy()
            np.testing.assert_array_equal(found, expected, err_msg=f"{name} {use.__name__} {index} {mask}")


@settings(SETTINGS, max_examples=25)
@given(case=indices(), order=st.integers(1, 2))
def test_gradients(case: tuple[Any, ...], order: int) -> None:
    shape, entries, tensors = case
    x = numbers(shape) / 7
    result = taken(x, entries, tensors)
    if result is None or not result.size:
        return
    weights = np.random.default_rng(0).uniform(0.5, 2, result.shape)
    more = np.random.default_rng(1).uniform(0.5, 2, shape)
    first = with_index(entries, lambda x, index, value: ((x[index] * weights_) ** 2 * value).sum())
    second = with_index(entries, lambda x, index, value: ((changed(x * x, index, value * weights_) * more_) ** 2).sum())
    weights_, more_ = Tensor(weights), Tensor(more)
    for function in (first, second):
        value = Tensor(np.asarray(1.5))
        given_ = [Tensor(x), value, *map(Tensor, tensors)]

        def loss(x: Any, value: Any, *rest: Any, function: Any = function) -> Any:
            return function(x, value, *rest)

        def slope(x: Any, value: Any, *rest: Any, loss: Any = loss) -> Any:
            return (ms.grad(loss)(x, value, *rest) * more_).sum() + ms.grad(loss, 1)(x, value, *rest)

        target = loss if order == 1 else slope
        wanted = [differences(target, given_, which) for which in (0, 1)]
        for name, way in (("eager", ms.grad(target, (0, 1))), ("compiled", ms.grad(ms.jit(target), (0, 1)))):
            for found, expected in zip(way(*given_), wanted, strict=True):
                message = f"{name} {entries} {tensors}"
                np.testing.assert_allclose(found.asnumpy(), expected, rtol=2e-5, atol=2e-4, err_msg=message)


def changed(y: Any, index: Any, value: Any) -> Any:
    y[index] = value
    return y


def differences(function: Callable[..., Any], arguments: list[Any], which: int) -> Any:
    """Central differences of a number in one argument."""
    given_ = arguments[which].asnumpy()
    found = np.zeros_like(given_)
    for place in np.ndindex(given_.shape):
        values = []
        for step in (1e-5, -1e-5):
            moved = given_.copy()
            moved[place] += step
            values.append(float(function(*arguments[:which], Tensor(moved), *arguments[which + 1 :])))
        found[place] = (values[0] - values[1]) / 2e-5
    return found
