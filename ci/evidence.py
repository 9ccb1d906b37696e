"""Notes what tests have shown of images and wheels, by digest, and takes such notes into the repository."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Sequence
from pathlib import Path

from ci import generate, report
from ci.errors import UsageError
from ci.files import sha256
from ci.images import is_foreign, layout_name
from ci.paths import MANIFEST, ROOT
from ci.shop import Shop
from release import evidence, support
from release import generate as release_generate
from release.days import today
from release.evidence import Evidence
from release.matrix import wheel_name
from release.model import load_manifest
from release.rows import ImageRow, Kind, WheelRow

NOTED = Path("build/evidence")


def note_images(shop: Shop, row: ImageRow, kinds: Sequence[Kind], tests: Sequence[str]) -> list[Path]:
    """Note that the images of a row, as they are in `build/oci`, were built, and which tests passed on them."""
    names = [name for name in (layout_name(row, kind) for kind in kinds) if shop.layouts.has(name)]
    found = [_of(shop, name, shop.layouts.digest(name), tests, is_foreign(row)) for name in names]
    return evidence.write(shop.root / NOTED, found)


def note_built(shop: Shop, row: ImageRow, kinds: Sequence[Kind]) -> list[Path]:
    """Note that the images of a row were built; what tests have shown of the same digests already stays."""
    folder = shop.root / NOTED
    tested = {(one.row, one.digest) for one in evidence.read(folder) if one.ran}
    names = (layout_name(row, kind) for kind in kinds)
    digests = {name: shop.layouts.digest(name) for name in names if shop.layouts.has(name)}
    new = [(name, digest) for name, digest in digests.items() if (name, digest) not in tested]
    return evidence.write(folder, [_of(shop, name, digest, (), is_foreign(row)) for name, digest in new])


def note_wheel(shop: Shop, row: WheelRow, tests: Sequence[str]) -> list[Path]:
    """Note that the wheel of a row, as it is in `dist`, was built, and which tests passed on it."""
    path = shop.root / "dist" / wheel_name(row, shop.manifest.current.text)
    emulated = row.platform.arch != platform.machine()
    return evidence.write(shop.root / NOTED, [_of(shop, row.tag, f"sha256:{sha256(path)}", tests, emulated)])


def _of(shop: Shop, row: str, digest: str, tests: Sequence[str], emulated: bool) -> Evidence:
    return Evidence(
        schema=1,
        row=row,
        version=shop.manifest.current.text,
        digest=digest,
        day=today(),
        ran=bool(tests),
        tests=tuple(tests),
        emulated=emulated,
    )


def take(folder: Path) -> None:
    """Copy given evidence into the repository, and bring the tables up to date; what is no evidence is refused first."""
    known = load_manifest(MANIFEST)
    found = evidence.read(folder)
    if not found:
        raise UsageError("no evidence there", where=str(folder), expected="files that image.test wrote")
    strange = sorted({one.row for one in found} - set(evidence.keys(known)))
    if strange:
        raise UsageError("evidence of rows that the matrix does not have", where=str(folder), got=", ".join(strange))
    target = ROOT / release_generate.EVIDENCE
    target.mkdir(exist_ok=True)
    for one in found:
        shutil.copyfile(folder / one.file, target / one.file)
        report.say(f"taken: {one.row} {one.digest[:19]}")
    for path in release_generate.write(generate.outputs(known)):
        report.say(f"written: {path}")


def show(as_json: bool) -> None:
    """Print each artefact's state."""
    known = load_manifest(MANIFEST)
    data = support.document(known, evidence.read())
    rows = [(key, str(entry["state"]), str(entry["digest"] or "-")[:19]) for key, entry in data.items()]
    report.emit(data, as_json, report.table(("row", "state", "digest"), rows))
