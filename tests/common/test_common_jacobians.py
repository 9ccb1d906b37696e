"""``jacfwd`` and ``jacrev``: forms, orders and control flow, in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, ops

pytestmark = pytest.mark.compiler

X, Y = Tensor([1.0, 2.0, 3.0]), Tensor([4.0, 5.0, 6.0])
A = Tensor([[1.0, 2.0], [3.0, 4.0]])
BOTH = pytest.mark.parametrize("jacobian", [ms.jacfwd, ms.jacrev])


def product(x: Any, y: Any) -> Any:
    return x**2 * y


def pair(x: Any, y: Any) -> Any:
    return x * y, x.sum() + y


def with_more(x: Any, y: Any) -> Any:
    return x * y, x + 1, y


def diagonal(*values: float) -> list[list[float]]:
    found: list[list[float]] = np.diag(np.array(values)).tolist()
    return found


def lists(value: Any) -> Any:
    return tuple(lists(v) for v in value) if isinstance(value, tuple) else value.tolist()


@BOTH
def test_one_result(mode: str, jacobian: Any) -> None:
    assert jacobian(product)(X, Y).tolist() == diagonal(8, 20, 36)
    assert jacobian(product, 1)(X, Y).tolist() == diagonal(1, 4, 9)
    assert lists(jacobian(product, (0, 1))(X, Y)) == (diagonal(8, 20, 36), diagonal(1, 4, 9))
    assert jacobian(product, (1,))(X, Y).tolist() == diagonal(1, 4, 9)
    found = jacobian(lambda a: a * a)(A).asnumpy()
    np.testing.assert_allclose(found.reshape(4, 4), np.diag([2.0, 4.0, 6.0, 8.0]))


@BOTH
def test_shapes_that_differ(mode: str, jacobian: Any) -> None:
    a = Tensor(np.arange(6).reshape(2, 3).astype(np.float32))
    of_a, of_x = jacobian(lambda a, x: (a * x).sum(1), (0, 1))(a, X)
    assert of_a.shape == (2, 2, 3)
    np.testing.assert_allclose(
        of_a.asnumpy(), np.stack([np.stack([X.asnumpy() * (i == j) for j in range(2)]) for i in range(2)])
    )
    np.testing.assert_allclose(of_x.asnumpy(), a.asnumpy())


@BOTH
def test_several_results(mode: str, jacobian: Any) -> None:
    ones = [[1.0] * 3] * 3
    assert lists(jacobian(pair)(X, Y)) == (diagonal(4, 5, 6), ones)
    assert lists(jacobian(pair, (0, 1))(X, Y)) == ((diagonal(4, 5, 6), diagonal(1, 2, 3)), (ones, diagonal(1, 1, 1)))


@BOTH
def test_auxiliary_results(mode: str, jacobian: Any) -> None:
    found, aux = jacobian(with_more, has_aux=True)(X, Y)
    assert (lists(found), lists(aux)) == (diagonal(4, 5, 6), ([2, 3, 4], [4, 5, 6]))
    assert lists(jacobian(pair, has_aux=True)(X, Y)[1]) == [10, 11, 12]


def cubes(x: Any) -> Any:
    return (x**3).sum() + x[0] * x[1] * x[2]


@pytest.mark.parametrize("outer", [ms.jacfwd, ms.jacrev])
@pytest.mark.parametrize("inner", [ms.jacfwd, ms.jacrev, ms.grad])
def test_hessians_and_third_derivatives(mode: str, outer: Any, inner: Any) -> None:
    hessian = outer(inner(cubes))
    np.testing.assert_allclose(hessian(X).asnumpy(), [[6, 3, 2], [3, 12, 1], [2, 1, 18]], rtol=1e-6)
    third = outer(hessian)(X).asnumpy()
    wanted = np.zeros((3, 3, 3))
    for i, j, k in np.ndindex(3, 3, 3):
        wanted[i, j, k] = 6 if i == j == k else len({i, j, k}) == 3
    np.testing.assert_allclose(third, wanted, atol=1e-5)


def turning(x: Any, n: Any) -> Any:
    i = 0
    while i < n:
        x = ops.sin(x) * x.sum() if x.sum() < 2 else x * 0.5
        i = i + 1
    return x


@BOTH
@pytest.mark.parametrize("turns", [0, 3])
def test_through_loops(mode: str, jacobian: Any, turns: int) -> None:
    found = jacobian(turning)(X, Tensor(turns)).asnumpy()
    for k in range(3):
        row = ms.vjp(turning, X, Tensor(turns))[1](Tensor(np.eye(3, dtype=np.float32)[k]))[0]
        np.testing.assert_allclose(found[k], row.asnumpy(), rtol=1e-5, atol=1e-6)


@BOTH
def test_inside_compiled_functions(jacobian: Any) -> None:
    assert ms.jit(lambda x, y: jacobian(product, 1)(x, y))(X, Y).tolist() == diagonal(1, 4, 9)


@BOTH
def test_a_result_that_does_not_depend_on_the_argument(mode: str, jacobian: Any) -> None:
    assert jacobian(lambda x, y: y * 2)(X, Y).tolist() == diagonal(0, 0, 0)


@BOTH
def test_python_that_graphs_do_not_have(jacobian: Any) -> None:
    def data_dependent(x: Any) -> Any:
        while float(x.sum().asnumpy()) < 100:
            x = x * x
        return x

    assert jacobian(data_dependent)(X).tolist() == diagonal(8, 1024, 17496)


@BOTH
def test_state_is_written_once(mode: str, jacobian: Any) -> None:
    count = Parameter(Tensor(0.0), name="count")

    def counting(x: Any) -> Any:
        ops.assign_add(count, 1.0)
        return x * count

    assert jacobian(counting)(X).tolist() == diagonal(1, 1, 1)
    assert count.asnumpy() == 1


@BOTH
def test_what_does_not_fit_is_refused(mode: str, jacobian: Any) -> None:
    with pytest.raises(TypeError, match="The fn should be callable, but got int"):
        jacobian(3)
    with pytest.raises(TypeError, match="'grad_position' must be int or tuple of int, but got None"):
        jacobian(product, None)
    with pytest.raises(ValueError, match="must be different and not negative"):
        jacobian(product, (0, 0))
    with pytest.raises(IndexError, match="osition"):
        jacobian(product, 2)(X, Y)
    with pytest.raises(TypeError, match=r"Jacobian is of floating numbers, but the .* type Int64\[2\]"):
        jacobian(lambda x: x * x)(Tensor([1, 2]))
