"""Plan: buffers in the right order, aliases, numbers, failures."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore.base import dtypes as dt
from tests.native.callbacks import (
    BFLOAT16,
    BOOL,
    COMPLEX64,
    FLOAT16,
    FLOAT32,
    FLOAT64,
    INT32,
    INT64,
    UINT8,
    add_plan,
    address,
    array_at,
    kernel,
    runtime,
    simple_plan,
    tensor,
)

pytestmark = pytest.mark.compiler


def cast_number(number: Any, code: int) -> Any:
    """`number` as the cell that a plan makes of it."""
    dtype = dt.to_numpy(dt.BY_CODE[code])

    def body(buffers: Sequence[int], _: Sequence[int]) -> int:
        array_at(buffers[1], 16, "u1")[:] = array_at(buffers[0], 16, "u1")
        return 0

    plan = simple_plan(body, numbers=[(0, code)], outputs=[(UINT8, (16,))])
    return plan(number).asnumpy().view(dtype)[0]


def test_operands_outputs_temporaries_constants_in_order() -> None:
    seen: list[tuple[list[int], list[int]]] = []

    def body(buffers: Sequence[int], params: Sequence[int]) -> int:
        seen.append(([buffers[i] for i in range(6)], [params[i] for i in range(2)]))
        array_at(buffers[2], 2)[:] = array_at(buffers[0], 2) * array_at(buffers[5], 2)
        array_at(buffers[3], 3)[:] = array_at(buffers[1], 3)
        array_at(buffers[4], 100, "u1")[:] = 1
        return 0

    fn = kernel(body)
    x, y, constant = tensor([1, 2]), tensor([3, 4, 5]), tensor([10, 20])
    outputs = [(FLOAT32, (2,)), (FLOAT32, (3, 1))]
    steps = [(address(fn), [0, 1, 2, 3, 4, 5], [7, -(2**62)])]
    first, second = _native.Plan(2, outputs, [100], [constant], [], steps, [], False, fn)(x, y)
    np.testing.assert_array_equal(first.asnumpy(), [10, 40])
    np.testing.assert_array_equal(second.asnumpy(), [[3], [4], [5]])
    (buffers, params), *_ = seen
    assert buffers[:4] == [x.data_ptr, y.data_ptr, first.data_ptr, second.data_ptr]
    assert buffers[4] % 64 == 0
    assert buffers[5] != x.data_ptr
    assert params == [7, -(2**62)]


def test_steps_run_in_order_over_temporaries() -> None:
    def double(buffers: Sequence[int], params: Sequence[int]) -> int:
        array_at(buffers[1], params[0])[:] = array_at(buffers[0], params[0]) * 2
        return 0

    fn = kernel(double)
    steps = [(address(fn), [0, 2], [2]), (address(fn), [2, 3], [2]), (address(fn), [3, 1], [2])]
    plan = _native.Plan(1, [(FLOAT32, (2,))], [8, 8], [], [], steps, [], True, fn)
    np.testing.assert_array_equal(plan(tensor([1, 2])).asnumpy(), [8, 16])


def test_many_buffers() -> None:
    def total(buffers: Sequence[int], params: Sequence[int]) -> int:
        array_at(buffers[params[0]], 1)[:] = sum(array_at(buffers[i], 1)[0] for i in range(params[0]))
        return 0

    fn = kernel(total)
    plan = _native.Plan(50, [(FLOAT32, ())], [], [], [], [(address(fn), list(range(51)), [50])], [], True, fn)
    assert plan(*[tensor(i) for i in range(50)]).item() == sum(range(50))


@pytest.mark.parametrize(
    ("number", "code", "expected"),
    [
        (3, INT32, 3), (-1, UINT8, 255), (300, UINT8, 44), (2**63, INT64, -(2**63)), (2.9, INT32, 2), (True, INT64, 1),
        (0.5, BOOL, True), (0, BOOL, False), (2, FLOAT64, 2.0), (0.1, FLOAT32, np.float32(0.1)), (1e5, FLOAT16, np.inf),
        (0.1, FLOAT16, np.float16(0.1)), (-65519.0, FLOAT16, np.float16(-65504)), (float("nan"), FLOAT16, np.nan),
        (1.00390625, BFLOAT16, 1.0), (1.01171875, BFLOAT16, 1.015625), (float("nan"), BFLOAT16, np.nan), (float("inf"), BFLOAT16, np.inf),
        (1 + 2j, COMPLEX64, 1 + 2j), (3, COMPLEX64, 3 + 0j),
    ],
)  # fmt: skip
def test_numbers_become_elements(number: Any, code: int, expected: Any) -> None:
    np.testing.assert_equal(cast_number(number, code), expected)


@pytest.mark.parametrize("dtype", ["f2", "bf16"])
def test_numbers_round_as_numpy_does(dtype: str) -> None:
    code, target = (FLOAT16, np.dtype("f2")) if dtype == "f2" else (BFLOAT16, dt.to_numpy(dt.bfloat16))
    for number in np.random.default_rng(3).normal(0, 1, 200).astype("f4").tolist():
        assert cast_number(number, code) == np.float32(number).astype(target)


@pytest.mark.parametrize(
    ("number", "code", "error"),
    [(2**64, INT64, OverflowError), (-(2**63) - 1, INT64, OverflowError), (1e30, INT32, OverflowError), (10**400, FLOAT32, OverflowError),
     (float("nan"), INT32, OverflowError), (1j, FLOAT32, TypeError), (1j, INT32, TypeError)],
)  # fmt: skip
def test_numbers_that_do_not_fit(number: Any, code: int, error: type[Exception]) -> None:
    with pytest.raises(error):
        cast_number(number, code)


def test_outputs_may_share_the_storage_of_an_operand() -> None:
    plan = simple_plan(None, outputs=[(FLOAT32, (2, 2))], aliases=[(0, 0)])
    x = tensor([1, 2, 3, 4])
    reshaped = plan(x)
    assert (reshaped.shape, reshaped.data_ptr) == ((2, 2), x.data_ptr)
    reshaped.assign_from(tensor([[5, 6], [7, 8]]))
    np.testing.assert_array_equal(x.asnumpy(), [5, 6, 7, 8])
    assert x.version == 1
    turned = tensor([[1, 2], [3, 4]]).view((2, 2), (1, 2))
    np.testing.assert_array_equal(plan(turned).asnumpy(), [[1, 3], [2, 4]])


def test_outputs_may_share_temporaries_outputs_and_copies_of_constants() -> None:
    def fill(buffers: Sequence[int], _: Sequence[int]) -> int:
        array_at(buffers[0], 2)[:] = [1, 2]
        array_at(buffers[1], 2)[:] = [3, 4]
        return 0

    fn, constant = kernel(fill), tensor([5, 6])
    outputs = [(FLOAT32, (2,)), (FLOAT32, (1, 2)), (FLOAT32, (2, 1)), (FLOAT32, (2,))]
    plan = _native.Plan(
        0, outputs, [8], [constant], [], [(address(fn), [0, 4], [])], [(1, 0), (2, 4), (3, 5)], False, fn
    )
    a, b, c, d = plan()
    assert b.data_ptr == a.data_ptr
    assert [t.asnumpy().ravel().tolist() for t in (a, b, c, d)] == [[1, 2], [1, 2], [3, 4], [5, 6]]
    d.assign_from(tensor([0, 0]))
    assert plan()[3].asnumpy().tolist() == [5, 6]
    assert plan()[2].data_ptr != c.data_ptr


def test_a_shared_storage_must_be_large_enough() -> None:
    plan = simple_plan(None, outputs=[(FLOAT32, (5,))], aliases=[(0, 0)])
    with pytest.raises(ValueError, match="output 0 of 20 bytes does not fit the storage that it shares"):
        plan(tensor([1, 2, 3, 4]))


def test_absent_operands_are_null() -> None:
    def body(buffers: Sequence[int], _: Sequence[int]) -> int:
        array_at(buffers[1], 2)[:] = 1 if buffers[0] is None else 2
        return 0

    np.testing.assert_array_equal(simple_plan(body)(None).asnumpy(), [1, 1])


def test_empty_outputs_still_run() -> None:
    assert add_plan((0, 3))(tensor(np.zeros((0, 3))), tensor(np.zeros((0, 3)))).shape == (0, 3)


def test_failure_messages_of_the_runtime() -> None:
    def body(*_: Any) -> int:
        code: int = runtime().fail(_native.runtime_address(), 5, b"the first reason")
        runtime().fail(_native.runtime_address(), 6, b"another")
        return code

    plan = simple_plan(body)
    with pytest.raises(RuntimeError, match="the plan failed: the first reason"):
        plan(tensor([1, 2]))
    assert simple_plan(lambda *_: 0)(tensor([1, 2])).shape == (2,)


def test_failing_steps_stop_the_plan() -> None:
    ran: list[int] = []

    def body(_: Sequence[int], params: Sequence[int]) -> int:
        ran.append(params[0])
        return params[0]

    fn = kernel(body)
    steps = [(address(fn), [0], [code]) for code in (0, 9, 1)]
    with pytest.raises(RuntimeError, match="it returned code 9"):
        _native.Plan(1, [(FLOAT32, ())], [], [], [], steps, [], True, fn)(tensor(1))
    assert ran == [0, 9]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"operands": -1}, "the number of operands must not be negative, got -1"),
        ({"numbers": [(1, FLOAT32)]}, r"a number's operand must be in \[0, 1\), got 1"),
        ({"numbers": [(0, 99)]}, "dtype code must be"),
        ({"outputs": [(99, (2,))]}, "dtype code must be"),
        ({"outputs": []}, "single needs exactly one output, got 0"),
        ({"temporaries": [-4]}, "bytes of a temporary must not be negative, got -4"),
        ({"aliases": [(1, 0)]}, r"an alias's output must be in \[0, 1\), got 1"),
        ({"aliases": [(0, 2)]}, r"an alias's buffer must be in \[0, 2\), got 2"),
        ({"aliases": [(0, 1)]}, "output 0 may share the storage of an earlier output only, got buffer 1"),
        ({"aliases": [(0, 0)], "numbers": [(0, FLOAT32)]}, "cannot share the storage of number operand 0"),
        ({"steps": [(0, [0], [])]}, "kernel address of step 0 is 0"),
        ({"steps": [(1, [2], [])]}, r"a step's buffer must be in \[0, 2\), got 2"),
        ({"steps": [(1, [-1], [])]}, r"a step's buffer must be in \[0, 2\), got -1"),
    ],
)  # fmt: skip
def test_descriptions_are_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simple_plan(None, **changes)


def test_operands_are_checked() -> None:
    with pytest.raises(TypeError, match="the plan takes 2 operands, got 1"):
        add_plan((1,))(tensor([1]))
    with pytest.raises(TypeError, match="operand 1 of the plan must be a number, got a tensor"):
        add_plan((1,), number=True)(tensor([1]), tensor([1]))
    with pytest.raises(TypeError, match="a constant of a Plan must be a Tensor, got int"):
        simple_plan(None, constants=[3])


def test_large_plans_let_other_threads_run() -> None:
    entered, release = threading.Event(), threading.Event()

    def body(*_: Any) -> int:
        entered.set()
        return 0 if release.wait(20) else 1

    plan, x = simple_plan(body), tensor(np.zeros(100_000))
    results: list[Any] = []
    worker = threading.Thread(target=lambda: results.append(plan(x)))
    worker.start()
    assert entered.wait(20)
    x.set_storage(tensor([1]))
    release.set()
    worker.join()
    assert results[0].shape == (2,)
