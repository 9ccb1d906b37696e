"""First values of parameters: ``initializer("normal", (3, 4), ms.float32)`` and the distributions by class."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.methods import Tensor
from mindspore.common.seed import generator

__all__ = [
    "Constant",
    "HeNormal",
    "HeUniform",
    "Initializer",
    "Normal",
    "One",
    "TruncatedNormal",
    "Uniform",
    "XavierNormal",
    "XavierUniform",
    "Zero",
    "initializer",
]

Array = np.ndarray[Any, Any]


class Initializer:
    """Base of all initializers. A subclass fills the array that ``_initialize(arr)`` is given, in place."""

    def __init__(self, **kwargs: Any) -> None:
        self._kwargs = kwargs

    def __call__(self, arr: Array) -> Array:
        self._initialize(arr)
        return arr

    def _initialize(self, arr: Array) -> None:
        raise TypeError(f"{type(self).__name__} must define _initialize(self, arr), which fills `arr` in place.")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self._kwargs.items())})"


class Constant(Initializer):
    """Every element is `value`, a number or an array of the tensor's shape."""

    def __init__(self, value: Any) -> None:
        super().__init__(value=value)
        self._value = value

    def _initialize(self, arr: Array) -> None:
        arr[...] = self._value


class Zero(Initializer):
    """Zeros."""

    def _initialize(self, arr: Array) -> None:
        arr[...] = 0


class One(Initializer):
    """Ones."""

    def _initialize(self, arr: Array) -> None:
        arr[...] = 1


class Normal(Initializer):
    """The normal distribution N(`mean`, `sigma`^2)."""

    def __init__(self, sigma: float = 0.01, mean: float = 0.0) -> None:
        super().__init__(sigma=sigma, mean=mean)
        self._sigma, self._mean = sigma, mean

    def _initialize(self, arr: Array) -> None:
        arr[...] = generator().normal(self._mean, self._sigma, arr.shape)


class Uniform(Initializer):
    """The uniform distribution U(-`scale`, `scale`)."""

    def __init__(self, scale: float = 0.07) -> None:
        super().__init__(scale=scale)
        self._scale = scale

    def _initialize(self, arr: Array) -> None:
        arr[...] = generator().uniform(-self._scale, self._scale, arr.shape)


class TruncatedNormal(Initializer):
    """N(`mean`, `sigma`^2) without what lies outside [`a`, `b`]: such values are drawn again."""

    def __init__(self, sigma: float = 0.01, mean: float = 0.0, a: float = -2.0, b: float = 2.0) -> None:
        super().__init__(sigma=sigma, mean=mean, a=a, b=b)
        if not a < b:
            raise ValueError(f"For 'TruncatedNormal', 'a' must be below 'b', but got a={a} and b={b}.")
        self._sigma, self._mean, self._low, self._high = sigma, mean, a, b

    def _initialize(self, arr: Array) -> None:
        values: Array = np.asarray(generator().normal(self._mean, self._sigma, arr.shape))
        outside = (values < self._low) | (values > self._high)
        for _ in range(1000):
            if not outside.any():
                break
            values[outside] = generator().normal(self._mean, self._sigma, int(outside.sum()))
            outside = (values < self._low) | (values > self._high)
        arr[...] = np.clip(values, self._low, self._high)


class XavierUniform(Initializer):
    """U(-x, x) with ``x = gain * sqrt(6 / (fan_in + fan_out))`` (Glorot and Bengio 2010)."""

    def __init__(self, gain: float = 1) -> None:
        super().__init__(gain=gain)
        self._gain = gain

    def _initialize(self, arr: Array) -> None:
        bound = self._gain * math.sqrt(6.0 / sum(_calculate_fan_in_and_fan_out(arr.shape)))
        arr[...] = generator().uniform(-bound, bound, arr.shape)


class XavierNormal(Initializer):
    """N(0, s^2) with ``s = gain * sqrt(2 / (fan_in + fan_out))`` (Glorot and Bengio 2010)."""

    def __init__(self, gain: float = 1) -> None:
        super().__init__(gain=gain)
        self._gain = gain

    def _initialize(self, arr: Array) -> None:
        arr[...] = generator().normal(
            0, self._gain * math.sqrt(2.0 / sum(_calculate_fan_in_and_fan_out(arr.shape))), arr.shape
        )


