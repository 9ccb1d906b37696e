"""Gradients of Python loops whose length is known only at run time, from `ms.grad` to the result."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, _native, nn, ops
from mindspore.compiler.options import Options
from mindspore.compiler.pipeline import compile_call
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler


def integer(n: int) -> Tensor:
    return Tensor(np.int32(n))


def double(x: Any) -> Tensor:
    return Tensor(np.asarray(x, np.float64))


def compiled(function: Callable[..., Any], *args: Any) -> list[Any]:
    """What both back ends give for `function`, which must be the same."""
    found = [compile_call(function, args, {}, Options(backend)).run(args, {}) for backend in ("cpu", "reference")]
    rows = [[r.asnumpy() for r in (f if isinstance(f, tuple) else (f,))] for f in found]
    for got, want in zip(*rows, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    return rows[0]


def check(function: Callable[..., Any], *arrays: Any, rest: tuple[Any, ...] = ()) -> None:
    """Compiled gradients for all of `arrays` agree with differences; `rest` are further arguments."""
    positions = tuple(range(len(arrays)))
    values = [np.asarray(a, np.float64) for a in arrays]
    jitted = ms.jit(function)
    expected = numeric_gradient(lambda *a: jitted(*a, *rest), *values)
    gradient = ms.grad(function, positions if len(positions) > 1 else 0)
    for got, want in zip(compiled(gradient, *map(Tensor, values), *rest), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-7)


def while_loop(x: Any, n: Any) -> Any:
    i = n - n
    while i < n:
        x = x * 0.5 + ops.sin(x)
        i = i + 1
    return x


def for_loop(x: Any, n: Any) -> Any:
    for i in range(n):
        x = ops.sin(x) + x * i
    return x


def with_break(x: Any, n: Any) -> Any:
    y = x
    for _ in range(n):
        if y > 3.0:
            break
        if y < 0.5:
            y = y + 0.25
            continue
        y = y * x + 0.5
    return y


def with_return(x: Any, n: Any) -> Any:
    for _ in range(n):
        x = x * 1.5
        if x > 2.0:
            return x * x
    return x


def nested(x: Any, n: Any) -> Any:
    for i in range(n):
        y = x
        while y < 2.0:
            y = y * 1.3 + 0.1
        for _ in range(i):
            y = ops.sin(y)
        x = x * 0.5 + y
    return x


def chosen(x: Any, n: Any) -> Any:
    if x > 0.5:
        for _ in range(n):
            x = x * x
    else:
        while x < 2.0:
            x = x * 1.7 + 0.2
    return x


LOOPS = [while_loop, for_loop, with_break, with_return, nested, chosen]


@pytest.mark.parametrize("function", LOOPS)
@pytest.mark.parametrize("turns", [0, 1, 4])
@pytest.mark.parametrize("x", [0.3, 0.8])
def test_gradients_of_python_loops(function: Callable[..., Any], turns: int, x: float) -> None:
    check(function, x, rest=(integer(turns),))


@pytest.mark.parametrize("function", LOOPS)
def test_second_and_third_order(function: Callable[..., Any]) -> None:
    x, n = np.float64(0.8), integer(3)
    first = ms.jit(ms.grad(function))
    second = ms.grad(ms.grad(function))
    jitted = ms.jit(second)
    np.testing.assert_allclose(compiled(second, Tensor(x), n), numeric_gradient(lambda x: first(x, n), x), rtol=1e-5)
    third = compiled(ms.grad(second), Tensor(x), n)
    np.testing.assert_allclose(third, numeric_gradient(lambda x: jitted(x, n), x), rtol=1e-5)


def accumulated(x: Any, w: Any, n: Any) -> Any:
    total = x
    for _ in range(n):
        total = ops.tanh(ops.matmul(total, w)) + x
    return total.sum()


def test_tensors_and_weights() -> None:
    rng = np.random.default_rng(3)
    check(accumulated, rng.standard_normal((2, 3)), rng.standard_normal((3, 3)), rest=(integer(3),))


class Recurrent(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.w = Parameter(Tensor(np.array([[0.3, -0.2], [0.1, 0.4]])), name="w")
        self.turns = Parameter(Tensor(np.float64(0)), name="turns", requires_grad=False)

    def construct(self, x: Any, n: Any) -> Any:
        for _ in range(n):
            x = ops.tanh(ops.matmul(x, self.w)) + x
            self.turns = self.turns + 1.0
        return x.sum()


@pytest.mark.parametrize("mode", [ms.GRAPH_MODE, ms.PYNATIVE_MODE])
def test_a_parameter_that_every_turn_reads_and_one_that_it_writes(mode: int) -> None:
    ms.set_context(mode=mode)
    net, x, n = Recurrent(), double([[0.5, -1.0]]), integer(4)
    gradient = ms.grad(net, grad_position=None, weights=net.w)(x, n).asnumpy()
    assert net.turns.asnumpy() == 4
    weight = net.w.asnumpy().copy()

    def moved(w: Any) -> Any:
        net.w.set_data(w)
        return net(x, n)

    (expected,) = numeric_gradient(moved, weight)
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def trained(w: Any, x: Any, steps: Any, turns: Any) -> Any:
    """Gradient descent inside the graph: each step differentiates a loop."""

    def loss(w: Any) -> Any:
        y = x
        for _ in range(turns):
            y = ops.sin(y * w) + x
        return y * y

    for _ in range(steps):
        w = w - 0.1 * ms.grad(loss)(w)
    return w


def test_gradients_inside_a_loop_and_through_them() -> None:
    check(trained, 0.7, 0.4, rest=(integer(3), integer(4)))


def test_a_jit_function_is_differentiated_compiled_in_pynative_mode_at_every_order() -> None:
    function = ms.jit(while_loop)
    x, n = double(0.7), integer(5)
    first, second = ms.grad(function), ms.grad(ms.grad(function))
    np.testing.assert_allclose(first(x, n).asnumpy(), compiled(ms.grad(while_loop), x, n)[0], rtol=1e-12)
    np.testing.assert_allclose(second(x, n).asnumpy(), compiled(ms.grad(ms.grad(while_loop)), x, n)[0], rtol=1e-12)
    assert first.cache.entries, "the gradient is compiled, not recorded"
    assert second.cache.entries
    outer = ms.grad(lambda x: function(x, n) * 2.0)
    np.testing.assert_allclose(outer(x).asnumpy(), 2 * first(x, n).asnumpy(), rtol=1e-12)


def rooted(x: Any, eps: Any, turns: Any) -> Any:
    """Newton's method: the condition and the body of the loop differentiate a loop."""

    def wave(x: Any) -> Any:
        for _ in range(turns):
            x = x * 0.999 + 0.001 * ops.sin(x)
        return x * x

    while ops.abs(ms.grad(wave)(x)) > eps:
        x = x - 0.01 * ms.grad(wave)(x)
    return x


