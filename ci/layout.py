"""Where built images are kept: an OCI layout (`ci.oci`) per tag, all over one store of blobs. What is published is read from here.

Source: the OCI image specification 1.1, `image-layout.md`, `manifest.md`, `image-index.md`.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from ci import oci
from ci.errors import CheckError, UsageError
from ci.files import sha256, write_text
from ci.oci import Descriptor

REF_NAME = "org.opencontainers.image.ref.name"
SETTLED = 24 * 3600
"""Seconds after which a blob that has no tag will not get one any more."""


def _is_old(file: Path) -> bool:
    return time.time() - file.stat().st_mtime > SETTLED


class Layouts:
    """The folder `root` with a layout for each tag, `root/NAME`, and the blobs of them all in `root/blobs`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = oci.Layout(root)
        self.blobs = self.store.blobs

    def folder(self, tag: str) -> Path:
        """The OCI layout that holds the image `tag` and nothing else: `skopeo copy oci:FOLDER ...` takes it."""
        return self.root / tag.replace("/", "_").replace(":", "_")

    def path(self, digest: str) -> Path:
        return self.store.blob(digest)

    def read(self, digest: str) -> dict[str, Any]:
        """A JSON blob; CheckError when its content is not what its name says."""
        found: dict[str, Any] = json.loads(self.store.read(digest))
        return found

    def tags(self) -> dict[str, str]:
        """The digest behind each tag."""
        folders = (oci.Layout(path.parent) for path in sorted(self.root.glob("*/index.json")))
        entries = (folder.entries()[0] for folder in folders)
        return {entry.annotations[REF_NAME]: entry.digest for entry in entries}

    def has(self, tag: str) -> bool:
        return tag in self.tags()

    def digest(self, tag: str) -> str:
        """The digest of the manifest or index that `tag` means."""
        known = self.tags()
        if tag not in known:
            names = ", ".join(sorted(known)) or "none"
            raise UsageError("this image was not built here", where=str(self.root), expected=names, got=tag)
        return known[tag]

    def manifest(self, tag: str) -> dict[str, Any]:
        return self.read(self.digest(tag))

    def config(self, tag: str) -> dict[str, Any]:
        return self.read(self.manifest(tag)["config"]["digest"])

    def layers(self) -> dict[str, Descriptor]:
        """The blob of each layer of every image here, by the digest of the layer's tar."""
        found: dict[str, Descriptor] = {}
        for digest in set(self.tags().values()):
            manifest = self.read(digest)
            if manifest["mediaType"] == oci.MANIFEST:
                diffs = self.read(manifest["config"]["digest"])["rootfs"]["diff_ids"]
                found |= dict(zip(diffs, map(oci.descriptor, manifest["layers"]), strict=True))
        return found

    def unpacked_size(self, digest: str) -> int:
        """The size of a layer's tar, noted when it was packed: gzip keeps the last 32 bits only, and layers can be larger."""
        return int(self._sizes()[digest])

    @contextmanager
    def adding(self) -> Iterator[Path]:
        """A file to write a blob into; what `keep` was not called for vanishes."""
        self.blobs.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".", dir=self.root)
        os.close(handle)
        try:
            yield Path(name)
        finally:
            Path(name).unlink(missing_ok=True)

    def keep(self, file: Path) -> Descriptor:
        """Move a written, compressed layer to the place that its content names."""
        blob = Descriptor(oci.GZIP_LAYER, f"sha256:{sha256(file)}", file.stat().st_size)
        file.chmod(0o644)
        file.replace(self.path(blob.digest))
        return blob

    def note_size(self, digest: str, unpacked: int) -> None:
        with self._locked():
            write_text(self.root / "sizes.json", json.dumps(self._sizes() | {digest: unpacked}, indent=0))

    def put(self, tag: str, config: Mapping[str, Any], layers: Sequence[Descriptor]) -> Descriptor:
        """An image of these layers under `tag`, which moves to it last."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": oci.MANIFEST,
            "config": self._add(oci.dump(config), oci.CONFIG).as_dict(),
            "layers": [layer.as_dict() for layer in layers],
            "annotations": config.get("config", {}).get("Labels") or {},
        }
        platform = {key: config[key] for key in ("architecture", "os") if key in config}
        return self._tag(tag, self._add(oci.dump(manifest), oci.MANIFEST, platform))

    def drop(self, tag: str) -> None:
        """Forget an image; its blobs go when `sweep` finds them old."""
        shutil.rmtree(self.folder(tag), ignore_errors=True)

    def put_index(self, tag: str, members: Sequence[str]) -> Descriptor:
        """One index over the images with the tags `members`, one per architecture, under `tag`."""
        entries = [self._member(member) for member in members]
        machines = [entry.platform["architecture"] for entry in entries]
        if len(set(machines)) != len(machines):
            raise CheckError("an index holds one image per architecture", where=tag, got=", ".join(machines))
        return self._tag(tag, self._add(oci.index(entries), oci.INDEX))

    def _member(self, tag: str) -> Descriptor:
        entry = oci.describe(self.store.read(self.digest(tag)), oci.MANIFEST)
        return oci.read_image(entry, self.store.read).manifest

    def _add(self, data: bytes, media_type: str, platform: Mapping[str, str] | None = None) -> Descriptor:
        self.store.add(data)
        return oci.describe(data, media_type, platform=platform or {})

    def _sizes(self) -> dict[str, int]:
        path = self.root / "sizes.json"
        found: dict[str, int] = json.loads(path.read_bytes()) if path.exists() else {}
        return found

    def _tag(self, tag: str, blob: Descriptor) -> Descriptor:
        folder = oci.Layout(self.folder(tag))
        folder.root.mkdir(parents=True, exist_ok=True)
        if not (folder.root / "blobs").is_symlink():
            (folder.root / "blobs").symlink_to("../blobs")
        folder.write([replace(blob, annotations={REF_NAME: tag})])
        return blob

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / ".lock").open("w") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def sweep(self) -> list[str]:
        """Remove the blobs that no tag leads to, but for young ones: another build may be about to tag them. Give their digests."""
        wanted: set[str] = set()
        waiting = list(self.tags().values())
        while waiting:
            digest = waiting.pop()
            value = self.read(digest)
            parts = [*value.get("layers", []), *([value["config"]] if "config" in value else [])]
            wanted |= {digest} | {part["digest"] for part in parts}
            waiting += [part["digest"] for part in value.get("manifests", [])]
        spare = (
            [file for file in self.blobs.iterdir() if f"sha256:{file.name}" not in wanted and _is_old(file)]
            if self.blobs.exists()
            else []
        )
        for file in spare:
            file.unlink()
        return [f"sha256:{file.name}" for file in spare]
