"""``grad``, ``value_and_grad`` and ``GradOperation``: functions made from functions, the same objects in both modes.

In graph mode they are recognised by ``__graph_transform__``; the options are the fields of `Request`, and ``pack`` gives the result its
form from plain tuples, so that the compiler calls it with its own values. In PYNATIVE mode `common.tape` computes the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import update_wrapper
from typing import Any

from mindspore.base.protocols import Transform
from mindspore.common.api import COMPILED_GRADIENTS, CompileCache, runs_compiled
from mindspore.common.checks import boolean
from mindspore.common.parameter import Parameter
from mindspore.common.tape import Parts, differentiate

Pack = Callable[[Any, Sequence[Any], Sequence[Any]], Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What to differentiate for.

    Attributes:
        positions: positions of the arguments; None means every tensor argument.
        weights: Parameters; None means the trainable ones of the function, which is a Cell.
        sens: the last positional argument of the call is the cotangent of the result, and not handed to the function.
        has_aux: only the first result is differentiated; the others are handed on.
        pack: ``(value, gradients of arguments, gradients of weights) -> result``; uses tuples and indexing only; equal to those that
            do the same.
    """

    positions: tuple[int, ...] | None
    weights: tuple[Any, ...] | None
    sens: bool
    has_aux: bool
    pack: Pack

    def key(self) -> tuple[Any, ...]:
        """Equal for requests that compile to the same graph."""
        weights = None if self.weights is None else tuple(map(id, self.weights))
        return (self.positions, weights, self.sens, self.has_aux, self.pack)


def _shared_cache(function: Any, request: Request) -> CompileCache:
    """One cache for all equal requests for one function, so that ``grad(f)(x)`` in a loop compiles once.

    It lives in the function's own ``__dict__`` (a method's in that of its object), and so as long as the function.
    """
    owner = getattr(function, "__self__", function)
    home = getattr(owner, "__dict__", None)
    if not isinstance(home, dict):
        return CompileCache()
    found: dict[Any, CompileCache] = home.setdefault(COMPILED_GRADIENTS, {})
    # The function is part of the key because functools.wraps copies one function's __dict__ to another.
    key = (getattr(function, "__func__", function), *request.key())
    return found.setdefault(key, CompileCache(kept=request.weights))


def _innermost(function: Any) -> Any:
    """The function that gradients of gradients are of: where it is compiled, they are."""
    while isinstance(function, GradientFunction):
        function = function.function
    return function


class GradientFunction:
    """A function that returns gradients of another one."""

    def __init__(self, function: Callable[..., Any], request: Request) -> None:
        if not callable(function):
            raise TypeError(f"For 'F.grad', 'fn' must be a function or Cell, but got {type(function).__name__}.")
        self.function = function
        self.request = request
        self.cache = _shared_cache(function, request)
        if hasattr(function, "__name__"):
            update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if runs_compiled(_innermost(self.function)):
            return self.cache.run(self, args, kwargs)
        request = self.request
        sens = args[-1] if request.sens else None
        inner = args[:-1] if request.sens else args
        parts: Parts = differentiate(
            self.function, inner, kwargs, request.positions, self._weights(), sens, request.has_aux
        )
        return request.pack(parts.value, parts.arguments, parts.weights)

    def _weights(self) -> tuple[Any, ...]:
        if self.request.weights is not None:
            return self.request.weights
        return tuple(_trainable(self.function))

    def __graph_transform__(self) -> Transform:
        return Transform("grad", self.function, self.options())

    def options(self) -> dict[str, Any]:
        """The request as the compiler reads it."""
        request = self.request
        return {
            "positions": request.positions,
            "weights": self._weights(),
            "sens": request.sens,
            "has_aux": request.has_aux,
            "pack": request.pack,
        }

    def __repr__(self) -> str:
        return f"<gradient of {self.function!r}>"


def grad(
    fn: Callable[..., Any],
    grad_position: int | tuple[int, ...] | None = 0,
    weights: Any = None,
    has_aux: bool = False,
    sens_param: bool = False,
) -> Callable[..., Any]:
    """A function with the arguments of `fn` that returns its gradients.

    Args:
        fn: a function, Cell or jit function. Several results are summed, as with cotangents of one.
        grad_position: which arguments to differentiate for. An int gives one tensor, a tuple of several a tuple, None only `weights`.
        weights: a Parameter, or a list or tuple of them.
        has_aux: only the first result of `fn` is differentiated; the others come back beside the gradients, in a tuple.
        sens_param: the returned function takes one more argument at the end: the cotangent of the result.

    Returns:
        ``fn's arguments -> gradients``; with `weights` and a position ``(gradients of arguments, gradients of weights)``; with
        `has_aux` ``(gradients, (aux, ...))``.

    Raises:
        ValueError: neither a position nor weights.
        TypeError: `grad_position` is not an int, a tuple of int, or None; `weights` are not Parameters.
        IndexError: when called, a position that the call does not have.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> print(ms.grad(lambda x: x * x)(Tensor([1.0, 3.0])))
        [2. 6.]
    """
    return GradientFunction(fn, _request(False, grad_position, weights, has_aux, sens_param))


