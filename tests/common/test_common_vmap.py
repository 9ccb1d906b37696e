"""``vmap`` of functions and Cells in both modes: axes, nesting, control flow, gradients, and what does not fit."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops

pytestmark = pytest.mark.compiler

A = Tensor(np.arange(6).reshape(2, 3).astype(np.float32))
B = Tensor(np.arange(6).reshape(3, 2).astype(np.float32))
X = Tensor([1.0, 2.0, 3.0])


def product(x: Any, y: Any) -> Any:
    return x * y


def total(x: Any) -> Any:
    return x.sum()


def twice(x: Any) -> Any:
    return x * 2


def two(x: Any) -> Any:
    return x * 2, x.sum()


def lists(value: Any) -> Any:
    return tuple(lists(v) for v in value) if isinstance(value, tuple) else value.tolist()


@pytest.mark.parametrize(("axis", "wanted"), [(0, [3, 12]), (1, [3, 5, 7]), (-1, [3, 5, 7]), (-2, [3, 12])])
def test_rows_lie_along_an_axis(mode: str, axis: int, wanted: list[float]) -> None:
    assert ms.vmap(total, axis)(A).tolist() == wanted
    assert ops.vmap(total, (axis,))(A).tolist() == wanted


def test_an_argument_may_be_one_for_all_rows(mode: str) -> None:
    assert ms.vmap(product, (0, None))(A, X).tolist() == [[0, 2, 6], [3, 8, 15]]
    assert ms.vmap(product, (0, None))(A, 2).tolist() == [[0, 2, 4], [6, 8, 10]]
    assert ms.vmap(product, (None, 1))(X, B).tolist() == np.stack([X.asnumpy() * c for c in B.asnumpy().T]).tolist()


COLUMNS = [[0, 6], [2, 8], [4, 10]]


@pytest.mark.parametrize(("axis", "wanted"), [(1, COLUMNS), (-1, COLUMNS), (0, [[0, 2, 4], [6, 8, 10]])])
def test_rows_of_results_go_to_an_axis(mode: str, axis: int, wanted: Any) -> None:
    assert ms.vmap(twice, 0, axis)(A).tolist() == wanted
    assert lists(ms.vmap(two, 0, (axis, 0))(A)) == (wanted, [3, 12])


def test_results_that_are_one_for_all_rows(mode: str) -> None:
    def constant(x: Any) -> Any:
        return x * 2, X.sum(), 7

    repeated, once = ms.vmap(constant)(A), ms.vmap(constant, 0, (0, None, None))(A)
    assert repeated[1].tolist() == [6, 6]
    assert once[1].tolist() == 6
    assert repeated[2] == once[2] == 7


class Both(NamedTuple):
    left: Any
    right: Any


def test_tuples_lists_and_dicts(mode: str) -> None:
    def of_pair(pair: Any) -> Any:
        return pair[0] * pair[1]

    assert ms.vmap(of_pair, ((0, None),))((A, X)).tolist() == [[0, 2, 6], [3, 8, 15]]
    assert ms.vmap(of_pair)((A, A)).tolist() == [[0, 1, 4], [9, 16, 25]]

    def structured(pair: Any) -> Any:
        return {"sum": pair.left + pair.right, "parts": [pair.left, pair.right]}

    found = ms.vmap(structured)(Both(A, A))
    assert found["sum"].tolist() == (A + A).tolist()
    assert [p.tolist() for p in found["parts"]] == [A.tolist(), A.tolist()]


def test_nested(mode: str) -> None:
    outer = ms.vmap(ms.vmap(product, (None, 0)), (0, None))
    assert outer(X, X).tolist() == [[1, 2, 3], [2, 4, 6], [3, 6, 9]]
    matrix = ms.vmap(ms.vmap(lambda r, c: (r * c).sum(), (None, 1)), (0, None))
    np.testing.assert_allclose(matrix(A, B).asnumpy(), A.asnumpy() @ B.asnumpy())


def test_cells_and_compiled_functions(mode: str) -> None:
    net = nn.Dense(3, 2)
    np.testing.assert_allclose(ms.vmap(net)(A).asnumpy(), net(A).asnumpy(), rtol=1e-6)
    assert ms.jit(lambda a: ms.vmap(twice, 0, 1)(a))(A).tolist() == [[0, 6], [2, 8], [4, 10]]
    assert ms.vmap(ms.jit(total))(A).tolist() == [3, 12]


def branching(x: Any) -> Any:
    if x.sum() > 4:
        return ops.sqrt(x)
    return x * x


def looping(x: Any, n: Any) -> Any:
    i = 0
    while i < n:
        if x.sum() < 20:
            x = x * 1.5
        i = i + 1
    return x


TURNS = Tensor(np.array([1, 4], np.int32))


def rows_of(function: Any, *batches: Any) -> Any:
    return np.stack([function(*(Tensor(b.asnumpy()[i]) for b in batches)).asnumpy() for i in range(2)])


def test_conditions_that_differ_from_row_to_row(mode: str) -> None:
    np.testing.assert_allclose(ms.vmap(branching)(A).asnumpy(), rows_of(branching, A), rtol=1e-6)
    np.testing.assert_allclose(ms.vmap(looping)(A, TURNS).asnumpy(), rows_of(looping, A, TURNS), rtol=1e-6)


def test_gradients_of_rows_and_rows_of_gradients(mode: str) -> None:
    for function, batches in ((branching, (A,)), (looping, (A, TURNS))):
        gradient = ms.grad(lambda *given, function=function: function(*given).sum())
        wanted = rows_of(gradient, *batches)
        np.testing.assert_allclose(ms.vmap(gradient)(*batches).asnumpy(), wanted, rtol=1e-5)
        found = ms.grad(lambda *given, function=function: ms.vmap(function)(*given).sum())(*batches)
        np.testing.assert_allclose(found.asnumpy(), wanted, rtol=1e-5)
        assert np.isfinite(found.asnumpy()).all()


def test_second_gradients(mode: str) -> None:
    def cubed(x: Any) -> Any:
        return (x * x * x).sum()

    second = ms.grad(lambda x: ms.grad(lambda v: ms.vmap(cubed)(v).sum())(x).sum())
    np.testing.assert_allclose(second(A).asnumpy(), 6 * A.asnumpy())
    np.testing.assert_allclose(ms.vmap(ms.grad(lambda x: ms.grad(cubed)(x).sum()))(A).asnumpy(), 6 * A.asnumpy())


def test_gradients_reach_what_the_function_closes_over(mode: str) -> None:
    weight = Parameter(Tensor([1.0, 2.0, 3.0]), name="weight")

    def loss(a: Any, x: Any) -> Any:
        return ms.vmap(lambda row: (row * x * weight).sum())(a).sum()

    of_x, (of_weight,) = ms.grad(loss, 1, [weight])(A, X)
    assert of_x.tolist() == [3, 10, 21]
    assert of_weight.tolist() == [3, 10, 21]


class Doubled(nn.Cell):
    def construct(self, x: Any) -> Any:
        return x * 3

    def bprop(self, x: Any, out: Any, dout: Any) -> Any:
        return dout * 2


def test_bprop_and_recomputation_of_rows(mode: str) -> None:
    net = Doubled()
    again = nn.SequentialCell(nn.Dense(3, 2, weight_init="ones", bias_init="zeros"), nn.Tanh())
    plain = ms.vmap(ms.grad(lambda x: again(x).sum()))(A)
    again.recompute()
    assert ms.grad(lambda a: ms.vmap(net)(a).sum())(A).tolist() == [[2] * 3] * 2
    assert ms.vmap(ms.grad(net))(A).tolist() == [[2] * 3] * 2
    np.testing.assert_allclose(ms.grad(lambda a: ms.vmap(again)(a).sum())(A).asnumpy(), plain.asnumpy(), rtol=1e-5)


def test_tangents_and_pullbacks_of_rows(mode: str) -> None:
    def square(x: Any) -> Any:
        return x * x

    assert ms.vmap(lambda x, v: ms.jvp(square, x, v)[1])(A, A).tolist() == (2 * A * A).tolist()
    assert ms.vmap(lambda x, d: ms.vjp(square, x)[1](d)[0])(A, A).tolist() == (2 * A * A).tolist()
    assert ms.jvp(ms.vmap(square), A, A)[1].tolist() == (2 * A * A).tolist()


def test_state_that_is_one_for_all_rows_may_be_written(mode: str) -> None:
    class Counts(nn.Cell):
        def __init__(self) -> None:
            super().__init__()
            self.calls = Parameter(Tensor(0.0), name="calls")
            self.last = Parameter(Tensor([0.0, 0.0, 0.0]), name="last")

        def construct(self, x: Any) -> Any:
            self.calls = self.calls + 1
            return x * self.calls

    net = Counts()
    assert ms.vmap(net)(A).tolist() == A.tolist()
    assert net.calls.asnumpy() == 1
    assert ms.grad(lambda a: ms.vmap(net)(a).sum())(A).tolist() == [[2] * 3] * 2
    assert net.calls.asnumpy() == 2

    def writes(x: Any) -> Any:
        net.last = x
        return x

    with pytest.raises(RuntimeError, match="writes a value that differs from row to row"):
        ms.vmap(writes)(A)


SAID = {
    "single None": (lambda: ms.vmap(twice, None), "'in_axes' of 'vmap' cannot be a single None"),
    "all None": (lambda: ms.vmap(product, (None, None)), "'in_axes' of 'vmap' cannot be all None"),
    "None for a result with rows": (lambda: ms.vmap(twice, 0, None), "'out_axes' of 'vmap' cannot be a single None"),
    "a word": (lambda: ms.vmap(twice, "a"), "'in_axes' can only be of type Int or None, but got str 'a'"),
    "a float": (lambda: ms.vmap(twice, 0, 1.5), "'out_axes' can only be of type Int or None, but got float 1.5"),
    "out of range": (lambda: ms.vmap(twice, 2)(A), r"The axis: 2 in 'in_axes' is out of bounds for .* \[-2,2\)"),
    "out of the result's range": (lambda: ms.vmap(twice, 0, 3)(A), r"The axis: 3 in 'out_axes' is out of bounds"),
    "no dimensions": (lambda: ms.vmap(twice)(Tensor(1.0)), r"The axis: 0 in 'in_axes' is out of bounds"),
    "different numbers": (
        lambda: ms.vmap(product)(A, B),
        "'axis_size' of each argument .* should be equal, but got 2 and 3",
    ),
    "too few axes": (
        lambda: ms.vmap(product, (0,))(A, A),
        "equal to the number of arguments of 'fn': 2, but got size: 1",
    ),
    "too few result axes": (
        lambda: ms.vmap(two, 0, (1,))(A),
        "equal to the number of results of 'fn': 2, but got size: 1",
    ),
    "rows and None": (lambda: ms.vmap(two, 0, (0, None))(A), "a result that differs from row to row cannot have None"),
    "a number with an axis": (lambda: ms.vmap(product)(A, 2), "an argument with axis 0 in 'in_axes' must be a tensor"),
    "axes of no tuple": (lambda: ms.vmap(twice, ((0, 0),))(A), r"can only be of type Int or None, but got \(0, 0\)"),
}


@pytest.mark.parametrize("name", SAID)
def test_what_does_not_fit_is_refused(mode: str, name: str) -> None:
    call, says = SAID[name]
    with pytest.raises(RuntimeError, match=says):
        call()  # type: ignore[no-untyped-call]


def test_only_functions_have_rows() -> None:
    with pytest.raises(TypeError, match="needs a function or Cell as 'fn', but got int"):
        ms.vmap(3)


def test_no_rows(mode: str) -> None:
    empty = Tensor(np.zeros((0, 3), np.float32))
    assert ms.vmap(two)(empty)[0].shape == (0, 3)
    assert ms.vmap(two)(empty)[1].shape == (0,)


@pytest.mark.parametrize("differentiated", [False, True])
def test_effects_take_place_for_each_row(capfd: pytest.CaptureFixture[str], differentiated: bool) -> None:
    def shown(x: Any) -> Any:
        print("row", x.sum())
        return x.sum()

    found: Any = ms.vmap(ms.grad(shown) if differentiated else shown)
    found(A).asnumpy()
    assert capfd.readouterr().out.split() == ["row", "3.0", "row", "12.0"]


def announced(x: Any) -> Any:
    if x.sum() > 4:
        print("large", x.sum())
        return x * 2
    print("small", x.sum())
    return x - 1


@pytest.mark.parametrize("differentiated", [False, True])
def test_effects_in_branches_that_rows_take_or_not(capfd: pytest.CaptureFixture[str], differentiated: bool) -> None:
    found: Any = ms.vmap(ms.grad(lambda x: announced(x).sum()) if differentiated else announced)
    wanted = [[1.0] * 3, [2.0] * 3] if differentiated else [[-1.0, 0.0, 1.0], [6.0, 8.0, 10.0]]
    assert found(A).tolist() == wanted
    assert capfd.readouterr().out.split() == ["small", "3.0", "large", "12.0"]


def test_checks_of_rows() -> None:
    def checked(x: Any) -> Any:
        if x.sum() < 0:
            raise ValueError(f"negative: {x.sum()}")
        assert x.sum() < 12, f"too large: {x.sum()}"
        return x * 2

    assert ms.vmap(checked)(A[:1]).tolist() == [[0.0, 2.0, 4.0]]
    with pytest.raises(AssertionError, match=r"(?s)line \d+, column 9.*too large: 12"):
        ms.vmap(checked)(A)
    with pytest.raises(ValueError, match=r"(?s)line \d+, column 13.*negative: -3"):
        ms.vmap(ms.vmap(checked))(ops.stack([A[:1], -A[:1]]))


def test_effects_in_loops_that_rows_leave_by_themselves_are_refused() -> None:
    def counted(x: Any, n: Any) -> Any:
        i = 0
        while i < n:
            print("turn", i)
            i = i + 1
        return x

    with pytest.raises(
        TypeError, match="print, assert or raise stands in a loop whose condition differs from row to row"
    ):
        ms.vmap(counted)(A, TURNS)
