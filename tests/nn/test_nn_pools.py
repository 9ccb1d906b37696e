"""Pooling of rows and volumes, adaptive pooling, powers and the reverse: the numbers are MindSpore's answers, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler

ROWS = np.arange(10, dtype=np.float32).reshape(1, 2, 5)
IMAGES = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
VOLUMES = np.arange(48, dtype=np.float32).reshape(1, 2, 2, 3, 4)


@pytest.mark.parametrize(
    ("make", "x", "shape", "first"),
    [
        (lambda: nn.MaxPool3d(2, 2), VOLUMES, (1, 2, 1, 1, 2), [17, 19, 41, 43]),
        (lambda: nn.MaxPool3d(2, 1, "same"), VOLUMES, (1, 2, 2, 3, 4), [17, 18, 19, 19, 21, 22, 23, 23]),
        (lambda: nn.AvgPool3d(2, 2), VOLUMES, (1, 2, 1, 1, 2), [8.5, 10.5, 32.5, 34.5]),
        (lambda: nn.AvgPool3d(2, 2, "same"), VOLUMES, (1, 2, 1, 2, 2), [8.5, 10.5, 7.25, 8.25, 32.5]),
        (lambda: nn.AvgPool3d(2, 2, "pad", 1, True, False), VOLUMES, (1, 2, 2, 2, 3), [0, 1.5, 3, 6, 7.5, 9, 12]),
        (lambda: ops.MaxPool3D(2, 2), VOLUMES, (1, 2, 1, 1, 2), [17, 19, 41, 43]),
        (lambda: ops.MaxPool3D(2, 2, "PAD", 1, True), VOLUMES, (1, 2, 2, 2, 3), [0, 2, 3, 8, 10, 11, 12]),
        (lambda: ops.AvgPool3D(2, 2, "pad", 1), VOLUMES, (1, 2, 2, 2, 3), [0, 0.375, 0.375, 1.5, 3.75, 2.25]),
        (lambda: nn.AdaptiveAvgPool1d(5), ROWS, (1, 2, 5), [0, 1, 2]),
        (lambda: nn.AdaptiveAvgPool1d(1), ROWS, (1, 2, 1), [2, 7]),
        (lambda: nn.AdaptiveMaxPool1d(1), ROWS, (1, 2, 1), [4, 9]),
        (lambda: nn.AdaptiveAvgPool3d((1, 2, 3)), VOLUMES, (1, 2, 1, 2, 3), [8.5, 9.5, 10.5, 12.5, 13.5, 14.5]),
        (lambda: nn.AdaptiveMaxPool2d((None, 3)), IMAGES, (1, 2, 3, 3), [1, 2, 3, 5, 6, 7, 9, 10, 11]),
        (lambda: nn.AdaptiveMaxPool3d(1), VOLUMES, (1, 2, 1, 1, 1), [23, 47]),
        (lambda: ops.AdaptiveAvgPool2D((2, None)), IMAGES, (1, 2, 2, 4), [2, 3, 4, 5, 6, 7, 8, 9]),
        (lambda: ops.AdaptiveAvgPool3D((2, None, 1)), VOLUMES, (1, 2, 2, 3, 1), [1.5, 5.5, 9.5, 13.5]),
        (lambda: nn.LPPool1d(2.0, 2, None, True), ROWS, (1, 2, 3), [1, 3.6055512, 5.656854, 7.81025]),
        (lambda: nn.LPPool2d(1, (2, 3), (1, 2)), IMAGES, (1, 2, 2, 1), [18, 42, 90, 114]),
        (lambda: nn.LPPool2d(3, 2, 1), IMAGES, (1, 2, 2, 3), [5.748897, 7.047299, 8.406119, 11.266233]),
    ],
)  # fmt: skip
def test_layers(mode: str, make: Callable[[], Any], x: Any, shape: Any, first: list[float]) -> None:
    out = make()(Tensor(x))
    assert out.shape == shape
    np.testing.assert_allclose(out.asnumpy().ravel()[: len(first)], first, rtol=1e-5)


def test_places(mode: str) -> None:
    found, places = nn.MaxPool3d(2, 2, "pad", 1, 1, True, True)(Tensor(VOLUMES))
    assert (places.dtype, places.shape) == (ms.int64, (1, 2, 2, 2, 3))
    assert places.asnumpy().ravel()[:8].tolist() == [0, 2, 3, 8, 10, 11, 12, 14]
    found, places = ops.adaptive_max_pool2d(Tensor(IMAGES), (2, 3), True)
    assert found.asnumpy().ravel()[:8].tolist() == [5, 6, 7, 9, 10, 11, 17, 18]
    assert places.tolist() == [[[[5, 6, 7], [9, 10, 11]]] * 2]
    found, places = nn.AdaptiveMaxPool3d((2, 2, 3), True)(Tensor(VOLUMES))
    assert places.dtype is ms.int32
    assert places.asnumpy().ravel()[:8].tolist() == [5, 6, 7, 9, 10, 11, 17, 18]
    found, places = ops.AdaptiveMaxPool2D((3, 2))(Tensor(IMAGES))
    assert places.tolist() == [[[[1, 3], [5, 7], [9, 11]]] * 2]
    found, places = ops.MaxPoolWithArgmaxV2(2, 2, argmax_type=ms.int32)(Tensor(IMAGES))
    assert (places.dtype, places.tolist()) == (ms.int32, [[[[5, 7]], [[5, 7]]]])
    found, places = ops.MaxPool3DWithArgmax(2, 2, 0)(Tensor(VOLUMES))
    assert places.asnumpy().ravel().tolist() == [17, 19, 17, 19]


def test_unpooling(mode: str) -> None:
    found, places = ops.max_pool2d(Tensor(IMAGES), 2, 2, return_indices=True)
    out = ops.max_unpool2d(found, places, 2, 2)
    assert out.tolist()[0][0] == [[0, 0, 0, 0], [0, 5, 0, 7]]
    larger = nn.MaxUnpool2d(2, 2)(found, places, (1, 2, 3, 4))
    assert larger.tolist()[0][1] == [[0, 0, 0, 0], [0, 17, 0, 19], [0, 0, 0, 0]]
    assert ops.MaxUnpool2D(2, 2, 0, (1, 2, 3, 4))(found, places).tolist() == larger.tolist()
    found, places = ops.max_pool3d(Tensor(VOLUMES), 2, return_indices=True)
    assert nn.MaxUnpool3d(2)(found, places, (2, 3, 4)).asnumpy().sum() == 17 + 19 + 41 + 43
    assert ops.MaxUnpool3D(2, 2, 0, (1, 2, 2, 3, 4))(found, places).shape == (1, 2, 2, 3, 4)
    rows = nn.MaxUnpool1d(2, 2)(Tensor([[[3.0, 5.0]]]), Tensor([[[1, 2]]]))
    assert rows.tolist() == [[[0, 3, 5, 0]]]


@pytest.mark.parametrize(
    "run",
    [
        lambda x: ops.adaptive_avg_pool2d(x, (2, 3)),
        lambda x: ops.adaptive_max_pool2d(x, (2, 3)),
        lambda x: ops.adaptive_max_pool2d(x, (3, 2)),
        lambda x: ops.lp_pool2d(x, 3, 2),
        lambda x: ops.max_unpool2d(x, ops.reshape(ops.arange(12), (1, 1, 3, 4)), 1),
    ],
)
def test_gradients(mode: str, run: Callable[..., Any]) -> None:
    x = np.random.default_rng(2).permutation(12).reshape(1, 1, 3, 4) / 4 + 1

    def squared(x: Any) -> Any:
        return ops.square(run(x))

    got = ms.grad(squared)(Tensor(x))
    np.testing.assert_allclose(got.asnumpy(), numeric_gradient(squared, x)[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [ms.float16, ms.bfloat16, ms.float64])
def test_other_types(mode: str, dtype: Any) -> None:
    x = Tensor(VOLUMES, dtype)
    for out in (
        ops.avg_pool3d(x, 2),
        ops.max_pool3d(x, 2),
        ops.adaptive_avg_pool3d(x, (1, 2, 3)),
        ops.lp_pool2d(x[0], 1, 2),
    ):
        assert out.dtype is dtype
    assert ops.adaptive_avg_pool3d(x, 1).astype(ms.float32).asnumpy().ravel().tolist() == [11.5, 35.5]


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: ops.adaptive_avg_pool1d(Tensor(ROWS), 3), ValueError, "must be divisible"),
        (lambda: ops.adaptive_max_pool1d(Tensor(ROWS), 0), ValueError, "must be above 0, but got 0"),
        (lambda: ops.adaptive_avg_pool1d(Tensor(ROWS), "4"), TypeError, "must be int"),
        (lambda: ops.adaptive_avg_pool1d(Tensor(ROWS), (4,)), TypeError, r"must be int, but got \(4,\)"),
        (lambda: ops.adaptive_avg_pool2d(Tensor(IMAGES), (1, 2, 3)), ValueError, "must hold 2 sizes"),
        (lambda: ops.adaptive_avg_pool2d(Tensor(IMAGES), 0), ValueError, "must be above 0"),
        (lambda: ops.adaptive_max_pool2d(Tensor(IMAGES), 1.5), TypeError, "must be int or None"),
        (lambda: ops.adaptive_max_pool3d(Tensor(ROWS[0]), 1), ValueError, "must have 4 or 5 dimensions"),
        (lambda: ops.lp_pool1d(Tensor(ROWS), 0, 2), ValueError, "'norm_type' must not be 0"),
        (lambda: ops.lp_pool1d(Tensor(ROWS), "two", 2), TypeError, "'norm_type'"),
        (lambda: ops.max_unpool1d(Tensor(ROWS), ops.ones((1, 2, 4)), 2), ValueError, "must have one shape"),
        (lambda: ops.max_unpool1d(Tensor(ROWS), Tensor(ROWS), 2, output_size=(20,)), ValueError, "'output_size'"),
        (lambda: ops.MaxPool3D(data_format="NDHWC"), ValueError, "'data_format'"),
        (lambda: ops.AvgPool3D(2, 2, "full")(Tensor(VOLUMES)), ValueError, "'pad_mode'"),
        (lambda: ops.MaxPoolWithArgmaxV2(2, argmax_type=ms.float32), TypeError, "'argmax_type'"),
        (lambda: ops.avg_pool3d(Tensor(VOLUMES), 2, 2, 2), ValueError, "at most half"),
    ],
)
def test_refusals(call: Callable[[], Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        call()


@pytest.mark.parametrize("shape", [(2, 3, 5, 7), (3, 7, 7), (1, 4, 1, 3)])
def test_means_of_whole_planes(mode: str, shape: tuple[int, ...]) -> None:
    """One part takes the dimensions at once, in the result's shape; every element has the same share in the gradient."""
    x = np.random.default_rng(3).standard_normal(shape, dtype=np.float32)
    expected = x.mean((-2, -1), keepdims=True, dtype=np.float64)
    found = ops.adaptive_avg_pool2d(Tensor(x), 1)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found.asnumpy(), expected, rtol=1e-5, atol=1e-6)
    weights = Tensor(np.arange(1, expected.size + 1, dtype=np.float32).reshape(expected.shape))
    gradient = ms.grad(lambda x: (nn.AdaptiveAvgPool2d(1)(x) * weights).sum())(Tensor(x))
    share = weights.asnumpy() / (shape[-1] * shape[-2])
    np.testing.assert_allclose(gradient.asnumpy(), np.broadcast_to(share, shape), rtol=1e-6)