@pytest.mark.parametrize("eps", [10.0, 0.5, 0.1])
def test_a_condition_that_differentiates_a_loop(eps: float) -> None:
    (root,) = compiled(rooted, double(0.7), double(eps), integer(10))
    assert compiled(rooted, Tensor(root), double(eps), integer(10))[0] == root, "the condition holds at the root"


def endless(x: Any, n: Any) -> Any:
    while n > 0:
        x = x * 1.000001 + 0.1
        x = ops.sin(x)
    return x


def test_a_cancelled_gradient_gives_its_memory_back() -> None:
    gradient = ms.jit(ms.grad(endless))
    x = double(0.7)
    gradient(x, integer(0))
    before = _native.memory_stats()["in_use"]
    timer = threading.Timer(0.05, _native.set_cancel, [True])
    timer.start()
    try:
        with pytest.raises(RuntimeError, match="cancel"):
            gradient(x, integer(1))
    finally:
        timer.join()
        _native.set_cancel(False)
    assert _native.memory_stats()["in_use"] <= before + 4096


@pytest.mark.parametrize("name", ["million_turns", "training", "conditions", "short_loops"])
def test_memory(name: str) -> None:
    """In a process of its own, whose peak nothing else has raised."""
    code = f"from tests.compiler import loop_memory; loop_memory.{name}()"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr
