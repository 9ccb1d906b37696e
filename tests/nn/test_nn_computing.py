"""The type in which Cells compute, flags, and what Cells hold as a whole."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

pytestmark = pytest.mark.compiler


class Net(nn.Cell):
    """Holds Parameters and a constant, reads one of a Cell below, writes one, and has a Cell below."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Dense(3, 2, weight_init="ones", bias_init="ones")
        self.w = Parameter(Tensor([1.0, 0.1]), name="w")
        self.count = Parameter(Tensor([1.0, 1 / 3]), name="count", requires_grad=False)
        self.c = Tensor([0.5, 0.1])

    def construct(self, x: Any, number: Any) -> Any:
        h = self.dense(x)
        ops.assign_add(self.count, Tensor([1.0, 2.0]))
        self.count = self.count + 1
        return h, h * self.w, h * self.count, h * self.c, number, ops.dense(x, self.dense.weight)


X = np.array([[0.1, 2.0, -1.0]], np.float32)


@pytest.mark.parametrize("dtype", [ms.float16, ms.bfloat16])
def test_a_cell_computes_in_another_type_and_keeps_its_parameters(mode: str, dtype: Any) -> None:
    net = Net()
    assert net.to_float(dtype) is net
    found = net(Tensor(X), Tensor([1]))
    assert [t.dtype for t in found] == [dtype, dtype, dtype, dtype, ms.int64, dtype]
    assert {p.dtype for p in net.get_parameters()} == {ms.float32}
    assert isinstance(net.w, Parameter)
    assert net.c.dtype is ms.float32
    rounded = Tensor(X).astype(dtype).astype(ms.float32).asnumpy()
    step = 0.002 if dtype is ms.float16 else 0.02
    np.testing.assert_allclose(found[0].astype(ms.float32).asnumpy(), rounded @ np.ones((3, 2)) + 1, rtol=step)
    np.testing.assert_allclose(net.count.asnumpy(), [3.0, 3 + 1 / 3], rtol=step)


