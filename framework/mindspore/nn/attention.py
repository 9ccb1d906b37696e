"""Multi-head attention."""

from __future__ import annotations

import math
from typing import Any

from mindspore import ops
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.common.checks import positive_int
from mindspore.common.initializer import XavierNormal, XavierUniform, initializer
from mindspore.common.parameter import Parameter
from mindspore.nn.basic import Dense
from mindspore.nn.cell import Cell
from mindspore.ops.attention import attention, masked, with_four_dimensions

__all__ = ["MultiheadAttention"]


class MultiheadAttention(Cell):
    """Attention of several heads with projections before and after (Vaswani et al. 2017, "Attention is all you need").

    Without weights to return the matrix of all scores is never in memory, in the gradient neither.

    Args:
        embed_dim: the width of queries and results.
        num_heads: how many heads share it.
        dropout: the probability with which a weight is 0 in training.
        has_bias: projections have biases.
        add_bias_kv: one more key and value that are trained.
        add_zero_attn: one more key and value of zeros.
        kdim, vdim: the widths of keys and values; None for `embed_dim`.
        batch_first: inputs are (N, length, width) instead of (length, N, width).
        dtype: the type of the Parameters.

    Inputs:
        - **query** (L, N, embed_dim), **key** (S, N, kdim), **value** (S, N, vdim); without N for a single sequence.
        - **key_padding_mask** (N, S) and **attn_mask** (L, S) or (N * num_heads, L, S): Bool, true leaves a key out, or floats that are
          added to scores.
        - **need_weights**: the attention weights are returned too; **average_attn_weights**: their mean over the heads.

    Outputs:
        A tuple: the result in the layout of `query`, and with `need_weights` the weights (N, L, S), or (N, num_heads, L, S).

    Raises:
        ValueError: `embed_dim` that `num_heads` does not divide, `dropout` out of range.

    Examples:
        >>> import numpy as np
        >>> from mindspore import Tensor, nn
        >>> x = Tensor(np.ones((10, 2, 8), np.float32))
        >>> out, weights = nn.MultiheadAttention(8, 2)(x, x, x)
        >>> out.shape, weights.shape
        ((10, 2, 8), (2, 10, 10))
    """

    def __init__(
        self, embed_dim: int, num_heads: int, dropout: float = 0.0, has_bias: bool = True, add_bias_kv: bool = False,
        add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
        dtype: DType = dt.float32,
    ) -> None:  # fmt: skip
        super().__init__()
        positive_int("MultiheadAttention", "embed_dim", embed_dim)
        positive_int("MultiheadAttention", "num_heads", num_heads)
        if embed_dim % num_heads:
            raise ValueError(
                f"For 'MultiheadAttention', the 'num_heads' must divide 'embed_dim', but got {num_heads} and {embed_dim}."
            )
        if not 0 <= dropout < 1:
            raise ValueError(f"For 'MultiheadAttention', the 'dropout' must be in [0, 1), but got {dropout}.")
        self.embed_dim, self.num_heads, self.head_dim = embed_dim, num_heads, embed_dim // num_heads
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self.dropout, self.batch_first, self.add_zero_attn, self.dtype = (
            float(dropout),
            batch_first,
            add_zero_attn,
            dtype,
        )
        self.same_width = self.kdim == embed_dim and self.vdim == embed_dim
        if self.same_width:
            self.in_proj_weight = self.made(XavierUniform(), (3 * embed_dim, embed_dim), "in_proj_weight")
        else:
            self.q_proj_weight = self.made(XavierUniform(), (embed_dim, embed_dim), "q_proj_weight")
            self.k_proj_weight = self.made(XavierUniform(), (embed_dim, self.kdim), "k_proj_weight")
            self.v_proj_weight = self.made(XavierUniform(), (embed_dim, self.vdim), "v_proj_weight")
        self.in_proj_bias: Any = self.made("zeros", (3 * embed_dim,), "in_proj_bias") if has_bias else None
        self.bias_k: Any = self.made(XavierNormal(), (1, 1, embed_dim), "bias_k") if add_bias_kv else None
        self.bias_v: Any = self.made(XavierNormal(), (1, 1, embed_dim), "bias_v") if add_bias_kv else None
        self.out_proj = Dense(embed_dim, embed_dim, has_bias=has_bias, bias_init="zeros", dtype=dtype)

    def made(self, init: Any, shape: tuple[int, ...], name: str) -> Parameter:
        """A Parameter with these first values."""
        return Parameter(initializer(init, shape, self.dtype), name=name)

    def projected(self, query: Any, key: Any, value: Any) -> Any:
        """Queries, keys and values after their projections, each (length, N, embed_dim)."""
        if self.same_width:
            weights = ops.split(self.in_proj_weight, self.embed_dim, 0)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases = (None, None, None) if self.in_proj_bias is None else ops.split(self.in_proj_bias, self.embed_dim, 0)
        return (
            ops.dense(query, weights[0], biases[0]), ops.dense(key, weights[1], biases[1]), ops.dense(value, weights[2], biases[2]),
        )  # fmt: skip

    def extended(self, x: Any, trained: Any) -> Any:
        """Keys or values with those that are always there."""
        parts = [x]
        if trained is not None:
            parts.append(ops.broadcast_to(trained, (1, x.shape[1], self.embed_dim)))
        if self.add_zero_attn:
            parts.append(ops.zeros((1, x.shape[1], self.embed_dim), x.dtype))
        return ops.concat(tuple(parts), 0) if len(parts) > 1 else x

    def in_heads(self, x: Any) -> Any:
        """(length, N, embed_dim) as (N, heads, length, depth)."""
        return x.reshape(x.shape[0], x.shape[1], self.num_heads, self.head_dim).transpose(1, 2, 0, 3)

    def biases(self, key_padding_mask: Any, attn_mask: Any, dtype: Any, more: int) -> Any:
        """What the masks add to the scores; `more` keys at the end are always seen."""
        bias = None
        if attn_mask is not None:
            found = masked(attn_mask, dtype)
            if found.ndim == 3:
                found = found.reshape(found.shape[0] // self.num_heads, self.num_heads, *found.shape[1:])
            bias = with_four_dimensions(found)
        if key_padding_mask is not None:
            left_out = masked(key_padding_mask, dtype)
            left_out = left_out.reshape(left_out.shape[0], 1, 1, left_out.shape[1])
            bias = left_out if bias is None else bias + left_out
        return ops.pad(bias, (0, more)) if bias is not None and more else bias

    def construct(
        self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True, attn_mask: Any = None,
        average_attn_weights: bool = True,
    ) -> Any:  # fmt: skip
        single = query.ndim == 2
        place = 0 if self.batch_first and not single else 1
        if single:
            query, key, value = query.unsqueeze(1), key.unsqueeze(1), value.unsqueeze(1)
            key_padding_mask = None if key_padding_mask is None else key_padding_mask.unsqueeze(0)
        elif self.batch_first:
            query, key, value = query.swapaxes(0, 1), key.swapaxes(0, 1), value.swapaxes(0, 1)
        length = key.shape[0]
        q, k, v = self.projected(query, key, value)
        k, v = self.in_heads(self.extended(k, self.bias_k)), self.in_heads(self.extended(v, self.bias_v))
        q = self.in_heads(q)
        bias = self.biases(key_padding_mask, attn_mask, q.dtype, k.shape[2] - length)
        drop = self.dropout if self.training else 0.0
        scale = 1.0 / math.sqrt(self.head_dim)
        weights: Any = None
        if need_weights:
            scores = ops.matmul(q * scale, k.swapaxes(2, 3))
            weights = ops.dropout(ops.softmax(scores if bias is None else scores + bias), drop)
            found = ops.matmul(weights, v)
        else:
            found = attention(q, k, v, bias, scale, None, drop)
        found = found.transpose(2, 0, 1, 3).reshape(q.shape[2], q.shape[0], self.embed_dim)
        result = self.out_proj(found)
        result = result.squeeze(1) if single else result.swapaxes(0, 1) if place == 0 else result
        if not need_weights:
            return (result,)
        weights = weights.mean(1) if average_attn_weights else weights
        return result, weights.squeeze(0) if single else weights
