"""Carries out the steps of a plan. Every step looks first, so that doing it again changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from ci import oci
from ci.publish import announcement, pages
from ci.publish.errors import RefusedError
from ci.publish.lock import Clock, Lock
from ci.publish.material import File, ImageIndex, PlatformImage, Release
from ci.publish.plan import Step
from ci.publish.registry import Registry
from ci.publish.store import Store, keep
from ci.trust.keys import SigningKey, TrustedKey
from release.matrix import tag_moves

STAGING = "staging"
STATEMENT = "application/vnd.dev.sigstore.bundle.v0.3+json"
STATEMENT_NAME = "org.mindspore.statement"


@dataclass(frozen=True)
class Targets:
    """Where to publish, seen by the identity that stages and by the one that publishes."""

    stage_store: Store
    stage_registry: Registry
    store: Store
    registry: Registry


class Tester(Protocol):
    """Looks at what was staged before anything is promoted; raises CheckError for what must not go out."""

    def test_file(self, store: Store, key: str, file: File) -> None: ...
    def test_image(self, registry: Registry, repository: str, member: PlatformImage) -> None: ...


def staged_key(release: Release, path: str) -> str:
    return f"{STAGING}/{release.version}/{path}"


def staged_repository(member: PlatformImage) -> str:
    return f"{STAGING}/{member.repository}"


@dataclass
class Worker:
    """Performs steps of one release."""

    release: Release
    targets: Targets
    key: SigningKey
    trusted: Sequence[TrustedKey]
    tester: Tester
    clock: Clock
    lock: Lock

    def __post_init__(self) -> None:
        self.files = {file.path: file for file in self.release.files}
        self.images = {member.slug: member for member in self.release.images}
        self.tags = {f"{i.repository}:{tag}": (i, tag) for i in self.release.indexes for tag in i.tags}
        self.actions: dict[str, Callable[[Step], None]] = {
            "stage-file": self._stage_file,
            "stage-image": self._stage_image,
            "test-file": self._test_file,
            "test-image": self._test_image,
            "file": self._file,
            "image": self._image,
            "statements": self._statement,
            "image-index": self._image_index,
            "tag": self._tag,
            "announce": self._announce,
            "page": self._page,
            "move-tag": self._tag,
        }

    def perform(self, step: Step) -> None:
        self.actions[step.kind](step)

    def preflight(self) -> None:
        """Refuse, before anything is written, what could not be finished: moved tags, changed files, another index."""
        known, _ = announcement.read(self.targets.store, self.trusted)
        announcement.check_clock(known, self.clock(), self.targets.store.where)
        announcement.with_release(known, self.release, self.clock())
        for file in self.release.files:
            found = self.targets.store.sha256(file.path)
            if found not in (None, file.sha256):
                raise _changed(f"{self.targets.store.where}/{file.path}", found, file.sha256)
        for index, tag in self.tags.values():
            self._check_tag(index, tag)

    def _check_tag(self, index: ImageIndex, tag: str) -> bool:
        """Whether the tag has to be written; RefusedError when a version's tag would move."""
        found = self.targets.registry.manifest(index.repository, tag)
        if found and found.digest != index.digest and not tag_moves(tag):
            where = f"{self.targets.registry.where}/{index.repository}:{tag}"
            fix = "publish the change as a new version"
            got = index.digest
            raise RefusedError("a version's tag never moves", where=where, expected=found.digest, got=got, fix=fix)
        return found is None or found.digest != index.digest

    def _stage_file(self, step: Step) -> None:
        """What an earlier, abandoned try left in the staging area is replaced."""
        file, store = self.files[step.what], self.targets.stage_store
        key = staged_key(self.release, file.path)
        if store.sha256(key) not in (None, file.sha256):
            store.delete(key)
        keep(store, key, file.sha256, file.payload)

    def _stage_image(self, step: Step) -> None:
        member, registry = self.images[step.what], self.targets.stage_registry
        repository = staged_repository(member)
        for blob in oci.unique(member.image.blobs):
            registry.push_blob(repository, blob, member.layout.blob(blob.digest))
        manifest = member.image.manifest
        tag = f"{self.release.version}-{member.slug}"
        registry.push_manifest(repository, tag, member.layout.read(manifest.digest), manifest.media_type)

    def _test_file(self, step: Step) -> None:
        file = self.files[step.what]
        self.tester.test_file(self.targets.stage_store, staged_key(self.release, file.path), file)

    def _test_image(self, step: Step) -> None:
        member = self.images[step.what]
        self.tester.test_image(self.targets.stage_registry, staged_repository(member), member)

    def _file(self, step: Step) -> None:
        file = self.files[step.what]
        staged = staged_key(self.release, file.path)
        there = self.targets.store.sha256(staged) == file.sha256  # it may have been cleaned up since it was tested
        keep(self.targets.store, file.path, file.sha256, staged if there else file.payload)

    def _image(self, step: Step) -> None:
        """By digest alone: no name leads to it yet."""
        member, registry = self.images[step.what], self.targets.registry
        for blob in oci.unique(member.image.blobs):
            if not registry.mount_blob(member.repository, blob, staged_repository(member)):
                registry.push_blob(member.repository, blob, member.layout.blob(blob.digest))
        manifest = member.image.manifest
        data = member.layout.read(manifest.digest)
        registry.push_manifest(member.repository, manifest.digest, data, manifest.media_type)

    def _statement(self, step: Step) -> None:
        slug, name = step.what.split(" ")
        member = self.images[slug]
        statement = next(item for item in member.statements if item.name == name)
        notes = {STATEMENT_NAME: name}
        subject = oci.Descriptor(
            member.image.manifest.media_type, member.image.manifest.digest, member.image.manifest.size
        )
        self.targets.registry.attach(member.repository, subject, STATEMENT, statement.data, notes)

    def _image_index(self, step: Step) -> None:
        index = next(item for item in self.release.indexes if f"{item.repository}@{item.digest}" == step.what)
        self.targets.registry.push_manifest(index.repository, index.digest, index.data, oci.INDEX)

    def _tag(self, step: Step) -> None:
        index, tag = self.tags[step.what]
        if self._check_tag(index, tag):
            self.targets.registry.push_manifest(index.repository, tag, index.data, oci.INDEX)

    def _announce(self, step: Step) -> None:
        """The one moment at which the release becomes visible: all of it, or, when this fails, nothing."""
        self.lock.renew(surely=True)
        known, version = announcement.read(self.targets.store, self.trusted)
        new = announcement.with_release(known, self.release, self.clock())
        if new is not None:
            announcement.commit(self.targets.store, self.key, new, version)

    def _page(self, step: Step) -> None:
        write_page(self.targets.store, step.what, announcement.read(self.targets.store, self.trusted)[0])


def write_page(store: Store, key: str, known: announcement.Announcement) -> None:
    """Draw one page anew if it is not what the index says; pages are the only files that change in place."""
    wanted = pages.pages(known)[key]
    found = store.read(key)
    if found is None or found[0] != wanted:
        store.swap(key, wanted, found[1] if found else None)


def _changed(where: str, found: str | None, wanted: str) -> RefusedError:
    fix = "publish the change as a new version"
    return RefusedError("a published file never changes", where=where, expected=str(found), got=wanted, fix=fix)
