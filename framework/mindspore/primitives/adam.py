"""Steps of Adam and its relatives, which divide by moving means of the gradient's size."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mindspore.primitives.steps import mixed, step

Given = Mapping[str, Any]


def _first(s: Any, g: Given, attrs: Given) -> Any:
    return mixed(s, g["beta1"], g["m"], g["gradient"])


def _second(s: Any, g: Given, attrs: Given) -> Any:
    return mixed(s, g["beta2"], g["v"], s.square(g["gradient"]))


def _direction(s: Any, g: Given, m: Any) -> Any:
    return s.div(m, s.add(s.sqrt(_second(s, g, {})), g["epsilon"]))


def _rate(s: Any, g: Given) -> Any:
    """The learning rate corrected for means that began as 0."""
    return s.div(s.mul(g["lr"], s.sqrt(s.sub(1.0, g["beta2_power"]))), s.sub(1.0, g["beta1_power"]))


def _variable(s: Any, g: Given, attrs: Given) -> Any:
    m = _first(s, g, attrs)
    if attrs["use_nesterov"]:
        m = mixed(s, g["beta1"], m, g["gradient"])
    return s.sub(g["var"], s.mul(_rate(s, g), _direction(s, g, m)))


def _decayed(s: Any, g: Given, attrs: Given) -> Any:
    moved = s.add(_direction(s, g, _first(s, g, attrs)), s.mul(g["decay"], g["var"]))
    return s.sub(g["var"], s.mul(g["lr"], moved))


step(
    "Adam", "var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, gradient", (_variable, _first, _second),
    "Moving means m and v of the gradient and its square; the variable moves by m / (sqrt(v) + epsilon), corrected.",
    attrs={"use_nesterov": False}, gradient="gradient", variants=({"use_nesterov": True},),
)  # fmt: skip
step(
    "AdamWeightDecay", "var, m, v, lr, beta1, beta2, epsilon, decay, gradient", (_decayed, _first, _second),
    "Adam without the correction for the start; decay times the variable is part of the step, not of the gradient.",
    gradient="gradient",
)  # fmt: skip


def _largest(s: Any, g: Given, attrs: Given) -> Any:
    return s.maximum(g["vhat"], _second(s, g, attrs))


def _by_largest(s: Any, g: Given, attrs: Given) -> Any:
    root = s.add(s.sqrt(_largest(s, g, attrs)), g["epsilon"])
    return s.sub(g["var"], s.div(s.mul(_rate(s, g), _first(s, g, attrs)), root))


step(
    "ApplyAdamWithAmsgradV2", "var, m, v, vhat, beta1_power, beta2_power, lr, beta1, beta2, epsilon, gradient",
    (_by_largest, _first, _second, _largest), "Adam that divides by the root of vhat, the largest v so far.", gradient="gradient",
)  # fmt: skip


def _moment(s: Any, g: Given, attrs: Given) -> Any:
    return mixed(s, g["beta1"], g["m"], g["grad"])


def _norm(s: Any, g: Given, attrs: Given) -> Any:
    return s.maximum(s.mul(g["beta2"], g["v"]), s.abs(g["grad"]))


def _by_norm(s: Any, g: Given, attrs: Given) -> Any:
    rate = s.div(g["lr"], s.sub(1.0, g["beta1_power"]))
    return s.sub(g["var"], s.div(s.mul(rate, _moment(s, g, attrs)), s.add(_norm(s, g, attrs), g["epsilon"])))


step(
    "ApplyAdaMax", "var, m, v, beta1_power, lr, beta1, beta2, epsilon, grad", (_by_norm, _moment, _norm),
    "Adam with the largest decayed absolute gradient in the place of the root of v.",
)  # fmt: skip
