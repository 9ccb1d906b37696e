"""Dropout: rates, scales and gradients, and that the numbers follow from the seed alone, in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.common.eager import function

pytestmark = pytest.mark.compiler
ONES = Tensor(np.ones((40, 50), np.float32))


def test_philox_gives_the_published_numbers() -> None:
    """Known answers for Philox 2x32 with 10 rounds: 0xff1dae59 for a counter and a key of zeros, 0x2c3f628b for all bits set."""
    draw, zero, ones = function("philox_uniform"), Tensor(0, ms.int64), Tensor(0xFFFFFFFF, ms.int64)
    assert draw(zero, zero, zero).item() == 0xFF1DAE / 2**24
    assert draw(ones, ones, ones).item() == 0x2C3F62 / 2**24


def test_uniform_numbers_are_uniform_and_do_not_repeat() -> None:
    draw = function("philox_uniform")
    first, second = (draw(Tensor(7, ms.int64), Tensor(n, ms.int64), Tensor(np.arange(20000))).asnumpy() for n in (0, 1))
    for numbers in (first, second):
        assert numbers.min() >= 0
        assert numbers.max() < 1
        counts = np.histogram(numbers, 16, (0, 1))[0]
        assert ((counts - 1250) ** 2 / 1250).sum() < 40
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.03
    assert abs(np.corrcoef(first[:-1], first[1:])[0, 1]) < 0.03


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Dropout(p=0.25), nn.Dropout(keep_prob=0.5)

    def construct(self, x: Any) -> Any:
        return self.second(self.first(x) + 1)


def draws() -> list[Any]:
    ms.set_seed(11)
    net = Net().set_train()
    gradient = ms.grad(lambda x: (net(x) * x).sum())
    return [net(ONES).asnumpy(), net(ONES).asnumpy(), gradient(ONES).asnumpy(), ops.Dropout(0.5)(ONES)[1].asnumpy()]


def test_both_modes_draw_the_same() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    eager = draws()
    ms.set_context(mode=ms.GRAPH_MODE)
    for found, wanted in zip(draws(), eager, strict=True):
        np.testing.assert_array_equal(found, wanted)
    assert (eager[0] != eager[1]).any()


def test_rates_and_scales(mode: str) -> None:
    ms.set_seed(1)
    layer = nn.Dropout(p=0.25)
    np.testing.assert_array_equal(layer(ONES).asnumpy(), ONES.asnumpy())
    layer.set_train()
    found = layer(ONES).asnumpy()
    assert set(np.unique(found)) == {np.float32(0), np.float32(1 / 0.75)}
    assert np.mean(found == 0) == pytest.approx(0.25, abs=0.03)
    out, mask = ops.Dropout(0.9)(ONES)
    assert mask.asnumpy().mean() == pytest.approx(0.9, abs=0.03)
    np.testing.assert_allclose(out.asnumpy(), mask.asnumpy() / 0.9, rtol=1e-6)
    np.testing.assert_array_equal(ops.dropout(ONES, 0.5, training=False).asnumpy(), ONES.asnumpy())
    assert not ops.dropout(ONES, 1.0).asnumpy().any()
    assert ops.dropout(ONES.astype(ms.float16)).dtype is ms.float16


def test_the_gradient_has_the_mask_of_the_forward_pass(mode: str) -> None:
    layer = nn.Dropout(p=0.5).set_train()
    value, gradient = ms.value_and_grad(lambda x: layer(x).sum())(ONES)
    found = gradient.asnumpy()
    assert set(np.unique(found)) == {0, 2}
    assert found.sum() == value.asnumpy()


def test_a_loop_draws_anew_in_each_turn(mode: str) -> None:
    class Looped(nn.Cell):
        def construct(self, x: Any, turns: Any) -> Any:
            i = turns * 0
            while i < turns:
                x = ops.dropout(x, 0.5)
                i = i + 1
            return x

    ms.set_seed(4)
    found = Looped()(ONES, Tensor(3, ms.int32)).asnumpy()
    assert set(np.unique(found)) == {0, 8}
    assert np.mean(found > 0) == pytest.approx(1 / 8, abs=0.03)


LOOSE: list[Any] = [1, "a"]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.Dropout(p=1.0), ValueError, r"'p' must be a number in range \[0, 1\)"),
        (lambda: nn.Dropout(p=-0.1), ValueError, "'p'"),
        (lambda: nn.Dropout(LOOSE[0]), TypeError, "'keep_prob' should be 'float'"),
        (lambda: nn.Dropout(0.0), ValueError, "'keep_prob'"),
        (lambda: ops.dropout(ONES, 1.5), ValueError, "'p'"),
        (lambda: ops.Dropout(0.0), ValueError, "'keep_prob'"),
    ],
)
def test_what_is_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
