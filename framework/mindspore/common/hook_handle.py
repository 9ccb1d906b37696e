"""Hooks: user functions that see, and may replace, gradients on their way back."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from mindspore.base.protocols import GRADIENT_HOOKS

__all__ = ["HookHandle"]

_keys = count()


class HookHandle:
    """What registering a hook returns: `remove` takes the hook back."""

    __slots__ = ("_changed", "_hooks", "_key")

    def __init__(
        self, hooks: dict[int, Any], hook: Any, first: bool = False, changed: Callable[[], None] | None = None
    ) -> None:
        self._hooks, self._key, self._changed = hooks, next(_keys), changed
        others = list(hooks.items()) if first else []
        if first:
            hooks.clear()
        hooks[self._key] = hook
        hooks.update(others)
        if changed is not None:
            changed()

    def remove(self) -> None:
        """Takes the hook back; a second time does nothing."""
        if self._hooks.pop(self._key, None) is not None and self._changed is not None:
            self._changed()


def checked_hook(hook: Any) -> None:
    """TypeError when `hook` cannot be called."""
    if not callable(hook):
        raise TypeError(f"Expected a callable hook function, but got {type(hook).__name__}.")


def register_hook(self: Any, hook: Callable[[Any], Any]) -> Any:
    """Has `hook` called with the whole gradient of this tensor, whenever one is computed.

    Args:
        hook: takes the gradient; returns another one in its place, or None. In a compiled function it is compiled too.

    Returns:
        A handle; ``handle.remove()`` takes the hook back. In a compiled function the tensor itself.

    Raises:
        TypeError: `hook` is not callable.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> def halved(x):
        ...     y = x * x
        ...     y.register_hook(lambda g: g / 2)
        ...     return y
        >>> print(ms.grad(halved)(Tensor(3.0)))
        3.0
    """
    checked_hook(hook)
    hooks = self.__dict__.get(GRADIENT_HOOKS)
    if hooks is None:
        hooks = {}
        setattr(self, GRADIENT_HOOKS, hooks)
    return HookHandle(hooks, hook)


def hooked(tensor: Any, gradient: Any) -> Any:
    """`gradient` after the hooks of `tensor`."""
    hooks = getattr(tensor, GRADIENT_HOOKS, None)
    for hook in list(hooks.values()) if hooks else ():
        replaced = hook(gradient)
        if replaced is not None:
            if getattr(replaced, "shape", None) != gradient.shape:
                raise TypeError(
                    f"a hook must return None or a gradient of the shape of the tensor: expected {gradient.__tensor_type__}, but got "
                    f"{getattr(replaced, '__tensor_type__', type(replaced).__name__)}."
                )
            gradient = replaced
    return gradient
