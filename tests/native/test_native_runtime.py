"""The Runtime table: loops, memory, failures, ISA levels; threads and fork."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mindspore import Tensor, _native, ops
from tests.native.callbacks import address, array_at, entry, parallel_for, runtime

pytestmark = pytest.mark.compiler
ADDRESS = _native.runtime_address()


def chunks_of(total: int, grain: int) -> list[tuple[int, int]]:
    """The chunks that a loop ran, sorted."""
    chunks: list[tuple[int, int]] = []
    assert parallel_for(total, grain, lambda begin, end: chunks.append((begin, end))) == 0
    return sorted(chunks)


def in_subprocess(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    given = {k: v for k, v in os.environ.items() if not k.startswith("MS_")}
    paths = os.pathsep.join(["framework", "."])
    return subprocess.run(
        [sys.executable, "-c", code],
        env=given | {"PYTHONPATH": paths} | environment,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_table_is_version_five() -> None:
    assert _native.abi_version() == runtime().version == 5
    assert runtime().threads == _native.get_num_threads()
    assert runtime().cancel[0] == 0
    assert runtime().features in (0, 1)


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize(
    ("total", "grain"), [(0, 1), (1, 1), (10, 3), (100, 7), (5, 100), (9, 2**63 - 1), (6, 0), (-3, 1)]
)
def test_chunks_depend_on_total_and_grain_alone(threads: int, total: int, grain: int) -> None:
    _native.set_num_threads(threads)
    step = grain if grain > 0 else max(total, 1)
    assert chunks_of(total, grain) == [(b, min(b + step, total)) for b in range(0, max(total, 0), step)]


def test_several_threads_share_a_loop() -> None:
    _native.set_num_threads(3)
    together = threading.Barrier(3)
    assert parallel_for(3, 1, lambda *_: together.wait(20)) == 0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one processor only")
def test_workers_stay_off_the_processor_of_their_owner_unless_they_were_placed() -> None:
    allowed = os.sched_getaffinity(0)
    _native.set_num_threads(2)

    def worker() -> int:
        """The worker's id, after a loop that both threads take part in."""
        together = threading.Barrier(2)
        seen: list[int] = []

        def body(*_: int) -> None:
            seen.append(threading.get_native_id())
            together.wait(20)

        assert parallel_for(2, 1, body) == 0
        (other,) = set(seen) - {threading.get_native_id()}
        return other

    first, second = sorted(allowed)[:2]
    try:
        assert worker() > 0  # makes the pool while this thread is free to move
        for processor in (first, second):
            os.sched_setaffinity(0, {processor})
            assert os.sched_getaffinity(worker()) == allowed - {processor}
        os.sched_setaffinity(other := worker(), {second})  # by somebody else
        os.sched_setaffinity(0, {first})
        assert worker() == other
        os.sched_setaffinity(0, {second})
        assert worker() == other
        assert os.sched_getaffinity(other) == {second}
    finally:
        os.sched_setaffinity(0, allowed)
        _native.set_num_threads(1)


def test_threads_that_are_done_take_what_a_slow_one_has_left() -> None:
    _native.set_num_threads(2)
    done: list[int] = []
    rest = threading.Event()

    def body(begin: int, _: int) -> None:
        if begin == 0:
            assert rest.wait(20)
        done.append(begin)
        if len(done) == 31:
            rest.set()

    assert parallel_for(32, 1, body) == 0
    assert sorted(done) == list(range(32))
    assert done[-1] == 0


def test_each_thread_starts_with_neighbouring_chunks() -> None:
    _native.set_num_threads(2)
    together = threading.Barrier(2)
    seen: dict[int, list[int]] = {}

    def body(begin: int, _: int) -> None:
        mine = seen.setdefault(threading.get_ident(), [])
        if not mine:
            together.wait(20)
        mine.append(begin)

    assert parallel_for(32, 1, body) == 0
    assert sorted(chunks[0] for chunks in seen.values()) == [0, 16]


def test_nested_loops_run_on_the_thread_of_their_chunk() -> None:
    _native.set_num_threads(3)
    seen: list[tuple[int, int, bool]] = []

    def outer(begin: int, _: int) -> None:
        me = threading.get_ident()
        parallel_for(4, 1, lambda inner, _end: seen.append((begin, inner, threading.get_ident() == me)))

    assert parallel_for(4, 1, outer) == 0
    assert sorted(seen) == [(i, j, True) for i in range(4) for j in range(4)]


def test_loops_of_several_python_threads() -> None:
    _native.set_num_threads(3)
    totals: list[int] = []

    def work() -> None:
        totals.extend(sum(end - begin for begin, end in chunks_of(50, 3)) for _ in range(30))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert totals == [50] * 120


