"""Numbers, tuples and tensors turned into each other, and parts of containers: the same in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.common.api import _cell_graph_executor
from mindspore.ops import composite as C  # noqa: N812
from mindspore.ops import functional as F  # noqa: N812
from mindspore.ops import operations as P  # noqa: N812
from mindspore.ops.primitive import constexpr

pytestmark = pytest.mark.compiler

T = Tensor([1.0, 2.0])


class Called(nn.Cell):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, *args: Any) -> Any:
        return self.function(*args)


def converted(x: Any) -> Any:
    return (
        F.scalar_to_tensor(3) + x,
        P.ScalarToTensor()(3.5, ms.int32),
        P.TupleToArray()((1.5, 2.0)),
        x + F.scalar_cast(3.5, ms.int32),
    )


def test_numbers_and_tuples_become_tensors(mode: str) -> None:
    found = Called(converted)(T)
    assert [f.tolist() for f in found] == [[4.0, 5.0], 3, [1.5, 2.0], [4.0, 5.0]]
    assert [f.dtype for f in found] == [ms.float32, ms.int32, ms.float32, ms.float32]


def parts(x: Any) -> Any:
    pair = F.make_tuple(x, 2)
    named = F.make_dict(("a", "b"), (x, 1))
    return (
        F.tuple_getitem(pair, 1), F.tuple_setitem(pair, 0, 7), F.tuple_len(pair), F.tuple_reversed((1, 2)),
        F.list_getitem(F.make_list(4, 5), 0), F.list_setitem([4, 5], 1, 6)[1], F.dict_getitem(named, "b"),
        F.dict_setitem({"a": 1}, "c", 2)["c"], F.in_dict("a", named), F.not_in_dict("a", named), F.list_len([1]),
        len(F.make_range(3)), F.scalar_add(1, 2), F.scalar_pow(2, 3), F.scalar_usub(2), F.bool_not(1), F.string_eq("a", "b"),
        P.InvertPermutation()((2, 0, 1)),
    )  # fmt: skip


def test_parts_of_containers_and_numbers(mode: str) -> None:
    wanted = (2, (7, 2), 2, (2, 1), 4, 6, 1, 2, True, False, 1, 3, 3, 8, -2, False, False, (1, 2, 0))
    assert Called(parts)(T) == wanted


def spaced(x: Any) -> Any:
    return ops.linspace(1, 2, 3), P.LinSpace()(x[0], x[1] * 3, 4), ops.linspace(x[0], 9, 1)


def test_linspace(mode: str) -> None:
    found = Called(spaced)(T)
    for got, wanted in zip(found, (np.linspace(1, 2, 3), np.linspace(1, 6, 4), np.ones(1)), strict=True):
        assert got.dtype is ms.float32
        np.testing.assert_allclose(got.asnumpy(), wanted, rtol=1e-6)
    of_ends = ops.grad(lambda a, b: ops.linspace(a, b, 3)[1], (0, 1))
    assert [g.tolist() for g in of_ends(Tensor(1.0), Tensor(2.0))] == [0.5, 0.5]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: P.InvertPermutation()((0, 0)), ValueError, r"each of 0 to 1 once, but got \(0, 0\)"),
        (lambda: P.InvertPermutation()((0, 1.0)), TypeError, "tuple or list of ints"),
        (lambda: ops.linspace(1, 2, 0), ValueError, "'steps' must be at least 1, but got 0"),
    ],
)
def test_wrong_arguments(mode: str, call: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Called(call)()


def test_depend_and_flags(mode: str) -> None:
    assert Called(lambda x: P.Depend()(x, x * 2))(T).tolist() == [1.0, 2.0]

    def function(x: Any) -> Any:
        return x

    assert C.core(loop_can_unroll=True)(function) is function
    assert C.add_flags(function, has_effect=True)._mindspore_flags == {"loop_can_unroll": True, "has_effect": True}
    assert constexpr is ops.constexpr


def test_cells_are_compiled_without_running() -> None:
    class Wrong(nn.Cell):
        def construct(self, x: Any) -> Any:
            return x + self.missing

    _cell_graph_executor.compile(Called(ops.relu), T)
    with pytest.raises(AttributeError, match="missing"):
        _cell_graph_executor.compile(Wrong(), T)


def test_values_with_gradients(mode: str) -> None:
    net = nn.Dense(2, 1, weight_init="ones", has_bias=False)
    rows = Tensor([[1.0, 2.0]])
    assert [g.tolist() for g in nn.WithGradCell(net)(rows)] == [[[1.0, 2.0]]]
    assert [g.tolist() for g in nn.WithGradCell(net, sens=1.0)(rows, Tensor([[2.0]]))] == [[[2.0, 4.0]]]
    assert [g.tolist() for g in nn.WithGradCell(net, nn.MSELoss())(rows, Tensor([[1.0]]))] == [[[4.0, 8.0]]]
    value, gradient = nn.ForwardValueAndGrad(ops.square)(T)
    assert (value.tolist(), gradient.tolist()) == ([1.0, 4.0], [2.0, 4.0])
    value, gradient = nn.ForwardValueAndGrad(net, net.trainable_params(), get_by_list=True)(rows)
    assert (value.tolist(), [g.tolist() for g in gradient]) == ([[3.0]], [[[1.0, 2.0]]])
    value, gradients = nn.ForwardValueAndGrad(ops.mul, get_all=True, sens_param=True)(T, T, Tensor([2.0, 3.0]))
    assert (value.tolist(), [g.tolist() for g in gradients]) == ([1.0, 4.0], [[2.0, 6.0], [2.0, 6.0]])
    with pytest.raises(TypeError, match="must be a Cell or function, but got 3"):
        nn.ForwardValueAndGrad(3)
