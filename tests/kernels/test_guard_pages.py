"""Kernels touch nothing beside their operands, their scratch and their temporary memory: each on memory between guard pages."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kernels.native import runnable

pytestmark = pytest.mark.compiler
ROOT = Path(__file__).resolve().parents[2]


def guarded(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT / "framework"), str(ROOT)))}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("level", [isa.name for isa in runnable()])
def test_every_operator(level: str) -> None:
    done = guarded("-m", "tests.kernels.guarded", level)
    last = done.stdout.splitlines()[-1:]
    assert done.returncode == 0, f"{last}\n{done.stderr[-2000:]}"
    word, count, *_ = last[0].split()
    assert word == "done"
    assert int(count) > 1000


@pytest.mark.parametrize(("at_end", "place"), [(True, 64), (False, -1)])
def test_a_step_aside_ends_the_process(at_end: bool, place: int) -> None:
    program = f"from tests.kernels.guarded import Guarded, ctypes; g = Guarded(64, {at_end}); ctypes.memset(g.address + %d, 1, 1)"
    assert guarded("-c", program % 0).returncode == 0
    assert guarded("-c", program % place).returncode < 0
