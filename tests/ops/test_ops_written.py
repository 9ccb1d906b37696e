"""Losses, conversions, sums of products and random numbers that are written over several operators, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops
from mindspore.ops import functional as F  # noqa: N812 -- MindSpore's name
from mindspore.ops import operations as P  # noqa: N812
from tests.modes import Call, numeric_gradient, run

pytestmark = pytest.mark.compiler

X = np.array([[3.0, 4.0], [0.0, 0.0]], np.float32)
ODDS = np.array([[0.2, 0.9], [0.5, 0.0]], np.float32)
LABELS = np.array([[1.0, 0.0], [0.3, 1.0]], np.float32)


def array(values: Any) -> Any:
    return np.array(values, np.float32)


@pytest.mark.parametrize(
    ("function", "arrays", "wanted"),
    [
        (P.L2Normalize(axis=0), (X,), [[1, 1], [0, 0]]),
        (P.L2Normalize(axis=1), (X,), [[0.6, 0.8], [0, 0]]),
        (P.SigmoidCrossEntropyWithLogits(), (X, LABELS), [[0.04858735, 4.01815], [0.6931472, 0.6931472]]),
        (ops.binary_cross_entropy, (ODDS, LABELS), 8.059048),
        (lambda x, y: ops.binary_cross_entropy(x, y, Tensor([1.0, 2.0]), "none"), (ODDS, LABELS),
         [[1.609438, 4.60517], [0.6931472, 55.262042]]),
        (P.BinaryCrossEntropy(), (ODDS, LABELS, LABELS), 7.362101),
        (P.BinaryCrossEntropy("sum"), (ODDS, LABELS), 4 * 8.059048),
        (lambda x, y: ops.binary_cross_entropy_with_logits(x, y, reduction="none"), (X, LABELS),
         [[0.04858733, 4.01815], [0.6931472, 0.6931472]]),
        (ops.binary_cross_entropy_with_logits, (X, LABELS, array([[1, 2], [1, 1]]), array([2, 3])), 2.7785017),
        (P.BCEWithLogitsLoss("none"), (X, LABELS, X, X), [[0.437286, 16.0726], [0, 0]]),
        (P.SmoothL1Loss(0.5), (X, LABELS), [[1.75, 3.75], [0.09, 0.75]]),
        (lambda x, y: ops.smooth_l1_loss(x, y, 2.0, "mean"), (X, LABELS), 1.068125),
        (lambda x, y: ops.smooth_l1_loss(x, y, 0.0), (X, LABELS), abs(X - LABELS)),
        (lambda x, y: ops.huber_loss(x, y, "none", 2.0), (X, LABELS), [[2, 6], [0.045, 0.5]]),
        (lambda x, y: ops.soft_margin_loss(x, y, "none"), (X, np.sign(X - 3.5)), np.log1p(np.exp([[3, -4], [0, 0]]))),
        (ops.prelu, (array([[-1, 2], [3, -4]]), array([0.1, 0.5])), [[-0.1, 2], [3, -2]]),
        (ops.prelu, (np.full((1, 2, 2), -1, np.float32), array([0.1, 0.5])), [[[-0.1, -0.1], [-0.5, -0.5]]]),
        (ops.logsigmoid, (X - 300,), X - 300),
        (P.FloatStatus(), (X,), [0]),
        (P.FloatStatus(), (array([[3, np.inf], [0, 1]]),), [1]),
        (P.FloatStatus(), (array([1, np.nan]),), [1]),
        (ops.softsign, (X,), X / (1 + X)),
        (lambda x: x.nansum(0), (array([[1, np.nan], [2, 3]]),), [3, 3]),
        (lambda x: x.logsumexp(1), (X,), np.log(np.exp(X).sum(1))),
    ],
)  # fmt: skip
def test_values(mode: str, function: Callable[..., Any], arrays: tuple[Any, ...], wanted: Any) -> None:
    """The numbers are MindSpore's answers, or numpy's where it has no such operator for this device."""
    np.testing.assert_allclose(run(function, *arrays), wanted, rtol=3e-5, atol=1e-6)


@pytest.mark.parametrize(
    "function",
    [
        ops.binary_cross_entropy,
        lambda x, y: ops.binary_cross_entropy_with_logits(x, y, x * x, y),
        ops.smooth_l1_loss,
        ops.soft_margin_loss,
        lambda x, y: P.L2Normalize(1)(x) * y,
        lambda x, y: ops.einsum("ij,kj,ij->ki", x, y, y),
        lambda x, y: ops.dot(x, y),
    ],
)
def test_gradients(mode: str, function: Callable[..., Any]) -> None:
    arrays = np.array([[0.3, 0.8], [0.45, 0.6]]), np.array([[0.7, 0.2], [0.9, 0.15]])
    found = ops.grad(Call(function), tuple(range(len(arrays))))(*map(Tensor, arrays))
    for each, wanted in zip(found, numeric_gradient(function, *arrays), strict=True):
        np.testing.assert_allclose(each.asnumpy(), wanted, rtol=1e-5, atol=1e-7)


def test_a_half_precision_loss_stays_finite(mode: str) -> None:
    found = Call(ops.binary_cross_entropy)(Tensor([0.0, 1.0], ms.float16), Tensor([1.0, 1.0], ms.float16))
    assert found.dtype is ms.float16
    assert found.item() == pytest.approx(13.815, rel=1e-3)


@pytest.mark.parametrize(
    ("make", "dtype", "wanted"),
    [
        (lambda: F.tuple_to_array((1, 2, 3)), ms.int64, [1, 2, 3]),
        (lambda: F.tuple_to_array((1.5, 2)), ms.float32, [1.5, 2]),
        (lambda: F.scalar_to_array(3), ms.int64, 3),
        (lambda: F.scalar_to_array(2.5), ms.float32, 2.5),
        (lambda: F.scalar_to_tensor(3), ms.float32, 3),
        (lambda: F.scalar_to_tensor(3, ms.int32), ms.int32, 3),
        (lambda: P.ScalarToTensor()(2.5, ms.float16), ms.float16, 2.5),
        (lambda: F.fill(ms.int32, (2, 1), 7), ms.int32, [[7], [7]]),
        (lambda: F.tuple_to_array(F.make_range(1, 7, 2)), ms.int64, [1, 3, 5]),
    ],
)
def test_numbers_become_tensors(mode: str, make: Callable[[], Any], dtype: Any, wanted: Any) -> None:
    found = Call(make)()
    assert found.dtype is dtype
    np.testing.assert_array_equal(found.asnumpy(), wanted)


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ij->ji", (2, 3)), ("ba", (2, 3)), ("ij->", (2, 3)),
    ("ii->i", (3, 3)), ("ii", (3, 3)), ("iij->ji", (2, 2, 3)), ("i,j->ij", (2,), (3,)), ("i,i", (3,), (3,)),
    ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("...ij,...jk->...ik", (2, 3, 4), (2, 4, 5)),
    ("...ij,...jk->...ik", (2, 3, 4), (4, 5)), ("...ij,...jk", (2, 1, 3, 4), (5, 4, 3)), ("i...->...", (2, 3, 4)),
    ("bhqd,bhkd->bhqk", (2, 3, 4, 5), (2, 3, 6, 5)), ("bhqk,bhkd->bqhd", (2, 3, 4, 5), (2, 3, 5, 6)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 5)), ("ij,ij,j->i", (2, 3), (2, 3), (3,)), ("ijk,ilm,njm->nl", (2, 3, 4), (2, 3, 5), (4, 3, 5)),
    ("iii->i", (2, 2, 2)), ("ij,k->j", (2, 3), (4,)), ("a b , b -> a", (2, 3), (3,)), ("ij,jk->ik", (0, 3), (3, 4)),
]  # fmt: skip


@pytest.mark.parametrize("case", EQUATIONS, ids=lambda case: case[0])
def test_einsum(mode: str, case: Any) -> None:
    equation, *shapes = case
    draw = np.random.default_rng(len(equation))
    arrays = [draw.normal(size=shape) for shape in shapes]
    found = run(lambda *operands: ops.einsum(equation, *operands), *arrays)
    wanted = np.einsum(equation, *arrays)
    assert found.shape == wanted.shape
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-12)


def test_einsum_takes_a_tuple_and_has_a_class(mode: str) -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(run(lambda a: ops.einsum("ij,kj->ik", (a, a)), x), x @ x.T)
    np.testing.assert_array_equal(run(lambda a: P.Einsum("ij,kj->ik")((a, a)), x), x @ x.T)


@pytest.mark.parametrize(
    ("left", "right"), [((3,), (3,)), ((2, 3), (3,)), ((2, 3), (3, 4)), ((2, 3), (5, 3, 4)), ((3,), (5, 3, 4))]
)
def test_dot(mode: str, left: tuple[int, ...], right: tuple[int, ...]) -> None:
    draw = np.random.default_rng(3)
    one, other = draw.normal(size=left), draw.normal(size=right)
    np.testing.assert_allclose(run(lambda a, b: a.dot(b), one, other), np.dot(one, other), rtol=1e-12)


def test_baddbmm(mode: str) -> None:
    draw = np.random.default_rng(4)
    a, b, c = draw.normal(size=(2, 3, 4)), draw.normal(size=(2, 3, 5)), draw.normal(size=(2, 5, 4))
    np.testing.assert_allclose(run(lambda x, y, z: x.baddbmm(y, z, beta=2, alpha=0.5), a, b, c), 2 * a + 0.5 * (b @ c))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda x: ops.einsum("ij,jk->ik", x), ValueError, r"must name 1 operand.*'ij,jk->ik'"),
        (lambda x: ops.einsum("ijk->i", x), ValueError, r"'ijk' must name the dimensions of shape \(2, 2\)"),
        (lambda x: ops.einsum("i1->i", x), ValueError, "labels must be letters"),
        (lambda x: ops.einsum("ij->k", x), ValueError, "among those of the operands"),
        (lambda x: ops.einsum("ij,jk->ik", x, Tensor(np.ones((3, 2)))), ValueError, "'j' must have one size, not both 2 and 3"),
        (lambda x: ops.binary_cross_entropy(x, x[0]), ValueError, r"same shape, but got \(2, 2\) and \(2,\)"),
        (lambda x: ops.smooth_l1_loss(x, x, -1.0), ValueError, "'beta' must be >= 0, but got -1.0"),
        (lambda x: ops.huber_loss(x, x, delta=0.0), ValueError, "'delta' must be > 0, but got 0.0"),
        (lambda x: ops.soft_margin_loss(x, x, "max"), ValueError, "'reduction' must be in"),
        (lambda x: ops.prelu(x, Tensor([1.0, 2.0, 3.0])), ValueError, r"2 channels, but got shape \(3,\)"),
        (lambda x: ops.tuple_to_array([1]), TypeError, "must be a tuple of numbers"),
        (lambda x: ops.scalar_to_tensor(x), TypeError, "must be a number"),
        (lambda x: P.L2Normalize(axis=(0, 1))(x), TypeError, "length of 'axis' must be 1"),
    ],
)  # fmt: skip
def test_wrong_arguments_are_refused(mode: str, make: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Call(make)(Tensor(X))


def test_random_numbers_follow_the_seed_and_are_the_same_in_both_modes() -> None:
    drawn = []
    for mode in (ms.GRAPH_MODE, ms.PYNATIVE_MODE):
        ms.set_context(mode=mode)
        ms.set_seed(5)
        drawn.append(
            [run(lambda: ops.rand(2000)), run(lambda: ops.randn((50, 40))), run(lambda: P.StandardNormal(1)((3,)))]
        )
    for one, other in zip(*drawn, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-5)
    even, normal, _ = drawn[0]
    assert (even.min() >= 0, even.max() < 1, normal.shape) == (True, True, (50, 40))
    assert even.mean() == pytest.approx(0.5, abs=0.03)
    assert (normal.mean(), normal.std()) == (pytest.approx(0, abs=0.08), pytest.approx(1, abs=0.06))
    assert abs(normal).max() > 2.5


def test_random_numbers_in_the_likeness_of_a_tensor(mode: str) -> None:
    like = Tensor(np.zeros((2, 3)), ms.float16)
    assert [(t.shape, t.dtype) for t in (Call(ops.rand_like)(like), Call(ops.randn_like)(like))] == [
        ((2, 3), ms.float16)
    ] * 2
    first, second = (run(lambda: ops.rand(4, dtype=ms.float64)) for _ in range(2))
    assert first.dtype == np.float64
    assert (first != second).any()
    assert run(lambda: P.UniformReal(seed=3)((2, 2))).shape == (2, 2)
