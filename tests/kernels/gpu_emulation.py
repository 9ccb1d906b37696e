"""Kernels for GPUs run on the processor: every thread of a block is a coroutine that waits at barriers and exchanges of registers.

The LLVM text is the one that PTX is made from. What only a GPU has is replaced: special registers are read from memory, shared memory is a
variable, and where threads wait for each other the coroutine is suspended. Threads that should meet and do not are an error.
"""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mindspore.base import dtypes as dt
from mindspore.base.dtypes import DType
from mindspore.kernels import groups, jit, nest, target
from mindspore.kernels.gpu.lower import Launch, Lowered, lower_tasks
from mindspore.kernels.program import Map, Value, whole
from mindspore.kernels.target import Gpu
from mindspore.kernels.tasks import RunNest, nest_task
from mindspore.primitives.scalar import Expr
from tests.kernels.guarded import Guarded, placed, release

WARP, MOST = 32, 1024
DONE = -1
_HELPERS = f"""
declare token @llvm.coro.id(i32, ptr, ptr, ptr)
declare i64 @llvm.coro.size.i64()
declare ptr @llvm.coro.begin(token, ptr)
declare i8 @llvm.coro.suspend(token, i1)
declare void @llvm.coro.end(ptr, i1, token)
declare void @llvm.coro.resume(ptr)
@thread = global i32 0
@block = global i32 0
@blocks = global i32 0
@used = global i64 0
@memory = global [4194304 x i8] zeroinitializer, align 64
@sites = global [{MOST} x i64] zeroinitializer
@words = global [{MOST} x i32] zeroinitializer
@handles = global [{MOST} x ptr] zeroinitializer
define internal ptr @take(i64 %size) {{
  %start = load i64, ptr @used
  %end = add i64 %start, %size
  %up = add i64 %end, 63
  %next = and i64 %up, -64
  store i64 %next, ptr @used
  %address = getelementptr i8, ptr @memory, i64 %start
  ret ptr %address
}}
define internal void @arrive(i64 %site) {{
  %t = load i32, ptr @thread
  %place = getelementptr i64, ptr @sites, i32 %t
  store i64 %site, ptr %place
  ret void
}}
define internal void @put(i32 %word) {{
  %t = load i32, ptr @thread
  %place = getelementptr i32, ptr @words, i32 %t
  store i32 %word, ptr %place
  ret void
}}
define internal i32 @get(i32 %distance) {{
  %t = load i32, ptr @thread
  %other = xor i32 %t, %distance
  %place = getelementptr i32, ptr @words, i32 %other
  %word = load i32, ptr %place
  ret i32 %word
}}
define void @go(i64 %t) {{
  %narrow = trunc i64 %t to i32
  store i32 %narrow, ptr @thread
  %place = getelementptr ptr, ptr @handles, i64 %t
  %handle = load ptr, ptr %place
  call void @llvm.coro.resume(ptr %handle)
  ret void
}}
"""
_BEGIN = """entry:
  %coro.id = call token @llvm.coro.id(i32 0, ptr null, ptr null, ptr null)
  %coro.size = call i64 @llvm.coro.size.i64()
  %coro.memory = call ptr @take(i64 %coro.size)
  %coro = call ptr @llvm.coro.begin(token %coro.id, ptr %coro.memory)"""
_END = f"""finished:
  call void @arrive(i64 {DONE})
  %coro.last = call i8 @llvm.coro.suspend(token none, i1 true)
  switch i8 %coro.last, label %hang [ i8 0, label %hang i8 1, label %hang ]
  hang:
  call void @llvm.coro.end(ptr %coro, i1 false, token none)
  ret ptr %coro
}}"""
_WAIT = """call void @arrive(i64 {number})
  %coro.s{number} = call i8 @llvm.coro.suspend(token none, i1 false)
  switch i8 %coro.s{number}, label %hang [ i8 0, label %resumed{number} i8 1, label %hang ]
  resumed{number}:"""
