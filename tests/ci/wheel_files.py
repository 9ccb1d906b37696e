"""Wheels and libraries made by hand, with what a test wants to find in them."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

X86_64, AARCH64 = 62, 183


def write_wheel(path: Path, files: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


def library(needed: Sequence[str], machine: int = X86_64) -> bytes:
    """An ELF file of nothing but a dynamic section that asks for the libraries `needed`."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in needed)
    offsets, position = [], 1
    for name in needed:
        offsets.append(position)
        position += len(name) + 1
    names = b"\0.dynstr\0.dynamic\0.shstrtab\0"
    dynamic = b"".join(struct.pack("<QQ", 1, offset) for offset in offsets)
    dynamic += struct.pack("<QQ", 5, 64) + struct.pack("<QQ", 0, 0)
    at_dynamic = 64 + len(strings)
    at_names = at_dynamic + len(dynamic)
    at_headers = at_names + len(names)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\x02\x01\x01", 3, machine, 1, 0, 0, at_headers, 0, 64, 56, 0, 64, 4, 3
    )
    headers = bytes(64)
    headers += _section(1, 3, 64, len(strings), 0, 0)
    headers += _section(9, 6, at_dynamic, len(dynamic), 1, 16)
    headers += _section(18, 3, at_names, len(names), 0, 0)
    return header + strings + dynamic + names + headers


def _section(name: int, kind: int, offset: int, size: int, link: int, entry: int) -> bytes:
    return struct.pack("<IIQQQQIIQQ", name, kind, 2, offset, offset, size, link, 0, 1, entry)
