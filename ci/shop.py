"""What every building step needs at hand: engine, runner, manifest, the Python that runs tools, the checkout."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Any

from ci import git
from ci.engine import Engine, Runner
from ci.files import sha256
from ci.layout import Layouts
from ci.paths import ROOT
from release.model import Manifest

INPUTS_LABEL = "org.mindspore.inputs"
"""The label that holds the digest of all that an image was made of: equal inputs, nothing to do."""


@dataclass(frozen=True)
class Shop:
    """The tools and the material; `root` is the checkout.

    A shop that is `fresh` takes nothing from earlier builds but downloads, whose hashes are locked; `space` keeps its images
    apart from others in the engine.
    """

    engine: Engine
    runner: Runner
    manifest: Manifest
    root: Path = ROOT
    python: str = field(default=sys.executable)
    fresh: bool = False
    space: str = ""

    @property
    def layouts(self) -> Layouts:
        """The images that this checkout built, as they would be published."""
        return Layouts(self.root / "build" / "oci")

    def change(self, paths: list[str]) -> git.Change:
        """The commit that last touched `paths`; before the first one, the day that the manifest is written for."""
        day = datetime.combine(self.manifest.project.docs_as_of, time(), UTC)
        return git.last_change(self.root, paths) or git.Change("uncommitted", int(day.timestamp()))

    def fingerprint(self, paths: list[str], *extra: str) -> str:
        """A digest of the contents of all tracked files under `paths`, and of what else the result depends on."""
        files = ((name, sha256(self.root / name)) for name in git.tracked(self.root, paths))
        return digest(f"{name} {value}" for name, value in [*files, *(("extra", text) for text in extra)])


def digest(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def labels_of(inspected: dict[str, Any]) -> dict[str, str]:
    """The labels of an image as the engine's `inspect` tells them."""
    return inspected.get("Config", {}).get("Labels") or inspected.get("Labels") or {}
