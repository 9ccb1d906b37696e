"""Every engine of this machine builds, normalises, loads and runs a small image through the one interface."""

from __future__ import annotations

import os
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
        for name in ("bin/sh", "bin/cat", "bin/mkdir"):
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


NOISY = """ARG BASE
FROM ${BASE} AS maker
COPY wheelhouse /wheelhouse
COPY files/ /usr/local/bin/
RUN ["/bin/sh", "-c", "mkdir -p /var/log /tmp /run /etc /out && read day _ < /proc/uptime && echo $day > /var/log/made \\
 && echo $HOSTNAME > /run/host && cat /etc/hostname > /tmp/host && echo root:*:${day%%.*}:0:99999:7::: > /etc/shadow \\
 && echo made > /out/z && echo made > /out/a"]
FROM maker
COPY --from=maker /out/ /srv/
RUN ["/bin/sh", "-c", "echo done > /srv/done"]
"""


def _noisy(engine: CliEngine, folder: Path, moment: int) -> str:
    """The digest of an image built in `folder` from files of that time, in which each build leaves traces of its own."""
    for name in ("wheelhouse/package", "files/script"):
        path = folder / "context" / name
        path.parent.mkdir(parents=True)
        path.write_text(f"{name}\n", encoding="utf-8")
        path.chmod(0o755)
        os.utime(path, (moment, moment))
    (folder / "Dockerfile").write_text(NOISY, encoding="utf-8")
    tag = "mindspore-engine-test:noisy"
    base = {"BASE": "mindspore-engine-test:base"}
    try:
        request = BuildRequest(
            folder / "Dockerfile", folder / "context", tag, base, {"k": "v"}, network="none", fresh=True
        )
        engine.build(request)
        engine.save(tag, folder / "saved.tar")
    finally:
        engine.remove(tag)
    store = Layouts(folder / "store")
    archive.normalise(folder / "saved.tar", store, "noisy", EPOCH)
    return store.digest("noisy")


@pytest.mark.parametrize("name", engines.NAMES)
def test_two_builds_apart_in_place_and_time_give_one_digest(
    name: str, tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No cache, another folder, other file times, later, and a container with a host name of its own; the whole row: `image.reproduce`."""
    engine = _usable(name, tmp_path, base, monkeypatch)
    try:
        first = _noisy(engine, tmp_path / "one", EPOCH + 10)
        second = _noisy(engine, tmp_path / "some" / "where" / "else", EPOCH + 10**9)
    finally:
        engine.remove("mindspore-engine-test:base")
    assert first == second


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
