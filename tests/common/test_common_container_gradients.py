"""Gradients for containers of tensors and for numbers: the same in both modes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, mutable, ops

pytestmark = pytest.mark.compiler

A, B = Tensor(2.0), Tensor(3.0)


@dataclass(frozen=True)
class Pair:
    a: Any
    b: Any


class Named(NamedTuple):
    a: Any
    b: Any


def by_name(p: Any) -> Any:
    return p.a * p.b * p.b


def by_index(p: Any) -> Any:
    return p[0] * p[1] * p[1]


def plain(value: Any) -> Any:
    if isinstance(value, Tensor):
        return value.item()
    if isinstance(value, Pair | Named):
        return type(value)(plain(value.a), plain(value.b))
    if isinstance(value, tuple | list):
        return type(value)(map(plain, value))
    return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("function", "given", "wanted"),
    [
        (by_index, (A, B), (9.0, 12.0)),
        (by_index, [A, B], [9.0, 12.0]),
        (by_name, Named(A, B), Named(9.0, 12.0)),
        (by_name, Pair(A, B), Pair(9.0, 12.0)),
        (lambda d: by_index((d["x"], d["y"][0])), {"x": A, "y": [B]}, {"x": 9.0, "y": [12.0]}),
        (by_index, mutable((2.0, B)), (9.0, 12.0)),
        (by_index, mutable((A, 3)), (9.0, 12)),
        (by_index, (A, Parameter(B, name="b")), (9.0, 12.0)),
        (lambda x: x * x * x, 2.0, 12.0),
        (lambda p: A * 1.0, (), ()),
    ],
)
def test_gradients_have_the_structure_of_the_argument(mode: str, function: Any, given: Any, wanted: Any) -> None:
    assert plain(ms.grad(function)(given)) == wanted
    assert plain(ms.jit(lambda x: ms.grad(function)(x))(given)) == wanted
    assert plain(ms.value_and_grad(function)(given)[1]) == wanted


def test_numbers_and_several_positions(mode: str) -> None:
    assert plain(ms.grad(lambda x, y: x * y, (0, 1))(2.0, 3.0)) == (3.0, 2.0)
    both = ms.grad(lambda x, p: x * by_name(p), (0, 1), sens_param=True)(A, Pair(A, B), Tensor(10.0))
    assert plain(both) == (180.0, Pair(180.0, 240.0))
    value, gradient = ms.value_and_grad(lambda x: Pair(x * x, 3.0 * x))(A)
    assert (plain(value), plain(gradient)) == (Pair(4.0, 6.0), 7.0)


def test_all_arguments(mode: str) -> None:
    every = ops.GradOperation(get_all=True)(lambda x, p: x * by_index(p))
    assert plain(every(A, mutable((A, B)))) == (18.0, (18.0, 24.0))
    assert plain(every(A, (A, B))) == (18.0,)


def test_higher_orders(mode: str) -> None:
    def slope(p: Any) -> Any:
        return ms.grad(by_name)(p).b

    def curvature(p: Any) -> Any:
        return ms.grad(slope)(p).b

    assert plain(slope(Pair(A, B))) == 12.0
    assert plain(ms.grad(slope)(Pair(A, B))) == Pair(6.0, 4.0)
    assert plain(ms.grad(curvature)(Pair(A, B))) == Pair(2.0, 0.0)


@pytest.mark.parametrize(
    ("given", "kind"),
    [(3, "int"), ("a", "str"), ((A, 3), "int"), ((A, 3.5), "float"), (Pair(A, "a"), "str"), ([A, None], "NoneType")],
)
def test_what_is_no_tensor(mode: str, given: Any, kind: str) -> None:
    for gradient in (ms.grad(by_index), ms.value_and_grad(by_index)):
        with pytest.raises(TypeError, match=rf"the argument at (grad_)?position 0 must .*(got|holds) {kind}"):
            gradient(given)
