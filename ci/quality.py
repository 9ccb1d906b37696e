"""The linters, each as one check with its output: ruff, ruff's formatter, mypy, clang-format."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from ci import git
from ci.engine import Runner
from ci.paths import ROOT

PYTHON_SOURCES = ["tasks.py", "ci", "release", "framework/mindspore", "tests", "benchmarks", "examples", "docs"]
TYPED_SOURCES = ["tasks.py", "ci", "release", "framework/mindspore", "tests"]
NATIVE_SUFFIXES = (".h", ".hpp", ".c", ".cc", ".cpp")


@dataclass(frozen=True)
class Finding:
    """A linter's verdict and what it printed."""

    name: str
    passed: bool
    output: str


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _present(root: Path, names: list[str]) -> list[str]:
    """Of these sources, those that exist and hold Python."""
    return [name for name in names if any(file.endswith(".py") for file in git.tracked(root, [name]))]


def commands(root: Path = ROOT) -> dict[str, list[str]]:
    """Each linter's command line; clang-format is absent where there is nothing native."""
    sources = _present(root, PYTHON_SOURCES)
    native = [name for name in git.tracked(root, ["framework/native"]) if name.endswith(NATIVE_SUFFIXES)]
    known = {
        "ruff": [_tool("ruff"), "check", *sources],
        "ruff format": [_tool("ruff"), "format", "--check", *sources],
        "mypy": [_tool("mypy"), *_present(root, TYPED_SOURCES)],
    }
    if native:
        known["clang-format"] = [_tool("clang-format"), "--dry-run", "-Werror", *native]
    return known


def lint(runner: Runner, names: list[str] | None = None, root: Path = ROOT) -> list[Finding]:
    """Run the linters (all, or those named)."""
    findings = []
    for name, command in commands(root).items():
        if names is None or name in names:
            done = runner.read(command, cwd=root)
            findings.append(Finding(name, done.code == 0, (done.stdout + done.stderr).strip()))
    return findings
