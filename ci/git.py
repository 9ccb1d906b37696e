"""Asks git about the checkout; `ci.engine` and this module alone start processes."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

SKIPPED = {".git", ".venv", "build", "dist", "wheelhouse", "__pycache__"}


@dataclass(frozen=True)
class Change:
    """The last commit that touched some paths: its id (with `-dirty` when they differ from it) and its Unix time."""

    revision: str
    time: int


def _git(root: Path, *arguments: str) -> str | None:
    command = ["git", "-c", f"safe.directory={root}", "-C", str(root), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return done.stdout if done.returncode == 0 else None


def tracked(root: Path, paths: list[str]) -> list[str]:
    """Files under `paths` that git tracks or would add, sorted; without git, all that is not a build product."""
    listing = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *paths)
    if listing is not None:
        return sorted(name for name in set(listing.split("\0")) if name and (root / name).is_file())
    found = (
        file for path in paths for file in ([root / path] if (root / path).is_file() else (root / path).rglob("*"))
    )
    names = (file.relative_to(root) for file in found if file.is_file())
    return sorted(str(name) for name in names if not SKIPPED & set(name.parts) and name.suffix not in {".so", ".pyc"})


def last_change(root: Path, paths: list[str]) -> Change | None:
    """The commit that made `paths` what they are; None without git or before the first commit."""
    line = _git(root, "log", "-1", "--format=%H %ct", "--", *paths)
    if not line or not line.strip():
        return None
    revision, time = line.split()
    dirty = _git(root, "status", "--porcelain", "--", *paths)
    return Change(revision + ("-dirty" if dirty else ""), int(time))


def hooks(root: Path) -> Path | None:
    """The folder of the checkout's hooks; None without git."""
    answer = _git(root, "rev-parse", "--git-path", "hooks")
    return root / answer.strip() if answer else None


def changed(root: Path, base: str) -> list[str] | None:
    """Files that differ between the checkout and where it left `base`; None when git does not know `base`."""
    start = _git(root, "merge-base", base, "HEAD")
    if start is None:
        return None
    listing = _git(root, "diff", "--name-only", "-z", "--no-renames", start.strip())
    others = _git(root, "ls-files", "-z", "--others", "--exclude-standard")
    return sorted({name for name in f"{listing or ''}{others or ''}".split("\0") if name})


def content(root: Path, revision: str, name: str) -> str | None:
    """A file as it is where the checkout left `revision`; None if it is not there."""
    start = _git(root, "merge-base", revision, "HEAD")
    return _git(root, "show", f"{start.strip()}:{name}") if start else None


def clone(root: Path, target: Path) -> bool:
    """Copy the last commit of a checkout, with its history, into a new folder; False without git."""
    return _git(root, "clone", "--quiet", "--no-hardlinks", str(root), str(target)) is not None


def commit(root: Path, message: str) -> bool:
    """Commit all changes of a checkout under a name that stands for nobody."""
    names = ("-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost")
    return _git(root, *names, "commit", "--quiet", "--all", "--no-verify", f"--message={message}") is not None
