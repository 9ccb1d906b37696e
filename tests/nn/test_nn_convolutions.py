"""Convolutions of rows, images and volumes, and transposed: the numbers are MindSpore's answers, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler

ROWS = np.arange(8, dtype=np.float32).reshape(1, 2, 4)
IMAGES = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
VOLUMES = np.arange(48, dtype=np.float32).reshape(1, 2, 2, 3, 4)
ONE: dict[str, Any] = {"weight_init": "ones"}


@pytest.mark.parametrize(
    ("make", "x", "shape", "first"),
    [
        (lambda: nn.Conv1d(2, 3, 3, **ONE), ROWS, (1, 3, 4), [10, 18, 24, 18, 10]),
        (lambda: nn.Conv1d(2, 3, 3, 2, **ONE), ROWS, (1, 3, 2), [18, 18, 18]),
        (lambda: nn.Conv1d(2, 3, 3, 1, "valid", **ONE), ROWS, (1, 3, 2), [18, 24, 18]),
        (lambda: nn.Conv1d(2, 3, 3, 2, "pad", 1, has_bias=True, bias_init="ones", **ONE), ROWS, (1, 3, 2), [11, 25, 11]),
        (lambda: nn.Conv3d(2, 3, 3, **ONE), VOLUMES, (1, 3, 2, 3, 4), [328, 504, 528, 360, 540]),
        (lambda: nn.Conv3d(2, 3, 3, 2, **ONE), VOLUMES, (1, 3, 1, 2, 2), [504, 360, 600, 424]),
        (lambda: nn.Conv3d(2, 3, 3, 2, "pad", 1, **ONE), VOLUMES, (1, 3, 1, 2, 2), [328, 528, 392, 624]),
        (lambda: nn.Conv1dTranspose(2, 3, 3, **ONE), ROWS, (1, 3, 4), [10, 18, 24, 18]),
        (lambda: nn.Conv1dTranspose(2, 3, 3, 2, **ONE), ROWS, (1, 3, 8), [4, 4, 10, 6, 14, 8, 18, 10]),
        (lambda: nn.Conv1dTranspose(2, 3, 3, 2, "valid", **ONE), ROWS, (1, 3, 9), [4, 4, 10, 6, 14, 8, 18, 10, 10]),
        (lambda: nn.Conv1dTranspose(2, 3, 3, 2, "pad", 1, **ONE), ROWS, (1, 3, 7), [4, 10, 6, 14, 8, 18, 10]),
        (lambda: nn.Conv2dTranspose(2, 3, 3, **ONE), IMAGES, (1, 3, 3, 4), [68, 108, 120, 84, 126]),
        (lambda: nn.Conv2dTranspose(2, 3, 3, 2, **ONE), IMAGES, (1, 3, 6, 8), [12, 12, 26, 14, 30, 16, 34, 18, 12]),
        (lambda: nn.Conv2dTranspose(2, 3, 3, 3, "valid", **ONE), IMAGES, (1, 3, 9, 12), [12, 12, 12, 14, 14, 14, 16]),
        (lambda: nn.Conv2dTranspose(2, 3, 3, 2, "pad", 1, **ONE), IMAGES, (1, 3, 5, 7), [12, 26, 14, 30, 16, 34, 18, 32]),
        (lambda: nn.Conv2dTranspose(2, 3, 3, 2, "pad", (1, 0, 1, 0), 1, **ONE), IMAGES, (1, 3, 7, 9),
         [12, 26, 14, 30, 16, 34, 18, 18, 0, 32]),
        (lambda: nn.Conv2dTranspose(2, 4, 3, 2, "pad", 1, 1, 1, 2, True, "ones", "ones"), IMAGES, (1, 4, 6, 8),
         [1, 2, 2, 4, 3, 6, 4, 0, 5, 11, 7]),
        (lambda: nn.Conv3dTranspose(2, 3, 3, **ONE), VOLUMES, (1, 3, 2, 3, 4), [328, 504, 528, 360]),
        (lambda: nn.Conv3dTranspose(2, 3, 3, 2, "valid", **ONE), VOLUMES, (1, 3, 5, 7, 9), [24, 24, 50, 26, 54, 28]),
        (lambda: nn.Conv3dTranspose(2, 3, 3, 2, "pad", 1, output_padding=1, **ONE), VOLUMES, (1, 3, 4, 6, 8),
         [24, 50, 26, 54, 28, 58, 30, 30, 56, 116]),
    ],
)  # fmt: skip
def test_layers(mode: str, make: Callable[[], nn.Cell], x: Any, shape: Any, first: list[float]) -> None:
    out = make()(Tensor(x))
    assert out.shape == shape
    np.testing.assert_allclose(out.asnumpy().ravel()[: len(first)], first, rtol=1e-5)


def test_shapes_of_parameters() -> None:
    assert nn.Conv1d(2, 4, 3, group=2).weight.shape == (4, 1, 1, 3)
    assert nn.Conv3d(2, 4, (1, 2, 3)).weight.shape == (4, 2, 1, 2, 3)
    assert nn.Conv1dTranspose(2, 4, 3).weight.shape == (2, 4, 1, 3)
    assert nn.Conv2dTranspose(2, 4, 3, group=2, has_bias=True).weight.shape == (2, 2, 3, 3)
    assert nn.Conv2dTranspose(2, 4, 3, has_bias=True).bias.shape == (4,)
    assert "kernel_size=(3, 3, 3)" in repr(nn.Conv3dTranspose(2, 4, 3))


def test_functions(mode: str) -> None:
    row, image, volume = Tensor(ROWS), Tensor(IMAGES), Tensor(VOLUMES)
    one = ops.ones((3, 2, 2))
    assert ops.conv1d(row, one, ops.ones(3), pad_mode="pad", padding=(1,)).tolist()[0][0] == [5, 11, 15, 19, 11]
    out = ops.conv3d(volume, ops.ones((3, 2, 2, 2, 2)), ops.ones(3), pad_mode="pad", padding=(1, 0, 1))
    assert (out.shape, out.tolist()[0][0][0][0]) == ((1, 3, 3, 2, 5), [57, 117, 125, 133, 69])
    out = ops.conv_transpose2d(image, ops.ones((2, 3, 3, 3)), ops.ones(3), 2, 1, 1)
    assert (out.shape, out.tolist()[0][0][0]) == ((1, 3, 6, 8), [13, 27, 15, 31, 17, 35, 19, 19])
    out = ops.conv3d_transpose(volume, ops.ones((2, 3, 2, 2, 2)), stride=2)
    assert (out.shape, out.tolist()[0][0][0][0]) == ((1, 3, 4, 6, 8), [24, 24, 26, 26, 28, 28, 30, 30])
    weight = ops.ones((2, 3, 3, 3))
    out = ops.Conv2DTranspose(2, (3, 3), "pad", 1, stride=2)(image, weight, (1, 3, 5, 7))
    assert out.tolist()[0][0][0] == [12, 26, 14, 30, 16, 34, 18]
    same = ops.Conv2DBackpropInput(2, (3, 3), "same", stride=2)(image, weight, (1, 3, 6, 8))
    assert same.tolist()[0][0][0] == [12, 12, 26, 14, 30, 16, 34, 18]
    out = ops.Conv3DTranspose(2, 3, (3, 3, 3), pad_mode="pad", pad=1, stride=2, output_padding=1)(
        volume, ops.ones((2, 3, 3, 3, 3))
    )
    assert out.tolist()[0][0][0][1] == [56, 116, 60, 124, 64, 132, 68, 68]


def test_gradients_of_a_transposed_convolution(mode: str) -> None:
    rng = np.random.default_rng(3)
    x, weight = rng.standard_normal((1, 2, 3, 2)), rng.standard_normal((2, 1, 2, 3))

    def run(x: Any, weight: Any) -> Any:
        return ops.square(ops.conv_transpose2d(x, weight, None, (2, 1), 1, (1, 0), 2))

    found = ms.grad(run, (0, 1))(Tensor(x), Tensor(weight))
    for got, wanted in zip(found, numeric_gradient(run, x, weight), strict=True):
        np.testing.assert_allclose(got.asnumpy(), wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [ms.float16, ms.bfloat16, ms.float64])
def test_other_types(mode: str, dtype: Any) -> None:
    x, weight = Tensor(VOLUMES, dtype), ops.ones((2, 3, 2, 2, 2)).astype(dtype)
    assert ops.conv3d(x, ops.ones((1, 2, 2, 2, 2)).astype(dtype)).dtype is dtype
    out = ops.conv3d_transpose(x, weight, stride=2)
    assert out.dtype is dtype
    assert out.astype(ms.float32).tolist()[0][0][0][0] == [24, 24, 26, 26, 28, 28, 30, 30]


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda: nn.Conv2d(2, 3, (3, 3, 3)), ValueError, "'Conv2d'.*'kernel_size' must hold 2"),
        (lambda: nn.Conv3d(2, 3, 3, padding=1), ValueError, "'Conv3d'.*'padding' must be 0 unless"),
        (lambda: nn.Conv3d(3, 4, 3, group=2), ValueError, "'Conv3d'.*'group'.*in_channels=3"),
        (lambda: nn.Conv2dTranspose(2, 3, 3, output_padding=1, pad_mode="pad"), ValueError, "'output_padding' must be below"),
        (lambda: nn.Conv2dTranspose(2, 3, 3, 2, output_padding=1), ValueError, "'output_padding' must be 0 unless"),
        (lambda: nn.Conv3dTranspose(2, 3, 3, data_format="NDHWC"), ValueError, "'data_format'.*NDHWC"),
        (lambda: ops.conv_transpose2d(Tensor(IMAGES), ops.ones((2, 3, 3, 3)), output_padding=1), ValueError,
         "'output_padding' must be less than the 'stride'"),
        (lambda: ops.conv3d_transpose(Tensor(VOLUMES), ops.ones((2, 3, 2, 2, 2)), padding=1), ValueError, "unless 'pad_mode' is 'pad'"),
        (lambda: ops.conv1d(Tensor(IMAGES[0, 0]), ops.ones((2, 2, 3))), ValueError,
         r"'conv1d'.*must have 3 dimensions, but got shapes \(\d, \d\) and \(2, 2, 3\)"),
        (lambda: nn.Conv1dTranspose(3, 2, 3)(ops.ones((1, 2, 5))), ValueError,
         r"'Conv1dTranspose'.*the same C_in, but got shapes \(1, 2, 1, 5\) and \(3, 2, 1, 3\)"),
        (lambda: ops.conv_transpose2d(Tensor(IMAGES[0]), ops.ones((2, 3, 3, 3))), ValueError,
         r"'conv_transpose2d'.*must have 4 or 5 dimensions"),
        (lambda: ops.Conv3DTranspose(2, 3, 3, data_format="NDHWC"), ValueError, "'data_format'.*NDHWC"),
    ],
)  # fmt: skip
def test_refusals(call: Callable[[], Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        call()
