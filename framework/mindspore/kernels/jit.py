"""Kernels that the ahead-of-time table lacks: compiled once, kept in a private disk cache, loaded into the process."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import chain
from typing import Any

from mindspore.kernels import catalog, diskcache, target
from mindspore.kernels.emit import Module
from mindspore.kernels.target import Isa, Part


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


_MOST_THREADS = 8
_lock = threading.Lock()
_counter = iter(range(1 << 62))
_loaded: dict[tuple[str, str], tuple[Linked, int]] = {}


@cache
def _session() -> Any:
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm.create_lljit_compiler()


def link(objects: Sequence[bytes], exports: Iterable[str] | None = None) -> Linked:
    """Load object files for this machine that may call each other; `exports`: the symbols to ask for, all by default.

    Raises:
        RuntimeError: a file is damaged or needs symbols of others.
    """
    import llvmlite.binding as llvm

    with _lock:
        builder = llvm.JITLibraryBuilder()
        for data in objects:
            builder.add_object_img(data)
        for symbol in chain.from_iterable(map(exported, objects)) if exports is None else exports:
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
        linked = link([compiled(spec, isa)])
        known = _loaded.setdefault((name, level), (linked, linked.address(catalog.symbol(name, isa))))
    return known[1]


def adopt(name: str, level: str, data: bytes) -> None:
    """Makes kernel `name` known by its object file from another process."""
    if (name, level) not in _loaded:
        linked = link([data])
        _loaded.setdefault((name, level), (linked, linked.address(catalog.symbol(name, target.isa(level)))))


def compiled(spec: catalog.KernelSpec, isa: Isa) -> bytes:
    """The object file of one kernel, from the disk cache when it is there and whole."""
    module = Module(isa)
    spec.emit(module)
    return compiled_text(module.text(), isa, spec.pipeline)


def compiled_text(text: str, isa: Isa, pipeline: str) -> bytes:
    """The object file of LLVM `text`, through the disk cache; the key is the text, the level, the passes and LLVM's version."""
    return compiled_parts([Part(text, pipeline)], isa)[0]


def compiled_parts(parts: Sequence[Part], isa: Isa) -> list[bytes]:
    """The object file of each part, from the disk cache; those that are not there are compiled side by side."""
    version = target.llvm_version()
    keys = [diskcache.key(p.text, isa.name, isa.cpu, isa.features, p.pipeline, version) for p in parts]
    found = {key: diskcache.read(key) for key in keys}
    missing = {key: part for key, part in zip(keys, parts, strict=True) if found[key] is None}
    made = _side_by_side([(p.text, isa, p.pipeline) for p in missing.values()])
    for key, data in zip(missing, made, strict=True):
        found[key] = data
        diskcache.write(key, data)
    return [found[key] or b"" for key in keys]


def _side_by_side(jobs: Sequence[tuple[str, Isa, str]]) -> list[bytes]:
    """Object files of several modules, the longest first. The threads end with the call, so that a fork finds none."""
    threads = min(len(jobs), _MOST_THREADS, _processors())
    if threads < 2:
        return [target.compile_object(*job) for job in jobs]
    order = sorted(range(len(jobs)), key=lambda k: -len(jobs[k][0]))
    with ThreadPoolExecutor(threads, "mindspore-compile") as pool:
        futures = {k: pool.submit(target.compile_object, *jobs[k]) for k in order}
        try:
            return [futures[k].result() for k in range(len(jobs))]
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
