"""Functions that run time chooses, compiled: both back ends and modes, gradients to third order against closed forms."""

# ruff: noqa: E731 -- the programs under test use each form of the language on purpose

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from tests.modes import fresh_context, mode

__all__ = ["fresh_context", "mode"]
pytestmark = pytest.mark.compiler
Function = Callable[..., Any]

backends = pytest.mark.parametrize("backend", ["cpu", "reference"])


def cubic_or_sine(x: Any) -> Function:
    """A closure from a branch: its code and what it captures differ."""
    if x > 0:
        z = x * x
        return lambda y: y * z
    w = x * 2.0
    return lambda y: ops.sin(w) * y


def through_closure(x: Any) -> Any:
    return cubic_or_sine(x)(x)


def through_ternary(x: Any) -> Any:
    z = x * x
    f: Any = (lambda y: y * z) if x > 0 else (lambda y: ops.sin(x * 2.0) * y)
    return f(x)


def through_container(x: Any) -> Any:
    functions = {"f": ops.cos, "g": [ops.exp]}
    if x > 0:
        functions["g"] = [lambda y: y * x * x]
    else:
        w = ops.sin(2.0 * x)
        functions["g"] = [lambda y: w * y]
    return functions["g"][0](x)


def through_position(x: Any) -> Any:
    i = (x > 0).astype(ms.int32)
    return (lambda y: ops.sin(2.0 * x) * y, lambda y: y**3)[i](x)


def closed_forms(x: float) -> list[float]:
    """x**3 above zero, x*sin(2x) elsewhere, and the three derivatives."""
    if x > 0:
        return [x**3, 3 * x**2, 6 * x, 6.0]
    s, c = np.sin(2 * x), np.cos(2 * x)
    return [x * s, s + 2 * x * c, 4 * c - 4 * x * s, -12 * s - 8 * x * c]


@backends
@pytest.mark.parametrize("function", [through_closure, through_ternary, through_container, through_position])
def test_derivatives_to_third_order(mode: str, backend: str, function: Function) -> None:
    derivatives = [function]
    for _ in range(3):
        derivatives.append(ms.grad(derivatives[-1]))
    for x in (1.5, -0.75, 2.0):
        for derivative, wanted in zip(derivatives, closed_forms(x), strict=True):
            given = Tensor(x, ms.float64)
            assert ms.jit(derivative, backend=backend)(given).item() == pytest.approx(wanted)
            assert derivative(given).item() == pytest.approx(wanted)


def test_derivatives_inside_the_compiled_function(mode: str) -> None:
    @ms.jit
    def third(x: Any) -> Any:
        f = cubic_or_sine if x > 0 else (lambda v: cubic_or_sine(v))
        g: Any = lambda v: f(v)(v)
        return ms.grad(ms.grad(ms.grad(g)))(x)

    for x in (1.5, -0.75):
        assert third(Tensor(x, ms.float64)).item() == pytest.approx(closed_forms(x)[3])


class Switched(nn.Cell):
    """Layers that run time chooses, with Parameters of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.CellList([nn.Dense(2, 2), nn.Dense(2, 2, has_bias=False), nn.ReLU()])
        self.pair = (nn.Tanh(), nn.Sigmoid())
        self.a, self.b = nn.ReLU(), nn.Dense(2, 2)
        self.calls = Parameter(Tensor(0.0), name="calls", requires_grad=False)

    def construct(self, x: Any, i: Any) -> Any:
        self.calls = self.calls + 1.0
        y = self.layers[i](x) * self.pair[i % 2](x)
        return y + (self.a if y.sum() > 0 else self.b)(x)


@pytest.mark.parametrize("i", [0, 1, 2, -1])
def test_layers_at_a_position_of_run_time(i: int) -> None:
    net, x = Switched(), Tensor(np.array([[0.5, -2.0]], np.float32))
    given = Tensor(i, ms.int32)
    results = []
    for each in (ms.PYNATIVE_MODE, ms.GRAPH_MODE):
        ms.set_context(mode=each)
        results.append((net(x, given), *ms.grad(net, 0, net.trainable_params())(x, given)[1]))
    for eager, compiled in zip(*results, strict=True):
        np.testing.assert_allclose(compiled.asnumpy(), eager.asnumpy(), rtol=1e-5, atol=1e-6)
    assert net.calls.item() == 4


CHOICES = (ops.sin, lambda v: v * v)


def at(x: Any, i: Any) -> Any:
    return CHOICES[i](x)


@backends
@pytest.mark.parametrize("i", [2, -3, 9])
def test_a_position_out_of_range_raises_as_in_python(mode: str, backend: str, i: int) -> None:
    x = Tensor(2.0)
    with pytest.raises(IndexError, match="tuple index out of range"):
        at(x, Tensor(i))
    for compiled in (ms.jit(at, backend=backend), ms.jit(ms.grad(at), backend=backend)):
        with pytest.raises(
            IndexError, match=r"line \d+, column 12, in at\n +return CHOICES\[i\]\(x\)\n[^$]*tuple index out of range"
        ):
            compiled(x, Tensor(i))
        assert compiled(x, Tensor(1)).item() == 4


def test_a_position_in_a_loop(mode: str) -> None:
    def function(x: Any, n: Any) -> Any:
        i = 0 * n
        while i < n:
            x = CHOICES[i % 2](x)
            i = i + 1
        return x

    compiled = ms.jit(function)
    for n in (0, 1, 3):
        given = Tensor(1.5, ms.float64), Tensor(n)
        assert compiled(*given).item() == pytest.approx(function(*given).item())
        assert ms.jit(ms.grad(function))(*given).item() == pytest.approx(ms.grad(function)(*given).item())


@backends
def test_effects_of_the_function_that_runs(mode: str, backend: str) -> None:
    counts = [Parameter(Tensor(0.0), name=n) for n in "ab"]

    def first(x: Any) -> Any:
        ops.assign_add(counts[0], x)
        return x

    def second(x: Any) -> Any:
        ops.assign_add(counts[1], x * 2)
        return -x

    @ms.jit(backend=backend)
    def run(x: Any) -> Any:
        f = first if x > 0 else second
        return f(x) + f(x)

    assert run(Tensor(1.0)).item() == 2
    assert [c.item() for c in counts] == [2, 0]
    assert run(Tensor(-3.0)).item() == 6
    assert [c.item() for c in counts] == [2, -12]


def test_a_gradient_function_that_run_time_chooses(mode: str) -> None:
    @ms.jit
    def run(x: Any) -> Any:
        f: Any = (lambda v: v * v * x) if x > 0 else (lambda v: v + x)
        g = ms.grad(f) if x > 1 else f
        h = ops.GradOperation()(f) if x > 1 else ms.grad(lambda v: v * v)
        return g(x), h(x)

    assert [r.item() for r in run(Tensor(2.0))] == [8, 8]
    assert [r.item() for r in run(Tensor(-2.0))] == [-4, -4]
