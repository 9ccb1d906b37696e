"""``jit``, and what every compiled callable shares: when a call is compiled, and the cache of its compilations."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import update_wrapper
from types import MethodType
from typing import Any, TypeVar, overload
from weakref import WeakKeyDictionary

from mindspore import _native
from mindspore.base.protocols import COMPILATIONS, MUTABLE, parts_of
from mindspore.common.checks import one_of
from mindspore.common.tensor_class import Tensor
from mindspore.context import GRAPH_MODE, SETTINGS

__all__ = ["jit", "ms_function"]

F = TypeVar("F", bound=Callable[..., Any])
_KEPT_PER_KEY = 8
_KEPT_KEYS = 1024
"""A number that changes at each call would otherwise keep a compilation for every value; the oldest goes first."""
_KEPT_GENERAL = 4
COMPILED_CALL = COMPILATIONS
COMPILED_GRADIENTS = f"{COMPILATIONS}_gradients"
"""Entries of an object's ``__dict__`` that hold compilations."""


class CompileCache:
    """Compilations of one callable: by the types of its arguments, newest first, each valid while its guards hold."""

    __slots__ = ("backend", "entries", "generals", "inputs", "kept", "shapes")
    __unseen__ = True

    def __init__(self, backend: str = "", kept: Any = None) -> None:
        self.backend = backend
        self.kept = kept
        """Objects whose ids stand in the key under which this cache is found: they must not be freed before it."""
        self.entries: dict[Any, list[Any]] = {}
        self.generals: dict[Any, list[Any]] = {}
        self.shapes: dict[Any, Any] = {}
        """By the types of the arguments without sizes: compilations for symbolic sizes, newest first, and the last sizes seen."""
        self.inputs: Any = None
        """Declared inputs (`common.dynamic.Inputs`), which every call must fit."""

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies begin empty: what was compiled belongs to the objects it was compiled for."""
        return CompileCache, (self.backend,)

    def declare(self, inputs: Any) -> None:
        """From now on calls must fit `inputs`, and are compiled for all sizes that these allow."""
        self.inputs = inputs
        self.entries.clear()
        self.generals.clear()

    def run(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Calls `function` through its compilation, made now if there is none."""
        for compiled in self.entries.get(_key(args, kwargs), ()):
            if compiled.guards.check():
                return compiled.run(args, kwargs)
        return self.compiled(function, args, kwargs).run(args, kwargs)

    def compiled(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The valid compilation for these arguments."""
        before = None if self.inputs is None else self.inputs.sizes(args, kwargs)
        found = self.entries.setdefault(_key(args, kwargs), [])
        while len(self.entries) > _KEPT_KEYS:
            self.entries.pop(next(iter(self.entries)), None)
        for each in found:
            if each.guards.check():
                return each
        made = self._general(function, args, kwargs, before) or compile_now(function, args, kwargs, self.backend)
        found.insert(0, made)
        del found[_KEPT_PER_KEY:]
        return made

    def _general(self, function: Any, args: tuple[Any, ...], kwargs: dict[str, Any], before: Any) -> Any:
        """The call from a compilation that holds for several sizes, made when arguments come with other sizes than before; or None."""
        pattern, shapes = typed(args, kwargs)
        known = self.generals.setdefault(pattern, [])
        for each in known:
            if each.guards.check() and (found := each.compiled(shapes)) is not None:
                return found
        before = self.shapes.get(pattern) if before is None else before
        self.shapes[pattern] = shapes
        made = None if before is None else general_now(function, args, kwargs, self.backend, (before, shapes))
        if made is None:
            return None
        known.insert(0, made)
        del known[_KEPT_GENERAL:]
        return made.compiled(shapes)


def _key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _native.signature((args, kwargs)) if kwargs else _native.signature(args)


class _CellExecutor:
    """What MindSpore's tests compile Cells with, whatever the mode."""

    def compile(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        """Compiles the Cell `obj` for the types of these arguments without running."""
        obj.compile(*args, **kwargs)


_cell_graph_executor = _CellExecutor()


def compile_now(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], backend: str = "") -> Any:
    """Compiles one call with the options of the context, or finds it in the cache on disk."""
    from mindspore.compiler import recall

    return recall.compiled(function, args, kwargs, _options(backend), _compile)


def _compile(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Any) -> Any:
    import mindspore.common.meanings  # noqa: F401 -- tells inference what functions of this room mean in graphs
    from mindspore.compiler.pipeline import prepared_call

    return prepared_call(function, args, kwargs, options)


def _options(backend: str = "") -> Any:
    from mindspore.compiler.options import Options

    target = backend or SETTINGS.device_target.lower()
    how = SETTINGS.save_graphs, SETTINGS.save_graphs_path, SETTINGS.max_call_depth, SETTINGS.enable_compile_cache
    return Options(target, *how)


def general_now(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], backend: str, seen: tuple[Any, Any]
) -> Any:
    """Compiles for symbols in the place of the sizes that differ in the shapes `seen`; None where that cannot be done.

    A program that does not compile fails again when it is compiled for its own sizes, and that error is the user's.
    """
    from mindspore.compiler.general import symbolic
    from mindspore.compiler.pipeline import compile_general

    scope_and_shapes = symbolic(*seen)
    if scope_and_shapes is None:
        return None
    try:
        return compile_general(function, args, kwargs, _options(backend), *scope_and_shapes)
    except Exception:
        if os.environ.get("MS_DEV_DEBUG") == "1":
            raise
        return None


