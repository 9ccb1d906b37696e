"""Every engine of this machine builds, normalises, loads and runs a small image through the one interface."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from ci import archive, engines
from ci.engine import BuildRequest, CliEngine, Runner, RunRequest
from ci.errors import CommandError, NoEngineError
from ci.layout import Layouts
from ci.shop import labels_of

pytestmark = pytest.mark.engine

EPOCH = 1_700_000_000
BUSYBOX = Path("/bin/busybox")
DOCKERFILE = """ARG BASE
FROM ${BASE}
COPY file /file
RUN ["/bin/sh", "-c", "echo made > /made"]
CMD ["/bin/sh", "-c", "cat /file /made"]
"""


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A root file system of one static program, as an archive that an engine loads as `mindspore-engine-test:base`."""
    if not BUSYBOX.exists():
        pytest.skip("busybox-static is not installed")
    root = tmp_path / "root.tar"
    with tarfile.open(root, "w") as tar:
        for name in ("bin/sh", "bin/cat"):
            tar.add(BUSYBOX, name)
    store = Layouts(tmp_path / "base")
    archive.from_rootfs(root, store, "base", "amd64", {}, EPOCH)
    archive.write_loadable(store, "base", "mindspore-engine-test:base", tmp_path / "base.tar")
    return tmp_path / "base.tar"


def _usable(name: str, tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch) -> CliEngine:
    """The engine in the first form that starts programs here."""
    runner = Runner(tmp_path / "logs")
    if not runner.find(name):
        pytest.skip(f"{name} is not installed")
    if name == "buildah":
        monkeypatch.setenv("BUILDAH_ISOLATION", "chroot")
    try:
        engine = engines.proven(engines.known(runner, name))
        engine.load(base)
    except (NoEngineError, CommandError) as refusal:
        pytest.skip(str(refusal))
    return engine


@pytest.mark.parametrize("name", engines.NAMES)
def test_an_engine_builds_normalises_loads_and_runs(
    name: str, tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = _usable(name, tmp_path, base, monkeypatch)
    (tmp_path / "context").mkdir()
    (tmp_path / "context/file").write_text("copied\n", encoding="utf-8")
    (tmp_path / "Dockerfile").write_text(DOCKERFILE, encoding="utf-8")
    built, clean = "mindspore-engine-test:built", "mindspore-engine-test:clean"
    request = BuildRequest(
        tmp_path / "Dockerfile",
        tmp_path / "context",
        built,
        {"BASE": "mindspore-engine-test:base"},
        {"k": "v"},
        network="none",
    )
    store = Layouts(tmp_path / "store")
    try:
        engine.build(request)
        engine.save(built, tmp_path / "saved.tar")
        archive.normalise(tmp_path / "saved.tar", store, "clean", EPOCH)
        archive.write_loadable(store, "clean", clean, tmp_path / "clean.tar")
        engine.load(tmp_path / "clean.tar")
        found = engine.inspect(clean)
        assert found is not None
        assert found["Id"] == store.manifest("clean")["config"]["digest"]
        assert labels_of(found)["k"] == "v"
        done = engine.run(RunRequest(clean))
        assert (done.code, done.stdout) == (0, "copied\nmade\n"), done.stderr
        engine.tag(clean, "mindspore-engine-test:other")
        assert (engine.inspect("mindspore-engine-test:other") or {})["Id"] == found["Id"]
        engine.remove("mindspore-engine-test:other")
        assert engine.inspect("mindspore-engine-test:other") is None
    finally:
        for tag in (clean, built, "mindspore-engine-test:base"):
            engine.remove(tag)
