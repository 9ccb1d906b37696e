"""Tests of what was staged, before it is promoted."""

from __future__ import annotations

from collections.abc import Sequence

from ci import oci
from ci.publish.errors import RefusedError
from ci.publish.material import File, PlatformImage
from ci.publish.registry import Registry
from ci.publish.store import Store
from ci.trust.bundle import read_statement
from ci.trust.keys import TrustedKey
from ci.trust.statements import TYPES


class ReadBack:
    """Reads everything back from the staging area and checks each digest and signature; needs no engine."""

    def __init__(self, trusted: Sequence[TrustedKey]) -> None:
        self.trusted = trusted

    def test_file(self, store: Store, key: str, file: File) -> None:
        where = f"{store.where}/{key}"
        if (found := store.sha256(key)) != file.sha256:
            got = found or "no such file"
            raise RefusedError("the staged wheel is damaged", where=where, expected=file.sha256, got=got)
        for name, kind in TYPES.items():
            bundle = store.read(f"{key}.{name}.json")
            read_statement(bundle[0] if bundle else b"", self.trusted, kind, file.sha256, f"{where}.{name}.json")

    def test_image(self, registry: Registry, repository: str, member: PlatformImage) -> None:
        manifest = member.image.manifest
        found = registry.manifest(repository, manifest.digest)
        if found is None:
            raise RefusedError("the staged image is missing", where=f"{registry.where}/{repository}", got="nothing")
        for blob in oci.unique(member.image.blobs):
            registry.blob(repository, blob.digest)
        self.check_statements(member)

    def check_statements(self, member: PlatformImage) -> None:
        digest = member.image.manifest.digest.removeprefix("sha256:")
        for statement in member.statements:
            kind, where = TYPES[statement.name], f"{member.slug} {statement.name}"
            read_statement(statement.data, self.trusted, kind, digest, where)
