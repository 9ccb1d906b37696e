"""Kernels by name: those built ahead of time, else compiled now."""

from __future__ import annotations

from collections.abc import Sequence

from mindspore._native import isa_level, kernel_address
from mindspore.kernels import catalog, jit, target


def resolve_kernel(name: str) -> int:
    """The address of kernel `name` at the active instruction-set level. KeyError for a name that nothing defined."""
    return kernel_address(name) or jit.address(name, isa_level())


def built(names: Sequence[str], level: str) -> dict[str, bytes]:
    """The object files of those kernels that were not built ahead of time."""
    return {n: jit.compiled(catalog.find(n), target.isa(level)) for n in names if not kernel_address(n)}
