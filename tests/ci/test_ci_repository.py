"""The repository itself: linters find nothing, generated files are current."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci import generate, quality
from ci.engine import Runner
from release.model import Manifest


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ruff", "ruff format", "mypy", "clang-format"])
def test_linters_find_nothing(name: str, tmp_path: Path) -> None:
    for finding in quality.lint(Runner(tmp_path), [name]):
        assert finding.passed, finding.output


def test_generated_files_are_current(manifest: Manifest) -> None:
    assert generate.drift(manifest) == [], "run `python3 tasks.py generate`"
