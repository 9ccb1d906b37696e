"""Where things are: the checkout, its build folder, and the user's cache of downloads and compilers."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BUILD = ROOT / "build"
DIST = ROOT / "dist"
LOGS = BUILD / "logs"
MANIFEST = ROOT / "release" / "manifest.toml"


def _user_dir(variable: str, default: str) -> Path:
    if chosen := os.environ.get(variable):
        return Path(chosen)
    home = Path(os.environ.get("HOME", "/nonexistent"))
    return home / default if os.access(home, os.W_OK) else BUILD


def cache_dir(name: str) -> Path:
    """A folder, shared between checkouts, for what is addressed by content: wheelhouses, bases, compiler caches."""
    path = _user_dir("XDG_CACHE_HOME", ".cache") / "mindspore-build" / name
    path.mkdir(parents=True, exist_ok=True)
    return path


def state_dir() -> Path:
    """Where the log and process id of an engine that `setup` started are kept."""
    path = _user_dir("XDG_STATE_HOME", ".local/state") / "mindspore-build"
    path.mkdir(parents=True, exist_ok=True)
    return path
