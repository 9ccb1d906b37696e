"""Tables of vectors."""

from __future__ import annotations

from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import boolean, positive_int
from mindspore.common.initializer import initializer
from mindspore.common.parameter import Parameter
from mindspore.common.tensor import Tensor
from mindspore.nn.cell import Cell

__all__ = ["Embedding"]


class Embedding(Cell):
    """The rows of a trainable table that indices name.

    Args:
        vocab_size: rows of the table.
        embedding_size: elements of a row.
        use_one_hot: the rows are taken by a matrix product instead; an index without a row then gives zeros.
        embedding_table: Tensor (vocab_size, embedding_size), initializer, its name or a number.
        dtype: element type of the table.
        padding_idx: a row that begins as zeros and gets no gradient.

    Inputs:
        integers of any shape; the result has one more dimension, of `embedding_size`.

    Raises:
        TypeError: sizes that are not ints, `use_one_hot` that is no bool.
        ValueError: `padding_idx` is no row of the table, or an initial Tensor of another shape.
        IndexError: an index that the table does not have; known when the rows are taken.

    Examples:
        >>> import mindspore.nn as nn
        >>> from mindspore import Tensor
        >>> print(nn.Embedding(3, 2, embedding_table=Tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]))(Tensor([2, 0])))
        [[5. 6.]
         [1. 2.]]
    """

    def __init__(
        self, vocab_size: int, embedding_size: int, use_one_hot: bool = False, embedding_table: Any = "normal",
        dtype: DType = dt.float32, padding_idx: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.vocab_size = positive_int("Embedding", "vocab_size", vocab_size)
        self.embedding_size = positive_int("Embedding", "embedding_size", embedding_size)
        self.use_one_hot = boolean("Embedding", "use_one_hot", use_one_hot)
        self.dtype = dtype
        if padding_idx is not None and not 0 <= padding_idx < vocab_size:
            raise ValueError(f"For 'Embedding', 'padding_idx' must be in [0, {vocab_size}), but got {padding_idx}.")
        self.padding_idx = padding_idx
        shape = (vocab_size, embedding_size)
        if isinstance(embedding_table, Tensor) and embedding_table.shape != shape:
            raise ValueError(
                f"For 'Embedding', 'embedding_table' must have the shape {shape}, but got {embedding_table.shape}."
            )
        table = initializer(embedding_table, shape, dtype)
        if padding_idx is not None:
            table = table.copy()
            table[padding_idx] = 0
        self.embedding_table = Parameter(table, name="embedding_table")

    def construct(self, ids: Any) -> Any:
        if self.use_one_hot:
            chosen = ops.one_hot(ops.cast(ids, dt.int32), self.vocab_size, Tensor(1, self.dtype), Tensor(0, self.dtype))
            return ops.matmul(chosen, self.embedding_table)
        return ops.embedding(ids, self.embedding_table, self.padding_idx)

    def extend_repr(self) -> str:
        return (
            f"vocab_size={self.vocab_size}, embedding_size={self.embedding_size}, use_one_hot={self.use_one_hot}, "
            f"embedding_table={self.embedding_table}, dtype={self.dtype}, padding_idx={self.padding_idx}"
        )
