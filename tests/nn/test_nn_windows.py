"""Convolution, pooling and normalisation layers: values against numpy, in both modes, and what they refuse."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

pytestmark = pytest.mark.compiler
RNG = np.random.default_rng(5)
IMAGES = RNG.standard_normal((2, 4, 7, 6)).astype(np.float32)
ANY: list[Any] = [1, 3.0]
SQUARE = np.arange(25, dtype=np.float32).reshape(1, 1, 5, 5)


def convolved(x: Any, weight: Any, stride: int, pads: Any, dilation: int = 1, group: int = 1) -> Any:
    """One multiplication for each element of a window."""
    x = np.pad(x.astype(np.float64), ((0, 0), (0, 0), *pads))
    reach = [(k - 1) * dilation + 1 for k in weight.shape[2:]]
    sizes = [(n - r) // stride + 1 for n, r in zip(x.shape[2:], reach, strict=True)]
    parts = []
    for inputs, kernel in zip(np.split(x, group, 1), np.split(weight, group, 0), strict=True):
        out = np.zeros((len(x), len(kernel), *sizes))
        for i, j in np.ndindex(*weight.shape[2:]):
            rows = slice(i * dilation, i * dilation + stride * (sizes[0] - 1) + 1, stride)
            columns = slice(j * dilation, j * dilation + stride * (sizes[1] - 1) + 1, stride)
            out += np.einsum("nchw,oc->nohw", inputs[:, :, rows, columns], kernel[:, :, i, j])
        parts.append(out)
    return np.concatenate(parts, 1)


@pytest.mark.parametrize(
    ("layer", "pads", "options"),
    [
        (nn.Conv2d(4, 3, 3), ((1, 1), (1, 1)), {"stride": 1}),
        (nn.Conv2d(4, 3, (2, 3), 2, has_bias=True), ((0, 1), (0, 1)), {"stride": 2}),
        (nn.Conv2d(4, 6, 2, pad_mode="valid", dilation=2, group=2), ((0, 0), (0, 0)), {"stride": 1, "dilation": 2, "group": 2}),
        (nn.Conv2d(4, 4, 3, 3, "pad", (1, 0, 2, 1), group=4), ((1, 0), (2, 1)), {"stride": 3, "group": 4}),
        (nn.Conv2d(4, 5, 1, pad_mode="pad", padding=1), ((1, 1), (1, 1)), {"stride": 1}),
    ],
    ids=str,
)  # fmt: skip
def test_convolutions(mode: str, layer: nn.Conv2d, pads: Any, options: dict[str, int]) -> None:
    wanted = convolved(IMAGES, layer.weight.asnumpy(), pads=pads, **options)
    if layer.has_bias:
        wanted = wanted + layer.bias.asnumpy().reshape(1, -1, 1, 1)
    np.testing.assert_allclose(layer(Tensor(IMAGES)).asnumpy(), wanted, rtol=1e-4, atol=1e-5)


def test_a_convolution_starts_like_mindspores() -> None:
    ms.set_seed(0)
    layer = nn.Conv2d(100, 50, 3, has_bias=True)
    assert [p.name for p in layer.get_parameters()] == ["weight", "bias"]
    bound = 1 / math.sqrt(900)
    for parameter in (layer.weight, layer.bias):
        values = parameter.asnumpy()
        assert np.abs(values).max() <= bound
        assert np.std(values) == pytest.approx(bound / math.sqrt(3), rel=0.2)
    assert "kernel_size=(3, 3)" in repr(layer)


@pytest.mark.parametrize(
    ("layer", "wanted"),
    [
        (nn.MaxPool2d(3, 2), [[12, 14], [22, 24]]),
        (nn.MaxPool2d((3, 2), 2, "same"), [[6, 8, 9], [16, 18, 19], [21, 23, 24]]),
        (nn.MaxPool2d(3, 2, pad_mode="pad", padding=1, ceil_mode=True), [[6, 8, 9], [16, 18, 19], [21, 23, 24]]),
        (nn.AvgPool2d(2, 2), [[3, 5], [13, 15]]),
        (nn.AvgPool2d(3, 2, "same"), [[3, 4.5, 6], [10.5, 12, 13.5], [18, 19.5, 21]]),
        (nn.AvgPool2d(2, 2, "pad", 1), [[0, 0.75, 1.75], [3.75, 9, 11], [8.75, 19, 21]]),
        (nn.AvgPool2d(2, 2, "pad", 1, count_include_pad=False), [[0, 1.5, 3.5], [7.5, 9, 11], [17.5, 19, 21]]),
        (nn.AvgPool2d(2, 2, ceil_mode=True, divisor_override=3), [[4, 20 / 3, 13 / 3], [52 / 3, 20, 11], [41 / 3, 15, 8]]),
        (nn.AvgPool2d(2, 2, "pad", 0, ceil_mode=True), [[3, 5, 6.5], [13, 15, 16.5], [20.5, 22.5, 24]]),
        (nn.AdaptiveAvgPool2d(2), [[6, 8], [16, 18]]),
        (nn.AdaptiveAvgPool2d((None, 1)), [[2], [7], [12], [17], [22]]),
        (nn.AdaptiveAvgPool2d(1), [[12]]),
    ],
    ids=str,
)  # fmt: skip
def test_pools(mode: str, layer: nn.Cell, wanted: Any) -> None:
    np.testing.assert_allclose(layer(Tensor(SQUARE)).asnumpy()[0, 0], wanted, rtol=1e-6)
    np.testing.assert_allclose(layer(Tensor(SQUARE[0])).asnumpy()[0], wanted, rtol=1e-6)


def test_pools_of_rows_and_places(mode: str) -> None:
    rows = Tensor(np.arange(10, dtype=np.float32).reshape(1, 2, 5))
    assert nn.MaxPool1d(2, 2)(rows).tolist() == [[[1, 3], [6, 8]]]
    assert nn.AvgPool1d(2, 2)(rows).tolist() == [[[0.5, 2.5], [5.5, 7.5]]]
    found, places = nn.MaxPool2d(3, 2, pad_mode="pad", padding=1, return_indices=True)(Tensor(-SQUARE))
    assert found.tolist() == [[[[0, -1, -3], [-5, -6, -8], [-15, -16, -18]]]]
    assert places.tolist() == [[[[0, 1, 3], [5, 6, 8], [15, 16, 18]]]]
    assert places.dtype is ms.int64


def test_the_first_nan_of_a_window_is_its_largest_element(mode: str) -> None:
    x = Tensor(np.array([[[[1, np.nan, 5, 9], [np.nan, 7, 9, 2]]]], np.float32))
    found, places = ops.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_array_equal(found.asnumpy(), [[[[np.nan, 9]]]])
    assert places.tolist() == [[[[1, 3]]]]


def test_functions(mode: str) -> None:
    weight, bias = Tensor(RNG.standard_normal((6, 2, 2, 2)).astype(np.float32)), Tensor(np.ones(6, np.float32))
    got = ops.conv2d(Tensor(IMAGES), weight, bias, 2, "pad", (1, 0), groups=2)
    wanted = convolved(IMAGES, weight.asnumpy(), 2, ((1, 1), (0, 0)), group=2) + 1
    np.testing.assert_allclose(got.asnumpy(), wanted, rtol=1e-4, atol=1e-5)
    assert ops.max_pool2d(Tensor(SQUARE), 2).tolist() == [[[[6, 8], [16, 18]]]]
    assert ops.avg_pool2d(Tensor(SQUARE), 4).tolist() == [[[[9, 10], [14, 15]]]]
    x = IMAGES.reshape(2, -1)
    normal = (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + 1e-5)
    np.testing.assert_allclose(ops.layer_norm(Tensor(x), (168,)).asnumpy(), normal, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (nn.BatchNorm1d, (6, 3)),
        (nn.BatchNorm1d, (2, 3, 5)),
        (nn.BatchNorm2d, (2, 3, 4, 5)),
        (nn.BatchNorm3d, (2, 3, 2, 2, 2)),
    ],
)
def test_batch_norm(mode: str, make: Any, shape: tuple[int, ...]) -> None:
    x = (RNG.standard_normal(shape) * 2 + 1).astype(np.float32)
    layer = make(3, momentum=0.75, gamma_init=Tensor([1.0, 2.0, 3.0]), beta_init=Tensor([0.0, 1.0, 2.0]))
    assert [p.name for p in layer.trainable_params()] == ["gamma", "beta"]
    row = (1, 3, *(1,) * (len(shape) - 2))
    axes = tuple(i for i in range(len(shape)) if i != 1)
    gamma, beta = np.array([1.0, 2.0, 3.0]).reshape(row), np.array([0.0, 1.0, 2.0]).reshape(row)
    np.testing.assert_allclose(layer(Tensor(x)).asnumpy(), x / math.sqrt(1 + 1e-5) * gamma + beta, rtol=1e-5, atol=1e-5)
    layer.set_train()
    mean, variance, count = x.mean(axes), x.var(axes), x.size // 3
    wanted = (x - mean.reshape(row)) / np.sqrt(variance.reshape(row) + 1e-5) * gamma + beta
    np.testing.assert_allclose(layer(Tensor(x)).asnumpy(), wanted, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(layer.moving_mean.asnumpy(), 0.25 * mean, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(layer.moving_variance.asnumpy(), 0.75 + 0.25 * variance * count / (count - 1), rtol=1e-5)
    layer.set_train(False)
    moved = layer.moving_mean.asnumpy().copy()
    layer(Tensor(x))
    np.testing.assert_array_equal(layer.moving_mean.asnumpy(), moved)


def test_batch_statistics_can_be_fixed(mode: str) -> None:
    x = Tensor(IMAGES)
    always, never = (
        nn.BatchNorm2d(4, use_batch_statistics=True),
        nn.BatchNorm2d(4, use_batch_statistics=False).set_train(),
    )
    assert abs(always(x).asnumpy().mean()) < 1e-6
    np.testing.assert_allclose(never(x).asnumpy(), IMAGES, rtol=1e-4)
    assert never.moving_mean.asnumpy().tolist() == [0, 0, 0, 0]


def test_large_means_do_not_spoil_the_variance(mode: str) -> None:
    """A sum of squares less the square of the sum would be wrong in the first digit."""
    x = (RNG.standard_normal((4, 2, 16, 16)) + 3000).astype(np.float32)
    layer = nn.BatchNorm2d(2, affine=False).set_train()
    np.testing.assert_allclose(layer(Tensor(x)).asnumpy().std((0, 2, 3)), [1, 1], rtol=1e-3)


def test_layer_norm(mode: str) -> None:
    layer = nn.LayerNorm((7, 6), 2, 2, gamma_init=Tensor(2 * np.ones((7, 6), np.float32)), epsilon=1e-5)
    mean, variance = IMAGES.mean((2, 3), keepdims=True), IMAGES.var((2, 3), keepdims=True)
    wanted = (IMAGES - mean) / np.sqrt(variance + 1e-5) * 2
    np.testing.assert_allclose(layer(Tensor(IMAGES)).asnumpy(), wanted, rtol=1e-4, atol=1e-5)


def test_the_moving_statistics_of_a_function(mode: str) -> None:
    mean, variance = (
        Parameter(Tensor(np.zeros(4, np.float32)), name="m"),
        Parameter(Tensor(np.ones(4, np.float32)), name="v"),
    )
    one, zero = Tensor(np.ones(4, np.float32)), Tensor(np.zeros(4, np.float32))
    out = ops.batch_norm(Tensor(IMAGES), mean, variance, one, zero, True, 0.5)
    assert abs(out.asnumpy().mean()) < 1e-6
    np.testing.assert_allclose(mean.asnumpy(), IMAGES.mean((0, 2, 3)) / 2, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.Conv2d(0, 4, 3), ValueError, "'in_channels' must be int and must > 0"),
        (lambda: nn.Conv2d(3, 4, 3, group=2), ValueError, "'group' must divide"),
        (lambda: nn.Conv2d(3, 4, 3.0), TypeError, "'kernel_size'.*3.0"),
        (lambda: nn.Conv2d(3, 4, (3, 3, 3)), ValueError, "'kernel_size' must hold 2"),
        (lambda: nn.Conv2d(3, 4, 3, dilation=0), ValueError, "'dilation'.*at least 1"),
        (lambda: nn.Conv2d(3, 4, 3, padding=1), ValueError, "'padding' must be 0 unless"),
        (lambda: nn.Conv2d(3, 4, 3, pad_mode="pad", padding=-1), ValueError, "'padding'"),
        (lambda: nn.Conv2d(3, 4, 3, pad_mode="full"), ValueError, "'pad_mode'.*full"),
        (lambda: nn.Conv2d(3, 4, 3, has_bias=ANY[0]), TypeError, "'has_bias'"),
        (lambda: nn.Conv2d(3, 4, 3, data_format="NHWC"), ValueError, "'data_format'.*NHWC"),
        (lambda: nn.Conv2d(3, 4, 3)(Tensor(IMAGES)), ValueError, r"'weight' must have the shape \[4, 4, 3, 3\]"),
        (lambda: nn.BatchNorm2d(0), ValueError, "'num_features'"),
        (lambda: nn.BatchNorm2d(ANY[1]), TypeError, "'num_features'"),
        (lambda: nn.BatchNorm2d(3, momentum=2), ValueError, "'momentum'"),
        (lambda: nn.BatchNorm2d(3, use_batch_statistics=ANY[0]), ValueError, "'use_batch_statistics'"),
        (lambda: nn.BatchNorm2d(4)(Tensor(IMAGES[0])), ValueError, "BatchNorm2d.*4 dimensions"),
        (lambda: nn.BatchNorm2d(3)(Tensor(IMAGES)), ValueError, "BatchNorm.*'scale'"),
        (lambda: nn.MaxPool2d(0), ValueError, "'kernel_size'"),
        (lambda: nn.MaxPool2d("a"), TypeError, "'kernel_size'"),
        (lambda: nn.MaxPool2d(2, pad_mode="full"), ValueError, "'pad_mode'"),
        (lambda: nn.MaxPool2d(2, padding=1), ValueError, "need 'pad_mode'"),
        (lambda: nn.MaxPool2d(2, pad_mode="pad", padding=2)(Tensor(SQUARE)), ValueError, "at most half"),
        (lambda: nn.MaxPool2d(2)(Tensor([1.0])), ValueError, "MaxPool2d.*3 or 4 dimensions"),
        (lambda: nn.AvgPool2d(2, stride=-1), ValueError, "'stride'"),
        (lambda: nn.AvgPool2d(2, padding=1), ValueError, "'padding' must be 0"),
        (lambda: nn.AvgPool2d(2, divisor_override=0), ValueError, "'divisor_override'"),
        (lambda: nn.AvgPool2d(2, pad_mode="same", ceil_mode=True), ValueError, "do not go with"),
        (lambda: nn.LayerNorm(3), TypeError, "'normalized_shape'"),
        (lambda: ops.layer_norm(Tensor(IMAGES), (5,)), ValueError, "'normalized_shape'"),
        (lambda: ops.BatchNorm(data_format="NHWC"), ValueError, "'data_format'"),
    ],
)  # fmt: skip
def test_what_is_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
