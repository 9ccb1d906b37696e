"""Choices among numbers of 16 bits: every word of both types, against numpy."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels.target import Target
from tests.kernels.test_scalars import LEVELS, evaluate

_CLAMPED = (-0.5, 0.3)
"""float16 and bfloat16 hold the first, not the second."""


@pytest.mark.parametrize("isa", LEVELS)
@pytest.mark.parametrize("dtype", [dt.float16, dt.bfloat16], ids=str)
def test_half_precision_chooses_words(isa: Target, dtype: DType) -> None:
    kind, (low, high) = dt.to_numpy(dtype), _CLAMPED
    x = np.arange(1 << 16, dtype=np.uint16).view(kind)
    y = np.random.default_rng(3).permutation(x)
    wide_x, wide_y = x.astype(np.float32), y.astype(np.float32)
    with np.errstate(all="ignore"):
        exact = {
            "neg": (lambda s, a, b: s.neg(a), -wide_x),
            "maximum": (lambda s, a, b: s.maximum(a, b), np.maximum(wide_x, wide_y)),
            "minimum": (lambda s, a, b: s.minimum(a, b), np.minimum(wide_x, wide_y)),
            "clamp": (lambda s, a, b: s.minimum(s.maximum(a, low), high), np.clip(wide_x, low, np.float32(kind.type(high)))),
            "select": (lambda s, a, b: s.select(s.lt(a, b), a, s.neg(b)), np.where(wide_x < wide_y, wide_x, -wide_y)),
            "beyond": (lambda s, a, b: s.select(s.lt(a, b), a, 1e30), np.where(wide_x < wide_y, wide_x, np.float32(1e30))),
            "sum": (lambda s, a, b: s.maximum(s.add(a, b), 0.0), np.maximum(wide_x + wide_y, 0)),
        }  # fmt: skip
        for name, (body, expected) in exact.items():
            got = evaluate(isa, body, x, y)
            np.testing.assert_array_equal(got.astype(np.float32), expected.astype(kind).astype(np.float32), name)
            assert got.dtype == kind
