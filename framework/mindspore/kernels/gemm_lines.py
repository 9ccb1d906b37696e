"""Lines of columns of gathered products: columns at equal distances in memory, and how vectors of them are stored."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mindspore.kernels.emit import Function, Value
from mindspore.kernels.gemm_pack import shuffle
from mindspore.kernels.gemm_small import Masked
from mindspore.kernels.gemm_tile import Tiling

Store = Callable[[Value, Value], None]
"""``(vector, place of its first lane)``."""


def line(f: Function, sizes: Value, strides: Value, rank: int) -> tuple[Value, Value]:
    """(length, stride) of the lines of columns: the last dimension, and those before that go on with its stride."""
    length, stride = f.load("i64", sizes.at("i64", rank - 1)), f.load("i64", strides.at("i64", rank - 1))
    going = f.value(1, "i1")
    for i in reversed(range(rank - 1)):
        size, step = f.load("i64", sizes.at("i64", i)), f.load("i64", strides.at("i64", i))
        going = going & (step.eq(stride * length) | size.eq(1))
        length = f.select(going, length * size, length)
    return length, stride


def masks(t: Tiling) -> bool:
    """Whether a masked store costs no more than another one."""
    return t.lanes * t.itemsize == 64


def stores(f: Function, t: Tiling, width: Value, step: Value, use: Callable[[Store | None], None]) -> None:
    """`use` is called for each way to store the first `width` lanes `step` elements apart; the last, None, is lane by lane."""

    def way(store: Store | None) -> list[Value]:
        use(store)
        return []

    def others() -> list[Value]:
        if not masks(t):
            return way(None)
        cut = partial(f.choose, step.eq(1), lambda: way(Masked(f, t.lanes, width).store))
        return cut(lambda: f.choose(step.eq(2), lambda: way(doubled(f, t, width)), lambda: way(None)))

    f.choose(step.eq(1) & width.eq(t.lanes), lambda: way(f.store), others)


def doubled(f: Function, t: Tiling, width: Value) -> Store:
    """Every second place of two vectors is written."""
    half = t.lanes // 2
    parts = []
    for first in (0, half):
        # lanes between two places compare as past the end
        numbers = [first + i // 2 if i % 2 == 0 else t.lanes for i in range(t.lanes)]
        parts.append((Masked(f, t.lanes, width, numbers), [first + i // 2 for i in range(t.lanes)]))

    def store(value: Value, place: Value) -> None:
        for number, (masked, lanes) in enumerate(parts):
            masked.store(shuffle(f, value, value, lanes), place.at(t.type, number * t.lanes))

    return store
