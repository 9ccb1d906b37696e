"""The native tests under a sanitizer of the compiler: a build of its own in ``build/NAME``, beside the sources and not in their place."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from ci import bootstrap
from ci.engine import Runner
from ci.errors import MissingPartError, UsageError
from ci.paths import ROOT

LIBRARIES: Mapping[str, str] = {"address": "libasan.so", "undefined": "libubsan.so", "thread": "libtsan.so"}
TESTS = "tests/native"
OPTIONS = {
    # what the interpreter holds when it ends is no leak of ours
    "ASAN_OPTIONS": "detect_leaks=0",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    # a test forks while threads run, on purpose
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=66:die_after_fork=0:report_signal_unsafe=0",
}


def build(runner: Runner, kind: str, root: Path = ROOT) -> Path:
    """The folder to import from: the sources with a native module that has the sanitizer."""
    folder = root / "build" / kind
    generator = ["-G", "Ninja"] if runner.find("ninja") else []
    configure = ["cmake", "-S", str(root / "framework" / "native"), "-B", str(folder), *generator]
    configure += [f"-DMS_SANITIZE={kind}", f"-DPython_EXECUTABLE={sys.executable}"]
    runner.run(configure, log=f"sanitize-{kind}")
    runner.run(["cmake", "--build", str(folder)], kind="compilers", log=f"sanitize-{kind}")
    (module,) = folder.glob("_native*.so")
    package = folder / "overlay" / "mindspore"
    package.mkdir(parents=True, exist_ok=True)
    wanted = {
        p.name: p
        for p in (root / "framework" / "mindspore").iterdir()
        if not p.name.startswith(("_native.cp", "__pycache__"))
    }
    for name, path in {**wanted, module.name: module}.items():
        link = package / name
        if not link.is_symlink():
            link.symlink_to(os.path.relpath(path, package))
    return package.parent


def preload(runner: Runner, kind: str) -> str:
    """The sanitizer's library, which must be in the process before Python; MissingPartError where the compiler has none."""
    found = runner.read(["g++", f"-print-file-name={LIBRARIES[kind]}"]).stdout.strip()
    if not os.path.isabs(found):
        raise MissingPartError(f"the compiler has no {LIBRARIES[kind]}", fix="install it: gcc brings it on Debian")
    # exceptions that the sanitizer intercepts need the C++ library there as well
    return f"{found}:{runner.read(['g++', '-print-file-name=libstdc++.so.6']).stdout.strip()}"


def run_tests(runner: Runner, kind: str, root: Path = ROOT) -> int:
    """Build, then run the native tests; pytest's exit code."""
    if kind not in LIBRARIES:
        raise UsageError(f"there is no sanitizer {kind!r}", expected=", ".join(LIBRARIES), got=kind)
    bootstrap.install_groups(runner, ("build", "test"))
    folder = build(runner, kind, root)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-o",
        f"pythonpath={folder} {root}",
        TESTS,
    ]
    return runner.show(command, cwd=root, env={**OPTIONS, "LD_PRELOAD": preload(runner, kind)})
