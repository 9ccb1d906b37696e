"""Locks of Python packages, and the wheelhouse that is filled from them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ci import distributions, wheelhouse
from ci.engine import Result
from ci.errors import ProjectFileError, UsageError
from ci.wheelhouse import Lock
from release.model import Manifest
from release.rows import Kind
from tests.ci.fakes import FakeRunner

LOCK = Lock("3.11", "x86_64", "runtime")


def test_a_lock_has_one_hash_per_package() -> None:
    item = {"metadata": {"name": "ML_dtypes", "version": "1"}, "download_info": {"archive_info": {"hashes": {}}}}
    item["download_info"]["archive_info"]["hashes"]["sha256"] = "a" * 64  # type: ignore[index]
    text = wheelhouse.lock_text(LOCK, {"install": [item]})
    assert text.splitlines()[1] == f"ml-dtypes==1 --hash=sha256:{'a' * 64}"


def test_the_devel_image_gets_all_that_builds_the_wheel() -> None:
    runtime, devel = (wheelhouse.requirements(Lock("3.11", "x86_64", kind)) for kind in ("runtime", "devel"))
    assert "pip" in runtime
    assert set(runtime) < set(devel)
    assert any(line.startswith("ziglang") for line in devel)


def test_the_committed_locks_fit_the_project(manifest: Manifest) -> None:
    kinds: tuple[Kind, ...] = ("devel", "runtime")
    for lock in {wheelhouse.lock_for(row, kind) for row in manifest.image_rows() for kind in kinds}:
        names = {line.partition("==")[0] for line in wheelhouse.read(lock).splitlines() if not line.startswith("#")}
        for line in wheelhouse.requirements(lock):
            name = line.partition(">=")[0].lower().replace("_", "-")
            assert name in names, f"{lock.path} lacks {name}"


def test_a_stack_brings_the_vendors_packages_and_cann_none(manifest: Manifest) -> None:
    rows = {row.hardware: row for row in manifest.image_rows()}
    gpu = wheelhouse.lock_for(rows["gpu"], "runtime")
    assert gpu.path.parent == Path("docker/gpu/locks")
    assert any(line.startswith("nvidia-cublas") for line in wheelhouse.requirements(gpu))
    assert not any("nvcc" in line for line in wheelhouse.requirements(gpu))
    assert any("nvcc" in line for line in wheelhouse.requirements(wheelhouse.lock_for(rows["gpu"], "devel")))
    assert wheelhouse.lock_for(rows["ascend"], "release").path.parent == Path("docker/cpu/locks")


def test_resolving_writes_the_lock(runner: FakeRunner, checkout: Path) -> None:
    def report(argv: list[str]) -> Result:
        target = next(word.partition("=")[2] for word in argv if word.startswith("--report="))
        Path(target).write_text(json.dumps({"install": []}), encoding="utf-8")
        return Result(0, "")

    runner.effects["install --dry-run"] = report
    wheelhouse.resolve(runner, "python", LOCK, checkout)
    assert (checkout / LOCK.path).read_text(encoding="utf-8").startswith("# Locked by")


def test_a_missing_or_unhashed_lock_is_refused(checkout: Path) -> None:
    (checkout / LOCK.path).write_text("# a comment\nnumpy==2\n", encoding="utf-8")
    with pytest.raises(ProjectFileError, match="no hash") as caught:
        wheelhouse.read(LOCK, checkout)
    assert caught.value.where.endswith("py311-x86_64.runtime.txt:2")
    (checkout / LOCK.path).unlink()
    with pytest.raises(ProjectFileError, match="missing") as caught:
        wheelhouse.read(LOCK, checkout)
    assert "image.lock" in caught.value.fix


def test_wheels_are_downloaded_once(runner: FakeRunner, checkout: Path) -> None:
    house = wheelhouse.ensure(runner, "python", LOCK, checkout)
    assert {path.name for path in house.iterdir()} == {"requirements.txt", "numpy-2-py3-none-any.whl"}
    wheelhouse.ensure(runner, "python", LOCK, checkout)
    assert runner.work.downloads == 1
    (house / "numpy-2-py3-none-any.whl").write_bytes(b"changed")
    wheelhouse.ensure(runner, "python", LOCK, checkout)
    assert runner.work.downloads == 2


def test_every_system_of_the_manifest_is_known(manifest: Manifest) -> None:
    references = {distributions.reference(row, manifest.os[row.os].suite) for row in manifest.image_rows()}
    assert references == {
        "debian:bookworm-slim",
        "debian:trixie-slim",
        "ubuntu:noble",
        "openeuler/openeuler:24.03-lts",
        "quay.io/centos/centos:stream9",
        "quay.io/centos/centos:stream10",
    }
    with pytest.raises(UsageError, match="plan9"):
        distributions.distribution("plan9")
