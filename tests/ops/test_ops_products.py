"""Products of matrices under MindSpore's other names, `nn.BiDense`, and their gradients, in both modes; numpy says what is right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, nn, ops
from tests.modes import numeric_gradient

pytestmark = pytest.mark.compiler


def drawn(*shape: int) -> Any:
    return np.random.default_rng(len(shape) + sum(shape)).standard_normal(shape)


PRODUCTS: tuple[tuple[Callable[..., Any], tuple[Any, ...], Callable[..., Any]], ...] = (
    (ops.mv, (drawn(3, 4), drawn(4)), np.matmul),
    (ops.addmv, (drawn(3), drawn(3, 4), drawn(4)), lambda x, a, b: x + a @ b),
    (lambda x, a, b: ops.addmv(x, a, b, beta=2, alpha=0.5), (drawn(1), drawn(3, 4), drawn(4)), lambda x, a, b: 2 * x + a @ b / 2),
    (lambda x, a, b: ops.addr(x, a, b, beta=2, alpha=0.5), (drawn(1, 4), drawn(3), drawn(4)),
     lambda x, a, b: 2 * x + np.outer(a, b) / 2),
    (lambda x, a, b: x.addr(a, b), (drawn(3, 4), drawn(3), drawn(4)), lambda x, a, b: x + np.outer(a, b)),
    (lambda x, a, b: ops.addbmm(x, a, b, beta=2, alpha=0.5), (drawn(2, 4), drawn(3, 2, 5), drawn(3, 5, 4)),
     lambda x, a, b: 2 * x + (a @ b).sum(0) / 2),
    (lambda x, a, b: ops.baddbmm(x, a, b, 2, 0.5), (drawn(2, 4), drawn(3, 2, 5), drawn(3, 5, 4)),
     lambda x, a, b: 2 * x + a @ b / 2),
    (ops.addmm, (drawn(4), drawn(2, 3), drawn(3, 4)), lambda x, a, b: x + a @ b),
    (ops.ger, (drawn(3), drawn(4)), np.outer),
    (ops.outer, (drawn(2, 3), drawn(4)), np.outer),
    (ops.inner, (drawn(2, 3), drawn(4, 5, 3)), np.inner),
    (ops.inner, (drawn(2, 3), drawn()), np.inner),
    (ops.kron, (drawn(2, 3, 2), drawn(2, 2)), np.kron),
    (ops.kron, (drawn(2), drawn(2, 3)), np.kron),
    (lambda a, b: ops.tensor_dot(a, b, 1), (drawn(2, 3), drawn(3, 4)), lambda a, b: np.tensordot(a, b, 1)),
    (lambda a, b: ops.tensor_dot(a, b, 0), (drawn(2), drawn(3)), lambda a, b: np.tensordot(a, b, 0)),
    (lambda a, b: ops.tensor_dot(a, b, ((1, 2), (1, 0))), (drawn(2, 3, 4), drawn(4, 3, 5)),
     lambda a, b: np.tensordot(a, b, ((1, 2), (1, 0)))),
    (lambda a, b: ops.tensor_dot(a, b, (0, -2)), (drawn(2, 3), drawn(2, 5)), lambda a, b: np.tensordot(a, b, (0, 0))),
    (ops.batch_dot, (drawn(2, 3, 4), drawn(2, 4, 5)), np.matmul),
    (ops.batch_dot, (drawn(2, 4), drawn(2, 4)), lambda a, b: (a * b).sum(1, keepdims=True)),
    (ops.batch_dot, (drawn(2, 4), drawn(2, 4, 5)), lambda a, b: (a[:, None] @ b)[:, 0]),
    (lambda a, b: ops.batch_dot(a, b, (1, 2)), (drawn(2, 3, 4), drawn(2, 5, 3)), lambda a, b: np.einsum("nij,nki->njk", a, b)),
    (ops.vecdot, (drawn(2, 3), drawn(3)), lambda a, b: (a * b).sum(-1)),
    (lambda a, b: ops.vecdot(a, b, axis=0), (drawn(2, 3), drawn(2, 3)), lambda a, b: (a * b).sum(0)),
)  # fmt: skip


@pytest.mark.parametrize(("function", "arrays", "wanted"), PRODUCTS)
def test_values_and_gradients(
    mode: str, function: Callable[..., Any], arrays: tuple[Any, ...], wanted: Callable[..., Any]
) -> None:
    arrays = tuple(np.asarray(a) for a in arrays)

    def run(*inputs: Any) -> Any:
        return function(*inputs)

    compute = ms.jit(run) if mode == "graph" else run
    np.testing.assert_allclose(compute(*map(Tensor, arrays)).asnumpy(), wanted(*arrays), rtol=1e-12, atol=1e-12)
    gradients = ms.grad(run, tuple(range(len(arrays))))(*map(Tensor, arrays))
    for got, slope in zip(gradients, numeric_gradient(run, *arrays), strict=True):
        np.testing.assert_allclose(got.asnumpy(), slope, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("function", "arrays", "message"),
    [
        (ops.mv, (drawn(3), drawn(3)), r"For 'mv', 'mat' must have 2 dimensions, but got shape \(3,\)"),
        (ops.ger, (drawn(3), drawn(3, 1)), r"For 'ger', 'vec2' must have 1 dimension, but got shape \(3, 1\)"),
        (ops.inner, (drawn(2, 3), drawn(4, 2)), r"For 'inner'.*same sizes, but got \(1,\) of shape \(2, 3\)"),
        (ops.addbmm, (drawn(1), drawn(2, 3, 4), drawn(2, 3, 4)), "For 'addbmm'.*the same b and m"),
        (lambda a, b: ops.tensor_dot(a, b, 3), (drawn(2, 3), drawn(3)), "For 'tensor_dot', 'axes' must be between 0 and"),
        (lambda a, b: ops.tensor_dot(a, b, ((0, 1), (0,))), (drawn(2, 3), drawn(3)), "as many dimensions of 'x1' as of 'x2'"),
        (lambda a, b: ops.tensor_dot(a, b, (1, 2, 3)), (drawn(2, 3), drawn(3)), "must be a number or a pair"),
        (ops.batch_dot, (drawn(2, 3), drawn(3, 3)), "For 'batch_dot'.*the same first one"),
        (lambda a, b: ops.batch_dot(a, b, 0), (drawn(2, 3), drawn(2, 3)), "behind the first one"),
    ],
)  # fmt: skip
def test_wrong_operands_are_named(
    mode: str, function: Callable[..., Any], arrays: tuple[Any, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        function(*map(Tensor, arrays))


def test_bidense(mode: str) -> None:
    one, two = drawn(5, 2, 3).astype(np.float32), drawn(5, 2, 4).astype(np.float32)
    layer = nn.BiDense(3, 4, 2)
    weight, bias = layer.weight.asnumpy(), layer.bias.asnumpy()
    wanted = np.einsum("abi,oij,abj->abo", one, weight, two) + bias
    np.testing.assert_allclose(layer(Tensor(one), Tensor(two)).asnumpy(), wanted, rtol=1e-5, atol=1e-6)
    assert np.abs(weight).max() < 3**-0.5
    assert [p.name for p in layer.trainable_params()] == ["weight", "bias"]
    assert "in1_channels=3, in2_channels=4, output_channels=2, has_bias=True" in str(layer)


def test_bidense_refuses_what_does_not_fit(mode: str) -> None:
    layer = nn.BiDense(3, 4, 2, has_bias=False)
    assert [p.name for p in layer.trainable_params()] == ["weight"]
    with pytest.raises(
        ValueError, match=r"For 'BiDense', the inputs must have shapes \(..., 3\) and \(..., 4\).*but got \(5, 3\)"
    ):
        layer(Tensor(np.ones((5, 3), np.float32)), Tensor(np.ones((6, 4), np.float32)))
    with pytest.raises(ValueError, match=r"For 'BiDense', 'weight_init' must have the shape \(2, 3, 4\)"):
        nn.BiDense(3, 4, 2, weight_init=Tensor(np.ones((2, 4, 3), np.float32)))
