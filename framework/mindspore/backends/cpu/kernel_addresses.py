"""Kernels by name: those built ahead of time, else compiled now."""

from __future__ import annotations

from mindspore._native import isa_level, kernel_address
from mindspore.kernels import jit


def resolve_kernel(name: str) -> int:
    """The address of kernel `name` at the active instruction-set level. KeyError for a name that nothing defined."""
    return kernel_address(name) or jit.address(name, isa_level())
