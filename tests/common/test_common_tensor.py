"""Tensors: making them, printing them, converting them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor
from mindspore.base.dtypes import ALL, DType
from mindspore.common.initializer import One

pytestmark = pytest.mark.compiler


@pytest.mark.parametrize(
    ("data", "dtype", "shape"),
    [
        ([1, 2], ms.int64, (2,)),
        ([1.0, 2], ms.float32, (2,)),
        ((1, 2.0, True), ms.float32, (3,)),
        (True, ms.bool_, ()),
        (3, ms.int64, ()),
        (0.5, ms.float32, ()),
        (1 + 2j, ms.complex128, ()),
        ([], ms.float32, (0,)),
        ([[]], ms.float32, (1, 0)),
        (np.float64(3), ms.float64, ()),
        (np.int32(3), ms.int32, ()),
        (np.zeros((2, 0, 3), np.uint16), ms.uint16, (2, 0, 3)),
        (np.zeros(2, np.float64), ms.float64, (2,)),
    ],
)
def test_python_and_numpy_data_get_mindspores_types(data: Any, dtype: DType, shape: tuple[int, ...]) -> None:
    made = Tensor(data)
    assert made.dtype is dtype
    assert made.shape == shape
    np.testing.assert_array_equal(made.asnumpy(), np.asarray(data))


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_every_element_type_converts_from_a_list(dtype: DType) -> None:
    made = Tensor([1, 0], dtype)
    assert made.dtype is dtype
    assert made.itemsize == dtype.itemsize
    assert made.nbytes == 2 * dtype.itemsize
    assert made.tolist() == [1, 0]


def test_tensors_inside_lists_are_taken_apart() -> None:
    assert Tensor([Tensor(1.0), Tensor(2.0)]).tolist() == [1.0, 2.0]


def test_a_tensor_of_a_tensor_is_a_copy() -> None:
    first = Tensor([1.0, 2.0])
    second = Tensor(first, ms.float16)
    third = Tensor(first)
    first[0] = 9
    assert second.dtype is ms.float16
    assert second.tolist() == [1.0, 2.0]
    assert third.tolist() == [1.0, 2.0]


def test_shape_and_init_make_a_tensor() -> None:
    assert Tensor(shape=(2, 3), dtype=ms.float32, init=One()).tolist() == [[1.0] * 3] * 2


def test_from_numpy_shares_memory_and_the_constructor_does_not() -> None:
    array = np.ones(3, np.float32)
    shared, own = Tensor.from_numpy(array), Tensor(array)
    array[0] = 5
    assert shared.tolist() == [5.0, 1.0, 1.0]
    assert own.tolist() == [1.0, 1.0, 1.0]
    assert ms.from_numpy(array).asnumpy().ctypes.data == array.ctypes.data


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Tensor("a"), TypeError, "str"),
        (lambda: Tensor(None), TypeError, "NoneType"),
        (lambda: Tensor([[1, 2], [3]]), TypeError, "unsupported element"),
        (lambda: Tensor(["a"]), TypeError, "unsupported element"),
        (lambda: Tensor([1], dtype="float32"), TypeError, "mindspore.float32"),
        (lambda: Tensor([1], shape=(1,)), ValueError, "shape"),
        (lambda: Tensor(init=One()), ValueError, "dtype=None"),
        (lambda: Tensor.from_numpy([1]), TypeError, "numpy.ndarray"),
    ],
)
def test_wrong_data_is_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (np.array([4, 10, 18], np.float32), "[ 4. 10. 18.]"),
        (np.ones([1, 2, 1, 2], np.float32), "[[[[1. 1.]]\n\n  [[1. 1.]]]]"),
        (np.array([1e-8, 1, 1000.5], np.float32), "[1.0000e-08 1.0000e+00 1.0005e+03]"),
        (np.float32(1 / 3), "0.33333334"),
        (np.zeros((0, 3)), "[]"),
        (np.array([True, False]), "[ True False]"),
    ],
)
def test_str_is_numpys(data: Any, text: str) -> None:
    assert str(Tensor(data)) == text == f"{Tensor(data)}"


@pytest.mark.parametrize(
    ("data", "dtype", "value"),
    [
        ([1, 2, 3], None, " [1, 2, 3]"),
        ([-1, 200, 3], None, " [ -1, 200,   3]"),
        ([1.0, 2], None, " [ 1.00000000e+00,  2.00000000e+00]"),
        ([1e-30, 1e30, -5], None, " [ 1.00000000e-30,  1.00000002e+30, -5.00000000e+00]"),
        ([1e-300, 1e300], ms.float64, " [1.00000000e-300, 1.00000000e+300]"),
        ([1, 2], ms.float16, " [ 1.0000e+00,  2.0000e+00]"),
        ([1.5, 2.25], ms.bfloat16, " [ 1.5, 2.25]"),
        ([True, True], None, " [ True,  True]"),
        ([1 + 2j, 3.5 - 4j], None, " [1+2j, 3.5-4j]"),
        (1.5, None, " 1.5"),
        (1e10, None, " 1e+10"),
        (-0.0, None, " -0"),
        (True, None, " True"),
        ([], None, " "),
        ([[]], None, "\n"),
        ([float("nan"), 1.0, -float("inf")], None, " [            nan,  1.00000000e+00,            -inf]"),
        (np.zeros((2, 1, 2), np.int32), None, "\n[[[0, 0]],\n [[0, 0]]]"),
        (np.arange(2000).reshape(2, 1000), None,
         "\n[[   0,    1,    2 ...  997,  998,  999],\n [1000, 1001, 1002 ... 1997, 1998, 1999]]"),
        (np.ones(1001, np.int32), None, " [1, 1, 1 ... 1, 1, 1]"),
        ([1] * 25, None, f" [{', '.join('1' * 24)}, \n 1]"),
        ([1] * 24, ms.uint8, f" [{', '.join('1' * 24)}\n ]"),
        ([False] * 13, None, f" [{', '.join(['False'] * 12)}, \n False]"),
        ([[1] * 7], None, "\n[[1, 1, 1 ... 1, 1, 1]]"),
        (np.ones((1001, 1), np.int32), None, "\n[[1],\n [1],\n [1],\n ...\n [1],\n [1],\n [1]]"),
    ],
)  # fmt: skip
def test_repr_has_mindspores_layout(data: Any, dtype: DType | None, value: str) -> None:
    made = Tensor(data, dtype)
    assert repr(made) == f"Tensor(shape={list(made.shape)}, dtype={made.dtype}, value={value})"


def test_numbers_come_out() -> None:
    assert (Tensor(2.5).item(), int(Tensor(1.7)), float(Tensor([3])), bool(Tensor(0))) == (2.5, 1, 3.0, False)
    assert ["a", "b", "c"][Tensor(1)] == "b"
    assert f"{Tensor(1.5):.2f}" == "1.50"
    assert round(Tensor([1.4, 1.6])).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("use", "error"),
    [
        (lambda t: t.item(), ValueError),
        (bool, ValueError),
        (float, ValueError),
        (lambda t: [1, 2][t], ValueError),
        (lambda t: len(t[0]), TypeError),
        (lambda t: list(t[0]), TypeError),
    ],
)
def test_several_elements_are_no_number(use: Any, error: type[Exception]) -> None:
    with pytest.raises(error):
        use(Tensor([1.0, 2.0]))


def test_it_is_a_sequence_of_rows() -> None:
    x = Tensor([[1, 2], [3, 4]])
    assert len(x) == 2
    assert [row.tolist() for row in x] == [[1, 2], [3, 4]]
    assert 3 in x
    assert 7 not in x


def test_numpy_reads_it_without_a_copy() -> None:
    x = Tensor([1.0, 2.0])
    np.asarray(x)[0] = 7
    assert x.tolist() == [7.0, 2.0]
    assert np.array(x, dtype=np.int32).tolist() == [7, 2]
    assert (np.ones(2, np.float32) + x).tolist() == [8.0, 3.0]


def test_hash_is_identity() -> None:
    x, y = Tensor([1.0]), Tensor([1.0])
    assert len({x: 1, y: 2}) == 2


def test_equality_beside_other_things() -> None:
    x = Tensor([1.0, 2.0])
    assert (x == x).tolist() == [True, True]
    assert (x == 1).tolist() == [True, False]
    assert (x == None) is False  # noqa: E711
    assert (x != None) is True  # noqa: E711
    assert (x == "x") is False


@pytest.mark.parametrize("dtype", ALL, ids=str)
def test_pickle_and_copies_keep_everything(dtype: DType) -> None:
    x = Tensor([[1, 0], [1, 1]], dtype)
    for made in (pickle.loads(pickle.dumps(x)), copy.copy(x), copy.deepcopy(x), x.copy()):
        assert type(made) is Tensor
        assert made.dtype is dtype
        assert made.tolist() == x.tolist()
        assert made.asnumpy().ctypes.data != x.asnumpy().ctypes.data


def test_a_view_is_pickled_by_its_own_elements() -> None:
    x = Tensor(np.arange(6).reshape(2, 3))
    assert pickle.loads(pickle.dumps(x[:, 1])).tolist() == [1, 4]


def test_plain_attributes() -> None:
    x = Tensor(np.zeros((2, 3, 4), np.float32))
    assert (x.ndim, x.size, x.dim(), x.ndimension(), x.numel(), x.nelement()) == (3, 24, 3, 3, 24, 24)
    assert x.strides == (48, 16, 4)
    assert x.T.shape == (4, 3, 2)
    assert x.is_floating_point()
    assert x.is_contiguous()
    assert not x[:, ::2].is_contiguous()
    assert x[:, ::2].contiguous().is_contiguous()
    assert x.contiguous() is x
    assert x.data is x
    assert not x.has_init
    assert x.init_data() is x


def test_without_data_an_initializer_its_name_a_number_or_nothing_fills() -> None:
    made = [Tensor(shape=(2, 1), dtype=ms.bfloat16, init=init) for init in (One(), "ones", 1)]
    assert [m.tolist() for m in made] == [[[1.0], [1.0]]] * 3
    assert Tensor(shape=2, dtype=ms.int32).tolist() == [0, 0]
    with pytest.raises(ValueError, match=r"both 'shape' and 'dtype'.*None"):
        Tensor(shape=(2,))
    with pytest.raises(ValueError, match="class corresponding to 'onse' was not found"):
        Tensor(shape=2, dtype=ms.int32, init="onse")


@pytest.mark.parametrize("shape", [(1 << 32, 1 << 32), (1 << 63,)])
def test_shapes_that_no_memory_holds(shape: tuple[int, ...]) -> None:
    makes: tuple[Callable[[], Any], ...] = (
        lambda: Tensor(shape=shape, dtype=ms.float32),
        lambda: ms.ops.zeros(shape),
        lambda: Tensor(0.0).broadcast_to(shape),
        lambda: ms.jit(lambda x: x.broadcast_to(shape) * 2)(Tensor(0.0)),
    )
    for make in makes:
        with pytest.raises(MemoryError, match="does not fit in memory"):
            make()


def test_values_that_do_not_fit_convert_without_warnings(recwarn: pytest.WarningsRecorder) -> None:
    assert Tensor([1e300]).tolist() == [float("inf")]
    assert Tensor(2 + 3j, ms.float32).item() == 2.0
    assert Tensor([3j, 0j], ms.bool_).tolist() == [True, False]
    assert not recwarn.list


def test_nested_lists_of_unequal_length_say_so() -> None:
    with pytest.raises(TypeError, match=r"\[\[1, 2\], \[3\]\].*equal lengths\.$"):
        Tensor([[1, 2], [3]])


def test_from_numpy_of_a_number_has_no_dimensions() -> None:
    assert Tensor.from_numpy(np.array(1.0)).shape == ()
