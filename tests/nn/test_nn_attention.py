"""Multi-head attention and fused attention in both modes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mindspore as ms
from mindspore import Tensor, _native, nn, ops
from tests.modes import Call, run

pytestmark = pytest.mark.compiler


def drawn(*shapes: tuple[int, ...], seed: int = 0) -> list[Any]:
    draw = np.random.default_rng(seed)
    return [draw.normal(size=shape).astype(np.float32) for shape in shapes]


def filled(layer: nn.Cell) -> nn.Cell:
    draw = np.random.default_rng(1)
    for p in layer.trainable_params():
        p.set_data(Tensor(draw.normal(size=p.shape).astype(np.float32) * 0.5))
    return layer


PADDING = np.array([[0, 0, 1, 0, 0], [0, 0, 0, 0, 1]], bool)
AHEAD = np.triu(np.ones((3, 5)), 2).astype(bool)
ANSWERS: list[tuple[dict[str, Any], Any, Any]] = [
    ({}, [0.1714489, -0.9896253, -0.2060073], [0.2604848, 0.4073621, 0.3321530]),
    ({"kdim": 3, "vdim": 6}, [0.1062408, -0.8488703, -1.2173918], [0.6772883, 0.3227116, 0.0]),
    ({"kdim": 3, "vdim": 6, "add_bias_kv": True, "add_zero_attn": True}, [0.0938187, -0.1077605, 0.8502017], [0.2769969, 0.2504899, 0.0]),
    ({"batch_first": True}, [0.4086075, -0.8346682, -1.4396914], [0.4965966, 0.5034025, 0.4820863]),
]  # fmt: skip
"""Options, and the first numbers of MindSpore's own results."""


@pytest.mark.parametrize(("options", "out", "weights"), ANSWERS)
def test_values_are_those_of_mindspore(mode: str, options: dict[str, Any], out: Any, weights: Any) -> None:
    q, k, v = map(Tensor, drawn((3, 2, 4), (5, 2, 3), (5, 2, 6)))
    layer = filled(nn.MultiheadAttention(4, 2, **options))
    cross = "kdim" in options
    inputs = (q, k, v, Tensor(PADDING), True, Tensor(AHEAD)) if cross else (q, q, q)
    found = layer(*inputs, average_attn_weights=not options.get("add_bias_kv", False))
    np.testing.assert_allclose(found[0].asnumpy().reshape(-1)[:3], out, rtol=2e-6, atol=1e-6)
    np.testing.assert_allclose(found[1].asnumpy().reshape(-1)[:3], weights, rtol=2e-6, atol=1e-6)
    inputs = (*inputs[:4], False, *inputs[5:]) if cross else (*inputs, None, False)
    (fused,) = layer(*inputs)
    np.testing.assert_allclose(fused.asnumpy(), found[0].asnumpy(), rtol=1e-5, atol=1e-6)


def test_a_single_sequence_and_training(mode: str) -> None:
    x = Tensor(drawn((3, 4))[0])
    layer = filled(nn.MultiheadAttention(4, 2, dropout=0.5))
    layer.set_train(False)
    alone, weights = layer(x, x, x)
    assert (alone.shape, weights.shape) == ((3, 4), (3, 3))
    np.testing.assert_allclose(weights.asnumpy().sum(-1), np.ones(3), rtol=1e-6)
    layer.set_train()
    ms.set_seed(1)
    first = layer(x, x, x, None, False)[0].asnumpy()
    second = layer(x, x, x, None, False)[0].asnumpy()
    assert abs(first - second).max() > 1e-3
    ms.set_seed(1)
    np.testing.assert_array_equal(layer(x, x, x, None, False)[0].asnumpy(), first)


def plain(q: Any, k: Any, v: Any, hidden: Any, scale: float) -> Any:
    """Attention with all scores."""
    scores = ops.matmul(q * scale, k.swapaxes(2, 3))
    return ops.matmul(ops.softmax(ops.masked_fill(scores, hidden, float("-inf"))), v)


def fused(q: Any, k: Any, v: Any, hidden: Any, scale: float) -> Any:
    return ops.flash_attention_score(
        q, k, v, q.shape[1], attn_mask=hidden, scalar_value=scale, input_layout="BNSD", sparse_mode=1
    )


def test_the_fused_form_and_its_gradients_are_those_of_the_plain_one(mode: str) -> None:
    q, k, v = map(Tensor, drawn((2, 3, 200, 8), (2, 3, 70, 8), (2, 3, 70, 5)))
    hidden = Tensor(np.random.default_rng(3).uniform(size=(2, 1, 200, 70)) < 0.3)
    weights = Tensor(drawn((2, 3, 200, 5), seed=9)[0])
    results = []
    for way in (plain, fused):

        def loss(a: Any, b: Any, c: Any, way: Callable[..., Any] = way) -> Any:
            return (way(a, b, c, hidden, 0.35) * weights).sum()

        results.append(ops.value_and_grad(Call(loss), (0, 1, 2))(q, k, v))
    (value, wanted), (got, found) = results
    np.testing.assert_allclose(got.asnumpy(), value.asnumpy(), rtol=2e-5)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one.asnumpy(), other.asnumpy(), rtol=1e-4, atol=2e-5)


