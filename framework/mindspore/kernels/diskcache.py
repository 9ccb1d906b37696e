"""A private cache of object files on disk: content-addressed, atomic, bounded; anything odd about it means doing without."""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import tempfile
import warnings
from functools import cache
from pathlib import Path

LIMIT = 256 << 20
"""Bytes kept; the files unused for longest go first."""
_LOOKS = 64
_HEADER = b"MSKC1\0"
_DIGEST = 32


def key(*parts: str) -> str:
    """Content address of what determines an entry."""
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def directory() -> Path | None:
    """The cache directory, made private on first use; None when there is none that only this user can write."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return _checked(Path(base) / "mindspore" / "kernels")


@cache
def _checked(path: Path) -> Path | None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat()
    except OSError:
        return None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        warnings.warn(
            f"the kernel cache {path} is not used: expected a directory of user {os.geteuid()} that others cannot write, got "
            f"owner {status.st_uid}, mode {stat.S_IMODE(status.st_mode):o}; remove it or run: chmod 700 {path}",
            RuntimeWarning,
            stacklevel=3,
        )
        return None
    return path


def read(key: str) -> bytes | None:
    """The entry, or None; a damaged entry is dropped."""
    place = directory()
    if place is None:
        return None
    path = place / key
    try:
        data = path.read_bytes()
    except OSError:
        return None
    body = data[len(_HEADER) + _DIGEST :]
    if data[: len(_HEADER)] != _HEADER or data[len(_HEADER) : len(_HEADER) + _DIGEST] != hashlib.sha256(body).digest():
        with contextlib.suppress(OSError):
            path.unlink()
        return None
    with contextlib.suppress(OSError):
        os.utime(path)
    return body


def write(key: str, data: bytes) -> None:
    """Store an entry by atomic rename; a full or read-only disk is no error."""
    place = directory()
    if place is None:
        return
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(dir=place, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(_HEADER + hashlib.sha256(data).digest() + data)
        os.replace(temporary, place / key)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        return
    if _due(key, len(data)):
        _trim(place)


def _due(key: str, size: int) -> bool:
    """Whether to look through the whole directory, which takes time for each entry: about `_LOOKS` times while `LIMIT` bytes are written.

    Decided by the content, so that many short processes trim together what none of them would alone.
    """
    return int(key[:8], 16) * LIMIT < size * _LOOKS << 32


def _trim(place: Path) -> None:
    """Remove the entries unused for longest until three quarters of the limit are left."""
    entries = []
    with os.scandir(place) as listing:
        for entry in listing:
            with contextlib.suppress(OSError):
                entries.append((entry.stat().st_mtime, entry.stat().st_size, entry.path))
    total = sum(size for _, size, _ in entries)
    if total <= LIMIT:
        return
    for _, size, path in sorted(entries):
        with contextlib.suppress(OSError):
            os.unlink(path)
        total -= size
        if total <= LIMIT * 3 // 4:
            return
