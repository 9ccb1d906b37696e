"""Setting up the machine: only what is missing, only as root with apt, never a working engine."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from ci import doctor, paths, system
from ci.engine import Result
from ci.errors import CommandError, MissingPartError, NoEngineError
from ci.system import Part
from tests.ci.fakes import FakeRunner

MISSING = Part("a tool", False, ("a-package",))


@pytest.fixture
def root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_a_working_engine_is_never_touched(runner: FakeRunner, root: None) -> None:
    runner.programs.add("docker")
    runner.effects["docker info"] = lambda argv: Result(0, "20.10\n")
    assert system.ensure_engine(runner).name == "docker"
    assert {" ".join(command[:2]) for command in runner.commands} == {"docker info"}


def test_docker_is_started_before_another_engine_is_taken(
    runner: FakeRunner, root: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(1)
    runner.programs |= {"docker", "dockerd", "podman"}
    runner.effects["podman info"] = lambda argv: Result(0, "4.3.1\n")
    runner.effects["docker info"] = lambda argv: daemon.info(argv) if daemon.options else Result(1, "", "no")
    monkeypatch.setattr(runner, "detach", daemon.detach)
    monkeypatch.setattr(system, "SYSTEMD", Path("/nonexistent"))
    assert system.ensure_engine(runner).name == "docker"
    assert daemon.options == [[]]


@pytest.mark.parametrize("programs", [{"docker", "podman"}, {"docker", "dockerd", "podman"}])
def test_another_engine_serves_where_docker_cannot(
    runner: FakeRunner, root: None, monkeypatch: pytest.MonkeyPatch, programs: set[str]
) -> None:
    daemon = Daemon(99)
    runner.programs |= programs
    runner.effects["podman info"] = lambda argv: Result(0, "4.3.1\n")
    runner.effects["docker info"] = daemon.info
    monkeypatch.setattr(runner, "detach", daemon.detach)
    monkeypatch.setattr(system, "SYSTEMD", Path("/nonexistent"))
    assert system.ensure_engine(runner).name == "podman"
    assert len(daemon.options) == (3 if "dockerd" in programs else 0)


def test_missing_parts_are_installed_with_apt(runner: FakeRunner, root: None) -> None:
    runner.programs.add("apt-get")
    system.install(runner, [MISSING, Part("there", True, ("other",))])
    assert [command[5] for command in runner.commands] == ["update", "install"]
    assert runner.commands[1][-1] == "a-package"


def test_nothing_missing_starts_nothing(runner: FakeRunner) -> None:
    system.install(runner, [Part("there", True, ())])
    assert runner.commands == []


def test_without_root_the_packages_are_named(runner: FakeRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    runner.programs.add("apt-get")
    with pytest.raises(MissingPartError, match="a tool") as caught:
        system.install(runner, [MISSING])
    assert "apt-get install a-package" in caught.value.fix
    assert caught.value.exit_code == 2
    with pytest.raises(NoEngineError):
        system.ensure_engine(runner)


def test_a_part_without_a_package_is_the_users(runner: FakeRunner, root: None) -> None:
    runner.programs.add("apt-get")
    with pytest.raises(MissingPartError, match="headers"):
        system.install(runner, [Part("headers", False, ())])


def test_a_failing_apt_is_a_set_up_error(runner: FakeRunner, root: None) -> None:
    def fail(argv: list[str]) -> Result:
        raise CommandError(argv, 100, "no route")

    runner.programs.add("apt-get")
    runner.effects["apt-get"] = fail
    with pytest.raises(MissingPartError, match="no route") as caught:
        system.install(runner, [MISSING])
    assert caught.value.exit_code == 2


class Daemon:
    """A daemon that runs from the attempt `works_at` on."""

    attempts = 0
    pid = 7

    def __init__(self, works_at: int) -> None:
        self.works_at = works_at
        self.options: list[list[str]] = []

    def detach(self, argv: list[str], log: Path) -> Daemon:
        self.options.append(argv[1:])
        log.write_text("failed to start daemon\n", encoding="utf-8")
        return self

    def poll(self) -> int | None:
        return None if len(self.options) >= self.works_at else 1

    def info(self, argv: list[str]) -> Result:
        return Result(0, "20.10\n") if self.poll() is None else Result(1, "", "no")


@pytest.mark.parametrize(("works_at", "expected"), [(1, []), (2, system.PLAIN_NETWORK)])
def test_the_daemon_starts_with_as_many_features_as_work(
    runner: FakeRunner, root: None, monkeypatch: pytest.MonkeyPatch, works_at: int, expected: list[str]
) -> None:
    daemon = Daemon(works_at)
    runner.programs |= {"dockerd", "docker"}
    runner.effects["docker info"] = daemon.info
    monkeypatch.setattr(runner, "detach", daemon.detach)
    monkeypatch.setattr(system, "SYSTEMD", Path("/nonexistent"))
    assert system.ensure_engine(runner).name == "docker"
    assert daemon.options[-1] == expected
    assert (paths.state_dir() / "dockerd.pid").read_text(encoding="utf-8") == "7\n"


def test_a_daemon_that_never_starts_shows_its_log(
    runner: FakeRunner, root: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon = Daemon(99)
    runner.effects["docker info"] = daemon.info
    monkeypatch.setattr(runner, "detach", daemon.detach)
    monkeypatch.setattr(system, "SYSTEMD", Path("/nonexistent"))
    with pytest.raises(NoEngineError, match="failed to start daemon") as caught:
        system.start_daemon(runner)
    assert caught.value.where.endswith("dockerd.log")


def test_an_init_system_starts_its_own_daemon(
    runner: FakeRunner, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(system, "SYSTEMD", tmp_path)
    system.start_daemon(runner)
    assert runner.commands == [["systemctl", "start", "docker"]]


V2 = "cx16 lahf_lm popcnt pni sse4_1 sse4_2 ssse3"
V3 = f"{V2} avx avx2 bmi1 bmi2 f16c fma abm movbe xsave"
V4 = f"{V3} avx512f avx512bw avx512cd avx512dq avx512vl"


@pytest.mark.parametrize(
    ("flags", "level"),
    [("sse2", "x86-64"), (V2, "x86-64-v2"), (V3, "x86-64-v3"), (V4, "x86-64-v4"), (f"{V2} avx512f", "x86-64-v2")],
)
def test_the_processors_level(flags: str, level: str) -> None:
    assert doctor.isa_level(doctor.cpu_flags(f"model name: x\nflags\t\t: {flags}\n")) == level


def test_doctor_mends_what_it_finds() -> None:
    assert doctor.check_cpu("x86_64", "flags: sse2").state == "missing"
    assert doctor.check_cpu("x86_64", f"flags: {V4}").state == "ok"
    assert doctor.check_cpu("aarch64", "").state == "ok"
    assert doctor.check_cpu("riscv64", "").mend
    assert doctor.check_python((3, 9)).state == "missing"
    assert doctor.check_python((3, 15)).state == "warning"
    assert doctor.cpu_flags("") == set()


def test_doctor_examines_everything_without_an_engine(runner: FakeRunner) -> None:
    checks = {check.name: check for check in doctor.examine(runner)}
    assert checks["engine"].state == "missing"
    assert "setup" in checks["engine"].mend
    assert checks["mmdebstrap"].state == "ok"
    assert checks["python"].found == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert "how to mend" in doctor.text(list(checks.values()))


def test_doctor_looks_at_the_engines_disk(runner: FakeRunner, tmp_path: Path) -> None:
    runner.programs.add("docker")
    runner.effects["docker info --format {{.ServerVersion}}"] = lambda argv: Result(0, "20.10\n")
    runner.effects["docker info --format {{.DockerRootDir}}"] = lambda argv: Result(0, f"{tmp_path}\n")
    assert [check.name for check in doctor.check_engine(runner)] == ["engine", "engine disk"]
