"""Writing files so that an interrupted run never leaves half of one."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.errors import NoSpaceError

MIB = 1024 * 1024


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary sibling of `path` that takes its place when the block ends well, and vanishes otherwise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    temporary.chmod(0o644)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_dir(path: Path) -> Iterator[Path]:
    """The same for a folder: the old one is dropped only when the new one is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    temporary.chmod(0o755)
    try:
        yield temporary
        shutil.rmtree(path, ignore_errors=True)
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def need_space(path: Path, mebibytes: int, purpose: str) -> None:
    """Raise NoSpaceError unless the disk that holds `path` has room."""
    while not path.exists():
        path = path.parent
    free = shutil.disk_usage(path).free // MIB
    if free < mebibytes:
        raise NoSpaceError(
            f"not enough disk space for {purpose}",
            where=str(path),
            expected=f"{mebibytes} MiB free",
            got=f"{free} MiB free",
            fix="free some space, or set XDG_CACHE_HOME to a folder on a larger disk",
        )
