"""numpy and the buffer protocol: no copies, right lifetimes, refusals that say what to do."""

from __future__ import annotations

import array
import gc
import hashlib
import sys
import weakref
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import TensorBase
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from tests.native.callbacks import FLOAT32, INT64, tensor

pytestmark = pytest.mark.compiler


def pointer(values: np.ndarray[Any, Any]) -> int:
    return int(values.__array_interface__["data"][0])


@pytest.mark.parametrize("dtype", dt.ALL, ids=str)
def test_sharing_both_ways(dtype: DType) -> None:
    values = np.zeros((2, 3), dt.to_numpy(dtype))
    shared = TensorBase.from_numpy(values, False)
    back = shared.asnumpy()
    assert shared.dtype is dtype
    assert shared.data_ptr == pointer(values) == pointer(back)
    assert (back.dtype, back.dtype.type) == (values.dtype, values.dtype.type)
    values[1, 2] = 1
    assert back[1, 2] == 1
    back[0, 0] = 1
    assert values[0, 0] == 1


@pytest.mark.parametrize("dtype", dt.ALL, ids=str)
def test_copies_are_apart(dtype: DType) -> None:
    values = np.array([0, 1, 1]).astype(dt.to_numpy(dtype))
    copied = TensorBase.from_numpy(values, True)
    assert copied.data_ptr != pointer(values)
    np.testing.assert_array_equal(copied.asnumpy(), values)


def test_strided_arrays_are_shared_with_their_strides() -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6)
    for view in (values.T, values[::-1, ::2], values[1:, 1:]):
        shared = TensorBase.from_numpy(view, False)
        assert (shared.strides, shared.data_ptr) == (view.strides, pointer(view))
        np.testing.assert_array_equal(shared.asnumpy(), view)
        np.testing.assert_array_equal(TensorBase.from_numpy(view, True).asnumpy(), view)


def test_rank_zero_and_empty_arrays() -> None:
    assert TensorBase.from_numpy(np.float32(2.5), True).asnumpy() == np.float32(2.5)
    assert TensorBase.from_numpy(np.zeros((), "i8"), False).asnumpy().shape == ()
    assert TensorBase.from_numpy(np.zeros((2, 0), "i8"), False).asnumpy().shape == (2, 0)


def test_the_tensor_keeps_the_array() -> None:
    class Tracked(np.ndarray):
        """An array that can be referenced weakly."""

    values = np.arange(1000, dtype=np.float32).view(Tracked)
    reference = weakref.ref(values)
    shared = TensorBase.from_numpy(values, False)
    view = shared.view((2,), (1,), 5)
    del values, shared
    gc.collect()
    assert reference() is not None
    np.testing.assert_array_equal(view.asnumpy(), [5, 6])
    del view
    gc.collect()
    assert reference() is None


def test_the_array_keeps_the_storage_and_not_the_tensor() -> None:
    class Named(TensorBase):
        pass

    named = Named(TensorBase.from_numpy(np.arange(1000, dtype=np.float32), True))
    reference, values = weakref.ref(named), named.asnumpy()
    del named
    assert reference() is None
    TensorBase.empty((1000,), FLOAT32).asnumpy()[:] = 7
    np.testing.assert_array_equal(values, np.arange(1000))


def test_reference_counts_return() -> None:
    values = np.zeros(4, np.float32)
    before = sys.getrefcount(values)
    for _ in range(50):
        TensorBase.from_numpy(values, False).asnumpy()
    assert sys.getrefcount(values) == before


def test_read_only_arrays_are_not_shared() -> None:
    values = np.zeros(2)
    values.flags.writeable = False
    with pytest.raises(ValueError, match="cannot be shared because it is read-only; pass copy=True"):
        TensorBase.from_numpy(values, False)
    assert TensorBase.from_numpy(values, True).shape == (2,)


def test_misaligned_arrays_are_copied_only() -> None:
    values = np.frombuffer(bytearray(17), np.float64, 2, 1)
    with pytest.raises(ValueError, match="not aligned to its item size"):
        TensorBase.from_numpy(values, False)
    np.testing.assert_array_equal(TensorBase.from_numpy(values, True).asnumpy(), [0, 0])


