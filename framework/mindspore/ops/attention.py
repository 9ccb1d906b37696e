"""Attention in both modes, without a matrix of all scores. Graph mode compiles this source."""

from __future__ import annotations

from typing import Any

from mindspore.base import dtypes as dt
from mindspore.common import functions as f
from mindspore.common.eager import function
from mindspore.ops.random import next_draw

__all__ = ["attention", "flash_attention_score"]

_add = function("add")
_cast = function("cast")
_flash_attention = function("flash_attention")
_full = function("full")
_reshape = function("reshape")
_select = function("select")

_LAYOUTS = ("BSH", "BNSD", "SBH", "BSND")
_NEVER = float("-inf")


def attention(query: Any, key: Any, value: Any, bias: Any, scale: float, reach: Any = None, drop: float = 0.0) -> Any:
    """Softmax of ``scale * query @ key.T + bias`` times `value`, block by block.

    Args:
        query, key, value: (N, heads, queries, depth), (N, heads, keys, depth), (N, heads, keys, any).
        bias: what broadcasts to (N, heads, queries, keys), of four dimensions; None for nothing.
        scale: a number.
        reach: query i sees the keys up to ``i + reach``; None: all.
        drop: the probability with which a weight is 0; the others are divided by what is left.
    """
    seed, draws = next_draw() if drop else (_full((), 0, dt.int64), _full((), 0, dt.int64))
    given = _full((1, 1, 1, 1), 0, query.dtype) if bias is None else bias
    return _flash_attention(query, key, value, given, seed, draws, scale, reach, 1.0 - drop)[0]


def masked(mask: Any, dtype: Any) -> Any:
    """What to add to scores: minus infinity where a Bool mask is true; other masks are added as they are."""
    if mask.dtype is dt.bool_ or mask.dtype is dt.uint8:
        return _select(_cast(mask, dt.bool_), _full((), _NEVER, dtype), _full((), 0, dtype))
    return _cast(mask, dtype)


def with_four_dimensions(mask: Any) -> Any:
    """A mask (queries, keys) or (N, queries, keys) with the dimensions of heads and N that are missing."""
    if mask.ndim == 2:
        return _reshape(mask, (1, 1, *mask.shape))
    return _reshape(mask, (mask.shape[0], 1, *mask.shape[1:])) if mask.ndim == 3 else mask


def flash_attention_score(
    query: Any, key: Any, value: Any, head_num: int, real_shift: Any = None, drop_mask: Any = None, padding_mask: Any = None,
    attn_mask: Any = None, prefix: Any = None, actual_seq_qlen: Any = None, actual_seq_kvlen: Any = None, keep_prob: float = 1.0,
    scalar_value: float = 1.0, pre_tokens: int = 2147483647, next_tokens: int = 2147483647, inner_precise: int = 0,
    input_layout: str = "BSH", sparse_mode: int = 0,
) -> Any:  # fmt: skip
    """Attention of training: ``dropout(softmax(scalar_value * query @ key.T + real_shift, masked)) @ value``, in the layout of `query`.

    The matrix of all scores is never in memory, in the gradient neither. Element types: float16, bfloat16, float32 and float64.

    Args:
        query: (B, S1, H1), (B, N1, S1, D), (S1, B, H1) or (B, S1, N1, D), as `input_layout` says; H1 is N1 * D.
        key, value: the same with S2 keys and N2 heads, a divisor of N1: query heads share them in groups.
        head_num: N1.
        real_shift: (B or 1, N1, S1, S2), added to the scores.
        attn_mask: bool or uint8 (S1, S2), (B, 1, S1, S2) or (B, N1, S1, S2): true drops a score. With `sparse_mode` 2 and 3 it is not read.
        keep_prob: weights are kept with this probability and divided by it.
        scalar_value: the factor of the scores.
        next_tokens: query i sees keys up to ``i + next_tokens``, with `sparse_mode` 0 and 4.
        inner_precise: accepted; sums are float32 or wider.
        input_layout: "BSH", "BNSD", "SBH" or "BSND".
        sparse_mode: 0: as `attn_mask` says; 1: `attn_mask` alone; 2: query i sees keys up to i; 3: the last query sees the last key.

    Raises:
        ValueError: an unknown layout or mode, heads that do not divide, or an argument that only matters on other devices.

    Examples:
        >>> from mindspore import Tensor, ops
        >>> x = Tensor([[[1.0, 0.0], [0.0, 1.0]]])
        >>> print(ops.flash_attention_score(x, x, x, 1, sparse_mode=2))
        [[[1.         0.        ]
          [0.26894143 0.73105854]]]
    """
    unread = {
        "drop_mask": drop_mask,
        "padding_mask": padding_mask,
        "prefix": prefix,
        "actual_seq_qlen": actual_seq_qlen,
    }
    _check({**unread, "actual_seq_kvlen": actual_seq_kvlen}, input_layout, sparse_mode, pre_tokens)
    rank = 4 if "N" in input_layout else 3
    if any(x.ndim != rank for x in (query, key, value)):
        raise ValueError(
            f"For 'flash_attention_score', the inputs must have {rank} dimensions with layout {input_layout!r}, but got shapes "
            f"{query.shape}, {key.shape} and {value.shape}."
        )
    q = _heads(query, head_num, input_layout)
    shared = q.shape[3]
    k, v = (_repeated(_heads(x, -1, input_layout, shared), head_num) for x in (key, value))
    bias = None
    if attn_mask is not None and sparse_mode < 2:
        bias = masked(with_four_dimensions(attn_mask), query.dtype)
    if real_shift is not None:
        bias = real_shift if bias is None else _add(real_shift, bias)
    reach = None
    if sparse_mode == 2:
        reach = 0
    elif sparse_mode == 3:
        reach = k.shape[2] - q.shape[2]
    elif sparse_mode == 0 and next_tokens < k.shape[2]:
        reach = next_tokens
    return _back(attention(q, k, v, bias, scalar_value, reach, 1.0 - keep_prob), input_layout)


