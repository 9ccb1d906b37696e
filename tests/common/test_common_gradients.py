"""``grad``, ``value_and_grad`` and ``GradOperation``: the same results in both modes, held against finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler

X = Tensor([1.0, 2.0])
Y = Tensor([3.0, 4.0])


def product(x: Any, y: Any) -> Any:
    return x * y * W


def two_results(x: Any) -> Any:
    return (x * x).sum(), x + 1


W = Parameter(Tensor([5.0, 6.0]), name="w")


def lists(value: Any) -> Any:
    return tuple(lists(v) for v in value) if isinstance(value, tuple) else value.tolist()


GX, GY, GW = [15.0, 24.0], [5.0, 12.0], [3.0, 8.0]
VALUE = [15.0, 48.0]


@pytest.mark.parametrize(
    ("position", "weights", "wanted"),
    [
        (0, None, GX),
        ((0, 1), None, (GX, GY)),
        ((0,), None, GX),
        (1, None, GY),
        (None, W, GW),
        (None, [W], (GW,)),
        (0, W, (GX, GW)),
        (0, [W], (GX, (GW,))),
        ((0, 1), ParameterTuple([W]), ((GX, GY), (GW,))),
    ],
)
def test_the_form_of_the_result(mode: str, position: Any, weights: Any, wanted: Any) -> None:
    assert lists(ms.grad(product, position, weights)(X, Y)) == wanted
    assert lists(ms.value_and_grad(product, position, weights)(X, Y)) == (VALUE, wanted)


def test_several_results_are_summed(mode: str) -> None:
    assert lists(ms.value_and_grad(two_results)(X)) == ((5.0, [2.0, 3.0]), [3.0, 5.0])


def test_auxiliary_results_are_handed_on(mode: str) -> None:
    assert lists(ms.grad(two_results, has_aux=True)(X)) == ([2.0, 4.0], ([2.0, 3.0],))
    assert lists(ms.value_and_grad(two_results, has_aux=True)(X)) == ((5.0, [2.0, 3.0]), [2.0, 4.0])


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor([5.0, 6.0]), name="w")

    def construct(self, x: Any, y: Any) -> Any:
        return x * y * self.w


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, GX),
        ({"get_all": True}, (GX, GY)),
        ({"get_by_list": True}, (GW,)),
        ({"get_all": True, "get_by_list": True}, ((GX, GY), (GW,))),
    ],
)
def test_grad_operation(mode: str, options: dict[str, bool], wanted: Any) -> None:
    net = Net()
    weights = ParameterTuple(net.trainable_params())
    make = ops.GradOperation(**options)
    if "get_by_list" in options:
        assert lists(make(net, weights)(X, Y)) == wanted
    assert lists(make(net)(X, Y)) == wanted


def test_the_cotangent_is_the_last_argument(mode: str) -> None:
    sens = Tensor([1.0, 10.0])
    assert lists(ops.GradOperation(sens_param=True)(Net())(X, Y, sens)) == [15.0, 240.0]
    assert lists(ms.grad(product, (0, 1), sens_param=True)(X, Y, sens)) == ([15.0, 240.0], [5.0, 120.0])


def test_a_cotangent_of_another_shape_is_refused(mode: str) -> None:
    with pytest.raises(ValueError, match="sens"):
        ops.GradOperation(sens_param=True)(Net())(X, Y, Tensor([1.0]))


class GradInside(nn.Cell):
    """The gradient taken inside of a Cell, as MindSpore's tutorials do."""

    def __init__(self, net: nn.Cell) -> None:
        super().__init__()
        self.net = net
        self.weights = ParameterTuple(net.trainable_params())
        self.make = ops.GradOperation(get_by_list=True)

    def construct(self, x: Any, y: Any) -> Any:
        return self.make(self.net, self.weights)(x, y), ms.grad(self.net, 1)(x, y)


