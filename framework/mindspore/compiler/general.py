"""Compilations that hold for more than one size of their arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore._native import Guards
from mindspore.base.symbolic import Scope, Size

Shapes = Sequence[tuple[Any, ...]]
"""The shape of each tensor argument: ints, and symbols where the size may change."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled call: valid while ``guards.check()`` holds; ``run(args, kwargs)`` executes it."""

    guards: Guards
    run: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class General:
    """A call compiled for symbolic sizes.

    Attributes:
        scope: its symbols, and the conditions under which it holds.
        shapes: of the tensor arguments.
        guards: what it took for granted about the world outside.
        instance: the executable call for the values of all atoms of the scope.
    """

    scope: Scope
    shapes: Shapes
    guards: Guards
    instance: Callable[[Sequence[int]], Callable[..., Any]]

    def compiled(self, shapes: Shapes) -> Compiled | None:
        """The call for arguments of these shapes; None when it does not hold for them."""
        symbols = self._symbols(shapes)
        if symbols is None or not self.scope.admits(symbols):
            return None
        return Compiled(self.guards, self.instance(self.scope.atoms(symbols)))

    def _symbols(self, shapes: Shapes) -> list[int] | None:
        """The value of each symbol; None where the shapes do not fit."""
        found: dict[int, int] = {}
        for wanted, given in zip(self.shapes, shapes, strict=True):
            for size, actual in zip(wanted, given, strict=True):
                if isinstance(size, Size):
                    (((atom, _),),) = size.terms
                    if actual < FIRST_FREE or found.setdefault(atom, actual) != actual:
                        return None
                elif size != actual:
                    return None
        return [found[atom] for atom in range(len(found))]


FIRST_FREE = 2
"""Sizes 0 and 1 mean something of their own (nothing to do, broadcasting): they are always compiled for."""


def symbolic(before: Shapes, now: Shapes) -> tuple[Scope, Shapes] | None:
    """`now` with a symbol for each size that differs from `before`, the same one for sizes that change alike; None when none can be.

    A size that `before` has as None gets a symbol of its own.
    """
    scope = Scope()
    symbols: dict[tuple[Any, int], Size] = {}
    shapes: list[tuple[Any, ...]] = []
    for old, new in zip(before, now, strict=True):
        shape: list[Any] = []
        for was, size in zip(old, new, strict=True):
            if was == size or size < FIRST_FREE or (was is not None and was < FIRST_FREE):
                shape.append(size)
                continue
            key = (was, size) if was is not None else (len(shapes), len(shape))
            if key not in symbols:
                symbols[key] = scope.symbol(size)
            shape.append(symbols[key])
        shapes.append(tuple(shape))
    return (scope, shapes) if symbols else None
