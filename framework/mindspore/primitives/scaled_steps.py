"""Steps of optimizers that divide by the root of a sum or mean of squared gradients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mindspore.primitives.optimizer import shrunk
from mindspore.primitives.samples import Domain
from mindspore.primitives.steps import mixed, step

Given = Mapping[str, Any]


def _mean_square(s: Any, g: Given, attrs: Given) -> Any:
    return mixed(s, g["decay"], g["mean_square"], s.square(g["grad"]))


def _mean_gradient(s: Any, g: Given, attrs: Given) -> Any:
    return mixed(s, g["decay"], g["mean_gradient"], g["grad"])


def _moment(s: Any, g: Given, attrs: Given) -> Any:
    spread = _mean_square(s, g, attrs)
    if "mean_gradient" in g:
        spread = s.sub(spread, s.square(_mean_gradient(s, g, attrs)))
    scaled = s.div(s.mul(g["learning_rate"], g["grad"]), s.sqrt(s.add(spread, g["epsilon"])))
    return s.add(s.mul(g["moment"], g["momentum"]), scaled)


def _by_moment(s: Any, g: Given, attrs: Given) -> Any:
    return s.sub(g["var"], _moment(s, g, attrs))


step(
    "ApplyRMSProp", "var, mean_square, moment, learning_rate, grad, decay, momentum, epsilon", (_by_moment, _mean_square, _moment),
    "moment * momentum + learning_rate * grad / sqrt(mean_square + epsilon), and var less that.",
)  # fmt: skip
step(
    "ApplyCenteredRMSProp", "var, mean_gradient, mean_square, moment, grad, learning_rate, decay, momentum, epsilon",
    (_by_moment, _mean_gradient, _mean_square, _moment), "ApplyRMSProp by the variance of the gradient: mean_square - mean_gradient^2.",
    domains={"var": Domain(2, 3), "mean_gradient": Domain(-0.2, 0.2), "mean_square": Domain(1, 2), "moment": Domain(0.1, 0.5),
             "grad": Domain(0.1, 0.5)},
)  # fmt: skip


def _sum_of_squares(s: Any, g: Given, attrs: Given) -> Any:
    return s.add(g["accum"], s.square(g["grad"])) if attrs.get("update_slots", True) else g["accum"]


def _by_sum(s: Any, g: Given, attrs: Given) -> Any:
    root = s.add(s.sqrt(_sum_of_squares(s, g, attrs)), attrs.get("epsilon", 0.0))
    return s.sub(g["var"], s.div(s.mul(g["lr"], g["grad"]), root))


step(
    "ApplyAdagrad", "var, accum, lr, grad", (_by_sum, _sum_of_squares),
    "accum + grad^2, and var less lr * grad / sqrt(accum); without update_slots accum stays.",
    attrs={"update_slots": True}, variants=({"update_slots": False},),
)  # fmt: skip
step(
    "ApplyAdagradV2", "var, accum, lr, grad", (_by_sum, _sum_of_squares), "ApplyAdagrad with epsilon added to the root.",
    attrs={"epsilon": 1e-6, "update_slots": True}, variants=({"update_slots": False, "epsilon": 0.5},),
)  # fmt: skip


def _proximal(s: Any, g: Given, attrs: Given) -> Any:
    rate = s.div(g["lr"], s.sqrt(_sum_of_squares(s, g, attrs)))
    return shrunk(s, s.sub(g["var"], s.mul(rate, g["grad"])), rate, g["l1"], g["l2"])


step(
    "ApplyProximalAdagrad", "var, accum, lr, l1, l2, grad", (_proximal, _sum_of_squares),
    "A step of Adagrad, then the nearest value that l1 and l2 allow.",
)  # fmt: skip


def _mean_of_squares(s: Any, g: Given, attrs: Given) -> Any:
    return mixed(s, g["rho"], g["accum"], s.square(g["grad"]))


def _change(s: Any, g: Given) -> Any:
    known = s.sqrt(s.add(g["accum_update"], g["epsilon"]))
    return s.mul(s.div(known, s.sqrt(s.add(_mean_of_squares(s, g, {}), g["epsilon"]))), g["grad"])


step(
    "ApplyAdadelta", "var, accum, accum_update, lr, rho, epsilon, grad",
    (lambda s, g, _: s.sub(g["var"], s.mul(g["lr"], _change(s, g))), _mean_of_squares,
     lambda s, g, _: mixed(s, g["rho"], g["accum_update"], s.square(_change(s, g)))),
    "The gradient times the root of the mean of squared changes so far over the root of the mean of squared gradients.",
)  # fmt: skip


def _power(s: Any, g: Given, accum: Any) -> Any:
    return s.div(s.pow(accum, s.sub(0.0, g["lr_power"])), g["lr"])


def _linear(s: Any, g: Given, attrs: Given) -> Any:
    grown = s.sub(_power(s, g, _sum_of_squares(s, g, attrs)), _power(s, g, g["accum"]))
    return s.sub(s.add(g["linear"], g["grad"]), s.mul(grown, g["var"]))


def _regularised(s: Any, g: Given, attrs: Given) -> Any:
    linear = _linear(s, g, attrs)
    steep = s.add(_power(s, g, _sum_of_squares(s, g, attrs)), s.mul(g["l2"], 2.0))
    moved = s.div(s.sub(s.mul(s.sign(linear), g["l1"]), linear), steep)
    return s.select(s.gt(s.abs(linear), g["l1"]), moved, 0.0)


step(
    "ApplyFtrl", "var, accum, linear, grad, lr, l1, l2, lr_power", (_regularised, _sum_of_squares, _linear),
    "Follow the regularised leader: the value that minimises the gradients so far with l1 and l2.",
    domains={"var": Domain(-1, -0.5), "linear": Domain(1, 3), "grad": Domain(0.5, 1.5), "lr": Domain(0.5, 1)},
)  # fmt: skip
