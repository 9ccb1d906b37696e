"""Wrong inputs of often used functions: the message names the function, the argument, what was expected and what came, in both modes."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.ops import composite
from tests.modes import Call
from tests.modes import fresh_context as fresh_context
from tests.modes import mode as mode

pytestmark = pytest.mark.compiler
CASES: list[tuple[Callable[[Any], Any], type[Exception], str]] = [
    (lambda x: ops.cast(x, "float99"), TypeError, r"'float99' names no element type; expected one of bool_, int8"),
    (lambda x: x.astype("real"), TypeError, r"'real' names no element type; expected one of bool_, int8"),
    (lambda x: ops.arange("a"), TypeError, r"Arange: attribute 'stop' must be a number, but got 'a'"),
    (lambda x: ops.arange(0, None, "b"), TypeError, r"Arange: attribute 'step' must be a number, but got 'b'"),
    (lambda x: ops.full((2,), "a"), TypeError, r"Full: attribute 'value' must be a number, but got 'a'"),
    (lambda x: x.expand_as(1), TypeError, r"For 'expand_as', 'other' must be a Tensor, but got 1"),
    (lambda x: x.view_as((2, 3)), TypeError, r"For 'view_as', 'other' must be a Tensor, but got \(2, 3\)"),
    (lambda x: ops.flatten(5), TypeError, r"For 'flatten', 'input' must be a Tensor, but got 5"),
    (lambda x: ops.shape(5), TypeError, r"For 'shape', 'input_x' must be a Tensor, but got 5"),
    (lambda x: ops.size("a"), TypeError, r"For 'size', 'input_x' must be a Tensor, but got 'a'"),
    (lambda x: ops.rank("a"), TypeError, r"For 'rank', 'input_x' must be a Tensor, but got 'a'"),
    (lambda x: ops.dtype(None), TypeError, r"For 'dtype', 'x' must be a Tensor, but got None"),
    (lambda x: ops.ones_like(2.0), TypeError, r"For 'ones_like', 'input' must be a Tensor, but got 2.0"),
    (lambda x: ops.zeros_like("a"), TypeError, r"For 'zeros_like', 'input' must be a Tensor, but got 'a'"),
    (lambda x: ops.full_like("a", 1), TypeError, r"For 'full_like', 'input' must be a Tensor, but got 'a'"),
    (lambda x: ops.dense("a", x), TypeError, r"For 'dense', 'input' must be a Tensor, but got 'a'"),
    (lambda x: ops.randn("a"), TypeError, r"For 'randn', the sizes must be ints that are not negative, but got \('a',\)"),
    (lambda x: ops.rand(2, -1), TypeError, r"For 'rand', the sizes must be ints that are not negative, but got \(2, -1\)"),
    (lambda x: ops.matmul(x, "a"), TypeError, r"For 'matmul', 'other' must be a Tensor, but got 'a'"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "kind", "message"), CASES, ids=[m[:40] for _, _, m in CASES])
def test_messages(mode: str, call: Callable[[Any], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as error:
        Call(call)(Tensor(np.ones((2, 3), np.float32)))
    if mode == "graph":
        assert f'File "{__file__}", line ' in str(error.value)


def test_functions_that_need_values_refuse_other_things() -> None:
    ms.set_context(mode=ms.PYNATIVE_MODE)
    with pytest.raises(TypeError, match="For 'nonzero', 'input' must be a Tensor, but got 'a'"):
        ops.nonzero("a")
    with pytest.raises(TypeError, match=r"For 'masked_select', 'mask' must be a Tensor, but got \[True\]"):
        ops.masked_select(Tensor([1.0]), [True])


def test_max_pool_3d_takes_the_six_ends(mode: str) -> None:
    class Net(nn.Cell):
        def __init__(self, ends: Any) -> None:
            super().__init__()
            self.pool = ops.MaxPool3D(2, 2, "pad", ends)

        def construct(self, x: Any) -> Any:
            return self.pool(x)

    x = np.random.default_rng(0).normal(size=(1, 2, 3, 4, 5)).astype(np.float32)
    found = Net((1, 0, 0, 0, 0, 1))(Tensor(x)).asnumpy()
    padded = np.pad(x, ((0, 0), (0, 0), (1, 0), (0, 0), (0, 1)), constant_values=-np.inf)
    np.testing.assert_array_equal(found, padded.reshape(1, 2, 2, 2, 2, 2, 3, 2).max((3, 5, 7)))
    np.testing.assert_array_equal(Net((1, 1, 1))(Tensor(x)).asnumpy(), Net((1,) * 6)(Tensor(x)).asnumpy())
    with pytest.raises(ValueError, match=r"For 'MaxPool3D', the 'pad_list' must hold ints of at least 0"):
        Net((1, 0, 0, 0, 0, -1))(Tensor(x))
    with pytest.raises(ValueError, match=r"at most half of the 'kernel_size'"):
        Net((2, 0, 0, 0, 0, 0))(Tensor(x))


def test_heaviside_as_a_method_takes_values_by_name(mode: str) -> None:
    x = Tensor(np.array([-1.0, 0.0, 2.0], np.float32))
    assert Call(lambda v: v.heaviside(values=Tensor(0.5)))(x).asnumpy().tolist() == [0.0, 0.5, 1.0]


def test_composite_offers_what_programs_import_from_it(mode: str) -> None:
    names: Any = composite
    x = Tensor(np.array([[0.0, 1.0], [2.0, 3.0]], np.float32))
    assert int(Call(lambda v: names.count_nonzero(v))(x).asnumpy()) == 3
    assert import_module("mindspore.ops.composite.math_ops").count_nonzero is names.count_nonzero
    assert Call(lambda v: names.dot(v, v))(x).asnumpy().tolist() == [[2.0, 3.0], [6.0, 11.0]]
    assert Call(lambda v: names.tensor_dot(v, v, 1))(x).asnumpy().tolist() == [[2.0, 3.0], [6.0, 11.0]]
    assert names.normal((2, 3), Tensor(0.0), Tensor(1.0)).shape == (2, 3)
