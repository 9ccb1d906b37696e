"""Steps of optimizers without a mean of squares: momentum, signs, proximal steps, averages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mindspore.primitives.steps import mixed, step

Given = Mapping[str, Any]


def _moved(s: Any, g: Given, attrs: Given) -> Any:
    return s.add(s.mul(g["accumulation"], g["momentum"]), _scaled(s, g, attrs))


def _scaled(s: Any, g: Given, attrs: Given) -> Any:
    scale = attrs["gradient_scale"]
    return s.mul(g["gradient"], scale) if scale != 1 else g["gradient"]


def _with_momentum(s: Any, g: Given, attrs: Given) -> Any:
    moved = _moved(s, g, attrs)
    if attrs["use_nesterov"]:
        moved = s.add(_scaled(s, g, attrs), s.mul(moved, g["momentum"]))
    return s.sub(g["variable"], s.mul(moved, g["learning_rate"]))


step(
    "ApplyMomentum", "variable, accumulation, learning_rate, gradient, momentum", (_with_momentum, _moved),
    "accumulation * momentum + gradient, and variable less learning_rate times that; Nesterov's looks one step ahead.",
    attrs={"use_nesterov": False, "gradient_scale": 1.0}, gradient="gradient",
    variants=({"use_nesterov": True, "gradient_scale": 0.5},),
)  # fmt: skip


def _gathered(s: Any, g: Given, attrs: Given) -> Any:
    return s.sub(s.mul(g["accum"], g["momentum"]), s.mul(g["lr"], g["grad"]))


def _advanced(s: Any, g: Given, attrs: Given) -> Any:
    moved = _gathered(s, g, attrs)
    if attrs["use_nesterov"]:
        moved = s.sub(s.mul(moved, g["momentum"]), s.mul(g["lr"], g["grad"]))
    return s.add(g["var"], moved)


step(
    "ApplyKerasMomentum", "var, accum, lr, grad, momentum", (_advanced, _gathered),
    "accum * momentum - lr * grad, and var plus that; Nesterov's looks one step ahead.",
    attrs={"use_nesterov": False}, variants=({"use_nesterov": True},),
)  # fmt: skip
step(
    "ApplyGradientDescent", "var, alpha, delta", (lambda s, g, _: s.sub(g["var"], s.mul(g["alpha"], g["delta"])),),
    "var - alpha * delta.", gradient="delta",
)  # fmt: skip


def shrunk(s: Any, value: Any, rate: Any, l1: Any, l2: Any) -> Any:
    """The proximal operator of ``l1 * |x| + l2 / 2 * x^2`` with this rate (Duchi and Singer 2009)."""
    size = s.maximum(s.sub(s.abs(value), s.mul(rate, l1)), 0.0)
    return s.div(s.mul(s.sign(value), size), s.add(s.mul(rate, l2), 1.0))


step(
    "ApplyProximalGradientDescent", "var, alpha, l1, l2, delta",
    (lambda s, g, _: shrunk(s, s.sub(g["var"], s.mul(g["alpha"], g["delta"])), g["alpha"], g["l1"], g["l2"]),),
    "A step of gradient descent, then the nearest value that l1 and l2 allow.", gradient="delta",
)  # fmt: skip


def _mean(s: Any, g: Given, attrs: Given) -> Any:
    return mixed(s, g["beta"], g["m"], g["grad"])


def _agreement(s: Any, g: Given) -> Any:
    return s.mul(g["sign_decay"], s.mul(s.sign(g["grad"]), s.sign(_mean(s, g, {}))))


def _add_sign(s: Any, g: Given, attrs: Given) -> Any:
    return s.sub(g["var"], s.mul(s.mul(g["lr"], s.add(g["alpha"], _agreement(s, g))), g["grad"]))


def _power_sign(s: Any, g: Given, attrs: Given) -> Any:
    return s.sub(g["var"], s.mul(s.mul(g["lr"], s.exp(s.mul(g["logbase"], _agreement(s, g)))), g["grad"]))


step(
    "ApplyAddSign", "var, m, lr, alpha, sign_decay, beta, grad", (_add_sign, _mean),
    "The gradient times alpha plus sign_decay where it and its mean have one sign, less where they have not.",
)  # fmt: skip
step(
    "ApplyPowerSign", "var, m, lr, logbase, sign_decay, beta, grad", (_power_sign, _mean),
    "The gradient times a power that is larger where it and its mean have one sign, smaller where they have not.",
)  # fmt: skip


def _averaged_descent(s: Any, g: Given, attrs: Given) -> Any:
    return s.sub(s.mul(g["var"], s.sub(1.0, s.mul(g["lambd"], g["eta"]))), s.mul(g["eta"], g["grad"]))


def _average(s: Any, g: Given, attrs: Given) -> Any:
    return s.add(g["mean"], s.mul(s.sub(_averaged_descent(s, g, attrs), g["mean"]), g["mu"]))


step(
    "AveragedStep", "var, mean, eta, lambd, mu, grad", (_averaged_descent, _average),
    "A decayed step of gradient descent, and the mean of the values so far, moved by mu.",
)  # fmt: skip


def _resilient_size(s: Any, g: Given, attrs: Given) -> Any:
    agreed = s.mul(g["grad"], g["previous"])
    longer = s.minimum(s.mul(g["step_size"], g["etaplus"]), g["most"])
    shorter = s.maximum(s.mul(g["step_size"], g["etaminus"]), g["least"])
    return s.select(s.gt(agreed, 0.0), longer, s.select(s.lt(agreed, 0.0), shorter, g["step_size"]))


def _resilient_gradient(s: Any, g: Given, attrs: Given) -> Any:
    return s.select(s.lt(s.mul(g["grad"], g["previous"]), 0.0), 0.0, g["grad"])


def _resilient(s: Any, g: Given, attrs: Given) -> Any:
    return s.sub(g["var"], s.mul(s.sign(_resilient_gradient(s, g, attrs)), _resilient_size(s, g, attrs)))


step(
    "ResilientStep", "var, previous, step_size, etaminus, etaplus, least, most, grad", (_resilient, _resilient_gradient, _resilient_size),
    "A step in the direction of the gradient's sign, longer while the sign stays, shorter after it has changed.",
)  # fmt: skip
