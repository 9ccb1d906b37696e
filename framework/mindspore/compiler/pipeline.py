"""Compiling one call: parse and specialise, simplify, compile for a back end. Each stage can be saved as text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mindspore import backends
from mindspore._native import MISSING, Guards
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.compiler.results import argument_picker, result_builder
from mindspore.compiler.saving import GraphSaver
from mindspore.frontend.parse import parse
from mindspore.infer.guards import ABSENT
from mindspore.infer.specialise import Specialised, specialise
from mindspore.ir.graph import Graph
from mindspore.ir.verifier import verify
from mindspore.passes import PIPELINE, simplify


@dataclass(frozen=True, slots=True)
class Options:
    """How to compile: ``backend`` by name; ``save_graphs`` 0 nothing, 1 the typed and the final graph, 2 every stage, under ``path``;
    ``max_call_depth``: how deep calls are followed into."""

    backend: str = "cpu"
    save_graphs: int = 0
    save_graphs_path: str = "."
    max_call_depth: int = 1000


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled call: valid while ``guards.check()`` holds; ``run(args, kwargs)`` executes it."""

    guards: Guards
    run: Callable[[Sequence[Any], Mapping[str, Any]], Any]


def compile_call(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options) -> Compiled:
    """Compiles `function` for the types of these arguments (constants by value).

    Raises:
        SyntaxError, TypeError, ValueError: the user's program does not compile; the message begins with its file, line and column.
    """
    saver = GraphSaver(
        getattr(function, "__name__", type(function).__name__), options.save_graphs, options.save_graphs_path
    )
    specialised = specialise(
        function,
        tuple(args),
        dict(kwargs),
        parse=saver.parsed(parse),
        expanders=EXPANDERS,
        max_depth=options.max_call_depth,
    )
    _optimise(specialised.graph, saver)
    run = _executable(specialised, options)
    return Compiled(Guards([(k, c, key, MISSING if e is ABSENT else e) for k, c, key, e in specialised.guards]), run)


def _optimise(graph: Graph, saver: GraphSaver) -> None:
    check = os.environ.get("MS_DEV_DEBUG") == "1"
    saver.stage("specialised", graph)
    for each in PIPELINE:
        each(graph)
        saver.stage(each.__name__, graph, detail=True)
        if check:
            verify(graph)
    simplify(graph)
    saver.stage("final", graph)


def _executable(specialised: Specialised, options: Options) -> Callable[[Sequence[Any], Mapping[str, Any]], Any]:
    backend = backends.find(options.backend)
    execute = backend.compile(
        specialised.graph,
        arguments=len(specialised.arguments),
        bound=list(specialised.bound),
        updates=dict(specialised.updates),
    )
    pick = argument_picker(specialised.arguments)
    build = result_builder(specialised.result, len(specialised.graph.outputs()), specialised.updates)

    def run(args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return build(execute(*pick(args, kwargs)))

    return run


def expand_gradient(
    graph: Graph, wrt: Sequence[int], sens: bool = False, differentiated: Sequence[int] | None = None
) -> Graph:
    """Simplifies the inner graph, so that less is differentiated, then adds the gradients."""
    simplify(graph)
    return value_and_grad_graph(graph, wrt, sens, differentiated)


EXPANDERS: Mapping[str, Callable[..., Graph]] = {"grad": expand_gradient}
"""What `infer` calls for each kind of function transformation."""
