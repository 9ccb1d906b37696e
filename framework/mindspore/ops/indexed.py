"""Classes of ``ops.operations`` that choose or write elements, and are more than one operator with its arguments in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mindspore.common import choosing, matrices, measures
from mindspore.ops import updates
from mindspore.ops.function_objects import REQUIRED, composed

_LOCKED = (("use_locking", None),)


def _without_lock(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(input_x: Any, indices: Any, values: Any, use_locking: Any = None) -> Any:
        return function(input_x, indices, values)

    return call


def _top(x: Any, k: int, sorted: bool = False) -> Any:
    return measures.topk(x, k)


def _index_fill(x: Any, dim: int, index: Any, value: Any) -> Any:
    return choosing.index_fill(x, dim, index, value)


def _index_add(
    x: Any, indices: Any, y: Any, axis: int = 0, use_lock: bool = True, check_index_bound: bool = True
) -> Any:
    return updates.index_add(x, indices, y, axis)


def _meshgrid(inputs: Any, indexing: str = "xy") -> Any:
    return matrices.meshgrid(inputs, indexing=indexing)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


CLASSES = (
    composed("GatherD", choosing.gather_elements),
    composed("IndexAdd", _index_add, (("axis", REQUIRED), ("use_lock", True), ("check_index_bound", True)), updates.index_add.__doc__),
    composed("IndexFill", _index_fill, (), choosing.index_fill.__doc__),
    composed("MaskedSelect", choosing.masked_select),
    composed("Meshgrid", _meshgrid, (("indexing", "xy"),), matrices.meshgrid.__doc__),
    composed("NonZero", choosing.nonzero),
    composed("Range", updates.range, (("maxlen", 1000000),)),
    composed("Roll", choosing.roll, (("shifts", REQUIRED), ("dims", None))),
    composed("Slice", updates.slice),
    composed(
        "StridedSlice", updates.strided_slice,
        (("begin_mask", 0), ("end_mask", 0), ("ellipsis_mask", 0), ("new_axis_mask", 0), ("shrink_axis_mask", 0)),
    ),
    composed("TopK", _top, (("sorted", True),), measures.topk.__doc__),
    composed("Tril", matrices.tril, (("diagonal", 0),)),
    composed("Triu", matrices.triu, (("diagonal", 0),)),
    *(composed(_camel(name), _without_lock(made), _LOCKED, made.__doc__) for name, made in updates.FUNCTIONS.items()),
)  # fmt: skip
