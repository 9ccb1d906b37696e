"""Chains: a function that the thread pool calls for some batches runs all members for each of them."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore.kernels import lanes, lower_gemm, lower_nest, runtime
from mindspore.kernels.chains import Member, Place, RunChain
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR
from mindspore.kernels.emit import Value as Lane
from mindspore.kernels.homes import Home
from mindspore.kernels.lower_items import Index, digits
from mindspore.kernels.program import Value
from mindspore.kernels.scope import Scope
from mindspore.kernels.tasks import RunProduct

INNER = "chain"
"""The kind of home of what a thread has for one batch."""
CHUNK = 1 << 21
"""Multiplications for each chunk of threads."""


def homes(task: RunChain) -> dict[Value, Home]:
    """Where inner values live."""
    return {value: Home(INNER, offset) for value, offset in task.inner.items()}


def emit(scope: Scope, task: RunChain) -> None:
    """Let the thread pool run the batches."""
    values = dict.fromkeys(v for m in task.members for v, *_ in m.uses() if v not in task.inner)
    values.update(dict.fromkeys(v for m in task.members for v in m.task.writes if v not in task.inner))
    order = {scope.made.homes[v]: scope.pointer(v) for v in values}
    name = _worker(scope, task, list(order))
    work = sum(m.task.product.work for m in task.members if isinstance(m.task, RunProduct))
    context = scope.packed("chain", [scope.constants, *order.values()])
    scope.shared.calls += 1
    scope.check(lower_nest.in_parallel(scope.f, name, context, task.count, max(1, CHUNK // max(1, work))))


def _worker(scope: Scope, task: RunChain, order: Sequence[Home]) -> str:
    """Worker over batches."""
    module = scope.shared.module
    number = 0
    while module.has(f"{scope.f.name}_chain{number}"):
        number += 1
    name = f"{scope.f.name}_chain{number}"
    f = module.function(name, "void", runtime.RANGE, internal=True, inline="noinline")
    constants, *given = runtime.unpack(f, ["ptr"] * (1 + len(order)))
    known = dict(zip(order, given, strict=True))
    memory = runtime.allocate(f, f["runtime"], task.nbytes)

    def pointer(home: Home) -> Lane:
        return memory.at("i8", home.index) if home.kind == INNER else known[home]

    some = f.select(runtime.exists(f, memory), f["end"], f["begin"])
    with f.loop(f["begin"], some, hints=[NO_UNROLL, NO_VECTOR]) as loop:
        inside = _Inside(scope.shared, f, scope.made, pointer, constants, scope.functions, scope.apart)
        for member in task.members:
            inside.run(member, loop.index, task.count)
    runtime.release(f, f["runtime"], memory)
    f.ret()
    return name


class _Inside(Scope):
    """The function of a worker."""

    def check(self, code: Lane | None) -> None:
        """Nothing: the runtime remembers failures, and gives the first one when the loop ends."""

    def run(self, member: Member, batch: Lane, count: int) -> None:
        """One batch of a member."""
        task = member.task
        values = task.epilogue.pointers if isinstance(task, RunProduct) else task.pointers
        pointers = [self.at(v, p, batch) for v, p in zip(values, member.places, strict=True)]
        if not isinstance(task, RunProduct):
            same = self.same(values)
            distinct = [pointers[same.index(k)] for k in range(len(set(same)))]
            self.run_nest(self.shared.merged(task.nest, same), distinct)
            return
        buffers = []
        for read, place in zip(task.product.reads, member.operands, strict=True):
            assert read.value is not None
            buffers.append(self.at(read.value, place, batch))
        assert task.holder is not None
        m, n, _ = task.product.size
        buffers.append(self.at(task.holder, Place((count,), (m * n,)), batch))
        lower_gemm.call(self, task, buffers, pointers)

    def at(self, value: Value, place: Place, batch: Lane) -> Lane:
        """The first element of a batch."""
        if self.made.homes[value].kind == INNER:
            return self.pointer(value)
        offset: Index = place.start
        for digit, stride in zip(digits(batch, place.dims), place.strides, strict=True):
            offset = digit * stride + offset if stride else offset
        return lanes.address(self.f, self.pointer(value), offset, value.dtype)
