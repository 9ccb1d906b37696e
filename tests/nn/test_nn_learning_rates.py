"""Learning rates that change from step to step, and groups of Parameters with settings of their own."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mindspore import Parameter, Tensor, nn

pytestmark = pytest.mark.compiler


class Falling(nn.LearningRateSchedule):
    def construct(self, global_step: Any) -> Any:
        return 0.5 / (global_step + 1)


def named(*names: str) -> list[Parameter]:
    return [Parameter(Tensor([1.0]), name=n) for n in names]


def descend(learning_rate: Any, steps: int = 4) -> list[float]:
    """How far plain descent with a gradient of 1 goes at each step."""
    (parameter,) = named("p")
    optimizer = nn.SGD([parameter], learning_rate)
    places = [1.0]
    for _ in range(steps):
        optimizer((Tensor([1.0]),))
        places.append(parameter.asnumpy().item())
    assert optimizer.global_step.tolist() == [steps]
    return [round(a - b, 5) for a, b in pairwise(places)]


@pytest.mark.parametrize(
    "rates",
    [lambda: [0.5, 0.25, 0.125], lambda: (0.5, 0.25, 0.125), lambda: Tensor([0.5, 0.25, 0.125]),
     lambda: iter([0.5, 0.25, 0.125])],
    ids=["list", "tuple", "tensor", "iterator"],
)  # fmt: skip
def test_one_rate_for_each_step_and_the_last_one_stays(mode: str, rates: Callable[[], Any]) -> None:
    assert descend(rates()) == [0.5, 0.25, 0.125, 0.125]


def test_a_schedule_computes_the_rate_from_the_number_of_steps(mode: str) -> None:
    assert descend(Falling(), 3) == [0.5, 0.25, round(0.5 / 3, 5)]


def test_integer_tensors_are_rates() -> None:
    assert descend(Tensor(1), 2) == [1.0, 1.0]


def test_asking_for_the_rate_counts_no_step(mode: str) -> None:
    optimizer = nn.Momentum(named("p"), [0.5, 0.25], 0.9)
    assert [optimizer.get_lr().item() for _ in range(2)] == [0.5, 0.5]
    assert optimizer.global_step.tolist() == [0]


def test_groups_have_rates_decays_and_an_order_of_their_own(mode: str) -> None:
    a, b, c = named("a", "b", "c")
    optimizer = nn.Momentum(
        [{"params": [a], "lr": 0.5, "weight_decay": 0.1}, {"params": [b]}, {"params": [c], "lr": 0.01},
         {"order_params": [c, b, a]}],
        0.1, 0.9, weight_decay=0.2,
    )  # fmt: skip
    assert [p.name for p in optimizer.parameters] == ["c", "b", "a"]
    gradients = {"a": 1.0, "b": 2.0, "c": 3.0}
    for _ in range(2):
        optimizer(tuple(Tensor([gradients[p.name]]) for p in optimizer.parameters))
    for parameter, rate, decay in ((a, 0.5, 0.1), (b, 0.1, 0.2), (c, 0.01, 0.2)):
        value, moment = 1.0, 0.0
        for _ in range(2):
            moment = 0.9 * moment + gradients[parameter.name] + decay * value
            value -= rate * moment
        np.testing.assert_allclose(parameter.asnumpy(), [value], rtol=1e-5)


def test_the_rates_of_groups_may_change_and_are_told(mode: str) -> None:
    a, b = named("a", "b")
    optimizer = nn.SGD([{"params": [a], "lr": Falling()}, {"params": [b]}], [0.1, 0.2])
    told = []
    for _ in range(2):
        told.append([round(rate.item(), 5) for rate in optimizer.get_lr()])
        optimizer((Tensor([1.0]), Tensor([1.0])))
    assert told == [[0.5, 0.1], [0.25, 0.2]]
    np.testing.assert_allclose([a.item(), b.item()], [0.25, 0.7], rtol=1e-5)


def test_parameters_of_normalisation_do_not_decay() -> None:
    parameters = named("norm.gamma", "norm.beta", "dense.weight")
    nn.Momentum(parameters, 0.1, 0.9, weight_decay=0.5)(tuple(Tensor([0.0]) for _ in parameters))
    assert [round(p.item(), 5) for p in parameters] == [1.0, 1.0, 0.95]


@pytest.mark.parametrize(
    ("groups", "error", "words"),
    [
        (lambda p: [{"params": [p], "foo": 1}], KeyError, "'lr', 'weight_decay'.*got 'foo'"),
        (lambda p: [{"lr": 0.1}], KeyError, "must have the key 'params'"),
        (lambda p: [{"params": []}], ValueError, "must not be empty"),
        (lambda p: [{"params": [p]}, p], TypeError, "Parameters, or all of them groups"),
        (lambda p: [{"params": [p]}, {"params": [p]}], RuntimeError, "'p' is given twice"),
        (lambda p: [{"params": [p], "lr": -1.0}], ValueError, "learning rate.*-1.0"),
        (lambda p: [{"params": [p], "weight_decay": -1.0}], ValueError, "weight_decay.*-1.0"),
        (lambda p: [{"params": [p], "grad_centralization": True}], ValueError, "grad_centralization"),
        (
            lambda p: [{"params": [p]}, {"order_params": named("q")}],
            ValueError,
            r"they are \['p'\], but it names \['q'\]",
        ),
    ],
)
def test_wrong_groups_are_refused(groups: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        nn.Momentum(groups(named("p")[0]), 0.1, 0.9)
