"""What a kernel is before it is compiled: a name, and a function that emits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from mindspore.kernels.emit import Module
from mindspore.kernels.target import Isa


@dataclass(frozen=True, slots=True)
class KernelSpec:
    """One kernel.

    Attributes:
        name: ``msk_<family>_<what>_<dtypes>``, without the level; equal names mean equal kernels.
        family: kernels of one family share an object file.
        emit: adds the exported function `symbol` and what it calls to a module.
        pipeline: one of `target.PIPELINES`.
    """

    name: str
    family: str
    emit: Callable[[Module], None] = field(compare=False)
    pipeline: str = "loops"


_known: dict[str, KernelSpec] = {}


def define(spec: KernelSpec) -> str:
    """Remember `spec`, so that its kernel can be compiled by name; returns the name."""
    _known.setdefault(spec.name, spec)
    return spec.name


def find(name: str) -> KernelSpec:
    """The kernel called `name`; KeyError when no plan has asked for it in this process."""
    found = _known.get(name)
    if found is None:
        raise KeyError(f"no kernel is called {name!r}: kernels are defined by the plans and the table that use them")
    return found


def symbol(name: str, isa: Isa) -> str:
    """The exported symbol of kernel `name` for one level."""
    return f"{name}_{isa.name}"
