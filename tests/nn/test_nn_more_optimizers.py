"""Further optimizers: the values after three steps are MindSpore's, or those of the formula where it has no kernel for this device."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore import Parameter, Tensor, nn

pytestmark = pytest.mark.compiler

GRADIENTS = np.array([[0.5, -2.0, 0.1], [1.0, 0.3, 0.0], [-1.0, 0.3, 4.0]], np.float32)
START = np.array([1.0, 2.0, -3.0], np.float32)


def pair() -> list[Parameter]:
    return [Parameter(Tensor(START), name="p"), Parameter(Tensor([1.0]), name="beta")]


def descend(make: Callable[[Any], Any], steps: int = 3) -> tuple[list[Parameter], Any]:
    parameters = pair()
    optimizer = make(parameters)
    for gradient in GRADIENTS[:steps]:
        optimizer((Tensor(gradient), Tensor([0.5])))
    return parameters, optimizer


@pytest.mark.parametrize(
    ("make", "first", "second"),
    [
        (lambda p: nn.Adadelta(p), [0.99689627, 2.0017469, -3.0075176], 0.99029273),
        (lambda p: nn.Adadelta(p, 0.5, 0.8, 1e-3, loss_scale=2.0, weight_decay=0.1),
         [0.95751876, 1.9902312, -2.9868042], 0.89315939),
        (lambda p: nn.Adadelta(p, rho=1.0), [0.5, 3.4000001, -7.0999999], -0.5),
        (lambda p: nn.AdaMax(p), [0.9981243, 2.0015891, -3.0018506], 0.99700004),
        (lambda p: nn.AdaMax(p, 0.1, 0.8, 0.95, 1e-3, weight_decay=0.1, loss_scale=2.0),
         [0.79822302, 2.112493, -2.8384769], 0.70119512),
        (lambda p: nn.ASGD(p), [0.94997114, 2.1399372, -3.4099038], 0.84997255),
        (lambda p: nn.ASGD(p, 0.05, 0.01, 0.5, 1.0, weight_decay=0.1), [0.95913112, 2.0361865, -3.1556292], 0.92355728),
        (lambda p: nn.ASGD(p, [0.1, 0.2, 0.3], 0.01, 0.5, 1.0), [1.0460098, 2.1016147, -3.7964034], 0.79648322),
        (lambda p: nn.Rprop(p), [0.77999997, 2.05, -3.1999998], 0.63599998),
        (lambda p: nn.Rprop(p, 0.05, (0.4, 1.3), (0.04, 0.2), weight_decay=0.1),
         [0.88499999, 2.01, -2.885], 0.80049998),
        (lambda p: nn.Rprop(p, [0.1, 0.2, 0.3]), [0.77999997, 2.05, -3.1999998], 0.63599998),
        (lambda p: nn.FTRL(p), [0.46442407, 1.6883484, -0.14091033], 0.46344459),
        (lambda p: nn.FTRL(p, learning_rate=0.1, lr_power=-1.0), [0.53990769, 1.9858307, -0.38846558], 0.42927176),
        (lambda p: nn.LazyAdam(p), [0.9979049, 2.0018804, -3.0023215], 0.99700004),
        (lambda p: nn.LazyAdam(p, 0.1, 0.8, 0.95, 1e-3, use_nesterov=True, weight_decay=0.1, loss_scale=2.0),
         [0.69678795, 2.1290638, -2.7953954], 0.56960666),
        (lambda p: nn.ProximalAdagrad(p), [0.99894649, 2.0006962, -3.0012982], 0.997967),
        (lambda p: nn.ProximalAdagrad(p, 0.2, 0.1, 0.01, 0.02, loss_scale=2.0, weight_decay=0.1),
         [0.89975983, 2.0014565, -2.9673147], 0.85230303),
        (lambda p: nn.ProximalAdagrad(p, 0.2, 0.1, 2.0), [0.31429785, 1.7790567, -2.1986256], 0.072020218),
        (lambda p: nn.AdamOffload(p), [0.9979049, 2.0018804, -3.0023215], 0.99700004),
        (lambda p: nn.Adam(p, use_lazy=True), [0.9979049, 2.0018804, -3.0023215], 0.99700004),
        (lambda p: nn.Adam(p, use_offload=True), [0.9979049, 2.0018804, -3.0023215], 0.99700004),
    ],
)  # fmt: skip
def test_three_steps(mode: str, make: Callable[[Any], Any], first: list[float], second: float) -> None:
    parameters, _ = descend(make)
    np.testing.assert_allclose(parameters[0].asnumpy(), first, rtol=2e-6)
    np.testing.assert_allclose(parameters[1].asnumpy(), [second], rtol=2e-6)


def test_ftrl_with_penalties(mode: str) -> None:
    """By the formula: MindSpore's kernel for dense gradients forgets the sign at l1, the one for rows does not."""
    rate, power, l1, l2 = 0.1, 0.4, 0.5, 0.02
    w, n, z = START.astype(np.float64), np.full(3, 0.2), np.zeros(3)
    for gradient in GRADIENTS / 2:
        g = gradient + 0.1 * w
        grown = n + g * g
        z = z + g - (grown**power - n**power) / rate * w
        w = np.where(abs(z) > l1, (np.sign(z) * l1 - z) / (grown**power / rate + 2 * l2), 0)
        n = grown
    parameters, _ = descend(lambda p: nn.FTRL(p, 0.2, rate, -power, l1, l2, loss_scale=2.0, weight_decay=0.1))
    np.testing.assert_allclose(parameters[0].asnumpy(), w, rtol=1e-5)


