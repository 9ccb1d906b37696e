"""What a release consists of: every row's wheel and images, gathered from a folder and checked to be complete.

The folder: `wheels/*.whl`, `images/<hardware>_<os>_<python>_<arch>_<kind>/` (OCI layouts of one image each) and
`attestations/<sha256>.<name>.json` (signed statements about a wheel or an image's manifest).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from itertools import groupby
from pathlib import Path
from zipfile import BadZipFile, ZipFile

from packaging.version import Version as Pep440

from ci import oci
from ci.errors import UsageError
from ci.files import sha256
from ci.images import ROW_LABEL
from ci.publish.errors import RefusedError
from ci.publish.store import Payload, payload_sha256
from ci.trust.statements import TYPES
from release.errors import nearest
from release.matrix import bucket_path, repository, tags_for, wheel_name
from release.model import Manifest
from release.rows import OCI_ARCH, ImageRow, Kind, WheelRow

KIND_LABEL = "org.mindspore.kind"
VERSION_LABEL = "org.opencontainers.image.version"


@dataclass(frozen=True)
class File:
    """A file of the release: its place below the store's root, its bytes, and the row that it belongs to."""

    row: str
    path: str
    payload: Payload
    sha256: str
    size: int
    requires_python: str = ""

    @property
    def is_wheel(self) -> bool:
        return self.path.endswith(".whl")


@dataclass(frozen=True)
class Statement:
    """A signed statement about an image: `name` is provenance or sbom."""

    name: str
    data: bytes


@dataclass(frozen=True)
class PlatformImage:
    """One row's image of one kind, in a layout on this machine."""

    row: str
    kind: Kind
    repository: str
    layout: oci.Layout
    image: oci.Image
    statements: tuple[Statement, ...]

    @property
    def slug(self) -> str:
        return slug(self.row, self.kind)


@dataclass(frozen=True)
class ImageIndex:
    """What tags point to: an index over the architectures of one variant and kind."""

    repository: str
    tags: tuple[str, ...]
    data: bytes
    members: tuple[PlatformImage, ...]

    @property
    def digest(self) -> str:
        return oci.digest_of(self.data)


@dataclass(frozen=True)
class Release:
    """Everything that one version publishes. `scope` names the rows; `complete`: they are all that the manifest has."""

    version: str
    scope: tuple[str, ...]
    complete: bool
    files: tuple[File, ...]
    indexes: tuple[ImageIndex, ...]

    @property
    def images(self) -> Iterator[PlatformImage]:
        return (member for index in self.indexes for member in index.members)


def slug(row: str, kind: str) -> str:
    """`cpu_debian12_py311_x86_64_release`: a row and kind as a folder's or a tag's name, as `ci.layout` spells it."""
    return f"{row.replace('/', '_')}_{kind}"


def gather(manifest: Manifest, version: str, folder: Path, only: Sequence[str] = ()) -> Release:
    """The release of `version` from what lies in `folder`; RefusedError lists every row that lacks something.

    Args:
        only (Sequence[str]): the rows (image ids, wheel tags) of a partial pre-release; none: all of the manifest.
    """
    wheels = [row for row in manifest.wheel_rows() if not only or row.tag in only]
    images = [row for row in manifest.image_rows() if not only or row.id in only]
    scope = tuple([row.tag for row in wheels] + [row.id for row in images])
    check_rows(manifest, only)
    if only and not Pep440(version).is_prerelease:
        fix = "publish all rows, or a pre-release"
        raise RefusedError("a final release has every row of the manifest", got=f"{len(scope)} rows", fix=fix)
    _check_holes(folder, version, wheels, images)
    files = tuple(file for row in wheels for file in _wheel_files(folder, row, version))
    found = [_image(manifest, folder, row, kind, version) for row in images for kind in row.kinds]
    complete = not only
    return Release(version, scope, complete, files, tuple(_indexes(manifest, images, found, version)))


def check_rows(manifest: Manifest, rows: Sequence[str]) -> None:
    """UsageError for a row that the manifest does not have."""
    known = [row.tag for row in manifest.wheel_rows()] + [row.id for row in manifest.image_rows()]
    if wrong := [row for row in rows if row not in known]:
        close = ", ".join(near for row in wrong if (near := nearest(row, known)))
        fix = f"did you mean {close}?" if close else "see docs/matrix.md for the rows"
        raise UsageError("rows that the manifest does not have", where="--row", got=", ".join(wrong), fix=fix)


