"""Notes in a checkout, and wheels that are asked for their names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci import notes
from ci.engine import Runner
from ci.errors import CommandError, UsageError
from tests.ci.wheel_files import write_wheel

METADATA = b"Metadata-Version: 2.4\nName: mindspore\nVersion: {}\nRequires-Dist: numpy>=2.0\n"


def wheel(folder: Path, version: str, functions: str) -> Path:
    path = folder / f"mindspore-{version}-cp311-cp311-linux_x86_64.whl"
    empty = b"__all__ = []\n"
    write_wheel(
        path,
        {
            "mindspore/__init__.py": functions.encode(),
            "mindspore/nn.py": b"__all__ = ['Cell']\nclass Cell:\n    def construct(self, x): ...\n    def _own(self): ...\n",
            "mindspore/ops.py": empty,
            "mindspore/common/__init__.py": b"",
            "mindspore/common/initializer.py": empty,
            f"mindspore-{version}.dist-info/METADATA": METADATA.replace(b"{}", version.encode()),
        },
    )
    return path


def test_two_wheels_are_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = wheel(tmp_path, "2.0.0rc1", "__all__ = ['f', 'g', 'N']\nN = 1\ndef f(x): ...\ndef g(a=object()): ...\n")
    new = wheel(tmp_path, "2.0.0", "__all__ = ['f', 'g']\ndef f(x, y=2): ...\ndef g(a=object()): ...\n")
    found = notes.build(Runner(tmp_path / "logs"), old)
    assert found.api["mindspore.nn.Cell.construct"] == "(self, x)"
    assert found.api["mindspore.N"] == ""
    assert "mindspore.nn.Cell._own" not in found.api
    assert found.requires == ("numpy>=2.0",)
    notes.show_differences(old, new, True)
    data = json.loads(capsys.readouterr().out)
    assert data["api"] == {
        "added": [],
        "removed": ["mindspore.N"],
        "changed": {"mindspore.f": ["(x)", "(x, y=2)"]},
    }


def test_what_is_no_wheel_or_cannot_be_imported_is_named(tmp_path: Path) -> None:
    runner = Runner(tmp_path / "logs")
    with pytest.raises(UsageError, match="not a wheel"):
        notes.build(runner, tmp_path / "nothing.whl")
    (tmp_path / "text.whl").write_text("text", encoding="utf-8")
    with pytest.raises(UsageError, match="not a wheel"):
        notes.build(runner, tmp_path / "text.whl")
    with pytest.raises(CommandError, match="NameError"):
        notes.build(runner, wheel(tmp_path, "2.0.0", "broken\n"))


def test_fragments_are_merged_on_confirmation_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "release" / "fragments"
    folder.mkdir(parents=True)
    (folder / "x.framework.md").write_text("A point.\n", encoding="utf-8")
    page = tmp_path / "RELEASE.md"
    page.write_text("# Release notes\n\n## 1.0\n", encoding="utf-8")
    notes.merge(False, False, tmp_path)
    assert capsys.readouterr().out == "framework: A point.\n"
    assert "A point" not in page.read_text(encoding="utf-8")
    notes.merge(True, True, tmp_path)
    assert "## 2.0.0.dev0\n\n**Framework**\n\n- A point.\n\n## 1.0" in page.read_text(encoding="utf-8")
    assert list(folder.iterdir()) == []


def test_one_wheel_alone_is_not_compared() -> None:
    with pytest.raises(UsageError, match="one wheel alone"):
        notes.answer("old.whl", None, False, True)
