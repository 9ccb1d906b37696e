"""Methods and functions that choose, place, order and measure elements, in both modes, against numpy; their gradients; wrong arguments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, Tensor, nn, ops
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler

X = np.array([[3.0, 1.0, -2.0], [0.5, 5.0, 4.0]], np.float32)
CUBE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
I = np.array([1, 0])  # noqa: E741
COLUMN = np.array([[1], [0]])
LARGEST = float(np.finfo(np.float32).max)


class Call(nn.Cell):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, *args: Any) -> Any:
        return self.function(*args)


def added(index: Any, values: Any) -> Any:
    result = X.copy()
    np.add.at(result, index, values)
    return result


def put(axis: int, index: Any, values: Any) -> Any:
    result = X.copy()
    np.put_along_axis(result, index, values, axis)
    return result


def filled(place: Any) -> Any:
    result = X.copy()
    result[place] = 9
    return result


CASES: list[tuple[str, Callable[..., Any], Any]] = [
    ("gather", lambda x, i, c: x.gather(i, 1), X[:, I]),
    ("gather along", lambda x, i, c: x.gather(1, c), np.take_along_axis(X, COLUMN, 1)),
    ("gather_elements", lambda x, i, c: ops.gather_elements(x, 1, c - 1), np.take_along_axis(X, COLUMN - 1, 1)),
    ("gather_d", lambda x, i, c: ops.gather_d(x, 0, c), np.take_along_axis(X[:, :1], COLUMN, 0)),
    ("gather_nd", lambda x, i, c: x.gather_nd(i.reshape(1, 2)), X[1:, 0]),
    ("batch gather", lambda x, i, c: ops.gather(x, c, 1, 1), np.take_along_axis(X, COLUMN, 1)),
    ("index_select", lambda x, i, c: x.index_select(1, i), X[:, I]),
    ("take", lambda x, i, c: x.take(i * 9), np.take(X, I * 9, mode="clip")),
    ("take wrap", lambda x, i, c: x.take(i * 9, mode="wrap"), np.take(X, I * 9, mode="wrap")),
    ("take axis", lambda x, i, c: x.take(i, axis=1), X[:, I]),
    ("ops.take", lambda x, i, c: ops.take(x, c), X.ravel()[COLUMN]),
    ("index_add", lambda x, i, c: x.index_add(0, i * 0, x, alpha=2), added(I * 0, 2 * X)),
    ("index_fill", lambda x, i, c: x.index_fill(1, i, 9.0), filled((slice(None), I))),
    ("index_put", lambda x, i, c: x.index_put((i, i), x[0, :2]), [[1, 1, -2], [0.5, 3, 4]]),
    ("index_put add", lambda x, i, c: x.index_put((i * 0,), x, True), added(I * 0, X)),
    ("scatter", lambda x, i, c: x.scatter(1, c, 9.0), put(1, COLUMN, 9)),
    ("scatter tensor", lambda x, i, c: ops.scatter(x, 1, c, x), put(1, COLUMN, X[:, :1])),
    ("scatter_add", lambda x, i, c: x.scatter_add(1, c, x[:, :1]), [[3, 4, -2], [1, 5, 4]]),
    ("tensor_scatter_elements", lambda x, i, c: ops.tensor_scatter_elements(x, c, x[:, :1], 1, "add"), [[3, 4, -2], [1, 5, 4]]),
    ("unsorted_segment_sum", lambda x, i, c: ops.unsorted_segment_sum(x, i - 1, 2), [X[0], [0, 0, 0]]),
    ("unsorted_segment_prod", lambda x, i, c: ops.unsorted_segment_prod(x, i * 0, 1), [X[0] * X[1]]),
    ("unsorted_segment_max", lambda x, i, c: ops.unsorted_segment_max(x, i * 0, 2), [X.max(0), [-LARGEST] * 3]),
    ("unsorted_segment_min", lambda x, i, c: ops.unsorted_segment_min(x, i - 1, 2), [X[0], [LARGEST] * 3]),
    ("chunk", lambda x, i, c: x.chunk(2, 1), [X[:, :2], X[:, 2:]]),
    ("chunk many", lambda x, i, c: ops.chunk(x, 5, 1), [X[:, :1], X[:, 1:2], X[:, 2:]]),
    ("tensor_split", lambda x, i, c: x.tensor_split(2, 1), [X[:, :2], X[:, 2:]]),
    ("tensor_split at", lambda x, i, c: x.tensor_split((1, 2), axis=1), [X[:, :1], X[:, 1:2], X[:, 2:]]),
    ("hsplit", lambda x, i, c: x.hsplit(3), [X[:, :1], X[:, 1:2], X[:, 2:]]),
    ("unbind", lambda x, i, c: x.unbind(1), [X[:, 0], X[:, 1], X[:, 2]]),
    ("narrow", lambda x, i, c: x.narrow(1, -2, 2), X[:, 1:]),
    ("select", lambda x, i, c: x.select(1, 2), X[:, 2]),
    ("flip", lambda x, i, c: x.flip((0, 1)), X[::-1, ::-1]),
    ("fliplr", lambda x, i, c: x.fliplr(), X[:, ::-1]),
    ("flipud", lambda x, i, c: x.flipud(), X[::-1]),
    ("roll", lambda x, i, c: x.roll(4), np.roll(X, 4)),
    ("roll along", lambda x, i, c: ops.roll(x, (1, -1), (0, 1)), np.roll(X, (1, -1), (0, 1))),
    ("rot90", lambda x, i, c: [x.rot90(k, (0, 1)) for k in (0, 1, 2, 3)], [np.rot90(X, k) for k in (0, 1, 2, 3)]),
    ("repeat", lambda x, i, c: x.repeat(2, 1), np.tile(X, (2, 1))),
    ("repeat axis", lambda x, i, c: x.repeat(2, axis=1), np.repeat(X, 2, 1)),
    ("repeat_interleave", lambda x, i, c: x.repeat_interleave(2), np.repeat(X, 2)),
    ("repeat_interleave times", lambda x, i, c: ops.repeat_interleave(x, [1, 2], 0), np.repeat(X, [1, 2], 0)),
    ("repeat_elements", lambda x, i, c: ops.repeat_elements(x, 2, 1), np.repeat(X, 2, 1)),
    ("expand_as", lambda x, i, c: x.expand_as(ops.zeros((2, 2, 3))), np.broadcast_to(X, (2, 2, 3))),
    ("movedim", lambda x, i, c: x.movedim(0, 1), X.T),
    ("t", lambda x, i, c: (x.t(), x.mT, x.swapdims(0, 1)), [X.T, X.T, X.T]),
    ("tril", lambda x, i, c: (x.tril(), x.triu(1)), [np.tril(X), np.triu(X, 1)]),
    ("diag", lambda x, i, c: ops.diag(x[0]), np.diag(X[0])),
    ("diagonal", lambda x, i, c: (x.diagonal(), x.diagonal(1), x.diagonal(-1)), [np.diagonal(X, k) for k in (0, 1, -1)]),
    ("trace", lambda x, i, c: x.trace(), np.trace(X)),
    ("outer", lambda x, i, c: ops.outer(x[0], x[1]), np.outer(X[0], X[1])),
    ("meshgrid", lambda x, i, c: ops.meshgrid(x[0], x[1, :2]), np.meshgrid(X[0], X[1, :2])),
    ("meshgrid ij", lambda x, i, c: ops.meshgrid(x[0], x[1, :2], indexing="ij"), np.meshgrid(X[0], X[1, :2], indexing="ij")),
    ("sort", lambda x, i, c: x.sort()[0], np.sort(X)),
    ("sort down", lambda x, i, c: ops.sort(x, 0, True)[0], -np.sort(-X, 0)),
    ("argsort", lambda x, i, c: x.argsort(axis=0), np.argsort(X, 0).astype(np.int32)),
    ("topk", lambda x, i, c: x.topk(2)[0], [[3, 1], [5, 4]]),
    ("topk dim", lambda x, i, c: ops.topk(x, 1, dim=0, largest=False)[1], np.array([[1, 0, 0]], np.int32)),
    ("cumsum", lambda x, i, c: (x.cumsum(1), x.cumsum()), [np.cumsum(X, 1), np.cumsum(X)]),
    ("cumprod", lambda x, i, c: x.cumprod(0), np.cumprod(X, 0)),
    ("CumSum", lambda x, i, c: ops.CumSum(True, True)(x, 1), [[-1, -2, 0], [9, 4, 0]]),
    ("norm", lambda x, i, c: (x.norm(), x.norm(1), x.norm(float("inf"))), [np.linalg.norm(X, k) for k in (None, 1, np.inf)]),
    ("norm dim", lambda x, i, c: (x.norm(2, dim=1), x.norm(3, dim=0)), [np.linalg.norm(X, 2, 1), np.linalg.norm(X, 3, 0)]),
    ("norm kept", lambda x, i, c: ops.norm(x, -1, (0, 1), True), np.linalg.norm(X, -1, (0, 1), True)),
    ("norm zero", lambda x, i, c: x.norm(0, dim=1), np.linalg.norm(X, 0, 1)),
    ("count_nonzero", lambda x, i, c: (x > 1).count_nonzero(), np.int32(3)),
    ("ptp", lambda x, i, c: x.ptp(axis=1), np.ptp(X, 1)),
    ("bool sums", lambda x, i, c: ((x > 1).sum(axis=0), ops.ReduceSum()(x > 9)), [(X > 1).sum(0), np.False_]),
    ("bool product", lambda x, i, c: ops.ReduceProd()(x > 1, 1), (X > 1).all(1)),
    ("isclose", lambda x, i, c: x.isclose(x + 1e-9), X == X),
    ("nan_to_num", lambda x, i, c: (x / 0).nan_to_num(1.0, 2.0, -2.0), [[2, 2, -2], [2, 2, 2]]),
    ("new", lambda x, i, c: (x.new_ones((2,)), x.new_full((2,), 3)), [np.ones(2, np.float32), np.full(2, 3, np.float32)]),
    ("new_zeros", lambda x, i, c: i.new_zeros(2, 3), np.zeros((2, 3), np.int64)),
    ("type_as", lambda x, i, c: x.type_as(i), X.astype(np.int64)),
    ("byte", lambda x, i, c: (x.abs().byte(), x.short()), [np.abs(X).astype(np.uint8), X.astype(np.int16)]),
    ("slice", lambda x, i, c: ops.slice(x, (0, 1), (2, -1)), X[0:2, 1:]),
    ("strided_slice", lambda x, i, c: ops.strided_slice(x, (1, 0), (2, 2), (1, 1), begin_mask=1, shrink_axis_mask=2), X[:2, 0]),
    ("strided_slice new", lambda x, i, c: ops.StridedSlice(ellipsis_mask=1, new_axis_mask=2)(x, (0, 0), (0, 0), (1, 1)), X[..., None]),
    ("range", lambda x, i, c: ops.range(0, 6, 2), np.arange(0, 6, 2)),
    ("embedding", lambda x, i, c: ops.embedding(c, x), X[COLUMN]),
    ("TopK", lambda x, i, c: ops.TopK()(x, 2)[1], np.array([[0, 1], [1, 2]], np.int32)),
    ("IndexFill", lambda x, i, c: ops.IndexFill()(i, 0, i, 7), np.array([7, 7])),
    ("addmm", lambda x, i, c: x.addmm(x, ops.eye(3), beta=2, alpha=3), 5 * X),
]  # fmt: skip


@pytest.mark.parametrize(("function", "wanted"), [pytest.param(f, w, id=n) for n, f, w in CASES])
def test_values_are_numpys(mode: str, function: Callable[..., Any], wanted: Any) -> None:
    found = Call(function)(Tensor(X), Tensor(I), Tensor(COLUMN))
    several = isinstance(found, tuple | list)
    for got, expected in zip(found, wanted, strict=True) if several else ((found, wanted),):
        if isinstance(expected, np.ndarray | np.generic):
            assert got.asnumpy().dtype == expected.dtype
        assert got.shape == np.shape(expected)
        np.testing.assert_allclose(got.asnumpy(), expected, rtol=1e-5, atol=1e-6)


SMOOTH: list[Callable[..., Any]] = [
    lambda x: x.cumsum(1) * x, lambda x: x.cumprod(1) * x, lambda x: ops.CumProd(True, True)(x, 0) * x, lambda x: x.sort(1)[0] * x,
    lambda x: x.topk(2)[0] ** 2, lambda x: x.norm(3, dim=1), lambda x: x.norm(), lambda x: x.tril() * x, lambda x: x.diagonal(1) ** 2,
    lambda x: ops.repeat_interleave(x, [2, 0], 0) ** 2, lambda x: x.roll(2) * x,
    lambda x: ops.embedding(Tensor([[1, 0], [1, 1]]), x, 0) ** 2,
    lambda x: x.index_add(1, Tensor([2, 2]), x[:, :2]) * x, lambda x: x.take(Tensor([5, 9])) ** 2,
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(SMOOTH)))
def test_gradients(mode: str, number: int) -> None:
    function, x = SMOOTH[number], X.astype(np.float64)
    (wanted,) = numeric_gradient(function, x)
    if number == 11:
        wanted[0] = 0
    found = ms.grad(Call(function))(Tensor(x))
    np.testing.assert_allclose(found.asnumpy(), wanted, rtol=1e-6, atol=1e-6)


def test_running_products_with_zeros_have_gradients(mode: str) -> None:
    x = np.array([2.0, 0.0, 3.0, 0.0, 5.0])
    (wanted,) = numeric_gradient(lambda t: t.cumprod(0), x)
    np.testing.assert_allclose(ms.grad(Call(lambda t: t.cumprod(0)))(Tensor(x)).asnumpy(), wanted, atol=1e-6)


class Writes(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.p = Parameter(Tensor(X.copy()), name="p")
        self.add = ops.ScatterAdd()
        self.update = ops.ScatterNdUpdate()

    def construct(self, index: Any, x: Any) -> Any:
        first = self.add(self.p, index, x) * 1
        self.update(self.p, index.reshape(1, 2), x[0, :1])
        ops.scatter_max(self.p, index[:1], x[:1] * 10)
        ops.index_add(self.p, index[:1], x[:1], 0)
        return first


def test_parameters_are_changed_at_indices(mode: str) -> None:
    cell, wanted = Writes(), X.copy()
    first = cell(Tensor([1, 1]), Tensor(X)).asnumpy()
    wanted[1] += X[0] + X[1]
    np.testing.assert_allclose(first, wanted)
    wanted[1, 1] = X[0, 0]
    wanted[1] = np.maximum(wanted[1], X[0] * 10) + X[0]
    np.testing.assert_allclose(cell.p.asnumpy(), wanted)


def test_embedding_tables_learn_and_leave_padding_alone(mode: str) -> None:
    net = nn.Embedding(4, 2, embedding_table="ones", padding_idx=1)
    assert net.embedding_table.asnumpy().tolist() == [[1, 1], [0, 0], [1, 1], [1, 1]]
    slope = ms.grad(lambda i: net(i).sum(), None, net.trainable_params())(Tensor([[3, 1], [3, 0]]))
    assert slope[0].asnumpy().tolist() == [[1, 1], [0, 0], [0, 0], [2, 2]]
    assert nn.Embedding(3, 2, True, Tensor(X.T))(Tensor([2, 5])).asnumpy().tolist() == [[-2, 4], [0, 0]]
    with pytest.raises(IndexError, match="index 4 is out of bounds for dimension with size 4"):
        net(Tensor([4]))
    with pytest.raises(ValueError, match="'padding_idx' must be in"):
        nn.Embedding(4, 2, padding_idx=4)


@pytest.mark.parametrize("shape", [(5,), (33, 3), (3, 33), (300,), (2, 3, 400)])
def test_sums_and_products_of_truth(mode: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(0, 2, shape).astype(np.bool_)
    for axis in (0, -1, ()):
        axes = axis if isinstance(axis, int) else None
        found = Call(lambda t, axis=axis: (ops.ReduceSum()(t, axis), ops.ReduceProd()(t, axis)))(Tensor(x))
        np.testing.assert_array_equal(found[0].asnumpy(), x.any(axes))
        np.testing.assert_array_equal(found[1].asnumpy(), x.all(axes))


def test_what_only_eager_mode_can_choose() -> None:
    x = Tensor(X)
    assert x.masked_select(x > 2).tolist() == [3, 5, 4]
    assert (x > 2).nonzero().tolist() == [[0, 0], [1, 1], [1, 2]]
    assert [t.tolist() for t in ops.nonzero(x > 2, as_tuple=True)] == [[0, 1, 1], [0, 1, 2]]
    assert x[x > 2].tolist() == [3, 5, 4]
    assert (x.item(1), x.item((1, 2)), x.item(-1)) == (1, 4, 4)
    with pytest.raises(ValueError, match="only one element"):
        x.item()


def test_changes_in_place() -> None:
    x = Tensor(X.copy())
    assert x.itemset(4, 7.0) is x
    assert x.add_(1.0).masked_fill_(x > 6, 0.0).mul_(2) is x
    assert x.tolist() == [[8, 4, -2], [3, 0, 10]]
    assert x.clamp_(0, 5).tolist() == [[5, 4, 0], [3, 0, 5]]
    assert x.copy_(Tensor([1.0, 2.0, 3.0])).tolist() == [[1, 2, 3], [1, 2, 3]]
    assert x.fill_(4).sub_(1).div_(3).tolist() == [[1, 1, 1], [1, 1, 1]]
    assert x.zero_().tolist() == [[0, 0, 0], [0, 0, 0]]
    assert x.clone() is not x
    assert x.stride() == [3, 1]
    with pytest.raises(IndexError, match="out of bounds"):
        x.itemset(9, 1.0)


@pytest.mark.parametrize(
    ("function", "error", "words"),
    [
        (lambda x: x.chunk(0), ValueError, "'chunks' must be an int above 0"),
        (lambda x: x.narrow(1, 2, 2), ValueError, "'start' 2 and 'length' 2"),
        (lambda x: x.take(Tensor([0]), mode="no"), ValueError, "'mode' must be"),
        (lambda x: x.norm(2, dim=(0, 1)), ValueError, "singular values"),
        (lambda x: ops.repeat_interleave(x, [1, 2, 3], 0), ValueError, "one or 2"),
        (lambda x: x.index_select(0, Tensor([[0]])), ValueError, "at most one dimension"),
        (lambda x: ops.tril(x[0]), ValueError, "two dimensions"),
        (lambda x: x.topk(4), ValueError, "'k' must be an int from 0 to 3"),
        (lambda x: x.movedim((0, 0), (0, 1)), ValueError, "different dimensions"),
        (lambda x: x.diagonal(0, 1, 1), ValueError, "must differ"),
        (lambda x: ops.meshgrid(x[0], indexing="no"), ValueError, "'indexing'"),
        (lambda x: ops.strided_slice(x, (0,), (1,), (0,)), ValueError, "must not contain 0"),
        (lambda x: ops.slice(x, (-1,), (1,)), ValueError, "not negative"),
        (lambda x: ops.gather(x, Tensor([0, 9]), 1), IndexError, "index 9 is out of bounds for dimension with size 3"),
        (lambda x: ops.gather_nd(x, Tensor([[0, -4]])), IndexError, "index -4 is out of bounds"),
        (lambda x: x.index_add(0, Tensor([2]), x[:1]), IndexError, "index 2 is out of bounds"),
        (lambda x: ops.Roll()(x), TypeError, "needs 'shifts'"),
        (lambda x: ops.Range(no=1), TypeError, "no attribute 'no'"),
    ],
)  # fmt: skip
def test_wrong_arguments(mode: str, function: Callable[..., Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        Call(function)(Tensor(X))