def test_changing_the_number_of_threads_while_loops_run() -> None:
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            assert len(chunks_of(20, 1)) == 20

    worker = threading.Thread(target=work)
    worker.start()
    for count in (1, 4, 2, 3, 1, 2):
        _native.set_num_threads(count)
        time.sleep(0.01)
    stop.set()
    worker.join()
    assert _native.get_num_threads() == 2


@pytest.mark.parametrize("count", [0, -1, 1025])
def test_the_number_of_threads_is_checked(count: int) -> None:
    with pytest.raises(ValueError, match=f"must be from 1 to 1024, got {count}"):
        _native.set_num_threads(count)


def test_cancel_stops_loops() -> None:
    ran: list[int] = []

    def body(begin: int, _: int) -> None:
        ran.append(begin)
        _native.set_cancel(True)

    _native.set_num_threads(1)
    assert parallel_for(100, 1, body) == 125
    assert ran == [0]


def test_failures_in_workers_reach_the_caller() -> None:
    _native.set_num_threads(4)
    codes: list[int] = []

    def body(begin: int, _: int) -> None:
        if begin == 3:
            runtime().fail(ADDRESS, 42, b"chunk three")

    def run(_: Any) -> int:
        codes.append(parallel_for(8, 1, body))
        return 0

    fn = entry(run)
    graph = _native.Executable(address(fn), 0, [], [], [], 0, fn, [])
    with pytest.raises(RuntimeError, match="the compiled graph failed: chunk three"):
        graph()
    assert codes == [42]


def test_scratch_belongs_to_its_thread() -> None:
    here = runtime().scratch(ADDRESS, 100)
    assert here % 64 == 0
    assert runtime().scratch(ADDRESS, 50) == here
    elsewhere: list[int] = []
    thread = threading.Thread(target=lambda: elsewhere.append(runtime().scratch(ADDRESS, 100)))
    thread.start()
    thread.join()
    assert elsewhere[0] != here
    larger = runtime().scratch(ADDRESS, 1_000_000)
    array_at(larger, 1_000_000, "u1")[:] = 1


def test_scratch_of_ended_threads_is_freed() -> None:
    def run() -> None:
        runtime().scratch(ADDRESS, 3_000_000)

    before = _native.memory_stats()["in_use"]
    for _ in range(5):
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    # A Python thread counts as joined shortly before the system's thread has ended.
    deadline = time.monotonic() + 10
    while _native.memory_stats()["in_use"] > before and time.monotonic() < deadline:
        time.sleep(0.01)
    assert _native.memory_stats()["in_use"] <= before


def test_allocate_and_release() -> None:
    before = _native.memory_stats()["in_use"]
    blocks = [runtime().allocate(ADDRESS, size) for size in (0, 1, 64, 5000, 3 << 20)]
    assert all(b % 64 == 0 for b in blocks)
    assert len(set(blocks)) == len(blocks)
    for block in blocks:
        runtime().release(ADDRESS, block)
    runtime().release(ADDRESS, None)
    assert _native.memory_stats()["in_use"] == before


@pytest.mark.parametrize("size", [-1, 2**62])
def test_impossible_requests_fail(size: int) -> None:
    assert runtime().allocate(ADDRESS, size) is None
    assert runtime().scratch(ADDRESS, size) is None


def during_a_call(body: Callable[[], object]) -> None:
    """Runs `body` as the entry of a graph."""
    fn = entry(lambda _: 0 if body() is None else 3)
    _native.Executable(address(fn), 0, [], [], [], 0, fn, [])()


def test_memory_of_a_call_grows_keeps_its_contents_and_is_freed_with_the_call() -> None:
    before = _native.memory_stats()["in_use"]
    during: list[int] = []

    def body() -> None:
        first = runtime().grow(ADDRESS, None, 0, 4)
        array_at(first, 4, "u1")[:] = [1, 2, 3, 4]
        second = runtime().grow(ADDRESS, None, 0, 100)
        grown = runtime().grow(ADDRESS, first, 4, 1 << 20)
        assert first % 64 == second % 64 == grown % 64 == 0
        assert array_at(grown, 4, "u1").tolist() == [1, 2, 3, 4]
        assert runtime().mark(ADDRESS) == 2, "a grown block keeps its place"
        during.append(_native.memory_stats()["in_use"])

    during_a_call(body)
    assert during[0] >= before + (1 << 20)
    assert _native.memory_stats()["in_use"] == before


def test_rewinding_frees_the_newest_blocks() -> None:
    def body() -> None:
        kept = runtime().grow(ADDRESS, None, 0, 64)
        mark = runtime().mark(ADDRESS)
        before = _native.memory_stats()["in_use"]
        for _ in range(3):
            runtime().grow(ADDRESS, None, 0, 1 << 20)
        runtime().rewind(ADDRESS, mark)
        assert _native.memory_stats()["in_use"] == before
        assert runtime().mark(ADDRESS) == mark == 1
        assert runtime().grow(ADDRESS, kept, 64, 128)

    during_a_call(body)


