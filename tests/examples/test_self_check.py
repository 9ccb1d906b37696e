"""``python -m mindspore``."""

from __future__ import annotations

import json
from typing import Any

import pytest

import mindspore as ms
from mindspore import __main__ as self_check
from tests.examples.test_examples import run

pytestmark = pytest.mark.compiler


def test_it_reports_and_succeeds() -> None:
    done = run("-m", "mindspore")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"MindSpore version: {ms.__version__}" in done.stdout
    assert "[1 2 3] * [4 5 6] = [ 4. 10. 18.]" in done.stdout
    assert "verdict: MindSpore is installed correctly." in done.stdout


def test_json() -> None:
    done = run("-m", "mindspore", "--json")
    found = json.loads(done.stdout)
    assert found["ok"] is True
    assert found["product"] == "[ 4. 10. 18.]"
    assert found["version"] == ms.__version__
    assert found["isa"] in ("v2", "v3", "v4", "neon")


@pytest.mark.parametrize("outcome", ["[ 4. 10. 19.]", RuntimeError("no kernel")])
def test_a_wrong_product_fails(
    outcome: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def product() -> str:
        if isinstance(outcome, Exception):
            raise outcome
        return str(outcome)

    monkeypatch.setattr(self_check, "product", product)
    assert self_check.main([]) == 1
    assert "does not work here" in capsys.readouterr().out


def test_the_version_is_the_manifests() -> None:
    assert ms.__version__ == "2.0.0.dev0"
