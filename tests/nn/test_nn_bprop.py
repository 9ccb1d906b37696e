"""Cells with a ``bprop`` of their own, and Cells that are computed again for their gradients."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

pytestmark = pytest.mark.compiler

X, Y = Tensor([1.0, 2.0, 3.0]), Tensor([4.0, 5.0, 6.0])


class Product(nn.Cell):
    """Has the gradients ``2 d`` and ``out d``, which are not those of a product."""

    def construct(self, x: Any, y: Any) -> Any:
        return x * y

    def bprop(self, x: Any, y: Any, out: Any, dout: Any) -> Any:
        return dout * 2, out * dout


PRODUCT = Product()


def lists(value: Any) -> Any:
    return tuple(lists(v) for v in value) if isinstance(value, tuple) else value.tolist()


def applied(x: Any, y: Any) -> Any:
    return PRODUCT(x, y) * 3


def test_bprop_replaces_the_gradient(mode: str) -> None:
    assert lists(ms.grad(PRODUCT, (0, 1))(X, Y)) == ([2, 2, 2], [4, 10, 18])
    assert lists(ms.grad(applied, (0, 1))(X, Y)) == ([6, 6, 6], [12, 30, 54])
    assert lists(ops.GradOperation(get_all=True, sens_param=True)(PRODUCT)(X, Y, X)) == ([2, 4, 6], [4, 20, 54])
    assert PRODUCT(X, Y).tolist() == [4, 10, 18]
    assert PRODUCT(y=Y, x=X).tolist() == [4, 10, 18]
    assert lists(ms.grad(lambda x, y: PRODUCT(y=y, x=x), (0, 1))(X, Y)) == ([2, 2, 2], [4, 10, 18])


def second_of(x: Any, y: Any) -> Any:
    return ms.grad(PRODUCT, 1)(x, y)


def test_the_gradient_of_bprop_is_that_of_its_code_with_bprop_for_the_result(mode: str) -> None:
    """``∂/∂x (out d)`` goes through ``out``, whose own gradient is `bprop` again."""
    assert lists(ms.grad(second_of, (0, 1))(X, Y)) == ([2, 2, 2], [4, 10, 18])
    third = ms.grad(ms.grad(second_of, 1), (0, 1))(X, Y)
    assert lists(third) == ([2, 2, 2], [4, 10, 18])


def test_forward_mode_transposes_bprop(mode: str) -> None:
    assert ms.jvp(PRODUCT, (X, Y), (X, Y))[1].tolist() == [2 + 16, 4 + 50, 6 + 108]


class Scaled(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.scale = Parameter(Tensor([1.0, 2.0, 3.0]), name="scale")
        self.calls = Parameter(Tensor(0.0), name="calls")

    def construct(self, x: Any) -> Any:
        self.calls = self.calls + 1
        return x * self.scale

    def bprop(self, x: Any, out: Any, dout: Any) -> Any:
        return dout * self.scale * 10


def test_parameters_that_a_cell_with_bprop_reads_and_writes(mode: str) -> None:
    net = Scaled()
    of_x, (of_scale, _) = ms.grad(lambda x: net(x) * 2, 0, [net.scale, net.calls])(X)
    assert of_x.tolist() == [20, 40, 60]
    assert of_scale.tolist() == [0, 0, 0]
    assert net.calls.asnumpy() == 1


def looping(x: Any, y: Any, n: Any) -> Any:
    i = 0
    while i < n:
        x = PRODUCT(x, y) if i < 1 else x + y
        i = i + 1
    return x


def test_in_loops_and_branches(mode: str) -> None:
    found = ms.grad(looping, (0, 1))(X, Y, Tensor(3))
    assert lists(found) == ([2, 2, 2], [4 + 2, 10 + 2, 18 + 2])


class Structured(nn.Cell):
    def construct(self, pair: Any, factor: Any) -> Any:
        return pair[0] * factor, pair[1]

    def bprop(self, pair: Any, factor: Any, out: Any, dout: Any) -> Any:
        return (dout[0] + dout[1], None), None


def test_tuples_numbers_and_none(mode: str) -> None:
    net = Structured()

    def run(x: Any, y: Any) -> Any:
        first, second = net((x, y), 3)
        return first + second * 2

    assert lists(ms.grad(run, (0, 1))(X, Y)) == ([3, 3, 3], [0, 0, 0])


class Itself(nn.Cell):
    def construct(self, x: Any) -> Any:
        return x

    def bprop(self, x: Any, out: Any, dout: Any) -> Any:
        return dout * 5


def test_a_result_that_is_the_argument_and_a_gradient_without_a_tuple(mode: str) -> None:
    net = Itself()
    assert ms.grad(lambda x: net(x) + x)(X).tolist() == [6, 6, 6]


def with_bprop(bprop: Callable[..., Any]) -> nn.Cell:
    class Wrong(nn.Cell):
        def construct(self, x: Any, y: Any) -> Any:
            return x * y

    Wrong.bprop = bprop
    return Wrong()


@pytest.mark.parametrize(
    ("bprop", "error", "says"),
    [
        (lambda self, x, y, out, dout: (dout,), ValueError, r"test_nn_bprop.py:\d+\).*expected 2, but got 1"),
        (lambda self, x, y, out, dout: (dout.sum(), dout), ValueError, r"position 0 .* expected \(3,\), but got \(\)"),
        (lambda self, x, y, out, dout: (dout, (dout,)), TypeError, "position 1 must be a tensor"),
        (lambda self, x, y, out: (out, out), TypeError, "takes 4 positional arguments but 5 were given"),
    ],
)
def test_wrong_gradients_are_refused(mode: str, bprop: Any, error: type[Exception], says: str) -> None:
    net = with_bprop(bprop)
    with pytest.raises(error, match=says):
        ms.grad(lambda x, y: net(x, y), (0, 1))(X, Y)


def test_in_a_graph_the_refusal_names_the_line_of_the_call() -> None:
    net = with_bprop(lambda self, x, y, out, dout: (dout,))

    def calling(x: Any, y: Any) -> Any:
        return net(x, y)

    line = calling.__code__.co_firstlineno + 1
    with pytest.raises(ValueError, match=rf'File ".*test_nn_bprop.py", line {line}, column 16'):
        ms.grad(ms.jit(calling))(X, Y)


class Writes(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Parameter(Tensor(0.0), name="seen")

    def construct(self, x: Any) -> Any:
        return x * 2

    def bprop(self, x: Any, out: Any, dout: Any) -> Any:
        self.seen = self.seen + 1
        return dout


def test_bprop_does_not_write_in_a_graph() -> None:
    net = Writes()
    with pytest.raises(TypeError, match="'bprop' must not assign Parameters"):
        ms.grad(ms.jit(lambda x: net(x)))(X)


class Deep(nn.Cell):
    """``tanh`` of ``tanh``, twice: its gradient needs what is between."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = Parameter(Tensor([0.5, 0.25, 0.125]), name="weight")

    def construct(self, x: Any) -> Any:
        return ops.tanh(ops.tanh(x * self.weight))


