"""The base image of a row: bootstrapped from locked packages; without a lock pulled, or bootstrapped from what the archive has today."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from ci import archive, debs, report
from ci.apt import DEBIAN_ARCH
from ci.distributions import distribution, reference
from ci.errors import CommandError, NoBaseError
from ci.files import need_space, replacing, sha256
from ci.paths import cache_dir
from ci.shop import INPUTS_LABEL, Shop, digest, labels_of
from release.rows import OCI_ARCH, ImageRow

Origin = Literal["present", "pulled", "cached", "bootstrapped"]
NO_DOCS = ("man/*", "doc/*", "locale/*", "info/*")
HOOKS = Path("/usr/share/mmdebstrap/hooks")
SOURCES = "etc/apt/sources.list"


@dataclass(frozen=True)
class Base:
    """A base image in the engine: its local tag, its id, and where it came from this time."""

    tag: str
    digest: str
    origin: Origin


def local_tag(row: ImageRow) -> str:
    """`mindspore-base:debian12-x86_64`; a base that brings a vendor's libraries has their name in its own."""
    parts = (row.os, row.stack, row.arch) if row.hardware == "ascend" else (row.os, row.arch)
    return f"mindspore-base:{'-'.join(filter(None, parts))}"


def engine_tag(shop: Shop, row: ImageRow) -> str:
    """What the base is called in the engine."""
    return shop.space + local_tag(row)


def lock_of(shop: Shop, row: ImageRow) -> debs.DebLock | None:
    """The packages that the row's system is locked to, if it is."""
    name = shop.manifest.os[row.os].lock
    return debs.read(shop.root / "docker" / name) if name else None


def _sources(row: ImageRow, suite: str) -> list[str]:
    """The archive that a user of the image may install from; it is not what the image is made of."""
    if row.os.startswith("ubuntu"):
        return [f"deb http://archive.ubuntu.com/ubuntu {name} main universe" for name in (suite, f"{suite}-updates")]
    extra = [f"deb http://deb.debian.org/debian-security {suite}-security main"]
    return [f"deb http://deb.debian.org/debian {name} main" for name in (suite, f"{suite}-updates")] + extra


def bootstrap_command(row: ImageRow, suite: str, tar: Path, repository: Path | None) -> list[str]:
    """mmdebstrap's command line: essential packages and apt, without documentation and locales."""
    options = [f"--dpkgopt=path-exclude=/usr/share/{pattern}" for pattern in NO_DOCS]
    options.append("--dpkgopt=path-include=/usr/share/doc/*/copyright")
    command = ["mmdebstrap", "--format=tar", "--variant=apt", f"--architectures={DEBIAN_ARCH[row.arch]}", *options]
    if repository is None:
        command += [f"--hook-dir={HOOKS}/maybe-merged-usr"] if (HOOKS / "maybe-merged-usr").exists() else []
        command += ["--components=main,universe"] if row.os.startswith("ubuntu") else []
        return [*command, f"--keyring={distribution(row.os).keyring}", suite, str(tar)]
    lines = "\\n".join(_sources(row, suite))
    command += [f"--hook-dir={HOOKS}/merged-usr", f"--customize-hook=printf '{lines}\\n' > \"$1/{SOURCES}\""]
    return [*command, "", str(tar), f"deb [trusted=yes] copy://{repository} ./"]


def epoch_of(shop: Shop, lock: debs.DebLock | None) -> int:
    """The time of a base: that of its lock, else that of the templates."""
    return lock.epoch if lock else shop.change(["docker"]).time


def ensure_base(shop: Shop, row: ImageRow) -> Base:
    """The row's base image, in the engine when this returns; NoBaseError says what was tried."""
    if row.hardware == "ascend":
        return _licensed(shop, row)
    tag, lock = engine_tag(shop, row), lock_of(shop, row)
    wanted = _inputs(shop, row, lock)
    tar = cache_dir("bases") / f"{row.os}-{row.arch}-{wanted[:16]}.tar"
    attempts: list[tuple[Origin, Callable[[], bool]]] = [
        ("present", lambda: _is_present(shop, tag, wanted, strict=lock is not None)),
        ("cached", lambda: not shop.fresh and _whole(tar)),
        ("pulled", lambda: lock is None and _pull(shop, reference(row, shop.manifest.os[row.os].suite), tag)),
        ("bootstrapped", lambda: _bootstrap(shop, row, lock, tar)),
    ]
    for origin, attempt in attempts:
        if not attempt():
            continue
        if origin in ("cached", "bootstrapped"):
            _load(shop, row, tar, wanted, epoch_of(shop, lock))
        if origin != "present":
            report.say(f"    base image {tag}: {origin}")
        if found := shop.engine.inspect(tag):
            return Base(tag, found["Id"], origin)
    raise NoBaseError(f"the base image {tag} could not be made", fix="see build/logs/images.log")


