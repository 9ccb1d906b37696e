"""``jit``, and what every compiled callable shares: when a call is compiled, and the cache of its compilations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import update_wrapper
from types import MethodType
from typing import Any, TypeVar, overload

from mindspore import _native
from mindspore.common.checks import one_of
from mindspore.context import GRAPH_MODE, SETTINGS

__all__ = ["jit", "ms_function"]

F = TypeVar("F", bound=Callable[..., Any])
_KEPT_PER_KEY = 8
_KEPT_KEYS = 1024
"""A number that changes at each call would otherwise keep a compilation for every value; the oldest goes first."""
COMPILED_CALL = "_compiled"
COMPILED_GRADIENTS = "_compiled_gradients"
"""Entries of an object's ``__dict__`` that hold compilations."""


class CompileCache:
    """Compilations of one callable: by the types of its arguments, newest first, each valid while its guards hold."""

    __slots__ = ("backend", "entries", "kept")

    def __init__(self, backend: str = "", kept: Any = None) -> None:
        self.backend = backend
        self.kept = kept
        """Objects whose ids stand in the key under which this cache is found: they must not be freed before it."""
        self.entries: dict[Any, list[Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies begin empty: what was compiled belongs to the objects it was compiled for."""
        return CompileCache, (self.backend,)

    def run(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls `function` through its compilation, made now if there is none."""
        for compiled in self.entries.get(_key(args, kwargs), ()):
            if compiled.guards.check():
                return compiled.run(args, kwargs)
        return self.compiled(function, args, kwargs).run(args, kwargs)

    def compiled(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The valid compilation for these arguments."""
        found = self.entries.setdefault(_key(args, kwargs), [])
        while len(self.entries) > _KEPT_KEYS:
            self.entries.pop(next(iter(self.entries)), None)
        for each in found:
            if each.guards.check():
                return each
        made = compile_now(function, args, kwargs, self.backend)
        found.insert(0, made)
        del found[_KEPT_PER_KEY:]
        return made


def _key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _native.signature((args, kwargs)) if kwargs else _native.signature(args)


def compile_now(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], backend: str = "") -> Any:
    """Compiles one call with the options of the context."""
    import mindspore.common.meanings  # noqa: F401 -- tells inference what functions of this room mean in graphs
    from mindspore.compiler.pipeline import Options, compile_call

    target = backend or SETTINGS.device_target.lower()
    options = Options(target, SETTINGS.save_graphs, SETTINGS.save_graphs_path, SETTINGS.max_call_depth)
    return compile_call(function, args, kwargs, options)


def runs_compiled(function: Any) -> bool:
    """Whether a call is compiled: in GRAPH_MODE or of a jit function, unless operators are recorded for gradients."""
    return (SETTINGS.mode == GRAPH_MODE or isinstance(function, JitFunction)) and _native.get_tape() is None


class JitFunction:
    """A function that is compiled in both modes. As a method it compiles for each object apart."""

    __name__: str
    __qualname__: str

    def __init__(self, function: Callable[..., Any], backend: str = "") -> None:
        self.function = function
        self.cache = CompileCache(backend)
        update_wrapper(self, function, updated=())

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _native.get_tape() is not None:
            return self.function(*args, **kwargs)
        return self.cache.run(self.function, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        bound = JitFunction(MethodType(self.function, instance), self.cache.backend)
        own = getattr(instance, "__dict__", None)
        return bound if own is None else own.setdefault(f"{COMPILED_CALL}_{self.__name__}", bound)

    def __reduce__(self) -> str | tuple[Any, ...]:
        owner = getattr(self.function, "__self__", None)
        return self.__qualname__ if owner is None else (getattr, (owner, self.__name__))

    def __graph_function__(self) -> Callable[..., Any]:
        return self.function

    def __repr__(self) -> str:
        return f"<jit {self.function!r}>"


@overload
def jit(
    function: F, *, capture_mode: str = "ast", jit_level: str = "O0", fullgraph: bool = False, backend: str = ""
) -> F: ...
@overload
def jit(
    function: None = None,
    *,
    capture_mode: str = "ast",
    jit_level: str = "O0",
    fullgraph: bool = False,
    backend: str = "",
) -> Callable[[F], F]: ...
def jit(
    function: Any = None,
    *,
    capture_mode: str = "ast",
    jit_level: str = "O0",
    fullgraph: bool = False,
    backend: str = "",
) -> Any:
    """Compiles a function, method or lambda, in both modes, for the types of its arguments at each call.

    Args:
        function: what to compile; without it ``jit(...)`` is a decorator.
        capture_mode: "ast", how the function becomes a graph: from its source.
        jit_level: "O0" or "O1"; both optimise fully.
        fullgraph: kept for MindSpore's signature: the whole function is always one graph.
        backend: "" for the device of the context, or "reference", which runs the graph with numpy.

    Raises:
        TypeError: `function` is not callable.
        ValueError: an option has another value.
        SyntaxError: when called, the function uses Python that graphs do not have; the message says where.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> f = ms.jit(lambda x, y: x * y + x)
        >>> print(f(Tensor([1.0, 2.0]), Tensor([3.0, 4.0])))
        [ 4. 10.]
    """
    one_of("jit", "capture_mode", capture_mode, ("ast",))
    one_of("jit", "jit_level", jit_level, ("O0", "O1"))
    one_of("jit", "backend", backend, ("", "cpu", "reference"))
    if function is None:
        return lambda given: jit(given, jit_level=jit_level, fullgraph=fullgraph, backend=backend)
    if isinstance(function, JitFunction):
        return function
    if not callable(function):
        raise TypeError(f"For 'jit', 'function' must be callable, but got {type(function).__name__}.")
    return JitFunction(_plain(function), backend)


def _plain(function: Any) -> Callable[..., Any]:
    """The Python function behind a Cell, whose source is compiled."""
    return function.__graph_function__() if hasattr(function, "__graph_function__") else function  # type: ignore[no-any-return]


ms_function = jit
