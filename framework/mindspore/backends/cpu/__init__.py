"""The back end that compiles a graph to one native function for this processor."""

from __future__ import annotations

from mindspore.backends.cpu.executable import compile, compile_general
from mindspore.backends.cpu.kernel_addresses import resolve_kernel

__all__ = ["compile", "compile_general", "resolve_kernel"]
