"""Stashes: loops that leave an element each turn and loops that read them, natively as the reference says; their memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from mindspore import _native
from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.ir.graph import EMPTY_STASH, Apply, Node, Parameter
from mindspore.ir.loops import BACKWARD, FORWARD, Loop
from mindspore.ir.types import StashType, TensorType
from tests.lowering.programs import b, branch, check, compiled, element, graph, normal, parameter, single, tensor


def counting(turns: Node, x: Node) -> Apply:
    """``for i in range(turns): leave(i, x); x = x + 1``: the counter, turns and x, then two stashes."""
    kind = x.type
    assert isinstance(kind, TensorType)
    i, n, y = parameter((), dt.int32), parameter((), dt.int32), parameter(kind.shape, kind.dtype)
    test = single([i, n, y], b.less(i, n))
    again = [parameter((), dt.int32), parameter((), dt.int32), parameter(kind.shape, kind.dtype)]
    body = graph(again, b.add(again[0], 1), again[1], b.add(again[2], 1), again[0], again[2])
    return Loop(test, body, (b.const(0, dt.int32), turns, x)).node()


def listed(stash: Node, size: int, direction: int, dtype: DType = dt.float32) -> Node:
    """The first elements of a stash of numbers as a vector of `size`, written position by position."""
    out, at, e = parameter((size,), dtype), parameter((), dt.int32), parameter((), dtype)
    places = b.const(np.arange(size), dt.int32)
    body = graph([out, at, e], b.select(b.equal(places, at), b.broadcast_to(e, shape=(size,)), out), b.add(at, 1))
    zeros = b.full(shape=(size,), value=-1, dtype=dtype)
    made = Loop(None, body, (zeros, b.const(0, dt.int32)), (stash,), (direction,)).node()
    return element(made, 0)


@pytest.mark.parametrize("direction", [FORWARD, BACKWARD])
@pytest.mark.parametrize("turns", [0, 1, 5, 8])
def test_elements_are_read_in_both_directions(turns: int, direction: int) -> None:
    n, x = parameter((), dt.int32), parameter((), dt.float32)
    made = counting(n, x)
    outputs = [listed(element(made, 4), 8, direction), listed(element(made, 3), 8, direction, dt.int32)]
    check(graph([n, x], *outputs, element(made, 2)), np.int32(turns), np.float32(0.5))


@pytest.mark.parametrize("reads", [FORWARD, BACKWARD])
@pytest.mark.parametrize("writes", [FORWARD, BACKWARD])
def test_a_loop_that_reads_stashes_makes_them_in_both_directions(reads: int, writes: int) -> None:
    n, x = parameter((), dt.int32), parameter((), dt.float32)
    made = counting(n, x)
    total, e, f = parameter(), parameter(), parameter((), dt.int32)
    moved = b.add(b.mul(total, 0.5), b.mul(e, b.cast(f, dtype=dt.float32)))
    body = graph([total, e, f], moved, total, e)
    stashes = (element(made, 4), element(made, 3))
    read = Loop(None, body, (x,), stashes, (reads, -reads), (writes, FORWARD)).node()
    outputs = [element(read, 0), listed(element(read, 1), 6, FORWARD), listed(element(read, 2), 6, FORWARD)]
    for turns in (0, 1, 6):
        check(graph([n, x], *outputs), np.int32(turns), np.float32(0.5))


@pytest.mark.parametrize("shape", [(), (3,), (5, 7), (0, 3), (1100,)])
def test_elements_of_any_size(shape: tuple[int, ...]) -> None:
    n, x = parameter((), dt.int32), parameter(shape)
    made = counting(n, x)
    total, e = parameter(shape), parameter(shape)
    body = graph([total, e], b.add(b.mul(total, 0.5), e))
    read = Loop(None, body, (x,), (element(made, 4),), (BACKWARD,)).node()
    for turns in (0, 1, 9):
        check(graph([n, x], element(read, 0)), np.int32(turns), normal(*shape))


@pytest.mark.parametrize("dtype", [dt.bool_, dt.int64, dt.float16, dt.complex64])
def test_elements_of_other_types(dtype: DType) -> None:
    n, x = parameter((), dt.int32), parameter((), dt.float32)
    made = counting(n, x)
    i, e = parameter((), dt.int32), parameter((), dt.float32)
    converted = Loop(None, graph([i, e], i, b.cast(e, dtype=dtype)), (n,), (element(made, 4),), (1,), (-1,)).node()
    total, f = parameter((), dt.float32), parameter((), dtype)
    body = graph([total, f], b.add(b.mul(total, 0.5), b.cast(f, dtype=dt.float32)))
    read = Loop(None, body, (x,), (element(converted, 1),), (1,)).node()
    check(graph([n, x], element(read, 0)), np.int32(5), np.float32(-1))


def nested(n: Node, x: Node) -> Apply:
    """Each turn of the outer loop leaves the stash of an inner one as long as the turn's number."""
    i, m, y = parameter((), dt.int32), parameter((), dt.int32), parameter()
    inner = counting(i, y)
    body = graph([i, m, y], b.add(i, 1), m, element(inner, 2), element(inner, 4))
    state = [parameter((), dt.int32), parameter((), dt.int32), parameter()]
    return Loop(single(state, b.less(state[0], state[1])), body, (b.const(0, dt.int32), n, x)).node()