@pytest.mark.parametrize("dtype", [np.dtype("f4"), dt.to_numpy(dt.bfloat16)], ids=str)
def test_strides_between_elements_are_copied_only(dtype: np.dtype[Any]) -> None:
    records = np.zeros(3, [("x", dtype), ("y", "u1")])
    records["x"] = [1, 2, 3]
    with pytest.raises(ValueError, match="not multiples of its item size"):
        TensorBase.from_numpy(records["x"], False)
    np.testing.assert_array_equal(TensorBase.from_numpy(records["x"], True).asnumpy(), records["x"])


@pytest.mark.parametrize(
    "values", [np.zeros(2, ">f4"), np.array(["a"]), np.array([None]), np.zeros(1, "M8[s]"), np.zeros(1, "i4,f4")]
)
def test_other_element_types_are_refused(values: Any) -> None:
    with pytest.raises(TypeError, match="got an array of dtype"):
        TensorBase.from_numpy(values, True)


@pytest.mark.parametrize("value", [[1, 2], 3, "text", None])
def test_other_objects_are_refused(value: Any) -> None:
    with pytest.raises(TypeError, match=f"expected a numpy array .* got {type(value).__name__}"):
        TensorBase.from_numpy(value, True)


def test_any_buffer_is_an_array() -> None:
    numbers = array.array("q", [1, 2, 3])
    shared = TensorBase.from_numpy(numbers, False)
    assert (shared.dtype_code, shared.shape) == (INT64, (3,))
    numbers[0] = 9
    assert shared.asnumpy()[0] == 9


def test_bfloat16_values() -> None:
    bfloat16 = dt.to_numpy(dt.bfloat16)
    values = np.array([1.5, -2.0, np.inf, 3.140625], bfloat16)
    back = TensorBase.from_numpy(values[::2], False).asnumpy()
    assert back.dtype == bfloat16
    np.testing.assert_array_equal(back, values[::2])
    assert TensorBase.from_numpy(values, True).view((1,), (1,), 3).item() == 3.140625


def test_asarray_understands_every_type() -> None:
    for dtype in dt.ALL:
        made = TensorBase.from_numpy(np.array([0, 1]).astype(dt.to_numpy(dtype)), True)
        assert np.asarray(made).dtype == dt.to_numpy(dtype)


def test_array_protocol_converts_and_copies() -> None:
    made = tensor([1, 2])
    assert made.__array__(np.dtype("i8")).dtype == np.int64
    assert pointer(made.__array__()) == made.data_ptr
    assert pointer(made.__array__(copy=True)) != made.data_ptr
    assert pointer(made.__array__(np.dtype("f4"))) == made.data_ptr


def test_buffer_protocol_is_writable_and_typed() -> None:
    made = tensor([[1, 2, 3], [4, 5, 6]])
    view: Any = memoryview(made)
    assert (view.format, view.shape, view.strides, view.readonly) == ("f", (2, 3), (12, 4), False)
    view[1, 2] = 60.0
    assert made.asnumpy()[1, 2] == 60


def test_buffer_outlives_a_change_of_storage() -> None:
    made = tensor([1, 2])
    view = memoryview(made)
    made.set_storage(tensor([3, 4, 5]))
    assert view.tolist() == [1, 2]
    assert memoryview(made).tolist() == [3, 4, 5]


def test_buffer_refuses_what_it_cannot_give() -> None:
    turned = tensor([[1, 2], [3, 4]]).view((2, 2), (1, 2))
    assert np.asarray(memoryview(turned)).tolist() == [[1, 3], [2, 4]]
    with pytest.raises(BufferError, match="not contiguous"):
        hashlib.sha256(turned)
    bf16 = TensorBase.from_numpy(np.zeros(2, dt.to_numpy(dt.bfloat16)), True)
    with pytest.raises(BufferError, match=r"no format for BFloat16; use asnumpy\(\)"):
        memoryview(bf16)


def test_many_round_trips_do_not_leak_storage() -> None:
    before = _native.memory_stats()["in_use"]
    for _ in range(200):
        memoryview(TensorBase.from_numpy(np.zeros(5000, "f4"), True)).release()
    assert _native.memory_stats()["in_use"] == before
