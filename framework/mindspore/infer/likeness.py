"""Whether one object outside the graph is to a compilation what another one is: of its class, with equal constants and types."""

from __future__ import annotations

import functools
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np

from mindspore.base.protocols import COMPUTE_TYPE

PLAIN = (bool, int, float, complex, str, bytes, type(None), np.generic, slice, range)
_OPAQUE = (type, FunctionType, BuiltinFunctionType, ModuleType, functools.partial)


class Likeness:
    """Pairs of objects, found while what was read of one is read of the other. Each object has one partner, itself if nothing tells else.

    What is compared is what inference may see of an object without a note in the log of what it read.
    """

    def __init__(self) -> None:
        self.partners: dict[int, tuple[Any, Any]] = {}
        self.taken: dict[int, int] = {}

    def of(self, first: Any) -> Any:
        """The partner of an object; the object itself when it has none."""
        pair = self.partners.get(id(first))
        return first if pair is None else pair[1]

    def paired(self, first: Any, second: Any) -> bool:
        """Makes two objects partners; False when one has another."""
        if self.partners.get(id(first), (first, second))[1] is not second:
            return False
        if self.taken.setdefault(id(second), id(first)) != id(first):
            return False
        self.partners[id(first)] = first, second
        return True

    def alike(self, first: Any, second: Any) -> bool:
        """Whether `second` may stand where `first` stood; remembers the pairs that this makes."""
        kind = type(first)
        if kind is not type(second):
            return False
        if isinstance(first, PLAIN):
            return first is second or repr(first) == repr(second)
        if isinstance(first, tuple):
            return self._each(first, second)
        if isinstance(first, MethodType):
            return first.__func__ is second.__func__ and self.alike(first.__self__, second.__self__)
        if id(first) in self.partners:
            return self.of(first) is second
        if not self.paired(first, second):
            return False
        return first is second or self._content(first, second)

    def _content(self, first: Any, second: Any) -> bool:
        kind = type(first)
        if kind is list:
            return self._each(first, second)
        if kind is dict:
            keys = [isinstance(k, PLAIN) for k in first]
            return all(keys) and list(first) == list(second) and self._each([*first.values()], [*second.values()])
        if isinstance(first, np.ndarray):
            same = first.dtype == second.dtype and first.shape == second.shape
            return bool(same and first.tobytes() == second.tobytes())
        if hasattr(first, "__tensor_type__"):
            trained = [getattr(each, "requires_grad", None) for each in (first, second)]
            return bool(first.__tensor_type__ == second.__tensor_type__ and trained[0] == trained[1])
        if hasattr(first, "__operator__"):
            return first.__operator__ is second.__operator__ and all(
                self.alike(getattr(first, name, None), getattr(second, name, None))
                for name in ("__operator_attributes__", "__operator_updates__")
            )
        return isinstance(getattr(first, "__dict__", None), dict) and not isinstance(first, _OPAQUE)

    def _each(self, first: Any, second: Any) -> bool:
        return len(first) == len(second) and all(map(self.alike, first, second))

    def plain(self, value: Any) -> bool:
        """Whether `value` is made of constants alone, which are the same for its partner."""
        if isinstance(value, tuple | list):
            return all(map(self.plain, value))
        if type(value) is dict:
            return all(map(self.plain, value.values()))
        return isinstance(value, PLAIN) or self.of(value) is value


def style(function: Any) -> tuple[Any, ...]:
    """What a call of an object with ``__graph_function__`` means, beside what it reads."""
    inner = function.__graph_function__()
    rule = function.__graph_gradient__() if hasattr(function, "__graph_gradient__") else None
    return (
        getattr(inner, "__func__", inner),
        getattr(inner, "__self__", None) is function,
        getattr(function, COMPUTE_TYPE, None),
        rule,
    )
