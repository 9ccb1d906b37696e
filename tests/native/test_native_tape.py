"""The tape: which calls are written down, and on which thread."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from mindspore import _native
from mindspore._native import EagerOp
from tests.native.callbacks import add_plan, tensor

pytestmark = pytest.mark.compiler


def adder() -> EagerOp:
    return EagerOp("add", 2, lambda args, _: add_plan(args[0].shape))


def test_plans_are_recorded_while_the_tape_is_set() -> None:
    add, x, tape = adder(), tensor([1, 2]), list[Any]()
    add(x, x)
    _native.set_tape(tape)
    assert _native.get_tape() is tape
    first = add(x, x)
    second = add(first, x)
    _native.set_tape(None)
    add(x, x)
    assert _native.get_tape() is None
    assert [(op, args) for op, args, _ in tape] == [(add, (x, x)), (add, (first, x))]
    assert [result for *_, result in tape] == [first, second]


def test_operators_in_slots_are_recorded() -> None:
    add, x, tape = adder(), tensor([1, 2]), list[Any]()
    _native.set_operator("add", add)
    _native.set_tape(tape)
    result = x + x
    _native.set_tape(None)
    assert tape == [(add, (x, x), result)]


def test_keywords_come_fourth() -> None:
    op, x, tape = EagerOp("scaled", 2, lambda *_: add_plan((1,))), tensor([1]), list[Any]()
    _native.set_tape(tape)
    result = op(x, x, 3, axis=4)
    _native.set_tape(None)
    assert tape == [(op, (x, x, 3), result, {"axis": 4})]


def test_callables_are_recorded_by_what_they_call() -> None:
    add, x, tape = adder(), tensor([1]), list[Any]()
    outer = EagerOp("outer", 1, lambda *_: lambda y: add(y, y))
    _native.set_tape(tape)
    outer(x)
    _native.set_tape(None)
    assert [op for op, *_ in tape] == [add]


def test_the_tape_belongs_to_its_thread() -> None:
    add, x, tape, elsewhere = adder(), tensor([1]), list[Any](), list[Any]()
    _native.set_tape(tape)

    def work() -> None:
        elsewhere.append(_native.get_tape())
        add(x, x)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert (tape, elsewhere) == ([], [None])


def test_a_tape_is_a_list() -> None:
    with pytest.raises(TypeError, match="the tape must be a list or None, got tuple"):
        _native.set_tape(())  # type: ignore[arg-type]