@pytest.mark.parametrize("clip", [False, True])
def test_lars(mode: str, clip: bool) -> None:
    w, b = START.astype(np.float64), np.array([1.0])
    for gradient, rate in zip(GRADIENTS.astype(np.float64), (0.5, 0.25, 0.125), strict=True):
        scale = 0.02 * np.linalg.norm(w) / (np.linalg.norm(gradient) + 0.1 * np.linalg.norm(w) + 1e-3)
        w = w - rate * (float(np.minimum(scale / rate, 1.0)) if clip else scale) * (gradient + 0.1 * w)
        b = b - rate * (0.5 + 0.1 * b)
    parameters = [Parameter(Tensor(START), name="p"), Parameter(Tensor([1.0]), name="bias")]
    optimizer = nn.LARS(nn.SGD(parameters, [0.5, 0.25, 0.125], weight_decay=0.1), 1e-3, 0.02, clip)
    for gradient in GRADIENTS:
        optimizer((Tensor(gradient), Tensor([0.5])))
    np.testing.assert_allclose(parameters[0].asnumpy(), w, rtol=1e-5)
    np.testing.assert_allclose(parameters[1].asnumpy(), b, rtol=1e-5)


def test_lars_leaves_gradients_of_norm_0_as_they_are(mode: str) -> None:
    p = Parameter(Tensor([0.0]), name="p")
    nn.LARS(nn.SGD([p], 0.5))((Tensor([1.0]),))
    assert p.item() == -0.5


def test_groups_have_their_own_rates(mode: str) -> None:
    def make(p: Any) -> Any:
        return nn.AdaMax([{"params": [p[0]], "lr": 0.1, "weight_decay": 0.1}, {"params": [p[1]]}], 0.001)

    parameters, _ = descend(make)
    alone = [Parameter(Tensor(START), name="p")]
    optimizer = nn.AdaMax(alone, 0.1, weight_decay=0.1)
    for gradient in GRADIENTS:
        optimizer((Tensor(gradient),))
    np.testing.assert_allclose(parameters[0].asnumpy(), alone[0].asnumpy(), rtol=1e-6)
    assert parameters[1].item() == pytest.approx(0.997, rel=1e-6)


@pytest.mark.parametrize(
    ("make", "names"),
    [
        (nn.Adadelta, ["accum.p", "accum.beta", "accum_update.p", "accum_update.beta"]),
        (nn.AdaMax, ["beta1_power", "moment1.p", "moment1.beta", "moment2.p", "moment2.beta"]),
        (nn.ASGD, ["mu_p", "mu_beta", "eta_p", "eta_beta", "ax_.p", "ax_.beta"]),
        (nn.Rprop, ["prev.p", "prev.beta", "step_size.p", "step_size.beta"]),
        (nn.FTRL, ["moments.p", "moments.beta", "linear.p", "linear.beta"]),
        (nn.LazyAdam, ["beta1_power", "beta2_power", "moment1.p", "moment1.beta", "moment2.p", "moment2.beta"]),
        (nn.ProximalAdagrad, ["accum.p", "accum.beta"]),
    ],
)  # fmt: skip
def test_the_state_goes_on_where_it_was_left(make: Callable[..., Any], names: list[str]) -> None:
    """The state's names are MindSpore's, and its values are all that an optimizer remembers."""
    whole, _ = descend(make)
    parameters, optimizer = descend(make, 2)
    state = {p.name: Tensor(p.asnumpy().copy()) for p in optimizer.get_parameters()}
    assert list(state) == ["global_step", "learning_rate", "p", "beta", *names]
    other = pair()
    again = make(other)
    for each in again.get_parameters():
        each.set_data(state[each.name])
    again((Tensor(GRADIENTS[2]), Tensor([0.5])))
    for left, right in zip(other, whole, strict=True):
        np.testing.assert_array_equal(left.asnumpy(), right.asnumpy())
    assert parameters[0].asnumpy().tolist() != whole[0].asnumpy().tolist()


