"""The git hooks, in real repositories, with the real guards behind them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ci import git, hooks
from ci.errors import UsageError
from ci.paths import ROOT

TASKS = f"""import sys
sys.path.insert(0, {str(ROOT)!r})
from ci import branch_commands, cli, program
words = program.with_branch(sys.argv[1:])
branch = words[words.index("--branch") + 1] if "--branch" in words else None
tag = words[words.index("--tag") + 1] if "--tag" in words else None
cli.guarded(branch_commands.guard, branch, "--change" in words, tag, "2026-11-22", False)
"""


def run(folder: Path, *words: str, ok: bool = True) -> str:
    done = subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is ok, done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone of a bare repository, with release branches, a side branch, and the hooks."""
    folder = tmp_path / "clone"
    run(tmp_path, "init", "--quiet", "--bare", "remote.git")
    run(tmp_path, "clone", "--quiet", "remote.git", "clone")
    (folder / "bin").mkdir()
    (folder / "bin" / "python3").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{folder / 'bin'}:/usr/bin:/bin")
    run(folder, "config", "user.email", "a@example.org")
    run(folder, "config", "user.name", "A")
    (folder / "tasks.py").write_text(TASKS, encoding="utf-8")
    run(folder, "add", "tasks.py")
    run(folder, "commit", "--quiet", "-m", "first")
    for branch in ("r1.5", "r2.0", "topic"):
        run(folder, "branch", branch)
    run(folder, "checkout", "--quiet", "topic")
    run(folder, "commit", "--quiet", "--allow-empty", "-m", "second")
    assert [path.name for path in hooks.install(folder)] == ["pre-push", "pre-merge-commit"]
    return folder


def test_pushes_follow_the_guards(clone: Path) -> None:
    run(clone, "push", "--quiet", "origin", "topic")
    run(clone, "push", "--quiet", "origin", "topic:r2.0")
    refused = run(clone, "push", "origin", "topic:r1.5", ok=False)
    assert "r1.5 is in EOL as of 2026-11-22: it takes no changes" in refused
    assert "Traceback" not in refused
    assert run(clone, "ls-remote", "origin", "r1.5") == ""


def test_tags_follow_the_guards(clone: Path) -> None:
    for tag in ("v2.0.0rc1", "2.0.0", "nightly"):
        run(clone, "tag", tag)
    run(clone, "push", "--quiet", "origin", "v2.0.0rc1", "nightly")
    assert "2.0.0 is none" in run(clone, "push", "origin", "2.0.0", ok=False)


def test_merges_follow_the_guards(clone: Path) -> None:
    run(clone, "checkout", "--quiet", "r1.5")
    assert "r1.5 is in EOL" in run(clone, "merge", "--no-ff", "--no-edit", "topic", ok=False)
    run(clone, "merge", "--abort")
    run(clone, "checkout", "--quiet", "r2.0")
    run(clone, "merge", "--quiet", "--no-ff", "--no-edit", "topic")


def test_hooks_are_installed_again_but_never_over_others(clone: Path, tmp_path: Path) -> None:
    assert len(hooks.install(clone)) == 2
    other = git.hooks(clone)
    assert other is not None
    (other / "pre-push").write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
    with pytest.raises(UsageError, match="another hook is there already"):
        hooks.install(clone)
    with pytest.raises(UsageError, match="git checkout"):
        hooks.install(tmp_path)
