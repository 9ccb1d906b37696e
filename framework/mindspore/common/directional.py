"""``jvp`` and ``vjp``: the derivative in a direction, and the function from cotangents to gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore import _native
from mindspore.base.protocols import Transform
from mindspore.common.api import graph_runner
from mindspore.common.builder import EAGER
from mindspore.common.checks import boolean
from mindspore.common.gradients import parameters_of
from mindspore.common.parameter import Parameter
from mindspore.common.tape import Recording, cotangents_of, fitting_cotangents, mapped, recorded, tangents
from mindspore.common.tensor_class import Tensor
from mindspore.common.transformation import Transformation


def checked_function(fn: Any) -> None:
    """TypeError when `fn` cannot be called."""
    if not callable(fn):
        raise TypeError(f"The fn should be callable, but got {type(fn).__name__}")


def auxiliary(parts: Sequence[Any]) -> tuple[Any, ...]:
    """Auxiliary results as one more element of a result: a single one as it is, several as a tuple."""
    return tuple(parts) if len(parts) < 2 else (tuple(parts),)


class Tangents(Transformation):
    """``(inputs, v) -> (value, tangents[, auxiliary results])``."""

    kind = "jvp"

    def __init__(self, function: Callable[..., Any], has_aux: bool) -> None:
        self.has_aux = has_aux
        super().__init__(function, (has_aux,))

    def options(self) -> dict[str, Any]:
        return {"has_aux": self.has_aux}

    def eagerly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        inputs, directions = args
        given = [_direction(v, i) for v, i in zip(directions, inputs, strict=True)]
        value, found = tangents(self.function, inputs, given, self.has_aux)
        head, *aux = value if self.has_aux else (value,)
        return (head, _with(head, iter(found)), *auxiliary(aux))


def _direction(given: Any, like: Any) -> Any:
    if given.shape != like.shape:
        raise ValueError(
            f"v must have the shape of the argument, {like.__tensor_type__}, but got {given.__tensor_type__}."
        )
    return given if given.dtype is like.dtype else EAGER.cast(given, dtype=like.dtype)


def _with(value: Any, found: Iterator[Any]) -> Any:
    """`value` with what is `found` in the place of its floating tensors, and zeros in that of others."""

    def tangent(each: Any) -> Any:
        if not isinstance(each, Tensor):
            return each
        return next(found) if each.dtype.kind in "fc" else EAGER.zeros_like(each)

    return mapped(tangent, value)


def jvp(fn: Callable[..., Any], inputs: Any, v: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and its derivative in the direction `v`: the Jacobian-vector product.

    Args:
        fn: a function, Cell or jit function of tensors.
        inputs: its arguments: a Tensor, or a tuple or list of them.
        v: the direction: as many tensors, of the shapes of `inputs`.
        has_aux: only the first result of `fn` is differentiated; the others come back as they are.

    Returns:
        ``(value, tangent)``, where the tangent has the form of the value; with `has_aux` ``(value, tangent, aux)``: one auxiliary
        result as it is, several as a tuple.

    Raises:
        TypeError: `fn` is not callable, or `inputs` or `v` are no tensors.
        ValueError: `v` does not fit `inputs`.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> value, tangent = ms.jvp(lambda x, y: x * y, (Tensor(2.0), Tensor(3.0)), (Tensor(1.0), Tensor(10.0)))
        >>> print(value, tangent)
        6.0 23.0
    """
    checked_function(fn)
    points, directions = _listed("inputs", inputs), _listed("v", v)
    if len(points) != len(directions):
        raise ValueError(f"v has invalid length: should be {len(points)}, but got {len(directions)}")
    made = Tangents(fn, boolean("jvp", "has_aux", has_aux))
    result: tuple[Any, ...] = made(points, directions)
    return result


def _listed(name: str, given: Any) -> tuple[Any, ...]:
    listed = (given,) if isinstance(given, Tensor) else given
    if not isinstance(listed, tuple | list) or not all(isinstance(g, Tensor) for g in listed):
        raise TypeError(f"The {name} type must be a Tensor, tuple or list of Tensors, but got {type(given).__name__}.")
    return tuple(listed)


@dataclass(frozen=True, slots=True)
class _Gradients:
    """The form of what a function made by `vjp` returns."""

    weights: bool
    single: bool

    def __call__(self, arguments: Sequence[Any], weights: Sequence[Any]) -> Any:
        if not self.weights:
            return tuple(arguments)
        return tuple(arguments), weights[0] if self.single else tuple(weights)


