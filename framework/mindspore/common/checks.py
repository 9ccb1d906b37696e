"""Argument checks of the public API: each error names the class, the argument, what was expected and what came."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any


def positive_int(owner: str, name: str, value: Any) -> int:
    """`value` when it is an int above 0; bool does not count as one."""
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"For '{owner}', the '{name}' must be int, but got '{type(value).__name__}'.")
    if value <= 0:
        raise ValueError(f"For '{owner}', the '{name}' must be int and must > 0, but got '{value}' with type 'int'.")
    return value


def boolean(owner: str, name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"For '{owner}', the '{name}' should be bool, but got {type(value).__name__}.")
    return value


def one_of(owner: str, name: str, value: Any, allowed: Collection[Any]) -> Any:
    if value not in allowed:
        raise ValueError(f"For '{owner}', the '{name}' must be in {list(allowed)}, but got {value}.")
    return value


def exact_float(owner: str, name: str, value: Any) -> float:
    """`value` when it is a float; an int is none."""
    if not isinstance(value, float):
        raise TypeError(
            f"For '{owner}', the type of '{name}' should be 'float', but got type '{type(value).__name__}'."
        )
    return value


def not_negative(owner: str, name: str, value: Any) -> float:
    """`value` as a float when it is a number that is not below 0."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"For '{owner}', the '{name}' must be float or int, but got '{type(value).__name__}'.")
    if not value >= 0:
        kind = type(value).__name__
        raise ValueError(
            f"For '{owner}', the '{name}' must be float and must >= 0, but got '{value}' with type '{kind}'."
        )
    return float(value)


def positive(owner: str, name: str, value: Any) -> float:
    """`value` as a float when it is a number above 0."""
    if not_negative(owner, name, value) == 0:
        raise ValueError(f"For '{owner}', the '{name}' must be > 0, but got {value}.")
    return float(value)
