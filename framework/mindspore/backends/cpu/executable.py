"""A graph as a native executable."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np

from mindspore._native import Executable, TensorBase, isa_level
from mindspore.backends.cpu.kernel_addresses import resolve_kernel
from mindspore.base.dtypes import to_numpy
from mindspore.base.shapes import size
from mindspore.ir.graph import WHILE, Apply, Graph, Node, nodes, subgraphs
from mindspore.ir.types import TensorType, TokenType
from mindspore.kernels import jit, target
from mindspore.kernels.lower import Lowered, lower
from mindspore.kernels.program import Site

_WATCHED_BYTES = 64 << 10
Output = tuple[str, int, tuple[int, ...]] | tuple[str, int]


def compile(
    graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
) -> Callable[..., tuple[Any, ...]]:
    """See `mindspore.backends.Backend.compile`."""
    _check_updates(graph, arguments, updates)
    inside = list(chain.from_iterable(map(nodes, subgraphs(graph))))
    _check_sizes(inside)
    isa = target.isa(isa_level())
    lowered = lower(graph, isa=isa, updates=updates)
    objects = [data for _, data in jit.compiled_parts(lowered.parts, isa)]
    linked = jit.link(objects, [lowered.entry])
    results = enumerate(n.type for n in graph.outputs())
    outputs = [_output(kind, updates.get(i), arguments) for i, kind in results if kind != TokenType()]
    return Executable(
        linked.address(lowered.entry), arguments, list(bound), outputs, constants_of(lowered), lowered.arena_bytes,
        linked, [_code_and_shape(p.type) for p in graph.parameters], _may_run_long(graph, inside, lowered.arena_bytes),
        _carrier(lowered.sites, bound),
    )  # fmt: skip


def _carrier(sites: Sequence[Site], bound: Sequence[Any]) -> Callable[[int, tuple[int, ...]], None] | None:
    """What carries out effects for native code, which gives the addresses of the values; None without effects."""
    if not sites:
        return None

    def carry_out(site: int, addresses: tuple[int, ...]) -> None:
        effect, types = sites[site]
        given = iter(addresses)
        effect.carry_out([_copied(t, next(given) if size(t.shape) else 0) for t in types], bound)

    return carry_out


def _copied(type: TensorType, address: int) -> Any:
    """A tensor with the elements in memory at `address`."""
    data = ctypes.string_at(address, _bytes(type)) if address else b""
    return TensorBase.from_numpy(np.frombuffer(data, to_numpy(type.dtype)).reshape(type.shape), copy=True)


def _check_sizes(inside: Iterable[Node]) -> None:
    for each in inside:
        if isinstance(each.type, TensorType) and _bytes(each.type) > sys.maxsize:
            raise MemoryError(f"a tensor of shape {each.type.shape} does not fit in memory")


def _may_run_long(graph: Graph, inside: Iterable[Node], arena_bytes: int) -> bool:
    """Whether a run needs to watch for Ctrl-C, which costs a fraction of a microsecond: it loops or handles much data."""
    if any(isinstance(n, Apply) and n.op is WHILE for n in inside):
        return True
    ends = [n.type for n in (*graph.parameters, *graph.outputs())]
    return arena_bytes + sum(_bytes(t) for t in ends if isinstance(t, TensorType)) >= _WATCHED_BYTES


def _bytes(type: TensorType) -> int:
    return size(type.shape) * type.dtype.itemsize


def _check_updates(graph: Graph, arguments: int, updates: Mapping[int, int]) -> None:
    """Only bound tensors can be written, each once, with a value of its own type."""
    outputs = graph.outputs()
    if len(set(updates.values())) < len(updates):
        raise ValueError(f"graph {graph.name}: two outputs update the same parameter: {dict(updates)}")
    for output, parameter in updates.items():
        if not arguments <= parameter < len(graph.parameters):
            raise ValueError(
                f"graph {graph.name}: output {output} updates parameter {parameter}, but the bound tensors are parameters "
                f"{arguments} to {len(graph.parameters) - 1}"
            )
        have, want = outputs[output].type, graph.parameters[parameter].type
        if have != want:
            raise ValueError(f"graph {graph.name}: output {output} of type {have} updates a parameter of type {want}")


def constants_of(lowered: Lowered) -> list[Any]:
    """The table of kernel addresses, then the constants."""
    table = np.array([*map(resolve_kernel, lowered.kernels), 0], np.int64)
    return [TensorBase.from_numpy(array, copy=True) for array in (table, *lowered.constants)]


def _output(type: object, parameter: int | None, arguments: int) -> Output:
    return ("fresh", *_code_and_shape(type)) if parameter is None else ("bound", parameter - arguments)


def _code_and_shape(type: object) -> tuple[int, tuple[int, ...]]:
    assert isinstance(type, TensorType), f"expected a tensor, got {type}"
    return type.dtype.code, type.shape
