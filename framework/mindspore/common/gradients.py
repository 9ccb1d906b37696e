"""``grad``, ``value_and_grad`` and ``GradOperation``: functions made from functions, the same objects in both modes.

In graph mode they are recognised by ``__graph_transform__``; the options are the fields of `Request`, and ``pack`` gives the result its
form from plain tuples, so that the compiler calls it with its own values. In PYNATIVE mode `common.tape` computes the same parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore.common.checks import boolean
from mindspore.common.parameter import Parameter
from mindspore.common.row_tensor import RowTensor
from mindspore.common.tape import Parts, differentiate
from mindspore.common.transformation import Transformation

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


class GradientFunction(Transformation):
    """A function that returns gradients of another one."""

    kind = "grad"

    def __init__(self, function: Callable[..., Any], request: Request) -> None:
        if not callable(function):
            raise TypeError(f"For 'F.grad', 'fn' must be a function or Cell, but got {type(function).__name__}.")
        self.request = request
        super().__init__(function, request.key(), request.weights)

    def eagerly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
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

    def options(self) -> dict[str, Any]:
        request = self.request
        return {
            "positions": request.positions,
            "weights": self._weights(),
            "sens": request.sens,
            "has_aux": request.has_aux,
            "rows": RowTensor,
            "pack": request.pack,
        }


def grad(
    fn: Callable[..., Any],
    grad_position: int | tuple[int, ...] | None = 0,
    weights: Any = None,
    has_aux: bool = False,
    return_ids: bool = False,
    sens_param: bool = False,
) -> Callable[..., Any]:
    """A function with the arguments of `fn` that returns its gradients.

    Args:
        fn: a function, Cell or jit function. Several results are summed, as with cotangents of one.
        grad_position: which arguments to differentiate for. An int gives one tensor, a tuple of several a tuple, None only `weights`.
            An argument may be a tuple, list, dict or dataclass of tensors: its gradient has the same structure. A float counts as a tensor.
        weights: a Parameter, or a list or tuple of them.
        has_aux: only the first result of `fn` is differentiated; the others come back beside the gradients, in a tuple.
        return_ids: each gradient comes as a pair with what it is of: the position of the argument, or the name of the Parameter;
            `get_grad` finds one.
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
    return GradientFunction(fn, _request(False, grad_position, weights, has_aux, sens_param, return_ids))


def value_and_grad(
    fn: Callable[..., Any],
    grad_position: int | tuple[int, ...] | None = 0,
    weights: Any = None,
    has_aux: bool = False,
    return_ids: bool = False,
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
    return GradientFunction(fn, _request(True, grad_position, weights, has_aux, sens_param, return_ids))


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
            chosen = None if weights is None else parameters_of(weights)
        positions = None if self.get_all else () if self.get_by_list else (0,)
        pack = _OperationPack(self.get_all, self.get_by_list, isinstance(weights, Parameter))
        return GradientFunction(fn, Request(positions, chosen, self.sens_param, False, pack))


@dataclass(frozen=True, slots=True)
class _OperationPack:
    """What a `GradOperation` hands back."""

    get_all: bool
    get_by_list: bool
    single_weight: bool

    def __call__(self, value: Any, arguments: Sequence[Any], weights: Sequence[Any]) -> Any:
        if self.get_by_list:
            own = weights[0] if self.single_weight else tuple(weights)
            return (tuple(arguments), own) if self.get_all else own
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
    ids: tuple[Any, ...] | None
    """What each gradient is of, where that is handed back beside it."""

    def __call__(self, value: Any, arguments: Sequence[Any], weights: Sequence[Any]) -> Any:
        if self.ids is not None:
            pairs = list(zip(self.ids, (*arguments, *weights), strict=True))
            arguments, weights = pairs[: len(arguments)], pairs[len(arguments) :]
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


def get_grad(gradients: Any, identifier: Any) -> Any:
    """One gradient out of what ``grad(..., return_ids=True)`` gave.

    Args:
        gradients: pairs of identifiers and gradients, in tuples as `grad` returns them.
        identifier: the position of an argument, or a Parameter.

    Raises:
        TypeError: `identifier` is neither an int nor a Parameter.
        RuntimeError: there is no gradient of it.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> found = ms.grad(lambda x, y: x * y, (0, 1), return_ids=True)(Tensor(2.0), Tensor(3.0))
        >>> print(ms.get_grad(found, 1))
        2.0
    """
    if isinstance(identifier, bool) or not isinstance(identifier, int | Parameter):
        raise TypeError(f"For `get_grad`, the `x` should be an integer or a Parameter, but got {identifier}")
    wanted = identifier.name if isinstance(identifier, Parameter) else identifier
    pending = [gradients]
    while pending:
        each = pending.pop()
        if isinstance(each, tuple | list):
            if len(each) == 2 and isinstance(each[0], int | str) and each[0] == wanted:
                return each[1]
            pending.extend(each)
    raise RuntimeError(f"Can not find the gradient for position or Parameter {wanted}")


def _request(with_value: bool, position: Any, weights: Any, has_aux: bool, sens: bool, ids: bool) -> Request:
    aux, seeded = boolean("F.grad", "has_aux", has_aux), boolean("F.grad", "sens_param", sens)
    if position is None and weights is None:
        raise ValueError("`grad_position` and `weight` can not be None at the same time.")
    positions = positions_of(position)
    count = None if position is None else len(positions)
    chosen = () if weights is None else parameters_of(weights)
    named = (*positions, *(w.name for w in chosen)) if boolean("F.grad", "return_ids", ids) else None
    pack = _Pack(with_value, aux, count, weights is not None, isinstance(weights, Parameter), named)
    return Request(positions, chosen, seeded, aux, pack)


def positions_of(position: Any) -> tuple[int, ...]:
    """The positions that an int, a tuple or None names."""
    if position == ():
        raise ValueError("For 'F.grad', the 'grad_position' must name at least one argument, but got ().")
    listed = () if position is None else position if isinstance(position, tuple) else (position,)
    if any(not isinstance(p, int) or isinstance(p, bool) for p in listed):
        raise TypeError(f"For 'F.grad', the 'grad_position' must be int or tuple of int, but got {position!r}.")
    if any(p < 0 for p in listed) or len(set(listed)) != len(listed):
        raise ValueError(f"For 'F.grad', the positions must be different and not negative, but got {position!r}.")
    return listed


def parameters_of(weights: Any) -> tuple[Any, ...]:
    """One Parameter or several as a tuple."""
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
