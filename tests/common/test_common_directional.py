"""``jvp`` and ``vjp``: forms of the result, orders and control flow, in both modes; ids of gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

pytestmark = pytest.mark.compiler

X, Y = Tensor([1.0, 2.0, 3.0]), Tensor([4.0, 5.0, 6.0])
ONES = Tensor([1.0, 1.0, 1.0])


def product(x: Any, y: Any) -> Any:
    return x**2 * y


def pair(x: Any, y: Any) -> Any:
    return x * y, x + y


def with_more(x: Any, y: Any) -> Any:
    return x * y, x + 1, y


def fourth(x: Any) -> Any:
    return x**4


def turning(x: Any, n: Any) -> Any:
    i = 0
    while i < n:
        x = ops.sin(x) * 1.1
        i = i + 1
    return x


def lists(value: Any) -> Any:
    return tuple(lists(v) for v in value) if isinstance(value, tuple) else value.tolist()


def test_jvp_gives_value_and_tangent_in_the_form_of_the_value(mode: str) -> None:
    assert lists(ms.jvp(product, (X, Y), (X, Y))) == ([4, 20, 54], [12, 60, 162])
    assert lists(ops.jvp(fourth, X, ONES)) == ([1, 16, 81], [4, 32, 108])
    assert lists(ms.jvp(pair, [X, Y], [X, Y])) == (([4, 10, 18], [5, 7, 9]), ([8, 20, 36], [5, 7, 9]))


def test_auxiliary_results_come_back_as_they_are(mode: str) -> None:
    value, tangent, aux = ms.jvp(with_more, (X, Y), (X, Y), has_aux=True)
    assert lists((value, tangent, *aux)) == ([4, 10, 18], [8, 20, 36], [2, 3, 4], [4, 5, 6])
    value, vjp_fn, aux = ms.vjp(with_more, X, Y, has_aux=True)
    assert lists((value, *vjp_fn(X), *aux)) == ([4, 10, 18], [4, 10, 18], [1, 4, 9], [2, 3, 4], [4, 5, 6])
    assert lists(ms.jvp(pair, (X, Y), (X, Y), has_aux=True)[2]) == [5, 7, 9]


def test_vjp_gives_a_function_that_may_be_called_again(mode: str) -> None:
    value, vjp_fn = ms.vjp(product, X, Y)
    assert lists((value, vjp_fn(X), vjp_fn(Y))) == (
        [4, 20, 54],
        ([8, 40, 108], [1, 8, 27]),
        ([32, 100, 216], [4, 20, 54]),
    )
    _, vjp_fn = ms.vjp(pair, X, Y)
    assert lists(vjp_fn(X, Y)) == lists(vjp_fn((X, Y))) == ([8, 15, 24], [5, 9, 15])


def test_vjp_differentiates_for_weights_beside_the_inputs(mode: str) -> None:
    net = nn.Dense(3, 2, weight_init="ones", bias_init="zeros")
    unread = Parameter(ONES, name="unread")
    _, vjp_fn = ms.vjp(net, X.reshape(1, 3), weights=[*net.trainable_params(), unread])
    (of_x,), (of_weight, of_bias, of_unread) = vjp_fn(Tensor([[1.0, 10.0]]))
    assert of_x.tolist() == [[11, 11, 11]]
    assert of_weight.tolist() == [[1, 2, 3], [10, 20, 30]]
    assert of_bias.tolist() == [1, 10]
    assert of_unread.tolist() == [0, 0, 0]
    assert lists(ms.vjp(net, X.reshape(1, 3), weights=net.bias)[1](Tensor([[1.0, 10.0]]))[1]) == [1, 10]


@pytest.mark.parametrize("turns", [0, 1, 4])
def test_both_pass_through_a_loop_of_run_time_length(mode: str, turns: int) -> None:
    n = Tensor(turns)
    _, tangent = ms.jvp(turning, (X, n), (ONES, n))
    _, vjp_fn = ms.vjp(turning, X, n)
    np.testing.assert_allclose(tangent.asnumpy(), ms.grad(turning)(X, n).asnumpy(), rtol=1e-5)
    np.testing.assert_allclose(vjp_fn(ONES)[0].asnumpy(), tangent.asnumpy(), rtol=1e-5)


def first(x: Any) -> Any:
    return ms.jvp(fourth, x, ops.ones_like(x))[1]


def second(x: Any) -> Any:
    return ops.jvp(first, x, ops.ones_like(x))[1]


def first_back(x: Any) -> Any:
    _, vjp_fn = ms.vjp(fourth, x)
    return vjp_fn(ops.ones_like(x))[0]


def second_back(x: Any) -> Any:
    _, vjp_fn = ops.vjp(first_back, x)
    return vjp_fn(ops.ones_like(x))[0]


def mixed(x: Any) -> Any:
    return ms.jvp(first_back, x, ops.ones_like(x))[1]


@pytest.mark.parametrize(
    "function", [second, second_back, mixed, lambda x: ms.grad(first)(x), lambda x: ms.grad(first_back)(x)]
)
def test_second_and_third_order(mode: str, function: Any) -> None:
    assert function(X).tolist() == [12, 48, 108]
    assert ms.grad(function)(X).tolist() == [24, 48, 72]
    assert ms.jit(function)(X).tolist() == [12, 48, 108]


@ms.jit
def in_a_graph(x: Any, y: Any, flag: Any) -> Any:
    value, vjp_fn = ms.vjp(product, x, y)
    gradients = vjp_fn(x) if flag else vjp_fn(y)
    return value, gradients, vjp_fn(x)[1], ms.jvp(product, (x, y), (y, x))[1]


def test_inside_compiled_functions_and_branches() -> None:
    found = lists(in_a_graph(X, Y, Tensor(False)))
    assert found == ([4, 20, 54], ([32, 100, 216], [4, 20, 54]), [1, 8, 27], [33, 108, 243])


def test_python_that_graphs_do_not_have() -> None:
    def data_dependent(x: Any) -> Any:
        while float(x.sum().asnumpy()) < 100:
            x = x * x
        return x

    assert (
        ms.jvp(data_dependent, X, ONES)[1].tolist()
        == ms.vjp(data_dependent, X)[1](ONES)[0].tolist()
        == [8, 1024, 17496]
    )


def test_a_pulled_back_function_is_differentiated_for_its_cotangent(mode: str) -> None:
    _, vjp_fn = ms.vjp(product, X, Y)
    assert ms.grad(lambda s: vjp_fn(s)[0].sum())(X).tolist() == [8, 20, 36]
    in_graph: Any = ms.jit(lambda s: vjp_fn(s)[1])
    if mode == "graph":
        assert in_graph(X).tolist() == [1, 8, 27]
    else:
        with pytest.raises(TypeError, match="vjp made of code that ran eagerly cannot be called in a compiled"):
            in_graph(X)


def test_what_does_not_fit_is_refused(mode: str) -> None:
    with pytest.raises(TypeError, match="The fn should be callable, but got int"):
        ms.vjp(3, X)
    with pytest.raises(TypeError, match="The inputs type must be a Tensor, tuple or list of Tensors, but got int"):
        ms.jvp(fourth, 3, X)
    with pytest.raises(ValueError, match="v has invalid length: should be 2, but got 1"):
        ms.jvp(product, (X, Y), (X,))
    with pytest.raises(ValueError, match=r"v must have the shape of the argument, Float32\[3\], but got Float32\[1\]"):
        ms.jvp(fourth, X, Tensor([1.0]))
    _, vjp_fn = ms.vjp(pair, X, Y)
    with pytest.raises(ValueError, match=r"one tensor per result: expected 2, but got 1"):
        vjp_fn(X)
    with pytest.raises(ValueError, match=r"shape of the result: expected Float32\[3\], but got Float32\[2\]"):
        vjp_fn(X, Tensor([1.0, 2.0]))


def test_refusals_in_compiled_functions_name_the_line() -> None:
    with pytest.raises(
        ValueError, match=r"test_common_directional.*\n.*\n.*\n?.*cotangent has 1 tensor\(s\), but .* 2"
    ):
        ms.jit(lambda x, y: ms.vjp(pair, x, y)[1](x))(X, Y)
    with pytest.raises(ValueError, match="v has invalid length: should be 2, but got 1"):
        ms.jit(lambda x, y: ms.jvp(pair, (x, y), (x,)))(X, Y)
    with pytest.raises(TypeError, match="takes the cotangents of the result, by position"):
        ms.jit(lambda x: ms.vjp(fourth, x)[1]())(X)


W = Parameter(Tensor([1.0, 2.0, 3.0]), name="w")


def weighted(x: Any, y: Any) -> Any:
    return x * y * W


@ms.jit
def found_in_a_graph(x: Any, y: Any) -> Any:
    return ms.get_grad(ms.grad(weighted, (0, 1), W, return_ids=True)(x, y), W)


def test_gradients_with_ids_are_found_by_them(mode: str) -> None:
    both = ms.grad(weighted, (0, 1), [W], return_ids=True)(X, Y)
    assert [i for i, _ in both[0]] == [0, 1]
    assert both[1][0][0] == "w"
    assert ms.get_grad(both, 1).tolist() == [1, 4, 9]
    assert ms.get_grad(both, W).tolist() == [4, 10, 18]
    position, gradient = ms.grad(weighted, 1, return_ids=True)(X, Y)
    assert (position, gradient.tolist()) == (1, [1, 4, 9])
    value, (name, gradient) = ms.value_and_grad(weighted, None, W, return_ids=True)(X, Y)
    assert (name, gradient.tolist(), value.tolist()) == ("w", [4, 10, 18], [4, 20, 54])
    assert found_in_a_graph(X, Y).tolist() == [4, 10, 18]


def test_an_id_that_is_not_there() -> None:
    found = ms.grad(weighted, (0, 1), return_ids=True)(X, Y)
    with pytest.raises(RuntimeError, match="Can not find the gradient for position or Parameter 2"):
        ms.get_grad(found, 2)
    with pytest.raises(TypeError, match="should be an integer or a Parameter, but got bias"):
        ms.get_grad(found, "bias")


def test_grad_operation_of_a_single_parameter_is_one_tensor(mode: str) -> None:
    assert ops.GradOperation(get_by_list=True)(weighted, W)(X, Y).tolist() == [4, 10, 18]
    (of_x, of_y), of_w = ops.GradOperation(get_all=True, get_by_list=True)(weighted, W)(X, Y)
    assert lists((of_x, of_y, of_w)) == ([4, 10, 18], [1, 4, 9], [4, 10, 18])
