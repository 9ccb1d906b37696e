"""The way from a bare Python into the project's environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from ci import bootstrap
from ci.engine import Result
from ci.errors import MissingPartError, ProjectFileError
from tests.ci.fakes import FakeRunner


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that does not exist yet, and fakes for what would make it."""
    folder = tmp_path / ".venv"
    monkeypatch.setattr(bootstrap, "VENV", folder)
    monkeypatch.setattr(bootstrap, "PYTHON", folder / "bin" / "python")
    monkeypatch.setattr(bootstrap, "STAMP", folder / "stamp.json")
    return folder


def test_tasks_name_the_groups_that_they_need() -> None:
    assert bootstrap.groups_for(["setup", "build", "--target", "cpu"]) == ("tasks",)
    assert bootstrap.groups_for(["setup", "test"]) == ("tasks", "project", "publish", "test")


def test_requirements_come_from_the_project_file(tmp_path: Path) -> None:
    found = bootstrap.requirements(("tasks", "project", "build", "test"))
    assert any(line.startswith("invoke") for line in found["tasks"])
    assert any(line.startswith("numpy") for line in found["project"])
    assert any(line.startswith("scikit-build-core") for line in found["build"])
    broken = tmp_path / "pyproject.toml"
    broken.write_text("[project\n", encoding="utf-8")
    with pytest.raises(ProjectFileError, match="cannot be used") as caught:
        bootstrap.requirements(("tasks",), broken)
    assert str(broken) in caught.value.where


def test_groups_are_installed_once_per_state(venv: Path, runner: FakeRunner) -> None:
    bootstrap.install_groups(runner, ("tasks",))
    assert runner.work.downloads == 1
    bootstrap.install_groups(runner, ("tasks",))
    assert runner.work.downloads == 1
    bootstrap.STAMP.write_text(json.dumps({"tasks": "another digest"}), encoding="utf-8")
    bootstrap.install_groups(runner, ("tasks",))
    assert runner.work.downloads == 2


def test_a_working_environment_is_left_alone(venv: Path, runner: FakeRunner) -> None:
    bootstrap.PYTHON.parent.mkdir(parents=True)
    bootstrap.PYTHON.touch()
    runner.effects["-c import pip"] = lambda argv: Result(0, "3 11\n")
    bootstrap.ensure_environment(runner, may_install=False)
    assert bootstrap.PYTHON.exists()


def test_a_broken_environment_is_made_anew(venv: Path, runner: FakeRunner) -> None:
    bootstrap.PYTHON.parent.mkdir(parents=True)
    bootstrap.PYTHON.touch()
    runner.effects["-c import pip"] = lambda argv: Result(1, "")
    bootstrap.ensure_environment(runner, may_install=False)
    assert any("venv" in command for command in runner.commands)


def test_a_python_without_venv_is_explained(venv: Path, runner: FakeRunner) -> None:
    runner.effects["-c import ensurepip"] = lambda argv: Result(1, "")
    with pytest.raises(MissingPartError, match="venv module is missing") as caught:
        bootstrap.ensure_environment(runner, may_install=False)
    assert "setup" in caught.value.fix


def test_an_interrupted_environment_does_not_stay(venv: Path, runner: FakeRunner) -> None:
    def interrupt(argv: list[str]) -> Result:
        venv.mkdir()
        raise KeyboardInterrupt

    runner.effects["-m venv"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        bootstrap.ensure_environment(runner, may_install=False)
    assert not venv.exists()


def test_entering_replaces_the_process(venv: Path, runner: FakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(bootstrap, "Runner", lambda: runner)
    monkeypatch.setattr(os, "execve", lambda path, argv, environment: started.append(argv))
    bootstrap.enter(["doctor", "--json"])
    assert started[0][1:] == ["-m", "ci.program", "doctor", "--json"]


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 0))
    with pytest.raises(SystemExit, match="or later is needed"):
        bootstrap.enter([])


def test_errors_end_the_process_with_their_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(words: list[str]) -> None:
        raise MissingPartError("nothing here")

    monkeypatch.setattr(bootstrap, "enter", refuse)
    with pytest.raises(SystemExit) as caught:
        bootstrap.main([])
    assert caught.value.code == 2
