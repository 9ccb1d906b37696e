"""The sanitizer task: what it builds, what it imports from, and what it says when something is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci import sanitizers
from ci.engine import Result
from ci.errors import MissingPartError, UsageError
from tests.ci.fakes import FakeRunner


@pytest.fixture(name="root")
def project(tmp_path: Path) -> Path:
    package = tmp_path / "framework" / "mindspore"
    package.mkdir(parents=True)
    for name in ("__init__.py", "_native.cpython-311.so", "_native.pyi"):
        (package / name).write_text(name)
    return tmp_path


def runner(tmp_path: Path, library: str) -> FakeRunner:
    made = FakeRunner(tmp_path / "logs", ["ninja"])

    def build(argv: list[str]) -> None:
        folder = Path(argv[-1])
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "_native.cpython-311.so").write_text("sanitized")

    made.effects = {"cmake --build": build, "g++": lambda argv: Result(0, f"{library}\n")}
    return made


def test_the_overlay_holds_the_sources_and_the_sanitized_module(root: Path, tmp_path: Path) -> None:
    fake = runner(tmp_path, "/usr/lib/libtsan.so")
    for _ in range(2):
        folder = sanitizers.build(fake, "thread", root)
    assert (folder / "mindspore" / "__init__.py").resolve() == root / "framework" / "mindspore" / "__init__.py"
    assert (folder / "mindspore" / "_native.pyi").read_text() == "_native.pyi"
    assert (folder / "mindspore" / "_native.cpython-311.so").read_text() == "sanitized"
    assert (root / "framework" / "mindspore" / "_native.cpython-311.so").read_text() == "_native.cpython-311.so"
    assert any("-DMS_SANITIZE=thread" in command for command in fake.commands)


def test_the_library_is_loaded_before_python(root: Path, tmp_path: Path) -> None:
    assert (
        sanitizers.preload(runner(tmp_path, "/usr/lib/libasan.so"), "address")
        == "/usr/lib/libasan.so:/usr/lib/libasan.so"
    )


def test_a_compiler_without_the_library_is_named(root: Path, tmp_path: Path) -> None:
    # gcc answers with the bare name of a file that it does not find
    with pytest.raises(MissingPartError, match=r"the compiler has no libasan\.so"):
        sanitizers.preload(runner(tmp_path, "libasan.so"), "address")


def test_an_unknown_sanitizer_is_refused(root: Path, tmp_path: Path) -> None:
    fake = runner(tmp_path, "/usr/lib/libasan.so")
    with pytest.raises(UsageError, match="there is no sanitizer 'memory'"):
        sanitizers.run_tests(fake, "memory", root)
    assert fake.commands == []
