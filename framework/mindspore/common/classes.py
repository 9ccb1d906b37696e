"""``jit_class``: marks classes whose objects compiled functions use."""

from __future__ import annotations

from typing import TypeVar

__all__ = ["jit_class", "ms_class"]

C = TypeVar("C", bound=type)


def jit_class(cls: C) -> C:
    """Marks a class whose objects are made and used in compiled functions. Classes with Python source work without the mark, too.

    Args:
        cls: the class.

    Returns:
        The class itself.

    Raises:
        TypeError: `cls` is no class, or a Cell, which needs no mark.

    Examples:
        >>> import mindspore as ms
        >>> from mindspore import Tensor
        >>> @ms.jit_class
        ... class Line:
        ...     def __init__(self, slope, offset):
        ...         self.slope, self.offset = slope, offset
        ...     def at(self, x):
        ...         return self.slope * x + self.offset
        >>> @ms.jit
        ... def run(x):
        ...     return Line(x, 1.0).at(3.0)
        >>> print(run(Tensor(2.0)))
        7.0
    """
    if not isinstance(cls, type):
        raise TypeError(f"Decorator jit_class can only be used for class type, but got {cls}.")
    if hasattr(cls, "__graph_function__"):
        raise TypeError(f"Decorator jit_class is used for user-defined classes and cannot be used for nn.Cell: {cls}.")
    cls.__ms_class__ = True  # type: ignore[attr-defined]
    return cls


ms_class = jit_class
