"""Gradients of Parameters whose rows were taken, while eager code is differentiated: the rows are kept instead of being added to zeros."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

from mindspore.base import dtypes as dt
from mindspore.base.protocols import GRADIENT_HOOKS
from mindspore.common.eager import function
from mindspore.common.row_tensor import RowTensor

_take = function("SparseGatherV2").__operator__
_scatter_rows = function("ScatterRows")
_reshape = function("reshape")
_concat = function("concat")
_add = function("add")
_cast = function("cast")


class Tables:
    """What `weights` get from operators that take their rows; those with hooks, which see whole gradients, are left out."""

    def __init__(self, weights: Sequence[Any]) -> None:
        self.rows: dict[int, list[tuple[Any, Any]]] = {
            id(w): [] for w in weights if getattr(w, GRADIENT_HOOKS, None) is None
        }

    def take(self, step: Any, given: Sequence[Any]) -> bool:
        """Keeps the cotangent of `step` when it takes rows of one of the weights; says whether it did."""
        rule = step.rule
        if getattr(rule, "op", None) is not _take or rule.attrs["axis"] != 0:
            return False
        table, indices = step.operands
        if id(table) not in self.rows:
            return False
        count = prod(indices.shape)
        rows = _reshape(indices, (count,)), _reshape(given[0], (count, *table.shape[1:]))
        self.rows[id(table)].append(rows)
        return True

    def together(self, weight: Any, gradient: Any) -> Any:
        """The gradient of `weight`: `gradient`, if there is one, and the rows that were kept for it."""
        kept = self.rows.get(id(weight))
        if not kept:
            return gradient
        indices, values = kept[0] if len(kept) == 1 else (_joined(parts) for parts in zip(*kept, strict=True))
        shape = tuple(weight.shape)
        return (
            RowTensor(indices, values, shape)
            if gradient is None
            else _add(gradient, _scatter_rows(values, indices, shape))
        )


def _joined(parts: Sequence[Any]) -> Any:
    same = all(p.dtype is parts[0].dtype for p in parts)
    return _concat(parts if same else [_cast(p, dt.int64) for p in parts], 0)
