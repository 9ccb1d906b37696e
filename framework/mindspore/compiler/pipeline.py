"""Compiling one call: parse and specialise, simplify, compile for a back end. Each stage can be saved as text."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mindspore import backends
from mindspore._native import MISSING, Guards
from mindspore.autodiff.batching import vmap_graph
from mindspore.autodiff.forward import jvp_graph
from mindspore.autodiff.jacobians import jacobian_graph
from mindspore.autodiff.pullbacks import vjp_graphs
from mindspore.autodiff.recompute import recomputed_gradient
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.backends.reference.evaluate import evaluate
from mindspore.base.collecting import rare_collections
from mindspore.base.symbolic import Scope
from mindspore.base.times import compilation, stage, timed
from mindspore.compiler.general import Compiled, General, Shapes
from mindspore.compiler.options import Options
from mindspore.compiler.results import Run, argument_picker, result_builder, runnable
from mindspore.compiler.saving import GraphSaver
from mindspore.frontend.parse import parse
from mindspore.infer.guards import ABSENT
from mindspore.infer.specialise import Output, Specialised, specialise
from mindspore.ir.builder import Builder
from mindspore.ir.graph import Graph
from mindspore.ir.rewrite import copy, separate
from mindspore.ir.sizes import bound, bound_value
from mindspore.ir.verifier import verify
from mindspore.passes import FINISH, PIPELINE, run_pass, simplify

__all__ = ["EXPANDERS", "Options", "Prepared", "compile_call", "compile_general", "compile_graph", "prepared_call"]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A compiled call with what it was made of. ``entered``: the functions whose source is part of it."""

    compiled: Compiled
    specialised: Specialised
    program: backends.Program | None
    entered: Sequence[Any]


def compile_call(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options) -> Compiled:
    """Compiles `function` for the types of these arguments (constants by value).

    Raises:
        SyntaxError, TypeError, ValueError: the user's program does not compile; the message begins with its file, line and column.
    """
    return prepared_call(function, args, kwargs, options).compiled


def prepared_call(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options) -> Prepared:
    """Like `compile_call`, with what another process needs to do without compiling."""
    entered: list[Any] = []
    with compilation(_name(function)), rare_collections():
        specialised = _specialised(function, args, kwargs, options, entered=entered)
        program, call = _program(specialised, options)
    return Prepared(Compiled(_guards(specialised), call), specialised, program, entered)


def compile_general(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options, scope: Scope, shapes: Shapes
) -> General:
    """Compiles `function` for tensor arguments of `shapes`, whose symbols belong to `scope`; the arguments are an example.

    Raises:
        Exception: like `compile_call`, and where something cannot be done for symbolic sizes.
    """
    with compilation(_name(function)), rare_collections():
        specialised = _specialised(function, args, kwargs, options, shapes)
        instances = _instances(specialised, options)
    return General(scope, shapes, _guards(specialised), instances)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _instances(specialised: Specialised, options: Options) -> Callable[[Sequence[int]], Callable[..., Any]]:
    """The executable call for given values of the atoms: of one code for all sizes where the back end has such, else of its own."""
    backend = backends.find(options.backend)
    general = None
    if isinstance(backend, backends.GeneralBackend):
        general = backend.compile_general(specialised.graph, **_places(specialised))

    def instance(atoms: Sequence[int]) -> Callable[..., Any]:
        given = replace(specialised, result=bound_value(specialised.result, atoms))
        if general is not None:
            return _call(given, general(atoms))
        return _executable(replace(given, graph=bound(specialised.graph, atoms)), options)

    return instance


def _specialised(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], options: Options, shapes: Shapes | None = None,
    entered: list[Any] | None = None,
) -> Specialised:  # fmt: skip
    saver = GraphSaver(_name(function), options.save_graphs, options.save_graphs_path)
    parse_and_save = saver.parsed(parse)

    def noted(called: Any) -> Graph:
        if entered is not None:
            entered.append(called)
        with stage("parse"):
            graph: Graph = parse_and_save(called)
        return graph

    with stage("infer"):
        specialised = specialise(
            function,
            tuple(args),
            dict(kwargs),
            parse=noted,
            expanders=EXPANDERS,
            shapes=shapes,
            max_depth=options.max_call_depth,
        )
    _optimise(specialised.graph, saver)
    return specialised


def _guards(specialised: Specialised) -> Guards:
    return Guards([(k, c, key, MISSING if e is ABSENT else e) for k, c, key, e in specialised.guards])


