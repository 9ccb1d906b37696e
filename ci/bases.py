"""The base image of a row: pulled where a registry answers, else bootstrapped from the distribution's archive."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ci import report
from ci.distributions import distribution, reference
from ci.engine import Engine, Runner
from ci.errors import CommandError, NoBaseError
from ci.files import need_space, replacing, sha256
from ci.paths import cache_dir
from release.model import Manifest
from release.rows import ImageRow

Origin = Literal["present", "pulled", "cached", "bootstrapped"]
NO_DOCS = ("man/*", "doc/*", "locale/*", "info/*")
MERGED_USR = Path("/usr/share/mmdebstrap/hooks/maybe-merged-usr")
DEBIAN_ARCH = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Base:
    """A base image in the engine: its local tag, its id, and where it came from this time."""

    tag: str
    digest: str
    origin: Origin


def local_tag(row: ImageRow) -> str:
    return f"mindspore-base:{row.os}-{row.arch}"


def bootstrap_command(row: ImageRow, suite: str, tar: Path) -> list[str]:
    """mmdebstrap's command line: essential packages and apt, without documentation and locales."""
    options = [f"--dpkgopt=path-exclude=/usr/share/{pattern}" for pattern in NO_DOCS]
    options.append("--dpkgopt=path-include=/usr/share/doc/*/copyright")
    if MERGED_USR.exists():
        options.append(f"--hook-dir={MERGED_USR}")
    keyring = distribution(row.os).keyring
    components = ["--components=main,universe"] if row.os.startswith("ubuntu") else []
    command = [
        "mmdebstrap",
        "--format=tar",
        "--variant=apt",
        f"--architectures={DEBIAN_ARCH[row.arch]}",
        f"--keyring={keyring}",
    ]
    return [*command, *components, *options, suite, str(tar)]


def ensure_base(engine: Engine, runner: Runner, manifest: Manifest, row: ImageRow, epoch: int) -> Base:
    """The row's base image, in the engine when this returns; NoBaseError says what was tried."""
    tag, suite = local_tag(row), manifest.os[row.os].suite
    attempts: list[tuple[Origin, Callable[[], bool]]] = [
        ("present", lambda: True),
        ("cached", lambda: _import_cached(engine, row, suite, tag)),
        ("pulled", lambda: _pull(engine, reference(row, suite), tag)),
        ("bootstrapped", lambda: _bootstrap(engine, runner, row, suite, tag, epoch)),
    ]
    for origin, attempt in attempts:
        if attempt() and (found := engine.inspect(tag)):
            if origin != "present":
                report.say(f"    base image {tag}: {origin}")
            return Base(tag, found["Id"], origin)
    raise NoBaseError(f"the base image {tag} could not be made", fix="see build/logs/images.log")


def _pull(engine: Engine, remote: str, tag: str) -> bool:
    with report.step(f"asking a registry for {remote}"):
        if not engine.pull(remote):
            return False
    engine.tag(remote, tag)
    return True


def _cached_tar(row: ImageRow, suite: str) -> Path:
    recipe = "\n".join(bootstrap_command(row, suite, Path("-")))
    name = f"{row.os}-{row.arch}-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}.tar"
    return cache_dir("bases") / name


def _import_cached(engine: Engine, row: ImageRow, suite: str, tag: str) -> bool:
    """Import an earlier bootstrap if its bytes still have the digest that was noted beside them."""
    tar = _cached_tar(row, suite)
    note = tar.with_suffix(".sha256")
    if not (tar.exists() and note.exists() and note.read_text(encoding="utf-8").strip() == sha256(tar)):
        return False
    engine.import_rootfs(tar, tag)
    return True


def _bootstrap(engine: Engine, runner: Runner, row: ImageRow, suite: str, tag: str, epoch: int) -> bool:
    """Build the root file system with mmdebstrap, keep it with its digest, and import it."""
    keyring = Path(distribution(row.os).keyring)
    if distribution(row.os).manager != "apt" or not runner.find("mmdebstrap") or not keyring.exists():
        raise NoBaseError(
            f"no base image for {row.os}: no registry answers, and it cannot be bootstrapped here",
            expected=f"mmdebstrap and {keyring}" if keyring.name else "a registry that has it",
            fix=f"install them, or tag a base image of your own as {tag}",
        )
    tar = _cached_tar(row, suite)
    need_space(tar, 1024, f"bootstrapping {row.os}")
    with report.step(f"bootstrapping {row.os} from the distribution's archive"), replacing(tar) as scratch:
        try:
            runner.run(
                bootstrap_command(row, suite, scratch),
                kind="downloads",
                log="images",
                env={"SOURCE_DATE_EPOCH": str(epoch)},
            )
        except CommandError as failure:
            raise NoBaseError(f"{row.os} could not be bootstrapped", got=str(failure)) from failure
    with replacing(tar.with_suffix(".sha256")) as note:
        note.write_text(sha256(tar) + "\n", encoding="utf-8")
    engine.import_rootfs(tar, tag)
    return True
