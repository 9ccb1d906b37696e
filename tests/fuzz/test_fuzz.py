"""Random shapes, layouts in memory, attributes and element types: eager mode and graphs give what the reference back end gives.

``MS_FUZZ=20000 pytest tests/fuzz`` tries that many calls, other ones each time; without it a few hundred, always the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mindspore.backends.reference.numpy_builder import arrays, type_of
from mindspore.base import dtypes as dt
from mindspore.primitives.compute import Elementwise, Update
from tests.fuzz.draws import Trial, laid, trial
from tests.primitives.drawing import assert_same

pytestmark = pytest.mark.compiler
COUNT = int(os.environ.get("MS_FUZZ", "0"))
FEW = 250
ULPS = 24
THREADS = (1, 2, 3)


def tensors(tried: Trial) -> tuple[list[Any], list[Any]]:
    """The operands as tensors that lie as the trial says, and the values that they show."""
    from mindspore import Tensor
    from mindspore._native import TensorBase

    given_, shown = [], []
    for array, how in zip(tried.operands, tried.layouts, strict=True):
        memory, strides, offset, values = laid(array, how)
        # `Tensor` has a `view` of its own, by shape alone
        view = TensorBase.view(TensorBase.from_numpy(memory, True), values.shape, strides, offset)
        assert isinstance(view, Tensor)
        given_.append(view)
        shown.append(values)
    return given_, shown


def eager(tried: Trial, given_: list[Any]) -> list[Any]:
    from mindspore.common.eager import eager_op, is_variadic

    out = eager_op(tried.op)(*([tuple(given_)] if is_variadic(tried.op) else given_), **tried.attrs)
    return [t.asnumpy() for t in (out if isinstance(out, tuple) else (out,))]


def compiled(tried: Trial, given_: list[Any]) -> list[Any]:
    from mindspore import backends
    from mindspore.ir.builder import GraphBuilder
    from mindspore.ir.graph import Graph, Parameter
    from mindspore.ir.types import TupleType
    from mindspore.passes.expand import expand_composites

    b, parameters = GraphBuilder(), [Parameter(f"x{i}", type_of(v)) for i, v in enumerate(tried.operands)]
    node = b.apply(tried.op, parameters, tried.attrs)
    parts = [b.get(node, i) for i in range(len(node.type.elements))] if isinstance(node.type, TupleType) else [node]
    typed = Graph("fuzz", parameters, b.tuple(parts))
    expand_composites(typed)
    run = backends.find("cpu").compile(typed, arguments=len(parameters), bound=[], updates={})
    return [t.asnumpy() for t in run(*given_)]


def spread(tried: Trial, shown: list[Any], summed: bool) -> float:
    """How many times the usual error sums may have: they cancel, and their error is relative to what was added up."""
    longest = max((v.size for v in shown), default=1)
    return 1 + longest**0.5 / 8 if summed and tried.operands[0].dtype.kind not in "biu" else 1.0


WAYS: dict[str, Callable[[Trial, list[Any]], list[Any]]] = {"eager": eager, "graph": compiled}


@settings(
    max_examples=COUNT or FEW, derandomize=not COUNT, deadline=None, database=None, print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)  # fmt: skip
@given(st.data())
def test_all_ways_give_what_the_reference_gives(data: st.DataObject) -> None:
    from mindspore import _native

    tried = trial(data.draw)
    given_, shown = tensors(tried)
    with np.errstate(all="ignore"):
        result = arrays(tried.op.reference(*shown, **tried.attrs))
    wanted = result if isinstance(result, tuple) else (result,)
    summed = not isinstance(tried.op.compute, Elementwise | Update)
    before = _native.get_num_threads()
    try:
        for way, run in WAYS.items():
            found = []
            for threads in THREADS[: 1 if way == "graph" else None]:
                _native.set_num_threads(threads)
                found.append(run(tried, given_))
            for value, expected in zip(found[0], wanted, strict=True):
                assert_same(value, expected, f"{tried!r} by {way}", ULPS * spread(tried, shown, summed), summed=summed)
            for other in found[1:]:
                for value, same in zip(other, found[0], strict=True):
                    assert value.tobytes() == same.tobytes(), f"{tried!r} by {way} on another number of threads"
    finally:
        _native.set_num_threads(before)


@given(st.data())
@settings(max_examples=200, derandomize=True, deadline=None)
def test_layouts_show_what_they_say(data: st.DataObject) -> None:
    tried = trial(data.draw)
    for array, how in zip(tried.operands, tried.layouts, strict=True):
        memory, strides, offset, values = laid(array, how)
        seen = np.lib.stride_tricks.as_strided(memory[offset:], values.shape, [s * memory.itemsize for s in strides])
        np.testing.assert_array_equal(seen.view(np.uint8) if dt.from_numpy(seen.dtype) is dt.bool_ else seen, values)
        if not any(how.spread):
            np.testing.assert_array_equal(values, array)
