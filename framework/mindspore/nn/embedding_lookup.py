"""Tables of vectors whose gradients name the rows that were taken."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, one_of, positive, positive_int
from mindspore.common.initializer import initializer
from mindspore.common.parameter import Parameter
from mindspore.nn.cell import Cell

__all__ = ["EmbeddingLookup"]


class EmbeddingLookup(Cell):
    """The rows of a trainable table that indices name; with `sparse` the table's gradient is a `RowTensor` of these rows.

    `LazyAdam`, ``Adam(use_lazy=True)``, `FTRL` and `ProximalAdagrad` change the named rows alone, so that a step costs what it takes from
    the table and not what the table holds. All other optimizers take the gradient as a whole tensor.

    Args:
        vocab_size: rows of the table.
        embedding_size: elements of a row.
        param_init: Tensor (vocab_size, embedding_size), initializer, its name or a number.
        target: "CPU" or "DEVICE": where the table lies; the same here.
        slice_mode: "batch_slice", how several devices share the table; there is one here.
        manual_shapes: None.
        max_norm: rows that are longer are shortened to this length before they are handed out; None leaves them.
        sparse: whether the gradient names rows; with the target "CPU" it must.
        dtype: element type of the table.

    Inputs:
        integers of any shape; the result has one more dimension, of `embedding_size`.

    Raises:
        TypeError: sizes that are not ints, `sparse` that is no bool, `max_norm` that is no number.
        ValueError: a target, slice mode or shapes that are not known, `sparse` that is False with the target "CPU", or sizes below 1.
        IndexError: an index that the table does not have; known when the rows are taken.

    Examples:
        >>> from mindspore import ParameterTuple, Tensor, nn, ops
        >>> net = nn.EmbeddingLookup(4, 2, param_init="ones")
        >>> (gradient,) = ops.GradOperation(get_by_list=True)(net, ParameterTuple(net.trainable_params()))(Tensor([2, 0]))
        >>> print(gradient.indices, gradient.dense_shape)
        [2 0] (4, 2)
    """

    def __init__(
        self,
        vocab_size: int,
        embedding_size: int,
        param_init: Any = "normal",
        target: str = "CPU",
        slice_mode: str = "batch_slice",
        manual_shapes: Any = None,
        max_norm: float | None = None,
        sparse: bool = True,
        dtype: DType = dt.float32,
    ) -> None:
        super().__init__()
        owner = "EmbeddingLookup"
        self.vocab_size = positive_int(owner, "vocab_size", vocab_size)
        self.embedding_size = positive_int(owner, "embedding_size", embedding_size)
        self.target = one_of(owner, "target", target, ("CPU", "DEVICE"))
        one_of(owner, "slice_mode", slice_mode, ("batch_slice",))
        one_of(owner, "manual_shapes", manual_shapes, (None,))
        self.sparse = boolean(owner, "sparse", sparse)
        if target == "CPU" and not sparse:
            raise ValueError("For 'EmbeddingLookup', 'sparse' must be True when 'target' is \"CPU\", but got False.")
        self.max_norm = None if max_norm is None else positive(owner, "max_norm", max_norm)
        self.embedding_table = Parameter(
            initializer(param_init, (vocab_size, embedding_size), dtype), name="embedding_table"
        )

    def construct(self, indices: Any) -> Any:
        table = self.embedding_table
        rows = ops.SparseGatherV2()(table, indices, 0) if self.sparse else ops.gather(table, indices, 0)
        if self.max_norm is None:
            return rows
        norms = ops.sqrt(ops.reduce_sum(ops.square(rows), -1, True))
        return rows * (self.max_norm / ops.maximum(norms, self.max_norm))

    def extend_repr(self) -> str:
        return f"vocab_size={self.vocab_size}, embedding_size={self.embedding_size}, sparse={self.sparse}"
