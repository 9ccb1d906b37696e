"""TensorBase: attributes, views, storage, versions, Python protocols."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import TensorBase
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from tests.native.callbacks import FLOAT32, INT32, tensor

pytestmark = pytest.mark.compiler


class Named(TensorBase):
    """A subclass of the kind that users of the module make."""


@pytest.mark.parametrize("dtype", dt.ALL, ids=str)
def test_empty_has_type_and_shape(dtype: DType) -> None:
    made = TensorBase.empty((2, 3), dtype.code)
    assert made.shape == (2, 3)
    assert made.dtype is dtype
    assert (made.dtype_code, made.itemsize, made.ndim, made.size) == (dtype.code, dtype.itemsize, 2, 6)
    assert made.nbytes == 6 * dtype.itemsize
    assert made.strides == (3 * dtype.itemsize, dtype.itemsize)
    assert made.data_ptr % 64 == 0
    assert made.is_contiguous


def test_shape_tuple_is_made_once() -> None:
    made = tensor([[1, 2]])
    assert made.shape is made.shape


def test_rank_zero_and_empty_tensors() -> None:
    scalar, nothing = TensorBase.empty((), FLOAT32), TensorBase.empty((0, 3), FLOAT32)
    assert (scalar.shape, scalar.size, scalar.nbytes) == ((), 1, 4)
    assert (nothing.shape, nothing.size, nothing.nbytes, nothing.asnumpy().shape) == ((0, 3), 0, 0, (0, 3))
    assert nothing.copy().contiguous().shape == (0, 3)


@pytest.mark.parametrize("code", [-1, 15, 10**12])
def test_unknown_code_is_refused(code: int) -> None:
    with pytest.raises(ValueError, match=r"dtype code must be in \[0, 15\)"):
        TensorBase.empty((1,), code)


@pytest.mark.parametrize(
    ("shape", "error", "message"),
    [
        ((-1,), ValueError, r"must not be negative, got shape \(-1,\)"),
        ((2**40, 2**40), ValueError, "too many elements"),
        ((2**50,), MemoryError, "cannot allocate"),
        ((1.5,), TypeError, "float"),
        ("ab", TypeError, "shape must be a tuple of integers, got str"),
    ],
)
def test_bad_shapes(shape: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        TensorBase.empty(shape, FLOAT32)


def test_view_shares_storage() -> None:
    base = tensor(np.arange(12).reshape(3, 4))
    turned = base.view((4, 3), (1, 4), 0)
    np.testing.assert_array_equal(turned.asnumpy(), base.asnumpy().T)
    assert not turned.is_contiguous
    turned.asnumpy()[0, 2] = 99
    assert base.asnumpy()[2, 0] == 99


def test_view_offset_counts_from_the_first_element() -> None:
    row = tensor(np.arange(12).reshape(3, 4)).view((4,), (1,), 4)
    np.testing.assert_array_equal(row.asnumpy(), [4, 5, 6, 7])
    np.testing.assert_array_equal(row.view((2,), (1,), 1).asnumpy(), [5, 6])
    np.testing.assert_array_equal(row.view((4,), (-1,), 3).asnumpy(), [7, 6, 5, 4])
    np.testing.assert_array_equal(row.view((2, 2), (0, 1), -4).asnumpy(), [[0, 1], [0, 1]])


@pytest.mark.parametrize(
    ("shape", "strides", "offset"), [((5,), (1,), 0), ((2,), (1,), 3), ((2,), (-1,), 0), ((1,), (1,), -1)]
)
def test_view_outside_of_the_storage_is_refused(shape: Any, strides: Any, offset: int) -> None:
    with pytest.raises(IndexError, match="leaves the storage of 4 elements"):
        tensor([1, 2, 3, 4]).view(shape, strides, offset)


def test_view_needs_as_many_strides_as_dimensions() -> None:
    with pytest.raises(ValueError, match="must have the same length"):
        tensor([1, 2]).view((2,), (1, 1))


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "c16"])
def test_copies_of_strided_tensors(dtype: str) -> None:
    values = np.arange(24).reshape(2, 3, 4).astype(dtype)
    shared = TensorBase.from_numpy(values, False)
    for view in (values[:, ::-1], values[:, :, 1::2], values.transpose(2, 0, 1), values[1:2], values[:, 1]):
        strides = tuple(s // values.itemsize for s in view.strides)
        offset = (view.__array_interface__["data"][0] - values.__array_interface__["data"][0]) // values.itemsize
        made = shared.view(view.shape, strides, offset)
        assert made.copy().is_contiguous
        np.testing.assert_array_equal(made.copy().asnumpy(), view)
        np.testing.assert_array_equal(made.contiguous().asnumpy(), view)


def test_contiguous_returns_the_tensor_itself_and_copy_does_not() -> None:
    made = tensor([1, 2])
    assert made.contiguous() is made
    assert made.copy().data_ptr != made.data_ptr


def test_assign_from_copies_and_counts() -> None:
    target, source = tensor([[1, 2], [3, 4]]), tensor([[5, 6], [7, 8]])
    view = target.view((2,), (1,), 2)
    target.assign_from(source)
    np.testing.assert_array_equal(target.asnumpy(), source.asnumpy())
    np.testing.assert_array_equal(view.asnumpy(), [7, 8])
    assert (target.version, view.version, source.version) == (1, 1, 0)


def test_assign_from_an_overlapping_view() -> None:
    target = tensor(np.arange(5))
    target.view((4,), (1,), 1).assign_from(target.view((4,), (1,), 0))
    np.testing.assert_array_equal(target.asnumpy(), [0, 0, 1, 2, 3])


@pytest.mark.parametrize("other", [tensor([1, 2, 3]), tensor([1, 2], "i4"), tensor([[1, 2]])])
def test_assign_from_another_type_names_both(other: Any) -> None:
    with pytest.raises(ValueError, match=r"expected Float32\[2\], got (Float|Int)32\[.*; cast or reshape"):
        tensor([1, 2]).assign_from(other)


def test_set_storage_becomes_the_other_and_counts() -> None:
    target, source = tensor([1, 2]), tensor([[1, 2, 3]], "i4")
    before = target.asnumpy()
    target.set_storage(source)
    assert (target.shape, target.dtype_code, target.data_ptr) == ((1, 3), INT32, source.data_ptr)
    assert target.version == 1
    source.assign_from(tensor([[4, 5, 6]], "i4"))
    assert target.version == 2
    np.testing.assert_array_equal(before, [1, 2])


def test_take_from_exchanges_memory_that_nothing_else_uses() -> None:
    target, source = tensor([1, 2]).copy(), tensor([3, 4]).copy()
    pointers = target.data_ptr, source.data_ptr
    target.take_from(source)
    assert (target.data_ptr, source.data_ptr) == pointers[::-1]
    np.testing.assert_array_equal(target.asnumpy(), [3, 4])
    np.testing.assert_array_equal(source.asnumpy(), [1, 2])
    assert target.version == 1
    target.assign_from(tensor([5, 6]))
    assert target.version == 2


def shared_with_a_view(value: Any) -> Any:
    return value.view((2,), (1,), 0)


def shared_with_numpy(value: Any) -> Any:
    return value.asnumpy()


@pytest.mark.parametrize("share", [shared_with_a_view, shared_with_numpy])
def test_take_from_copies_where_memory_is_shared(share: Any) -> None:
    target, source = tensor([1, 2]).copy(), tensor([3, 4]).copy()
    pointer, other = target.data_ptr, share(target)
    target.take_from(source)
    assert target.data_ptr == pointer
    np.testing.assert_array_equal(np.asarray(other), [3, 4])
    kept = share(source)
    target.copy().take_from(source)
    target.assign_from(tensor([7, 8]))
    np.testing.assert_array_equal(np.asarray(kept), [3, 4])


def test_take_from_leaves_the_memory_of_others_where_it_is() -> None:
    array = np.array([1, 2], np.float32)
    target, mine = TensorBase.from_numpy(array, False), tensor([3, 4]).copy()
    target.take_from(mine)
    np.testing.assert_array_equal(array, [3, 4])
    mine.take_from(target)
    array[:] = 0
    np.testing.assert_array_equal(mine.asnumpy(), [3, 4])


@pytest.mark.parametrize("other", [tensor([1, 2, 3]), tensor([1, 2], "i4")])
def test_take_from_another_type_names_both(other: Any) -> None:
    with pytest.raises(ValueError, match=r"expected Float32\[2\], got"):
        tensor([1, 2]).take_from(other)


@pytest.mark.parametrize("method", ["assign_from", "set_storage", "take_from"])
def test_only_tensors_are_assigned(method: str) -> None:
    with pytest.raises(TypeError, match="the value must be a Tensor, got int"):
        getattr(tensor([1]), method)(3)


def test_subclasses_share_storage_and_have_attributes() -> None:
    base = tensor([1, 2])
    named = Named(base)
    named.label = "x"  # type: ignore[attr-defined]
    assert (named.data_ptr, vars(named)) == (base.data_ptr, {"label": "x"})


def test_constructor_takes_arrays_and_copies_where_it_must() -> None:
    values = np.arange(3, dtype=np.float32)
    assert Named(values).data_ptr == values.__array_interface__["data"][0]
    values.flags.writeable = False
    assert Named(values).data_ptr != values.__array_interface__["data"][0]
    with pytest.raises(TypeError, match="expected a numpy array"):
        Named([1, 2])


def test_a_subclass_that_forgets_init_is_an_empty_tensor() -> None:
    class Forgetful(TensorBase):
        def __init__(self) -> None:
            pass

    assert (Forgetful().shape, Forgetful().asnumpy().size) == ((0,), 0)


def test_result_class_is_the_registered_one() -> None:
    _native.set_tensor_type(Named)
    assert type(tensor([1]).copy()) is Named
    assert type(TensorBase.empty((1,), FLOAT32)) is Named
    with pytest.raises(TypeError, match="must be a subclass of TensorBase"):
        _native.set_tensor_type(int)  # type: ignore[arg-type]


def test_weak_references_and_cycles_are_collected() -> None:
    named = Named(tensor([1]))
    reference = weakref.ref(named)
    named.itself = named  # type: ignore[attr-defined]
    del named
    gc.collect()
    assert reference() is None


def test_an_array_kept_by_its_own_tensor_is_no_leak() -> None:
    named = Named(tensor([1]))
    named.array = named.asnumpy()  # type: ignore[attr-defined]
    reference = weakref.ref(named)
    del named
    assert reference() is None


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("dtype", dt.ALL, ids=str)
def test_pickle_keeps_everything(dtype: DType, protocol: int) -> None:
    named = Named(TensorBase.from_numpy(np.array([[0, 1, 1]]).astype(dt.to_numpy(dtype)), True))
    named.label = "x"  # type: ignore[attr-defined]
    again = pickle.loads(pickle.dumps(named.view((3, 1), (1, 3)), protocol))
    assert (again.shape, again.dtype) == ((3, 1), dtype)
    back = pickle.loads(pickle.dumps(named, protocol))
    np.testing.assert_array_equal(back.asnumpy(), named.asnumpy())
    assert (type(back), back.label) == (Named, "x")


def test_deepcopy_has_its_own_storage() -> None:
    named = Named(tensor([1, 2]))
    assert copy.deepcopy(named).data_ptr != named.data_ptr


@pytest.mark.parametrize(
    ("state", "error"),
    [
        ((10, (2,), b"123", None), ValueError),
        ((99, (2,), b"", None), ValueError),
        ((10, (2,)), TypeError),
        (3, TypeError),
    ],
)
def test_broken_pickles_are_refused(state: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match=r"pickled|dtype code|__setstate__"):
        tensor([1]).__setstate__(state)


def test_numbers_from_tensors_of_one_element() -> None:
    assert (tensor(2.5).item(), tensor([[7]], "u8").item(), tensor(True, "?").item()) == (2.5, 7, True)
    assert (int(tensor([3.9])), float(tensor([2], "i2")), bool(tensor([0]))) == (3, 2.0, False)
    assert [10, 20, 30][tensor([1], "i4")] == 20
    assert tensor(1 + 2j, "c8").item() == 1 + 2j
    assert tensor(-1, "i1").item() == -1
    assert tensor(255, "u1").item() == 255
    assert tensor(-0.5, "f2").item() == -0.5


def test_tensors_of_several_elements_are_no_numbers() -> None:
    with pytest.raises(ValueError, match=r"only a tensor of one element is a number, got shape \(2,\)"):
        tensor([1, 2]).item()
    with pytest.raises(ValueError, match="ambiguous"):
        bool(tensor([1, 2]))
    with pytest.raises(TypeError, match="float"):
        [1, 2][tensor([1.0])]


def test_length() -> None:
    assert len(tensor([[1], [2]])) == 2
    with pytest.raises(TypeError, match="0-d"):
        len(tensor(1))


def test_dtypes_must_match_the_native_table() -> None:
    with pytest.raises(ValueError, match="expected 15 element types, got 1"):
        _native.set_dtypes([dt.bool_])
    with pytest.raises(ValueError, match="element type 0 must be Bool of 1 bytes"):
        _native.set_dtypes(list(reversed(dt.ALL)))
