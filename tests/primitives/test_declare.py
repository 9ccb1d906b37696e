"""The tools that declarations are written with."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from mindspore.backends.reference.numpy_builder import NumpyBuilder
from mindspore.base import dtypes as dt
from mindspore.ir.builder import GraphBuilder, complete_attrs
from mindspore.ir.graph import Parameter
from mindspore.ir.operator import NotDifferentiable, find
from mindspore.ir.types import TensorType
from mindspore.primitives.compute import Alias, Elementwise
from mindspore.primitives.declare import broadcast_shape, check_rank, operator, quiet, snake, wide


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("ReduceSum", "reduce_sum"),
        ("MatMul", "mat_mul"),
        ("Add", "add"),
        ("SoftmaxCrossEntropy", "softmax_cross_entropy"),
    ],
)
def test_function_names_come_from_class_names(name: str, function: str) -> None:
    assert snake(name) == function


def test_names_are_taken_once() -> None:
    facts: dict[str, Any] = {"infer": None, "reference": None, "gradient": NotDifferentiable("only a test")}
    with pytest.raises(ValueError, match=r"operator Add \(add\) is declared twice"):
        operator("Add", "x", compute=Alias(), **facts)
    with pytest.raises(ValueError, match="Both must have exactly one of compute and expand"):
        operator("Both", "x", compute=Alias(), expand=lambda b, x: x, **facts)
    with pytest.raises(ValueError, match="Neither must have exactly one of compute and expand"):
        operator("Neither", "x", **facts)


def test_operators_are_found_by_both_names_and_pickle_by_name() -> None:
    assert find("MatMul") is find("matmul")
    assert pickle.loads(pickle.dumps(find("MatMul"))) is find("MatMul")
    with pytest.raises(KeyError, match="no operator is called 'Matmul'"):
        find("Matmul")


def test_attributes_have_names_and_may_be_required() -> None:
    assert complete_attrs(find("ReduceSum"), {"axis": 1}) == {"axis": 1, "keep_dims": False}
    with pytest.raises(TypeError, match="ReduceSum has no attribute 'dim'; it has axis, keep_dims"):
        complete_attrs(find("ReduceSum"), {"dim": 1})
    with pytest.raises(TypeError, match="Reshape needs attribute 'shape'"):
        complete_attrs(find("Reshape"), {})


def test_builders_refuse_names_that_nothing_declares() -> None:
    with pytest.raises(AttributeError, match="no operator is called 'frobnicate'"):
        NumpyBuilder().frobnicate(np.zeros(2))


def test_half_precision_is_rounded_once() -> None:
    x = np.array([2048.0], np.float16)
    product = wide(lambda a: a * a / a)
    assert product(x).dtype == np.float16
    assert product(x)[0] == 2048.0, "the square overflows float16 but not float32"


def test_references_do_not_warn() -> None:
    with np.errstate(all="raise"):
        assert np.isnan(quiet(np.log)(np.array([-1.0])))[0]


def test_errors_say_what_does_not_fit() -> None:
    one, two = TensorType(dt.float32, (2, 3)), TensorType(dt.int32, (4,))
    with pytest.raises(ValueError, match=r"Op: the shapes of 'a' \[2, 3\] and 'b' \[4\] do not broadcast"):
        broadcast_shape("Op", ("a", "b"), (one, two))
    with pytest.raises(ValueError, match=r"Op: argument 'b' must have 2 to 3 dimension\(s\), but got Int32\[4\]"):
        check_rank("Op", "b", two, 2, 3)


def test_gradients_of_complex_tensors_are_refused() -> None:
    b, z = GraphBuilder(), Parameter("z", TensorType(dt.complex64, (2,)))
    with pytest.raises(
        TypeError, match="Mul: gradients are defined for real tensors, but argument 'x' has type Complex64"
    ):
        find("Mul").gradient(b, z, z, z, z)  # type: ignore[operator, misc]


def test_a_bool_sum_is_a_truth_function() -> None:
    """LLVM's one-bit addition would be exclusive."""
    compute = find("Add").compute
    assert isinstance(compute, Elementwise)
    assert NumpyBuilder().add(np.array([True]), np.array([True])).tolist() == [True]
