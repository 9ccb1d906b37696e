"""``python -m mindspore.kernels.aot --output DIR --arch x86_64``: the ahead-of-time kernels as object files.

Writes ``DIR/*.o``, one for each group of kernels and instruction-set level, ``DIR/objects.txt`` with their names, and
``DIR/table.cpp``, which defines the table of ``runtime_abi.h``. The same sources give the same bytes. Objects are kept by the hash of
their LLVM text in ``--cache`` (``DIR-cache`` by default), so that after a change only what it touched is compiled.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mindspore.kernels import diskcache, target
from mindspore.kernels.catalog import KernelSpec, symbol
from mindspore.kernels.emit import Module
from mindspore.kernels.target import ARCHITECTURES, Isa

WORKERS = 2


@dataclass(frozen=True, slots=True)
class Job:
    """The kernels of one group for one level: one object file."""

    group: str
    level: str
    cache: Path

    @property
    def file(self) -> str:
        return f"{self.group}_{self.level}.o"


@cache
def groups() -> dict[str, tuple[KernelSpec, ...]]:
    """Kernels by group: the family, and for element-wise kernels also the operation, so that a changed body recompiles little."""
    import mindspore.primitives  # noqa: F401  declares the operators that the table is made from
    from mindspore.kernels import table

    found: dict[str, list[KernelSpec]] = {}
    for spec in table.kernels():
        found.setdefault("_".join(spec.name.split("_")[1:3]), []).append(spec)
    return {name: tuple(specs) for name, specs in sorted(found.items())}


def text(specs: Iterable[KernelSpec], isa: Isa) -> str:
    """The LLVM text of one object file."""
    module = Module(isa, hidden=True)
    for spec in specs:
        spec.emit(module)
    return module.text()


def build(job: Job) -> Path:
    """Path of the job's object in the cache, compiled when it is not there."""
    isa, specs = target.isa(job.level), groups()[job.group]
    source = text(specs, isa)
    key = diskcache.key(source, isa.cpu, isa.features, specs[0].pipeline, target.llvm_version())
    path = job.cache / f"{key}.o"
    if not path.exists():
        data = target.compile_object(source, isa, specs[0].pipeline)
        temporary = path.with_suffix(f".{os.getpid()}")
        temporary.write_bytes(data)
        os.replace(temporary, path)
    return path


def table_source(levels: Sequence[Isa]) -> str:
    """The C++ file that lists every kernel at every level."""
    names = sorted(s.name for specs in groups().values() for s in specs)
    entries = [(name, isa) for name in names for isa in levels]
    declared = [f"KERNEL({symbol(name, isa)})" for name, isa in entries]
    listed = [f'    {{"{name}", "{isa.name}", {symbol(name, isa)}}},' for name, isa in entries]
    return "\n".join(
        [
            '#include "runtime_abi.h"',
            "#define KERNEL(name) int32_t name(const Runtime*, void* const*, const int64_t*);",
            'extern "C" {',
            *declared,
            "extern const MsKernelEntry ms_kernel_table[] = {",
            *listed,
            "};",
            f"extern const size_t ms_kernel_count = {len(entries)};",
            "}",
            "",
        ]
    )


def generate(output: Path, architecture: str, cache_directory: Path) -> list[Path]:
    """Write everything; gives the object files."""
    levels = ARCHITECTURES[architecture]
    output.mkdir(parents=True, exist_ok=True)
    cache_directory.mkdir(parents=True, exist_ok=True)
    jobs = [Job(group, isa.name, cache_directory) for group in groups() for isa in levels]
    # the groups with the most kernels first, so that the workers end together
    order = sorted(jobs, key=lambda j: -len(groups()[j.group]))
    with ProcessPoolExecutor(WORKERS) as pool:
        built = dict(zip(order, pool.map(build, order), strict=True))
    objects = []
    for job in jobs:
        path = output / job.file
        shutil.copyfile(built[job], path)
        objects.append(path)
    (output / "objects.txt").write_text("".join(f"{o.name}\n" for o in objects))
    (output / "table.cpp").write_text(table_source(levels))
    return objects


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 2 for a wrong architecture."""
    parser = argparse.ArgumentParser(
        prog="python -m mindspore.kernels.aot", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("--output", type=Path, required=True, help="folder for objects, objects.txt and table.cpp")
    parser.add_argument("--arch", default=platform.machine(), help=f"one of {', '.join(ARCHITECTURES)}")
    parser.add_argument("--cache", type=Path, help="folder that keeps compiled objects (default: OUTPUT-cache)")
    given = parser.parse_args(arguments)
    architecture = {"AMD64": "x86_64", "arm64": "aarch64"}.get(given.arch, given.arch)
    if architecture not in ARCHITECTURES:
        print(f"--arch: expected one of {', '.join(ARCHITECTURES)}, got {given.arch!r}", file=sys.stderr)
        return 2
    kept = given.cache or given.output.with_name(f"{given.output.name}-cache")
    objects = generate(given.output, architecture, kept)
    count = sum(map(len, groups().values())) * len(ARCHITECTURES[architecture])
    print(f"{count} kernels in {len(objects)} objects, {sum(o.stat().st_size for o in objects) / 2**20:.1f} MiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
