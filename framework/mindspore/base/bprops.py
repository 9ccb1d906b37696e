"""What a user's ``bprop`` must return, said in the same words in both modes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def described(function: Any) -> str:
    """The name of a method ``bprop`` or function and where it is defined."""
    owner = getattr(function, "__self__", None)
    code = getattr(function, "__code__", None)
    name = (
        f"{type(owner).__name__}.{function.__name__}"
        if owner is not None
        else getattr(function, "__qualname__", "bprop")
    )
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name


def check_count(function: Any, expected: int, got: int) -> None:
    """ValueError unless there is one gradient for each argument."""
    if expected != got:
        raise ValueError(
            f"For user defined {described(function)}, the number of gradients must equal the number of arguments of 'construct': "
            f"expected {expected}, but got {got}. Return one gradient per argument, None for zero."
        )


def check_shape(function: Any, position: int, expected: Sequence[int], got: Sequence[int]) -> None:
    """ValueError unless a gradient has the shape of its argument."""
    if tuple(expected) != tuple(got):
        raise ValueError(
            f"For user defined {described(function)}, the gradient at position {position} must have the shape of its argument: "
            f"expected {tuple(expected)}, but got {tuple(got)}."
        )


def check_kind(function: Any, position: int, fits: bool, got: str) -> None:
    """TypeError unless a gradient is of the kind of its argument."""
    if not fits:
        raise TypeError(
            f"For user defined {described(function)}, the gradient at position {position} must be a tensor or a tuple of tensors as its "
            f"argument is, but got {got}."
        )
