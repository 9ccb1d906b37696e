"""Gradients through functions that call themselves, to third order, against closed forms and differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from tests.compiler.test_recursion import (
    BACKENDS,
    deep,
    default_settings,
    double,
    flat,
    integer,
    nested,
    outer,
    over_loops,
    power,
    twice,
    with_a_list,
)
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler
assert default_settings


def compiled(function: Callable[..., Any], *args: Any) -> list[Any]:
    """What both back ends give for `function`, which must be the same."""
    rows = [flat(ms.jit(function, backend=backend)(*args)) for backend in BACKENDS]
    for got, want in zip(*rows, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    return rows[0]


def check(function: Callable[..., Any], *arrays: Any, rest: tuple[Any, ...] = (), orders: int = 1) -> None:
    """Gradients for all of `arrays` agree with differences of what is one order lower; `rest` are further arguments."""
    positions = tuple(range(len(arrays))) if len(arrays) > 1 else 0
    values = [np.asarray(a, np.float64) for a in arrays]
    lower: Callable[..., Any] = function
    for _ in range(orders):
        jitted = ms.jit(lower)
        expected = numeric_gradient(lambda *a, run=jitted: summed(run(*a, *rest)), *values)
        higher = ms.grad(lower, positions)
        for got, want in zip(compiled(higher, *map(double, values), *rest), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
        lower = total(higher)


def summed(value: Any) -> Any:
    return Tensor(np.asarray(sum(np.sum(leaf) for leaf in flat(value))))


def total(function: Callable[..., Any]) -> Callable[..., Any]:
    """The sum of all that `function` returns."""

    def sums(*args: Any) -> Any:
        found = function(*args)
        if not isinstance(found, tuple):
            return found.sum()
        result = found[0].sum()
        for part in found[1:]:
            result = result + part.sum()
        return result

    return sums


def nth(function: Callable[..., Any], order: int) -> Callable[..., Any]:
    for _ in range(order):
        function = ms.grad(function)
    return function


@pytest.mark.parametrize("n", [0, 1, 2, 6])
def test_a_power_has_its_derivatives(n: int) -> None:
    x = 1.25
    factor = 1.0
    for order in range(1, 4):
        factor *= n + 2 - order
        (found,) = compiled(nth(power, order), double(x), integer(n))
        np.testing.assert_allclose(found, factor * x ** (n + 1 - order) if factor else 0.0, rtol=1e-12)


def waves(x: Any, n: Any) -> Any:
    if n < 2:
        return ops.sin(x * (n + 1.0))
    return waves(x, n - 1) * ops.cos(x) + waves(x * 0.5, n - 2)


def test_two_calls_of_itself() -> None:
    for n in (1, 2, 5):
        check(waves, 0.75, rest=(double(n),), orders=3)


def falling(x: Any, n: Any) -> Any:
    return x if n < 1 else ops.sin(rising(x * 1.5, n - 1))


def rising(x: Any, n: Any) -> Any:
    return x * x if n < 1 else falling(x, n - 1) + x


def test_functions_that_call_each_other() -> None:
    for n in (0, 3, 4):
        check(falling, [0.5, -0.25], rest=(integer(n),), orders=2)


def ping(x: Any, y: Any, n: Any) -> Any:
    if n < 1:
        return x * y
    return pong(y, x * 1.1, n - 1) + ping(x * 0.9, y, n - 2)


def pong(x: Any, y: Any, n: Any) -> Any:
    if n < 1:
        return ops.sin(x) + y
    return ping(y, ops.cos(x), n - 1) * pong(x, y, n - 2)


def test_two_functions_that_call_each_other_and_themselves() -> None:
    check(ping, 0.5, 1.25, rest=(integer(5),), orders=2)


def newton(x: Any, guess: Any) -> Any:
    better = 0.5 * (guess + x / guess)
    if ops.abs(better - guess) < 1e-9:
        return better
    return newton(x, better)


def test_what_ends_by_its_own_value() -> None:
    x = 2.0
    for order, want in enumerate([0.5 * x**-0.5, -0.25 * x**-1.5, 0.375 * x**-2.5], 1):
        (found,) = compiled(nth(newton, order), double(x), double(1.0))
        np.testing.assert_allclose(found, want, rtol=1e-6)


def several(x: Any, y: Any, n: Any) -> Any:
    if n < 1:
        return x, n
    if y > 2:
        return y * x, n
    a, left = several(x * y, y + 0.5, n - 1)
    for _ in range(left):
        a = a * x
    return a + y, left


def test_early_returns_tuples_and_loops() -> None:
    def first(x: Any, y: Any, n: Any) -> Any:
        return several(x, y, n)[0]

    for y, n in ((0.25, 3), (0.25, 9), (2.5, 2)):
        check(first, 1.5, y, rest=(integer(n),), orders=2)


def test_loops_around_and_inside() -> None:
    check(over_loops, 0.75, rest=(integer(4),), orders=2)


def smooth_loop(x: Any, n: Any) -> Any:
    while n > 0:
        n = n - 1
        x = x + ops.sin(smooth_loop(x * 0.5, n))
    return x


def test_recursion_in_a_loop_of_run_time_length() -> None:
    check(smooth_loop, 0.75, rest=(integer(4),), orders=3)


def loop_of_calls(x: Any, n: Any) -> Any:
    i = n * 0
    while i < n:
        x = x * power(x, i)
        i = i + 1
    return x


def test_calls_in_the_turns_of_a_loop() -> None:
    check(loop_of_calls, 1.1, rest=(integer(3),), orders=3)


def test_what_is_captured_has_gradients() -> None:
    def both(x: Any, n: Any) -> Any:
        found, total_of = nested(x, n)
        return found * total_of

    check(both, [1.0, 0.5], rest=(integer(4),), orders=2)
    check(twice, 0.75, rest=(integer(3),), orders=2)
    check(outer, 0.75, rest=(integer(3),), orders=2)


def test_what_a_list_holds_has_gradients() -> None:
    def both(x: Any, n: Any) -> Any:
        result, left = with_a_list(x, n)
        return ops.sin(result) * left

    check(both, 0.5, rest=(integer(3),), orders=2)


class Recurrent(nn.Cell):
    """Reads a sequence from its end, as deep as it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = Parameter(Tensor(np.array([[0.5, -0.25], [0.125, 0.75]])), name="weight")
        self.bias = Parameter(Tensor(np.array([0.1, -0.2])), name="bias")
        self.calls = Parameter(Tensor(np.zeros(())), name="calls", requires_grad=False)

    def state(self, x: Any, n: Any) -> Any:
        self.calls = self.calls + 1
        if n < 1:
            return x
        return ops.tanh(ops.matmul(self.weight, self.state(x * 1.5, n - 1)) + self.bias)

    def construct(self, x: Any, n: Any) -> Any:
        return self.state(x, n).sum()


