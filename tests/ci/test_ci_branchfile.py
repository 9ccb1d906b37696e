"""What an image's entry point says about its branch is what the lifecycle says, on every day."""

from __future__ import annotations

import subprocess
from datetime import date
from pathlib import Path

import pytest

from ci import branchfile
from ci.paths import ROOT
from release.lifecycle import branch_status
from release.model import Manifest

DAYS = ["2020-01-01", "2020-12-30", "2022-04-29", "2022-11-01", "2026-11-22", "2027-02-22", "2027-02-23", "2029-01-01"]


def _say(tmp_path: Path, text: str, day: str) -> str:
    """The script's line on `day`: its `date` is ours."""
    (tmp_path / "branch").write_text(text, encoding="utf-8")
    clock = tmp_path / "date"
    clock.write_text(f"#!/bin/sh\necho {day}\n", encoding="utf-8")
    clock.chmod(0o755)
    command = ["sh", str(ROOT / "docker/files/mindspore-phase"), str(tmp_path / "branch")]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"}
    )
    assert done.stderr == ""
    return done.stdout


@pytest.mark.parametrize("day", DAYS)
def test_the_phase_of_every_branch(tmp_path: Path, manifest: Manifest, day: str) -> None:
    for branch in manifest.branch:
        line = _say(tmp_path, branchfile.text(branch), day)
        state = branch_status(branch, date.fromisoformat(day))
        if state is None:
            assert line == ""
        elif state.phase == "EOL":
            assert f"{branch.name} reached its end of life on {state.eol}" in line
        else:
            assert f"MindSpore {branch.name} is in {state.phase}" in line
            assert f"end of life: {state.eol_estimated or 'not set'}" in line
            assert ("overdue" in line) == (state.overdue_since is not None)
            if state.next_phase and not state.overdue_since:
                assert f"{state.next_phase} is planned for {state.next_date}" in line


def test_the_committed_file_is_the_current_branch(manifest: Manifest) -> None:
    text = (ROOT / branchfile.PATH).read_text(encoding="utf-8")
    assert text == branchfile.outputs(manifest)[branchfile.PATH]
    assert text.startswith(f"branch {manifest.project.branch}\n")


def test_the_entry_point_speaks_once_and_on_stderr(tmp_path: Path) -> None:
    text = (ROOT / "docker/files/mindspore-entrypoint").read_text(encoding="utf-8")
    entry = tmp_path / "entry"
    entry.write_text(text.replace("/usr/local/share/mindspore/branch", str(tmp_path / "branch")), encoding="utf-8")
    entry.chmod(0o755)
    (tmp_path / "branch").write_text("branch r9.9\nDevelopment 2020-01-01 -\n", encoding="utf-8")
    path = f"{ROOT / 'docker/files'}:/usr/bin:/bin"
    command = [str(entry), str(entry), "sh", "-c", "echo out; exit 7"]
    done = subprocess.run(command, capture_output=True, text=True, env={"PATH": path}, check=False)
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert done.stderr.count("r9.9 is in Development") == 1
    quiet = {"PATH": path, "MINDSPORE_QUIET": "1"}
    assert subprocess.run(command, capture_output=True, text=True, env=quiet, check=False).stderr == ""
