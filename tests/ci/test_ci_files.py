"""Files are written whole or not at all; git tells what they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ci import files, git, paths
from ci.errors import NoSpaceError


def test_a_file_is_replaced_only_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "a" / "file"
    files.write_text(target, "old")

    def half() -> None:
        with files.replacing(target) as scratch:
            scratch.write_text("half", encoding="utf-8")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert [path.name for path in target.parent.iterdir()] == ["file"]
    assert target.read_text(encoding="utf-8") == "old"


def test_a_folder_is_replaced_only_when_complete(tmp_path: Path) -> None:
    target = tmp_path / "folder"
    with files.replacing_dir(target) as scratch:
        (scratch / "one").touch()

    def half() -> None:
        with files.replacing_dir(target) as scratch:
            (scratch / "two").touch()
            raise OSError

    with pytest.raises(OSError):  # noqa: PT011 - any error will do
        half()
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]
    assert [path.name for path in target.iterdir()] == ["one"]


def test_a_full_disk_is_refused_before_anything_starts(tmp_path: Path) -> None:
    files.need_space(tmp_path / "not" / "yet", 1, "a test")
    with pytest.raises(NoSpaceError, match="not enough disk space for a test") as caught:
        files.need_space(tmp_path / "not" / "yet", 10**9, "a test")
    assert "MiB free" in caught.value.got
    assert caught.value.exit_code == 2


def test_without_a_home_state_stays_in_the_checkout(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    monkeypatch.setattr(paths, "BUILD", tmp_path / "build")
    assert paths.state_dir() == tmp_path / "build" / "mindspore-build"


def _git(root: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, "-C", str(root), *arguments], check=True, capture_output=True)


def test_git_names_tracked_files_and_the_last_change(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    (tmp_path / ".gitignore").write_text("*.so\n", encoding="utf-8")
    (tmp_path / "b.so").touch()
    _git(tmp_path, "init", "-q")
    assert git.last_change(tmp_path, ["a.py"]) is None
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "x", "--date", "2026-01-01T00:00:00Z")
    (tmp_path / "new.py").touch()
    assert git.tracked(tmp_path, ["."]) == [".gitignore", "a.py", "new.py"]
    clean, dirty = git.last_change(tmp_path, ["a.py"]), git.last_change(tmp_path, ["."])
    assert clean is not None
    assert dirty is not None
    assert dirty.revision == f"{clean.revision}-dirty"


def test_without_git_build_products_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.py", "b.so", "__pycache__/c.pyc"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.tracked(tmp_path, ["."]) == ["a.py"]
    assert git.last_change(tmp_path, ["."]) is None
