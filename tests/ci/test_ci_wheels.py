"""The wheel: built once per state of the sources, and only accepted when it runs anywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from ci import elf, wheels
from ci.engine import Result, RunRequest
from ci.errors import CheckError, CommandError, UsageError
from ci.shop import Shop
from release.matrix import wheel_name
from release.rows import WheelRow
from tests.ci.fakes import FakeEngine, FakeRunner
from tests.ci.wheel_files import AARCH64, library, write_wheel


@pytest.fixture
def wheel_row(shop: Shop) -> WheelRow:
    return wheels.wheel_row(shop, "3.11", "x86_64")


def test_the_image_builds_without_network_from_a_read_only_checkout(
    shop: Shop, engine: FakeEngine, wheel_row: WheelRow
) -> None:
    asked: list[RunRequest] = []
    build = engine.on_run

    def note(request: RunRequest) -> Result:
        asked.append(request)
        return build(request)

    engine.on_run = note
    assert wheels.ensure(shop, wheel_row, "devel").state == "built"
    assert asked[0].network == "none"
    assert asked[0].mounts == {shop.root: "/src"}
    assert asked[0].user
    assert wheels.ensure(shop, wheel_row, "devel").state == "unchanged"
    assert len(asked) == 1


def test_sources_that_change_while_a_wheel_is_built_have_it_built_again(
    shop: Shop, engine: FakeEngine, wheel_row: WheelRow
) -> None:
    build = engine.on_run

    def edit(request: RunRequest) -> Result:
        (shop.root / "framework/mindspore/__init__.py").write_text("x = 2\n", encoding="utf-8")
        return build(request)

    engine.on_run = edit
    wheels.ensure(shop, wheel_row, "devel")
    assert wheels.ensure(shop, wheel_row, "devel").state == "built"
    assert wheels.ensure(shop, wheel_row, "devel").state == "unchanged"


def test_a_lost_or_changed_wheel_is_built_again(shop: Shop, wheel_row: WheelRow) -> None:
    path = wheels.ensure(shop, wheel_row, "devel").path
    path.write_bytes(b"changed")
    assert wheels.ensure(shop, wheel_row, "devel").state == "built"
    path.unlink()
    assert wheels.ensure(shop, wheel_row, "devel").state == "built"


def test_a_failed_build_shows_its_output_and_keeps_the_old_wheel(
    shop: Shop, engine: FakeEngine, wheel_row: WheelRow
) -> None:
    old = wheels.ensure(shop, wheel_row, "devel").path.read_bytes()
    (shop.root / "framework/mindspore/new.py").touch()
    engine.on_run = lambda request: Result(1, "", "error: expected ';'")
    with pytest.raises(CommandError, match="expected ';'"):
        wheels.ensure(shop, wheel_row, "devel")
    assert (shop.root / "dist" / wheel_name(wheel_row, shop.manifest.current.text)).read_bytes() == old
    assert not (shop.root / "build/wheel-output").exists()


def test_a_wheel_with_another_name_is_refused(shop: Shop, engine: FakeEngine, wheel_row: WheelRow) -> None:
    engine.on_run = lambda request: Result(0, "")
    with pytest.raises(CheckError, match="another wheel") as caught:
        wheels.ensure(shop, wheel_row, "devel")
    assert caught.value.got == "nothing"


def test_the_host_runs_the_same_script(shop: Shop, runner: FakeRunner, wheel_row: WheelRow) -> None:
    def build(argv: list[str]) -> Result:
        write_wheel(Path(argv[-1]) / wheel_name(wheel_row, shop.manifest.current.text), {})
        build = shop.root / "build" / f"{wheel_row.tag}-host"
        build.mkdir(parents=True)
        (build / "compilations").write_text("c++ -c a.cpp\nc++ -shared\n", encoding="utf-8")
        return Result(0, "")

    runner.effects["bash"] = build
    assert wheels.ensure(shop, wheel_row, None).state == "built"
    assert runner.commands[-1][1].endswith("docker/files/build-wheel")
    assert runner.work.compilers == 2


def test_a_change_of_python_code_alone_starts_no_compiler(shop: Shop, engine: FakeEngine, wheel_row: WheelRow) -> None:
    """What `build-wheel` notes is what counts: nothing was compiled, so nothing is said to be."""
    build = engine.on_run

    def quiet(request: RunRequest) -> Result:
        done = build(request)
        next(iter(shop.root.glob("build/*-image/compilations"))).write_text("", encoding="utf-8")
        return done

    wheels.ensure(shop, wheel_row, "devel")
    assert shop.runner.work.compilers == 1
    (shop.root / "framework/mindspore/__init__.py").write_text("x = 1\n", encoding="utf-8")
    engine.on_run = quiet
    assert wheels.ensure(shop, wheel_row, "devel").state == "built"
    assert shop.runner.work.compilers == 1


def test_unknown_wheels_are_refused_with_the_known_ones(shop: Shop) -> None:
    with pytest.raises(UsageError, match=r"Python 3\.9") as caught:
        wheels.wheel_row(shop, "3.9", "x86_64")
    assert "3.11 on x86_64" in caught.value.expected


def test_libraries_are_read_from_the_dynamic_section() -> None:
    assert elf.needed(library(["libc.so.6", "libm.so.6"])) == ["libc.so.6", "libm.so.6"]
    elf.check(library(["libc.so.6", "ld-linux-x86-64.so.2"]), "x", "x86_64")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(library(["libc.so.6", "libstdc++.so.6"]), "libstdc"), (library(["libc.so.6"], AARCH64), "wrong machine")],
)
def test_undeclared_libraries_and_foreign_machines_are_refused(
    tmp_path: Path, wheel_row: WheelRow, content: bytes, reason: str
) -> None:
    wheel = write_wheel(tmp_path / "a.whl", {"mindspore/_native.so": content})
    with pytest.raises(CheckError, match=reason) as caught:
        wheels.check(wheel, wheel_row)
    assert "mindspore/_native.so" in caught.value.where


def test_a_wheel_that_is_too_big_is_refused(
    tmp_path: Path, wheel_row: WheelRow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wheels, "LARGEST", 10)
    with pytest.raises(CheckError, match="too big"):
        wheels.check(write_wheel(tmp_path / "a.whl", {}), wheel_row)


def test_built_files_go_next_to_the_sources(shop: Shop, tmp_path: Path) -> None:
    files = {"mindspore/__init__.py": b"old", "mindspore/_native.so": b"code", "mindspore-2.dist-info/RECORD": b""}
    wheel = write_wheel(tmp_path / "a.whl", files)
    target = shop.root / "framework/mindspore/_native.so"
    assert wheels.install_in_place(shop.root, wheel) == [target]
    assert target.read_bytes() == b"code"
    assert (shop.root / "framework/mindspore/__init__.py").read_text(encoding="utf-8") == ""
