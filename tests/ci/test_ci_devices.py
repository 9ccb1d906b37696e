"""The host's preflight for devices, on made-up hosts."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci import devices, doctor
from release.model import Manifest
from tests.ci.fakes import FakeRunner


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with both kinds of devices and all that they need."""
    files = {
        "dev/nvidia0": "",
        "dev/davinci0": "",
        **{f"dev/{name}": "" for name in devices.ASCEND_FILES},
        "proc/driver/nvidia/version": "NVRM version: NVIDIA UNIX  580.65.06  Sun",
        "usr/local/Ascend/driver/version.info": "Version=24.1.rc2\n",
        "usr/local/bin/npu-smi": "",
        "etc/docker/daemon.json": '{"runtimes": {"nvidia": {}}}',
    }
    for name, text in files.items():
        path = tmp_path / "host" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path / "host"


def _states(host: Path, manifest: Manifest, programs: list[str]) -> dict[str, devices.Check]:
    runner = FakeRunner(host.parent / "logs", programs)
    return {check.name: check for check in doctor.check_devices(runner, manifest, host)}


def test_a_host_that_has_everything(host: Path, manifest: Manifest) -> None:
    found = _states(host, manifest, ["nvidia-ctk"])
    assert {name: check.state for name, check in found.items() if name != "/dev/shm"} == {
        "NVIDIA driver": "ok",
        "NVIDIA toolkit": "ok",
        "daemon.json": "ok",
        "Ascend files": "ok",
        "Ascend driver": "ok",
        "npu-smi": "ok",
    }


def test_everything_that_lacks_says_how_to_mend_it(host: Path, manifest: Manifest) -> None:
    (host / "dev/devmm_svm").unlink()
    (host / "usr/local/bin/npu-smi").unlink()
    (host / "usr/local/Ascend/driver/version.info").write_text("Version=23.0.1\n", encoding="utf-8")
    (host / "proc/driver/nvidia/version").unlink()
    (host / "etc/docker/daemon.json").write_text("{}", encoding="utf-8")
    found = _states(host, manifest, [])
    assert all(check.state != "ok" and check.mend for check in found.values())
    assert found["Ascend files"].found == "absent: /dev/devmm_svm"
    assert found["Ascend driver"].found == "23.0.1 is too old"
    assert "525.60.13" in found["NVIDIA driver"].mend
    (host / "etc/docker/daemon.json").write_text("{", encoding="utf-8")
    assert _states(host, manifest, [])["daemon.json"].state == "missing"


def test_a_host_without_devices_misses_nothing(tmp_path: Path, manifest: Manifest) -> None:
    found = _states(tmp_path, manifest, [])
    assert {check.state for check in found.values()} == {"ok"}
    assert set(found) == {"gpu", "ascend"}


def test_shared_memory_is_measured(tmp_path: Path) -> None:
    assert devices.check_shared_memory(tmp_path).found == "0 MiB"
    (tmp_path / "dev/shm").mkdir(parents=True)
    assert devices.check_shared_memory(tmp_path).found != "0 MiB"
