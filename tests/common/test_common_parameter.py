"""Parameters, their tuples, initializers, the seed and element types."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, ParameterTuple, Tensor, nn, ops
from mindspore.common import initializer as init
from mindspore.common.initializer import initializer

pytestmark = pytest.mark.compiler


def test_a_parameter_is_a_named_tensor_of_its_own() -> None:
    data = Tensor([1.0, 2.0])
    p = Parameter(data, name="w")
    data[0] = 9
    assert isinstance(p, Tensor)
    assert p.tolist() == [1.0, 2.0]
    assert repr(p) == str(p) == "Parameter (name=w, shape=(2,), dtype=Float32, requires_grad=True)"
    assert type(p + 1) is Tensor
    assert type(p.value()) is Tensor


def test_value_shares_memory() -> None:
    p = Parameter(Tensor([1.0, 2.0]), name="w")
    p.value()[0] = 5
    assert p.tolist() == [5.0, 2.0]


def test_defaults() -> None:
    assert Parameter(3).dtype is ms.int32
    assert Parameter(3.0).dtype is ms.float32
    assert Parameter([1, 2]).dtype is ms.int64
    assert Parameter(1.0).name.startswith("Parameter#")
    assert Parameter(1.0).name != Parameter(1.0).name


def test_set_data_converts_and_checks() -> None:
    p = Parameter(Tensor([1.0, 2.0]), name="w")
    memory = p.asnumpy()
    assert p.set_data(Tensor([3, 4])) is p
    assert memory.tolist() == [3.0, 4.0]
    assert p.set_data(Tensor([1.0, 2.0, 3.0]), slice_shape=True).shape == (3,)
    with pytest.raises(ValueError, match=r"w.*\(3,\).*\(2,\)"):
        p.set_data(Tensor([1.0, 2.0]))
    with pytest.raises(TypeError, match="list"):
        p.set_data([1.0])
    with pytest.raises(TypeError, match=r"Float32.*Int64"):
        Parameter([1, 2]).set_data(Tensor([1.0, 2.0]))


def test_clone_copies_and_pickles() -> None:
    p = Parameter(Tensor([1.0, 2.0]), name="w", requires_grad=False)
    for made in (p.clone(), copy.copy(p), copy.deepcopy(p), pickle.loads(pickle.dumps(p))):
        assert type(made) is Parameter
        assert (made.name, made.requires_grad, made.tolist()) == ("w", False, [1.0, 2.0])
        assert made.asnumpy().ctypes.data != p.asnumpy().ctypes.data
    assert p.clone("zeros").tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Parameter("x"), TypeError, "str"),
        (lambda: Parameter(1.0, name=3), TypeError, "name"),
        (lambda: Parameter(1.0, name=""), ValueError, "name"),
        (lambda: Parameter(1.0, requires_grad=1), TypeError, "requires_grad"),
        (lambda: ParameterTuple([1]), TypeError, "Parameter"),
        (lambda: ParameterTuple([Parameter(1.0, "a"), Parameter(2.0, "a")]), RuntimeError, "'a'"),
    ],
)
def test_wrong_parameters_are_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_a_tuple_clones_with_a_prefix() -> None:
    both = ParameterTuple([Parameter(1.0, "a"), Parameter(2.0, "b")])
    copies = both.clone("moments", "zeros")
    assert [p.name for p in copies] == ["moments.a", "moments.b"]
    assert [p.item() for p in copies] == [0.0, 0.0]
    assert isinstance(both, tuple)


SHAPE = (400, 100)


@pytest.mark.parametrize(
    ("chosen", "low", "high", "deviation"),
    [
        (init.Normal(), -0.06, 0.06, 0.01),
        (init.Uniform(), -0.07, 0.07, 0.07 / math.sqrt(3)),
        (init.XavierUniform(), -math.sqrt(6 / 500), math.sqrt(6 / 500), math.sqrt(2 / 500)),
        (init.XavierNormal(), -0.4, 0.4, math.sqrt(2 / 500)),
        (init.HeUniform(), -math.sqrt(6 / 100), math.sqrt(6 / 100), math.sqrt(2 / 100)),
        (init.HeUniform(math.sqrt(5)), -0.1, 0.1, 0.1 / math.sqrt(3)),
        (init.HeNormal(), -0.9, 0.9, math.sqrt(2 / 100)),
        (init.HeNormal(mode="fan_out", nonlinearity="relu"), -0.5, 0.5, math.sqrt(2 / 400)),
        (init.TruncatedNormal(), -0.06, 0.06, 0.01),
        (init.TruncatedNormal(sigma=1.0, a=-1, b=1), -1, 1, 0.54),
        (init.Constant(3), 3, 3, 0),
        (init.Zero(), 0, 0, 0),
        (init.One(), 1, 1, 0),
    ],
    ids=repr,
)
def test_distributions(chosen: init.Initializer, low: float, high: float, deviation: float) -> None:
    ms.set_seed(11)
    values = initializer(chosen, SHAPE, ms.float32).asnumpy()
    assert values.min() >= low
    assert values.max() <= high
    assert values.std() == pytest.approx(deviation, rel=0.05, abs=1e-9)


def test_initializers_by_name_number_and_tensor() -> None:
    assert initializer("ones", 2, ms.int32).tolist() == [1, 1]
    assert initializer("Zeros", [1, 2]).tolist() == [[0.0, 0.0]]
    assert initializer(0.5, (2,), ms.float16).dtype is ms.float16
    assert initializer("normal", (2,), ms.bfloat16).dtype is ms.bfloat16
    given = Tensor([1.0, 2.0])
    made = initializer(given, (2,))
    made[0] = 9
    assert given.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: initializer("foo", (2,)), ValueError, "'foo' was not found"),
        (lambda: initializer("normal", (0.5,)), ValueError, "positive integer"),
        (lambda: initializer("normal"), ValueError, "shape"),
        (lambda: initializer(None, (2,)), TypeError, "NoneType"),
        (lambda: initializer(Tensor([1.0]), (2,)), ValueError, r"\(1,\).*\(2,\)"),
        (lambda: init.HeNormal(mode="fan"), ValueError, "fan_in"),
        (lambda: init.HeNormal(nonlinearity="x"), ValueError, "relu"),
        (lambda: init.TruncatedNormal(a=1, b=0), ValueError, "a=1"),
        (lambda: initializer(init.Initializer(), (2,)), TypeError, "_initialize"),
    ],
)
def test_wrong_initializers_are_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_a_users_own_initializer() -> None:
    class Ramp(init.Initializer):
        def _initialize(self, arr: Any) -> None:
            arr[...] = np.arange(arr.size).reshape(arr.shape)

    assert initializer(Ramp(), (3,)).tolist() == [0.0, 1.0, 2.0]


def test_the_seed_repeats_numbers() -> None:
    ms.set_seed(5)
    first = initializer("normal", (4,)).tolist(), np.random.rand()
    ms.set_seed(5)
    assert ms.get_seed() == 5
    assert (initializer("normal", (4,)).tolist(), np.random.rand()) == first
    assert initializer("normal", (4,)).tolist() != first[0]


@pytest.mark.parametrize(("seed", "error"), [(-1, ValueError), (1.5, TypeError), (True, TypeError)])
def test_wrong_seeds_are_refused(seed: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="seed"):
        ms.set_seed(seed)


def test_element_types_convert() -> None:
    assert ms.dtype_to_nptype(ms.float32) is np.float32
    assert ms.dtype_to_nptype(ms.bool_) is np.bool_
    assert ms.dtype.dtype_to_pytype(ms.int8) is int
    assert ms.pytype_to_dtype(float) is ms.float64
    assert ms.pytype_to_dtype(np.float16) is ms.float16
    assert ms.pytype_to_dtype(ms.int8) is ms.int8
    assert ms.dtype.float16 in ms.dtype.number_type
    with pytest.raises(TypeError, match="b'x'"):
        ms.pytype_to_dtype(b"x")
    with pytest.raises(TypeError, match="str"):
        ms.dtype_to_nptype("float32 as str")


class Assigning(nn.Cell):
    def __init__(self, first: Any) -> None:
        super().__init__()
        self.kept = Parameter(first, name="kept")

    def construct(self, value: Any) -> Any:
        return ops.assign(self.kept, value)


@pytest.mark.parametrize(
    ("first", "value"), [(Tensor([1, 2]), Tensor([1.5, 2.5])), (Tensor([1.0]), Tensor([1j])), (Tensor(1), 0.5)]
)
def test_numbers_of_a_higher_kind_are_not_assigned(mode: str, first: Any, value: Any) -> None:
    cell = Assigning(first)
    with pytest.raises(TypeError, match=r"Int64|Float32.*astype"):
        cell(value)
    assert cell.kept.tolist() == first.tolist()


def test_a_number_is_assigned_to_a_parameter_without_dimensions_only(mode: str) -> None:
    cell = Assigning(Tensor(1.0))
    cell(2)
    assert cell.kept.item() == 2.0
    with pytest.raises(ValueError, match=r"shape"):
        Assigning(Tensor([1.0, 2.0]))(2)
