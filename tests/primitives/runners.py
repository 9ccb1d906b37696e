"""Runs operators in every way there is: native dispatch of ahead-of-time kernels (eager mode), a compiled graph, the reference back end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.backends.reference.numpy_builder import type_of
from mindspore.ir.builder import GraphBuilder
from mindspore.ir.graph import Graph, Node, Parameter
from mindspore.ir.operator import Operator
from mindspore.ir.types import TupleType

Call = tuple[Operator, Sequence[Any], Mapping[str, Any]]
"""Operator, numpy operands of one type each, complete attributes."""


def tensors(arrays: Sequence[Any]) -> list[Any]:
    from mindspore._native import TensorBase

    return [TensorBase.from_numpy(a, True) for a in arrays]


def eager(calls: Sequence[Call]) -> list[tuple[Any, ...]]:
    """Each call through native dispatch, by its own plan of kernels."""
    from mindspore.common.eager import eager_op, is_variadic
    from mindspore.common.tensor import Tensor

    results = []
    for op, operands, attrs in calls:
        given = [Tensor(t) for t in tensors(operands)]
        out = eager_op(op)(*([tuple(given)] if is_variadic(op) else given), **attrs)
        results.append(tuple(t.asnumpy() for t in (out if isinstance(out, tuple) else (out,))))
    return results


def graph(calls: Sequence[Call], backend: str = "cpu") -> list[tuple[Any, ...]]:
    """All calls as one compiled graph."""
    from mindspore import backends
    from mindspore.passes.expand import expand_composites

    b, parameters, outputs, counts = GraphBuilder(), [], [], []
    for op, operands, attrs in calls:
        own = [Parameter(f"x{i}", type_of(o)) for i, o in enumerate(operands)]
        parts = _parts(b, b.apply(op, own, attrs))
        parameters += own
        outputs += parts
        counts.append(len(parts))
    typed = Graph("sweep", parameters, b.tuple(outputs))
    expand_composites(typed)
    run = backends.find(backend).compile(typed, arguments=len(parameters), bound=[], updates={})
    flat = iter(run(*tensors([o for _, operands, _ in calls for o in operands])))
    return [tuple(next(flat).asnumpy() for _ in range(count)) for count in counts]


def reference_backend(calls: Sequence[Call]) -> list[tuple[Any, ...]]:
    """The reference back end behind the same interface."""
    return graph(calls, "reference")


def _parts(b: GraphBuilder, node: Node) -> list[Node]:
    if isinstance(node.type, TupleType):
        return [b.get(node, i) for i in range(len(node.type.elements))]
    return [node]


RUNNERS: Mapping[str, Callable[[Sequence[Call]], list[tuple[Any, ...]]]] = {
    "eager": eager,
    "graph": graph,
    "reference": reference_backend,
}
