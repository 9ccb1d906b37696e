"""Gradients of tables that name rows: `RowTensor`, the optimizers that take it, and the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Parameter, ParameterTuple, RowTensor, Tensor, _native, nn, ops

pytestmark = pytest.mark.compiler

TABLE = np.arange(1, 13, dtype=np.float32).reshape(6, 2)
INDICES = np.array([[0, 3, 3], [1, 1, 3], [5, 0, 0]], np.int32)
WEIGHTS = np.array(
    [[[0.5, -2], [1, 0.3], [-1, 4]], [[1, 2], [0.5, 0.25], [-3, 1]], [[0.1, 0.2], [0.3, 0.4], [-2, 0]]], np.float32
)


class Weighted(nn.Cell):
    def __init__(self, lookup: Any = None) -> None:
        super().__init__()
        self.lookup = nn.EmbeddingLookup(6, 2, Tensor(TABLE)) if lookup is None else lookup

    def construct(self, indices: Any, weights: Any) -> Any:
        return (self.lookup(indices) * weights).sum()


def trained(make: Callable[[Any], Any]) -> tuple[Any, Any]:
    net = Weighted()
    optimizer = make(net.trainable_params())
    step = nn.TrainOneStepCell(net, optimizer)
    for indices, weights in zip(INDICES, WEIGHTS, strict=True):
        step(Tensor(indices), Tensor(weights))
    return net.lookup.embedding_table.asnumpy(), optimizer


@pytest.mark.parametrize(
    ("make", "wanted"),
    [
        (lambda p: nn.Adam(p, 0.1),
         [0.879683, 2.205253, 2.868065, 3.8680649, 5.0, 6.0, 7.131935, 7.7543907, 9.0, 10.0, 10.936119, 11.936119]),
        (lambda p: nn.Adam(p, 0.1, 0.8, 0.9, 1e-3, weight_decay=0.1, loss_scale=2.0),
         [0.87791324, 2.1554413, 2.8668475, 3.8667521, 5.0, 6.0, 6.873681, 7.748903, 9.0, 10.0, 10.932717, 11.932696]),
        (lambda p: nn.Adam(p, 0.1, use_lazy=True),
         [0.9450644, 2.1438692, 2.9255867, 3.9255865, 5.0, 6.0, 7.0744133, 7.817874, 9.0, 10.0, 10.936119, 11.936119]),
        (lambda p: nn.LazyAdam(p, 0.1),
         [0.9450644, 2.1438692, 2.9255867, 3.9255865, 5.0, 6.0, 7.0744133, 7.817874, 9.0, 10.0, 10.936119, 11.936119]),
        (lambda p: nn.LazyAdam(p, 0.1, 0.8, 0.9, 1e-3, use_nesterov=True, weight_decay=0.1, loss_scale=2.0),
         [0.9107054, 2.1363258, 2.8624816, 3.8623855, 5.0, 6.0, 6.8486423, 7.724899, 9.0, 10.0, 10.878891, 11.878853]),
        (lambda p: nn.FTRL(p, learning_rate=0.1),
         [0.47540653, 1.7670454, 2.283298, 3.344262, 5.0, 6.0, 0.09944903, 7.2909303, 9.0, 10.0, 0.48176035, 1.8046969]),
        (lambda p: nn.FTRL(p, 0.2, 0.1, -0.5, 0.01, 0.02, weight_decay=0.1, loss_scale=2.0),
         [0.22995955, 1.0638868, 1.9554782, 2.9908655, 5.0, 6.0, 4.818106, 6.9156103, 9.0, 10.0, 6.896789, 7.9778986]),
        (lambda p: nn.ProximalAdagrad(p, learning_rate=0.1),
         [1.009929, 2.079393, 2.9021509, 3.9009733, 5.0, 6.0, 7.099449, 7.877676, 9.0, 10.0, 10.969849, 11.946547]),
        (lambda p: nn.ProximalAdagrad(p, 0.2, 0.1, 0.01, 0.02, weight_decay=0.1, loss_scale=2.0),
         [1.0058359, 2.021285, 2.9002914, 3.8981433, 5.0, 6.0, 6.9341135, 7.8597517, 9.0, 10.0, 10.88834, 11.887418]),
        (lambda p: nn.FTRL(p, 0.2, 0.1, -0.4),
         [0.31314573, 1.4986988, 1.793983, 2.8027787, 5.0, 6.0, 0.1234827, 6.533601, 9.0, 10.0, 0.19392727, 0.8085985]),
    ],
)  # fmt: skip
def test_three_steps(mode: str, make: Callable[[Any], Any], wanted: list[float]) -> None:
    """MindSpore's answers, in graph mode, where it has such gradients."""
    table, _ = trained(make)
    np.testing.assert_allclose(table.ravel(), wanted, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize(
    "make", [nn.SGD, nn.RMSProp, nn.Adagrad, nn.AdaMax, nn.AdamWeightDecay, partial(nn.Lamb, learning_rate=0.1)]
)
def test_other_optimizers_take_whole_tensors(mode: str, make: Any) -> None:
    table, _ = trained(make)
    net = Weighted(nn.Embedding(6, 2, embedding_table=Tensor(TABLE)))
    step = nn.TrainOneStepCell(net, make(net.trainable_params()))
    for indices, weights in zip(INDICES, WEIGHTS, strict=True):
        step(Tensor(indices), Tensor(weights))
    np.testing.assert_allclose(table, net.lookup.embedding_table.asnumpy(), rtol=1e-6)


def test_lars_takes_them_whole(mode: str) -> None:
    net = Weighted()
    gradient = gradients(net, INDICES[0], WEIGHTS[0])
    nn.LARS(nn.SGD(net.trainable_params(), 1.0), 0.0, 0.5)(gradient)
    whole = dense(gradient[0])
    wanted = TABLE - 0.5 * np.linalg.norm(TABLE) / np.linalg.norm(whole) * whole
    np.testing.assert_allclose(net.lookup.embedding_table.asnumpy(), wanted, rtol=1e-5)


def test_rows_that_no_step_names_and_their_state_stay(mode: str) -> None:
    table, optimizer = trained(lambda p: nn.LazyAdam(p, 0.1))
    for state, start in (
        (table, TABLE),
        (optimizer.moment1[0].asnumpy(), 0 * TABLE),
        (optimizer.moment2[0].asnumpy(), 0 * TABLE),
    ):
        np.testing.assert_array_equal(state[[2, 4]], start[[2, 4]])
        assert (state[[0, 1, 3, 5]] != start[[0, 1, 3, 5]]).all()


def gradients(net: Any, *inputs: Any) -> Any:
    tables = ParameterTuple([p for p in net.trainable_params() if p.name.endswith("table")])
    return ops.GradOperation(get_by_list=True)(net, tables)(*map(Tensor, inputs))


def dense(rows: Any) -> Any:
    whole = np.zeros(rows.dense_shape, np.float32)
    np.add.at(whole, rows.indices.asnumpy(), rows.values.asnumpy())
    return whole


def test_the_gradient_names_the_rows(mode: str) -> None:
    (found,) = gradients(Weighted(), INDICES[:2], WEIGHTS[:2])
    assert isinstance(found, RowTensor)
    assert found.dense_shape == (6, 2)
    assert found.indices.tolist() == [0, 3, 3, 1, 1, 3]
    np.testing.assert_array_equal(found.values.asnumpy(), WEIGHTS[:2].reshape(6, 2))


def test_without_sparse_it_is_a_tensor(mode: str) -> None:
    (found,) = gradients(
        Weighted(nn.EmbeddingLookup(6, 2, Tensor(TABLE), target="DEVICE", sparse=False)), INDICES[0], WEIGHTS[0]
    )
    wanted = np.zeros((6, 2), np.float32)
    np.add.at(wanted, INDICES[0], WEIGHTS[0])
    np.testing.assert_allclose(found.asnumpy(), wanted, rtol=1e-6)


class Several(Weighted):
    def __init__(self, whole: bool) -> None:
        super().__init__()
        self.whole = whole

    def construct(self, indices: Any, weights: Any) -> Any:
        once = super().construct(indices, weights)
        twice = (self.lookup(ops.cast(indices, ms.int64) - 1) * 3.0).sum()
        return once + twice + (self.lookup.embedding_table.sum() if self.whole else 0.0)


def test_a_table_that_is_read_twice(mode: str) -> None:
    (rows,) = gradients(Several(False), INDICES[0], WEIGHTS[0])
    assert isinstance(rows, RowTensor)
    assert sorted(rows.indices.tolist()) == [-1, 0, 2, 2, 3, 3]
    (whole,) = gradients(Several(True), INDICES[0], WEIGHTS[0])
    np.testing.assert_allclose(whole.asnumpy(), dense(rows) + 1.0, rtol=1e-6)


def test_negative_and_positive_indices_name_one_row(mode: str) -> None:
    net = Weighted()
    step = nn.TrainOneStepCell(net, nn.ProximalAdagrad(net.trainable_params(), learning_rate=0.1))
    step(Tensor(np.array([5, -1, 0], np.int32)), Tensor(WEIGHTS[0]))
    g = WEIGHTS[0][0] + WEIGHTS[0][1]
    np.testing.assert_allclose(
        net.lookup.embedding_table.asnumpy()[5], TABLE[5] - 0.1 * g / np.sqrt(0.1 + g * g), rtol=1e-6
    )


class Tower(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.lookup = nn.EmbeddingLookup(6, 4, "ones")
        self.layers = nn.CellList([nn.Dense(4, 4) for _ in range(6)])

    def construct(self, indices: Any) -> Any:
        x = self.lookup(indices)
        for layer in self.layers:
            x = ops.tanh(layer(x))
        return x.sum()


class Towers(nn.Cell):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.c = Tower(), Tower(), Tower()

    def construct(self, indices: Any) -> Any:
        return self.a(indices) + self.b(indices) * 2.0 + self.c(indices)


def test_tables_of_equal_layers(mode: str) -> None:
    found = gradients(Towers(), INDICES[0])
    assert [each.indices.tolist() for each in found] == [[0, 3, 3]] * 3


scaled = ops.MultitypeFuncGraph("scaled")


@scaled.register("Number", "Tensor")
def _scaled_tensor(factor: Any, gradient: Any) -> Any:
    return gradient * factor


@scaled.register("Number", "RowTensor")
def _scaled_rows(factor: Any, gradient: Any) -> Any:
    return RowTensor(gradient.indices, gradient.values * factor, gradient.dense_shape)


class OwnStep(nn.Cell):
    """A step as models write it: gradients are scaled by type before the optimizer takes them."""

    def __init__(self, net: Any, optimizer: Any) -> None:
        super().__init__(auto_prefix=False)
        self.net, self.optimizer, self.map = net, optimizer, ops.HyperMap()
        self.grad = ops.GradOperation(get_by_list=True)(net, optimizer.parameters)

    def construct(self, *inputs: Any) -> Any:
        gradients = self.map(partial(scaled, 0.5), self.grad(*inputs))
        self.optimizer(gradients)
        return gradients


def test_gradients_are_mapped_by_their_type(mode: str) -> None:
    net = Weighted()
    (rows,) = OwnStep(net, nn.ProximalAdagrad(net.trainable_params(), learning_rate=0.1))(
        Tensor(INDICES[0]), Tensor(WEIGHTS[0])
    )
    np.testing.assert_array_equal(rows.values.asnumpy(), WEIGHTS[0] / 2)
    whole = dense(rows)
    wanted = TABLE - 0.1 * whole / np.sqrt(0.1 + whole * whole)
    np.testing.assert_allclose(net.lookup.embedding_table.asnumpy(), wanted, rtol=1e-6)


def test_a_gradient_may_be_handed_from_call_to_call(mode: str) -> None:
    net = Weighted()
    optimizer = nn.LazyAdam(net.trainable_params(), 0.25)
    value_and_grad = ms.value_and_grad(net, None, optimizer.parameters)
    _, found = value_and_grad(Tensor(INDICES[0]), Tensor(np.ones((3, 2), np.float32)))
    optimizer(found)
    moved = TABLE - net.lookup.embedding_table.asnumpy()
    np.testing.assert_allclose(moved, np.outer([1, 0, 0, 1, 0, 0], [0.25, 0.25]), rtol=1e-5)


@pytest.fixture
def _threads() -> Iterator[None]:
    before = _native.get_num_threads()
    yield
    _native.set_num_threads(before)


@pytest.mark.usefixtures("_threads")
def test_the_same_at_any_number_of_threads(mode: str) -> None:
    rng = np.random.default_rng(5)
    indices, weights = (
        rng.integers(0, 40, (8, 64)).astype(np.int32),
        rng.standard_normal((8, 64, 16)).astype(np.float32),
    )
    found = []
    for threads in (1, 2, 3):
        _native.set_num_threads(threads)
        net = Weighted(nn.EmbeddingLookup(50, 16, "ones"))
        step = nn.TrainOneStepCell(net, nn.LazyAdam(net.trainable_params(), 0.1))
        for _ in range(2):
            step(Tensor(indices), Tensor(weights))
        found.append(net.lookup.embedding_table.asnumpy().copy())
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_rows_made_in_a_graph(mode: str) -> None:
    @ms.jit
    def doubled(indices: Any, values: Any) -> Any:
        rows = RowTensor(indices, values * 2.0, (6, 2))
        return rows, rows.dense_shape

    rows, shape = doubled(Tensor(INDICES[0]), Tensor(WEIGHTS[0]))
    assert shape == rows.dense_shape == (6, 2)
    np.testing.assert_array_equal(rows.values.asnumpy(), WEIGHTS[0] * 2)
    again = RowTensor(row_tensor=rows)
    assert again.indices is rows.indices
    assert repr(again).startswith("RowTensor(shape=[6, 2], indices=Tensor(shape=[3]")


def test_rows_longer_than_the_norm_are_shortened(mode: str) -> None:
    lookup = nn.EmbeddingLookup(3, 2, Tensor([[3.0, 4.0], [0.3, 0.4], [0.0, 0.0]]), max_norm=1.0)
    np.testing.assert_allclose(lookup(Tensor([0, 1, 2])).asnumpy(), [[0.6, 0.8], [0.3, 0.4], [0.0, 0.0]], rtol=1e-6)


def test_sparse_gather_along_another_dimension(mode: str) -> None:
    x = Parameter(Tensor(TABLE), name="x")

    def chosen(indices: Any) -> Any:
        return (ops.SparseGatherV2()(x, indices, 1) * 2.0).sum()

    found = ms.grad(chosen, None, weights=x)(Tensor([0, 0, 1]))
    np.testing.assert_array_equal(found.asnumpy(), np.tile([4.0, 2.0], (6, 1)))


def test_a_second_derivative_of_a_table(mode: str) -> None:
    net = Weighted()
    table = net.lookup.embedding_table

    def squared(indices: Any) -> Any:
        return (ops.SparseGatherV2()(table, indices, 0) ** 2).sum()

    def slope(indices: Any) -> Any:
        inner = ms.grad(squared, None, weights=table)(indices)
        return inner.values.sum() if isinstance(inner, RowTensor) else inner.sum()

    found = ms.grad(slope, None, weights=table)(Tensor(INDICES[0]))
    whole = dense(found) if isinstance(found, RowTensor) else found.asnumpy()
    np.testing.assert_array_equal(whole, [[2, 2], [0, 0], [0, 0], [4, 4], [0, 0], [0, 0]])


WRONG: Any = 3, (2,)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: RowTensor(WRONG[0], Tensor(TABLE), (6, 2)), TypeError, "'indices' must be a Tensor, but got int"),
        (lambda: RowTensor(Tensor([1]), Tensor(TABLE), (6, 2)), ValueError, r"indices of shape \(1,\) and values of shape \(6, 2\)"),
        (lambda: RowTensor(Tensor([1]), Tensor([1.0]), WRONG[0]), TypeError, "'shape' must be a tuple of ints, but got 3"),
        (lambda: RowTensor(row_tensor=WRONG[0]), TypeError, "'row_tensor' must be a RowTensor, but got 3"),
        (lambda: nn.EmbeddingLookup(0, 2), ValueError, "'vocab_size' must be int and must > 0"),
        (lambda: nn.EmbeddingLookup(3, 2, target="GPU"), ValueError, "'target' must be in .'CPU', 'DEVICE'., but got GPU"),
        (lambda: nn.EmbeddingLookup(3, 2, sparse=False), ValueError, "'sparse' must be True when 'target' is \"CPU\""),
        (lambda: nn.EmbeddingLookup(3, 2, sparse=WRONG[0]), TypeError, "'sparse' should be bool"),
        (lambda: nn.EmbeddingLookup(3, 2, slice_mode="table_row_slice"), ValueError, "'slice_mode' must be in .'batch_slice'."),
        (lambda: nn.EmbeddingLookup(3, 2, max_norm=-1.0), ValueError, "'max_norm' must be float and must >= 0"),
        (lambda: nn.EmbeddingLookup(3, 2)(Tensor([3])), IndexError, "index 3 is out of bounds for dimension with size 3"),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused(mode: str, make: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        make()
