"""Number, comparison and subscript slots."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import EagerOp, TensorBase
from tests.native.callbacks import add_plan, tensor

pytestmark = pytest.mark.compiler

BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": operator.add, "sub": operator.sub, "mul": operator.mul, "truediv": operator.truediv, "floordiv": operator.floordiv,
    "mod": operator.mod, "pow": operator.pow, "matmul": operator.matmul, "and": operator.and_, "or": operator.or_, "xor": operator.xor,
}  # fmt: skip
COMPARE: dict[str, Callable[[Any, Any], Any]] = {n: getattr(operator, n) for n in ("lt", "le", "gt", "ge", "eq", "ne")}
UNARY: dict[str, Callable[[Any], Any]] = {
    "neg": operator.neg,
    "abs": operator.abs,
    "pos": operator.pos,
    "invert": operator.invert,
}
MIRRORED = {"lt": "gt", "gt": "lt", "le": "ge", "ge": "le", "eq": "eq", "ne": "ne"}


def recorded(name: str) -> Callable[..., Any]:
    return lambda *args: (name, args)


@pytest.mark.parametrize("slot", BINARY)
def test_binary_slots_keep_the_order(slot: str) -> None:
    x, y = tensor([1]), tensor([2])
    _native.set_operator(slot, recorded(slot))
    assert BINARY[slot](x, y) == (slot, (x, y))
    assert BINARY[slot](x, 3) == (slot, (x, 3))
    assert BINARY[slot](3, x) == (slot, (3, x))
    assert BINARY[slot]([3], x) == (slot, ([3], x))


@pytest.mark.parametrize("slot", [*BINARY, *COMPARE])
def test_a_class_that_defines_the_reflected_operator_is_called(slot: str) -> None:
    name = f"__{MIRRORED[slot]}__" if slot in COMPARE else f"__r{slot}__"
    written = type("Written", (), {name: lambda self, other: (name, other)})
    x, own, other = tensor([1]), written(), type("Other", (), {})()
    _native.set_operator(slot, recorded(slot))
    operation = (COMPARE | BINARY)[slot]
    assert operation(x, own) == (name, x)
    assert operation(x, other) == (slot, (x, other))


@pytest.mark.parametrize("slot", COMPARE)
def test_comparisons(slot: str) -> None:
    x, y = tensor([1]), tensor([2])
    for each in COMPARE:
        _native.set_operator(each, recorded(each))
    assert COMPARE[slot](x, y)[0] == slot
    assert COMPARE[slot](x, 3)[0] == slot
    assert COMPARE[slot](3, x)[0] == MIRRORED[slot]


@pytest.mark.parametrize("slot", UNARY)
def test_unary_slots(slot: str) -> None:
    x = tensor([1])
    _native.set_operator(slot, recorded(slot))
    assert UNARY[slot](x) == (slot, (x,))
    _native.set_operator(slot, None)
    with pytest.raises(TypeError, match="bad operand type"):
        UNARY[slot](x)


def test_subscripts() -> None:
    x = tensor([1])
    with pytest.raises(TypeError, match="not subscriptable"):
        x[0]
    _native.set_operator("getitem", recorded("getitem"))
    assert x[1:2, None] == ("getitem", (x, (slice(1, 2), None)))


def test_slots_without_a_function_are_not_implemented() -> None:
    x = tensor([1])
    with pytest.raises(TypeError, match="unsupported operand"):
        x + 1
    with pytest.raises(TypeError, match="not supported between"):
        operator.lt(x, 1)
    assert [x == x, x == 1, x != 1] == [True, False, True]
    assert len({x, x, tensor([1])}) == 2


def test_not_implemented_goes_on_to_the_other_operand() -> None:
    class Right:
        def __radd__(self, other: Any) -> str:
            return "right"

    _native.set_operator("add", lambda *_: NotImplemented)
    assert tensor([1]) + Right() == "right"


def test_three_argument_pow_is_not_implemented() -> None:
    _native.set_operator("pow", recorded("pow"))
    with pytest.raises(TypeError, match="unsupported operand"):
        pow(tensor([1]), 2, 3)


def test_in_place_operators_make_new_tensors() -> None:
    _native.set_operator("add", EagerOp("add", 2, lambda args, _: add_plan(args[0].shape)))
    x = before = tensor([1, 2])
    x += tensor([1, 1])
    assert x is not before
    np.testing.assert_array_equal(x.asnumpy(), [2, 3])


def test_subclasses_inherit_and_may_replace_operators() -> None:
    class Doubled(TensorBase):
        def __add__(self, other: Any) -> Any:
            return "doubled"

    _native.set_operator("add", recorded("add"))
    assert Doubled(tensor([1])) + 1 == "doubled"
    assert (1 + Doubled(tensor([1])))[0] == "add"


def test_errors_propagate() -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("why")

    _native.set_operator("mul", broken)
    with pytest.raises(KeyError, match="why"):
        tensor([1]) * 2


def test_registration_is_checked() -> None:
    with pytest.raises(ValueError, match=r"the slot must be one of add, .* got 'divmod'"):
        _native.set_operator("divmod", recorded("divmod"))
    with pytest.raises(TypeError, match="must be callable or None, got int"):
        _native.set_operator("add", 3)  # type: ignore[arg-type]
    function = recorded("add")
    _native.set_operator("add", function)
    assert _native.get_operator("add") is function
