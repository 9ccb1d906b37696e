"""Tiny releases: a wheel of a few bytes and images of one layer for each row that a test asks for."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path
from typing import Any

from ci import oci
from ci.files import sha256
from ci.images import ROW_LABEL
from ci.publish import material
from ci.trust.bundle import IN_TOTO, seal, statement
from ci.trust.keys import SigningKey
from ci.trust.statements import TYPES
from release.matrix import wheel_name
from release.model import Manifest
from release.rows import OCI_ARCH, ImageRow, WheelRow

VERSION = "2.0.0rc1"
WHEEL = "cp311-cp311-manylinux_2_28_x86_64"
IMAGES = ("cpu/debian12/py311/x86_64", "cpu/debian12/py311/aarch64")
SCOPE = (WHEEL, *IMAGES)


def write_wheel(
    folder: Path, row: WheelRow, version: str = VERSION, content: bytes = b"wheel", program: bytes = b""
) -> Path:
    """A wheel of one module; `program` is what `python -m mindspore` runs."""
    path = folder / "wheels" / wheel_name(row, version)
    path.parent.mkdir(parents=True, exist_ok=True)
    info = f"mindspore-{version}.dist-info"
    metadata = f"Metadata-Version: 2.4\nName: mindspore\nVersion: {version}\nRequires-Python: >=3.11,<3.15\n"
    tag = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {row.tag}\n"
    code = {"mindspore/__init__.py": content, "mindspore/__main__.py": program}
    files = {**code, f"{info}/METADATA": metadata.encode(), f"{info}/WHEEL": tag.encode()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data)
        record = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
        archive.writestr(zipfile.ZipInfo(f"{info}/RECORD"), record)
    return path


def layer(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def write_image(
    folder: Path, row: ImageRow, kind: str, version: str = VERSION, content: bytes = b"image", tar: bytes = b""
) -> oci.Layout:
    """An image of one layer: `tar`, or one file of this content."""
    layout = oci.Layout(folder / "images" / material.slug(row.id, kind))
    tar = tar or layer({f"{kind}.txt": content + row.id.encode()})
    labels = {ROW_LABEL: row.id, material.KIND_LABEL: kind, material.VERSION_LABEL: version}
    diff = {"type": "layers", "diff_ids": [oci.digest_of(tar)]}
    config = {"architecture": OCI_ARCH[row.arch], "os": "linux", "config": {"Labels": labels}, "rootfs": diff}
    data = oci.dump(config)
    text = {
        "schemaVersion": 2,
        "mediaType": oci.MANIFEST,
        "config": oci.describe(data, oci.CONFIG).as_dict(),
        "layers": [oci.describe(tar, oci.LAYER).as_dict()],
    }
    manifest = oci.dump(text)
    for blob in (tar, data, manifest):
        layout.add(blob)
    layout.write([oci.describe(manifest, oci.MANIFEST)])
    return layout


NUMPY = "pkg:pypi/numpy@2.4.6"
PREDICATES: dict[str, dict[str, Any]] = {
    "provenance": {"tiny": True},
    "sbom": {"components": [{"purl": NUMPY, "version": "2.4.6"}]},
}


def attest(folder: Path, key: SigningKey) -> None:
    """Sign statements about every wheel and image of the folder; each says that numpy is inside."""
    subjects = {sha256(path): path.name for path in folder.glob("wheels/*.whl")}
    for path in folder.glob("images/*"):
        subjects[oci.Layout(path).image().manifest.digest.removeprefix("sha256:")] = path.name
    (folder / "attestations").mkdir(exist_ok=True)
    for digest, name in subjects.items():
        for kind, predicate_type in TYPES.items():
            signed = seal(key, IN_TOTO, statement(name, digest, predicate_type, PREDICATES[kind]))
            (folder / "attestations" / f"{digest}.{kind}.json").write_bytes(signed)


def write_release(
    folder: Path, manifest: Manifest, key: SigningKey, version: str = VERSION, content: bytes = b"content"
) -> Path:
    for wheel in manifest.wheel_rows():
        if wheel.tag in SCOPE:
            write_wheel(folder, wheel, version, content)
    for row in manifest.image_rows():
        if row.id in SCOPE:
            for kind in row.kinds:
                write_image(folder, row, kind, version, content)
    attest(folder, key)
    return folder