@pytest.mark.parametrize("backend", BACKENDS)
def test_weights_of_a_cell_have_gradients(backend: str) -> None:
    x, n = double([1.0, -2.0]), integer(4)
    net = Recurrent()
    weights = net.trainable_params()
    value, (by_x, by_weights) = ms.jit(ms.value_and_grad(net, 0, weights), backend=backend)(x, n)
    assert net.calls.item() == 5
    plain = Recurrent()
    wanted, (want_x, want_weights) = ms.value_and_grad(plain, 0, plain.trainable_params())(x, n)
    np.testing.assert_allclose(value.asnumpy(), wanted.asnumpy(), rtol=1e-12)
    np.testing.assert_allclose(by_x.asnumpy(), want_x.asnumpy(), rtol=1e-12)
    for got, want in zip(by_weights, want_weights, strict=True):
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), rtol=1e-12)


def test_deep_recursion_is_differentiated() -> None:
    ms.set_context(max_call_depth=10_100)
    (found,) = compiled(ms.grad(lambda x, n: deep(n, x * x)), double(3.0), integer(10_000))
    assert found == 6.0


@pytest.mark.parametrize("backend", BACKENDS)
def test_recursion_that_is_too_deep_for_a_gradient_is_an_error(backend: str) -> None:
    gradient = ms.jit(ms.grad(power), backend=backend)
    with pytest.raises(RecursionError, match="power"):
        gradient(double(1.0), integer(2000))
    np.testing.assert_allclose(gradient(double(1.0), integer(3)).asnumpy(), 4.0)


