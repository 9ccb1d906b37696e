"""The steps of a publication in their order, as data: what a dry run prints and `--confirm` agrees to."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from ci.publish import announcement, pages
from ci.publish.material import Release
from ci.trust.bundle import canonical
from release.matrix import tag_moves

StepKind = Literal[
    "stage-file",
    "stage-image",
    "test-file",
    "test-image",
    "file",
    "image",
    "statements",
    "image-index",
    "tag",
    "announce",
    "page",
    "move-tag",
]


@dataclass(frozen=True)
class Step:
    """One step: what it makes (a path, an image, a tag) and the digest of the content that it makes it of."""

    kind: StepKind
    what: str
    digest: str

    @property
    def id(self) -> str:
        return f"{self.kind} {self.what}"


@dataclass(frozen=True)
class Plan:
    """All steps of one version to one pair of targets. Equal inputs give an equal digest, whatever was done already."""

    version: str
    store: str
    registry: str
    complete: bool
    scope: tuple[str, ...]
    steps: tuple[Step, ...]

    @property
    def digest(self) -> str:
        return hashlib.sha256(canonical(asdict(self))).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        return {"digest": self.digest, **asdict(self)}


def make(release: Release, store: str, registry: str) -> Plan:
    """Content first, then the names of versions, then the signed index; pages and moving tags follow the index."""
    return Plan(release.version, store, registry, release.complete, release.scope, tuple(_steps(release)))


def _steps(release: Release) -> Iterator[Step]:
    images = list(release.images)
    wheels = [file for file in release.files if file.is_wheel]
    yield from (Step("stage-file", file.path, file.sha256) for file in release.files)
    yield from (Step("stage-image", member.slug, member.image.manifest.digest) for member in images)
    yield from (Step("test-file", file.path, file.sha256) for file in wheels)
    yield from (Step("test-image", member.slug, member.image.manifest.digest) for member in images)
    yield from (Step("file", file.path, file.sha256) for file in release.files)
    yield from (Step("image", member.slug, member.image.manifest.digest) for member in images)
    for member in images:
        for statement in member.statements:
            digest = hashlib.sha256(statement.data).hexdigest()
            yield Step("statements", f"{member.slug} {statement.name}", digest)
    for index in release.indexes:
        yield Step("image-index", f"{index.repository}@{index.digest}", index.digest)
    named = [(f"{index.repository}:{tag}", tag, index.digest) for index in release.indexes for tag in index.tags]
    yield from (Step("tag", name, digest) for name, tag, digest in named if not tag_moves(tag))
    yield Step("announce", announcement.KEY, _content(release))
    yield from (Step("page", key, _content(release)) for key in pages.pages(announcement.EMPTY))
    yield from (Step("move-tag", name, digest) for name, tag, digest in named if tag_moves(tag))


def _content(release: Release) -> str:
    """The digest of what the index will say about the release, the day aside."""
    described = announcement.describe(release, announcement.moment("1970-01-01T00:00:00Z"))
    return hashlib.sha256(canonical(described)).hexdigest()