def test_a_failing_call_frees_its_memory() -> None:
    before = _native.memory_stats()["in_use"]
    with pytest.raises(RuntimeError, match="it returned code 3"):
        during_a_call(lambda: runtime().grow(ADDRESS, None, 0, 1 << 20))
    with pytest.raises(RuntimeError, match="cannot allocate"):
        during_a_call(lambda: runtime().grow(ADDRESS, runtime().grow(ADDRESS, None, 0, 64), 64, 1 << 62))
    assert _native.memory_stats()["in_use"] == before


def test_there_is_no_memory_of_a_call_outside_of_calls() -> None:
    assert runtime().grow(ADDRESS, None, 0, 64) is None
    assert runtime().mark(ADDRESS) == 0
    runtime().rewind(ADDRESS, 0)


def forked(body: Callable[[], None]) -> int:
    """The exit code of a child that runs `body`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            body()
        except BaseException:
            os._exit(1)
        os._exit(0)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return -1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_starts_its_own_pool() -> None:
    _native.set_num_threads(3)
    chunks_of(20, 1)

    def child() -> None:
        together = threading.Barrier(3)
        assert parallel_for(3, 1, lambda *_: together.wait(10)) == 0
        assert forked(lambda: assert_chunks()) == 0

    assert forked(child) == 0
    assert len(chunks_of(20, 1)) == 20


def assert_chunks() -> None:
    assert len(chunks_of(20, 1)) == 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_while_another_thread_runs_loops_and_allocates() -> None:
    _native.set_num_threads(2)
    stop = threading.Event()

    x = Tensor(np.ones(1 << 20, np.float32))
    turns: list[int] = []

    def work() -> None:
        """Loops without Python on the pool's threads: CPython 3.11 itself may hang in a fork beside threads that enter it."""
        while not stop.is_set():
            turns.append(ops.add(x, x).size)
            runtime().release(ADDRESS, runtime().allocate(ADDRESS, 1000))

    worker = threading.Thread(target=work)
    worker.start()
    codes = [forked(assert_chunks) for _ in range(10)]
    stop.set()
    worker.join()
    assert codes == [0] * 10
    assert set(turns) == {1 << 20}


def test_isa_levels() -> None:
    best = _native.isa_level()
    assert best in ("v2", "v3", "v4", "neon")
    with pytest.raises(ValueError, match="the ISA level must be one of the levels that this processor runs"):
        _native.set_isa_level("v9")
    _native.set_isa_level(best)
    assert _native.isa_level() == best


def test_kernels_by_name() -> None:
    assert _native.kernel_address("msk_there_is_no_such_kernel") == 0
    names = _native.kernel_names()
    assert len(set(names)) == len(names)
    assert all(_native.kernel_address(name) for name in names)
    assert not any(name.endswith(("_v2", "_v3", "_v4", "_neon")) for name in names)


PRINT = "from mindspore import _native; print(_native.get_num_threads(), _native.isa_level())"


@pytest.mark.skipif(_native.isa_level() == "neon", reason="one level only")
def test_the_environment_lowers_threads_and_level() -> None:
    assert in_subprocess(PRINT, MS_NUM_THREADS="7", MS_ISA_LEVEL="v2").stdout.split() == ["7", "v2"]
    threads = int(in_subprocess(PRINT).stdout.split()[0])
    assert 1 <= threads <= len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("MS_NUM_THREADS", "many", "MS_NUM_THREADS must be an integer from 1 to 1024, got 'many'"),
        ("MS_NUM_THREADS", "0", "got '0'"),
        ("MS_ISA_LEVEL", "v1", "the environment variable MS_ISA_LEVEL must be one of the levels"),
    ],
)
def test_wrong_environment_is_refused_at_import(name: str, value: str, message: str) -> None:
    result = in_subprocess(PRINT, **{name: value})
    assert result.returncode != 0
    assert message in result.stderr


def test_affinity_limits_the_threads() -> None:
    code = f"import os; os.sched_setaffinity(0, [min(os.sched_getaffinity(0))]); {PRINT}"
    assert in_subprocess(code).stdout.split()[0] == "1"


def test_nothing_is_printed_at_exit() -> None:
    code = """if True:
        from mindspore import _native
        from tests.native.callbacks import add_plan, parallel_for, tensor

        _native.set_operator("add", _native.EagerOp("add", 2, lambda *_: add_plan((1,))))
        print((tensor([1]) + tensor([2])).item())
        parallel_for(9, 1, lambda *_: None)
    """
    result = in_subprocess(code)
    assert (result.returncode, result.stdout, result.stderr) == (0, "3.0\n", "")
