"""Signs what was gathered for a release: for each wheel and image a bill of materials and its provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci import oci
from ci.files import replacing, sha256
from ci.images import ROW_LABEL
from ci.publish.material import KIND_LABEL, VERSION_LABEL
from ci.trust import sbom
from ci.trust.bundle import IN_TOTO, seal, statement
from ci.trust.keys import SigningKey
from ci.trust.provenance import Source, predicate
from ci.trust.statements import TYPES


@dataclass(frozen=True)
class Signed:
    """An artefact that has its statements now, and the packages inside that a feed can be asked about."""

    name: str
    sha256: str
    packages: tuple[str, ...]


def sign(folder: Path, version: str, key: SigningKey, source: Source) -> list[Signed]:
    """Write `attestations/` for every wheel and image of the release's folder; signing again changes nothing."""
    done = []
    for name, digest, predicates in _subjects(folder, version, source):
        for kind, content in predicates.items():
            bundle = seal(key, IN_TOTO, statement(name, digest, TYPES[kind], content))
            with replacing(folder / "attestations" / f"{digest}.{kind}.json") as scratch:
                scratch.write_bytes(bundle)
        done.append(Signed(name, digest, tuple(sbom.packages(predicates["sbom"]))))
    return done


def _subjects(folder: Path, version: str, source: Source) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    for wheel in sorted(folder.glob("wheels/*.whl")):
        parameters = {"artefact": wheel.name, "version": version}
        yield (
            wheel.name,
            sha256(wheel),
            {
                "sbom": sbom.of_wheel(wheel),
                "provenance": predicate("wheel", parameters, source),
            },
        )
    for path in sorted(folder.glob("images/*")):
        layout = oci.Layout(path)
        image = layout.image()
        labels = {name: image.labels.get(name, "") for name in (ROW_LABEL, KIND_LABEL, VERSION_LABEL)}
        layers = [layout.blob(layer.digest) for layer in image.layers]
        yield (
            path.name,
            image.manifest.digest.removeprefix("sha256:"),
            {
                "sbom": sbom.of_image(path.name, image.manifest.digest, layers),
                "provenance": predicate("image", labels, source),
            },
        )