def value_and_grad(
    fn: Callable[..., Any],
    grad_position: int | tuple[int, ...] | None = 0,
    weights: Any = None,
    has_aux: bool = False,
    sens_param: bool = False,
) -> Callable[..., Any]:
    """Like `grad`, but the returned function gives ``(result of fn, gradients)``.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> value, gradient = ms.value_and_grad(lambda x: x * x)(Tensor(3.0))
        >>> print(value, gradient)
        9.0 6.0
    """
    return GradientFunction(fn, _request(True, grad_position, weights, has_aux, sens_param))


class GradOperation:
    """Makes gradient functions: ``GradOperation(get_all=True)(net)(x, y)``.

    Args:
        get_all: gradients of all tensor arguments as a tuple; otherwise of the first argument alone.
        get_by_list: gradients of Parameters as a tuple: those handed over beside the function, or all trainable ones of a Cell.
        sens_param: the made function takes the cotangent of the result as its last argument.

    With `get_all` and `get_by_list` the result is a pair of both tuples.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> print(ops.GradOperation(sens_param=True)(lambda x: x * x)(Tensor(3.0), Tensor(10.0)))
        60.0
    """

    def __init__(self, get_all: bool = False, get_by_list: bool = False, sens_param: bool = False) -> None:
        self.get_all = boolean("GradOperation", "get_all", get_all)
        self.get_by_list = boolean("GradOperation", "get_by_list", get_by_list)
        self.sens_param = boolean("GradOperation", "sens_param", sens_param)

    def __call__(self, fn: Callable[..., Any], weights: Any = None) -> Callable[..., Any]:
        chosen: tuple[Any, ...] | None = ()
        if self.get_by_list:
            chosen = None if weights is None else _weights(weights)
        positions = None if self.get_all else () if self.get_by_list else (0,)
        pack = _OperationPack(self.get_all, self.get_by_list)
        return GradientFunction(fn, Request(positions, chosen, self.sens_param, False, pack))


@dataclass(frozen=True, slots=True)
class _OperationPack:
    """What a `GradOperation` hands back."""

    get_all: bool
    get_by_list: bool

    def __call__(self, value: Any, arguments: Sequence[Any], weights: Sequence[Any]) -> Any:
        if self.get_by_list:
            return (tuple(arguments), tuple(weights)) if self.get_all else tuple(weights)
        return tuple(arguments) if self.get_all else arguments[0]


@dataclass(frozen=True, slots=True)
class _Pack:
    """What `grad` hands back: one tensor or a tuple for the arguments, the weights beside them; after it the auxiliary results.

    `with_value` is for `value_and_grad`: the whole result in front.
    """

    with_value: bool
    has_aux: bool
    arguments: int | None
    """How many positions were asked for; 1 for an int, None for no gradients of arguments."""
    weights: bool
    single_weight: bool

    def __call__(self, value: Any, arguments: Sequence[Any], weights: Sequence[Any]) -> Any:
        gradients = self._gradients(arguments, weights)
        if self.with_value:
            return value, gradients
        return (gradients, value[1:]) if self.has_aux else gradients

    def _gradients(self, arguments: Sequence[Any], weights: Sequence[Any]) -> Any:
        own = weights[0] if self.single_weight else tuple(weights)
        if self.arguments is None:
            return own
        inputs = tuple(arguments) if self.arguments > 1 else arguments[0]
        return (inputs, own) if self.weights else inputs


def _request(with_value: bool, position: Any, weights: Any, has_aux: bool, sens: bool) -> Request:
    aux, seeded = boolean("F.grad", "has_aux", has_aux), boolean("F.grad", "sens_param", sens)
    if position is None and weights is None:
        raise ValueError("`grad_position` and `weight` can not be None at the same time.")
    positions = _positions(position)
    count = None if position is None else len(positions)
    pack = _Pack(with_value, aux, count, weights is not None, isinstance(weights, Parameter))
    return Request(positions, () if weights is None else _weights(weights), seeded, aux, pack)


def _positions(position: Any) -> tuple[int, ...]:
    if position == ():
        raise ValueError("For 'F.grad', the 'grad_position' must name at least one argument, but got ().")
    listed = () if position is None else position if isinstance(position, tuple) else (position,)
    if any(not isinstance(p, int) or isinstance(p, bool) for p in listed):
        raise TypeError(f"For 'F.grad', the 'grad_position' must be int or tuple of int, but got {position!r}.")
    if any(p < 0 for p in listed) or len(set(listed)) != len(listed):
        raise ValueError(f"For 'F.grad', the positions must be different and not negative, but got {position!r}.")
    return listed


def _weights(weights: Any) -> tuple[Any, ...]:
    listed = (weights,) if isinstance(weights, Parameter) else weights
    if not isinstance(listed, list | tuple) or any(not isinstance(w, Parameter) for w in listed):
        raise TypeError(f"For 'F.grad', the 'weights' must be Parameters, but got {weights!r}.")
    return tuple(listed)


def _trainable(function: Any) -> Sequence[Any]:
    if not hasattr(function, "trainable_params"):
        raise TypeError(
            f"For 'GradOperation', get_by_list=True needs `weights` when the function is no Cell, but got {function!r} alone."
        )
    found: Sequence[Any] = function.trainable_params()
    return found


GradOperation.__constexpr__ = True  # type: ignore[attr-defined]
