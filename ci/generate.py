"""Files that follow from the manifest and the templates: rendered here, committed, and compared with what is there."""

from __future__ import annotations

from pathlib import Path

from ci import branchfile, pipelines, templating
from ci.distributions import distribution, reference
from ci.paths import ROOT
from release import generate as release_generate
from release.model import Manifest
from release.rows import ImageRow, Kind

TEMPLATES = Path("docker")


def dockerfile(row: ImageRow, kind: Kind) -> Path:
    """Where the rendered Dockerfile of a row's kind is committed; the architectures share it."""
    system = "-".join(filter(None, (row.os, row.stack)))
    return TEMPLATES / row.hardware / "generated" / system / f"Dockerfile.{kind}"


def render(manifest: Manifest, row: ImageRow, kind: Kind, root: Path = ROOT) -> str:
    """The Dockerfile's text; ProjectFileError names the template's line when it is broken."""
    family, stack = distribution(row.os), manifest.hardware[row.hardware].stack.get(row.stack or "")
    names = family.devel if kind == "devel" else family.runtime
    facts = {
        "base": reference(row, manifest.os[row.os].suite),
        "family": family,
        "hardware": row.hardware,
        "title": manifest.os[row.os].title,
        "version": stack.version if stack else "",
        "driver": stack.driver if stack else "",
        "kind": kind,
        "names": names,
    }
    return templating.render(TEMPLATES / row.hardware / "Dockerfile.j2", facts, root)


def has_template(row: ImageRow, root: Path = ROOT) -> bool:
    """Whether there is a template for the row's hardware."""
    return (root / TEMPLATES / row.hardware / "Dockerfile.j2").is_file()


def outputs(manifest: Manifest, root: Path = ROOT) -> dict[Path, str]:
    """Every generated file of the repository with the text that it should have."""
    rows = [row for row in manifest.image_rows() if has_template(row, root)]
    dockerfiles = {dockerfile(row, kind): render(manifest, row, kind, root) for row in rows for kind in row.kinds}
    generated = [
        release_generate.outputs(manifest, root),
        branchfile.outputs(manifest),
        pipelines.outputs(manifest, root),
    ]
    return {path: text for files in [*generated, dockerfiles] for path, text in files.items()}


def drift(manifest: Manifest, root: Path = ROOT) -> list[Path]:
    """The committed files that differ from what they should be."""
    return release_generate.drift(outputs(manifest, root), root)


def write(manifest: Manifest, root: Path = ROOT) -> list[Path]:
    """Bring every generated file up to date; give those that changed."""
    return release_generate.write(outputs(manifest, root), root)
