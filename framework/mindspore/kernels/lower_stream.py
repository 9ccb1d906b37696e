"""Stores past the caches: outputs that no cache holds anyway are written without being read first, and leave the inputs there.

A loop writes a block to the stack, in the way that vectorises; from there whole aligned vectors go to memory.
"""

from __future__ import annotations

from math import prod

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes
from mindspore.kernels.emit import NO_UNROLL, NO_VECTOR, SIZES, Function, Value, vector
from mindspore.kernels.nest import Item, Nest
from mindspore.kernels.sizes import is_symbolic

STREAM_FROM = 1 << 24
"""Bytes of an output that goes past the caches."""
BLOCK = 512
"""Elements that are written at a time."""
SHORTEST = 256
"""Elements of a row below which blocks cost more than they save."""


def streamed(nest: Nest, item: Item) -> bool:
    """Whether a store of the nest goes past the caches. Not one over an input, whose lines are there already."""
    if item.kind != "store" or item.row or item.dtype.is_complex or not nest.length or item.strides[-1] != 1:
        return False
    if any(map(is_symbolic, nest.dims)) or any(
        i.kind in ("load", "take") and i.buffer == item.buffer for i in nest.items
    ):
        return False
    return bool(nest.length[-1] >= SHORTEST and prod(nest.dims) * item.dtype.itemsize >= STREAM_FROM)


def stage(f: Function, dtype: DType) -> Value:
    """The stack memory of a block."""
    return f.alloca(lanes.memory_type(dtype), BLOCK)


def flush(f: Function, staged: Value, target: Value, count: Value, dtype: DType) -> None:
    """Write the first `count` elements of the stage to `target`."""
    name = f"{f.name}_stream_{lanes.memory_type(dtype)}"
    if not f.module.has(name):
        _emit(f, name, lanes.memory_type(dtype))
    f.call("void", name, target, staged, count)


def finish(f: Function) -> None:
    """Order what was streamed before whatever this thread writes next. Other processors than x86 order it like other stores."""
    if f.module.isa.triple.startswith("x86"):
        f.module.declare("llvm.x86.sse.sfence", "declare void @llvm.x86.sse.sfence()")
        f.line("call void @llvm.x86.sse.sfence()")


def _emit(caller: Function, name: str, type: str) -> None:
    """``void name(target, source, count)``: single elements up to the first aligned vector and behind the last one."""
    parameters = [("ptr noalias", "target"), ("ptr noalias", "source"), ("i64", "count")]
    f = caller.module.function(name, "void", parameters, internal=True, inline="noinline")
    target, source, count = f.arguments
    size, width = SIZES[type], f.module.isa.vector_bytes
    step = width // size
    past = target.to("ptrtoint", "i64") & (width - 1)
    head = f.minimum(((width - past) & (width - 1)) // size, count)
    end = head + (count - head) // step * step
    hints, past_caches = (NO_VECTOR, NO_UNROLL), f", !nontemporal !{f.module.metadata('i32 1')}"
    with f.loop(0, head, hints=hints) as loop:
        f.store(f.load(type, source.at(type, loop.index)), target.at(type, loop.index))
    with f.loop(head, end, step, hints=(NO_VECTOR,)) as loop:
        value = f.load(vector(step, type), source.at(type, loop.index))
        f.store(value, target.at(type, loop.index), width, past_caches)
    with f.loop(end, count, hints=hints) as loop:
        f.store(f.load(type, source.at(type, loop.index)), target.at(type, loop.index))
    f.ret()
