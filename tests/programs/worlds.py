"""Running a program through the framework: eagerly, and compiled for each back end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

NAMES = {"ops": ops, "nn": nn, "Parameter": Parameter, "Tensor": Tensor, "np": np}
"""What the names in programs mean to the framework."""
WORLDS = ("eager", "reference", "cpu")


@dataclass
class Found:
    """What one run gives: the result, the Parameters afterwards, and gradients of arguments and Parameters."""

    result: float
    state: list[np.ndarray]
    gradients: list[np.ndarray]


def run(program: Any, arguments: Sequence[Any], world: str, wrt: int = 3) -> Found:
    """Runs a program of `plain.define` with its gradients for the first `wrt` arguments and all weights."""
    net = program() if isinstance(program, type) else None
    weights = None if net is None else list(net.trainable_params())
    ms.set_context(mode=ms.PYNATIVE_MODE)
    differentiated = ms.value_and_grad(net or program, tuple(range(wrt)), weights)
    call = differentiated if world == "eager" else ms.jit(differentiated, backend=world)
    value, gradients = call(*[Tensor(np.array(a)) for a in arguments])
    flat = gradients if weights is None else (*gradients[0], *gradients[1])
    state = [w.asnumpy().copy() for w in weights or ()]
    return Found(float(value.asnumpy()), state, [g.asnumpy() for g in flat])
