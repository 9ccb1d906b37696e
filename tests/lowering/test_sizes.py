"""Nests that differ in sizes alone share their code, and are right for each size."""

from __future__ import annotations

import numpy as np
import pytest

from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph
from mindspore.kernels.sizes import Dim, Facts, evaluate, hold
from tests.lowering.programs import b, check, graph, lowered, normal, parameter


def size(number: int, facts: Facts, position: int = 0) -> Dim:
    return Dim(("size", position, None), number, facts)


def test_arithmetic_gives_terms() -> None:
    facts: Facts = {}
    n, m = size(40, facts), size(7, facts, 1)
    made = -(-(n * 3 + 1 - m) // 8) % m
    assert isinstance(made, Dim)
    assert made.number == -(-(40 * 3 + 1 - 7) // 8) % 7
    assert evaluate(made.term, (40, 7)) == made.number
    assert evaluate(made.term, (100, 9)) == -(-(100 * 3 + 1 - 9) // 8) % 9
    assert facts == {}


def test_neutral_elements_change_nothing() -> None:
    n = size(40, {})
    assert [x.term for x in (n + 0, 0 + n, n * 1, 1 * n, n // 1, n - 0)] == [n.term] * 6


def test_questions_become_facts() -> None:
    facts: Facts = {}
    n = size(40, facts)
    assert n >= 32
    assert not n > 64
    assert n < 100
    assert bool(n % 16)
    for other, right in ((33, True), (64, False), (65, False), (31, False), (100, False)):
        assert hold(facts, (other,)) == right, other


@pytest.mark.parametrize("use", [str, hash, range, "{:d}".format, lambda n: [0] * n, repr])
def test_whoever_takes_the_number_fixes_it(use: object) -> None:
    facts: Facts = {}
    assert callable(use)
    use(size(40, facts))
    assert hold(facts, (40,))
    assert not hold(facts, (41,))


def test_dims_do_not_mix_with_other_values() -> None:
    n = size(40, {})
    with pytest.raises(TypeError, match="unsupported operand"):
        n + "a"
    with pytest.raises(TypeError, match="not supported between"):
        n < "a"  # noqa: B015
    assert (n == "a") is False


def chain(n: int) -> Graph:
    x, y = parameter((n,)), parameter((n,))
    return graph([x, y], b.tanh(b.add(b.mul(x, y), 1.0)))


def normalised(rows: int, columns: int, length: int) -> Graph:
    """Something like batch normalisation: over all but the middle dimension, then scaled by it."""
    x, scale = parameter((rows, columns, length)), parameter((columns, 1))
    mean = b.mul(b.reduce_sum(x, axis=(0, 2), keep_dims=True), 1e-4)
    return graph([x, scale], b.mul(b.sub(x, mean), scale))


def columns(rows: int, width: int) -> Graph:
    x = parameter((rows, width))
    return graph([x], b.reduce_sum(x, axis=0), b.reduce_max(b.mul(x, x), axis=0))


def softmax(rows: int, width: int) -> Graph:
    x = parameter((rows, width))
    return graph([x], b.softmax(x, axis=-1))


BORDERS = (31, 32, 33, 63, 64, 65, 127, 128, 129, 255, 256, 257, 1000, 8191, 16383, 16384, 16385, 40_000)


@pytest.mark.parametrize("n", BORDERS)
def test_chains_of_any_length(n: int) -> None:
    check(chain(n), normal(n), normal(n, seed=1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(2, 3, 64), (8, 40, 49), (8, 40, 196), (3, 64, 130), (4, 33, 1000), (40, 64, 3136)])
def test_channels_of_any_number_and_size(shape: tuple[int, int, int]) -> None:
    check(normalised(*shape), normal(*shape), normal(shape[1], 1, seed=1), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("shape", [(32, 63), (32, 64), (40, 200), (200, 256), (33, 257), (500, 1000), (70_000, 64)])
def test_columns_of_any_number(shape: tuple[int, int]) -> None:
    check(columns(*shape), normal(*shape), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("shape", [(4, 64), (8, 100), (64, 1000), (3, 5000), (2, 70_000)])
def test_rows_of_any_length(shape: tuple[int, int]) -> None:
    check(softmax(*shape), normal(*shape), rtol=1e-5, atol=1e-7)


def test_lengths_share_code() -> None:
    texts = [[p.text for p in lowered(chain(n)).parts[1:]] for n in (1000, 1001, 5000)]
    assert texts[0] == texts[1] == texts[2]
    assert texts[0] != [p.text for p in lowered(chain(40)).parts[1:]]


def test_channels_share_code() -> None:
    texts = [
        {p.text for p in lowered(normalised(8, *s)).parts[1:]} for s in ((72, 3136), (96, 784), (192, 300), (80, 3000))
    ]
    assert texts[0] == texts[1] == texts[2] == texts[3]


def test_one_module_for_many_sizes_in_a_graph() -> None:
    """The updates of an optimizer: as many calls as tensors, but one function."""

    def updates(count: int) -> Graph:
        given = [parameter((300 + 13 * k,)) for k in range(count)]
        return graph(given, *[b.mul(b.add(x, 1.0), 0.5) for x in given])

    few, many = lowered(updates(2)), lowered(updates(40))
    assert (few.calls, many.calls) == (2, 40)
    assert len(few.parts) == len(many.parts) == 2
    check(updates(5), *[normal(300 + 13 * k, seed=k) for k in range(5)])


def deep(layers: int) -> Graph:
    """Layers of ever different widths, with what follows and precedes a product."""
    x = value = parameter((16, 64))
    given = []
    for k in range(layers):
        width = 64 + 8 * (k + 1)
        w, bias = parameter((value.type.shape[-1], width), name=f"w{k}"), parameter((width,), name=f"b{k}")  # type: ignore[union-attr]
        given += [w, bias]
        value = b.relu(b.add(b.matmul(value, w), bias))
        value = b.sub(value, b.reduce_max(value, axis=0))
    return graph([x, *given], value)


def test_modules_do_not_grow_with_the_layers_and_text_grows_linearly() -> None:
    small, middle, large = (lowered(deep(n)) for n in (32, 64, 128))
    assert len(middle.parts) == len(large.parts) <= len(small.parts) + 1
    lengths = [len(made.llvm_ir) for made in (small, middle, large)]
    assert lengths[2] - lengths[1] < 2.1 * (lengths[1] - lengths[0])
    assert [made.calls for made in (small, middle, large)] == [3 * n for n in (32, 64, 128)]


def test_entries_of_straight_calls_are_glue_and_loops_are_not() -> None:
    x = parameter((4,), dt.float32)
    assert lowered(graph([x], b.add(x, 1.0))).parts[0].pipeline == "glue"
    assert np.array_equal([p.pipeline for p in lowered(chain(100)).parts], ["glue", "loops"])
