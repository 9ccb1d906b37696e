"""The CPU back end's executables: results, refusals, kernels by name."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore import _native
from mindspore.backends import find
from mindspore.backends.cpu import resolve_kernel
from mindspore.base import dtypes as dt
from mindspore.kernels import catalog, gemm
from tests.lowering.programs import b, compiled, expected, graph, normal, parameter, tensor


def test_both_back_ends_agree() -> None:
    x, w = parameter((4, 6)), parameter((6, 3))
    made = graph([x, w], b.softmax(b.matmul(x, w), axis=-1), b.reduce_sum(w))
    arrays = [normal(4, 6), normal(6, 3, seed=1)]
    runs = [
        find(n).compile(made, arguments=2, bound=[], updates={})(*map(tensor, arrays)) for n in ("cpu", "reference")
    ]
    for got, reference, want in zip(*runs, expected(made, *arrays), strict=True):
        np.testing.assert_allclose(got.asnumpy(), want, rtol=1e-5)
        np.testing.assert_allclose(reference.asnumpy(), want, rtol=1e-6)


def test_bound_tensors_are_read_at_each_call() -> None:
    x, w = parameter((3,)), parameter((3,))
    bound = tensor(np.ones(3, np.float32))
    run = compiled(graph([x, w], b.add(x, w)), [bound])
    assert run(tensor(np.zeros(3, np.float32)))[0].asnumpy().tolist() == [1, 1, 1]
    bound.assign_from(tensor(np.full(3, 5, np.float32)))
    assert run(tensor(np.zeros(3, np.float32)))[0].asnumpy().tolist() == [5, 5, 5]


def test_arguments_of_another_type_are_refused() -> None:
    run = compiled(graph([x := parameter((3,))], b.neg(x)))
    with pytest.raises(ValueError, match=r"argument 0 must be .*3.* got .*4"):
        run(tensor(normal(4)))
    with pytest.raises(TypeError, match="takes 1 tensors, got 2"):
        run(tensor(normal(3)), tensor(normal(3)))


def test_arguments_that_are_views_are_read_in_their_order() -> None:
    run = compiled(graph([x := parameter((3, 2))], b.add(x, 0.0)))
    view = _native.TensorBase.view(tensor(normal(2, 3)), (3, 2), (1, 3), 0)
    np.testing.assert_array_equal(run(view)[0].asnumpy(), normal(2, 3).T)


@pytest.mark.parametrize(
    ("updates", "message"),
    [({0: 0}, "bound tensors are parameters 1 to 2"), ({0: 1, 1: 1}, "same parameter"), ({2: 1}, "of type Int32")],
)
def test_updates_that_do_not_fit_are_refused(updates: dict[int, int], message: str) -> None:
    x, v, w = (parameter((3,)) for _ in range(3))
    made = graph([x, v, w], b.neg(x), b.neg(v), b.cast(w, dtype=dt.int32))
    with pytest.raises(ValueError, match=message):
        compiled(made, [tensor(normal(3)), tensor(normal(3))], updates)


def test_kernels_are_found_by_name() -> None:
    name = catalog.define(gemm.spec(dt.float64))
    assert resolve_kernel(name) == resolve_kernel(name) != 0
    with pytest.raises(KeyError, match="msk_no_such"):
        resolve_kernel("msk_no_such")


def test_failures_of_kernels_become_errors() -> None:
    """Cancelling stops a parallel loop, whose code leaves every function on the way."""
    n = 1 << 20
    run = compiled(graph([x := parameter((n,))], b.exp(b.tanh(x))))
    _native.set_cancel(True)
    try:
        with pytest.raises(RuntimeError, match="cancel"):
            run(tensor(normal(n)))
    finally:
        _native.set_cancel(False)
    assert run(tensor(normal(n)))[0].shape == (n,)
