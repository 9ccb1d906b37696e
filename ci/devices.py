"""Looks whether this host can run the images for devices: driver, toolkit, device files, shared memory."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ci.engine import Runner
from ci.files import MIB

State = Literal["ok", "warning", "missing"]
SHARED_MEMORY = 1024  # MiB: loaders of data and collectives share more than the 64 MiB that engines give by default
ASCEND_FILES = ("davinci_manager", "devmm_svm", "hisi_hdc")
ASCEND_DRIVER = "usr/local/Ascend/driver"


@dataclass(frozen=True)
class Check:
    """One thing looked at: its state, what was found, and how to mend it (empty when there is nothing to mend)."""

    name: str
    state: State
    found: str
    mend: str = ""


def _version(path: Path) -> str | None:
    found = re.search(r"\d+(\.\d+)+", path.read_text(encoding="utf-8", errors="replace")) if path.exists() else None
    return found[0] if found else None


def numbers(version: str) -> tuple[int, ...]:
    """(525, 60, 13) for "525.60.13": versions compare by their numbers."""
    return tuple(int(part) for part in re.findall(r"\d+", version))


def check_driver(name: str, version: str | None, oldest: str) -> Check:
    """The host's driver against the oldest that a stack runs with."""
    if version is None:
        return Check(name, "missing", "no driver", f"install the vendor's driver, {oldest} or newer")
    if numbers(version) < numbers(oldest):
        return Check(name, "missing", f"{version} is too old", f"install {oldest} or newer")
    return Check(name, "ok", version)


def check_gpu(root: Path, runner: Runner, oldest: str) -> list[Check]:
    """What `docker run --gpus all` needs; nothing where there is no NVIDIA device to look after."""
    if not list((root / "dev").glob("nvidia[0-9]*")):
        return [Check("gpu", "ok", "no NVIDIA device: images for GPUs build here and run elsewhere")]
    checks = [check_driver("NVIDIA driver", _version(root / "proc/driver/nvidia/version"), oldest)]
    toolkit = runner.find("nvidia-container-runtime") or runner.find("nvidia-ctk")
    mend = "apt-get install nvidia-container-toolkit, then nvidia-ctk runtime configure --runtime=docker"
    checks.append(
        Check("NVIDIA toolkit", "ok", toolkit) if toolkit else Check("NVIDIA toolkit", "missing", "absent", mend)
    )
    return [*checks, _daemon(root), check_shared_memory(root)]


def _daemon(root: Path) -> Check:
    """Whether docker knows the toolkit's runtime; `--gpus all` then does what `--privileged` would do too much of."""
    path = root / "etc/docker/daemon.json"
    try:
        runtimes = json.loads(path.read_text(encoding="utf-8")).get("runtimes", {}) if path.exists() else {}
    except ValueError:
        return Check("daemon.json", "missing", "it is not JSON", f"mend {path}")
    if "nvidia" in runtimes:
        return Check("daemon.json", "ok", "names the nvidia runtime")
    return Check("daemon.json", "warning", "no nvidia runtime", "nvidia-ctk runtime configure --runtime=docker")


def check_shared_memory(root: Path) -> Check:
    path = root / "dev/shm"
    size = shutil.disk_usage(path).total // MIB if path.exists() else 0
    if size < SHARED_MEMORY:
        return Check("/dev/shm", "warning", f"{size} MiB", "run images with --shm-size=1g or more")
    return Check("/dev/shm", "ok", f"{size} MiB")


def check_ascend(root: Path, oldest: str) -> list[Check]:
    """The device files and the driver's folder that are mounted into Ascend images."""
    if not list((root / "dev").glob("davinci[0-9]*")):
        return [Check("ascend", "ok", "no Ascend device: its images are rendered here and run elsewhere")]
    absent = [f"/dev/{name}" for name in ASCEND_FILES if not (root / "dev" / name).exists()]
    mend = "load the driver's kernel modules, then look into dmesg"
    files = (
        Check("Ascend files", "missing", f"absent: {', '.join(absent)}", mend)
        if absent
        else Check("Ascend files", "ok", "all there")
    )
    driver = check_driver("Ascend driver", _version(root / ASCEND_DRIVER / "version.info"), oldest)
    smi = (root / "usr/local/bin/npu-smi").exists()
    tool = (
        Check("npu-smi", "ok", "there")
        if smi
        else Check("npu-smi", "warning", "absent", "it comes with the driver's package")
    )
    return [files, driver, tool]