def test_largest_of_whole_planes_and_of_overlapping_parts(mode: str) -> None:
    x = np.random.default_rng(4).standard_normal((2, 3, 5, 7), dtype=np.float32)
    np.testing.assert_array_equal(ops.adaptive_max_pool2d(Tensor(x), 1).asnumpy(), x.max((2, 3), keepdims=True))
    rows = ops.adaptive_max_pool2d(Tensor(x), (1, 3)).asnumpy()
    expected = np.stack([x[..., a:b].max((2, 3)) for a, b in ((0, 3), (2, 5), (4, 7))], -1)[:, :, None]
    np.testing.assert_array_equal(rows, expected)


SQUARES = [(1, 1, 2, 2), (2, 3, 5, 7), (3, 2, 28, 28), (2, 2, 9, 33), (1, 2, 64, 65), (2, 1, 32, 64)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SQUARES)
def test_windows_of_two_by_two(mode: str, shape: tuple[int, ...], dtype: type) -> None:
    """Odd sizes leave a row and a column out, which get no gradient."""
    draw = np.random.default_rng(5)
    x: Any = draw.standard_normal(shape).astype(dtype)
    height, width = shape[2] // 2, shape[3] // 2
    parts = x[:, :, : 2 * height, : 2 * width].reshape(*shape[:2], height, 2, width, 2)
    largest = ops.max_pool2d(Tensor(x), 2, 2).asnumpy()
    np.testing.assert_array_equal(largest, parts.max((3, 5)))
    means = ops.avg_pool2d(Tensor(x), 2, 2).asnumpy()
    np.testing.assert_allclose(means, parts.mean((3, 5), dtype=np.float64), rtol=1e-5, atol=1e-6)
    weights = draw.standard_normal(means.shape).astype(dtype)
    gradient = ms.grad(lambda x: (nn.AvgPool2d(2, 2)(x) * Tensor(weights)).sum())(Tensor(x))
    expected = np.zeros(shape)
    expected[:, :, : 2 * height, : 2 * width] = weights.repeat(2, 2).repeat(2, 3) / 4
    np.testing.assert_allclose(gradient.asnumpy(), expected, rtol=1e-6)


