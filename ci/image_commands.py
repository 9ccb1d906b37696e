"""What the `image.*` tasks do, once their options are known and the environment is ready."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ci import apt, archive, contents, debs, engines, images, outcomes, report, reproduce, sizes, wheelhouse
from ci.distributions import distribution
from ci.engine import Runner
from ci.errors import UsageError
from ci.files import write_text
from ci.images import ROW_LABEL
from ci.layout import Layouts
from ci.paths import MANIFEST, ROOT
from ci.shop import Shop, labels_of
from release.errors import unknown
from release.matrix import image_rows, tags_for
from release.model import Manifest, load_manifest
from release.rows import Kind


def _shop(known: Manifest) -> Shop:
    runner = Runner()
    return Shop(engines.detect(runner), runner, known)


def lock(system: bool, os: str) -> None:
    """Resolve the packages of the images anew: Python's for every row, or with `system` those of all locked systems or one."""
    runner, known = Runner(), load_manifest(MANIFEST)
    if system or os:
        names = [name for name, row in known.os.items() if row.lock]
        if os and os not in names:
            raise unknown("locked system", os, names)
        for name in [os] if os else names:
            lock_system(runner, known, name, ROOT)
        return
    kinds: tuple[Kind, ...] = ("devel", "runtime")
    locks = {wheelhouse.lock_for(row, kind) for row in image_rows(known) for kind in kinds}
    for locked in sorted(locks, key=lambda locked: locked.path):
        with report.step(f"resolving {locked.path}"):
            wheelhouse.resolve(runner, sys.executable, locked)


def lock_system(runner: Runner, known: Manifest, name: str, root: Path) -> None:
    """Write the lock of one system of the manifest, if it has one."""
    row, family = known.os[name], distribution(name)
    if row.lock is None:
        return
    found = apt.debian(row.suite, family.keyring)
    wanted = {"runtime": family.runtime, "devel": family.devel}
    with report.step(f"resolving {row.lock}"):
        resolved: dict[str, dict[str, list[debs.Deb]]] = {
            arch: apt.resolve(runner, found, arch, wanted) for arch in row.arch
        }
    write_text(root / "docker" / row.lock, debs.text_of(found.address, apt.moment(), resolved))


def listing(as_json: bool) -> None:
    """Every image of the matrix with its tags, and whether this machine's engine has it."""
    known = load_manifest(MANIFEST)
    found = engines.detect(Runner())
    rows = []
    for row in image_rows(known):
        for kind in row.kinds:
            tag = tags_for(known, row, kind)[-1]
            present = found.inspect(tag)
            if present and labels_of(present).get(ROW_LABEL) != row.id:
                present = None
            state = "built here" if present else "rendered"
            size = f"{present['Size'] / 1e6:.0f} MB" if present else "-"
            rows.append((row.id, kind, tag, state, size))
    header = ("row", "kind", "tag", "state", "size")
    report.emit([dict(zip(header, row, strict=True)) for row in rows], as_json, report.table(header, rows))


def measure(as_json: bool) -> None:
    """Note the sizes of the images that were built here: from now on they may grow by a twentieth."""
    shop = _shop(load_manifest(MANIFEST))
    found = {name: size for row in image_rows(shop.manifest) for name, size in images.measured(shop, row).items()}
    sizes.write(shop.root, found)
    report.emit(found, as_json, report.table(("image", "bytes"), [(name, str(size)) for name, size in found.items()]))


def diff(old: str, new: str, as_json: bool) -> None:
    """What differs between two images: sizes, packages, files."""
    shop = _shop(load_manifest(MANIFEST))
    found = contents.compare(inside(shop, old), inside(shop, new))
    report.emit(found, as_json, contents.text(found))


def inside(shop: Shop, name: str) -> contents.Contents:
    """The contents of an image: one of `build/oci` by its name there, or one of the engine by any of its tags."""
    if shop.layouts.has(name):
        return contents.read(shop.layouts, name)
    if (found := shop.engine.inspect(name)) is None:
        known = ", ".join(sorted(shop.layouts.tags()))
        raise UsageError("no such image", where=name, expected=f"a tag of the engine, or one of {known}")
    scratch_root = shop.root / "build"
    scratch_root.mkdir(exist_ok=True)
    with TemporaryDirectory(prefix="image-", dir=scratch_root) as scratch, report.step(f"reading {name}"):
        saved, store = Path(scratch) / "saved.tar", Layouts(Path(scratch) / "store")
        shop.engine.save(name, saved)
        archive.normalise(saved, store, name, images.epoch_of(found["Created"]) if "Created" in found else 0)
        return contents.read(store, name)


def twice(target: str, options: dict[str, str], as_json: bool) -> None:
    """Build a row a second time from nothing and compare; exit 1 when anything differs."""
    shop = _shop(load_manifest(MANIFEST))
    row = outcomes.one_row(shop.manifest, target, options)
    pairs = reproduce.reproduce(shop, row)
    rows = [("equal" if pair.equal else "DIFFERENT", pair.name, pair.second) for pair in pairs]
    data = [vars(pair) | {"equal": pair.equal} for pair in pairs]
    report.emit(data, as_json, report.table(("result", "artefact", "digest"), rows))
    reproduce.check(pairs)