class _He(Initializer):
    """Common part of the distributions of He et al. 2015: the standard deviation ``gain / sqrt(fan)``."""

    def __init__(self, negative_slope: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> None:
        super().__init__(negative_slope=negative_slope, mode=mode, nonlinearity=nonlinearity)
        _calculate_correct_fan((), mode)
        self._mode, self._gain = mode, _calculate_gain(nonlinearity, negative_slope)

    def _deviation(self, shape: Sequence[int]) -> float:
        return self._gain / math.sqrt(_calculate_correct_fan(shape, self._mode))


class HeUniform(_He):
    """U(-x, x) with ``x = gain * sqrt(3 / fan)`` (He et al. 2015)."""

    def _initialize(self, arr: Array) -> None:
        bound = math.sqrt(3.0) * self._deviation(arr.shape)
        arr[...] = generator().uniform(-bound, bound, arr.shape)


class HeNormal(_He):
    """N(0, s^2) with ``s = gain / sqrt(fan)`` (He et al. 2015)."""

    def _initialize(self, arr: Array) -> None:
        arr[...] = generator().normal(0, self._deviation(arr.shape), arr.shape)


def _calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By what a deviation is multiplied before an activation; `param` is the slope of leaky_relu, 0.01 when None."""
    gains = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3, "relu": math.sqrt(2.0)}
    gains["leaky_relu"] = math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in gains:
        raise ValueError(f"'nonlinearity' must be one of {sorted(gains)}, but got {nonlinearity!r}.")
    return gains[nonlinearity]


def _calculate_correct_fan(shape: Sequence[int], mode: str) -> int:
    """The inputs of one unit for the mode "fan_in", its outputs for "fan_out"."""
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"'mode' must be one of ['fan_in', 'fan_out'], but got {mode!r}.")
    return _calculate_fan_in_and_fan_out(shape)[0 if mode == "fan_in" else 1]


def _assignment(arr: Array, num: Any) -> Array:
    """`arr`, filled with `num`: a number or an array of its shape. Initializers of users are written with it."""
    arr[...] = num
    return arr


def _calculate_fan_in_and_fan_out(shape: Sequence[int]) -> tuple[int, int]:
    """Inputs and outputs of one unit: a weight is (out, in, *window)."""
    if len(shape) < 2:
        only = shape[0] if shape else 1
        return only, only
    window = math.prod(shape[2:])
    return shape[1] * window, shape[0] * window


_ALIASES: Mapping[str, type[Initializer]] = MappingProxyType(
    {
        "zero": Zero,
        "zeros": Zero,
        "one": One,
        "ones": One,
        "normal": Normal,
        "uniform": Uniform,
        "truncatednormal": TruncatedNormal,
        "truncated_normal": TruncatedNormal,
        "xavieruniform": XavierUniform,
        "xavier_uniform": XavierUniform,
        "xaviernormal": XavierNormal,
        "xavier_normal": XavierNormal,
        "heuniform": HeUniform,
        "he_uniform": HeUniform,
        "henormal": HeNormal,
        "he_normal": HeNormal,
    }
)


def initializer(init: Any, shape: Any = None, dtype: DType = dt.float32) -> Tensor:
    """A new tensor filled by `init`.

    Args:
        init: an `Initializer`, its name ("normal", "he_uniform", ...), a number, or a Tensor whose values are taken.
        shape: an int or the sizes as a list or tuple; may stay away when `init` is a Tensor.
        dtype: element type of the result.

    Raises:
        ValueError: an unknown name, a shape with a size that is not a positive int, or one that differs from the Tensor's.
        TypeError: `init` is none of the above.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore.common.initializer import initializer, One
        >>> print(initializer(One(), (2,), ms.float32))
        [1. 1.]
    """
    if isinstance(init, Tensor):
        if shape is not None and _shape(shape) != init.shape:
            raise ValueError(
                "For 'initializer', the shape of the 'init' argument should be same as the argument 'shape', but got the "
                f"'init' shape {init.shape} and the 'shape' {_shape(shape)}."
            )
        return Tensor(init, dtype)
    return Tensor(shape=_shape(shape), dtype=dtype, init=resolved(init))


def resolved(init: Any) -> Initializer:
    """The Initializer that `init`, one itself, a name or a number, stands for."""
    if isinstance(init, str):
        found = _ALIASES.get(init.lower())
        if found is None:
            raise ValueError(
                f"For 'initializer', the class corresponding to '{init}' was not found; expected one of {', '.join(_ALIASES)}."
            )
        return found()
    if isinstance(init, int | float) and not isinstance(init, bool):
        return Constant(init)
    if isinstance(init, Initializer):
        return init
    raise TypeError(
        "For 'initializer', the type of the 'init' argument should be 'Tensor', 'number', 'string' or 'initializer', but got "
        f"{type(init)}."
    )


def _shape(shape: Any) -> tuple[int, ...]:
    sizes = (shape,) if isinstance(shape, int) else tuple(shape) if isinstance(shape, list | tuple) else None
    if sizes is None:
        raise ValueError(
            f"For 'initializer', the argument 'shape' must be an int, a list or a tuple, but got {shape!r}."
        )
    if any(not isinstance(s, int) or s <= 0 for s in sizes):
        raise ValueError(
            "For 'initializer', the argument 'shape' is invalid, the value of 'shape' must be positive integer, "
            f"but got {sizes}"
        )
    return sizes
