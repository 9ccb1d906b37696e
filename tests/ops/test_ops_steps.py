"""Steps of optimizers as classes of ``ops.operations``, of whole Parameters and of rows: the answers are MindSpore's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore import Parameter, Tensor, nn
from mindspore.ops import operations as P  # noqa: N812 -- MindSpore's name

pytestmark = pytest.mark.compiler

STATES = ([1.0, -2.0, 0.5], [0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [0.7, 0.1, 0.2])
TABLES = (
    [[1.0, -2.0], [0.5, 0.25], [3.0, -1.0]], [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], [[0.4, 0.5], [0.6, 0.1], [0.2, 0.3]],
)  # fmt: skip
GRADIENT, ROWS = [0.5, -1.0, 2.0], [[0.5, -1.0], [2.0, 0.25], [1.0, 1.0]]
G, AT = "gradient", "indices"


class Stepping(nn.Cell):
    """The step of some Parameters, so that it is compiled in graph mode."""

    def __init__(self, step: Any, values: Any) -> None:
        super().__init__()
        self.step = step
        self.states = [Parameter(Tensor(v), name=f"p{i}") for i, v in enumerate(values)]
        self.first, self.second = self.states[0], self.states[-1]

    def construct(self, *inputs: Any) -> Any:
        self.step(*self.states, *inputs)
        return inputs[-1]


def stepped(step: Any, values: Any, inputs: Any) -> list[Any]:
    cell = Stepping(step, values)
    cell(*inputs)
    return [p.asnumpy().ravel() for p in cell.states]


@pytest.mark.parametrize(
    ("step", "inputs", "wanted"),
    [
        (P.ApplyAdaMax(), (0.9, 0.1, 0.9, 0.99, 0.001, G),
         [[0.7205589, -2.07992, 0.2651175], [0.14, 0.07999997, 0.4700001], [0.5, 1.0, 2.0]]),
        (P.ApplyAdadelta(), (0.1, 0.9, 0.001, G),
         [[0.9070364, -1.866474, 0.3107195], [0.115, 0.28, 0.6700001], [0.4464224, 0.6282918, 0.8982713]]),
        (P.ApplyAdagrad(), (0.1, G),
         [[0.9154845, -1.908713, 0.4035514], [0.35, 1.2, 4.3]]),
        (P.ApplyAdagradV2(0.01), (0.1, G),
         [[0.9168894, -1.909539, 0.4040143], [0.35, 1.2, 4.3]]),
        (P.ApplyAdagradV2(0.01, False), (0.1, G),
         [[0.8467328, -1.781284, 0.1413988], [0.1, 0.2, 0.3]]),
        (P.ApplyAdamWithAmsgradV2(), (0.8, 0.9, 0.1, 0.8, 0.9, 0.01, G),
         [[0.966385, -1.991586, 0.396693], [0.18, -0.03999999, 0.64], [0.385, 0.55, 0.9400001], [0.7, 0.55, 0.9400001]]),
        (P.ApplyAddSign(), (0.1, 0.5, 0.99, 0.9, G),
         [[0.9255, -2.049, 0.202], [0.14, 0.07999997, 0.4700001]]),
        (P.ApplyPowerSign(), (0.1, 1.5, 0.99, 0.9, G),
         [[0.7792517, -1.97735, -0.3829932], [0.14, 0.07999997, 0.4700001]]),
        (P.ApplyCenteredRMSProp(), (G, 0.1, 0.9, 0.5, 0.9),
         [[0.6055516, -1.966771, 0.2428215], [0.14, 0.07999997, 0.4700001], [0.385, 0.55, 0.9400001],
          [0.3944484, -0.03322937, 0.2571785]]),
        (P.ApplyRMSProp(), (0.1, G, 0.9, 0.5, 0.01),
         [[0.6585786, -2.064305, -0.0425356], [0.115, 0.28, 0.6700001], [0.3414214, 0.06430466, 0.5425356]]),
        (P.ApplyFtrl(), (G, 0.1, 0.0, 0.02, -0.4),
         [[0.2556165, -0.9731791, 0.1821628], [0.35, 1.2, 4.3], [-1.689864, 10.50696, -3.272015]]),
        (P.ApplyGradientDescent(), (0.1, G),
         [[0.95, -1.9, 0.3]]),
        (P.ApplyProximalAdagrad(), (0.1, 0.1, 0.2, G),
         [[0.8691972, -1.865525, 0.3949201], [0.35, 1.2, 4.3]]),
        (P.ApplyProximalGradientDescent(), (0.1, 0.1, 0.2, G),
         [[0.9215686, -1.852941, 0.2843137]]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_a_step(mode: str, step: Any, inputs: tuple[Any, ...], wanted: Any) -> None:
    given = [Tensor(GRADIENT) if each is G else each for each in inputs]
    for found, each in zip(stepped(step, STATES[: len(wanted)], given), wanted, strict=True):
        np.testing.assert_allclose(found, each, rtol=2e-6, atol=1e-6)


@pytest.mark.parametrize(
    ("step", "inputs", "indices", "wanted"),
    [
        (P.FusedSparseLazyAdam(), (0.8, 0.9, 0.1, 0.8, 0.9, 0.01, G, AT), [2, 0, 2],
         [[0.9139301, -2.04844, 0.5, 0.25, 2.828774, -1.143301], [0.48, 0.21, 0.3, 0.4, 0.7, 0.48],
          [0.7600001, 0.45625, 0.6, 0.1, 0.405, 0.27]]),
        (P.FusedSparseLazyAdam(False, True), (0.8, 0.9, 0.1, 0.8, 0.9, 0.01, G, AT), [2, 0, 2],
         [[0.8594192, -2.050286, 0.5, 0.25, 2.789637, -1.114641], [0.48, 0.21, 0.3, 0.4, 0.7, 0.48],
          [0.7600001, 0.45625, 0.6, 0.1, 0.405, 0.27]]),
        (P.FusedSparseAdam(), (0.8, 0.9, 0.1, 0.8, 0.9, 0.01, G, AT), [2, 0, 2],
         [[0.9139301, -2.04844, 0.4490535, 0.08678563, 2.828774, -1.143301], [0.48, 0.21, 0.24, 0.32, 0.7, 0.48],
          [0.7600001, 0.45625, 0.54, 0.09, 0.405, 0.27]]),
        (P.FusedSparseFtrl(0.1, 0.01, 0.02, -0.5), (G, AT), [2, 0, 2],
         [[0.7233758, -0.3956015, 0.5, 0.25, 1.613786, -0.0372465], [4.1, 0.2625, 0.3, 0.4, 2.75, 0.6],
          [-14.68618, 2.052679, 0.6, 0.1, -26.83617, 0.3]]),
        (P.FusedSparseProximalAdagrad(), (0.1, 0.1, 0.2, G, AT), [2, 0, 2],
         [[0.887522, -1.953038, 0.5, 0.25, 2.868916, -0.962245], [4.1, 0.2625, 0.3, 0.4, 2.75, 0.6]]),
        (P.SparseApplyFtrl(0.1, 0.01, 0.02, -0.5), (G, AT), [2, 0, 1],
         [[0.7233758, -0.3956015, 0.1181868, 0.02248126, 0.4663725, -0.3304521], [4.1, 0.2625, 1.3, 1.4, 0.75, 1.6],
          [-14.68618, 2.052679, -1.362264, -0.2769011, -4.067559, 4.203144]]),
        (P.SparseApplyAdagrad(0.1), (G, AT), [2, 0, 1],
         [[0.9012271, -2.048795, 0.4122942, 0.1654846, 2.942265, -0.9209431], [4.1, 0.2625, 1.3, 1.4, 0.75, 1.6]]),
    ],
    ids=lambda value: getattr(value, "name", ""),
)  # fmt: skip
def test_a_step_of_rows(mode: str, step: Any, inputs: tuple[Any, ...], indices: list[int], wanted: Any) -> None:
    """Rows that are named twice are changed once, by the sum of their gradients."""
    chosen = {G: Tensor(ROWS), AT: Tensor(np.array(indices, np.int32))}
    given = [chosen[each] if isinstance(each, str) else each for each in inputs]
    for found, each in zip(stepped(step, TABLES[: len(wanted)], given), wanted, strict=True):
        np.testing.assert_allclose(found, each, rtol=2e-6, atol=1e-6)


def test_amsgrad_takes_its_rates_at_construction_or_at_the_call(mode: str) -> None:
    one = stepped(P.ApplyAdamWithAmsgrad(0.8, 0.9, 0.01), STATES, (0.8, 0.9, 0.1, Tensor(GRADIENT)))
    two = stepped(P.ApplyAdamWithAmsgradV2(), STATES, (0.8, 0.9, 0.1, 0.8, 0.9, 0.01, Tensor(GRADIENT)))
    for left, right in zip(one, two, strict=True):
        np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("nesterov", [False, True])
def test_momentum_as_in_keras(mode: str, nesterov: bool) -> None:
    var, accum = stepped(P.ApplyKerasMomentum(use_nesterov=nesterov), STATES[:2], (0.1, Tensor(GRADIENT), 0.9))
    moved = np.array(STATES[1]) * 0.9 - 0.1 * np.array(GRADIENT)
    ahead = moved * 0.9 - 0.1 * np.array(GRADIENT) if nesterov else moved
    np.testing.assert_allclose(accum, moved, rtol=1e-6)
    np.testing.assert_allclose(var, np.array(STATES[0]) + ahead, rtol=1e-6)


def test_adadelta_of_rows_is_that_of_the_rows_alone(mode: str) -> None:
    indices = Tensor(np.array([2, 0], np.int32))
    rows = stepped(P.SparseApplyAdadelta(0.01), TABLES, (0.1, 0.9, Tensor(ROWS[:2]), indices))
    taken = [np.array(t)[[2, 0]] for t in TABLES]
    alone = stepped(P.ApplyAdadelta(), taken, (0.1, 0.9, 0.01, Tensor(ROWS[:2])))
    for found, start, each in zip(rows, TABLES, alone, strict=True):
        wanted = np.array(start, np.float32)
        wanted[[2, 0]] = each.reshape(2, 2)
        np.testing.assert_allclose(found, wanted.ravel(), rtol=1e-6)


def test_what_comes_back() -> None:
    states = [Parameter(Tensor(v), name=f"p{i}") for i, v in enumerate(STATES[:3])]
    found = P.ApplyAdadelta()(*states, 0.1, 0.9, 1e-3, Tensor(GRADIENT))
    assert all(each is state for each, state in zip(found, states, strict=True))
    assert P.ApplyFtrl()(*states, Tensor(GRADIENT), 0.1, 0.0, 0.0, -0.5) is states[0]


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: P.ApplyFtrl(use_locking=1), TypeError, "'ApplyFtrl', the 'use_locking' should be bool, but got int"),
        (lambda: P.ApplyAdagrad(True, True), TypeError, "ApplyAdagrad got too many arguments; it takes update_slots"),
        (lambda: P.FusedSparseFtrl(0.1, 0.0, 0.0), TypeError, "FusedSparseFtrl needs 'lr_power'"),
        (lambda: P.ApplyAdagrad()(*[Parameter(Tensor(v), name=str(v)) for v in STATES[:2]], 0.1, Tensor([1.0])), ValueError,
         r"'grad' must have the shape of 'var' Float32\[3\], but got Float32\[1\]"),
    ],
)  # fmt: skip
def test_wrong_calls_are_refused(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()