def test_gradients_inside_of_a_cell(mode: str) -> None:
    assert lists(GradInside(Net())(X, Y)) == ((GW,), GY)


def local_function(x: Any) -> Any:
    def scaled(a: Any) -> Any:
        return (a * x).sum()

    return ms.grad(scaled)(x)


def test_gradients_of_a_local_function_see_its_closure_as_constant(mode: str) -> None:
    assert ms.jit(local_function)(X).tolist() == [1.0, 2.0]


def cube(x: Any) -> Any:
    return x * x * x


def second(x: Any) -> Any:
    return ms.grad(cube)(x)


def third(x: Any) -> Any:
    return ms.grad(second)(x)


def test_higher_orders(mode: str) -> None:
    assert ms.grad(cube)(X).tolist() == [3.0, 12.0]
    assert ms.grad(ms.grad(cube))(X).tolist() == [6.0, 12.0]
    assert ms.grad(second)(X).tolist() == [6.0, 12.0]
    assert ms.grad(third)(X).tolist() == [6.0, 6.0]


def with_constant(x: Any) -> Any:
    return ops.stop_gradient(x * x) * x


def constant(x: Any) -> Any:
    return Tensor([1.0, 2.0])


def test_what_does_not_depend_has_gradient_zero(mode: str) -> None:
    assert ms.grad(with_constant)(X).tolist() == [1.0, 4.0]
    assert ms.grad(constant)(X).tolist() == [0.0, 0.0]
    found = ms.grad(lambda x: cube(x > 2).astype(ms.float32))(Tensor([2, 3]))  # a bool has none
    assert found.tolist() == [0, 0]


def powers(x: Any, n: Any) -> Any:
    y = x
    while n > 0:
        y = y * x
        n = n - 1
    return y * 2 if y > 10 else y


def test_gradients_of_integers_follow_the_same_rules(mode: str) -> None:
    assert ms.grad(cube)(Tensor([2, 3])).tolist() == [12, 27]
    assert lists(ms.grad(powers, (0, 1))(Tensor(3), Tensor(2))) == (54, 0)
    assert ms.grad(ms.grad(powers))(Tensor(3), Tensor(2)).tolist() == 36
    found = ms.grad(lambda x: x.astype(ms.float32) * 2.5)(Tensor([2, 3]))
    assert found.dtype is ms.int64
    assert found.tolist() == [2, 2]
    with_sens = ops.GradOperation(sens_param=True)(cube)
    assert with_sens(Tensor([2, 3]), Tensor([1, 10])).tolist() == [12, 270]
    assert ms.grad(ops.square)(Tensor([2, 3], ms.int16)).tolist() == [4, 6]
    counted = Parameter(Tensor(4), name="counted")
    assert ms.grad(lambda x: x * counted * counted, None, counted)(Tensor(3)).tolist() == 24


def test_no_gradient_passes_from_an_integer_to_a_float(mode: str) -> None:
    assert ms.grad(lambda x: x.astype(ms.int32) * x)(X).tolist() == [1.0, 2.0]


def mixed(x: Any) -> Any:
    return (x + Tensor([1, 2], ms.int32)) * Tensor(2.0, ms.float64)


def test_gradients_have_the_type_of_the_argument(mode: str) -> None:
    found = ms.grad(mixed)(X)
    assert found.dtype is ms.float32
    assert found.tolist() == [2.0, 2.0]
    half = ms.grad(cube)(Tensor([2.0], ms.float16))
    assert half.dtype is ms.float16
    assert half.tolist() == [12.0]


def other(x: Any, y: Any) -> Any:
    return x * y


def test_the_same_tensor_twice_is_two_arguments(mode: str) -> None:
    assert lists(ms.grad(other, (0, 1))(X, X)) == ([1.0, 2.0], [1.0, 2.0])


def captured(y: Any) -> Any:
    return X * y


def test_a_captured_tensor_is_not_the_argument(mode: str) -> None:
    assert ms.grad(captured)(X).tolist() == [1.0, 2.0]


