"""Plans of the kernel generator made native: kernel names become addresses, types become codes.

The generator is imported when the first plan is made, so that importing the package stays quick.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mindspore import _native
from mindspore.base.shapes import size
from mindspore.ir.graph import Graph
from mindspore.ir.operator import Operator
from mindspore.ir.types import TensorType

Numbers = Sequence[tuple[int, int]]


def planned(op: Operator, types: Sequence[TensorType], attrs: Mapping[str, Any], numbers: Numbers) -> Any:
    """The native plan of one operator; `numbers` are operands that are Python numbers, with the codes of their types.

    None when the result would share the memory of a number.
    """
    from mindspore.kernels.plans import plan

    spec = plan(op, types, attrs)
    shared = {buffer for _, buffer in spec.aliases}
    return None if any(i in shared for i, _ in numbers) else native_plan(spec, numbers)


def planned_graph(graph: Graph, numbers: Numbers) -> Any:
    """The native plan of a typed graph; its results always come as a tuple."""
    from mindspore.kernels.plans import plan_graph

    return native_plan(plan_graph(graph), numbers, single=False)


def native_plan(spec: Any, numbers: Numbers = (), single: bool | None = None) -> Any:
    """A `_native.Plan` for a `kernels.plans.PlanSpec`; a single output comes without a tuple unless `single` is False."""
    for output in spec.outputs:
        if size(output.shape) > sys.maxsize:
            raise MemoryError(f"a tensor of shape {output.shape} does not fit in memory")
    constants = [_native.TensorBase.from_numpy(c, True) for c in spec.constants]
    return _native.Plan(
        spec.operands,
        [(o.dtype.code, o.shape) for o in spec.outputs],
        list(spec.temporaries),
        constants,
        list(numbers),
        [(_address(s.kernel), list(s.buffers), list(s.params)) for s in spec.steps],
        list(spec.aliases),
        len(spec.outputs) == 1 if single is None else single,
        constants,
    )


def _address(kernel: str) -> int:
    found: int = _native.kernel_address(kernel)
    if found:
        return found
    from mindspore.backends.cpu import resolve_kernel

    return int(resolve_kernel(kernel))