def _licensed(shop: Shop, row: ImageRow) -> Base:
    """The base with CANN, which only a person who may have it can provide."""
    tag = engine_tag(shop, row)
    found = shop.engine.inspect(tag)
    if found is None:
        stack = shop.manifest.hardware[row.hardware].stack[row.stack or ""]
        system = shop.manifest.os[row.os].title
        raise NoBaseError(
            f"{stack.title} cannot be had here: it comes with Huawei's licence",
            expected=f"an image of {system} with CANN {stack.version} below /usr/local/Ascend, tagged {tag}",
            got="no such image",
            fix=f"docker tag YOUR_IMAGE {tag}",
        )
    return Base(tag, found["Id"], "present")


def _inputs(shop: Shop, row: ImageRow, lock: debs.DebLock | None) -> str:
    """The digest of everything that a bootstrapped base is made of."""
    command = bootstrap_command(row, shop.manifest.os[row.os].suite, Path("-"), Path("-") if lock else None)
    packages = [deb.sha256 for deb in lock.debs(row.arch, "base")] if lock else []
    return digest([*command, *packages, str(lock.epoch) if lock else ""])


def _is_present(shop: Shop, tag: str, wanted: str, strict: bool) -> bool:
    found = shop.engine.inspect(tag)
    return found is not None and (not strict or labels_of(found).get(INPUTS_LABEL) == wanted)


def _pull(shop: Shop, remote: str, tag: str) -> bool:
    with report.step(f"asking a registry for {remote}"):
        if not shop.engine.pull(remote):
            return False
    shop.engine.tag(remote, tag)
    return True


def _whole(tar: Path) -> bool:
    """Whether an earlier bootstrap is there and its bytes still have the digest that was noted beside them."""
    with suppress(FileNotFoundError):
        return tar.with_suffix(".sha256").read_text(encoding="utf-8").strip() == sha256(tar)
    return False


def _load(shop: Shop, row: ImageRow, tar: Path, wanted: str, epoch: int) -> None:
    """Make an image of the root file system, which says for which machine it is, and hand it to the engine."""
    tag = local_tag(row)
    (shop.root / "build").mkdir(exist_ok=True)
    archive.from_rootfs(tar, shop.layouts, tag, OCI_ARCH[row.arch], {INPUTS_LABEL: wanted}, epoch)
    load(shop, tag, engine_tag(shop, row))


def load(shop: Shop, image: str, tag: str) -> None:
    """Give the engine an image of the layouts as `tag`, which it gets when all of it is there."""
    with TemporaryDirectory(prefix="image-", dir=shop.root / "build") as name:
        archive.write_loadable(shop.layouts, image, tag, Path(name) / "image.tar")
        shop.engine.load(Path(name) / "image.tar")


def _bootstrap(shop: Shop, row: ImageRow, lock: debs.DebLock | None, tar: Path) -> bool:
    """Build the root file system with mmdebstrap and keep it with its digest."""
    keyring, suite = Path(distribution(row.os).keyring), shop.manifest.os[row.os].suite
    ready = distribution(row.os).manager == "apt" and shop.runner.find("mmdebstrap")
    if not ready or not (lock or keyring.exists()):
        raise NoBaseError(
            f"no base image for {row.os}: no registry answers, and it cannot be bootstrapped here",
            expected=f"mmdebstrap and {keyring}" if keyring.name else "a registry that has it",
            fix=f"install them, or tag a base image of your own as {local_tag(row)}",
        )
    need_space(tar, 1024, f"bootstrapping {row.os}")
    packages = debs.repository(shop.runner, lock, lock.debs(row.arch, "base"), f"{row.os}-{row.arch}") if lock else None
    with report.step(f"bootstrapping {row.os} for {row.arch}"), replacing(tar) as scratch:
        command = bootstrap_command(row, suite, scratch, packages)
        environment = {"SOURCE_DATE_EPOCH": str(epoch_of(shop, lock))}
        try:
            shop.runner.run(command, kind="" if lock else "downloads", log="images", env=environment)
        except CommandError as failure:
            raise NoBaseError(f"{row.os} could not be bootstrapped", got=str(failure)) from failure
    with replacing(tar.with_suffix(".sha256")) as note:
        note.write_text(sha256(tar) + "\n", encoding="utf-8")
    return True
