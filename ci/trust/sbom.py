"""Bills of materials in CycloneDX 1.6: what is inside a wheel or an image, read from the artefact itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZipFile

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL
from packaging.requirements import Requirement

from ci import contents

RPM = ("var/lib/rpm/", "usr/lib/sysimage/rpm/")
EPOCH = datetime(2020, 1, 1, tzinfo=UTC)  # a bill says what is inside, not when it was written


def of_wheel(path: Path) -> dict[str, Any]:
    """The wheel, its libraries with their digests, and the packages that it asks for."""
    with ZipFile(path) as archive:
        names = archive.namelist()
        metadata = _headers(archive.read(next(name for name in names if name.endswith(".dist-info/METADATA"))))
        libraries = [(name, archive.read(name)) for name in names if name.endswith((".so", ".pyd", ".dll"))]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    parts = [_library(name, data) for name, data in libraries]
    for text in metadata.get_all("Requires-Dist") or ():
        wanted = Requirement(text)
        about = [Property(name="requirement", value=text)]
        purl = PackageURL("pypi", name=wanted.name.lower())
        parts.append(_component(wanted.name, None, purl, properties=about))
    name, version = str(metadata["Name"]), str(metadata["Version"])
    return _bill(
        _component(name, version, PackageURL("pypi", name=name, version=version), sha256=digest), parts, digest
    )


def _library(name: str, data: bytes) -> Component:
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=hashlib.sha256(data).hexdigest())]
    return Component(name=name, type=ComponentType.FILE, hashes=hashes, bom_ref=name)


def _component(
    name: str, version: str | None, purl: PackageURL, *, sha256: str = "", properties: Sequence[Property] = ()
) -> Component:
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=sha256)] if sha256 else []
    kind = ComponentType.CONTAINER if purl.type == "oci" else ComponentType.LIBRARY
    return Component(
        name=name, version=version, purl=purl, type=kind, hashes=hashes, properties=properties, bom_ref=str(purl)
    )


def _bill(subject: Component, parts: Iterable[Component], digest: str) -> dict[str, Any]:
    """The bill as data. Its serial number follows from the artefact's digest: the same artefact, the same bill."""
    ordered = sorted({part.bom_ref.value: part for part in parts}.values(), key=lambda part: str(part.bom_ref.value))
    metadata = BomMetaData(component=subject, timestamp=EPOCH)
    bom = Bom(components=ordered, metadata=metadata, serial_number=uuid5(NAMESPACE_URL, f"sha256:{digest}"))
    bom.register_dependency(subject, ordered)
    text: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    return text


def _headers(data: bytes) -> Message:
    return BytesHeaderParser().parsebytes(data)


def of_image(name: str, digest: str, layers: Sequence[Path]) -> dict[str, Any]:
    """The image and the packages of its system and its Pythons, from the layers' tars, lowest first."""
    found = contents.of_layers(layers)
    parts = [_component(key, value, PackageURL("pypi", None, key, value)) for key, value in found.python.items()]
    system = found.distribution or "debian"
    for key, value in found.system.items():
        source = "@".join(found.sources.get(key, ()))
        purl = PackageURL(found.form, system, key, value, {"upstream": source} if source else None)
        parts.append(_component(key, value, purl))
    about = []
    if found.form != "rpm" and any(path.startswith(RPM) for path in found.files):
        about = [Property(name="unread", value="the system's RPM database")]
    purl = PackageURL("oci", name=name, version=digest)
    subject = _component(name, digest, purl, sha256=digest.removeprefix("sha256:"), properties=about)
    return _bill(subject, parts, digest.removeprefix("sha256:"))


def packages(bill: Mapping[str, Any]) -> list[str]:
    """The package URLs of a bill that have a version: what a feed of vulnerabilities can be asked for.

    Of a system's packages these are the sources that they were made from: feeds know no others.
    """
    found = [item["purl"] for item in bill.get("components", ()) if item.get("purl") and item.get("version")]
    return sorted({_source(PackageURL.from_string(purl)) for purl in found})


def _source(purl: PackageURL) -> str:
    qualifiers = purl.qualifiers if isinstance(purl.qualifiers, dict) else {}
    name, _, version = qualifiers.get("upstream", f"{purl.name}@{purl.version}").partition("@")
    return PackageURL(purl.type, purl.namespace, name, version).to_string()
