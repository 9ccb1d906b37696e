"""What a publication has done already, on disk before the next step begins; a killed run continues from it."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import uuid4

from ci.publish.errors import LockedError, TargetError


class Journal:
    """Lines of JSON: the first holds the lock's token, each other a finished step. A torn last line counts as none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.token = ""
        self.done: set[str] = set()
        self._stream: IO[str] | None = None

    @contextmanager
    def open(self) -> Iterator[Journal]:
        """Read what was done, and keep every other process on this machine from going on with it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a+", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                fix = "wait until it is done"
                raise LockedError("this publication is running already", where=str(self.path), fix=fix) from None
            self._stream = stream
            self._read(stream)
            if not self.token:
                self.token = uuid4().hex
                self._write({"token": self.token})
            try:
                yield self
            finally:
                self._stream = None

    def _read(self, stream: IO[str]) -> None:
        stream.seek(0)
        text = stream.read()
        whole, _, torn = text.rpartition("\n")
        if torn:
            stream.truncate(len(f"{whole}\n".encode()) if whole else 0)
        for line in filter(None, whole.split("\n")):
            noted = json.loads(line)
            self.token = noted.get("token", self.token)
            self.done |= {noted["step"]} if "step" in noted else set()

    def _write(self, noted: dict[str, str]) -> None:
        assert self._stream is not None
        try:
            self._stream.write(json.dumps(noted) + "\n")
            self._stream.flush()
            os.fsync(self._stream.fileno())
        except OSError as error:
            got, fix = error.strerror or "", "mend it, then run the same command again"
            raise TargetError("the journal cannot be written", where=str(self.path), got=got, fix=fix) from error

    def note(self, step: str) -> None:
        self._write({"step": step})
        self.done.add(step)
