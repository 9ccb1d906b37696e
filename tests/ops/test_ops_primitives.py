"""Operators by name and of users, notes on them, kinds of values, and the operators of gradients; in both modes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, ops
from mindspore.common import dtype as mstype
from mindspore.ops import composite as C  # noqa: N812 -- MindSpore's name
from mindspore.ops import functional as F  # noqa: N812 -- MindSpore's name
from mindspore.ops import operations as P  # noqa: N812 -- MindSpore's name
from tests.frontend.programs import check

pytestmark = pytest.mark.compiler

X = Tensor([-1.0, 2.0])


class Area(ops.PrimitiveWithInfer):
    @ops.prim_attr_register
    def __init__(self, unit: int = 2) -> None:
        self.doubled = unit * 2

    def infer_value(self, *args: Any) -> Any:
        return args[0] * args[1] * self.attrs["unit"]


class ReLU(ops.PrimitiveWithCheck):
    @ops.prim_attr_register
    def __init__(self) -> None:
        self.add_prim_attr("note", 1)


class MatMul(ops.PrimitiveWithInfer):
    @ops.prim_attr_register
    def __init__(self, transpose_b: bool = True) -> None:
        """Its attribute is the operator's."""


class Unknown(ops.PrimitiveWithInfer):
    @ops.prim_attr_register
    def __init__(self) -> None:
        """There is no operator of this name."""


AREA, RELU, MATMUL, UNKNOWN = Area(3), ReLU(), MatMul(), Unknown()


def by_users(x: Any) -> Any:
    rows = x.reshape(1, 2)
    return AREA(2, 5), RELU(x), MATMUL(rows, rows)


def test_operators_of_users() -> None:
    value, positive, product = check(by_users, X)
    assert (value, positive.tolist(), product.tolist()) == (30, [0.0, 2.0], [[5.0]])
    assert (AREA.name, AREA.attrs, AREA.doubled, repr(AREA)) == ("Area", {"unit": 3}, 6, "Prim[Area]")
    assert RELU.attrs == {"note": 1}


def test_an_operator_without_a_kernel_says_so(mode: str) -> None:
    run: Any = ms.jit(lambda x: UNKNOWN(x)) if mode == "graph" else UNKNOWN
    with pytest.raises(TypeError, match="'Unknown' has neither a kernel nor an infer_value"):
        run(X)


def test_operators_by_name() -> None:
    assert check(lambda x: ops.Primitive("Mul")(x, x), X).tolist() == [1.0, 4.0]
    assert isinstance(ops.Primitive("Mul"), ops.Primitive)
    assert ops.Primitive(name="Mul") == P.Mul()
    with pytest.raises(ValueError, match="no operator with the name 'Nothing'"):
        ops.Primitive("Nothing")


@pytest.mark.parametrize("made", [P.MatMul(transpose_b=True), P.OneHot()])
def test_notes(made: Any) -> None:
    assert made.instance_name == made.name
    assert made.add_prim_attr("primitive_target", "CPU").set_prim_instance_name("own") is made
    made.init_prim_io_names(inputs=["x", "y"], outputs=["z"])
    assert made.instance_name == "own"
    assert made.del_prim_attr("instance_name").attrs == {
        "primitive_target": "CPU", "input_names": ["x", "y"], "output_names": ["z"],
    }  # fmt: skip


def test_a_noted_operator_runs_as_before() -> None:
    noted = P.Mul().add_prim_attr("primitive_target", "CPU")
    assert check(lambda x: noted(x, x), X).tolist() == [1.0, 4.0]


def kinds(x: Any) -> Any:
    number, of_tensor = F.typeof(3), F.typeof(x)
    return (
        F.issubclass_(number, mstype.int_), F.issubclass_(number, mstype.float_), F.issubclass_(mstype.bool_, mstype.number),
        F.issubclass_(of_tensor, mstype.tensor_type), of_tensor == F.typeof(x + 1), of_tensor == F.typeof(x[0]),
        F.isinstance_(x, mstype.tensor_type), F.isinstance_(x, mstype.number), F.isinstance_((x, 1), mstype.tuple_),
        F.isinstance_([x], mstype.list_), F.isinstance_("a", mstype.string), F.isinstance_(None, mstype.type_none),
        F.isinstance_({"a": x}, mstype.dict_), P.IsInstance()(1.5, mstype.float_), P.IsSubClass()(mstype.int8, mstype.uint),
    )  # fmt: skip


