"""Plans: every declared operator computes what its reference says, through kernels called by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import mindspore.primitives  # noqa: F401  declares the operators
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.builder import GraphBuilder, complete_attrs
from mindspore.ir.graph import Graph, Parameter
from mindspore.ir.operator import Operator, all_operators, find
from mindspore.ir.types import TensorType
from mindspore.kernels import catalog, table
from mindspore.kernels.elementwise import FAMILY
from mindspore.kernels.plans import PlanSpec, plan, plan_graph
from tests.kernels.native import Runtime, library, runnable

BEST = runnable()[-1]
Array = np.ndarray[Any, Any]
TOLERANCE = {dt.float16: 4e-3, dt.bfloat16: 4e-2, dt.float32: 1e-5, dt.float64: 1e-12}


def execute(spec: PlanSpec, operands: Sequence[Array]) -> list[Array]:
    """Run a plan's steps."""
    outputs = [np.full(t.shape, 77).astype(dt.to_numpy(t.dtype)) for t in spec.outputs]
    temporaries = [np.full(n, 255, np.uint8) for n in spec.temporaries]
    buffers = [*operands, *outputs, *temporaries, *spec.constants]
    made = library([catalog.find(n) for n in sorted({s.kernel for s in spec.steps})], BEST)
    for step in spec.steps:
        runtime = Runtime()
        assert made.run(step.kernel, [buffers[b] for b in step.buffers], step.params, runtime) == 0
        assert runtime.leaked == 0
    for output, buffer in spec.aliases:
        outputs[output] = buffers[buffer].reshape(spec.outputs[output].shape)
    return outputs


def draw(op: Operator, types: Sequence[DType], shapes: Sequence[tuple[int, ...]]) -> list[Array]:
    rng = np.random.default_rng(11)
    arrays = []
    for i, (dtype, shape) in enumerate(zip(types, shapes, strict=True)):
        domain = op.samples.domain(i)
        low = max(domain.low, 0) if dtype.kind in "ub" else domain.low
        if domain.draw is not None:
            x = domain.draw(rng, shape)
        else:
            x = (
                rng.uniform(low, domain.high, shape)
                if dtype.is_floating
                else np.floor(rng.uniform(low, domain.high + 1, shape))
            )
        arrays.append(np.ascontiguousarray(np.asarray(x).astype(dt.to_numpy(dtype))).reshape(shape))
    return arrays


USUAL = (dt.float32, dt.int32, dt.bool_, dt.float16)
"""Types of the first input that are tried, unless an operator takes none of them."""


@pytest.mark.parametrize("op", [o for o in all_operators() if o.samples is not None], ids=lambda o: o.name)
def test_every_operator_computes_its_reference(op: Operator) -> None:
    tried, trials = 0, list(table.trials(op))
    for types, case in [t for t in trials if not t[0] or t[0][0] in USUAL] or trials:
        operands = draw(op, types, case.shapes)
        try:
            spec = plan(op, [TensorType(t, s) for t, s in zip(types, case.shapes, strict=True)], case.attrs)
        except (TypeError, ValueError):
            continue
        tried += 1
        result = op.reference(*operands, **complete_attrs(op, case.attrs))
        expected = result if isinstance(result, tuple) else (result,)
        got = execute(spec, operands)
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            assert g.shape == np.shape(e)
            tolerance = TOLERANCE.get(dt.from_numpy(g.dtype), 0)
            wide = np.float64 if tolerance else g.dtype
            np.testing.assert_allclose(g.astype(wide), np.asarray(e).astype(wide), rtol=tolerance, atol=tolerance)
    assert tried


def built(make: Any, *types: TensorType) -> PlanSpec:
    builder = GraphBuilder()
    parameters = [Parameter(f"x{i}", t) for i, t in enumerate(types)]
    return plan_graph(Graph("g", parameters, make(builder, *parameters)))


X = TensorType(dt.float32, (4, 6))


