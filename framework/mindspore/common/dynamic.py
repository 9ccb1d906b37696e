"""Declared inputs: which sizes of a compiled callable's arguments may change from call to call."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mindspore.base.protocols import MUTABLE, parts_of
from mindspore.common.tensor_class import Tensor, UnsizedTensor

__all__ = ["enable_dynamic"]

Sizes = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Inputs:
    """The declared arguments: by position, all of them, or some by name. What is declared as None may be anything.

    Attributes:
        source: the function that declared them, for messages.
        parameters: the callable's parameters, to find those that are named.
    """

    source: str
    positional: tuple[Any, ...]
    named: Mapping[str, Any] = field(default_factory=dict)
    parameters: tuple[str, ...] = ()

    def sizes(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> list[Sizes]:
        """The declared sizes of the tensors in a call's arguments, None where one may change.

        Raises:
            ValueError: the number of arguments or a shape is not as declared.
            TypeError: an argument's type is not as declared.
        """
        found: list[Sizes] = []
        if self.positional and len(args) + len(kwargs) != len(self.positional):
            raise ValueError(
                f"For {self.source}, the length of input must be equal to expected one, but got expected: {len(self.positional)} "
                f"and input: {len(args) + len(kwargs)}!"
            )
        for position, given in enumerate(args):
            self._match(str(position + 1), self._declared(position), given, found)
        for name, given in kwargs.items():
            place = self.parameters.index(name) if name in self.parameters else len(self.positional)
            self._match(repr(name), self._declared(place), given, found)
        return found

    def _declared(self, position: int) -> Any:
        if position < len(self.positional):
            return self.positional[position]
        return self.named.get(self.parameters[position]) if position < len(self.parameters) else None

    def _match(self, place: str, declared: Any, given: Any, found: list[Sizes], mutable: bool = False) -> None:
        mutable = mutable or hasattr(type(given), MUTABLE)
        if isinstance(given, Tensor):
            found.append(given.shape if declared is None else self._sizes(place, declared, given))
            return
        parts = parts_of(given, mutable)
        if parts is None:
            if declared is not None and type(declared) is not type(given):
                raise TypeError(
                    f"For {self.source}, input {place} should be a {type(declared).__name__}, but got {type(given).__name__}."
                )
            found.extend([()] if mutable and isinstance(given, bool | int | float | complex) else [])
            return
        like = declared is None or (isinstance(declared, tuple | list) and len(declared) == len(parts))
        if isinstance(given, tuple | list) and not like:
            raise ValueError(
                f"For {self.source}, input {place} must be like the declared one, but got {len(given)} elements for {declared!r}."
            )
        wanted = dict(parts_of(declared, True) or ())
        for key, each in parts:
            self._match(f"{place}[{key!r}]", wanted.get(key), each, found, mutable)

    def _sizes(self, place: str, declared: Any, given: Tensor) -> Sizes:
        if not isinstance(declared, Tensor) or declared.dtype is not given.dtype:
            wanted = f"Tensor[{declared.dtype}]" if isinstance(declared, Tensor) else type(declared).__name__
            raise TypeError(
                f"For {self.source}, the type of input {place} should be {wanted}, but got Tensor[{given.dtype}]!"
            )
        sizes = declared.sizes if isinstance(declared, UnsizedTensor) else declared.shape
        if sizes is None:
            return (None,) * given.ndim
        fits = len(sizes) == given.ndim and all(s is None or s == g for s, g in zip(sizes, given.shape, strict=True))
        if not fits:
            shown = tuple(-1 if s is None else s for s in sizes)
            raise ValueError(
                f"For {self.source}, the shape of input {place} must be the same as expected, but got expected: {shown}, and input: "
                f"{given.shape}! A size that may change is declared as None."
            )
        return sizes


def declared(source: str, function: Callable[..., Any], inputs: Sequence[Any], named: Mapping[str, Any]) -> Inputs:
    """`Inputs` for `function`, given all by position or some by name.

    Raises:
        ValueError: both ways are used, neither is, or a name is no parameter.
    """
    if bool(inputs) == bool(named):
        raise ValueError(
            f"For {source}, declare either all inputs by position or some by name, but got {len(inputs)} by position and "
            f"{len(named)} by name."
        )
    parameters = tuple(inspect.signature(function).parameters)
    unknown = [n for n in named if n not in parameters]
    if unknown:
        raise ValueError(
            f"For {source}, {unknown[0]!r} is not one of the parameters {', '.join(parameters) or '(none)'}."
        )
    return Inputs(source, tuple(inputs), dict(named), parameters)


def enable_dynamic(**kwargs: Any) -> Callable[[Any], Any]:
    """Declares, for a function that `jit` made, sizes that may change from call to call.

    Args:
        kwargs: parameter name -> Tensor with None for the sizes that may change (``Tensor(shape=[None, 3], dtype=mindspore.float32)``,
            ``shape=None`` for all), or tuples and lists of such.

    Raises:
        TypeError: the decorated object is not a compiled function.
        ValueError: a name is not one of the function's parameters, or there is none.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> @ms.enable_dynamic(x=Tensor(shape=[None], dtype=ms.float32))
        ... @ms.jit
        ... def twice(x):
        ...     return x * 2
        >>> print(twice(Tensor([1.0, 2.0])), twice(Tensor([1.0, 2.0, 3.0])))
        [2. 4.] [2. 4. 6.]
    """

    def decorate(function: Any) -> Any:
        cache = getattr(function, "cache", None)
        if cache is None:
            raise TypeError(
                f"For 'enable_dynamic', expected a function made by jit, but got {type(function).__name__}."
            )
        cache.declare(declared("enable_dynamic", function.function, (), kwargs))
        return function

    return decorate
