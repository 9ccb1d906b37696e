"""``jet``, ``derivative``, and the products with Jacobians as Cells, against derivatives written down and composed gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops

pytestmark = pytest.mark.compiler

X, Y = Tensor([1.0, 2.0]), Tensor([3.0, 4.0])


def wave(x: Any) -> Any:
    return ops.exp(ops.sin(x))


def product(x: Any, y: Any) -> Any:
    return x * y


def powers(x: Any) -> Any:
    return x * x, x * x * x


def close(found: Any, wanted: Any) -> None:
    np.testing.assert_allclose(found.asnumpy(), np.array(wanted, np.float32), rtol=2e-5)


@pytest.mark.parametrize("order", [1, 2, 3])
def test_derivatives_of_each_order(mode: str, order: int) -> None:
    value, found = ops.derivative(wave, X, order)
    gradient = wave
    for _ in range(order):
        gradient = ms.grad(gradient)
    close(value, wave(X).asnumpy())
    close(found, gradient(X).asnumpy())


def test_derivatives_along_a_path(mode: str) -> None:
    value, found = ops.jet(wave, X, Tensor([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))
    close(value, wave(X).asnumpy())
    close(found, [[1.25338078, -1.03311694], [1.23194110, -3.89370728], [-7.94031668, -10.3917561]])
    _, found = ops.jet(product, (X, Y), (Tensor([[1.0, 1.0], [2.0, 2.0]]), Tensor([[1.0, 1.0], [0.0, 0.0]])))
    close(found, [[4, 6], [8, 10]])


def test_several_arguments_and_results(mode: str) -> None:
    assert [v.tolist() for v in ops.derivative(product, (X, Y), 2)] == [[3, 8], [2, 2]]
    value, found = ops.derivative(powers, X, 2)
    assert [v.tolist() for v in (*value, *found)] == [[1, 4], [1, 8], [2, 2], [6, 12]]
    value, found = ops.jet(powers, X, Tensor([[1.0, 1.0], [0.0, 0.0]]))
    assert [v.tolist() for v in found] == [[[2, 4], [2, 2]], [[3, 12], [6, 12]]]


def until(x: Any) -> Any:
    while x.sum() < 100:
        x = x * x
    return x


def test_through_loops(mode: str) -> None:
    close(ops.derivative(until, Tensor([2.0, 3.0]), 2)[1], [56 * 2.0**6, 56 * 3.0**6])


def test_what_does_not_fit_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="value of order should not be less than 1, but got 0"):
        ops.derivative(wave, X, 0)
    with pytest.raises(TypeError, match="the type of order must be int, but got str"):
        ops.derivative(wave, X, "a")
    with pytest.raises(TypeError, match="'primals' must be a Tensor or a tuple, but got int"):
        ops.derivative(wave, 3, 1)
    with pytest.raises(TypeError, match="'primals' and `series` must be both Tensor or tuple"):
        ops.jet(wave, X, 3)
    with pytest.raises(ValueError, match=r"In series, the shape of each element must be the same"):
        ops.jet(wave, X, Tensor([[1.0, 1.0, 1.0]]))
    with pytest.raises(TypeError, match="The fn should be callable, but got int"):
        ops.derivative(3, X, 1)


def test_products_with_jacobians_as_cells(mode: str) -> None:
    value, tangent = nn.Jvp(product)(X, Y, (X, Y))
    assert [value.tolist(), tangent.tolist()] == [[3, 8], [6, 16]]
    assert nn.Jvp(lambda x: x * x)(X, Y)[1].tolist() == [6, 16]
    value, (of_x, of_y) = nn.Vjp(product)(X, Y, X)
    assert [v.tolist() for v in (value, of_x, of_y)] == [[3, 8], [3, 8], [1, 4]]
    _, gradient = nn.Vjp(powers)(X, (X, Y))
    assert gradient.tolist() == [2 + 9, 8 + 48]
