"""Reads what a shared library needs at run time, straight from its dynamic section."""

from __future__ import annotations

import io

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile

from ci.errors import CheckError

ALLOWED = {"libc.so.6", "libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1", "libgcc_s.so.1"}
LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}
MACHINES = {"x86_64": "EM_X86_64", "aarch64": "EM_AARCH64"}


def needed(content: bytes) -> list[str]:
    """The names of the libraries that the loader must find."""
    section = ELFFile(io.BytesIO(content)).get_section_by_name(".dynamic")
    if not isinstance(section, DynamicSection):
        return []
    return [str(vars(tag)["needed"]) for tag in section.iter_tags("DT_NEEDED")]


def check(content: bytes, name: str, arch: str) -> None:
    """Raise CheckError when the library is of another machine or needs what a system may lack."""
    machine = ELFFile(io.BytesIO(content))["e_machine"]
    if machine != MACHINES[arch]:
        raise CheckError("a library of the wrong machine", where=name, expected=MACHINES[arch], got=machine)
    undeclared = set(needed(content)) - ALLOWED - {LOADERS[arch]}
    if undeclared:
        raise CheckError(
            "a library needs what no standard allows",
            where=name,
            expected=f"only {', '.join(sorted(ALLOWED))}",
            got=", ".join(sorted(undeclared)),
            fix="link it statically",
        )
