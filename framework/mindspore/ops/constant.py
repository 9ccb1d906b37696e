"""``constexpr``: Python functions that run while compiling, on constants."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Any

__all__ = ["constexpr"]


class CompileTimeFunction:
    """A function that Python runs: as itself in PYNATIVE mode, once for each compilation where a graph calls it."""

    __constexpr__ = True
    __name__: str

    def __init__(self, function: Callable[..., Any], name: str) -> None:
        update_wrapper(self, function, updated=())
        self.function = function
        self.name = self.__qualname__ = name

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __made_in_graph__(self) -> None:
        """Nothing speaks against it: it holds a function only."""

    def __repr__(self) -> str:
        return f"Prim[{self.name}]<constexpr_prim=True>"


def constexpr(
    fn: Callable[..., Any] | None = None,
    get_instance: bool = True,
    name: str | None = None,
    reuse_result: bool = True,
    check: bool = True,
) -> Any:
    """A decorator: compiled functions call `fn` while compiling, with constants, and its result is a constant.

    Args:
        fn: any Python function; graphs need not support what it does.
        get_instance: the function itself; otherwise a class, whose objects are the function.
        name: in messages; that of `fn` by default.
        reuse_result, check: kept for MindSpore's signature: `fn` runs once for each compilation, and arguments must be constants.

    Raises:
        TypeError: `fn` is not callable; when compiled, an argument is a tensor or otherwise known only at run time.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor, ops
        >>> @ops.constexpr
        ... def offsets(shape):
        ...     return sorted(shape, reverse=True)[0]
        >>> @ms.jit
        ... def shifted(x):
        ...     return x + offsets(x.shape)
        >>> print(shifted(Tensor([1.0, 2.0])))
        [3. 4.]
    """

    def decorated(function: Callable[..., Any]) -> Any:
        if not callable(function):
            raise TypeError(f"For 'constexpr', the 'fn' must be callable, but got {function!r}.")
        label = name or str(getattr(function, "__name__", type(function).__name__))

        class CompileOp(CompileTimeFunction):
            def __init__(self) -> None:
                super().__init__(function, label)

        return CompileOp() if get_instance else CompileOp

    return decorated if fn is None else decorated(fn)
