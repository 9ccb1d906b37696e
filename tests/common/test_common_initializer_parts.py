"""What initializers of users are written with."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore.common import initializer as parts

pytestmark = pytest.mark.compiler


def test_fans_and_gains() -> None:
    assert parts._calculate_fan_in_and_fan_out((4, 3, 2, 2)) == (12, 16)
    assert [parts._calculate_correct_fan((4, 3), mode) for mode in ("fan_in", "fan_out")] == [3, 4]
    assert parts._calculate_gain("relu") == pytest.approx(2**0.5)
    assert parts._calculate_gain("leaky_relu", 0.1) == pytest.approx(1.4071950894605838)
    assert parts._calculate_gain("leaky_relu") == pytest.approx((2 / 1.0001) ** 0.5)


def test_an_initializer_of_a_user() -> None:
    class Ramp(parts.Initializer):
        def _initialize(self, arr: Any) -> None:
            parts._assignment(arr, np.arange(arr.size).reshape(arr.shape))

    made = parts.initializer(Ramp(), (2, 2), ms.float32)
    np.testing.assert_array_equal(made.asnumpy(), [[0, 1], [2, 3]])


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'mode' must be one of .* but got 'x'"):
        parts._calculate_correct_fan((4, 3), "x")
    with pytest.raises(ValueError, match=r"'nonlinearity' must be one of .* but got 'x'"):
        parts._calculate_gain("x")
    with pytest.raises(ValueError, match="'mode'"):
        parts.HeUniform(mode="x")
