"""The back end that compiles a graph to one native function for this processor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.backends import Program
from mindspore.backends.cpu.kernel_addresses import resolve_kernel
from mindspore.backends.cpu.loading import instances, load
from mindspore.ir.graph import Graph

__all__ = ["compile", "compile_general", "load", "prepare", "resolve_kernel"]


def compile(
    graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
) -> Callable[..., tuple[Any, ...]]:
    """See `mindspore.backends.Backend.compile`."""
    return load(prepare(graph, arguments=arguments, updates=updates), bound)


def compile_general(
    graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
) -> Callable[[Sequence[int]], Callable[..., tuple[Any, ...]]]:
    """See `mindspore.backends.GeneralBackend.compile_general`."""
    return instances(prepare(graph, arguments=arguments, updates=updates), bound)


def prepare(graph: Graph, *, arguments: int, updates: Mapping[int, int]) -> Program:
    """See `mindspore.backends.Storing.prepare`."""
    from mindspore.backends.cpu import executable  # the compiler itself, which a program from disk does not need

    return executable.prepare(graph, arguments=arguments, updates=updates)