WRONG: Any = "a", 3


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda p: nn.Adadelta(p, rho=1.5), ValueError, r"'rho' must be in range of \[0.0, 1.0\], but got 1.5"),
        (lambda p: nn.Adadelta(p, rho=1), TypeError, "the type of 'rho' should be 'float', but got type 'int'"),
        (lambda p: nn.Adadelta(p, epsilon=-1.0), ValueError, "'epsilon' must be float and must >= 0"),
        (lambda p: nn.AdaMax(p, beta1=1.0), ValueError, "'AdaMax', the 'beta1'"),
        (lambda p: nn.AdaMax(p, eps=0.0), ValueError, "'AdaMax', the 'eps'"),
        (lambda p: nn.ASGD(p, lambd=1), TypeError, "'ASGD', the type of 'lambd'"),
        (lambda p: nn.ASGD(p, t0=WRONG[0]), TypeError, "'ASGD', the type of 't0'"),
        (lambda p: nn.Rprop(p, etas=WRONG[1]), TypeError, "'etas' must be a tuple, but got int"),
        (lambda p: nn.Rprop(p, etas=(0.5,)), ValueError, "'etas' must be a tuple with the size of 2, but got 1"),  # type: ignore[arg-type]
        (lambda p: nn.Rprop(p, etas=(1.5, 1.2)), ValueError, "'etaminus' must be in range"),
        (lambda p: nn.Rprop(p, etas=(0.5, 0.9)), ValueError, "'etaplus' must be greater than 1.0"),
        (lambda p: nn.Rprop(p, step_sizes=(1.0, 0.5)), ValueError, "1.0 > 0.5"),
        (lambda p: nn.Rprop(p, step_sizes=(1, 2)), TypeError, "'min_step_sizes' should be 'float'"),
        (lambda p: nn.FTRL(p, initial_accum=-1.0), ValueError, "'initial_accum' must be float and must >= 0"),
        (lambda p: nn.FTRL(p, lr_power=1.0), ValueError, "'lr_power' must be <= 0.0, but got 1.0"),
        (lambda p: nn.FTRL(p, l1=0), TypeError, "'FTRL', the type of 'l1' should be 'float'"),
        (lambda p: nn.FTRL(p, learning_rate=[0.1, 0.2]), ValueError, "the learning rate must be one number"),
        (lambda p: nn.FTRL([{"params": p, "lr": 0.1}]), ValueError, "the learning rate must be one number"),
        (lambda p: nn.FTRL(p, use_locking=WRONG[1]), TypeError, "'use_locking' should be bool"),
        (lambda p: nn.ProximalAdagrad(p, accum=-1.0), ValueError, "'ProximalAdagrad', the 'accum'"),
        (lambda p: nn.ProximalAdagrad(p, l2=WRONG[0]), TypeError, "'ProximalAdagrad', the type of 'l2'"),
        (lambda p: nn.LazyAdam(p, beta1=1.0), ValueError, r"'LazyAdam', the 'beta1' must be in range of \(0.0, 1.0\)"),
        (lambda p: nn.LazyAdam(p, use_nesterov=WRONG[1]), TypeError, "'LazyAdam', the 'use_nesterov' should be bool"),
        (lambda p: nn.AdamOffload(p, beta1=1.0), ValueError, "'AdamOffload', the 'beta1'"),
        (lambda p: nn.Adam(p, use_late=True), TypeError, "'use_lazy' and 'use_offload', but got 'use_late'"),
        (lambda p: nn.Adam(p, use_lazy=True, use_offload=True), ValueError, "'use_lazy' must not be True together with"),
        (lambda p: nn.LARS(WRONG[1]), TypeError, "'optimizer' must be an Optimizer, but got int"),
        (lambda p: nn.LARS(nn.SGD(p), WRONG[0]), TypeError, "'LARS', the type of 'epsilon'"),
        (lambda p: nn.LARS(nn.SGD(p), 1e-5, 1), TypeError, "'LARS', the type of 'coefficient'"),
        (lambda p: nn.LARS(nn.SGD(p), use_clip=WRONG[1]), TypeError, "'use_clip' should be bool"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(make: Callable[[Any], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make(pair())
