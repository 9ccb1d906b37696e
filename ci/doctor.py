"""Looks at the machine: what building and running needs, in which state it is, and how to mend it."""

from __future__ import annotations

import platform
import shutil
import sys
from pathlib import Path

from ci import devices, emulation, engines, report, system
from ci.devices import Check, State
from ci.engine import Runner
from ci.errors import NoEngineError
from ci.files import MIB
from ci.paths import MANIFEST, ROOT, cache_dir
from release.model import Manifest, load_manifest

BUILD_SPACE = 12_000
OLDEST_PYTHON = (3, 11)
NEWEST_TESTED = (3, 13)

# The x86-64 psABI levels, each with the flags that it adds, as /proc/cpuinfo spells them.
LEVELS = (
    ("x86-64-v2", {"cx16", "lahf_lm", "popcnt", "pni", "sse4_1", "sse4_2", "ssse3"}),
    ("x86-64-v3", {"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "abm", "movbe", "xsave"}),
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
)


def isa_level(flags: set[str]) -> str:
    """The highest x86-64 level whose flags, and those of the levels below, are all there."""
    level = "x86-64"
    for name, needed in LEVELS:
        if not needed <= flags:
            break
        level = name
    return level


def cpu_flags(cpuinfo: str) -> set[str]:
    """The flags of the first processor in the text of /proc/cpuinfo."""
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        if key.strip() in ("flags", "Features"):
            return set(value.split())
    return set()


def check_cpu(machine: str, cpuinfo: str) -> Check:
    if machine == "aarch64":
        return Check("cpu", "ok", "aarch64 with NEON")
    if machine != "x86_64":
        return Check("cpu", "missing", machine, "use an x86-64 or aarch64 machine")
    level = isa_level(cpu_flags(cpuinfo))
    if level == "x86-64":
        mend = "a processor of the level x86-64-v2 (SSE4.2) is needed; in a virtual machine pass the host's model on"
        return Check("cpu", "missing", level, mend)
    return Check("cpu", "ok", f"{level}, kernels of that level are used")


def check_python(version: tuple[int, int]) -> Check:
    text = ".".join(map(str, version))
    if version < OLDEST_PYTHON:
        return Check("python", "missing", text, "install Python 3.11 or later")
    if version > NEWEST_TESTED:
        return Check("python", "warning", f"{text}, newer than what is tested", "prefer Python 3.11 to 3.13")
    return Check("python", "ok", text)


def check_disk(name: str, path: Path) -> Check:
    free = shutil.disk_usage(path).free // MIB
    state: State = "ok" if free >= BUILD_SPACE else "warning"
    mend = "" if state == "ok" else f"building everything takes about {BUILD_SPACE} MiB: free some space"
    return Check(name, state, f"{free} MiB free at {path}", mend)


def check_engine(runner: Runner) -> list[Check]:
    try:
        found = engines.detect(runner)
    except NoEngineError as refusal:
        return [Check("engine", "missing", refusal.got, refusal.fix)]
    checks = [Check("engine", "ok", f"{found.name} {found.version()}")]
    root = found.data_root()
    return [*checks, check_disk("engine disk", root)] if root and root.exists() else checks


def check_parts(runner: Runner) -> list[Check]:
    install = "run `python3 tasks.py setup` as root, or install "
    return [
        Check(part.name, "ok", "present")
        if part.present
        else Check(part.name, "missing", "absent", install + (" ".join(part.packages) or "it for this Python"))
        for part in system.parts(runner)
    ]


def check_foreign() -> Check:
    """Whether images of the other architecture can be built and tested here."""
    other = "x86_64" if platform.machine() == "aarch64" else "aarch64"
    if emulation.runs(other):
        return Check("emulation", "ok", f"{other} programs run")
    return Check("emulation", "warning", f"{other} programs do not run: its images are only rendered", emulation.MEND)


def check_devices(runner: Runner, known: Manifest, root: Path = Path("/")) -> list[Check]:
    """Whether images for GPUs and Ascend devices would run here; the least demanding stack decides."""
    drivers = {name: [stack.driver for stack in row.stack.values()] for name, row in known.hardware.items()}
    oldest = {name: min(found, key=devices.numbers) for name, found in drivers.items() if found}
    return [*devices.check_gpu(root, runner, oldest["gpu"]), *devices.check_ascend(root, oldest["ascend"])]


def examine(runner: Runner) -> list[Check]:
    """All checks, each on its own: one that fails does not hide the others."""
    cpuinfo = Path("/proc/cpuinfo")
    return [
        Check("system", "ok", system.os_release().get("PRETTY_NAME", platform.platform())),
        check_cpu(platform.machine(), cpuinfo.read_text(encoding="utf-8") if cpuinfo.exists() else ""),
        check_python((sys.version_info.major, sys.version_info.minor)),
        check_disk("disk", ROOT),
        check_disk("cache disk", cache_dir("")),
        *check_engine(runner),
        *check_parts(runner),
        check_foreign(),
        *check_devices(runner, load_manifest(MANIFEST)),
    ]


def text(checks: list[Check]) -> str:
    rows = [(check.state, check.name, check.found, check.mend) for check in checks]
    return report.table(("state", "what", "found", "how to mend"), rows)
