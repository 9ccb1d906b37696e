"""A program as a native executable. Compiles nothing, so that a process which finds its programs on disk imports little."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mindspore._native import Executable, TensorBase, isa_level
from mindspore.backends import Program
from mindspore.backends.cpu.kernel_addresses import resolve_kernel
from mindspore.base.dtypes import BY_CODE
from mindspore.base.shapes import size
from mindspore.base.symbolic import value
from mindspore.ir.sizes import bound_value
from mindspore.kernels import jit

_WATCHED_BYTES = 64 << 10
Call = Callable[..., tuple[Any, ...]]


def load(program: Program, bound: Sequence[Any]) -> Call:
    """See `mindspore.backends.Storing.load`."""
    return instances(program, bound)(())


def instances(program: Program, bound: Sequence[Any]) -> Callable[[Sequence[int]], Call]:
    """The callable for the values of all atoms of the scope of the program's sizes."""
    for name, data in program.built.items():
        jit.adopt(name, isa_level(), data)
    linked = jit.link(program.objects, [program.entry])
    more = {"recursive": True} if program.recursive else {}

    def instance(atoms: Sequence[int]) -> Call:
        outputs, signature = bound_value(program.outputs, atoms), bound_value(program.signature, atoms)
        arena = value(program.arena_bytes, atoms)
        ends = [*signature, *(o[1:] for o in outputs if o[0] == "fresh")]
        much = arena + sum(size(shape) * BY_CODE[code].itemsize for code, shape in ends) >= _WATCHED_BYTES
        made: Call = Executable(
            linked.address(program.entry), program.arguments, list(bound), list(outputs), constants_of(program, atoms), arena,
            linked, list(signature), program.loops or program.recursive or much, **more,
        )  # fmt: skip
        return made

    return instance


def constants_of(program: Program, atoms: Sequence[int] = ()) -> list[Any]:
    """The table of kernel addresses, then the constants; ``atoms``: the values of those of a graph with symbolic sizes."""
    table = np.array([*map(resolve_kernel, program.kernels), 0], np.int64)
    arrays = [np.array(atoms, np.int64), *program.constants[1:]] if atoms else program.constants
    return [TensorBase.from_numpy(array, copy=True) for array in (table, *arrays)]
