"""Reads the packages of an RPM database without rpm: the SQLite form, which CentOS Stream 9 and later and openEuler use.

Format: rpm's documentation, `docs/manual/format_header.md` (RPM 4.16 and later): each row of the table `Packages` is one header.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from ci.errors import CheckError

DATABASES = ("usr/lib/sysimage/rpm/rpmdb.sqlite", "var/lib/rpm/rpmdb.sqlite")
JOURNAL = "-wal"
NAME, VERSION, RELEASE, EPOCH = 1000, 1001, 1002, 1003
INT32, STRING, I18N = 4, 6, 9
WANTED = {NAME, VERSION, RELEASE, EPOCH}
NO_PACKAGES = "gpg-pubkey"
"""Keys are kept as if they were packages."""


def packages(files: Mapping[str, bytes]) -> dict[str, str]:
    """Name and `[epoch:]version-release` of each package of a database.

    Args:
        files (Mapping[str, bytes]): the database by its name, and its write-ahead journal where it has one.

    Raises:
        CheckError: it is damaged, or no database of packages.
    """
    try:
        return dict(_read(files))
    except (sqlite3.DatabaseError, struct.error, KeyError, IndexError, UnicodeDecodeError) as error:
        got = f"{type(error).__name__}: {error}"
        raise CheckError("the RPM database cannot be read", where=", ".join(files), got=got) from None


def _read(files: Mapping[str, bytes]) -> Iterator[tuple[str, str]]:
    with TemporaryDirectory(prefix="rpmdb-") as folder:
        paths = [Path(folder) / name.rpartition("/")[2] for name in files]
        for path, data in zip(paths, files.values(), strict=True):
            path.write_bytes(data)
        database = next(path for path in paths if not path.name.endswith(JOURNAL))
        with closing(sqlite3.connect(database)) as connection:
            for (blob,) in connection.execute("SELECT blob FROM Packages"):
                found = header(blob)
                if found[NAME] != NO_PACKAGES:
                    epoch = f"{found[EPOCH]}:" if found.get(EPOCH) else ""
                    yield str(found[NAME]), f"{epoch}{found[VERSION]}-{found[RELEASE]}"


def header(blob: bytes) -> dict[int, str | int]:
    """The tags of a header that say which package it is: numbers of entries and bytes, the entries, their values."""
    entries, _ = struct.unpack_from(">II", blob)
    values = 8 + 16 * entries
    found: dict[int, str | int] = {}
    for tag, kind, offset, _ in struct.iter_unpack(">IIiI", blob[8:values]):
        if tag in WANTED and kind in (STRING, I18N):
            found[tag] = blob[values + offset : blob.index(b"\0", values + offset)].decode()
        elif tag in WANTED and kind == INT32:
            (found[tag],) = struct.unpack_from(">I", blob, values + offset)
    return found