def test_values_are_rounded_to_the_type(mode: str) -> None:
    class Sum(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(Tensor([1e-4]), name="w")

        def construct(self, x: Any) -> Any:
            return x + self.w

    assert Sum()(Tensor([1.0])).item() == pytest.approx(1.0001)
    assert Sum().to_float(ms.float16)(Tensor([1.0])).item() == 1.0


def test_a_cell_below_has_a_type_of_its_own_and_calls_notice_changes(mode: str) -> None:
    net = Net().to_float(ms.float16)
    assert net(Tensor(X), 1)[0].dtype is ms.float16
    net.dense.to_float(ms.float32)
    assert [t.dtype for t in net(Tensor(X), Tensor([1]))] == [ms.float32] * 4 + [ms.int64, ms.float16]
    net.add_flags_recursive(fp16=False)
    assert [t.dtype for t in net(Tensor(X), Tensor([1]))] == [ms.float32] * 4 + [ms.int64, ms.float32]


def test_gradients_arrive_in_the_type_of_what_was_given(mode: str) -> None:
    net = Net().to_float(ms.float16)
    weights = net.trainable_params()
    inputs, parameters = ops.grad(lambda x: net(x, 1)[1].sum(), 0, weights)(Tensor(X))
    np.testing.assert_allclose(inputs.asnumpy(), np.full((1, 3), 1.1), rtol=1e-3)
    assert inputs.dtype is ms.float32
    by_name = dict(zip([p.name for p in weights], parameters, strict=True))
    assert {g.dtype for g in parameters} == {ms.float32}
    np.testing.assert_allclose(by_name["dense.weight"].asnumpy(), np.outer([1, 0.1], X), rtol=1e-3)
    np.testing.assert_allclose(by_name["w"].asnumpy(), np.full(2, X.sum() + 1), rtol=1e-3)


def test_inputs_in_containers_are_converted(mode: str) -> None:
    class Pair(nn.Cell):
        def construct(self, pair: Any, *, named: Any) -> Any:
            return pair[0] + 0, pair[1][0] + 0, named["k"] + 0

    one = Tensor([1.0])
    found = Pair().to_float(ms.float16)((one, [one]), named={"k": Tensor([1])})
    assert [t.dtype for t in found] == [ms.float16, ms.float16, ms.int64]


def test_an_error_inside_leaves_the_parameters_in_their_place(mode: str) -> None:
    net = Net().to_float(ms.float16)
    with pytest.raises(ValueError, match=r"MatMul: the columns of .x. Float16"):
        net(Tensor([[1.0]]), 1)
    assert all(isinstance(p, Parameter) for p in (net.w, net.count, net.dense.weight))


def test_training_in_half_precision_moves_the_parameters(mode: str) -> None:
    net = nn.Dense(3, 1, weight_init="zeros", bias_init="zeros").to_float(ms.float16)
    optimizer = nn.Momentum(net.trainable_params(), 0.1, 0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(net, nn.MSELoss()), optimizer)
    losses = [step(Tensor(X), Tensor([[1.0]])).item() for _ in range(5)]
    assert losses[-1] < losses[0]
    assert net.weight.dtype is ms.float32


@pytest.mark.parametrize("inner", [False, True])
def test_what_is_computed_again_for_its_gradient_has_the_same_type(mode: str, inner: bool) -> None:
    class Scale(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(Tensor([2.0]), name="w")

        def construct(self, x: Any) -> Any:
            return x * self.w * self.w

    class Outer(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.scale = Scale()

        def construct(self, x: Any) -> Any:
            return self.scale(x) + self.scale.w

    for below in (None, ms.float16, ms.float32):
        net = Outer().to_float(ms.float16)
        if below is None:
            net.scale.add_flags(fp16=False)
        else:
            net.scale.to_float(below)
        (net.scale if inner else net).recompute()
        inputs, (weight,) = ops.grad(net, 0, net.trainable_params())(Tensor([3.0]))
        assert (inputs.item(), weight.item(), weight.dtype) == (4.0, 13.0, ms.float32)


def test_other_types_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'dst_type' must be mindspore\.float32, .* but got .*int32"):
        nn.ReLU().to_float(ms.int32)


def test_flags() -> None:
    net = nn.SequentialCell(nn.Dense(2, 2), nn.ReLU())
    assert net.add_flags(has_effect=True) is net
    assert (net.has_effect, net.get_flags(), net[0].get_flags()) == (True, {"has_effect": True}, {})
    net.add_flags_recursive(level=2)
    assert (net[1].level, net.get_flags()) == (2, {"has_effect": True, "level": 2})


def test_apply_visits_each_cell_the_outermost_last() -> None:
    seen: list[str] = []
    net = nn.SequentialCell(nn.Dense(2, 2), nn.SequentialCell(nn.ReLU()))
    assert net.apply(lambda cell: seen.append(type(cell).__name__)) is net
    assert seen == ["Dense", "ReLU", "SequentialCell", "SequentialCell"]


def test_state_dicts_carry_the_values_of_one_cell_to_another() -> None:
    one, other = (nn.SequentialCell(nn.Dense(2, 2), nn.ReLU()) for _ in range(2))
    state = one.state_dict(prefix="")
    assert list(state) == ["0.weight", "0.bias"]
    assert not isinstance(state["0.bias"], Parameter)
    assert one.state_dict(keep_vars=True)["0.bias"] is one[0].bias
    assert list(one.state_dict(prefix="net.")) == ["net.0.weight", "net.0.bias"]
    assert other.load_state_dict(state) == ([], [])
    np.testing.assert_array_equal(other[0].weight.asnumpy(), one[0].weight.asnumpy())
    found = other.load_state_dict({"0.bias": Tensor([5, 6]), "x": Tensor([1.0])}, strict=False)
    assert found.missing_keys == ["0.weight"]
    assert found.unexpected_keys == ["x"]
    assert (other[0].bias.tolist(), other[0].bias.dtype) == ([5.0, 6.0], ms.float32)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s: {"0.weight": s["0.weight"]}, RuntimeError, "Missing key.*0.bias"),
        (lambda s: {**s, "x": s["0.bias"]}, RuntimeError, "Unexpected key.*'x'"),
        (lambda s: {**s, "0.bias": Tensor([1.0])}, RuntimeError, r"0.bias: expected \(2,\), but got \(1,\)"),
        (lambda s: {**s, "0.bias": 1.0}, TypeError, "'0.bias' must be a Tensor, but got float"),
        (lambda s: [1], TypeError, "must be a dict of tensors, but got list"),
    ],
)
def test_states_that_do_not_fit_change_nothing(change: Any, error: type[Exception], words: str) -> None:
    net = nn.SequentialCell(nn.Dense(2, 2))
    before = net[0].weight.asnumpy().copy()
    with pytest.raises(error, match=words):
        net.load_state_dict(change(nn.SequentialCell(nn.Dense(2, 2)).state_dict()))
    np.testing.assert_array_equal(net[0].weight.asnumpy(), before)


def test_parameters_have_their_values_from_the_beginning() -> None:
    net = nn.Dense(2, 2)
    assert net.init_parameters_data() == {net.weight: net.weight, net.bias: net.bias}
    with pytest.raises(ValueError, match="one device"):
        net.init_parameters_data(auto_parallel_mode=True)
