"""Where built images are kept: an OCI layout per tag, all over one store of blobs. What is published is read from here.

Source: the OCI image specification 1.1, `image-layout.md`, `manifest.md`, `image-index.md`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.errors import CheckError, UsageError
from ci.files import sha256, write_text
from ci.oci import CONFIG, INDEX, MANIFEST

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
REF_NAME = "org.opencontainers.image.ref.name"
ORDER = ("amd64", "arm64")


SETTLED = 24 * 3600
"""Seconds after which a blob that has no tag will not get one any more."""


def _is_old(file: Path) -> bool:
    return time.time() - file.stat().st_mtime > SETTLED


@dataclass(frozen=True)
class Blob:
    """A blob's digest and size in bytes."""

    digest: str
    size: int

    def descriptor(self, media_type: str, **more: Any) -> dict[str, Any]:
        return {"mediaType": media_type, "digest": self.digest, "size": self.size, **more}


def encode(value: Any) -> bytes:
    """JSON in the one spelling whose digest counts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


class Layouts:
    """The folder `root` with a layout for each tag, `root/NAME`, and the blobs of them all in `root/blobs`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.blobs = root / "blobs" / "sha256"

    def folder(self, tag: str) -> Path:
        """The OCI layout that holds the image `tag` and nothing else: `skopeo copy oci:FOLDER ...` takes it."""
        return self.root / tag.replace("/", "_").replace(":", "_")

    def path(self, digest: str) -> Path:
        return self.blobs / digest.removeprefix("sha256:")

    def read(self, digest: str) -> dict[str, Any]:
        """A JSON blob; CheckError when its content is not what its name says."""
        content = self.path(digest).read_bytes()
        if f"sha256:{hashlib.sha256(content).hexdigest()}" != digest:
            raise CheckError("a blob was changed", where=str(self.path(digest)), expected=digest, fix="build it again")
        found: dict[str, Any] = json.loads(content)
        return found

    def tags(self) -> dict[str, str]:
        """The digest behind each tag."""
        return {entry["annotations"][REF_NAME]: entry["digest"] for entry in self._entries()}

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

    def layers(self) -> dict[str, Blob]:
        """The blob of each layer of every image here, by the digest of the layer's tar."""
        found: dict[str, Blob] = {}
        for digest in set(self.tags().values()):
            manifest = self.read(digest)
            if manifest["mediaType"] == MANIFEST:
                diffs = self.read(manifest["config"]["digest"])["rootfs"]["diff_ids"]
                blobs = [Blob(layer["digest"], layer["size"]) for layer in manifest["layers"]]
                found |= dict(zip(diffs, blobs, strict=True))
        return found

    def unpacked_size(self, blob: Blob) -> int:
        """The size of a layer's tar, noted when it was packed: gzip keeps the last 32 bits only, and layers can be larger."""
        return int(self._sizes()[blob.digest])

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

    def keep(self, file: Path) -> Blob:
        """Move a written file to the place that its content names."""
        blob = Blob(f"sha256:{sha256(file)}", file.stat().st_size)
        file.chmod(0o644)
        file.replace(self.path(blob.digest))
        return blob

    def add(self, value: Any) -> Blob:
        """A JSON value as a blob."""
        with self.adding() as scratch:
            scratch.write_bytes(encode(value))
            return self.keep(scratch)

    def note_size(self, blob: Blob, unpacked: int) -> None:
        with self._locked():
            write_text(self.root / "sizes.json", json.dumps(self._sizes() | {blob.digest: unpacked}, indent=0))

    def put(self, tag: str, config: Mapping[str, Any], layers: Sequence[Blob]) -> Blob:
        """An image of these layers under `tag`, which moves to it last."""
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.add(config).descriptor(CONFIG),
            "layers": [layer.descriptor(LAYER) for layer in layers],
            "annotations": config.get("config", {}).get("Labels") or {},
        }
        return self._tag(tag, MANIFEST, self.add(manifest), config)

    def drop(self, tag: str) -> None:
        """Forget an image; its blobs go when `sweep` finds them old."""
        shutil.rmtree(self.folder(tag), ignore_errors=True)

    def put_index(self, tag: str, members: Sequence[str]) -> Blob:
        """One index over the images with the tags `members`, one per architecture, under `tag`."""
        entries = [self._member(member) for member in members]
        machines = [entry["platform"]["architecture"] for entry in entries]
        if len(set(machines)) != len(machines):
            raise CheckError("an index holds one image per architecture", where=tag, got=", ".join(machines))
        entries.sort(key=lambda entry: ORDER.index(entry["platform"]["architecture"]))
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self._tag(tag, INDEX, self.add(index), {})

    def _member(self, tag: str) -> dict[str, Any]:
        digest = self.digest(tag)
        config = self.config(tag)
        platform = {key: config[key] for key in ("architecture", "os", "variant") if config.get(key)}
        return Blob(digest, self.path(digest).stat().st_size).descriptor(MANIFEST, platform=platform)

    def _entries(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_bytes())["manifests"][0] for path in sorted(self.root.glob("*/index.json"))]

    def _sizes(self) -> dict[str, int]:
        path = self.root / "sizes.json"
        found: dict[str, int] = json.loads(path.read_bytes()) if path.exists() else {}
        return found

    def _tag(self, tag: str, media_type: str, blob: Blob, config: Mapping[str, Any]) -> Blob:
        more: dict[str, Any] = {"annotations": {REF_NAME: tag}}
        if "architecture" in config:
            more["platform"] = {"architecture": config["architecture"], "os": config["os"]}
        folder = self.folder(tag)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "blobs").is_symlink():
            (folder / "blobs").symlink_to("../blobs")
        write_text(folder / "oci-layout", json.dumps({"imageLayoutVersion": "1.0.0"}))
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [blob.descriptor(media_type, **more)]}
        write_text(folder / "index.json", json.dumps(index, indent=2) + "\n")
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
