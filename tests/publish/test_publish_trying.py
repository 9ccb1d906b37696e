"""What was staged is used before it is promoted: in a clean environment, and in the engine of this machine."""

from __future__ import annotations

import io
import platform
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from ci import engines
from ci.engine import Engine, Result, Runner, RunRequest
from ci.errors import CheckError, NoEngineError
from ci.publish.errors import RefusedError, TargetError
from ci.publish.material import Release, gather
from ci.publish.run import Publisher
from ci.publish.store import Folder
from ci.publish.trying import Trial, Used
from ci.trust.keys import SigningKey
from release.model import Manifest
from tests.ci.fakes import FakeEngine, FakeRunner
from tests.publish.fixtures import VERSION, WHEEL, attest, write_image, write_wheel

pytestmark = [
    pytest.mark.registry,
    pytest.mark.skipif(platform.machine() != "x86_64", reason="the release of these tests is for x86-64"),
]
ROW = "cpu/debian12/py311/x86_64"
BUSYBOX = Path("/bin/busybox")
CHECKED = b"import json, mindspore\nassert json\nprint('works')\n"


def _tar(shell: bytes, script: str) -> bytes:
    """A root file system in which `python3` is a script."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, data in {"bin/sh": shell, "usr/bin/python3": f"#!/bin/sh\n{script}\n".encode()}.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o755
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()


def make(folder: Path, manifest: Manifest, key: SigningKey, program: bytes, shell: bytes, script: str) -> Release:
    wheel = next(row for row in manifest.wheel_rows() if row.tag == WHEEL)
    write_wheel(folder, wheel, content=b"", program=program)
    row = next(row for row in manifest.image_rows() if row.id == ROW)
    for kind in row.kinds:
        write_image(folder, row, kind, tar=_tar(shell, f"# {kind}\n{script}"))
    attest(folder, key)
    return gather(manifest, VERSION, folder, (WHEEL, ROW))


def using(publisher: Publisher, manifest: Manifest, tmp_path: Path, engine: Engine, runner: Runner) -> Publisher:
    trial = Trial(manifest, runner, lambda: engine, lambda row: tmp_path / "no packages")
    return replace(publisher, tester=Used(publisher.trusted, trial))


def test_a_wheel_that_does_not_work_is_not_promoted(
    publisher: Publisher, manifest: Manifest, key: SigningKey, store: Folder, tmp_path: Path
) -> None:
    runner = Runner(tmp_path / "logs")
    made = using(publisher, manifest, tmp_path, FakeEngine(runner), runner)
    broken = make(tmp_path / "broken", manifest, key, b"raise SystemExit('no kernels')", b"", "")
    with pytest.raises(RefusedError, match="the staged wheel does not work") as refusal:
        made.publish(broken, made.plan(broken).digest)
    assert "no kernels" in str(refusal.value)
    assert store.keys("2.0.0-rc1/") == []
    sound = make(tmp_path / "sound", manifest, key, CHECKED, b"", "")
    assert made.publish(sound, made.plan(sound).digest).serial == 1
    assert "works" in (tmp_path / "logs" / "staged.log").read_text(encoding="utf-8")


def test_what_this_machine_cannot_run_is_said(
    publisher: Publisher, manifest: Manifest, release: Release, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runner = FakeRunner(tmp_path / "logs")
    tester = using(publisher, manifest, tmp_path, FakeEngine(runner), runner).tester
    foreign = next(row for row in manifest.wheel_rows() if row.platform.arch == "aarch64")
    wheel = next(file for file in release.files if file.is_wheel)
    publisher.publish(release, publisher.plan(release).digest)
    tester.test_file(publisher.targets.store, wheel.path, replace(wheel, row=foreign.tag))
    assert f"not run: this machine has no Python {foreign.python} of {foreign.platform.name}" in capsys.readouterr().err
    assert runner.commands == []


@pytest.mark.engine
def test_an_image_that_does_not_work_is_not_promoted(
    publisher: Publisher, manifest: Manifest, key: SigningKey, store: Folder, tmp_path: Path
) -> None:
    engine = _engine(tmp_path)
    made = using(publisher, manifest, tmp_path, engine, FakeRunner(tmp_path / "logs"))
    script = '[ "$*" != "-m mindspore" ] || { echo "no kernels for $(/bin/sh -c "echo you")"; exit 3; }'
    broken = make(tmp_path / "broken", manifest, key, CHECKED, BUSYBOX.read_bytes(), script)
    with pytest.raises(RefusedError, match="the staged image does not work") as refusal:
        made.publish(broken, made.plan(broken).digest)
    assert "cpu_debian12_py311_x86_64_release" in str(refusal.value)
    assert "exit code 3: no kernels for you" in str(refusal.value)
    assert store.keys("2.0.0-rc1/") == []
    sound = make(tmp_path / "sound", manifest, key, CHECKED, BUSYBOX.read_bytes(), "exit 0")
    assert made.publish(sound, made.plan(sound).digest).serial == 1
    assert all(engine.inspect(f"mindspore-staged:{member.slug}") is None for member in sound.images)


def _engine(tmp_path: Path) -> Engine:
    if not BUSYBOX.exists():
        pytest.skip("busybox-static is not installed")
    try:
        return engines.detect(Runner(tmp_path / "logs"))
    except NoEngineError as error:
        pytest.skip(str(error))


def test_a_damaged_blob_of_the_stage_is_not_run(
    publisher: Publisher, release: Release, manifest: Manifest, tmp_path: Path
) -> None:
    engine = FakeEngine(FakeRunner(tmp_path / "logs"))
    tester = using(publisher, manifest, tmp_path, engine, engine.runner).tester
    publisher.publish(release, publisher.plan(release).digest)
    member = next(member for member in release.images if member.row == ROW)
    digest = member.image.layers[0].digest.removeprefix("sha256:")
    (blob,) = (tmp_path / "registry").glob(f"data/docker/registry/v2/blobs/sha256/*/{digest}/data")
    blob.write_bytes(b"x" * blob.stat().st_size)
    with pytest.raises(TargetError, match="a blob of the registry is damaged"):
        tester.test_image(publisher.targets.registry, member.repository, member)
    with pytest.raises(CheckError, match="the staged image is missing"):
        tester.test_image(publisher.targets.registry, "some/where", member)
    assert engine.images == {}


def test_an_engine_is_told_to_be_a_stranger_without_network(
    publisher: Publisher, release: Release, manifest: Manifest, tmp_path: Path
) -> None:
    engine = FakeEngine(FakeRunner(tmp_path / "logs"))
    asked: list[RunRequest] = []

    def note(request: RunRequest) -> Result:
        asked.append(request)
        return Result(0, "")

    engine.on_run = note
    tester = using(publisher, manifest, tmp_path, engine, engine.runner).tester
    publisher.publish(release, publisher.plan(release).digest)
    for member in (member for member in release.images if member.row == ROW):
        tester.test_image(publisher.targets.registry, member.repository, member)
    assert [request.command[-1] for request in asked] == ["check", "mindspore", "check"]
    assert {(request.user, request.network) for request in asked} == {("4242:4242", "none")}
