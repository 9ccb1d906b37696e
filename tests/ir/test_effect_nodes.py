"""Effect tokens: the rules of graphs that have them, the order in which they are evaluated, and what passes keep."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.backends.reference.evaluate import evaluate
from mindspore.base import dtypes as dt
from mindspore.base.errors import InternalError
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.effects import Effect, Made, Output, completed
from mindspore.ir.graph import EMIT, TOKEN, Apply, Constant, Graph, Node, Parameter, nodes, schedule
from mindspore.ir.loops import Loop
from mindspore.ir.printer import to_text
from mindspore.ir.types import TensorType, TokenType
from mindspore.ir.verifier import verify
from mindspore.kernels.flatten import flatten
from mindspore.kernels.program import Emit, carries_out
from mindspore.passes import PIPELINE, simplify

F = TensorType(dt.float64, ())
b = GraphBuilder()


def start() -> Apply:
    return Apply(TOKEN, (), type=TokenType())


def emit(token: Node, *values: Node, name: str = "say", written: tuple[int, ...] = ()) -> Apply:
    action = Made(print, (name, *map(Output, range(len(values)))))
    return Apply(EMIT, (token, *values), MappingProxyType({"effect": Effect(action, written)}), TokenType())


def said(graph: Graph, *arguments: float) -> tuple[Any, list[Any]]:
    """The results of `graph`, and the effects that were carried out."""
    found: list[Any] = []
    result = evaluate(
        graph, list(map(np.float64, arguments)), carry_out=lambda e, v: found.append((e.action.args[0], *map(float, v)))
    )
    return result, found


def straight() -> Graph:
    x = Parameter("x", F)
    first = emit(start(), x, name="first")
    second = emit(first, b.mul(x, x), name="second")
    return Graph("straight", [x], b.tuple([b.sin(x), second]))


def test_tokens_verify_and_print() -> None:
    graph = straight()
    verify(graph)
    text = to_text(graph)
    assert "Token() : Token" in text
    assert "Emit(%0, %x)[effect=print('first', $0)] : Token" in text.replace("%1", "%0")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, t: [emit(t, x), emit(t, x)], "reads an effect token that is read already"),
        (lambda x, t: [emit(x, x)], "expected a token and tensors"),
        (lambda x, t: [emit(t, start())], "expected a token and tensors"),
        (lambda x, t: [Apply(TOKEN, (), type=F)], "expected a token"),
        (lambda x, t: [t, t], "reads an effect token that is read already"),
    ],
)
def test_broken_tokens_are_found(make: Any, message: str) -> None:
    x = Parameter("x", F)
    with pytest.raises(InternalError, match=message):
        verify(Graph("broken", [x], b.tuple(make(x, start()))))


def test_effects_are_evaluated_in_order_and_before_what_they_do_not_need() -> None:
    x = Parameter("x", F)
    slow = b.exp(x)
    check = emit(start(), b.neg(x))
    last = emit(check, slow)
    graph = Graph("order", [x], b.tuple([slow, last]))
    order = schedule(graph)
    assert order.index(check) < order.index(slow) < order.index(last)
    assert nodes(graph).index(slow) < nodes(graph).index(check)
    plain = Graph("plain", [x], b.tuple([slow]))
    assert schedule(plain) == nodes(plain)


def test_passes_keep_effects() -> None:
    graph = straight()
    for each in PIPELINE:
        each(graph)
        verify(graph)
    simplify(graph)
    assert said(graph, 3.0)[1] == [("first", 3.0), ("second", 9.0)]


def counted() -> Graph:
    """Emits the state of each turn of a loop, from 0 to below x."""
    x = Parameter("x", F)
    i, w, limit, t = Parameter("i", F), Parameter("w", F), Parameter("limit", F), Parameter("t", TokenType())
    step = b.add(i, b.exp(b.mul(w, 0.0)))
    body = Graph("body", [i, w, limit, t], b.tuple([step, b.mul(w, w), limit, emit(t, i, w)]))
    test = [Parameter(p.name, p.type) for p in body.parameters]
    condition = Graph("condition", test, b.less(test[0], test[2]))
    zero = Constant(np.zeros(()), F)
    loop = Loop(condition, body, [zero, x, b.mul(x, 1.0), start()]).node()
    return Graph("counted", [x], b.tuple([b.get(loop, 1), b.get(loop, 3)]))


def test_gradients_carry_effects_out_once() -> None:
    graph = counted()
    verify(graph)
    once = said(graph, 2.5)[1]
    assert [row[1] for row in once] == [0, 1, 2]
    for _ in range(2):
        graph = value_and_grad_graph(graph, [0], differentiated=[0])
        simplify(graph)
        verify(graph)
        result, found = said(graph, 2.5)
        assert found == once
    assert result[-1] == pytest.approx(8 * 2.5**7)


def test_flat_programs_have_their_effects_in_order() -> None:
    program = flatten(straight(), {})
    assert [step.site for step in program.steps if isinstance(step, Emit)] == [0, 1]
    assert [effect.action.args[0] for effect, _ in program.sites] == ["first", "second"]
    assert carries_out(program)
    assert not carries_out(flatten(Graph("pure", [x := Parameter("x", F)], b.sin(x)), {}))


def test_trees_are_completed() -> None:
    tree = (Output(1), [Made(max, (Output(0), 3))], {"k": Output(0)}, "text")
    assert completed(tree, [5, 7].__getitem__) == (7, [5], {"k": 5}, "text")
