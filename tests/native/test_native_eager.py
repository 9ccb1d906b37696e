"""EagerOp: what makes two calls the same, what resolve may return, how errors travel."""

from __future__ import annotations

import enum
import gc
import weakref
from typing import Any, NamedTuple

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import EagerOp, TensorBase
from mindspore.base import dtypes as dt
from tests.native.callbacks import add_plan, simple_plan, tensor

pytestmark = pytest.mark.compiler


class Resolver:
    """A resolve that counts its calls and answers with a callable that returns the number of the call."""

    def __init__(self) -> None:
        self.calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        self.calls.append((args, kwargs))
        number = len(self.calls)
        return lambda *_, **__: number


def counted(inputs: int) -> tuple[EagerOp, Resolver]:
    resolver = Resolver()
    return EagerOp("counted", inputs, resolver), resolver


def adder() -> tuple[EagerOp, list[Any]]:
    seen: list[Any] = []

    def resolve(args: tuple[Any, ...], _: dict[str, Any]) -> Any:
        seen.append(args)
        return add_plan(args[0].shape, not isinstance(args[1], TensorBase))

    return EagerOp("add", 2, resolve), seen


def test_plans_are_cached_by_type_and_shape() -> None:
    add, seen = adder()
    for values in ([1, 2], [3, 4], [5, 6]):
        np.testing.assert_array_equal(add(tensor(values), tensor(values)).asnumpy(), np.array(values) * 2)
    assert (len(seen), add.cache_size) == (1, 1)
    np.testing.assert_array_equal(add(tensor([[1.0]]), tensor([[2.0]])).asnumpy(), [[3]])
    assert (len(seen), add.cache_size) == (2, 2)


def test_numbers_are_operands_by_kind() -> None:
    add, seen = adder()
    assert [add(tensor([1, 2]), n).asnumpy().tolist() for n in (1.5, 2.5, -0.5)] == [[2.5, 3.5], [3.5, 4.5], [0.5, 1.5]]
    assert len(seen) == 1
    np.testing.assert_array_equal(add(tensor([1, 2]), 3).asnumpy(), [4, 5])
    np.testing.assert_array_equal(add(tensor([1, 2]), True).asnumpy(), [2, 3])
    assert (len(seen), add.cache_size) == (3, 3)


def test_operands_that_are_not_contiguous() -> None:
    add, seen = adder()
    turned = tensor([[1, 2], [3, 4]]).view((2, 2), (1, 2))
    np.testing.assert_array_equal(add(turned, turned).asnumpy(), [[2, 6], [4, 8]])
    np.testing.assert_array_equal(add(turned, tensor([[0, 0], [0, 1]])).asnumpy(), [[1, 3], [2, 5]])
    assert len(seen) == 1


class Colour(enum.IntEnum):
    """An int that is another type."""

    RED = 1


class Pair(NamedTuple):
    """A tuple that is another type."""

    a: int
    b: int


VALUES = [
    1, 1.0, True, 0.0, -0.0, float("nan"), 1 + 0j, "1", b"1", None, ..., (1,), (1.0,), (True,), [1], (1, 2), Pair(1, 2), ((1,), 2),
    [[1], 2], slice(1), slice(1.0), slice(1, None), {"a": 1}, {"a": 1.0}, {"b": 1}, {}, (), [], frozenset({1}), Colour.RED, dt.float32,
    dt.float16, int, tensor([1]), tensor([1], "i4"), tensor([[1]]), (tensor([1]),), [tensor([1])], np.float32(1), np.int64(1),
]  # fmt: skip


def test_attributes_are_told_apart_by_value_and_type() -> None:
    op, _ = counted(0)
    assert [op(v) for v in VALUES] == list(range(1, len(VALUES) + 1))
    assert [op(v) for v in VALUES] == list(range(1, len(VALUES) + 1))


def test_equal_attributes_are_the_same() -> None:
    op, resolver = counted(0)
    for make in (
        lambda: (1000, "a" * 50, [2.5, None]),
        lambda: {"k": [1, (2, slice(3, None))]},
        lambda: frozenset({12345}),
        lambda: tensor([1, 2]),
    ):
        before = len(resolver.calls)
        op(make())
        op(make())
        assert len(resolver.calls) == before + 1


def test_attributes_by_position_and_by_name() -> None:
    op, resolver = counted(1)
    x = tensor([1])
    results = [op(x, 1), op(x, axis=1), op(x, other=1), op(x, 1, 2), op(x, 1, other=2), op(x), op(x=x)]
    assert results == [1, 2, 3, 4, 5, 6, 7]
    assert [op(x, 1), op(x, **{"ax" + "is": 1}), op(x, 1, other=2), op(x=tensor([3]))] == [1, 2, 5, 7]
    assert resolver.calls[4] == ((x, 1), {"other": 2})


def test_changing_a_list_is_noticed() -> None:
    op, _ = counted(0)
    axes = [1, 2]
    assert op(axes) == 1
    axes.append(3)
    assert op(axes) == 2
    axes.pop()
    assert op(axes) == 1


def test_what_cannot_be_hashed_is_resolved_each_time() -> None:
    op, resolver = counted(1)
    values = np.zeros(2)
    assert [op(values), op(values), op(tensor([1]), {1, 2}), op(tensor([1]), [bytearray(b"")])] == [1, 2, 3, 4]
    assert (len(resolver.calls), op.cache_size) == (4, 0)