@dataclass(frozen=True, slots=True)
class Interpreted:
    """A call as a graph that Python walks: ``run(args, kwargs, builder)`` gives the value and what to write into which Parameters."""

    guards: Guards
    run: Callable[[Sequence[Any], Mapping[str, Any], Builder], tuple[Any, list[tuple[Any, Any]]]]


def interpreted_call(function: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Interpreted:
    """The call as a graph whose operators run one by one, with gradients still to be taken.

    Raises:
        SyntaxError, TypeError, ValueError: like `compile_call`.
    """
    made = specialise(function, tuple(args), dict(kwargs), parse=parse, expanders=EXPANDERS, differentiated=True)
    separate(made.graph)
    simplify(made.graph)
    pick = argument_picker(made.arguments)
    build = result_builder(made.result, len(made.graph.outputs()), made.updates)

    def run(args: Sequence[Any], kwargs: Mapping[str, Any], builder: Builder) -> tuple[Any, list[tuple[Any, Any]]]:
        given = [*pick(args, kwargs), *made.bound]
        outputs = evaluate(made.graph, given, builder, carry_out=lambda e, values: e.carry_out(values, made.bound))
        writes = [(made.bound[p - len(made.arguments)], outputs[o]) for o, p in made.updates.items()]
        return build(tuple(v for i, v in enumerate(outputs) if i not in made.updates)), writes

    return Interpreted(_guards(made), run)


def compile_graph(graph: Graph, options: Options) -> Callable[[Sequence[Any]], tuple[Any, ...]]:
    """A typed graph as a function from its tensors to those of its results; `graph` itself does not change."""
    saver = GraphSaver(graph.name, options.save_graphs, options.save_graphs_path)
    own, count = copy(graph), len(graph.outputs())
    _optimise(own, saver)
    arguments = [(0, i) for i in range(len(own.parameters))]
    run = _executable(Specialised(own, arguments, [], {}, tuple(map(Output, range(count))), []), options)
    return lambda tensors: run(tensors, {})


def _optimise(graph: Graph, saver: GraphSaver) -> None:
    check = os.environ.get("MS_DEV_DEBUG") == "1"
    saver.stage("specialised", graph)
    for each in PIPELINE:
        run_pass(each, graph)
        saver.stage(each.__name__, graph, detail=True)
        if check:
            verify(graph)
    simplify(graph)
    for each in FINISH:
        run_pass(each, graph)
    saver.stage("final", graph)


def _executable(specialised: Specialised, options: Options) -> Run:
    return _program(specialised, options)[1]


def _program(specialised: Specialised, options: Options) -> tuple[backends.Program | None, Run]:
    """The graph made ready by the back end, and the call that runs it."""
    backend = backends.find(options.backend)
    places = _places(specialised)
    if not backends.storing(backend):
        separate(specialised.graph)
        simplify(specialised.graph)
        return None, _call(specialised, backend.compile(specialised.graph, **places))
    tensors = places.pop("bound")
    program = backend.prepare(specialised.graph, **places)
    return program, _call(specialised, backend.load(program, tensors))


def _places(specialised: Specialised) -> dict[str, Any]:
    """Where the parameters of a graph come from and its outputs go, as back ends take it."""
    return {
        "arguments": len(specialised.arguments),
        "bound": list(specialised.bound),
        "updates": dict(specialised.updates),
    }


def _call(specialised: Specialised, execute: Callable[..., tuple[Any, ...]]) -> Run:
    """A call with Python arguments and results around a call with tensors."""
    count = len(specialised.graph.outputs())
    return runnable(execute, specialised.arguments, specialised.result, count, specialised.updates)


def _of_simplified(transform: Callable[..., Any], shared: bool = False) -> Callable[..., Any]:
    """`transform` of the inner graph once that is simplified, so that less is transformed; timed. ``shared``: it knows shared calls."""

    def expand(graph: Graph, *args: Any, **kwargs: Any) -> Any:
        if not shared:
            separate(graph)
        simplify(graph)
        return transform(graph, *args, **kwargs)

    return timed("transform", expand)


EXPANDERS: Mapping[str, Callable[..., Any]] = {
    "grad": _of_simplified(value_and_grad_graph, shared=True),
    "vjp": _of_simplified(vjp_graphs),
    "jvp": _of_simplified(jvp_graph),
    "recompute": _of_simplified(recomputed_gradient),
    "vmap": _of_simplified(vmap_graph),
    "jacobian": _of_simplified(jacobian_graph),
}
"""What `infer` calls for each kind of function transformation."""