def _check(unread: Any, layout: str, mode: int, before: int) -> None:
    given = [name for name, value in unread.items() if value is not None]
    if given:
        raise ValueError(
            f"For 'flash_attention_score', {given[0]!r} must be None: 'keep_prob' and 'attn_mask' say what is dropped and left out."
        )
    if layout not in _LAYOUTS:
        raise ValueError(
            f"For 'flash_attention_score', the 'input_layout' must be one of {_LAYOUTS}, but got {layout!r}."
        )
    if mode not in (0, 1, 2, 3) or before < 65536:
        raise ValueError(
            f"For 'flash_attention_score', the 'sparse_mode' must be 0 to 3 with all tokens before, but got {mode} and {before}."
        )


def _heads(x: Any, heads: int, layout: str, depth: int = 0) -> Any:
    """As (B, heads, S, depth)."""
    if layout == "BNSD":
        return x
    if layout == "BSND":
        return f.transpose(x, (0, 2, 1, 3))
    count = heads if heads > 0 else x.shape[2] // depth
    if count == 0 or x.shape[2] % count:
        raise ValueError(
            f"For 'flash_attention_score', the heads must divide the last dimension of shape {x.shape}, but are {count}."
        )
    parts = _reshape(x, (x.shape[0], x.shape[1], count, x.shape[2] // count))
    return f.transpose(parts, (1, 2, 0, 3) if layout == "SBH" else (0, 2, 1, 3))


def _repeated(x: Any, heads: int) -> Any:
    """Each head as often as query heads share it."""
    own = x.shape[1]
    if heads == own:
        return x
    if heads % own:
        raise ValueError(f"For 'flash_attention_score', {own} heads of keys must divide 'head_num', but got {heads}.")
    wide = f.broadcast_to(
        _reshape(x, (x.shape[0], own, 1, *x.shape[2:])), (x.shape[0], own, heads // own, *x.shape[2:])
    )
    return _reshape(wide, (x.shape[0], heads, *x.shape[2:]))


def _back(x: Any, layout: str) -> Any:
    if layout == "BNSD":
        return x
    if layout == "BSND":
        return f.transpose(x, (0, 2, 1, 3))
    moved = f.transpose(x, (2, 0, 1, 3) if layout == "SBH" else (0, 2, 1, 3))
    return _reshape(moved, (*moved.shape[:2], moved.shape[2] * moved.shape[3]))
