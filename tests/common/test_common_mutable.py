"""``mutable``: numbers as inputs of compiled calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, mutable
from mindspore._native import signature

pytestmark = pytest.mark.compiler

X = Tensor([1.0, 2.0])


@pytest.mark.parametrize("value", [3, 2.5, True, (1, 2.5), [1, (X, 2)], {"a": 1, 2: [X]}, (), X])
def test_marked_values_are_as_before(value: Any) -> None:
    marked = mutable(value)
    assert isinstance(marked, int if isinstance(value, bool) else type(value))
    assert repr(marked) == repr(value)
    if not isinstance(value, Tensor):
        assert marked == value or isinstance(value, list | dict)
    assert mutable(marked) is marked


@pytest.mark.parametrize("backend", ["cpu", "reference"])
def test_other_numbers_need_no_compilation(mode: str, backend: str) -> None:
    def function(x: Any, k: Any) -> Any:
        named = {"a": k["a"], "b": k["b"][1]}
        return x * named["a"] + named["b"] + k["b"][0] * 2

    compiled: Any = ms.jit(function, backend=backend)
    for a, b, c in ((1, 2.5, 3.5), (4, 0.5, 1.0), (-1, 1.5, 0.25)):
        given = {"a": a, "b": [b, Tensor(c)]}
        assert compiled(X, mutable(given)).tolist() == function(X, given).tolist()
    assert len(compiled.cache.entries) == 1
    assert compiled(X, {"a": 1, "b": [2.5, Tensor(3.5)]}).tolist() == [9.5, 10.5]
    assert compiled(X, mutable({"a": 1.5, "b": [2.5, Tensor(3.5)]})).tolist() == [10.0, 11.5]
    assert len(compiled.cache.entries) == 3


def test_scalars(mode: str) -> None:
    compiled: Any = ms.jit(lambda x, k: x * k)
    results = [compiled(X, mutable(k)).tolist() for k in (2, 3, 1.5, True, False)]
    assert results == [[2, 4], [3, 6], [1.5, 3], [1, 2], [0, 0]]
    assert len(compiled.cache.entries) == 3
    returned = ms.jit(lambda k: (k, k[0] > 1))(mutable((2, 2.5, True)))
    assert [type(e) for e in returned[0]] == [Tensor] * 3
    assert [e.dtype for e in returned[0]] == [ms.int64, ms.float32, ms.bool_]
    assert returned[1].item() is True


def test_numbers_decide_at_run_time(mode: str) -> None:
    @ms.jit
    def function(x: Any, n: Any) -> Any:
        total = x
        for _ in range(n[0]):
            total = total * 2
        return total + 1 if n[1] else total

    for n, flag in ((0, True), (3, False), (2, True)):
        assert function(X, mutable((n, flag))).tolist() == [2**n + flag, 2 ** (n + 1) + flag]
    assert len(function.cache.entries) == 1  # type: ignore[attr-defined]


def test_lengths_and_sizes(mode: str) -> None:
    compiled: Any = ms.jit(lambda values: sum(values))
    assert compiled(mutable((1, 2), True)).item() == 3
    assert compiled(mutable((1, 2, 4), dynamic_len=True)).item() == 7
    assert compiled(mutable((5, 6), True)).item() == 11
    assert len(compiled.cache.entries) == 2
    scaled: Any = ms.jit(lambda k, x: x * k[0])
    for n in (2, 3, 4, 6):
        assert scaled(mutable((2.0,)), Tensor(np.ones(n, np.float32))).tolist() == [2.0] * n


def test_marked_inside_a_graph_and_in_records(mode: str) -> None:
    @dataclass
    class Setting:
        k: Any

    @ms.jit
    def function(x: Any, s: Any) -> Any:
        y = mutable((1, 2))
        return x * y[1] + s.k

    assert function(X, Setting(mutable(3))).tolist() == [5, 7]
    assert function(X, Setting(mutable(4))).tolist() == [6, 8]
    assert len(function.cache.entries) == 1  # type: ignore[attr-defined]


def test_what_cannot_be_marked() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    for value in ("a", None, (1, "a"), {"a": None}, np.ones(2), loop):
        with pytest.raises(
            TypeError, match=r"For 'mutable', the 'input_data' should be one of .* with no self-reference, but got"
        ):
            mutable(value)
    with pytest.raises(
        TypeError, match="when the variable_len is True, the first input should be list or tuple, but got: int"
    ):
        mutable(3, True)


def test_signatures_see_kinds_in_marked_values_alone() -> None:
    def key(value: Any) -> Any:
        return signature((value,))

    assert key(mutable((1, [2.5]))) == key(mutable((7, [9.5])))
    assert hash(key(mutable((1, [2.5])))) == hash(key(mutable((7, [9.5]))))
    numbers = [mutable(1), mutable(1.0), mutable(True), 1, True, mutable((1,)), (1,), mutable([1]), mutable((True,))]
    different = [*numbers, mutable({1: 2}), mutable({2: 2})]
    assert len({key(v) for v in different}) == len(different)


def test_the_function_has_the_name_in_its_package() -> None:
    from mindspore.common import mutable

    assert mutable is ms.mutable
