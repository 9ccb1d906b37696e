"""Brings what was built into one folder per version, by hard links: from there it is signed and published."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from ci import oci
from ci.publish.material import slug
from release.matrix import wheel_name
from release.model import Manifest


def place(root: Path, version: str) -> Path:
    """The folder of a version in a checkout."""
    return root / "build" / "release" / version


def collect(manifest: Manifest, version: str, root: Path, only: Sequence[str] = ()) -> list[str]:
    """Link the built wheels and images of the wanted rows into the version's folder; give what is there now.

    What was not built is left out here, and named by the completeness check of `gather`.
    """
    target = place(root, version)
    for part in ("wheels", "images"):
        shutil.rmtree(target / part, ignore_errors=True)
        (target / part).mkdir(parents=True)
    for row in manifest.wheel_rows():
        path = root / "dist" / wheel_name(row, version)
        if path.exists() and (not only or row.tag in only):
            os.link(path, target / "wheels" / path.name)
    for image in manifest.image_rows():
        for kind in image.kinds:
            source = root / "build" / "oci" / slug(image.id, kind)
            if source.exists() and (not only or image.id in only):
                _link_layout(oci.Layout(source), oci.Layout(target / "images" / source.name))
    return sorted(str(path.relative_to(target)) for path in [*target.glob("wheels/*"), *target.glob("images/*")])


def _link_layout(source: oci.Layout, target: oci.Layout) -> None:
    image = source.image()
    (target.root / "blobs" / "sha256").mkdir(parents=True)
    for blob in oci.unique([image.manifest, *image.blobs]):
        os.link(source.blob(blob.digest).resolve(), target.blob(blob.digest))
    target.write(source.entries())
