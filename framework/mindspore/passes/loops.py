"""Loops without what nobody reads: results, the state and stashes behind them, and stashes that are made twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import SCAN, TUPLE_GET, WHILE, Apply, Graph, Node, bodies, nodes, subgraphs, toposort
from mindspore.ir.loops import Loop, loop_of
from mindspore.ir.rewrite import users, with_inputs


def prune_loops(graph: Graph) -> bool:
    """Narrows every loop whose results are only taken apart to those that are read, outer loops before inner ones."""
    changed = False
    if not any(isinstance(n, Apply) and n.op in (WHILE, SCAN) for _, order in bodies(graph) for n in order):
        return False
    for each in subgraphs(graph):
        output = _pruned(each)
        changed |= output is not each.output
        each.output = output
    return changed


class _Narrowed(NamedTuple):
    """A loop with fewer results, and where each result that is read is now."""

    node: Apply
    places: dict[int, int]


def _pruned(graph: Graph) -> Node:
    order = nodes(graph)
    if not any(isinstance(n, Apply) and n.op in (WHILE, SCAN) for n in order):
        return graph.result
    readers = users(graph)
    narrowed: dict[int, _Narrowed] = {}
    mapped: dict[int, Node] = {}
    for node in order:
        mapped[id(node)] = node
        if not isinstance(node, Apply):
            continue
        mapped[id(node)] = current = with_inputs(node, [mapped[id(i)] for i in node.inputs])
        if node.op is TUPLE_GET and id(node.inputs[0]) in narrowed:
            made = narrowed[id(node.inputs[0])]
            mapped[id(node)] = GraphBuilder(node.location).get(made.node, made.places[node.attrs["index"]])
        elif node.op in (WHILE, SCAN) and node is not graph.result:
            found = _narrowed(current, readers.get(id(node), []))
            if found is not None:
                narrowed[id(node)] = found
    return mapped[id(graph.result)]


def _narrowed(node: Apply, readers: Sequence[Apply]) -> _Narrowed | None:
    if any(r.op is not TUPLE_GET for r in readers):
        return None
    loop = loop_of(node)
    outputs, count = loop.body.outputs(), len(loop.state)
    if len(outputs) != count + len(loop.writes):
        return None
    made, places = _distinct(loop, outputs, {r.attrs["index"] for r in readers})
    state, stashes = _needed(loop, outputs, [p for p in places if p < count], [outputs[count + k] for k in made])
    if (len(state), len(stashes), len(made)) == (count, len(loop.stashes), len(loop.writes)):
        return None
    parameters = [loop.body.parameters[i] for i in (*state, *(count + j for j in stashes))]
    results = GraphBuilder(loop.body.location).tuple([outputs[i] for i in (*state, *(count + k for k in made))])
    body = Graph(loop.body.name, parameters, results, loop.body.location)
    smaller = replace(
        loop,
        condition=loop.condition and _over(loop.condition, state),
        body=body,
        state=[loop.state[i] for i in state],
        stashes=[loop.stashes[j] for j in stashes],
        reads=tuple(loop.reads[j] for j in stashes),
        writes=tuple(loop.writes[k] for k in made),
    )
    order = [*state, *(count + k for k in made)]
    return _Narrowed(smaller.node(node.location), {i: order.index(p) for i, p in places.items()})


def _distinct(loop: Loop, outputs: Sequence[Node], read: set[int]) -> tuple[list[int], dict[int, int]]:
    """The stashes to make, and for each result that is read the one that stands for it."""
    count = len(loop.state)
    first: dict[tuple[int, int], int] = {}
    places = {i: i for i in sorted(read) if i < count}
    for i in sorted(read - set(places)):
        places[i] = first.setdefault((id(outputs[i]), loop.writes[i - count]), i)
    return sorted(i - count for i in first.values()), places


def _needed(
    loop: Loop, outputs: Sequence[Node], read: Sequence[int], made: Sequence[Node]
) -> tuple[list[int], list[int]]:
    """Positions of the state and of the stashes that what is read depends on, through any number of turns."""
    count, parameters = len(loop.state), loop.body.parameters
    asked = {id(n) for n in toposort(loop.condition.result)} if loop.condition else set()
    tested = loop.condition.parameters if loop.condition else []
    state = {*read, *(i for i, p in enumerate(tested) if id(p) in asked)}
    known = -1
    while known < len(state):
        known = len(state)
        reached = {id(n) for n in toposort(*(outputs[i] for i in sorted(state)), *made)}
        state |= {i for i in range(count) if id(parameters[i]) in reached}
    stashes = [j for j in range(len(loop.stashes)) if id(parameters[count + j]) in reached]
    return sorted(state), stashes or [0][: len(loop.stashes)]


def _over(condition: Graph, state: Sequence[int]) -> Graph:
    return Graph(condition.name, [condition.parameters[i] for i in state], condition.result, condition.location)
