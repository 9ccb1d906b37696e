"""Every operator through every way to run it, against its reference."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest

from mindspore.backends.reference.numpy_builder import NumpyBuilder, arrays, type_of
from mindspore.base import dtypes as dt
from mindspore.ir.operator import Operator
from mindspore.primitives.compute import Elementwise, Update
from mindspore.primitives.samples import Case, Wrong
from tests.primitives.drawing import (
    OPERATORS,
    assert_same,
    attributes,
    broadcast_cases,
    inputs_of,
    special_inputs,
    swept_dtypes,
)
from tests.primitives.runners import RUNNERS, Call

pytestmark = pytest.mark.compiler
ULPS = 16
"""Kernels round their polynomials differently from numpy's library."""


def calls_of(op: Operator) -> list[Call]:
    """All cases and more that broadcast in Float32 (or the first type), two in every other type, and NaN, infinities and zeros."""
    dtypes = swept_dtypes(op)
    main = dt.float32 if dt.float32 in dtypes else dtypes[0]
    found: list[Call] = []
    for dtype in dtypes:
        cases = (
            op.samples.cases if dtype is main else (op.samples.cases[-1], op.samples.cases[len(op.samples.cases) // 2])
        )
        found += [(op, inputs_of(op, case, dtype), attributes(op, case)) for case in cases]
        specials = special_inputs(op, dtype)
        if specials is not None:
            found.append((op, specials, attributes(op, op.samples.cases[0])))
    if op.samples.broadcast:
        found += [(op, inputs_of(op, case, main), attributes(op, case)) for case in broadcast_cases(op, 12)]
    return found


def wanted(call: Call) -> tuple[Any, ...]:
    op, operands, attrs = call
    result = arrays(op.reference(*operands, **attrs))
    return result if isinstance(result, tuple) else (result,)


@pytest.mark.parametrize("runner", RUNNERS)
@pytest.mark.parametrize("op", OPERATORS, ids=lambda op: op.name)
def test_values(op: Operator, runner: str) -> None:
    calls = calls_of(op)
    for call, got in zip(calls, RUNNERS[runner](calls), strict=True):
        what = f"{op.name} of {[str(type_of(o)) for o in call[1]]} with {dict(call[2])} by {runner}"
        for value, expected in zip(got, wanted(call), strict=True):
            assert_same(value, expected, what, ULPS, summed=not isinstance(op.compute, Elementwise | Update))


NUMBERS = (True, 2, -1, 2.5)
PROMOTING = [op for op in OPERATORS if op.promote in ("same", "float") and len(op.inputs) == 2]


@pytest.mark.parametrize("op", PROMOTING, ids=lambda op: op.name)
def test_numbers_beside_tensors_in_eager_mode(op: Operator) -> None:
    from mindspore.common.eager import eager_op
    from mindspore.common.tensor import Tensor

    for dtype in (dt.int32, dt.float16, dt.float32, dt.bool_):
        x = inputs_of(op, Case(((3,), ())), dtype)[0]
        for number, swapped in product(NUMBERS, (False, True)):
            given = (number, x) if swapped else (x, number)
            tensors = [Tensor(g) if g is x else g for g in given]
            if refused(op, given):
                with pytest.raises(TypeError, match=op.name):
                    eager_op(op)(*tensors)
            else:
                what = f"{op.name} of {given}"
                assert_same(eager_op(op)(*tensors).asnumpy(), NumpyBuilder().call(op, *given), what, ULPS)


def refused(op: Operator, given: tuple[Any, ...]) -> bool:
    try:
        NumpyBuilder().call(op, *given)
    except TypeError:
        return True
    return False


def wrong_trials() -> list[Any]:
    return [pytest.param(op, w, id=f"{op.name}-{i}") for op in OPERATORS for i, w in enumerate(op.samples.wrong)]


@pytest.mark.parametrize(("op", "wrong"), wrong_trials())
def test_errors_in_eager_mode(op: Operator, wrong: Wrong) -> None:
    from mindspore.common.eager import eager_op, is_variadic
    from mindspore.common.tensor import Tensor

    dtypes = wrong.dtypes or ((swept_dtypes(op)[-1],) * len(wrong.shapes))
    given = [Tensor(np.ones(s, dt.to_numpy(t))) for s, t in zip(wrong.shapes, dtypes, strict=True)]
    with pytest.raises(wrong.error) as caught:
        eager_op(op)(*([tuple(given)] if is_variadic(op) else given), **wrong.attrs)
    for word in wrong.says:
        assert word in str(caught.value)


@pytest.mark.parametrize("runner", RUNNERS)
def test_many_elements_in_parallel(runner: str) -> None:
    """Long enough that kernels divide the work."""
    x = np.random.default_rng(3).uniform(-2, 2, (37, 1031)).astype(np.float32)
    names = {"Tanh": (x,), "Add": (x, x[0]), "ReduceSum": (x,), "Softmax": (x,), "Transpose": (x,), "ArgmaxIndex": (x,)}
    given: dict[str, dict[str, Any]] = {"ReduceSum": {"axis": 0}, "Transpose": {"perm": (1, 0)}}
    by_name = {op.name: op for op in OPERATORS}
    calls: list[Call] = [
        (by_name[n], operands, {**by_name[n].attrs, **given.get(n, {})}) for n, operands in names.items()
    ]
    for call, got in zip(calls, RUNNERS[runner](calls), strict=True):
        assert_same(got[0], wanted(call)[0], f"{call[0].name} by {runner}", ULPS, summed=True)
