"""Methods, properties and operators of tensors: the same numbers in both modes, and numpy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn
from mindspore.base.protocols import tensor_methods, tensor_operators, tensor_properties

pytestmark = pytest.mark.compiler

X = np.linspace(-2, 3, 24, dtype=np.float32).reshape(2, 3, 4)
Y = np.linspace(0.5, 2, 24, dtype=np.float32).reshape(2, 3, 4)
I = np.arange(24).reshape(2, 3, 4)  # noqa: E741


class Call(nn.Cell):
    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__()
        self.function = function

    def construct(self, *tensors: Any) -> Any:
        return self.function(*tensors)


def add(x: Any, y: Any) -> Any:
    return x + y


def sub(x: Any, y: Any) -> Any:
    return x - y


def mul(x: Any, y: Any) -> Any:
    return x * y


def div(x: Any, y: Any) -> Any:
    return x / y


def floordiv(x: Any, y: Any) -> Any:
    return x // y


def mod(x: Any, y: Any) -> Any:
    return x % y


def power(x: Any, y: Any) -> Any:
    return y**x


def reflected(x: Any, y: Any) -> Any:
    return 2 - x + 3 * y / 2


def less(x: Any, y: Any) -> Any:
    return x < y


def greater_equal(x: Any, y: Any) -> Any:
    return x >= y


def logic(x: Any, y: Any) -> Any:
    return ((x > 0) & (y > 1)) | ~(x > 1)


def negated(x: Any, y: Any) -> Any:
    return -x + abs(y) + +x


@pytest.mark.parametrize(
    "function", [add, sub, mul, div, floordiv, mod, power, reflected, less, greater_equal, logic, negated]
)
def test_operators(mode: str, function: Callable[..., Any]) -> None:
    found = Call(function)(Tensor(X), Tensor(Y)).asnumpy()
    np.testing.assert_allclose(found, function(X, Y), rtol=1e-5, atol=1e-6)


def shapes(x: Any) -> Any:
    return (
        x.reshape(4, 6), x.reshape((6, 4)), x.reshape(-1), x.view(3, 8), x.transpose(2, 0, 1), x.transpose((1, 0, 2)),
        x.transpose(), x.permute(0, 2, 1), x.swapaxes(0, -1), x.T, x.flatten(), x.flatten(start_dim=1), x.ravel(),
        x.expand_dims(1), x.unsqueeze(-1), x.unsqueeze(0).squeeze(0), x.broadcast_to((2, 2, 3, 4)), x.tile((1, 2, 1)),
        x[0:1].expand(5, 3, 4),
    )  # fmt: skip


def expected_shapes(x: Any) -> Any:
    return (
        x.reshape(4, 6), x.reshape(6, 4), x.reshape(-1), x.reshape(3, 8), x.transpose(2, 0, 1), x.transpose(1, 0, 2), x.T,
        x.transpose(0, 2, 1), x.swapaxes(0, -1), x.T, x.ravel(), x.reshape(2, 12), x.ravel(), x[:, None], x[..., None], x,
        np.broadcast_to(x, (2, 2, 3, 4)), np.tile(x, (1, 2, 1)), np.broadcast_to(x[:1], (5, 3, 4)),
    )  # fmt: skip


def folds(x: Any) -> Any:
    return (
        x.sum(), x.sum(0), x.sum(axis=(0, 2), keepdims=True), x.mean(), x.mean(1), x.max(), x.max(axis=2), x.min(axis=0),
        x.prod(axis=1), x.argmax(), x.argmax(axis=1), x.argmin(axis=2), x.var(), x.std(axis=0), (x > 0).all(),
        (x > 0).any(axis=2), x.sum(axis=[0, 1]),
    )  # fmt: skip


def expected_folds(x: Any) -> Any:
    return (
        x.sum(), x.sum(0), x.sum(axis=(0, 2), keepdims=True), x.mean(), x.mean(1), x.max(), x.max(axis=2), x.min(axis=0),
        x.prod(axis=1), x.argmax(), x.argmax(axis=1), x.argmin(axis=2), x.var(), x.std(axis=0), (x > 0).all(),
        (x > 0).any(axis=2), x.sum(axis=(0, 1)),
    )  # fmt: skip


def values(x: Any) -> Any:
    return (
        x.abs(), x.exp(), x.square(), x.sigmoid(), x.tanh(), x.clip(-1, 1), x.clamp(min=0.5), x.pow(2), x.add(1), x.mul(x),
        x.maximum(0.5), x.floor(), x.softmax(-1), x.masked_fill(x > 0, 9.0), x.where(x > 0, 0.0), x.astype(ms.int32),
        x.to(ms.float64), x.bool(), x.long(), x.half(), x.eq(x), x.neg(), x.isnan(),
    )  # fmt: skip


def expected_values(x: Any) -> Any:
    e = np.exp(x)
    return (
        abs(x), e, x * x, 1 / (1 + 1 / e), np.tanh(x), np.clip(x, -1, 1), np.maximum(x, 0.5), x * x, x + 1, x * x,
        np.maximum(x, 0.5), np.floor(x), e / e.sum(-1, keepdims=True), np.where(x > 0, 9, x), np.where(x > 0, x, 0),
        x.astype(np.int32), x, x != 0, x.astype(np.int64), x.astype(np.float16), x == x, -x, np.isnan(x),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("function", "reference"), [(shapes, expected_shapes), (folds, expected_folds), (values, expected_values)]
)
def test_methods(mode: str, function: Callable[..., Any], reference: Callable[..., Any]) -> None:
    for number, (found, wanted) in enumerate(zip(Call(function)(Tensor(X)), reference(X), strict=True)):
        assert found.shape == np.shape(wanted), f"result {number}"
        np.testing.assert_allclose(found.asnumpy(), wanted, rtol=2e-5, atol=1e-6, err_msg=f"result {number}")


def splits(x: Any) -> Any:
    return *x.split(2, axis=2), *x.split([1, 2], axis=1), *x.split(3, axis=-1)


def test_split(mode: str) -> None:
    wanted = [X[:, :, :2], X[:, :, 2:], X[:, :1], X[:, 1:], X[:, :, :3], X[:, :, 3:]]
    for found, part in zip(Call(splits)(Tensor(X)), wanted, strict=True):
        np.testing.assert_array_equal(found.asnumpy(), part)


def integers(x: Any) -> Any:
    return x.sum(), x.mean(), x.prod(axis=0), x / 2, x // 5, x.argmax(), x.argmin(), x.max()


def test_integers_keep_mindspores_types(mode: str) -> None:
    found = Call(integers)(Tensor(I, ms.int32))
    wanted = [ms.int64, ms.int32, ms.int64, ms.float32, ms.int32, ms.int64, ms.int32, ms.int32]
    assert [f.dtype for f in found] == wanted
    assert found[0].item() == I.sum()


@pytest.mark.parametrize(
    ("left", "right", "wanted"),
    [
        (ms.int32, ms.int64, ms.int64),
        (ms.int32, ms.float32, ms.float32),
        (ms.float16, ms.float32, ms.float32),
        (ms.uint8, ms.int8, ms.int16),
        (ms.bool_, ms.int8, ms.int8),
    ],
)
def test_mixed_types_meet_above_both(mode: str, left: Any, right: Any, wanted: Any) -> None:
    assert Call(add)(Tensor([1, 0], left), Tensor([1, 0], right)).dtype is wanted


def test_python_numbers_take_the_tensors_type() -> None:
    assert (Tensor([1], ms.int8) + 1).dtype is ms.int8
    assert (Tensor([1], ms.int8) + 0.5).dtype is ms.float32
    assert (Tensor([1], ms.float16) * 2).dtype is ms.float16
    assert (2**62 + Tensor([1])).item() == 2**62 + 1
    assert Tensor([1.0, 2.0]).add([1, 2]).tolist() == [2.0, 4.0]


def products(x: Any) -> Any:
    rows, column = x.reshape(6, 4), x[0, 0]
    return rows @ rows.T, rows.matmul(column), column @ column, x @ rows.T, column @ rows.T


def test_matrix_products(mode: str) -> None:
    rows, column = X.reshape(6, 4), X[0, 0]
    wanted = (rows @ rows.T, rows @ column, column @ column, X @ rows.T, column @ rows.T)
    for found, each in zip(Call(products)(Tensor(X)), wanted, strict=True):
        assert found.shape == each.shape
        np.testing.assert_allclose(found.asnumpy(), each, rtol=1e-4, atol=1e-5)


def test_reshape_is_a_view_in_pynative_mode() -> None:
    x = Tensor(np.zeros(4, np.float32))
    x.reshape(2, 2)[0, 0] = 3
    assert x.tolist() == [3, 0, 0, 0]


@pytest.mark.parametrize(
    ("use", "error", "words"),
    [
        (lambda x: x + Tensor([1.0, 2.0, 3.0]), ValueError, "'x'.*'y'"),
        (lambda x: x + np.ones(2), TypeError, "ndarray"),
        (lambda x: x + None, TypeError, "NoneType"),
        (lambda x: x < "a", TypeError, "str"),
        (lambda x: x.reshape(3, 3), ValueError, "Reshape"),
        (lambda x: x.sum(5), ValueError, "ReduceSum"),
        (lambda x: x.clip(), ValueError, "clamp"),
        (lambda x: x.astype("nothing"), TypeError, "nothing"),
        (lambda x: x.flatten(order="F"), ValueError, "order"),
        (lambda x: x.softmax(-1, 0), TypeError, "positional"),
    ],
)
def test_what_does_not_fit_is_named(use: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        use(Tensor([1.0, 2.0]))


def test_the_tables_for_graphs_are_what_the_class_has() -> None:
    for name in tensor_methods:
        assert callable(getattr(Tensor, name)), name
    for name in tensor_properties:
        assert isinstance(getattr(Tensor, name), property), name
    assert {"+", "@", "==", "unary -", "getitem", "setitem"} <= set(tensor_operators)


def test_methods_are_documented() -> None:
    assert "absolute" in (Tensor.abs.__doc__ or "").lower() or "Element types" in (Tensor.abs.__doc__ or "")
    assert all(getattr(Tensor, name).__doc__ for name in tensor_methods)


def test_numpy_scalars_are_numbers(mode: str) -> None:
    x = Tensor([1.0, 2.0])
    assert (x * np.float32(0.5)).tolist() == [0.5, 1.0]
    assert (x + np.int64(1)).tolist() == [2.0, 3.0]
    assert (x / np.sqrt(4.0)).dtype is ms.float32


def test_bits_and_truth_values(mode: str) -> None:
    x = Tensor([True, False])
    assert (x & True).tolist() == [True, False]
    assert (x ^ x).tolist() == [False, False]
    assert (Tensor([6]) & 3).tolist() == [2]
    with pytest.raises(TypeError, match="BitwiseAnd"):
        Call(both)(Tensor([1.0]), Tensor([1.0]))


def both(x: Any, y: Any) -> Any:
    return x & y


def test_astype_copies_unless_told_otherwise() -> None:
    x = Tensor([1.0])
    x.astype(ms.float32)[0] = 5
    assert x.tolist() == [1.0]
    assert x.astype(ms.float32, copy=False) is x
    assert x.to(ms.float32) is x


def filled(x: Any) -> Any:
    return x.fill(3), x.value()


def test_fill_and_value(mode: str) -> None:
    three, same = Call(filled)(Tensor([1.0, 2.0]))
    assert three.tolist() == [3.0, 3.0]
    assert same.tolist() == [1.0, 2.0]


SMALL = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 6.0]], np.float32)


def test_inverting_is_a_logical_not(mode: str) -> None:
    class Inverted(nn.Cell):
        def construct(self, x: Any) -> Any:
            return ~x

    for array in (SMALL, SMALL.astype(np.int32), SMALL > 2):
        found = Inverted()(Tensor(array))
        assert found.dtype is ms.bool_
        np.testing.assert_array_equal(found.asnumpy(), np.logical_not(array))


def test_extremes_with_their_positions(mode: str) -> None:
    class Extremes(nn.Cell):
        def construct(self, x: Any) -> Any:
            return x.max(axis=1, return_indices=True), x.min(0, return_indices=True)

    (largest, where_largest), (smallest, where_smallest) = Extremes()(Tensor(SMALL))
    assert (largest.tolist(), where_largest.tolist()) == ([3, 6], [2, 2])
    assert (smallest.tolist(), where_smallest.tolist()) == ([1, 0, 3], [0, 1, 0])


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda x: x @ 2, TypeError, "'matmul', 'other' must be a Tensor, but got 2"),
        (lambda x: "a" @ x, TypeError, "'matmul', 'input' must be a Tensor, but got 'a'"),
        (lambda x: x @ x[0, :2], ValueError, r"'input' with shape \(2, 3\) \(3\).*'other' with shape \(2,\) \(2\)"),
        (
            lambda x: x.swapaxes(0, 2),
            ValueError,
            r"'swapaxes', argument 'axis1' must be in \[-2, 2\).*\(2, 3\), but got 2",
        ),
        (lambda x: x.swapaxes("a", 0), TypeError, "'swapaxes', argument 'axis0' must be an int, but got 'a'"),
        (lambda x: x.flatten(start_dim=1, end_dim=0), ValueError, "'start_dim' must not come after 'end_dim'"),
        (lambda x: x.split(0), ValueError, "'split_size_or_sections' must be above 0, but got 0"),
        (lambda x: x.split(1, 5), ValueError, "'split', argument 'axis'"),
        (lambda x: x[:0].max(), ValueError, r"'amax', the reduced dimensions must not be empty.*\(0, 3\)"),
        (lambda x: x[:0].min(axis=0), ValueError, "'amin', the reduced dimensions must not be empty"),
        (lambda x: x.reshape(2.0, 3), TypeError, r"Reshape: attribute 'shape' must be a tuple of ints.*2\.0"),
        (lambda x: x.broadcast_to("a"), TypeError, "BroadcastTo: attribute 'shape' must be a tuple of ints"),
        (lambda x: x.sum("a"), TypeError, "ReduceSum: attribute 'axis'.*an axis must be an int, but got 'a'"),
    ],
)
def test_arguments_that_do_not_fit_are_named(mode: str, call: Any, error: type[Exception], words: str) -> None:
    class Calling(nn.Cell):
        def construct(self, x: Any) -> Any:
            return call(x)

    with pytest.raises(error, match=words):
        Calling()(Tensor(SMALL))


def test_a_dimension_without_elements_has_extremes_along_others(mode: str) -> None:
    assert Tensor(SMALL)[:0].max(axis=1).shape == (0,)


def test_numpy_integers_are_axes() -> None:
    assert Tensor(SMALL).sum(np.int64(1)).tolist() == [6, 10]


def test_errors_of_operators_show_one_frame_of_the_library() -> None:
    with pytest.raises(ValueError, match="do not broadcast") as caught:
        Tensor([1.0, 2.0]) + Tensor([1.0, 2.0, 3.0])
    own = [f for f in caught.traceback if f.path != Path(__file__)]
    assert len(own) == 1
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def sizes(x: Any) -> Any:
    return x.itemsize, x.nbytes, x.strides, (x + 1).strides, x.size, x[0, 0, 0].strides, x[0, 0].tolist()


def test_sizes_in_bytes_and_nested_lists(mode: str) -> None:
    found = Call(sizes)(Tensor(X))
    assert found[:-1] == (4, 96, (48, 16, 4), (48, 16, 4), 24, ())
    assert [float(e) for e in found[-1]] == X[0, 0].tolist()
