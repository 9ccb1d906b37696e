"""Storey 5: memory and launch of one device. Back ends are folders here, found by their name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, cast, runtime_checkable

from mindspore.ir.graph import Graph


class Backend(Protocol):
    """What every back end offers."""

    def compile(
        self, graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
    ) -> Callable[..., tuple[Any, ...]]:
        """A callable over native tensors that runs `graph`.

        Args:
            graph: closed and typed; its parameters are `arguments` tensors of the call, then `bound`.
            arguments: number of tensors that each call gives.
            bound: tensors that belong to the graph, read at each call.
            updates: position of an output -> position of the parameter it is written back to; such outputs are not returned.
        """
        ...


@runtime_checkable
class GeneralBackend(Protocol):
    """What back ends offer whose code serves more than one size."""

    def compile_general(
        self, graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
    ) -> Callable[[Sequence[int]], Callable[..., tuple[Any, ...]]]:
        """Like `Backend.compile` for a graph with symbolic sizes: gives the callable for the values of all atoms of their scope."""
        ...


def names() -> list[str]:
    """The back ends there are."""
    return sorted(m.name for m in iter_modules(__path__) if m.ispkg)


def find(name: str) -> Backend:
    """The back end called `name`; ValueError lists those that exist."""
    if name not in names():
        raise ValueError(f"there is no back end {name!r}: expected one of {', '.join(map(repr, names()))}.")
    return cast(Backend, import_module(f"mindspore.backends.{name}"))
