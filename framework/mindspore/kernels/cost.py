"""When work is worth spreading over threads.

Handing a chunk to a waiting thread of the pool takes 2 to 5 microseconds; a chunk should run for about ten times as long. An
element-wise addition of float32 in cache runs at 10 elements per nanosecond and core, an exponential at 2: hence 2**18 additions, and in
proportion fewer of what costs more, are one chunk.
"""

from __future__ import annotations

from collections.abc import Iterable

from mindspore.primitives.scalar import Expr

CHUNK_COST = 1 << 18
"""Cost of one chunk in element-wise additions."""
MIN_ELEMENTS = 1 << 13
FOLD_CHUNK = 1 << 16
"""Elements of one output that are folded without being shared among threads: a power of two, part of the result's definition."""
MOVE_BYTES = 1 << 19
"""Bytes of a copy that one chunk moves: a core copies about 10 bytes per nanosecond from cache."""

_CHEAP = {"operand", "const", "cast", "index"}
_HEAVY = {
    "exp": 5, "exp2": 5, "expm1": 6, "log": 7, "log1p": 9, "log2": 7, "sigmoid": 7, "tanh": 9, "erf": 10, "div": 3, "sqrt": 3,
    "rsqrt": 5, "reciprocal": 3, "floordiv": 12, "mod": 12, "truncdiv": 10, "rem": 10, "pow": 30, "atan2": 20, "sin": 16,
    "cos": 16, "tan": 20, "asin": 15, "acos": 15, "atan": 15, "sinh": 15, "cosh": 15, "asinh": 30, "acosh": 30, "atanh": 20,
    "erfc": 20, "normal_cdf": 9,
}  # fmt: skip


def body_cost(bodies: Iterable[Expr]) -> int:
    """Cost of one element relative to an addition."""
    seen: set[int] = set()
    stack = list(bodies)
    total = 1
    while stack:
        node = stack.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        total += 0 if node.op in _CHEAP else _HEAVY.get(node.op, 1)
        stack.extend(node.args)
    return total


def elementwise_grain(bodies: Iterable[Expr]) -> int:
    """Elements of one chunk."""
    return max(MIN_ELEMENTS, CHUNK_COST // (1 << (body_cost(bodies) - 1).bit_length()))
