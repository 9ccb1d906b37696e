"""Steps of optimizers on the rows of a table that a gradient names: what the others hold is neither read nor written.

Rows that are named more than once are changed once, by the sum of their gradients, which are added in the order in which they are named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore.common.eager import function
from mindspore.common.graph_meaning import in_graphs
from mindspore.common.row_tensor import RowTensor
from mindspore.common.state import store
from mindspore.ir.operator import find
from mindspore.ops.function_objects import REQUIRED, Composed, composed
from mindspore.ops.steps import unlocked

_gather = function("gather")
_row_sums = function("RowSums")
_scatter_rows = function("ScatterRows")
_scatter_update = function("tensor_scatter_update")
_expand_dims = function("expand_dims")
GRADIENTS = ("grad", "gradient", "delta")
"""What declarations of steps call the gradient."""


def dense(rows: Any) -> Any:
    """A `RowTensor` as a whole tensor."""
    return _scatter_rows(rows.values, rows.indices, rows.dense_shape)


def put(target: Any, indices: Any, values: Any) -> None:
    """Writes slices into a Parameter."""
    target[indices] = values


def _put_in_graph(target: Any, indices: Any, values: Any) -> None:
    store(target, _scatter_update(target, _expand_dims(indices, -1), values))


in_graphs(put, _put_in_graph)


def stepped_rows(name: str) -> Callable[..., Any]:
    """The step `name` as a function ``(states, RowTensor, numbers)`` that changes the rows which the gradient names.

    Numbers are the operator's inputs but the states and the gradient, in their order.
    """
    run, operator = function(name), find(name)
    count = len(operator.compute.bodies)
    place = next(i for i, each in enumerate(operator.inputs) if each in GRADIENTS) - count

    def write(states: Any, gradient: Any, numbers: Any, **attrs: Any) -> None:
        indices = gradient.indices
        total = _row_sums(gradient.values, indices, gradient.dense_shape[0])
        rows = tuple([_gather(each, indices, 0) for each in states])
        new = run(*rows, *numbers[:place], total, *numbers[place:], **attrs)
        for i in range(count):
            put(states[i], indices, new[i])

    return write


def _sparse(step: str, states: int, numbers: int, named: tuple[str, ...] = ()) -> Callable[..., Any]:
    """``(states, numbers, grad, indices)`` as MindSpore's operators take them; numbers that are `named` are attributes."""
    write = stepped_rows(step)

    def run(*inputs: Any, **attrs: Any) -> Any:
        gradient, indices = inputs[states + numbers :]
        rows = RowTensor(indices, gradient, inputs[0].shape)
        given = inputs[states : states + numbers] + tuple([attrs[name] for name in named])
        write(inputs[:states], rows, given, **{name: value for name, value in attrs.items() if name not in named})
        return inputs[:states]

    return run


_adam = function("Adam")


def _fused_adam(
    var: Any, m: Any, v: Any, beta1_power: Any, beta2_power: Any, lr: Any, beta1: Any, beta2: Any, epsilon: Any, grad: Any,
    indices: Any, use_nesterov: bool,
) -> Any:  # fmt: skip
    whole = _scatter_rows(grad, indices, var.shape)
    values = _adam(var, m, v, beta1_power, beta2_power, lr, beta1, beta2, epsilon, whole, use_nesterov=use_nesterov)
    return store(var, values[0]), store(m, values[1]), store(v, values[2])


def _class(name: str, call: Callable[..., Any], attributes: tuple[tuple[str, Any], ...], doc: str) -> type[Composed]:
    described = f"``{name}(...)(states, numbers, grad, indices)``: {doc} Written into the Parameters; equal indices are added up before."
    return composed(name, unlocked(call), attributes, described)


_LOCK, _NESTEROV, _SLOTS = ("use_locking", False), ("use_nesterov", False), ("update_slots", True)
_NUMBERS = ("lr", "l1", "l2", "lr_power")
_FTRL = (*((name, REQUIRED) for name in _NUMBERS), _LOCK)
CLASSES = (
    _class("FusedSparseAdam", _fused_adam, (_LOCK, _NESTEROV), "One step of Adam, as if other rows had the gradient 0."),
    _class("FusedSparseLazyAdam", _sparse("Adam", 3, 6), (_LOCK, _NESTEROV), "One step of Adam of the rows that are named."),
    _class("FusedSparseFtrl", _sparse("ApplyFtrl", 3, 0, _NUMBERS), _FTRL, "One step of FTRL of the rows that are named."),
    _class("SparseApplyFtrl", _sparse("ApplyFtrl", 3, 0, _NUMBERS), _FTRL, "One step of FTRL of the rows that are named."),
    _class(
        "FusedSparseProximalAdagrad", _sparse("ApplyProximalAdagrad", 2, 3), (_LOCK,),
        "One step of proximal Adagrad of the rows that are named.",
    ),
    _class(
        "SparseApplyProximalAdagrad", _sparse("ApplyProximalAdagrad", 2, 3), (_LOCK,),
        "One step of proximal Adagrad of the rows that are named.",
    ),
    _class(
        "SparseApplyAdagrad", _sparse("ApplyAdagrad", 2, 0, ("lr",)), (("lr", REQUIRED), _SLOTS, _LOCK),
        "One step of Adagrad of the rows that are named.",
    ),
    _class(
        "SparseApplyAdadelta", _sparse("ApplyAdadelta", 3, 2, ("epsilon",)), (("epsilon", REQUIRED), _LOCK),
        "One step of Adadelta of the rows that are named.",
    ),
)  # fmt: skip
