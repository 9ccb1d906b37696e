"""Remembers, per store, the highest serial of the index seen on this machine, so that a rollback is noticed."""

from __future__ import annotations

import json
from pathlib import Path

from ci.files import write_text
from ci.paths import state_dir


def _path(folder: Path | None) -> Path:
    return (folder or state_dir()) / "serials.json"


def _all(folder: Path | None) -> dict[str, int]:
    path = _path(folder)
    found: dict[str, int] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def seen(store: str, folder: Path | None = None) -> int:
    return _all(folder).get(store, 0)


def remember(store: str, serial: int, folder: Path | None = None) -> None:
    known = _all(folder)
    if serial > known.get(store, 0):
        write_text(_path(folder), json.dumps(known | {store: serial}, indent=1) + "\n")
