"""Debian packages for images: locked by name, version and hash, downloaded outside, installed inside without network."""

from __future__ import annotations

import os
import shutil
import tomllib
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote

from ci.engine import Runner
from ci.errors import NoBaseError, ProjectFileError
from ci.files import need_space, replacing, replacing_dir, sha256, write_text
from ci.paths import cache_dir
from release.rows import Kind

SET = ("base", "runtime", "devel")
"""What is locked for each architecture: the base image, and what `runtime` and `devel` add to it."""
AT_ONCE = 4
TIMEOUT = 60


@dataclass(frozen=True)
class Deb:
    """A locked package: where its file lies below the archive, and the file's hash."""

    name: str
    version: str
    sha256: str
    path: str

    @property
    def file(self) -> str:
        return self.path.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class DebLock:
    """A lock file: an archive, the moment at which its snapshot still has every file, and packages by set."""

    path: Path
    archive: str
    snapshot: str
    sets: dict[str, dict[str, tuple[Deb, ...]]]

    @property
    def epoch(self) -> int:
        """The lock's moment as Unix time: nothing in an image made from it is younger."""
        return int(datetime.strptime(self.snapshot, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())

    def debs(self, arch: str, name: str) -> tuple[Deb, ...]:
        try:
            return self.sets[arch][name]
        except KeyError:
            known = ", ".join(sorted(self.sets))
            raise ProjectFileError(
                f"the lock has no '{name}' packages for {arch}",
                where=str(self.path),
                expected=known,
                fix="run `python3 tasks.py image.lock --system` and commit the result",
            ) from None


def read(path: Path) -> DebLock:
    """The lock at `path`; ProjectFileError says what is wrong with it."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        sets: dict[str, dict[str, tuple[Deb, ...]]] = {
            arch: {name: tuple(Deb(**entry) for entry in entries) for name, entries in data[arch].items()}
            for arch in ("x86_64", "aarch64")
            if arch in data
        }
        lock = DebLock(path, data["archive"], data["snapshot"], sets)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        fix = "run `python3 tasks.py image.lock --system` and commit the result"
        raise ProjectFileError("a package lock cannot be used", where=str(path), got=str(error), fix=fix) from error
    for deb in (deb for by_name in sets.values() for debs in by_name.values() for deb in debs):
        if len(deb.sha256) != 64:
            raise ProjectFileError("a locked package has no hash", where=str(path), expected="sha256", got=deb.name)
    return lock


def text_of(archive: str, snapshot: str, sets: dict[str, dict[str, list[Deb]]]) -> str:
    """The lock file: one package a line, so that a change reads well."""
    lines = ["# Locked by `image.lock --system`; do not edit.", f'archive = "{archive}"', f'snapshot = "{snapshot}"']
    for arch, by_name in sets.items():
        lines += ["", f"[{arch}]"]
        for name in SET:
            entries = (
                f'  {{ name = "{deb.name}", version = "{deb.version}", sha256 = "{deb.sha256}", path = "{deb.path}" }},'
                for deb in sorted(by_name[name], key=lambda deb: deb.name)
            )
            lines += [f"{name} = [", *entries, "]"]
    return "\n".join(lines) + "\n"


def set_for(kind: Kind) -> str:
    return "devel" if kind == "devel" else "runtime"


def ensure(runner: Runner, lock: DebLock, debs: Iterable[Deb]) -> list[Path]:
    """The packages' files, from the cache or from the archive; each has the locked hash when this returns."""
    wanted = list(debs)
    store = cache_dir("debs")
    missing = [deb for deb in wanted if not _whole(store / deb.sha256, deb)]
    if missing:
        need_space(store, 1024, "Debian packages")
        runner.work.add("downloads")
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(partial(_download, lock, store), missing))
    return [store / deb.sha256 for deb in wanted]


def _whole(path: Path, deb: Deb) -> bool:
    return path.exists() and sha256(path) == deb.sha256


def places(lock: DebLock, deb: Deb) -> list[str]:
    """Where the file may be: the mirror of the user's choice, the archive, and the archive as it was on the day of the lock."""
    top, _, rest = deb.path.partition("/")
    mirror = os.environ.get("MINDSPORE_DEBIAN_MIRROR", "").rstrip("/")
    snapshot = f"https://snapshot.debian.org/archive/{top}/{lock.snapshot}/{rest}"
    return [f"{archive}/{deb.path}" for archive in (mirror, lock.archive) if archive] + [snapshot]


def _download(lock: DebLock, store: Path, deb: Deb) -> None:
    refusals = []
    for place in places(lock, deb):
        try:
            with replacing(store / deb.sha256) as scratch:
                with (
                    urllib.request.urlopen(quote(place, safe=":/"), timeout=TIMEOUT) as source,
                    scratch.open("wb") as target,
                ):
                    shutil.copyfileobj(source, target)
                if (found := sha256(scratch)) != deb.sha256:
                    raise URLError(f"its hash is {found}, not the locked one")
        except (URLError, OSError) as refusal:
            refusals.append(f"{place}: {refusal}")
        else:
            return
    raise NoBaseError(
        f"{deb.name} {deb.version} cannot be downloaded",
        where=str(lock.path),
        got="; ".join(refusals),
        fix="try again, set MINDSPORE_DEBIAN_MIRROR, or lock newer versions: `python3 tasks.py image.lock --system`",
    )


def folder(runner: Runner, lock: DebLock, debs: Iterable[Deb], target: Path) -> Path:
    """The packages under their own names in `target`, as apt takes them from a command line."""
    wanted = list(debs)
    target.mkdir(parents=True, exist_ok=True)
    for deb, path in zip(wanted, ensure(runner, lock, wanted), strict=True):
        _link(path, target / deb.file)
    return target


def repository(runner: Runner, lock: DebLock, debs: Iterable[Deb], name: str) -> Path:
    """A flat package repository with exactly these packages, for mmdebstrap."""
    wanted = list(debs)
    target = cache_dir("debs") / f"repository-{name}"
    with replacing_dir(target) as scratch:
        folder(runner, lock, wanted, scratch)
        stanzas = []
        for deb in wanted:
            path = scratch / deb.file
            control = runner.read(["dpkg-deb", "--field", str(path)]).stdout.strip()
            stanzas.append(f"{control}\nFilename: ./{deb.file}\nSize: {path.stat().st_size}\nSHA256: {deb.sha256}\n")
        write_text(scratch / "Packages", "\n".join(stanzas))
    return target


def _link(source: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the file system cannot."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
