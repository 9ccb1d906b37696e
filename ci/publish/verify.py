"""Checks what is published, as a stranger with the trusted key can: index, files, images, statements, pages."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from ci import oci
from ci.errors import CheckError
from ci.publish import announcement, pages
from ci.publish.errors import TargetError
from ci.publish.registry import Found, Registry
from ci.publish.steps import STATEMENT_NAME
from ci.publish.store import Store
from ci.trust.bundle import TamperedError, read_statement
from ci.trust.keys import TrustedKey
from ci.trust.statements import TYPES
from release.matrix import tag_moves


@dataclass
class Findings:
    """What was checked, and what is not as it was signed."""

    serial: int = 0
    versions: list[str] = field(default_factory=list)
    checked: dict[str, int] = field(default_factory=lambda: {"files": 0, "images": 0, "statements": 0, "pages": 0})
    problems: list[str] = field(default_factory=list)

    def note(self, kind: str, check: Callable[[], None]) -> None:
        """Count a check; what it refuses is a finding, and the next one goes on."""
        self.checked[kind] += 1
        try:
            check()
        except CheckError as error:
            self.problems.append(str(error))


@dataclass(frozen=True)
class Verifier:
    """A store and a registry, looked at with keys from the trusted checkout. `seen` is the highest serial known."""

    store: Store
    registry: Registry
    trusted: Sequence[TrustedKey]
    now: datetime
    seen: int = 0

    def verify(self, only: str | None = None) -> Findings:
        """Check one version or all; an index that cannot be trusted raises TamperedError, for nothing else can be then."""
        known, version = announcement.read(self.store, self.trusted)
        announcement.check_fresh(known, self.now, self.seen, self.store.where)
        if version is None:
            raise CheckError("nothing is published there", where=self.store.where, expected=announcement.KEY)
        if only is not None and only not in known.versions:
            got = ", ".join(known.versions) or "no version at all"
            raise CheckError(f"{only} is not published", where=self.store.where, expected="one of the index", got=got)
        found = Findings(known.serial, [version for version in known.versions if only in (None, version)])
        for version in found.versions:
            self._version(found, known.versions[version])
        for key, page in pages.pages(known).items():
            found.note("pages", lambda key=key, page=page: self._page(key, page))  # type: ignore[misc]
        return found

    def _version(self, found: Findings, facts: Mapping[str, Any]) -> None:
        for path, file in facts["files"].items():
            found.note("files", lambda path=path, file=file: self._file(path, file))  # type: ignore[misc]
            if path.endswith(".whl"):
                for name, kind in TYPES.items():
                    found.note("statements", self._file_statement(path, file["sha256"], name, kind))
        for image in facts["images"]:
            found.note("images", lambda image=image: self._index(image))  # type: ignore[misc]
            for member in image["members"]:
                self._member(found, image["repository"], member["digest"])

    def _page(self, key: str, wanted: bytes) -> None:
        found = self.store.read(key)
        if found is None or found[0] != wanted:
            fix = "publish again: the pages follow from the index"
            raise TamperedError("a page is not what the index says", where=f"{self.store.where}/{key}", fix=fix)

    def _file(self, path: str, file: Mapping[str, Any]) -> None:
        where, found = f"{self.store.where}/{path}", self.store.sha256(path)
        if found != file["sha256"]:
            fix = "do not use it; tell the release team"
            got = found or "no such file"
            raise TamperedError("a file is not what was signed", where=where, expected=file["sha256"], got=got, fix=fix)
        if path.endswith(".sha256"):
            name = PurePosixPath(path).name.removesuffix(".sha256")
            wheel = self.store.sha256(path.removesuffix(".sha256"))
            text = (self.store.read(path) or (b"", ""))[0].decode()
            if text != f"{wheel}  {name}\n":
                raise TamperedError("a checksum belongs to another file", where=where, expected=str(wheel), got=text)

    def _file_statement(self, path: str, digest: str, name: str, kind: str) -> Callable[[], None]:
        key = f"{path}.{name}.json"

        def check() -> None:
            data = (self.store.read(key) or (b"", ""))[0]
            read_statement(data, self.trusted, kind, digest, f"{self.store.where}/{key}")

        return check

    def _manifest(self, repository: str, digest: str) -> Found:
        found = self.registry.manifest(repository, digest)
        if found is None:
            where = f"{self.registry.where}/{repository}"
            raise TamperedError("an image is missing", where=where, expected=digest, got="no such manifest")
        return found

    def _index(self, image: Mapping[str, Any]) -> None:
        """The index over architectures holds the images that were signed, and the version's tags lead to it."""
        repository, digest = image["repository"], image["digest"]
        members = {item["digest"] for item in json.loads(self._manifest(repository, digest).data)["manifests"]}
        if members != {member["digest"] for member in image["members"]}:
            where = f"{self.registry.where}/{repository}@{digest}"
            raise TamperedError("an image's index holds other images than were signed", where=where)
        for tag in image["tags"]:
            found = None if tag_moves(tag) else self.registry.manifest(repository, tag)
            if not tag_moves(tag) and (found is None or found.digest != digest):
                where, got = f"{self.registry.where}/{repository}:{tag}", found.digest if found else "no such tag"
                raise TamperedError("a version's tag was moved", where=where, expected=digest, got=got)

    def _member(self, found: Findings, repository: str, digest: str) -> None:
        """Every blob of one architecture's image has its digest, and the image its signed statements."""
        found.note("images", lambda: self._blobs(repository, digest))
        attached: dict[str, list[oci.Descriptor]] = {}
        try:
            for item in self.registry.referrers(repository, digest):
                attached.setdefault(item.annotations.get(STATEMENT_NAME, ""), []).append(item)
        except TargetError as error:
            found.problems.append(str(error))
        for name, kind in TYPES.items():
            candidates = attached.get(name, [])
            found.note("statements", self._attached(repository, digest, kind, candidates))

    def _blobs(self, repository: str, digest: str) -> None:
        entry = self._manifest(repository, digest).descriptor

        def read(blob: str) -> bytes:
            is_manifest = blob == digest
            return self._manifest(repository, blob).data if is_manifest else self.registry.blob(repository, blob)

        for blob in oci.unique(oci.read_image(entry, read).blobs):
            self.registry.blob(repository, blob.digest)

    def _attached(
        self, repository: str, digest: str, kind: str, candidates: Sequence[oci.Descriptor]
    ) -> Callable[[], None]:
        """One of the attachments of a kind must be ours; anybody may attach more."""
        where = f"{self.registry.where}/{repository}@{digest}"

        def check() -> None:
            refusals = list(self._refusals(repository, digest, kind, candidates, where))
            if len(refusals) == len(candidates):
                got = refusals[-1].problem if refusals else "nothing attached"
                raise TamperedError("an image has no valid statement", where=where, expected=kind, got=got)

        return check

    def _refusals(
        self, repository: str, digest: str, kind: str, candidates: Sequence[oci.Descriptor], where: str
    ) -> Iterator[CheckError]:
        for item in candidates:
            try:
                data = self.registry.attached(repository, item.digest)
                read_statement(data, self.trusted, kind, digest.removeprefix("sha256:"), where)
            except CheckError as error:
                yield error
