"""Functions that call themselves until a tensor says stop: both back ends give what Python gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore.context import reset_context

pytestmark = pytest.mark.compiler
BACKENDS = ["cpu", "reference"]


@pytest.fixture(autouse=True)
def default_settings() -> Iterator[None]:
    yield
    reset_context()


def integer(n: int) -> Tensor:
    return Tensor(np.int32(n))


def double(x: Any) -> Tensor:
    return Tensor(np.asarray(x, np.float64))


def flat(value: Any) -> list[Any]:
    """The numbers in nested results, in order."""
    if isinstance(value, tuple | list):
        return [leaf for part in value for leaf in flat(part)]
    return [value.asnumpy() if isinstance(value, Tensor) else value]


def check(function: Callable[..., Any], *args: Any) -> None:
    """Both back ends give what the function gives as Python."""
    expected = flat(function(*args))
    for backend in BACKENDS:
        for got, want in zip(flat(ms.jit(function, backend=backend)(*args)), expected, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-12, err_msg=backend)


def power(x: Any, n: Any) -> Any:
    if n < 1:
        return x
    return x * power(x, n - 1)


def fibonacci(n: Any) -> Any:
    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)


def even(n: Any) -> Any:
    return n == 0 or odd(n - 1)


def odd(n: Any) -> Any:
    return n != 0 and even(n - 1)


def factorial(n: Any) -> Any:
    if n < 2:
        return 1
    return n * factorial(n - 1)


def greatest_divisor(a: Any, b: Any) -> Any:
    return a if b == 0 else greatest_divisor(b, a % b)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_a_function_that_calls_itself_once(n: int) -> None:
    check(power, double([1.5, -2.0]), integer(n))


def test_a_function_that_calls_itself_twice() -> None:
    check(fibonacci, double(12))


@pytest.mark.parametrize("n", [0, 7, 10])
def test_functions_that_call_each_other(n: int) -> None:
    check(even, integer(n))


def test_a_number_at_the_end_takes_the_type_of_the_other_way() -> None:
    check(factorial, integer(6))
    check(factorial, double(6))


def test_the_last_thing_is_the_call() -> None:
    check(greatest_divisor, integer(252), integer(105))


def collatz(n: Any, steps: Any) -> Any:
    if n == 1:
        return steps, n
    if n % 2 == 0:
        return collatz(n // 2, steps + 1)
    found, last = collatz(3 * n + 1, steps + 1)
    return found, last


def test_several_ways_out_and_tuples() -> None:
    check(collatz, integer(6), integer(0))


def doubled_until(x: Any, limit: float, count: int = 0) -> Any:
    if x > limit:
        return x, count
    return doubled_until(x * 2, limit, count + 1)


def test_a_number_that_changes_from_call_to_call_becomes_a_tensor() -> None:
    check(doubled_until, double(1.5), 1000.0)


def summed(values: Any, first: int, last: int) -> Any:
    if last - first == 1:
        return values[first]
    middle = (first + last) // 2
    return summed(values, first, middle) + summed(values, middle, last)


def test_recursion_over_constants_is_unrolled() -> None:
    check(summed, tuple(double(v) for v in (1.0, 2.0, 4.0, 8.0, 16.0)), 0, 5)


def layers(x: Any, depth: int) -> Any:
    if depth == 0:
        return x
    if x.sum() > 10:
        return x
    return layers(x * (depth + 1), depth - 1)


def test_constants_end_what_a_tensor_may_end_earlier() -> None:
    check(layers, double([0.5, 1.0]), 4)
    check(layers, double([0.5, 9.0]), 4)


def over_loops(x: Any, n: Any) -> Any:
    if n < 1:
        return x
    for i in range(n):
        if x > 30:
            break
        x = x + over_loops(x * 0.5, n - 1 - i)
    while x > 20:
        x = x - power(x * 0.01, n)
    return x


def only_a_loop(n: Any, x: Any) -> Any:
    while n > 0:
        n = n - 1
        x = x + only_a_loop(n, x * 0.5)
    return x


def test_loops_and_other_recursion_inside() -> None:
    check(over_loops, double(0.75), integer(4))
    check(only_a_loop, integer(4), double(1.0))


def nested(x: Any, n: Any) -> Any:
    y = x * 2
    total = x * 0

    def inner(m: Any) -> Any:
        nonlocal total
        if m < 1:
            return y
        total = total + m
        return inner(m - 1) + y * total

    return inner(n), total


def test_a_nested_function_with_what_it_captures_and_changes() -> None:
    check(nested, double([1.0, 3.0]), integer(5))


def applied(function: Any, x: Any, n: Any) -> Any:
    return x if n < 1 else function(applied(function, x, n - 1))


def twice(x: Any, n: Any) -> Any:
    return applied(lambda v: v * x, x, n) + applied(ops.sin, x, n)


def test_functions_as_arguments() -> None:
    check(twice, double(1.25), integer(3))


def in_place(values: Any, n: Any) -> Any:
    if n < 1:
        return values[0]
    values[0] = values[0] * 2
    return in_place(values, n - 1) + values[1]


def with_a_list(x: Any, n: Any) -> Any:
    values = [x, x + 1]
    result = in_place(values, n)
    return result, values[0]


def test_a_list_that_the_function_changes() -> None:
    check(with_a_list, double(1.5), integer(3))


def outer(x: Any, n: Any) -> Any:
    if n < 1:
        return x

    def inner(m: Any) -> Any:
        if m < 1:
            return outer(x * 0.5, n - 1)
        return inner(m - 1) + x

    return inner(n)


def test_recursion_inside_recursion() -> None:
    check(outer, double(2.0), integer(4))


class Tree(nn.Cell):
    """Grows as its argument says, and counts its leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = Parameter(Tensor(np.array([0.5, 0.25])), name="weight")
        self.leaves = Parameter(Tensor(np.zeros(())), name="leaves", requires_grad=False)

    def grown(self, x: Any, n: Any) -> Any:
        if n < 1:
            self.leaves = self.leaves + 1
            return x
        return ops.tanh(self.grown(x * self.weight, n - 1)) + self.grown(x, n - 2)

    def construct(self, x: Any, n: Any) -> Any:
        return self.grown(x, n).sum() + self.leaves


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_method_that_reads_and_writes_parameters(backend: str) -> None:
    plain, compiled = Tree(), Tree()
    compiled.construct = ms.jit(compiled.construct, backend=backend)  # type: ignore[method-assign]
    for n in (0, 3, 5):
        x = double([1.0, -2.0])
        np.testing.assert_allclose(compiled(x, integer(n)).asnumpy(), plain(x, integer(n)).asnumpy(), rtol=1e-12)
        assert compiled.leaves.item() == plain.leaves.item()


