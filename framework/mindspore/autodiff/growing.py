"""What a transformation makes of recursive graphs: each is mentioned before it is complete, and asked for more while it is made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from mindspore.ir.graph import Graph


class Growing(Protocol):
    """What is made of one graph."""

    @property
    def wanted(self) -> Sequence[set[int]]:
        """What is asked of it, as sets of positions; they only grow."""
        ...

    def attempt(self) -> bool:
        """Makes it; whether it needs nothing more than was assumed."""
        ...


Made = TypeVar("Made", bound=Growing)


class _AgainError(Exception):
    """More is asked of `made` while it is made."""

    def __init__(self, made: Growing) -> None:
        super().__init__()
        self.made = made


class Table(Generic[Made]):
    """What one transformation has made of the recursive graphs it met."""

    def __init__(self, new: Callable[[Graph], Made]) -> None:
        self.new = new
        self.found: dict[Graph, Made] = {}
        self.growing: list[Made] = []

    def of(self, graph: Graph, *wanted: set[int]) -> Made:
        """What `graph` has become, with at least what is `wanted`. It may still grow."""
        known = self.found.get(graph)
        enough = known is not None and all(w <= k for w, k in zip(wanted, known.wanted, strict=True))
        if known is not None and enough:
            return known
        if known is not None and any(known is each for each in self.growing):
            _ask(known, wanted)
            raise _AgainError(known)
        made = self.new(graph)
        _ask(made, wanted)
        if known is not None:
            _ask(made, known.wanted)
        self.found[graph] = made
        self._grow(made)
        return made

    def _grow(self, made: Made) -> None:
        """Until nothing more is asked of it. What was made inside for less is forgotten."""
        before, depth = dict(self.found), len(self.growing)
        self.growing.append(made)
        try:
            while not self._complete(made):
                self.found = dict(before)
                del self.growing[depth + 1 :]
        finally:
            del self.growing[depth:]

    def _complete(self, made: Made) -> bool:
        try:
            return made.attempt()
        except _AgainError as again:
            if again.made is not made:
                raise
            return False


def _ask(made: Growing, wanted: Sequence[set[int]]) -> None:
    for known, more in zip(made.wanted, wanted, strict=True):
        known |= more
