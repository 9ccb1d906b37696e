"""Chains of products over batches: found where batches are apart, and equal to what the operators mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore.ir.graph import Graph, Node
from mindspore.kernels import chains
from tests.lowering.programs import b, check, compiled, graph, lowered, normal, parameter, tensor

BATCH, ROWS, DEPTH = (2, 4), 20, 12
SHAPE = (*BATCH, ROWS, DEPTH)


@pytest.fixture(autouse=True)
def _any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chains of small products too."""
    monkeypatch.setattr(chains, "LARGE", 0)


def weights(q: Node, k: Node, *added: Node) -> Any:
    scores = b.mul(b.batch_matmul(q, k, transpose_b=True), 0.25)
    for each in added:
        scores = b.add(scores, each)
    return b.softmax(scores, axis=-1)


def operands(*more: tuple[int, ...]) -> list[Any]:
    return [parameter(shape) for shape in (SHAPE, SHAPE, SHAPE, *more)]


def attention() -> Graph:
    q, k, v = operands()
    return graph([q, k, v], b.batch_matmul(weights(q, k), v))


def of_heads() -> Graph:
    """Operands and result as (N, length, heads * depth)."""
    given = [parameter((BATCH[0], ROWS, BATCH[1] * DEPTH)) for _ in range(3)]
    shape = (BATCH[0], ROWS, BATCH[1], DEPTH)
    q, k, v = (b.transpose(b.reshape(x, shape=shape), perm=(0, 2, 1, 3)) for x in given)
    return graph(given, b.transpose(b.batch_matmul(weights(q, k), v), perm=(0, 2, 1, 3)))


def masked(shape: tuple[int, ...]) -> Graph:
    q, k, v, mask = operands(shape)
    return graph([q, k, v, mask], b.batch_matmul(weights(q, k, mask), v))


def with_weights() -> Graph:
    """The weights are results, as where gradients follow."""
    q, k, v = operands()
    found = weights(q, k)
    return graph([q, k, v], b.batch_matmul(found, v), found)


def values_computed_between() -> Graph:
    q, k, v, w = operands((DEPTH, DEPTH))
    return graph([q, k, v, w], b.batch_matmul(weights(q, k), b.batch_matmul(v, w)))


def half_a_batch() -> Graph:
    """Softmax over both rows of two batches at once: its rows are no part of one batch."""
    q, k, v = operands()
    scores = b.batch_matmul(q, k, transpose_b=True)
    turned = b.reshape(b.transpose(scores, perm=(1, 0, 2, 3)), shape=(*BATCH, ROWS, ROWS))
    return graph([q, k, v], b.batch_matmul(b.softmax(turned, axis=-1), v))


def other_batches() -> Graph:
    """The second product reads the batches in another order."""
    q, k, v = operands()
    found = b.reverse_v2(weights(q, k), axis=(0,))
    return graph([q, k, v], b.batch_matmul(found, v))


FOUND = {
    "attention": attention(), "heads": of_heads(), "a mask for all": masked((ROWS, ROWS)), "a mask for each": masked((2, 1, 1, ROWS)),
    "scores added": masked((*BATCH, ROWS, ROWS)), "weights too": with_weights(), "values between": values_computed_between(),
}  # fmt: skip
APART = {"batches mixed": half_a_batch(), "batches turned": other_batches()}


def found(made: Graph, monkeypatch: pytest.MonkeyPatch) -> list[chains.RunChain]:
    """The chains of a program."""
    seen: list[chains.RunChain] = []
    make = chains.chained

    def watched(*arguments: Any) -> Any:
        tasks = make(*arguments)
        seen.extend(t for t in tasks if isinstance(t, chains.RunChain))
        return tasks

    monkeypatch.setattr(chains, "chained", watched)
    lowered(made)
    return seen


def arrays(made: Graph) -> list[np.ndarray]:
    return [normal(*b.shape(p), seed=i) for i, p in enumerate(made.parameters)]


@pytest.mark.parametrize("name", FOUND)
def test_attention_is_one_chain(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made = FOUND[name]
    (chain,) = found(made, monkeypatch)
    assert chain.count == 8
    assert len(chain.members) == 3
    assert chain.inner
    assert chain.nbytes < 4 * 8 * ROWS * ROWS
    check(made, *arrays(made))


@pytest.mark.parametrize("name", APART)
def test_batches_that_are_not_apart(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No chain goes on where a batch is read that has not been computed yet."""
    made = APART[name]
    assert all(len(chain.members) < 3 for chain in found(made, monkeypatch))
    check(made, *arrays(made))


def test_results_do_not_depend_on_threads() -> None:
    made = FOUND["a mask for each"]
    program, given = compiled(made), [tensor(a) for a in arrays(made)]
    before, results = _native.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            _native.set_num_threads(threads)
            results.append(program(*given)[0].asnumpy())
    finally:
        _native.set_num_threads(before)
    assert all(np.array_equal(results[0], other) for other in results[1:])


def test_small_products_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chains, "LARGE", 1 << 20)
    assert found(attention(), monkeypatch) == []
