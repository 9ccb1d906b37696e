"""Executable: slots, checks, updates of bound tensors, several threads at once."""

from __future__ import annotations

import ctypes
import gc
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from mindspore import _native
from mindspore._native import Executable, TensorBase
from tests.native.callbacks import FLOAT32, INT32, address, array_at, entry, runtime, tensor

pytestmark = pytest.mark.compiler


def executable(body: Callable[[Sequence[int]], int], **changes: Any) -> Executable:
    """One float32[2] argument and one fresh float32[2] output, `changes` applied."""
    fn = entry(body)
    description: dict[str, Any] = {
        "entry_address": address(fn), "arguments": 1, "bound": [], "outputs": [("fresh", FLOAT32, (2,))], "constants": [],
        "arena_bytes": 0, "keepalive": fn, "signature": [(FLOAT32, (2,))],
    }  # fmt: skip
    return Executable(**(description | changes))


def double(slots: Sequence[int]) -> int:
    array_at(slots[1], 2)[:] = array_at(slots[0], 2) * 2
    return 0


def test_slots_are_arguments_bound_outputs_constants_arena() -> None:
    seen: list[list[int]] = []

    def body(slots: Sequence[int]) -> int:
        seen.append([slots[i] for i in range(7)])
        array_at(slots[2], 2)[:] = array_at(slots[0], 2) + array_at(slots[1], 2)
        array_at(slots[4], 1, "i4")[:] = 7
        array_at(slots[3], 2)[:] = array_at(slots[5], 2)
        array_at(slots[6], 100, "u1")[:] = 1
        return 0

    x, weight, constant = tensor([1, 2]), tensor([3, 4]), tensor([9, 8])
    outputs = [("fresh", FLOAT32, (2,)), ("bound", 0), ("fresh", INT32, ())]
    run = executable(
        body, bound=[weight], outputs=outputs, constants=[constant], arena_bytes=100, signature=[(FLOAT32, (2,))] * 2
    )
    first, second = run(x)
    assert (first.asnumpy().tolist(), second.item()) == ([4, 6], 7)
    assert weight.asnumpy().tolist() == [9, 8]
    assert (weight.version, x.version) == (1, 0)
    assert seen[0][:5] == [x.data_ptr, weight.data_ptr, first.data_ptr, weight.data_ptr, second.data_ptr]
    assert seen[0][6] % 64 == 0
    run(x)
    assert (seen[1][6], weight.version) == (seen[0][6], 2)


def test_outputs_are_fresh_and_of_the_registered_class() -> None:
    class Named(TensorBase):
        pass

    _native.set_tensor_type(Named)
    run = executable(double)
    (first,), (second,) = run(tensor([1, 2])), run(tensor([3, 4]))
    assert (first.asnumpy().tolist(), second.asnumpy().tolist()) == ([2, 4], [6, 8])
    assert type(first) is Named


def test_arguments_and_bound_tensors_that_are_not_contiguous() -> None:
    def body(slots: Sequence[int]) -> int:
        array_at(slots[2], 4)[:] = array_at(slots[0], 4) + array_at(slots[1], 4)
        return 0

    turned = tensor([[1, 2], [3, 4]]).view((2, 2), (1, 2))
    run = executable(body, bound=[turned], outputs=[("fresh", FLOAT32, (2, 2))], signature=[(FLOAT32, (2, 2))] * 2)
    assert run(turned)[0].asnumpy().tolist() == [[2, 6], [4, 8]]


