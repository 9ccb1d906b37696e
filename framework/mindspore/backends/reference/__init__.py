"""The back end that runs a graph with numpy: slow, obvious, and what the others are compared with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mindspore.backends.reference.evaluate import evaluate
from mindspore.ir.graph import Graph


def compile(
    graph: Graph, *, arguments: int, bound: Sequence[Any], updates: Mapping[int, int]
) -> Callable[..., tuple[Any, ...]]:
    """A callable over native tensors that evaluates `graph`.

    Args:
        graph: closed and typed; its parameters are `arguments` tensors of the call, then `bound`.
        arguments: number of tensors that each call gives.
        bound: tensors that belong to the graph, read at each call.
        updates: position of an output -> position of the parameter that it is written back to; such outputs are not returned.
    """

    from mindspore._native import get_max_call_depth

    def run(*tensors: Any) -> tuple[Any, ...]:
        if len(tensors) != arguments:
            raise TypeError(f"graph {graph.name} takes {arguments} tensors, got {len(tensors)}")
        arrays = [t.asnumpy() for t in (*tensors, *bound)]
        depth = get_max_call_depth()
        result = evaluate(
            graph, arrays, max_call_depth=depth, carry_out=lambda e, values: e.carry_out([*map(_tensor, values)], bound)
        )
        outputs = [_tensor(v) for v in (result if isinstance(result, tuple) else (result,)) if v is not None]
        for output, parameter in updates.items():
            bound[parameter - arguments].assign_from(outputs[output])
        return tuple(o for i, o in enumerate(outputs) if i not in updates)

    return run


def _tensor(array: Any) -> Any:
    from mindspore._native import TensorBase

    return TensorBase.from_numpy(array, copy=True)
