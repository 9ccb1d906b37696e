"""``jit`` and GRAPH_MODE: what is compiled, when it is compiled again, and how many Python calls a run makes."""

from __future__ import annotations

import copy
import functools
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from mindspore.common import api

pytestmark = pytest.mark.compiler


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The functions that were compiled."""
    made: list[Any] = []
    real = api.compile_now

    def counted(function: Any, *rest: Any) -> Any:
        made.append(function)
        return real(function, *rest)

    monkeypatch.setattr(api, "compile_now", counted)
    return made


def double(x: Any) -> Any:
    return x + x


def test_functions_methods_and_lambdas(mode: str) -> None:
    class Scaler:
        def __init__(self, k: float) -> None:
            self.k = k

        @ms.jit
        def scaled(self, x: Any) -> Any:
            return x * self.k

    x = Tensor([1.0, 2.0])
    assert ms.jit(double)(x).tolist() == [2.0, 4.0]
    assert ms.jit(lambda a, b=3.0: a * b)(x).tolist() == [3.0, 6.0]
    assert Scaler(2.0).scaled(x).tolist() == [2.0, 4.0]
    assert Scaler(5.0).scaled(x).tolist() == [5.0, 10.0]
    assert ms.jit(jit_level="O1")(double)(x).tolist() == [2.0, 4.0]
    assert ms.ms_function(double)(x).tolist() == [2.0, 4.0]
    assert ms.jit(ms.jit(double))(x).tolist() == [2.0, 4.0]


def test_arguments_and_results_of_other_kinds(mode: str) -> None:
    def shuffled(pair: Any, scale: float, names: Any = None, *, flag: bool = False) -> Any:
        first, second = pair
        return {"sum": first + second, "list": [first * scale, 7, names], "flag": flag}

    found = ms.jit(shuffled)((Tensor([1.0]), Tensor([2.0])), 3, names=("a",), flag=True)
    assert found["sum"].tolist() == [3.0]
    assert found["list"][0].tolist() == [3.0]
    assert found["list"][1:] == [7, ("a",)]
    assert found["flag"] is True


def test_the_reference_back_end_gives_the_same() -> None:
    def function(x: Any, y: Any) -> Any:
        return ops.softmax(x @ y, -1).sum(axis=0), x.T

    x, y = (Tensor(np.linspace(-1, 1, 12, dtype=np.float32).reshape(s)) for s in ((3, 4), (4, 3)))
    for found, wanted in zip(ms.jit(function)(x, y), ms.jit(function, backend="reference")(x, y), strict=True):
        np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), rtol=1e-5)


def test_one_compilation_per_types_and_constants(compilations: list[Any]) -> None:
    power: Any = ms.jit(lambda x, n: x**n)
    x = Tensor([3.0])
    assert [power(x, 2).item(), power(x, 2).item(), power(Tensor([2.0]), 2).item()] == [9.0, 9.0, 4.0]
    assert len(compilations) == 1
    assert power(x, 3).item() == 27.0
    assert power(Tensor([[2.0]]), 2).shape == (1, 1)
    assert power(Tensor([2], ms.int32), 2).dtype is ms.int32
    assert len(compilations) == 4


class Configured(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.scale = 2.0
        self.inner: nn.Cell = nn.ReLU()
        self.parts = nn.CellList([nn.ReLU(), nn.Tanh()])

    def construct(self, x: Any) -> Any:
        for each in self.parts:
            x = each(x)
        return self.inner(x) * self.scale if self.training else x * FACTOR


FACTOR = 10.0


def test_a_change_of_what_was_read_compiles_again(
    graph_mode: None, compilations: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    net, x = Configured(), Tensor([1.0])
    np.testing.assert_allclose(net(x).asnumpy(), 10 * np.tanh(1), rtol=1e-6)
    assert net(x) is not None
    assert len(compilations) == 1
    monkeypatch.setitem(globals(), "FACTOR", 1.0)
    np.testing.assert_allclose(net(x).asnumpy(), np.tanh(1), rtol=1e-6)
    net.set_train()
    np.testing.assert_allclose(net(x).asnumpy(), 2 * np.tanh(1), rtol=1e-6)
    net.scale = 3.0
    np.testing.assert_allclose(net(x).asnumpy(), 3 * np.tanh(1), rtol=1e-6)
    net.inner = nn.Sigmoid()
    np.testing.assert_allclose(net(x).asnumpy(), 3 / (1 + np.exp(-np.tanh(1))), rtol=1e-6)
    net.parts.append(nn.ReLU())
    assert net(x).shape == (1,)
    assert len(compilations) == 6
    net.set_train(False)
    assert net(x) is not None
    count = len(compilations)
    assert net(x) is not None
    assert len(compilations) == count


def test_equal_gradient_functions_share_a_compilation(graph_mode: None, compilations: list[Any]) -> None:
    for _ in range(3):
        assert ms.grad(double)(Tensor([1.0])).tolist() == [2.0]
        assert ms.value_and_grad(double)(Tensor([1.0]))[0].tolist() == [2.0]
    assert len(compilations) == 2


def test_a_wrapped_function_does_not_inherit_compilations(graph_mode: None) -> None:
    first: Any = ms.grad(double)
    assert first(Tensor([1.0])).tolist() == [2.0]

    @functools.wraps(double)
    def scaled(x: Any) -> Any:
        return double(x) * 5

    second: Any = ms.grad(scaled)
    assert second.cache is not first.cache
    assert ms.grad(double).cache is first.cache


class Counter(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.count = Parameter(Tensor([0.0]), name="count")
        self.mean = Parameter(Tensor([0.0]), name="mean", requires_grad=False)

    def construct(self, x: Any) -> Any:
        self.count = self.count + 1
        ops.assign(self.mean, (self.mean * 3 + x.sum()) / 4)
        ops.assign_add(self.count, Tensor([1.0]))
        return self.count * x


def test_parameters_are_written(mode: str) -> None:
    net = Counter()
    assert net(Tensor([1.0])).tolist() == [2.0]
    assert net(Tensor([3.0])).tolist() == [12.0]
    assert net.count.asnumpy().tolist() == [4.0]
    np.testing.assert_allclose(net.mean.asnumpy(), [0.9375])


def python_calls(run: Any) -> int:
    """How many Python functions a call enters."""
    count = 0

    def profile(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    run()
    sys.setprofile(profile)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


def step_of(layers: int) -> Any:
    cells = [c for _ in range(layers) for c in (nn.Dense(8, 8), nn.ReLU())]
    network = nn.SequentialCell(*cells)
    loss = nn.SoftmaxCrossEntropyWithLogits(sparse=True, reduction="mean")
    optimizer = nn.Momentum(network.trainable_params(), 0.01, 0.9)
    step = nn.TrainOneStepCell(nn.WithLossCell(network, loss), optimizer).set_train()
    data, labels = Tensor(np.ones((4, 8), np.float32)), Tensor([0, 1, 2, 3], ms.int32)
    return lambda: step(data, labels)


def test_a_step_of_training_runs_no_python_per_layer(graph_mode: None) -> None:
    few, many = python_calls(step_of(3)), python_calls(step_of(30))
    assert few == many
    assert few < 20


def test_save_graphs_writes_readable_stages(graph_mode: None, tmp_path: Path) -> None:
    ms.set_context(save_graphs=2, save_graphs_path=str(tmp_path / "graphs"))
    assert nn.Dense(2, 2)(Tensor([[1.0, 2.0]])).shape == (1, 2)
    files = sorted(tmp_path.rglob("*.ir"))
    assert len(files) > 3
    assert any("MatMul" in f.read_text() for f in files)


def test_modes_switch_at_any_time() -> None:
    ms.set_seed(1)
    net, x = nn.Dense(3, 2, activation="tanh"), Tensor([[1.0, 2.0, 3.0]])
    results = []
    for chosen in (ms.PYNATIVE_MODE, ms.GRAPH_MODE, ms.PYNATIVE_MODE, ms.GRAPH_MODE):
        ms.set_context(mode=chosen)
        results.append(net(x).asnumpy())
    for each in results[1:]:
        np.testing.assert_allclose(each, results[0], rtol=1e-5)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: ms.jit(3), TypeError, "callable"),  # type: ignore[call-overload]
        (lambda: ms.jit(double, backend="GE"), ValueError, "backend"),
        (lambda: ms.jit(double, capture_mode="trace"), ValueError, "capture_mode"),
        (lambda: ms.jit(double)(), TypeError, "missing 1 required"),  # type: ignore[call-arg]
        (lambda: ms.jit(makes_a_class)(Tensor(1.0)), SyntaxError, "class"),
        (lambda: ms.jit(adds)(Tensor([1.0, 2.0]), Tensor([1.0, 2.0, 3.0])), ValueError, r"line \d+"),
    ],
)
def test_errors_say_where(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def makes_a_class(x: Any) -> Any:
    class Inner:
        value = x

    return Inner.value


def adds(x: Any, y: Any) -> Any:
    return x + y


def test_importing_the_package_loads_little() -> None:
    program = (
        "import sys; import mindspore as ms; from mindspore import Tensor, nn, ops; nn.Dense(2, 2)\n"
        "print([m for m in ('llvmlite', 'google.protobuf', 'scipy', 'rich', 'ml_dtypes') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_path())
    assert done.stdout.strip() == "[]"


def _path() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": str(Path(ms.__file__).parents[1])}


class Powered:
    """An object of the user with a compiled method."""

    def __init__(self, n: int) -> None:
        self.n = n

    @ms.jit
    def apply(self, x: Any) -> Any:
        return x**self.n


def test_objects_with_compiled_methods_are_copied_and_pickled() -> None:
    first = Powered(2)
    assert first.apply(Tensor([3.0])).item() == 9.0
    for other in (copy.deepcopy(first), pickle.loads(pickle.dumps(first))):
        other.n = 3
        assert other.apply(Tensor([2.0])).item() == 8.0
    assert first.apply(Tensor([2.0])).item() == 4.0


@ms.jit
def module_level(x: Any) -> Any:
    return x * 2


def test_a_compiled_function_is_pickled_by_name() -> None:
    assert pickle.loads(pickle.dumps(module_level)) is module_level
    assert module_level.__name__ == "module_level"


def test_names_can_be_imported_from_common() -> None:
    program = "from mindspore.common.tensor import Tensor; from mindspore.common import Parameter, set_seed, dtype as mstype\n"
    program += "print(Tensor([1.0]) + 1, Parameter(Tensor([1.0])).value(), mstype.float32)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, env=_path())
    assert done.stdout == "[2.] [1.] Float32\n"


class Making(nn.Cell):
    def construct(self, x: Any) -> Any:
        normal = ops.Softmax(-1)(nn.ReLU()(x))
        return (
            ops.Cast()(normal, ms.float16),
            ops.ReduceSum(keep_dims=True)(x, 1),
            ops.Shape()(x),
            ops.Zeros()((2,), ms.int32),
        )


def test_operators_and_cells_without_parameters_may_be_made_in_graphs(mode: str) -> None:
    normal, total, shape, zeros = Making()(Tensor([[-1.0, 0.0]]))
    assert (normal.dtype, normal.tolist()) == (ms.float16, [[0.5, 0.5]])
    assert (total.tolist(), shape, zeros.tolist()) == ([[-1.0]], (1, 2), [0, 0])


def test_a_cell_with_parameters_is_made_outside_of_graphs() -> None:
    with pytest.raises(TypeError, match=r"Dense has Parameters \(weight, \.\.\.\).*Make it in __init__"):
        ms.jit(lambda x: nn.Dense(2, 2)(x))(Tensor([[1.0, 2.0]]))


def test_numbers_that_change_at_each_call_keep_no_endless_row_of_compilations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "_KEPT_KEYS", 3)
    scaled: Any = ms.jit(lambda x, n: x * n)
    assert [scaled(Tensor(2.0), n).item() for n in (0, 1, 2, 3, 4, 0)] == [0, 2, 4, 6, 8, 0]
    assert len(scaled.cache.entries) == 3


class Settings:
    rate = 2.0


class Holds(nn.Cell):
    """Reads what Python may change between calls."""

    def __init__(self) -> None:
        super().__init__()
        self.scales = [1.0, [2.0, 3.0]]
        self.named = {"a": 4.0}
        self.settings = Settings()

    def construct(self, x: Any) -> Any:
        total = x * self.scales[0] + self.named["a"] + self.settings.rate + Settings.rate
        for each in self.scales[1]:  # type: ignore[attr-defined]
            total = total + each
        return total


def test_changes_of_what_a_cell_holds_are_noticed(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    net = Holds()
    call = ms.jit(net)
    x = Tensor(1.0)

    def result() -> float:
        assert call(x).item() == net(x).item()
        return float(call(x).item())

    assert result() == 14
    net.scales[0] = 11.0
    assert result() == 24
    net.scales[1][1] = 13.0  # type: ignore[index]
    assert result() == 34
    net.scales[1].append(10.0)  # type: ignore[attr-defined]
    assert result() == 44
    net.named["a"] = 14.0
    assert result() == 54
    monkeypatch.setattr(Settings, "rate", 7.0)
    assert result() == 64
    net.settings.rate = 17.0
    assert result() == 74
    net.scales = [1.0, [0.0]]
    assert result() == 39