@pytest.mark.parametrize("turns", [0, 1, 2, 40])
def test_stashes_of_stashes(turns: int) -> None:
    n, x = parameter((), dt.int32), parameter()
    made = nested(n, x)
    total, row = parameter(), Parameter("row", StashType(TensorType(dt.float32, ())))
    part, e = parameter(), parameter()
    inner = Loop(None, graph([part, e], b.add(b.mul(part, 0.5), e)), (total,), (row,), (BACKWARD,)).node()
    body = graph([total, row], b.mul(element(inner, 0), 0.9))
    read = Loop(None, body, (x,), (element(made, 3),), (BACKWARD,)).node()
    check(graph([n, x], element(read, 0)), np.int32(turns), np.float32(0.1))


@pytest.mark.parametrize("taken", [True, False])
def test_a_branch_that_is_not_taken_leaves_an_empty_stash(taken: bool) -> None:
    p, n, x = parameter((), dt.bool_), parameter((), dt.int32), parameter()
    sides = [[parameter((), dt.int32), parameter()] for _ in range(2)]
    then = graph(sides[0], element(counting(*sides[0]), 4))
    other = graph(sides[1], Apply(EMPTY_STASH, (), type=StashType(TensorType(dt.float32, ()))))
    stash = element(branch(p, then, other, n, x), 0)
    check(graph([p, n, x], listed(stash, 4, FORWARD)), np.bool_(taken), np.int32(3), np.float32(0.5))


def summed(made: Node, index: int, start: Node) -> Node:
    total, e = parameter(), parameter()
    return element(Loop(None, graph([total, e], b.add(total, e)), (start,), (element(made, index),), (1,)).node(), 0)


def test_memory_is_given_back_after_the_call() -> None:
    n, x = parameter((), dt.int32), parameter()
    run = compiled(graph([n, x], summed(counting(n, x), 4, x)))
    arguments = tensor(np.int32(100_000)), tensor(np.float32(0))
    run(*arguments)
    before = _native.memory_stats()
    run(*arguments)
    after = _native.memory_stats()
    assert after["in_use"] == before["in_use"]
    assert after["blocks"] == before["blocks"]


def test_stashes_of_a_turn_are_freed_after_it() -> None:
    """A loop whose turns make and read stashes needs no more memory than one turn."""
    i, y = parameter((), dt.int32), parameter()
    body = graph([i, y], b.add(i, 1), b.mul(summed(counting(b.const(1000, dt.int32), y), 4, y), 1e-4))
    state = [parameter((), dt.int32), parameter()]
    x = parameter()
    made = Loop(single(state, b.less(state[0], 5000)), body, (b.const(0, dt.int32), x)).node()
    run = compiled(graph([x], element(made, 1)))
    before = _native.memory_stats()["in_use"]
    peak = _native.memory_stats()["peak"]
    run(tensor(np.float32(0)))
    after = _native.memory_stats()
    assert after["in_use"] <= before + 4096
    assert after["peak"] <= max(peak, before + (1 << 20))


OUT_OF_MEMORY = """
import resource
import numpy as np
from mindspore import _native
from tests.lowering.test_stashes import compiled, counting, element, graph, parameter, summed, tensor
from mindspore.base import dtypes as dt
from tests.lowering.programs import b
n, x = parameter((), dt.int32), parameter((4096,))
made = counting(n, x)
run = compiled(graph([n, x], element(made, 2)))
before = _native.memory_stats()["in_use"]
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * 4096 + (256 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    run(tensor(np.int32(10**9)), tensor(np.zeros(4096, np.float32)))
except RuntimeError as error:
    assert "cannot allocate" in str(error), error
    assert _native.memory_stats()["in_use"] <= before + 65536, "the call gave its memory back"
    print("refused")
"""


def test_a_loop_without_memory_fails_and_gives_back_what_it_had() -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", OUT_OF_MEMORY]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    assert done.stdout == "refused\n", done.stderr


def test_leaving_an_element_costs_a_few_nanoseconds() -> None:
    n, x = parameter((), dt.int32), parameter()
    run = compiled(graph([n, x], element(counting(n, x), 2), summed(counting(n, x), 4, x)))
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        run(tensor(np.int32(10_000)), tensor(np.float32(1)))
        times.append(time.perf_counter() - begin)
    assert min(times) < 10e-3