def test_mixed_types_are_cast_first() -> None:
    spec = plan(find("add"), [TensorType(dt.int32, (3,)), TensorType(dt.float32, (3,))], {})
    assert [s.kernel.split("_")[2] for s in spec.steps] == ["cast", "add"]
    (got,) = execute(spec, [np.array([1, 2, 3], np.int32), np.array([0.5, 1, 2], np.float32)])
    np.testing.assert_array_equal(got, np.array([1.5, 3, 5], np.float32))


def test_views_of_operands_and_of_results_cost_nothing() -> None:
    spec = built(lambda b, x: b.reshape(x, shape=(24,)), X)
    assert spec.steps == ()
    assert spec.aliases == ((0, 0),)
    spec = built(lambda b, x: b.reshape(b.exp(x), shape=(24,)), X)
    assert len(spec.steps) == 1
    assert spec.temporaries == ()
    assert spec.aliases == ()


def test_a_result_that_is_returned_twice_is_computed_once() -> None:
    def both(b: GraphBuilder, x: Any) -> Any:
        y = b.exp(x)
        return b.tuple([y, b.reshape(y, shape=(6, 4))])

    spec = built(both, X)
    assert len(spec.steps) == 1
    assert spec.aliases == ((1, 1),)


def test_temporaries_are_used_again() -> None:
    def chain(b: GraphBuilder, x: Any) -> Any:
        for _ in range(6):
            x = b.exp(b.neg(x))
        return x

    spec = built(chain, X)
    assert len(spec.steps) == 12
    assert len(spec.temporaries) == 2
    x = np.random.default_rng(0).uniform(0, 1, X.shape).astype(np.float32)
    expected = x
    for _ in range(6):
        expected = np.exp(-expected)
    np.testing.assert_allclose(execute(spec, [x])[0], expected, rtol=1e-5)


def test_constants_are_copied_into_results() -> None:
    spec = built(lambda b, x: b.tuple([b.const([1.0, 2.0], dt.float32), b.mul(x, 3.0)]), X)
    first, second = execute(spec, [np.ones(X.shape, np.float32)])
    np.testing.assert_array_equal(first, [1, 2])
    np.testing.assert_array_equal(second, 3)


def test_operators_with_several_results() -> None:
    op = find("softmax_cross_entropy_with_logits")
    rng = np.random.default_rng(4)
    logits, labels = rng.standard_normal((5, 7), dtype=np.float32), np.eye(7, dtype=np.float32)[:5]
    spec = plan(op, [TensorType(dt.float32, (5, 7))] * 2, {})
    loss, slope = execute(spec, [logits, labels])
    expected = op.reference(logits, labels)
    np.testing.assert_allclose(loss, expected[0], rtol=1e-5)
    np.testing.assert_allclose(slope, expected[1], rtol=1e-5, atol=1e-6)


def test_filling_does_not_need_a_kernel_for_each_value() -> None:
    names = {plan(find("full"), [], {"shape": (3,), "value": v}).steps[0].kernel for v in (0.5, 7, -2)}
    assert names == {"msk_move_fill_4"}


def test_errors_of_inference_come_through() -> None:
    with pytest.raises(ValueError, match="do not broadcast"):
        plan(find("add"), [TensorType(dt.float32, (2,)), TensorType(dt.float32, (3,))], {})
    with pytest.raises(TypeError, match="has no attribute 'axes'"):
        plan(find("reduce_sum"), [X], {"axes": 1})


def test_the_table_holds_the_common_operators() -> None:
    names = {s.name for s in table.kernels()}
    for op in ("add", "mul", "exp", "matmul", "reduce_sum", "less", "cast"):
        attrs = {"dtype": dt.float16} if op == "cast" else {}
        operator = find(op)
        spec = plan(operator, [TensorType(dt.float32, (2, 2))] * len(operator.inputs), attrs)
        assert {s.kernel for s in spec.steps} <= names
    casts = [n for n in names if n.startswith(f"msk_{FAMILY}_cast")]
    kinds = len((dt.bool_, *dt.REAL))
    assert len(casts) >= kinds * (kinds - 1)
