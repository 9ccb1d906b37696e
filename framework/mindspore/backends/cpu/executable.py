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
from mindspore.base.symbolic import value
from mindspore.ir.graph import CALL, WHILE, Apply, Graph, Node, nodes, subgraphs
from mindspore.ir.sizes import bound_type, bound_value
from mindspore.ir.types import TensorType, TokenType
from mindspore.kernels import jit, target
from mindspore.kernels.lower import Lowered, lower
from mindspore.kernels.program import Site, handed_over

_WATCHED_BYTES = 64 << 10
Output = tuple[str, int, tuple[int, ...]] | tuple[str, int]


def compile(
    graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
) -> Callable[..., tuple[Any, ...]]:
    """See `mindspore.backends.Backend.compile`."""
    return compile_general(graph, arguments=arguments, bound=bound, updates=updates)(())


def compile_general(
    graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
) -> Callable[[Sequence[int]], Callable[..., tuple[Any, ...]]]:
    """See `mindspore.backends.GeneralBackend.compile_general`."""
    _check_updates(graph, arguments, updates)
    inside = list(chain.from_iterable(map(nodes, subgraphs(graph))))
    _check_sizes(inside)
    isa = target.isa(isa_level())
    lowered = lower(graph, isa=isa, updates=updates)
    objects = [data for _, data in jit.compiled_parts(lowered.parts, isa)]
    linked = jit.link(objects, [lowered.entry])
    recursive = _runs(inside, CALL)
    long = recursive or _runs(inside, WHILE)

    def instance(atoms: Sequence[int]) -> Callable[..., tuple[Any, ...]]:
        more: dict[str, Any] = {"recursive": True} if recursive else {}
        if lowered.sites:
            more["emit"] = _carrier(lowered.sites, bound, atoms)
        given = [_code_and_shape(p.type, atoms) for p in graph.parameters]
        results = [_code_and_shape(n.type, atoms) for n in graph.outputs() if n.type != TokenType()]
        arena = value(lowered.arena_bytes, atoms)
        outputs = [_output(r, updates.get(i), arguments) for i, r in enumerate(results)]
        return Executable(
            linked.address(lowered.entry), arguments, list(bound), outputs, constants_of(lowered, atoms), arena, linked, given,
            long or _handles_much([n.type for n in (*graph.parameters, *graph.outputs())], arena, atoms), **more,
        )  # fmt: skip

    return instance


def _carrier(
    sites: Sequence[Site], bound: Sequence[Any], atoms: Sequence[int]
) -> Callable[[int, tuple[int, ...]], None]:
    """What carries out effects for native code, which gives the addresses of the values."""
    known = [(bound_value(e, atoms), [(handed_over(t), bound_type(t, atoms)) for t in types]) for e, types in sites]

    def carry_out(site: int, addresses: tuple[int, ...]) -> None:
        effect, types = known[site]
        given = iter(addresses)
        effect.carry_out([_copied(kind, next(given) if handed else 0) for handed, kind in types], bound)

    return carry_out


def _copied(type: TensorType, address: int) -> Any:
    """A tensor with the elements in memory at `address`."""
    data = ctypes.string_at(address, _bytes(type)) if address else b""
    return TensorBase.from_numpy(np.frombuffer(data, to_numpy(type.dtype)).reshape(type.shape), copy=True)


def _check_sizes(inside: Iterable[Node]) -> None:
    for each in inside:
        if isinstance(each.type, TensorType) and _bytes(each.type) > sys.maxsize:
            raise MemoryError(f"a tensor of shape {each.type.shape} does not fit in memory")


def _runs(inside: Iterable[Node], op: object) -> bool:
    return any(isinstance(n, Apply) and n.op is op for n in inside)


def _handles_much(ends: Iterable[object], arena_bytes: int, atoms: Sequence[int]) -> bool:
    """Whether a run needs to watch for Ctrl-C although it does not loop; watching costs a fraction of a microsecond."""
    kinds = [bound_type(t, atoms) for t in ends if isinstance(t, TensorType)]
    return arena_bytes + sum(map(_bytes, kinds)) >= _WATCHED_BYTES


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


def constants_of(lowered: Lowered, atoms: Sequence[int] = ()) -> list[Any]:
    """The table of kernel addresses, then the constants; ``atoms``: the values of those of a graph with symbolic sizes."""
    table = np.array([*map(resolve_kernel, lowered.kernels), 0], np.int64)
    arrays = [np.array(atoms, np.int64), *lowered.constants[1:]] if atoms else lowered.constants
    return [TensorBase.from_numpy(array, copy=True) for array in (table, *arrays)]


def _output(result: tuple[int, tuple[int, ...]], parameter: int | None, arguments: int) -> Output:
    return ("fresh", *result) if parameter is None else ("bound", parameter - arguments)


def _code_and_shape(type: object, atoms: Sequence[int]) -> tuple[int, tuple[int, ...]]:
    assert isinstance(type, TensorType), f"expected a tensor, got {type}"
    return type.dtype.code, bound_value(type.shape, atoms)
