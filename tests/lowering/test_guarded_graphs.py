"""Compiled graphs touch nothing beside their slots and what kernels ask for: run between guard pages, in a process apart."""

from __future__ import annotations

import os

import pytest

from tests.kernels.test_guard_pages import guarded
from tests.lowering.guarded_graphs import FIXED

pytestmark = pytest.mark.compiler
COUNT = int(os.environ.get("MS_FUZZ", "0")) or 60
"""Random graphs, besides training steps, convolutions and attention with their gradients."""


def test_random_graphs() -> None:
    done = guarded("-m", "tests.lowering.guarded_graphs", str(COUNT), "7")
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    assert done.stdout.splitlines()[-1] == f"done {COUNT + len(FIXED)}"
