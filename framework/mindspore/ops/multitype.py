"""``MultitypeFuncGraph``: one name for functions of different types of arguments. Graph mode compiles this source."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore.base.dtypes import DType
from mindspore.common.dtype import Kind
from mindspore.common.methods import Tensor
from mindspore.common.parameter import Parameter
from mindspore.common.row_tensor import RowTensor

__all__ = ["MultitypeFuncGraph"]


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | complex)


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, Tensor)


_TESTS: dict[str, Callable[[Any], bool]] = {
    "Bool": lambda value: isinstance(value, bool),
    "Int": _is_int,
    "Int64": _is_int,
    "Float": lambda value: isinstance(value, float),
    "Float32": lambda value: isinstance(value, float),
    "Float64": lambda value: isinstance(value, float),
    "Complex": lambda value: isinstance(value, complex),
    "Number": _is_number,
    "Tensor": lambda value: isinstance(value, Tensor),
    "RowTensor": lambda value: isinstance(value, RowTensor),
    "Ref": lambda value: isinstance(value, Parameter),
    "Parameter": lambda value: isinstance(value, Parameter),
    "Tuple": lambda value: isinstance(value, tuple),
    "List": lambda value: isinstance(value, list),
    "Dictionary": lambda value: isinstance(value, dict),
    "Dict": lambda value: isinstance(value, dict),
    "String": lambda value: isinstance(value, str),
    "None": lambda value: value is None,
    "Slice": lambda value: isinstance(value, slice),
    "Ellipsis": lambda value: value is ...,
    "Function": _is_function,
}
"""What each type name takes."""


def _kind(value: Any) -> str:
    """The type name of a value, for messages."""
    for name in (
        "None",
        "Tensor",
        "RowTensor",
        "Bool",
        "Int",
        "Float",
        "Complex",
        "String",
        "Tuple",
        "List",
        "Dictionary",
        "Function",
    ):
        if _TESTS[name](value):
            return name
    return "an object"


class MultitypeFuncGraph:
    """Functions registered by the types of their arguments; a call runs the first whose types fit.

    Args:
        name: its name in messages.
        read_value: kept for MindSpore's signature: functions see Parameters by reference and by value alike.

    A single registered function takes every argument.

    Raises:
        TypeError: `name` is not a str.
        RuntimeError: a type name that does not exist is registered.
        ValueError: when called, no registered types fit.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> doubled = ops.MultitypeFuncGraph("doubled")
        >>> @doubled.register("Number")
        ... def doubled_number(x):
        ...     return x * 2
        >>> @doubled.register("Tensor")
        ... def doubled_tensor(x):
        ...     return x + x
        >>> print(doubled(3), doubled(Tensor([1.0, 2.0])))
        6 [2. 4.]
    """

    def __init__(self, name: str, read_value: bool = False) -> None:
        if not isinstance(name, str):
            raise TypeError(f"For 'MultitypeFuncGraph', the 'name' must be a str, but got {name!r}.")
        self.name = name
        self.read_value = read_value
        self.entries: list[tuple[tuple[str, ...], Callable[..., Any]]] = []

    def register(self, *type_names: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """A decorator for the function of arguments of these types.

        Args:
            type_names: one for each argument: "Tensor", "Number", "Int", "Float", "Bool", "Tuple", "List", "Dictionary", "String",
                "None", "Function", ..., or the element type of a number.
        """
        names = tuple(each.name if isinstance(each, DType | Kind) else each for each in type_names)
        for each in names:
            if each not in _TESTS:
                raise RuntimeError(
                    f"For 'MultitypeFuncGraph.register', the type name {each!r} is not supported; it must be one of {', '.join(_TESTS)}."
                )

        def registered(function: Callable[..., Any]) -> Callable[..., Any]:
            self.entries.append((names, function))
            return function

        return registered

    def __call__(self, *args: Any) -> Any:
        if len(self.entries) == 1:
            return self.entries[0][1](*args)
        for names, function in self.entries:
            if len(names) == len(args) and all(_TESTS[n](a) for n, a in zip(names, args, strict=True)):
                return function(*args)
        listed = ", ".join([f"({', '.join(names)})" for names, _ in self.entries]) or "nothing"
        raise ValueError(
            f"For 'MultitypeFuncGraph', {self.name!r} has no function for ({', '.join([_kind(a) for a in args])}): registered are "
            f"{listed}."
        )

    def __repr__(self) -> str:
        return f"MultitypeFuncGraph[{self.name}]"
