"""Loops as nodes: both operations as one record, their text, and what the verifier says about wrong ones."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import EMPTY_STASH, SCAN, WHILE, Apply, Graph, Parameter
from mindspore.ir.loops import BACKWARD, FORWARD, Loop, function, loop_of
from mindspore.ir.printer import to_text
from mindspore.ir.types import StashType, TensorType, TupleType
from mindspore.ir.verifier import verify
from tests.graphs import build

X = TensorType(dt.float32, (2,))
STASH = StashType(X)


def going() -> Graph:
    return build(lambda b, x: b.less(b.reduce_sum(x), 10.0), X, name="going")


def turn(*more: Any) -> Graph:
    return build(lambda b, x, *e: (b.mul(x, 2.0), *(x for _ in more)), X, name="turn")


def reading() -> Graph:
    return build(lambda b, x, e: (b.add(x, e), x), X, X, name="reading")


def test_a_loop_and_its_node_tell_the_same() -> None:
    x, s = Parameter("x", X), Parameter("s", STASH)
    made = loop_of(Loop(going(), turn(1), (x,)).node())
    assert (made.state, made.stashes, made.reads, made.writes) == ([x], (), (), (FORWARD,))
    read = loop_of(Loop(None, reading(), (x,), (s,), (BACKWARD,), (FORWARD,)).node())
    assert (read.condition, read.state, read.stashes) == (None, [x], [s])
    assert (read.reads, read.writes) == ((BACKWARD,), (FORWARD,))


def test_a_loop_prints_its_stashes() -> None:
    x = Parameter("x", X)
    made = Loop(going(), turn(1), (x,)).node()
    b = GraphBuilder()
    read = Loop(None, reading(), (x,), (b.get(made, 1),), (BACKWARD,), (FORWARD,)).node()
    graph = Graph("f", [x], b.get(read, 0))
    verify(graph)
    text = to_text(graph)
    assert "%0 = While(@going, @turn, %x) : (Float32[2], Stash[Float32[2]])" in text
    assert "Scan(@reading, %x, %1)[reads=(-1,), writes=(1,)] : (Float32[2], Stash[Float32[2]])" in text


def while_node(kind: TupleType, *functions: Graph) -> Apply:
    return Apply(WHILE, [*map(function, functions), Parameter("x", X)], type=kind)


def scan_node(kind: TupleType, reads: tuple[int, ...], writes: tuple[int, ...], *state: Parameter) -> Apply:
    attrs = MappingProxyType({"reads": reads, "writes": writes})
    return Apply(SCAN, [function(reading()), *state], attrs, kind)


x, s = Parameter("x", X), Parameter("s", STASH)
WRONG = {
    "no graph": (Apply(WHILE, [x, x, x], type=TupleType((X,))), "needs constant graphs as functions"),
    "state that changes its type": (while_node(TupleType((STASH,)), going(), turn()), "gives .* for the state"),
    "a result that is no stash": (while_node(TupleType((X, X)), going(), turn(1)), "gives .* for the state"),
    "a body of another type": (while_node(TupleType((X, STASH)), going(), turn()), "runs turn: .*, expects"),
    "a condition that is no boolean": (
        while_node(TupleType((X,)), turn(), turn()),
        "runs turn: .*, expects .* -> Bool",
    ),
    "no stash to read": (scan_node(TupleType((X, STASH)), (), (1,), x), "reads .* as stashes"),
    "a tensor read as a stash": (scan_node(TupleType((X, STASH)), (1,), (1,), x, x), "reads .* as stashes"),
    "a direction too many": (scan_node(TupleType((X, STASH)), (1,), (1, 1), x, s), "makes 1 stashes in 2 directions"),
    "an empty tensor": (Apply(EMPTY_STASH, [], type=X), "has type .*, expected a stash"),
}


@pytest.mark.parametrize("name", WRONG)
def test_the_verifier_refuses(name: str) -> None:
    node, problem = WRONG[name]
    parameters = [i for i in node.inputs if isinstance(i, Parameter)]
    with pytest.raises(InternalError, match=f"(?s){problem}"):
        verify(Graph("wrong", list(dict.fromkeys(parameters)), node))
