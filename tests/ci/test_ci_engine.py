"""The engine's command lines, its detection, and the runner that starts processes."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from ci import engine, engines, probe
from ci.engine import BuildRequest, CliEngine, Result, Runner, RunRequest, Work
from ci.errors import CommandError, MissingPartError, NoEngineError
from ci.shop import labels_of
from tests.ci.fakes import FakeRunner

REFUSED = Result(1, "", "cannot connect")


def test_the_first_engine_that_answers_is_taken(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, ["docker", "podman"])
    runner.effects["docker info"] = lambda argv: REFUSED
    runner.effects["podman info"] = lambda argv: Result(0, "4.3.1\n")
    assert engines.detect(runner).name == "podman"


def crun_refuses(argv: list[str]) -> Result:
    return Result(0, "") if "--runtime" in argv else Result(126, "", "crun: cgroups in hybrid mode not supported")


def test_an_engine_that_answers_but_starts_nothing_is_given_another_runtime(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, ["podman", "runc"])
    runner.effects["podman info"] = lambda argv: Result(0, "4.3.1\n")
    runner.effects["run --rm"] = crun_refuses
    assert engines.detect(runner).program == ["podman", "--runtime", "/usr/bin/runc"]
    runner.programs.remove("runc")
    with pytest.raises(NoEngineError, match="podman: crun: cgroups in hybrid mode"):
        engines.detect(runner)
    runner.programs.add("docker")
    runner.effects["docker info"] = lambda argv: Result(0, "20.10\n")
    assert engines.detect(runner).name == "docker"


def test_a_chosen_runtime_is_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.CHOICE, "podman --log-level=error")
    runner = FakeRunner(tmp_path, ["podman", "runc"])
    runner.effects["podman --log-level=error info"] = lambda argv: Result(0, "4.3.1\n")
    runner.effects["run --rm"] = crun_refuses
    with pytest.raises(NoEngineError, match="hybrid mode"):
        engines.detect(runner)


def test_buildah_is_tried_in_a_container_that_is_gone_afterwards(buildah: engines.Buildah) -> None:
    runner = buildah.runner
    assert isinstance(runner, FakeRunner)
    runner.effects["buildah from"] = lambda argv: Result(0, "working\n")
    assert probe.refusal(buildah.start_bare) == "exit code 3"  # what this fake's `buildah run` answers
    assert runner.commands[-1] == ["buildah", "rm", "working"]


def test_the_smallest_program_runs_here(tmp_path: Path) -> None:
    content = probe.smallest_program(platform.machine())
    (tmp_path / "probe").write_bytes(content)
    (tmp_path / "probe").chmod(0o755)
    assert subprocess.run([tmp_path / "probe"], check=False).returncode == 0
    assert {len(probe.smallest_program(machine)) for machine in ("x86_64", "aarch64")} == {129, 132}
    assert probe.smallest_program("pdp11") == b""


def test_no_engine_says_what_each_one_answered_and_what_to_do(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, ["docker"])
    runner.effects["docker info"] = lambda argv: REFUSED
    with pytest.raises(NoEngineError, match="docker: cannot connect") as caught:
        engines.detect(runner)
    assert "setup" in caught.value.fix
    assert caught.value.exit_code == 2
    with pytest.raises(NoEngineError, match="none is installed"):
        engines.detect(FakeRunner(tmp_path))


def test_a_chosen_engine_is_taken_with_its_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engines.CHOICE, "podman --runtime 'my runc'")
    runner = FakeRunner(tmp_path, ["docker", "podman"])
    runner.effects["podman --runtime my runc info"] = lambda argv: Result(0, "5.0\n")
    assert engines.detect(runner).program == ["podman", "--runtime", "my runc"]
    monkeypatch.setenv(engines.CHOICE, "lxc")
    with pytest.raises(NoEngineError, match="unknown engine") as caught:
        engines.detect(runner)
    assert caught.value.got == "lxc"


def test_podman_asks_for_few_files_and_spells_ids_as_docker_does(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, ["podman"])
    runner.effects["podman image inspect"] = lambda argv: Result(0, '[{"Id": "12ab"}]')
    podman = CliEngine(runner, "podman")
    assert podman.inspect("x") == {"Id": "sha256:12ab"}
    podman.run(RunRequest("x"))
    assert {"--ulimit=nofile=4096:4096", "--ulimit=nproc=4096:4096"} <= set(runner.commands[-1])
    docker = CliEngine(runner, "docker")
    docker.run(RunRequest("x"))
    assert not [word for word in runner.commands[-1] if word.startswith("--ulimit")]


INSPECTED = {
    "FromImageID": "12ab",
    "Manifest": '{"layers": [{"size": 5}, {"size": 7}]}',
    "Docker": {
        "created": "2023-11-14T22:13:20Z",
        "config": {"Labels": {"a": "b"}, "Entrypoint": ["/entry"], "Cmd": ["bash"]},
        "rootfs": {"diff_ids": ["sha256:1"]},
    },
}


@pytest.fixture
def buildah(tmp_path: Path) -> engines.Buildah:
    runner = FakeRunner(tmp_path, ["buildah"])
    runner.effects["buildah --version"] = lambda argv: Result(0, "buildah version 1.28.2 (image-spec 1.0.2)\n")
    runner.effects["buildah inspect"] = lambda argv: (
        Result(0, json.dumps(INSPECTED)) if argv[-1] == "there" else REFUSED
    )
    runner.effects["buildah info"] = lambda argv: Result(0, '{"store": {"GraphRoot": "/var/store"}}')
    runner.effects["buildah from"] = lambda argv: Result(0, "working\n") if argv[-1] == "there" else REFUSED
    found = engines.detect(runner)
    assert isinstance(found, engines.Buildah)
    runner.effects["buildah run"] = lambda argv: Result(3, "out")
    runner.commands.clear()
    return found


def test_buildah_answers_like_the_others(buildah: engines.Buildah) -> None:
    assert (buildah.version(), buildah.data_root()) == ("1.28.2", Path("/var/store"))
    found = buildah.inspect("there")
    assert found is not None
    assert (found["Id"], found["Size"], labels_of(found)) == ("sha256:12ab", 12, {"a": "b"})
    assert buildah.inspect("gone") is None


def test_buildah_runs_what_the_image_would_start_and_cleans_up(buildah: engines.Buildah) -> None:
    runner = buildah.runner
    assert isinstance(runner, FakeRunner)
    done = buildah.run(RunRequest("there", ["id"], mounts={Path("/a"): "/b"}, env={"K": "V"}, user="7"))
    assert (done.code, done.stdout) == (3, "out")
    (command,) = [words for words in runner.commands if words[:2] == ["buildah", "run"]]
    assert command[-4:] == ["working", "--", "/entry", "id"]
    assert {"--network=none", "--volume=/a:/b:ro", "--env=K=V", "--user=7"} <= set(command)
    assert runner.commands[-1] == ["buildah", "rm", "working"]
    with pytest.raises(NoEngineError, match="cannot start"):
        buildah.run(RunRequest("gone"))


def test_buildah_builds_and_carries_images_as_archives(
    buildah: engines.Buildah, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = buildah.runner
    assert isinstance(runner, FakeRunner)
    request = BuildRequest(Path("D"), Path("c"), "name:tag", {"BASE": "b"}, {"k": "v"}, "linux/arm64", "none", True)
    buildah.build(request)
    wanted = {"--network=none", "--platform=linux/arm64", "--no-cache", "--build-arg=BASE=b", "--label=k=v"}
    assert wanted <= set(runner.commands[-1])
    monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")  # has no network of its own to take away
    buildah.build(request)
    assert "--network=host" in runner.commands[-1]
    buildah.save("name:tag", Path("/x.tar"))
    buildah.load(Path("/y.tar"))
    assert [words[-1] for words in runner.commands[-2:]] == ["docker-archive:/x.tar:name:tag", "docker-archive:/y.tar"]


@pytest.mark.parametrize(("buildx", "expected"), [(1, "--force-rm"), (0, "--load")])
def test_a_build_fits_the_builder_that_is_there(tmp_path: Path, buildx: int, expected: str) -> None:
    runner = FakeRunner(tmp_path, ["docker"])
    runner.effects["docker buildx"] = lambda argv: Result(buildx, "")
    request = BuildRequest(Path("D"), Path("context"), "name:tag", {"BASE": "b"}, {"key": "value"})
    CliEngine(runner, "docker").build(request)
    command = runner.commands[-1]
    assert expected in command
    assert {"--build-arg=BASE=b", "--label=key=value", "--tag"} <= set(command)
    assert runner.work.engine_builds == 1


def test_a_run_has_no_network_and_read_only_mounts_unless_asked(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, ["docker"])
    request = RunRequest(
        "image", ["id"], mounts={Path("/a"): "/b"}, writable={Path("/c"): "/d"}, env={"K": "V"}, user="7:7"
    )
    CliEngine(runner, "docker").run(request)
    command = runner.commands[-1]
    assert {"--network=none", "--volume=/a:/b:ro", "--volume=/c:/d", "--env=K=V", "--user=7:7"} <= set(command)
    assert command[-2:] == ["image", "id"]


def test_an_interrupt_ends_the_container(tmp_path: Path) -> None:
    def interrupt(argv: list[str]) -> Result:
        raise KeyboardInterrupt

    runner = FakeRunner(tmp_path, ["docker"])
    runner.effects["docker run"] = interrupt
    with pytest.raises(KeyboardInterrupt):
        CliEngine(runner, "docker").run(RunRequest("image"))
    name = runner.commands[0][2].removeprefix("--name=")
    assert runner.commands[1] == ["docker", "kill", name]


def test_queries_of_the_engine(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, ["docker"])
    docker = CliEngine(runner, "docker")
    runner.effects["docker image inspect there"] = lambda argv: Result(0, '[{"Id": "sha256:1"}]')
    runner.effects["docker image inspect gone"] = lambda argv: REFUSED
    runner.effects["docker info --format {{.DockerRootDir}}"] = lambda argv: Result(0, "/var/lib/docker\n")
    assert docker.inspect("there") == {"Id": "sha256:1"}
    assert docker.inspect("gone") is None
    assert docker.data_root() == Path("/var/lib/docker")


def test_the_other_commands_name_what_they_work_on(tmp_path: Path) -> None:
    runner = FakeRunner(tmp_path, ["podman"])
    podman = CliEngine(runner, "podman")
    podman.save("image", Path("b.tar"))
    podman.load(Path("c.tar"))
    podman.tag("image", "other")
    podman.remove("image")
    podman.prune("label=x")
    assert podman.pull("remote")
    assert podman.attach(RunRequest("image", interactive=True)) == 0
    words = [" ".join(command[1:3]) for command in runner.commands]
    assert words == [
        "save --format", "load --input", "tag image", "rmi image", "image prune", "pull remote", "run --rm"
    ]  # fmt: skip
    assert "--filter=until=3h" in runner.commands[4]  # stages of builds that run beside this one stay
    assert runner.work.downloads == 1


def test_the_runner_keeps_output_and_raises_with_its_end(tmp_path: Path) -> None:
    runner = Runner(tmp_path)
    with pytest.raises(CommandError, match="went wrong") as caught:
        runner.run([sys.executable, "-c", "print('went wrong'); raise SystemExit(3)"], kind="compilers", log="x")
    assert caught.value.code == 3
    assert "went wrong" in (tmp_path / "x.log").read_text(encoding="utf-8")
    assert runner.work.compilers == 1


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="no-such-program"):
        Runner(tmp_path).read(["no-such-program"])


def test_queries_give_output_and_code(tmp_path: Path) -> None:
    answer = Runner(tmp_path).read([sys.executable, "-c", "import os; print(os.environ['K'])"], env={"K": "V"})
    assert answer == Result(0, "V\n", "")


def test_an_interrupt_ends_the_child_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []

    def interrupt(child: subprocess.Popen[str], *_: object) -> tuple[str, str]:
        monkeypatch.undo()
        ended.append(child.pid)
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", interrupt)
    with pytest.raises(KeyboardInterrupt):
        Runner(tmp_path).run([sys.executable, "-c", "import time; time.sleep(60)"])
    assert not Path(f"/proc/{ended[0]}").exists()


def test_downloads_made_before_the_environment_was_ready_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(engine.INHERITED_DOWNLOADS, "3")
    assert Work().as_dict() == {"compilers": 0, "engine_builds": 0, "downloads": 3}
