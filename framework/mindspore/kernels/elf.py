"""The symbols of an ELF object file, read without tools."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

_SYMBOL_TABLE = 2
_LOCAL, _NO_TYPE_FILE = 0, 4


@dataclass(frozen=True, slots=True)
class Symbol:
    """One entry of the symbol table; an undefined one is needed from elsewhere."""

    name: str
    defined: bool
    exported: bool


def symbols(data: bytes) -> Iterator[Symbol]:
    """Named symbols of a 64-bit little-endian object file; ValueError when `data` is not one."""
    if len(data) < 64 or data[:6] != b"\x7fELF\x02\x01":
        raise ValueError(
            f"expected a 64-bit little-endian ELF object file, got {len(data)} bytes starting {data[:6]!r}"
        )
    try:
        yield from _symbols(data)
    except struct.error as error:
        raise ValueError(f"the object file of {len(data)} bytes is cut short") from error


def _symbols(data: bytes) -> Iterator[Symbol]:
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + i * size) for i in range(count)]
    for section in sections:
        if section[1] != _SYMBOL_TABLE:
            continue
        names = sections[section[6]][4]
        for offset in range(section[4], section[4] + section[5], section[9]):
            name, info, _, place, _, _ = struct.unpack_from("<IBBHQQ", data, offset)
            text = data[names + name : data.index(b"\0", names + name)].decode()
            if text and info & 15 != _NO_TYPE_FILE:
                yield Symbol(text, place != 0, info >> 4 != _LOCAL)
