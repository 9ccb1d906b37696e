"""Storey 5: memory and launch of one device. Back ends are folders here, found by their name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol, TypeGuard, cast, runtime_checkable

import numpy as np

from mindspore.ir.effects import Site
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


class Storing(Backend, Protocol):
    """A back end whose compiled graphs can be kept for other processes."""

    def prepare(self, graph: Graph, *, arguments: int, updates: Mapping[int, int]) -> Program:
        """The first part of `compile`: everything but memory and addresses."""
        ...

    def load(self, program: Program, bound: Sequence[Any]) -> Callable[..., tuple[Any, ...]]:
        """The second part of `compile`."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """A graph made ready for a device, as plain data.

    Attributes:
        outputs: ``("fresh", type code, shape)``, or ``("bound", position)`` for what is written back.
        signature: type code and shape of each argument, then of each bound tensor.
        objects: object files that export `entry`.
        loops: whether it may run for ever. recursive: whether it may run out of the stack.
        sites: the effects that it hands over by number, with the types of their values.
        places: source positions, as text, of what may fail when it runs, by the number in the message of the failure.
        kernels: names of the kernels in the table that the entry calls through; ``built`` has the object files of those that only
            this process knows.
    """

    arguments: int
    outputs: tuple[tuple[Any, ...], ...]
    signature: tuple[tuple[int, tuple[int, ...]], ...]
    entry: str
    objects: tuple[bytes, ...]
    kernels: tuple[str, ...]
    built: Mapping[str, bytes]
    constants: tuple[np.ndarray, ...]
    arena_bytes: int
    loops: bool
    recursive: bool
    sites: tuple[Site, ...] = ()
    places: tuple[str, ...] = ()


def storing(backend: Backend) -> TypeGuard[Storing]:
    """Whether `backend` is a `Storing` one."""
    return hasattr(backend, "prepare")


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
