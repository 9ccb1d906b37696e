"""Types of graph values. Immutable and hashable."""

from __future__ import annotations

from dataclasses import dataclass

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

    element: TensorType | StashType

    def __str__(self) -> str:
        return f"Stash[{self.element}]"


@dataclass(frozen=True, slots=True)
class TokenType:
    """An effect token: orders print, assert and other effects; carries no data."""

    def __str__(self) -> str:
        return "Token"


Type = TensorType | TupleType | FunctionType | StashType | TokenType
