"""The module that comes out: the same each time, closed, small, cached."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mindspore import _native
from mindspore.backends.cpu import loading, prepare
from mindspore.base import dtypes as dt
from mindspore.ir.graph import Graph
from mindspore.kernels import diskcache, lower_products, target
from mindspore.kernels.elf import symbols
from mindspore.kernels.lower import lower
from tests.lowering.mlp import training_step
from tests.lowering.programs import b, check, compiled, graph, lowered, normal, parameter, run, tensor

ALLOWED: frozenset[str] = frozenset()
"""Symbols that objects may need from outside their graph: none, kernels and the runtime come through tables."""


def mixture() -> Graph:
    """Something of everything, in half and single precision."""
    x, h = parameter((300, 70)), parameter((300, 70), dt.float16)
    y = b.softmax(b.add(x, b.cast(h, dtype=dt.float32)), axis=-1)
    z = b.matmul(y, b.transpose(x, perm=(1, 0)))
    i = b.argmax(z, axis=1)
    return graph([x, h], b.tanh(z), b.concat(y, b.floor_mod(x, 2.0), axis=0), b.reduce_sum(b.erf(x)), i, b.pow(x, 3.0))


def layers(count: int) -> Graph:
    x = value = parameter((8, 16))
    rows = [parameter((16,), name=f"b{k}") for k in range(count)]
    for row in rows:
        value = b.softmax(b.add(value, row), axis=-1)
    return graph([x, *rows], value)


def test_long_functions_need_little_stack() -> None:
    """Every product needs room for its buffers and its epilogue's context, one after the other the same room."""
    x = value = parameter((64, 64))
    for _ in range(50):
        value = b.relu(b.add(b.matmul(value, x), 1.0))
    made = lowered(graph([x], value))
    entry = made.llvm_ir[: made.llvm_ir.index("\n}\n")]
    assert made.calls == 50
    assert entry.count("alloca") == 2


def test_equal_graphs_give_equal_text() -> None:
    assert lowered(mixture()).llvm_ir == lowered(mixture()).llvm_ir


def test_lowering_does_not_depend_on_the_thread() -> None:
    with ThreadPoolExecutor(4) as pool:
        texts = set(pool.map(lambda _: lowered(mixture()).llvm_ir, range(8)))
    assert len(texts) == 1


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_do_not_depend_on_the_number_of_threads(threads: int) -> None:
    x = parameter((1 << 18,))
    made = graph([x], b.reduce_sum(b.exp(x)), b.reduce_prod(b.tanh(x)))
    want = run(made, normal(1 << 18))
    before = _native.get_num_threads()
    _native.set_num_threads(threads)
    try:
        got = run(made, normal(1 << 18))
    finally:
        _native.set_num_threads(before)
    assert [g.tobytes() for g in got] == [w.tobytes() for w in want]


def test_one_executable_runs_on_many_threads() -> None:
    f = compiled(layers(6))
    given = [[tensor(normal(8, 16, seed=s)), *(tensor(normal(16, seed=k)) for k in range(6))] for s in range(8)]
    want = [f(*g)[0].asnumpy().tobytes() for g in given]
    with ThreadPoolExecutor(4) as pool:
        got = [r[0].asnumpy().tobytes() for r in pool.map(lambda g: f(*g), given * 5)]
    assert got == want * 5


@pytest.mark.parametrize("level", ["v2", "v3", "v4"])
def test_objects_need_nothing_from_elsewhere(level: str) -> None:
    isa = target.isa(level)
    made, updates = training_step((40, 30, 10), 16)
    for graph_, written in ((mixture(), {}), (made, updates)):
        parts = lower(graph_, isa=isa, updates=written).parts
        found = [s for p in parts for s in symbols(target.compile_object(p.text, isa, p.pipeline))]
        defined = [s.name for s in found if s.defined and s.exported]
        assert {s.name for s in found if not s.defined} - set(defined) <= ALLOWED
        assert len(defined) == len(set(defined)) == len(parts)
        assert defined[0] == "entry"


def test_text_holds_no_address() -> None:
    address = _native.runtime_address()
    assert "inttoptr" not in lowered(mixture()).llvm_ir
    assert str(address) not in lowered(mixture()).llvm_ir


def test_kernels_are_called_through_the_table() -> None:
    x, w = parameter((64, 64)), parameter((64, 64))
    made = lowered(graph([x, w], b.matmul(x, w), b.matmul(w, x)))
    assert made.kernels == ("msk_gemm_matmul_f32",)


def test_a_second_compilation_reads_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    compiled_texts: list[str] = []
    real: Callable[..., bytes] = target.compile_object

    def counting(text: str, *rest: object) -> bytes:
        compiled_texts.append(text)
        return real(text, *rest)

    monkeypatch.setattr(target, "compile_object", counting)
    first = compiled(layers(2))
    parts = len(compiled_texts)
    second = compiled(layers(2))
    assert parts == len(compiled_texts) == 2
    directory = diskcache.directory()
    assert directory is not None
    assert len(list(directory.iterdir())) == parts
    arrays = [tensor(normal(8, 16)), tensor(normal(16)), tensor(normal(16))]
    assert first(*arrays)[0].asnumpy().tobytes() == second(*arrays)[0].asnumpy().tobytes()


def test_generated_products_agree_with_the_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of multiplying give the same, also for wide rows in several blocks and broadcast batches."""
    x, w = parameter((2, 1, 6, 20)), parameter((3, 20, 1100))
    made = graph([x, w], b.relu(b.batch_matmul(x, w)))
    arrays = (normal(2, 1, 6, 20), normal(3, 20, 1100, seed=1))
    check(made, *arrays, rtol=1e-4, atol=1e-5)
    monkeypatch.setattr("mindspore.kernels.lower_gemm.suits", lambda task: False)
    assert lowered(made).kernels == ()
    assert lower_products.BLOCK < 1100
    check(made, *arrays, rtol=1e-4, atol=1e-5)


def test_uniform_constants_take_no_memory_and_others_do() -> None:
    x = parameter((3,))
    table = b.const(np.arange(3.0), dt.float32)
    made = lowered(graph([x], b.add(b.add(x, table), b.const(np.ones(3), dt.float32)), b.mul(x, table)))
    assert [c.tolist() for c in made.constants] == [[0.0, 1.0, 2.0]]


def test_the_table_comes_first_among_the_constants() -> None:
    made = prepare(graph([parameter((3,))], b.const(np.arange(3.0), dt.float32)), arguments=1, updates={})
    table, constant = loading.constants_of(made)
    assert table.asnumpy().tolist() == [0]
    assert constant.asnumpy().tolist() == [0.0, 1.0, 2.0]
