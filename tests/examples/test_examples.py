"""The programs in ``examples/`` run as a user runs them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.compiler

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "examples"


def run(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT / "framework"), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
    )


def test_the_first_program_of_the_readme() -> None:
    done = run(str(EXAMPLES / "readme_mul.py"))
    assert done.stdout == "[ 4. 10. 18.]\n", done.stderr


def test_the_second_program_of_the_readme() -> None:
    done = run(str(EXAMPLES / "readme_tensor_add.py"))
    assert done.stdout == f"{np.full([1, 3, 3, 4], 2, np.float32)}\n", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["graph", "pynative"])
@pytest.mark.parametrize(("program", "wanted"), [("digits_mlp.py", 95.0), ("digits_lenet.py", 97.0)])
def test_digits_are_learnt(program: str, wanted: float, mode: str, tmp_path: Path) -> None:
    done = run(str(EXAMPLES / program), "--mode", mode, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert accuracy(done.stdout) >= wanted


def accuracy(output: str) -> float:
    """The percentage that a program prints."""
    reached = re.search(r"accuracy ([\d.]+)%", output)
    assert reached is not None
    return float(reached[1])


@pytest.mark.parametrize("mode", ["graph", "pynative"])
def test_lenet_learns_something_in_one_epoch(mode: str) -> None:
    done = run(str(EXAMPLES / "digits_lenet.py"), "--mode", mode, "--epochs", "1")
    assert accuracy(done.stdout) > 20.0, done.stdout + done.stderr


def test_too_little_training_fails() -> None:
    done = run(
        str(EXAMPLES / "digits_mlp.py"), "--mode", "graph", "--epochs", "1", "--data", str(EXAMPLES / "digits.npz")
    )
    assert "epoch 1/1: loss" in done.stdout
    assert done.returncode == 1, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [(["--mode", "fast"], "graph"), (["--epochs", "0"], "at least 1"), (["--data", "missing.npz"], "missing.npz")],
)
def test_wrong_options_are_refused(arguments: list[str], words: str) -> None:
    done = run(str(EXAMPLES / "digits_mlp.py"), *arguments)
    assert done.returncode == 2
    assert words in done.stderr


def test_the_data_is_what_its_readme_says() -> None:
    with np.load(EXAMPLES / "digits.npz") as data:
        assert data["images"].shape == (1797, 8, 8)
        assert data["images"].dtype == data["labels"].dtype == np.uint8
        assert data["images"].max() == 16
        assert np.bincount(data["labels"]).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