def test_packed_operands() -> None:
    op, _ = counted(-1)
    a, b = tensor([1]), tensor([1, 2])
    assert [op((a, b)), op([a, b]), op((b, a)), op((a,)), op((a, b), 1), op((a, b), axis=1), op(())] == [
        1,
        1,
        2,
        3,
        4,
        5,
        6,
    ]
    assert op((tensor([5]), tensor([6, 7])), axis=1) == 5
    add = EagerOp("add", -1, lambda args, _: add_plan(args[0][0].shape))
    np.testing.assert_array_equal(add([a, a]).asnumpy(), [2])


def test_missing_operands_are_part_of_the_key() -> None:
    op, _ = counted(2)
    assert [op(), op(tensor([1])), op(tensor([1]), None), op()] == [1, 2, 3, 1]


def test_a_list_that_contains_itself() -> None:
    op, _ = counted(0)
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(RecursionError):
        op(endless)


def test_the_cache_is_bounded() -> None:
    op, resolver = counted(0)
    for i in range(4097):
        op(i)
    assert op.cache_size == 1
    op(0)
    assert len(resolver.calls) == 4098
    op.clear_cache()
    assert op.cache_size == 0


def test_errors_of_resolve_are_not_cached() -> None:
    def resolve(args: tuple[Any, ...], _: dict[str, Any]) -> Any:
        raise KeyError(args[0])

    op = EagerOp("broken", 0, resolve)
    for _ in range(2):
        with pytest.raises(KeyError, match="text"):
            op("text")
    assert op.cache_size == 0


def test_resolve_must_return_something_to_call() -> None:
    op = EagerOp("odd", 0, lambda *_: 3)
    with pytest.raises(TypeError, match="resolve of operator odd must return a Plan or a callable, got int"):
        op()


def test_errors_of_hash_and_eq_propagate() -> None:
    class Angry:
        def __hash__(self) -> int:
            raise ZeroDivisionError

    op, _ = counted(0)
    with pytest.raises(ZeroDivisionError):
        op(Angry())


def test_eq_that_changes_the_cache() -> None:
    op, _ = counted(0)

    class Odd:
        def __hash__(self) -> int:
            return 7

        def __eq__(self, other: object) -> bool:
            op.clear_cache()
            gc.collect()
            return False

    results = [op(Odd()) for _ in range(5)]
    assert results == [1, 2, 3, 4, 5]


def test_resolve_may_call_its_own_operator() -> None:
    def resolve(args: tuple[Any, ...], _: dict[str, Any]) -> Any:
        below = op(args[0] - 1) if args[0] else 0
        return lambda n: below + n

    op = EagerOp("sum", 0, resolve)
    assert op(100) == 5050


def test_a_plan_with_the_wrong_operands_is_an_error_of_the_operator() -> None:
    op = EagerOp("pair", 1, lambda *_: add_plan((2,)))
    with pytest.raises(TypeError, match="pair takes 2 operands, got 1"):
        op(tensor([1, 2]))
    text = EagerOp("text", 2, lambda *_: add_plan((2,)))
    with pytest.raises(TypeError, match="operand 1 of text must be a tensor, got str"):
        text(tensor([1, 2]), "x")


def test_kernel_failures_name_the_operator() -> None:
    op = EagerOp("fragile", 1, lambda *_: simple_plan(lambda *_: 3))
    with pytest.raises(RuntimeError, match="fragile failed: it returned code 3"):
        op(tensor([1, 2]))


def test_attributes_of_the_operator_itself() -> None:
    op, _ = counted(3)
    op.__operator__ = "declaration"
    op.__doc__ = "What it does."
    assert (op.name, op.inputs, op.__name__, op.__operator__, op.__doc__) == (
        "counted",
        3,
        "counted",
        "declaration",
        "What it does.",
    )
    assert repr(op) == "<EagerOp counted>"
    with pytest.raises(AttributeError):
        op.name = "other"  # type: ignore[misc]


def test_bad_construction() -> None:
    with pytest.raises(ValueError, match="inputs must be at least -1, got -2"):
        EagerOp("x", -2, lambda *_: None)
    with pytest.raises(TypeError, match="resolve must be callable, got int"):
        EagerOp("x", 1, 3)  # type: ignore[arg-type]


def test_it_binds_as_a_method() -> None:
    add, _ = adder()

    class Named(TensorBase):
        plus = add

    np.testing.assert_array_equal(Named(tensor([1, 2])).plus(tensor([1, 1])).asnumpy(), [2, 3])
    assert Named.plus is add


def test_cycles_through_resolve_and_attributes_are_collected() -> None:
    class Holder:
        op: Any

    def make() -> weakref.ref[Any]:
        holder = Holder()
        holder.op = EagerOp("held", 0, lambda *_: holder)
        holder.op.owner = holder
        return weakref.ref(holder.op)

    reference = make()
    gc.collect()
    assert reference() is None


def test_calls_do_not_leak() -> None:
    add, _ = adder()
    a, b = tensor([1, 2]), tensor([3, 4])
    add(a, b)
    before = _native.memory_stats()
    for _ in range(1000):
        add(a, b)
        add(a, 1.0)
    after = _native.memory_stats()
    assert (after["in_use"], after["blocks"]) == (before["in_use"], before["blocks"])
    assert after["system_blocks"] <= before["system_blocks"] + 2