def test_windows_of_two_by_two_with_nan(mode: str) -> None:
    x = np.random.default_rng(6).standard_normal((2, 2, 28, 28), dtype=np.float32)
    x[0, 1, 3, 27] = np.nan
    found = ops.max_pool2d(Tensor(x), 2, 2).asnumpy()
    np.testing.assert_array_equal(np.argwhere(np.isnan(found)), [[0, 1, 1, 13]])


@pytest.mark.parametrize("ceil", [False, True])
@pytest.mark.parametrize("shape", [(2, 3, 13, 18), (2, 2, 35, 40)])
def test_windows_of_three_by_three(mode: str, shape: tuple[int, ...], ceil: bool) -> None:
    x = np.random.default_rng(7).standard_normal(shape, dtype=np.float32)
    for pad in (0, 1):
        found = ops.max_pool2d(Tensor(x), 3, 2, pad, ceil_mode=ceil).asnumpy()
        wide = np.full((*shape[:2], shape[2] + 4, shape[3] + 4), -np.inf, np.float32)
        wide[:, :, pad : pad + shape[2], pad : pad + shape[3]] = x
        for i, j in np.ndindex(found.shape[2:]):
            window = wide[:, :, 2 * i : 2 * i + 3, 2 * j : 2 * j + 3]
            np.testing.assert_array_equal(found[:, :, i, j], window.max((2, 3)))
