"""The Pythons of this machine, their environments, and who builds the wheel of which."""

from __future__ import annotations

import platform
import sys
from pathlib import Path

import pytest

from ci import engines, evidence, images, pythons, testing
from ci.engine import Result, RunRequest
from ci.errors import CheckError, MissingPartError, UsageError
from ci.shop import Shop
from ci.wheelhouse import Lock
from release.matrix import wheel_name
from tests.ci.fakes import FakeEngine, FakeRunner
from tests.ci.wheel_files import write_wheel

LOCK = Lock("3.13", "x86_64", "runtime")


@pytest.fixture
def pyenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A pyenv with two releases of 3.13, and this machine's being one that is known."""
    for release in ("3.13.0", "3.13.2", "3.12.1"):
        binary = tmp_path / "pyenv/versions" / release / "bin" / f"python{release.rpartition('.')[0]}"
        binary.parent.mkdir(parents=True)
        binary.touch()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    monkeypatch.setattr(pythons, "THIS", "3.11")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    return tmp_path / "pyenv/versions"


def test_a_python_is_found_where_it_works(runner: FakeRunner, pyenv: Path) -> None:
    runner.programs.add("python3.13")
    runner.effects["/usr/bin/python3.13"] = lambda argv: Result(127, "", "pyenv: command not found")
    runner.effects[str(pyenv / "3.13.2")] = lambda argv: Result(0, "3.13\n")
    assert pythons.find(runner, "3.13") == str(pyenv / "3.13.2/bin/python3.13")
    assert pythons.find(runner, "3.12") is None  # it answers nothing
    assert pythons.find(runner, "3.11") == sys.executable


def test_an_environment_holds_the_locked_packages_and_is_made_once(
    shop: Shop, runner: FakeRunner, pyenv: Path, tmp_path: Path
) -> None:
    runner.effects[str(pyenv / "3.13.2")] = lambda argv: Result(0, "3.13\n")
    made = [pythons.environment(runner, LOCK, tmp_path / "made", shop.root) for _ in range(2)]
    assert made == [tmp_path / "made/bin/python"] * 2
    installs = [words for words in runner.commands if "install" in words]
    assert len(installs) == 1
    assert {"--no-index", "--no-deps", "--require-hashes"} < set(installs[0])
    (shop.root / LOCK.path).write_text("# another\n", encoding="utf-8")
    pythons.environment(runner, LOCK, tmp_path / "made", shop.root)
    assert len([words for words in runner.commands if "install" in words]) == 2


def test_a_python_that_is_not_here_is_explained(shop: Shop, runner: FakeRunner, pyenv: Path, tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match=r"no Python 3\.13") as caught:
        pythons.environment(runner, LOCK, tmp_path / "made", shop.root)
    assert "pyenv install 3.13" in caught.value.fix
    assert not (tmp_path / "made").exists()


def test_the_system_whose_python_it_is_builds_the_wheel(shop: Shop, pyenv: Path) -> None:
    def builder(python: str, os: str = "") -> str:
        found = images.builder(shop.manifest, python, os)
        return found.id if found else "none"

    assert builder("3.11") == "cpu/debian12/py311/x86_64"
    assert builder("3.11", "openeuler24.03") == "cpu/openeuler24.03/py311/x86_64"
    assert builder("3.13") == "cpu/debian13/py313/x86_64"
    assert builder("3.14") == "none"


def test_a_wheel_for_another_machine_comes_from_this_ones_image(
    shop: Shop, engine: FakeEngine, pyenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[RunRequest] = []

    def build(request: RunRequest) -> Result:
        asked.append(request)
        return Result(0, "")

    engine.on_run = build
    monkeypatch.setattr(engines, "detect", lambda runner: engine)
    monkeypatch.setattr(testing, "Shop", lambda *_, **__: shop)
    with pytest.raises(CheckError, match="another wheel"):
        testing.build_wheel(shop.manifest, shop.runner, "3.13", "aarch64", on_host=False)
    assert (asked[0].image, asked[0].env["MACHINE"]) == ("mindspore/mindspore-cpu:devel-debian13-py313", "aarch64")
    with pytest.raises(UsageError, match="builds wheels for x86_64"):
        testing.build_wheel(shop.manifest, shop.runner, "3.13", "aarch64", on_host=True)


@pytest.mark.parametrize(("code", "noted"), [(0, 1), (1, 0)])
def test_a_wheel_that_passed_is_noted(
    code: int, noted: int, shop: Shop, runner: FakeRunner, pyenv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = next(row for row in shop.manifest.wheel_rows() if row.tag == "cp313-cp313-manylinux_2_28_x86_64")
    built: list[str] = []

    def build(*words: object) -> None:
        built.append(str(words[2]))
        (shop.root / "dist").mkdir()
        write_wheel(shop.root / "dist" / wheel_name(row, shop.manifest.current.text), {})

    runner.effects[str(pyenv / "3.13.2")] = lambda argv: Result(0, "3.13\n")
    runner.effects["-m pytest"] = lambda argv: Result(code, "")
    monkeypatch.setattr(testing, "build_wheel", build)
    monkeypatch.setattr(testing, "Shop", lambda *_, **__: shop)
    assert testing.test_wheels(shop.manifest, runner, "3.13", on_host=False) == code
    assert built == ["3.13"]
    assert len(list((shop.root / evidence.NOTED).glob("cp313*.json"))) == noted
    with pytest.raises(UsageError, match=r"no wheel for Python 3\.9"):
        testing.test_wheels(shop.manifest, runner, "3.9", on_host=False)
