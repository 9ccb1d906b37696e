"""A kernel as one of its threads sees it: who it is, and what it shares with others.

Blocks are one row of threads. Everything that is said to be done together must be reached by all threads of the block (of the warp for
`shuffle`), the same number of times.
"""

from __future__ import annotations

from mindspore.base.dtypes import DType
from mindspore.kernels import lanes
from mindspore.kernels.emit import SIZES, Function, Module, Value, is_float
from mindspore.kernels.lanes import Complex, Lane
from mindspore.kernels.target import Gpu

BLOCK = 256
"""Threads of a block."""
MOST_BLOCKS = (1 << 31) - 1
"""Blocks of one launch (CUDA C++ Programming Guide, technical specifications per compute capability)."""
_SREG = "llvm.nvvm.read.ptx.sreg"
_BARRIER = "llvm.nvvm.barrier.cta.sync.aligned.all"
_SHUFFLE = "llvm.nvvm.shfl.sync.bfly.i32"


class Threads:
    """A kernel being written: ``void name(pointers...)``."""

    def __init__(self, module: Module, name: str, pointers: int) -> None:
        assert isinstance(module.target, Gpu), f"kernels of a GPU are not for {module.target.name}"
        self.gpu = module.target
        self.f: Function = module.function(name, "void", [("ptr noalias", f"p{k}") for k in range(pointers)])
        self.f.linkage = "ptx_kernel "
        self.f.attributes += f' "nvvm.maxntid"="{BLOCK}"'
        self.pointers = self.f.arguments
        self.thread = self._register("tid.x")
        self.block = self._register("ctaid.x")
        self.blocks = self._register("nctaid.x")

    def _register(self, name: str) -> Value:
        """A special register, counting in one dimension, as an index."""
        full = f"{_SREG}.{name}"
        self.f.module.declare(full, f"declare i32 @{full}()")
        return self.f.call("i32", full).to("zext", "i64")

    def end(self) -> None:
        self.f.ret()

    def barrier(self) -> None:
        """Wait for all threads of the block; what they wrote to shared memory is there afterwards."""
        self.f.module.declare(_BARRIER, f"declare void @{_BARRIER}(i32)")
        self.f.call("void", _BARRIER, self.f.value(0, "i32"))

    def shared(self, name: str, dtype: DType, count: int) -> Value:
        """Memory for `count` elements that the threads of the block share; nothing is in it at first."""
        size = count * (2 if dtype.is_complex else 1)
        name = f"{self.f.name}_{name}"
        text = f"internal addrspace(3) global [{size} x {lanes.memory_type(dtype)}] undef, align 16"
        symbol = self.f.module.define(name, text)
        return Value(self.f, "ptr", f"addrspacecast (ptr addrspace(3) {symbol} to ptr)")

    def shuffle(self, lane: Lane, distance: int) -> Lane:
        """The lane of the thread of this warp whose number differs in the bit `distance`."""
        if isinstance(lane, Complex):
            return Complex(self._exchanged(lane.real, distance), self._exchanged(lane.imag, distance))
        return self._exchanged(lane, distance)

    def _exchanged(self, value: Value, distance: int) -> Value:
        f, size = self.f, SIZES[value.type]
        whole = value.to("bitcast", f"i{size * 8}") if is_float(value.type) else value
        if size < 8:
            word = self._word(whole.to("zext", "i32"), distance)
            found = word.to("trunc", whole.type)
        else:
            low = self._word(whole.to("trunc", "i32"), distance).to("zext", "i64")
            high = self._word(f.op("lshr", whole, 32).to("trunc", "i32"), distance).to("zext", "i64")
            found = f.op("shl", high, 32) | low
        return found.to("bitcast", value.type)

    def _word(self, value: Value, distance: int) -> Value:
        f = self.f
        f.module.declare(_SHUFFLE, f"declare i32 @{_SHUFFLE}(i32, i32, i32, i32)")
        everyone, last = f.value(-1, "i32"), f.value(self.gpu.warp - 1, "i32")
        return f.call("i32", _SHUFFLE, everyone, value, f.value(distance, "i32"), last)


def blocks_for(work: int, each: int = BLOCK) -> int:
    """Blocks that give every piece of `work` a place, `each` in one block, as long as a launch can be that large; kernels go round."""
    return max(1, min(-(-work // each), MOST_BLOCKS))