def typed(args: Sequence[Any], kwargs: Mapping[str, Any]) -> tuple[Any, list[tuple[int, ...]]]:
    """What a compilation depends on besides sizes, and the shapes of the inputs in the order in which the compiler finds them."""
    shapes: list[tuple[int, ...]] = []

    def kind(given: Any, mutable: bool = False) -> Any:
        mutable = mutable or hasattr(type(given), MUTABLE)
        if isinstance(given, Tensor):
            shapes.append(given.shape)
            return ("tensor", given.dtype.code, given.ndim, type(given) is Tensor)
        if mutable and isinstance(given, bool | int | float | complex):
            shapes.append(())
            return type(given)
        if (parts := parts_of(given, mutable)) is not None:
            return (type(given), *[(key, kind(each, mutable)) for key, each in parts])
        return _native.signature((given,))

    return (tuple(map(kind, args)), kind(dict(kwargs))), shapes


_runners: WeakKeyDictionary[Any, Callable[..., Any]] = WeakKeyDictionary()


def graph_runner(graph: Any) -> Callable[[Sequence[Any]], Sequence[Any]]:
    """A typed graph as a function from tensors to the tensors of its results, compiled once for as long as it lives."""
    found = _runners.get(graph)
    if found is None:
        from mindspore.compiler.pipeline import compile_graph

        found = _runners[graph] = compile_graph(graph, _options())
    return found


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
        if self.cache.inputs is not None:
            bound.cache.declare(replace(self.cache.inputs, parameters=self.cache.inputs.parameters[1:]))
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
    function: F,
    *,
    capture_mode: str = "ast",
    jit_level: str = "O0",
    dynamic: int = 0,
    fullgraph: bool = False,
    backend: str = "",
    input_signature: Any = None,
) -> F: ...
@overload
def jit(
    function: None = None,
    *,
    capture_mode: str = "ast",
    jit_level: str = "O0",
    dynamic: int = 0,
    fullgraph: bool = False,
    backend: str = "",
    input_signature: Any = None,
) -> Callable[[F], F]: ...
def jit(
    function: Any = None,
    *,
    capture_mode: str = "ast",
    jit_level: str = "O0",
    dynamic: int = 0,
    fullgraph: bool = False,
    backend: str = "",
    input_signature: Any = None,
) -> Any:
    """Compiles a function, method or lambda, in both modes, for the types of its arguments at each call.

    Args:
        function: what to compile; without it ``jit(...)`` is a decorator.
        capture_mode: "ast", how the function becomes a graph: from its source.
        jit_level: "O0" or "O1"; both optimise fully.
        dynamic: 0 or 1; arguments that come with other sizes are compiled once for all sizes either way.
        fullgraph: kept for MindSpore's signature: the whole function is always one graph.
        backend: "" for the device of the context, or "reference", which runs the graph with numpy.
        input_signature: a Tensor, or a tuple with one for each argument; sizes that may change are None. Calls must fit it.

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
    one_of("jit", "dynamic", dynamic, (0, 1))
    one_of("jit", "backend", backend, ("", "cpu", "reference"))
    if function is None:
        return lambda given: jit(
            given, jit_level=jit_level, fullgraph=fullgraph, backend=backend, input_signature=input_signature
        )
    if isinstance(function, JitFunction):
        return function
    if not callable(function):
        raise TypeError(f"For 'jit', 'function' must be callable, but got {type(function).__name__}.")
    made = JitFunction(_plain(function), backend)
    if input_signature is not None:
        from mindspore.common.dynamic import declared

        given = input_signature if isinstance(input_signature, tuple | list) else (input_signature,)
        made.cache.declare(declared("input_signature", made.function, given, {}))
    return made


def _plain(function: Any) -> Callable[..., Any]:
    """The Python function behind a Cell, whose source is compiled."""
    return function.__graph_function__() if hasattr(function, "__graph_function__") else function  # type: ignore[no-any-return]


ms_function = jit
