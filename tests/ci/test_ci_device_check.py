"""The self-check inside images for devices, on made-up file systems."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

from ci.paths import ROOT


@pytest.fixture(scope="module")
def check() -> ModuleType:
    loader = SourceFileLoader("mindspore_device", str(ROOT / "docker/files/mindspore-device"))
    spec = importlib.util.spec_from_loader("mindspore_device", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


@pytest.mark.parametrize("kind", ["gpu", "ascend"])
def test_without_a_device_it_says_so_and_what_to_do(
    check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    monkeypatch.setenv("MINDSPORE_DEVICE", kind)
    assert check.main(tmp_path) == 1
    printed = capsys.readouterr().out
    assert f"no {kind} device is present" in printed
    assert "no driver of the host is visible" in printed
    assert f"MindSpore cannot use a {kind} device here" in printed
    assert ("--gpus all" if kind == "gpu" else "--device /dev/davinci0") in printed


def test_an_old_driver_is_named_with_the_one_that_is_needed(check: ModuleType, tmp_path: Path) -> None:
    _touch(tmp_path, "proc/driver/nvidia/version")
    (tmp_path / "proc/driver/nvidia/version").write_text("NVRM version: NVIDIA UNIX x86_64  470.57.02  Tue\n", "utf-8")
    assert check.driver("gpu", tmp_path, "525.60.13") == (
        False, "driver", "470.57.02 is too old", "install 525.60.13 or newer on the host"
    )  # fmt: skip
    assert check.driver("gpu", tmp_path, "470.57.02")[0]
    assert check.numbers("580.65.06") > check.numbers("58.165.6")


def test_devices_are_counted_and_missing_companions_named(check: ModuleType, tmp_path: Path) -> None:
    _touch(tmp_path, "dev/davinci0", "dev/davinci1", "dev/davinci_manager", "dev/devmm_svm")
    assert check.devices("ascend", tmp_path)[2] == "missing: /dev/hisi_hdc"
    _touch(tmp_path, "dev/hisi_hdc")
    assert check.devices("ascend", tmp_path)[:3] == (True, "device", "davinci0, davinci1")


def test_a_library_that_does_not_load_is_named(check: ModuleType, tmp_path: Path) -> None:
    found = list(check.libraries("ascend", tmp_path))
    assert found == [(False, "libascendcl.so", "not in this image", "use the image as it was published")]
    _touch(tmp_path, "usr/local/Ascend/lib64/libascendcl.so")
    ((fine, name, reason, _),) = check.libraries("ascend", tmp_path)
    assert (fine, name) == (False, "libascendcl.so")
    assert "file too short" in reason


def test_an_image_that_is_not_for_devices_is_an_error(check: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MINDSPORE_DEVICE", raising=False)
    assert check.main() == 2
