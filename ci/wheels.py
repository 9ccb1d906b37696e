"""Builds the portable wheel, once per state of its sources, and checks what is inside."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ci import elf, git, report
from ci.engine import RunRequest
from ci.errors import CheckError, CommandError, UsageError
from ci.files import MIB, need_space, replacing, sha256, write_text
from ci.paths import cache_dir
from ci.shop import Shop
from release.matrix import wheel_name
from release.rows import ImageRow, WheelRow

INPUTS = ["pyproject.toml", "README.md", "LICENSE", "framework"]
SCRIPT = "docker/files/build-wheel"
LARGEST = 60 * MIB
STRANGER = 4242  # a user id that no image knows: building as it proves that anybody can


@dataclass(frozen=True)
class Wheel:
    """A built wheel, its digest, and whether this run built it."""

    path: Path
    sha256: str
    state: Literal["built", "unchanged"]


def wheel_row(shop: Shop, python: str, arch: str) -> WheelRow:
    """The manifest's Linux wheel for a Python and an architecture; UsageError lists what there is."""
    rows = [row for row in shop.manifest.wheel_rows() if row.platform.system == "linux"]
    for row in rows:
        if (row.python, row.platform.arch) == (python, arch):
            return row
    known = ", ".join(f"{row.python} on {row.platform.arch}" for row in rows)
    raise UsageError(f"no wheel for Python {python} on {arch}", where="release/manifest.toml", expected=known)


def inputs(shop: Shop, row: WheelRow) -> str:
    """The digest of everything that the wheel is made of."""
    return shop.fingerprint([*INPUTS, SCRIPT, "docker/cpu/locks"], shop.manifest.current.text, row.tag)


def current(shop: Shop, row: WheelRow) -> Wheel | None:
    """The wheel of the sources as they are, if an earlier run has built it."""
    path = shop.root / "dist" / wheel_name(row, shop.manifest.current.text)
    known = _unchanged(path, _stamp(shop, path), inputs(shop, row))
    return Wheel(path, known, "unchanged") if known else None


def _stamp(shop: Shop, path: Path) -> Path:
    return shop.root / "build" / "stamps" / f"{path.name}.json"


def ensure(shop: Shop, row: WheelRow, builder: str | None) -> Wheel:
    """The wheel of the sources as they are: the earlier one if nothing changed, else a new one.

    `builder` is the devel image that builds it without network; None builds on this machine with this Python.
    """
    if (earlier := current(shop, row)) is not None:
        return earlier
    path = shop.root / "dist" / wheel_name(row, shop.manifest.current.text)
    need_space(path, 2048, "building the wheel")
    wanted = inputs(shop, row)  # what is changed while the build runs is not in it
    with report.step(f"building {path.name}"), _output(shop) as output:
        epoch = str(shop.change(INPUTS).time)
        if builder:
            _in_image(shop, row, builder, output, epoch)
        else:
            _on_host(shop, row, output, epoch)
        _accept(output, path, row)
    found = sha256(path)
    write_text(_stamp(shop, path), json.dumps({"inputs": wanted, "sha256": found}) + "\n")
    return Wheel(path, found, "built")


def _unchanged(path: Path, stamp: Path, wanted: str) -> str | None:
    if not (path.exists() and stamp.exists()):
        return None
    noted: dict[str, str] = json.loads(stamp.read_text(encoding="utf-8"))
    known = noted.get("sha256", "")
    return known if noted.get("inputs") == wanted and sha256(path) == known else None


@contextmanager
def _output(shop: Shop) -> Iterator[Path]:
    folder = shop.root / "build" / "wheel-output"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _user() -> str:
    return f"{STRANGER}:{STRANGER}" if os.geteuid() == 0 else f"{os.geteuid()}:{os.getegid()}"


def _lend(folder: Path) -> Path:
    """A folder that the container's user may write to."""
    folder.mkdir(parents=True, exist_ok=True)
    if os.geteuid() == 0:
        os.chown(folder, STRANGER, STRANGER)
    return folder


