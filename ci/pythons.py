"""The Pythons of this machine by version, and environments of theirs that hold locked packages and nothing else."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from ci import wheelhouse
from ci.engine import Runner
from ci.errors import MissingPartError
from ci.files import write_text
from ci.paths import ROOT
from ci.wheelhouse import Lock

THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
PROBE = "import ensurepip, sys, venv; print('%d.%d' % sys.version_info[:2])"


def find(runner: Runner, version: str) -> str | None:
    """A Python of that version which makes environments: this one, one of the PATH, or one of pyenv's."""
    if version == THIS:
        return sys.executable
    works = (
        path for path in _candidates(runner, version) if runner.read([path, "-c", PROBE]).stdout.strip() == version
    )
    return next(works, None)


def _candidates(runner: Runner, version: str) -> Iterator[str]:
    if found := runner.find(f"python{version}"):
        yield found
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path(os.environ.get("HOME", "/nonexistent")) / ".pyenv")
    yield from map(str, sorted(pyenv.glob(f"versions/{version}.*/bin/python{version}"), reverse=True))


def environment(runner: Runner, lock: Lock, folder: Path, root: Path = ROOT) -> Path:
    """The Python of an environment with the packages of `lock`, made anew when the lock has changed.

    Raise MissingPartError when this machine has no Python of the lock's version.
    """
    python, stamp = folder / "bin" / "python", folder / "lock.txt"
    if (maker := find(runner, lock.python)) is None:
        raise MissingPartError(
            f"this machine has no Python {lock.python} that makes environments",
            expected=f"python{lock.python} on the PATH or below pyenv's versions, with the modules venv and ensurepip",
            got="none",
            fix=f"install it, for example with `pyenv install {lock.python}`",
        )
    text = wheelhouse.read(lock, root)
    if stamp.exists() and stamp.read_text(encoding="utf-8") == text and runner.read([str(python), "-c", ""]).code == 0:
        return python
    house = wheelhouse.ensure(runner, sys.executable, lock, root)
    shutil.rmtree(folder, ignore_errors=True)
    runner.run([maker, "-m", "venv", str(folder)], log="setup")
    command = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps"]
    command += ["--require-hashes", f"--find-links={house}", f"--requirement={house / 'requirements.txt'}"]
    runner.run(command, log="setup")
    write_text(stamp, text)
    return python