_REGISTERS = {"tid.x": "thread", "ctaid.x": "block", "nctaid.x": "blocks"}
_SHARED = re.compile(r"@(\S+) = internal addrspace\(3\) global (\[(\d+) x (\S+)\]) undef")
_KERNEL = re.compile(r"define ptx_kernel void @(\w+)\(([^)]*)\)")
_REGISTER = re.compile(r"call i32 @llvm\.nvvm\.read\.ptx\.sreg\.(\S+)\(\)")
_SHUFFLE = re.compile(r"(%\S+) = call i32 @llvm\.nvvm\.shfl\.sync\.bfly\.i32\(i32 -1, i32 (\S+), i32 (\d+), i32 31\)")


_START = """define void @start_{name}(ptr %given, i64 %t) {{
  %narrow = trunc i64 %t to i32
  store i32 %narrow, ptr @thread
  {loads}
  %handle = call ptr @{name}({listed})
  %place = getelementptr ptr, ptr @handles, i64 %t
  store ptr %handle, ptr %place
  ret void
}}"""
_LOAD = """%a{k} = getelementptr ptr, ptr %given, i64 {k}
  %p{k} = load ptr, ptr %a{k}"""


def of_host(text: str) -> str:
    """The module for the processor."""
    made = _Rewriting()
    lines = [new for line in text.split("\n") for new in made.line(line)]
    starts = []
    for name, listed in _KERNEL.findall(text):
        pointers = range(listed.count("ptr"))
        loads = "\n  ".join(_LOAD.format(k=k) for k in pointers)
        starts.append(_START.format(name=name, loads=loads, listed=", ".join(f"ptr %p{k}" for k in pointers)))
    return "\n".join((_HELPERS, *lines, *starts))


class _Rewriting:
    """Numbers the places where threads wait, from 1: even at barriers, odd where a warp exchanges registers."""

    def __init__(self) -> None:
        self.count = 0
        self.inside = False

    def wait(self, exchange: bool) -> str:
        """The thread says where it is, and goes on when it is resumed."""
        self.count += 1
        number = 2 * self.count + int(exchange)
        return _WAIT.format(number=number)

    def line(self, line: str) -> list[str]:
        """One line of the text as lines for the processor."""
        if line.startswith("declare") and "nvvm" in line:
            return []
        if line.startswith("define ptx_kernel"):
            self.inside = True
            return [_KERNEL.sub(r"define internal ptr @\1(\2) presplitcoroutine", line)]
        if self.inside and line == "entry:":
            return [_BEGIN]
        if self.inside and line.strip() == "ret void":
            return ["br label %finished"]
        if self.inside and line == "}":
            self.inside = False
            return [_END]
        line = re.sub(r"addrspacecast \(ptr addrspace\(3\) (@\S+) to ptr\)", r"\1", line)
        line = _SHARED.sub(r"@\1 = global \2 zeroinitializer", line)
        line = _REGISTER.sub(lambda m: f"load i32, ptr @{_REGISTERS[m[1]]}", line)
        exchanged = _SHUFFLE.search(line)
        if exchanged:
            result, word, distance = exchanged.groups()
            put, get = f"call void @put(i32 {word})", f"{result} = call i32 @get(i32 {distance})"
            return [put, self.wait(exchange=True), get, self.wait(exchange=True)]
        return [self.wait(exchange=False) if "@llvm.nvvm.barrier" in line else line]


class DivergedError(AssertionError):
    """Threads that should meet do not."""


