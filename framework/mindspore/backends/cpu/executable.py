"""A graph as a native executable."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from itertools import chain

from mindspore._native import isa_level
from mindspore.backends import Program
from mindspore.backends.cpu.kernel_addresses import built
from mindspore.base.shapes import size
from mindspore.base.times import stage
from mindspore.infer.errors import lines_at
from mindspore.ir.graph import CALL, WHILE, Apply, Graph, Node, is_shared, nodes, subgraphs
from mindspore.ir.types import TensorType, TokenType
from mindspore.kernels import jit, target
from mindspore.kernels.lower import lower

Output = tuple[str, int, tuple[int, ...]] | tuple[str, int]


def prepare(graph: Graph, *, arguments: int, updates: Mapping[int, int]) -> Program:
    """See `mindspore.backends.Storing.prepare`."""
    _check_updates(graph, arguments, updates)
    inside = list(chain.from_iterable(map(nodes, subgraphs(graph))))
    _check_sizes(inside)
    level = target.isa(isa_level())
    with stage("lower"):
        lowered = lower(graph, isa=level, updates=updates)
    results = enumerate(n.type for n in graph.outputs())
    with stage("machine code"):
        objects = jit.compiled_parts(lowered.parts, level)
    return Program(
        arguments=arguments,
        outputs=tuple(_output(t, updates.get(i), arguments) for i, t in results if t != TokenType()),
        signature=tuple(_code_and_shape(p.type) for p in graph.parameters),
        entry=lowered.entry,
        objects=tuple(objects),
        kernels=lowered.kernels,
        built=built(lowered.kernels, level.name),
        constants=lowered.constants,
        arena_bytes=lowered.arena_bytes,
        loops=_runs(inside, WHILE),
        recursive=_runs(inside, CALL),
        sites=lowered.sites,
        places=tuple("\n".join(lines_at(place)) for place in lowered.places),
    )


def _check_sizes(inside: Iterable[Node]) -> None:
    for each in inside:
        if isinstance(each.type, TensorType) and _bytes(each.type) > sys.maxsize:
            raise MemoryError(f"a tensor of shape {each.type.shape} does not fit in memory")


def _runs(inside: Iterable[Node], op: object) -> bool:
    return any(isinstance(n, Apply) and n.op is op and not is_shared(n) for n in inside)


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


def _output(type: object, parameter: int | None, arguments: int) -> Output:
    return ("fresh", *_code_and_shape(type)) if parameter is None else ("bound", parameter - arguments)


def _code_and_shape(type: object) -> tuple[int, tuple[int, ...]]:
    assert isinstance(type, TensorType), f"expected a tensor, got {type}"
    return type.dtype.code, type.shape
