"""Dropout of whole channels in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from tests.modes import Call

pytestmark = pytest.mark.compiler


@pytest.mark.parametrize(("layer", "rank"), [(nn.Dropout1d, 1), (nn.Dropout2d, 2), (nn.Dropout3d, 3)])
def test_whole_channels_are_dropped_in_training(mode: str, layer: Any, rank: int) -> None:
    ms.set_seed(1)
    x = Tensor(np.ones((20, 50, *(3,) * rank), np.float32))
    made = layer(0.4)
    assert made.set_train(False)(x).asnumpy().min() == 1
    found = made.set_train()(x).asnumpy().reshape(20, 50, -1)
    assert (found.min(-1) == found.max(-1)).all()
    np.testing.assert_allclose(np.unique(found), [0, 1 / 0.6], rtol=1e-6)
    assert (found[..., 0] == 0).mean() == pytest.approx(0.4, abs=0.06)
    assert (found != made(x).asnumpy().reshape(20, 50, -1)).any()


def test_gradients_pass_where_channels_do(mode: str) -> None:
    ms.set_seed(2)
    x = Tensor(np.ones((8, 6, 4), np.float32))
    value, slope = ops.value_and_grad(Call(lambda v: (ops.dropout1d(v) * v).sum()))(x)
    kept = slope.asnumpy()
    assert set(np.unique(kept)) == {0.0, 4.0}
    assert value.item() == pytest.approx(kept.sum() / 2)


def test_wrong_arguments_are_refused(mode: str) -> None:
    x = Tensor(np.ones((2, 3), np.float32))
    with pytest.raises(ValueError, match=r"'dropout2d', the input must have 4 dimensions, but got shape \(2, 3\)"):
        Call(ops.dropout2d)(x)
    with pytest.raises(ValueError, match=r"'dropout1d', the 'p' must be a number in \[0, 1\], but got 1.5"):
        Call(lambda v: ops.dropout1d(v, 1.5))(x)
    with pytest.raises(ValueError, match="'Dropout3d', the 'p' must be a number"):
        nn.Dropout3d(-0.1)
