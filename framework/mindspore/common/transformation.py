"""What all functions made from functions share: they run compiled or eagerly like the function they are made of, and compile once."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import update_wrapper
from typing import Any, ClassVar

from mindspore.base.protocols import Transform
from mindspore.common.api import COMPILED_GRADIENTS, CompileCache, runs_compiled


class Transformation:
    """A function made from `function`; subclasses say how: ``kind`` and `options` to the compiler, `eagerly` to Python."""

    kind: ClassVar[str]

    def __init__(self, function: Callable[..., Any], key: tuple[Hashable, ...], kept: Any = None) -> None:
        self.function = function
        self.cache = shared_cache(function, (self.kind, *key), kept)
        if hasattr(function, "__name__"):
            update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if runs_compiled(innermost(self.function)):
            return self.cache.run(self, args, kwargs)
        return self.eagerly(args, kwargs)

    def eagerly(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The call as Python; overridden by every subclass."""
        raise TypeError(f"{self!r} runs in compiled code only.")

    def options(self) -> dict[str, Any]:
        """The settings as the compiler reads them."""
        return {}

    def __graph_transform__(self) -> Transform:
        return Transform(self.kind, self.function, self.options())

    def __repr__(self) -> str:
        return f"<{self.kind} of {self.function!r}>"


def innermost(function: Any) -> Any:
    """The function that transformations of transformations are of: where it is compiled, they are."""
    while isinstance(function, Transformation):
        function = function.function
    return function


def shared_cache(function: Any, request: tuple[Hashable, ...], kept: Any) -> CompileCache:
    """One cache for all equal requests for one function, so that ``grad(f)(x)`` in a loop compiles once.

    It lives in the function's own ``__dict__`` (a method's in that of its object), and so as long as the function. Objects whose ids are
    part of `request` are `kept`.
    """
    owner = getattr(function, "__self__", function)
    home = getattr(owner, "__dict__", None)
    if not isinstance(home, dict):
        return CompileCache()
    found: dict[Any, CompileCache] = home.setdefault(COMPILED_GRADIENTS, {})
    # The function is part of the key because functools.wraps copies one function's __dict__ to another.
    key = (getattr(function, "__func__", function), *request)
    return found.setdefault(key, CompileCache(kept=kept))