def test_kinds_of_values() -> None:
    found = check(kinds, X)
    assert found == (True, False, True, True, True, False, True, False, *[True] * 6, False)
    assert (repr(ms.int_), repr(ms.tensor_type), str(ms.number)) == ("mindspore.int", "mindspore.tensor", "Number")
    assert (ms.half, ms.intp, ms.double) == (ms.float16, ms.int64, ms.float64)
    with pytest.raises(TypeError, match=r"issubclass_.*got 3"):
        ms.issubclass_(3, ms.number)
    with pytest.raises(TypeError, match=r"get_py_obj_dtype.*got <object"):
        ms.get_py_obj_dtype(object())


def test_functions_registered_for_kinds() -> None:
    named = C.MultitypeFuncGraph("named")

    @named.register(mstype.tensor_type, mstype.number)
    def _tensors(x: Any, y: Any) -> Any:
        return x + y

    @named.register(mstype.tuple_, mstype.tuple_)
    def _tuples(x: Any, y: Any) -> Any:
        return x[0] + y[0]

    assert check(lambda x: (named(x, 2), named((x,), (x,))), X)[0].tolist() == [1.0, 4.0]


def on_scalars(x: Any) -> Any:
    function = F.switch(x.sum() > 0, lambda v: v + 1, lambda v: v - 1)
    return function(x), F.is_(None, None), F.is_not(x, None), F.scalar_log(1.0), F.shape_mul((2, 3)), F.scalar_max(1, 2)


def test_functions_of_values() -> None:
    assert check(on_scalars, X)[1:] == (True, True, 0.0, 6, 2)


def with_operators_of_types(x: Any) -> Any:

    from mindspore.ops.composite import multitype_ops as m

    return (
        m.zeros_like((x, 2, [x, 3.0])), m.ones_like({"a": x}), m.add(x, 1), m.add((1,), (2,)), m.logical_and(x > 0, x < 3),
        m.logical_or(0, 2), m.getitem((1, 2), 1), m.setitem([1, 2], 0, 5), m.in_(1, (1, 2)), m.not_in_(1, (1, 2)), m.floordiv(7, 2),
    )  # fmt: skip


def test_operators_of_types() -> None:
    found = check(with_operators_of_types, X)
    assert found[0][1:] == (0, [*found[0][2][:1], 0.0])
    assert found[5:] == (2, 2, [5, 2], True, False, 3)


FORMULAS: dict[str, Any] = {
    "AbsGrad": lambda a, b: b * np.sign(a),
    "EluGrad": lambda a, b: np.where(b < 0, a * (b + 1), a),
    "InvGrad": lambda a, b: -b * a * a,
    "LogSoftmaxGrad": lambda a, b: b - np.exp(a) * b.sum(-1, keepdims=True),
    "ReLU6Grad": lambda a, b: a * ((b > 0) & (b < 6)),
    "ReciprocalGrad": lambda a, b: -b * a * a,
    "ReluGrad": lambda a, b: a * (b > 0),
    "RsqrtGrad": lambda a, b: -b * a**3 / 2,
    "SigmoidGrad": lambda a, b: b * a * (1 - a),
    "SoftmaxGrad": lambda a, b: a * (b - (a * b).sum(-1, keepdims=True)),
    "SqrtGrad": lambda a, b: b / (2 * a),
    "TanhGrad": lambda a, b: b * (1 - a * a),
}


@pytest.mark.parametrize("name", FORMULAS)
def test_operators_of_gradients(name: str) -> None:
    from mindspore.ops.operations import _grad_ops

    a, b = np.array([[-1.5, 0.5, 2.0]]), np.array([[3.0, -0.25, 7.0]])
    found = check(lambda x, y: getattr(_grad_ops, name)()(x, y), Tensor(a), Tensor(b))
    np.testing.assert_allclose(found, FORMULAS[name](a, b), rtol=1e-12)


def test_operators_of_gradients_of_other_shapes() -> None:
    from mindspore.ops.operations import _grad_ops as G  # noqa: N812 -- MindSpore's name

    x = Tensor(np.arange(6.0).reshape(2, 3))
    assert check(lambda v: G.BiasAddGrad()(v), x).tolist() == [3.0, 5.0, 7.0]
    assert check(lambda v: G.FlattenGrad()(v, (3, 2)), x).shape == (3, 2)
    assert [g.tolist() for g in check(lambda v: G.MaximumGrad()(v, v * 0 + 2, v), x)] == [
        [[0.0, 0.0, 2.0], [3.0, 4.0, 5.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
    ]  # fmt: skip
    assert [g.tolist() for g in check(lambda v: G.MinimumGrad()(v, v * 0 + 2, v), x)] == [
        [[0.0, 1.0, 2.0], [0.0, 0.0, 0.0]], [[0.0, 0.0, 0.0], [3.0, 4.0, 5.0]],
    ]  # fmt: skip
