"""What objects of user classes cannot do in graphs: each refusal with its place."""

from __future__ import annotations

from typing import Any

import pytest

from tests.infer.fakes import i, infer, t
from tests.infer.test_infer_errors import column_of, place
from tests.infer.test_infer_objects import Vector, both


def failure(kind: type[Exception], function: Any, *args: Any) -> str:
    with pytest.raises(kind) as caught:
        infer(function, *args)
    return str(caught.value)


def test_what_objects_lack() -> None:
    def missing(x: Any) -> Any:
        return Vector(x).z  # type: ignore[attr-defined]

    def operator(x: Any) -> Any:
        return Vector(x) - 1  # type: ignore[operator]

    def not_iterable(x: Any) -> Any:
        return list(Plain())  # type: ignore[call-overload]

    def arguments(x: Any) -> Any:
        return Plain(x)  # type: ignore[call-arg]

    class Plain:
        __slots__ = ("a",)

    def slot(x: Any) -> Any:
        plain = Plain()
        plain.b = x  # type: ignore[attr-defined]

    message = failure(AttributeError, missing, t(1.0))
    assert place(*column_of(missing, 1, "Vector(x).z")) in message
    assert "'Vector' object has no attribute 'z'" in message
    message = failure(TypeError, operator, t(1.0))
    assert place(*column_of(operator, 1, "Vector(x) - 1")) in message
    assert "unsupported operand type(s) for -: 'Vector' and 'int'" in message
    assert "Plain object is not iterable" in failure(TypeError, not_iterable, t(1.0))
    assert "Plain() takes no arguments" in failure(TypeError, arguments, t(1.0))
    message = failure(AttributeError, slot, t(1.0))
    assert place(*column_of(slot, 2, "plain.b")) in message
    assert "its __slots__ do not name it" in message


def test_what_cannot_be_made_or_returned() -> None:
    class Listed(list[Any]):
        pass

    def listed(x: Any) -> Any:
        return Listed([x])

    def returned(x: Any) -> Any:
        return [Vector(x)]

    assert "Listed is not supported in a graph" in failure(TypeError, listed, t(1.0))
    message = failure(TypeError, returned, t(1.0))
    assert "a Vector object cannot leave a compiled function" in message
    assert "dataclasses" in message


def test_objects_that_became_one_are_fixed() -> None:
    def branch(x: Any) -> Any:
        v = Vector(x)
        w = v if x > 0 else Vector(x * 2)
        w.x = x * 3
        return v.x

    def alias(x: Any) -> Any:
        v = Vector(x)
        w = v if x > 0 else Vector(x * 2)
        v.x = x * 3
        return w.x

    def loop(x: Any, n: Any) -> Any:
        v = w = Vector(x)
        for _ in range(n):
            v = v * 2.0
        v.x = x
        return w.x

    for function, line, given in ((branch, 3, ()), (alias, 3, ()), (loop, 4, (i(2),))):
        message = failure(TypeError, function, t(1.0), *given)
        assert place(*column_of(function, line, "v.x" if function is not branch else "w.x")) in message
        assert "cannot assign to attribute 'x' of a Vector: a branch or loop" in message
        assert "make a new object" in message


@both
def test_attributes_that_one_arm_alone_adds(x: float) -> None:
    def function(x: Any) -> Any:
        v = Vector(x)
        if x > 0:
            v.z = x  # type: ignore[attr-defined]
        return v.x

    message = failure(TypeError, function, t(x))
    assert "Vector with x, y, z and Vector with x, y" in message
