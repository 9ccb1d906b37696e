"""vmap as a property: the batched graph of an operator gives what the operator gives for each row, and so do its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from mindspore.autodiff.batching import vmap_graph
from mindspore.autodiff.reverse import value_and_grad_graph
from mindspore.backends.reference.evaluate import evaluate
from mindspore.backends.reference.numpy_builder import type_of
from mindspore.base import dtypes as dt
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Apply, Graph, Node, Parameter, nodes, subgraphs
from mindspore.ir.operator import NotDifferentiable, Operator
from mindspore.ir.types import TensorType, TupleType
from mindspore.ir.verifier import verify
from mindspore.primitives.compute import Update
from mindspore.primitives.samples import Case
from tests.primitives.drawing import OPERATORS, generator, inputs_of

SIZE = 3
WITH_INPUTS = [op for op in OPERATORS if op.inputs]
TWICE = [
    op
    for op in WITH_INPUTS
    if not isinstance(op.gradient, NotDifferentiable)
    and op.samples.second
    and dt.float64 in (op.dtypes or (dt.float64,))
]


def dtype_of(op: Operator) -> Any:
    if op.samples.domain(0).dtype is not None:
        return dt.float64
    return dt.float64 if dt.float64 in op.dtypes else op.dtypes[0] if op.dtypes else dt.float32


def patterns(count: int) -> list[tuple[bool, ...]]:
    """Which inputs have rows: all of them, and every other choice that is not too many."""
    every = [p for p in product((True, False), repeat=count) if any(p)]
    return every if count <= 3 else [every[0], every[1], every[-1]]


def drawn(op: Operator, case: Case, rows: Sequence[bool], size: int) -> tuple[list[Any], list[list[Any]]]:
    """Inputs with rows in front, and the inputs of each row."""
    dtype = dtype_of(op)
    shared = inputs_of(op, case, dtype)
    kinds = [a.dtype for a in shared]
    each = [inputs_of(op, case, dtype, row) for row in range(size)]
    given = [
        np.stack([e[i] for e in each]) if r and size else np.zeros((0, *s.shape), k) if r else s
        for i, (r, s, k) in enumerate(zip(rows, shared, kinds, strict=True))
    ]
    return given, [[g[row] if r else g for g, r in zip(given, rows, strict=True)] for row in range(size)]


def single(op: Operator, operands: Sequence[Any], attrs: Any) -> Graph:
    b = GraphBuilder()
    parameters = [Parameter(f"x{i}", type_of(o)) for i, o in enumerate(operands)]
    result = b.call(op, *parameters, **attrs)
    count = len(result.type.elements) if isinstance(result.type, TupleType) else 0
    return Graph(op.name, parameters, b.tuple([b.get(result, i) for i in range(count)] if count else [result]))


def stacked(graph: Graph, each: Sequence[Sequence[Any]]) -> list[Any]:
    results = [evaluate(graph, inputs) for inputs in each]
    return [np.stack(parts) for parts in zip(*results, strict=True)]


def agree(got: Any, want: Any, what: str) -> None:
    assert got.shape == want.shape, what
    assert got.dtype == want.dtype, what
    np.testing.assert_allclose(got, want, rtol=1e-9 if got.dtype == np.float64 else 1e-5, atol=1e-12, err_msg=what)


@pytest.mark.parametrize("op", WITH_INPUTS, ids=lambda op: op.name)
def test_rows_of_an_operator(op: Operator) -> None:
    for case in op.samples.cases:
        for rows in patterns(len(case.shapes)):
            given, each = drawn(op, case, rows, SIZE)
            graph = single(op, each[0], case.attrs)
            batched, has_rows = vmap_graph(graph, rows, SIZE)
            verify(batched)
            for got, want, whole in zip(evaluate(batched, given), stacked(graph, each), has_rows, strict=True):
                agree(got if whole else np.stack([got] * SIZE), want, f"{op.name} {case} {rows}")


@pytest.mark.parametrize("op", WITH_INPUTS, ids=lambda op: op.name)
def test_no_rows_at_all(op: Operator) -> None:
    case = op.samples.cases[0]
    rows = (True,) * len(case.shapes)
    given, _ = drawn(op, case, rows, 0)
    graph = single(op, inputs_of(op, case, dtype_of(op)), case.attrs)
    batched, has_rows = vmap_graph(graph, rows, 0)
    verify(batched)
    assert all(has_rows)
    for got, kind in zip(evaluate(batched, given), graph.outputs(), strict=True):
        assert isinstance(kind.type, TensorType)
        assert got.shape == (0, *kind.type.shape)


def second_gradients(graph: Graph, weights: Sequence[Any], wrt: Sequence[int]) -> Graph:
    """The gradients, behind other results, of the sum of the gradients of the weighted sum of the results."""
    b = GraphBuilder()
    pairs = [(r, w) for r, w in zip(graph.outputs(), weights, strict=True) if kind_of(r).dtype.kind == "f"]
    sums = [b.reduce_sum(b.mul(r, b.const(w, kind_of(r).dtype))) for r, w in pairs]
    first = value_and_grad_graph(Graph("summed", graph.parameters, b.add_n(*sums)), wrt)
    return value_and_grad_graph(first, wrt, differentiated=range(1, 1 + len(wrt)))


def kind_of(node: Node) -> TensorType:
    assert isinstance(node.type, TensorType)
    return node.type


@pytest.mark.parametrize("op", TWICE, ids=lambda op: op.name)
def test_second_gradients_of_rows(op: Operator) -> None:
    """Of the sum over the rows: gradients of what is one for all rows are the sum of those of each."""
    cases = [c for c in op.samples.cases if not any(0 in s for s in c.shapes)]
    case = cases[len(cases) // 2]
    attrs = {**case.attrs, "dtype": dt.float64} if op.name == "Cast" else case.attrs
    wrt = [i for i, o in enumerate(inputs_of(op, case, dt.float64)) if o.dtype == np.float64]
    wrt = [i for i in wrt if op.samples.wrt is None or i in op.samples.wrt]
    for rows in patterns(len(case.shapes)):
        given, each = drawn(op, case, rows, SIZE)
        graph = single(op, each[0], attrs)
        weights = [generator(op, i).uniform(0.5, 1.5, kind_of(o).shape) for i, o in enumerate(graph.outputs())]
        batched, has_rows = vmap_graph(graph, rows, SIZE)
        # A result that is one for all rows counts once for each.
        counted = [w if whole else w * SIZE for w, whole in zip(weights, has_rows, strict=True)]
        results = [evaluate(second_gradients(graph, weights, wrt), inputs)[-len(wrt) :] for inputs in each]
        found = evaluate(second_gradients(batched, counted, wrt), given)[-len(wrt) :]
        for k, (position, got) in enumerate(zip(wrt, found, strict=True)):
            parts = [r[k] for r in results]
            agree(got, np.stack(parts) if rows[position] else np.sum(parts, axis=0), f"{op.name} {case} {rows}")


def test_no_operator_is_computed_row_by_row_without_a_reason() -> None:
    """The general way works for everything, and costs a copy of the operator for each row: the declarations say who takes it."""
    slow = set()
    for op in WITH_INPUTS:
        case = op.samples.cases[0]
        operands = inputs_of(op, case, dtype_of(op))
        batched, _ = vmap_graph(single(op, operands, case.attrs), (True,) * len(operands), 7)
        for graph in subgraphs(batched):
            found = [n for n in nodes(graph) if isinstance(n, Apply) and getattr(n.op, "name", "") == op.name]
            if len(found) >= 7:
                slow.add(op.name)
    assert slow <= ROW_BY_ROW


STEPS = {op.name for op in OPERATORS if isinstance(op.compute, Update)}
ROW_BY_ROW = {*STEPS, "PlaneConvolution", "PlaneFilter", "StridedProducts"}
"""Steps of optimizers, and what convolutions become after rows and gradients are told."""
