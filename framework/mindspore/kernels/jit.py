"""Kernels that the ahead-of-time table lacks: compiled once, kept in a private disk cache, loaded into the process."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from mindspore.kernels import catalog, diskcache, target
from mindspore.kernels.emit import Module
from mindspore.kernels.target import Isa


class Linked:
    """Object code loaded into this process for as long as the instance lives."""

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker

    def address(self, symbol: str) -> int:
        """Address of a function; KeyError when the object does not export it."""
        try:
            found: int = self._tracker[symbol]
        except (KeyError, RuntimeError) as error:
            raise KeyError(f"the object exports no {symbol!r}") from error
        return found


_lock = threading.Lock()
_counter = iter(range(1 << 62))
_loaded: dict[tuple[str, str], tuple[Linked, int]] = {}


@cache
def _session() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler()


def link(data: bytes) -> Linked:
    """Load an object file for this machine. RuntimeError when it is damaged or needs symbols of others."""
    import llvmlite.binding as llvm

    with _lock:
        builder = llvm.JITLibraryBuilder().add_object_img(data)
        for symbol in exported(data):
            builder.export_symbol(symbol)
        return Linked(builder.link(_session(), f"kernels{next(_counter)}"))


def exported(data: bytes) -> list[str]:
    """Names of the global functions that an ELF object file defines."""
    from mindspore.kernels.elf import symbols

    return [s.name for s in symbols(data) if s.defined and s.exported]


@cache
def host_level() -> str:
    """The best level of this machine's processor."""
    target.llvm_version()
    import llvmlite.binding as llvm

    if not llvm.get_process_triple().startswith("x86_64"):
        return "neon"
    have = llvm.get_host_cpu_features()
    needs = {
        "v4": ("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"),
        "v3": ("avx2", "bmi2", "f16c", "fma", "lzcnt"),
    }
    return next((level for level, wanted in needs.items() if all(have.get(w) for w in wanted)), "v2")


def address(name: str, level: str) -> int:
    """Address of kernel `name` for `level`, compiled now or read from the cache. KeyError for a name that nothing defined."""
    known = _loaded.get((name, level))
    if known is None:
        spec = catalog.find(name)
        isa = target.isa(level)
        linked = link(compiled(spec, isa))
        known = _loaded.setdefault((name, level), (linked, linked.address(catalog.symbol(name, isa))))
    return known[1]


def compiled(spec: catalog.KernelSpec, isa: Isa) -> bytes:
    """The object file of one kernel, from the disk cache when it is there and whole."""
    module = Module(isa)
    spec.emit(module)
    return compiled_text(module.text(), isa, spec.pipeline)


def compiled_text(text: str, isa: Isa, pipeline: str) -> bytes:
    """The object file of LLVM `text`, through the disk cache; the key is the text, the level, the passes and LLVM's version."""
    key = diskcache.key(text, isa.name, isa.cpu, isa.features, pipeline, target.llvm_version())
    found = diskcache.read(key)
    if found is None:
        found = target.compile_object(text, isa, pipeline)
        diskcache.write(key, found)
    return found
