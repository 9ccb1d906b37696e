"""Where an artefact comes from: the predicate of SLSA provenance 1.0. Level 1 is claimed and no more.

Nothing of the machine that built it goes in: no host, no path, no user, no secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

BUILD_TYPE = "urn:mindspore:build:{kind}:1"
BUILDER = "urn:mindspore:builder:local"


@dataclass(frozen=True)
class Source:
    """The commit that was built, and the digests of the locks that say what it was built from."""

    revision: str
    materials: Mapping[str, str] = field(default_factory=dict)


def predicate(kind: str, parameters: Mapping[str, str], source: Source) -> dict[str, Any]:
    """The predicate for a `wheel` or `image` built with these parameters (row, version, ...)."""
    origin = {"name": "source", "digest": {"gitCommit": source.revision.removesuffix("-dirty")}}
    locks = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(source.materials.items())]
    return {
        "buildDefinition": {
            "buildType": BUILD_TYPE.format(kind=kind),
            "externalParameters": dict(parameters),
            "internalParameters": {"clean": not source.revision.endswith("-dirty")},
            "resolvedDependencies": [origin, *locks],
        },
        "runDetails": {"builder": {"id": BUILDER}},
    }
