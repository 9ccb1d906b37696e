"""Normalisation as functions, in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.common.eager import function
from mindspore.common.state import assign

_batch_norm = function("batch_norm")
_layer_norm = function("layer_norm")
_full = function("full")


def batch_norm_step(
    x: Any, scale: Any, bias: Any, mean: Any, variance: Any, training: bool, momentum: float, epsilon: float
) -> Any:
    """The results of the operator; in training the moving statistics, Parameters, take `momentum` of the batch's."""
    out = _batch_norm(x, scale, bias, mean, variance, training, epsilon)
    if training:
        count = x.size // x.shape[1]
        # two whole numbers, where their quotient would make code of its own for each size
        unbiased = out[2] * count / (count - 1) if count > 1 else out[2]
        assign(mean, mean * (1.0 - momentum) + out[1] * momentum)
        assign(variance, variance * (1.0 - momentum) + unbiased * momentum)
    return out


def batch_norm(
    input_x: Any,
    running_mean: Any,
    running_var: Any,
    weight: Any,
    bias: Any,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Any:
    """Channels (dimension 1) normalised by the moving statistics, or in training by the batch's, which then move these Parameters."""
    return batch_norm_step(input_x, weight, bias, running_mean, running_var, training, momentum, eps)[0]


def layer_norm(input: Any, normalized_shape: Any, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """The last dimensions, of `normalized_shape`, normalised by their mean and deviation."""
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if input.shape[len(input.shape) - len(shape) :] != shape:
        raise ValueError(
            f"For 'layer_norm', the 'normalized_shape' must be the last dimensions of the input {input.shape}, but got {shape}."
        )
    gamma = _full(shape, 1, input.dtype) if weight is None else weight
    beta = _full(shape, 0, input.dtype) if bias is None else bias
    begin = len(input.shape) - len(shape)
    return _layer_norm(input, gamma, beta, begin, begin, eps)[0]
