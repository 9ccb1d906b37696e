"""Every declaration is tried: reference, inference, expansion, compute data, errors, promotion."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from mindspore.backends.reference.numpy_builder import ExpandingBuilder, NumpyBuilder, arrays, type_of
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.operator import NotDifferentiable, Operator, find
from mindspore.ir.types import TensorType, TupleType, Type
from mindspore.primitives.compute import Elementwise
from mindspore.primitives.samples import Case, Samples, Wrong
from tests.primitives.compute_numpy import evaluate_compute
from tests.primitives.drawing import OPERATORS, assert_same, attributes, inputs_of, special_inputs, swept_dtypes

every_operator = pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)


def as_tuple(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def types_of(inferred: Type) -> tuple[TensorType, ...]:
    elements = inferred.elements if isinstance(inferred, TupleType) else (inferred,)
    assert all(isinstance(t, TensorType) for t in elements)
    return elements  # type: ignore[return-value]


def promotes_to_float(op: Operator, dtype: DType) -> bool:
    return op.promote == "float" and not dtype.is_floating


def check(op: Operator, case: Case, operands: list[Any]) -> None:
    """The reference agrees with inference, with the expansion and with the compute data."""
    attrs = attributes(op, case)
    what = f"{op.name} of {[str(type_of(o)) for o in operands]} with {attrs}"
    inferred = op.infer(*map(type_of, operands), **attrs)
    wanted = as_tuple(arrays(op.reference(*operands, **attrs)))
    for value, expected in zip(wanted, types_of(inferred), strict=True):
        assert type_of(value) == expected, f"{what}: reference gives {type_of(value)}, inference {expected}"
    if op.expand is not None:
        with np.errstate(all="ignore"):
            got = as_tuple(op.expand(ExpandingBuilder(), *operands, **attrs))
    else:
        got = as_tuple(evaluate_compute(op, operands, inferred, attrs))
    for value, expected in zip(got, wanted, strict=True):
        assert_same(value, expected, what, summed=not isinstance(op.compute, Elementwise))


@every_operator
def test_the_declaration_is_complete(op: Operator) -> None:
    assert isinstance(op.samples, Samples), f"{op.name} has no samples"
    assert op.samples.cases
    assert callable(op.gradient) or isinstance(op.gradient, NotDifferentiable), (
        f"{op.name} says nothing about its gradient"
    )
    assert not isinstance(op.gradient, NotDifferentiable) or len(op.gradient.why) > 10, f"{op.name} gives no reason"
    assert op.doc or len(op.inputs) <= 2, f"{op.name} is not described"
    assert set(op.call) <= {*op.inputs, *op.attrs}
    for i, domain in enumerate(op.samples.domains):
        variadic = any(name.startswith("*") for name in op.inputs)
        assert i < max(len(op.inputs), 1) or variadic, f"{op.name}: domain {domain} has no input"


@every_operator
def test_values_agree_at_every_element_type_and_shape(op: Operator) -> None:
    for dtype in swept_dtypes(op):
        for case in op.samples.cases:
            check(op, case, inputs_of(op, case, dtype))


@every_operator
def test_nan_infinity_and_zero(op: Operator) -> None:
    tried = 0
    for dtype in swept_dtypes(op):
        operands = special_inputs(op, dtype)
        if operands is not None:
            check(op, op.samples.cases[0], operands)
            tried += 1
    floating = any(t.is_floating for t in swept_dtypes(op))
    elementwise = op.samples.broadcast or (len(op.inputs) == 1 and op.samples.specials and "axis" not in op.attrs)
    assert tried or not (floating and elementwise), f"{op.name} was not tried with NaN"


BROADCASTING = [op for op in OPERATORS if op.samples.broadcast]


@pytest.mark.parametrize("op", BROADCASTING, ids=lambda op: op.name)
@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_shapes_that_broadcast(op: Operator, data: st.DataObject) -> None:
    shapes = data.draw(
        mutually_broadcastable_shapes(num_shapes=len(op.inputs), max_dims=4, min_side=0, max_side=4)
    ).input_shapes
    dtype = data.draw(st.sampled_from(swept_dtypes(op)))
    case = Case(tuple(shapes))
    check(op, case, inputs_of(op, case, dtype, "hypothesis"))


def wrong_trials() -> list[Any]:
    return [pytest.param(op, w, id=f"{op.name}-{i}") for op in OPERATORS for i, w in enumerate(op.samples.wrong)]


@pytest.mark.parametrize(("op", "wrong"), wrong_trials())
def test_errors_name_operator_argument_and_both_sides(op: Operator, wrong: Wrong) -> None:
    dtypes = wrong.dtypes or ((swept_dtypes(op)[-1],) * len(wrong.shapes))
    types = [TensorType(t, s) for t, s in zip(dtypes, wrong.shapes, strict=True)]
    with pytest.raises(wrong.error) as caught:
        op.infer(*types, **attributes(op, Case(wrong.shapes, wrong.attrs)))
    for word in wrong.says:
        assert word in str(caught.value), f"{op.name}: {str(caught.value)!r} does not say {word!r}"


@every_operator
def test_wrong_inputs_are_declared(op: Operator) -> None:
    accepted = {*op.dtypes, *((dt.bool_, *dt.INTEGERS) if op.promote == "float" else ())}
    takes_all = len(op.inputs) == 1 and not op.attrs and accepted == set(dt.ALL)
    assert op.samples.wrong or takes_all, f"{op.name} declares no input that it refuses"


@every_operator
def test_promotion_brings_mixed_inputs_to_one_type(op: Operator) -> None:
    if op.promote is None:
        assert op.samples.cases, "operators without promotion are covered by their wrong inputs"
        return
    b = NumpyBuilder()
    case = op.samples.cases[1]
    dtypes = [
        t for t in (dt.int8, dt.int32, dt.float16, dt.float32) if t in swept_dtypes(op) or promotes_to_float(op, t)
    ]
    for left in dtypes:
        for right in dtypes:
            operands = [
                inputs_of(op, case, (left, right)[i % 2])[i]
                if op.samples.domain(i).dtype is None
                else inputs_of(op, case, left)[i]
                for i in range(len(case.shapes))
            ]
            moved = b.promoted(op, operands)
            free = [m for i, m in enumerate(moved) if op.samples.domain(i).dtype is None]
            assert len({m.dtype for m in free}) == 1, f"{op.name} of {left} and {right}"
            assert op.promote != "float" or dt.from_numpy(free[0].dtype).is_floating
            check(op, case, moved)


def test_numbers_take_the_type_of_the_tensor_beside_them() -> None:
    b, x = NumpyBuilder(), np.arange(3, dtype=np.float16)
    assert b.add(x, 2.5).dtype == np.float16
    assert b.add(2, x).dtype == np.float16
    assert b.add(x.astype(np.int32), 2.5).dtype == np.float32
    assert b.less(x, 1).dtype == np.bool_
    assert b.select(x < 1, 0, x).dtype == np.float16


def test_means_of_narrow_numbers_do_not_overflow() -> None:
    for b in (NumpyBuilder(), ExpandingBuilder()):
        assert b.reduce_mean(np.full(300, 100, np.int8)) == 100
        assert b.reduce_mean(np.full(1000, 60000, np.float16)) == np.float16(60000)
        gradient = find("ReduceMean").gradient
        x, d = np.zeros(100_000, np.float16), np.asarray(1000, np.float16)
        assert gradient(b, x, d, d, axis=(), keep_dims=False)[0][0] == np.float16(0.01)  # type: ignore[operator, misc]
