"""Arguments whose sizes change from call to call: compiled once for all sizes, except where a size decides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from mindspore.common.dynamic import declared
from mindspore.compiler import pipeline
from mindspore.context import reset_context

pytestmark = pytest.mark.compiler
BACKENDS = ["cpu", "reference"]
SIZES = (20, 24, 33, 40, 41, 1, 100)


@pytest.fixture(autouse=True)
def fresh_context() -> Iterator[None]:
    yield
    reset_context()


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Grows by one for each compilation of Python source."""
    made: list[Any] = []
    original: Any = getattr(pipeline, "specialise")  # noqa: B009 -- a name that the module itself imports

    def counting(*args: Any, **kwargs: Any) -> Any:
        made.append(args[0])
        return original(*args, **kwargs)

    monkeypatch.setattr(pipeline, "specialise", counting)
    return made


def floats(*shape: int) -> Tensor:
    return Tensor(np.random.default_rng(sum(shape)).standard_normal(shape).astype(np.float32))


WEIGHT = ms.Parameter(Tensor(np.linspace(-1, 1, 50, dtype=np.float32).reshape(10, 5)), name="w")


def scaled(x: Any) -> Any:
    return x * 2 + 1


def scored(x: Any) -> Any:
    return ops.softmax(ops.matmul(x, WEIGHT), -1)


def averaged(x: Any) -> Any:
    return x.mean(), x.sum(0) / x.shape[0], (x * x).mean(1)


def regrouped(x: Any) -> Any:
    return x.reshape(x.shape[0], -1, 2).transpose((1, 0, 2)).reshape(-1, 2)


def looped(x: Any) -> Any:
    total = x * 0
    while total.sum() < 10.0:
        total = total + ops.abs(x) + 0.1
    return total


def branching(x: Any) -> Any:
    return ops.tanh(x) if x.sum() > 0 else x - x.mean()


def sliced(x: Any) -> Any:
    return x[1:] - x[:-1], x[-1], x[::2, None, 1:3], x[x.shape[0] - 2] * x.shape[0]


GENERAL = [scaled, scored, averaged, regrouped, looped, branching, sliced]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("function", GENERAL)
def test_the_second_size_is_compiled_for_all(function: Any, backend: str, compilations: list[Any]) -> None:
    call: Any = ms.jit(function, backend=backend)
    for size in SIZES:
        x = floats(size, 10)
        found, wanted = call(x), function(x)
        for one, other in zip(_listed(found), _listed(wanted), strict=True):
            assert one.shape == other.shape
            np.testing.assert_allclose(one.asnumpy(), other.asnumpy(), rtol=2e-5, atol=2e-5)
    assert len(compilations) == 3, "one for the first size, one for all, one for the size 1"


