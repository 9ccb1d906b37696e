"""Classes of ``ops.operations`` for steps of optimizers: each computes the new values of Parameters in one pass and writes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from mindspore.common.eager import function
from mindspore.common.state import store
from mindspore.ir.operator import find
from mindspore.ops.function_objects import Composed, composed

_LOCK = ("use_locking", False)


def stepped(name: str) -> Callable[..., Any]:
    """The operator `name` as a function that writes its results into the Parameters among its arguments, and gives these."""
    run = function(name)
    count = len(find(name).compute.bodies)

    def write(*inputs: Any, **attrs: Any) -> Any:
        values = run(*inputs, **attrs)
        if count == 1:
            store(inputs[0], values)
            return inputs[:1]
        for i in range(count):
            store(inputs[i], values[i])
        return inputs[:count]

    return write


def unlocked(call: Callable[..., Any]) -> Callable[..., Any]:
    """`call` with the attribute ``use_locking``, which changes nothing: updates are never shared between threads."""

    def run(*inputs: Any, use_locking: bool, **attrs: Any) -> Any:
        return call(*inputs, **attrs)

    return run


def _first(call: Callable[..., Any]) -> Callable[..., Any]:
    def run(*inputs: Any, **attrs: Any) -> Any:
        return call(*inputs, **attrs)[0]

    return run


def _class(name: str, attributes: Sequence[tuple[str, Any]] = (), single: bool = False) -> type[Composed]:
    """``Name(attributes)(*inputs)`` of the declaration; `single`: only the variable comes back, not the other states."""
    operator = find(name)
    call = stepped(name)
    if _LOCK in attributes:
        call = unlocked(call)
    settings = ", ".join(f"{key}={value!r}" for key, value in attributes)
    doc = f"``{name}({settings})({', '.join(operator.inputs)})``: {operator.doc} Written into the Parameters."
    return composed(name, _first(call) if single else call, attributes, doc)


_amsgrad = stepped("ApplyAdamWithAmsgradV2")


def _with_amsgrad(
    var: Any, m: Any, v: Any, vhat: Any, beta1_power: Any, beta2_power: Any, lr: Any, grad: Any, beta1: float, beta2: float,
    epsilon: float, use_locking: bool,
) -> Any:  # fmt: skip
    """``ApplyAdamWithAmsgrad(beta1, beta2, epsilon)(var, m, v, vhat, beta1_power, beta2_power, lr, grad)``: one step by the largest v."""
    return _amsgrad(var, m, v, vhat, beta1_power, beta2_power, lr, beta1, beta2, epsilon, grad)


_NESTEROV = ("use_nesterov", False)
_SLOTS = ("update_slots", True)
CLASSES = (
    _class("Adam", (_LOCK, _NESTEROV)),
    _class("AdamWeightDecay", (_LOCK,)),
    _class("ApplyAdaMax"),
    _class("ApplyAdadelta"),
    _class("ApplyAdagrad", (_SLOTS,)),
    _class("ApplyAdagradV2", (("epsilon", 1e-6), _SLOTS)),
    composed(
        "ApplyAdamWithAmsgrad", _with_amsgrad, (("beta1", 0.9), ("beta2", 0.999), ("epsilon", 1e-8), _LOCK)
    ),
    _class("ApplyAdamWithAmsgradV2", (_LOCK,)),
    _class("ApplyAddSign"),
    _class("ApplyCenteredRMSProp", (_LOCK,), single=True),
    _class("ApplyFtrl", (_LOCK,), single=True),
    _class("ApplyGradientDescent", single=True),
    _class("ApplyKerasMomentum", (_LOCK, _NESTEROV)),
    _class("ApplyMomentum", (_NESTEROV, _LOCK, ("gradient_scale", 1.0)), single=True),
    _class("ApplyPowerSign"),
    _class("ApplyProximalAdagrad", (_LOCK,)),
    _class("ApplyProximalGradientDescent", single=True),
    _class("ApplyRMSProp", (_LOCK,), single=True),
)  # fmt: skip
