"""Which kernels are built ahead of time: those that the plans of every declared operator ask for, on its samples and element types.

There is no list to keep: a new operator's kernels come from its declaration. Kernels of other attributes (a constant inside a body) or of
combinations the samples do not show are compiled on first use.
"""

from __future__ import annotations

from collections.abc import Iterator

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.operator import Operator, all_operators
from mindspore.ir.types import TensorType
from mindspore.kernels import catalog, move
from mindspore.kernels.catalog import KernelSpec
from mindspore.kernels.plans import plan
from mindspore.primitives.samples import Case

COMMON = (dt.bool_, dt.int8, dt.int32, dt.int64, dt.uint8, dt.float16, dt.float32, dt.float64, dt.bfloat16)
"""Element types with a full set of kernels; the others have casts, copies, comparisons and plain arithmetic."""
_PLAIN = ("add", "sub", "mul", "neg", "abs", "maximum", "minimum", "equal", "not_equal", "less", "less_equal", "greater",
          "greater_equal", "select", "cast", "reduce_sum", "reduce_max", "reduce_min")  # fmt: skip


def kernels() -> list[KernelSpec]:
    """Every kernel of the table, by name."""
    names: set[str] = set()
    for op in all_operators():
        for types, case in trials(op):
            names.update(_names(op, types, case))
    for itemsize in move.SIZES:
        names.update(catalog.define(make(itemsize)) for make in (move.copy_spec, move.transpose_spec, move.fill_spec))
    return [catalog.find(name) for name in sorted(names)]


def trials(op: Operator) -> Iterator[tuple[tuple[DType, ...], Case]]:
    """Element types and a case for each plan that the table covers."""
    if op.samples is None:
        return
    for dtype in op.dtypes or (dt.float32,):
        if dtype not in COMMON and op.function not in _PLAIN:
            continue
        for case in op.samples.cases:
            yield tuple(op.samples.domain(i).dtype or dtype for i in range(len(case.shapes))), case


def _names(op: Operator, types: tuple[DType, ...], case: Case) -> list[str]:
    operands = [TensorType(t, s) for t, s in zip(types, case.shapes, strict=True)]
    try:
        spec = plan(op, operands, case.attrs)
    except (TypeError, ValueError):
        # the sweep of element types goes over the first input only: the others may not fit this type
        return []
    return [s.kernel for s in spec.steps]
