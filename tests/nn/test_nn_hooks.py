"""Hooks on tensors and Cells, and primitives that are hooks, in both modes."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

pytestmark = pytest.mark.compiler

X, Y = Tensor([1.0, 2.0, 3.0]), Tensor([4.0, 5.0, 6.0])


def lists(value: Any) -> Any:
    return tuple(lists(v) for v in value) if isinstance(value, tuple) else value.tolist()


def times_seven(gradient: Any) -> Any:
    return gradient * 7


def plus_one(gradient: Any) -> Any:
    return gradient + 1


def looking(gradient: Any) -> None:
    assert gradient.shape == (3,)


def on_intermediate(x: Any) -> Any:
    z = x * x
    z.register_hook(times_seven)
    return z * 3


def on_all_uses(x: Any) -> Any:
    z = x * x
    before = z * 5
    z.register_hook(times_seven)
    return z * 3 + before


def on_argument(x: Any) -> Any:
    x.register_hook(times_seven)
    return x * 3


def two_hooks(x: Any) -> Any:
    z = x * 2
    z.register_hook(times_seven)
    z.register_hook(plus_one)
    return z * 3


def on_the_result(x: Any) -> Any:
    z = x * 2
    z.register_hook(plus_one)
    return z


def that_only_look(x: Any) -> Any:
    z = x * 2
    z.register_hook(looking)
    return z * 3


def with_closure(x: Any) -> Any:
    scale = x.sum()
    z = x * 2
    z.register_hook(lambda g: g * scale)
    return z * 3


@pytest.mark.parametrize(
    ("function", "wanted"),
    [
        (on_intermediate, [42, 84, 126]),
        (on_all_uses, [112, 224, 336]),
        (on_argument, [21, 21, 21]),
        (two_hooks, [44, 44, 44]),
        (on_the_result, [4, 4, 4]),
        (that_only_look, [6, 6, 6]),
        (with_closure, [36, 36, 36]),
    ],
)
def test_hooks_of_tensors_see_the_whole_gradient(mode: str, function: Callable[..., Any], wanted: list[float]) -> None:
    assert ms.grad(function)(X).tolist() == wanted
    assert ms.vjp(function, X)[1](Tensor([1.0, 1.0, 1.0]))[0].tolist() == wanted


def test_hooks_do_nothing_without_gradients(mode: str) -> None:
    assert on_intermediate(X).tolist() == [3, 12, 27]
    assert ms.jit(on_intermediate)(X).tolist() == [3, 12, 27]


def test_second_gradients_pass_through_hooks(mode: str) -> None:
    def first(x: Any) -> Any:
        return ms.grad(on_intermediate)(x)

    assert ms.grad(first)(X).tolist() == [42.0] * 3


def test_hooks_of_parameters_are_taken_back(mode: str) -> None:
    weight = Parameter(Tensor([1.0, 2.0, 3.0]), name="weight")

    def run(x: Any) -> Any:
        return x * weight

    gradient = ms.grad(run, None, weight)
    assert gradient(X).tolist() == [1, 2, 3]
    handle = weight.register_hook(times_seven)
    second = weight.register_hook(plus_one)
    assert gradient(X).tolist() == [8, 15, 22]
    handle.remove()
    handle.remove()
    assert gradient(X).tolist() == [2, 3, 4]
    second.remove()
    assert gradient(X).tolist() == [1, 2, 3]


def test_hooks_of_arguments_registered_outside() -> None:
    x = Tensor([1.0, 2.0])
    x.register_hook(times_seven)
    assert ms.grad(lambda v: v * 3)(x).tolist() == [21, 21]


def test_wrong_hooks_of_tensors_are_refused(mode: str) -> None:
    with pytest.raises(TypeError, match="Expected a callable hook function, but got int"):
        X.register_hook(3)

    def of_other_shape(x: Any) -> Any:
        z = x * 2
        z.register_hook(lambda g: g.sum())
        return z * 3

    with pytest.raises(TypeError, match="hook must return None or a gradient of the"):
        ms.grad(of_other_shape)(X)


def reads_what_it_hooks(x: Any) -> Any:
    z = x * 2
    w = z * z
    z.register_hook(lambda g: g * w)
    return w


def under_a_condition(x: Any) -> Any:
    z = x * 2
    if x.sum() > 0:
        z.register_hook(times_seven)
    return z


def of_an_outside_tensor(x: Any) -> Any:
    X.register_hook(times_seven)
    return x * X


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (reads_what_it_hooks, "must not read what is computed from the tensor"),
        (under_a_condition, "register_hook under a condition"),
        (of_an_outside_tensor, "is for tensors that it computes"),
    ],
)
def test_what_graphs_refuse(graph_mode: None, function: Callable[..., Any], says: str) -> None:
    with pytest.raises(TypeError, match=says):
        ms.grad(function)(Tensor([1.0, 2.0, 3.0]))


class Inner(nn.Cell):
    def construct(self, x: Any, y: Any) -> Any:
        return x * y


class Net(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.inner = Inner()

    def construct(self, x: Any, y: Any) -> Any:
        return self.inner(x, y) * 2


def double_first(cell: Any, inputs: Any) -> Any:
    return inputs[0] * 2, inputs[1]


def one_more(cell: Any, inputs: Any, output: Any) -> Any:
    return output + 1


def by_grad_output(cell: Any, grad_input: Any, grad_output: Any) -> Any:
    return grad_output[0] * grad_input[0], grad_input[1]


def tenfold(cell: Any, grad_output: Any) -> Any:
    return grad_output[0] * 10


def sees(cell: Any, *seen: Any) -> None:
    assert seen


PLAIN = ([8.0, 10.0, 12.0], [2.0, 4.0, 6.0])


@pytest.mark.parametrize(
    ("name", "hook", "value", "gradients"),
    [
        ("register_forward_pre_hook", double_first, [16, 40, 72], ([16, 20, 24], [4, 8, 12])),
        ("register_forward_pre_hook", sees, [8, 20, 36], PLAIN),
        ("register_forward_hook", one_more, [10, 22, 38], PLAIN),
        ("register_forward_hook", sees, [8, 20, 36], PLAIN),
        ("register_backward_hook", by_grad_output, [8, 20, 36], ([16, 20, 24], [2, 4, 6])),
        ("register_backward_hook", sees, [8, 20, 36], PLAIN),
        ("register_backward_pre_hook", tenfold, [8, 20, 36], ([80, 100, 120], [20, 40, 60])),
        ("register_backward_pre_hook", sees, [8, 20, 36], PLAIN),
    ],
)
def test_hooks_of_cells(mode: str, name: str, hook: Any, value: Any, gradients: Any) -> None:
    net = Net()
    gradient = ms.grad(net, (0, 1))
    assert lists(gradient(X, Y)) == PLAIN
    handle = getattr(net.inner, name)(hook)
    assert net(X, Y).tolist() == value
    assert lists(gradient(X, Y)) == gradients
    handle.remove()
    assert net(X, Y).tolist() == [8, 20, 36]
    assert lists(gradient(X, Y)) == PLAIN


def test_hooks_of_the_outermost_cell(mode: str) -> None:
    net = Inner()
    net.register_forward_pre_hook(double_first)
    net.register_forward_hook(one_more)
    net.register_backward_pre_hook(tenfold)
    net.register_backward_hook(by_grad_output)
    assert net(X, Y).tolist() == [9, 21, 37]
    assert lists(ms.grad(net, (0, 1))(X, Y)) == ([10 * 10 * 2 * v for v in (4, 5, 6)], [10 * 2 * v for v in (1, 2, 3)])


def test_order_and_named_arguments(mode: str) -> None:
    net = Inner()

    def named(cell: Any, args: Any, kwargs: Any) -> Any:
        return args, {"y": kwargs["y"] + 1}

    def after(cell: Any, args: Any, kwargs: Any, output: Any) -> Any:
        return output * kwargs["y"]

    def negated(cell: Any, inputs: Any, output: Any) -> Any:
        return -output

    net.register_forward_pre_hook(named, with_kwargs=True)
    net.register_forward_hook(after, with_kwargs=True)
    net.register_forward_hook(one_more, prepend=True)
    net.register_forward_hook(negated)
    assert net(X, y=Y).tolist() == [-(x * (y + 1) + 1) * (y + 1) for x, y in ((1, 4), (2, 5), (3, 6))]


def test_a_single_input_needs_no_tuple(mode: str) -> None:
    net = nn.ReLU()
    net.register_forward_pre_hook(lambda cell, inputs: inputs[0] * 2)
    assert net(X).tolist() == [2, 4, 6]


class Weighted(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.weight = Parameter(Tensor([1.0, 2.0, 3.0]), name="weight")

    def construct(self, x: Any) -> Any:
        return x * x * self.weight


def test_parameters_keep_their_gradients_behind_backward_hooks(mode: str) -> None:
    net = Weighted()
    net.register_backward_hook(lambda cell, grad_input, grad_output: (grad_input[0] * 100,))
    of_x, of_weight = ms.grad(lambda x: net(x) * 2, 0, net.weight)(X)
    assert of_x.tolist() == [400, 1600, 3600]
    assert of_weight.tolist() == [2, 8, 18]
    assert ms.grad(lambda x: net(x) * 2, None, net.weight)(X).tolist() == [2, 8, 18]


def test_second_gradients_behind_backward_hooks(mode: str) -> None:
    net = Weighted()
    net.register_backward_hook(lambda cell, grad_input, grad_output: (grad_input[0] * 100,))
    assert ms.grad(lambda x: ms.grad(net)(x))(X).tolist() == [200, 400, 600]


@pytest.mark.parametrize("again", [False, True])
def test_weights_that_change_after_they_were_read(mode: str, again: bool) -> None:
    net = Weighted()
    if again:
        net.recompute()
    else:
        net.register_backward_hook(sees)

    def run(x: Any) -> Any:
        first = net(x)
        ops.assign(net.weight, net.weight * 10)
        return first + net(x)

    of_x, of_weight = ms.grad(run, 0, net.weight)(X)
    assert of_x.tolist() == [22, 88, 198]
    assert of_weight.tolist() == [11, 44, 99]
    assert net.weight.asnumpy().tolist() == [10, 20, 30]


class Own(nn.Cell):
    def construct(self, x: Any) -> Any:
        return x * x

    def bprop(self, x: Any, out: Any, dout: Any) -> Any:
        return dout * 3


def test_hooks_around_a_gradient_of_its_own(mode: str) -> None:
    net = Own()
    handle = net.register_backward_hook(lambda cell, grad_input, grad_output: (grad_input[0] * 10 + grad_output[0],))
    assert ms.grad(lambda x: net(x) * 2)(X).tolist() == [62, 62, 62]
    net.register_backward_pre_hook(tenfold)
    assert ms.grad(lambda x: net(x) * 2)(X).tolist() == [620, 620, 620]
    handle.remove()
    assert ms.grad(lambda x: net(x) * 2)(X).tolist() == [60, 60, 60]


def test_backward_hooks_in_loops(mode: str) -> None:
    net = Weighted()
    net.register_backward_hook(lambda cell, grad_input, grad_output: (grad_input[0] * 2,))

    def run(x: Any, n: Any) -> Any:
        i = 0
        while i < n:
            x = net(x)
            i = i + 1
        return x

    one = Tensor([1.0, 1.0, 1.0])
    assert ms.grad(run)(one, Tensor(1)).tolist() == [4, 8, 12]
    assert ms.grad(run)(one, Tensor(2)).tolist() == [16, 128, 432]


def test_settings_and_copies(mode: str) -> None:
    net = Inner()
    with pytest.raises(TypeError, match="Expected a callable hook function, but got int"):
        net.register_forward_hook(3)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'always_call' must be False"):
        net.register_forward_hook(one_more, always_call=True)
    net.register_forward_hook(one_more)
    assert copy.deepcopy(net)(X, Y).tolist() == [5, 11, 19]


def test_wrong_gradients_of_hooks_are_refused(mode: str) -> None:
    net = Inner()
    net.register_backward_hook(lambda cell, grad_input, grad_output: (grad_input[0].sum(), grad_input[1]))
    with pytest.raises(
        ValueError, match=r"position 0 must have the shape of its argument: expected \(3,\), but got \(\)"
    ):
        ms.grad(net)(X, Y)


def test_primitives_that_are_hooks(mode: str) -> None:
    insert = ops.InsertGradientOf(lambda d: d * 100)
    look, replace, in_tuple = (
        ops.HookBackward(lambda gradients: None),
        ops.HookBackward(lambda gradients: gradients[0] * 10, "id"),
        ops.HookBackward(lambda gradients: (gradients[0] * 10,)),
    )
    assert ms.grad(lambda x: insert(x * x) * 3)(X).tolist() == [600, 1200, 1800]
    assert ms.grad(lambda x: look(x * x) * 3)(X).tolist() == [6, 12, 18]
    assert ms.grad(lambda x: replace(x * x) * 3)(X).tolist() == [60, 120, 180]
    assert ms.grad(lambda x: in_tuple(x * x) * 3)(X).tolist() == [60, 120, 180]
    assert insert(X).tolist() == replace(X).tolist() == X.tolist()
    with pytest.raises(TypeError, match="Expected a callable hook function, but got int"):
        ops.InsertGradientOf(3)
    with pytest.raises(TypeError, match="'cell_id' must be a str, but got int"):
        ops.HookBackward(looking, 3)
