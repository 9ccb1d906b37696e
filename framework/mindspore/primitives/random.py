"""Random numbers as a function of a key, a position and a count of draws: the same wherever and in whatever order they are computed."""

from __future__ import annotations

from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.ir.operator import NotDifferentiable
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Elementwise
from mindspore.primitives.declare import broadcast_shape, check_dtype, operator
from mindspore.primitives.samples import Domain, Samples, Wrong, cases

_NAME = "PhiloxUniform"
_ROUNDS, _MULTIPLIER, _STEP = 10, 0xD256D193, 0x9E3779B9
"""Philox 2x32 of Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"."""
_LOW = 0xFFFFFFFF


def _infer(seed: TensorType, offset: TensorType, position: TensorType, fine: bool) -> TensorType:
    names, given = ("seed", "offset", "position"), (seed, offset, position)
    for name, each in zip(names, given, strict=True):
        check_dtype(_NAME, name, each, (dt.int64,))
    return TensorType(dt.float64 if fine else dt.float32, broadcast_shape(_NAME, names, given))


def _body(s: Any, seed: Any, offset: Any, position: Any, fine: bool) -> Any:
    """Position and offset are the counter, the seed is the key; all in the low halves of 64 bits."""
    key, count, place = (s.bit_and(s.cast(v, dt.uint64), _LOW) for v in (seed, offset, position))
    for _ in range(_ROUNDS):
        product = s.mul(place, _MULTIPLIER)
        place = s.bit_xor(s.bit_xor(s.shift_right(product, 32), key), count)
        count = s.bit_and(product, _LOW)
        key = s.bit_and(s.add(key, _STEP), _LOW)
    if fine:
        both = s.bit_or(s.shift_left(place, 21), s.shift_right(count, 11))
        return s.mul(s.cast(both, dt.float64), 2.0**-53)
    return s.mul(s.cast(s.shift_right(place, 8), dt.float32), 2.0**-24)


def uniform_reference(seed: Any, offset: Any, position: Any, fine: bool = False) -> Any:
    low = np.uint64(_LOW)
    key, count, place = (v.astype(np.uint64) & low for v in (seed, offset, position))
    for _ in range(_ROUNDS):
        product = place * np.uint64(_MULTIPLIER)
        place, count = (product >> np.uint64(32)) ^ key ^ count, product & low
        key = (key + np.uint64(_STEP)) & low
    if fine:
        both = np.asarray(place << np.uint64(21) | count >> np.uint64(11))
        return (
            np.broadcast_to(both, np.broadcast_shapes(seed.shape, offset.shape, position.shape)).astype(np.float64)
            * 2.0**-53
        )
    return np.asarray(place >> np.uint64(8)).astype(np.float32) * np.float32(2.0**-24)


_WHOLE = Domain(0, 100, dtype=dt.int64)
operator(
    _NAME, "seed, offset, position", "philox_uniform", attrs={"fine": False}, infer=_infer, reference=uniform_reference,
    gradient=NotDifferentiable("random numbers do not depend on floating-point inputs"), compute=Elementwise(_body), dtypes=(dt.int64,),
    samples=Samples(
        cases(((), (), (7,)), ((), (2, 1), (3,)), ((3,), (), ()), ((), (), ()), ((), (), (0,)), ((), (), (1000,)))
        + cases(((), (), (7,)), ((), (2, 1), (3,)), ((), (), (1000,)), fine=True), (_WHOLE,),
        wrong=(Wrong(((), (), ()), TypeError, (_NAME, "'seed'", "Int32"), (dt.int32, dt.int64, dt.int64)),
               Wrong(((2,), (), (3,)), ValueError, (_NAME, "'seed'", "'position'", "[2]", "[3]"), (dt.int64,) * 3)),
    ),
    doc="Numbers in [0, 1), Float32 with 24 random bits or if fine Float64 with 53: a function of seed, draw and position.",
)  # fmt: skip