def test_no_gradient_inside_is_an_error_with_its_place() -> None:
    def function(x: Any, n: Any) -> Any:
        if n < 1:
            return x
        return ops.tanh(function(x, n - 1))

    (found,) = compiled(ms.grad(function), double(0.5), integer(2))
    inner = np.tanh(0.5)
    np.testing.assert_allclose(found, (1 - np.tanh(inner) ** 2) * (1 - inner**2), rtol=1e-12)


def test_forward_mode_goes_through_recursion() -> None:
    x, v, n = double(1.25), double(2.0), integer(4)

    def pushed(function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda a: ms.jvp(lambda b: function(b, n), (a,), (v,))[1]

    np.testing.assert_allclose(compiled(pushed(power), x)[0], 2 * 5 * 1.25**4, rtol=1e-12)
    np.testing.assert_allclose(compiled(pushed(ms.grad(power)), x)[0], 2 * 20 * 1.25**3, rtol=1e-12)
    np.testing.assert_allclose(compiled(ms.grad(pushed(power)), x)[0], 2 * 20 * 1.25**3, rtol=1e-12)
    np.testing.assert_allclose(compiled(pushed(nth(power, 2)), x)[0], 2 * 60 * 1.25**2, rtol=1e-12)


@pytest.mark.parametrize("function", [smooth_loop, waves, outer, loop_of_calls, falling])
def test_forward_over_reverse_is_reverse_over_reverse(function: Callable[..., Any]) -> None:
    x, v, n = double(0.75), double(1.5), integer(4)

    def forward(a: Any) -> Any:
        return ms.jvp(lambda b: ms.grad(function)(b, n), (a,), (v,))[1]

    (found,), (want,) = compiled(forward, x), compiled(nth(function, 2), x, n)
    np.testing.assert_allclose(found, 1.5 * want, rtol=1e-9)


def test_rows_of_a_batch_end_at_different_depths() -> None:
    x, n = np.array([1.25, 0.5, -0.75]), np.array([3, 0, 5], np.int32)
    found, slope = compiled(lambda a, m: (ms.vmap(power)(a, m), ms.vmap(ms.grad(power))(a, m)), Tensor(x), Tensor(n))
    np.testing.assert_allclose(found, x ** (n + 1), rtol=1e-12)
    np.testing.assert_allclose(slope, (n + 1) * x**n, rtol=1e-12)


def test_rows_choose_whether_they_recurse() -> None:
    def function(x: Any, n: Any) -> Any:
        return power(x, n) if x > 0 else x * 2

    x = np.array([1.25, 0.5, -0.75])
    (found,) = compiled(lambda a: ms.vmap(ms.grad(function), (0, None))(a, integer(3)), Tensor(x))
    np.testing.assert_allclose(found, np.where(x > 0, 4 * x**3, 2.0), rtol=1e-12)


def test_jacobians_of_recursion() -> None:
    x = np.array([1.25, 0.5, -0.75])
    for transform in (ms.jacrev, ms.jacfwd):
        (found,) = compiled(transform(lambda a: power(a, integer(3))), Tensor(x))
        np.testing.assert_allclose(found, np.diag(4 * x**3), rtol=1e-12, atol=1e-15)
    (hessian,) = compiled(ms.jacfwd(ms.jacrev(lambda a: power(a, integer(3)).sum())), Tensor(x))
    np.testing.assert_allclose(hessian, np.diag(12 * x**2), rtol=1e-12, atol=1e-15)


def own_gradient(x: Any, n: int) -> Any:
    """The function differentiates itself."""
    if n == 0:
        return x * x * x
    return x * ms.grad(own_gradient)(x, n - 1)


def test_a_function_that_takes_its_own_gradient() -> None:
    for run in (own_gradient, ms.jit(own_gradient)):
        assert run(Tensor(2.0), 2).item() == 72.0  # x * (x * 3 x ** 2)' = 9 x ** 3
    assert ms.jit(lambda x: ms.grad(own_gradient)(x, 2))(Tensor(2.0)).item() == 108.0
