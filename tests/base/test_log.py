"""Messages of programs: what is written, and from which level on."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import mindspore as ms

PROGRAM = """
from mindspore import log as logger
logger.debug("d"); logger.info("i %d", 1); logger.warning("w"); logger.error("e"); logger.critical("c")
print(logger.get_level())
"""


@pytest.mark.parametrize(
    ("level", "known", "written"),
    [("", "2", "w e c"), ("0", "0", "d i 1 w e c"), ("3", "3", "e c"), ("much", "2", "w e c")],
)
def test_levels(level: str, known: str, written: str) -> None:
    environment = {"PYTHONPATH": str(Path(ms.__file__).resolve().parents[1]), "GLOG_v": level}
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == known
    lines = done.stderr.splitlines()
    assert " ".join(line.partition("] ")[2].partition("] ")[2] for line in lines) == written
    assert all("ME(" in line and "<string>:3" in line for line in lines)
