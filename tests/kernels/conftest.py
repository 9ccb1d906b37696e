"""Compiled kernels are kept between runs in the build folder, so that a test run compiles only what changed."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _kernel_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(__file__).parents[2] / "build" / "test-cache"))
