"""Tests of what was staged, before it is promoted."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from zipfile import BadZipFile, ZipFile

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
        found = store.read(key)
        where = f"{store.where}/{key}"
        try:
            names = ZipFile(BytesIO(found[0] if found else b"")).namelist()
        except BadZipFile as error:
            raise RefusedError("the staged wheel is damaged", where=where, got=str(error)) from None
        if not any(name.endswith(".dist-info/RECORD") for name in names):
            raise RefusedError("the staged wheel has no record", where=where, expected="*.dist-info/RECORD")
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
        for statement in member.statements:
            kind, where = TYPES[statement.name], f"{member.slug} {statement.name}"
            read_statement(statement.data, self.trusted, kind, manifest.digest.removeprefix("sha256:"), where)
