"""Layers, losses and normalisations over several operators; the numbers are MindSpore's answers, or numpy's, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops

pytestmark = pytest.mark.compiler

X = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
ODDS = np.array([[0.2, 0.9], [0.5, 0.0]], np.float32)
LABELS = np.array([[1.0, 0.0], [0.3, 1.0]], np.float32)
SIGNED = np.array([[-1.0, 2.0], [3.0, -4.0]], np.float32)
IMAGE = np.arange(16, dtype=np.float32).reshape(1, 4, 2, 2)
WIDE = np.arange(24, dtype=np.float32).reshape(1, 2, 3, 4)


@pytest.mark.parametrize(
    ("make", "inputs", "wanted"),
    [
        (lambda: nn.Norm(), (X,), 5),
        (lambda: nn.Norm([1], True), (X,), [[5], [0]]),
        (lambda: nn.ClipByNorm(), (X, [1.0]), [[0.6, 0.8], [0, 0]]),
        (lambda: nn.ClipByNorm(axis=0), (X, [1.0]), [[1, 1], [0, 0]]),
        (lambda: nn.Range(1, 8, 2), (), [1, 3, 5, 7]),
        (lambda: nn.MatMul(False, True), (X, SIGNED), X @ SIGNED.T),
        (lambda: nn.MatMul(True, True), (IMAGE, [1.0, 2.0]), IMAGE.swapaxes(-1, -2) @ [1, 2]),
        (lambda: nn.Range(3), (), [0, 1, 2]),
        (lambda: nn.Range(1.0, 2.0, 0.5), (), [1, 1.5]),
        (lambda: nn.Tril(), (SIGNED,), np.tril(SIGNED)),
        (lambda: nn.Triu(), (SIGNED,), np.triu(SIGNED)),
        (lambda: nn.PReLU(2, 0.1), (SIGNED,), [[-0.1, 2], [3, -0.4]]),
        (lambda: nn.PReLU(2, [0.1, 0.2]), (SIGNED,), [[-0.1, 2], [3, -0.8]]),
        (lambda: nn.PReLU(), (SIGNED,), [[-0.25, 2], [3, -1]]),
        (lambda: nn.LogSigmoid(), (X,), [[-0.0485872, -0.01814979], [-0.693147, -0.693147]]),
        (lambda: nn.Softsign(), (SIGNED,), SIGNED / (1 + abs(SIGNED))),
        (lambda: nn.Pad(((1, 0), (0, 1))), (X,), np.pad(X, ((1, 0), (0, 1)))),
        (lambda: nn.Pad(((1, 0), (0, 1)), "REFLECT"), (X,), [[0, 0, 0], [3, 4, 3], [0, 0, 0]]),
        (lambda: nn.Pad(((1, 0), (0, 1)), "SYMMETRIC"), (X,), [[3, 4, 4], [3, 4, 4], [0, 0, 0]]),
        (lambda: nn.Pad(((0, 0), (0, 0), (2, 1), (1, 3)), "REFLECT"), (WIDE,),
         np.pad(WIDE, ((0, 0), (0, 0), (2, 1), (1, 3)), "reflect")),
        (lambda: nn.ZeroPad2d((1, 0, 0, 2)), (IMAGE,), np.pad(IMAGE, ((0, 0), (0, 0), (0, 2), (1, 0)))),
        (lambda: nn.ZeroPad2d((-1, 0, 0, 2)), (IMAGE,), np.pad(IMAGE[..., 1:], ((0, 0), (0, 0), (0, 2), (0, 0)))),
        (lambda: nn.ZeroPad2d((0, -1, -1, 0)), (IMAGE,), IMAGE[..., 1:, :-1]),
        (lambda: nn.ConstantPad2d(1, 3), (IMAGE,), np.pad(IMAGE, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=3)),
        (lambda: nn.BCELoss(), (ODDS, LABELS), 8.059048),
        (lambda: nn.BCELoss(Tensor([1.0, 2.0]), "none"), (ODDS, LABELS), [[1.609438, 4.60517], [0.6931472, 55.262042]]),
        (lambda: nn.BCEWithLogitsLoss("sum"), (X, LABELS), 0.04858733 + 4.01815 + 2 * 0.6931472),
        (lambda: nn.BCEWithLogitsLoss("none", Tensor(X), Tensor(X)), (X, LABELS), [[0.437286, 16.0726], [0, 0]]),
        (lambda: nn.SmoothL1Loss(), (X, LABELS), [[1.5, 3.5], [0.045, 0.5]]),
        (lambda: nn.HuberLoss("none", 2.0), (X, LABELS), [[2, 6], [0.045, 0.5]]),
        (lambda: nn.SoftMarginLoss(), (SIGNED, np.sign(SIGNED)), np.log1p(np.exp(-abs(SIGNED))).mean()),
        (lambda: nn.DiceLoss(), (ODDS, LABELS), 0.7805649),
        (lambda: nn.WithEvalCell(nn.ReLU(), nn.MSELoss()), (SIGNED, X), (9 + 4 + 9) / 4),
    ],
)  # fmt: skip
def test_values(mode: str, make: Callable[[], nn.Cell], inputs: Any, wanted: Any) -> None:
    found = make()(*[Tensor(np.array(each, np.float32)) for each in inputs])
    first = found[0] if isinstance(found, tuple) else found
    assert first.shape == np.shape(wanted)
    np.testing.assert_allclose(first.asnumpy(), wanted, rtol=2e-5, atol=1e-6)


def test_one_hot(mode: str) -> None:
    rows = nn.OneHot(depth=3)(Tensor([0, 2]))
    columns = nn.OneHot(0, 3, 2.0, 1.0, ms.int32)(Tensor([0, 2], ms.int32))
    np.testing.assert_array_equal(rows.asnumpy(), [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(columns.asnumpy(), [[2, 1], [1, 1], [1, 2]])
    assert (rows.dtype, columns.dtype) == (ms.float32, ms.int32)


def test_triangles_take_a_diagonal(mode: str) -> None:
    np.testing.assert_array_equal(nn.Tril()(Tensor(SIGNED), -1).asnumpy(), np.tril(SIGNED, -1))
    np.testing.assert_array_equal(nn.Triu()(Tensor(SIGNED), 1).asnumpy(), np.triu(SIGNED, 1))


def test_ranges_have_mindspores_types() -> None:
    assert [nn.Range(*numbers)().dtype for numbers in ((3,), (0, 3), (0, 3.0), (0, 1, 0.5))] == [
        ms.int32, ms.int32, ms.float32, ms.float32,
    ]  # fmt: skip


def normalised(x: Any, groups: int) -> Any:
    rows = x.reshape(x.shape[0], groups, -1)
    return ((rows - rows.mean(-1, keepdims=True)) / np.sqrt(rows.var(-1, keepdims=True) + 1e-5)).reshape(x.shape)


def test_groups_of_channels(mode: str) -> None:
    x = np.random.default_rng(0).normal(size=(2, 4, 3, 2)).astype(np.float32)
    scale, shift = np.array([1, 2, 3, 4], np.float32), np.array([0, 1, 0, -1], np.float32)
    norm = nn.GroupNorm(2, 4, gamma_init=Tensor(scale), beta_init=Tensor(shift))
    wanted = normalised(x, 2) * scale[:, None, None] + shift[:, None, None]
    np.testing.assert_allclose(norm(Tensor(x)).asnumpy(), wanted, rtol=2e-5, atol=1e-5)
    assert [p.name for p in norm.trainable_params()] == ["gamma", "beta"]
    assert nn.GroupNorm(2, 4, affine=False).trainable_params() == []
    first = nn.GroupNorm(2, 4)(Tensor(IMAGE)).asnumpy().ravel()[:2]
    np.testing.assert_allclose(first, [-1.5275238, -1.0910884], rtol=1e-5)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(nn.InstanceNorm1d, (2, 3, 5)), (nn.InstanceNorm2d, (2, 3, 2, 4)), (nn.InstanceNorm3d, (2, 3, 2, 2, 2))],
)
def test_single_channels(mode: str, layer: Any, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(1).normal(size=shape).astype(np.float32)
    np.testing.assert_allclose(layer(3)(Tensor(x)).asnumpy(), normalised(x, 3), rtol=2e-5, atol=1e-5)


def test_gradients_reach_inputs_and_parameters(mode: str) -> None:
    norm, slopes = nn.GroupNorm(1, 2), nn.PReLU(2)
    x = Tensor([[[1.0, 2.0], [-3.0, 0.5]]])

    def loss(x: Any) -> Any:
        return (slopes(norm(x)) * Tensor([[[1.0, 2.0], [3.0, 4.0]]])).sum()

    weights = [*norm.trainable_params(), *slopes.trainable_params()]
    inputs, parameters = ops.grad(loss, 0, weights)(x)
    step = 1e-2
    for place in np.ndindex(1, 2, 2):
        moved = [x.asnumpy().copy() for _ in range(2)]
        moved[0][place] += step
        moved[1][place] -= step
        slope = (loss(Tensor(moved[0])).item() - loss(Tensor(moved[1])).item()) / (2 * step)
        assert inputs.asnumpy()[place] == pytest.approx(slope, abs=5e-3)
    np.testing.assert_allclose(parameters[1].asnumpy(), [3, 0.25 * 3 + 4], rtol=1e-5)
    assert parameters[2].asnumpy()[1] == pytest.approx(3 * normalised(x.asnumpy(), 1)[0, 1, 0], rel=1e-4)


def test_evaluation_gives_loss_outputs_and_labels(mode: str) -> None:
    half = Tensor(SIGNED, ms.float16)
    loss, outputs, label = nn.WithEvalCell(nn.ReLU(), nn.MSELoss(), add_cast_fp32=True)(half, half)
    assert [t.dtype for t in (loss, outputs, label)] == [ms.float32] * 3
    np.testing.assert_array_equal(outputs.asnumpy(), np.maximum(SIGNED, 0))
    assert loss.item() == pytest.approx((1 + 16) / 4)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.GroupNorm(3, 4), ValueError, "'num_channels': 4, 'num_groups': 3"),
        (lambda: nn.GroupNorm(2, 4)(Tensor(X)), ValueError, r"dimension 1 of the input must be 4, but got shape \(2, 2\)"),
        (lambda: nn.InstanceNorm2d(0), ValueError, "'num_features' must be int and must > 0"),
        (lambda: nn.InstanceNorm2d(2)(Tensor(X)), ValueError, r"must have 4 dimensions, but got shape \(2, 2\)"),
        (lambda: nn.Pad(((1, 0),), "foo"), ValueError, "'mode' must be in.*but got foo"),
        (lambda: nn.Pad([(0, 0)]), TypeError, "'paddings' must be tuple, but got list"),
        (lambda: nn.Pad(((0,),)), ValueError, r"must be \(n, 2\), but got \(\(0,\),\)"),
        (lambda: nn.Pad(((-1, 0),)), ValueError, "must be >= 0, but got"),
        (lambda: nn.Pad(((0, 0),))(Tensor(X)), ValueError, r"rank of the input, but got \(\(0, 0\),\) and shape"),
        (lambda: nn.Pad(((0, 0), (2, 0)), "REFLECT")(Tensor(X)), ValueError, "dimension 1 of size 2 takes at most 1 elements"),
        (lambda: nn.Pad(((0, 0), (3, 0)), "SYMMETRIC")(Tensor(X)), ValueError, "takes at most 2 elements"),
        (lambda: nn.ZeroPad2d((1, 2, 3)), ValueError, r"must hold 2 or 4 sizes, but got \(1, 2, 3\)"),
        (lambda: nn.ZeroPad2d("1"), TypeError, "'ZeroPad2d', the 'padding' must be an int or a tuple of ints"),
        (lambda: nn.ZeroPad2d((-5, 0, 0, 0))(Tensor(IMAGE)), ValueError, "5 cannot be cut off dimension 3"),
        (lambda: nn.PReLU(0), ValueError, "'channel' must be int and must > 0, but got '0'"),
        (lambda: nn.PReLU(2, [0.1]), ValueError, r"'w' must hold 2 number\(s\), but got shape \(1,\)"),
        (lambda: nn.PReLU(1, "a"), TypeError, "'w' must be a number, list or Tensor, but got str"),
        (lambda: nn.ClipByNorm()(Tensor(X), 1.0), TypeError, "both inputs must be tensors"),
        (lambda: nn.Range(0, 3, 0), ValueError, "'delta' must not be 0"),
        (lambda: nn.DiceLoss(0.0), ValueError, "'smooth' must be > 0"),
        (lambda: nn.DiceLoss()(Tensor(X), Tensor([1.0])), ValueError, r"same shape, but got \(2, 2\) and \(1,\)"),
        (lambda: nn.BCELoss(reduction="x"), ValueError, "'reduction' must be in"),
    ],
)  # fmt: skip
def test_wrong_layers_are_refused(mode: str, make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
