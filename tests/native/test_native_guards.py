"""Guards and signatures: what makes a compiled graph still valid, and the right one."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from types import CellType
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import MISSING, Guards, signature
from mindspore.base import dtypes as dt
from tests.native.callbacks import tensor

pytestmark = pytest.mark.compiler


class Holder:
    """Something with attributes, like a Cell."""


def closure_cell(value: Any) -> CellType:
    return CellType(value)


def test_attributes_are_compared_by_identity_or_value() -> None:
    holder, inner = Holder(), Holder()
    holder.__dict__.update(size=1000, rate=0.5, name="x", inner=inner, none=None, shape=(1, (2.0, "y")), flag=True)
    guards = Guards([("dict", vars(holder), k, v) for k, v in vars(holder).items()])
    assert len(guards) == 7
    assert guards.check()
    holder.__dict__.update(size=int("1000"), rate=float("0.5"), name="".join(["x"]), shape=(1, (float("2"), "y")))
    assert guards.check()


@pytest.mark.parametrize(
    ("expected", "now"),
    [
        (1, 2), (1, 1.0), (1, True), (0.0, -0.0), ("a", "b"), (None, 0), ((1,), (1.0,)), ((1,), (1, 1)), ((1,), [1]), ([1], [1]),
        (dt.float32, dt.float16), (b"1", b"2"), (1j, 2j), ((Holder(),), (Holder(),)), (MISSING, 1),
    ],
)  # fmt: skip
def test_changes_are_noticed(expected: Any, now: Any) -> None:
    holder: dict[str, Any] = {"k": now}
    assert not Guards([("dict", holder, "k", expected)]).check()
    holder["k"] = expected
    assert Guards([("dict", holder, "k", expected)]).check()


def test_nan_equals_itself() -> None:
    assert Guards([("dict", {"k": float("nan")}, "k", float("nan"))]).check()


def test_absent_keys() -> None:
    container: dict[str, Any] = {}
    absent, present = Guards([("dict", container, "k", MISSING)]), Guards([("dict", container, "k", 1)])
    assert (absent.check(), present.check()) == (True, False)
    container["k"] = 1
    assert (absent.check(), present.check()) == (False, True)


def test_assignments_to_attributes_are_seen() -> None:
    holder = Holder()
    holder.rate = 1  # type: ignore[attr-defined]
    guards = Guards([("dict", vars(holder), "rate", 1)])
    assert guards.check()
    holder.rate = 2  # type: ignore[attr-defined]
    assert not guards.check()
    del holder.rate  # type: ignore[attr-defined]
    assert not guards.check()


def test_cells_of_closures() -> None:
    cell = closure_cell(1)
    guards = Guards([("cell", cell, None, 1)])
    assert guards.check()
    cell.cell_contents = 2
    assert not guards.check()
    del cell.cell_contents
    assert not guards.check()
    assert Guards([("cell", cell, None, MISSING)]).check()


def test_lengths() -> None:
    items = [1, 2]
    guards = Guards([("len", items, None, 2)])
    assert guards.check()
    items.append(3)
    assert not guards.check()
    assert not Guards([("len", 3, None, 2)]).check()


def test_elements_of_lists() -> None:
    inner = Holder()
    items: list[Any] = [1, inner, [2]]
    guards = [Guards([("item", items, i, e)]) for i, e in enumerate(items)]
    assert all(g.check() for g in guards)
    items[0] = True
    items[2] = [2]
    assert [g.check() for g in guards] == [False, True, False]
    del items[1:]
    assert [g.check() for g in guards] == [False, False, False]
    assert Guards([("item", items, 1, MISSING)]).check()


def test_attributes_of_classes() -> None:
    class Base:
        k = 1

    class Child(Base):
        pass

    guards, absent = Guards([("class", Child, "k", 1)]), Guards([("class", Child, "other", MISSING)])
    assert (guards.check(), absent.check()) == (True, True)
    Base.k = 2
    assert not guards.check()
    Child.k = 1
    assert guards.check()
    Base.other = 3  # type: ignore[attr-defined]
    assert not absent.check()


@pytest.mark.parametrize(
    ("entry", "error", "message"),
    [
        (("attr", {}, "k", 1), ValueError, "must be 'dict', 'cell', 'class', 'item' or 'len', got 'attr'"),
        (("dict", [], "k", 1), TypeError, "a guard of kind 'dict' needs a dict as its container, got list"),
        (("cell", {}, "k", 1), TypeError, "needs a closure cell as its container, got dict"),
        (("len", [], None, "2"), TypeError, "needs an int as its expected value, got str"),
        (("item", (), 0, 1), TypeError, "a guard of kind 'item' needs a list as its container, got tuple"),
        (("item", [], "0", 1), TypeError, "a guard of kind 'item' needs an int as its key, got str"),
        (("class", {}, "k", 1), TypeError, "a guard of kind 'class' needs a class as its container, got dict"),
        (("class", int, 1, 1), TypeError, "a guard of kind 'class' needs a str as its key, got int"),
    ],
)
def test_entries_are_checked(entry: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Guards([entry])


def test_errors_of_keys_propagate() -> None:
    with pytest.raises(TypeError, match="unhashable"):
        Guards([("dict", {"a": 1}, [], 1)]).check()


def test_guards_of_an_object_that_holds_them_are_collected() -> None:
    def make() -> weakref.ref[Any]:
        holder = Holder()
        holder.guards = Guards([("dict", vars(holder), "k", MISSING)])  # type: ignore[attr-defined]
        return weakref.ref(holder)

    reference = make()
    gc.collect()
    assert reference() is None


@pytest.mark.parametrize(
    "make",
    [
        lambda: (tensor([1, 2]), 3), lambda: ([tensor([1])], {"a": (1.5, "text" * 9)}), lambda: (), lambda: (dt.float32, None, slice(1)),
        lambda: (tensor(np.zeros((2, 3))),),
    ],
)  # fmt: skip
def test_equal_signatures(make: Callable[[], tuple[Any, ...]]) -> None:
    first, second = signature(make()), signature(make())
    assert first == second
    assert hash(first) == hash(second)
    assert {first: 1}[second] == 1


def test_different_signatures() -> None:
    calls: list[tuple[Any, ...]] = [
        (), (1,), (1.0,), (True,), (1, 2), ((1,),), ([1],), ({"a": 1},), ({"b": 1},), (None,), ("1",), (tensor([1]),), (tensor([1], "i4"),),
        (tensor([[1]]),), (tensor([1]), 1), ((tensor([1]),),), ((10, (1,)),), (Holder(),), (Holder(),), (Holder,), (0.0,), (-0.0,),
    ]  # fmt: skip
    made = [signature(c) for c in calls]
    assert len(set(made)) == len(calls)
    assert all((a == b) == (i == j) for i, a in enumerate(made) for j, b in enumerate(made))


def test_signatures_do_not_hold_tensors() -> None:
    class Named(_native.TensorBase):
        pass

    named = Named(tensor([1]))
    reference, made = weakref.ref(named), signature((named, [named]))
    del named
    assert reference() is None
    assert repr(made) == "Signature(Float32[1], list(Float32[1]))"


def test_signatures_keep_what_a_list_held() -> None:
    items = [1]
    before = signature((items,))
    items.append(2)
    assert before != signature((items,))
    assert before != 3


def test_signatures_need_hashable_values() -> None:
    with pytest.raises(
        TypeError, match=r"argument 1 must be a tensor, a hashable value, or tuples.* got numpy.ndarray"
    ):
        signature((1, np.zeros(2)))
    with pytest.raises(TypeError, match="incompatible"):
        signature([1])  # type: ignore[arg-type]