def reach_of(sparse: int) -> Any:
    return {"sparse_mode": sparse, "input_layout": "BNSD"}


@pytest.mark.parametrize(("sparse", "ahead"), [(2, 0), (3, 2)])
def test_causal_attention(mode: str, sparse: int, ahead: int) -> None:
    arrays = drawn((1, 2, 4, 3), (1, 2, 6, 3), (1, 2, 6, 3))
    hidden = np.arange(6) > np.arange(4)[:, None] + ahead
    found = run(lambda q, k, v: ops.flash_attention_score(q, k, v, 2, **reach_of(sparse)), *arrays)
    np.testing.assert_allclose(
        found, run(lambda q, k, v, m: plain(q, k, v, m, 1.0), *arrays, hidden), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize(
    ("layout", "order"), [("BSH", (0, 2, 1, 3)), ("SBH", (2, 0, 1, 3)), ("BSND", (0, 2, 1, 3)), ("BNSD", (0, 1, 2, 3))]
)
def test_layouts_and_heads_that_share_keys(mode: str, layout: str, order: tuple[int, ...]) -> None:
    q, k, v, shift = drawn((2, 4, 5, 3), (2, 2, 7, 3), (2, 2, 7, 3), (1, 4, 5, 7))
    wanted = run(
        lambda a, b, c, s: ops.matmul(ops.softmax(ops.matmul(a, b.swapaxes(2, 3)) + s), c),
        q,
        np.repeat(k, 2, 1),
        np.repeat(v, 2, 1),
        shift,
    )

    def as_given(x: Any) -> Any:
        moved = x.transpose(order)
        return moved.reshape(*moved.shape[:2], -1) if layout.endswith("H") else moved

    found = run(
        lambda a, b, c, s: ops.flash_attention_score(a, b, c, 4, s, input_layout=layout),
        *map(as_given, (q, k, v)),
        shift,
    )
    np.testing.assert_allclose(found, as_given(wanted), rtol=1e-5, atol=1e-6)


def test_dropout_keeps_the_mean_and_a_query_without_keys_gives_zeros(mode: str) -> None:
    ms.set_seed(0)
    ones = np.ones((1, 1, 400, 2), np.float32)
    found = run(lambda x: ops.flash_attention_score(x, x, x, 1, keep_prob=0.5, input_layout="BNSD"), ones)
    assert found.std() > 0.01
    np.testing.assert_allclose(found.mean(), 1, atol=0.02)
    nothing = Tensor(np.ones((400, 400), bool))
    found = run(lambda x: ops.flash_attention_score(x, x, x, 1, attn_mask=nothing, input_layout="BNSD"), ones)
    assert not found.any()


def test_scores_are_never_all_in_memory(mode: str) -> None:
    length = 4096
    arrays = [Tensor(a) for a in drawn(*(((1, 1, length, 16),) * 3))]

    def loss(q: Any, k: Any, v: Any) -> Any:
        return ops.flash_attention_score(q, k, v, 1, input_layout="BNSD").sum()

    step = ops.grad(Call(loss), (0, 1, 2))
    before = _native.memory_stats()["peak"]
    step(*arrays)
    assert _native.memory_stats()["peak"] - before < length * length * 4 // 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"input_layout": "BSND"}, r"must have 4 dimensions with layout 'BSND', but got shapes \(1, 2, 6\)"),
        ({"input_layout": "TND"}, "'input_layout' must be one of"),
        ({"sparse_mode": 4}, "'sparse_mode' must be 0 to 3"),
        ({"drop_mask": 1}, "'drop_mask' must be None"),
        ({"head_num": 4}, "heads must divide"),
    ],
)
def test_wrong_options_are_refused(mode: str, options: dict[str, Any], words: str) -> None:
    x = Tensor(drawn((1, 2, 6))[0])
    with pytest.raises(ValueError, match=words):
        Call(lambda a: ops.flash_attention_score(a, a, a, **{"head_num": 2, **options}))(x)


def test_wrong_layers_are_refused() -> None:
    with pytest.raises(ValueError, match="'num_heads' must divide 'embed_dim', but got 3 and 4"):
        nn.MultiheadAttention(4, 3)
    with pytest.raises(ValueError, match=r"'dropout' must be in \[0, 1\), but got 1"):
        nn.MultiheadAttention(4, 2, dropout=1)