def keyword(x: Any, k: float = 2.0) -> Any:
    return x * k


def test_keyword_arguments_are_handed_on(mode: str) -> None:
    assert ms.grad(keyword)(X, k=3.0).tolist() == [3.0, 3.0]


def matrix(x: Any) -> Any:
    return ops.softmax(x @ x.T, -1).mean(axis=0) * x[:, 0]


def pieces(x: Any) -> Any:
    first, rest = x.split([1, 2], axis=1)
    return ops.concat((rest, first), 1) * ops.stack([x[0], x[1]]) + x[:, ::-1].exp()


def folded(x: Any) -> Any:
    return x.max(axis=1) * x.var() + x.prod(axis=1) / x.sum().abs()


def losses(x: Any) -> Any:
    return ops.cross_entropy(x, Tensor([2, 0], ms.int32)) + ops.mse_loss(x, x.sigmoid()) + ops.gelu(x).sum()


def branches(x: Any) -> Any:
    return ops.where(x > 0, x.sqrt(), x * x) + ops.clamp(x, 0.5, 2.0) + ops.leaky_relu(x - 1)


def written(x: Any) -> Any:
    return x.reshape(3, 2).transpose(1, 0).tile((2, 1)).broadcast_to((2, 4, 3)).sum(axis=0) ** 2


@pytest.mark.parametrize("function", [matrix, pieces, folded, losses, branches, written])
def test_gradients_are_finite_differences(mode: str, function: Callable[..., Any]) -> None:
    x = np.array([[0.3, 1.7, 0.9], [1.1, 2.3, 0.2]])
    found = ms.grad(function)(Tensor(x)).asnumpy()
    np.testing.assert_allclose(found, numeric_gradient(function, x)[0], rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("function", [matrix, pieces, losses, branches])
def test_second_gradients_are_differences_of_first(mode: str, function: Callable[..., Any]) -> None:
    first = ms.grad(function)
    x = np.array([[0.3, 1.7, 0.9], [1.1, 2.3, 0.2]])
    found = ms.grad(first)(Tensor(x)).asnumpy()
    np.testing.assert_allclose(found, numeric_gradient(first, x)[0], rtol=1e-4, atol=1e-6)


def test_the_jit_function_is_differentiated(mode: str) -> None:
    assert ms.grad(ms.jit(cube))(X).tolist() == [3.0, 12.0]
    assert ms.grad(lambda_of_jit)(X).tolist() == [3.0, 12.0]


compiled_cube = ms.jit(cube)


def lambda_of_jit(x: Any) -> Any:
    return compiled_cube(x)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ms.grad(cube, None), ValueError, "can not be None"),
        (lambda: ms.grad(cube, "a"), TypeError, "'a'"),
        (lambda: ms.grad(cube, -1), ValueError, "-1"),
        (lambda: ms.grad(cube, (0, 0)), ValueError, "different"),
        (lambda: ms.grad(3), TypeError, "int"),
        (lambda: ms.grad(cube, 0, [X]), TypeError, "Parameters"),
        (lambda: ms.grad(cube, has_aux=1), TypeError, "has_aux"),
        (lambda: ops.GradOperation(get_all=1), TypeError, "get_all"),  # type: ignore[arg-type]
        (lambda: ops.GradOperation(get_by_list=True)(cube)(X), TypeError, "no Cell"),
        (lambda: ms.grad(cube, 3)(X), IndexError, "3"),
        (lambda: ms.grad(keyword, 1)(X, "a"), TypeError, "position"),
    ],
)
def test_wrong_requests_are_refused(mode: str, make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_no_position_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one argument"):
        ms.grad(lambda x: x, ())


def test_auxiliary_results_need_a_tuple(mode: str) -> None:
    with pytest.raises(TypeError, match="has_aux=True needs a function that returns a tuple"):
        ms.grad(lambda x: x * x, has_aux=True)(Tensor([1.0, 2.0]))
