"""Adam and its relatives: the formulas with numpy, and numbers recorded from MindSpore 2.10."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore import Parameter, Tensor, nn, ops

pytestmark = pytest.mark.compiler
GRADIENTS = [np.array(g, np.float32) for g in ([0.5, 1.0, -1.0], [0.25, -1.0, 2.0], [1.0, 1.0, 1.0])]


def stepped(make: Any) -> tuple[Any, Any, list[str]]:
    """Two Parameters after three steps, one of which does not decay, and the names of the optimizer's own."""
    p, q = Parameter(Tensor([1.0, -2.0, 3.0]), name="p"), Parameter(Tensor([1.0, 2.0]), name="bn.beta")
    optimizer = make([p, q])
    for gradient in GRADIENTS:
        assert optimizer((Tensor(gradient), Tensor(gradient[:2]))) == (True, True)
    return p.asnumpy(), q.asnumpy(), [each.name for each in optimizer.get_parameters()]


@pytest.mark.parametrize(
    ("make", "p", "q"),
    [
        (lambda ps: nn.Adam(ps, 0.1), [0.71587443, -2.128316, 3.011466], [0.71587443, 1.871684]),
        (lambda ps: nn.Adam(ps, 0.1, use_nesterov=True), [0.55522335, -2.199753, 3.017663], [0.55522335, 1.8002471]),
        (
            lambda ps: nn.Adam(ps, 0.1, 0.8, 0.9, 1e-3, weight_decay=0.1, loss_scale=2.0),
            [0.7109445, -2.0451415, 2.9542437],
            [0.7186067, 1.8773943],
        ),
        (lambda ps: nn.Adam(ps, 0.1, use_amsgrad=True), [0.71587443, -2.128316, 3.011466], [0.71587443, 1.8716841]),
        (lambda ps: nn.AdamWeightDecay(ps, 0.1, weight_decay=0.05), [-0.17212848, -2.427185, 2.8564556], [-0.16233815, 1.5399224]),
    ],
    ids=["adam", "nesterov", "decay", "amsgrad", "decoupled"],
)  # fmt: skip
def test_steps_are_mindspores(mode: str, make: Any, p: Any, q: Any) -> None:
    found = stepped(make)
    np.testing.assert_allclose(found[0], p, rtol=5e-6)
    np.testing.assert_allclose(found[1], q, rtol=5e-6)


def test_the_first_step_is_as_long_as_the_learning_rate(mode: str) -> None:
    p = Parameter(Tensor([1.0, -2.0]), name="p")
    nn.Adam([p], 0.25)((Tensor([3.0, -0.001]),))
    np.testing.assert_allclose(p.asnumpy(), [0.75, -1.75], rtol=1e-4)


def test_names_are_mindspores() -> None:
    moments = ["moment1.p", "moment1.bn.beta", "moment2.p", "moment2.bn.beta"]
    start = ["global_step", "learning_rate", "p", "bn.beta"]
    powers = ["beta1_power", "beta2_power"]
    assert stepped(lambda ps: nn.Adam(ps, 0.1))[2] == [*start, *powers, *moments]
    amsgrad = [*start, *powers, *moments, "vhat.p", "vhat.bn.beta"]
    assert stepped(lambda ps: nn.Adam(ps, 0.1, use_amsgrad=True))[2] == amsgrad
    decay = ["adam_m.p", "adam_m.bn.beta", "adam_v.p", "adam_v.bn.beta"]
    assert stepped(lambda ps: nn.AdamWeightDecay(ps, 0.1))[2] == [*start, *decay]


def test_steps_as_operators(mode: str) -> None:
    state = [Parameter(Tensor([v, v]), name=f"s{i}") for i, v in enumerate((1.0, 0.5, 0.25))]
    ops.Adam()(*state, 0.9, 0.99, 0.1, 0.9, 0.99, 1e-3, Tensor([1.0, -1.0]))
    m, v = np.array([0.55, 0.35]), 0.25 * 0.99 + 0.01
    np.testing.assert_allclose(state[1].asnumpy(), m, rtol=1e-6)
    np.testing.assert_allclose(state[0].asnumpy(), 1 - 0.1 * np.sqrt(0.01) / 0.1 * m / (np.sqrt(v) + 1e-3), rtol=1e-5)
    ops.AdamWeightDecay()(*state, 0.1, 0.9, 0.99, 1e-3, 0.5, Tensor([1.0, -1.0]))
    assert state[2].asnumpy().tolist() == pytest.approx([v * 0.99 + 0.01] * 2)


LOOSE: list[Any] = ["a", 1]
PARAMETERS = [Parameter(Tensor([1.0]), name="p")]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: nn.Adam(PARAMETERS, 0.1, beta1=1.0), ValueError, r"'beta1' must be in range of \(0.0, 1.0\)"),
        (lambda: nn.Adam(PARAMETERS, 0.1, beta2=LOOSE[0]), TypeError, "'beta2' must be float"),
        (lambda: nn.Adam(PARAMETERS, 0.1, eps=0.0), ValueError, "'eps'"),
        (lambda: nn.Adam(PARAMETERS, 0.1, use_nesterov=LOOSE[1]), TypeError, "'use_nesterov'"),
        (lambda: nn.Adam(PARAMETERS, 0.1, use_nesterov=True, use_amsgrad=True), ValueError, "must not both"),
        (lambda: nn.AdamWeightDecay(PARAMETERS, 0.1, beta1=0.0), ValueError, "AdamWeightDecay.*'beta1'"),
    ],
)  # fmt: skip
def test_what_is_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
