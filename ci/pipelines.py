"""The pipelines of three CI systems, rendered from one matrix; each job runs tasks of this project and nothing else."""

from __future__ import annotations

from pathlib import Path

from ci.paths import ROOT
from ci.templating import render
from release.generate import MARK
from release.matrix import default_row
from release.model import Manifest
from release.shards import RUNNERS, matrix

TEMPLATES = Path("ci/templates")
PLACES = {
    "github.yml.j2": Path(".github/workflows/ci.yml"),
    "gitlab.yml.j2": Path(".gitlab-ci.yml"),
    "Jenkinsfile.j2": Path("ci/Jenkinsfile"),
}
MINUTES, IMAGE_MINUTES = 45, 120


def outputs(manifest: Manifest, root: Path = ROOT) -> dict[Path, str]:
    """Each pipeline's text, by the place where its system looks for it."""
    found = matrix(manifest)
    facts = {
        "mark": MARK.replace("release/manifest.toml", "release/manifest.toml and ci/templates/"),
        "runners": RUNNERS,
        "python": default_row(manifest).python,
        "images": found["images"]["include"],
        "wheels": found["wheels"]["include"],
        "minutes": MINUTES,
        "image_minutes": IMAGE_MINUTES,
        "total_minutes": MINUTES + 2 * IMAGE_MINUTES,
    }
    return {place: render(TEMPLATES / template, facts, root, brackets=True) for template, place in PLACES.items()}