def test_arguments_are_checked() -> None:
    run = executable(double)
    with pytest.raises(TypeError, match="the graph takes 1 tensors, got 2"):
        run(tensor([1, 2]), tensor([1, 2]))
    with pytest.raises(TypeError, match=r"argument 0 must be a Tensor, got numpy\.ndarray"):
        run(np.zeros(2, "f4"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"argument 0 must be Float32\[2\], got Float32\[3\]"):
        run(tensor([1, 2, 3]))
    with pytest.raises(ValueError, match=r"argument 0 must be Float32\[2\], got Int32\[2\]"):
        run(tensor([1, 2], "i4"))


def test_bound_tensors_follow_their_storage_and_keep_their_type() -> None:
    weight = tensor([1, 1])
    run = executable(double, arguments=0, bound=[weight])
    weight.set_storage(tensor([5, 6]))
    assert run()[0].asnumpy().tolist() == [10, 12]
    weight.set_storage(tensor([5, 6, 7]))
    with pytest.raises(
        RuntimeError, match=r"bound tensor 0 must be Float32\[2\], got Float32\[3\]; compile the graph again"
    ):
        run()


def test_written_bound_tensors_must_be_contiguous() -> None:
    weight = tensor([1, 0, 1]).view((2,), (2,))
    with pytest.raises(RuntimeError, match="is written by the graph and must be contiguous"):
        executable(lambda _: 0, arguments=0, bound=[weight], outputs=[("bound", 0)])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entry_address": 0}, "the entry address must not be 0"),
        ({"arena_bytes": -1}, "must not be negative"),
        ({"signature": []}, r"one \(code, shape\) for each of 1 arguments and 0 bound tensors, got 0"),
        ({"signature": [(77, ())]}, "dtype code must be"),
        ({"outputs": [("bound", 0)]}, r"a bound output must be in \[0, 0\), got 0"),
        (
            {"outputs": [("other", 0)]},
            r"an output must be \('fresh', code, shape\) or \('bound', position\), got \('other', 0\)",
        ),
        ({"outputs": [("fresh", 0)]}, "an output must be"),
        ({"outputs": [()]}, "an output must be"),
    ],
)
def test_descriptions_are_checked(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        executable(double, **changes)


def test_only_tensors_are_bound() -> None:
    with pytest.raises(TypeError, match="a bound tensor must be a Tensor, got int"):
        executable(double, arguments=0, bound=[3])


def test_failures_carry_the_message_and_count_the_write() -> None:
    weight = tensor([1, 1])

    def body(_: Sequence[int]) -> int:
        code: int = runtime().fail(_native.runtime_address(), 4, b"no convergence")
        return code

    run = executable(body, arguments=0, bound=[weight], outputs=[("bound", 0)])
    with pytest.raises(RuntimeError, match="the compiled graph failed: no convergence"):
        run()
    assert weight.version == 1


def test_a_cancelled_run_says_so() -> None:
    run = executable(lambda _: 125 if runtime().cancel[0] else 0)
    run(tensor([1, 2]))
    _native.set_cancel(True)
    with pytest.raises(RuntimeError, match="the run was cancelled"):
        run(tensor([1, 2]))


def test_several_threads_have_their_own_arenas() -> None:
    count, arenas = 4, list[int]()
    together = threading.Barrier(count)

    def body(slots: Sequence[int]) -> int:
        arenas.append(slots[2])
        array_at(slots[2], 2)[:] = array_at(slots[0], 2)
        together.wait(20)
        array_at(slots[1], 2)[:] = array_at(slots[2], 2) * 2
        return 0

    run, results = executable(body, arena_bytes=8), dict[int, list[float]]()

    def work(i: int) -> None:
        results[i] = run(tensor([i, i]))[0].asnumpy().tolist()

    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {i: [2.0 * i, 2.0 * i] for i in range(count)}
    assert len(set(arenas)) == count


def test_a_run_may_start_another() -> None:
    inner = executable(double, arena_bytes=64)

    def body(slots: Sequence[int]) -> int:
        array_at(slots[1], 2)[:] = inner(tensor([5, 6]))[0].asnumpy()
        return 0

    assert executable(body)(tensor([1, 2]))[0].asnumpy().tolist() == [10, 12]


def test_many_bound_tensors() -> None:
    count = 300
    weights = [tensor([i, i]) for i in range(count)]

    def body(slots: Sequence[int]) -> int:
        array_at(slots[count], 2)[:] = sum(array_at(slots[i], 1)[0] for i in range(count))
        return 0

    run = executable(body, arguments=0, bound=weights, signature=[(FLOAT32, (2,))] * count)
    assert run()[0].asnumpy().tolist() == [sum(range(count))] * 2


def test_cycles_are_collected_and_memory_returns() -> None:
    class Named(TensorBase):
        pass

    def make() -> weakref.ref[Any]:
        named = Named(tensor(np.zeros(10_000)))
        run = executable(lambda _: 0, arguments=0, bound=[named], arena_bytes=100_000, signature=[(FLOAT32, (10_000,))])
        run()
        named.run = run  # type: ignore[attr-defined]
        return weakref.ref(named)

    gc.collect()
    before = _native.memory_stats()["in_use"]
    reference = make()
    gc.collect()
    assert reference() is None
    assert _native.memory_stats()["in_use"] == before


def test_effects_are_handed_to_python_in_order() -> None:
    said: list[tuple[int, list[list[float]]]] = []

    def carry_out(site: int, addresses: tuple[int, ...]) -> None:
        said.append((site, [array_at(a, 2).tolist() for a in addresses]))

    def body(slots: Sequence[int]) -> int:
        pointers = (ctypes.c_void_p * 2)(slots[0], slots[0])
        for site, count in ((3, 2), (1, 0)):
            assert runtime().emit(_native.runtime_address(), site, count, pointers) == 0
        return double(slots)

    run = executable(body, emit=carry_out)
    assert run(tensor([1, 2]))[0].asnumpy().tolist() == [2, 4]
    assert said == [(3, [[1, 2], [1, 2]]), (1, [])]


def test_what_an_effect_raises_ends_the_call() -> None:
    def carry_out(site: int, addresses: tuple[int, ...]) -> None:
        raise LookupError(f"site {site}")

    def body(slots: Sequence[int]) -> int:
        code: int = runtime().emit(_native.runtime_address(), 5, 0, None)
        return code

    with pytest.raises(LookupError, match="site 5"):
        executable(body, emit=carry_out)(tensor([1, 2]))
    with pytest.raises(RuntimeError, match="the graph has effects, but nothing carries them out"):
        executable(body)(tensor([1, 2]))


def test_effects_outside_of_calls_are_refused() -> None:
    assert runtime().emit(_native.runtime_address(), 0, 0, None) == 126


def test_effects_belong_to_the_cycles_of_an_executable() -> None:
    class Carrier:
        run: Any = None

        def __call__(self, site: int, addresses: tuple[int, ...]) -> None:
            raise AssertionError(site, addresses)

    def make() -> weakref.ref[Any]:
        carrier = Carrier()
        carrier.run = executable(lambda _: 0, arguments=0, signature=[], emit=carrier)
        carrier.run()
        return weakref.ref(carrier)

    reference = make()
    gc.collect()
    assert reference() is None