def operators(folder: Path, name: str) -> int:
    """How often the operator is in the final graph of the newest compilation."""
    newest = max(folder.glob("*_final.ir"), key=os.path.getmtime)
    return newest.read_text().count(f" {name}(")


@pytest.mark.parametrize(("again", "tanhs"), [(False, 2), (True, 4)])
def test_recomputation_is_in_the_graph_once_more(graph_mode: None, tmp_path: Path, again: bool, tanhs: int) -> None:
    net = Deep()
    if again:
        net.recompute()
    ms.set_context(save_graphs=1, save_graphs_path=str(tmp_path))
    value, gradient = ms.value_and_grad(lambda x: net(x) * 2)(X)
    assert operators(tmp_path, "Tanh") == tanhs
    assert value.shape == gradient.shape == (3,)


def test_recomputation_changes_no_result(mode: str) -> None:
    plain, again = Deep(), Deep()
    again.recompute()
    expected = ms.value_and_grad(plain, 0, plain.weight)(X)
    found = ms.value_and_grad(again, 0, again.weight)(X)
    np.testing.assert_allclose(np.array(lists(found[1])), np.array(lists(expected[1])), rtol=1e-6)
    assert found[0].tolist() == expected[0].tolist()
    second = ms.grad(ms.grad(again))(X), ms.grad(ms.grad(plain))(X)
    np.testing.assert_allclose(second[0].asnumpy(), second[1].asnumpy(), rtol=1e-5, atol=1e-6)
    third = ms.grad(ms.grad(ms.grad(again)))(X), ms.grad(ms.grad(ms.grad(plain)))(X)
    np.testing.assert_allclose(third[0].asnumpy(), third[1].asnumpy(), rtol=1e-5, atol=1e-5)


