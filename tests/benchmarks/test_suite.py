"""The suite's command line: rows, comparisons, wrong uses. Times themselves are not looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUITE = ROOT / "benchmarks" / "run.py"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "framework")}
    command = [sys.executable, str(SUITE), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_groups_and_tasks_are_measured_beside_another_package_and_saved(tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    quick = ("--rounds", "2", "--seconds", "0.01", "--json")
    done = run("start", "lenet", "dispatch", *quick, "--before", str(ROOT / "framework"), "--save", str(saved))
    assert done.returncode == 0, done.stderr
    rows = [json.loads(text) for text in done.stdout.splitlines()]
    assert [(row["group"], row["task"]) for row in rows] == [
        ("start", "import"),
        ("eager", "dispatch"),
        ("models", "lenet"),
    ]
    for row in rows:
        assert row["best"] > 0
        assert row["peak_mib"] > 20
        assert row["ratio"] == pytest.approx(row["before"]["best"] / row["best"])
    assert rows[0]["numpy"] > 0
    assert rows[2]["cold"] > 0
    assert rows[2]["warm"] > 0
    assert rows[2]["working_mib"] >= 0
    assert json.loads(saved.read_text())["rows"] == rows
    assert list(tmp_path.iterdir()) == [saved]


@pytest.mark.parametrize(("best", "code"), [(1e-12, 1), (1e9, 0)])
def test_what_got_slower_than_a_saved_run_is_named(best: float, code: int, tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    saved.write_text(json.dumps({"rows": [{"task": "dispatch", "best": best, "peak_mib": 1e9}]}))
    done = run("dispatch", "--rounds", "1", "--seconds", "0.01", "--baseline", str(saved))
    assert done.returncode == code, done.stderr
    assert ("dispatch: best 1e-12 ->" in done.stderr) == (code == 1)
    assert done.stdout.startswith("dispatch ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing",), "no task or group is called 'nothing'; expected one of start, eager"),
        (("--rounds", "0"), "expected at least one round, got --rounds 0"),
        (("--before", "/nowhere"), "/nowhere holds no `mindspore` package"),
        (("--baseline", "/nowhere"), "/nowhere is no saved run"),
    ],
)
def test_wrong_uses_are_refused(arguments: tuple[str, ...], message: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_a_file_that_is_no_saved_run_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("[1, 2]")
    done = run("dispatch", "--baseline", str(other))
    assert done.returncode == 2
    assert 'expected {"rows": [...]}' in done.stderr
