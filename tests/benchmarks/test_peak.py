"""The peak of the machine beside products: the frame, not the times."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.compiler
ROOT = Path(__file__).resolve().parents[2]


def test_a_row_for_each_size() -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "peak.py"),
        "--sizes",
        "32",
        "64",
        "--rounds",
        "1",
        "--threads",
        "1",
        "--json",
    ]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "framework")}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["n"], row["threads"]) for row in rows] == [(32, 1), (64, 1)]
    for row in rows:
        assert row["share"] == pytest.approx(row["gflops"] / row["peak_gflops"])
        assert row["gflops"] > 0
