"""Attention in blocks of queries: the scores of one block exist at a time, in the gradient too, which computes them a second time.

After Dao et al. 2022, "FlashAttention: fast and memory-efficient exact attention": the results are the output and, per query, the logarithm
of the sum of exponentials, from which the gradient has its weights back.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import REQUIRED
from mindspore.ir.types import TensorType, TupleType
from mindspore.primitives.declare import check_dtype, check_rank, check_same_dtype, operator, quiet
from mindspore.primitives.random import uniform_reference
from mindspore.primitives.samples import Case, Domain, Samples, Wrong

_NAME = "FlashAttention"
_FLOATING = ("query", "key", "value", "bias")
FEWEST_ROWS, MOST_BLOCKS = 128, 16
_NOTHING = -1e30
"""The largest score of a query that may see no key at all: its weights are 0."""


def _infer(
    query: TensorType, key: TensorType, value: TensorType, bias: TensorType, seed: TensorType, draws: TensorType, *,
    scale: float, reach: Any, keep: float, block: int,
) -> TupleType:  # fmt: skip
    types = (query, key, value, bias)
    for name, each in zip(_FLOATING, types, strict=True):
        check_dtype(_NAME, name, each, dt.FLOATS)
        check_rank(_NAME, name, each, 4, 4)
    check_same_dtype(_NAME, _FLOATING, types)
    for name, each in (("seed", seed), ("draws", draws)):
        check_dtype(_NAME, name, each, (dt.int64,))
    if key.shape[:3] != value.shape[:3] or query.shape[:2] != key.shape[:2] or query.shape[3] != key.shape[3]:
        raise ValueError(
            f"{_NAME}: 'query', 'key' and 'value' must be (N, heads, queries, depth), (N, heads, keys, depth) and "
            f"(N, heads, keys, any), but got {query}, {key} and {value}."
        )
    scores = (*query.shape[:3], key.shape[2])
    if any(n not in (1, m) for n, m in zip(bias.shape, scores, strict=True)):
        raise ValueError(f"{_NAME}: argument 'bias' must broadcast to the scores {list(scores)}, but got {bias}.")
    if not 0 < keep <= 1:
        raise ValueError(f"{_NAME}: attribute 'keep' must be above 0 and at most 1, but got {keep!r}.")
    sums = TensorType(dt.float32 if query.dtype.itemsize == 2 else query.dtype, (*query.shape[:3], 1))
    return TupleType((TensorType(query.dtype, (*query.shape[:3], value.shape[3])), sums))


class _Blocks:
    """The blocks of one call. Half precision is computed in Float32."""

    def __init__(self, b: Any, inputs: Any, scale: float, reach: int | None, keep: float, block: int) -> None:
        self.b, self.reach, self.keep, self.scale = b, reach, keep, scale
        self.query, self.key, self.value, self.bias = (self.wide(v) for v in inputs[:4])
        self.seed, self.draws = inputs[4:]
        self.heads, self.rows, self.keys = b.shape(self.query)[:2], b.shape(self.query)[2], b.shape(self.key)[2]
        self.block = block or max(FEWEST_ROWS, -(-self.rows // (64 * MOST_BLOCKS)) * 64)

    def wide(self, value: Any) -> Any:
        return self.b.cast(value, dtype=dt.float32) if self.b.dtype(value).itemsize == 2 else value

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """First and last query of each block, and how many keys it sees."""
        for first in range(0, max(self.rows, 1), self.block):
            last = min(first + self.block, self.rows)
            seen = self.keys if self.reach is None else min(max(last + self.reach, 1), self.keys)
            yield first, last, seen

    def cut(self, value: Any, dimension: int, first: int, last: int) -> Any:
        """Part of a dimension; the whole of one of size 1."""
        shape = self.b.shape(value)
        if shape[dimension] == 1 or (first == 0 and last == shape[dimension]):
            return value
        begin, end = [0] * 4, list(shape)
        begin[dimension], end[dimension] = first, last
        return self.b.strided_slice(value, begin=tuple(begin), end=tuple(end), strides=(1,) * 4)

    def queries(self, first: int, last: int) -> Any:
        return self.b.mul(self.cut(self.query, 2, first, last), self.scale)

    def biases(self, first: int, last: int, seen: int) -> Any:
        return self.cut(self.cut(self.bias, 2, first, last), 3, 0, seen)

    def _places(self, shape: Any, dimension: int) -> Any:
        along = tuple(n if i == dimension else 1 for i, n in enumerate(shape))
        return self.b.iota(shape=along, dimension=dimension, dtype=dt.int64)

    def hidden(self, scores: Any, first: int, row: int, column: int) -> Any:
        """Scores with those of keys out of reach at minus infinity; queries along dimension `row`, keys along `column`."""
        if self.reach is None:
            return scores
        b, shape = self.b, self.b.shape(scores)
        ahead = b.sub(self._places(shape, column), self._places(shape, row))
        return b.select(b.less_equal(ahead, first + self.reach), scores, -np.inf)

    def kept(self, weights: Any, first: int, row: int, column: int) -> Any:
        """Weights after dropout. Each draws the number of its own place, so that the gradient draws the same again."""
        if self.keep == 1:
            return weights
        b, shape = self.b, self.b.shape(weights)
        place = b.add(b.mul(self._places(shape, 0), self.heads[1]), self._places(shape, 1))
        place = b.add(b.mul(b.add(b.mul(place, self.rows), b.add(self._places(shape, row), first)), self.keys),
                      self._places(shape, column))  # fmt: skip
        drawn = b.philox_uniform(self.seed, self.draws, place)
        return b.select(b.less(drawn, self.keep), b.mul(weights, 1 / self.keep), 0)

    def joined(self, parts: list[Any]) -> Any:
        return parts[0] if len(parts) == 1 else self.b.concat(*parts, axis=2)

    def output(self) -> tuple[Any, Any]:
        """The output, and the logarithms of the sums, 0 for a query that sees no key: all its scores are minus infinity."""
        b, outputs, sums = self.b, [], []
        for first, last, seen in self:
            key, value = self.cut(self.key, 2, 0, seen), self.cut(self.value, 2, 0, seen)
            scores = b.add(
                b.batch_matmul(self.queries(first, last), key, transpose_b=True), self.biases(first, last, seen)
            )
            scores = self.hidden(scores, first, 2, 3)
            most = b.maximum(b.reduce_max(scores, axis=3, keep_dims=True), _NOTHING)
            weights = b.exp(b.sub(scores, most))
            total = b.reduce_sum(weights, axis=3, keep_dims=True)
            found = b.batch_matmul(self.kept(weights, first, 2, 3), value)
            outputs.append(b.div_no_nan(found, total))
            total = self.waiting(total, total, found)
            empty = b.equal(total, 0)
            sums.append(b.select(empty, 0, b.add(most, b.log(b.select(empty, 1, total)))))
        return self.joined(outputs), self.joined(sums)

    def gradients(self, out: Any, sums: Any, d: Any, d_sums: Any) -> tuple[Any, Any, Any, Any]:
        """The gradients in query, key, value and bias.

        Scores are computed transposed: the forward pass has no equal expression, which would be kept from there.
        """
        b = self.b
        along = b.reduce_sum(b.mul(d, out), axis=3, keep_dims=True)
        along = along if d_sums is None else b.sub(along, d_sums)
        to_query, to_bias, to_key, to_value = [], [], None, None
        for first, last, seen in self:
            key, value = self.cut(self.key, 2, 0, seen), self.cut(self.value, 2, 0, seen)
            query = self.waiting(self.queries(first, last), sums, to_key, to_value)
            scores = b.batch_matmul(key, query, transpose_b=True)
            scores = self.hidden(b.add(scores, self.turned(self.biases(first, last, seen))), first, 3, 2)
            weights = b.exp(b.sub(scores, self.row(sums, first, last)))
            part = self.cut(d, 2, first, last)
            to_value = self.summed(to_value, b.batch_matmul(self.kept(weights, first, 3, 2), part))
            slope = self.kept(b.batch_matmul(value, part, transpose_b=True), first, 3, 2)
            slope = b.mul(weights, b.sub(slope, self.row(along, first, last)))
            to_key = self.summed(to_key, b.batch_matmul(slope, query))
            to_query.append(b.mul(b.batch_matmul(slope, key, transpose_a=True), self.scale))
            to_bias.append(self.bias_part(slope, seen))
        biases = self.joined(to_bias) if b.shape(self.bias)[2] > 1 else to_bias[0]
        for each in to_bias[1:] if b.shape(self.bias)[2] == 1 else ():
            biases = b.add(biases, each)
        return self.joined(to_query), to_key, to_value, biases

    def waiting(self, value: Any, known: Any, *done: Any) -> Any:
        """`value`, once what is `done` is there.

        Without it each block would wait for the next ones with its scores in memory. What is `known` is not below minus infinity, but no
        pass knows that.
        """
        b = self.b
        for each in done:
            if each is not None and b.shape(each)[2] > 0 and b.shape(each)[3] > 0:
                never = b.less(self.corner(known), -np.inf)
                value = b.select(never, self.corner(each), value)
        return value

    def corner(self, value: Any) -> Any:
        """The first number of each head."""
        return self.b.strided_slice(value, begin=(0,) * 4, end=(*self.heads, 1, 1), strides=(1,) * 4)

    def turned(self, value: Any) -> Any:
        return self.b.transpose(value, perm=(0, 1, 3, 2))

    def row(self, column: Any, first: int, last: int) -> Any:
        """One number per query as a row."""
        part = self.cut(column, 2, first, last)
        return self.b.reshape(part, shape=(*self.heads, 1, last - first))

    def summed(self, so_far: Any, part: Any) -> Any:
        """The sum of gradients of keys; a block may see only the first of them."""
        missing = self.keys - self.b.shape(part)[2]
        whole = self.b.pad(part, paddings=((0, 0), (0, 0), (0, missing), (0, 0))) if missing else part
        return whole if so_far is None else self.b.add(so_far, whole)

    def bias_part(self, slope: Any, seen: int) -> Any:
        """The gradient of the biases of one block, from that of its transposed scores."""
        b, shape = self.b, self.b.shape(self.bias)
        rows = b.shape(slope)[3] if shape[2] > 1 else 1
        folded = b.sum_to(self.turned(slope), (shape[0], shape[1], rows, seen if shape[3] > 1 else 1))
        missing = self.keys - seen if shape[3] > 1 else 0
        return b.pad(folded, paddings=((0, 0), (0, 0), (0, 0), (0, missing))) if missing else folded


def _expand(b: Any, *inputs: Any, **attrs: Any) -> Any:
    out, sums = _Blocks(b, inputs, **attrs).output()
    dtype = b.dtype(inputs[0])
    return b.tuple([out if b.dtype(out) is dtype else b.cast(out, dtype=dtype), sums])


def _gradient(b: Any, *args: Any, **attrs: Any) -> tuple[Any, ...]:
    inputs, out, d = args[:6], args[6], args[7]
    blocks = _Blocks(b, inputs, **attrs)
    to_out = b.zeros_like(blocks.wide(out[0])) if d[0] is None else blocks.wide(d[0])
    found = blocks.gradients(blocks.wide(out[0]), out[1], to_out, d[1])
    dtype = b.dtype(inputs[0])
    return (*(g if b.dtype(g) is dtype else b.cast(g, dtype=dtype) for g in found), None, None)


def _attention(
    query: Any,
    key: Any,
    value: Any,
    bias: Any,
    seed: Any,
    draws: Any,
    scale: float,
    reach: int | None,
    keep: float,
    block: int,
) -> tuple[Any, Any]:
    """All scores at once."""
    wide = [v.astype(np.float32) if v.dtype.itemsize == 2 else v for v in (query, key, value, bias)]
    scores = (wide[0] * wide[0].dtype.type(scale)) @ np.swapaxes(wide[1], 2, 3) + wide[3]
    rows, keys = scores.shape[2:]
    if reach is not None:
        scores = np.where(np.arange(keys) <= np.arange(rows)[:, None] + reach, scores, -np.inf)
    most = np.max(scores, axis=3, keepdims=True, initial=_NOTHING).astype(scores.dtype)
    weights = np.exp(scores - most).astype(scores.dtype)
    total = np.sum(weights, axis=3, keepdims=True)
    if keep < 1:
        drawn = uniform_reference(seed, draws, np.arange(weights.size).reshape(weights.shape))
        weights = np.where(drawn < keep, weights / weights.dtype.type(keep), 0).astype(scores.dtype)
    out = np.where(total == 0, 0, (weights @ wide[2]) / np.where(total == 0, 1, total))
    sums = np.where(total == 0, 0, most + np.log(np.where(total == 0, 1, total)))
    return out.astype(query.dtype), sums.astype(scores.dtype)


def _cases() -> tuple[Case, ...]:
    def case(query: Any, keys: int, width: int, bias: Any, **attrs: Any) -> Case:
        n, heads, _, depth = query
        return Case((query, (n, heads, keys, depth), (n, heads, keys, width), bias, (), ()), {"scale": 0.5, **attrs})

    return (
        case((1, 1, 3, 2), 4, 3, (1, 1, 1, 1)), case((2, 3, 5, 4), 6, 4, (2, 1, 5, 6), block=2),
        case((1, 2, 5, 2), 5, 2, (1, 2, 1, 5), reach=0, block=2), case((2, 2, 4, 2), 5, 3, (1, 1, 1, 1), keep=0.6, block=3),
        case((1, 1, 5, 2), 3, 2, (1, 1, 1, 1), reach=-2, block=2), case((1, 1, 4, 3), 6, 2, (1, 1, 4, 1), reach=2, block=3),
        case((1, 2, 130, 3), 9, 2, (1, 1, 1, 9)), case((0, 2, 3, 2), 3, 2, (1, 1, 1, 1)),
    )  # fmt: skip


_WHOLE = Domain(1, 9, dtype=dt.int64)
operator(
    _NAME, "query, key, value, bias, seed, draws", attrs={"scale": REQUIRED, "reach": None, "keep": 1.0, "block": 0},
    infer=_infer, reference=quiet(_attention), gradient=_gradient, expand=_expand, dtypes=dt.FLOATS,
    samples=Samples(
        _cases(), (Domain(), Domain(), Domain(), Domain(), _WHOLE, _WHOLE), wrt=(0, 1, 2, 3),
        wrong=(Wrong(((1, 1, 2, 3), (1, 1, 4, 3), (1, 1, 5, 3), (1, 1, 1, 1), (), ()), ValueError, (_NAME, "'query'", "5"),
                     (*(dt.float32,) * 4, dt.int64, dt.int64), {"scale": 1.0}),
               Wrong(((1, 1, 2, 3), (1, 1, 4, 3), (1, 1, 4, 3), (1, 1, 1, 3), (), ()), ValueError, (_NAME, "'bias'", "[1, 1, 2, 4]"),
                     (*(dt.float32,) * 4, dt.int64, dt.int64), {"scale": 1.0}),
               Wrong(((1, 1, 2, 3), (1, 1, 4, 3), (1, 1, 4, 3), (1, 1, 1, 1), (), ()), ValueError, (_NAME, "'keep'", "0"),
                     (*(dt.float32,) * 4, dt.int64, dt.int64), {"scale": 1.0, "keep": 0.0}),
               Wrong(((1, 2, 3), (1, 1, 4, 3), (1, 1, 4, 3), (1, 1, 1, 1), (), ()), ValueError, (_NAME, "'query'", "4"),
                     (*(dt.float32,) * 4, dt.int64, dt.int64), {"scale": 1.0})),
    ),
    doc="Softmax of scaled products of queries and keys plus biases, times values; query i sees the keys up to ``i + reach``, weights are "
        "kept with probability ``keep``. Also the logarithms of the sums of exponentials.",
)  # fmt: skip
