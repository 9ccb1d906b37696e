"""DLPack both ways, versioned and not."""

from __future__ import annotations

import gc
import sys
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import TensorBase
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from tests.native.callbacks import tensor

pytestmark = pytest.mark.compiler
NUMPY_TYPES = tuple(t for t in dt.ALL if t is not dt.bfloat16)


class Legacy:
    """A producer from before DLPack 1.0."""

    def __init__(self, made: Any) -> None:
        self.made = made

    def __dlpack__(self, stream: Any = None) -> Any:
        return self.made.__dlpack__()


class Elsewhere:
    """A producer that answers with something else."""

    def __dlpack__(self, **_: Any) -> Any:
        raise RuntimeError("not today")


@pytest.mark.parametrize("dtype", NUMPY_TYPES, ids=str)
def test_numpy_takes_tensors(dtype: DType) -> None:
    made = TensorBase.from_numpy(np.array([[0, 1, 1]]).astype(dt.to_numpy(dtype)), True)
    taken = np.from_dlpack(made)
    assert taken.__array_interface__["data"][0] == made.data_ptr
    np.testing.assert_array_equal(taken, made.asnumpy())


@pytest.mark.parametrize("dtype", NUMPY_TYPES, ids=str)
def test_tensors_take_arrays(dtype: DType) -> None:
    values = np.arange(6).reshape(2, 3).astype(dt.to_numpy(dtype))
    made = TensorBase.from_dlpack(values.T)
    assert (made.dtype, made.data_ptr) == (dtype, values.__array_interface__["data"][0])
    np.testing.assert_array_equal(made.asnumpy(), values.T)


@pytest.mark.parametrize("version", [None, (0, 8), (1, 0), (1, 3)])
def test_both_capsules_go_round(version: Any) -> None:
    made = tensor([[1, 2], [3, 4]]).view((2, 2), (1, 2))
    capsule = made.__dlpack__(max_version=version)
    assert ("dltensor_versioned" in repr(capsule)) == (version is not None and version[0] >= 1)
    back = TensorBase.from_dlpack(capsule)
    assert (back.data_ptr, back.strides) == (made.data_ptr, made.strides)
    with pytest.raises(BufferError, match="consumed already"):
        TensorBase.from_dlpack(capsule)


def test_bfloat16_between_tensors() -> None:
    made = TensorBase.from_numpy(np.array([1.5], dt.to_numpy(dt.bfloat16)), True)
    assert TensorBase.from_dlpack(made).dtype is dt.bfloat16


def test_the_consumer_keeps_the_memory() -> None:
    taken = np.from_dlpack(TensorBase.from_numpy(np.arange(1000, dtype="f4"), True))
    TensorBase.empty((1000,), 10).asnumpy()[:] = 0
    np.testing.assert_array_equal(taken, np.arange(1000))
    values = np.arange(1000, dtype="f4")
    before = sys.getrefcount(values)
    made = TensorBase.from_dlpack(values)
    assert sys.getrefcount(values) > before
    del made
    gc.collect()
    assert sys.getrefcount(values) == before


def test_capsules_that_nobody_takes_are_freed() -> None:
    before = _native.memory_stats()["in_use"]
    for _ in range(20):
        tensor(np.zeros(5000)).__dlpack__()
        tensor(np.zeros(5000)).__dlpack__(max_version=(1, 0))
    assert _native.memory_stats()["in_use"] == before


def test_copy_on_request() -> None:
    made = tensor([1, 2])
    assert TensorBase.from_dlpack(made.__dlpack__(copy=True)).data_ptr != made.data_ptr


def test_legacy_producers() -> None:
    made = tensor([1, 2])
    assert TensorBase.from_dlpack(Legacy(made)).data_ptr == made.data_ptr


def test_device() -> None:
    assert tensor([1]).__dlpack_device__() == (1, 0)
    with pytest.raises(BufferError, match="the tensor is on the CPU"):
        tensor([1]).__dlpack__(dl_device=(2, 0))


def test_refusals() -> None:
    with pytest.raises(TypeError, match="expected a DLPack capsule or an object with __dlpack__, got int"):
        TensorBase.from_dlpack(3)
    with pytest.raises(RuntimeError, match="not today"):
        TensorBase.from_dlpack(Elsewhere())
    values = np.zeros(2)
    values.flags.writeable = False
    with pytest.raises(BufferError, match="read"):
        TensorBase.from_dlpack(values)
