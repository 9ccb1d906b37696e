"""The public names: what is made from declarations, what is written by hand, and that they agree with MindSpore's signatures."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops
from mindspore.ir.operator import all_operators
from mindspore.ops import composite
from mindspore.ops import functional as F  # noqa: N812
from mindspore.ops import operations as P  # noqa: N812

pytestmark = pytest.mark.compiler

X = Tensor([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize("name", [n for n in P.__all__ if n != "Primitive"])
def test_every_class_is_documented_and_named(name: str) -> None:
    found = getattr(P, name)
    assert found.__doc__
    assert getattr(ops, name) is found


def test_every_operator_is_public_or_internal() -> None:
    classes = {getattr(P, n).__name__ for n in P.__all__}
    for op in all_operators():
        assert op.name in classes or op.name in P.INTERNAL, op.name


@pytest.mark.parametrize("name", [n for n in F.__all__ if n != "GradOperation"])
def test_every_function_is_documented(name: str) -> None:
    assert getattr(F, name).__doc__
    assert getattr(ops, name) is getattr(F, name)


def test_classes_take_attributes_first_and_tensors_then() -> None:
    assert P.MatMul(transpose_b=True)(X, X).tolist() == [[5.0, 11.0], [11.0, 25.0]]
    assert P.MatMul(False, True)(X, X).tolist() == [[5.0, 11.0], [11.0, 25.0]]
    assert P.ReduceSum(keep_dims=True)(X, 1).tolist() == [[3.0], [7.0]]
    assert P.ReduceSum()(X).item() == 10.0
    assert P.Softmax(axis=0)(X).shape == (2, 2)
    assert P.Concat(axis=1)((X, X)).shape == (2, 4)
    assert P.Concat()([X, X]).shape == (4, 2)
    assert P.AddN()([X, X, X]).tolist() == [[3.0, 6.0], [9.0, 12.0]]
    assert P.Reshape()(X, (4,)).shape == (4,)
    assert P.Transpose()(X, (1, 0)).tolist() == [[1.0, 3.0], [2.0, 4.0]]
    assert P.Cast()(X, ms.int32).dtype is ms.int32
    assert P.ExpandDims()(X, 0).shape == (1, 2, 2)
    assert P.Tile()(X, (1, 2)).shape == (2, 4)
    assert P.BroadcastTo((3, 2, 2))(X).shape == (3, 2, 2)
    assert P.TensorAdd is P.Add


def test_classes_that_are_no_operators() -> None:
    assert P.Ones()((2,), ms.int32).tolist() == [1, 1]
    assert P.Zeros()(2).tolist() == [0.0, 0.0]
    assert P.Fill()(ms.float32, (2,), 3).tolist() == [3.0, 3.0]
    assert P.Eye()(2, 2, ms.int32).tolist() == [[1, 0], [0, 1]]
    assert P.OneHot()(Tensor([1]), 2, Tensor(5.0), Tensor(0.0)).tolist() == [[0.0, 5.0]]
    assert (P.Shape()(X), P.Rank()(X), P.Size()(X), P.DType()(X)) == ((2, 2), 2, 4, ms.float32)
    assert repr(P.Shape()) == "Prim[Shape]"


def test_state_is_written_by_classes() -> None:
    p = ms.Parameter(Tensor([1.0, 2.0]), name="p")
    assert P.Assign()(p, Tensor([3.0, 4.0])).tolist() == [3.0, 4.0]
    assert P.AssignAdd()(p, Tensor([1.0, 1.0])).tolist() == [4.0, 5.0]
    assert P.AssignSub()(p, 1).tolist() == [3.0, 4.0]
    m = ms.Parameter(Tensor([0.0, 0.0]), name="m")
    P.ApplyMomentum()(p, m, 0.5, Tensor([1.0, 2.0]), 0.9)
    assert p.tolist() == [2.5, 3.0]
    assert m.tolist() == [1.0, 2.0]
    with pytest.raises(ValueError, match=r"'value' shape: \(3,\), 'variable' shape: \(2,\)"):
        ops.assign(p, Tensor([1.0, 2.0, 3.0]))
    with pytest.raises(TypeError, match="float"):
        ops.assign(1.0, p)


def test_an_object_shows_and_keeps_its_attributes() -> None:
    made = P.MatMul(transpose_b=True)
    assert repr(made) == "Prim[MatMul]<transpose_a=False, transpose_b=True>"
    assert repr(P.Add()) == "Prim[Add]"
    assert (made.name, made.transpose_b) == ("MatMul", True)
    assert made == P.MatMul(False, True) != P.MatMul()
    assert hash(made) == hash(P.MatMul(False, True))
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other == made
    assert P.BroadcastTo([2, 2]).shape == (2, 2)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: P.MatMul(transpose_c=True), TypeError, "transpose_c"),
        (lambda: P.BroadcastTo(), TypeError, "shape"),
        (lambda: P.MatMul().nothing, AttributeError, "nothing"),
        (lambda: P.Nothing, AttributeError, "Nothing.*MatMul"),
        (lambda: ops.nothing, AttributeError, "nothing"),
        (lambda: F.nothing, AttributeError, "nothing"),
        (lambda: ops.exp(), TypeError, "x"),
        (lambda: ops.leaky_relu(X, 0.1, 3), TypeError, "3"),
        (lambda: ops.leaky_relu(X, alfa=0.1), TypeError, "alfa"),
        (lambda: ops.leaky_relu(X, 0.1, alpha=0.1), TypeError, "two values.*alpha"),
        (lambda: ops.exp("a"), TypeError, "str"),
        (lambda: ops.add(X, None), TypeError, "'y'.*NoneType"),
    ],
)
def test_wrong_calls_are_refused(make: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()


def test_inputs_and_attributes_by_name() -> None:
    assert ops.add(x=X, y=1).tolist() == [[2.0, 3.0], [4.0, 5.0]]
    assert ops.leaky_relu(x=-X, alpha=0.5).tolist() == [[-0.5, -1.0], [-1.5, -2.0]]
    assert "alpha" in str(__import__("inspect").signature(ops.leaky_relu))


def test_a_list_stands_for_a_tensor() -> None:
    assert ops.add(X, [1, 2]).tolist() == [[2.0, 4.0], [4.0, 6.0]]
    assert ops.add(1, 2).item() == 3


def test_composite_and_functional_are_the_same_functions() -> None:
    assert composite.GradOperation is ops.GradOperation is F.GradOperation
    assert F.tensor_add is F.add
    assert np.array_equal(F.tensor_add(X, X).asnumpy(), 2 * X.asnumpy())