def deep(n: Any, x: Any) -> Any:
    if n < 1:
        return x
    return deep(n - 1, x) + 1


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_depth_of_calls_is_limited(backend: str) -> None:
    compiled = ms.jit(deep, backend=backend)
    assert compiled(integer(999), double(0.0)).item() == 999
    with pytest.raises(RecursionError, match="calls itself more than 1000 calls deep") as caught:
        compiled(integer(1000), double(0.0))
    line = deep.__code__.co_firstlineno + 3
    assert f'test_recursion.py", line {line}, column 12, in deep' in str(caught.value)
    assert "set_context(max_call_depth=...)" in str(caught.value)
    assert compiled(integer(3), double(0.0)).item() == 3, "the function still runs"
    ms.set_context(max_call_depth=10_100)
    assert compiled(integer(10_000), double(0.0)).item() == 10_000
    ms.set_context(max_call_depth=5)
    with pytest.raises(RecursionError, match="more than 5 calls"):
        compiled(integer(6), double(0.0))


def endless(x: Any) -> Any:
    if x < 0:
        return x
    return endless(x + 1)


@pytest.mark.parametrize("backend", BACKENDS)
def test_recursion_without_end_is_an_error(backend: str) -> None:
    with pytest.raises(RecursionError, match="endless calls itself more than 1000"):
        ms.jit(endless, backend=backend)(double(0.0))


def test_the_native_stack_is_never_used_up() -> None:
    ms.set_context(max_call_depth=300_000)
    assert ms.jit(deep)(integer(299_000), double(0.0)).item() == 299_000


def constant_depth(x: Any, n: int) -> Any:
    return x if n == 0 else constant_depth(x + 1, n - 1)


def test_the_limit_holds_while_compiling_too() -> None:
    ms.set_context(max_call_depth=20)
    with pytest.raises(RecursionError, match="20 calls deep") as caught:
        ms.jit(constant_depth)(double(0.0), 20)
    assert "column 29, in constant_depth" in str(caught.value)
    ms.set_context(max_call_depth=2000)
    assert ms.jit(constant_depth)(double(0.0), 1500).item() == 1500


def squared(x: Any, n: Any) -> Any:
    if n < 1:
        return Tensor(1.0)
    half = squared(x, n // 2)
    return half * half * x if n % 2 == 1 else half * half


def test_a_tensor_that_the_function_makes() -> None:
    check(squared, Tensor(2.0), integer(10))
