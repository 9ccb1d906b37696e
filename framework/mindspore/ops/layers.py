"""Normalisation and distances as functions, in both modes."""

from __future__ import annotations

from typing import Any

from mindspore.common.eager import function
from mindspore.common.state import assign
from mindspore.ops.padding import pad

_batch_norm = function("batch_norm")
_layer_norm = function("layer_norm")
_full = function("full")
_reshape = function("reshape")
_mean = function("reduce_mean")
_rsqrt = function("rsqrt")
_square = function("square")
_expand_dims = function("expand_dims")
_select = function("select")
_largest = function("reduce_max")


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


def group_norm(input: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5) -> Any:
    """Groups of channels (dimension 1) of each sample less their mean, by their deviation; then times weight, plus bias, by channel.

    Args:
        input: a tensor (N, C, ...).
        num_groups: how many groups there are; divides C.
        weight, bias: tensors (C,); None for 1 and 0.
        eps: added to the variance.

    Raises:
        ValueError: no dimension 1, or groups that do not divide it.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.group_norm(Tensor([[[1.0], [3.0]]]), 1, eps=0.0).flatten())
        [-1.  1.]
    """
    if len(input.shape) < 2 or input.shape[1] % num_groups:
        raise ValueError(
            f"For 'group_norm', 'num_groups' must divide dimension 1 of the input, but got {num_groups} and shape {input.shape}."
        )
    groups = _reshape(input, (input.shape[0], num_groups, -1))
    centred = groups - _mean(groups, 2, True)
    normal = _reshape(centred * _rsqrt(_mean(_square(centred), 2, True) + eps), input.shape)
    channels = (input.shape[1],) + (1,) * (len(input.shape) - 2)
    scaled = normal if weight is None else normal * _reshape(weight, channels)
    return scaled if bias is None else scaled + _reshape(bias, channels)


def rms_norm(x: Any, gamma: Any, epsilon: float = 1e-6) -> Any:
    """``x / sqrt(mean(x^2) + epsilon) * gamma`` over the dimensions of `gamma`, which are the last of `x` (Zhang and Sennrich 2019).

    Returns:
        The result, and the reciprocal of the root, whose last dimensions are 1.

    Raises:
        ValueError: the shape of `gamma` is not that of the last dimensions of `x`.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.rms_norm(Tensor([3.0, 3.0]), Tensor([1.0, 2.0]), 0.0)[0])
        [1. 2.]
    """
    own = gamma.shape
    if not own or x.shape[len(x.shape) - len(own) :] != own:
        raise ValueError(
            f"For 'rms_norm', the shape of 'gamma' must be the last dimensions of 'x' {x.shape}, but got {own}."
        )
    axes = tuple(range(len(x.shape) - len(own), len(x.shape)))
    reciprocal = _rsqrt(_mean(_square(x), axes, True) + epsilon)
    return x * reciprocal * gamma, reciprocal


def lrn(
    x: Any, depth_radius: int = 5, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5, norm_region: str = "ACROSS_CHANNELS"
) -> Any:  # fmt: skip
    """``x / (bias + alpha * s)^beta``, where s is the sum of squares over `depth_radius` channels on both sides and the own one
    (Krizhevsky, Sutskever and Hinton 2012).

    Args:
        x: a tensor (N, C, H, W).
        depth_radius: channels on each side.
        bias, alpha, beta: numbers.
        norm_region: "ACROSS_CHANNELS".

    Raises:
        ValueError: another region or number of dimensions.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.lrn(ops.ones((1, 2, 1, 1)), 1, 2.0, 1.0, 0.5).flatten())
        [0.5 0.5]
    """
    if norm_region != "ACROSS_CHANNELS":
        raise ValueError(f"For 'lrn', the 'norm_region' must be 'ACROSS_CHANNELS', but got {norm_region!r}.")
    if len(x.shape) != 4:
        raise ValueError(f"For 'lrn', the 'x' must have 4 dimensions (N, C, H, W), but got shape {x.shape}.")
    channels = x.shape[1]
    squares = pad(_square(x), (0, 0, 0, 0, depth_radius, depth_radius))
    total = squares[:, :channels]
    for place in range(1, 2 * depth_radius + 1):
        total = total + squares[:, place : place + channels]
    return x / (bias + alpha * total) ** beta


def cdist(x1: Any, x2: Any, p: float = 2.0) -> Any:
    """Distances of each row of `x1` to each row of `x2`: the p-norm of their difference.

    Args:
        x1: a tensor (..., P, M).
        x2: a tensor (..., R, M).
        p: 0 or more: 0 counts elements that differ, infinity takes the largest difference.

    Returns:
        A tensor (..., P, R).

    Raises:
        ValueError: a negative `p`, or shapes that do not fit.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.cdist(Tensor([[0.0, 0.0]]), Tensor([[3.0, 4.0], [0.0, 1.0]])))
        [[5. 1.]]
    """
    if p < 0:
        raise ValueError(f"For 'cdist', the 'p' must not be negative, but got {p}.")
    if len(x1.shape) < 2 or x1.shape[:-2] != x2.shape[:-2] or x1.shape[-1] != x2.shape[-1]:
        raise ValueError(
            f"For 'cdist', 'x1' and 'x2' must be of shapes (..., P, M) and (..., R, M), but got {x1.shape} and {x2.shape}."
        )
    apart = abs(_expand_dims(x1, -2) - _expand_dims(x2, -3))
    if p == 0:
        return (apart != 0).astype(x1.dtype).sum(-1)
    if p == float("inf"):
        return _largest(apart, -1)
    if p == 1:
        return apart.sum(-1)
    total = (_square(apart) if p == 2 else apart**p).sum(-1)
    known = _select(total > 0, total, 1.0)  # the slope of a root at 0 is not 0 times anything
    return _select(total > 0, known**0.5 if p == 2 else known ** (1.0 / p), 0.0)


FUNCTIONS = {"cdist": cdist, "group_norm": group_norm, "lrn": lrn, "rms_norm": rms_norm}
