"""Types of graph values. Immutable and hashable."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from mindspore.base.dtypes import DType
from mindspore.base.shapes import Shape


@dataclass(frozen=True, slots=True)
class TensorType:
    """A tensor of known element type and shape."""

    dtype: DType
    shape: Shape

    @property
    def rank(self) -> int:
        return len(self.shape)

    def __str__(self) -> str:
        return f"{self.dtype}[{', '.join(map(str, self.shape))}]"


@dataclass(frozen=True, slots=True)
class TupleType:
    """A tuple of values: what operators with several results and structured nodes return."""

    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.elements))})"


@dataclass(frozen=True, slots=True)
class FunctionType:
    """A graph used as a value: operand of `If`, `While` and `Call`."""

    parameters: tuple[Type, ...]
    result: Type

    def __str__(self) -> str:
        return f"({', '.join(map(str, self.parameters))}) -> {self.result}"


@dataclass(frozen=True, slots=True)
class StashType:
    """One value of type ``element`` for each turn of a loop: as many as the loop had turns, which only the run knows."""

    element: TensorType | StashType | BoxType

    def __str__(self) -> str:
        return f"Stash[{self.element}]"


class BoxLayout:
    """What boxes of one kind hold. Compared by identity, and described after it is mentioned: a box may hold boxes of its own kind.

    Attributes:
        derived: what transformations made for boxes of this kind.
    """

    __slots__ = ("__weakref__", "derived", "name", "types")

    def __init__(self, name: str, types: Callable[[], tuple[Type, ...]] | None = None) -> None:
        self.name = name
        self.types = types
        self.derived: dict[str, Any] = {}

    def describe(self, contents: Iterable[Type]) -> None:
        """Says what the boxes hold."""
        held = tuple(contents)
        self.types = lambda: held

    @property
    def contents(self) -> tuple[Type, ...]:
        """The types of what a box holds."""
        assert self.types is not None, f"boxes of {self.name} are not described yet"
        return self.types()


@dataclass(frozen=True, slots=True)
class BoxType:
    """Values that a call of a recursive graph leaves for its backward part, or nothing where that call is not made."""

    layout: BoxLayout

    def __str__(self) -> str:
        return f"Box[{self.layout.name}]"


@dataclass(frozen=True, slots=True)
class TokenType:
    """An effect token: orders print, assert and other effects; carries no data."""

    def __str__(self) -> str:
        return "Token"


Type = TensorType | TupleType | FunctionType | StashType | BoxType | TokenType
