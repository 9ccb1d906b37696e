"""Credentials come from the environment or from private files, and are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci.errors import UsageError
from ci.publish.credentials import load


def test_each_identity_has_its_own(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("from a file\n", encoding="utf-8")
    file.chmod(0o600)
    environment = {
        "MINDSPORE_STAGE_REGISTRY_USER": "stager",
        "MINDSPORE_STAGE_REGISTRY_PASSWORD": "secret",
        "MINDSPORE_PUBLISH_REGISTRY_USER": "publisher",
        "MINDSPORE_PUBLISH_REGISTRY_PASSWORD_FILE": str(file),
    }
    stage, publish = load("stage", "registry", environment), load("publish", "registry", environment)
    assert stage is not None
    assert publish is not None
    assert (stage.user, stage.secret) == ("stager", "secret")
    assert (publish.user, publish.secret) == ("publisher", "from a file")
    assert "secret" not in repr(stage)
    assert load("publish", "store", environment) is None


def test_half_of_a_pair_is_refused() -> None:
    with pytest.raises(UsageError, match="MINDSPORE_STAGE_STORE_PASSWORD_FILE is set"):
        load("stage", "store", {"MINDSPORE_STAGE_STORE_USER": "somebody"})
    with pytest.raises(UsageError, match="MINDSPORE_STAGE_STORE_USER is set"):
        load("stage", "store", {"MINDSPORE_STAGE_STORE_PASSWORD": "something"})


def test_a_password_file_is_private_and_there(tmp_path: Path) -> None:
    file = tmp_path / "password"
    name = "MINDSPORE_STAGE_REGISTRY_PASSWORD_FILE"
    with pytest.raises(UsageError, match="No such file"):
        load("stage", "registry", {name: str(file)})
    file.write_text("open", encoding="utf-8")
    file.chmod(0o644)
    with pytest.raises(UsageError, match=f"chmod 600 {file}"):
        load("stage", "registry", {name: str(file)})