class Pulling(Transformation):
    """``arguments -> (value, function from cotangents to gradients[, auxiliary results])``."""

    kind = "vjp"

    def __init__(self, function: Callable[..., Any], weights: Any, has_aux: bool) -> None:
        self.weights = () if weights is None else parameters_of(weights)
        self.has_aux = has_aux
        self.pack = _Gradients(weights is not None, isinstance(weights, Parameter))
        super().__init__(function, (tuple(map(id, self.weights)), has_aux, self.pack), self.weights)

    def options(self) -> dict[str, Any]:
        return {"weights": self.weights, "has_aux": self.has_aux, "pack": self.pack}

    def __graph_transform__(self) -> Transform:
        return Transform(self.kind, self.function, {**self.options(), "leaves": True})

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = super().__call__(*args, **kwargs)
        if isinstance(result[1], _Recorded):
            return result
        value, settings, held, *aux = result
        return (value, Pullback(settings, held), *aux)

    def eagerly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        run = recorded(self.function, args, kwargs, None, self.weights, self.has_aux)
        head, *aux = run.value if self.has_aux else (run.value,)
        return (head, _Recorded(run, head, self.pack), *auxiliary(aux))


class _Recorded:
    """What `vjp` returns for a function that ran eagerly: it goes back over the records at each call."""

    def __init__(self, run: Recording, head: Any, pack: _Gradients) -> None:
        self.run, self.head, self.pack = run, head, pack

    def __call__(self, *sens: Any) -> Any:
        run = self.run
        gradients = run.pull(cotangents_of(self.head, sens[0] if len(sens) == 1 else sens))
        return self.pack(gradients[: run.arguments], gradients[run.arguments :])

    def __graph_transform__(self) -> Transform:
        raise TypeError(
            "a function that vjp made of code that ran eagerly cannot be called in a compiled function. Call vjp inside it, or make the "
            "function that vjp is given a jit function."
        )


class Pullback:
    """What `vjp` returns for a compiled function: the backward part and the tensors that it reads."""

    def __init__(self, settings: Mapping[str, Any], held: Sequence[Any]) -> None:
        self.settings, self.held = settings, tuple(held)

    def __call__(self, *sens: Any) -> Any:
        settings = self.settings
        seeds = fitting_cotangents(settings["results"], sens[0] if len(sens) == 1 else sens)
        split = len(settings["backward"].parameters) - len(seeds)
        gradients = self._run([*self.held[:split], *seeds])
        positions, unread = settings["positions"], iter(self.held[split:])
        found = iter(gradients[positions:])
        of_weights = [next(found if was_read else unread) for was_read in settings["read"]]
        return settings["pack"](gradients[:positions], of_weights)

    def _run(self, tensors: list[Any]) -> Sequence[Any]:
        if _native.get_tape() is not None:
            from mindspore.backends.reference.evaluate import evaluate

            found: Sequence[Any] = evaluate(self.settings["backward"], tensors, EAGER)
            return found
        return graph_runner(self.settings["backward"])(tensors)

    def __graph_transform__(self) -> Transform:
        return Transform("pullback", self.held, self.settings)


def vjp(fn: Callable[..., Any], *inputs: Any, weights: Any = None, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of a function and a function from cotangents to gradients: the vector-Jacobian product.

    Args:
        fn: a function, Cell or jit function.
        inputs: its arguments; it is differentiated for all tensors among them.
        weights: a Parameter, or a list or tuple of them, to differentiate for as well.
        has_aux: only the first result of `fn` is differentiated; the others come back as they are.

    Returns:
        ``(value, vjp_fn)`` or ``(value, vjp_fn, aux)``. ``vjp_fn`` takes one cotangent for each result, or all in one tuple, and
        returns the tuple of gradients of `inputs`, with `weights` ``(gradients of inputs, gradients of weights)``. It may be called
        several times: the forward part runs once.

    Raises:
        TypeError: `fn` is not callable, or `weights` are not Parameters.
        ValueError: when ``vjp_fn`` is called, the cotangents do not fit the value.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> value, vjp_fn = ms.vjp(lambda x, y: x * y, Tensor(2.0), Tensor(3.0))
        >>> print(value, *vjp_fn(Tensor(10.0)))
        6.0 30.0 20.0
    """
    checked_function(fn)
    result: tuple[Any, ...] = Pulling(fn, weights, boolean("vjp", "has_aux", has_aux))(*inputs)
    return result
