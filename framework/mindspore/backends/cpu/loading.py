"""A program as a native executable. Compiles nothing, so that a process which finds its programs on disk imports little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mindspore._native import Executable, TensorBase, isa_level
from mindspore.backends import Program
from mindspore.backends.cpu.kernel_addresses import resolve_kernel
from mindspore.kernels import jit


def load(program: Program, bound: Sequence[Any]) -> Callable[..., tuple[Any, ...]]:
    """See `mindspore.backends.Storing.load`."""
    for name, data in program.built.items():
        jit.adopt(name, isa_level(), data)
    linked = jit.link(program.objects, [program.entry])
    made: Callable[..., tuple[Any, ...]] = Executable(
        linked.address(program.entry), program.arguments, list(bound), list(program.outputs), constants_of(program),
        program.arena_bytes, linked, list(program.signature), program.interruptible,
    )  # fmt: skip
    return made


def constants_of(program: Program) -> list[Any]:
    """The table of kernel addresses, then the constants."""
    table = np.array([*map(resolve_kernel, program.kernels), 0], np.int64)
    return [TensorBase.from_numpy(array, copy=True) for array in (table, *program.constants)]
