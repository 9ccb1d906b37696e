"""``ops.operations._grad_ops``: gradients of operators as operators, for those who write a `bprop` with them."""

from __future__ import annotations

from typing import Any

from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops import operations
from mindspore.ops.function_objects import composed

_cast = function("cast")
_reduce_sum = function("reduce_sum")
_reshape = function("reshape")
_sign = function("sign")
_exp = function("exp")


def _where(condition: Any, dout: Any) -> Any:
    return dout * _cast(condition, dout.dtype)


def _abs(x: Any, dy: Any) -> Any:
    """``dy * sign(x)`` for the input `x`."""
    return dy * _sign(x)


def _tanh(y: Any, dy: Any) -> Any:
    """``dy * (1 - y * y)`` for the result `y`."""
    return dy * (1 - y * y)


def _sigmoid(y: Any, dy: Any) -> Any:
    """``dy * y * (1 - y)`` for the result `y`."""
    return dy * y * (1 - y)


def _sqrt(y: Any, dy: Any) -> Any:
    """``dy / (2 * y)`` for the result `y`."""
    return dy / (2 * y)


def _rsqrt(y: Any, dy: Any) -> Any:
    """``-dy * y ** 3 / 2`` for the result `y`."""
    return dy * y * y * y * -0.5


def _reciprocal(y: Any, dy: Any) -> Any:
    """``-dy * y * y`` for the result `y`."""
    return -dy * y * y


def _relu(y_backprop: Any, x: Any) -> Any:
    """``y_backprop`` where `x`, the input or the result, is above zero."""
    return _where(x > 0, y_backprop)


def _relu6(y_grad: Any, x: Any) -> Any:
    """``y_grad`` where the input `x` is between 0 and 6."""
    return _where((x > 0) & (x < 6), y_grad)


def _elu(y_backprop: Any, y: Any) -> Any:
    """``y_backprop`` where the result `y` is not negative, ``y_backprop * (y + 1)`` elsewhere."""
    return f.where(y < 0, y_backprop * (y + 1), y_backprop)


def _log_softmax(logits: Any, grad: Any, axis: int = -1) -> Any:
    """``grad - exp(logits) * sum(grad)`` along `axis` for the result `logits`."""
    return grad - _exp(logits) * _reduce_sum(grad, axis, True)


def _softmax(y: Any, grad: Any) -> Any:
    """``y * (grad - sum(y * grad))`` along the last dimension for the result `y`."""
    return y * (grad - _reduce_sum(y * grad, -1, True))


def _flatten(x: Any, shape: Any) -> Any:
    """`x` in the shape that the input had."""
    return _reshape(x, shape)


def _bias_add(dout: Any) -> Any:
    """The sum over every dimension but the second."""
    return _reduce_sum(dout, tuple(i for i in range(dout.ndim) if i != 1), False)


def _larger(x: Any, y: Any, dout: Any) -> Any:
    """The cotangents of both inputs of ``maximum``, which have one shape: `dout` goes to the larger one."""
    return _where(x >= y, dout), _where(x < y, dout)


def _smaller(x: Any, y: Any, dout: Any) -> Any:
    """The cotangents of both inputs of ``minimum``, which have one shape: `dout` goes to the smaller one."""
    return _where(x <= y, dout), _where(x > y, dout)


_MADE = {
    "AbsGrad": composed("AbsGrad", _abs), "TanhGrad": composed("TanhGrad", _tanh), "SigmoidGrad": composed("SigmoidGrad", _sigmoid),
    "SqrtGrad": composed("SqrtGrad", _sqrt), "RsqrtGrad": composed("RsqrtGrad", _rsqrt), "ReluGrad": composed("ReluGrad", _relu),
    "ReciprocalGrad": composed("ReciprocalGrad", _reciprocal), "InvGrad": composed("InvGrad", _reciprocal),
    "ReLU6Grad": composed("ReLU6Grad", _relu6), "EluGrad": composed("EluGrad", _elu), "SoftmaxGrad": composed("SoftmaxGrad", _softmax),
    "LogSoftmaxGrad": composed("LogSoftmaxGrad", _log_softmax, (("axis", -1),)), "FlattenGrad": composed("FlattenGrad", _flatten),
    "BiasAddGrad": composed("BiasAddGrad", _bias_add), "MaximumGrad": composed("MaximumGrad", _larger),
    "MinimumGrad": composed("MinimumGrad", _smaller),
}  # fmt: skip
_MADE |= {name: getattr(operations, name) for name in ("MaxPoolGrad", "StridedSliceGrad") if name in operations.__all__}

globals().update(_MADE)
__all__ = [*_MADE]
