"""OCI content on disk: descriptors, image layouts, indexes over architectures. Specification: OCI image format 1.1."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ci.errors import CheckError
from ci.files import replacing, sha256

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"
GZIP_LAYER = f"{LAYER}+gzip"
EMPTY = "application/vnd.oci.empty.v1+json"
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Descriptor:
    """What a manifest says about a blob: its type, digest (`sha256:...`) and size in bytes."""

    media_type: str
    digest: str
    size: int
    platform: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    artifact_type: str = ""

    def as_dict(self) -> dict[str, Any]:
        extra = {"platform": self.platform, "annotations": self.annotations, "artifactType": self.artifact_type}
        known = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        return known | {key: value for key, value in extra.items() if value}


def descriptor(data: Mapping[str, Any]) -> Descriptor:
    """A descriptor from its JSON form; CheckError when its digest is none."""
    if not DIGEST.fullmatch(str(data.get("digest"))):
        raise CheckError("not a digest", expected="sha256: and 64 hexadecimal digits", got=str(data.get("digest")))
    extra = {"platform": data.get("platform", {}), "annotations": data.get("annotations", {})}
    kind = str(data.get("artifactType", ""))
    return Descriptor(str(data["mediaType"]), str(data["digest"]), int(data["size"]), artifact_type=kind, **extra)


def digest_of(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def describe(data: bytes, media_type: str, **extra: Any) -> Descriptor:
    return Descriptor(media_type, digest_of(data), len(data), **extra)


def dump(data: Mapping[str, Any]) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":")).encode()


def index(entries: Sequence[Descriptor], annotations: Mapping[str, str] | None = None) -> bytes:
    """An index over the images of several architectures, in the order of their platforms."""
    ordered = sorted(entries, key=lambda entry: (sorted(entry.platform.items()), entry.digest))
    text: dict[str, Any] = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [item.as_dict() for item in ordered]}
    return dump(text | ({"annotations": dict(annotations)} if annotations else {}))


def attachment(subject: Descriptor, kind: str, payload: Descriptor, annotations: Mapping[str, str]) -> bytes:
    """A manifest that says something (`kind`) about `subject` and is found as its referrer."""
    empty = describe(b"{}", EMPTY)
    text = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": kind,
        "config": empty.as_dict(),
        "layers": [payload.as_dict()],
        "subject": subject.as_dict(),
    }
    return dump(text | ({"annotations": dict(annotations)} if annotations else {}))


@dataclass(frozen=True)
class Image:
    """One image of one architecture in a layout, its manifest and configuration checked against their digests."""

    manifest: Descriptor
    config: Descriptor
    layers: tuple[Descriptor, ...]
    platform: Mapping[str, str]
    labels: Mapping[str, str]

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        return (self.config, *self.layers)


@dataclass(frozen=True)
class Layout:
    """A folder with `oci-layout`, `index.json` and `blobs/sha256/`."""

    root: Path

    @property
    def blobs(self) -> Path:
        return self.root / "blobs" / "sha256"

    def blob(self, digest: str) -> Path:
        if not DIGEST.fullmatch(digest):
            raise CheckError("not a digest", where=str(self.root), expected="sha256:...", got=digest)
        return self.blobs / digest.removeprefix("sha256:")

    def read(self, digest: str) -> bytes:
        """A blob whose bytes have their digest; CheckError names one that has not."""
        path = self.blob(digest)
        data = path.read_bytes() if path.exists() else b""
        if digest_of(data) != digest:
            got = digest_of(data) if path.exists() else "no such file"
            fix = "build the image again"
            raise CheckError("a blob of the image is damaged", where=str(path), expected=digest, got=got, fix=fix)
        return data

    def add(self, data: bytes) -> str:
        digest = digest_of(data)
        with replacing(self.blob(digest)) as scratch:
            scratch.write_bytes(data)
        return digest

    def entries(self) -> list[Descriptor]:
        path = self.root / "index.json"
        if not path.exists():
            raise CheckError("not an OCI layout", where=str(self.root), expected="index.json", got="no such file")
        return [descriptor(item) for item in json.loads(path.read_text(encoding="utf-8"))["manifests"]]

    def image(self) -> Image:
        """The layout's one image; its layers are hashed too."""
        entries = self.entries()
        if len(entries) != 1:
            raise CheckError("one image was expected", where=str(self.root), got=f"{len(entries)} entries")
        image = read_image(entries[0], self.read)
        for layer in image.layers:
            if not self.blob(layer.digest).exists() or f"sha256:{sha256(self.blob(layer.digest))}" != layer.digest:
                raise CheckError("a layer is damaged", where=str(self.blob(layer.digest)), expected=layer.digest)
        return image

    def write(self, entries: Sequence[Descriptor]) -> None:
        """Make the folder a layout of these images, whose blobs are in it already."""
        for name, data in {"oci-layout": dump({"imageLayoutVersion": "1.0.0"}), "index.json": index(entries)}.items():
            with replacing(self.root / name) as scratch:
                scratch.write_bytes(data)


def read_image(entry: Descriptor, read: Any) -> Image:
    """The image behind a manifest's descriptor; `read` gives a blob by its digest and has checked it."""
    manifest = json.loads(read(entry.digest))
    config_descriptor = descriptor(manifest["config"])
    config = json.loads(read(config_descriptor.digest))
    platform = {key: str(config[key]) for key in ("architecture", "os", "variant") if config.get(key)}
    labels = config.get("config", {}).get("Labels") or {}
    layers = tuple(descriptor(layer) for layer in manifest["layers"])
    known = Descriptor(str(manifest.get("mediaType", MANIFEST)), entry.digest, entry.size, platform)
    return Image(known, config_descriptor, layers, platform, labels)


def unique(blobs: Sequence[Descriptor]) -> Iterator[Descriptor]:
    """Each blob once: the same layer may stand in an image twice."""
    yield from {blob.digest: blob for blob in blobs}.values()
