"""``jet`` and ``derivative``: higher derivatives along a path, by forward mode over forward mode."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mindspore.common.directional import checked_function, jvp
from mindspore.common.eager import function as operator_function
from mindspore.common.tape import mapped
from mindspore.common.tensor_class import Tensor
from mindspore.common.transformation import Transformation

_full = operator_function("full")
_stack = operator_function("stack")


def expansion(fn: Callable[..., Any], primals: Any, series: Any, order: int) -> Any:
    """The value of `fn` at `primals` and its first `order` derivatives along the path ``p + s[0] t + s[1] t² / 2 + ...`` at ``t = 0``."""

    def at(t: Any) -> Any:
        return (fn(*[_path(p, s, t, order) for p, s in zip(primals, series, strict=True)]),)

    function = at
    for _ in range(order):
        function = _with_rate(function)
    return function(_full((), 0, primals[0].dtype))


def _path(point: Any, rates: Any, t: Any, order: int) -> Any:
    moved = rates[order - 1] * t / order
    for k in range(order - 1, 0, -1):
        moved = (moved + rates[k - 1]) * t / k
    return point + moved


def _with_rate(function: Any) -> Any:
    """`function`, which returns derivatives of rising order, with one more."""

    def extended(t: Any) -> Any:
        values, rates = jvp(function, t, _full((), 1, t.dtype))
        return (*values, rates[len(rates) - 1])

    return extended


class Expansion(Transformation):
    """``(primals, series) -> (value, first derivative, ...)``."""

    kind = "taylor"

    def __init__(self, function: Callable[..., Any], order: int) -> None:
        checked_function(function)
        self.order = order
        super().__init__(function, (order,))

    def options(self) -> dict[str, Any]:
        return {"order": self.order}

    def eagerly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        primals, series = args
        return expansion(self.function, primals, series, self.order)


def jet(fn: Callable[..., Any], primals: Any, series: Any) -> tuple[Any, Any]:
    """The derivatives of a function along a path that is given by its own derivatives.

    Args:
        fn: a function or Cell of floating tensors.
        primals: where the path begins: a Tensor, or a tuple with one for each argument.
        series: the derivatives of the path, first order first, along a new first dimension; a tuple like `primals`.

    Returns:
        ``(value, derivatives)``: those of the value along the path, as many as in `series`, along a new first dimension; for several
        results a tuple.

    Raises:
        TypeError: `primals` and `series` are not both tensors or both tuples.
        ValueError: their shapes do not fit.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> value, derivatives = ops.jet(lambda x: x * x * x, Tensor([2.0]), Tensor([[1.0], [0.0]]))
        >>> print(value, derivatives.flatten())
        [8.] [12. 12.]
    """
    if isinstance(primals, Tensor) and isinstance(series, Tensor):
        primals, series = (primals,), (series,)
    elif not (isinstance(primals, tuple) and isinstance(series, tuple) and len(primals) == len(series) > 0):
        raise TypeError("For 'F.jet', the 'primals' and `series` must be both Tensor or tuple.")
    order = series[0].shape[0] if series[0].shape else 0
    if order < 1 or any(s.shape != (order, *p.shape) for p, s in zip(primals, series, strict=True)):
        raise ValueError(
            "In series, the shape of each element must be the same as the primals, with the order of the derivatives in front; got "
            f"{[s.shape for s in series]} for {[p.shape for p in primals]}."
        )
    value, *rates = Expansion(fn, order)(primals, series)
    leaves = [[] for _ in rates]  # type: list[list[Any]]
    for found, rate in zip(leaves, rates, strict=True):
        mapped(found.append, rate)
    columns = iter(zip(*leaves, strict=True))
    return value, mapped(lambda leaf: _stack(next(columns), axis=0), value)


def derivative(fn: Callable[..., Any], primals: Any, order: int) -> tuple[Any, Any]:
    """The derivative of some order of a function, each argument moving with speed one.

    Args:
        fn: a function or Cell of floating tensors.
        primals: a Tensor, or a tuple with one for each argument.
        order: 1 or more.

    Returns:
        ``(value, derivative)``; for several results two tuples.

    Raises:
        TypeError: `order` is no int, `primals` no tensor and no tuple.
        ValueError: `order` is less than 1.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.derivative(lambda x: x * x * x, Tensor([2.0]), 2)[1])
        [12.]
    """
    if isinstance(order, bool) or not isinstance(order, int):
        raise TypeError(f"For `F.derivative`, the type of order must be int, but got {type(order).__name__}.")
    if order < 1:
        raise ValueError(f"For `F.derivative`, value of order should not be less than 1, but got {order}.")
    given = (primals,) if isinstance(primals, Tensor) else primals
    if not isinstance(given, tuple) or not given:
        raise TypeError(
            f"For 'F.derivative', the 'primals' must be a Tensor or a tuple, but got {type(primals).__name__}."
        )
    series = tuple(_speed_one(p, order) for p in given)
    value, *rates = Expansion(fn, order)(given, series)
    return value, rates[-1]


def _speed_one(point: Any, order: int) -> Any:
    ones, rest = _full(point.shape, 1, point.dtype), [_full(point.shape, 0, point.dtype)] * (order - 1)
    return _stack((ones, *rest), axis=0)