def _listed(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


@pytest.mark.parametrize("backend", BACKENDS)
def test_gradients_of_a_mean_over_the_batch(backend: str, compilations: list[Any]) -> None:
    def loss(x: Any) -> Any:
        return ops.tanh(ops.matmul(x, WEIGHT)).mean()

    call: Any = ms.jit(ms.value_and_grad(loss, 0, [WEIGHT]), backend=backend)
    for size in (4, 6, 9, 31):
        x = floats(size, 10)
        value, (of_x, of_w) = call(x)
        slope = 1 - np.tanh(x.asnumpy() @ WEIGHT.asnumpy()) ** 2
        np.testing.assert_allclose(of_x.asnumpy(), slope @ WEIGHT.asnumpy().T / (size * 5), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(of_w[0].asnumpy(), x.asnumpy().T @ slope / (size * 5), rtol=1e-4, atol=1e-6)
        assert value.shape == ()
    assert len(compilations) == 2


def test_a_size_that_decides_is_compiled_for_each_decision(compilations: list[Any]) -> None:
    def by_size(x: Any) -> Any:
        return x.sum(0) if x.shape[0] > 7 else x.mean(0)

    call: Any = ms.jit(by_size)
    for size in (4, 5, 6, 8, 9, 20, 7, 3):
        x = floats(size, 10)
        expected = x.asnumpy().sum(0) if size > 7 else x.asnumpy().mean(0)
        np.testing.assert_allclose(call(x).asnumpy(), expected, rtol=1e-4, atol=1e-6)
    assert len(compilations) == 3


def test_unrolled_loops_are_compiled_for_each_size(compilations: list[Any]) -> None:
    def unrolled(x: Any) -> Any:
        total = x[0]
        for i in range(1, x.shape[0]):
            total = total * 0.5 + x[i]
        return total

    call: Any = ms.jit(unrolled)
    for size in (2, 3, 5, 3, 2):
        x = floats(size, 4)
        np.testing.assert_allclose(call(x).asnumpy(), unrolled(x).asnumpy(), rtol=1e-5)
    assert len(compilations) == 3


def test_two_arguments_with_one_size_keep_it(compilations: list[Any]) -> None:
    def joined(x: Any, y: Any) -> Any:
        return x + y, x.shape

    call: Any = ms.jit(joined)
    for size in (4, 6, 9):
        total, shape = call(floats(size, 3), floats(size, 3))
        assert total.shape == shape == (size, 3)
        assert type(shape[0]) is int
    assert len(compilations) == 2
    total, _ = call(floats(5, 3), floats(1, 3))
    assert total.shape == (5, 3)
    with pytest.raises(ValueError, match="do not broadcast"):
        call(floats(5, 3), floats(4, 3))


def test_state_outside_is_guarded_for_all_sizes(compilations: list[Any]) -> None:
    class Net(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.factor = 2.0

        def construct(self, x: Any) -> Any:
            return x * self.factor

    ms.set_context(mode=ms.GRAPH_MODE)
    net = Net()
    for size in (3, 4, 5):
        assert net(Tensor(np.ones(size, np.float32))).tolist() == [2.0] * size
    net.factor = 3.0
    for size in (5, 4, 6):
        assert net(Tensor(np.ones(size, np.float32))).tolist() == [3.0] * size
    assert len(compilations) <= 4


def test_errors_of_a_new_size_are_the_users(compilations: list[Any]) -> None:
    call: Any = ms.jit(lambda x, y: x + y)
    call(floats(3), floats(3))
    with pytest.raises(ValueError, match=r"test_symbolic_sizes\.py\", line \d+, column \d+"):
        call(floats(4), floats(5))


@pytest.mark.parametrize("declare", ["set_inputs", "input_signature", "enable_dynamic"])
def test_declared_sizes_are_compiled_once_from_the_first_call(declare: str, compilations: list[Any]) -> None:
    rows = Tensor(shape=[None, 3], dtype=ms.float32)
    call: Any
    if declare == "set_inputs":
        ms.set_context(mode=ms.GRAPH_MODE)
        call = nn.ReLU()
        call.set_inputs(rows)
        assert call.get_inputs() == (rows,)
    elif declare == "input_signature":
        call = ms.jit(lambda x: ops.relu(x), input_signature=rows)
    else:
        call = ms.enable_dynamic(x=rows)(ms.jit(lambda x: ops.relu(x)))
    for size in (7, 9, 30):
        x = floats(size, 3)
        assert call(x).asnumpy().tolist() == np.maximum(x.asnumpy(), 0).tolist()
    assert len(compilations) == 1
    with pytest.raises(ValueError, match=r"expected: \(-1, 3\), and input: \(5, 4\)"):
        call(floats(5, 4))
    with pytest.raises(TypeError, match=r"Tensor\[Float32\], but got Tensor\[Int32\]"):
        call(Tensor(np.ones((5, 3), np.int32)))


def test_declared_inputs_of_methods_and_by_name(compilations: list[Any]) -> None:
    class Net(nn.Cell):
        @ms.jit(input_signature=(Tensor(shape=[None], dtype=ms.float32), None))
        def scaled(self, x: Any, factor: Any) -> Any:
            return x * factor

        def construct(self, x: Any, pair: Any) -> Any:
            return x + pair[0] * pair[1]

    net = Net()
    assert [net.scaled(Tensor(np.ones(n, np.float32)), 2.0).tolist() for n in (2, 3)] == [[2.0] * 2, [2.0] * 3]
    assert len(compilations) == 1
    ms.set_context(mode=ms.GRAPH_MODE)
    net.set_inputs(x=Tensor(shape=None, dtype=ms.float32))
    assert net.get_inputs().keys() == {"x"}
    for shape in ((2,), (3, 2), (4, 2)):
        assert net(floats(*shape), (floats(2), 3)).shape == shape
    assert len(compilations) == 3, "one for each rank"


@dataclass
class Pair:
    a: Any
    b: Any


@pytest.mark.parametrize("named", [False, True])
def test_declared_inputs_hold_what_calls_take_apart(named: bool, compilations: list[Any]) -> None:
    """Dataclasses and numbers that `mutable` marks are inputs in the order in which the compiler finds them."""
    sizes = Tensor(shape=[None], dtype=ms.float32)
    call: Any = ms.jit(lambda p, q, x: p.a * p.b + q[0] * q[1] + x)
    declared_pair = Pair(sizes, sizes) if named else None
    call = ms.enable_dynamic(p=declared_pair, x=sizes)(call)
    for size in (20, 30):
        ones = Tensor(np.ones(size, np.float32))
        found = call(Pair(ones * 2, ones * 3), ms.mutable((2.0, 5.0)), ones)
        assert found.tolist() == [17.0] * size
    assert len(compilations) == (1 if named else 2)


def test_wrong_declarations_say_what_is_wrong() -> None:
    net = nn.ReLU()
    with pytest.raises(ValueError, match="either all inputs by position or some by name"):
        net.set_inputs()
    with pytest.raises(ValueError, match="'y' is not one of the parameters"):
        net.set_inputs(y=None)
    with pytest.raises(TypeError, match="expected a function made by jit"):
        ms.enable_dynamic(x=None)(abs)
    inputs = declared("set_inputs", lambda x, y: x, [(Tensor(shape=[None], dtype=ms.float32),), 1], {})
    with pytest.raises(ValueError, match="expected: 2 and input: 1"):
        inputs.sizes([floats(2)], {})
    with pytest.raises(ValueError, match="input 1 must be like the declared one"):
        inputs.sizes([(), 1], {})
    with pytest.raises(TypeError, match="input 2 should be a int, but got str"):
        inputs.sizes([(floats(2),), "1"], {})
    assert inputs.sizes([(floats(2),), 1], {}) == [(None,)]


def test_a_tensor_without_sizes_shows_what_may_change() -> None:
    rows: Any = Tensor(shape=[None, 3], dtype=ms.float32)
    assert isinstance(rows, Tensor)
    assert (rows.shape, rows.dtype, rows.sizes) == ((-1, 3), ms.float32, (None, 3))
    assert repr(rows) == "Tensor(shape=[-1, 3], dtype=Float32, value=)"
    assert Tensor(shape=None, dtype=ms.float32).shape == (-2,)