def _check_holes(folder: Path, version: str, wheels: Sequence[WheelRow], images: Sequence[ImageRow]) -> None:
    """Each row has its artefacts, and each artefact its row."""
    wanted = {f"wheels/{wheel_name(row, version)}": row.tag for row in wheels}
    wanted |= {f"images/{slug(row.id, kind)}": f"{row.id}:{kind}" for row in images for kind in row.kinds}
    there = {str(path.relative_to(folder)) for path in [*folder.glob("wheels/*.whl"), *folder.glob("images/*")]}
    holes = [f"{row} has no {name}" for name, row in wanted.items() if name not in there]
    strays = [f"{name} belongs to no row" for name in sorted(there - set(wanted))]
    if holes or strays:
        got = "\n    " + "\n    ".join([*holes, *strays])
        fix = "build what is missing, or take rows out of the manifest with a reason"
        raise RefusedError(f"the release {version} is not complete", where=str(folder), got=got, fix=fix)


def _wheel_files(folder: Path, row: WheelRow, version: str) -> Iterator[File]:
    path = folder / "wheels" / wheel_name(row, version)
    key, digest = bucket_path(row, version), sha256(path)
    metadata = read_metadata(path, version)
    requires = str(BytesHeaderParser().parsebytes(metadata)["Requires-Python"] or "")
    yield File(row.tag, key, path, digest, path.stat().st_size, requires)
    derived = {".sha256": f"{digest}  {path.name}\n".encode(), ".metadata": metadata}
    for statement in _statements(folder, digest, path.name):
        derived[f".{statement.name}.json"] = statement.data
    for suffix, data in derived.items():
        yield File(row.tag, key + suffix, data, payload_sha256(data), len(data))


def read_metadata(wheel: Path, version: str) -> bytes:
    """A wheel's METADATA; RefusedError when the wheel is damaged or is of another version than its name says."""
    name = f"mindspore-{Pep440(version)}.dist-info/METADATA"
    try:
        with ZipFile(wheel) as archive:
            damaged = archive.testzip()
            data = archive.read(name)
            archive.getinfo(name.replace("/METADATA", "/RECORD"))
    except (BadZipFile, KeyError) as error:
        raise RefusedError("not a wheel of this version", where=str(wheel), expected=name, got=str(error)) from None
    found = BytesHeaderParser().parsebytes(data)["Version"]
    if damaged or found != str(Pep440(version)):
        got = f"{damaged} is damaged" if damaged else str(found)
        raise RefusedError("not a wheel of this version", where=str(wheel), expected=version, got=got)
    return data


def _statements(folder: Path, digest: str, what: str) -> tuple[Statement, ...]:
    paths = {name: folder / "attestations" / f"{digest}.{name}.json" for name in TYPES}
    if missing := [name for name, path in paths.items() if not path.exists()]:
        got, fix = ", ".join(missing), "run `python3 tasks.py release.sign`"
        raise RefusedError(f"{what} has unsigned parts", where=str(folder / "attestations"), got=f"no {got}", fix=fix)
    return tuple(Statement(name, path.read_bytes()) for name, path in paths.items())


def _image(manifest: Manifest, folder: Path, row: ImageRow, kind: Kind, version: str) -> PlatformImage:
    """The image of a row, which says itself what it is: label and architecture are asked, not the folder's name."""
    layout = oci.Layout(folder / "images" / slug(row.id, kind))
    image = layout.image()
    wanted = {ROW_LABEL: row.id, KIND_LABEL: kind, VERSION_LABEL: version}
    got = {name: image.labels.get(name, "nothing") for name in wanted}
    got["architecture"] = image.platform.get("architecture", "nothing")
    wanted["architecture"] = OCI_ARCH[row.arch]
    if got != wanted:
        differing = [name for name in wanted if wanted[name] != got[name]]
        expected = ", ".join(f"{name} {wanted[name]}" for name in differing)
        found = ", ".join(f"{name} {got[name]}" for name in differing)
        raise RefusedError("an image belongs to another row", where=str(layout.root), expected=expected, got=found)
    statements = _statements(folder, image.manifest.digest.removeprefix("sha256:"), layout.root.name)
    return PlatformImage(row.id, kind, repository(manifest, row), layout, image, statements)


def _indexes(
    manifest: Manifest, rows: Sequence[ImageRow], images: Sequence[PlatformImage], version: str
) -> Iterator[ImageIndex]:
    by_row = {row.id: row for row in rows}
    ordered = sorted(images, key=lambda image: (by_row[image.row].variant, image.kind, image.row))
    for _, group in groupby(ordered, key=lambda image: (by_row[image.row].variant, image.kind)):
        members = tuple(group)
        first = members[0]
        names = tags_for(manifest, by_row[first.row], first.kind, version)
        tags = tuple(name.rsplit(":", 1)[1] for name in names)
        data = oci.index([member.image.manifest for member in members])
        yield ImageIndex(first.repository, tags, data, members)
