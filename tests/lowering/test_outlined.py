"""Functions outside of loops keep their operands, also one that all their calls give alike."""

from __future__ import annotations

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops

pytestmark = pytest.mark.compiler


@pytest.mark.parametrize("exponent", [2.0, 2.5, -0.3])
@pytest.mark.parametrize("size", [1, 7, 64, 1000])
def test_a_power_by_a_constant(exponent: float, size: int) -> None:
    @ms.jit
    def f(x: Tensor) -> Tensor:
        return ops.pow(x, exponent) + 1.0

    x = np.linspace(0.1, 9.0, size, dtype=np.float32)
    np.testing.assert_allclose(f(Tensor(x)).asnumpy(), x.astype(np.float64) ** exponent + 1, rtol=3e-7)


def test_a_constant_by_a_power() -> None:
    @ms.jit
    def f(x: Tensor) -> Tensor:
        return ops.pow(3.0, x)

    x = np.linspace(-9.0, 9.0, 100, dtype=np.float32)
    np.testing.assert_allclose(f(Tensor(x)).asnumpy(), 3.0 ** x.astype(np.float64), rtol=3e-7)


def test_a_power_beside_a_fold() -> None:
    """LLVM sees that all calls give one exponent, and would leave it out of the function that stands for its vector forms."""

    @ms.jit
    def f(x: Tensor) -> tuple[Tensor, ...]:
        return x.pow(2), x.floor(), x.softmax(-1), x.masked_fill(x > 0, 9.0)

    x = np.linspace(-2, 3, 24, dtype=np.float32).reshape(2, 3, 4)
    np.testing.assert_allclose(f(Tensor(x))[0].asnumpy(), x.astype(np.float64) ** 2, rtol=3e-7)
