"""Which machines' programs run here, and which machine an image is really for."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from ci import archive, emulation
from ci.errors import CheckError
from ci.layout import Layouts
from tests.ci.fakes import SHELL, saved_image


@pytest.mark.parametrize(
    ("text", "answer"),
    [("enabled\nflags: PF\n", True), ("enabled\nflags: P\n", False), ("disabled\nflags: F\n", False), (None, False)],
)
def test_a_foreign_machine_needs_an_emulator_that_reaches_into_containers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, answer: bool
) -> None:
    monkeypatch.setattr(emulation, "BINFMT", tmp_path)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    if text is not None:
        (tmp_path / "qemu-aarch64").write_text(text, encoding="utf-8")
    assert emulation.runs("aarch64") is answer
    assert emulation.runs("x86_64")


@pytest.fixture
def store(tmp_path: Path) -> Layouts:
    """An image whose configuration and shell are for x86-64, in a layout."""
    made = Layouts(tmp_path / "store")
    saved_image(tmp_path / "saved.tar", {"usr/bin/dash": SHELL}, {})
    archive.normalise(tmp_path / "saved.tar", made, "image", 0)
    return made


def test_an_image_is_for_the_machine_that_its_shell_is_for(store: Layouts) -> None:
    emulation.check_architecture(store, "image", "x86_64")
    with pytest.raises(CheckError, match="wrong machine") as caught:
        emulation.check_architecture(store, "image", "aarch64")
    assert caught.value.got == "its configuration says amd64, its shell is for amd64"


def test_a_configuration_that_lies_is_found(store: Layouts) -> None:
    config = store.config("image") | {"architecture": "arm64"}
    blobs = [layer["digest"] for layer in store.manifest("image")["layers"]]
    store.put("lie", config, [blob for diff, blob in store.layers().items() if blob.digest in blobs])
    with pytest.raises(CheckError, match="its configuration says arm64, its shell is for amd64"):
        emulation.check_architecture(store, "lie", "aarch64")
    store.put_index("index", ["lie"])
    with pytest.raises(CheckError, match="an index names the wrong machine"):
        emulation.check_index(store, "index")


def test_an_image_without_a_shell_is_refused(store: Layouts) -> None:
    store.put("empty", store.config("image"), [])
    with pytest.raises(CheckError, match="no shell"):
        emulation.architecture_inside(store, "empty")
