"""Runs emitted kernels through ctypes: a Runtime table of Python callbacks, and linking of object files by LLVM's own loader."""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence

import numpy as np

from mindspore import _native
from mindspore.kernels import jit
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import Module
from mindspore.kernels.target import LEVELS, Isa, levels_up_to

_RANGE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
_PARALLEL = ctypes.CFUNCTYPE(
    ctypes.c_int32, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p
)
_SCRATCH = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
_RELEASE = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p)
_FAIL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p)


FEATURES = ctypes.cast(_native.runtime_address(), ctypes.POINTER(ctypes.c_int64))[14]
"""Of this machine's processor."""


class Table(ctypes.Structure):
    _fields_ = (
        ("version", ctypes.c_int64),
        ("threads", ctypes.c_int64),
        ("parallel_for", _PARALLEL),
        ("scratch", _SCRATCH),
        ("allocate", _SCRATCH),
        ("release", _RELEASE),
        ("fail", _FAIL),
        ("cancel", ctypes.c_void_p),
        ("of_calls", ctypes.c_void_p * 6),
        ("features", ctypes.c_int64),
    )


class Runtime:
    """Runs chunks one after the other, from the last to the first if `backwards`: results must not depend on the order."""

    def __init__(self, threads: int = 1, backwards: bool = False, features: int | None = None) -> None:
        self.messages: list[bytes] = []
        self.chunks = 0
        self._memory: dict[int, object] = {}
        self._scratch: tuple[int, object] = (0, None)
        self._backwards = backwards
        self._exhausted = False
        self._cancel = ctypes.c_int32(0)
        self.table = Table(
            _native.abi_version(), threads, _PARALLEL(self._parallel), _SCRATCH(self._give_scratch), _SCRATCH(self._allocate),
            _RELEASE(self._release), _FAIL(self._fail), ctypes.addressof(self._cancel), features=FEATURES if features is None else features,
        )  # fmt: skip
        self.address = ctypes.addressof(self.table)

    def exhaust(self) -> None:
        """From now on there is no memory."""
        self._exhausted = True

    def cancel(self) -> None:
        """The run is to stop."""
        self._cancel.value = 1

    def _parallel(self, runtime: int, total: int, grain: int, function: int, context: int) -> int:
        call = _RANGE(function)
        starts = range(0, total, max(grain, 1))
        for begin in reversed(starts) if self._backwards else starts:
            self.chunks += 1
            call(runtime, context, begin, min(begin + grain, total))
        return 0

    def _aligned(self, size: int) -> tuple[int, object]:
        block = ctypes.create_string_buffer(size + 64)
        return -(-ctypes.addressof(block) // 64) * 64, block

    def _give_scratch(self, runtime: int, size: int) -> int:
        if self._exhausted:
            self.messages.append(b"no memory")
            return 0
        self._scratch = self._aligned(size)
        return self._scratch[0]

    def _allocate(self, runtime: int, size: int) -> int:
        if self._exhausted:
            self.messages.append(b"no memory")
            return 0
        address, block = self._aligned(size)
        self._memory[address] = block
        return address

    def _release(self, runtime: int, memory: int) -> None:
        del self._memory[memory]

    def _fail(self, runtime: int, code: int, message: bytes) -> int:
        self.messages.append(message)
        return code

    @property
    def leaked(self) -> int:
        return len(self._memory)


def runnable() -> list[Isa]:
    """The levels this machine can execute."""
    return list(levels_up_to(LEVELS[jit.host_level()]))


def library(specs: Iterable[KernelSpec], isa: Isa) -> Library:
    """The kernels of `specs` in one object."""
    module = Module(isa)
    for spec in specs:
        spec.emit(module)
    return Library(module)


KERNEL = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)


def call_address(address: int, runtime: Runtime | None = None) -> int:
    """Call a kernel that takes no buffers and no parameters."""
    return int(KERNEL(address)((runtime or Runtime()).address, None, None))


class Library:
    """An emitted module, compiled for its level and loaded."""

    def __init__(self, module: Module, pipeline: str = "loops") -> None:
        self.object = jit.compiled_text(module.text(), module.isa, pipeline)
        self._isa = module.isa
        self._linked = jit.link([self.object])

    def run(
        self, name: str, arrays: Sequence[np.ndarray], params: Sequence[int], runtime: Runtime | None = None
    ) -> int:
        """Call kernel `name`; arrays are its buffers."""
        runtime = runtime or Runtime()
        function = KERNEL(self._linked.address(symbol(name, self._isa)))
        buffers = (ctypes.c_void_p * max(1, len(arrays)))(*[a.ctypes.data for a in arrays])
        numbers = (ctypes.c_int64 * max(1, len(params)))(*params)
        return int(function(runtime.address, buffers, numbers))
