"""Blocks of images as columns and back, distances, normalisation of groups and over channels: MindSpore's answers, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore import Tensor, ops
from tests.modes import Call, numeric_gradient

pytestmark = pytest.mark.compiler

SCALE, SHIFT = Tensor([1.0, 2.0, 3.0, 4.0]), Tensor([0.0, 1.0, 0.0, 1.0])


def waves(*shape: int) -> Any:
    return Tensor(np.cos(np.arange(int(np.prod(shape))) * 0.3).reshape(shape).astype(np.float32))


@pytest.mark.parametrize(
    ("function", "shapes", "wanted"),
    [
        (lambda x: ops.unfold(x, (2, 3)), ((2, 3, 5, 4),),
         ((2, 18, 8), [1.0, 0.955337, 0.362358, 0.0707372, -0.737394], -32.7031)),
        (lambda x: ops.unfold(x, 2, 1, 1, 2), ((2, 3, 5, 4),),
         ((2, 12, 9), [0.0, 0.0, 0.0, 0.0, 0.0707372], -2.717116)),
        (lambda x: ops.unfold(x, (2, 3), (2, 1), (1, 0), (2, 1)), ((2, 3, 7, 6),),
         ((2, 18, 16), [0.0, 0.0, 0.0, 0.0, -0.227202], -104.4245)),
        (lambda x: ops.fold(x, (5, 4), 2), ((2, 12, 12),),
         ((2, 3, 5, 4), [1.0, 0.0585781, 0.0994033, -0.490261, 1.22996], -2.811333)),
        (lambda x: ops.fold(x, (4, 3), 2), ((2, 12, 6),),
         ((2, 3, 4, 3), [1.0, 0.728134, -0.504846, -0.0714228, -0.207023], -2.186701)),
        (lambda x: ops.fold(x, (5, 4), 2, 1, 1, 2), ((2, 12, 9),),
         ((2, 3, 5, 4), [-0.243544, 0.834713, -0.519289, 0.96017, -0.896758], 2.772022)),
        (lambda x, y: ops.cdist(x, y * 2), ((2, 3, 4), (2, 5, 4)),
         ((2, 3, 5), [1.72634, 2.24433, 5.32667, 4.23648, 1.41968], 85.42856)),
        (lambda x, y: ops.cdist(x, y * 2, 1.0), ((3, 4), (5, 4)),
         ((3, 5), [3.40228, 4.00019, 10.6402, 8.04978, 2.51625], 79.6506)),
        (lambda x, y: ops.cdist(x, y * 2, 0.0), ((2, 3, 4), (2, 5, 4)),
         ((2, 3, 5), [4.0, 4.0, 4.0, 4.0, 4.0], 120.0)),
        (lambda x, y: ops.cdist(x, y * 2, float("inf")), ((2, 3, 4), (2, 5, 4)),
         ((2, 3, 5), [1.0, 1.6313, 2.80532, 2.79352, 1.04782], 54.11995)),
        (lambda x, y: ops.cdist(x, y * 2, 3.0), ((2, 3, 4), (2, 5, 4)),
         ((2, 3, 5), [1.38804, 1.91265, 4.23294, 3.49722, 1.21811], 70.41797)),
        (lambda x: ops.group_norm(x, 2), ((2, 4, 3),),
         ((2, 4, 3), [1.08373, 0.949561, 0.559048, -0.0529277, -0.831702], 1.303852e-07)),
        (lambda x: ops.group_norm(x, 2, SCALE, SHIFT, 0.1), ((2, 4, 3, 2),),
         ((2, 4, 3, 2), [1.28403, 1.22905, 1.069, 0.818184, 0.499009], 20.97683)),
        (lambda x: ops.lrn(x), ((2, 6, 2, 2),),
         ((2, 6, 2, 2), [0.476255, 0.455202, 0.399923, 0.309916, 0.172575], 1.871124)),
        (lambda x: ops.lrn(x, 2, 2.0, 0.5, 0.7), ((2, 6, 2, 2),),
         ((2, 6, 2, 2), [0.481884, 0.456986, 0.39587, 0.301731, 0.159145], 2.054501)),
    ],
)  # fmt: skip
def test_values(mode: str, function: Callable[..., Any], shapes: tuple[Any, ...], wanted: Any) -> None:
    """The shape, the first five elements and the sum."""
    found = Call(function)(*[waves(*shape) for shape in shapes]).asnumpy().astype(np.float64)
    assert found.shape == wanted[0]
    np.testing.assert_allclose(found.ravel()[:5], wanted[1], rtol=5e-6, atol=2e-6)
    assert found.sum() == pytest.approx(wanted[2], rel=2e-6, abs=2e-5)


def test_rms_norm(mode: str) -> None:
    x, gamma = waves(2, 3, 4).asnumpy(), waves(3, 4).asnumpy()
    found, reciprocal = Call(lambda x, g: ops.rms_norm(x, g, 0.01))(Tensor(x), Tensor(gamma))
    wanted = 1 / np.sqrt((x**2).mean((1, 2), keepdims=True) + 0.01)
    np.testing.assert_allclose(reciprocal.asnumpy(), wanted, rtol=1e-6)
    np.testing.assert_allclose(found.asnumpy(), x * wanted * gamma, rtol=1e-6)


def test_the_image_comes_back_as_often_as_blocks_hold_it(mode: str) -> None:
    x = waves(2, 3, 6, 5)
    twice = Call(lambda x: ops.fold(ops.unfold(x, (2, 3), 1, 1, (2, 1)), (6, 5), (2, 3), 1, 1, (2, 1)))
    often = twice(ops.ones((2, 3, 6, 5)))
    np.testing.assert_allclose(twice(x).asnumpy(), (x * often).asnumpy(), rtol=1e-5, atol=1e-6)
    assert often.asnumpy()[0, 0, 0].tolist() == [2.0, 3.0, 3.0, 3.0, 2.0]


def test_the_size_may_be_a_tensor() -> None:
    assert ops.fold(ops.ones((1, 4, 2)), Tensor([2, 3]), 2).tolist() == [[[[1.0, 2.0, 1.0], [1.0, 2.0, 1.0]]]]


@pytest.mark.parametrize(
    ("function", "shapes"),
    [
        (lambda x: ops.unfold(x, 2, 1, 1, 2) ** 2, ((1, 2, 4, 3),)),
        (lambda x: ops.fold(x, (3, 4), 2, 1, 1, 2) ** 2, ((1, 8, 6),)),
        (lambda x, y: ops.cdist(x, y), ((2, 3, 4), (2, 2, 4))),
        (lambda x, y: ops.cdist(x, y, 3.0), ((3, 4), (2, 4))),
        (lambda x: ops.group_norm(x, 2) ** 3, ((2, 4, 3),)),
        (lambda x, y: ops.rms_norm(x, y)[0], ((2, 3), (3,))),
        (lambda x: ops.lrn(x, 1, 1.0, 0.5, 0.75), ((1, 4, 2, 1),)),
    ],
)  # fmt: skip
def test_gradients(mode: str, function: Callable[..., Any], shapes: tuple[Any, ...]) -> None:
    arrays = [np.cos(np.arange(np.prod(s)) * (0.7 + i)).reshape(s) for i, s in enumerate(shapes)]
    found = ops.grad(Call(function), tuple(range(len(arrays))))(*map(Tensor, arrays))
    gradients = found if len(arrays) > 1 else (found,)
    for each, wanted in zip(gradients, numeric_gradient(function, *arrays), strict=True):
        np.testing.assert_allclose(each.asnumpy(), wanted, rtol=1e-5, atol=1e-7)


def test_equal_rows_have_no_slope(mode: str) -> None:
    x = Tensor([[1.0, 2.0], [3.0, 5.0]])
    found = ops.grad(Call(lambda x, y: ops.cdist(x, y)))(x, x)
    np.testing.assert_allclose(found.asnumpy(), np.array([[-2, -3], [2, 3]]) / 13**0.5, rtol=1e-6)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.unfold(waves(3, 5, 4), 2), ValueError, "'unfold', the 'input' must have 4 dimensions"),
        (lambda: ops.unfold(waves(2, 3, 5, 4), 7), ValueError, r"an image of \(5, 4\).*'kernel_size' \(7, 7\)"),
        (lambda: ops.unfold(waves(2, 3, 5, 4), "a"), TypeError, "the type of 'kernel_size' should be one of 'int', 'tuple', 'list'"),
        (lambda: ops.unfold(waves(2, 3, 5, 4), 0), ValueError, "'kernel_size' must be int and must > 0, but got '0'"),
        (lambda: ops.unfold(waves(2, 3, 5, 4), (2, 2, 2)), ValueError, "'kernel_size' must be one number or two"),
        (lambda: ops.unfold(waves(2, 3, 5, 4), 2, 1, -1), ValueError, "'padding' must not be negative"),
        (lambda: ops.fold(waves(2, 12, 11), (5, 4), 2), ValueError, r"must be of shape \(N, C \* 4, 12\) here, but got \(2, 12, 11\)"),
        (lambda: ops.cdist(waves(2, 4), waves(2, 3)), ValueError, r"'cdist'.*\(2, 4\) and \(2, 3\)"),
        (lambda: ops.cdist(waves(2, 4), waves(2, 4), -1.0), ValueError, "the 'p' must not be negative, but got -1.0"),
        (lambda: ops.group_norm(waves(2, 4, 3), 3), ValueError, "'num_groups' must divide dimension 1 of the input, but got 3"),
        (lambda: ops.rms_norm(waves(2, 4), waves(3)), ValueError, r"the shape of 'gamma'.*\(2, 4\), but got \(3,\)"),
        (lambda: ops.lrn(waves(2, 6, 2)), ValueError, "'lrn', the 'x' must have 4 dimensions"),
        (lambda: ops.lrn(waves(2, 6, 2, 2), norm_region="a"), ValueError, "'norm_region' must be 'ACROSS_CHANNELS', but got 'a'"),
    ],
)  # fmt: skip
def test_wrong_inputs_are_refused(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
