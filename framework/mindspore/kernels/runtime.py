"""Emission of the native contract: kernel signatures, calls through the Runtime table, parallel loops.

The offsets are those of ``struct Runtime`` in ``framework/native/runtime_abi.h``; every member takes 8 bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mindspore.kernels.emit import Function, Module, Operand, Value

(
    _VERSION,
    _THREADS,
    _PARALLEL_FOR,
    _SCRATCH,
    _ALLOCATE,
    _RELEASE,
    _FAIL,
    _CANCEL,
    _GROW,
    _MARK,
    _REWIND,
    _ENTER,
    _LEAVE,
    _EMIT,
    _FEATURES,
) = range(15)
BFLOAT16_PAIRS = 1
"""Bit of `features`: AVX512-BF16."""
CANCELLED = 125
TOO_DEEP = 124
NO_MEMORY = 12
"""The code by which the runtime knows that there was no memory."""
KERNEL = (("ptr noalias", "runtime"), ("ptr noalias readonly", "buffers"), ("ptr noalias readonly", "params"))
RANGE = (("ptr", "runtime"), ("ptr noalias", "context"), ("i64", "begin"), ("i64", "end"))


def kernel(module: Module, name: str) -> Function:
    """An exported ``int32 name(const Runtime*, void* const* buffers, const int64_t* params)``."""
    return module.function(name, "i32", KERNEL)


def buffer(f: Function, position: Operand) -> Value:
    """Pointer to the data of kernel buffer `position`."""
    return f.load("ptr", f["buffers"].at("ptr", position))


def param(f: Function, position: Operand) -> Value:
    """Kernel parameter `position`."""
    return f.load("i64", f["params"].at("i64", position))


def done(f: Function) -> None:
    """The kernel's normal end; a run that was cancelled says so. Failures are remembered by the runtime itself."""
    cancelled = f.load("i32", _member(f, f["runtime"], _CANCEL)).ne(0)
    f.ret(f.select(cancelled, f.value(CANCELLED, "i32"), f.value(0, "i32")))


def cancelled(f: Function, runtime: Value) -> Value:
    """Not 0 when the run is to stop; read anew each time."""
    return f.emit("i32", f"load volatile i32, {_member(f, runtime, _CANCEL)}, align 4")


def null(f: Function) -> Value:
    return f.value(0, "i64").to("inttoptr", "ptr")


def exists(f: Function, pointer: Value) -> Value:
    """Not null, as i1. Memory is null when there is none left: the runtime knows, the kernel only skips its work."""
    return f.emit("i1", f"icmp ne {pointer}, null")


def _member(f: Function, runtime: Value, position: int, type: str = "ptr") -> Value:
    return f.load(type, runtime.at("i64", position))


def threads(f: Function, runtime: Value) -> Value:
    return _member(f, runtime, _THREADS, "i64")


def features(f: Function, runtime: Value) -> Value:
    """What the processor has beyond its level."""
    return _member(f, runtime, _FEATURES, "i64")


def scratch(f: Function, runtime: Value, size: Operand) -> Value:
    """This thread's scratch memory, 64-byte aligned; lost at the thread's next call."""
    return f.call("ptr", _member(f, runtime, _SCRATCH), runtime, size)


def allocate(f: Function, runtime: Value, size: Operand) -> Value:
    return f.call("ptr", _member(f, runtime, _ALLOCATE), runtime, size)


def release(f: Function, runtime: Value, memory: Value) -> None:
    f.call("void", _member(f, runtime, _RELEASE), runtime, memory)


def grow(f: Function, runtime: Value, block: Value, used: Operand, size: Operand) -> Value:
    """A block that the call owns, with the first `used` bytes of `block`, which may be null; null when there is no memory."""
    return f.call("ptr", _member(f, runtime, _GROW), runtime, block, used, size)


def mark(f: Function, runtime: Value) -> Value:
    """How many blocks the call owns."""
    return f.call("i64", _member(f, runtime, _MARK), runtime)


def rewind(f: Function, runtime: Value, mark: Value) -> None:
    """Free the call's blocks above `mark`."""
    f.call("void", _member(f, runtime, _REWIND), runtime, mark)


def enter(f: Function, runtime: Value, size: Operand, name: str, symbol: str) -> Value:
    """The memory of a function that may call itself, until `leave`; null when there are too many. `name` is for people."""
    text = Value(f, "ptr", f.module.string(symbol, name))
    return f.call("ptr", _member(f, runtime, _ENTER), runtime, size, text)


def leave(f: Function, runtime: Value) -> None:
    f.call("void", _member(f, runtime, _LEAVE), runtime)


def emit(f: Function, runtime: Value, site: int, count: int, values: Value) -> Value:
    """Carry out an effect on `count` values; the code to return when it is not 0."""
    return f.call("i32", _member(f, runtime, _EMIT), runtime, site, count, values)


def fail(f: Function, runtime: Value, code: int, message: str, symbol: str) -> Value:
    """Remember `message` and give the code to return."""
    return fail_with(f, runtime, code, Value(f, "ptr", f.module.string(symbol, message)))


def fail_with(f: Function, runtime: Value, code: int, message: Value) -> Value:
    """`fail` with a zero-terminated text in memory."""
    return f.call("i32", _member(f, runtime, _FAIL), runtime, f.value(code, "i32"), message)


def pack(f: Function, values: Sequence[Value]) -> Value:
    """Values of any 8-byte type stored to a fresh context on the stack."""
    context = f.alloca("i64", max(1, len(values)))
    for position, value in enumerate(values):
        f.store(value, context.at("i64", position))
    return context


def unpack(f: Function, types: Sequence[str]) -> list[Value]:
    """The values that `pack` stored, read back from argument ``context``."""
    return [f.load(type, f["context"].at("i64", position), 8) for position, type in enumerate(types)]


def parallel_for(f: Function, runtime: Value, total: Operand, grain: Operand, worker: str, context: Value) -> None:
    """Run `worker` over [0, total) in chunks; a single chunk runs here without entering the pool."""
    total, grain = f.index(total), f.index(grain)

    def inline() -> list[Value]:
        f.call("void", worker, runtime, context, 0, total)
        return []

    def pooled() -> list[Value]:
        entry = Value(f, "ptr", f"@{worker}")
        f.call("i32", _member(f, runtime, _PARALLEL_FOR), runtime, total, grain, entry, context)
        return []

    f.choose(total <= grain, inline, pooled)


def parallel(
    f: Function,
    name: str,
    total: Operand,
    grain: Operand,
    captured: Sequence[Value],
    body: Callable[[Function, Value, Value, list[Value]], None],
) -> None:
    """A parallel loop in one piece: `body(worker, begin, end, captured values inside it)` is emitted as internal function `name`."""
    module = f.module
    worker = module.function(name, "void", RANGE, internal=True, inline="noinline")
    body(worker, worker["begin"], worker["end"], unpack(worker, [c.type for c in captured]))
    worker.ret()
    parallel_for(f, f["runtime"], total, grain, name, pack(f, captured))
