"""``HyperMap`` and ``Map``: one function for every element of containers. Graph mode compiles this source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["HyperMap", "Map", "zip_operation"]


class _Mapping:
    """Holds the function, and whether elements are taken from the last to the first."""

    def __init__(self, ops: Callable[..., Any] | None = None, reverse: bool = False) -> None:
        name = type(self).__name__
        if ops is not None and not callable(ops):
            raise TypeError(f"For '{name}', the 'ops' must be a function or MultitypeFuncGraph, but got {ops!r}.")
        if not isinstance(reverse, bool):
            raise TypeError(f"For '{name}', the 'reverse' must be a bool, but got {reverse!r}.")
        self.ops = ops
        self.reverse = reverse

    def __made_in_graph__(self) -> None:
        """Nothing speaks against it: it holds constants only."""


class HyperMap(_Mapping):
    """Calls a function with the elements of containers of one structure, at any depth, and gives the results in the same structure.

    Args:
        ops: the function, often a `MultitypeFuncGraph`; without it the first argument of each call is the function.
        reverse: calls with the last elements come first; the structure of the result stays.

    Inputs:
        - **args**: tuples, lists or dicts of equal structure, or what the function itself takes.

    Raises:
        TypeError: `ops` is not callable; a call has no arguments.
        RuntimeError: the structures differ.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> squares = ops.HyperMap(ops.square)
        >>> print(squares((Tensor(2.0), [Tensor(3.0)])))
        (Tensor(shape=[], dtype=Float32, value= 4), [Tensor(shape=[], dtype=Float32, value= 9)])
    """

    def __call__(self, *args: Any) -> Any:
        function, values = _split("HyperMap", self.ops, args)
        return _deep(function, values, self.reverse)


class Map(_Mapping):
    """Like `HyperMap` for one level: calls a function with the elements of tuples or lists of one length.

    Args:
        ops: the function; without it the first argument of each call is the function.
        reverse: calls with the last elements come first.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.Map()(lambda x, y: x + y, (1, 2), (3, 4)))
        (4, 6)
    """

    def __call__(self, *args: Any) -> Any:
        function, values = _split("Map", self.ops, args)
        if not isinstance(values[0], tuple | list):
            raise TypeError("For 'Map', the arguments must be tuples or lists; call the function for single values.")
        return _level("Map", function, values, self.reverse)


def _split(name: str, ops: Any, args: tuple[Any, ...]) -> Any:
    function, values = (args[0], args[1:]) if ops is None and args else (ops, args)
    if not values:
        raise TypeError(f"For '{name}', a call needs arguments to map over, but got none.")
    return function, values


def _deep(function: Any, values: Any, backwards: bool) -> Any:
    if not any(isinstance(v, tuple | list | dict) for v in values):
        return function(*values)

    def inner(*elements: Any) -> Any:
        return _deep(function, elements, backwards)

    return _level("HyperMap", inner, values, backwards)


def _level(name: str, function: Any, values: Any, backwards: bool) -> Any:
    first: Any = values[0]
    kind: type = dict if isinstance(first, dict) else list if isinstance(first, list) else tuple
    for each in values:
        _check_like(name, each, first, kind)
    rows = list(zip(*[v.values() if kind is dict else v for v in values], strict=True))
    results = [function(*row) for row in rows[::-1]][::-1] if backwards else [function(*row) for row in rows]
    if kind is dict:
        return dict(zip(first.keys(), results, strict=True))
    return results if kind is list else tuple(results)


def _check_like(name: str, value: Any, first: Any, kind: type) -> None:
    fits = isinstance(value, kind)
    if not fits:
        raise RuntimeError(
            f"For '{name}', the structures of all arguments must be the same, but one is no {kind.__name__}."
        )
    if len(value) != len(first):
        raise RuntimeError(f"For '{name}', all arguments must have one length, but got {len(first)} and {len(value)}.")
    if kind is dict and list(value.keys()) != list(first.keys()):
        raise RuntimeError(
            f"For '{name}', all dicts must have the same keys, but got {list(first.keys())} and {list(value.keys())}."
        )


def zip_operation(*args: Any) -> Any:
    """The elements of several tuples or lists side by side: a tuple of tuples, as long as the shortest.

    Examples:
        >>> from mindspore import ops
        >>> print(ops.zip_operation((1, 2), (3, 4)))
        ((1, 3), (2, 4))
    """
    return tuple(zip(*args, strict=False))