def _in_image(shop: Shop, row: WheelRow, image: str, output: Path, epoch: str) -> None:
    """Run the image's `build-wheel`: no network, the checkout read-only, an unknown user."""
    build = _lend(shop.root / "build" / f"{row.tag}-image")
    cache = shop.root / "build" / "wheel-cache" if shop.fresh else cache_dir("wheel-image")
    writable = {output: "/out", build: "/build", _lend(cache): "/cache"}
    request = RunRequest(
        image,
        ["build-wheel", "/src", "/out"],
        mounts={shop.root: "/src"},
        writable=writable,
        env={"SOURCE_DATE_EPOCH": epoch, "BUILD_DIR": "/build", "CACHE_DIR": "/cache", "MACHINE": row.platform.arch},
        user=_user(),
    )
    done = shop.engine.run(request)
    _count(shop, build)
    write_text(shop.runner.logs / "wheel.log", done.stdout + done.stderr)
    if done.code:
        raise CommandError(["build-wheel"], done.code, done.stdout + done.stderr, str(shop.runner.logs / "wheel.log"))


def _count(shop: Shop, build: Path) -> None:
    """Add the compilers that `build-wheel` started: none when only Python code has changed."""
    noted = build / "compilations"
    shop.runner.work.compilers += len(noted.read_text(encoding="utf-8").splitlines()) if noted.exists() else 0


def _on_host(shop: Shop, row: WheelRow, output: Path, epoch: str) -> None:
    build = shop.root / "build" / f"{row.tag}-host"
    environment = {
        "PYTHON": shop.python,
        "SOURCE_DATE_EPOCH": epoch,
        "BUILD_DIR": str(build),
        "CACHE_DIR": str(cache_dir("wheel-host")),
    }
    command = ["bash", str(shop.root / SCRIPT), str(shop.root), str(output)]
    shop.runner.run(command, log="wheel", env=environment)
    _count(shop, build)


def _accept(output: Path, path: Path, row: WheelRow) -> None:
    """Move the one wheel that was built to its place, if it is what its name must say."""
    built = sorted(output.glob("*.whl"))
    if [wheel.name for wheel in built] != [path.name]:
        got = ", ".join(wheel.name for wheel in built) or "nothing"
        raise CheckError("the build gave another wheel than asked for", expected=path.name, got=got)
    check(built[0], row)
    with replacing(path) as scratch:
        shutil.copyfile(built[0], scratch)


def check(wheel: Path, row: WheelRow) -> None:
    """Raise CheckError unless the wheel is small enough and its modules need nothing but the C library."""
    size = wheel.stat().st_size
    if size > LARGEST:
        raise CheckError(
            "the wheel is too big", where=wheel.name, expected=f"{LARGEST} bytes at most", got=f"{size} bytes"
        )
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.endswith(".so"):
                elf.check(archive.read(name), f"{wheel.name}: {name}", row.platform.arch)


def native_files(wheel: Path, tracked: set[str]) -> Iterator[tuple[str, bytes]]:
    """The built files of the wheel's package: those that the sources under framework/ do not have."""
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("mindspore/") and not name.endswith("/") and f"framework/{name}" not in tracked:
                yield name, archive.read(name)


def install_in_place(root: Path, wheel: Path) -> list[Path]:
    """Put the wheel's built files next to the sources, so that tests run from the checkout; give what changed."""
    changed = []
    tracked = set(git.tracked(root, ["framework"]))
    for name, content in native_files(wheel, tracked):
        target = root / "framework" / name
        if not target.exists() or target.read_bytes() != content:
            with replacing(target) as scratch:
                scratch.write_bytes(content)
            changed.append(target)
    return changed


def row_of_image(shop: Shop, row: ImageRow) -> WheelRow:
    return wheel_row(shop, row.python, row.arch)