class Emulated:
    """The kernels of a graph, loaded into this process. ``backwards``: the order in which threads and blocks take turns."""

    def __init__(self, lowered: Lowered, backwards: bool = False) -> None:
        self.lowered, self.backwards = lowered, backwards
        isa = target.isa(jit.host_level())
        text = of_host(lowered.text)
        self.shared = {name: int(n) * _BYTES[kind] for name, _, n, kind in _SHARED.findall(lowered.text)}
        starts = [f"start_{k}" for k in lowered.kernels]
        data = ["block", "blocks", "used", "sites", *self.shared]
        self._linked = jit.link([jit.compiled_text(text, isa, "loops")], [*starts, *data, "go"])
        self.sites = np.ctypeslib.as_array((ctypes.c_int64 * MOST).from_address(self._linked.address("sites")))
        self._go = ctypes.CFUNCTYPE(None, ctypes.c_int64)(self._linked.address("go"))
        self.waits = 0

    def run(self, *arrays: Any) -> list[Any]:
        """The results for these parameters; every buffer lies between pages that may not be touched."""
        buffers = {v: placed(a.reshape(-1), True) for v, a in zip(self.lowered.parameters, arrays, strict=True)}
        for launch in self.lowered.launches:
            for value in launch.buffers:
                if value not in buffers:
                    buffers[value] = _fresh(value)
            self.launch(launch, [buffers[v].ctypes.data for v in launch.buffers])
        found = [buffers[v].copy() if v in buffers else np.empty(0, dt.to_numpy(v.dtype)) for v in self.lowered.results]
        release()
        return found

    def launch(self, launch: Launch, addresses: Sequence[int]) -> None:
        start = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(self._linked.address(f"start_{launch.kernel}"))
        given = (ctypes.c_void_p * max(1, len(addresses)))(*addresses)
        self._set("blocks", launch.blocks)
        numbers = range(launch.blocks)
        for block in reversed(numbers) if self.backwards else numbers:
            self._set("block", block)
            ctypes.c_int64.from_address(self._linked.address("used")).value = 0
            for name, size in self.shared.items():
                ctypes.memset(self._linked.address(name), 0xFF, size)
            for thread in self._order(range(launch.threads)):
                start(given, thread)
            self._finish(launch)

    def _set(self, name: str, value: int) -> None:
        ctypes.c_int32.from_address(self._linked.address(name)).value = value

    def _order(self, numbers: range) -> Iterator[int]:
        return reversed(numbers) if self.backwards else iter(numbers)

    def _finish(self, launch: Launch) -> None:
        """Let the block's threads go on until all are done."""
        sites = self.sites[: launch.threads].reshape(-1, WARP)
        while (sites != DONE).any():
            for warp in self._order(range(len(sites))):
                while sites[warp, 0] % 2 and sites[warp, 0] != DONE:
                    self._together(sites[warp], f"warp {warp} of {launch.kernel} exchanges registers")
                    self._resume(range(warp * WARP, (warp + 1) * WARP))
            self._together(sites.reshape(-1), f"a block of {launch.kernel} waits")
            if sites[0, 0] != DONE:
                self._resume(range(launch.threads))

    def _together(self, sites: Any, what: str) -> None:
        if (sites != sites[0]).any():
            raise DivergedError(f"{what}, but its threads are at {np.unique(sites).tolist()}")

    def _resume(self, threads: range) -> None:
        self.waits += 1
        for thread in self._order(threads):
            self._go(thread)


_BYTES = {"i8": 1, "i16": 2, "i32": 4, "i64": 8, "float": 4, "double": 8}


def _fresh(value: Value) -> Any:
    """Memory of a value: its constant, or nothing that a kernel could rely on."""
    if value.constant is not None:
        return placed(value.constant.reshape(-1), True)
    kind = np.dtype(dt.to_numpy(value.dtype))
    memory = Guarded(value.size * kind.itemsize, True, kind.itemsize)
    ctypes.memset(memory.address, 0xFF, value.size * kind.itemsize)
    return memory.array((value.size,), kind)


def map_task(exprs: Sequence[Expr], kinds: Sequence[DType], count: int) -> tuple[RunNest, list[Value]]:
    """The task that computes these bodies of operands of `kinds` for `count` elements, and the operands."""
    operands = [Value(kind, count) for kind in kinds]
    step = Map(tuple(map(whole, operands)), tuple(Value(e.dtype, count) for e in exprs), tuple(exprs))
    layout = groups.layout([step])
    assert layout is not None
    return nest_task(nest.build(layout, [step], step.outputs), step.outputs), operands


def evaluate(gpu: Gpu, expr: Expr, operands: Sequence[Any]) -> Any:
    """The body's value for each element of the operands, which have one shape."""
    task, given = map_task([expr], [dt.from_numpy(o.dtype) for o in operands], operands[0].size)
    made = lower_tasks([task], given, task.writes, gpu)
    return Emulated(made).run(*operands)[0].reshape(operands[0].shape)
