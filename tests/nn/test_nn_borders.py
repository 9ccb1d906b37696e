"""Borders and resizing: the numbers are MindSpore's answers, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler

ROWS = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
IMAGES = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)
VOLUMES = np.arange(24, dtype=np.float32).reshape(1, 1, 2, 3, 4)
DEEP = np.arange(48, dtype=np.float32).reshape(1, 8, 2, 3)


@pytest.mark.parametrize(
    ("call", "x", "sizes", "how"),
    [
        (lambda x: ops.pad(x, (1, 2), "reflect"), ROWS, ((0, 0), (0, 0), (1, 2)), "reflect"),
        (lambda x: ops.pad(x, [1, 2], "replicate"), ROWS[0], ((0, 0), (1, 2)), "edge"),
        (lambda x: ops.pad(x, (1, 2, 0, 1), "circular"), IMAGES, ((0, 0), (0, 0), (0, 1), (1, 2)), "wrap"),
        (lambda x: ops.pad(x, (1, 2, 0, 1, 1, 0), "replicate"), VOLUMES, ((0, 0), (0, 0), (1, 0), (0, 1), (1, 2)), "edge"),
        (lambda x: nn.ReflectionPad1d(2)(x), ROWS, ((0, 0), (0, 0), (2, 2)), "reflect"),
        (lambda x: nn.ReflectionPad2d((1, 0, 0, 2))(x), IMAGES, ((0, 0), (0, 0), (0, 2), (1, 0)), "reflect"),
        (lambda x: nn.ReflectionPad3d(1)(x), VOLUMES, ((0, 0), (0, 0), (1, 1), (1, 1), (1, 1)), "reflect"),
        (lambda x: nn.ReplicationPad1d((1, 2))(x), ROWS, ((0, 0), (0, 0), (1, 2)), "edge"),
        (lambda x: nn.ReplicationPad2d(1)(x), IMAGES, ((0, 0), (0, 0), (1, 1), (1, 1)), "edge"),
        (lambda x: nn.ReplicationPad3d((1, 1, 0, 0, 1, 0))(x), VOLUMES[0], ((0, 0), (1, 0), (0, 0), (1, 1)), "edge"),
        (lambda x: ops.MirrorPad("SYMMETRIC")(x, ((1, 0), (1, 2))), ROWS[0], ((1, 0), (1, 2)), "symmetric"),
        (lambda x: ops.mirror_pad(x, ((1, 0), (1, 2)), "REFLECT"), ROWS[0], ((1, 0), (1, 2)), "reflect"),
        (lambda x: ops.PadV3("edge")(x, (1, 1, 1, 0), None), IMAGES, ((0, 0), (0, 0), (1, 0), (1, 1)), "edge"),
        (lambda x: ops.PadV3("circular")(x, (1, 1, 1, 0)), IMAGES, ((0, 0), (0, 0), (1, 0), (1, 1)), "wrap"),
        (lambda x: ops.PadV3("constant", False)(x, (1, 1, 0, 1), 0.0), IMAGES, ((0, 0), (0, 0), (1, 1), (1, 0)), "constant"),
    ],
)  # fmt: skip
def test_borders(mode: str, call: Callable[..., Any], x: Any, sizes: Any, how: Any) -> None:
    np.testing.assert_array_equal(call(Tensor(x)).asnumpy(), np.pad(x, sizes, how))


def test_borders_of_one_value(mode: str) -> None:
    x = Tensor(IMAGES)
    assert ops.pad(x, (1, -1), value=3.0).tolist()[0][0] == [[3, 0, 1, 2], [3, 4, 5, 6], [3, 8, 9, 10]]
    assert ops.pad(x, (-1, -1, -1, 0)).tolist()[0][0] == [[5, 6], [9, 10]]
    assert ops.pad(x, (-1, 1, 0, 0), "reflect").tolist()[0][0] == [[1, 2, 3, 2], [5, 6, 7, 6], [9, 10, 11, 10]]
    assert ops.pad(Tensor([1, 2, 3]), (1, 0)).tolist() == [0, 1, 2, 3]
    assert nn.ConstantPad1d((1, 0), 2.5)(Tensor(ROWS)).tolist() == [[[2.5, 0, 1, 2], [2.5, 3, 4, 5]]]
    assert nn.ReplicationPad1d((-1, 1))(Tensor(ROWS)).tolist() == [[[1, 2, 2], [4, 5, 5]]]
    volume = nn.ConstantPad3d((1, 0, 0, 1, 0, 1), 2)(Tensor(VOLUMES))
    assert (volume.shape, volume.tolist()[0][0][0][0]) == ((1, 1, 3, 4, 5), [2, 0, 1, 2, 3])
    assert volume.tolist()[0][0][2] == [[2] * 5] * 4


LINES: list[tuple[str, Any, Any, Any, tuple[int, ...], list[float]]] = [
    ("nearest", ROWS, (5,), None, (1, 2, 5), [0, 0, 1, 1, 2, 3, 3]),
    ("nearest", IMAGES, (5, 3), None, (1, 2, 5, 3), [0, 1, 2, 0, 1, 2, 4, 5, 6, 4]),
    ("nearest", VOLUMES, 3, None, (1, 1, 3, 3, 3), [0, 1, 2, 4, 5, 6, 8, 9, 10, 0, 1]),
    ("nearest-exact", IMAGES, (5, 3), None, (1, 2, 5, 3), [0, 2, 3, 0, 2, 3, 4, 6, 7, 8]),
    ("linear", ROWS, 5, False, (1, 2, 5), [0, 0.4, 1, 1.6, 2, 3]),
    ("linear", ROWS, 5, True, (1, 2, 5), [0, 0.5, 1, 1.5, 2, 3]),
    ("bilinear", IMAGES, (5, 7), False, (1, 2, 5, 7), [0, 0.35714, 0.92857, 1.5, 2.07143, 2.64286, 3, 1.6]),
    ("bilinear", IMAGES, (5, 7), True, (1, 2, 5, 7), [0, 0.5, 1, 1.5, 2, 2.5, 3, 2, 2.5]),
    ("bicubic", IMAGES, (5, 7), False, (1, 2, 5, 7), [-0.38132, -0.03796, 0.62207, 1.1979, 1.77373, 2.43376, 2.77711]),
    ("bicubic", IMAGES, (5, 7), True, (1, 2, 5, 7), [0, 0.40625, 1, 1.5, 2, 2.59375, 3, 1.625]),
    ("trilinear", VOLUMES, 3, False, (1, 1, 3, 3, 3), [0.16667, 1.5, 2.83333, 4.16667, 5.5, 6.83333]),
    ("trilinear", VOLUMES, 3, True, (1, 1, 3, 3, 3), [0, 1.5, 3, 4, 5.5, 7, 8]),
    ("area", IMAGES, (2, 3), None, (1, 2, 2, 3), [2.5, 3.5, 4.5, 6.5, 7.5, 8.5]),
]


@pytest.mark.parametrize(("how", "x", "size", "corners", "shape", "first"), LINES)
def test_interpolation(mode: str, how: str, x: Any, size: Any, corners: Any, shape: Any, first: list[float]) -> None:
    out = ops.interpolate(Tensor(x), size, mode=how, align_corners=corners)
    assert out.shape == shape
    np.testing.assert_allclose(out.asnumpy().ravel()[: len(first)], first, rtol=1e-4, atol=3e-4)


def test_scales(mode: str) -> None:
    volume = ops.interpolate(Tensor(VOLUMES), scale_factor=1.7)
    assert volume.shape == (1, 1, 3, 5, 6)
    assert volume.tolist()[0][0][0][0] == [0, 0, 1, 1, 2, 2]
    again = ops.interpolate(Tensor(VOLUMES), scale_factor=1.7, recompute_scale_factor=True)
    assert again.tolist()[0][0][0][0] == [0, 0, 1, 2, 2, 3]
    smooth = ops.interpolate(Tensor(VOLUMES), scale_factor=(1.7, 1.7, 1.7), mode="trilinear")
    np.testing.assert_allclose(
        smooth.asnumpy()[0, 0, 0, 0], [0, 0.38235, 0.97059, 1.55882, 2.14706, 2.73529], rtol=1e-4
    )
    assert nn.Upsample((4, 4))(Tensor(IMAGES)).tolist()[0][0][1] == [0, 1, 2, 3]


def test_operators_that_resize(mode: str) -> None:
    x = Tensor(IMAGES)
    line = [0, 0.57143, 1.14286, 1.71429, 2.28571, 2.85714, 3]
    np.testing.assert_allclose(ops.ResizeBilinearV2()(x, (5, 7)).asnumpy()[0, 0, 0], line, rtol=1e-4)
    line = [0, 0.35714, 0.92857, 1.5, 2.07143, 2.64286, 3]
    np.testing.assert_allclose(ops.ResizeBilinearV2(False, True)(x, (5, 7)).asnumpy()[0, 0, 0], line, rtol=1e-4)
    assert ops.ResizeNearestNeighbor((5, 7))(x).tolist()[0][0][0] == [0, 0, 1, 1, 2, 2, 3]
    assert ops.ResizeNearestNeighbor((5, 7), True)(x).tolist()[0][0][1] == [4, 5, 5, 6, 6, 7, 7]
    assert ops.ResizeNearestNeighborV2(False, True)(x, (5, 7)).tolist()[0][0][0] == [0, 0, 1, 2, 2, 3, 3]


def test_pixels_and_channels(mode: str) -> None:
    x, wide = Tensor(DEEP), Tensor(DEEP.reshape(1, 2, 4, 6))
    shuffled = nn.PixelShuffle(2)(x)
    assert shuffled.tolist()[0][0] == [
        [0, 6, 1, 7, 2, 8],
        [12, 18, 13, 19, 14, 20],
        [3, 9, 4, 10, 5, 11],
        [15, 21, 16, 22, 17, 23],
    ]
    np.testing.assert_array_equal(nn.PixelUnshuffle(2)(shuffled).asnumpy(), DEEP)
    assert ops.pixel_unshuffle(wide, 2).tolist()[0][:2] == [[[0, 2, 4], [12, 14, 16]], [[1, 3, 5], [13, 15, 17]]]
    spread = ops.DepthToSpace(2)(x)
    assert spread.tolist()[0][0][:2] == [[0, 12, 1, 13, 2, 14], [24, 36, 25, 37, 26, 38]]
    np.testing.assert_array_equal(ops.SpaceToDepth(2)(spread).asnumpy(), DEEP)
    assert ops.SpaceToDepth(2)(wide).tolist()[0][1] == [[24, 26, 28], [36, 38, 40]]


@pytest.mark.parametrize(
    "run",
    [
        lambda x: ops.pad(x, (1, 2, 0, 1), "reflect"),
        lambda x: ops.pad(x, (1, 2, 0, 1), "replicate"),
        lambda x: ops.pad(x, (-1, 2, 0, 1), "circular"),
        lambda x: ops.interpolate(x, (3, 5)),
        lambda x: ops.interpolate(x, (3, 2), mode="bilinear"),
        lambda x: ops.interpolate(x, (4, 4), mode="bicubic", align_corners=True),
    ],
)
def test_gradients(mode: str, run: Callable[..., Any]) -> None:
    x = np.random.default_rng(2).standard_normal((1, 1, 2, 3))

    def squared(x: Any) -> Any:
        return ops.square(run(x))

    got = ms.grad(squared)(Tensor(x))
    np.testing.assert_allclose(got.asnumpy(), numeric_gradient(squared, x)[0], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("dtype", [ms.float16, ms.bfloat16, ms.float64])
def test_other_types(mode: str, dtype: Any) -> None:
    x = Tensor(IMAGES, dtype)
    line = ops.interpolate(x, (5, 7), mode="bilinear")
    assert line.dtype is dtype
    np.testing.assert_allclose(line.astype(ms.float32).asnumpy()[0, 0, 0, :3], [0, 0.35714, 0.92857], rtol=1e-2)
    assert ops.pad(x, (1, 1), "reflect").astype(ms.float32).tolist()[0][0][0] == [1, 0, 1, 2, 3, 2]


@pytest.mark.parametrize(
    ("call", "error", "told"),
    [
        (lambda x: ops.pad(x, (1,)), ValueError, "divisible by 2"),
        (lambda x: ops.pad(x, (1, 1), "full"), ValueError, "'mode'.*full"),
        (lambda x: ops.pad(x, (1, 1), "reflect", 3.0), ValueError, "can not set value"),
        (lambda x: ops.pad(x, (5, 0), "reflect"), ValueError, "size 4 takes at most 3"),
        (lambda x: ops.pad(x, (-5, 0)), ValueError, "cannot be cut off dimension 3"),
        (lambda x: nn.ReflectionPad2d((1, 1)), ValueError, "must hold 4 sizes"),
        (lambda x: nn.ReflectionPad2d(-1), ValueError, "at least 0"),
        (lambda x: nn.ReplicationPad1d(1.5), TypeError, "'ReplicationPad1d'.*1.5"),
        (lambda x: nn.ReplicationPad3d(1)(x[0, 0]), ValueError, "at least 3 dimensions"),
        (lambda x: ops.PadV3("wrap"), ValueError, "'mode'.*wrap"),
        (lambda x: ops.interpolate(x), ValueError, "cannot be both empty"),
        (lambda x: ops.interpolate(x, (2, 2), 2.0), ValueError, "simultaneously"),
        (lambda x: ops.interpolate(x, (2, 2, 2)), ValueError, "'size' must hold 2"),
        (lambda x: ops.interpolate(x, scale_factor=0.0), ValueError, "'scale_factor' must hold 2 numbers above 0"),
        (lambda x: ops.interpolate(x, (2, 2), mode="linear"), ValueError, "linear only supports"),
        (lambda x: ops.interpolate(x, (2, 2), mode="foo"), ValueError, "'mode' must be in.*foo"),
        (lambda x: ops.interpolate(x, (2, 2), align_corners=True), ValueError, "'align_corners' cannot be set"),
        (lambda x: ops.ResizeBilinearV2(True, True), ValueError, "cannot both be True"),
        (lambda x: ops.pixel_shuffle(x, 2), ValueError, "'upscale_factor' must be above 0 and divide"),
        (lambda x: ops.pixel_unshuffle(x, 1.5), TypeError, "'downscale_factor' must be an int"),
    ],
)
def test_refusals(call: Callable[..., Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        call(Tensor(IMAGES))
