"""A program as a native executable. Compiles nothing, so that a process which finds its programs on disk imports little."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mindspore._native import Executable, TensorBase, isa_level
from mindspore.backends import Program
from mindspore.backends.cpu.kernel_addresses import resolve_kernel
from mindspore.base.dtypes import BY_CODE, to_numpy
from mindspore.base.errors import PLACE_MARK
from mindspore.base.shapes import size
from mindspore.base.symbolic import value
from mindspore.base.times import stage
from mindspore.infer.errors import carried_by
from mindspore.ir.effects import Site, handed_over
from mindspore.ir.sizes import bound_type, bound_value
from mindspore.ir.types import TensorType
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
    with stage("link"):
        linked = jit.link(program.objects, [program.entry])

    def instance(atoms: Sequence[int]) -> Call:
        emit = _carrier(program.sites, bound, atoms) if program.sites else None
        outputs, signature = bound_value(program.outputs, atoms), bound_value(program.signature, atoms)
        arena = value(program.arena_bytes, atoms)
        ends = [*signature, *(o[1:] for o in outputs if o[0] == "fresh")]
        much = arena + sum(size(shape) * BY_CODE[code].itemsize for code, shape in ends) >= _WATCHED_BYTES
        made: Call = Executable(
            linked.address(program.entry), program.arguments, list(bound), list(outputs), constants_of(program, atoms), arena,
            linked, list(signature), program.loops or program.recursive or much,
            recursive=program.recursive, emit=emit,
        )  # fmt: skip
        return _told(made, program.places) if program.places else made

    return instance


def _told(run: Call, places: Sequence[str]) -> Call:
    """`run` whose failures say where in the program they happened."""

    def call(*tensors: Any) -> tuple[Any, ...]:
        try:
            return run(*tensors)
        except IndexError as error:
            message, mark, number = str(error).rpartition(PLACE_MARK)
            if not mark:
                raise
            raise carried_by(IndexError(message), [places[int(number)]]) from None

    return call


def _carrier(
    sites: Sequence[Site], bound: Sequence[Any], atoms: Sequence[int]
) -> Callable[[int, tuple[int, ...]], None]:
    """What carries out effects for native code, which gives the addresses of the values."""
    known = [(bound_value(e, atoms), [(handed_over(t), bound_type(t, atoms)) for t in types]) for e, types in sites]

    def carry_out(site: int, addresses: tuple[int, ...]) -> None:
        effect, types = known[site]
        given = iter(addresses)
        effect.carry_out([_copied(kind, next(given) if handed else 0) for handed, kind in types], bound)

    return carry_out


def _copied(type: TensorType, address: int) -> Any:
    """A tensor with the elements in memory at `address`."""
    data = ctypes.string_at(address, size(type.shape) * type.dtype.itemsize) if address else b""
    return TensorBase.from_numpy(np.frombuffer(data, to_numpy(type.dtype)).reshape(type.shape), copy=True)


def constants_of(program: Program, atoms: Sequence[int] = ()) -> list[Any]:
    """The table of kernel addresses, then the constants; ``atoms``: the values of those of a graph with symbolic sizes."""
    table = np.array([*map(resolve_kernel, program.kernels), 0], np.int64)
    arrays = [np.array(atoms, np.int64), *program.constants[1:]] if atoms else program.constants
    return [TensorBase.from_numpy(array, copy=True) for array in (table, *arrays)]
