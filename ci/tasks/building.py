"""Tasks that build, test, run and look at this machine."""

from __future__ import annotations

import sys
from typing import Any

from ci.cli import JSON, command


@command(json=JSON)
def setup(_: Any, json: bool = False) -> None:
    """Install and start what building and testing need from the system (as root on Debian or Ubuntu).

    Example: python3 tasks.py setup build --target cpu
    """
    from ci import commands

    commands.setup(json)


@command(
    target="the hardware: cpu, gpu or ascend",
    os="the system of the images, such as debian12, or all",
    arch="x86_64, aarch64 or all",
    python="the images' Python, such as 3.11, or all",
    kind="devel, runtime or release (default: all three)",
    stack="the vendor's libraries, such as cuda13, or all",
    json=JSON,
)
def build(
    _: Any,
    target: str = "cpu",
    os: str | None = None,
    arch: str | None = None,
    python: str | None = None,
    kind: str | None = None,
    stack: str | None = None,
    json: bool = False,
) -> None:
    """Build the wheel and the images of a target; what did not change is left alone.

    Example: python3 tasks.py build --target cpu --kind runtime
    """
    from ci import commands

    commands.build(target, {"os": os, "arch": arch, "python": python, "kind": kind, "stack": stack}, json)


@command("path", path="run only this test file or folder (repeatable)", images="leave the images out with --no-images")
def run_tests(_: Any, path: list[str], images: bool = True) -> None:
    """Build what the tests need, then run all of them, linters included; the last line is pytest's summary.

    Example: python3 tasks.py test --path tests/ci --no-images
    """
    from ci import commands

    sys.exit(commands.test(path, images))


@command(command="what to run (default: the image's self-check)", image="the image (default: mindspore-cpu)")
def run(_: Any, command: str = "", image: str = "") -> None:
    """Run a command in an image of this machine.

    Example: python3 tasks.py run --command bash
    """
    from ci import commands

    sys.exit(commands.run(command, image))


@command(check="only say which files differ, and exit 1 if any does", json=JSON)
def generate(_: Any, check: bool = False, json: bool = False) -> None:
    """Write the files that follow from the manifest and the templates.

    Example: python3 tasks.py generate --check
    """
    from ci import commands

    commands.drift(check, json)


@command(json=JSON)
def doctor(_: Any, json: bool = False) -> None:
    """Look at this machine: engine, disk, processor, Python; each with its state and the way to mend it.

    Example: python3 tasks.py doctor --json
    """
    from ci import commands

    commands.doctor(json)


@command(kind="the sanitizer: address, undefined or thread")
def sanitize(_: Any, kind: str = "address") -> None:
    """Run the native tests on a build with a sanitizer of the compiler.

    Example: python3 tasks.py sanitize --kind thread
    """
    from ci import commands

    sys.exit(commands.sanitize(kind))


@command(json=JSON)
def lint(_: Any, json: bool = False) -> None:
    """Run ruff, mypy and clang-format over the sources.

    Example: python3 tasks.py lint
    """
    from ci import commands

    commands.lint(json)
