"""Where files are published: what publishing asks of a store, and a folder that gives it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Protocol

from ci.files import replacing, sha256
from ci.publish.errors import LockedError, RefusedError, TargetError

Payload = Path | bytes
GUARD = ".guard"


class Store(Protocol):
    """Keys with slashes, each with bytes. `swap` is the one atomic comparison; everything else only ever adds."""

    where: str

    def read(self, key: str) -> tuple[bytes, str] | None:
        """The bytes and their version, by which `swap` knows them again; None without the key."""

    def sha256(self, key: str) -> str | None: ...

    def write(self, key: str, payload: Payload) -> None: ...

    def copy(self, source: str, target: str) -> None: ...

    def swap(self, key: str, data: bytes, expected: str | None) -> str:
        """Replace the version `expected` (None: there must be none) and give the new one; else LockedError."""

    def keys(self, prefix: str) -> list[str]: ...

    def delete(self, key: str) -> None: ...


def open_payload(payload: Payload) -> bytes:
    return payload if isinstance(payload, bytes) else payload.read_bytes()


def payload_sha256(payload: Payload) -> str:
    return hashlib.sha256(payload).hexdigest() if isinstance(payload, bytes) else sha256(payload)


def keep(store: Store, key: str, wanted: str, add: str | Payload) -> bool:
    """Make `key` hold the bytes with digest `wanted`, from a payload or another key; False if it did already.

    RefusedError for a key that holds anything else: what was published under a name never changes.
    """
    found = store.sha256(key)
    if found == wanted:
        return False
    if found is not None:
        fix = "publish the change as a new version"
        where = f"{store.where}/{key}"
        raise RefusedError("a published file never changes", where=where, expected=found, got=wanted, fix=fix)
    if isinstance(add, str):
        store.copy(add, key)
    else:
        store.write(key, add)
    if (arrived := store.sha256(key)) != wanted:
        store.delete(key)
        got = arrived or "nothing"
        raise TargetError("a file arrived damaged", where=f"{store.where}/{key}", expected=wanted, got=got)
    return True


class Folder:
    """A store in a folder of this machine."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.where = str(self.root)

    def _path(self, key: str) -> Path:
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            raise RefusedError("not a key of the store", where=self.where, got=key)
        return self.root.joinpath(*parts)

    @contextmanager
    def _failing(self, key: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            got = error.strerror or type(error).__name__
            fix = "mend it, then run the same command again"
            raise TargetError("the store failed", where=f"{self.where}/{key}", got=got, fix=fix) from error

    def read(self, key: str) -> tuple[bytes, str] | None:
        path = self._path(key)
        with self._failing(key):
            if not path.is_file():
                return None
            data = path.read_bytes()
        return data, hashlib.sha256(data).hexdigest()

    def sha256(self, key: str) -> str | None:
        path = self._path(key)
        with self._failing(key):
            return sha256(path) if path.is_file() else None

    def write(self, key: str, payload: Payload) -> None:
        with self._failing(key), replacing(self._path(key)) as scratch:
            if isinstance(payload, bytes):
                scratch.write_bytes(payload)
            else:
                shutil.copyfile(payload, scratch)
            _flush(scratch)

    def copy(self, source: str, target: str) -> None:
        self.write(target, self._path(source))

    def swap(self, key: str, data: bytes, expected: str | None) -> str:
        with self._failing(key):
            self.root.mkdir(parents=True, exist_ok=True)
            with (self.root / GUARD).open("a") as guard:
                _exclusive(guard)
                found = self.read(key)
                if (found[1] if found else None) != expected:
                    raise LockedError("somebody else changed it first", where=f"{self.where}/{key}")
                self.write(key, data)
        return hashlib.sha256(data).hexdigest()

    def keys(self, prefix: str) -> list[str]:
        with self._failing(prefix):
            files = (path for path in self.root.rglob("*") if path.is_file() and not path.name.startswith("."))
            names = (path.relative_to(self.root).as_posix() for path in files)
            return sorted(name for name in names if name.startswith(prefix))

    def delete(self, key: str) -> None:
        with self._failing(key):
            self._path(key).unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())


def _exclusive(stream: IO[str]) -> None:
    fcntl.flock(stream, fcntl.LOCK_EX)
