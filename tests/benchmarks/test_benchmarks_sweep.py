"""The frame of the sweep: workers, turns, ratios, comparison with a saved run. Times themselves are not looked at."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
SWEEP = ROOT / "benchmarks" / "sweep.py"


@pytest.fixture(name="sweep")
def sweep_module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SWEEP.parent))
    return loaded("sweep")


def loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SWEEP.with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "framework")}
    processors = ",".join(map(str, sorted(os.sched_getaffinity(0))[:1]))
    command = [sys.executable, str(SWEEP), "--rounds", "1", "--seconds", "0", "--cpus", processors, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_all_tiny_cases_are_answered_and_saved(tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    done = run("--tiny", "--json", "--save", str(saved), "--numpy", sys.executable)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row for row in rows if "ours" not in row["seconds"]] == []
    assert {row["family"] for row in rows} == {
        "matmul",
        "conv",
        "norm",
        "softmax",
        "reduction",
        "attention",
        "order",
        "index",
    }
    compared = [row for row in rows if row["ratio"]]
    known = {"matmul 2x3 3x4", "sum 2x3x4 axis=0,2", "cumsum 3x4 axis=1", "sort 3x4 axis=0", "embedding 4x2 3"}
    assert {row["case"] for row in compared} == known
    for row in compared:
        assert row["ratio"] == pytest.approx(row["seconds"]["numpy"] / row["seconds"]["ours"])
    assert json.loads(saved.read_text())["rows"] == rows


def test_a_table_ends_with_the_worst_and_what_fell(tmp_path: Path) -> None:
    saved = tmp_path / "run.json"
    saved.write_text(json.dumps({"rows": [{"family": "reduction", "case": "cumsum 3x4 axis=1", "ratio": 1e9}]}))
    done = run("--tiny", "--only", "cumsum", "--numpy", sys.executable, "--baseline", str(saved), "--best")
    assert done.returncode == 0, done.stderr
    text = done.stdout
    assert "the worst ten:" in text
    assert "cumsum 3x4 axis=1: 1000000000.00 ->" in text


def test_a_framework_that_does_not_start_is_absent() -> None:
    done = run("--tiny", "--only", "softmax", "--json", "--jax", "/bin/false")
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout)
    assert row["absent"] == {"jax": "jax ended with 1"}
    assert row["ratio"] is None


def test_an_unknown_family_is_refused() -> None:
    done = run("products")
    assert done.returncode == 2
    assert "no family is called 'products'; expected one of matmul, conv, norm, softmax, reduction" in done.stderr


def test_the_tables_are_large_and_name_each_case_once(sweep: ModuleType) -> None:
    cases = sweep.cases(sweep.TABLES)
    assert len(cases) >= 200
    assert len({(case.family, case.name) for case in cases}) == len(cases)


def test_the_worst_come_first(sweep: ModuleType) -> None:
    def row(name: str, ratio: float) -> dict[str, Any]:
        return {"family": "matmul", "case": name, "seconds": {}, "absent": {}, "ratio": ratio}

    lines = sweep.summary([row("slow", 0.5), row("quick", 2.0), row("slowest", 0.25)], [])
    assert lines[0] == "matmul: geometric mean 0.63 over 3 cases, 2 more than 1.5 times slower"
    assert [line.split()[1] for line in lines[2:]] == ["slowest", "slow", "quick"]


def test_all_frameworks_get_the_same_operands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SWEEP.parent))
    worker = loaded("sweep_worker")
    case = worker.of_message(
        {
            "family": "conv",
            "operation": "data",
            "shapes": [[1, 2, 5, 5], [3, 2, 3, 3]],
            "options": {"stride": 2},
            "dtype": "float32",
        }
    )
    first, second = worker.operands(case), worker.operands(case)
    assert [value.shape for value in first] == [(1, 2, 5, 5), (3, 2, 3, 3), (1, 3, 2, 2)]
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