def test_a_cell_compiled_before_recompute_is_compiled_again(graph_mode: None, tmp_path: Path) -> None:
    net = Deep()
    gradient = ms.grad(net)
    first = gradient(X)
    net.recompute()
    ms.set_context(save_graphs=1, save_graphs_path=str(tmp_path))
    assert gradient(X).tolist() == first.tolist()
    assert operators(tmp_path, "Tanh") > 0


def turns(x: Any, n: Any, scale: Any) -> Any:
    i = 0
    while i < n:
        x = ms.recompute(lambda v: ops.sin(v * v) * scale, x)
        i = i + 1
    return x


def plain_turns(x: Any, n: Any, scale: Any) -> Any:
    i = 0
    while i < n:
        x = ops.sin(x * x) * scale
        i = i + 1
    return x


def test_recompute_of_a_function_in_a_loop_with_what_it_closes_over(mode: str) -> None:
    arguments = (X, Tensor(3), Tensor(0.75))
    found, expected = (ms.grad(f, (0, 2))(*arguments) for f in (turns, plain_turns))
    for got, want in zip(found, expected, strict=True):
        np.testing.assert_allclose(got.asnumpy(), want.asnumpy(), rtol=1e-5)
    assert turns(*arguments).tolist() == plain_turns(*arguments).tolist()


def test_eager_recomputation_runs_the_function_again() -> None:
    ran = []

    def watched(v: Any, *, by: Any) -> Any:
        ran.append(float(v.asnumpy()))
        return v * v * by

    gradient = ms.grad(lambda x, y: ms.recompute(watched, x, by=y), (0, 1))(Tensor(3.0), Tensor(2.0))
    assert lists(gradient) == (12, 9)
    assert ran == [3.0, 3.0]


def test_settings_of_recompute(mode: str) -> None:
    with pytest.raises(ValueError, match="'context_fn' must be None"):
        nn.ReLU().recompute(context_fn=lambda: None)
    with pytest.raises(TypeError, match="no keyword argument 'what'"):
        nn.ReLU().recompute(what=True)
    with pytest.raises(TypeError, match="'block' must be a function or Cell, but got int"):
        ms.recompute(3, X)
    nn.ReLU().recompute(mp_comm_recompute=True)


def test_recomputation_sees_the_state_that_the_first_run_saw(mode: str) -> None:
    """Dropout draws the numbers that it drew, and draws new ones afterwards; a counter is counted once."""

    class Counting(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.calls = Parameter(Tensor(1.0), name="calls")
            self.dropout = nn.Dropout(p=0.5)

        def construct(self, x: Any) -> Any:
            self.calls = self.calls + 1
            return self.dropout(x) * self.calls

    net = Counting()
    net.set_train()
    net.recompute()
    ones = Tensor(np.ones(64, np.float32))
    value, gradient = ms.value_and_grad(net)(ones)
    assert value.tolist() == gradient.tolist()
    assert set(value.tolist()) == {0.0, 4.0}
    assert net.calls.asnumpy() == 2
    again, _ = ms.value_and_grad(net)(ones)
    assert net.calls.asnumpy() == 3
    value, gradient = ms.value_and_grad(lambda x: net(x) + net(x * 10))(ones)
    assert net.calls.asnumpy() == 5
    assert value.tolist() == gradient.tolist()
    assert (again.asnumpy() != 0).tolist() != (value.asnumpy() != 0).tolist()
